"""The catalog as Markdown: every curated fact with its source and day, and the bulk tables by source."""

import csv
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from markdown_text import NOTICE, cell, code, table

Entries = Mapping[str, Mapping[str, Any]]


def collections(catalog: Path) -> dict[str, Entries]:
    """Each curated collection: a folder of one file per entry, or one file of many entries."""
    found: dict[str, Entries] = {}
    for folder in sorted(path for path in catalog.iterdir() if path.is_dir() and path.name != "sources"):
        if files := sorted(folder.glob("*.yaml")):
            found[folder.name] = {path.stem: read(path) for path in files}
    for path in sorted(catalog.glob("*.yaml")):
        found[path.stem] = entries_of(read(path))
    return found


def entries_of(document: Any) -> Entries:
    """A file of many entries: by key, or listed under one key with an `id` each."""
    if isinstance(document, list):
        return {str(entry.get("id", number)): entry for number, entry in enumerate(document)}
    lists = {
        key: value
        for key, value in document.items()
        if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value)
    }
    if len(lists) == 1 and len(document) <= 2:
        return entries_of(next(iter(lists.values())))
    return {str(key): value if isinstance(value, Mapping) else {"": value} for key, value in document.items()}


def read(path: Path) -> Any:
    from infra_advisor.facts.files import read_yaml

    problems: list[str] = []
    document = read_yaml(path, problems)
    if problems:
        sys.exit("\n".join(problems))
    return document


def catalog_index(catalog: Path) -> str:
    curated = collections(catalog)
    rows = [
        (f"[{name}](catalog/{name}.md)", f"{len(entries):,}", f"{sum(map(count_facts, entries.values())):,}")
        for name, entries in curated.items()
    ]
    text = (
        NOTICE + "# Catalog\n\nA fact's day is the day on which its source was last seen to say so, in the table of sources of each page.\n"
    )
    text += "The source `memory` is an unchecked recollection.\n\n## Curated facts\n\n" + table(
        ("collection", "entries", "single facts"), rows
    )
    text += "\n## Bulk tables\n\nOne line per row of the file, with its own `source` and, where prices age, its own `seen`.\n"
    for path in sorted(catalog.glob("*.csv")):
        text += "\n" + bulk_table(catalog, path)
    return text + "\n" + evidence_table(catalog)


def evidence_table(catalog: Path) -> str:
    """The sources of measured points: rows of each, and what its figures count."""
    described = read(catalog / "sources" / "evidence.yaml")
    counts: dict[str, int] = {}
    for path in sorted((catalog / "evidence").glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                counts[row["source_id"]] = counts.get(row["source_id"], 0) + 1
    lines = [(code(name), f"{count:,}", described[name]["title"], described[name]["counts"]) for name, count in sorted(counts.items())]
    text = f"## Measured points\n\n{sum(counts.values()):,} rows in `evidence/`, one measured operating point each.\n\n"
    return text + table(("source", "rows", "title", "what its figures count"), lines)


def count_facts(value: Any) -> int:
    if isinstance(value, Mapping):
        return 1 if "is" in value else sum(map(count_facts, value.values()))
    return sum(map(count_facts, value)) if isinstance(value, list) else 0


def bulk_table(catalog: Path, path: Path) -> str:
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        rows = list(reader)
    columns = ", ".join(code(name) for name in reader.fieldnames or ())
    text = f"### {path.relative_to(catalog)}\n\n{len(rows):,} rows. Columns: {columns}.\n\n"
    by_source: dict[str, list[str]] = {}
    for row in rows:
        for source in (row.get("source") or "").split():
            by_source.setdefault(source, []).append(row.get("seen") or "")
    if not by_source:
        return text
    titles = sources_of(catalog)
    lines = []
    for source, seen in sorted(by_source.items()):
        stated = titles.get(source, {})
        days = sorted(filter(None, seen)) or [stated.get("seen", "")]
        span = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
        lines.append((code(source), f"{len(seen):,}", span, cell(stated.get("title", ""))))
    return text + table(("source", "rows", "seen", "title"), lines)


def sources_of(catalog: Path) -> dict[str, Mapping[str, str]]:
    return {source: stated for path in sorted((catalog / "sources").glob("*.yaml")) for source, stated in read(path).items()}


def collection_page(catalog: Path, name: str, entries: Entries) -> str:
    own = catalog / "sources" / f"{name}.yaml"
    known: Mapping[str, Mapping[str, str]] = read(own) if own.exists() else sources_of(catalog)
    used: Counter[str] = Counter()
    blocks = []
    for key, entry in entries.items():
        listed = {inner: value for inner, value in entry.items() if inner not in ("id", "sources")}
        blocks.append(f"**{code(key)}** " + " · ".join(parts(listed, "", used)) + "\n")
        known = {**known, **entry.get("sources", {})}
    text = f"{NOTICE}# Catalog: {name}\n\n{len(entries):,} entries. In brackets the sources that agree, then what others print instead.\n\n"
    rows = [
        (
            code(source),
            f"{count:,}",
            cell(known[source].get("seen", "")),
            cell(known[source].get("title", "")),
            cell(known[source].get("ref", "")),
        )
        for source, count in sorted(used.items())
        if source in known
    ]
    text += "\n".join(blocks)
    return text + ("\n## Sources\n\n" + table(("source", "facts", "seen", "title", "reference"), rows) if rows else "")


def parts(value: Any, name: str, used: Counter[str]) -> Iterator[str]:
    """An entry as `name value [sources]`, one piece per leaf; the items of a list stay together."""
    label = f"{code(name)} " if name else ""
    if isinstance(value, Mapping) and "is" in value:
        yield label + fact(value, used)
    elif isinstance(value, Mapping):
        prefix = f"{name}." if name else ""
        named = [(f"{prefix}{key}", inner) for key, inner in value.items() if key != "source"]
        pieces = [piece for inner_name, inner in named for piece in parts(inner, inner_name, used)]
        sources = bracket(value, used)
        yield from pieces[:-1]
        yield f"{pieces[-1]} {sources}".rstrip() if pieces else sources
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        yield label + "; ".join(inline(item, used) for item in value)
    elif value is not None:
        yield label + inline(value, used)


def inline(value: Any, used: Counter[str]) -> str:
    """A value of a list on one line."""
    if isinstance(value, Mapping):
        if "is" in value:
            return fact(value, used)
        pieces = [f"{cell(key)} {inline(inner, used)}" for key, inner in value.items() if key != "source" and inner is not None]
        return f"{{{', '.join(pieces)}}} {bracket(value, used)}".rstrip()
    return ", ".join(inline(item, used) for item in value) if isinstance(value, list) else cell(value)


def fact(value: Mapping[str, Any], used: Counter[str]) -> str:
    note = cell(f"({value['note']})") if value.get("note") else ""
    return f"{cell(value['is'])} {bracket(value, used)} {note}".rstrip()


def bracket(value: Mapping[str, Any], used: Counter[str]) -> str:
    """`[source source; other: what it prints]` of a fact or a group, or nothing."""
    sources = value.get("source") or []
    ids = [sources] if isinstance(sources, str) else sources
    used.update(ids)
    disputed = [f"{source}: {plain}" for source, plain in (value.get("disputed") or {}).items()]
    return cell(f"[{'; '.join([' '.join(ids), *disputed])}]") if ids or disputed else ""
