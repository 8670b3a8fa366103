"""Parts of the answers that say what it costs: the bill, line by line, and the figures it leads to."""

from typing import Literal

from infra_advisor.advice.parts import Part


class CostLine(Part):
    """One line of a bill: quantity times unit price is the amount, to the cent."""

    name: str
    quantity: float
    unit: str
    unit_price_usd: float
    amount_usd: float
    note: str | None = None
    """What the price rests on; where the amount is zero, why."""


class CostAt(Part):
    """What a month costs at one load of the fleet."""

    point: Literal["load", "limit", "saturation"]
    """The user's load; the highest within the targets; as full as memory and the engine allow."""
    output_tokens_per_s: float
    usd_per_month: float
    usd_per_mtok_output: float
    usd_per_mtok_output_low: float | None = None
    """At the fast end of the throughput's band; `high` at its slow end."""
    usd_per_mtok_output_high: float | None = None
    usd_per_mtok_total: float
    usd_per_1000_requests: float
    usd_per_user_month: float | None = None
    """Null where the load is not stated in users."""


class Cost(Part):
    """Cost at the user's load, with the cost at the target limit beside it."""

    usd_per_h: float | None
    """Of the month, over the hours of service."""
    usd_per_month: float | None
    """Sum of the lines."""
    usd_per_month_reason: str | None = None
    """Why it is null."""
    usd_per_mtok_output: float | None
    usd_per_mtok_total: float | None
    usd_per_mtok_output_low: float | None = None
    usd_per_mtok_output_high: float | None = None
    usd_per_mtok_output_at_limit: float | None
    usd_per_mtok_output_at_saturation: float | None = None
    """As full as memory and the engine allow, whatever the latency: what benchmarks quote."""
    utilisation: float | None
    """Throughput at the load divided by the highest throughput within the targets."""
    hours_per_month: float | None = None
    """In which the service runs."""
    usd_initial: float | None = None
    """Paid before the first token: what is bought."""
    usd_three_years: float | None = None
    """36 months; what is bought counts by its write-off and its cost of capital."""
    points: tuple[CostAt, ...] = ()
    lines: tuple[CostLine, ...] = ()
    """The bill of a month at the load; of a million output tokens where no load in tokens is known (`lines_per`)."""
    lines_per: Literal["month", "mtok_output"] = "month"
