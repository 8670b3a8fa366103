"""Sources of requests for a run: arrivals at a rate, users who wait for their answers, a burst, a recorded trace."""

import math
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from itertools import accumulate, islice, repeat
from typing import Generic, TypeVar

from infra_advisor.facts.traces import Arrival
from infra_advisor.search.solve import Load
from infra_advisor.search.traffic import Draws
from infra_advisor.simulator.request import Request
from infra_advisor.simulator.run import Source

NEVER = math.inf
Drawn = TypeVar("Drawn")
MOST_SENDERS = 1_000_000
"""Whose requests are told apart."""


class OpenSource:
    """Requests that come by themselves, from any stream of arrivals in order of time; read as the run goes on."""

    def __init__(self, arrivals: Iterable[Arrival]) -> None:
        self._stream = iter(arrivals)
        self._next = next(self._stream, None)

    def next_s(self) -> float:
        """When the next request arrives. [s]"""
        return self._next[0] if self._next is not None else NEVER

    def take(self) -> Request:
        """The next request."""
        assert self._next is not None
        request = Request(*self._next)
        self._next = next(self._stream, None)
        return request

    def finished(self, request: Request) -> None:
        """Nobody waits for it."""


class ClosedSource:
    """Senders who wait for the answer, think, and send the next request, until `requests` have been sent.

    Lengths and thoughts belong to a sender and its how-manieth request, so that faster hardware meets the same ones.
    """

    def __init__(self, draws: Draws, senders: int, requests: int, think_s: float, starts_s: Iterable[float]) -> None:
        self._lengths = Rounds(draws.lengths(), senders)
        self._thinks = Rounds(draws.thinks(), senders) if think_s else None
        self._think_s, self._left = think_s, requests
        self._sent = [0] * senders
        self._ready = [(at_s, sender) for sender, at_s in enumerate(starts_s)]
        heapify(self._ready)

    def next_s(self) -> float:
        """When the next request arrives, unless one that finishes makes it earlier. [s]"""
        return self._ready[0][0] if self._ready and self._left else NEVER

    def take(self) -> Request:
        """The next request."""
        at_s, sender = heappop(self._ready)
        self._left -= 1
        prompt, output = self._lengths.of(self._sent[sender], sender)
        self._sent[sender] += 1
        return Request(at_s, prompt, output, None, sender)

    def finished(self, request: Request) -> None:
        """Its sender reads the answer and thinks."""
        at_s = request.finish_s if request.rejected else max(request.arrival_s + request.e2e_s, request.finish_s)
        if self._thinks is not None:
            at_s += self._think_s * self._thinks.of(self._sent[request.sender], request.sender)
        heappush(self._ready, (at_s, request.sender))


class Rounds(Generic[Drawn]):
    """A stream dealt out in rounds, one value to each sender, as rounds are asked for."""

    def __init__(self, stream: Iterator[Drawn], senders: int) -> None:
        self._stream, self._senders = stream, senders
        self._rounds: list[list[Drawn]] = []

    def of(self, number: int, sender: int) -> Drawn:
        """What a sender gets in a round."""
        while len(self._rounds) <= number:
            self._rounds.append(list(islice(self._stream, self._senders)))
        return self._rounds[number][sender]


def poisson(draws: Draws, rate_per_s: float, requests: int) -> OpenSource:
    """Requests that arrive at random at a mean rate."""

    def arrivals() -> Iterator[Arrival]:
        at_s = 0.0
        for _, gap, (prompt, output) in zip(range(requests), draws.gaps(), draws.lengths(), strict=False):
            at_s += gap / rate_per_s
            yield Arrival(at_s, prompt, output, None)

    return OpenSource(arrivals())


def burst(draws: Draws, requests: int) -> OpenSource:
    """All requests at once."""
    return OpenSource(Arrival(0.0, prompt, output, None) for _, (prompt, output) in zip(range(requests), draws.lengths(), strict=False))


def users(draws: Draws, count: int, think_s: float, requests: int, cycle_s: float = 0.0) -> ClosedSource | OpenSource:
    """People who think for a random time, `think_s` on average, before each request; the first one too.

    `cycle_s`: time of one request. Over it the starts of those who never think are spread, or they would march in step; and of more than
    can be told apart, who hardly ever ask, the requests are taken to come at random.
    """
    if think_s == 0.0:
        return concurrent(draws, count, cycle_s, requests)
    if count > MOST_SENDERS:
        return poisson(draws, count / (think_s + cycle_s), requests)
    starts = islice(draws.gaps(), count)
    return ClosedSource(draws, count, requests, think_s, (think_s * start for start in starts))


def concurrent(draws: Draws, count: int, cycle_s: float, requests: int) -> ClosedSource:
    """A fixed number of requests in flight; their starts are spread over one request's time, so that no burst is measured."""
    gaps = list(islice(draws.gaps(), count))
    whole = sum(gaps)
    starts_s = (cycle_s * reached / whole for reached in accumulate(gaps))
    return ClosedSource(draws, count, requests, 0.0, starts_s)


def at_once(draws: Draws, count: int, requests: int) -> ClosedSource:
    """A fixed number of requests in flight, the first ones all sent at the start: a benchmark."""
    return ClosedSource(draws, count, requests, 0.0, repeat(0.0, count))


def of_load(draws: Draws, load: Load, requests: int, cycle_s: float) -> tuple[Source, bool]:
    """(the requests of a stated load, whether senders wait for their answers); `cycle_s`: time of one request, roughly."""
    if load.in_flight is not None:
        return concurrent(draws, max(math.ceil(load.in_flight - 1e-9), 1), cycle_s, requests), True
    if load.users is not None:
        return users(draws, max(round(load.users), 1), load.think_s, requests, cycle_s), True
    assert load.request_rate_per_s is not None
    return poisson(draws, load.request_rate_per_s, requests), False
