"""A month of a load that moves: machine hours worked by hand for short weeks, and what holds for every week."""

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra_advisor.search.schedule import Plan, Service, plans


def service(week: list[float], **changes: Any) -> Service:
    """Ten units of load a replica, a replica a machine, machines that start at once; 80 units make 80 requests/s: nobody is ever alone."""
    usual: dict[str, Any] = {
        "peak": 80.0, "replica_limit": 10.0, "rate_per_load": 1.0, "replicas_per_machine": 1, "machines_per_replica": 1.0, "spare": 0,
        "cold_start_s": 0.0, "idle_s": 900.0,
    }  # fmt: skip
    return Service(week=week, **(usual | changes))


def hours(week: list[float], **changes: Any) -> tuple[float, float, float]:
    """Machine hours of the three plans, after what must hold of every plan."""
    found = plans(service(week, **changes))
    assert [plan.name for plan in found] == ["fixed", "schedule", "scale-to-zero"]
    for plan in found:
        assert plan.most_machines == found[0].most_machines
        assert plan.on_hours + plan.idle_hours == pytest.approx(plan.most_machines * len(week))
        assert 0.0 <= plan.late_share <= 1.0
    assert found[0].late_share == found[1].late_share == 0.0
    return found[0].on_hours, found[1].on_hours, found[2].on_hours


# -- machines for a load


@pytest.mark.parametrize(
    ("load", "machines"),
    [(1e-9, 1), (0.1, 1), (10.0, 1), (10.0 + 1e-12, 1), (10.1, 2), (20.0, 2), (79.9, 8), (80.0, 8), (1e6, 100_000)],
)
def test_machines_are_the_load_over_the_limit_rounded_up(load: float, machines: int) -> None:
    """Any load takes one machine, however small, and a rounding error takes none."""
    assert service([1.0]).machines(load) == machines


@pytest.mark.parametrize(("load", "machines"), [(1.0, 1), (30.0, 1), (31.0, 2), (60.0, 2), (80.0, 3)])
def test_three_replicas_share_a_machine(load: float, machines: int) -> None:
    """30 units a machine: 80 take 8 replicas on 3 machines."""
    assert service([1.0], replicas_per_machine=3).machines(load) == machines


@pytest.mark.parametrize(("load", "machines"), [(1.0, 2), (10.0, 2), (11.0, 4), (80.0, 16)])
def test_a_replica_spans_two_machines(load: float, machines: int) -> None:
    assert service([1.0], machines_per_replica=2.0).machines(load) == machines


@pytest.mark.parametrize(("load", "machines"), [(1.0, 2), (10.0, 2), (20.0, 3), (40.0, 6), (41.0, 8)])
def test_replicas_that_only_prefill_take_machines_too(load: float, machines: int) -> None:
    """One for every two that decode, in whole ones: 1 + 1, 2 + 1, 4 + 2, 5 + 3 (of 2.5)."""
    assert service([1.0], prefill_share=0.5).machines(load) == machines


def test_prefill_and_decode_share_machines() -> None:
    """3 that decode and 3 that prefill, on machines with room for four: two machines."""
    assert service([1.0], prefill_share=1.0, replicas_per_machine=4).machines(30.0) == 2


# -- weeks by hand


def test_fixed_and_scheduled() -> None:
    """Four hours at 0, 20, 80 and 40: 0, 2, 8 and 4 machines. Fixed 4 x 8 = 32; by schedule 14, since machines start at once."""
    assert hours([0.0, 0.25, 1.0, 0.5]) == (32, 14, 14)


def test_starts_are_paid_for() -> None:
    """2 machines start, then 6 more, each a quarter of an hour early: 14 + 8 / 4 = 16. The last hour leads to the first: none starts."""
    assert hours([0.0, 0.25, 1.0, 0.5], cold_start_s=900.0)[1] == 16


def test_the_week_goes_round() -> None:
    """From the last hour at 80 to the first at 40 nothing starts; from the last at 40 to the first at 80 four do: 8 + 4 + 4 / 4."""
    assert hours([0.5, 1.0], cold_start_s=900.0)[1] == 13
    assert hours([1.0, 0.5], cold_start_s=900.0)[1] == 13
    assert hours([1.0, 1.0], cold_start_s=900.0)[1] == 16


