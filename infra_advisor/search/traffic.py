"""How requests come and how long they are: what a simulation needs beyond the mean load."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from infra_advisor.errors import UsageError, did_you_mean

LENGTHS = ("fixed", "uniform", "lognormal")
DEFAULT_SIGMA = 0.8
"""Of the logarithm of lengths: chat traffic lies at 0.7 to 1.1 (Azure LLM inference trace 2023, conversation)."""
DEFAULT_LEAST_SHARE, DEFAULT_MOST_SHARE = 0.8, 1.0
MOST_SIGMA = 3.0
DEFAULT_REQUESTS = 10_000
MOST_REQUESTS = 100_000_000
MOST_BURST = 1_000_000
CHUNK = 4096
LONGEST = 0.9999
"""Quantile of the lengths up to which step times are tabulated; beyond it they go on in a straight line."""


@dataclass(frozen=True)
class Slice:
    """Part of a distribution of prompt lengths: what one of two fleets is sent."""

    about: float
    """Stated mean of the whole distribution. [tokens]"""
    over: float
    """Prompts are longer than this. [tokens]"""
    up_to: float
    """Prompts are at most this long; may be infinite. [tokens]"""


@dataclass(frozen=True)
class Lengths:
    """Distribution of prompt and output lengths about the stated ones.

    fixed: always these. uniform: between two shares of them. lognormal: mean as stated, spread `sigma` of the logarithm.
    """

    kind: str = "fixed"
    sigma: float = DEFAULT_SIGMA
    least_share: float = DEFAULT_LEAST_SHARE
    most_share: float = DEFAULT_MOST_SHARE
    prompts: "Slice | None" = None
    """Only requests whose prompts lie in a slice of the distribution."""

    def __post_init__(self) -> None:
        if self.kind not in LENGTHS:
            raise UsageError(f"{self.kind!r} is unknown; accepted: {', '.join(LENGTHS)}.{did_you_mean(self.kind, LENGTHS)}")
        if not 0.0 < self.sigma <= MOST_SIGMA:
            raise UsageError(f"lognormal:{self.sigma:g}: the spread of the logarithm lies above 0 and up to {MOST_SIGMA:g}")
        if not 0.0 < self.least_share <= self.most_share <= 100.0:
            raise UsageError(f"uniform:{self.least_share:g}..{self.most_share:g}: two shares, the smaller first, such as 0.8..1.2")

    @property
    def spread(self) -> bool:
        """True where requests differ in length."""
        return self.kind == "lognormal" or (self.kind == "uniform" and self.least_share < self.most_share)

    @property
    def mean_share(self) -> float:
        """Mean length over the stated one."""
        return (self.least_share + self.most_share) / 2.0 if self.kind == "uniform" else 1.0

    def share_at(self, quantile: float) -> float:
        """Length at a quantile over the stated one."""
        if self.kind == "uniform":
            return self.least_share + quantile * (self.most_share - self.least_share)
        if self.kind == "lognormal":
            return math.exp(self.sigma * NormalDist().inv_cdf(quantile) - self.sigma**2 / 2.0)
        return 1.0

    def prompt_at(self, quantile: float, stated: float) -> float:
        """Prompt length at a quantile of the requests, those of a slice where there is one. [tokens]"""
        if self.prompts is None:
            return stated * self.share_at(quantile)
        low, high = self.share_of(0.0, self.prompts.over, self.prompts.about), self.share_of(0.0, self.prompts.up_to, self.prompts.about)
        return self.prompts.about * self.share_at(low + quantile * (high - low))

    def longest(self, prompt: float, output: float) -> float:
        """Tokens of all but one request in ten thousand, prompt and output together; at least the stated ones."""
        return max(self.prompt_at(LONGEST, prompt), prompt) + output * max(self.share_at(LONGEST), 1.0)

    def share_of(self, over: float, up_to: float, stated: float) -> float:
        """Share of the requests whose prompts are longer than `over` and at most `up_to`. [1]"""
        return self._below(up_to / stated) - self._below(over / stated)

    def mean_between(self, over: float, up_to: float, stated: float) -> float:
        """Mean length of those prompts. [tokens]"""
        if self.kind == "uniform":
            return stated * (max(over / stated, self.least_share) + min(up_to / stated, self.most_share)) / 2.0
        if self.kind == "lognormal":  # the partial mean of a lognormal is that of one shifted by sigma
            shifted = self._normal(up_to / stated, -self.sigma) - self._normal(over / stated, -self.sigma)
            return stated * shifted / self.share_of(over, up_to, stated)
        return stated

    def _below(self, share: float) -> float:
        if self.kind == "uniform":
            return min(max((share - self.least_share) / max(self.most_share - self.least_share, 1e-12), 0.0), 1.0)
        if self.kind == "lognormal":
            return self._normal(share, 0.0)
        return 1.0 if share >= 1.0 else 0.0

    def _normal(self, share: float, shift: float) -> float:
        if share <= 0.0 or math.isinf(share):
            return 0.0 if share <= 0.0 else 1.0
        return NormalDist().cdf((math.log(share) + self.sigma**2 / 2.0) / self.sigma + shift)

    def draw_prompts(self, generator: np.random.Generator, stated: float, count: int) -> NDArray[np.float64]:
        """Prompt lengths, those of a slice where there is one. [tokens]"""
        if self.prompts is None:
            return self.draw(generator, stated, count)
        found: list[NDArray[np.float64]] = []
        while sum(map(len, found)) < count:
            drawn = self.draw(generator, self.prompts.about, CHUNK)
            found.append(drawn[(drawn > self.prompts.over) & (drawn <= self.prompts.up_to)])
        return np.concatenate(found)[:count]

    def draw(self, generator: np.random.Generator, stated: float, count: int) -> NDArray[np.float64]:
        """Lengths about a stated one, whole numbers from 1. [tokens]"""
        if self.kind == "fixed":
            return np.full(count, round(stated), dtype=float)
        if self.kind == "uniform":
            drawn = stated * generator.uniform(self.least_share, self.most_share, count)
        else:
            drawn = stated * np.exp(self.sigma * generator.standard_normal(count) - self.sigma**2 / 2.0)
        return np.maximum(np.rint(drawn), 1.0)


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What a run needs to know beside the load: lengths, where requests come from, how many, and the seed."""

    lengths: Lengths | None = None
    """None = the usual ones of the load: see `lengths_for`."""
    trace: Path | None = None
    """A recorded trace instead of a stated load and stated lengths."""
    trace_speed: float = 1.0
    """By which the trace is sped up."""
    burst: int | None = None
    """So many requests at once, and then none, instead of a stated load."""
    at_once: bool = False
    """A stated number of requests in flight is sent all at the start, as a benchmark does."""
    requests: int | None = None
    """Of a run; None = the usual number of the command."""
    seed: int = 1
    prefix_share: float = 0.0
    """Part of every prompt that is common to all and cached. [1]"""

    def __post_init__(self) -> None:
        if self.requests is not None and not 1 <= self.requests <= MOST_REQUESTS:
            raise UsageError(f"--requests {self.requests:,}: accepted: 1 to {MOST_REQUESTS:,}")
        if self.burst is not None and not 1 <= self.burst <= MOST_BURST:
            raise UsageError(f"--burst {self.burst:,}: accepted: 1 to {MOST_BURST:,} requests")
        if not 0.0 <= self.prefix_share < 1.0:
            raise UsageError(f"--prefix-share {self.prefix_share:g}: a share from 0 to below 1, such as 0.4 or 40%")
        if self.seed < 0:
            raise UsageError(f"--seed {self.seed}: a whole number from 0")
        if self.trace is not None and self.burst is not None:
            raise UsageError("--trace and --burst both say when requests come: give one of them")
        if self.trace is None and self.trace_speed != 1.0:
            raise UsageError("--trace-speed says how fast a trace is replayed: give --trace FILE, or leave it out")
        if self.requests is not None and (self.trace is not None or self.burst is not None):
            raise UsageError(f"--{'trace' if self.trace else 'burst'} says how many requests come: leave out --requests")
        if self.trace is not None and self.lengths is not None:
            raise UsageError("--trace says how long requests are: leave out --lengths")

    def lengths_for(self, *, in_step: bool) -> Lengths:
        """The lengths asked for, else the usual ones.

        `in_step`: a fixed number of requests in flight; equal lengths would march in step, prefill together and finish together, as in
        some benchmarks and in no service, so they are spread by a fifth each way.
        """
        return self.lengths or (Lengths("uniform", least_share=0.8, most_share=1.2) if in_step else Lengths())


