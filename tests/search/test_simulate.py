"""Runs of deployments: what the closed form says in steady state, by hand where figures are round, verdicts on both sides of capacity."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from deployments import LLAMA_8B, LLAMA_70B, MIXTURE, REAL, timing
from simulator.runs import engine, pool

from infra_advisor.facts.traces import Arrival
from infra_advisor.search import simulate as simulation
from infra_advisor.search.laws import Scheduling, engines
from infra_advisor.search.outcome import Simulated, Statistics, within
from infra_advisor.search.points import Timing
from infra_advisor.search.simulate import ROUTERS, Fleet, simulate
from infra_advisor.search.solve import Load, Targets, solve_one
from infra_advisor.search.sources import OpenSource, at_once, burst, concurrent, poisson, users
from infra_advisor.search.traffic import Draws, Lengths
from infra_advisor.simulator.engine import Engine
from infra_advisor.simulator.laws import CacheLaw, DecodeLaw, PrefillLaw
from infra_advisor.simulator.request import Request

EVERYTHING = Scheduling(chunked=True, continuous=True, prefix_cache=True, reserve_output=False)
CARD = REAL | {
    "linear_bytes_per_s": 2.7e12, "expert_bytes_per_s": 2.7e12, "kv_bytes_per_s": 2.7e12,
    "linear_flop_per_s": 6e14, "expert_flop_per_s": 6e14, "score_flop_per_s": 4e14,
}  # fmt: skip
"""80 GB, 2.7 TB/s, 600 TFLOP/s."""
DEPLOYMENTS: dict[str, Timing] = {
    "8b": timing(LLAMA_8B, **CARD),
    "70b tp4": timing(LLAMA_70B, tp=4, **CARD),
    "70b pp4": timing(LLAMA_70B, pp=4, fill_pipeline=1, **CARD),
    "mixture": timing(MIXTURE, **CARD),
    "mixture dp4": timing(MIXTURE, dp=4, ep=4, **CARD),
}
INPUT, OUTPUT = 1000.0, 300.0


def law_of(timed: Timing) -> Engine:
    (found,) = engines(timed, [EVERYTHING], longest_tokens=1.2 * (INPUT + OUTPUT))
    return found


def steady(timed: Timing, load: Load, requests: int, replicas: int = 1) -> Simulated:
    """A run of one deployment at a load, requests alike; with a fixed number in flight from 80 to 120 % of the mean lengths."""
    spread = Lengths("uniform", least_share=0.8, most_share=1.2) if load.in_flight else Lengths()
    draws = Draws(1, spread, INPUT, OUTPUT, 1e9)
    source: Any
    if load.in_flight is not None:
        solved, _ = solve_one(timed, Targets(), load, utilisation=0.5)
        source = concurrent(draws, int(load.in_flight), float(solved.served.request_s(OUTPUT)[0]), requests)
    elif load.users is not None:
        source = users(draws, int(load.users), load.think_s, requests)
    else:
        assert load.request_rate_per_s is not None
        source = poisson(draws, load.request_rate_per_s, requests)
    fleet = Fleet(engine=law_of(timed), replicas=replicas)
    return simulate(fleet, source, Targets(), steady=True, requests=requests, closed=load.request_rate_per_s is None)


# -- against the closed form


@pytest.mark.parametrize(
    ("name", "load", "ttft_error", "tpot_error"),
    [
        ("8b", Load(request_rate_per_s=1.0), 0.03, 0.03),
        ("8b", Load(request_rate_per_s=4.0), 0.03, 0.06),
        ("8b", Load(request_rate_per_s=8.0), 0.08, 0.12),
        ("8b", Load(users=40.0, think_s=20.0), 0.03, 0.03),
        ("8b", Load(users=100.0, think_s=20.0), 0.03, 0.06),
        ("8b", Load(in_flight=4.0), 0.03, 0.01),
        ("8b", Load(in_flight=32.0), 0.09, 0.08),
        ("70b tp4", Load(request_rate_per_s=0.5), 0.03, 0.04),
        ("70b tp4", Load(request_rate_per_s=2.0), 0.08, 0.08),
        ("70b tp4", Load(users=100.0, think_s=20.0), 0.13, 0.11),
        ("70b tp4", Load(in_flight=16.0), 0.11, 0.05),
        ("70b pp4", Load(request_rate_per_s=1.0), 0.05, 0.02),
        ("70b pp4", Load(users=100.0, think_s=20.0), 0.10, 0.03),
        ("70b pp4", Load(in_flight=16.0), 0.05, 0.02),
        ("mixture", Load(request_rate_per_s=4.0), 0.05, 0.14),
        ("mixture", Load(in_flight=4.0), 0.05, 0.02),
        ("mixture dp4", Load(request_rate_per_s=2.0), 0.03, 0.08),
        ("mixture dp4", Load(users=40.0, think_s=20.0), 0.03, 0.08),
        ("mixture dp4", Load(in_flight=4.0), 0.03, 0.03),
    ],
)
def test_means_are_near_those_of_the_closed_form(name: str, load: Load, ttft_error: float, tpot_error: float) -> None:
    """Up to a prefill load of 0.4. Bounds stand a little above what was measured, and grow with the load.

    Beyond them the closed form is wrong, not the run: it lets one request meet the mean batch, where a random one meets a fuller one.
    """
    timed = DEPLOYMENTS[name]
    solved, over = solve_one(timed, Targets(), load, utilisation=0.5)
    served = solved.served
    assert not over[0]
    assert served.prefill_load[0] < 0.4
    run = steady(timed, load, 4000)
    assert run.ttft_s.mean == pytest.approx(float(served.ttft_s[0]), rel=ttft_error)
    assert run.tpot_s.mean == pytest.approx(float(served.tpot_s[0]), rel=tpot_error)
    assert not run.saturated


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_request_alone_takes_its_prompt_and_its_steps(name: str) -> None:
    """One in three hours: no queue, a batch of one. The first token takes handling and the prompt, exactly; each further one a step.

    Steps are linear in the context between nodes, so their mean is that at the mean context, 1,000 + 300 / 2.
    """
    timed = DEPLOYMENTS[name]
    run = steady(timed, Load(request_rate_per_s=1e-4), 60)
    alone_s = float((timed.prompt_alone_s + timed.d.frontend_s)[0])
    assert run.ttft_s.mean == pytest.approx(alone_s, rel=2e-3)
    assert run.tpot_s.mean == pytest.approx(float(timed.decode_step_s(np.ones(1), INPUT + OUTPUT / 2)[0]), rel=1e-3)
    for times in (run.ttft_s, run.tpot_s, run.e2e_s):
        assert [times.p50, times.p90, times.p95, times.p99] == pytest.approx([times.mean] * 4, rel=1e-6)
    assert run.ttft_s.mean is not None
    assert run.tpot_s.mean is not None
    assert run.e2e_s.mean == pytest.approx(run.ttft_s.mean + 299 * run.tpot_s.mean)


@pytest.mark.parametrize(("load", "requests"), [(Load(request_rate_per_s=4.0), 4000), (Load(in_flight=16.0), 3000)])
def test_throughput_is_what_comes_in_and_littles_law(load: Load, requests: int) -> None:
    """4 requests/s of 300 tokens are 1,200 tokens/s, to the chance of 3,600 arrivals, 1.7 %; 16 in flight for R s each: 16 / R a second."""
    run = steady(DEPLOYMENTS["8b"], load, requests)
    assert run.e2e_s.mean is not None
    expected = 1200.0 if load.in_flight is None else 16.0 / run.e2e_s.mean * 300.0
    assert run.output_tokens_per_s == pytest.approx(expected, rel=0.035)
    assert run.goodput_per_s == pytest.approx(run.output_tokens_per_s / 300.0, rel=0.02)


def test_two_replicas_carry_twice_the_load_no_slower() -> None:
    one = steady(DEPLOYMENTS["8b"], Load(request_rate_per_s=5.0), 3000)
    two = steady(DEPLOYMENTS["8b"], Load(request_rate_per_s=10.0), 6000, replicas=2)
    assert two.ttft_s.p95 is not None
    assert one.ttft_s.p95 is not None
    assert 0.8 * one.ttft_s.p95 < two.ttft_s.p95 <= one.ttft_s.p95 * 1.02
    assert two.output_tokens_per_s == pytest.approx(2 * one.output_tokens_per_s, rel=0.04)


# -- by hand: a step takes 10 ms, a pass 20 ms and 1 ms per token, while others stand still


def arrivals(*rows: tuple[float, int, int]) -> OpenSource:
    """Of (arrival [s], prompt, output)."""
    return OpenSource(Arrival(at_s, prompt, output, None) for at_s, prompt, output in rows)


def run_of(rows: Sequence[tuple[float, int, int]], fleet: Fleet | None = None, targets: Targets | None = None, **changes: Any) -> Simulated:
    usual: dict[str, Any] = {"steady": False, "requests": len(rows)}
    return simulate(fleet or Fleet(engine=engine()), arrivals(*rows), targets or Targets(), **(usual | changes))


ALONE = [(float(second), 100, 11) for second in range(10)]
"""Ten requests, a second apart: 20 + 100 ms to the first token, ten steps of 10 ms, so 220 ms each."""


def test_ten_requests_one_after_another() -> None:
    """Nine have finished when the last one comes at 9 s: 99 tokens in 9 s. At work 10 x 0.22 s of 9.22 s, decoding 0.10 of those 0.22."""
    run = run_of(ALONE)
    assert (run.arrived, run.finished, run.rejected, run.in_flight, run.counted, run.preempted) == (10, 10, 0, 0, 10, 0)
    for times, expected in ((run.ttft_s, 0.12), (run.tpot_s, 0.01), (run.e2e_s, 0.22)):
        assert [times.mean, times.p50, times.p99] == pytest.approx([expected] * 3)
    assert run.output_tokens_per_s == pytest.approx(11.0)
    assert (run.good, run.goodput_per_s) == (10, pytest.approx(1.0))
    assert run.utilisation == pytest.approx(2.2 / 9.22)
    assert run.mean_running == pytest.approx(0.10 / 0.22)
    assert not run.saturated


def test_quantiles_of_prompts_of_every_length() -> None:
    """Prompts of 1 to 101 tokens: 21 to 121 ms, of which the p50 is 71, the p90 111, the p95 116 and the p99 120."""
    run = run_of([(float(prompt), prompt, 5) for prompt in range(1, 102)])
    assert run.ttft_s == Statistics(*(pytest.approx(ms / 1e3) for ms in (71, 71, 111, 116, 120)))


def test_good_requests_meet_every_target() -> None:
    """Of ten, the third has a prompt of 300 tokens (320 ms). The fifth is held up: a prompt of 80 comes 50 ms after its first token, it
    stands still for 100 ms, and its ten tokens take 20 ms each. The late comer itself meets both targets, as the others do.
    """
    rows = [*ALONE[:2], (2.0, 300, 11), ALONE[3], ALONE[4], (4.17, 80, 11), *ALONE[6:]]
    both = run_of(rows, targets=Targets(ttft_s=0.2, tpot_s=0.015))
    assert both.counted == 10
    assert both.good == 8
    assert run_of(rows, targets=Targets(ttft_s=0.2)).good == 9
    assert run_of(rows, targets=Targets(tpot_s=0.015)).good == 9
    assert run_of(rows).good == 10
    assert both.goodput_per_s == pytest.approx(0.8 * 9 / 9)


def test_answers_of_one_token_have_no_time_per_token() -> None:
    run = run_of([(float(second), 100, 1) for second in range(5)], targets=Targets(tpot_s=1e-6))
    assert run.tpot_s == Statistics(None, None, None, None, None)
    assert run.good == 5
    assert run.e2e_s.mean == run.ttft_s.mean == pytest.approx(0.12)
    assert within(Targets(tpot_s=1e-6), run)


def test_the_warm_up_is_left_out() -> None:
    """The first two of twenty have prompts of 500 tokens, 520 ms; the others take 120. Throughput and goodput begin with the third too."""
    rows = [(float(second), 500 if second < 2 else 100, 11) for second in range(20)]
    run = run_of(rows, targets=Targets(ttft_s=0.2), steady=True)
    assert (run.arrived, run.finished, run.counted, run.good) == (20, 20, 18, 18)
    assert [run.ttft_s.mean, run.ttft_s.p99] == pytest.approx([0.12, 0.12])
    assert run.window_s == pytest.approx(17.0)
    assert run.output_tokens_per_s == pytest.approx(17 * 11 / 17)
    whole = run_of(rows, targets=Targets(ttft_s=0.2))
    assert (whole.counted, whole.good) == (20, 18)


def test_what_comes_at_once_is_measured_until_the_last_answer() -> None:
    """One prompt of 100 in 120 ms, the other two in one pass of 220, ten steps: 440 ms for 33 tokens. It only shrinks: not saturated."""
    run = run_of([(0.0, 100, 11)] * 3)
    assert run.window_s == pytest.approx(0.44)
    assert run.output_tokens_per_s == pytest.approx(33 / 0.44)
    assert run.goodput_per_s == pytest.approx(3 / 0.44)
    many = run_of([(0.0, 100, 11)] * 400)
    assert not many.saturated


def test_what_takes_longer_than_it_came_in_is_measured_until_the_last_answer() -> None:
    """Two requests 0.1 s apart, of which none has finished when the second comes: 22 tokens in 0.44 s, not none in 0.1 s.

    The first prompt ends at 120 ms, the second at 240; the first makes its ten tokens by then 340 ms, the second by 340.
    """
    run = run_of([(0.0, 100, 11), (0.1, 100, 11)])
    assert run.window_s == pytest.approx(0.34)
    assert run.output_tokens_per_s == pytest.approx(22 / 0.34)


def test_what_never_fits_is_refused_and_nowhere_counted() -> None:
    """A cache of 1,000 bytes at a byte per token: 2,000 tokens never fit."""
    rows = [*ALONE[:4], (4.0, 2000, 11), *ALONE[5:]]
    run = run_of(rows, Fleet(engine=engine(cache=pool(1000.0))))
    assert (run.arrived, run.finished, run.rejected, run.in_flight, run.counted) == (10, 9, 1, 0, 9)
    assert run.ttft_s.p99 == pytest.approx(0.12)
    assert not within(Targets(), run)


def test_a_shared_part_of_every_prompt_is_cached() -> None:
    """Half of 100 tokens need no prefill: 70 ms to the first token."""
    run = run_of(ALONE, Fleet(engine=engine(shared_share=0.5)))
    assert run.hit_share == pytest.approx(0.5)
    assert run.ttft_s.mean == pytest.approx(0.07)


def test_what_measurements_say_of_the_first_token_scales_it_alone() -> None:
    """A factor of 1.5 on 120 ms: 180; tokens as before, so 280 ms in all."""
    run = run_of(ALONE, Fleet(engine=engine(ttft_factor=1.5)))
    assert (run.ttft_s.mean, run.tpot_s.mean, run.e2e_s.mean) == (pytest.approx(0.18), pytest.approx(0.01), pytest.approx(0.28))


def test_few_samples_keep_the_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 at once amid 200 that come alone; eight to fifteen samples are kept, one in sixteen arrivals, so 48 to 63 are seen to wait."""
    monkeypatch.setattr(simulation, "MOST_SAMPLES", 16)
    calm = [(float(second), 100, 11) for second in range(200)]
    run = run_of(sorted([*calm, *[(100.5, 100, 11)] * 64]))
    assert 8 <= len(run.samples) < 16
    assert 48 <= max(sample.waiting for sample in run.samples) <= 63
    assert [sample.at_s for sample in run.samples] == sorted(sample.at_s for sample in run.samples)


