"""Which format a trace has, told by its first line."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from infra_advisor.errors import did_you_mean
from infra_advisor.facts.traces.clocks import DateClock, seconds_clock
from infra_advisor.facts.traces.mooncake import missing_keys, parse_mooncake
from infra_advisor.facts.traces.rows import MalformedRow, RowParser, shown
from infra_advisor.facts.traces.table import split_cells, table_parser


class Table(NamedTuple):
    """A CSV format, by its header."""

    name: str
    header: str
    """As it is published; the order of columns is free."""
    columns: tuple[str, str, str]
    """Those that are read: of the time, of the input and of the output."""
    dates: bool = False
    """Times are dates with a time of day, else seconds."""
    open_ended: bool = False
    """Further columns are passed over, else refused."""


AZURE_COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
PLAIN_COLUMNS = ("arrival_s", "input_tokens", "output_tokens")
TABLES = (
    Table("Azure LLM inference CSV", ",".join(AZURE_COLUMNS), AZURE_COLUMNS, dates=True),
    # Open-ended: its third release put two columns into the middle.
    Table(
        "BurstGPT CSV",
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type",
        ("Timestamp", "Request tokens", "Response tokens"),
        open_ended=True,
    ),
    Table("plain CSV", ",".join(PLAIN_COLUMNS), PLAIN_COLUMNS),
)
FORMATS = (
    *(f"{table.name} ({table.header})" for table in TABLES),
    'Mooncake JSON lines ({"timestamp": ms, "input_length": n, "output_length": n, "hash_ids": [...]})',
)
"""For messages and help: each with its first line."""

_MOST_COLUMNS_NAMED = 3


def accepted() -> str:
    """The sentence that lists the formats."""
    return f"Accepted: {'; '.join(FORMATS)}"


def begins_object(first_line: str) -> bool:
    """True for JSON lines, whose first line is a request and no header."""
    return first_line.lstrip().startswith("{")


def parser_for(first_line: str) -> RowParser:
    """The parser of the rows below a header, or of JSON lines from the first. Raises MalformedRow where the format is not known."""
    if begins_object(first_line):
        _check_keys(first_line)
        return parse_mooncake
    try:
        header = [name.strip() for name in split_cells(first_line)]
    except MalformedRow as error:
        raise MalformedRow(f"{error}. {accepted()}") from None
    for table in TABLES:
        if set(table.columns) <= set(header) and (table.open_ended or set(header) <= set(table.columns)):
            if twice := [name for name in table.columns if header.count(name) > 1]:
                raise MalformedRow(f"the column {twice[0]} stands there twice. {accepted()}")
            return table_parser(header, DateClock(table.columns[0]) if table.dates else seconds_clock(table.columns[0]), table.columns)
    raise _unknown(header)


def _check_keys(first_line: str) -> None:
    try:
        record = json.loads(first_line)
    except (ValueError, RecursionError):
        return  # the parser of the rows tells cut off from malformed
    if lack := missing_keys(record):
        raise MalformedRow(f"{lack} {accepted()}")


def _unknown(header: Sequence[str]) -> MalformedRow:
    """Names what is wrong against the format that shares most columns with the header, where one shares any."""
    shared, nearest = max(((len(set(table.columns) & set(header)), table) for table in TABLES), key=lambda pair: pair[0])
    if not shared:
        known = [name for table in TABLES for name in table.header.split(",")]
        near = next((near for name in header[:_MOST_COLUMNS_NAMED] if (near := did_you_mean(name, known))), "")
        return MalformedRow(f"{shown(','.join(header))} is no header of a trace.{near} {accepted()}")
    known = nearest.header.split(",")
    odd = [name for name in header if name not in known]
    missing = [name for name in nearest.columns if name not in header]
    told = [f"unknown column {shown(name)}.{did_you_mean(name, missing or known)}" for name in odd[:_MOST_COLUMNS_NAMED]]
    if missing:
        told.append(f"{nearest.name} without {', '.join(missing)}.")
    return MalformedRow(f"{' '.join(told)} {accepted()}")
