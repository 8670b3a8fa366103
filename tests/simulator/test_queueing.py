"""The engine reduced to a single server, or to one that is shared evenly, keeps what queueing theory says exactly.

A single server: one prompt per pass, answers of one token, a pass of 1 us per prompt token: waits are those of M/G/1. Sequences that
decode beside each other without slowing each other down are many servers (M/M/c); those that share the pace are processor sharing.
"""

import math
import random
from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate
from statistics import fmean, stdev

import pytest
from simulator.runs import engine, served

from infra_advisor.simulator.laws import DecodeLaw, PrefillLaw
from infra_advisor.simulator.request import Request

MEAN_S = 0.01
TICK_S = 1e-6
ONE_SERVER = engine(prefill=PrefillLaw((0.0, 1e6), (0.0, 1.0), (0.0, 1.0), (0.0, 0.0)), tokens_per_pass=1.0, most_running=1)

Times = Callable[[random.Random], float]
"""Draws a service time. [s]"""


def exponential(draw: random.Random) -> float:
    return draw.expovariate(1.0 / MEAN_S)


def constant(draw: random.Random) -> float:
    return MEAN_S


def two_points(draw: random.Random) -> float:
    """Nine short ones of half the mean, one of 5.5 means: 0.9 x 0.5 + 0.1 x 5.5 = 1."""
    return MEAN_S * (5.5 if draw.random() < 0.1 else 0.5)


def arrivals(draw: random.Random, rate_per_s: float, count: int) -> list[float]:
    return list(accumulate(draw.expovariate(rate_per_s) for _ in range(count)))


@cache
def served_one_by_one(times: Times, load: float, count: int) -> tuple[list[float], list[float], list[float]]:
    """Arrivals, service times and times in the system behind a single server. [s]"""
    draw = random.Random(f"{times.__name__} {load}")
    requests = [Request(at_s, max(round(times(draw) / TICK_S), 1), 1) for at_s in arrivals(draw, load / MEAN_S, count)]
    served(ONE_SERVER, requests)
    took = [request.input_tokens * TICK_S for request in requests]
    return [request.arrival_s for request in requests], took, [request.finish_s - request.arrival_s for request in requests]


def standard_error(values: Sequence[float]) -> float:
    """Of the mean of a correlated series, from the means of 25 stretches, each many times longer than a busy period."""
    length = len(values) // 25
    return stdev(fmean(values[k * length : (k + 1) * length]) for k in range(25)) / 5.0


SERVICES: list[tuple[Times, float]] = [(exponential, 1.0), (constant, 0.0), (two_points, 0.9 * 0.25 + 0.1 * 5.5**2 - 1.0)]


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
@pytest.mark.parametrize(("times", "variation"), SERVICES, ids=["M/M/1", "M/D/1", "M/G/1"])
def test_mean_wait_is_that_of_pollaczek_and_khinchine(times: Times, variation: float, load: float) -> None:
    """W = load E[S] (1 + c^2) / (2 (1 - load)), c^2 the squared variation of S: 1, 0, and 0.9 x 0.5^2 + 0.1 x 5.5^2 - 1 = 2.25.

    Within 3.5 standard errors, and those are a few per cent; each single wait is Lindley's: W' = max(0, W + S - gap), exactly.
    """
    at_s, took_s, stayed_s = served_one_by_one(times, load, 100_000 if load > 0.7 else 50_000)
    waits_s = [stayed - took for stayed, took in zip(stayed_s, took_s, strict=True)]
    wait_s = 0.0
    for k in range(1, len(at_s)):
        wait_s = max(0.0, wait_s + took_s[k - 1] - (at_s[k] - at_s[k - 1]))
        assert abs(waits_s[k] - wait_s) < 1e-9
    theory_s = load * MEAN_S * (1.0 + variation) / (2.0 * (1.0 - load))
    assert standard_error(waits_s) < 0.06 * theory_s
    assert fmean(waits_s) == pytest.approx(theory_s, abs=3.5 * standard_error(waits_s))


