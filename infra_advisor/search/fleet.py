"""Fleets: every deployment that fits in memory, at the load asked for, in whole machines."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from infra_advisor.facts.chips import Chip
from infra_advisor.facts.engines import Engine
from infra_advisor.physics.serving import Served
from infra_advisor.physics.speculation import Speculation
from infra_advisor.search.candidates import Candidate, Question, candidates, deployments
from infra_advisor.search.deployments import Column
from infra_advisor.search.outcome import Simulated, within
from infra_advisor.search.platforms import Platform
from infra_advisor.search.points import Timing
from infra_advisor.search.power import FleetPower, fleet_power_w
from infra_advisor.search.solve import Load, Solved, Targets, latency, meets, solve, solve_one, with_replicas

SLACK = 1.1
"""How far a missed target is widened beyond the latency of a single request, for sizing the near miss."""
NEVER_FITS = "does not fit in memory"


@dataclass(frozen=True)
class Fleets:
    """Deployments that fit, each as a whole fleet at the load. Arrays have one position per candidate."""

    candidates: list[Candidate]
    timing: Timing
    solved: Solved
    targets: Targets
    machines: Column
    """Whole machines to rent or buy."""
    replicas: Column
    concurrency: Column
    """Requests in flight over the fleet, at the load."""
    output_tokens_per_s: Column
    """Of the whole fleet, at the load."""
    limit_tokens_per_s: Column
    """Of the whole fleet, at the highest load within the targets."""
    full_tokens_per_s: Column
    """Of the whole fleet, as full as memory and the engine allow."""
    ttft_s: Column
    """At the statistic of the targets."""
    tpot_s: Column
    kept: NDArray[np.bool_]
    """Every target is met at the load."""
    unfit: dict[Platform, Candidate]
    """Platforms on which no candidate fits, with one that comes closest."""
    points: int
    """Deployments considered."""
    open_arrivals: bool
    """Requests arrive by themselves, not when an earlier one ends."""
    over: NDArray[np.bool_]
    """The load is more than the fleet can carry."""
    spare: int = 0
    """Machines beyond those at work, for when one fails."""
    simulated: Mapping[int, Simulated] = field(default_factory=dict)
    """Place -> what a simulation says of it; the others are known in closed form only."""

    def timing_at(self, place: int) -> Timing:
        """Physics of one of the deployments."""
        return self.timing.take(np.array([place]))

    @property
    def draw_chips(self) -> Column:
        """Accelerators that run."""
        return self.replicas * self.timing.d.chips

    @cached_property
    def power(self) -> FleetPower:
        """Electric power at the load, before the overhead of the site."""
        return fleet_power_w(self)

    @cached_property
    def power_at_limit(self) -> FleetPower:
        """Electric power at the highest load within the targets."""
        return fleet_power_w(self, self.solved.served_at_limit)

    @cached_property
    def power_when_full(self) -> FleetPower:
        """Electric power as full as memory and the engine allow."""
        return fleet_power_w(self, self.timing.serve(self.timing.memory.most_running, open_arrivals=False))


def fleets(
    platforms: Iterable[Platform],
    chips: Mapping[str, Chip],
    engines: Mapping[str, Engine],
    question: Question,
    targets: Targets,
    load: Load,
    *,
    input_tokens: int,
    output_tokens: int,
    utilisation: float,
    speculation: Speculation | None = None,
    tails: Mapping[str, float] | None = None,
    dropped: Counter[str],
    accept: Callable[[Candidate], bool] | None = None,
    one_replica: bool = False,
    headroom: float = 0.0,
    spare: int = 0,
) -> Fleets:
    """Enumerate, keep what is accepted and fits, and solve it at the load: with the fewest replicas, or with one that carries it all."""
    platforms = list(platforms)
    found = candidates(platforms, chips, engines, question, dropped)
    if accept is not None:
        found = [candidate for candidate in found if accept(candidate)]
    every = Timing(
        question.shape,
        deployments(found, chips, question.parameters),
        question.parameters.defaults,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        speculation=speculation,
        tails=tails,
    )
    fits = every.memory.fits if found else np.zeros(0, dtype=bool)
    unfit = _closest(found, fits, every)
    index = np.flatnonzero(fits)
    timing, kept_candidates = every.take(index), [found[place] for place in index]
    if unfit:
        dropped[NEVER_FITS] += len(unfit)
    return _solved(
        kept_candidates, timing, targets, load, utilisation, unfit, len(found), one_replica=one_replica, headroom=headroom, spare=spare
    )


def with_slack(found: Fleets, places: Sequence[int], load: Load, *, utilisation: float) -> Fleets:
    """Some of the fleets again, their latency targets widened to what one request alone needs and a little more.

    Sizes a fleet that misses its targets as one would run it if the miss were accepted.
    """
    index = np.array(places, dtype=np.intp)
    timing = found.timing.take(index)
    alone = timing.serve(np.ones(len(index)), open_arrivals=load.open_arrivals)
    ttft_s, tpot_s = latency(timing, alone, found.targets.statistic)
    asked = found.targets
    wide = replace(
        asked,
        ttft_s=None if asked.ttft_s is None else np.maximum(asked.ttft_s, ttft_s * SLACK),
        tpot_s=None if asked.tpot_s is None else np.maximum(asked.tpot_s, tpot_s * SLACK),
        request_s=None,
    )
    return _solved([found.candidates[place] for place in places], timing, wide, load, utilisation, {}, len(places), spare=found.spare)


def alone(found: Fleets, place: int, timing: Timing, load: Load, *, utilisation: float) -> Fleets:
    """One deployment with other lengths (`timing`, of that deployment only) or another load: a point of a sweep."""
    return _solved([found.candidates[place]], timing, found.targets, load, utilisation, {}, 1, one_replica=True)


def resized(found: Fleets, runs: Mapping[int, tuple[int, Simulated]], load: Load, *, utilisation: float) -> Fleets:
    """The fleets with what simulations said of some places: how many replicas, and how requests fared."""
    places = sorted(runs)
    index = np.array(places, dtype=np.intp)
    counts = np.array([float(runs[place][0]) for place in places])
    part, limit = found.timing.take(index), found.solved.limit[index].copy()
    most = np.maximum(part.memory.most_running, 1.0)
    solved = with_replicas(part, limit, load, counts, utilisation=utilisation, most=most)
    some = [found.candidates[place] for place in places]
    settled = _fleets(some, part, found.targets, solved, found.over[index], {}, len(some), load.open_arrivals, found.spare)
    columns = {name: getattr(found, name).copy() for name in _SETTLED}
    for name, column in columns.items():
        column[index] = getattr(settled, name)
    for k, place in enumerate(places):
        run = runs[place][1]
        columns["kept"][place] = within(found.targets.at(place), run)
        for name, figure in zip(("ttft_s", "tpot_s"), run.at(found.targets.statistic), strict=True):
            columns[name][place] = columns[name][place] if figure is None else figure
        rate, request_s = _pace(settled, k, run, load)
        columns["output_tokens_per_s"][place] = rate * found.timing.output_tokens
        columns["concurrency"][place] = rate * request_s
        if columns["kept"][place]:  # the limit of the closed form is at least what a run has carried
            limit[k] = max(limit[k], rate * request_s / counts[k])
            columns["limit_tokens_per_s"][place] = max(columns["limit_tokens_per_s"][place], columns["output_tokens_per_s"][place])
    whole = Solved(
        limit=_replaced(found.solved.limit, limit, index),
        replicas=_replaced(found.solved.replicas, counts, index),
        in_flight=_replaced(found.solved.in_flight, solved.in_flight, index),
        served=_spliced(found.solved.served, solved.served, index),
        served_at_limit=found.solved.served_at_limit,
    )
    simulated = {**found.simulated, **{place: run for place, (_, run) in runs.items()}}
    return replace(found, **columns, solved=whole, simulated=simulated)


_SETTLED = (
    "machines", "replicas", "concurrency", "output_tokens_per_s", "limit_tokens_per_s", "full_tokens_per_s", "ttft_s", "tpot_s", "kept",
)  # fmt: skip
"""Columns that a simulation may change."""


def _replaced(column: Column, values: Column, index: NDArray[np.intp]) -> Column:
    copy = column.copy()
    copy[index] = values
    return copy


def _spliced(before: Served, some: Served, index: NDArray[np.intp]) -> Served:
    return Served(**{name: _replaced(column, getattr(some, name), index) for name, column in vars(before).items()})


def _pace(found: Fleets, place: int, run: Simulated, load: Load) -> tuple[float, float]:
    """(requests/s, time of a request [s]) of a simulated fleet: users and senders wait as long as the run says."""
    output = float(found.timing.output_tokens)
    request_s = (run.ttft_s.mean or 0.0) + (output - 1.0) * (run.tpot_s.mean or 0.0)
    if load.users is not None:
        return load.users / (load.think_s + request_s), request_s
    if load.in_flight is not None:
        return load.in_flight / request_s, request_s
    return float(found.output_tokens_per_s[place]) / output, request_s


def _solved(
    kept_candidates: list[Candidate],
    timing: Timing,
    targets: Targets,
    load: Load,
    utilisation: float,
    unfit: dict[Platform, Candidate],
    points: int,
    *,
    one_replica: bool = False,
    headroom: float = 0.0,
    spare: int = 0,
) -> Fleets:
    if one_replica:
        solved, over = solve_one(timing, targets, load, utilisation=utilisation)
    else:
        solved = solve(
            timing, targets, load, utilisation=utilisation, per_machine=replicas_per_machine(kept_candidates, timing), headroom=headroom
        )
        over = np.zeros(len(kept_candidates), dtype=bool)
    return _fleets(kept_candidates, timing, targets, solved, over, unfit, points, load.open_arrivals, spare)


def replicas_per_machine(found: Sequence[Candidate], timing: Timing) -> Column:
    """Whole replicas that one machine has room for; 1 where a replica spans machines."""
    return np.asarray(np.maximum(np.floor(_machine_chips(found) / timing.d.chips), 1.0))


def _machine_chips(found: Sequence[Candidate]) -> Column:
    return np.array([candidate.platform.chips for candidate in found], dtype=float)


def _fleets(
    kept_candidates: list[Candidate],
    timing: Timing,
    targets: Targets,
    solved: Solved,
    over: NDArray[np.bool_],
    unfit: dict[Platform, Candidate],
    points: int,
    open_arrivals: bool,
    spare: int,
) -> Fleets:
    per_machine = replicas_per_machine(kept_candidates, timing)
    machines_each = np.maximum(timing.d.chips / _machine_chips(kept_candidates), 1.0)
    replicas = solved.replicas
    ttft_s, tpot_s = latency(timing, solved.served, targets.statistic)
    full = timing.serve(timing.memory.most_running, open_arrivals=False)
    return Fleets(
        candidates=kept_candidates,
        timing=timing,
        solved=solved,
        targets=targets,
        machines=(np.ceil(replicas / per_machine) + spare) * machines_each,
        replicas=replicas,
        concurrency=replicas * solved.in_flight,
        output_tokens_per_s=replicas * solved.served.output_tokens_per_s(timing.output_tokens),
        full_tokens_per_s=replicas * full.output_tokens_per_s(timing.output_tokens),
        limit_tokens_per_s=replicas * solved.served_at_limit.output_tokens_per_s(timing.output_tokens),
        ttft_s=ttft_s,
        tpot_s=tpot_s,
        kept=~over & (solved.limit > 0.0) & meets(timing, solved.served, targets),
        unfit=unfit,
        points=points,
        open_arrivals=open_arrivals,
        over=over,
        spare=spare,
    )


def _closest(found: list[Candidate], fits: NDArray[np.bool_], timing: Timing) -> dict[Platform, Candidate]:
    """Platforms without a fitting candidate, each with the candidate that lacks least."""
    fitting = {found[place].platform for place in np.flatnonzero(fits)}
    lacking: dict[Platform, tuple[float, Candidate]] = {}
    for place in np.flatnonzero(~fits):
        candidate = found[place]
        if candidate.platform in fitting:
            continue
        pool = float(timing.memory.pool[place])
        if candidate.platform not in lacking or pool > lacking[candidate.platform][0]:
            lacking[candidate.platform] = (pool, candidate)
    return {platform: candidate for platform, (_, candidate) in lacking.items()}
