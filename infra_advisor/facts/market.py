"""What can be rented: nodes (instance types), offers (a node at a price in a region), and money.

An offer keeps the currency of its price list; `usd_per_h` converts with the newest rate not after a day. A changed
price is a further line with the same id and a later `from`; `price_on` picks the line in force.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Annotated, Literal, Protocol, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from infra_advisor.facts.fact import Record

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


@cache
def _in_the_calendar(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text} is not a day") from error
    return text


Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_in_the_calendar)]
Money = Annotated[Decimal, Field(gt=0, le=10_000_000)]
SAME_PRICE = Decimal("0.0005")
"""Relative. The catalog keeps four decimals of some prices; a smaller difference is rounding."""
DatePrecision = Literal["day", "month", "quarter", "half", "year"]
"""How exactly the source prints a date; a coarser one is stored as its first day."""

PriceKind = Literal[
    "on-demand",
    "monthly",
    "marketplace",
    "points",
    "from-price",
    "capacity-block",
    "serverless",
    "cluster",
    "average",
    "spot-only",
    "commitment-12m",
]
Flag = Literal["stale", "outlier", "unverified"]
Use = Literal["commercial-serving", "restricted", "batch-only"]
Fabric = Literal["nvlink-switch", "nvlink-mesh", "nvlink-bridge", "xgmi", "pcie", "neuronlink", "ici", "roce", "none"]


def _split_sizes(raw: object) -> object:
    return tuple(raw.split(",")) if isinstance(raw, str) else raw


class Node(Record):
    """One instance type as a provider sells it: chips, host, the fabric inside and the network outside."""

    id: str
    provider: str
    instance_type: str
    """Name in the provider's own price list."""
    chip: str
    chips: Annotated[float, Field(gt=0, le=20_000)]
    """Accelerators in the instance that one price buys; a fraction where a card is shared (g6f: 0.125 to 0.5 of an L4)."""
    vcpus: Annotated[float, Field(gt=0)] | None = None
    host_memory_gib: Annotated[float, Field(gt=0)] | None = None
    fabric: Fabric = "none"
    """Fastest link between the accelerators of one instance."""
    scale_up_chips: Annotated[int, Field(ge=1)] = 1
    """Accelerators that share one such fabric: 8 on an HGX board, 72 in an NVL72 rack, 1 where only PCIe joins them."""
    nic_gbit_per_s: Annotated[float, Field(gt=0, le=20_000)] | None = None
    """Network of the whole instance for traffic between accelerators, one direction. None = not documented."""
    nic_kind: str | None = None
    scalable: bool = False
    """Several instances may serve one replica: a documented network of 400 Gbit/s or more, an NVL72 rack or a TPU slice."""
    max_chips: Annotated[int, Field(ge=1)] | None = None
    """Most accelerators that one replica can span; None = no limit is documented (instances joined by their network)."""
    sizes: Annotated[tuple[int, ...], BeforeValidator(_split_sizes)] = ()
    """Accelerators that can be rented together where the price is for fewer (TPU chips, per-GPU prices, racks). Empty: `chips` only."""
    source: str
    """Ids of the sources of host, fabric, network and sizes, blank between."""
    seen: Day
    note: str | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(self.source.split())

    @property
    def rentable_chips(self) -> tuple[float, ...]:
        """Accelerator counts that can be rented as one unit, ascending; the price grows in proportion."""
        return self.sizes or (self.chips,)


class Offer(Record):
    """One price line of a node in a region, in the currency of the price list, per instance and hour."""

    id: str
    node: str
    provider: str
    region: str
    """The provider's own region id; (provider, region) names a place."""
    country: Country | None = None
    price_kind: PriceKind
    currency: Currency
    per_h: Money | None = None
    """None where only spot or reservation is sold."""
    spot_per_h: Money | None = None
    """A snapshot, never the basis of a promise."""
    reserved_1y_per_h: Money | None = None
    reserved_3y_per_h: Money | None = None
    from_: Annotated[Day, Field(alias="from")]
    """First day on which the price is known to hold."""
    date_precision: DatePrecision = "day"
    seen: Day
    """Last day on which somebody read the price; its age counts from here."""
    flag: Flag | None = None
    use: Use = "commercial-serving"
    tax_included: bool | None = None
    """Consumption tax inside the price; None = the source does not say."""
    minimum: str | None = None
    """Smallest purchase or term, as printed."""
    minimum_spend: Money | None = None
    """Smallest purchase in the currency of the price list, taxed as the price is; None = no more than an hour, or a term in `minimum`."""
    size_ratio: Annotated[float, Field(gt=0)] | None = None
    """Price per accelerator relative to the cheapest size of the family; above 1.8 the size sells CPU and memory."""
    source: str
    note: str | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(self.source.split())


class ExchangeRate(Record):
    """Units of a currency for one USD on a day."""

    id: str
    currency: Currency
    day: Day
    per_usd: Annotated[Decimal, Field(gt=0)]
    source: str
    note: str | None = None


class PriceLine(Protocol):
    """Anything with a first day of validity."""

    @property
    def from_(self) -> str: ...


Line = TypeVar("Line", bound=PriceLine)


def price_on(lines: Sequence[Line], day: str) -> Line | None:
    """The last line that starts not after `day` (ISO date); None before the first: the price is unknown then."""
    begun = [line for line in lines if line.from_ <= day]
    return max(begun, key=lambda line: line.from_) if begun else None


def same_price(one: Decimal, other: Decimal) -> bool:
    """True where two prices differ by rounding only."""
    return abs(one - other) <= one * SAME_PRICE


def newest_rates(rates: Sequence[ExchangeRate], day: str) -> dict[str, ExchangeRate]:
    """Currency -> its newest rate not after `day`."""
    newest: dict[str, ExchangeRate] = {}
    for rate in rates:
        if rate.day <= day and (rate.currency not in newest or rate.day > newest[rate.currency].day):
            newest[rate.currency] = rate
    return newest


def rates_on(rates: Sequence[ExchangeRate], day: str) -> dict[str, Decimal]:
    """Currency -> units per USD: per currency the newest rate not after `day`. USD itself is always 1."""
    return {currency: rate.per_usd for currency, rate in newest_rates(rates, day).items()} | {"USD": Decimal(1)}


def usd_per_h(amount: Decimal, currency: str, rates: Mapping[str, Decimal]) -> Decimal:
    """`amount` [currency/h] -> [USD/h] at `rates` (units per USD, from `rates_on`). KeyError for a currency without rate."""
    return amount / rates[currency]


def before_tax(amount: Decimal, tax_included: bool | None, tax_share: Decimal) -> Decimal:
    """The price without consumption tax, for comparison; `tax_share` 0.10 turns 990 into 900. Unknown counts as excluded."""
    return amount / (1 + tax_share) if tax_included else amount
