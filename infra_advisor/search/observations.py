"""Measured points made ready for fitting and scoring: operating points beside logarithms of what was measured, weights and groups."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.evidence import Measurement
from infra_advisor.facts.evidence_use import usable_for_fit, usable_ttft_for_fit
from infra_advisor.search.deployments import Column
from infra_advisor.search.operating import Point, point_of
from infra_advisor.search.replay import Figures
from infra_advisor.search.subjects import Subjects
from infra_advisor.search.traits import era_of, traits_of

METRICS = ("tpot", "ttft", "prefill", "throughput")
"""Time per token, time to the first, prompt tokens/s, output tokens/s: each row counts in the first one or two it has."""
SELF_REPORTED_WEIGHT = 0.4
SERIES_POWER, SOURCE_POWER = -0.5, -0.3
"""Weight of a row falls with the rows of its curve and of its source, so that no sweep and no dump dominates."""
TTFT_WEIGHT = 0.5


@dataclass(frozen=True)
class Observed:
    """Rows that could be placed, with their points and groups; arrays have one position per row."""

    rows: Sequence[Measurement]
    points: Sequence[Point]
    traits: Sequence[Mapping[str, str]]
    series: Sequence[str]
    measured: Mapping[str, Column]
    """Metric -> logarithm of what was measured; nan where it was not, or must not be used. Each row teaches each thing once."""
    reported: Mapping[str, Column]
    """The same for scores: also rates that follow from times that the row states."""
    weights: Column

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: NDArray[np.intp]) -> "Observed":
        """Some of the rows."""
        return Observed(
            rows=[self.rows[k] for k in index],
            points=[self.points[k] for k in index],
            traits=[self.traits[k] for k in index],
            series=[self.series[k] for k in index],
            measured={name: column[index] for name, column in self.measured.items()},
            reported={name: column[index] for name, column in self.reported.items()},
            weights=self.weights[index],
        )


def traits_of_row(row: Measurement, point: Point) -> dict[str, str]:
    """The groups of a measured row: those of its deployment, and how, when and by whom it was measured."""
    subject = point.subject
    return traits_of(subject.chip, subject.model, subject.engine, subject.weights) | {
        "engine_era": f"{subject.engine}@{era_of(row.measured_date)}",
        "mode": point.mode,
        "source": row.source_id or "",
    }


def observe(catalog: Catalog, rows: Sequence[Measurement], length_shares: Mapping[str, float]) -> Observed:
    """The usable rows among `rows`. What cannot be placed or must not be used is left out."""
    subjects = Subjects(catalog)
    kept: list[tuple[Measurement, Point]] = []
    for row in rows:
        if usable_for_fit(row) is not None:
            continue
        subject = subjects.of(row)
        if isinstance(subject, str) or subject.disaggregated:
            continue
        point = point_of(row, subject, length_shares)
        if not isinstance(point, str):
            kept.append((row, point))
    series = [f"{point.subject.series}/{row.source_id}" for row, point in kept]
    return Observed(
        rows=[row for row, _ in kept],
        points=[point for _, point in kept],
        traits=[traits_of_row(row, point) for row, point in kept],
        series=series,
        measured={name: _logs([_MEASURED[name](row, point) for row, point in kept]) for name in METRICS},
        reported={name: _logs([_REPORTED[name](row, point) for row, point in kept]) for name in METRICS},
        weights=_weights([row for row, _ in kept], series),
    )


def predicted(figures: Figures) -> dict[str, Column]:
    """Metric -> logarithm of the prediction."""
    return {
        "tpot": np.log(figures.tpot_s),
        "ttft": np.log(figures.ttft_s),
        "prefill": np.log(figures.prefill_tps),
        "throughput": np.log(figures.output_tps),
    }


def _ttft(row: Measurement, point: Point) -> float | None:
    """Only where the prompt is known: a first token behind a prompt of unknown length, or one half cached, says nothing."""
    return row.ttft_s if usable_ttft_for_fit(row) is None and _prompt_known(row) else None


def _prefill(row: Measurement, point: Point) -> float | None:
    return row.prefill_tps if row.ttft_s is None and _prompt_known(row) else None


def _prompt_known(row: Measurement) -> bool:
    """Self-reported first tokens mix prompts that were cached before with new ones."""
    return row.input_tokens is not None and "self-reported" not in row.flags


def _throughput(row: Measurement, point: Point) -> float | None:
    return _any_throughput(row, point) if row.tpot_s is None else None


def _any_throughput(row: Measurement, point: Point) -> float | None:
    if row.output_tps is None and row.total_tps is not None and row.input_tokens is not None:
        return row.total_tps * point.output_tokens / (point.output_tokens + point.input_tokens)
    return row.output_tps


_MEASURED = {"tpot": lambda row, point: row.tpot_s, "ttft": _ttft, "prefill": _prefill, "throughput": _throughput}

_REPORTED = _MEASURED | {"prefill": lambda row, point: row.prefill_tps if _prompt_known(row) else None, "throughput": _any_throughput}


def _logs(values: Sequence[float | None]) -> Column:
    return np.array([np.log(value) if value is not None and value > 0.0 else np.nan for value in values])


def _weights(rows: Sequence[Measurement], series: Sequence[str]) -> Column:
    of_series = Counter(series)
    weights = np.array([of_series[name] ** SERIES_POWER for name in series])
    weights *= np.array([SELF_REPORTED_WEIGHT if "self-reported" in row.flags else 1.0 for row in rows])
    totals: dict[str, float] = {}
    for weight, row in zip(weights, rows, strict=True):
        totals[row.source_id or ""] = totals.get(row.source_id or "", 0.0) + float(weight)
    return np.asarray(weights * np.array([totals[row.source_id or ""] ** SOURCE_POWER for row in rows]))
