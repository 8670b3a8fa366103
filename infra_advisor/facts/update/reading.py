"""Bytes of a price source -> records, with suspicion: in UTF-8 and in the shape that the adapter expects, or a ValueError."""

import csv
import json
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Any

LONGEST_LINE = 1_000_000
"""Characters of one line; without it a source without line ends would be read into memory whole."""
LONGEST_NUMBER = 30
"""Digits of a number; no price has more, and longer ones are slow to read."""


def text_of(chunks: Iterable[bytes]) -> str:
    """All chunks as one text. ValueError for another encoding than UTF-8."""
    try:
        return b"".join(chunks).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"expected text in UTF-8 ({error})") from error


def json_object(chunks: Iterable[bytes]) -> Mapping[str, Any]:
    """A JSON object; fractions as Decimal, exactly as printed. ValueError for all else: a web page, NaN, endless numbers or nesting."""
    text = text_of(chunks)
    try:
        found = json.loads(text, parse_float=_decimal, parse_int=_integer, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected JSON, read {text[:40]!r} ({error})") from error
    if not isinstance(found, Mapping):
        raise ValueError(f"expected a JSON object, read {text[:40]!r}")
    return found


def records_at(found: Mapping[str, Any], *path: str, holding: Sequence[str] = ()) -> list[Mapping[str, Any]]:
    """The list of objects under the keys of `path`, each with the keys `holding`. ValueError where there is none."""
    value: Any = found
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    place = ".".join(path)
    if not isinstance(value, list) or not all(isinstance(record, Mapping) for record in value):
        raise ValueError(f"expected a list of objects at {place}; keys read: {', '.join(list(found)[:8]) or 'none'}")
    for record in value:
        if missing := [key for key in holding if key not in record]:
            raise ValueError(f"expected {', '.join(missing)} in each of {place}; keys read: {', '.join(list(record)[:30])}")
    return value


def text_at(record: Mapping[str, Any], key: str) -> str:
    """A text of a record; empty where it is absent or something else."""
    value = record.get(key)
    return value if isinstance(value, str) else ""


def lines_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines with their ends, in memory one at a time. ValueError for another encoding and for endless lines."""
    decoder = getincrementaldecoder("utf-8-sig")()
    pending = ""
    for chunk in chain(chunks, [None]):
        try:
            pending += decoder.decode(chunk or b"", final=chunk is None)
        except UnicodeDecodeError as error:
            raise ValueError(f"expected text in UTF-8 ({error})") from error
        *complete, pending = pending.split("\n")
        yield from (line + "\n" for line in complete)
        if len(pending) > LONGEST_LINE:
            raise ValueError(f"expected lines of text, read one of more than {LONGEST_LINE:,} characters")
    if pending:
        yield pending


def csv_records(lines: Iterable[str], columns: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Rows of CSV by column name, one at a time.

    ValueError where a column is missing, no row follows the header, or a row has another number of cells than the header: a file that
    was cut off ends in such a row.
    """
    expected = f"expected CSV with the columns {', '.join(columns)}"
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


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(_bounded(text))
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is not a number") from error


def _integer(text: str) -> int:
    return int(_bounded(text))


def _bounded(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text):,} digits")
    return text


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is not a number")
