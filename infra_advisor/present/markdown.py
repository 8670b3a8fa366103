"""Pages as GitHub Markdown; every text is escaped here and nowhere else."""

import re

from infra_advisor.present.blocks import Block, Bullets, Chart, Code, Grid, Heading, Lines, Page, Para, Words, plain, tone
from infra_advisor.present.plot import draw
from infra_advisor.present.plot_lines import draw_lines
from infra_advisor.present.text import clean

_SPECIAL = re.compile(r"([\\`*\[\]<>|~$])")
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")  # inside a word it is plain text: q4_k_m
_MENTION = re.compile(r"(?<![\w@])@(?=\w)")
_LEADING = re.compile(r"^([=+\-@#])")
_LEADING_NUMBER = re.compile(r"^(\d+)([.)])(?=\s|$)")
_CHART_WIDTH = 76


def escape(text: str) -> str:
    """The text as Markdown that renders as exactly this text: no emphasis, link, HTML, table border, list, heading, mention or formula."""
    text = clean(text).strip().replace("&", "&amp;")
    text = _UNDERSCORE.sub(r"\\_", _SPECIAL.sub(r"\\\1", text))
    text = _LEADING_NUMBER.sub(r"\1\\\2", _LEADING.sub(r"\\\1", text))
    return _MENTION.sub("@\N{WORD JOINER}", text)


def render(page: Page) -> str:
    """The page as one Markdown document."""
    return "\n\n".join(text for block in page.blocks if (text := _block(block))) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(text=text, level=level):
            return f"{'#' * level} {escape(text)}"
        case Para(parts=parts, lead=lead):
            return " ".join([f"**{escape(lead)}**"] * bool(lead) + [_words(part) for part in parts if plain(part)])
        case Bullets(items=items):
            return "\n".join(f"- {_words(item)}" for item in items)
        case Code(lines=lines, language=language):
            return _fenced([clean(line) for line in lines], language)
        case Grid():
            return _grid(block)
        case Chart():
            return _fenced(draw(block, width=_CHART_WIDTH), "text")
        case Lines():
            return _fenced(draw_lines(block, width=_CHART_WIDTH), "text")


def _words(words: Words) -> str:
    text = escape(plain(words))
    return f"**{text}**" if text and tone(words) == "strong" else text


def _grid(grid: Grid) -> str:
    lines = [
        [escape(column.title) for column in grid.columns],
        ["---:" if column.align == "right" else "---" for column in grid.columns],
        *([_words(cell) for cell in row] for row in grid.rows),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _fenced(lines: list[str], language: str) -> str:
    """A code block whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *lines, fence])
