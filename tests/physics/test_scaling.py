"""A machine that stops when nobody asks: against a replayed week of arrivals, at its limits, and by hand."""

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.physics.scaling import OnOff, on_off

RATES = st.floats(1e-6, 10)
TIMES = st.floats(0, 1e5)


def replayed(rate: float, idle_s: float, start_s: float, cycles: int) -> OnOff:
    """The machine event by event: off until someone asks, starting, then up until a gap is longer than the wait."""
    draw = random.Random(11)
    on_s = all_s = 0.0
    requests = late = 0
    for _ in range(cycles):
        all_s += draw.expovariate(rate)
        requests, late = requests + 1, late + 1
        waited_s = draw.expovariate(rate)
        while waited_s < start_s:
            requests, late = requests + 1, late + 1
            waited_s += draw.expovariate(rate)
        up_s = waited_s - start_s  # from the end of the start to the next request: memoryless
        since_s = up_s
        while since_s < idle_s:
            requests += 1
            since_s = draw.expovariate(rate)
            up_s += since_s
        up_s += idle_s - since_s  # the last gap was cut off
        on_s += start_s + up_s
        all_s += start_s + up_s
    return OnOff(on_s / all_s, late / requests, cycles / all_s)


@pytest.mark.parametrize(
    ("rate", "idle_s", "start_s"),
    [(1 / 600, 900.0, 420.0), (1 / 3600, 900.0, 420.0), (1 / 300, 900.0, 60.0), (0.01, 0.0, 420.0), (0.01, 100.0, 0.0), (2.0, 1.5, 0.5)],
)
def test_agrees_with_a_replay(rate: float, idle_s: float, start_s: float) -> None:
    found, seen = on_off(requests_per_s=rate, idle_s=idle_s, start_s=start_s), replayed(rate, idle_s, start_s, 40_000)
    assert found.on_share == pytest.approx(seen.on_share, rel=0.01)
    assert found.late_share == pytest.approx(seen.late_share, rel=0.015)
    assert found.starts_per_s == pytest.approx(seen.starts_per_s, rel=0.015)


def test_by_hand() -> None:
    """One request in 600 s, a wait of 600 s ln 2, a start of 300 s: a cycle has e^(ln 2) + 0.5 = 2.5 requests and takes 2.5 x 600 s.

    Off 600 of 1,500 s; late are the request that wakes it and half a one that comes meanwhile: 1.5 of 2.5.
    """
    found = on_off(requests_per_s=1 / 600, idle_s=600 * math.log(2), start_s=300.0)
    assert found.on_share == pytest.approx(900 / 1500)
    assert found.late_share == pytest.approx(1.5 / 2.5)
    assert found.starts_per_s == pytest.approx(1 / 1500)


def test_a_busy_machine_never_stops() -> None:
    """One request a second and fifteen minutes of patience: e^900, beyond what a float holds."""
    found = on_off(requests_per_s=1.0, idle_s=900.0, start_s=420.0)
    assert found.on_share == 1.0
    assert found.late_share == pytest.approx(0.0, abs=1e-100)


def test_a_machine_that_is_hardly_asked_is_off_and_everybody_waits() -> None:
    """Once in 10^9 s: on for start and wait, 1,320 s of each 10^9."""
    found = on_off(requests_per_s=1e-9, idle_s=900.0, start_s=420.0)
    assert found.on_share == pytest.approx(1320e-9, rel=1e-4)
    assert found.late_share == pytest.approx(1.0, abs=1e-5)
    never = on_off(requests_per_s=0.0, idle_s=900.0, start_s=420.0)
    assert (never.on_share, never.late_share, never.starts_per_s) == (0.0, 1.0, 0.0)


def test_neither_patience_nor_start() -> None:
    """Nothing to pay for but the requests themselves, which are left out; each starts the machine, and waits for nothing."""
    found = on_off(requests_per_s=0.5, idle_s=0.0, start_s=0.0)
    assert (found.on_share, found.late_share, found.starts_per_s) == (0.0, 1.0, 0.5)


@given(rate=RATES, idle_s=TIMES, start_s=TIMES)
def test_shares_are_shares(rate: float, idle_s: float, start_s: float) -> None:
    """However long the wait: it is on or off, late or not; on average it is off for one gap in each cycle."""
    found = on_off(requests_per_s=rate, idle_s=idle_s, start_s=start_s)
    assert 0.0 <= found.on_share <= 1.0
    assert 0.0 <= found.late_share <= 1.0
    assert 0.0 <= found.starts_per_s <= rate
    assert found.starts_per_s / rate == pytest.approx(1.0 - found.on_share, abs=1e-9)


@given(idle_s=TIMES, start_s=TIMES)
def test_more_requests_keep_it_on(idle_s: float, start_s: float) -> None:
    rates = (1e-6, 1e-4, 1e-3, 0.01, 1.0)
    for less, more in pairwise(on_off(requests_per_s=rate, idle_s=idle_s, start_s=start_s) for rate in rates):
        assert more.on_share >= less.on_share - 1e-12
        assert more.late_share <= less.late_share + 1e-12


@given(rate=RATES, start_s=TIMES)
def test_more_patience_costs_more_and_lets_fewer_wait(rate: float, start_s: float) -> None:
    for less, more in pairwise(on_off(requests_per_s=rate, idle_s=idle_s, start_s=start_s) for idle_s in (0.0, 60.0, 900.0, 1e6, 1e9)):
        assert more.on_share >= less.on_share - 1e-12
        assert more.late_share <= less.late_share + 1e-12


@given(rate=RATES, idle_s=TIMES)
def test_a_longer_start_is_paid_for_and_lets_more_wait(rate: float, idle_s: float) -> None:
    for less, more in pairwise(on_off(requests_per_s=rate, idle_s=idle_s, start_s=start_s) for start_s in (0.0, 60.0, 900.0, 1e5)):
        assert more.on_share >= less.on_share - 1e-12
        assert more.late_share >= less.late_share - 1e-12
