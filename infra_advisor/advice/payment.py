"""How one would pay: length of commitment, hours of service, and which defaults of the cost model are replaced."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.units import HOURS_PER_MONTH

Commit = Literal["none", "1y", "3y", "auto"]
COMMITS = ("none", "1y", "3y", "auto")


@dataclass(frozen=True, kw_only=True)
class Payment:
    """Commercial terms of the question."""

    commit: Commit = "none"
    """Longest commitment to a rented machine; `auto` takes whichever is cheapest of those that the offer has."""
    hours_per_month: float = HOURS_PER_MONTH
    """Hours in which the service runs; machines rented by the hour are paid for these only."""
    cached_share: float = 0.0
    """Part of the prompt tokens that a hosted API reads from its cache. [1]"""
    batch: bool = False
    """All work can wait: hosted APIs are paid at their batch price, where they have one."""
    assume: Mapping[str, float] = field(default_factory=dict)
    """Assumption -> value in its unit, instead of the catalog's."""

    def __post_init__(self) -> None:
        if self.commit not in COMMITS:
            raise UsageError(f"--commit: {self.commit!r} is unknown; accepted: {', '.join(COMMITS)}.{did_you_mean(self.commit, COMMITS)}")
        if not (math.isfinite(self.hours_per_month) and 1.0 <= self.hours_per_month <= HOURS_PER_MONTH):
            raise UsageError(f"--hours {self.hours_per_month:g}: accepted: 1 to {HOURS_PER_MONTH:g} hours a month")
        if not 0.0 <= self.cached_share <= 1.0:
            raise UsageError(f"--cached-share {self.cached_share:g}: a share from 0 to 100%")
