"""What can be rented: every offer of a node, in each size it is rented in, at each of the prices one would pay, on the day."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from infra_advisor.advice.limits import Limits
from infra_advisor.advice.option import Priced, age_d, chip_marks, only_with, unwanted
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.placing import UNKNOWN_MARK, Judged, Placing
from infra_advisor.advice.renting import Rents
from infra_advisor.advice.site import Sites
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.market import Node, Offer, before_tax, price_on, rates_on, usd_per_h
from infra_advisor.search.platforms import Platform, platform_of_node

MARKETPLACE_KINDS = ("marketplace", "from-price", "average")
LARGEST_RENTED = 64


TERM_MONTHS = {"monthly": 1, "commitment-12m": 12, "reserved-1y": 12, "reserved-3y": 36}
"""Price kind -> months for which one pays whether the machine runs or not."""


@dataclass(frozen=True)
class _Terms:
    """One way to pay for an offer."""

    kind: str
    per_h: Decimal | None
    """In the currency of the price list; None = the offer has no such price."""
    mark: tuple[str, ...] = ()
    suffix: str = ""
    missing: str = "no on-demand price"


def rented(catalog: Catalog, limits: Limits, payment: Payment, excluded: Counter[str]) -> Iterator[Priced]:
    """Cloud machines within the limits; what is left out is counted by reason."""
    day = catalog.as_of.isoformat()
    rates = rates_on(catalog.exchange_rates, day)
    lines: dict[str, list[Offer]] = {}
    for offer in catalog.offers:
        lines.setdefault(offer.id, []).append(offer)
    shelf: dict[tuple[str, int], Platform] = {}
    sites, rents, placing = Sites(catalog), Rents(catalog.assumptions, catalog.providers), Placing(catalog, limits)
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
            if node.chips >= 1:
                not_yet = _Terms(offers[0].price_kind, None, missing="no price on that day yet")
                judged = placing.machine(node.provider, offers[0].country)
                yield from _sizes(catalog, sites, rents, offers[0], node, chip, shelf, not_yet, (), rates, judged)
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
        judged = placing.machine(node.provider, offer.country)
        if judged.label:
            excluded[judged.label] += 1
            if not judged.outside:
                continue
        if judged.unknown and limits.allow_unknown:
            marks = (*marks, UNKNOWN_MARK)
        for terms in _ways_to_pay(offer, limits, payment, excluded):
            yield from _sizes(catalog, sites, rents, offer, node, chip, shelf, terms, marks, rates, judged)


def _ways_to_pay(offer: Offer, limits: Limits, payment: Payment, excluded: Counter[str]) -> Iterator[_Terms]:
    """The prices of an offer that the commitment admits; where it has none of that kind, one that says so."""
    own = _Terms(offer.price_kind, offer.per_h)
    for_a_year = _Terms("reserved-1y", offer.reserved_1y_per_h, suffix="-reserved-1y", missing="no price for one year")
    for_three = _Terms("reserved-3y", offer.reserved_3y_per_h, suffix="-reserved-3y", missing="no price for three years")
    if offer.price_kind == "commitment-12m":
        if payment.commit in ("none", "3y"):
            excluded["committed for a year: only with --commit 1y or auto"] += 1
        else:
            yield own
    elif payment.commit == "auto":
        yield own
        yield from (terms for terms in (for_a_year, for_three) if terms.per_h is not None)
    else:
        yield {"none": own, "1y": for_a_year, "3y": for_three}[payment.commit]
    if "spot" in limits.include and offer.spot_per_h is not None:
        yield _Terms("spot", offer.spot_per_h, mark=("spot",), suffix="-spot")


def _why_unpriced(terms: _Terms, offer: Offer, rates: Mapping[str, Decimal]) -> str:
    return terms.missing if offer.currency in rates else f"no exchange rate for {offer.currency} on that day"


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
    catalog: Catalog,
    sites: Sites,
    rents: Rents,
    offer: Offer,
    node: Node,
    chip: Chip,
    shelf: dict[tuple[str, int], Platform],
    terms: _Terms,
    marks: tuple[str, ...],
    rates: Mapping[str, Decimal],
    judged: Judged,
) -> Iterator[Priced]:
    tax = catalog.assumptions["consumption_tax_jp_share"].value
    term_months = TERM_MONTHS.get(terms.kind, 0)
    per_h = minimum_usd = None
    if terms.per_h is not None and offer.currency in rates:
        per_h = float(usd_per_h(before_tax(terms.per_h, offer.tax_included, tax), offer.currency, rates))
    if offer.minimum_spend is not None and offer.currency in rates:
        minimum_usd = float(before_tax(offer.minimum_spend, offer.tax_included, tax) / rates[offer.currency])
    why_unpriced = None if per_h is not None else _why_unpriced(terms, offer, rates)
    site = sites.of("cloud", node.provider, offer.region, offer.country)
    for count in node.rentable_chips:
        chips = int(count)
        if chips > LARGEST_RENTED:
            continue
        if (node.id, chips) not in shelf:
            shelf[node.id, chips] = platform_of_node(node, chip, chips)
        several = f" x{chips}" if node.sizes and chips != node.chips else ""
        price = None if per_h is None else per_h * chips / node.chips
        tariff = None
        if price is not None:
            tariff = rents.tariff(node.provider, price, by_month=term_months > 0, minimum_usd=minimum_usd or 0.0)
        yield Priced(
            id=f"{offer.id}{several.replace(' ', '-')}{terms.suffix}",
            class_="cloud",
            platform=shelf[node.id, chips],
            provider=node.provider,
            instance_type=node.instance_type + several,
            region=offer.region,
            country=offer.country,
            price_kind=terms.kind,
            tariff=tariff,
            usd_per_h=price,
            currency=offer.currency,
            price_date=offer.seen,
            price_age_d=age_d(offer.seen, catalog.as_of),
            source=offer.source,
            marks=(*marks, *terms.mark),
            notes=tuple(note for note in (why_unpriced, f"minimum: {offer.minimum}" if offer.minimum else None) if note),
            outside=judged.outside,
            unknown=None if UNKNOWN_MARK in marks else judged.unknown,
            residency=judged.part,
            term_months=term_months,
            site=site,
        )
