"""Turn a question about load into an operating point of one replica: how much it may carry, how many it takes, where each then works."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra_advisor.physics.serving import Served, waiting_quantile_s
from infra_advisor.search.deployments import Column
from infra_advisor.search.points import Timing

QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
BISECTIONS = 12
CLOSE = 1.002
"""Bisection ends where the bounds differ by less."""
LEAST_IN_FLIGHT = 1e-3
QUIET = 0.05
"""Requests in flight of a replica that hardly ever meet."""


@dataclass(frozen=True)
class Targets:
    """What every answer must keep. None = no limit. Latencies are one figure, or one per deployment."""

    ttft_s: float | Column | None = None
    tpot_s: float | Column | None = None
    request_s: float | None = None
    """Longest mean time of a whole request; how a throughput target at a fixed number of users acts."""
    statistic: str = "mean"

    def at(self, place: int) -> "Targets":
        """Those of one deployment, as plain figures."""
        ttft_s, tpot_s = (float(limit[place]) if isinstance(limit, np.ndarray) else limit for limit in (self.ttft_s, self.tpot_s))
        return Targets(ttft_s, tpot_s, self.request_s, self.statistic)


@dataclass(frozen=True)
class Load:
    """The load of the whole fleet, in one of three forms; all None: as loaded as the targets allow."""

    in_flight: float | None = None
    users: float | None = None
    think_s: float = 0.0
    request_rate_per_s: float | None = None

    @property
    def open_arrivals(self) -> bool:
        """Requests arrive by themselves, not when an earlier one ends."""
        return self.in_flight is None

    @property
    def stated(self) -> bool:
        """True where the fleet's load is given."""
        return self.in_flight is not None or self.users is not None or self.request_rate_per_s is not None


def latency(timing: Timing, served: Served, statistic: str) -> tuple[Column, Column]:
    """(TTFT, TPOT) at a statistic. [s]

    Quantiles of TTFT: the queue is zero or exponential, the rest is fixed. TPOT: above the mean in proportion to the prefill load, since
    what interrupts decoding makes requests differ. This screens; what is shown is settled by simulation.
    """
    if statistic == "mean":
        return served.ttft_s, served.tpot_s
    quantile = QUANTILES[statistic]
    fixed_s = served.ttft_s - served.queue_s
    wait_s = waiting_quantile_s(mean_wait_s=served.queue_s, busy_share=served.prefill_load, quantile=quantile)
    rise = {"p95": timing.defaults.tpot_p95_rise, "p99": timing.defaults.tpot_p99_rise}.get(statistic, 0.0)
    ttft_s = fixed_s + np.maximum(wait_s, served.queue_s if quantile > 0.5 else 0.0)
    if (longer_s := timing.longer_s(statistic)) is not None:  # a long prompt that waits as long as any, or any that waits long
        ttft_s = np.maximum(ttft_s, served.ttft_s + longer_s)
    return ttft_s, served.tpot_s * (1.0 + rise * served.prefill_load)


def meets(timing: Timing, served: Served, targets: Targets) -> NDArray[np.bool_]:
    """Which replicas keep every target at this operating point."""
    ttft_s, tpot_s = latency(timing, served, targets.statistic)
    kept = np.ones(len(timing.d), dtype=bool)
    if targets.ttft_s is not None:
        kept &= ttft_s <= targets.ttft_s
    if targets.tpot_s is not None:
        kept &= tpot_s <= targets.tpot_s
    if targets.request_s is not None:
        kept &= served.request_s(timing.output_tokens) <= targets.request_s
    return kept


def most_in_flight(timing: Timing, targets: Targets, *, open_arrivals: bool) -> Column:
    """Most requests in flight at which a replica keeps every target; 0 where it misses them with next to none.

    Latency rises with load, so the limit is found by bisection between one request and all that memory holds. A whole number
    that keeps the targets is never missed: fleets at a fixed number of requests are sized by it. Open arrivals meet each other even
    where less than one is in flight on average, so there the search goes down to `QUIET`.
    """
    top = timing.memory.most_running
    one, quiet = np.ones(len(top)), np.full(len(top), QUIET)
    alone = meets(timing, timing.serve(one, open_arrivals=open_arrivals), targets)
    full = meets(timing, timing.serve(top, open_arrivals=open_arrivals), targets)
    kept_quiet = alone | meets(timing, timing.serve(quiet, open_arrivals=True), targets) if open_arrivals else alone
    low, high = np.where(alone, one, quiet), np.where(alone, top, one)
    for _ in range(BISECTIONS):
        if np.all(full | ~kept_quiet | (high <= low * CLOSE)):
            break
        middle = np.sqrt(low * high)
        kept = meets(timing, timing.serve(middle, open_arrivals=open_arrivals), targets)
        low, high = np.where(kept, middle, low), np.where(kept, high, middle)
    whole = np.maximum(np.floor(high), 1.0)
    kept = meets(timing, timing.serve(whole, open_arrivals=open_arrivals), targets)
    low = np.where(alone & kept, np.maximum(whole, low), low)
    return np.where(kept_quiet, np.where(full, top, low), 0.0)


def at_limit(limit: Column) -> Column:
    """Requests in flight at the limit; one where there is none within the targets."""
    return np.where(limit > 0.0, limit, 1.0)


def at_share_of(timing: Timing, limit: Column, wanted: Callable[[Served], Column], target: Column, *, open_arrivals: bool) -> Column:
    """Requests in flight, at most `limit`, at which a quantity that rises with load reaches `target`."""
    low, high = np.full(len(limit), LEAST_IN_FLIGHT), np.maximum(limit, LEAST_IN_FLIGHT)
    for _ in range(BISECTIONS):
        middle = np.sqrt(low * high)
        below = wanted(timing.serve(middle, open_arrivals=open_arrivals)) < target
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    if np.any(high < 2.0 * LEAST_IN_FLIGHT):  # next to no load: nothing queues, so the quantity is proportional to the load
        least = wanted(timing.serve(np.full(len(limit), LEAST_IN_FLIGHT), open_arrivals=open_arrivals))
        high = np.where(least > target, LEAST_IN_FLIGHT * target / least, high)
    return high


