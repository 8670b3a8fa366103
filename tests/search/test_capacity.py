"""The largest load within the targets: against every load simulated, at its ends, in few runs; and the curve about it."""

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.runs import engine

from infra_advisor.search.capacity import CLOSE, CURVE, MOST_RUNS, Ask, LoadPoint, curve, largest_load
from infra_advisor.search.outcome import within
from infra_advisor.search.simulate import Fleet
from infra_advisor.search.solve import Targets
from infra_advisor.search.sources import poisson, users
from infra_advisor.search.traffic import Draws, Lengths
from infra_advisor.simulator.run import Source

REQUESTS = 500
THINK_S = 5.0


def asked(targets: Targets, *, in_users: bool, lengths: Lengths | None = None, **changes: Any) -> Ask:
    """A replica on which a prompt of 100 tokens takes 120 ms and a step 10 ms; answers of 20 tokens, users who think 5 s."""

    def load_of(load: float) -> tuple[Source, bool]:
        draws = Draws(1, lengths or Lengths(), 100, 20, 1e9)
        if in_users:
            return users(draws, round(load), THINK_S, REQUESTS), True
        return poisson(draws, load, REQUESTS), False

    usual: dict[str, Any] = {
        "fleet": Fleet(engine=engine()), "load_of": load_of, "targets": targets, "requests": REQUESTS, "whole": in_users,
        "least": 1.0 if in_users else 1e-4, "most": 1e6, "think_s": THINK_S if in_users else 0.0,
    }  # fmt: skip
    return Ask(**(usual | changes))


# -- against every load simulated

TARGETS = [
    Targets(ttft_s=0.3, statistic="mean"),
    Targets(ttft_s=0.5, statistic="p95"),
    Targets(ttft_s=2.0, statistic="p99"),
    Targets(tpot_s=0.02, statistic="p95"),
    Targets(ttft_s=0.4, tpot_s=0.03, statistic="p50"),
]
NAMES = ["ttft-mean", "ttft-p95", "ttft-p99", "tpot-p95", "both-p50"]


@pytest.mark.parametrize("targets", TARGETS, ids=NAMES)
def test_users_against_every_number_of_users(targets: Targets) -> None:
    """The found number keeps the targets and one more does not. Chance lets some number within a seventh of it differ, none beyond."""
    ask = asked(targets, in_users=True)
    found = largest_load(ask, 3.0)
    assert found is not None
    held = [number for number in range(1, 80) if ask.at(float(number), give_up=True).holds]
    assert found.load in held
    assert found.load + 1 not in held
    assert max(held) <= found.load * 1.15
    assert set(range(1, math.floor(found.load / 1.15))) <= set(held)
    assert max(held) < 79


@pytest.mark.parametrize("targets", TARGETS[1:4], ids=NAMES[1:4])
def test_rates_against_a_fine_grid(targets: Targets) -> None:
    """Steps of 6 % from a twentieth of a request a second to twelve."""
    ask = asked(targets, in_users=False, lengths=Lengths("lognormal"))
    found = largest_load(ask, 1.0)
    assert found is not None
    held = {load: ask.at(load, give_up=True).holds for load in (0.05 * 1.06**step for step in range(95))}
    assert found.holds
    assert not ask.at(found.load * CLOSE).holds
    assert all(holds for load, holds in held.items() if load < found.load / 1.1)
    assert not any(holds for load, holds in held.items() if load > found.load * 1.1)


def test_the_point_found_is_that_of_a_whole_run() -> None:
    """It ended early nowhere: a second run says the same, and the targets are kept by its own percentiles."""
    ask = asked(Targets(ttft_s=0.5, statistic="p95"), in_users=True)
    found = largest_load(ask, 3.0)
    assert found is not None
    again = ask.at(found.load)
    assert found.run == again.run
    assert not found.run.hopeless
    assert within(ask.targets, again.run)
    assert (again.run.ttft_s.p95 or math.inf) <= 0.5


def test_more_patience_carries_more() -> None:
    limits = [largest_load(asked(Targets(ttft_s=limit, statistic="p95"), in_users=True), 3.0) for limit in (0.13, 0.2, 0.3, 0.5, 1.0)]
    loads = [limit.load for limit in limits if limit is not None]
    assert len(loads) == 5
    assert loads == sorted(loads)
    assert loads[0] < loads[-1]


