"""Deviations from the efficiencies of a family, as calibration found them: one row per group of deployments and efficiency."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from infra_advisor.facts.files import read_text

LARGEST_OFFSET = 10.0
"""On a logarithmic scale: more than a factor of twenty thousand is a slip."""
COLUMNS = ("family", "group", "member", "parameter", "offset", "rows")


class Deviation(NamedTuple):
    """One offset on the scale on which deviations add up: logit of a share, log of any other efficiency."""

    family: str
    group: str
    member: str
    parameter: str
    offset: float
    rows: int
    """Measured points it rests on."""


def read_deviations(path: Path, problems: list[str]) -> list[Deviation]:
    """The rows of a table; what cannot be read is a line in `problems`."""
    text = read_text(path, problems)
    if text is None:
        return []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    if tuple(next(reader, ())) != COLUMNS:
        problems.append(f"{path}: the columns must be {', '.join(COLUMNS)}")
        return []
    found: list[Deviation] = []
    try:
        for row in reader:
            if problem := _read(row, found):
                problems.append(f"{path}:{reader.line_num}: {problem}")
    except csv.Error as error:
        problems.append(f"{path}:{reader.line_num}: {error}")
    return found


def _read(row: list[str], found: list[Deviation]) -> str | None:
    """Add the deviation of a row, or say what is wrong with it."""
    try:
        family, group, member, parameter, offset, count = row
        one = Deviation(family, group, member, parameter, float(offset), int(count))
    except ValueError:
        return f"{len(row)} cells; expected {len(COLUMNS)}, the last two numbers"
    if not abs(one.offset) <= LARGEST_OFFSET or one.rows < 0:
        return f"the offset must lie within {LARGEST_OFFSET:g} of 0, rows must be 0 or more"
    found.append(one)
    return None


def written(deviations: Iterable[Deviation]) -> str:
    """The table as text, sorted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in sorted(deviations, key=lambda one: one[:4]):
        writer.writerow([*one[:4], f"{one.offset:.4f}".rstrip("0").rstrip(".") or "0", one.rows])
    return out.getvalue()
