"""The answer of `capacity`."""

from typing import Literal

from pydantic import Field

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.cost_parts import CostLine
from infra_advisor.advice.parts import Assumption, CatalogStamp, IfAsked, LimitsPart, Part, PaymentPart, WorkloadPart
from infra_advisor.advice.simulated import TimePart


class LoadPart(Part):
    """One load, and what requests saw of it."""

    load: float
    """In the unit of the answer."""
    request_rate_per_s: float
    concurrency: float
    """Requests in flight, on average."""
    ttft_s: TimePart
    tpot_s: TimePart
    output_tokens_per_s: float
    goodput_per_s: float
    holds: bool
    """Every target is kept."""
    saturated: bool


class ProfilePart(Part):
    """How the load moves through the week."""

    name: str
    peak: float
    """Load of the busiest hour, in the unit of the answer."""
    week: tuple[float, ...]
    """168 hourly shares of the peak, Monday first."""
    mean_share: float
    """Mean load over the peak. [1]"""
    requests_per_month: float


class PlanPart(Part):
    """One way to run the fleet through the month."""

    name: Literal["fixed", "schedule", "scale-to-zero"]
    machines: float
    """At the busiest hour, spare ones included."""
    machine_hours_per_month: float
    """Running or starting."""
    usd_per_month: float | None
    usd_per_month_reason: str | None = None
    usd_per_mtok_output: float | None
    lines: tuple[CostLine, ...] = ()
    """The bill of the month."""
    saving: float | None
    """Against the fixed fleet. [1]"""
    late_share: float
    """Of all requests, those that wait for a cold start. [1]"""


class CapacityAnswer(Part):
    """The whole answer of `capacity`."""

    schema_: Literal["infra_advisor/capacity/1"] = Field(alias="schema", default="infra_advisor/capacity/1")
    as_of: str
    catalog: CatalogStamp
    workload: WorkloadPart
    limits: LimitsPart
    payment: PaymentPart | None = None
    assumptions: tuple[Assumption, ...]
    status: Literal["ok", "misses_targets", "does_not_fit"]
    reason: str | None = None
    answer: Answer | None
    """The deployment, in closed form at the load it was chosen for."""
    replicas: int
    prefill_replicas: int = 0
    """Beside them, replicas that only prefill; the others then only decode. 0 = each does both."""
    think_s: float
    """Of a user, between an answer and the next question; without meaning where the load is a rate."""
    unit: Literal["users", "requests_per_s"]
    limit: LoadPart | None
    """The largest load within the targets; null where none is."""
    curve: tuple[LoadPart, ...] = ()
    profile: ProfilePart | None = None
    cold_start_s: float | None = None
    """Machine, weights and engine, until the first request is answered."""
    plans: tuple[PlanPart, ...] = ()
    warnings: tuple[str, ...] = ()
    currency: IfAsked = None
    """The currency that pages are written in (--currency); the figures here stay in USD."""