# -- users without a limit on their wait


@pytest.mark.parametrize("output_tokens", [1, 20])
def test_users_without_targets_end_where_more_only_wait_longer(output_tokens: int) -> None:
    """Half as many get less done; twice as many get no more done, and wait. Users never make a queue grow without end."""

    def load_of(load: float) -> tuple[Source, bool]:
        return users(Draws(1, Lengths(), 100, output_tokens, 1e9), round(load), THINK_S, 2000), True

    ask = asked(Targets(), in_users=True, load_of=load_of, requests=2000)
    found = largest_load(ask, 3.0)
    assert found is not None
    half, twice = ask.at(found.load // 2), ask.at(found.load * 2)
    assert half.run.output_tokens_per_s < 0.75 * found.run.output_tokens_per_s
    assert twice.run.output_tokens_per_s < 1.15 * found.run.output_tokens_per_s
    assert (found.run.ttft_s.mean or 0) < 1.5
    assert (twice.run.ttft_s.mean or 0) > 3.0
    assert half.holds
    assert twice.run.saturated
    assert not twice.holds


def test_users_and_rates_without_targets_are_one_load() -> None:
    """By Little's law the users' limit asks as often as the largest rate: N = rate x (think + request), within a tenth."""
    by_users = largest_load(asked(Targets(), in_users=True, requests=REQUESTS), 3.0)
    by_rate = largest_load(asked(Targets(), in_users=False), 3.0)
    assert by_users is not None
    assert by_rate is not None
    rate = by_users.load / (THINK_S + (by_users.run.e2e_s.mean or 0))
    assert rate == pytest.approx(by_rate.load, rel=0.1)


def test_a_wait_that_is_allowed_is_no_queue() -> None:
    """With five seconds to the first token more users are carried than without a target, where a queue ends it."""
    without = largest_load(asked(Targets(), in_users=True), 3.0)
    patient = largest_load(asked(Targets(ttft_s=5.0, statistic="p95"), in_users=True), 3.0)
    assert without is not None
    assert patient is not None
    assert patient.load > without.load


def test_a_crowd_that_comes_once_is_judged_by_its_queue() -> None:
    """100,000 users of whom 500 are seen, and places for all: the queue grows from first to last, though within the minute allowed."""
    roomy = Fleet(engine=engine(most_running=10_000))
    crowd = asked(Targets(ttft_s=60.0, statistic="p95"), in_users=True, fleet=roomy).at(100_000.0)
    assert (crowd.run.ttft_s.p95 or math.inf) < 60.0
    assert crowd.run.saturated
    assert not crowd.holds


# -- the ends


@pytest.mark.parametrize("in_users", [True, False])
@pytest.mark.parametrize("start", [1e-9, 1.0, 1e3, 1e9])
def test_none_where_even_the_smallest_load_misses(in_users: bool, start: float) -> None:
    """No prompt is read in less than 120 ms."""
    ask = asked(Targets(ttft_s=0.1, statistic="p95"), in_users=in_users, most=1e4)
    assert largest_load(ask, start) is None
    assert not ask.at(ask.least).holds


def test_one_user_may_be_the_limit() -> None:
    """Two users meet now and then: the slowest of a hundred requests waits behind the other's prompt."""
    ask = asked(Targets(ttft_s=0.121, statistic="p99"), in_users=True)
    found = largest_load(ask, 40.0)
    assert found is not None
    assert found.load == 1.0


@pytest.mark.parametrize("in_users", [True, False])
def test_the_largest_load_asked_about_may_hold(in_users: bool) -> None:
    ask = asked(Targets(ttft_s=0.5, statistic="p95"), in_users=in_users, most=2.0)
    for start in (0.1, 2.0, 50.0):
        found = largest_load(ask, start)
        assert found is not None
        assert found.load == 2.0


# -- the search itself, on loads that hold up to a limit


class Known:
    """An ask whose answer is known; counts what it is asked."""

    def __init__(self, limit: float, *, whole: bool, least: float, most: float) -> None:
        self.limit, self.whole, self.least, self.most = limit, whole, least, most
        self.loads: list[float] = []

    def at(self, load: float, *, give_up: bool = False) -> LoadPoint:
        self.loads.append(load)
        run: Any = None
        return LoadPoint(load, run, load <= self.limit)


LOADS = st.floats(-6, 8).map(lambda power: 10.0**power)


@settings(max_examples=300)
@given(limit=LOADS, start=LOADS, whole=st.booleans())
def test_any_limit_is_found_from_any_guess(limit: float, start: float, whole: bool) -> None:
    """To 2 %, or to the whole number; within the bounds; each load tried once; in few runs however far off the guess."""
    ask: Any = Known(limit, whole=whole, least=1.0 if whole else 1e-4, most=1e6)
    found = largest_load(ask, start)
    assert len(ask.loads) <= MOST_RUNS
    assert len(set(ask.loads)) == len(ask.loads)
    assert all(ask.least <= load <= ask.most for load in ask.loads)
    if whole:
        assert all(load == int(load) for load in ask.loads)
    if found is None:
        assert limit < ask.least
        assert ask.least in ask.loads
    elif limit >= ask.most:
        assert found.load == ask.most
    else:
        assert found.load <= limit
        assert limit < max(found.load * CLOSE, found.load + 1.0 if whole else 0.0)


@given(limit=st.floats(1.0, 1e5), off=st.floats(0.8, 1.25))
def test_a_good_guess_takes_a_dozen_runs(limit: float, off: float) -> None:
    """A step of 1.5 brackets it, and each run halves what is left of it: ln 2.25 / ln 1.02 = 41 parts, 6 halvings, and ends."""
    ask: Any = Known(limit, whole=False, least=1e-4, most=1e6)
    largest_load(ask, limit * off)
    assert len(ask.loads) <= 12


def test_progress_is_told_before_each_run() -> None:
    ask: Any = Known(37.0, whole=True, least=1.0, most=1e6)
    told: list[tuple[int, int]] = []
    largest_load(ask, 5.0, lambda done, total: told.append((done, total)))
    assert told == [(number, MOST_RUNS) for number in range(len(ask.loads))]


# -- the curve


@settings(max_examples=50)
@given(limit=LOADS, whole=st.booleans())
def test_loads_of_the_curve_are_distinct_and_in_order(limit: float, whole: bool) -> None:
    ask: Any = Known(limit, whole=whole, least=1.0 if whole else 1e-4, most=1e6)
    limit = min(max(float(round(limit)) if whole else limit, ask.least), ask.most)
    loads = [point.load for point in curve(ask, limit)]
    assert all(low < high for low, high in pairwise(loads))
    assert limit in loads
    assert all(ask.least <= load <= ask.most for load in loads)
    assert len(loads) <= len(CURVE)
    if whole:
        assert all(load == int(load) for load in loads)


def test_the_curve_of_twelve_users() -> None:
    """1.2, 3, 4.8, 6.6, 8.4, 9.6, 10.8, 12, 13.2, 15 and 18 in whole numbers; of two users 1, 2 and 3 are left."""
    ask: Any = Known(12.0, whole=True, least=1.0, most=1e6)
    assert [(point.load, point.holds) for point in curve(ask, 12.0)] == [
        (1, True), (3, True), (5, True), (7, True), (8, True), (10, True), (11, True), (12, True), (13, False), (15, False), (18, False)
    ]  # fmt: skip
    assert [point.load for point in curve(ask, 2.0)] == [1, 2, 3]


def test_latency_rises_along_the_curve() -> None:
    """From next to alone, 120 ms, past the limit; throughput rises up to it. Whole runs: nothing ends early."""
    ask = asked(Targets(ttft_s=0.5, statistic="p95"), in_users=False)
    found = largest_load(ask, 3.0)
    assert found is not None
    points = list(curve(ask, found.load))
    p95 = [point.run.ttft_s.p95 or math.nan for point in points]
    assert 0.12 <= p95[0] < 0.25
    assert all(more > less * 0.95 for less, more in pairwise(p95))
    assert p95[-1] > 0.5
    assert not any(point.run.hopeless for point in points)
    before = [point.run.output_tokens_per_s for point in points if point.load <= found.load]
    assert before == sorted(before)
    (at,) = [point for point in points if point.load == found.load]
    assert replace(at, run=found.run) == found