def test_every_request_is_told_once_as_it_leaves_and_progress_rises() -> None:
    told: list[Request] = []
    done: list[int] = []
    run = run_of(ALONE, each=told.append, progress=done.append)
    assert [request.arrival_s for request in told] == [float(second) for second in range(10)]
    assert [request.finish_s for request in told] == pytest.approx([second + 0.22 for second in range(10)])
    assert done == sorted(done)
    assert done[-1] == run.arrived == 10


@pytest.mark.parametrize("router", ROUTERS)
def test_every_router_serves_all(router: str) -> None:
    """Three replicas, a request every 50 ms that takes 220: none waits, whoever deals them out."""
    run = run_of([(0.05 * place, 100, 11) for place in range(60)], Fleet(engine=engine(), replicas=3, router=router))
    assert run.finished == 60
    assert not run.saturated
    assert run.ttft_s.p50 == pytest.approx(0.12, abs=0.02)


def test_the_same_run_twice_is_the_same() -> None:
    def once() -> Simulated:
        return steady(DEPLOYMENTS["8b"], Load(users=100.0, think_s=20.0), 1500, replicas=2)

    assert once() == once()


# -- targets


def ran(**changes: Any) -> Simulated:
    """Means of 200 and 20 ms, p95 of 300 and 30 ms; 6 s a request."""
    times = {
        "ttft_s": Statistics(0.2, 0.18, 0.25, 0.3, 0.4), "tpot_s": Statistics(0.02, 0.02, 0.025, 0.03, 0.04),
        "e2e_s": Statistics(6.0, 6.0, 6.0, 6.0, 6.0),
    }  # fmt: skip
    return replace(run_of(ALONE), **(times | changes))