class Draws:
    """Random numbers by seed: one stream for each purpose, so that a change of one leaves the others as they are."""

    def __init__(self, seed: int, lengths: Lengths, input_tokens: float, output_tokens: float, longest_tokens: float) -> None:
        self._gaps, self._inputs, self._outputs, self._thinks = (
            np.random.Generator(np.random.PCG64(child)) for child in np.random.SeedSequence(seed).spawn(4)
        )
        self._lengths, self._means, self._longest = lengths, (input_tokens, output_tokens), longest_tokens
        self.clamped = 0
        """Requests cut to the model's context, of those drawn so far."""

    def lengths(self) -> Iterator[tuple[int, int]]:
        """(prompt, output) of one request after another; cut to the model's context, the output first. [tokens]"""
        while True:
            inputs = self._lengths.draw_prompts(self._inputs, self._means[0], CHUNK)
            outputs = self._lengths.draw(self._outputs, self._means[1], CHUNK)
            over = inputs + outputs > self._longest
            if np.any(over):
                inputs = np.minimum(inputs, self._longest - 1.0)
                outputs = np.minimum(outputs, self._longest - inputs)
            for prompt, output, cut in zip(inputs.astype(int).tolist(), outputs.astype(int).tolist(), over.tolist(), strict=True):
                self.clamped += cut
                yield prompt, output

    def gaps(self) -> Iterator[float]:
        """Exponential times with mean 1, for arrivals."""
        while True:
            yield from self._gaps.standard_exponential(CHUNK).tolist()

    def thinks(self) -> Iterator[float]:
        """Exponential times with mean 1, for users who think."""
        while True:
            yield from self._thinks.standard_exponential(CHUNK).tolist()
