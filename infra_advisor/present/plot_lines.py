"""A small diagram of several lines in characters: each line is drawn with its own letter."""

import math

from infra_advisor.present.blocks import Lines
from infra_advisor.present.text import clean, to_ascii

HEIGHT = 12
_WIDEST = 72
_SEVERAL = "*"
"""Stands where lines meet."""


def draw_lines(lines: Lines, *, width: int, blocks: bool = True) -> list[str]:
    """Lines at most `width` cells wide; both scales are logarithmic. `blocks`: False draws with ASCII alone."""
    write = clean if blocks else lambda text: to_ascii(clean(text))
    values = [value for series in lines.series for value in series.y if value > 0]
    title = write(lines.title)[:width]
    if not values or len(lines.x) < 2:
        return [title]
    low, high = math.log10(min(values)), math.log10(max(values))
    span = high - low or 1.0
    labels = [write(lines.write(10 ** (low + span * level / (HEIGHT - 1)))) for level in range(HEIGHT)]
    indent = max(len(label) for label in labels[:: HEIGHT - 1]) + 2
    room = max(min(width - indent - 1, _WIDEST), len(lines.x))
    cells = [[" "] * room for _ in range(HEIGHT)]
    for series in lines.series:
        for column in range(room):
            place = column * (len(lines.x) - 1) / (room - 1)
            before = min(int(place), len(lines.x) - 2)
            first, last = (math.log10(series.y[index]) for index in (before, before + 1))
            level = round((first + (last - first) * (place - before) - low) / span * (HEIGHT - 1))
            cells[level][column] = series.mark if cells[level][column] in (" ", series.mark) else _SEVERAL
    bar, corner, dash = ("│", "└", "─") if blocks else ("|", "+", "-")
    out = [title]
    for level in range(HEIGHT - 1, -1, -1):
        label = labels[level] if level in (0, HEIGHT - 1) else ""
        out.append(f"{label:>{indent - 2}} {bar}{''.join(cells[level])}".rstrip()[:width])
    out.append(" " * (indent - 1) + corner + dash * room)
    out.append(_axis([write(text) for text in lines.x], room, indent, width))
    out.append(" " * indent + "   ".join(f"{series.mark} {write(series.name)}" for series in lines.series)[: width - indent])
    return out


def _axis(labels: list[str], room: int, indent: int, width: int) -> str:
    """The labels under their places, without those that would run into each other."""
    line = ""
    for index, label in enumerate(labels):
        start = round(index * (room - 1) / (len(labels) - 1))
        start = min(start, max(width - indent - len(label), 0))
        if start >= len(line) + bool(line):
            line = line.ljust(start) + label
    return " " * indent + line
