"""The finalists of a search, settled by simulation: the fewest replicas that hold every target at the load, and what requests then see.

All finalists meet the same random numbers, so that their order is that of the hardware.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from infra_advisor.facts.chips import Chip
from infra_advisor.search.fleet import Fleets, replicas_per_machine, resized
from infra_advisor.search.laws import engines, scheduling_of
from infra_advisor.search.points import Timing
from infra_advisor.search.simulate import Fleet, Simulated, simulate, within
from infra_advisor.search.solve import QUIET, Load, latency, rate_of
from infra_advisor.search.sources import concurrent, poisson, users
from infra_advisor.search.traffic import Draws, Lengths, Traffic
from infra_advisor.simulator.engine import Engine
from infra_advisor.simulator.run import Source

REQUESTS = 800
"""Of one run where a few replicas are settled: the 95th percentile then rests on some forty requests."""
REQUESTS_PER_REPLICA = 150
MOST_REPLICAS = 8
"""Replicas that are run; a larger fleet is a multiple of them, each with its part of the load."""
LONGEST_SHARE = 0.9999
"""Quantile of the lengths up to which step times are tabulated; beyond it they go on in a straight line."""
TRIES = 6
HOPELESS = 1.1
"""A target missed by so much in closed form by a request that is nearly alone is not met by more replicas."""
FEWER_WITHIN = 1.15
"""One machine fewer is tried where the closed form misses a target by no more than this."""


@dataclass(frozen=True)
class Settled:
    """One fleet as simulated."""

    replicas: int
    run: Simulated


def settle(
    found: Fleets,
    places: Sequence[int],
    chips: Mapping[str, Chip],
    load: Load,
    traffic: Traffic,
    *,
    utilisation: float,
    headroom: float = 0.0,
    longest_tokens: float,
    fixed_size: bool = False,
) -> Fleets:
    """The fleets with some places simulated, each with the fewest machines that hold the targets.

    `fixed_size`: keep the number of replicas. `longest_tokens`: the model's context. Fleets that cannot hold the targets keep the size of
    the closed form and are marked as not kept.
    """
    places = [place for place in places if not found.over[place]]  # beyond what it can carry no time is made up
    if not places:
        return found
    index = np.array(places, dtype=np.intp)
    timing = found.timing.take(index)
    candidates = [found.candidates[place] for place in places]
    rules = [scheduling_of(candidate, chips[candidate.platform.chip]) for candidate in candidates]
    spread = traffic.lengths_for(in_step=load.in_flight is not None)
    prompt, output = float(np.max(timing.input_tokens)), float(np.max(timing.output_tokens))
    longest = min(longest_tokens, spread.prompt_at(LONGEST_SHARE, prompt) + output * max(spread.share_at(LONGEST_SHARE), 1.0))
    laws = engines(timing, rules, longest_tokens=longest, shared_share=traffic.prefix_share)
    per_machine = replicas_per_machine(candidates, timing)
    runs: dict[int, tuple[int, Simulated]] = {}
    for k, place in enumerate(places):
        one = _One(timing.take(np.array([k])), laws[k], found, place, load, traffic, spread, utilisation, longest_tokens)
        settled = one.as_it_is() if fixed_size else one.fewest(int(per_machine[k]), headroom)
        runs[place] = settled.replicas, settled.run
    return resized(found, runs, load, utilisation=utilisation)


class _One:
    """One deployment, run with as many replicas as are tried."""

    def __init__(
        self,
        timing: Timing,
        engine: Engine,
        found: Fleets,
        place: int,
        load: Load,
        traffic: Traffic,
        spread: Lengths,
        utilisation: float,
        longest_tokens: float,
    ) -> None:
        self._timing, self._engine, self._targets = timing, engine, found.targets.at(place)
        self._load, self._traffic, self._spread, self._longest = load, traffic, spread, longest_tokens
        self._closed_form = int(found.replicas[place])
        served = found.solved.served
        self._request_s = float(served.request_s(found.timing.output_tokens)[place])
        # no load stated: one machine at a share of its highest rate
        self._rate_per_replica = utilisation * float(rate_of(found.solved.served_at_limit, found.timing.output_tokens)[place])
        self._shelf: dict[tuple[int, float], Simulated] = {}

    def as_it_is(self) -> Settled:
        """With the number of replicas of the closed form."""
        return Settled(self._closed_form, self.run(self._closed_form))

    def fewest(self, step: int, headroom: float) -> Settled:
        """The fewest whole machines (`step` replicas each) that hold the targets at the load over the share that is not kept free."""
        scale = 1.0 / (1.0 - headroom)
        best = None
        at = first = self._closed_form
        for _ in range(TRIES):
            if self._holds(at, scale):
                best = at
                if at > first or at <= step or not self._nearly_holds(at - step, scale):
                    break
                at -= step
            else:
                if best is not None or not self._load.stated or self._hopeless():
                    break
                at += step * max(1, at // (4 * step))
        size = first if best is None else best
        return Settled(size, self.run(size))

    def _holds(self, replicas: int, scale: float) -> bool:
        return within(self._targets, self.run(replicas, scale, give_up=True))

    def _hopeless(self) -> bool:
        """Even a request alone misses a target."""
        served = self._timing.serve(np.full(1, QUIET), open_arrivals=self._load.open_arrivals)
        return self._excess(latency(self._timing, served, self._targets.statistic)) > HOPELESS

    def _nearly_holds(self, replicas: int, scale: float) -> bool:
        """The closed form does not rule so few replicas out."""
        if not self._load.stated:
            return False
        from infra_advisor.search.solve import with_replicas

        load, most = self._scaled(scale), self._timing.memory.most_running
        solved = with_replicas(self._timing, most, load, np.array([float(replicas)]), utilisation=1.0, most=most)
        if load.in_flight is None and float(solved.in_flight[0]) >= 0.99 * float(most[0]):
            return False
        return self._excess(latency(self._timing, solved.served, self._targets.statistic)) <= FEWER_WITHIN

    def _excess(self, figures: tuple[np.ndarray, np.ndarray]) -> float:
        limits = (self._targets.ttft_s, self._targets.tpot_s)
        return max((float(figure[0]) / float(limit) for figure, limit in zip(figures, limits, strict=True) if limit), default=0.0)

    def _scaled(self, scale: float) -> Load:
        load = self._load
        return replace(
            load,
            in_flight=None if load.in_flight is None else load.in_flight * scale,
            users=None if load.users is None else load.users * scale,
            request_rate_per_s=None if load.request_rate_per_s is None else load.request_rate_per_s * scale,
        )

    def run(self, replicas: int, scale: float = 1.0, *, give_up: bool = False) -> Simulated:
        """So many replicas at the load times `scale`; the same question is run once. `give_up`: no further than until it is hopeless."""
        key = (replicas, scale)
        if key not in self._shelf or (self._shelf[key].hopeless and not give_up):
            shown = min(replicas, MOST_REPLICAS)
            requests = max(REQUESTS, REQUESTS_PER_REPLICA * shown)
            source, closed = self._source(self._scaled(scale), shown / replicas, shown, requests)
            fleet = Fleet(engine=self._engine, replicas=shown)
            self._shelf[key] = simulate(fleet, source, self._targets, steady=True, requests=requests, closed=closed, give_up=give_up)
        return self._shelf[key]

    def _source(self, load: Load, part: float, replicas: int, requests: int) -> tuple[Source, bool]:
        draws = Draws(self._traffic.seed, self._spread, float(self._timing.input_tokens), float(self._timing.output_tokens), self._longest)
        if load.in_flight is not None:
            return concurrent(draws, max(math.ceil(load.in_flight * part - 1e-9), 1), self._request_s, requests), True
        if load.users is not None:
            return users(draws, max(round(load.users * part), 1), load.think_s, requests), True
        rate = self._rate_per_replica * replicas if load.request_rate_per_s is None else load.request_rate_per_s * part
        return poisson(draws, rate, requests), False