@pytest.mark.parametrize(
    ("targets", "kept"),
    [
        (Targets(), True),
        (Targets(ttft_s=0.2, tpot_s=0.02), True),
        (Targets(ttft_s=0.199), False),
        (Targets(tpot_s=0.0199), False),
        (Targets(ttft_s=0.3, tpot_s=0.03, statistic="p95"), True),
        (Targets(ttft_s=0.299, statistic="p95"), False),
        (Targets(tpot_s=0.029, statistic="p95"), False),
        (Targets(ttft_s=0.18, statistic="p50"), True),
        (Targets(ttft_s=0.399, statistic="p99"), False),
        (Targets(request_s=6.0), True),
        (Targets(request_s=5.9), False),
    ],
)
def test_a_run_keeps_its_targets_at_their_statistic(targets: Targets, kept: bool) -> None:
    assert within(targets, ran()) == kept
    for spoilt in ({"saturated": True}, {"rejected": 1}, {"hopeless": True}):
        assert not within(targets, ran(**spoilt))


# -- saturation


READER = engine(cache=pool(math.inf), most_running=1000)
"""Prompts of 100 tokens and answers of one: 120 ms each at 20 ms + 1 ms per token, less in a shared pass: 1,000 tokens take 1,020 ms, so
at most 9.8 a second."""
WRITER = engine(most_running=4, prefill=PrefillLaw((0.0, 1000.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)), chunked=True, stall_share=0.0)
"""Prompts take nothing, answers of 101 tokens a second: four at once, so four a second."""


