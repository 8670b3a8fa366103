"""What the product says: the documents of `recommend`, `compare` and `estimate`, and the answers in them.

Figures are unrounded and in base units; null means unknown, and a sibling `*_reason` says why where it matters.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from infra_advisor.advice.cost_parts import Cost, CostAt, CostLine
from infra_advisor.advice.licence_parts import LicencePart
from infra_advisor.advice.lock_in_parts import LockIn
from infra_advisor.advice.onsite_parts import CarryIn, SiteNeeds
from infra_advisor.advice.parts import (
    Assumption,
    Bound,
    CatalogStamp,
    Energy,
    Evidence,
    Grade,
    HardwareClass,
    HardwarePart,
    Headroom,
    IfAsked,
    LimitsPart,
    OfferPart,
    Part,
    PaymentPart,
    Performance,
    Predicted,
    SoftwarePart,
    Term,
    Violation,
    WorkloadPart,
)
from infra_advisor.advice.plan_parts import Plan
from infra_advisor.advice.residency_parts import ResidencyPart

__all__ = [
    "Answer",
    "Assumption",
    "Bound",
    "CarryIn",
    "CatalogStamp",
    "ChipColumn",
    "Comparison",
    "Cost",
    "CostAt",
    "CostLine",
    "Energy",
    "EstimateAnswer",
    "Evidence",
    "Grade",
    "HardwareClass",
    "HardwarePart",
    "Headroom",
    "LicencePart",
    "LimitsPart",
    "LockIn",
    "MemoryPart",
    "MixPart",
    "MixSide",
    "NearMiss",
    "OfferPart",
    "Part",
    "PaymentPart",
    "Performance",
    "Predicted",
    "Recommendation",
    "Relaxation",
    "ResidencyPart",
    "SiteNeeds",
    "SoftwarePart",
    "SweepPoint",
    "Term",
    "Violation",
    "WorkloadPart",
    "json_schema",
]


def _absent(part: Part | None) -> bool:
    return part is None


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
    energy: Energy = Energy()
    headroom: tuple[Headroom, ...] = ()
    grade: Grade
    reason: str | None = None
    """Why it was chosen, or why it cannot be ranked."""
    residency: Annotated[ResidencyPart | None, Field(exclude_if=lambda found: found is None)] = None
    """How it stands to what was asked about place, operator, law, attestations and keys; absent where nothing was."""
    evidence: tuple[Evidence, ...] = ()
    assumptions: tuple[str, ...] = ()
    """What this answer alone takes for granted (a bridge, a host, a borrowed rate)."""
    site_needs: Annotated[SiteNeeds | None, Field(exclude_if=_absent)] = None
    """Circuits, cooling and racks of machines of one's own; absent for others and where nobody asked."""
    carry_in: Annotated[CarryIn | None, Field(exclude_if=_absent)] = None
    """What a site without a network must be brought; likewise."""
    lock_in: LockIn | None = None
    """What it ties its buyer to and what independence costs; null where it was not worked out (beyond the first answers)."""


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


class MixSide(Part):
    """One of two fleets, and the requests it is sent."""

    over_tokens: float
    """Prompts longer than this."""
    up_to_tokens: float | None
    """Prompts up to this; null = any."""
    share: float
    """Of all requests. [1]"""
    request_rate_per_s: float
    mean_input_tokens: float
    answer: Answer
    """The fleet, at its part of the load."""


class MixPart(Part):
    """Two kinds of hardware, one for short prompts and one for long ones."""

    worth_it: bool
    """It is within the budget and cheaper than one kind by more than 5 %, or the only way within the limits."""
    reason: str | None = None
    """Why not."""
    sides: tuple[MixSide, ...] = ()
    """The best two that were found; none where no split is within the limits."""
    usd_per_month: float | None = None
    single_usd_per_month: float | None = None
    saving: float | None = None
    """Of the cost of one kind. [1]"""


class Recommendation(Part):
    """The whole answer of `recommend`."""

    schema_: Literal["infra_advisor/recommend/1"] = Field(alias="schema", default="infra_advisor/recommend/1")
    as_of: str
    catalog: CatalogStamp
    workload: WorkloadPart
    limits: LimitsPart
    payment: PaymentPart | None = None
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
    considered: dict[str, int] = Field(default_factory=dict)
    """What was searched: offers, deployments, operating points."""
    mix: MixPart | None = None
    """Two kinds of hardware instead of one; null where it was not asked for."""
    plan: Plan | None = None
    """What to measure before deciding; null where it was not asked for."""
    licence: Annotated[LicencePart | None, Field(exclude_if=_absent)] = None
    """Of the model, where commercial use was asked about."""
    warnings: tuple[str, ...] = ()
    question: dict[str, Any] | None = None
    """Everything that was asked, in the fields of the Python types (workload, limits, traffic ...), and the version that answered:
    `advisor check` asks it again."""
    currency: IfAsked = None
    """The currency that pages are written in (--currency); the figures here stay in USD."""


class ChipColumn(Part):
    """One column of a comparison: the data sheet, the market, and the best deployment for the workload."""

    id: str
    name: str
    vendor: str
    facts: dict[str, float | str | None]
    """memory_bytes (the vendor's label), memory_bytes_per_s, bf16_flop_per_s, fp8_flop_per_s, int8_flop_per_s, fp4_flop_per_s,
    link_bytes_per_s, power_w, flop_per_byte, usd_per_h_low and usd_per_h_high (per accelerator, on demand), bytes_per_usd ..."""
    prices: dict[str, tuple[float, float]] = Field(default_factory=dict)
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
    payment: PaymentPart | None = None
    assumptions: tuple[Assumption, ...]
    status: Literal["ok", "nothing_fits"] = "ok"
    columns: tuple[ChipColumn, ...]
    best: dict[str, tuple[str, ...]]
    """Row name -> ids of the columns that are best in it."""
    warnings: tuple[str, ...] = ()
    currency: IfAsked = None
    """The currency that pages are written in (--currency); the figures here stay in USD."""


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
    payment: PaymentPart | None = None
    assumptions: tuple[Assumption, ...]
    status: Literal["ok", "does_not_fit", "misses_targets"]
    reason: str | None = None
    answer: Answer | None
    violations: tuple[Violation, ...] = ()
    memory: MemoryPart | None
    sweep_over: str | None = None
    sweep: tuple[SweepPoint, ...] = ()
    warnings: tuple[str, ...] = ()
    currency: IfAsked = None
    """The currency that pages are written in (--currency); the figures here stay in USD."""


def json_schema(record: type[Part] = Recommendation) -> dict[str, Any]:
    """JSON Schema of a document, for `advisor schema`."""
    return record.model_json_schema(by_alias=True, mode="serialization")
