"""Fleets settled by simulation: the fewest machines that hold, against every size tried out; and what a recommendation then shows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from infra_advisor.advice.answer import Answer, Recommendation
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.named import Shape
from infra_advisor.advice.recommend import recommend
from infra_advisor.advice.simulate import Serving
from infra_advisor.advice.simulate import simulate as simulate_named
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.formats import bundled_formats
from infra_advisor.search import settle as settling
from infra_advisor.search import sources
from infra_advisor.search.calibration import read_parameters
from infra_advisor.search.candidates import Question
from infra_advisor.search.fleet import Fleets, fleets, replicas_per_machine
from infra_advisor.search.laws import engines, scheduling_of
from infra_advisor.search.outcome import Simulated, within
from infra_advisor.search.platforms import platform_of_box
from infra_advisor.search.settle import settle
from infra_advisor.search.simulate import Fleet, simulate
from infra_advisor.search.solve import Load, Targets
from infra_advisor.search.sources import concurrent, poisson, users
from infra_advisor.search.traffic import Draws, Lengths, Traffic
from infra_advisor.search.workload import Workload

INPUT, OUTPUT, CONTEXT = 1000, 300, 131_072.0
SIZES = 7
"""Machines up to which every size is tried."""
BOXES = (("l4", 1), ("rtx-4090", 1), ("rtx-4090", 2))


def found_at(catalog: Catalog, load: Load, targets: Targets, boxes: Sequence[tuple[str, int]] = BOXES, **changes: Any) -> Fleets:
    """An 8B model in fp8 on cards of 24 GB, one or two in a machine, in closed form."""
    model = catalog.model("llama-3.1-8b-instruct")
    parameters = read_parameters(catalog.parameters, catalog.deviations)
    return fleets(
        [platform_of_box(catalog.chips[chip], count, board=True) for chip, count in boxes],
        catalog.chips, catalog.engines, Question(model, model.architecture, bundled_formats(), parameters, "fp8", "auto"), targets, load,
        input_tokens=INPUT, output_tokens=OUTPUT, utilisation=0.5, dropped=Counter(), **changes,
    )  # fmt: skip


def settled(catalog: Catalog, found: Fleets, load: Load, **changes: Any) -> Fleets:
    places = range(len(found.candidates))
    usual: dict[str, Any] = {"traffic": Traffic(), "utilisation": 0.5, "longest_tokens": CONTEXT}
    return settle(found, places, catalog.chips, load, **(usual | changes))


def runs_of(catalog: Catalog, found: Fleets, place: int, load: Load) -> Iterator[tuple[int, Simulated]]:
    """One run of each number of whole machines, smallest first."""
    rules = [scheduling_of(one, catalog.chips[one.platform.chip]) for one in found.candidates]
    spread = Lengths("uniform", least_share=0.8, most_share=1.2) if load.in_flight else Lengths()
    longest = (INPUT + OUTPUT) * (1.2 if load.in_flight else 1.0)
    (one,) = engines(found.timing_at(place), [rules[place]], longest_tokens=longest)
    step = int(replicas_per_machine(found.candidates, found.timing)[place])
    request_s = float(found.solved.served.request_s(OUTPUT)[place])
    for replicas in range(step, SIZES * step + 1, step):
        draws, requests = Draws(1, spread, INPUT, OUTPUT, CONTEXT), max(settling.REQUESTS, settling.REQUESTS_PER_REPLICA * replicas)
        source: Any
        if load.in_flight is not None:
            source = concurrent(draws, int(load.in_flight), request_s, requests)
        elif load.users is not None:
            source = users(draws, int(load.users), load.think_s, requests)
        else:
            assert load.request_rate_per_s is not None
            source = poisson(draws, load.request_rate_per_s, requests)
        closed = load.request_rate_per_s is None
        fleet = Fleet(engine=one, replicas=replicas)
        yield replicas, simulate(fleet, source, found.targets, steady=True, requests=requests, closed=closed)


CASES = [
    (Load(request_rate_per_s=4.0), Targets(ttft_s=0.5, tpot_s=0.05, statistic="p95")),
    (Load(request_rate_per_s=4.0), Targets(ttft_s=0.5, tpot_s=0.040, statistic="p95")),
    (Load(request_rate_per_s=3.0), Targets(ttft_s=0.21, statistic="p95")),
    (Load(request_rate_per_s=5.0), Targets(tpot_s=0.02, statistic="p99")),
    (Load(users=100.0, think_s=20.0), Targets(ttft_s=0.5, tpot_s=0.04, statistic="p95")),
    (Load(users=60.0, think_s=5.0), Targets(ttft_s=0.25, tpot_s=0.05, statistic="mean")),
    (Load(in_flight=24.0), Targets(ttft_s=1.0, tpot_s=0.05, statistic="p95")),
    (Load(in_flight=24.0), Targets(ttft_s=0.25, statistic="p95")),
]


@pytest.mark.parametrize(("load", "targets"), CASES)
def test_the_fewest_machines_that_hold(frozen: Catalog, load: Load, targets: Targets) -> None:
    """Of one to seven machines, each tried out; where none holds the fleet is not kept. Figures shown are those of that run."""
    found = found_at(frozen, load, targets)
    done = settled(frozen, found, load)
    assert set(done.simulated) == set(range(len(found.candidates)))
    for place in range(len(found.candidates)):
        holding = next((one for one in runs_of(frozen, found, place, load) if within(targets, one[1])), None)
        if holding is None:
            assert not done.kept[place]
            continue
        fewest, run = holding
        assert done.kept[place]
        assert done.replicas[place] == fewest
        assert (done.ttft_s[place], done.tpot_s[place]) == run.at(targets.statistic)
        assert done.simulated[place] == run


def test_the_cases_are_worth_trying(frozen: Catalog) -> None:
    """Among them: fleets of one machine and of several, fewer than the closed form says and more, and such as never hold."""
    seen: Counter[str] = Counter()
    for load, targets in CASES:
        found = found_at(frozen, load, targets)
        done = settled(frozen, found, load)
        for place in range(len(found.candidates)):
            seen["kept" if done.kept[place] else "missed"] += 1
            seen["fewer" if done.replicas[place] < found.replicas[place] else "as many"] += 1
            seen["more"] += int(done.replicas[place] > found.replicas[place])
            seen["several"] += int(done.kept[place] and done.replicas[place] > 2)
    assert min(seen[name] for name in ("kept", "missed", "fewer", "as many", "more", "several")) >= 1


@pytest.mark.parametrize(("load", "doubled"), [(CASES[0][0], Load(request_rate_per_s=8.0)), (CASES[4][0], Load(users=200.0, think_s=20.0))])
def test_headroom_is_sized_as_more_load(frozen: Catalog, load: Load, doubled: Load) -> None:
    """Half of the capacity kept free: as many machines as for twice the load, but for one where the runs, not of one length, differ by
    chance; and the figures are those of the load itself."""
    targets = CASES[0][1]
    plain, free, more = (
        settled(frozen, found_at(frozen, one, targets, headroom=headroom), one, headroom=headroom)
        for one, headroom in ((load, 0.0), (load, 0.5), (doubled, 0.0))
    )
    assert np.all(abs(free.replicas - more.replicas) <= 1)
    assert np.sum(free.replicas != more.replicas) <= 1
    assert np.all(free.replicas >= plain.replicas)
    assert np.any(free.replicas > plain.replicas)
    assert np.all(free.kept)
    assert np.all(free.tpot_s <= more.tpot_s)
    rates = free.output_tokens_per_s / OUTPUT
    assert rates == pytest.approx(list(plain.output_tokens_per_s / OUTPUT), rel=0.1)


def test_what_leaves_no_headroom_is_not_kept(frozen: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds at the load; but no size was found that also leaves half of it free."""
    load, targets = CASES[0]
    monkeypatch.setattr(settling, "TRIES", 0)
    found = found_at(frozen, load, targets)
    done = settled(frozen, found, load, headroom=0.5)
    assert list(done.replicas) == list(found.replicas)
    assert all(within(targets, replace(run, hopeless=False)) for run in done.simulated.values())
    assert not done.kept.any()


