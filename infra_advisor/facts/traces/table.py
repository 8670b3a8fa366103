"""The rows of a CSV: three columns by name, whatever their order."""

import csv
from collections.abc import Sequence

from infra_advisor.facts.traces.clocks import Clock
from infra_advisor.facts.traces.rows import IncompleteRow, MalformedRow, Row, RowParser, whole_tokens


def split_cells(line: str) -> list[str]:
    """The cells of one line of a CSV; quotes are taken off. Raises MalformedRow where a quote is not closed on the line."""
    text = line.rstrip()
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise _cut_or_malformed(line)(f"not a row of CSV: {error}") from None


def table_parser(header: Sequence[str], clock: Clock, columns: tuple[str, str, str]) -> RowParser:
    """A parser of lines below `header`; `columns` are those of the time, read by `clock`, of the input and of the output."""
    width = len(header)
    time_at, input_at, output_at = (header.index(name) for name in columns)

    def parse(line: str) -> Row:
        cells = split_cells(line)
        if len(cells) != width:
            kind = _cut_or_malformed(line) if len(cells) < width else MalformedRow
            raise kind(f"has {len(cells)} cells; the header has {width}: {','.join(header)}")
        return clock(cells[time_at]), whole_tokens(cells[input_at]), whole_tokens(cells[output_at]), None

    return parse


def _cut_or_malformed(line: str) -> type[MalformedRow]:
    """Only the last line of a file can lack its line end."""
    return MalformedRow if line.endswith("\n") else IncompleteRow
