"""What can be bought and what running it costs: purchase prices, hosting figures, and the stated judgement defaults.

Prices are in the currency of their source. Several sources price the same configuration; `purchase_options` picks one
price per configuration by a fixed rule and keeps the range.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from infra_advisor.errors import UsageError
from infra_advisor.facts.fact import FROM_MEMORY, Record
from infra_advisor.facts.market import Country, Currency, DatePrecision, Day, Money

JUDGEMENT = "judgement"
"""Source id of a figure that no source states."""

Category = Literal[
    "board", "workstation-card", "consumer-card", "edge", "desktop", "workstation", "server", "rack", "server-lease", "capex-estimate"
]
PurchaseKind = Literal["list", "launch-list", "indicative-list", "street", "quote", "estimate", "refurbished", "resale-peak", "lease-1y"]
NOT_FOR_SALE: frozenset[str] = frozenset({"server-lease", "capex-estimate"})
"""Categories that no option is made of: a lease is not a purchase, an estimate of a maker's cost is not an offer."""
CONFIGURABLE: frozenset[str] = frozenset({"desktop", "workstation", "edge"})
"""Categories sold with several memory sizes; elsewhere sources merely label one size differently."""
GENERAL_MARKETS = (None, "US")
WORST_QUALITY = 4
"""Lines of quality 5 (superseded, resale peaks, refurbished, bills of materials) never price an option."""


class Purchase(Record):
    """One price line of a thing to buy, for the whole item, before tax unless the note says otherwise."""

    id: str
    category: Category
    item: str
    chip: str
    chips: Annotated[int, Field(ge=1)]
    memory_gb: Annotated[float, Field(gt=0)] | None = None
    """Accelerator memory of this configuration, all chips together, as labelled; where a device is sold with several sizes, it decides."""
    price: Money | None = None
    currency: Currency
    price_kind: PurchaseKind
    range: Literal["low", "typical", "high"] | None = None
    """Which end of a printed range the line holds."""
    quality: Annotated[int, Field(ge=1, le=5)]
    """1 dated street price, 2 current list, quote or street range, 3 launch or indicative list, 4 estimate, 5 not to be used."""
    from_: Annotated[Day, Field(alias="from")]
    date_precision: DatePrecision = "day"
    seen: Day
    region: Country | None = None
    """Market of the price; None = not bound to one (mostly US dollars)."""
    includes_host: bool
    """True for complete machines; a bare card or module is priced with a stated host."""
    device_power_w: Annotated[float, Field(gt=0)] | None = None
    system_power_w: Annotated[float, Field(gt=0)] | None = None
    source: str
    note: str | None = None


class PurchaseOption(Record):
    """One configuration that can be bought, with the price that the rule of `purchase_options` picks."""

    id: str
    item: str
    category: Category
    chip: str
    chips: int
    memory_gb: float | None
    price: Decimal
    low: Decimal
    high: Decimal
    currency: str
    price_kind: PurchaseKind
    quality: int
    from_: Annotated[Day, Field(alias="from")]
    seen: Day
    region: str | None
    includes_host: bool
    device_power_w: float | None
    system_power_w: float | None
    source: str
    lines: tuple[str, ...]
    """Ids of the price lines behind it."""
    note: str | None


def purchase_options(purchases: Iterable[Purchase], day: str, country: str | None = None) -> list[PurchaseOption]:
    """One option per (chip, chips, memory where it can be chosen, host), sorted by id, for a buyer in `country`.

    Lines of the same item, day and kind form one price: the typical figure, else the middle between low and high. Among the items of a
    configuration a current price (quality 1 or 2) beats a launch price or an estimate; then the buyer's market, then the general one, then
    any other; then quality, the newest price, the cheapest. Lines after `day` or without price do not count. A power that the picked line
    does not state is taken from another line of the configuration.
    """
    items: dict[tuple[Any, ...], list[Purchase]] = defaultdict(list)
    powers: dict[Any, dict[str, float]] = defaultdict(dict)
    for line in purchases:
        configuration = (line.chip, line.chips, line.memory_gb if line.category in CONFIGURABLE else None, line.includes_host)
        for name in ("device_power_w", "system_power_w"):
            if (power_w := getattr(line, name)) is not None:
                powers[configuration].setdefault(name, power_w)
        if line.price is not None and line.from_ <= day and line.quality <= WORST_QUALITY and line.category not in NOT_FOR_SALE:
            items[(configuration, line.item, line.from_, line.price_kind)].append(line)
    best: dict[Any, PurchaseOption] = {}
    for (configuration, *_), lines in items.items():
        option = _option(lines)
        known = best.get(configuration)
        if known is None or _preference(option, country) < _preference(known, country):
            best[configuration] = option
    complete = [
        option.model_copy(update={name: power_w for name, power_w in powers[configuration].items() if getattr(option, name) is None})
        for configuration, option in best.items()
    ]
    return sorted(complete, key=lambda option: option.id)


