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
from infra_advisor.search.outcome import Simulated, within
from infra_advisor.search.points import Timing
from infra_advisor.search.simulate import Fleet, simulate
from infra_advisor.search.solve import QUIET, Load, latency, rate_of, with_replicas
from infra_advisor.search.sources import of_load
from infra_advisor.search.traffic import Draws, Lengths, Traffic
from infra_advisor.simulator.engine import Engine
from infra_advisor.simulator.run import Source

REQUESTS = 600
"""Of one run where a few replicas are settled: the 95th percentile then rests on some thirty requests."""
REQUESTS_PER_REPLICA = 100
REQUESTS_PER_IN_FLIGHT = 8
"""A replica that carries many requests at once fills slowly: the warm-up lasts about as long as one request."""
MOST_REQUESTS = 20_000
FILLED = 1.15
"""Requests in flight in the last quarter of a run over those of the second one, from which on the replicas are still filling."""
LEAST_CROWD = 50
"""Requests in flight; fewer of them come and go."""
MOST_REPLICAS = 8
"""Replicas that are run; a larger fleet is a multiple of them, each with its part of the load."""
MOST_IN_FLIGHT = 200
"""On the replicas that are run, where one does not carry more: the fuller they are, the fewer of them tell enough."""
TRIES = 6
HOPELESS = 1.1
"""A target missed by so much in closed form by a request that is nearly alone is not met by more replicas."""
FEWER_WITHIN = 1.15
"""One machine fewer is tried where it should miss a target by no more than this."""


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
    longest = min(longest_tokens, spread.longest(prompt, output))
    per_machine = replicas_per_machine(candidates, timing)
    runs: dict[int, tuple[int, Simulated]] = {}
    for k, place in enumerate(places):
        alone = timing.take(np.array([k]))
        (law,) = engines(alone, [rules[k]], longest_tokens=longest, shared_share=traffic.prefix_share)  # as when it is named alone
        one = _One(alone, law, found, place, load, traffic, spread, utilisation, longest_tokens)
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
        self._in_flight = float(found.concurrency[place])
        # no load stated: one machine at a share of its highest rate
        self._rate_per_replica = utilisation * float(rate_of(found.solved.served_at_limit, found.timing.output_tokens)[place])
        self._shelf: dict[tuple[int, float], Simulated] = {}

    def as_it_is(self) -> Settled:
        """With the number of replicas of the closed form."""
        return Settled(self._closed_form, self.run(self._closed_form))

    def fewest(self, step: int, headroom: float) -> Settled:
        """The fewest whole machines (`step` replicas each) that hold the targets at the load over the share that is not kept free."""
        scale = 1.0 / (1.0 - headroom)
        best, failed = None, 0
        at = first = self._closed_form
        for _ in range(TRIES):
            if self._holds(at, scale):
                best = at
                if not failed and (at <= step or not self._may_hold(at - step, at, scale)):
                    break
                at -= step
            else:
                failed = at
                if best is None and (not self._load.stated or self._hopeless()):
                    break
                at += step * max(1, at // (4 * step))
            if best is not None and failed:
                if best - failed <= step:
                    break
                at = failed + step * ((best - failed) // (2 * step))
        if best is not None:
            return Settled(best, self.run(best))
        return Settled(first, replace(self.run(first), hopeless=True))  # at the load itself it may hold, but not with what is to stay free

    def _holds(self, replicas: int, scale: float) -> bool:
        return within(self._targets, self.run(replicas, scale, give_up=True))

    def _hopeless(self) -> bool:
        """Even a request alone misses a target."""
        served = self._timing.serve(np.full(1, QUIET), open_arrivals=self._load.open_arrivals)
        return self._excess(latency(self._timing, served, self._targets.statistic)) > HOPELESS

    def _may_hold(self, fewer: int, at: int, scale: float) -> bool:
        """So few replicas may do: what `at` of them were seen to need rises as the closed form does, which may itself lie off."""
        if not self._load.stated:
            return False
        few, many = self._screened(fewer, scale), self._screened(at, scale)
        if few is None or many is None:
            return False
        seen = self._shelf[at, scale].at(self._targets.statistic)
        rises = zip(seen, few, many, strict=True)
        return self._excess([np.zeros(1) if now is None else now * after / before for now, after, before in rises]) <= FEWER_WITHIN

    def _screened(self, replicas: int, scale: float) -> tuple[np.ndarray, np.ndarray] | None:
        """(TTFT, TPOT) of the closed form; None where memory is full. [s]"""
        load, most = _times(self._load, scale), self._timing.memory.most_running
        solved = with_replicas(self._timing, most, load, np.array([float(replicas)]), utilisation=1.0, most=most)
        if load.in_flight is None and float(solved.in_flight[0]) >= 0.99 * float(most[0]):
            return None
        return latency(self._timing, solved.served, self._targets.statistic)

    def _excess(self, figures: Sequence[np.ndarray]) -> float:
        limits = (self._targets.ttft_s, self._targets.tpot_s)
        return max((float(figure[0]) / float(limit) for figure, limit in zip(figures, limits, strict=True) if limit), default=0.0)

    def run(self, replicas: int, scale: float = 1.0, *, give_up: bool = False) -> Simulated:
        """So many replicas at the load times `scale`; the same question is run once. `give_up`: no further than until it is hopeless."""
        key = (replicas, scale)
        if key not in self._shelf or (self._shelf[key].hopeless and not give_up):
            each = self._in_flight * scale / replicas
            shown = max(min(replicas, MOST_REPLICAS, int(MOST_IN_FLIGHT / max(each, 1.0))), 1)
            requests = min(max(REQUESTS, REQUESTS_PER_REPLICA * shown, math.ceil(REQUESTS_PER_IN_FLIGHT * each * shown)), MOST_REQUESTS)
            fleet = Fleet(engine=self._engine, replicas=shown)
            while True:
                source, closed = self._source(scale, shown, replicas, requests)
                done = simulate(fleet, source, self._targets, steady=True, requests=requests, closed=closed, give_up=give_up)
                if requests >= MOST_REQUESTS or not within(self._targets, done) or not _fills(done):
                    break
                requests = min(2 * requests, MOST_REQUESTS)
            self._shelf[key] = done
        return self._shelf[key]

    def _source(self, scale: float, shown: int, replicas: int, requests: int) -> tuple[Source, bool]:
        """The requests of the replicas that are shown, of all."""
        draws = Draws(self._traffic.seed, self._spread, float(self._timing.input_tokens), float(self._timing.output_tokens), self._longest)
        load = Load(request_rate_per_s=self._rate_per_replica * shown)
        if self._load.stated:
            load = _times(self._load, scale * shown / replicas)
        return of_load(draws, load, requests, self._request_s)


def _times(load: Load, factor: float) -> Load:
    """So many times the load."""
    return replace(
        load,
        in_flight=None if load.in_flight is None else load.in_flight * factor,
        users=None if load.users is None else load.users * factor,
        request_rate_per_s=None if load.request_rate_per_s is None else load.request_rate_per_s * factor,
    )


def _fills(run: Simulated) -> bool:
    """More and more are in flight, and enough of them that it is no chance: near the highest load it takes long until a run is steady."""
    quarter = len(run.samples) // 4
    second, last = (
        sum(sample.running + sample.waiting for sample in part)
        for part in (run.samples[quarter : 2 * quarter], run.samples[len(run.samples) - quarter :])
    )
    return last > FILLED * second and last > LEAST_CROWD * quarter