@dataclass(frozen=True)
class Solved:
    """Operating points of the fleet, one per deployment."""

    limit: Column
    """Most requests in flight per replica within the targets; 0 = misses them with next to none."""
    replicas: Column
    in_flight: Column
    """Per replica, at the load."""
    served: Served
    served_at_limit: Served


def rate_of(served: Served, output_tokens: float | Column) -> Column:
    """Requests/s one replica completes."""
    rate: Column = served.in_flight / served.request_s(output_tokens)
    return rate


def users_of(served: Served, output_tokens: float | Column, think_s: float) -> Column:
    """Users one replica serves, who think between requests: in flight x (think + request) / request."""
    request_s = served.request_s(output_tokens)
    users: Column = served.in_flight * (think_s + request_s) / request_s
    return users


def solve(
    timing: Timing,
    targets: Targets,
    load: Load,
    *,
    utilisation: float,
    per_machine: Column,
    headroom: float = 0.0,
) -> Solved:
    """Fewest whole machines that keep the targets at the load, all their replicas at work, and where each then works.

    A machine is paid for whole, so a replica it has room for costs nothing and shortens the queues of the others; but there are never
    more replicas than requests in flight. With no load stated the fleet is one machine and carries `utilisation` of its highest rate.
    `headroom`: share of the capacity within the targets that a stated load leaves free.
    """
    opened = load.open_arrivals
    limit = most_in_flight(timing, targets, open_arrivals=opened)
    at = at_limit(limit)
    top = timing.serve(at, open_arrivals=opened)
    out, sized = timing.output_tokens, 1.0 / (1.0 - headroom)
    if load.in_flight is not None:
        needed = np.ceil(load.in_flight * sized / np.maximum(np.floor(at + 1e-9), 1.0))
        replicas = _filled(needed, per_machine, load.in_flight)
    elif load.users is not None:
        needed = np.maximum(np.ceil(load.users * sized / users_of(top, out, load.think_s) - 1e-9), 1.0)
        request_s = top.request_s(out)
        replicas = _filled(needed, per_machine, load.users * request_s / (request_s + load.think_s))
    elif load.request_rate_per_s is not None:
        needed = np.maximum(np.ceil(load.request_rate_per_s * sized / rate_of(top, out) - 1e-9), 1.0)
        replicas = _filled(needed, per_machine, load.request_rate_per_s * top.request_s(out))
    else:
        replicas = per_machine
    return with_replicas(timing, limit, load, replicas, utilisation=utilisation, most=at)


def with_replicas(timing: Timing, limit: Column, load: Load, replicas: Column, *, utilisation: float, most: Column) -> Solved:
    """Where each of a number of replicas works at the load, with at most `most` requests in flight. `limit`: as in `Solved`."""
    opened, out = load.open_arrivals, timing.output_tokens
    top = timing.serve(at_limit(limit), open_arrivals=opened)
    if load.in_flight is not None:
        in_flight = load.in_flight / replicas
    elif load.users is not None:
        users, think_s = load.users, load.think_s
        in_flight = at_share_of(timing, most, lambda served: users_of(served, out, think_s), users / replicas, open_arrivals=opened)
    else:
        rate = utilisation * rate_of(top, out) if load.request_rate_per_s is None else load.request_rate_per_s / replicas
        in_flight = at_share_of(timing, most, lambda served: rate_of(served, out), rate, open_arrivals=opened)
    return Solved(limit, replicas, in_flight, timing.serve(in_flight, open_arrivals=opened), top)


def _filled(needed: Column, per_machine: Column, in_flight: float | Column) -> Column:
    """Replicas of the machines that the needed ones take, but no more than there are requests for."""
    whole = np.ceil(needed / per_machine) * per_machine
    return np.minimum(whole, np.maximum(needed, np.ceil(in_flight)))


def solve_one(timing: Timing, targets: Targets, load: Load, *, utilisation: float) -> tuple[Solved, NDArray[np.bool_]]:
    """One replica of each deployment carries the whole load, targets kept or not; and where the load is more than it can carry.

    Beyond that point a closed load queues; an open one is answered at saturation, since its queue would grow without end.
    """
    opened = load.open_arrivals
    limit = most_in_flight(timing, targets, open_arrivals=opened)
    most = timing.memory.most_running
    top = timing.serve(at_limit(limit), open_arrivals=opened)
    full = timing.serve(most, open_arrivals=opened)
    out, ones = timing.output_tokens, np.ones(len(most))
    if load.in_flight is not None:
        in_flight = load.in_flight * ones
        over = in_flight > most
    elif load.users is not None:
        users, think_s = load.users, load.think_s
        in_flight = at_share_of(
            timing, np.maximum(most, users), lambda served: users_of(served, out, think_s), users * ones, open_arrivals=opened
        )
        over = in_flight > most
    elif load.request_rate_per_s is not None:
        rate = load.request_rate_per_s
        over = rate > rate_of(full, out)
        in_flight = at_share_of(timing, most, lambda served: rate_of(served, out), rate * ones, open_arrivals=opened)
    else:
        in_flight = at_share_of(
            timing, at_limit(limit), lambda served: rate_of(served, out), utilisation * rate_of(top, out), open_arrivals=opened
        )
        over = np.zeros(len(most), dtype=bool)
    return Solved(limit, ones, in_flight, timing.serve(in_flight, open_arrivals=opened), top), over
