"""What a page consists of, without any format: each renderer turns the same blocks into its own notation.

Every text here is plain: no markup, no escapes. Renderers clean and escape each text exactly once, so that nothing a catalog says
can become markup, a terminal command or a formula.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Tone = Literal["plain", "strong", "dim", "good", "warn", "bad"]


@dataclass(frozen=True)
class Text:
    """Some words and how much they matter. The tone only repeats what the words say."""

    text: str
    tone: Tone = "plain"


Words = str | Text


@dataclass(frozen=True)
class Heading:
    """Title of a page (level 1) or of a section (level 2)."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Para:
    """Sentences; the parts follow each other with a blank between."""

    parts: tuple[Words, ...]
    lead: str = ""
    """Printed before the first part and stronger: `Assumed:`."""


@dataclass(frozen=True)
class Bullets:
    """A short list."""

    items: tuple[Words, ...]


@dataclass(frozen=True)
class Code:
    """Lines to copy as they are: a command."""

    lines: tuple[str, ...]
    language: str = "sh"


@dataclass(frozen=True)
class Column:
    """One column of a grid."""

    title: str
    align: Literal["left", "right"] = "left"
    drop: int = 0
    """0 always stays; the highest goes first where the width does not suffice."""
    wrap: bool = False
    """May be broken into several lines."""


@dataclass(frozen=True)
class Grid:
    """A table. `parts`: columns too many for the width continue in a further table below, with the first column repeated."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Words, ...], ...]
    parts: bool = False
    tight: bool = False
    """On a narrow screen, columns move together and wrap before any is dropped."""
    total: bool = False
    """The last row is the sum of those above it."""


@dataclass(frozen=True)
class Chart:
    """Values over one axis, drawn as columns."""

    title: str
    x: tuple[str, ...]
    y: tuple[float | None, ...]
    y_texts: tuple[str, ...]
    """What to print for each value."""
    limit: float | None = None
    limit_text: str = ""
    unit: str = ""
    above_is_bad: bool = True


@dataclass(frozen=True)
class Series:
    """One line of a diagram: its mark, its name, and a value for each place of the axis."""

    mark: str
    name: str
    y: tuple[float, ...]


@dataclass(frozen=True)
class Lines:
    """Several series over one axis, both scales logarithmic; values are above zero."""

    title: str
    x: tuple[str, ...]
    """What to print below each place of the axis; places are evenly spaced."""
    series: tuple[Series, ...]
    write: Callable[[float], str]
    """A value as its axis shows it."""


Block = Heading | Para | Bullets | Code | Grid | Chart | Lines


@dataclass(frozen=True)
class Page:
    """Blocks from top to bottom."""

    blocks: tuple[Block, ...] = field(default=())


def plain(words: Words) -> str:
    """The words without their tone."""
    return words if isinstance(words, str) else words.text


def tone(words: Words) -> Tone:
    """The tone, `plain` for a bare string."""
    return "plain" if isinstance(words, str) else words.tone