def _preference(option: PurchaseOption, country: str | None) -> tuple[Any, ...]:
    market = 0 if country is not None and option.region == country else 1 if option.region in GENERAL_MARKETS else 2
    age = -int(option.from_.replace("-", ""))
    return option.quality > 2, market, option.quality, age, option.price, option.id


def _option(lines: Sequence[Purchase]) -> PurchaseOption:
    prices = sorted(line.price for line in lines if line.price is not None)
    typical = [line.price for line in lines if line.range in (None, "typical") and line.price is not None]
    first = min(lines, key=lambda line: line.id)
    return PurchaseOption.model_construct(
        id=first.id.removesuffix(f"-{first.range}"),
        item=first.item,
        category=first.category,
        chip=first.chip,
        chips=first.chips,
        memory_gb=first.memory_gb,
        price=typical[0] if typical else (prices[0] + prices[-1]) / 2,
        low=prices[0],
        high=prices[-1],
        currency=first.currency,
        price_kind=first.price_kind,
        quality=first.quality,
        from_=first.from_,
        seen=first.seen,
        region=first.region,
        includes_host=first.includes_host,
        device_power_w=first.device_power_w,
        system_power_w=first.system_power_w,
        source=first.source,
        lines=tuple(sorted(line.id for line in lines)),
        note=first.note,
    )


class TcoReference(Record):
    """An analyst's all-in cost per accelerator-hour: shown for comparison, never an input."""

    id: str
    chip: str
    basis: Literal["hyperscaler", "neocloud", "rent-3y"]
    usd_per_chip_h: Money
    power_w_per_chip: Annotated[float, Field(gt=0)] | None = None
    """All-in utility power per accelerator."""
    from_: Annotated[Day, Field(alias="from")]
    seen: Day
    source: str
    note: str | None = None


Metric = Literal["electricity", "electricity-levy", "pue", "colocation", "colocation-rack", "tco", "grid-carbon"]


class HostingFigure(Record):
    """Power, space, overhead or carbon of a country or site."""

    id: str
    metric: Metric
    country: Country | None = None
    place: str | None = None
    """Site, tariff or grid zone; None = the whole country. `aws:global average` speaks of the sites of that provider."""
    value: Annotated[Decimal, Field(gt=0)]
    currency: Currency | None = None
    unit: Literal["per kWh", "per kW-month", "per month", "per W", "ratio", "gCO2e/kWh", "years"]
    default: bool = False
    """The figure used for the country where the question names none; without country: used everywhere else."""
    from_: Annotated[Day | None, Field(alias="from")] = None
    date_precision: DatePrecision = "day"
    seen: Day
    source: str
    note: str | None = None


def default_figure(figures: Iterable[HostingFigure], metric: Metric, country: str | None) -> HostingFigure | None:
    """The default line of `metric` for the country, else the one without country, else None."""
    defaults = {figure.country: figure for figure in figures if figure.default and figure.metric == metric}
    return defaults.get(country) or defaults.get(None)


class Assumption(Record):
    """A default of the cost model that a user may override."""

    value: Annotated[Decimal, BeforeValidator(str)]
    unit: str
    source: Annotated[tuple[str, ...], BeforeValidator(lambda raw: (raw,) if isinstance(raw, str) else raw)]
    note: str | None = None

    @property
    def judged(self) -> bool:
        """True where no source states the figure."""
        return set(self.source) <= {JUDGEMENT, FROM_MEMORY}


ASSUMED_ON_REQUEST = {"electricity_usd_per_kwh": "USD/kWh", "colocation_usd_per_kw_month": "USD/kW-month"}
"""Assumptions that a question may make in place of the figures by country -> their unit."""
STATED = "stated in the question"
STATED_ELSEWHERE = {"hours_per_month": "--hours", "headroom": "--headroom"}
"""Assumptions that have an option of their own, and no effect here."""
LEAST_YEARS = 0.1
LEAST = {"utilisation_default": 0.01, "weights_load_bytes_per_s": 1.0}
"""Of what something is divided by."""
MOST_ASSUMED = 1e12


def assumed(name: str, value: float, instead_of: Assumption | None) -> Assumption:
    """What a question assumes. Raises UsageError for what cannot be: negative, no number, a share of more than all."""
    if option := STATED_ELSEWHERE.get(name):
        raise UsageError(f"--assume {name}: has no effect; state it with {option}")
    unit = instead_of.unit if instead_of else ASSUMED_ON_REQUEST[name]
    most = 1.0 if unit.startswith("share") else MOST_ASSUMED
    least = 1.0 if unit == "ratio" else LEAST_YEARS if unit == "year" else LEAST.get(name, 0.0)
    if not (math.isfinite(value) and least <= value <= most):
        raise UsageError(f"--assume {name}={value:g}: accepted: {least:g} to {most:g} [{unit}]")
    return Assumption.model_construct(value=Decimal(str(value)), unit=unit, source=(STATED,), note=None)
