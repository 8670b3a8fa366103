"""Pages for a terminal: tables that choose their columns by the width, and become a list where none fits."""

from collections.abc import Sequence
from io import StringIO

from rich.box import Box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text as Rich

from infra_advisor.present.blocks import Block, Bullets, Chart, Code, Column, Grid, Heading, Lines, Page, Para, Words, plain, tone
from infra_advisor.present.plot import draw
from infra_advisor.present.plot_lines import draw_lines
from infra_advisor.present.screen import Screen
from infra_advisor.present.text import clean, to_ascii

_STYLES = {"plain": "", "strong": "bold", "dim": "dim", "good": "green", "warn": "yellow", "bad": "red"}
_RULED = Box("    \n    \n ── \n    \n ── \n    \n    \n    \n")
"""A rule below the titles and above a total, nothing else."""
_WIDEST_TEXT = 120
_NARROWEST_WRAPPED = 12
_NARROWEST_SHARED = 16
_WRAP_FOR = 1
"""Columns up to this drop level are worth a second line in the others."""
_COMFORTABLE = 110
"""From this width on, columns stand two blanks apart even where that costs a column."""
_STACKED_BELOW = 50


def render(page: Page, screen: Screen) -> str:
    """The page as lines of text that are at most `screen.width` cells wide (commands to copy excepted)."""
    return _Writer(screen).page(page)