def at_rate(one: Engine, rate: float, prompt: int, output: int, requests: int = 3000, **changes: Any) -> Simulated:
    draws = Draws(1, Lengths(), prompt, output, 1e9)
    usual: dict[str, Any] = {"steady": True, "requests": requests}
    return simulate(Fleet(engine=one), poisson(draws, rate, requests), Targets(), **(usual | changes))


@pytest.mark.parametrize(("one", "most", "prompt", "output"), [(READER, 9.8, 100, 1), (WRITER, 4.0, 10, 101)], ids=["prefill", "decode"])
@pytest.mark.parametrize(("share", "saturated"), [(0.5, False), (0.8, False), (1.3, True), (2.0, True), (20.0, True), (1000.0, True)])
def test_an_open_load_saturates_above_capacity(one: Engine, most: float, prompt: int, output: int, share: float, saturated: bool) -> None:
    """Then throughput is the capacity, however much comes."""
    run = at_rate(one, share * most, prompt, output)
    assert run.saturated == saturated
    assert run.finished == 3000
    assert run.output_tokens_per_s == pytest.approx(min(share, 1.0) * most * output, rel=0.06)
    assert run.goodput_per_s == pytest.approx(run.output_tokens_per_s / output, rel=0.1)
    assert within(Targets(), run) != saturated


