"""The parts an answer is made of: offer, hardware, software, performance, terms, cost, margins.

Figures are unrounded and in base units; null means unknown. `performance` speaks of the whole fleet unless a name says otherwise.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Grade = Literal["A", "B", "C", "D"]
HardwareClass = Literal["cloud", "onprem", "edge", "api"]
PriceConfidence = Literal["fresh", "aged", "stale", "unknown"]


class Part(BaseModel):
    """Base of the output records: frozen, serialised by alias."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True, defer_build=True)


class Assumption(Part):
    """One input or default the answer rests on, stated once."""

    name: str
    value: str | float | int | bool | None
    origin: Literal["input", "default", "catalog"]
    note: str | None = None


class CatalogStamp(Part):
    """Which facts were used."""

    version: str
    hash: str
    layers: tuple[str, ...] = ()
    """Overlays on top of the bundled catalog, in order."""
    exchange_rates: dict[str, float] = Field(default_factory=dict)
    """Currency -> units per USD on the day."""


class CurrencyPart(Part):
    """The rate at which amounts are shown or were given in another currency. The figures of the document are in USD all the same."""

    code: str
    """ISO 4217."""
    per_usd: float
    """Units for one USD."""
    day: str
    age_d: int
    source: str
    """Title of where the rate was read."""
    source_id: str
    marks: tuple[str, ...] = ()
    """stale: older than a rate is believed."""
    consumption_tax_share: float | None = None
    """Of yen: the Japanese consumption tax, which is in no amount; null for other currencies. [1]"""


IfAsked = Annotated[CurrencyPart | None, Field(exclude_if=lambda rate: rate is None)]
"""A rate that is absent, not null, where nobody asked for a currency: such documents hold nothing of it."""


IfAny = Annotated[tuple[str, ...], Field(exclude_if=lambda names: not names)]
"""Names that are absent, not empty, where nobody gave any."""


class WorkloadPart(Part):
    """The load as it was understood; the unset ways of stating it are null."""

    model: str
    model_name: str
    hf_id: str | None = None
    parameters_total: float
    parameters_active: float
    input_tokens: int
    output_tokens: int
    reasoning_tokens: int = 0
    """Of the output tokens, those thought before the answer."""
    weights: str
    kv: str
    draft_tokens: int | None = None
    """Speculative decoding: tokens proposed before each step."""
    acceptance: float | None = None
    concurrency: float | None = None
    request_rate_per_s: float | None = None
    users: float | None = None
    think_s: float | None = None
    tokens_per_day: float | None = None
    utilisation: float | None = None
    """Share of the highest load within the targets at which an unstated load is priced."""


class LimitsPart(Part):
    """The limits as they were understood; null where none was set."""

    statistic: Literal["mean", "p50", "p95", "p99"] = "p95"
    spare: int = 0
    headroom: float = 0.0
    ttft_s: float | None = None
    tpot_s: float | None = None
    throughput_tokens_per_s: float | None = None
    budget_usd_per_month: float | None = None
    residency: str | None = None
    where: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    accelerators: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    max_price_age_d: float | None = None
    portable: bool = False
    owned: str | None = None
    commercial: Annotated[str | None, Field(exclude_if=lambda wanted: wanted is None)] = None
    """What the licence of the model must allow: yes, or conditional; absent where it was not asked."""
    budget_rate: IfAsked = None
    """How the budget became USD; absent where it was given in USD."""
    operator_home: IfAny = ()
    no_foreign_law: IfAny = ()
    attestation: IfAny = ()
    keys: Annotated[str | None, Field(exclude_if=lambda keys: keys is None)] = None
    allow_unknown: Annotated[bool, Field(exclude_if=lambda allowed: not allowed)] = False
    """These five are absent where they were not asked for."""


class PaymentPart(Part):
    """How one would pay, as it was understood."""

    commit: Literal["none", "1y", "3y", "auto"] = "none"
    hours_per_month: float = 730.0
    cached_share: float = 0.0
    batch: bool = False
    assume: dict[str, float] = Field(default_factory=dict)