class _Writer:
    """One page on its way to one screen."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.out = StringIO()
        self.console = Console(
            file=self.out, width=screen.width, color_system="standard" if screen.color else None, force_terminal=screen.color,
            no_color=not screen.color, markup=False, emoji=False, highlight=False, legacy_windows=False, _environ={},
        )  # fmt: skip

    def page(self, page: Page) -> str:
        before: Block | None = None
        for block in page.blocks:
            if before is not None and _parted(before, block):
                self.out.write("\n")
            self.block(block)
            before = block
        text = "\n".join(line.rstrip() for line in self.out.getvalue().splitlines()) + "\n"
        return text if self.screen.unicode else to_ascii(text)

    def block(self, block: Block) -> None:
        match block:
            case Heading(text=text):
                self.wrapped(Rich(self.clean(text), style="bold"))
            case Para(parts=parts, lead=lead):
                self.wrapped(Rich(" ").join([Rich(self.clean(lead), style="bold")] * bool(lead) + [self.rich(part) for part in parts]))
            case Bullets(items=items):
                for item in items:
                    self.wrapped(self.rich(item), first="- ", rest="  ")
            case Code(lines=lines):
                for line in lines:
                    self.out.write(f"  {self.clean(line)}\n")
            case Grid():
                self.grid(block)
            case Chart():
                self.drawn(draw(block, width=min(self.screen.width, 100), blocks=self.screen.unicode))
            case Lines():
                self.drawn(draw_lines(block, width=min(self.screen.width, 100), blocks=self.screen.unicode))

    def drawn(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.out.write(line + "\n")

    def clean(self, text: str) -> str:
        return clean(text) if self.screen.unicode else to_ascii(clean(text))

    def rich(self, words: Words) -> Rich:
        return Rich(self.clean(plain(words)), style=_STYLES[tone(words)])

    def wrapped(self, text: Rich, first: str = "", rest: str = "") -> None:
        width = max(min(self.screen.width, _WIDEST_TEXT) - max(len(first), len(rest)), 10)
        for number, line in enumerate(text.wrap(self.console, width, overflow="fold")):
            line.rstrip()
            self.console.print(Rich.assemble(rest if number else first, line), soft_wrap=True)

    def grid(self, grid: Grid) -> None:
        cells = [[self.rich(cell) for cell in row] for row in grid.rows]
        titles: list[tuple[str, ...]] = [(self.clean(column.title),) for column in grid.columns]
        natural = _natural(titles, cells)
        if sum(natural) + 2 * (len(natural) - 1) > self.screen.width and not grid.parts:
            below = _natural([()] * len(titles), cells)
            titles = [_in_two(title, width) for (title,), width in zip(titles, below, strict=True)]
            natural = _natural(titles, cells)
        if grid.parts:
            widths = _shared(natural, self.screen.width)
            for number, shown in enumerate(_in_parts(widths, self.screen.width)):
                self.out.write("\n" if number else "")
                self.table(grid, titles, cells, shown, widths, gap=2)
        elif (layout := _layout(grid, natural, self.screen.width)) is None:
            self.stack(grid, cells)
        else:
            shown, widths, gap = layout
            self.table(grid, titles, cells, shown, widths, gap)

    def table(
        self,
        grid: Grid,
        titles: Sequence[tuple[str, ...]],
        cells: Sequence[Sequence[Rich]],
        shown: Sequence[int],
        widths: Sequence[int],
        gap: int,
    ) -> None:
        table = Table(box=_RULED, show_edge=False, pad_edge=False, padding=(0, gap - 1, 0, 0), header_style="bold", border_style="dim")
        room = self.screen.width - gap * (len(shown) - 1)
        lines = max(len(titles[index]) for index in shown)
        for index in shown:
            title = "\n" * (lines - len(titles[index])) + "\n".join(titles[index])
            table.add_column(Rich(title), justify=grid.columns[index].align, width=min(widths[index], max(room, 8)), overflow="fold")
        for number, row in enumerate(cells):
            table.add_row(*(row[index] for index in shown), end_section=grid.total and number == len(cells) - 2)
        self.console.print(table)

    def stack(self, grid: Grid, cells: Sequence[Sequence[Rich]]) -> None:
        """Each row as a short entry: the first two cells lead, the other essential ones follow with their titles."""
        for row in cells:
            self.wrapped(Rich.assemble(row[0], " ", row[1], style="bold") if len(row) > 1 else row[0], rest="  ")
            facts = [
                Rich.assemble(f"{self.clean(column.title)} " if column.align == "right" else "", cell)
                for column, cell in list(zip(grid.columns, row, strict=True))[2:]
                if not column.drop and cell.plain
            ]
            if facts:
                self.wrapped(Rich(", ").join(facts), first="  ", rest="  ")


def _parted(before: Block, block: Block) -> bool:
    """True where a blank line stands between two blocks."""
    if isinstance(before, Para) and isinstance(block, Para):
        return bool(block.lead) and not before.lead
    return not isinstance(before, Heading) and (isinstance(block, Heading) or not (isinstance(before, Para) and before.lead))


def _natural(titles: Sequence[tuple[str, ...]], cells: Sequence[Sequence[Rich]]) -> list[int]:
    """Width of each column that nothing needs to be broken in."""
    return [
        max((*(cell_len(line) for line in title), *(cell_len(row[index].plain) for row in cells)), default=0)
        for index, title in enumerate(titles)
    ]


def _in_two(title: str, width: int) -> tuple[str, ...]:
    """A title wider than what stands below it, in the two lines that make it narrowest; one word stays one line."""
    words = title.split() if cell_len(title) > width else []
    halves = ((" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words)))
    return min(halves, key=lambda lines: max(map(cell_len, lines)), default=(title,))


def _layout(grid: Grid, natural: Sequence[int], width: int) -> tuple[list[int], list[int], int] | None:
    """Columns to show, their widths and the gap between them; None where even the essential ones do not fit."""
    columns = grid.columns
    for drop in sorted({column.drop for column in columns}, reverse=True):
        shown = [index for index, column in enumerate(columns) if column.drop <= drop]
        for gap in (2,) if width >= _COMFORTABLE and not grid.tight else (2, 1):
            if sum(natural[index] for index in shown) + gap * (len(shown) - 1) <= width:
                return shown, list(natural), gap
        may_wrap = (drop <= _WRAP_FOR or grid.tight) and width >= _STACKED_BELOW
        if may_wrap and (widths := _wrapped(columns, natural, shown, width - gap * (len(shown) - 1))):
            return shown, widths, gap
    return None


def _wrapped(columns: Sequence[Column], natural: Sequence[int], shown: Sequence[int], room: int) -> list[int] | None:
    """Widths with the widest wrappable columns cut until all fit; None where that does not suffice."""
    widths = list(natural)
    may_wrap = [index for index in shown if columns[index].wrap]
    for _ in range(sum(natural[index] for index in shown) - room):
        widest = max(may_wrap, key=lambda index: widths[index], default=None)
        if widest is None or widths[widest] <= _NARROWEST_WRAPPED:
            return None
        widths[widest] -= 1
    return widths


def _shared(natural: Sequence[int], width: int) -> list[int]:
    """Widths with which all columns stand in one table, if none gets too narrow for it; else the natural ones."""
    each = (width - natural[0] - 2 * (len(natural) - 1)) // max(len(natural) - 1, 1)
    return [natural[0], *(min(column, each) for column in natural[1:])] if each >= _NARROWEST_SHARED else list(natural)


def _in_parts(natural: Sequence[int], width: int) -> list[list[int]]:
    """Column numbers of each table: the first column in all, the others as many as fit."""
    parts: list[list[int]] = [[0]]
    used = natural[0]
    for index in range(1, len(natural)):
        if len(parts[-1]) > 1 and used + 2 + natural[index] > width:
            parts.append([0])
            used = natural[0]
        parts[-1].append(index)
        used += 2 + natural[index]
    return parts
