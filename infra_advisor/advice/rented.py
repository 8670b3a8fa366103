"""What can be rented: every offer of a node, in each size it is rented in, at its price on the day."""

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal

from infra_advisor.advice.limits import Limits
from infra_advisor.advice.option import Priced, age_d, chip_marks, only_with, unwanted
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.market import Node, Offer, before_tax, price_on, rates_on, usd_per_h
from infra_advisor.search.platforms import Platform, platform_of_node

MARKETPLACE_KINDS = ("marketplace", "from-price", "average")
LARGEST_RENTED = 64


def rented(catalog: Catalog, limits: Limits, excluded: Counter[str]) -> Iterator[Priced]:
    """Cloud machines within the limits; what is left out is counted by reason."""
    day = catalog.as_of.isoformat()
    rates = rates_on(catalog.exchange_rates, day)
    tax = catalog.assumptions["consumption_tax_jp_share"].value
    lines: dict[str, list[Offer]] = {}
    for offer in catalog.offers:
        lines.setdefault(offer.id, []).append(offer)
    shelf: dict[tuple[str, int], Platform] = {}
    for offers in lines.values():
        node = catalog.nodes.get(offers[0].node)
        chip = catalog.chips.get(node.chip) if node else None
        if node is None or chip is None:
            excluded["its instance type or accelerator is not in the catalog"] += 1
            continue
        if reason := unwanted(chip, node.provider, "cloud", limits):
            excluded[reason] += 1
            continue
        in_force = price_on(offers, day) if len(offers) > 1 or offers[0].from_ > day else offers[0]
        if in_force is None:
            if node.chips < 1:
                continue
            yield from _sizes(offers[0], node, chip, shelf, None, (), "no price on that day yet", catalog.as_of, None)
            continue
        offer = in_force
        marks = tuple(_marks(offer, chip))
        if missing := [mark for mark in marks if mark not in limits.include]:
            excluded[only_with(missing[0])] += 1
            continue
        if node.chips < 1:
            excluded["rents out a fraction of a card"] += 1
            continue
        if limits.max_price_age_d is not None and age_d(offer.seen, catalog.as_of) > limits.max_price_age_d:
            excluded[f"price older than {limits.max_price_age_d:g} days"] += 1
            continue
        if limits.residency and offer.country is not None and offer.country != limits.residency:
            excluded[f"outside {limits.residency}"] += 1
            outside: str | None = offer.country
        else:
            outside = None
        price = _usd(offer.per_h, offer, tax, rates)
        unpriced = None if price is not None else _why_unpriced(offer, rates)
        yield from _sizes(offer, node, chip, shelf, price, marks, unpriced, catalog.as_of, outside)
        if "spot" in limits.include and (spot := _usd(offer.spot_per_h, offer, tax, rates)) is not None:
            yield from _sizes(offer, node, chip, shelf, spot, (*marks, "spot"), None, catalog.as_of, outside, kind="spot")


def _why_unpriced(offer: Offer, rates: Mapping[str, Decimal]) -> str:
    return "no on-demand price" if offer.currency in rates else f"no exchange rate for {offer.currency} on that day"


def _usd(amount: Decimal | None, offer: Offer, tax_share: Decimal, rates: Mapping[str, Decimal]) -> float | None:
    if amount is None or offer.currency not in rates:
        return None
    return float(usd_per_h(before_tax(amount, offer.tax_included, tax_share), offer.currency, rates))


def _marks(offer: Offer, chip: Chip) -> Iterator[str]:
    if offer.use != "commercial-serving":
        yield offer.use
    if offer.price_kind in MARKETPLACE_KINDS:
        yield "marketplace"
    if offer.price_kind == "capacity-block":
        yield "capacity-block"
    if offer.price_kind == "spot-only":
        yield "spot"
    if offer.flag:
        yield offer.flag
    yield from chip_marks(chip)


def _sizes(
    offer: Offer,
    node: Node,
    chip: Chip,
    shelf: dict[tuple[str, int], Platform],
    price: float | None,
    marks: tuple[str, ...],
    why_unpriced: str | None,
    today: datetime.date,
    outside: str | None,
    kind: str | None = None,
) -> Iterator[Priced]:
    for count in node.rentable_chips:
        chips = int(count)
        if chips > LARGEST_RENTED:
            continue
        if (node.id, chips) not in shelf:
            shelf[node.id, chips] = platform_of_node(node, chip, chips)
        several = f" x{chips}" if node.sizes and chips != node.chips else ""
        yield Priced(
            id=f"{offer.id}{several.replace(' ', '-')}{'-spot' if kind == 'spot' else ''}",
            class_="cloud",
            platform=shelf[node.id, chips],
            provider=node.provider,
            instance_type=node.instance_type + several,
            region=offer.region,
            country=offer.country,
            price_kind=kind or offer.price_kind,
            usd_per_h=None if price is None else price * chips / node.chips,
            currency=offer.currency,
            price_date=offer.seen,
            price_age_d=age_d(offer.seen, today),
            source=offer.source,
            marks=marks,
            notes=tuple(note for note in (why_unpriced, f"minimum: {offer.minimum}" if offer.minimum else None) if note),
            board_w=chip.power.value if chip.power else None,
            outside=outside,
        )