def test_a_fixed_size_is_kept_whether_it_holds_or_not(frozen: Catalog) -> None:
    """Sized for half the load, run at the whole of it."""
    load, targets = CASES[0]
    found = found_at(frozen, Load(request_rate_per_s=2.0), targets)
    done = settled(frozen, found, load, fixed_size=True)
    assert list(done.replicas) == list(found.replicas)
    assert 0 < done.kept.sum() < len(done.kept)


# -- the search for the size


def fewest(frozen: Catalog, monkeypatch: pytest.MonkeyPatch, *, start: int, holds_from: int, boxes: tuple[tuple[str, int], ...]) -> int:
    """What is found from `start` on, where a fleet holds from some size on; any carries one request a second."""
    load = Load(request_rate_per_s=1.0)
    found = found_at(frozen, load, Targets(), boxes)
    place = next(place for place, one in enumerate(found.candidates) if one.layout.chips == 1)
    found = replace(found, replicas=np.full(len(found.candidates), float(start)))
    _, run = next(runs_of(frozen, found, place, load))

    def fake(fleet: Fleet, *rest: Any, **more: Any) -> Simulated:
        return replace(run, saturated=fleet.replicas < holds_from)

    monkeypatch.setattr(settling, "simulate", fake)
    monkeypatch.setattr(settling, "MOST_REPLICAS", 10_000)
    done = settle(found, [place], frozen.chips, load, Traffic(), utilisation=0.5, longest_tokens=CONTEXT)
    return int(done.replicas[place]) if done.kept[place] else -1