def test_a_start_longer_than_the_gaps_means_never_to_stop() -> None:
    """Every other hour 8 machines: 16 + 2 x 8 x 1.5 h = 40 h, more than the 32 of those that stay on."""
    assert hours([0.0, 1.0, 0.0, 1.0], cold_start_s=5400.0) == (32, 32, 32)


def test_spare_machines_stand_by_while_the_service_is_up() -> None:
    """One more at each hour but the first: 0, 3, 9 and 5 = 17 of 4 x 9; they start with the rest: 3 + 6 at a quarter of an hour."""
    week = [0.0, 0.25, 1.0, 0.5]
    assert hours(week, spare=1) == (36, 17, 17)
    assert hours(week, spare=1, cold_start_s=900.0)[1] == 17 + 9 / 4


def test_machines_of_three_replicas() -> None:
    """20, 80 and 40 units take 2, 8 and 4 replicas: 1, 3 and 2 machines."""
    assert hours([0.0, 0.25, 1.0, 0.5], replicas_per_machine=3) == (12, 6, 6)


def test_replicas_of_two_machines() -> None:
    """Twice the machines of one each, and one spare machine, not a spare replica: 4 x (16 + 1); 4 + 1, 16 + 1 and 8 + 1."""
    assert hours([0.0, 0.25, 1.0, 0.5], machines_per_replica=2.0, spare=1) == (68, 31, 31)


# One request in 600 s; the machine waits 600 s ln 2 and starts in 300 s. A cycle: 600 s off, 300 s starting, 600 s up
# ((e^(ln 2) - 1) x 600 s); of its 2.5 requests the first is late, and half a one that comes while it starts.
RARE: dict[str, Any] = {"peak": 1.0, "rate_per_load": 1 / 600, "idle_s": 600 * math.log(2), "cold_start_s": 300.0}


def test_a_rare_load_lets_the_machine_stop() -> None:
    """On 900 of 1,500 s: 0.6 of four hours; late are 1.5 of 2.5 requests."""
    assert hours([1.0] * 4, **RARE) == (4, 4, pytest.approx(2.4))
    assert plans(service([1.0] * 4, **RARE))[2].late_share == pytest.approx(0.6)


def test_nothing_is_saved_where_nobody_asks_anyway() -> None:
    """Two of four hours have a load, 1 h + 300 s of start by schedule; the machine is on for 0.6 of the two hours, and the start."""
    fixed, scheduled, to_zero = hours([0.0, 1.0, 1.0, 0.0], **RARE)
    assert (fixed, scheduled) == (4, pytest.approx(2 + 300 / 3600))
    assert to_zero == pytest.approx(2 * 0.6 + 300 / 3600)


def test_only_the_last_replica_stops() -> None:
    """Two hours of 1 unit and two of 20: one machine that stops and starts, and two that stay.

    By schedule 1 + 1 + 2 + 2 and one start; to zero 0.6 + 0.6 + 4. Late are 0.6 of the 2 x 6 requests, of 2 x 126 in all.
    """
    week = [0.05, 0.05, 1.0, 1.0]
    fixed, scheduled, to_zero = hours(week, **(RARE | {"peak": 20.0}))
    assert (fixed, scheduled) == (8, pytest.approx(6 + 300 / 3600))
    assert to_zero == pytest.approx(5.2 + 300 / 3600)
    assert plans(service(week, **(RARE | {"peak": 20.0})))[2].late_share == pytest.approx(0.6 * 6 / (6 + 120))


def test_a_spare_machine_stops_with_the_last_one() -> None:
    """Two machines, on for 0.6 of the time."""
    assert hours([1.0] * 4, **RARE, spare=1) == (8, 8, pytest.approx(4.8))


def test_a_machine_of_many_replicas_stops_when_none_is_asked() -> None:
    """Eight replicas on it and a load of three: still one machine."""
    assert hours([1.0] * 4, **(RARE | {"peak": 30.0, "rate_per_load": 1 / 18_000}), replicas_per_machine=8)[2] == pytest.approx(2.4)


