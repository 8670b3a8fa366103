"""Predictions for measured rows, each with its bands, its grade, and what was assumed; every row comes back, in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.evidence import Measurement
from infra_advisor.facts.evidence_checks import contradictions
from infra_advisor.search.calibration import GRADES, Bands, Parameters
from infra_advisor.search.deployments import Column
from infra_advisor.search.observations import traits_of_row
from infra_advisor.search.operating import Point, point_of
from infra_advisor.search.replay import Replay
from infra_advisor.search.subjects import Subjects

FIGURES = ("ttft_ms", "tpot_ms", "output_tps", "prefill_tps", "decode_tps_user")
"""What is predicted for every row, in the columns and units of an evidence table."""
_BAND_OF = {"ttft_ms": "ttft", "tpot_ms": "tpot", "output_tps": "throughput", "prefill_tps": "ttft", "decode_tps_user": "tpot"}
_RATES = frozenset(("prefill_tps", "decode_tps_user"))
"""Turned over: their band is that of the time."""
MILLISECONDS_PER_S = 1e3


@dataclass(frozen=True)
class Predictions:
    """One position per row that was given; nan where the row was refused."""

    rows: Sequence[Measurement]
    points: Sequence[Point | None]
    values: Mapping[str, Column]
    low: Mapping[str, Column]
    high: Mapping[str, Column]
    grades: Sequence[str | None]
    refused: Sequence[str | None]
    """Why there is no prediction: the inputs cannot be placed or contradict one another."""
    assumed: Sequence[tuple[str, ...]]
    """Defaults taken for what the row leaves open, and doubts that do not stop a prediction."""
    suspect: Sequence[str | None]
    """Why the measured figures cannot all be right; predicted all the same."""


def predict_rows(
    catalog: Catalog, parameters: Parameters, rows: Sequence[Measurement], faults: Mapping[int, Mapping[str, str]] | None = None
) -> Predictions:
    """Predictions from the inputs alone. `faults`: position -> column -> what could not be read there."""
    subjects = Subjects(catalog)
    found: list[Point | None] = []
    refused: list[str | None] = []
    for place, row in enumerate(rows):
        placed = _placed(subjects, parameters, row, (faults or {}).get(place, {}))
        found.append(None if isinstance(placed, str) else placed)
        refused.append(placed if isinstance(placed, str) else None)
    families = [_family(parameters, point) for point in found]
    for place, (point, family) in enumerate(zip(found, families, strict=True)):
        if point is not None and family is None:
            refused[place] = f"no efficiencies for this class of device ({point.subject.chip.device_class})"
    index = np.array([place for place, family in enumerate(families) if family is not None], dtype=np.intp)
    values, low, high = ({name: np.full(len(rows), np.nan) for name in FIGURES} for _ in range(3))
    grades: list[str | None] = [None] * len(rows)
    assumed: list[tuple[str, ...]] = [point.assumed if point else () for point in found]
    if len(index):
        _fill(parameters, rows, found, families, index, values, low, high, grades, assumed)
    suspect = [_suspect(row, (faults or {}).get(place, {})) for place, row in enumerate(rows)]
    return Predictions(rows, found, values, low, high, grades, refused, assumed, suspect)


def _placed(subjects: Subjects, parameters: Parameters, row: Measurement, faults: Mapping[str, str]) -> Point | str:
    if whole := faults.get(""):
        return whole
    if bad := [f"{column}: {fault}" for column, fault in faults.items() if column in INPUTS]:
        return "; ".join(bad)
    subject = subjects.of(row)
    return subject if isinstance(subject, str) else point_of(row, subject, parameters.length_shares)


INPUTS = frozenset((
    "chips", "tp", "pp", "ep", "dp", "disagg", "input_tokens", "output_tokens", "concurrency", "request_rate_qps", "mode",
    "ttft_definition", "tps_definition",
))  # fmt: skip
"""Columns without which a row is another row; faults in what was measured only make it suspect."""


def _family(parameters: Parameters, point: Point | None) -> str | None:
    if point is None:
        return None
    chip = point.subject.chip
    selected = parameters.family(
        engine_kind=point.subject.engine_kind, vendor=chip.vendor, device_class=chip.device_class, kind=chip.kind, mode=point.mode
    )
    return selected[0] if selected else None


def _fill(
    parameters: Parameters,
    rows: Sequence[Measurement],
    found: Sequence[Point | None],
    families: Sequence[str | None],
    index: NDArray[np.intp],
    values: Mapping[str, Column],
    low: Mapping[str, Column],
    high: Mapping[str, Column],
    grades: list[str | None],
    assumed: list[tuple[str, ...]],
) -> None:
    kept = [(place, family, point) for place in index if (point := found[place]) is not None and (family := families[place]) is not None]
    points = [point for _, _, point in kept]
    traits = [traits_of_row(rows[place], point) for place, _, point in kept]
    keys: dict[tuple[str, ...], int] = {}
    kind_of = np.array([keys.setdefault((family, *of.values()), len(keys)) for (_, family, _), of in zip(kept, traits, strict=True)])
    first = {kind: place for place, kind in reversed(list(enumerate(kind_of)))}
    each = [(kept[first[kind]][1], traits[first[kind]]) for kind in range(len(keys))]
    figures = Replay(points, parameters.defaults).predict(parameters.efficiencies(each).take(kind_of))
    unseen = [parameters.unseen(family, of) for family, of in each]
    bands = [parameters.families[family].bands[what] for (family, _), what in zip(each, unseen, strict=True)]
    columns = {
        "ttft_ms": figures.ttft_s * MILLISECONDS_PER_S,
        "tpot_ms": figures.tpot_s * MILLISECONDS_PER_S,
        "output_tps": figures.output_tps,
        "prefill_tps": figures.prefill_tps,
        "decode_tps_user": figures.decode_tps_user,
    }
    for name, column in columns.items():
        below, above = np.array([_factors(band, name) for band in bands])[kind_of].T
        values[name][index], low[name][index], high[name][index] = column, column * below, column * above
    for number, place in enumerate(index):
        grades[place] = GRADES[unseen[kind_of[number]]]
        notes = list(assumed[place])
        if not figures.fits[number]:
            notes.append("does not fit by our memory estimate")
        if figures.saturated[number] and points[number].mode != "offline":
            notes.append("saturated: more requests than run at once")
        if points[number].subject.disaggregated:
            notes.append("prefill and decode workers taken for one pool")
        if rows[place].spec_decode == "1":
            notes.append("predicted without speculative decoding: its acceptance is not stated")
        assumed[place] = tuple(notes)


def _factors(band: Bands, name: str) -> tuple[float, float]:
    below, above = getattr(band, _BAND_OF[name])
    return (1.0 / above, 1.0 / below) if name in _RATES else (below, above)


def _suspect(row: Measurement, faults: Mapping[str, str]) -> str | None:
    found = [f"{column}: {fault}" for column, fault in faults.items() if column and column not in INPUTS]
    found += list(contradictions(row))
    if row.suspect:
        found.append("marked suspect by its source")
    return "; ".join(found) or None