def test_times_in_an_exponential_queue_are_exponential() -> None:
    """M/M/1 at load 0.6: P(T > t) = e^-(mu - lambda) t, so the quantile q is at -ln(1 - q) / (mu - lambda)."""
    stayed_s = sorted(served_one_by_one(exponential, 0.6, 50_000)[2])
    for share, tolerance in ((0.5, 0.03), (0.95, 0.05), (0.99, 0.08)):
        theory_s = -math.log(1.0 - share) * MEAN_S / (1.0 - 0.6)
        assert stayed_s[int(share * len(stayed_s))] == pytest.approx(theory_s, rel=tolerance)


@pytest.mark.parametrize("gap_ticks", [12_000, 10_000, 8_000])
def test_a_clockwork_queue(gap_ticks: int) -> None:
    """D/D/1, 10 ms of work each: nobody waits at gaps of 12 or 10 ms; at 8 ms the n-th waits n x 2 ms."""
    requests = [Request(k * gap_ticks * TICK_S, 10_000, 1) for k in range(200)]
    served(ONE_SERVER, requests)
    for k, request in enumerate(requests):
        assert request.finish_s - request.arrival_s == pytest.approx(0.01 + k * max(0.01 - gap_ticks * TICK_S, 0.0))


@pytest.mark.parametrize(("servers", "load"), [(2, 0.6), (4, 0.7)])
def test_places_in_the_batch_are_servers(servers: int, load: float) -> None:
    """M/M/c: steps of 1 ms whatever the batch, prompts in no time, exponential answers of 500 steps on average.

    Erlang: P(wait) = C = (a^c / c!) / ((1 - load) sum a^k / k! + a^c / c!), a = c load; W = C E[S] / (c (1 - load)). A place that is
    free is taken at the end of the running step, half a step later: 0.5 ms at most on average.
    """
    draw = random.Random(servers)
    step_s, steps = 0.001, 500
    many = engine(
        decode=DecodeLaw((0.0, 1e6), lambda batch: (step_s, step_s)),
        prefill=PrefillLaw((0.0, 1e6), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)),
        stall_share=0.0,
        most_running=servers,
    )
    at_s = arrivals(draw, servers * load / (step_s * steps), 50_000)
    requests = [Request(at, 1, 1 + max(round(draw.expovariate(1.0 / steps)), 1)) for at in at_s]
    served(many, requests)
    waits_s = [request.first_token_s - request.arrival_s for request in requests]
    offered = servers * load
    full = offered**servers / math.factorial(servers)
    waiting = full / ((1.0 - load) * sum(offered**k / math.factorial(k) for k in range(servers)) + full)
    theory_s = waiting * steps * step_s / (servers * (1.0 - load))
    assert standard_error(waits_s) < 0.06 * theory_s
    assert fmean(waits_s) == pytest.approx(theory_s, abs=3.5 * standard_error(waits_s) + 0.0005)


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_a_step_as_long_as_the_batch_is_processor_sharing(load: float) -> None:
    """A step of batch x 20 us gives each sequence its share of one server: M/G/1-PS. A request of x steps then stays x / (1 - load) alone
    times on average, whatever the other lengths; here short ones of 250 and long ones of 2,750 steps. What joins does so at the end of a
    step: half a step later, 0.02 % of the time of the short ones at an average batch of 4.
    """
    draw = random.Random(7)
    tick_s = 2e-5
    shared = engine(
        decode=DecodeLaw((0.0, 1e6), lambda batch: (tick_s * batch, tick_s * batch)),
        prefill=PrefillLaw((0.0, 1e6), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)),
        stall_share=0.0,
        most_running=10_000,
    )
    at_s = arrivals(draw, load / (500 * tick_s), 20_000)
    requests = [Request(at, 1, 1 + (2750 if draw.random() < 0.1 else 250)) for at in at_s]
    served(shared, requests)
    for steps in (250, 2750):
        slower = [(one.finish_s - one.arrival_s) / (steps * tick_s) for one in requests if one.output_tokens == steps + 1]
        assert standard_error(slower) < 0.06 / (1.0 - load)
        assert fmean(slower) == pytest.approx(1.0 / (1.0 - load), abs=3.5 * standard_error(slower))
