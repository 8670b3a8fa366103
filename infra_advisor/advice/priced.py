"""What can be rented, bought or is owned already, each as machines of one platform at a price per hour."""

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from infra_advisor.advice.limits import Limits
from infra_advisor.advice.ownership import Ownership, machines_of, owned_cost
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.market import Node, Offer, before_tax, price_on, rates_on, usd_per_h
from infra_advisor.facts.purchases import PurchaseOption, purchase_options
from infra_advisor.search.platforms import Platform, platform_of_box, platform_of_node
from infra_advisor.units import GB

MARKETPLACE_KINDS = ("marketplace", "from-price", "average")
LARGEST_RENTED = 64


@dataclass(frozen=True)
class Priced:
    """One machine type at one price. `usd_per_h` is None where the price is unknown: then it is listed, never ranked."""

    id: str
    class_: str
    platform: Platform
    provider: str
    instance_type: str
    region: str | None
    country: str | None
    price_kind: str
    usd_per_h: float | None
    price_date: str | None
    price_age_d: int | None
    source: str | None
    marks: tuple[str, ...] = ()
    purchase_usd: float | None = None
    cost_lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    board_w: float | None = None
    """Rated power of one accelerator, where known."""
    outside: str | None = None
    """Country, where the offer lies outside the residency asked for: a near miss at best."""
    ownership: Ownership | None = field(default=None, compare=False)

    @property
    def family(self) -> str:
        """Instance family: sizes of one family differ in count and in the CPUs around the accelerators."""
        return self.instance_type.split(".")[0] if self.provider == "aws" else self.platform.chip


ASKED_BY_NAME = ("launch-price", "stale", "unverified", "capacity-block", "announced", "export-risk")
"""Doubts that do not hide hardware somebody asks for by name; they are shown as marks."""


def for_named(limits: Limits) -> Limits:
    """The limits for hardware that was named."""
    return replace(limits, include=tuple(dict.fromkeys((*limits.include, *ASKED_BY_NAME))))


def priced_options(catalog: Catalog, limits: Limits, excluded: Counter[str]) -> list[Priced]:
    """Everything the limits allow, priced or not; what they exclude is counted by reason."""
    if limits.owned is not None:
        return [_owned(catalog, limits)]
    found: list[Priced] = []
    if "cloud" in limits.where:
        found += _rented(catalog, limits, excluded)
    if "onprem" in limits.where or "edge" in limits.where:
        found += _bought(catalog, limits, excluded)
    return found


# -- rented


def _rented(catalog: Catalog, limits: Limits, excluded: Counter[str]) -> Iterator[Priced]:
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
        if reason := _unwanted(chip, node.provider, "cloud", limits):
            excluded[reason] += 1
            continue
        offer = price_on(offers, day) if len(offers) > 1 or offers[0].from_ > day else offers[0]
        if offer is None:
            yield from _sizes(offers[0], node, chip, shelf, None, (), "no price on that day yet", catalog.as_of, None)
            continue
        marks = tuple(_marks(offer, chip))
        if missing := [mark for mark in marks if mark not in limits.include]:
            excluded[f"{missing[0]} offers (--include {missing[0]} admits them)"] += 1
            continue
        if node.chips < 1:
            excluded["rents out a fraction of a card"] += 1
            continue
        if limits.max_price_age_d is not None and _age_d(offer.seen, catalog.as_of) > limits.max_price_age_d:
            excluded[f"price older than {limits.max_price_age_d:g} days"] += 1
            continue
        if limits.residency and offer.country is not None and offer.country != limits.residency:
            excluded[f"outside {limits.residency}"] += 1
            outside: str | None = offer.country
        else:
            outside = None
        price = _usd(offer.per_h, offer, tax, rates)
        unpriced = None if price is not None else "no on-demand price"
        yield from _sizes(offer, node, chip, shelf, price, marks, unpriced, catalog.as_of, outside)
        if "spot" in limits.include and (spot := _usd(offer.spot_per_h, offer, tax, rates)) is not None:
            yield from _sizes(offer, node, chip, shelf, spot, (*marks, "spot"), None, catalog.as_of, outside, kind="spot")


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
    yield from _chip_marks(chip)


def _chip_marks(chip: Chip) -> Iterator[str]:
    if chip.status in ("announced", "cancelled"):
        yield "announced"
    if chip.export_risk:
        yield "export-risk"


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
            price_date=offer.seen,
            price_age_d=_age_d(offer.seen, today),
            source=offer.source,
            marks=marks,
            notes=tuple(note for note in (why_unpriced, f"minimum: {offer.minimum}" if offer.minimum else None) if note),
            board_w=chip.power.value if chip.power else None,
            outside=outside,
        )


def _age_d(seen: str, today: datetime.date) -> int:
    return (today - datetime.date.fromisoformat(seen)).days


# -- bought and owned