@pytest.mark.parametrize(
    ("start", "holds_from", "expected"),
    [
        (1, 1, 1),
        (4, 1, 1),
        (4, 3, 3),
        (2, 4, 4),
        (3, 8, 8),
        (40, 41, 41),
        (40, 43, 43),
        (40, 47, 47),
        (40, 50, 50),
        (40, 60, 60),
        (2, 40, -1),
    ],
)
def test_sizes_are_tried_down_and_up(frozen: Catalog, monkeypatch: pytest.MonkeyPatch, start: int, holds_from: int, expected: int) -> None:
    """One less as long as it holds; one more, or a quarter more of a large fleet and then between; six tries in all."""
    assert fewest(frozen, monkeypatch, start=start, holds_from=holds_from, boxes=(("l4", 1),)) == expected


@pytest.mark.parametrize(("start", "holds_from", "expected"), [(4, 3, 4), (4, 2, 2), (2, 3, 4), (40, 45, 46)])
def test_a_machine_with_room_for_two_is_taken_whole(
    frozen: Catalog, monkeypatch: pytest.MonkeyPatch, start: int, holds_from: int, expected: int
) -> None:
    assert fewest(frozen, monkeypatch, start=start, holds_from=holds_from, boxes=(("rtx-4090", 2),)) == expected


# -- what is run


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, float, int]]:
    """(replicas, requests/s, requests) of every run."""
    told: list[tuple[int, float, int]] = []
    rates: list[float] = []

    def poisson_at(draws: Draws, rate_per_s: float, requests: int) -> Any:
        rates.append(rate_per_s)
        return poisson(draws, rate_per_s, requests)

    def told_simulate(fleet: Fleet, *rest: Any, **more: Any) -> Simulated:
        told.append((fleet.replicas, rates[-1], more["requests"]))
        return simulate(fleet, *rest, **more)

    monkeypatch.setattr(sources, "poisson", poisson_at)
    monkeypatch.setattr(settling, "simulate", told_simulate)
    return told


def test_of_a_large_fleet_a_part_is_run(frozen: Catalog, ran: list[tuple[int, float, int]]) -> None:
    """Some twenty cards for 20 requests/s: at most eight are run, with their part of the load; the fleet carries all of it."""
    load, targets = Load(request_rate_per_s=20.0), Targets(tpot_s=0.045, statistic="p95")
    done = settled(frozen, found_at(frozen, load, targets, (("l4", 1),)), load)
    assert done.kept[0]
    assert done.replicas[0] > 16
    assert {replicas <= 8 for replicas, _, _ in ran} == {True}
    tried = {round(20.0 * replicas / rate, 6) for replicas, rate, _ in ran}
    assert done.replicas[0] in tried
    assert all(size == round(size) for size in tried)
    assert done.output_tokens_per_s[0] == pytest.approx(20.0 * OUTPUT, rel=0.02)


def test_full_replicas_are_run_for_longer(frozen: Catalog, ran: list[tuple[int, float, int]]) -> None:
    """With 150 in flight 600 requests end before the batch is full: their p95 lies 15 % below that of 20,000. Now it lies 5 % below."""
    load = Load(request_rate_per_s=25.0)
    found = replace(found_at(frozen, load, Targets(), (("h100-sxm", 1),)), replicas=np.ones(1))
    run = settled(frozen, found, load, fixed_size=True).simulated[0]
    assert run.mean_running > 140
    assert ran[-1][2] >= 8 * run.mean_running
    (one,) = engines(found.timing, [scheduling_of(found.candidates[0], frozen.chips["h100-sxm"])], longest_tokens=INPUT + OUTPUT)
    short, long = (
        simulate(
            Fleet(engine=one), poisson(Draws(1, Lengths(), INPUT, OUTPUT, CONTEXT), 25.0, n), Targets(), steady=True, requests=n
        ).tpot_s
        for n in (settling.REQUESTS, 20_000)
    )
    assert long.p95 is not None
    assert run.tpot_s.p95 == pytest.approx(long.p95, rel=0.07)
    assert short.p95 is not None
    assert short.p95 < 0.85 * long.p95


def test_a_fleet_that_fills_without_end_is_found_out(frozen: Catalog) -> None:
    """A card carries some five requests/s; at twelve its batch fills first, then the queue grows, and there is no target to say so."""
    load = Load(request_rate_per_s=12.0)
    found = replace(found_at(frozen, load, Targets(), (("rtx-4090", 1),)), replicas=np.ones(1))
    done = settled(frozen, found, load, fixed_size=True)
    assert done.simulated[0].saturated
    assert not done.kept[0]


