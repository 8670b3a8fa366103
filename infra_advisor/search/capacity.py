"""The largest load a fleet carries within its targets, by simulation, and how latency rises on the way there and beyond."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from infra_advisor.search.outcome import Simulated, within
from infra_advisor.search.simulate import Fleet, simulate
from infra_advisor.search.solve import Targets
from infra_advisor.simulator.run import Source

LoadOf = Callable[[float], tuple[Source, bool]]
"""Load -> (its requests, whether senders wait for answers). The same random numbers at every load, so that more load is harder."""

CURVE = (0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5)
"""Shares of the largest load at which the curve is taken."""
STEP = 1.5
"""From the guess to the next load; squared with each further one."""
CLOSE = 1.02
"""The search ends where the bounds differ by less, or are neighbouring whole numbers."""
MOST_RUNS = 40
ROUNDS = 2
"""Requests of each user in a run, from which on those who wait hold back the rest; with fewer a crowd acts like a stream."""
QUEUE_SHARE = 0.1
"""Of the time from one request of a user to the next, spent behind others, from which on more users only wait longer."""


@dataclass(frozen=True)
class LoadPoint:
    """One load and what requests saw of it."""

    load: float
    run: Simulated
    holds: bool


@dataclass(frozen=True)
class Ask:
    """What is asked of one fleet."""

    fleet: Fleet
    load_of: LoadOf
    targets: Targets
    requests: int
    """Of each run."""
    whole: bool
    """Loads are whole numbers: users."""
    least: float
    """Smallest load worth asking about."""
    most: float
    """Largest one."""
    think_s: float = 0.0
    """Of a user, between an answer and the next request."""

    def at(self, load: float, *, give_up: bool = False) -> LoadPoint:
        """One run."""
        source, waits = self.load_of(load)
        closed = waits and load * ROUNDS <= self.requests
        run = simulate(self.fleet, source, self.targets, steady=True, requests=self.requests, closed=closed, give_up=give_up)
        if waits and self.targets.ttft_s is None and self._queues(run):
            run = replace(run, saturated=True)
        return LoadPoint(load, run, within(self.targets, run))

    def _queues(self, run: Simulated) -> bool:
        """Users never make a queue grow without end; where no target limits their wait, a share of their time does."""
        ttft_s, request_s = run.ttft_s.mean, run.e2e_s.mean
        return ttft_s is not None and request_s is not None and ttft_s - self._alone_s > QUEUE_SHARE * (self.think_s + request_s)

    @cached_property
    def _alone_s(self) -> float:
        """TTFT at the smallest load. [s]"""
        source, _ = self.load_of(self.least)
        return simulate(self.fleet, source, self.targets, steady=True, requests=self.requests).ttft_s.mean or 0.0


def largest_load(ask: Ask, start: float, progress: Callable[[int, int], None] | None = None) -> LoadPoint | None:
    """The largest load that keeps every target, to 2 %; None where the smallest one already misses. `start`: a guess."""
    best: LoadPoint | None = None
    high: float | None = None
    load, stride = _allowed(ask, start), STEP
    for number in range(MOST_RUNS):
        if progress is not None:
            progress(number, MOST_RUNS)
        point = ask.at(load, give_up=True)
        if point.holds:
            best = point
            if load >= ask.most:
                break
        else:
            high = load
            if load <= ask.least:
                break
        if best is not None and high is not None:
            if high <= best.load * CLOSE or (ask.whole and high - best.load <= 1.0):
                break
            load = _allowed(ask, (best.load * high) ** 0.5)
        else:
            load = _allowed(ask, load * stride if point.holds else load / stride)
            stride *= stride  # a guess that is far off is left in few steps
    return best


def _allowed(ask: Ask, load: float) -> float:
    load = float(round(load)) if ask.whole else load
    return min(max(load, ask.least), ask.most)


def curve(ask: Ask, limit: float, progress: Callable[[int, int], None] | None = None) -> Iterator[LoadPoint]:
    """Points below, at and beyond the largest load."""
    loads: Sequence[float] = list(dict.fromkeys(_allowed(ask, share * limit) for share in CURVE))
    for number, load in enumerate(loads):
        if progress is not None:
            progress(number, len(loads))
        yield ask.at(load)
