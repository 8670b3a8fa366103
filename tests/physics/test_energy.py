"""Power of accelerators by how busy they are, power at the wall, and what a token costs in electricity and carbon, worked by hand."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.physics.energy import accelerator_draw_w, gco2e_per_mtok, kwh_per_mtok, serving_share, tokens_per_joule, wall_power_w

CURVE = {"idle_level": 0.2, "serving_level": 0.3, "kernel_gain": 0.4, "compute_gain": 0.5}
SHARE = st.floats(0.0, 1.0)


def draw_w(serving: Any = 1.0, kernels: Any = 0.5, computing: Any = 0.04, **curve: float) -> Any:
    return accelerator_draw_w(rated_w=700.0, serving_share=serving, kernel_share=kernels, compute_share=computing, **(CURVE | curve))


def test_a_busy_accelerator() -> None:
    """0.3 + 0.4 x 0.5 + 0.5 x sqrt(0.04) = 0.6 of 700 W = 420 W."""
    assert draw_w() == pytest.approx(420.0)


def test_requests_half_of_the_time() -> None:
    """Half of the time 420 W, half of it idle at 0.2 x 700 W = 140 W: 280 W."""
    assert draw_w(serving=0.5) == pytest.approx(280.0)


def test_no_request_and_all_at_once() -> None:
    """Idle level without requests; never more than rated: 0.3 + 0.4 + 0.5 = 1.2 counts as 1."""
    assert draw_w(serving=0.0) == pytest.approx(140.0)
    assert draw_w(kernels=1.0, computing=1.0) == 700.0


@given(SHARE, SHARE, SHARE, SHARE, SHARE, SHARE)
def test_more_busy_is_not_less_power(serving: float, kernels: float, computing: float, a: float, b: float, c: float) -> None:
    """Between idle and rated, and never falling in any of the three."""
    less = draw_w(serving, kernels, computing)
    more = draw_w(max(serving, a), max(kernels, b), max(computing, c))
    assert 0.2 * 700.0 - 1e-9 <= less <= more + 1e-9
    assert more <= 700.0 + 1e-9


@given(SHARE, SHARE, SHARE)
def test_arrays_are_elementwise(serving: float, kernels: float, computing: float) -> None:
    together = draw_w(*(np.array([value, 0.25]) for value in (serving, kernels, computing)))
    assert together == pytest.approx([draw_w(serving, kernels, computing), draw_w(0.25, 0.25, 0.25)])


def test_share_of_the_time_with_a_request() -> None:
    """Poisson arrivals that do not queue: with 1 in flight on average, 1 - 1/e = 63 % of the time."""
    assert serving_share(in_flight=1.0) == pytest.approx(1.0 - 1.0 / math.e)
    assert serving_share(in_flight=0.0) == 0.0


def test_power_at_the_wall() -> None:
    """8 x 420 W of accelerators, 2,640 W of host: 6,000 W; at a PUE of 1.4 the site takes 8,400 W."""
    assert wall_power_w(accelerators_w=8 * 420.0, host_w=2640.0, facility_overhead=1.4) == pytest.approx(8400.0)


def test_electricity_and_carbon_of_a_million_tokens() -> None:
    """2,100 tokens/s from 8,400 W: 0.25 tokens/J, 4 MJ a million = 1.111 kWh; at 450 g/kWh 500 g."""
    joule = tokens_per_joule(output_tokens_per_s=2100.0, power_w=8400.0)
    kwh = kwh_per_mtok(tokens_per_joule=joule)
    assert (joule, kwh) == (0.25, pytest.approx(4e6 / 3.6e6))
    assert gco2e_per_mtok(kwh_per_mtok=kwh, gco2e_per_kwh=450.0) == pytest.approx(500.0)


@given(st.floats(1.0, 64.0), st.floats(1.01, 8.0))
def test_a_token_costs_less_in_a_larger_batch_while_memory_binds(batch: float, more: float) -> None:
    """A step that reads the weights in 20 ms whatever the batch, and computes 0.1 ms a sequence: power grows slower than tokens/s."""

    def joules_per_token(running: float) -> float:
        computing_s = 1e-4 * running
        assert computing_s <= 0.06
        step_s = 0.02 + computing_s
        return float(draw_w(kernels=1.0, computing=computing_s / step_s)) * step_s / running

    assert joules_per_token(batch * more) < joules_per_token(batch)