def test_settling_twice_is_the_same_and_another_seed_is_not(frozen: Catalog) -> None:
    load, targets = CASES[4]
    found = found_at(frozen, load, targets)
    one, same, other = (settled(frozen, found, load, traffic=Traffic(seed=seed)) for seed in (1, 1, 2))
    assert one.simulated == same.simulated
    assert list(one.ttft_s) == list(same.ttft_s)
    assert list(one.ttft_s) != list(other.ttft_s)


def test_beyond_what_it_can_carry_nothing_is_run(frozen: Catalog) -> None:
    """One replica for four requests/s: some carry that, an L4 cannot, and no time is made up for it."""
    load = Load(request_rate_per_s=4.0)
    found = found_at(frozen, load, Targets(), one_replica=True)
    done = settled(frozen, found, load, fixed_size=True)
    assert found.over.any()
    assert not found.over.all()
    assert set(done.simulated) == set(np.flatnonzero(~found.over))
    for place in np.flatnonzero(found.over):
        assert done.tpot_s[place] == found.tpot_s[place]
    assert settle(found, [], frozen.chips, load, Traffic(), utilisation=0.5, longest_tokens=CONTEXT) is found


# -- what is recommended


RECOMMENDED = [
    (Workload(model="70b", users=20.0), Limits(ttft_s=0.5)),
    (Workload(model="8b", users=200.0), Limits(ttft_s=0.4, tpot_s=0.03)),
    (Workload(model="8b", request_rate_per_s=4.0), Limits(ttft_s=0.5, tpot_s=0.04, statistic="p99")),
    (Workload(model="70b", concurrency=32.0), Limits(ttft_s=1.0)),
    (Workload(model="qwen3-30b-a3b-instruct-2507", request_rate_per_s=2.0), Limits(ttft_s=0.5)),
]


def simulated(answer: Recommendation) -> list[Answer]:
    return [one for one in answer.ranked if one.performance.simulated_requests is not None]


@pytest.mark.parametrize(("workload", "limits"), RECOMMENDED)
def test_what_is_recommended_keeps_its_targets_and_is_what_simulate_says(frozen: Catalog, workload: Workload, limits: Limits) -> None:
    """The same machines, load, seed and number of requests, named one at a time, are the same run; a tenth of it is warm-up."""
    answer = recommend(frozen, workload, limits, top=5)
    shown = simulated(answer)
    assert len(shown) >= 3
    for one in shown:
        ttft, tpot = one.performance.ttft_s, one.performance.tpot_s
        for limit, times in ((limits.ttft_s, ttft), (limits.tpot_s, tpot)):
            assert times.p50 is not None
            assert times.p95 is not None
            assert times.p99 is not None
            assert times.p50 <= times.p95 <= times.p99
            assert limit is None or getattr(times, limits.statistic) <= limit
        software = one.software
        again = simulate_named(
            frozen,
            one.offer.id,
            workload.with_changes(weights=software.weights),
            limits,
            traffic=Traffic(requests=int(one.performance.simulated_requests / 0.9 + 1e-9)),
            serving=Serving(replicas=one.hardware.replicas),
            shape=Shape(engine=software.engine, tp=software.tp, pp=software.pp, ep=software.ep, dp=software.dp),
        )
        assert again.answer is not None
        assert again.answer.id == one.id
        assert again.status == "ok"
        assert again.requests.counted == one.performance.simulated_requests
        for name in ("mean", "p50", "p95", "p99"):
            assert getattr(again.ttft_s, name) == pytest.approx(getattr(ttft, name), rel=1e-9)
            assert getattr(again.tpot_s, name) == pytest.approx(getattr(tpot, name), rel=1e-9)


def test_a_spare_machine_costs_and_adds_no_speed(frozen: Catalog) -> None:
    workload, limits = RECOMMENDED[0]
    plain, spare = (recommend(frozen, workload, replace(limits, spare=number), top=6) for number in (0, 1))
    by_id = {one.id: one for one in simulated(plain)}
    both = [(by_id[one.id], one) for one in simulated(spare) if one.id in by_id]
    assert len(both) >= 3
    for without, with_one in both:
        speed, joule = without.performance, with_one.performance.tokens_per_joule
        assert with_one.performance == speed.model_copy(update={"tokens_per_joule": joule})
        assert (joule is None) == (speed.tokens_per_joule is None)
        assert joule is None or joule < (speed.tokens_per_joule or 0.0)  # it idles, and its host runs
        assert with_one.hardware.replicas == without.hardware.replicas
        assert with_one.hardware.instances == without.hardware.instances + 1
        bills = [{line.name: line.amount_usd for line in one.cost.lines} for one in (without, with_one)]
        working = "instances" if "instances" in bills[0] else "hardware"
        assert bills[0]["spare machines"] == 0 < bills[1]["spare machines"]
        assert bills[0][working] == bills[1][working]
