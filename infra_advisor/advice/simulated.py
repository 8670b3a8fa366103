"""The answer of `simulate`."""

from typing import Literal

from pydantic import Field

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.parts import (
    Assumption,
    CatalogStamp,
    IfAsked,
    LimitsPart,
    Part,
    PaymentPart,
    Violation,
    WorkloadPart,
)


class TimePart(Part):
    """One time over all counted requests [s]; null where nothing was counted."""

    mean: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None


class RequestsPart(Part):
    """Requests of the run: arrived = finished + rejected + in flight."""

    arrived: int
    finished: int
    rejected: int
    """Too large for the cache of a replica."""
    in_flight: int
    """Still there when the run ended."""
    counted: int
    """On which times and goodput rest: those after the warm-up."""
    preempted: int
    """Times a running request was thrown out because the cache was full, and computed again."""


class TracePart(Part):
    """The trace that was replayed."""

    path: str
    speed: float
    requests: int
    span_s: float
    mean_input_tokens: float
    mean_output_tokens: float
    skipped: dict[str, int]
    """Reason -> rows left out."""
    clamped: dict[str, int]
    """Reason -> rows changed."""


class FleetPart(Part):
    """What served the requests."""

    replicas: int
    prefill_replicas: int
    """Replicas that only prefill; the others then only decode. 0 = each does both."""
    router: str
    accelerators: int
    """In all."""
    seed: int
    lengths: str
    prefix_share: float
    prefix_hits: float
    """Share of all prompt tokens found in the prefix cache. [1]"""


class SamplePart(Part):
    """The fleet at one moment."""

    at_s: float
    waiting: int
    """Requests without a first token."""
    running: int
    """Requests that decode."""
    cache_share: float
    """Of the KV cache, in use. [1]"""


class SimulateAnswer(Part):
    """The whole answer of `simulate`."""

    schema_: Literal["infra_advisor/simulate/1"] = Field(alias="schema", default="infra_advisor/simulate/1")
    as_of: str
    catalog: CatalogStamp
    workload: WorkloadPart
    limits: LimitsPart
    payment: PaymentPart | None = None
    assumptions: tuple[Assumption, ...]
    status: Literal["ok", "misses_targets", "saturated", "does_not_fit"]
    reason: str | None = None
    answer: Answer | None
    """The deployment, in closed form at the same load, with its grade and bands."""
    fleet: FleetPart
    trace: TracePart | None = None
    requests: RequestsPart
    ttft_s: TimePart
    tpot_s: TimePart
    e2e_s: TimePart
    goodput_per_s: float | None
    """Requests per second that met every target given."""
    good_share: float | None
    """Of the counted requests, those that met every target given. [1]"""
    output_tokens_per_s: float | None
    utilisation: float | None
    """Share of the time in which a replica had work. [1]"""
    mean_running: float | None
    """Requests that decode at once on a replica that has work."""
    saturated: bool
    usd_per_mtok_output: float | None
    """At the throughput of the run; null without a price."""
    violations: tuple[Violation, ...] = ()
    samples: tuple[SamplePart, ...] = ()
    warnings: tuple[str, ...] = ()
    currency: IfAsked = None
    """The currency that pages are written in (--currency); the figures here stay in USD."""
