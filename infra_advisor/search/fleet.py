"""Fleets: every deployment that fits in memory, at the load asked for, in whole machines."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from infra_advisor.facts.chips import Chip
from infra_advisor.facts.engines import Engine
from infra_advisor.physics.speculation import Speculation
from infra_advisor.search.candidates import Candidate, Question, candidates, deployments
from infra_advisor.search.platforms import Platform
from infra_advisor.search.points import Column, Timing
from infra_advisor.search.solve import Load, Solved, Targets, latency, meets, solve, solve_one

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
    output_tokens_per_s: Column
    """Of the whole fleet, at the load."""
    limit_tokens_per_s: Column
    """Of the whole fleet, at the highest load within the targets."""
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

    @property
    def draw_chips(self) -> Column:
        """Accelerators that run."""
        return self.replicas * self.timing.d.chips


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
    dropped: Counter[str],
    accept: Callable[[Candidate], bool] | None = None,
    one_replica: bool = False,
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
    )
    fits = every.memory.fits if found else np.zeros(0, dtype=bool)
    unfit = _closest(found, fits, every)
    index = np.flatnonzero(fits)
    timing, kept_candidates = every.take(index), [found[place] for place in index]
    if unfit:
        dropped[NEVER_FITS] += len(unfit)
    return _solved(kept_candidates, timing, targets, load, utilisation, unfit, len(found), one_replica=one_replica)


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
    return _solved([found.candidates[place] for place in places], timing, wide, load, utilisation, {}, len(places))


def alone(found: Fleets, place: int, timing: Timing, load: Load, *, utilisation: float) -> Fleets:
    """One deployment with other lengths (`timing`, of that deployment only) or another load: a point of a sweep."""
    return _solved([found.candidates[place]], timing, found.targets, load, utilisation, {}, 1, one_replica=True)


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
) -> Fleets:
    machine_chips = np.array([candidate.platform.chips for candidate in kept_candidates], dtype=float)
    per_machine = np.maximum(np.floor(machine_chips / timing.d.chips), 1.0)
    machines_each = np.maximum(timing.d.chips / machine_chips, 1.0)
    if one_replica:
        solved, over = solve_one(timing, targets, load, utilisation=utilisation)
    else:
        solved = solve(timing, targets, load, utilisation=utilisation, per_machine=per_machine)
        over = np.zeros(len(kept_candidates), dtype=bool)
    replicas = solved.replicas
    ttft_s, tpot_s = latency(timing, solved.served, targets.statistic)
    return Fleets(
        candidates=kept_candidates,
        timing=timing,
        solved=solved,
        targets=targets,
        machines=np.ceil(replicas / per_machine) * machines_each,
        replicas=replicas,
        output_tokens_per_s=replicas * solved.served.output_tokens_per_s(timing.output_tokens),
        limit_tokens_per_s=replicas * solved.served_at_limit.output_tokens_per_s(timing.output_tokens),
        ttft_s=ttft_s,
        tpot_s=tpot_s,
        kept=~over & (solved.limit >= 1.0) & meets(timing, solved.served, targets),
        unfit=unfit,
        points=points,
        open_arrivals=load.open_arrivals,
        over=over,
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
