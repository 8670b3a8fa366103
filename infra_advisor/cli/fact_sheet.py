"""What `advisor catalog show` says of one entry: every fact with its source, date, dispute and file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.present.listing import Listing

if TYPE_CHECKING:
    from infra_advisor.facts.catalog import Catalog

COLLECTIONS = ("chips", "models", "engines", "providers")
MOST_PRICES = 40
_KEYS = ("fact", "value", "source", "seen", "disputed", "note", "file")
_ABOUT_OTHERS = ("sources", "text_sources", "text_disputed", "source", "source_note", "id")


@dataclass(frozen=True)
class _Line:
    """One fact on its way to a row."""

    fact: str
    value: str
    sources: tuple[str, ...] = ()
    disputed: Mapping[str, str] | None = None
    note: str | None = None


def fact_sheet(catalog: "Catalog", name: str) -> Listing:
    """The sheet of a chip, model, engine, provider or node. Raises UsageError with near names."""
    for collection in COLLECTIONS:
        if name in (catalog.model_ids if collection == "models" else getattr(catalog, collection)):
            return _entry_sheet(catalog, collection, name)
    if name in catalog.nodes or any(offer.id == name for offer in catalog.offers):
        return _offer_sheet(catalog, name)
    return _entry_sheet(catalog, *_resolve(catalog, name))


def _resolve(catalog: "Catalog", name: str) -> tuple[str, str]:
    """Collection and id for an alias, a unique beginning or a Hugging Face id."""
    from infra_advisor.facts.model_names import resolve_model

    try:
        return "chips", catalog.chip(name).id
    except UsageError as error:
        no_chip = error
    try:
        found = resolve_model(name, catalog).model.id
    except UsageError:
        known = [*catalog.chips, *catalog.aliases, *catalog.model_ids, *catalog.engines, *catalog.providers, *catalog.nodes]
        near = did_you_mean(name.lower(), known)
        if near or "may mean" not in str(no_chip):
            raise UsageError(
                f"the catalog has no entry {name!r}.{near} `advisor catalog list chips` (nodes, models, ...) names all"
            ) from None
        raise no_chip from None
    if found in catalog.model_ids:
        return "models", found
    raise UsageError(f"{name!r} is a local file, not an entry of the catalog")


def _entry_sheet(catalog: "Catalog", collection: str, name: str) -> Listing:
    entry = catalog.entry(collection, name)
    sources: dict[str, Mapping[str, Any]] = {**catalog.sources(_source_file(collection)), **(entry.raw.get("sources") or {})}
    rows: list[tuple[str, ...]] = []
    for line in _lines(entry.raw):
        seen = sorted({str(sources[source].get("seen", "")) for source in line.sources if source in sources})
        disputed = "; ".join(f"{value} ({source})" for source, value in (line.disputed or {}).items())
        file = _file(entry.origin, line.fact).removeprefix(f"{catalog.path}/")
        rows.append((line.fact, line.value, ", ".join(line.sources), seen[-1] if seen else "", disputed, line.note or "", file))
    files = {row[-1] for row in rows}
    if len(files) == 1:
        rows = [(*row[:-1], "") for row in rows]
    used = dict.fromkeys(source for line in _lines(entry.raw) for source in (*line.sources, *(line.disputed or {})))
    notes = [f"{source}: {_described(sources[source])}" for source in used if source in sources]
    if len(files) == 1:
        notes.insert(0, f"All of it from {files.pop()}.")
    if collection == "chips":
        notes.insert(0, _measured(catalog, name))
    return _sheet(f"{name} ({collection.removesuffix('s')})", rows, tuple(notes))


def _measured(catalog: "Catalog", chip: str) -> str:
    """How much has been measured on a chip, and how old it is."""
    from infra_advisor.facts.evidence import evidence_files, read_evidence
    from infra_advisor.facts.evidence_use import coverage

    found = coverage(read_evidence(evidence_files(catalog.path), []), chip, catalog.as_of)
    if not found.rows:
        return "Nobody's measurements of it are in the catalog."
    figures = f"{found.with_ttft:,} with TTFT, {found.with_tpot:,} with TPOT or a decode rate, {found.with_throughput:,} with throughput"
    of = f"{len(found.models):,} models under {', '.join(found.engines[:4])}{' and others' if len(found.engines) > 4 else ''}"
    age = f"newest {found.newest} ({found.age_days:,} days)" if found.age_days is not None else "undated"
    return f"Measured: {found.rows:,} rows ({found.usable:,} fit for use) of {of}; {figures}; {age}."


def _source_file(collection: str) -> str:
    return "places" if collection == "providers" else collection


def _described(source: Mapping[str, Any]) -> str:
    ref = f" {source['ref']}" if source.get("ref") else ""
    return f"{source.get('title', '')}{ref}, seen {source.get('seen', '?')}"


def _file(origin: Mapping[str, str], fact: str) -> str:
    """The file that had the last word on a fact: that of the longest path that contains it."""
    parts = fact.split(".")
    return next((origin[path] for n in range(len(parts), 0, -1) if (path := ".".join(parts[:n])) in origin), "")


def _lines(raw: Mapping[str, Any]) -> Iterator[_Line]:
    """The facts of an entry as written, depth first."""
    text_sources, text_disputed = raw.get("text_sources") or {}, raw.get("text_disputed") or {}
    whole = _ids(raw.get("source"))
    for key, value in raw.items():
        if key not in _ABOUT_OTHERS:
            yield from _inside(key, value, _ids(text_sources.get(key)) or whole, text_disputed.get(key))


def _inside(path: str, value: Any, sources: tuple[str, ...], disputed: Mapping[str, str] | None = None) -> Iterator[_Line]:
    if isinstance(value, Mapping):
        own = _ids(value.get("source")) or sources
        if "is" in value:
            yield _Line(path, str(value["is"]), own, value.get("disputed"), value.get("note"))
            return
        for key, inner in value.items():
            if key not in ("source", "active_source"):
                yield from _inside(f"{path}.{key}", inner, own)
    elif isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value):
        for number, item in enumerate(value, 1):
            inner_sources = _ids(item.get("source")) or sources if isinstance(item, Mapping) else sources
            yield _Line(f"{path}.{number}", _flat(item), inner_sources)
    else:
        yield _Line(path, _flat(value), sources, disputed)


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_flat(inner)}" for key, inner in value.items() if key != "source")
    if isinstance(value, (list, tuple)):
        return ", ".join(_flat(inner) for inner in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) and value == round(value) else str(value)


def _ids(raw: Any) -> tuple[str, ...]:
    return () if not raw else (raw,) if isinstance(raw, str) else tuple(raw)


def _offer_sheet(catalog: "Catalog", name: str) -> Listing:
    """A node with its price lines."""
    offers = [offer for offer in catalog.offers if name in (offer.node, offer.id)]
    node = catalog.nodes.get(name) or catalog.nodes.get(offers[0].node)
    sources = {**catalog.sources("nodes"), **catalog.sources("offers")}
    rows: list[tuple[str, ...]] = []
    if node is not None:
        skipped = ("source", "seen", "note")
        for key, value in node.model_dump().items():
            if key not in skipped and value not in (None, ()):
                rows.append((key, _flat(value), ", ".join(node.sources), node.seen, "", node.note or "" if key == "fabric" else "", ""))
    for offer in offers[:MOST_PRICES]:
        price = "none" if offer.per_h is None else f"{offer.per_h} {offer.currency}/h"
        fact = f"price {offer.region} from {offer.from_}"
        marks = ", ".join(mark for mark in (offer.price_kind, offer.flag, offer.use if offer.use != "commercial-serving" else None) if mark)
        rows.append((fact, f"{price} ({marks})", offer.source, offer.seen, "", offer.note or "", ""))
    used = dict.fromkeys(source for row in rows for source in row[2].replace(",", " ").split())
    notes = [f"{source}: {_described(sources[source])}" for source in used if source in sources]
    if len(offers) > MOST_PRICES:
        notes.insert(0, f"{len(offers) - MOST_PRICES} further price lines: advisor catalog list offers {name}")
    return _sheet(f"{name} (node)" if name in catalog.nodes else f"{name} (offer)", rows, tuple(notes))


def _sheet(title: str, rows: list[tuple[str, ...]], notes: tuple[str, ...]) -> Listing:
    used = [index for index, key in enumerate(_KEYS) if key in ("fact", "value") or any(row[index] for row in rows)]
    keys = tuple(_KEYS[index] for index in used)
    drops = {"note": 4, "file": 0, "seen": 2, "disputed": 1, "source": 1}
    kept = tuple(tuple(row[index] for index in used) for row in rows)
    return Listing(title, keys, keys, kept, kept, drops=tuple(drops.get(key, 0) for key in keys), notes=notes)
