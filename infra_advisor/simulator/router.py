"""Which replica takes a request."""

from collections.abc import Sequence
from typing import Protocol

from infra_advisor.simulator.replica import Replica
from infra_advisor.simulator.request import Request


class Router(Protocol):
    """Chooses by what it can see: requests in flight, and what it sent where before."""

    def choose(self, request: Request, replicas: Sequence[Replica]) -> int:
        """Position of the replica."""
        ...


class RoundRobin:
    """Each in turn."""

    def __init__(self) -> None:
        self._last = -1

    def choose(self, request: Request, replicas: Sequence[Replica]) -> int:
        self._last = (self._last + 1) % len(replicas)
        return self._last


class LeastLoaded:
    """The one with the fewest requests in flight, the first of several."""

    def choose(self, request: Request, replicas: Sequence[Replica]) -> int:
        if len(replicas) == 1:
            return 0
        return min(range(len(replicas)), key=lambda place: replicas[place].in_flight)


class PrefixAffine:
    """The one that holds most of the prompt's leading blocks, unless it has far more in flight than the least loaded one."""

    MOST_AHEAD = 8
    """Requests in flight by which the best match may exceed the least loaded replica."""

    def choose(self, request: Request, replicas: Sequence[Replica]) -> int:
        least = LeastLoaded().choose(request, replicas)
        if not request.blocks:
            return least
        blocks = request.blocks
        matches = [replica.cache.prefix.leading_hits(blocks) for replica in replicas]
        best = max(range(len(replicas)), key=lambda place: (matches[place], -replicas[place].in_flight))
        if matches[best] == 0 or replicas[best].in_flight > replicas[least].in_flight + self.MOST_AHEAD:
            return least
        return best