class OfferPart(Part):
    """What is rented or bought, at which price, read where and when."""

    id: str
    provider: str
    provider_name: str | None = None
    instance_type: str
    region: str | None
    country: str | None
    price_kind: str
    usd_per_h: float | None
    """USD per hour of one instance (cloud) or one box (amortised purchase + power + hosting)."""
    currency: str | None = None
    """In which the price is asked; the rate taken stands in the stamp of the catalog."""
    price_date: str | None
    """Day on which it was last seen."""
    price_age_d: int | None = None
    price_age_limit_d: float | None = None
    """Days for which a price of this kind is believed."""
    price_confidence: PriceConfidence = "unknown"
    """Of the cost, beside the grade of the speed. aged: last seen longer ago than that; stale: a newer price is known to exist; unknown: no
    price, or of no known day. Never a reason to leave an offer out: that takes max_price_age_d."""
    source: str | None
    """Title of where the price was read."""
    source_id: str | None = None
    marks: tuple[str, ...] = ()
    """stale, outlier, unverified, spot, marketplace, restricted ...: why a careful buyer looks twice."""
    purchase_usd: float | None = None
    other_regions: int = 0
    """How many further offers of the same decision stand behind this one."""


class HardwarePart(Part):
    """What runs the model."""

    class_: HardwareClass = Field(alias="class")
    accelerator: str
    accelerator_name: str
    vendor: str
    accelerators_per_replica: int
    replicas: int
    accelerators_total: int
    instances: int
    accelerators_billed: float


class SoftwarePart(Part):
    """How it is run."""

    engine: str
    weights: str
    kv: str
    tp: int = 1
    pp: int = 1
    ep: int = 1
    dp: int = 1


class Predicted(Part):
    """One predicted latency [s]; `low` and `high` bound the mean with 90 % confidence."""

    mean: float | None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    low: float | None = None
    high: float | None = None


class Performance(Part):
    """Predicted speed of the whole fleet at the load."""

    concurrency: float | None
    request_rate_per_s: float | None
    ttft_s: Predicted
    tpot_s: Predicted
    output_tokens_per_s: float | None
    replica_output_tokens_per_s: float | None
    output_tokens_per_s_per_user: float | None
    max_concurrency: float | None
    """Most requests in flight, over the fleet, that still meet every target (or that memory holds, without targets)."""
    max_output_tokens_per_s: float | None = None
    saturated: bool = False
    simulated_requests: int | None = None
    """Requests of a simulation that the times rest on; null where they come from the closed form."""
    tokens_per_joule: float | None = None
    """Output tokens, at the wall of the site; see `energy`."""
    speed_reason: str | None = None


class Bound(Part):
    """What binds each phase: memory bandwidth, compute, interconnect, capacity, host or queue."""

    prefill: str | None
    decode: str | None


class Term(Part):
    """One named share of the time of one prefill or one decode step; the terms of a phase add up to it."""

    phase: Literal["prefill", "decode"]
    name: str
    seconds: float
    bound: str
    detail: str | None = None
    """The arithmetic in words: bytes / bandwidth, FLOP / rate."""


class Energy(Part):
    """Electricity and carbon of the whole fleet at the load, at the wall of the site: hosts, unused accelerators and PUE included."""

    power_w: float | None = None
    """Taken from the grid: (accelerators + hosts) x PUE."""
    accelerators_w: float | None = None
    host_w: float | None = None
    power_measured: bool | None = None
    """Power of a chip of this class was measured; false = the curve of others is assumed."""
    tokens_per_joule: float | None = None
    kwh_per_mtok_output: float | None = None
    kwh_per_mtok_output_low: float | None = None
    """90 % band: errors of power and of throughput together."""
    kwh_per_mtok_output_high: float | None = None
    gco2e_per_mtok_output: float | None = None
    """kWh x grid; the making of the hardware is not in it."""
    grid_gco2e_per_kwh: float | None = None
    grid_source: str | None = None
    provider_gco2e_per_kwh: float | None = None
    """The provider's own figure of its grid, by another method: not used."""
    pue: float | None = None
    """Power of the site over that of its machines."""
    pue_source: str | None = None
    reason: str | None = None
    """Why the energy is unknown."""
    carbon_reason: str | None = None
    """Why the grid is unknown."""


class Headroom(Part):
    """How far inside (positive) or outside (negative) one limit lies."""

    limit: str
    allowed: float | str
    predicted: float | str | None
    margin: float | None
    """1 - predicted/allowed for an upper limit, predicted/allowed - 1 for a lower one."""
    met: bool | None


class Violation(Part):
    """One broken limit of a near miss."""

    limit: str
    allowed: float | str
    predicted: float | str | None
    relax: str
    """The smallest change of the question that would admit this option."""


class Evidence(Part):
    """One measurement near the predicted point."""

    row: str
    text: str
    distance: float
    source: str
    date: str | None = None
