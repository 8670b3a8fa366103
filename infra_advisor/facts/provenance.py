"""Where the facts of a user's layer come from: every value needs a source with a title and a day."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from infra_advisor.facts.fact import FROM_MEMORY
from infra_advisor.facts.layers import Entry


def has_own_source(entry: Entry) -> bool:
    """True where value and source come from the same file: a layer that changes one states the other."""
    return entry.origin.get("value") == entry.origin.get("source")


def undefined_sources(entry: Entry, paths: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """A problem per source that the values at `paths` name, and that neither the entry itself nor `known` defines."""
    own = entry.raw.get("sources")
    defined = {*known, *(own if isinstance(own, Mapping) else ()), FROM_MEMORY}
    for path in paths:
        key, _, name = path.partition(".")
        if key == "sources":
            continue
        value = entry.raw[key][name] if name else entry.raw[key]
        for source in sorted(set(named_sources({name or key: value})) - defined):
            place = f"{entry.origin[path]}: {entry.id}: {path}"
            yield f"{place}: the source {source!r} is not defined; add it under `sources:` with a title and the day it was seen"


def named_sources(raw: Any) -> Iterator[str]:
    """Every source id under `source` and `active_source` keys, at any depth."""
    if isinstance(raw, Mapping):
        for key, value in raw.items():
            if key in ("source", "active_source"):
                yield from (name for name in ([value] if isinstance(value, str) else value or ()) if isinstance(name, str))
            else:
                yield from named_sources(value)
    elif isinstance(raw, list):
        for item in raw:
            yield from named_sources(item)
