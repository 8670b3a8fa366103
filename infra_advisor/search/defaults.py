"""Figures that hold for every family."""

from pydantic import Field

from infra_advisor.facts.fact import Record


class Defaults(Record):
    """Figures that hold for every family."""

    note: str
    queue_weight_open: float = Field(gt=0, le=1)
    fill_least: float = Field(gt=0, le=1)
    expert_fill_least: float = Field(gt=0, le=1)
    tpot_p95_rise: float = Field(ge=0, le=10)
    """Of the 95th percentile of TPOT over its mean, per unit of prefill load."""
    tpot_p99_rise: float = Field(ge=0, le=10)