def in_flight(one: Engine, senders: int, prompt: int, output: int, *, think_s: float = 0.0, requests: int = 1500) -> Simulated:
    draws = Draws(1, Lengths("uniform", least_share=0.8, most_share=1.2), prompt, output, 1e9)
    source: Any = users(draws, senders, think_s, requests) if think_s else concurrent(draws, senders, 1.0, requests)
    return simulate(Fleet(engine=one), source, Targets(), steady=True, requests=requests, closed=True)


@pytest.mark.parametrize(("senders", "saturated"), [(1, False), (3, False), (4, False), (8, True), (12, True), (300, True)])
def test_a_closed_load_saturates_above_the_places(senders: int, saturated: bool) -> None:
    """Four places: from the fifth on somebody always waits for one. Throughput never exceeds four times 101 tokens a second."""
    run = in_flight(WRITER, senders, 10, 101)
    assert run.saturated == saturated
    assert run.output_tokens_per_s == pytest.approx(min(senders, 4) * 101, rel=0.05)


def test_places_count_while_prompts_are_read_too() -> None:
    """Ten places, 60 senders, and prompts that take most of the time: still most of them wait for a place."""
    crowded = in_flight(engine(most_running=10), 60, 300, 11)
    assert crowded.saturated
    assert not in_flight(engine(most_running=100), 60, 300, 11).saturated


