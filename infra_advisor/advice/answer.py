"""What the product says: the records behind every table, memo and JSON document of `recommend`.

Figures are unrounded and in base units; null means unknown, and a sibling `*_reason` says why where it matters.
`performance` speaks of the whole fleet unless a name says otherwise.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = "infra_advisor/recommend/1"

Grade = Literal["A", "B", "C", "D"]
HardwareClass = Literal["cloud", "onprem", "edge", "api"]


class Part(BaseModel):
    """Base of the output records: frozen, serialised by alias."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


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


class WorkloadPart(Part):
    """The load as it was understood; the unset ways of stating it are null."""

    model: str
    model_name: str
    hf_id: str | None = None
    parameters_total: float
    parameters_active: float
    input_tokens: int
    output_tokens: int
    weights: str
    kv: str
    concurrency: float | None = None
    request_rate_per_s: float | None = None
    users: float | None = None
    think_s: float | None = None
    tokens_per_day: float | None = None
    utilisation: float | None = None
    """Share of the highest load within the targets at which an unstated load is priced."""


class LimitsPart(Part):
    """The limits as they were understood; null where none was set."""

    statistic: Literal["mean", "p50", "p95"] = "mean"
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
    owned: str | None = None


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
    price_date: str | None
    price_age_d: int | None = None
    source: str | None
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
    tokens_per_joule: float | None = None
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


class Cost(Part):
    """Cost at the user's load, with the cost at the target limit beside it."""

    usd_per_h: float | None
    usd_per_month: float | None
    usd_per_mtok_output: float | None
    usd_per_mtok_total: float | None
    usd_per_mtok_output_low: float | None = None
    usd_per_mtok_output_high: float | None = None
    usd_per_mtok_output_at_limit: float | None
    utilisation: float | None
    """Throughput at the load divided by the highest throughput within the targets."""
    lines: tuple[str, ...] = ()
    """How the hourly cost is made up, one line per part."""


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


class Answer(Part):
    """One way to run the workload."""

    rank: int | None
    id: str
    labels: tuple[str, ...] = ()
    offer: OfferPart
    hardware: HardwarePart
    software: SoftwarePart
    performance: Performance
    bound: Bound
    terms: tuple[Term, ...] = ()
    cost: Cost
    headroom: tuple[Headroom, ...] = ()
    grade: Grade
    reason: str | None = None
    """Why it was chosen, or why it cannot be ranked."""
    evidence: tuple[Evidence, ...] = ()
    assumptions: tuple[str, ...] = ()
    """What this answer alone takes for granted (a bridge, a host, a borrowed rate)."""


class NearMiss(Answer):
    """An option that breaks at least one limit."""

    violations: tuple[Violation, ...]


class Relaxation(Part):
    """The cheapest way to make one binding limit admit something."""

    limit: str
    allowed: float | str
    needed: float | str
    answer: str
    """Id of the near miss it would admit."""
    text: str


class Recommendation(Part):
    """The whole answer of `recommend`."""

    schema_: Literal["infra_advisor/recommend/1"] = Field(alias="schema", default=SCHEMA)
    as_of: str
    catalog: CatalogStamp
    workload: WorkloadPart
    limits: LimitsPart
    rank_by: str = "cost"
    assumptions: tuple[Assumption, ...]
    status: Literal["ok", "nothing_fits"]
    ranked: tuple[Answer, ...]
    ranked_total: int = 0
    """How many distinct decisions were ranked before the table was cut to its length."""
    unranked: tuple[Answer, ...]
    near_misses: tuple[NearMiss, ...]
    relaxations: tuple[Relaxation, ...] = ()
    excluded: dict[str, int]
    """Reason -> number of options left out for it."""
    considered: dict[str, int] = {}
    """What was searched: offers, deployments, operating points."""
    warnings: tuple[str, ...] = ()


class ChipColumn(Part):
    """One column of a comparison: the data sheet, the market, and the best deployment for the workload."""

    id: str
    name: str
    vendor: str
    facts: dict[str, float | str | None]
    """memory_bytes, memory_bytes_per_s, bf16_flop_per_s, fp8_flop_per_s, int8_flop_per_s, fp4_flop_per_s, link_bytes_per_s, power_w, flop_per_byte,
    usd_per_h_low, usd_per_h_high (per accelerator, on demand), bytes_per_usd (memory bytes/s bought by one USD per hour) ..."""
    prices: dict[str, tuple[float, float]] = {}
    """Country -> lowest and highest on-demand USD per accelerator-hour."""
    engines: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    answer: Answer | None = None
    """Best deployment for the workload; null without a model or where nothing runs."""
    reason: str | None = None
    violations: tuple[Violation, ...] = ()
    """Limits the best deployment breaks; empty where it meets all."""


class Comparison(Part):
    """The whole answer of `compare`."""

    schema_: Literal["infra_advisor/compare/1"] = Field(alias="schema", default="infra_advisor/compare/1")
    as_of: str
    catalog: CatalogStamp
    workload: WorkloadPart | None
    limits: LimitsPart | None
    assumptions: tuple[Assumption, ...]
    status: Literal["ok", "nothing_fits"] = "ok"
    columns: tuple[ChipColumn, ...]
    best: dict[str, tuple[str, ...]]
    """Row name -> ids of the columns that are best in it."""
    warnings: tuple[str, ...] = ()


class SweepPoint(Part):
    """One point of `estimate --sweep`."""

    value: float
    fits: bool
    performance: Performance | None
    usd_per_mtok_output: float | None


class MemoryPart(Part):
    """Where the memory of one accelerator goes [bytes]."""

    total: float
    usable: float
    reserve: float
    weights: float
    activations: float
    kv_pool: float
    kv_per_sequence: float
    max_sequences: float


class EstimateAnswer(Part):
    """The whole answer of `estimate`."""

    schema_: Literal["infra_advisor/estimate/1"] = Field(alias="schema", default="infra_advisor/estimate/1")
    as_of: str
    catalog: CatalogStamp
    workload: WorkloadPart
    limits: LimitsPart
    assumptions: tuple[Assumption, ...]
    status: Literal["ok", "does_not_fit", "misses_targets"]
    reason: str | None = None
    answer: Answer | None
    violations: tuple[Violation, ...] = ()
    memory: MemoryPart | None
    sweep_over: str | None = None
    sweep: tuple[SweepPoint, ...] = ()
    warnings: tuple[str, ...] = ()


def json_schema(record: type[Part] = Recommendation) -> dict[str, Any]:
    """JSON Schema of a document, for `advisor schema`."""
    return record.model_json_schema(by_alias=True, mode="serialization")
