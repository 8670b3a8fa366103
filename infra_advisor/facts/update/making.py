"""Prices read from a source -> lines of the offers that the catalog knows: a later line of the same offer, or a new one.

A price that did not change only refreshes the day on which it was seen. A price that did becomes a line with a later first day; nothing
that is in force is rewritten.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from infra_advisor.facts.market import Node, Offer, PriceKind
from infra_advisor.facts.update.feed import Known, Rows

Price = Literal["per_h", "spot_per_h", "reserved_1y_per_h", "reserved_3y_per_h"]
PRICES: tuple[Price, ...] = ("per_h", "spot_per_h", "reserved_1y_per_h", "reserved_3y_per_h")

LARGEST_PER_H = Decimal(10_000)
"""Per instance and hour: three times the dearest of the catalog (72 accelerators at 40 USD). Above it a term price was taken for hourly."""
SAME_PRICE = Decimal("0.0005")
"""Relative. The catalog keeps four decimals of some prices; a smaller difference is rounding."""
PLAIN_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,24})?([eE]-?[0-9]{1,2})?")


class Unusable(Exception):
    """One record cannot be used; the message is the reason under which it is counted."""


def money(cell: object, largest: Decimal = LARGEST_PER_H) -> Decimal:
    """A price as a source writes it, above zero and up to `largest`. Unusable for anything else: text, formula, NaN, negative, absurd."""
    text = str(cell).strip() if isinstance(cell, str | int | Decimal) and not isinstance(cell, bool) else ""
    if not PLAIN_NUMBER.fullmatch(text.replace("E+", "E")):
        raise Unusable("price is negative" if text.startswith("-") else "price is not a number")
    price = Decimal(text)
    if not 0 < price <= largest:
        raise Unusable("price is zero" if price == 0 else "price is absurdly large")
    return price


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


def later_line(line: Offer, prices: Mapping[Price, Decimal], *, source: str, seen: str, since: str | None) -> Offer:
    """The line in force as a source confirms or changes it.

    Prices that the source does not quote are kept while the list price holds; when that changed they are unknown. Unusable where the
    reading is older than the line, or a changed price would have to start on the same day.
    """
    if seen < line.seen:
        raise Unusable("older than the line in force")
    old = {name: price for name in PRICES if (price := getattr(line, name)) is not None}
    read = {name: old[name] if name in old and _same(old[name], price) else price for name, price in prices.items()}
    list_price_holds = read.get("per_h") == old.get("per_h")
    new = old | read if list_price_holds else dict(read)
    flag = None if line.flag == "stale" or not list_price_holds else line.flag
    sources = " ".join(dict.fromkeys([*line.sources, source]))
    if new == old:
        return line.model_copy(update={"seen": seen, "flag": flag, "source": sources})
    if line.from_ >= seen:
        raise Unusable("the price already changed on that day")
    changed: dict[str, object] = {str(name): new.get(name) for name in PRICES}
    changed |= {"from_": since if since and line.from_ < since <= seen else seen, "date_precision": "day", "seen": seen, "flag": flag}
    changed["source"] = source if new == read else sources
    if not list_price_holds:
        changed |= {"size_ratio": None, "note": None}
    return line.model_copy(update=changed)


def _in_micros(price: Decimal) -> Decimal:
    """Rounded to six decimals, without zeros at the end. Unusable where nothing is left."""
    if not (rounded := round(price, 6)):
        raise Unusable("price is zero")
    return Decimal(f"{rounded:f}".rstrip("0").rstrip("."))


def _same(old: Decimal, new: Decimal) -> bool:
    return abs(old - new) <= old * SAME_PRICE


@dataclass
class Quotes:
    """The prices of one answer, by node and region, until all of its records are read."""

    known: Known
    source: str
    seen: str = ""
    """Day on which the source itself read the prices, if it says so; the day of the reading otherwise."""
    currency: str = "USD"
    confirms: bool = True
    """False for a list kept by hand: its old price may not hold any more, so it can only change what was read from it before."""
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
            price = _in_micros(money(cell, LARGEST_PER_H * hours) / hours)
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
            contradictory = [name for name, prices in found.items() if name != "spot_per_h" and not _same(min(prices), max(prices))]
            for name in contradictory:
                self.skip("several prices for one instance type", len(found[name]))
            prices = {name: min(several) for name, several in found.items() if name not in contradictory}
            if not prices:
                continue
            try:
                row = self._row(node, region, kind, prices, self._since.get((node, region, kind)))
            except Unusable as reason:
                self.skip(str(reason))
                continue
            if row is not None:
                self.rows.offers.append(row)
        self._read.clear()
        return self.rows

    def _row(self, node: Node, region: str, kind: PriceKind, prices: Mapping[Price, Decimal], since: str | None) -> Offer | None:
        if "per_h" not in prices:
            # A spot price alone says nothing about the list price, so it only continues an offer that never had one.
            kind = "spot-only"
            if (node.id, region, kind) not in self.known.offers:
                raise Unusable("no on-demand price")
        seen = min(self.seen or self.known.day, self.known.day)
        line = self.known.offers.get((node.id, region, kind))
        if line is None:
            new: dict[str, object] = {"id": offer_id(node.id, region, kind), "node": node.id, "provider": node.provider, "region": region}
            new |= {"country": self.known.regions[node.provider, region], "price_kind": kind, "currency": self.currency}
            new |= {str(name): price for name, price in prices.items()}
            new |= {"from": since if since and since <= seen else seen, "seen": seen, "source": self.source}
            return Offer.model_validate(new if self.confirms else {**new, "flag": "unverified"})
        if line.currency != self.currency:
            raise Unusable("currency differs from the line in force")
        if not self.confirms and not any(one.startswith(self.source.split("-")[0]) for one in line.sources):
            raise Unusable("last read elsewhere")
        row = later_line(line, prices, source=self.source, seen=seen, since=since)
        if self.confirms:
            return row if row != line else None
        if row.from_ == line.from_:
            raise Unusable("unchanged in a list kept by hand")
        return row.model_copy(update={"flag": "unverified"})
