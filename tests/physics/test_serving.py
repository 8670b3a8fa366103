"""Continuous batching in closed form: against queueing theory, a replayed queue, and by hand."""

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra_advisor.physics.serving import Served, serve, waiting_quantile_s

MANY = 1e9


def linear_step(start_s: float, each_s: float) -> Callable[[Any], Any]:
    """A decode step that grows with the batch. [s]"""
    return lambda batch: start_s + each_s * batch


def served(in_flight: float, **changes: Any) -> Served:
    """100 output tokens at 10 ms; a prompt takes 0.2 s alone and 0.05 s in company; nothing stalls and nothing waits for ranks."""
    usual: dict[str, Any] = {
        "most_running": MANY, "output_tokens": 100.0, "decode_step_s": linear_step(0.01, 0.0), "prompt_alone_s": 0.2,
        "prompt_share_s": 0.05, "prompt_stall_s": 0.0, "frontend_s": 0.03, "queue_weight": 0.5, "rank_wait_steps": 0.0,
    }  # fmt: skip
    return serve(in_flight=in_flight, **(usual | changes))


def wait_s(found: Served, rank_wait_steps: float = 0.0) -> float:
    """Time behind other prompts alone, without the steps of the running batch."""
    return float(found.queue_s - (0.5 + rank_wait_steps) * found.step_s)


def test_one_request_sees_an_idle_replica() -> None:
    """TTFT = 30 ms + 200 ms; TPOT = one step of a batch of one; no queue, no admission."""
    alone = served(1.0, decode_step_s=linear_step(0.01, 0.002), prompt_stall_s=0.033, rank_wait_steps=3.0)
    assert alone.ttft_s == pytest.approx(0.23)
    assert alone.tpot_s == pytest.approx(0.012)
    assert alone.queue_s == pytest.approx(0.0, abs=1e-12)
    assert alone.admission_s == 0


def test_throughput_and_latency_obey_littles_law() -> None:
    """8 in flight, request time = TTFT + 99 x TPOT: 8 x 100 / request time tokens/s; of one alone 100 / (0.23 + 0.99) = 81.967."""
    assert served(1.0).request_s(100.0) == pytest.approx(1.22)
    assert served(1.0).output_tokens_per_s(100.0) == pytest.approx(100 / 1.22)
    eight = served(8.0, decode_step_s=linear_step(0.01, 0.001), prompt_stall_s=0.025)
    assert eight.output_tokens_per_s(100.0) * eight.request_s(100.0) == pytest.approx(8 * 100)


def test_queue_is_pollaczek_khinchine() -> None:
    """Deterministic service s and Poisson arrivals at rate r: wait = r s^2 / (2 (1 - r s)).

    At a load of one half: r = 0.5 / 0.05 = 10/s; wait = 10 x 0.0025 / (2 x 0.5) = 25 ms. The cycle without the wait is
    100 x 0.01 + 0.2 = 1.2 s, so by Little's law 10 x (1.2 + 0.025) = 12.25 requests are in flight.
    """
    found = served(12.25)
    assert wait_s(found) == pytest.approx(0.025)
    assert found.prefill_load == pytest.approx(0.5)


@given(in_flight=st.floats(2, 200), share=st.floats(0.001, 0.2), weight=st.floats(0.05, 0.5))
def test_wait_load_and_throughput_agree(in_flight: float, share: float, weight: float) -> None:
    """Two laws at once: wait = weight x s x load / (1 - load), load = throughput x s with in flight = throughput x cycle."""
    found = served(in_flight, prompt_share_s=share, queue_weight=weight)
    load, wait = float(found.prefill_load), wait_s(found)
    assert 0 < load < 1
    assert wait == pytest.approx(weight * share * load / (1 - load), rel=1e-4)
    assert in_flight * share / (100 * 0.01 + 0.2 + wait) == pytest.approx(load, rel=1e-6)


def test_queue_agrees_with_a_replayed_one() -> None:
    """Lindley's recursion over 200,000 Poisson arrivals at a load of 0.8 (r = 16/s); closed form 16 x 0.0025 / (2 x 0.2) = 0.1 s."""
    draw, wait, total, arrivals = random.Random(7), 0.0, 0.0, 200_000
    for _ in range(arrivals):
        total += wait
        wait = max(wait + 0.05 - draw.expovariate(16.0), 0.0)
    assert wait_s(served(16 * (1.2 + 0.1))) == pytest.approx(0.1)
    assert total / arrivals == pytest.approx(0.1, rel=0.05)


def test_prompts_never_take_more_than_all_the_time() -> None:
    """1,000 in flight and hardly any output: each waits for the rest, so the replica completes at most 1 / 0.05 s = 20 a second."""
    found = served(1000.0, output_tokens=1.0)
    assert 0.99 < found.prefill_load < 1
    assert 19 < 1000 / found.request_s(1.0) < 20


def test_prefill_of_others_delays_decode() -> None:
    """5 run; each of 4 other prompts delays the others by 25 ms per 100 tokens: 10 ms + 0.025 x 4 / 100 = 11 ms."""
    found = served(5.0, prompt_stall_s=0.025, prompt_alone_s=0.0)
    assert found.tpot_s == pytest.approx(0.011, rel=1e-6)


def test_running_batch_excludes_time_in_prefill() -> None:
    """A request decodes for 100 x 10 ms = 1 s of 1.25 s when a prompt takes 0.25 s: of 10 in flight, 8 decode together."""
    assert served(10.0, prompt_alone_s=0.25).running == pytest.approx(8.0)


