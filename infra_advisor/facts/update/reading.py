"""Bytes of a price source -> records, with suspicion: bounded, in UTF-8, in the shape that the adapter expects, or a ValueError."""

import csv
import json
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any

LONGEST_LINE = 1_000_000
"""Characters of one line; without it a source without line ends would be read into memory whole."""


def whole(chunks: Iterable[bytes], source: str, limit_bytes: int) -> bytes:
    """All chunks as one. ValueError past `limit_bytes`."""
    parts, size = [], 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit_bytes:
            raise ValueError(f"{source}: the answer is longer than {limit_bytes:,} bytes")
        parts.append(chunk)
    return b"".join(parts)


def json_object(text: bytes, source: str) -> Mapping[str, Any]:
    """A JSON object, its fractions as Decimal. ValueError for anything else, NaN and infinity among it."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is not a number of JSON")

    try:
        found = json.loads(text.decode("utf-8-sig"), parse_float=Decimal, parse_constant=refuse)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"{source}: expected JSON, read {_start(text)} ({error})") from error
    if not isinstance(found, Mapping):
        raise ValueError(f"{source}: expected a JSON object, read {_start(text)}")
    return found


def records_at(found: Mapping[str, Any], path: Sequence[str], source: str) -> list[Mapping[str, Any]]:
    """The list of objects under the keys of `path`. ValueError where there is none."""
    value: Any = found
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(value, list) or not all(isinstance(record, Mapping) for record in value):
        raise ValueError(f"{source}: expected a list of objects at {'.'.join(path)}; keys read: {', '.join(list(found)[:8]) or 'none'}")
    return value


def text_at(record: Mapping[str, Any], key: str) -> str:
    """A text of a record; empty where it is absent or something else."""
    value = record.get(key)
    return value if isinstance(value, str) else ""


def lines_of(chunks: Iterable[bytes], source: str) -> Iterator[str]:
    """Lines with their ends, in memory one at a time. ValueError for another encoding and for endless lines."""
    decoder = getincrementaldecoder("utf-8-sig")()
    pending = ""
    for chunk in chain(chunks, [None]):
        try:
            pending += decoder.decode(chunk or b"", final=chunk is None)
        except UnicodeDecodeError as error:
            raise ValueError(f"{source}: expected text in UTF-8 ({error})") from error
        *complete, pending = pending.split("\n")
        yield from (line + "\n" for line in complete)
        if len(pending) > LONGEST_LINE:
            raise ValueError(f"{source}: expected lines of text, read one of more than {LONGEST_LINE:,} characters")
    if pending:
        yield pending


def csv_records(lines: Iterable[str], source: str, columns: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Rows of CSV by column name, one at a time.

    ValueError where a column is missing, no row follows the header, or a row has another number of cells than the header: a file that
    was cut off ends in such a row.
    """
    expected = f"{source}: expected CSV with the columns {', '.join(columns)}"
    reader = csv.reader(lines, strict=True)
    rows = 0
    try:
        header = next(reader, [])
        missing = [column for column in columns if header.count(column) != 1]
        if missing:
            raise ValueError(f"{expected}; missing or doubled: {', '.join(missing)}; read {', '.join(header[:12])[:200] or 'nothing'}")
        for rows, cells in enumerate((row for row in reader if row), start=1):
            if len(cells) != len(header):
                raise ValueError(f"{expected}; row {rows} has {len(cells)} cells under {len(header)} columns, as where a file is cut off")
            yield dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise ValueError(f"{expected}; row {rows + 1}: {error}") from error
    if not rows:
        raise ValueError(f"{expected}; no row follows the header")


def _start(text: bytes) -> str:
    return repr(text[:40].decode("utf-8", errors="replace"))
