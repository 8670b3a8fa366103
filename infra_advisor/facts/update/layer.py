"""The layer that fresh prices are written to: tables whose earlier lines all stay, and the sources they name."""

import csv
import io
import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from infra_advisor.errors import CatalogError, UsageError
from infra_advisor.facts.fact import Source
from infra_advisor.facts.files import MOST_ROWS, read_rows, read_yaml
from infra_advisor.facts.update.judge import RECORDS
from infra_advisor.paths import catalog_dir

SOURCES_FILE = "fresh-prices.yaml"


def checked_folder(folder: Path) -> Path:
    """The folder, found fit to be written to. Raises UsageError."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--into {folder}: not a directory; name one that is yours alone, it is created where it does not exist")
    bundled = catalog_dir().resolve()
    if (folder / "catalog.yaml").exists() or bundled in folder.resolve().parents:
        raise UsageError(f"--into {folder}: a whole catalog, which an update never changes; name another directory")
    inside = visible(folder)
    if inside and not any(path.suffix in (".csv", ".yaml") for path in inside):
        raise UsageError(f"--into {folder}: holds files, but no layer; name a directory that is empty or does not exist yet")
    return folder


def visible(folder: Path) -> list[Path]:
    """What lies in a directory, but for the lock and the files beside of an update; nothing where there is none."""
    return [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []


def write_layer(folder: Path, rows: Mapping[str, Iterable[Any]], sources: Mapping[str, Source]) -> list[Path]:
    """Add rows and sources to the layer; a row of the same id and day replaces. The files that changed.

    Everything is first written beside, forced to the disk and read back; only then each file takes its place in one step, sources before
    the tables that name them. Whatever goes wrong before leaves the layer as it was. Raises CatalogError, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    beside: list[tuple[Path, Path]] = []
    try:
        made = [(folder / SOURCES_FILE, _sources_text(folder / SOURCES_FILE, sources))]
        for table, record in RECORDS.items():
            if fresh := list(rows.get(table, ())):
                made.append((folder / f"{table}.csv", _table_text(folder / f"{table}.csv", record, fresh)))
        for path, text in made:
            if path.is_file() and path.read_text(encoding="utf-8-sig") == text:
                continue
            part = path.with_name(f".{path.name}.{os.getpid()}.part")
            part.unlink(missing_ok=True)
            beside.append((part, path))
            with part.open("x", encoding="utf-8", newline="") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
        _read_back(beside)
        for part, path in beside:
            os.replace(part, path)
    finally:
        for part, _ in beside:
            part.unlink(missing_ok=True)
    return [path for _, path in beside]


def _table_text(path: Path, record: type[Any], fresh: Iterable[Any]) -> str:
    """The whole table: what is there, with the fresh rows over it, sorted by id and day."""
    problems: list[str] = []
    rows = list(read_rows(path, record, problems)) if path.is_file() else []
    if problems:
        raise CatalogError(problems)
    merged = {_key(row): row for row in [*rows, *fresh]}
    if len(merged) > MOST_ROWS:
        raise CatalogError([f"{path}: {len(merged):,} lines; a table holds at most {MOST_ROWS:,}. Start a new directory."])
    columns = [field.alias or name for name, field in record.model_fields.items()]
    lines: list[list[str]] = [columns]
    for _, row in sorted(merged.items()):
        values = row.model_dump(by_alias=True)
        lines.append([_cell(values[column]) for column in columns])
    used = [index for index in range(len(columns)) if any(line[index] for line in lines[1:])]
    return _csv_text([line[index] for index in used] for line in lines)


def _csv_text(lines: Iterable[list[str]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(lines)
    return stream.getvalue()


def _key(row: Any) -> tuple[str, str, str]:
    """By this the reader of the catalog knows a line again."""
    return row.id, getattr(row, "provider", ""), getattr(row, "from_", "")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sources_text(path: Path, sources: Mapping[str, Source]) -> str:
    problems: list[str] = []
    document = read_yaml(path, problems) if path.is_file() else {}
    if problems or not isinstance(document, Mapping) or not isinstance(document.get("sources", {}), Mapping):
        raise CatalogError(problems or [f"{path}: expected `sources:` and nothing else"])
    merged = {**document.get("sources", {}), **{name: source.model_dump(exclude_none=True) for name, source in sources.items()}}
    text: str = yaml.safe_dump({"sources": merged}, allow_unicode=True, sort_keys=True, width=140)
    return f"# Written by `advisor catalog update`: where the prices beside this file were read.\n{text}"


def _read_back(beside: Iterable[tuple[Path, Path]]) -> None:
    """Raises CatalogError where a written file is not what the catalog can read."""
    problems: list[str] = []
    for part, path in beside:
        if path.suffix == ".csv":
            for _ in read_rows(part, RECORDS[path.stem], problems):
                pass
        else:
            read_yaml(part, problems)
    if problems:
        raise CatalogError(problems)
