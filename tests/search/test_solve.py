"""From a load to replicas and operating points, checked against a scan of every load; what does not fit is never timed."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from deployments import LLAMA_8B, LLAMA_70B, MIXTURE, REAL, several, timing
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.formats import bundled_formats
from infra_advisor.search.calibration import read_parameters
from infra_advisor.search.candidates import Question
from infra_advisor.search.deployments import Column
from infra_advisor.search.fleet import Fleets, fleets, with_slack
from infra_advisor.search.platforms import Platform, platform_of_box
from infra_advisor.search.points import Timing
from infra_advisor.search.solve import Load, Solved, Targets, latency, meets, most_in_flight, rate_of, solve, users_of

CLOSE = 0.005
"""Bisection leaves the operating point within half a percent."""

# Cards of 40 to 192 GB, 0.3 to 8 TB/s, one to eight of them.
BANDWIDTHS = [3e11, 1e12, 2e12, 3.35e12, 8e12]
TABLE: dict[str, Any] = {
    "tp": [1, 2, 4, 8] * 5,
    "memory_bytes": [memory for memory in (40e9, 48e9, 80e9, 96e9, 192e9) for _ in range(4)],
    **{f"{part}_bytes_per_s": [rate * 0.8 for rate in BANDWIDTHS for _ in range(4)] for part in ("linear", "expert", "kv")},
    **{f"{part}_flop_per_s": [rate * 150 for rate in BANDWIDTHS for _ in range(4)] for part in ("linear", "expert", "score")},
}  # fmt: skip


def fitting(shape: Any = LLAMA_8B, **changes: Any) -> Timing:
    """Those of the table that the model fits into."""
    timed = timing(shape, linear_bits=8, expert_bits=8, **(REAL | TABLE | changes))
    return timed.take(np.flatnonzero(timed.memory.fits))


def solved(timed: Timing, targets: Targets, load: Load, **changes: Any) -> Solved:
    usual: dict[str, Any] = {"utilisation": 0.5, "per_machine": several(timed, 1)}
    return solve(timed, targets, load, **(usual | changes))


def keeps(timed: Timing, targets: Targets, in_flight: Column, *, opened: bool) -> NDArray[np.bool_]:
    return meets(timed, timed.serve(in_flight, open_arrivals=opened), targets)


TARGETS = [
    Targets(),
    Targets(ttft_s=0.5),
    Targets(tpot_s=0.006),
    Targets(tpot_s=0.03),
    Targets(ttft_s=0.3, tpot_s=0.02),
    Targets(request_s=12.0),
    Targets(ttft_s=1.0, tpot_s=0.05, statistic="p95"),
    Targets(ttft_s=0.4, statistic="p50"),
]
NAMES = [", ".join(f"{name} {value}" for name, value in vars(targets).items() if value is not None) for targets in TARGETS]
each_target = pytest.mark.parametrize("targets", TARGETS, ids=NAMES)


def test_the_table_is_worth_testing() -> None:
    """Some targets are missed alone, some limit the load, some are kept by all that memory holds; each in at least one deployment."""
    seen: Counter[str] = Counter()
    for targets in TARGETS:
        timed = fitting()
        limit = most_in_flight(timed, targets, open_arrivals=False)
        seen["missed alone"] += int(np.sum(limit == 0))
        seen["memory"] += int(np.sum(limit == timed.memory.most_running))
        seen["limited"] += int(np.sum((limit > 0) & (limit < timed.memory.most_running)))
    assert min(seen["missed alone"], seen["memory"], seen["limited"]) > 5


# -- the limit of one replica


@pytest.mark.parametrize("shape", [LLAMA_8B, LLAMA_70B, MIXTURE], ids=["8b", "70b", "mixture"])
@pytest.mark.parametrize("opened", [False, True], ids=["closed", "open"])
@each_target
def test_the_limit_keeps_the_targets_and_one_more_does_not(shape: Any, opened: bool, targets: Targets) -> None:
    """One request more than the limit misses a target, or there is no room for it. Nor does any load between, scanned in steps of half."""
    timed = fitting(shape)
    limit, most = most_in_flight(timed, targets, open_arrivals=opened), timed.memory.most_running
    alone = keeps(timed, targets, several(timed, 1), opened=opened)
    assert list(limit >= 1) == list(alone)
    assert np.all(limit <= most)
    assert np.all(keeps(timed, targets, np.maximum(limit, 1), opened=opened)[alone])
    more = np.maximum(limit * (1 + CLOSE), 1) + 0.01
    beyond = alone & (more <= most)
    assert not np.any(keeps(timed, targets, more, opened=opened)[beyond])
    whole = np.floor(limit) + 1
    beyond = alone & (whole <= most)
    assert not np.any(keeps(timed, targets, whole, opened=opened)[beyond])


@each_target
def test_stricter_targets_never_allow_more(targets: Targets) -> None:
    timed = fitting()
    loose = most_in_flight(timed, targets, open_arrivals=False)
    for name in ("ttft_s", "tpot_s", "request_s"):
        value = getattr(targets, name)
        if value is not None:
            strict = Targets(**(vars(targets) | {name: value / 2}))
            assert np.all(most_in_flight(timed, strict, open_arrivals=False) <= loose * (1 + CLOSE))


def test_without_targets_memory_is_the_limit() -> None:
    timed = fitting()
    assert list(most_in_flight(timed, Targets(), open_arrivals=True)) == list(timed.memory.most_running)


def test_quantiles_are_ordered() -> None:
    """p50 <= p95 in TTFT; TPOT p95 is 1 + 0.42 x prefill load of the mean; a replica that keeps a limit at p95 keeps it at the mean."""
    timed = fitting()
    served = timed.serve(np.minimum(timed.memory.most_running, 24), open_arrivals=True)
    (mean_ttft, mean_tpot), (p50_ttft, p50_tpot), (p95_ttft, p95_tpot) = (latency(timed, served, name) for name in ("mean", "p50", "p95"))
    assert np.all(p50_ttft <= p95_ttft)
    assert np.all(mean_ttft <= p95_ttft)
    assert np.all(p50_ttft > served.ttft_s - served.queue_s - 1e-12)
    assert p95_tpot == pytest.approx((1 + 0.42 * served.prefill_load) * mean_tpot)
    assert list(p50_tpot) == list(mean_tpot)
    at_p95 = most_in_flight(timed, Targets(ttft_s=0.5, tpot_s=0.04, statistic="p95"), open_arrivals=True)
    at_mean = most_in_flight(timed, Targets(ttft_s=0.5, tpot_s=0.04), open_arrivals=True)
    assert np.all(at_p95 <= at_mean * (1 + CLOSE))


@pytest.mark.parametrize("factor", [0.3, 1.0, 3.0])
def test_quantiles_are_ordered_whatever_measurements_say_of_the_whole(factor: float) -> None:
    """TTFT scaled as a whole, its queue with it: 0 < p50 <= p95 and mean <= p95 at every load, and each quantile scales like the mean."""
    plain, scaled = fitting(), fitting(ttft_factor=factor)
    for load in (1.0, 24.0, 200.0):
        before, after = (timed.serve(several(timed, load), open_arrivals=True) for timed in (plain, scaled))
        p50, p95 = (latency(scaled, after, name)[0] for name in ("p50", "p95"))
        assert np.all(p50 > 0)
        assert np.all(p50 <= p95 * (1 + 1e-12))
        assert np.all(after.ttft_s <= p95 * (1 + 1e-12))
        for name in ("p50", "p95"):
            assert latency(scaled, after, name)[0] == pytest.approx(factor * latency(plain, before, name)[0])


# -- the fewest replicas


def scan(timed: Timing, place: int, targets: Targets, *, opened: bool) -> list[tuple[float, float, float]]:
    """(in flight, requests/s, users who think 20 s) of one replica at every load that keeps the targets, in 1,500 steps."""
    grid = np.geomspace(1e-3, float(timed.memory.most_running[place]), 1500)
    one = timed.take(np.full(len(grid), place))
    served = one.serve(grid, open_arrivals=opened)
    kept = meets(one, served, targets)
    columns = grid, rate_of(served, one.output_tokens), users_of(served, one.output_tokens, 20.0)
    return [(float(n), float(rate), float(users)) for n, rate, users, keep in zip(*columns, kept, strict=True) if keep]


REPLICA_TARGETS = [Targets(ttft_s=0.5), Targets(tpot_s=0.03), Targets(ttft_s=0.4, tpot_s=0.05, statistic="p95"), Targets()]


@pytest.mark.parametrize("wanted", [1.0, 7.0, 100.0, 1000.0])
@pytest.mark.parametrize("targets", REPLICA_TARGETS)
def test_fewest_replicas_for_requests_in_flight(targets: Targets, wanted: float) -> None:
    """The busiest replica holds the share rounded up: it keeps the targets; with one replica less the busiest misses them or is full."""
    timed = fitting()
    found = solved(timed, targets, Load(in_flight=wanted))
    alone = found.limit >= 1
    assert found.in_flight * found.replicas == pytest.approx(several(timed, wanted))
    assert np.all(keeps(timed, targets, np.ceil(wanted / found.replicas), opened=False)[alone])
    fewer = alone & (found.replicas > 1)
    busiest = np.ceil(wanted / np.maximum(found.replicas - 1, 1))
    possible = keeps(timed, targets, busiest, opened=False) & (busiest <= timed.memory.most_running)
    assert not np.any(possible[fewer])
    assert np.all(np.ceil(wanted / found.replicas)[alone] <= timed.memory.most_running[alone])


@pytest.mark.parametrize(("kind", "column"), [("request_rate_per_s", 1), ("users", 2)])
@pytest.mark.parametrize("wanted", [1e-6, 0.3, 5.0, 300.0])
@pytest.mark.parametrize("targets", REPLICA_TARGETS)
def test_fewest_replicas_for_a_rate_or_for_users(targets: Targets, wanted: float, kind: str, column: int) -> None:
    """The fleet carries the load within the targets; one replica less could not, at any load the scan allows (1 % left to the search)."""
    timed = fitting()
    found = solved(timed, targets, Load(**{kind: wanted, "think_s": 20.0}))
    alone = found.limit >= 1
    out = timed.output_tokens
    carried = rate_of(found.served, out) if kind == "request_rate_per_s" else users_of(found.served, out, 20.0)
    assert (found.replicas * carried)[alone] == pytest.approx(wanted, rel=0.01)
    assert np.all(keeps(timed, targets, found.in_flight, opened=True)[alone])
    for place in np.flatnonzero(alone & (found.replicas > 1)):
        most = max(point[column] for point in scan(timed, int(place), targets, opened=True))
        assert (found.replicas[place] - 1) * most < wanted * 1.01


def test_a_single_request_takes_a_single_replica() -> None:
    timed = fitting()
    for least in (Load(in_flight=1.0), Load(users=1.0, think_s=20.0), Load(request_rate_per_s=1e-4)):
        assert set(solved(timed, Targets(), least).replicas) == {1.0}


def test_more_load_never_takes_fewer_replicas() -> None:
    timed = fitting()
    steps = (1.0, 3.0, 10.0, 50.0, 200.0, 1000.0)
    in_flight = [Load(in_flight=n) for n in steps]
    users = [Load(users=n, think_s=20.0) for n in steps]
    rates = [Load(request_rate_per_s=n / 30) for n in steps]
    for rising in (in_flight, users, rates):
        counts = [solved(timed, Targets(ttft_s=0.5), one).replicas for one in rising]
        assert np.all(np.diff(counts, axis=0) >= 0)


# -- Little's law


@settings(deadline=None, max_examples=10)
@given(wanted=st.floats(0.5, 500), think=st.floats(0, 120))
def test_users_rates_and_requests_in_flight_are_one_load(wanted: float, think: float) -> None:
    """Users who think z and wait R ask users / (z + R) times a second; so many requests a second keep rate x R in flight.

    Asked for that rate, the fleet works at the same point. Near saturation the rate hardly depends on the requests in flight: 5 %.
    """
    timed = fitting().take(np.array([0, 5, 10]))
    by_users = solved(timed, Targets(), Load(users=wanted, think_s=think))
    request_s = by_users.served.request_s(timed.output_tokens)
    rate = wanted / (think + request_s)
    assert by_users.in_flight * by_users.replicas == pytest.approx(rate * request_s, rel=0.01)
    for place in range(len(timed.d)):
        by_rate = solved(timed.take(np.array([place])), Targets(), Load(request_rate_per_s=float(rate[place])))
        assert abs(by_rate.replicas[0] - by_users.replicas[place]) <= 1
        if by_rate.replicas[0] == by_users.replicas[place]:
            assert by_rate.in_flight[0] == pytest.approx(by_users.in_flight[place], rel=0.05)
            assert by_rate.served.tpot_s[0] == pytest.approx(by_users.served.tpot_s[place], rel=0.05)


def test_users_who_do_not_think_are_requests_in_flight() -> None:
    timed = fitting()
    served = timed.serve(several(timed, 6), open_arrivals=True)
    assert users_of(served, timed.output_tokens, 0.0) == pytest.approx(several(timed, 6))
    assert rate_of(served, timed.output_tokens) * served.request_s(timed.output_tokens) == pytest.approx(several(timed, 6))


def test_users_of_a_hand_worked_replica() -> None:
    """4 in flight for 5 s each: 0.8 requests/s; with 15 s of thought each user asks every 20 s, so 16 users."""
    timed = fitting()
    served = timed.serve(several(timed, 4), open_arrivals=True)
    request_s = served.request_s(timed.output_tokens)
    assert rate_of(served, timed.output_tokens) == pytest.approx(4 / request_s)
    assert users_of(served, timed.output_tokens, 15.0) == pytest.approx(4 / request_s * (15 + request_s))


# -- no load stated


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_an_unstated_load_is_a_share_of_the_highest_rate(share: float) -> None:
    """The fleet given carries that share of what it could carry within the targets."""
    timed = fitting()
    targets = Targets(ttft_s=0.5, tpot_s=0.05)
    found = solved(timed, targets, Load(), utilisation=share, per_machine=several(timed, 3))
    alone = found.limit >= 1
    out = timed.output_tokens
    at_limit = timed.serve(np.maximum(found.limit, 1), open_arrivals=True).output_tokens_per_s(out)
    assert set(found.replicas) == {3.0}
    assert found.served.output_tokens_per_s(out)[alone] == pytest.approx(share * at_limit[alone], rel=CLOSE)
    assert found.served_at_limit.output_tokens_per_s(out)[alone] == pytest.approx(at_limit[alone])
    assert np.all(keeps(timed, targets, found.in_flight, opened=True)[alone])


# -- fleets of the real catalog


@pytest.fixture(scope="module")
def catalog(real: Catalog) -> Catalog:
    return real


def question(catalog: Catalog, model: str = "llama-3.3-70b-instruct", weights: str = "auto") -> Question:
    found = catalog.model(model)
    return Question(found, found.architecture, bundled_formats(), read_parameters(catalog.parameters, catalog.deviations), weights, "auto")


def boxes(catalog: Catalog) -> list[Platform]:
    """Servers of one to eight accelerators, cards in a host, a desktop and a phone."""
    racks = [platform_of_box(catalog.chips[chip], number, board=False) for chip in ("h100-sxm", "mi300x", "gaudi3") for number in (1, 2, 8)]
    cards = [platform_of_box(catalog.chips[chip], number, board=True) for chip in ("l4", "rtx-4090") for number in (1, 4)]
    return [*racks, *cards, *(platform_of_box(catalog.chips[chip], 1, board=True) for chip in ("m4-max-40c", "snapdragon-8-elite-npu"))]


def searched(catalog: Catalog, asked: Question, load: Load, targets: Targets | None = None) -> Fleets:
    return fleets(
        boxes(catalog), catalog.chips, catalog.engines, asked, targets or Targets(), load,
        input_tokens=1000, output_tokens=300, utilisation=0.5, dropped=Counter(),
    )  # fmt: skip


@pytest.mark.parametrize("model", ["llama-3.3-70b-instruct", "llama-3.1-8b-instruct", "gpt-oss-120b"])
def test_weights_that_do_not_fit_are_never_timed(catalog: Catalog, model: str) -> None:
    """Counted from parameters and bits alone: what is timed leaves room, and a platform without room is named with its candidate."""
    asked = question(catalog, model)
    found = searched(catalog, asked, Load(in_flight=1.0))
    assert found.candidates
    assert len(found.candidates) == len(found.timing.d)
    for candidate in found.candidates:
        bits, weights = candidate.weights.format.by_part, asked.shape.weights
        total = (
            weights.linear * bits.linear + weights.experts * bits.experts + weights.embedding * bits.embedding + weights.head * bits.head
        ) / 8
        memory = candidate.platform.memory_bytes or catalog.chips[candidate.platform.chip].memory_bytes
        assert memory is not None
        assert total < memory * candidate.layout.chips
    timed = {candidate.platform for candidate in found.candidates}
    assert timed.isdisjoint(found.unfit)
    for platform, candidate in found.unfit.items():
        assert candidate.platform == platform


def test_a_70b_model_in_8_bits_needs_two_cards_of_80_gb(catalog: Catalog) -> None:
    """70.6 GB of weights and 2.1 GB more for 16-bit tables exceed what an engine takes of one H100, not of two, nor of one MI300X."""
    found = searched(catalog, question(catalog, weights="fp8"), Load(in_flight=1.0))
    by_chip = {(candidate.platform.chip, candidate.layout.chips) for candidate in found.candidates}
    assert ("h100-sxm", 1) not in by_chip
    assert ("h100-sxm", 2) in by_chip
    assert ("mi300x", 1) in by_chip
    assert not any(chip in ("l4", "rtx-4090") and chips == 1 for chip, chips in by_chip)


def test_machines_are_whole_and_hold_the_replicas(catalog: Catalog) -> None:
    """Replicas x accelerators each fit into machines x accelerators each, and not into one machine less."""
    found = searched(catalog, question(catalog, "llama-3.1-8b-instruct"), Load(in_flight=500.0), Targets(tpot_s=0.05))
    for place, candidate in enumerate(found.candidates):
        size, each = candidate.platform.chips, candidate.layout.chips
        machines, replicas = found.machines[place], found.replicas[place]
        assert machines == int(machines)
        per_machine = max(size // each, 1)
        assert (machines - 1) * per_machine < replicas <= machines * per_machine


def test_what_is_kept_meets_every_target(catalog: Catalog) -> None:
    targets = Targets(ttft_s=0.5, tpot_s=0.03)
    found = searched(catalog, question(catalog), Load(users=40.0, think_s=20.0), targets)
    assert 0 < found.kept.sum() < len(found.kept)
    assert np.all(found.ttft_s[found.kept] <= 0.5)
    assert np.all(found.tpot_s[found.kept] <= 0.03)


def test_a_miss_is_sized_by_its_own_latency(catalog: Catalog) -> None:
    """With targets that nothing meets, the fleet that accepts the miss carries the load and stays near the latency of one request."""
    asked = Load(in_flight=64.0)
    found = searched(catalog, question(catalog), asked, Targets(ttft_s=1e-4, tpot_s=1e-4))
    assert not found.kept.any()
    places = list(range(len(found.candidates)))
    accepted = with_slack(found, places, asked, utilisation=0.5)
    assert np.all(accepted.solved.limit >= 1)
    assert accepted.replicas * accepted.solved.in_flight == pytest.approx(np.full(len(places), 64.0))
    alone = found.timing.serve(several(found.timing, 1), open_arrivals=False)
    assert np.all(accepted.tpot_s <= alone.tpot_s * 1.2)
    assert np.all(accepted.ttft_s <= alone.ttft_s * 1.2)


def test_a_machine_paid_for_is_used_whole() -> None:
    """Room for 3 replicas per machine: whatever takes one or two of them gets all three, with less in flight on each; but two requests
    in flight never get three replicas.
    """
    timed = fitting()
    busy = solved(timed, Targets(), Load(in_flight=30.0), per_machine=several(timed, 3))
    assert np.all(busy.replicas % 3 == 0)
    np.testing.assert_allclose(busy.in_flight * busy.replicas, 30.0)
    quiet = solved(timed, Targets(), Load(in_flight=2.0), per_machine=several(timed, 3))
    assert np.all(quiet.replicas <= 2)