def test_the_cache_has_places_too() -> None:
    """600 bytes at a byte per token hold four requests of 100 to 200 tokens, not twelve."""
    assert in_flight(engine(cache=pool(700.0)), 12, 100, 101).saturated
    assert not in_flight(engine(cache=pool(7000.0)), 12, 100, 101).saturated


def test_users_saturate_when_most_of_them_wait() -> None:
    """A user asks every 1 + 1 s where nobody waits: eight keep four places busy half of the time each, eighty want forty."""
    assert not in_flight(WRITER, 4, 10, 101, think_s=1.0).saturated
    assert in_flight(WRITER, 80, 10, 101, think_s=1.0).saturated


def test_more_users_than_requests_still_tell_that_they_are_too_many() -> None:
    """A million users who think 20 s want 50,000 a second; the run is over in a blink, and says what four places make."""
    draws = Draws(1, Lengths(), 10, 101, 1e9)
    run = simulate(Fleet(engine=WRITER), users(draws, 1_000_000, 20.0, 1000), Targets(), steady=True, requests=1000, closed=True)
    assert run.saturated
    assert run.output_tokens_per_s == pytest.approx(404, rel=0.1)


def test_a_benchmark_that_starts_at_once_is_no_more_than_its_senders() -> None:
    draws = Draws(1, Lengths(), 10, 101, 1e9)
    assert not simulate(Fleet(engine=WRITER), at_once(draws, 4, 200), Targets(), steady=True, requests=200, closed=True).saturated
    assert simulate(Fleet(engine=WRITER), at_once(draws, 40, 200), Targets(), steady=True, requests=200, closed=True).saturated


# -- giving up


def test_a_hopeless_run_ends_early() -> None:
    """No first token in 50 ms: at p95 a twentieth of 900 counted requests may miss, 45 and one; the run ends soon after."""
    impossible = Targets(ttft_s=0.05, statistic="p95")
    draws = Draws(1, Lengths(), 100, 11, 1e9)
    source = poisson(draws, 1.0, 1000)
    run = simulate(Fleet(engine=engine()), source, impossible, steady=True, requests=1000, give_up=True)
    assert run.hopeless
    assert 100 + 46 <= run.arrived < 100 + 50
    assert not within(impossible, run)
    assert run.in_flight == run.arrived - run.finished


@pytest.mark.parametrize("limit", [0.1, 0.125, 0.15, 0.2, 0.3, 0.5])
@pytest.mark.parametrize("statistic", ["p50", "p90", "p95", "p99", "mean"])
def test_giving_up_changes_no_verdict(limit: float, statistic: str) -> None:
    """At 3 requests/s of 120 ms some wait. Whatever share misses, both runs come to the same verdict; when kept, they are the same."""
    targets = Targets(ttft_s=limit, statistic=statistic)
    whole, short = (
        simulate(
            Fleet(engine=engine()), poisson(Draws(1, Lengths(), 100, 2, 1e9), 3.0, 500), targets, steady=True, requests=500, give_up=give_up
        )
        for give_up in (False, True)
    )
    assert within(targets, whole) == within(targets, short)
    assert short.hopeless <= (not within(targets, whole))
    if not short.hopeless:
        assert short == whole