def _bought(catalog: Catalog, limits: Limits, excluded: Counter[str]) -> Iterator[Priced]:
    day = catalog.as_of.isoformat()
    rates = rates_on(catalog.exchange_rates, day)
    priced_chips = set()
    for option in purchase_options(catalog.purchases, day, limits.residency):
        chip = catalog.chips.get(option.chip)
        if chip is None:
            excluded["its accelerator is not in the catalog"] += 1
            continue
        priced_chips.add(chip.id)
        if option.currency not in rates:
            excluded[f"no exchange rate for {option.currency}"] += 1
            continue
        for chips, price_usd, item, notes in machines_of(option, chip, option.price / rates[option.currency], catalog.assumptions):
            class_ = "onprem" if chip.market == "datacenter" else "edge"
            if reason := _unwanted(chip, "purchase", class_, limits):
                excluded[reason] += 1
                continue
            if limits.max_price_age_d is not None and _age_d(option.seen, catalog.as_of) > limits.max_price_age_d:
                excluded[f"price older than {limits.max_price_age_d:g} days"] += 1
                continue
            marks = (*(("launch-price",) if option.price_kind == "launch-list" else ()), *_chip_marks(chip))
            if missing := [mark for mark in marks if mark not in limits.include]:
                excluded[f"{missing[0]} offers (--include {missing[0]} admits them)"] += 1
                continue
            yield _box(catalog, limits, option, chip, chips, price_usd, item, class_, marks, notes)
    yield from _never_priced(catalog, limits, priced_chips, excluded)


def _box(
    catalog: Catalog,
    limits: Limits,
    option: PurchaseOption,
    chip: Chip,
    chips: int,
    price_usd: Decimal,
    item: str,
    class_: str,
    marks: tuple[str, ...],
    notes: tuple[str, ...],
) -> Priced:
    ownership = owned_cost(catalog, chip, chips, float(price_usd), class_=class_, country=limits.residency, system_power_w=option.system_power_w)
    label_bytes = option.memory_gb / option.chips * GB if option.memory_gb else None
    platform = platform_of_box(chip, chips, board=option.category not in ("server", "rack"), memory_label_bytes=label_bytes)
    return Priced(
        id=f"buy-{option.id}" + (f"-x{chips}" if chips != option.chips or not option.includes_host else ""),
        class_=class_,
        platform=platform,
        provider="purchase",
        instance_type=item,
        region=option.region,
        country=limits.residency,
        price_kind=f"purchase ({option.price_kind})",
        usd_per_h=ownership.usd_per_h,
        price_date=option.seen,
        price_age_d=_age_d(option.seen, catalog.as_of),
        source=option.source,
        marks=marks,
        purchase_usd=float(price_usd),
        cost_lines=ownership.lines,
        notes=notes,
        board_w=chip.power.value if chip.power else None,
        ownership=ownership,
    )


def _never_priced(catalog: Catalog, limits: Limits, priced: set[str], excluded: Counter[str]) -> Iterator[Priced]:
    """Devices and cards one could buy but for which no price is known."""
    for chip in catalog.chips.values():
        if chip.id in priced or chip.kind == "host" or "buy" not in chip.acquire or chip.part_of:
            continue
        class_ = "onprem" if chip.market == "datacenter" else "edge"
        if class_ not in limits.where or _unwanted(chip, "purchase", class_, limits) or any(mark not in limits.include for mark in _chip_marks(chip)):
            continue
        yield Priced(
            id=f"buy-{chip.id}",
            class_=class_,
            platform=platform_of_box(chip, 1, board=True),
            provider="purchase",
            instance_type=chip.name,
            region=None,
            country=limits.residency,
            price_kind="purchase",
            usd_per_h=None,
            price_date=None,
            price_age_d=None,
            source=None,
            notes=("no purchase price in the catalog",),
            board_w=chip.power.value if chip.power else None,
        )


def _owned(catalog: Catalog, limits: Limits) -> Priced:
    assert limits.owned is not None
    name, _, count = limits.owned.partition(":")
    if count and not (count.isdigit() and 1 <= int(count) <= LARGEST_RENTED):
        raise UsageError(f"--owned {limits.owned}: write DEVICE or DEVICE:COUNT with a count from 1 to {LARGEST_RENTED}")
    chip = catalog.chip(name)
    chips = int(count or chip.host_count or 1)
    if chip.host_of:
        chip = catalog.chips[chip.host_of]
    class_ = "onprem" if chip.market == "datacenter" else "edge"
    ownership = owned_cost(catalog, chip, chips, 0.0, class_=class_, country=limits.residency, system_power_w=None)
    return Priced(
        id=f"owned-{chip.id}-x{chips}",
        class_=class_,
        platform=platform_of_box(chip, chips, board=chip.market != "datacenter"),
        provider="owned",
        instance_type=f"{chips}x {chip.name}",
        region=None,
        country=limits.residency,
        price_kind="owned (power and hosting only)",
        usd_per_h=ownership.usd_per_h,
        price_date=catalog.as_of.isoformat(),
        price_age_d=0,
        source="owned",
        purchase_usd=0.0,
        cost_lines=ownership.lines,
        board_w=chip.power.value if chip.power else None,
        ownership=ownership,
    )


def _unwanted(chip: Chip, provider: str, class_: str, limits: Limits) -> str | None:
    if class_ not in limits.where:
        return f"{class_} is not in --where"
    if not limits.vendor.admits(chip.vendor):
        return "vendor not chosen"
    if not limits.provider.admits(provider):
        return "provider not chosen"
    if not limits.accelerator.admits(chip.id):
        return "accelerator not chosen"
    if not chip.acquire:
        return "cannot be rented or bought"
    return None

