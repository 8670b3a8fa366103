"""How the load of a service moves through the week, hour by hour, as shares of its busiest hour."""

import csv
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.fact import Record
from infra_advisor.facts.files import read_text

HOURS_PER_DAY, DAYS_PER_WEEK, WORKDAYS = 24, 7, 5
HOURS_PER_WEEK = HOURS_PER_DAY * DAYS_PER_WEEK
COLUMNS = ("hour", "load")

Share = Annotated[float, Field(ge=0, le=1)]
Day = Annotated[tuple[Share, ...], Field(min_length=HOURS_PER_DAY, max_length=HOURS_PER_DAY)]


class Profile(Record):
    """One week. Local time; the week begins on Monday."""

    workday: Day
    """Monday to Friday, by hour from midnight."""
    weekend: Day
    """Saturday and Sunday."""
    source: Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(lambda raw: (raw,) if isinstance(raw, str) else raw)]
    note: str | None = None

    @model_validator(mode="after")
    def _has_a_peak(self) -> "Profile":
        if max(*self.workday, *self.weekend) != 1.0:
            raise ValueError("the busiest hour has the share 1")
        return self

    @property
    def week(self) -> tuple[float, ...]:
        """168 hourly shares of the busiest hour, Monday first."""
        return self.workday * WORKDAYS + self.weekend * (DAYS_PER_WEEK - WORKDAYS)


def week_of(name: str, profiles: Mapping[str, Profile]) -> tuple[float, ...]:
    """168 hourly shares of the busiest hour of a profile by name, or of a file. Raises UsageError."""
    if name in profiles:
        return profiles[name].week
    path = Path(name)
    if path.suffix.lower() == ".csv" or os.path.exists(name):
        return read_week(path)
    raise UsageError(
        f"--profile: {name!r} is unknown; accepted: {', '.join(profiles)}, or a CSV file of hour,load.{did_you_mean(name, profiles)}"
    )


def read_week(path: Path) -> tuple[float, ...]:
    """A CSV file of `hour,load`: 24 rows (every day alike) or 168 (from Monday midnight on), in any unit of load. Raises UsageError."""
    problems: list[str] = []
    if (text := read_text(path, problems)) is None:
        raise UsageError(f"{problems[0]}; a profile is a CSV file of hour,load")
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: {error}; a profile is a CSV file of hour,load") from error
    rows = [(number, row) for number, row in lines if any(row)]
    if not rows or tuple(cell.lower() for cell in rows[0][1]) != COLUMNS:
        raise UsageError(f"{path}: the first line must be `hour,load`")
    loads = [_load(path, number, hour, row) for hour, (number, row) in enumerate(rows[1:])]
    if len(loads) not in (HOURS_PER_DAY, HOURS_PER_WEEK):
        raise UsageError(f"{path}: {len(loads)} hours; a profile has {HOURS_PER_DAY} or {HOURS_PER_WEEK}, in order from 0")
    if max(loads) <= 0.0:
        raise UsageError(f"{path}: no hour has any load")
    week = loads if len(loads) == HOURS_PER_WEEK else loads * DAYS_PER_WEEK
    return tuple(load / max(loads) for load in week)


def _load(path: Path, number: int, hour: int, row: list[str]) -> float:
    try:
        stated, load = row
        if int(stated) != hour:
            raise UsageError(f"{path}:{number}: hour {stated} stands where hour {hour} is expected: every hour once, in order from 0")
        value = float(load)
    except ValueError as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{path}:{number}: {','.join(row)!r} is not an hour and a load, such as `{hour},120`") from error
    if not (math.isfinite(value) and value >= 0.0):
        raise UsageError(f"{path}:{number}: a load of {load} is no load; give a number from zero on")
    return value
