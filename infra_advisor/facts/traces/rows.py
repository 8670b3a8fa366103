"""What the formats have in common: the figures of one row, and the two ways in which a row cannot be read."""

import re
from collections.abc import Callable

from infra_advisor.facts.traces.arrivals import LONGEST_REQUEST_TOKENS

Row = tuple[float, int, int, tuple[int, ...] | None]
"""Time by the clock of the file [s], input tokens, output tokens, blocks. A length that is no whole number is negative."""
RowParser = Callable[[str], Row]
"""From a line, with its line end, to a row. Raises MalformedRow."""

NO_WHOLE_NUMBER = -1
FARTHEST_S = 1e12
"""A time further from its origin, thirty thousand years, is in another unit. [s]"""

_WHOLE = re.compile(r"\+?(\d+)(?:\.0*)?", re.ASCII)
_LONGEST_COUNT = 18
_LONGEST_SHOWN = 60


class MalformedRow(ValueError):
    """The row is not of the format; the message says what stands there and what is accepted, without file and line."""


class IncompleteRow(MalformedRow):
    """The row ends too early: forgiven where it is the last of the file, because a recorder that is stopped leaves such a line."""


def whole_tokens(cell: str) -> int:
    """The length in a cell of a CSV, also where it is written `374.0`; NO_WHOLE_NUMBER where it is negative, fractional or text."""
    if cell.isdecimal() and len(cell) <= _LONGEST_COUNT:
        return int(cell)
    match = _WHOLE.fullmatch(cell.strip())
    if not match:
        return NO_WHOLE_NUMBER
    return int(match[1]) if len(match[1]) <= _LONGEST_COUNT else LONGEST_REQUEST_TOKENS + 1


def shown(value: object) -> str:
    """What stands in a file, short enough for a message."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
