"""Read one catalog file from disk: strict YAML and strict CSV, every problem collected with file and place."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from infra_advisor.facts import strict_yaml

Row = TypeVar("Row", bound=BaseModel)

LARGEST_FILE_BYTES = 32 * 2**20
MOST_ROWS = 100_000
MOST_PROBLEMS = 1_000
"""Of one table: a file of another kind is wrong in every line."""


def read_text(path: Path, problems: list[str]) -> str | None:
    """The text of a UTF-8 file, or None with a problem noted."""
    try:
        if not path.is_file():
            problems.append(f"{path}: not a regular file")
            return None
        if (size := path.stat().st_size) > LARGEST_FILE_BYTES:
            problems.append(f"{path}: {size:,} bytes; a catalog file holds at most {LARGEST_FILE_BYTES:,}")
            return None
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        problems.append(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8")
    except OSError as error:
        problems.append(f"{path}: {error.strerror or error}")
    return None


def read_yaml(path: Path, problems: list[str]) -> Any:
    """The document of a YAML file, or None with a problem noted."""
    text = read_text(path, problems)
    if text is None:
        return None
    try:
        return strict_yaml.load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}" if mark else ""
        problems.append(f"{path}{place}: {getattr(error, 'problem', None) or error}")
    except ValueError as error:  # a number with more digits than Python reads
        problems.append(f"{path}: {error}")
    return None


def read_rows(path: Path, row_type: type[Row], problems: list[str]) -> Iterator[Row]:
    """Yield the rows of a bulk CSV as checked records; an empty cell is None, a bad cell a problem with file and line."""
    text = read_text(path, problems)
    if text is None:
        return
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        header = next(reader, [])
        known = [field.alias or name for name, field in row_type.model_fields.items()]
        if unknown := sorted(set(header) - set(known)):
            problems.append(f"{path}: unknown columns {', '.join(unknown)}; known: {', '.join(known)}")
            return
        if not header or len(set(header)) < len(header):
            problems.append(f"{path}: {'a column appears twice' if header else 'no header'}; columns: {', '.join(known)}")
            return
        before = len(problems)
        for number, cells in enumerate(reader):
            if number >= MOST_ROWS or len(problems) - before >= MOST_PROBLEMS:
                reason = f"more than {MOST_ROWS:,} rows" if number >= MOST_ROWS else f"{MOST_PROBLEMS:,} problems so far"
                problems.append(f"{path}:{reader.line_num}: {reason}; the rest is not read")
                return
            if cells and len(cells) != len(header):
                problems.append(f"{path}:{reader.line_num}: {len(cells)} cells, the header has {len(header)}")
            if len(cells) != len(header):
                continue
            raw = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
            try:
                yield row_type.model_validate(raw)
            except ValidationError as error:
                problems += [f"{path}:{reader.line_num}: {line}" for line in explain(error)]
    except csv.Error as error:
        problems.append(f"{path}:{reader.line_num}: {error}")


def explain(error: ValidationError) -> list[str]:
    """One line per problem of a pydantic error: where in the record, and what is wrong."""
    return [
        f"{'.'.join(map(str, problem['loc'])) or 'entry'}: {problem['msg'].removeprefix('Value error, ')}" for problem in error.errors()
    ]