def test_a_load_next_to_nothing_still_takes_a_machine() -> None:
    """One request in thirty years: a machine all week if it is fixed, never on if it may stop, and whoever asks waits."""
    fixed, scheduled, to_zero = hours([1.0] * 168, peak=1e-9)
    assert (fixed, scheduled) == (168, 168)
    assert to_zero == pytest.approx(0.0, abs=1e-3)
    assert plans(service([1.0] * 168, peak=1e-9))[2].late_share == pytest.approx(1.0, abs=1e-5)


def test_one_busy_hour_in_a_week() -> None:
    """Eight machines for an hour, each started 300 s before: 8 x (1 + 1/12)."""
    week = [0.0] * 168
    week[10] = 1.0
    assert hours(week, cold_start_s=300.0) == (8 * 168, pytest.approx(8 * 13 / 12), pytest.approx(8 * 13 / 12))


# -- every week

SHARES = st.sampled_from([0.0, 0.0, 0.001, 0.02, 0.3, 0.5, 0.99, 1.0])
WEEKS = st.lists(SHARES, min_size=2, max_size=24).map(lambda week: [*week, 1.0])
SERVICES = st.builds(
    service,
    WEEKS,
    peak=st.sampled_from([1e-6, 0.3, 10.0, 80.0, 1e5]),
    rate_per_load=st.sampled_from([1e-5, 1e-3, 0.04, 1.0]),
    replicas_per_machine=st.integers(1, 8),
    machines_per_replica=st.sampled_from([1.0, 1.0, 2.0]),
    prefill_share=st.sampled_from([0.0, 0.0, 0.5, 3.0]),
    spare=st.integers(0, 2),
    cold_start_s=st.sampled_from([0.0, 60.0, 420.0, 3600.0, 86_400.0]),
    idle_s=st.sampled_from([0.0, 900.0, 1e5]),
)


def changed(found: Service, **changes: Any) -> list[Plan]:
    return plans(Service(**(vars(found) | changes)))


@given(found=SERVICES)
def test_each_plan_costs_no_more_than_the_one_before(found: Service) -> None:
    for before, after in pairwise(plans(found)):
        assert after.on_hours <= before.on_hours * (1 + 1e-12)


@settings(deadline=None)
@given(found=SERVICES)
def test_more_load_never_costs_less(found: Service) -> None:
    for less, more in pairwise(changed(found, peak=found.peak * factor) for factor in (1.0, 1.01, 2.0, 100.0)):
        for before, after in zip(less, more, strict=True):
            assert after.most_machines >= before.most_machines
            assert after.on_hours >= before.on_hours * (1 - 1e-12)


@given(found=SERVICES)
def test_a_stronger_replica_never_costs_more(found: Service) -> None:
    for weak, strong in zip(plans(found)[:2], changed(found, replica_limit=found.replica_limit * 3)[:2], strict=True):
        assert strong.on_hours <= weak.on_hours * (1 + 1e-12)


@given(found=SERVICES)
def test_a_spare_machine_is_never_free(found: Service) -> None:
    """One more, for as long as the service is up at least, and all the time where the fleet is fixed."""
    fixed, scheduled, _ = plans(found)
    more = changed(found, spare=found.spare + 1)
    assert more[0].on_hours == fixed.on_hours + len(found.week)
    assert scheduled.on_hours < more[1].on_hours <= more[0].on_hours


@given(found=SERVICES)
def test_a_quicker_start_never_costs_more(found: Service) -> None:
    for slow, quick in zip(plans(found), changed(found, cold_start_s=found.cold_start_s / 2), strict=True):
        assert quick.on_hours <= slow.on_hours * (1 + 1e-12)
        assert quick.late_share <= slow.late_share + 1e-12


@given(found=SERVICES)
def test_around_the_clock_all_three_are_alike(found: Service) -> None:
    """Where a request comes each second at least, nothing ever stops."""
    busy = changed(found, week=[1.0] * 24, rate_per_load=1.0 / found.peak, idle_s=900.0)
    assert len({plan.on_hours for plan in busy}) == 1
    assert busy[2].late_share < 1e-100
