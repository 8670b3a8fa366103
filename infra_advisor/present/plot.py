"""A small column chart in characters."""

from infra_advisor.present.blocks import Chart
from infra_advisor.present.text import clean, to_ascii

HEIGHT = 8
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_WIDEST_COLUMN = 6
_CUT_ABOVE = 3.0
"""A column may be this many times as high as the next one or the limit before it is cut, marked by an arrow."""


def draw(chart: Chart, *, width: int, blocks: bool = True) -> list[str]:
    """Lines at most `width` cells wide, scaled to the largest value or the limit; an unknown value leaves a gap marked `?`.

    `blocks`: False draws with ASCII alone.
    """
    title = clean(chart.title) if blocks else to_ascii(clean(chart.title))
    known = [value for value in chart.y if value is not None]
    if not known:
        return [title[:width]]
    top = _top(known, chart.limit)
    label_width = max(len(chart.y_texts[0]), *(len(text) for text in chart.y_texts), len(chart.limit_text))
    room = max(width - label_width - 2, 1)
    step = -(-len(chart.x) // room)
    shown = list(range(0, len(chart.x), step))
    column = max(min(room // len(shown), _WIDEST_COLUMN), 1)
    limit_line = None if chart.limit is None else min(int(chart.limit / top * HEIGHT), HEIGHT - 1)
    top_text = next((text for value, text in zip(chart.y, chart.y_texts, strict=True) if value == max(known)), "")
    lines = [title[:width]]
    for level in range(HEIGHT - 1, -1, -1):
        at_limit = level == limit_line
        label = chart.limit_text if at_limit else top_text if level == HEIGHT - 1 else "0" if level == 0 else ""
        cells = [_cell(chart.y[index], top, level, column, blocks, at_limit) for index in shown]
        lines.append(f"{label:>{label_width}} {'│' if blocks else '|'}{''.join(cells)}".rstrip()[:width])
    lines.append(" " * (label_width + 1) + ("└" if blocks else "+") + ("─" if blocks else "-") * (column * len(shown)))
    lines.append(_axis([chart.x[index] for index in shown], column, label_width + 2, width))
    return lines


def _top(known: list[float], limit: float | None) -> float:
    """The largest value; but one that dwarfs all others, or the limit, is cut so that these can be read."""
    largest = max(known)
    others = [value for value in known if value < largest] or known
    return min(max([*others, limit or 0.0]) * _CUT_ABOVE, max(largest, limit or 0.0)) or 1.0


def _cell(value: float | None, top: float, level: int, width: int, blocks: bool, at_limit: bool) -> str:
    empty = ("╌" if blocks else "-") if at_limit else " "
    if value is None:
        return ("?" if level == 0 else empty).ljust(width, empty)
    if value > top and level == HEIGHT - 1:
        return ("▲" if blocks else "^") * max(width - 1, 1) + empty * (width > 1)
    eighths = min(max(round((value / top * HEIGHT - level) * 8), 0), 8)
    if level == 0 and value > 0:
        eighths = max(eighths, 1)
    mark = _EIGHTHS[eighths] if blocks else "#" if eighths >= 4 or (level == 0 and eighths) else " "
    bar = max(width - 1, 1)
    return (empty if mark == " " else mark) * bar + empty * (width - bar)


def _axis(labels: list[str], column: int, indent: int, width: int) -> str:
    """The labels under their columns, leaving out those that would run into each other."""
    line = ""
    for index, label in enumerate(labels):
        start = index * column
        if start >= len(line) + bool(line) and indent + start + len(label) <= width:
            line = line.ljust(start) + label
    return " " * indent + line
