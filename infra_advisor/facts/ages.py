"""How long ago prices were last read: which lines in force are older than they should be."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.differences import in_force
from infra_advisor.facts.places import AGE_ASSUMPTION

MOVING = ("marketplace", "spot-only")
"""Kinds of prices that move from day to day."""


@dataclass(frozen=True)
class Aged:
    """The old lines of one seller and kind of price."""

    table: str
    provider: str
    """For what is bought: the category, since the same item has many sellers."""
    kind: str
    limit_d: float
    older: int
    """Lines in force that were last read longer ago than `limit_d`."""
    lines: int
    """All lines in force."""
    oldest: str
    """Day on which the oldest of them was last read."""


def usual_age_d(catalog: Catalog, table: str, provider: str, *, moving: bool = False) -> float:
    """Days for which a price is believed: by kind of seller, and for prices that move from day to day (a market, spot) by that."""
    seller = catalog.providers.get(provider)
    kind = "api" if table == "api_prices" else "marketplace" if moving else seller.kind if seller else "cloud"
    name = "price_age_purchase_days" if table == "purchase" else AGE_ASSUMPTION[kind]
    return float(catalog.assumptions[name].value)


def aged_prices(catalog: Catalog, limit_d: float | None = None) -> list[Aged]:
    """Sellers with lines older than `limit_d` days, or than usual for them, on the day of the catalog; most old lines first."""
    seen: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for table, provider, kind, line in _lines(catalog):
        seen[table, provider, kind].append(line.seen)
    found = []
    for (table, provider, kind), days in seen.items():
        limit = usual_age_d(catalog, table, provider, moving=kind in MOVING) if limit_d is None else limit_d
        older = sum((catalog.as_of - date.fromisoformat(day)).days > limit for day in days)
        if older:
            found.append(Aged(table, provider, kind, limit, older, len(days), min(days)))
    return sorted(found, key=lambda one: (-one.older, one.table, one.provider, one.kind))


def _lines(catalog: Catalog) -> Iterator[tuple[str, str, str, Any]]:
    """Table, seller, kind of price and line of all that is in force."""
    day = catalog.as_of.isoformat()
    for offer in in_force("offers", catalog.offers, day).values():
        yield "offers", offer.provider, offer.price_kind, offer
    for line in in_force("api_prices", catalog.api_prices, day).values():
        yield "api_prices", line.operator, "tokens", line
    for item in in_force("purchase", catalog.purchases, day).values():
        yield "purchase", item.category, item.price_kind, item
