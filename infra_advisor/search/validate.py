"""Predictions against measurements: errors of a file's rows by class, chip, engine, model and grade."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.evidence import COLUMNS, UNKNOWN_MODEL, EvidenceTable, Measurement, column_of, parse_evidence
from infra_advisor.facts.evidence_use import UNUSABLE_TTFT_FLAGS, usable_for_fit
from infra_advisor.facts.files import read_text
from infra_advisor.facts.results.read import read_results
from infra_advisor.search.deployments import Column
from infra_advisor.search.prediction import FIGURES, Predictions
from infra_advisor.search.scores import Score, class_of, score, tau_within

GROUPS = ("class", "grade", "chip", "engine", "model", "source")
LEAST_SHARED_COLUMNS = 3
"""A CSV file with fewer evidence columns is read as another format."""


@dataclass(frozen=True)
class Read:
    """What stood in a file, whatever its format."""

    path: Path
    header: tuple[str, ...]
    cells: Sequence[Sequence[str]]
    rows: Sequence[Measurement]
    faults: dict[int, dict[str, str]]


@dataclass(frozen=True)
class ErrorLine:
    """Errors of one metric over one group of rows."""

    group: str
    member: str
    metric: str
    score: Score
    tau: float | None
    """Kendall tau inside models, of throughput."""


def read_file(path: Path, problems: list[str]) -> Read:
    """Rows of an evidence table or of any result file that is known. Raises UsageError where nothing can be read at all."""
    text = read_text(path, problems)
    if text is None:
        raise UsageError("\n".join(problems))
    header = {name.strip() for name in text.lstrip("\ufeff").split("\n", 1)[0].split(",")}
    if len(header & set(COLUMNS)) >= LEAST_SHARED_COLUMNS:
        table: EvidenceTable = parse_evidence(text.lstrip("\ufeff"), path, problems)
        faults = {place: dict(found) for place, found in table.faults.items()}
        return Read(path, table.header, table.cells, list(table.rows), faults)
    rows = read_results(path, problems)
    if not rows:
        raise UsageError("\n".join(problems) or f"{path}: no rows")
    return Read(path, COLUMNS, [_cells(row) for row in rows], rows, {})


def with_stated(row: Measurement, stated: Mapping[str, object]) -> Measurement:
    """The row, completed by what its file does not hold; what it does hold stays."""
    missing = {name: value for name, value in stated.items() if getattr(row, name) is None}
    return replace(row, **missing) if missing else row  # type: ignore[arg-type]


def _cells(row: Measurement) -> list[str]:
    """A measurement as the cells of an evidence table."""
    found = []
    for name in row.__slots__:
        value = getattr(row, name)
        if value is None:
            found.append("")
        elif isinstance(value, bool):
            found.append("1" if value else "0")
        elif isinstance(value, tuple):
            found.append("|".join(value))
        elif isinstance(value, float):
            found.append(f"{value * 1e3 if column_of(name) != name else value:.6g}")
        else:
            found.append(str(value))
    return found


def measured(rows: Sequence[Measurement]) -> dict[str, Column]:
    """Figure -> what was measured, in the units of `FIGURES`; nan where it was not."""

    def column(values: Sequence[float | None]) -> Column:
        return np.array([value if value is not None and value > 0.0 else np.nan for value in values])

    return {
        "ttft_ms": column([None if row.ttft_s is None else row.ttft_s * 1e3 for row in rows]),
        "tpot_ms": column([None if row.tpot_s is None else row.tpot_s * 1e3 for row in rows]),
        "output_tps": column([row.output_tps for row in rows]),
        "prefill_tps": column([row.prefill_tps for row in rows]),
        "decode_tps_user": column([row.decode_tps_user for row in rows]),
    }


def scored(found: Predictions) -> NDArray[np.bool_]:
    """Rows whose errors count: predicted, not suspect, and what the model speaks of (no speculation, whole weights on the device ...)."""
    return np.array(
        [
            refusal is None and doubt is None and usable_for_fit(_plain(row)) is None
            for row, refusal, doubt in zip(found.rows, found.refused, found.suspect, strict=True)
        ],
        dtype=bool,
    )


def _plain(row: Measurement) -> Measurement:
    """The row with what a user's file usually leaves out taken as plain: no speculation, a chip count of its own, layers by name."""
    known = row.model_arch if row.model_arch not in (None, UNKNOWN_MODEL) else row.model
    return replace(row, spec_decode=row.spec_decode or "0", chips=row.chips or 1.0, chip=row.chip or "?", model_arch=known)


def errors_by(catalog: Catalog, found: Predictions, groups: Sequence[str]) -> list[ErrorLine]:
    """One line per member and figure, `all` first."""
    counted = scored(found)
    truth = measured(found.rows)
    for place, row in enumerate(found.rows):
        if set(row.flags) & set(UNUSABLE_TTFT_FLAGS):
            truth["ttft_ms"][place] = np.nan
    lines = []
    for group in ("all", *groups):
        names = np.array([_member(found, place, group) for place in range(len(found.rows))])
        for member in sorted(set(names[counted])):
            chosen = counted & (names == member)
            lines += _lines(found, truth, group, str(member), chosen)
    return lines


def _member(found: Predictions, place: int, group: str) -> str:
    point, row = found.points[place], found.rows[place]
    if point is None:
        return ""
    subject = point.subject
    return {
        "all": "all",
        "class": class_of(row, point),
        "grade": found.grades[place] or "",
        "chip": subject.chip.id,
        "engine": subject.engine,
        "model": subject.model.id,
        "source": row.source_id or "",
    }[group]


def _lines(found: Predictions, truth: dict[str, Column], group: str, member: str, chosen: NDArray[np.bool_]) -> list[ErrorLine]:
    lines = []
    for name in FIGURES:
        if name == "decode_tps_user":
            continue  # the turned-over time per token
        with np.errstate(invalid="ignore"):
            logs = [np.log(column[chosen]) for column in (found.values[name], truth[name], found.low[name], found.high[name])]
        part = score(*logs)
        if part is None:
            continue
        tau = None
        if name == "output_tps":
            models = [point.subject.model.id for point, here in zip(found.points, chosen, strict=True) if here and point]
            tau = tau_within(models, logs[0], logs[1])
        lines.append(ErrorLine(group, member, name, part, tau))
    return lines


def rows_out(files: Sequence[Read], found: Predictions) -> tuple[list[str], list[list[str]]]:
    """(header, rows): every column as it was read, then the predictions; the columns of several files are joined."""
    header = list(dict.fromkeys(name for one in files for name in one.header))
    added = [f"predicted_{name}{end}" for name in FIGURES for end in ("", "_low", "_high")] + ["grade", "refused", "assumed", "suspect_why"]
    names = header + added
    table = []
    place = 0
    for one in files:
        for cells in one.cells:
            given = dict(zip(one.header, cells, strict=False))
            row = [given.get(name, "") for name in header]
            for name in FIGURES:
                row += [_figure(column[name][place]) for column in (found.values, found.low, found.high)]
            row += [found.grades[place] or "", found.refused[place] or "", "; ".join(found.assumed[place]), found.suspect[place] or ""]
            table.append(row)
            place += 1
    return names, table


def _figure(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.6g}"
