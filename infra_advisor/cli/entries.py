"""What `advisor catalog list` shows of each kind of entry."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.purchases import ASSUMED_ON_REQUEST
from infra_advisor.present.listing import Listing
from infra_advisor.present.numbers import UNKNOWN, by_name
from infra_advisor.present.words import words

if TYPE_CHECKING:
    from infra_advisor.facts.catalog import Catalog

Value = str | float | int | bool | None


@dataclass(frozen=True)
class Column:
    """One column: its key (with the unit), title, value, and when it goes on a narrow screen."""

    key: str
    title: str
    value: Callable[[Any], Value]
    drop: int = 0


def _fact(name: str) -> Callable[[Any], float | None]:
    return lambda record: fact.value if (fact := getattr(record, name)) is not None else None


def _rate(precision: str) -> Callable[[Any], float | None]:
    return lambda chip: fact.value if (fact := chip.compute.get(precision)) is not None else None


def _price(offer: Any) -> float | None:
    return None if offer.per_h is None else float(offer.per_h)


def _of(name: str) -> Callable[[Any], Any]:
    return lambda record: getattr(record, name)


CHIPS = (
    Column("id", "id", _of("id")),
    Column("name", "name", _of("name"), 3),
    Column("vendor", "vendor", _of("vendor"), 2),
    Column("device_class", "class", _of("device_class"), 4),
    Column("memory_bytes", "memory", _of("memory_bytes")),
    Column("memory_bytes_per_s", "bandwidth", _fact("memory_bandwidth")),
    Column("bf16_flop_per_s", "BF16 dense", _rate("bf16"), 1),
    Column("fp8_flop_per_s", "FP8 dense", _rate("fp8"), 2),
    Column("power_w", "power", _fact("power"), 1),
    Column("status", "status", _of("status"), 5),
)
NODES = (
    Column("id", "id", _of("id")),
    Column("provider", "provider", _of("provider"), 3),
    Column("instance_type", "instance type", _of("instance_type"), 4),
    Column("chip", "chip", _of("chip")),
    Column("chips", "chips", _of("chips")),
    Column("fabric", "fabric", _of("fabric"), 1),
    Column("nic_gbit_per_s", "NIC [Gbit/s]", _of("nic_gbit_per_s"), 2),
    Column("seen", "seen", _of("seen"), 5),
)
OFFERS = (
    Column("id", "id", _of("id")),
    Column("node", "node", _of("node"), 4),
    Column("country", "country", _of("country")),
    Column("region", "region", _of("region"), 5),
    Column("price_kind", "kind", _of("price_kind"), 1),
    Column("per_h", "per hour", _price),
    Column("currency", "currency", _of("currency")),
    Column("from", "from", _of("from_"), 2),
    Column("seen", "seen", _of("seen"), 3),
    Column("flag", "flag", _of("flag"), 2),
)
MODELS = (
    Column("id", "id", _of("id")),
    Column("hf_id", "Hugging Face id", _of("hf_id"), 4),
    Column("parameters", "parameters", lambda model: float(model.parameters.total)),
    Column("parameters_active", "active", lambda model: float(model.parameters.active or model.parameters.total), 1),
    Column("max_context_tokens", "context", _of("max_context"), 2),
    Column("native_format", "format", _of("native_format"), 1),
    Column("licence", "licence", lambda model: model.licence.name, 3),
    Column("commercial", "commercial", lambda model: model.licence.commercial, 3),
)
ENGINES = (
    Column("id", "id", _of("id")),
    Column("name", "name", _of("name"), 2),
    Column("kind", "kind", _of("kind"), 1),
    Column("version", "version", _of("version")),
    Column("version_date", "of", _of("version_date"), 1),
    Column("licence", "licence", _of("licence"), 2),
    Column("api", "API", lambda engine: ", ".join(engine.api), 3),
)
PROVIDERS = (
    Column("id", "id", _of("id")),
    Column("name", "name", _of("name"), 1),
    Column("kind", "kind", _of("kind")),
    Column("home_country", "home", _of("home_country")),
    Column("us_cloud_act_exposed", "US CLOUD Act", _of("us_cloud_act_exposed"), 2),
)
ASSUMPTIONS = (
    Column("name", "name", lambda entry: entry[0]),
    Column("value", "value", lambda entry: None if entry[1] is None else float(entry[1].value)),
    Column("unit", "unit", lambda entry: entry[1].unit if entry[1] else ASSUMED_ON_REQUEST[entry[0]]),
    Column("source", "source", lambda entry: " ".join(entry[1].source) if entry[1] else None, 1),
    Column("note", "note", lambda entry: entry[1].note if entry[1] else words()("entries.on_request"), 2),
)
"""Of pairs of name and assumption; None = one that only a question makes."""
KINDS: Mapping[str, tuple[Column, ...]] = {
    "chips": CHIPS, "nodes": NODES, "offers": OFFERS, "models": MODELS, "engines": ENGINES, "providers": PROVIDERS,
    "assumptions": ASSUMPTIONS,
}  # fmt: skip
_NUMBERS = {"memory_bytes", "memory_bytes_per_s", "bf16_flop_per_s", "fp8_flop_per_s", "power_w", "chips", "nic_gbit_per_s", "per_h",
            "parameters", "parameters_active", "max_context_tokens", "value"}  # fmt: skip


def records(catalog: "Catalog", kind: str) -> Sequence[Any]:
    """All entries of a kind. Raises UsageError for an unknown kind, CatalogError for an unreadable collection."""
    if kind not in KINDS:
        raise UsageError(f"{kind!r} is no kind of entry; accepted: {', '.join(KINDS)}.{did_you_mean(kind, KINDS)}")
    if kind == "models":
        return [catalog.model(name) for name in catalog.model_ids]
    if kind == "assumptions":
        return sorted({**dict.fromkeys(ASSUMED_ON_REQUEST), **catalog.assumptions}.items())
    found = getattr(catalog, kind)
    return list(found.values() if isinstance(found, Mapping) else found)


def listing(catalog: "Catalog", kind: str, pattern: str = "") -> Listing:
    """The entries of a kind whose texts contain every word of the pattern."""
    found = records(catalog, kind)
    columns = KINDS[kind]
    rows = [tuple(column.value(record) for column in columns) for record in found]
    wanted = pattern.lower().split()
    rows = [row for row in rows if all(word in _searched(row) for word in wanted)]
    title = f"{len(rows):,} of {len(found):,} {kind}" if wanted else f"{len(rows):,} {kind}"
    return Listing(
        title=title,
        keys=tuple(column.key for column in columns),
        titles=tuple(column.title for column in columns),
        rows=tuple(rows),
        shown=tuple(tuple(_text(column.key, value) for column, value in zip(columns, row, strict=True)) for row in rows),
        right=frozenset(_NUMBERS),
        unbroken=frozenset({"name"} if kind == "assumptions" else ()),
        drops=tuple(column.drop for column in columns),
        notes=(words()("entries.assume") if kind == "assumptions" else words()("entries.show", day=catalog.as_of),),
    )


def overview(catalog: "Catalog") -> Listing:
    """How many entries of each kind there are."""
    counts = {kind: len(catalog.model_ids) if kind == "models" else len(records(catalog, kind)) for kind in KINDS}
    rows = tuple((kind, count) for kind, count in counts.items())
    notes = (f"Catalog {catalog.version}, as of {catalog.as_of}.", "`advisor catalog list chips h100` lists the chips that match h100.")
    shown = tuple((kind, f"{count:,}") for kind, count in rows)
    return Listing("The catalog", ("kind", "entries"), ("kind", "entries"), rows, shown, frozenset({"entries"}), notes=notes)


def _searched(row: Iterable[Value]) -> str:
    return " ".join(value.lower() for value in row if isinstance(value, str))


def _text(key: str, value: Value) -> str:
    if value is None:
        return UNKNOWN if key in _NUMBERS else ""
    if key.startswith("parameters") and isinstance(value, (int, float)):
        from infra_advisor.present.numbers import count

        return count(value)
    return by_name(key, value)
