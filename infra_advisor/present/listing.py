"""A list of catalog entries or facts: titles and rows, the same in every format."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra_advisor.present.blocks import Column, Grid, Heading, Page, Para


@dataclass(frozen=True)
class Listing:
    """What `advisor catalog` shows. Cells are texts or unrounded numbers; `keys` name the columns in JSON and CSV."""

    title: str
    keys: tuple[str, ...]
    titles: tuple[str, ...]
    rows: tuple[tuple[str | float | int | bool | None, ...], ...]
    shown: tuple[tuple[str, ...], ...]
    """The rows as texts for people."""
    right: frozenset[str] = frozenset()
    """Keys of the columns with numbers."""
    unbroken: frozenset[str] = frozenset()
    """Keys of the columns whose texts stay on one line: names to be typed again."""
    drops: Sequence[int] = ()
    """Per column: see `Column.drop`."""
    notes: tuple[str, ...] = ()

    def page(self) -> Page:
        """As a titled table."""
        columns = tuple(
            Column(
                title,
                "right" if key in self.right else "left",
                drop=self.drops[index] if index < len(self.drops) else 0,
                wrap=key not in self.right | self.unbroken,
            )
            for index, (key, title) in enumerate(zip(self.keys, self.titles, strict=True))
        )
        return Page((Heading(self.title), Grid(columns, self.shown), *(Para((note,)) for note in self.notes)))

    def documents(self) -> list[dict[str, str | float | int | bool | None]]:
        """As JSON objects."""
        return [dict(zip(self.keys, row, strict=True)) for row in self.rows]