# -- prefill and decode apart


def test_apart_prompts_do_not_hold_up_answers_and_the_cache_travels() -> None:
    """A second prompt comes while the first answer is made: together it stands still for 120 of 220 ms; apart every token takes 10 ms.

    100 tokens at a byte each, 1,000 bytes/s: the first token is out 100 ms after its prompt.
    """
    rows = [(0.0, 100, 11), (0.15, 100, 11)]
    together = run_of(rows)
    apart = run_of(rows, Fleet(engine=engine(), prefill_replicas=1, link_bytes_per_s=1000.0))
    assert together.tpot_s.p99 is not None
    assert together.tpot_s.p99 > 0.02
    assert apart.tpot_s == Statistics(*[pytest.approx(0.01)] * 5)
    assert apart.ttft_s == Statistics(*[pytest.approx(0.22)] * 5)
    assert (apart.arrived, apart.finished, apart.in_flight) == (2, 2, 0)


def test_what_travels_is_what_the_cache_holds() -> None:
    """A state of 500 bytes and a byte per token: 600 bytes of a prompt of 100, at 1,000 bytes/s and 50 ms: 650 ms after 120."""
    cache = CacheLaw(math.inf, (0.0, 1000.0), (500.0, 1500.0), 1.0)
    fleet = Fleet(engine=engine(cache=cache), prefill_replicas=1, link_bytes_per_s=1000.0, link_s=0.05)
    assert run_of(ALONE, fleet).ttft_s.p99 == pytest.approx(0.77)


def test_an_answer_of_one_token_stays_where_it_was_made() -> None:
    fleet = Fleet(engine=engine(), prefill_replicas=1, link_bytes_per_s=1.0)
    assert run_of([(0.0, 100, 1), (1.0, 100, 1)], fleet).ttft_s.p99 == pytest.approx(0.12)


def test_handling_and_the_measured_factor_apply_once_when_apart() -> None:
    """30 ms of handling and 120 of prompt and 100 of travel, times 1.2."""
    fleet = Fleet(engine=engine(handling_s=0.03, ttft_factor=1.2), prefill_replicas=2, link_bytes_per_s=1000.0)
    run = run_of(ALONE, fleet)
    assert run.ttft_s.mean == pytest.approx(0.25 * 1.2)
    assert run.tpot_s.mean == pytest.approx(0.01)


def test_many_prompts_need_more_prefill_replicas() -> None:
    """Twelve prompts of 120 ms a second: one replica is too slow for them, two are not, with the same two that decode."""
    decode = DecodeLaw((0.0, 1000.0), lambda batch: (0.01, 0.01))
    rows = [(place / 12, 100, 11) for place in range(600)]
    one, two = (run_of(rows, Fleet(engine=engine(decode=decode), replicas=2, prefill_replicas=n, link_bytes_per_s=1e9)) for n in (1, 2))
    assert one.saturated
    assert not two.saturated
    assert one.finished == two.finished == 600


# -- extremes


def test_an_overload_of_ten_thousand_ends() -> None:
    """All requests of a burst are served, in the time their prompts and tokens take: 20,000 in four places at four a second."""
    run = simulate(Fleet(engine=WRITER), burst(Draws(1, Lengths(), 10, 101, 1e9), 20_000), Targets(), steady=False, requests=20_000)
    assert run.finished == 20_000
    assert run.window_s == pytest.approx(5000.0, rel=0.01)


def test_next_to_no_load_has_figures() -> None:
    """One request in 11 days: rounding of the clock is all that differs from a request alone."""
    run = at_rate(engine(), 1e-6, 100, 11, requests=50)
    assert run.ttft_s.p99 == pytest.approx(0.12, rel=1e-4)
    assert run.tpot_s.p99 == pytest.approx(0.01, rel=1e-4)
    assert run.output_tokens_per_s == pytest.approx(11e-6, rel=0.5)
    assert 0.0 < run.utilisation < 1e-6
