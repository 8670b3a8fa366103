"""What differs between two states of the facts: prices in force, figure by figure, and curated facts as written."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.layers import Entry

What = Literal["new", "changed", "gone", "quarantined"]
FIGURES: Mapping[str, tuple[str, ...]] = {
    "offers": ("per_h", "spot_per_h", "reserved_1y_per_h", "reserved_3y_per_h"),
    "api_prices": (
        "input_per_mtok", "cached_input_per_mtok", "cache_write_per_mtok", "output_per_mtok", "batch_input_per_mtok",
        "batch_output_per_mtok", "priority_input_per_mtok", "priority_output_per_mtok", "long_context",
    ),
    "exchange_rates": ("per_usd",),
    "purchase": ("price",),
    "hosting": ("value",),
}  # fmt: skip
"""Table of prices -> what of a line is compared."""
CURATED = ("chips", "models", "engines", "providers")


@dataclass(frozen=True)
class Change:
    """One figure that is new, another, or no longer there."""

    where: str
    """Table or collection."""
    id: str
    figure: str
    what: What
    old: Decimal | str | None = None
    new: Decimal | str | None = None
    unit: str = ""
    """Currency of a price."""
    reason: str = ""

    @property
    def share(self) -> Decimal | None:
        """Growth as a share of the old figure: 0.1 = a tenth more. None where one of them is no number."""
        if isinstance(self.old, Decimal) and isinstance(self.new, Decimal) and self.old:
            return self.new / self.old - 1
        return None


def key_of(table: str, row: Any) -> str:
    """What stays the same when a price changes: the id; of an exchange rate, the currency."""
    return str(row.currency if table == "exchange_rates" else row.id)


def start_of(row: Any) -> str:
    """First day of validity; the empty text for a figure without one."""
    return getattr(row, "day", None) or getattr(row, "from_", None) or ""


def in_force(table: str, rows: Iterable[Any], day: str) -> dict[str, Any]:
    """Key -> the last line that starts not after the day."""
    found: dict[str, Any] = {}
    for row in rows:
        key, start = key_of(table, row), start_of(row)
        if start <= day and (key not in found or start >= start_of(found[key])):
            found[key] = row
    return found


def line_changes(table: str, old: Any, new: Any) -> Iterator[Change]:
    """Between two lines of one key; None stands for no line."""
    row = new if new is not None else old
    unit = "" if table == "exchange_rates" else getattr(row, "currency", None) or ""
    for figure in FIGURES[table]:
        before, after = (None if line is None else getattr(line, figure) for line in (old, new))
        if old is not None and new is not None and old.currency != new.currency and before is not None:
            before = f"{before.normalize():f} {old.currency}" if isinstance(before, Decimal) else before
        if before == after:
            continue
        what: What = "new" if before is None else "gone" if after is None else "changed"
        yield Change(table, key_of(table, row), figure, what, before, after, unit)


def differences(old: Catalog, new: Catalog) -> list[Change]:
    """All changes from one catalog to the other, prices first. Raises CatalogError where one cannot be read."""
    found: list[Change] = []
    for table in FIGURES:
        before, after = (in_force(table, _lines(catalog, table), catalog.as_of.isoformat()) for catalog in (old, new))
        for key in sorted(before.keys() | after.keys()):
            found += line_changes(table, before.get(key), after.get(key))
    for collection in CURATED:
        before, after = ({name: _written(entry) for name, entry in catalog.entries(collection).items()} for catalog in (old, new))
        for name in sorted(before.keys() | after.keys()):
            found += _fact_changes(collection, name, before.get(name), after.get(name))
    return found


def _lines(catalog: Catalog, table: str) -> Sequence[Any]:
    lines: Sequence[Any] = getattr(catalog, {"purchase": "purchases"}.get(table, table))
    return lines


def _written(entry: Entry) -> dict[str, str]:
    """Path of a fact -> what is written there; sources and notes are no facts."""
    return {} if entry.hidden else dict(_flat(entry.raw, ""))


def _flat(raw: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for key, value in raw.items():
        if key in ("sources", "source", "note", "notes", "disputed", "id"):
            continue
        place = f"{path}{key}"
        if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            value = {str(number): item for number, item in enumerate(value, start=1)}
        if isinstance(value, Mapping):
            yield from [(place, str(value["is"]))] if "is" in value else _flat(value, f"{place}.")
        elif value is not None:
            yield place, ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _fact_changes(collection: str, name: str, old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> Iterator[Change]:
    if not old or not new:
        if old or new:
            yield Change(collection, name, "", "new" if new else "gone")
        return
    for path in (*old, *(path for path in new if path not in old)):
        before, after = old.get(path), new.get(path)
        if before != after:
            what: What = "new" if before is None else "gone" if after is None else "changed"
            yield Change(collection, name, path, what, before, after)
