"""A run: requests from a source, dealt out to replicas by a router, until all have left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Protocol

from infra_advisor.simulator.replica import NEVER, Replica
from infra_advisor.simulator.request import Request
from infra_advisor.simulator.router import Router

Finished = Callable[[Request], None]
"""Told of every request that leaves, once, in order of time."""


class Source(Protocol):
    """Where requests come from."""

    def next_s(self) -> float:
        """When the next request arrives, `inf` where none does unless one finishes. [s]"""
        ...

    def take(self) -> Request:
        """The next request."""
        ...

    def finished(self, request: Request) -> None:
        """A request has left; its sender may send the next one."""
        ...


@dataclass(frozen=True)
class Pool:
    """Replicas of one kind and the router in front of them."""

    replicas: Sequence[Replica]
    router: Router


def run(
    source: Source,
    pool: Pool,
    finished: Finished,
    *,
    decoders: Pool | None = None,
    transfer_s: Callable[[Request], float] | None = None,
    watch: Callable[[float], None] | None = None,
) -> None:
    """Let every request of the source arrive, be served and leave. `watch` is told the time at every arrival.

    `decoders`: replicas that take over what those of `pool` hand over with its first token, `transfer_s` later; that first token
    counts as out when the cache has arrived.
    """
    replicas = [*pool.replicas, *(decoders.replicas if decoders else ())]
    first_decoder = len(pool.replicas)
    due: list[tuple[float, int]] = []
    moving: list[tuple[float, int, Request]] = []
    moved = 0

    def left(place: int) -> None:
        nonlocal moved
        replica = replicas[place]
        for request in replica.collect():
            if decoders is not None and place < first_decoder and not request.rejected and request.output_tokens > 1:
                assert transfer_s is not None
                moved += 1
                heappush(moving, (replica.now + transfer_s(request), moved, request))
                continue
            source.finished(request)
            finished(request)

    while True:
        arrival_s = source.next_s()
        if moving and moving[0][0] < arrival_s:
            arrival_s = moving[0][0]
        while due and due[0][0] <= arrival_s:
            at_s, place = heappop(due)
            replica = replicas[place]
            if replica.due != at_s:
                continue
            replica.step()
            if replica.left:
                left(place)
                arrival_s = source.next_s()
                if moving and moving[0][0] < arrival_s:
                    arrival_s = moving[0][0]
            if replica.due != NEVER:
                heappush(due, (replica.due, place))
        if arrival_s == NEVER:
            return
        if moving and moving[0][0] == arrival_s:
            assert decoders is not None
            request = heappop(moving)[2]
            request.first_token_s = arrival_s
            place = first_decoder + decoders.router.choose(request, decoders.replicas)
        else:
            request = source.take()
            if watch is not None:
                watch(arrival_s)
            place = pool.router.choose(request, pool.replicas)
            request.replica = place
        replica = replicas[place]
        before = replica.due
        replica.submit(request, arrival_s)
        if replica.left:
            left(place)
        if replica.due != before and replica.due != NEVER:
            heappush(due, (replica.due, place))
