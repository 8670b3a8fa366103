"""What became of the requests of a run: counts, statistics of their times, and whether the targets were kept."""

from dataclasses import dataclass

from infra_advisor.search.quantiles import Times
from infra_advisor.search.solve import Targets

STATISTICS = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True)
class Statistics:
    """Of one time over all counted requests; None where nothing was counted. [s]"""

    mean: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None

    @classmethod
    def of(cls, times: Times) -> "Statistics":
        """Mean and quantiles."""
        return cls(times.mean_s, **{name: times.quantile_s(share) for name, share in STATISTICS.items()})


@dataclass(frozen=True)
class Sample:
    """The replicas at the moment of an arrival."""

    at_s: float
    waiting: int
    """Requests that have no first token yet."""
    running: int
    """Sequences that decode."""
    cache_share: float
    """Of the cache pools, in use. [1]"""


@dataclass(frozen=True)
class Simulated:
    """What became of the requests of a run."""

    arrived: int
    finished: int
    rejected: int
    preempted: int
    """Preemptions, not requests."""
    counted: int
    """Requests after the warm-up, on which the statistics rest."""
    window_s: float
    """Time over which throughput and goodput are taken."""
    ttft_s: Statistics
    tpot_s: Statistics
    e2e_s: Statistics
    good: int
    """Counted requests that met every target given."""
    goodput_per_s: float
    """Of the requests that finished, by the share of the counted ones that were good."""
    output_tokens_per_s: float
    utilisation: float
    """Share of the time in which a replica had work. [1]"""
    mean_running: float
    """Sequences that decode at once on a replica, while it works."""
    hit_share: float
    """Of all prompt tokens, found in the prefix cache. [1]"""
    saturated: bool
    """More arrives than is served, or more wait than there are places for."""
    samples: tuple[Sample, ...]
    hopeless: bool = False
    """The run ended early: a target was already missed."""

    @property
    def in_flight(self) -> int:
        """Requests that have not left; a run ends when all have."""
        return self.arrived - self.finished - self.rejected

    def at(self, statistic: str) -> tuple[float | None, float | None]:
        """(TTFT, TPOT) at a statistic. [s]"""
        return getattr(self.ttft_s, statistic), getattr(self.tpot_s, statistic)


def within(targets: Targets, run: Simulated) -> bool:
    """True where a simulated run keeps the targets at their statistic, and no backlog grows."""
    ttft_s, tpot_s = run.at(targets.statistic)
    slow = (targets.ttft_s is not None and ttft_s is not None and ttft_s > targets.ttft_s) or (
        targets.tpot_s is not None and tpot_s is not None and tpot_s > targets.tpot_s
    )
    late = targets.request_s is not None and run.e2e_s.mean is not None and run.e2e_s.mean > targets.request_s
    return not (slow or late or run.saturated or run.rejected or run.hopeless)
