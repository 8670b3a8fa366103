"""A small diagram of several lines in characters: each line is drawn with its own letter."""

import math
from collections.abc import Iterator

from infra_advisor.present.blocks import Lines, Series
from infra_advisor.present.text import clean, to_ascii

HEIGHT = 12
_WIDEST = 72
_SEVERAL = "*"
"""Stands where lines meet."""


def draw_lines(lines: Lines, *, width: int, blocks: bool = True) -> list[str]:
    """Lines at most `width` cells wide; both scales are logarithmic, so what is not above zero is not drawn.

    `blocks`: False draws with ASCII alone.
    """
    write = clean if blocks else lambda text: to_ascii(clean(text))
    values = [value for series in lines.series for value in series.y if value > 0]
    title = write(lines.title)[:width]
    if not values or len(lines.x) < 2:
        return [title]
    low, high = math.log10(min(values)), math.log10(max(values))
    labels = {0: write(lines.write(min(values))), HEIGHT - 1: write(lines.write(max(values)))}
    indent = max(map(len, labels.values())) + 2
    room = min(width - indent, _WIDEST)
    if room < 2:
        return [title]
    cells = [[" "] * room for _ in range(HEIGHT)]
    for series in lines.series:
        for column, value in _points(series, room):
            level = round((value - low) / (high - low or 1.0) * (HEIGHT - 1))
            cells[level][column] = series.mark if cells[level][column] in (" ", series.mark) else _SEVERAL
    bar, corner, dash = ("│", "└", "─") if blocks else ("|", "+", "-")
    out = [title]
    for level in range(HEIGHT - 1, -1, -1):
        out.append(f"{labels.get(level, ''):>{indent - 2}} {bar}{''.join(cells[level])}".rstrip())
    out.append(" " * (indent - 1) + corner + dash * room)
    out.append(_axis([write(text) for text in lines.x], room, indent, width))
    out.append(" " * indent + "   ".join(f"{series.mark} {write(series.name)}" for series in lines.series)[: width - indent])
    return out


def _points(series: Series, room: int) -> Iterator[tuple[int, float]]:
    """(column, logarithm of the value there), straight from point to point."""
    for column in range(room):
        place = column * (len(series.y) - 1) / (room - 1)
        before = min(int(place), len(series.y) - 2)
        share = place - before
        ends = ((series.y[before], 1.0 - share), (series.y[before + 1], share))
        if all(value > 0 for value, weight in ends if weight):
            yield column, sum(math.log10(value) * weight for value, weight in ends if weight)


def _axis(labels: list[str], room: int, indent: int, width: int) -> str:
    """The labels under their places, without those that would run into each other."""
    line = ""
    for index, label in enumerate(labels):
        start = round(index * (room - 1) / (len(labels) - 1))
        start = min(start, max(width - indent - len(label), 0))
        if start >= len(line) + bool(line) and start + len(label) <= width - indent:
            line = line.ljust(start) + label
    return " " * indent + line
