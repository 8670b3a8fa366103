"""Times of requests, from text to seconds: plain numbers, or dates with a time of day.

A trace has millions of rows, so that a date is taken apart only where its minute changes.
"""

import datetime
import re
from collections.abc import Callable

from infra_advisor.facts.traces.rows import FARTHEST_S, MalformedRow, shown

Clock = Callable[[str], float]
"""From a cell to seconds after an origin that is the same for the whole file. Raises MalformedRow."""

_S_PER_DAY, _S_PER_HOUR, _S_PER_MINUTE = 86_400.0, 3_600.0, 60.0
_UP_TO_SECONDS = len("2023-11-16 18:15:")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)([ T])(\d\d):(\d\d):\d\d(?:\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_EXAMPLES = "2023-11-16 18:15:46.68 or 2023-11-16T18:15:46Z"


def seconds_clock(column: str) -> Clock:
    """Reads a column of seconds."""

    def read(cell: str) -> float:
        try:
            time_s = float(cell)
        except ValueError:
            raise MalformedRow(f"{column} is {shown(cell)}; accepted: seconds as a number") from None
        # Also false for nan.
        if not -FARTHEST_S <= time_s <= FARTHEST_S:
            raise MalformedRow(f"{column} is {shown(cell)}; accepted: seconds as a finite number of at most {FARTHEST_S:g}")
        return time_s

    return read


class DateClock:
    """Reads a column of dates with times of day, in seconds after midnight of the first date.

    All rows are written as the first is: blank or T before the time, and the same zone or none. The fraction of the second may
    have any number of digits or be absent.
    """

    def __init__(self, column: str) -> None:
        self._column = column
        self._example: str | None = None
        self._separator = self._zone = ""
        self._first_day = 0
        self._minute = ""
        self._minute_s = 0.0

    def __call__(self, cell: str) -> float:
        cell = cell.strip()
        if cell[:_UP_TO_SECONDS] != self._minute:
            self._turn_to(cell)
        seconds = cell[_UP_TO_SECONDS:]
        if self._zone:
            if not seconds.endswith(self._zone):
                raise self._refusal(cell)
            seconds = seconds[: -len(self._zone)]
        # float() alone would also take nan, exponents and signs, such as that of a zone.
        if not seconds.replace(".", "", 1).isdecimal() or (second_s := float(seconds)) >= _S_PER_MINUTE:
            raise self._refusal(cell)
        return self._minute_s + second_s

    def _turn_to(self, cell: str) -> None:
        match = _DATE.fullmatch(cell)
        if not match:
            raise self._refusal(cell)
        date, separator, hour, minute, zone = match.groups(default="")
        try:
            day = datetime.date.fromisoformat(date).toordinal()
            datetime.time(int(hour), int(minute))
        except ValueError:
            raise self._refusal(cell) from None
        if self._example is None:
            self._example, self._separator, self._zone, self._first_day = cell, separator, zone, day
        if (separator, zone) != (self._separator, self._zone):
            raise self._refusal(cell)
        # Counted from the first date: counted from 1970, a float would keep a quarter of a microsecond only.
        self._minute_s = (day - self._first_day) * _S_PER_DAY + int(hour) * _S_PER_HOUR + int(minute) * _S_PER_MINUTE
        self._minute = cell[:_UP_TO_SECONDS]

    def _refusal(self, cell: str) -> MalformedRow:
        how = f"written as in the first row, {self._example}" if self._example else f"such as {_EXAMPLES}"
        return MalformedRow(f"{self._column} is {shown(cell)}; accepted: a date and a time of day {how}")
