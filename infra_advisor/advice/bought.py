"""What can be bought, or is owned already: servers, cards in hosts, boxes and boards."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from infra_advisor.advice.charges import Tariff
from infra_advisor.advice.limits import MOST_OWNED, Limits
from infra_advisor.advice.option import Priced, age_d, chip_marks, class_of, only_with, unwanted
from infra_advisor.advice.ownership import Machine, machines_of, owned_tariff
from infra_advisor.advice.parts import HardwareClass
from infra_advisor.advice.placing import Placing
from infra_advisor.advice.residency_parts import ResidencyPart
from infra_advisor.advice.site import Sites
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.market import rates_on
from infra_advisor.facts.purchases import PurchaseOption, purchase_options
from infra_advisor.search.platforms import platform_of_box
from infra_advisor.units import GB


def bought(catalog: Catalog, limits: Limits, excluded: Counter[str]) -> Iterator[Priced]:
    """Machines to buy within the limits, then those without a known price; what is left out is counted by reason."""
    day = catalog.as_of.isoformat()
    rates = rates_on(catalog.exchange_rates, day)
    priced_chips = set()
    sites, residency = Sites(catalog), Placing(catalog, limits).own().part
    for option in purchase_options(catalog.purchases, day, limits.country):
        chip = catalog.chips.get(option.chip)
        if chip is None:
            excluded["its accelerator is not in the catalog"] += 1
            continue
        priced_chips.add(chip.id)
        if option.currency not in rates:
            excluded[f"no exchange rate for {option.currency}"] += 1
            continue
        for machine in machines_of(option, chip, option.price / rates[option.currency], catalog.assumptions):
            class_ = class_of(chip)
            if reason := unwanted(chip, "purchase", class_, limits):
                excluded[reason] += 1
                continue
            if limits.max_price_age_d is not None and age_d(option.seen, catalog.as_of) > limits.max_price_age_d:
                excluded[f"price older than {limits.max_price_age_d:g} days"] += 1
                continue
            marks = (*(("launch-price",) if option.price_kind == "launch-list" else ()), *chip_marks(chip))
            if missing := [mark for mark in marks if mark not in limits.include]:
                excluded[only_with(missing[0])] += 1
                continue
            yield _box(catalog, sites, limits, residency, option, chip, machine, class_, marks)
    yield from _never_priced(catalog, limits, priced_chips, residency)


def _box(
    catalog: Catalog,
    sites: Sites,
    limits: Limits,
    residency: ResidencyPart | None,
    option: PurchaseOption,
    chip: Chip,
    machine: Machine,
    class_: HardwareClass,
    marks: tuple[str, ...],
) -> Priced:
    tariff = owned_tariff(catalog, chip, machine, class_=class_, country=limits.country, system_power_w=option.system_power_w)
    label_bytes = option.memory_gb / option.chips * GB if option.memory_gb else None
    several = f"-x{machine.chips}" if machine.chips != option.chips or not option.includes_host else ""
    return Priced(
        id=f"buy-{option.id}{several}",
        class_=class_,
        platform=platform_of_box(chip, machine.chips, board=option.category not in ("server", "rack"), memory_label_bytes=label_bytes),
        provider="purchase",
        instance_type=machine.item,
        region=option.region,
        country=limits.country,
        price_kind=f"purchase ({option.price_kind})",
        tariff=tariff,
        usd_per_h=tariff.standing_usd_per_h,
        currency=option.currency,
        price_date=option.seen,
        price_age_d=age_d(option.seen, catalog.as_of),
        source=option.source,
        marks=marks,
        purchase_usd=machine.total_usd,
        notes=(*machine.notes, *_elsewhere(option, limits), *_without_power(tariff)),
        site=sites.of(class_, "purchase", option.region, limits.country),
        residency=residency,
    )


def _without_power(tariff: Tariff) -> tuple[str, ...]:
    return () if tariff.pays_power else ("power and space are not in its cost: no power figure is known",)


def _elsewhere(option: PurchaseOption, limits: Limits) -> tuple[str, ...]:
    """A remark where the price was read in a market that is not the buyer's."""
    return (f"the price is one of the market in {option.region}",) if option.region and option.region != limits.country else ()


def _never_priced(catalog: Catalog, limits: Limits, priced: set[str], residency: ResidencyPart | None) -> Iterator[Priced]:
    """Devices and cards one could buy but for which no price is known."""
    for chip in catalog.chips.values():
        if chip.id in priced or chip.kind == "host" or "buy" not in chip.acquire or chip.part_of:
            continue
        class_ = class_of(chip)
        if unwanted(chip, "purchase", class_, limits) or any(mark not in limits.include for mark in chip_marks(chip)):
            continue
        yield Priced(
            id=f"buy-{chip.id}",
            class_=class_,
            platform=platform_of_box(chip, 1, board=True),
            provider="purchase",
            instance_type=chip.name,
            region=None,
            country=limits.country,
            price_kind="purchase",
            tariff=None,
            notes=("no purchase price in the catalog",),
            residency=residency,
        )


def owned(catalog: Catalog, limits: Limits) -> Priced:
    """The device of `limits.owned` (`DEVICE` or `DEVICE:COUNT`): power and hosting only. Raises UsageError."""
    assert limits.owned is not None
    name, _, count = limits.owned.partition(":")
    if count and not (count.isdigit() and 1 <= int(count) <= MOST_OWNED):
        raise UsageError(f"--owned {limits.owned}: write DEVICE or DEVICE:COUNT with a count from 1 to {MOST_OWNED}")
    chip = catalog.chip(name)
    chips = int(count or chip.host_count or 1)
    if chip.host_of:
        chip = catalog.chips[chip.host_of]
    class_ = class_of(chip)
    machine = Machine(chips=chips, price_usd=Decimal(0), item=f"{chips}x {chip.name}")
    tariff = owned_tariff(catalog, chip, machine, class_=class_, country=limits.country, system_power_w=None, paid=True)
    known = tariff.pays_power
    return Priced(
        id=f"owned-{chip.id}-x{chips}",
        class_=class_,
        platform=platform_of_box(chip, chips, board=chip.market != "datacenter"),
        provider="owned",
        instance_type=machine.item,
        region=None,
        country=limits.country,
        price_kind="owned (power and hosting only)",
        tariff=tariff if known else None,
        usd_per_h=tariff.standing_usd_per_h if known else None,
        price_date=catalog.as_of.isoformat(),
        price_age_d=0,
        source="owned",
        purchase_usd=0.0,
        notes=() if known else ("power unknown: so is what it costs to run",),
        site=Sites(catalog).of(class_, "owned", None, limits.country),
        residency=Placing(catalog, limits).own().part,
    )
