"""Runs of listed requests, and engines of round or of random numbers, for the tests of the simulator."""

import math
import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from infra_advisor.simulator.engine import Engine
from infra_advisor.simulator.laws import CacheLaw, DecodeLaw, PrefillLaw
from infra_advisor.simulator.replica import Replica
from infra_advisor.simulator.request import Request
from infra_advisor.simulator.router import LeastLoaded, Router
from infra_advisor.simulator.run import Pool, run

Lengths = tuple[float, int, int]
"""Arrival [s], prompt and output tokens."""


class Listed:
    """A source of requests that are known beforehand, in order of arrival."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._requests, self._taken = requests, 0

    def next_s(self) -> float:
        return self._requests[self._taken].arrival_s if self._taken < len(self._requests) else math.inf

    def take(self) -> Request:
        self._taken += 1
        return self._requests[self._taken - 1]

    def finished(self, request: Request) -> None:
        pass


def served(
    engine: Engine,
    requests: Sequence[Request],
    *,
    replicas: int = 1,
    router: Router | None = None,
    finished: Callable[[Request], None] = lambda request: None,
    watch: Callable[[float], None] | None = None,
) -> list[Replica]:
    """The replicas after all requests have run through them."""
    found = [Replica(engine) for _ in range(replicas)]
    run(Listed(requests), Pool(found, router or LeastLoaded()), finished, watch=watch)
    return found


# -- round numbers


def engine(**changes: Any) -> Engine:
    """A step takes 10 ms; a pass 20 ms and 1 ms per token, whole prompts while others stand still; a byte of an endless cache per token."""
    usual: dict[str, Any] = {
        "decode": DecodeLaw((0.0, 1000.0), lambda batch: (0.01, 0.01)),
        "prefill": PrefillLaw((0.0, 1000.0), (0.02, 1.02), (0.02, 1.02), (0.0, 0.0)),
        "cache": pool(math.inf),
        "most_running": 100,
        "tokens_per_pass": 1000.0,
        "chunked": False,
    }
    return Engine(**(usual | changes))


def pool(size: float) -> CacheLaw:
    """So many bytes, and as many of one sequence as it has tokens."""
    return CacheLaw(size, (0.0, 1000.0), (0.0, 1000.0), 1.0)


# -- random numbers


def random_laws(draw: random.Random) -> tuple[DecodeLaw, PrefillLaw]:
    """Steps of 2 to 100 ms that bend in context and batch, passes of 2 to 50 ms and up to 1 ms per token with attention on top."""
    contexts = sorted(draw.sample(range(1, 900), draw.randint(2, 6)))
    slope_s = 10 ** draw.uniform(-6, -4)
    steps = _rising(draw, contexts, draw.uniform(2e-3, 2e-2) + slope_s * contexts[0], slope_s)
    power, each_s = draw.choice([0.0, 0.5, 1.0, 1.5]), draw.choice([0.0, 1e-4, 1e-3])
    decode = DecodeLaw(contexts, lambda batch: [step * batch**power + each_s * batch for step in steps])
    tokens = [1, 20, 100, 300, 1000]
    passes = _rising(draw, tokens, draw.uniform(2e-3, 5e-2), 10 ** draw.uniform(-4.5, -3))
    every = [once * 1.2 for once in passes]
    scores = _rising(draw, tokens, draw.choice([0.0, 1e-6]), 1e-6)
    return decode, PrefillLaw(tokens, passes, every, scores, ranks=draw.choice([1, 1, 2, 3]))


def _rising(draw: random.Random, nodes: Sequence[float], first: float, slope: float) -> list[float]:
    """From `first` on, with a slope of its own in every cell: up to that one, sometimes flat."""
    values = [first]
    for low, high in pairwise(nodes):
        values.append(values[-1] + (high - low) * slope * draw.choice([0.0, draw.random(), 1.0]))
    return values


def random_cache(draw: random.Random, requests: Sequence[Lengths], factor: float) -> CacheLaw:
    """Holdings that bend, with a state of fixed size, in a pool of `factor` times what the largest request needs in the end."""
    growth, state, bend = draw.choice([4.0, 64.0]), draw.uniform(0.1, 512.0), draw.choice([1.0, 0.25])
    nodes, held = [0.0, 150.0, 1000.0], [state, state + 150.0 * growth, state + (150.0 + 850.0 * bend) * growth]
    law = CacheLaw(math.inf, nodes, held, growth)
    most = max(law.of_prompt(prompt) + (output - 1) * growth for _, prompt, output in requests)
    return CacheLaw(most * factor, nodes, held, growth)
