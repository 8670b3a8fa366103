"""Where requests come from: rates, pauses and starts; the same numbers by seed, whatever serves them."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import pairwise

import numpy as np
import pytest

from infra_advisor.facts.traces import Arrival
from infra_advisor.search import sources
from infra_advisor.search.sources import ClosedSource, OpenSource, at_once, burst, concurrent, poisson, users
from infra_advisor.search.traffic import Draws, Lengths
from infra_advisor.simulator.request import Request
from infra_advisor.simulator.run import Source

SPREAD = Lengths("lognormal", sigma=0.5)


def draws(seed: int = 1, lengths: Lengths = SPREAD) -> Draws:
    return Draws(seed, lengths, 1000.0, 300.0, 1e9)


def everything(source: Source) -> list[Request]:
    """What comes when nothing is ever answered."""
    found = []
    while source.next_s() < math.inf:
        found.append(source.take())
    return found


def answered(source: Source, service_s: Callable[[Request], float]) -> list[Request]:
    """Every request, each answered on its own after a time that starts when it arrives; its first token is its last."""
    found: list[Request] = []
    running: list[tuple[float, int, Request]] = []
    while True:
        if running and running[0][0] <= source.next_s():
            at_s, _, request = heappop(running)
            request.first_token_s = request.finish_s = at_s
            source.finished(request)
        elif source.next_s() < math.inf:
            request = source.take()
            found.append(request)
            heappush(running, (request.arrival_s + service_s(request), len(found), request))
        else:
            return found


def of_senders(requests: list[Request]) -> dict[int, list[Request]]:
    found = defaultdict(list)
    for request in requests:
        found[request.sender].append(request)
    return found


# -- open arrivals


def test_random_arrivals_come_at_their_rate() -> None:
    """40,000 exponential gaps of 0.5 s: their mean lies within 4 x 0.5 / sqrt(40,000) = 0.01 s, and their spread equals their mean."""
    at_s = [request.arrival_s for request in everything(poisson(draws(), 2.0, 40_000))]
    gaps = np.diff([0.0, *at_s])
    assert len(gaps) == 40_000
    assert np.mean(gaps) == pytest.approx(0.5, abs=0.01)
    assert np.std(gaps) == pytest.approx(0.5, abs=0.02)
    assert np.mean(gaps > 0.5) == pytest.approx(math.exp(-1), abs=0.01)


def test_twice_the_rate_is_the_same_stream_in_half_the_time() -> None:
    """Lengths stay with their requests."""
    slow, fast = (everything(poisson(draws(), rate, 500)) for rate in (3.0, 6.0))
    assert [one.arrival_s for one in slow] == pytest.approx([2.0 * one.arrival_s for one in fast])
    assert [(one.input_tokens, one.output_tokens) for one in slow] == [(one.input_tokens, one.output_tokens) for one in fast]


@pytest.mark.parametrize("make", [lambda d: poisson(d, 2.0, 300), lambda d: users(d, 7, 3.0, 300), lambda d: burst(d, 300)])
def test_the_seed_decides(make: Callable[[Draws], Source]) -> None:
    def seen(seed: int) -> list[tuple[float, int, int]]:
        return [(one.arrival_s, one.input_tokens, one.output_tokens) for one in answered(make(draws(seed)), lambda request: 1.0)]

    assert len(seen(1)) == 300
    assert seen(1) == seen(1)
    assert seen(1) != seen(2)


def test_spread_lengths_leave_arrivals_as_they_are() -> None:
    alike, spread = (everything(poisson(draws(lengths=lengths), 2.0, 200)) for lengths in (Lengths(), SPREAD))
    assert [one.arrival_s for one in alike] == [one.arrival_s for one in spread]
    assert len({one.input_tokens for one in spread}) > 50


def test_a_burst_comes_at_once() -> None:
    found = everything(burst(draws(), 5000))
    assert {one.arrival_s for one in found} == {0.0}
    assert len(found) == 5000


def test_a_stream_is_read_one_ahead() -> None:
    """A trace may be larger than memory, or have no end."""
    read = []

    def endless() -> Iterator[Arrival]:
        while True:
            read.append(len(read))
            yield Arrival(float(len(read)), 10, 5, (1, 2))

    source = OpenSource(endless())
    assert len(read) == 1
    for number in range(1, 100):
        assert source.next_s() == number
        request = source.take()
        assert (request.arrival_s, request.input_tokens, request.output_tokens, request.blocks) == (number, 10, 5, (1, 2))
        assert len(read) == number + 1


def test_an_empty_stream_has_nothing_to_come() -> None:
    assert OpenSource([]).next_s() == math.inf


# -- users


def test_users_ask_as_often_as_they_think_and_wait() -> None:
    """50 users who think 4 s and wait 1 s ask 10 times a second: 20,000 requests in 2,000 s, to a per cent or two."""
    found = answered(users(draws(), 50, 4.0, 20_000), lambda request: 1.0)
    assert len(found) == 20_000
    assert found[-1].arrival_s == pytest.approx(2000.0, rel=0.02)
    first = [requests[0].arrival_s for requests in of_senders(found).values()]
    assert len(first) == 50
    assert 2.0 < np.mean(first) < 6.5  # 4 s each, 4 / sqrt(50) = 0.6 s in their mean


def pauses(requests: list[Request]) -> list[float]:
    """Between an answer and the next request of one sender."""
    return [after.arrival_s - before.finish_s for before, after in pairwise(requests)]


def test_thoughts_and_lengths_are_those_of_the_sender_however_fast_the_answers() -> None:
    """Slow, and unevenly slow, against fast: what each sender asks as its k-th request and how long it thinks before are the same."""
    fast = of_senders(answered(users(draws(), 8, 3.0, 400), lambda request: 0.01))
    slow = of_senders(answered(users(draws(), 8, 3.0, 400), lambda request: 0.1 * (1 + request.sender) + request.output_tokens / 50))
    assert sorted(fast) == sorted(slow) == list(range(8))
    assert {len(requests) for requests in slow.values()} != {len(requests) for requests in fast.values()}
    for sender in range(8):
        both = min(len(fast[sender]), len(slow[sender]))
        assert both >= 15
        assert fast[sender][0].arrival_s == slow[sender][0].arrival_s
        for one, other in zip(fast[sender][:both], slow[sender][:both], strict=True):
            assert (one.input_tokens, one.output_tokens) == (other.input_tokens, other.output_tokens)
        assert pauses(fast[sender])[: both - 1] == pytest.approx(pauses(slow[sender])[: both - 1])


def test_a_user_reads_what_has_left_the_engine_late() -> None:
    """Arrived at 1 s, out of the engine at 3 s, half a second of handling outside: one who never thinks asks again at 3.5 s.

    What is refused is answered at once.
    """
    source = ClosedSource(draws(), 2, 10, 0.0, [1.0, 1.0])
    served, refused = source.take(), source.take()
    served.first_token_s = served.finish_s = 3.0
    served.outside_s = 0.5
    refused.rejected, refused.finish_s = True, 1.0
    source.finished(refused)
    assert source.next_s() == 1.0
    source.take()
    source.finished(served)
    assert source.next_s() == pytest.approx(3.5)


def test_no_more_is_sent_than_was_asked_for() -> None:
    source = users(draws(), 5, 1.0, 3)
    found = answered(source, lambda request: 1.0)
    assert len(found) == 3
    assert source.next_s() == math.inf


# -- requests in flight


def test_a_fixed_number_is_in_flight_and_starts_are_spread_over_one_request() -> None:
    """Four senders, each answer takes 2 s: starts within 2 s, the last one at 2 s; then exactly four in flight, two a second."""
    found = answered(concurrent(draws(), 4, 2.0, 400), lambda request: 2.0)
    starts = [one.arrival_s for one in found[:4]]
    assert starts == sorted(starts)
    assert starts[0] > 0.0
    assert starts[3] == pytest.approx(2.0)
    assert sorted(one.sender for one in found[:4]) == [0, 1, 2, 3]
    for at_s in (2.5, 50.0, 150.0):
        assert sum(one.arrival_s <= at_s < one.finish_s for one in found) == 4
    assert found[-1].arrival_s == pytest.approx(198.0, abs=2.1)


def test_a_benchmark_starts_all_at_once() -> None:
    found = answered(at_once(draws(), 4, 20), lambda request: 2.0)
    assert [one.arrival_s for one in found] == [2.0 * (number // 4) for number in range(20)]


def test_users_who_never_think_are_requests_in_flight() -> None:
    """Else they would all start at once, and with equal lengths prefill together for ever."""
    never, fixed = (answered(source, lambda request: 2.0) for source in (users(draws(), 4, 0.0, 50, 2.0), concurrent(draws(), 4, 2.0, 50)))
    assert [one.arrival_s for one in never] == [one.arrival_s for one in fixed]
    assert len({one.arrival_s for one in never[:4]}) == 4


def test_many_senders_are_dealt_out_in_time() -> None:
    """Their starts are a running sum; as a sum for each of 200,000 senders they took minutes. The first ones start early in the 10 s."""
    found = everything(concurrent(draws(), 200_000, 10.0, 5))
    assert 0.0 < found[0].arrival_s < found[-1].arrival_s < 0.01


def test_more_users_than_can_be_told_apart_come_at_random(monkeypatch: pytest.MonkeyPatch) -> None:
    """101 users who think 9 s and wait 1 s: 10.1 requests a second on average."""
    monkeypatch.setattr(sources, "MOST_SENDERS", 100)
    many = users(draws(), 101, 9.0, 20_000, 1.0)
    assert isinstance(many, OpenSource)
    assert everything(many)[-1].arrival_s == pytest.approx(20_000 / 10.1, rel=0.03)
    assert isinstance(users(draws(), 100, 9.0, 10, 1.0), ClosedSource)
