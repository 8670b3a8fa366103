"""The document of `breakeven`: the best way to rent, to buy and to call an API, and where one becomes cheaper than the other."""

from typing import Literal

from pydantic import Field

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.cost_parts import CostLine
from infra_advisor.advice.parts import Assumption, CatalogStamp, IfAsked, LimitsPart, Part, PaymentPart, WorkloadPart

Way = Literal["rent", "commit", "buy", "api"]
"""On demand or by the month; for a year or more; bought; a hosted API."""
WAYS: tuple[Way, ...] = ("rent", "commit", "buy", "api")
Axis = Literal["tokens_per_day", "hours_per_month", "months"]


class PaidOption(Part):
    """The cheapest of one way to pay, at the load."""

    kind: Literal["rent", "buy", "api"]
    way: Way
    id: str
    answer: Answer
    lines: tuple[CostLine, ...]
    usd_per_month: float
    usd_initial: float
    """Paid before the first token."""
    usd_running_per_month: float
    """What has to be paid each month after that: without write-off and cost of capital."""
    tokens_per_day_limit: float | None
    """Prompt and output tokens that this fleet carries within the targets; null for an API."""


class CurvePoint(Part):
    """The cheapest of each way at one load, each sized for it in whole machines."""

    tokens_per_day: float
    usd_per_month: dict[Way, float]
    option: dict[Way, str]
    """Offer behind each figure."""
    cheapest: Way


class Crossing(Part):
    """Where one way becomes cheaper than another."""

    axis: Axis
    """Load; hours of service in a month at the stated rate; months after which less cash has been spent."""
    cheaper: Way
    than: Way
    value: float | None
    """First point from which `cheaper` is the cheaper one; null = nowhere that was looked at, and `reason` says so."""
    for_good: float | None = None
    """From here on it stays the cheaper one: whole machines make the first lead end again at times."""
    utilisation: float | None = None
    """Of the cheaper fleet at that load. [1]"""
    usd_per_month: float | None = None
    """Of either, there."""
    option: str | None = None
    other: str | None = None
    reason: str | None = None


class BreakevenAnswer(Part):
    """The whole answer of `breakeven`."""

    schema_: Literal["infra_advisor/breakeven/1"] = Field(alias="schema", default="infra_advisor/breakeven/1")
    as_of: str
    catalog: CatalogStamp
    workload: WorkloadPart
    limits: LimitsPart
    payment: PaymentPart
    assumptions: tuple[Assumption, ...]
    status: Literal["ok", "nothing_fits"]
    reason: str | None = None
    tokens_per_day: float | None
    """Prompt and output tokens of the load."""
    options: tuple[PaidOption, ...]
    cheapest: str | None = None
    """Id of the cheapest option at the load."""
    missing: dict[str, str] = Field(default_factory=dict)
    """Way -> why there is none."""
    breakeven: tuple[Crossing, ...] = ()
    curve: tuple[CurvePoint, ...] = ()
    currency: IfAsked = None
    warnings: tuple[str, ...] = ()