def test_running_batch_and_step_agree() -> None:
    """A step of 10 ms and 1 ms for each that runs, 2 s of prefill, 40 in flight: r = 40 (1 + 0.1 r) / (1 + 0.1 r + 2).

    0.1 r^2 - r - 40 = 0, so r = (1 + sqrt(17)) / 0.2 = 25.62.
    """
    found = served(40.0, decode_step_s=linear_step(0.01, 0.001), prompt_alone_s=2.0)
    assert found.running == pytest.approx(25.62, rel=0.01)
    assert found.tpot_s == pytest.approx(0.03562, rel=0.03)


def test_a_full_batch_makes_requests_wait_for_a_place() -> None:
    """Room for 10 and 30 in flight: two more rounds of 1.2 s and the wait behind prompts, before a request is admitted."""
    full, over = served(10.0, most_running=10.0), served(30.0, most_running=10.0)
    assert full.admission_s == 0
    assert over.admission_s == pytest.approx(2 * (1.2 + wait_s(full)))
    assert over.tpot_s == full.tpot_s


def test_saturated_replica_completes_no_more() -> None:
    """Beyond 10 places, throughput stays at that of 10 places with no gap between two requests: 10 x 100 / (1.2 + wait)."""
    ceiling = 10 * 100 / (1.2 + wait_s(served(10.0, most_running=10.0)))
    rates = [float(served(in_flight, most_running=10.0).output_tokens_per_s(100.0)) for in_flight in (10.0, 40.0, 1e4, 1e6)]
    assert rates == sorted(rates)
    assert rates[-1] == pytest.approx(ceiling, rel=1e-3)


def test_attention_parallel_ranks_wait_for_one_another() -> None:
    """Six steps of 10 ms more in the TTFT, nothing for a request alone."""
    assert served(8.0, rank_wait_steps=6.0).ttft_s - served(8.0).ttft_s == pytest.approx(0.06)
    assert served(1.0, rank_wait_steps=6.0).ttft_s == pytest.approx(served(1.0).ttft_s)


@settings(deadline=None, max_examples=50)
@given(
    start=st.floats(1e-4, 0.1),
    each=st.floats(0, 1e-3),
    prompt=st.floats(0.001, 1.0),
    share=st.floats(0.05, 1.0),
    output=st.sampled_from([10.0, 30.0, 300.0, 3000.0]),
    stall=st.floats(0, 1),
    weight=st.floats(0, 0.5),
    most=st.sampled_from([1.0, 8.0, 256.0]),
)
def test_latency_rises_with_load(
    start: float, each: float, prompt: float, share: float, output: float, stall: float, weight: float, most: float
) -> None:
    """Where a prompt takes no longer than the decode of its answer, and its time in company does not depend on the load.

    The running batch is found in three rounds: 0.1 % is left open.
    """
    alone = prompt * output * start
    grid = [0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 13.0, 40.0, 100.0, 256.0, 1000.0]
    points = [
        served(
            load,
            decode_step_s=linear_step(start, each),
            prompt_alone_s=alone,
            prompt_share_s=alone * share,
            output_tokens=output,
            prompt_stall_s=alone * share * stall,
            queue_weight=weight,
            most_running=most,
        )
        for load in grid
    ]
    for less, more in itertools.pairwise(points):
        assert less.tpot_s <= more.tpot_s * 1.001
        assert less.ttft_s <= more.ttft_s * 1.001
        assert less.prefill_load <= 1


def test_quantiles_of_a_wait_are_those_of_one_server() -> None:
    """M/M/1 with 0.8 arrivals and 1 service a second: mean wait 0.8 / 0.2 = 4 s, P(wait > t) = 0.8 exp(-0.2 t).

    p95: ln(0.8 / 0.05) / 0.2 = ln(16) x 5 = 13.863 s; p50: ln(0.8 / 0.5) x 5 = 2.350 s.
    """
    assert waiting_quantile_s(mean_wait_s=4.0, busy_share=0.8, quantile=0.95) == pytest.approx(13.863, rel=1e-4)
    assert waiting_quantile_s(mean_wait_s=4.0, busy_share=0.8, quantile=0.50) == pytest.approx(2.350, rel=1e-3)


def test_most_requests_at_an_idle_server_do_not_wait() -> None:
    """Busy 4 % of the time: 95 % of requests find it free. The boundary itself is free of waiting too."""
    assert waiting_quantile_s(mean_wait_s=4.0, busy_share=0.04, quantile=0.95) == 0
    assert waiting_quantile_s(mean_wait_s=0.0, busy_share=0.0, quantile=0.5) == 0
    assert waiting_quantile_s(mean_wait_s=4.0, busy_share=0.05 + 1e-9, quantile=0.95) == pytest.approx(0.0, abs=1e-4)


@given(mean=st.floats(0, 100), busy=st.floats(0, 1), quantiles=st.lists(st.floats(0.01, 0.999), min_size=2, max_size=2))
def test_higher_quantiles_wait_no_less(mean: float, busy: float, quantiles: list[float]) -> None:
    low, high = (waiting_quantile_s(mean_wait_s=mean, busy_share=busy, quantile=quantile) for quantile in sorted(quantiles))
    assert 0 <= low <= high
    assert math.isfinite(high)
