"""How long a decode step and a prefill pass take, and how much cache a sequence holds, as tables that a run reads in constant time.

Between two nodes a decode step is linear in the context, so any number of steps has a closed form: a step at mean context c takes A + K c,
each step adds one token to every context, hence n steps take n (A + K c) + K n (n - 1) / 2.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

MOST_ON_SHELF = 1 << 16

Cells = tuple[list[float], list[float]]
"""Per cell between two contexts: intercept A [s] and slope K [s/token]."""


@dataclass(frozen=True)
class DecodeLaw:
    """Time of one decode step by running batch and mean context."""

    contexts: Sequence[float]
    """Ascending nodes; the first and the last cell reach on to zero and to infinity. [tokens]"""
    steps_s: Callable[[int], Sequence[float]]
    """Batch -> time per generated token of a sequence at each node. [s]"""
    _shelf: dict[int, Cells] = field(default_factory=dict, compare=False, repr=False)

    def cells(self, batch: int) -> Cells:
        """Intercepts and slopes of a batch."""
        found = self._shelf.get(batch)
        if found is None:
            nodes, steps = self.contexts, self.steps_s(batch)
            slopes = [(steps[k + 1] - steps[k]) / (nodes[k + 1] - nodes[k]) for k in range(len(nodes) - 1)]
            found = ([steps[k] - slopes[k] * nodes[k] for k in range(len(slopes))], slopes)
            self._shelf[batch] = found
        return found

    def step_s(self, batch: int, context: float) -> float:
        """One decode step. [s]"""
        intercepts, slopes = self.cells(batch)
        k = _cell(self.contexts, context)
        return intercepts[k] + slopes[k] * context

    def tokens_s(self, batch: int, context: float, tokens: float) -> float:
        """Time in which every running sequence gains so many tokens, from a mean context on; fractions are shares of a step. [s]"""
        intercepts, slopes = self.cells(batch)
        nodes, last = self.contexts, len(slopes) - 1
        k = _cell(nodes, context)
        if k == last or tokens <= nodes[k + 1] - context:
            return tokens * (intercepts[k] + slopes[k] * (context + (tokens - 1.0) * 0.5))
        total = 0.0
        while True:
            room = nodes[k + 1] - context if k < last else tokens
            here = tokens if tokens <= room else room
            total += here * (intercepts[k] + slopes[k] * (context + (here - 1.0) * 0.5))
            tokens -= here
            if tokens <= 0.0:
                return total
            context += here
            k += 1

    def tokens_in(self, batch: int, context: float, seconds: float) -> float:
        """Tokens every running sequence gains in a time: the inverse of `tokens_s`."""
        intercepts, slopes = self.cells(batch)
        nodes, last = self.contexts, len(slopes) - 1
        k = _cell(nodes, context)
        gained = 0.0
        while True:
            slope = slopes[k]
            first_s = intercepts[k] + slope * (context - 0.5)
            # K/2 n^2 + (A + K (c - 1/2)) n = t, solved for n without cancellation
            root = first_s * first_s + 2.0 * slope * seconds
            here = 2.0 * seconds / (first_s + root**0.5) if root > 0.0 else 2.0 * seconds / first_s
            if k == last or here <= (room := nodes[k + 1] - context):
                return gained + here
            seconds -= room * (intercepts[k] + slope * (context + (room - 1.0) * 0.5))
            gained += room
            context += room
            k += 1


@dataclass(frozen=True)
class PrefillLaw:
    """Time of a pass over prompt tokens: what depends on their number, and the attention scores, which depend on what lies behind them."""

    tokens: Sequence[float]
    """Ascending nodes, of the tokens in a pass and of prompt lengths; linear beyond both ends."""
    pass_s: Sequence[float]
    """All but the attention scores, at each node, with one attention-parallel rank at work. [s]"""
    pass_all_s: Sequence[float]
    """The same with every rank at work on as many tokens each. [s]"""
    scores_s: Sequence[float]
    """Attention of a whole prompt of that many tokens, over that number. [s/token]"""
    ranks: int = 1
    """Attention-parallel ranks, each with prompts of its own."""
    _shelf: dict[tuple[int, int], float] = field(default_factory=dict, compare=False, repr=False)
    """Attention by (start, end): most requests of a run are like others."""

    def duration_s(self, tokens: float, prompts: int, longest: float, scores_s: float) -> float:
        """A pass over so many tokens of so many prompts, the longest part of one prompt given, with its attention time in sum. [s]"""
        if self.ranks == 1:
            return _between(self.tokens, self.pass_s, tokens) + scores_s
        busy = min(prompts, self.ranks)
        each = max(tokens / busy, longest)
        one = _between(self.tokens, self.pass_s, each)
        every = _between(self.tokens, self.pass_all_s, each)
        return one + (every - one) * (busy - 1) / (self.ranks - 1) + scores_s / busy

    def attention_s(self, start: int, end: int) -> float:
        """Attention scores of the prompt tokens from `start` to `end`. [s]

        A causal pass over a whole prompt is the sum of its parts, so a part is a difference of two whole prompts.
        """
        shelf, key = self._shelf, (start, end)
        if key not in shelf:
            if len(shelf) >= MOST_ON_SHELF:
                shelf.clear()
            shelf[key] = self._attention_s(start, end)
        return shelf[key]

    def _attention_s(self, start: int, end: int) -> float:
        whole = end * _between(self.tokens, self.scores_s, end)
        return whole - start * _between(self.tokens, self.scores_s, start) if start > 0 else whole


@dataclass(frozen=True)
class CacheLaw:
    """Cache and state that sequences hold on a replica. [bytes]"""

    pool_bytes: float
    tokens: Sequence[float]
    held_bytes: Sequence[float]
    """At each node, of one sequence of that many tokens."""
    growth_bytes: float
    """By one more token of a running sequence."""

    def of_prompt(self, tokens: float) -> float:
        """Held by a sequence whose prompt has just been read. [bytes]"""
        return _between(self.tokens, self.held_bytes, tokens)


def _cell(nodes: Sequence[float], x: float) -> int:
    """Position of the cell that `x` lies in; the first and the last one reach on."""
    return bisect_right(nodes, x, 1, len(nodes) - 1) - 1


def _between(nodes: Sequence[float], values: Sequence[float], x: float) -> float:
    k = _cell(nodes, x)
    low = nodes[k]
    return values[k] + (values[k + 1] - values[k]) * (x - low) / (nodes[k + 1] - low)
