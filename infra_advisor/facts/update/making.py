"""Prices read from a source -> lines of offers as the source states them today, under the ids of the catalog.

What the catalog makes of such a line, beside the one in force, is the business of judge.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from infra_advisor.facts.market import Node, Offer, PriceKind, same_price
from infra_advisor.facts.update.feed import Known, Rows, source_id

Price = Literal["per_h", "spot_per_h", "reserved_1y_per_h", "reserved_3y_per_h"]
PRICES: tuple[Price, ...] = ("per_h", "spot_per_h", "reserved_1y_per_h", "reserved_3y_per_h")

LARGEST_PER_H: Mapping[str, Decimal] = {"USD": Decimal(10_000), "JPY": Decimal(1_500_000)}
"""Per instance and hour: three times the dearest of the catalog (72 accelerators at 40 USD). Above it a term price was taken for hourly."""
PLAIN_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,24})?([eE]-?[0-9]{1,2})?")


class Unusable(Exception):
    """One record cannot be used; the message is the reason under which it is counted."""


def money(cell: object, largest: Decimal = LARGEST_PER_H["USD"]) -> Decimal:
    """A price as a source writes it, above zero and up to `largest`. Unusable for anything else: text, formula, NaN, negative, absurd."""
    text = str(cell).strip() if isinstance(cell, str | int | Decimal) and not isinstance(cell, bool) else ""
    if not PLAIN_NUMBER.fullmatch(text.replace("E+", "E")):
        raise Unusable("price is negative" if text.startswith("-") else "price is not a number")
    price = Decimal(text)
    if not 0 < price <= largest:
        raise Unusable("price is zero" if price == 0 else "price is absurdly large")
    return price


def price_or_none(cell: object) -> Decimal | None:
    """A price, where a source may well state none."""
    try:
        return money(cell)
    except Unusable:
        return None


def day_of(stamp: object) -> str | None:
    """ISO day at the start of a time stamp; None where there is none."""
    text = stamp[:10] if isinstance(stamp, str) else ""
    try:
        return text if date.fromisoformat(text).isoformat() == text else None
    except ValueError:
        return None


def offer_id(node: str, region: str, price_kind: PriceKind) -> str:
    """Id of an offer in the catalog's scheme: node and region; the price kind behind it where it is not on-demand."""
    place = re.sub(r"[^a-z0-9.]+", "-", region.lower()).strip("-")
    return f"{node}-{place}" if price_kind == "on-demand" else f"{node}-{place}-{price_kind}"


def regions_of(known: Known, provider: str) -> list[str]:
    """Regions in which the catalog has an offer of a provider."""
    return sorted({offer.region for offer in known.offers.values() if offer.provider == provider})


def catalog_region(provider: str, region: str) -> str:
    """A region as the catalog names it: Lambda has one price in all its US regions, which is kept once."""
    return "us-any" if provider == "lambda" and region.startswith("us-") else region


def _in_micros(price: Decimal) -> Decimal:
    """Rounded to six decimals, without zeros at the end. Unusable where nothing is left."""
    if not (rounded := round(price, 6)):
        raise Unusable("price is zero")
    return Decimal(f"{rounded:f}".rstrip("0").rstrip("."))


@dataclass
class Quotes:
    """The prices of one answer, by node and region, until all of its records are read."""

    known: Known
    feed: str
    """Name of the source."""
    seen: str = ""
    """Day on which the source itself read the prices, if it says so; the day of the reading otherwise."""
    currency: str = "USD"
    tax_included: bool | None = None
    rows: Rows = field(default_factory=Rows)
    _read: dict[tuple[Node, str, PriceKind], dict[Price, set[Decimal]]] = field(default_factory=dict)
    _since: dict[tuple[Node, str, PriceKind], str] = field(default_factory=dict)

    def skip(self, reason: str, records: int = 1) -> None:
        """Count records that were passed over."""
        self.rows.skipped[reason] += records

    def add(
        self, node: Node | None, region: str, name: Price, cell: object, *,
        hours: int = 1, since: str | None = None, kind: PriceKind = "on-demand",
    ) -> None:  # fmt: skip
        """One price, for `hours` hours. Counted as passed over where node, region or price cannot be used."""
        try:
            if node is None:
                raise Unusable("instance type not in the catalog")
            if (node.provider, region) not in self.known.regions:
                raise Unusable("region not in the catalog")
            price = _in_micros(money(cell, LARGEST_PER_H[self.currency] * hours) / hours)
        except Unusable as reason:
            self.skip(str(reason))
            return
        key = (node, region, kind)
        self._read.setdefault(key, {}).setdefault(name, set()).add(price)
        if name == "per_h" and since:
            self._since[key] = max(since, self._since.get(key, since))

    def finished(self) -> Rows:
        """The rows: of several spot prices (zones) the lowest; several list prices contradict each other and none is taken."""
        for (node, region, kind), found in self._read.items():
            contradictory = [name for name, prices in found.items() if name != "spot_per_h" and not same_price(min(prices), max(prices))]
            for name in contradictory:
                self.skip("several prices for one instance type", len(found[name]))
            prices = {name: min(several) for name, several in found.items() if name not in contradictory}
            if "per_h" in prices:
                self.rows.offers.append(self._row(node, region, kind, prices))
            elif prices and (node.id, region, "spot-only") in self.known.offers:
                # A spot price alone says nothing about the list price, so it only continues an offer that never had one.
                self.rows.offers.append(self._row(node, region, "spot-only", prices))
            elif prices:
                self.skip("no on-demand price")
        self._read.clear()
        return self.rows

    def _row(self, node: Node, region: str, kind: PriceKind, prices: Mapping[Price, Decimal]) -> Offer:
        line = self.known.offers.get((node.id, region, kind))
        seen = min(self.seen or self.known.day, self.known.day)
        since = self._since.get((node, region, kind), seen)
        return Offer.model_validate(
            {
                "id": line.id if line else offer_id(node.id, region, kind),
                "node": node.id,
                "provider": node.provider,
                "region": region,
                "country": self.known.regions[node.provider, region],
                "price_kind": kind,
                "currency": self.currency,
                **prices,
                "from": since if since <= seen else seen,
                "seen": seen,
                "tax_included": self.tax_included,
                "source": source_id(self.feed),
            }
        )
