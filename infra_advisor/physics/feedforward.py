"""The feed-forward blocks of a transformer layer: dense, mixture of experts, both side by side, or none.

Each says, for the hidden width d of its model, how many weights every token multiplies (`projections`: dense matrices,
router, shared experts), how many it adds or scales by (`vectors`) and what its routed experts hold (`experts_of`).
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RoutedExperts:
    """The routed experts of one layer."""

    experts: int
    top_k: int
    elements: int
    """Weights of one expert."""
    projections: int
    """Of these, weights that multiply (the rest are biases)."""
    width: int
    """Elements sent per token to a remote expert, and back."""


class FeedForward:
    """The defaults are those of a layer without a feed-forward block."""

    def projections(self, d: int) -> int:
        """Weights that multiply every token. [elements]"""
        return 0

    def vectors(self, d: int) -> int:
        """Weights that are added or scale. [elements]"""
        return 0

    def routed(self, d: int) -> tuple[RoutedExperts, ...]:
        """Experts of which each token uses `top_k`."""
        return ()


def _matrices(gated: bool) -> int:
    return 3 if gated else 2


def _biases(inter: int, d: int, gated: bool) -> int:
    return (2 if gated else 1) * inter + d


@dataclass(frozen=True)
class DenseFfn(FeedForward):
    """Two or, with a gate, three matrices."""

    inter: int
    kind: Literal["dense"] = "dense"
    gated: bool = True
    bias: bool = False

    def projections(self, d: int) -> int:
        """3 d i, or 2 d i ungated."""
        return _matrices(self.gated) * d * self.inter

    def vectors(self, d: int) -> int:
        """Biases."""
        return _biases(self.inter, d, self.gated) if self.bias else 0


@dataclass(frozen=True)
class MoeFfn(FeedForward):
    """Routed experts, with or without shared ones that every token uses."""

    experts: int
    top_k: int
    inter: int
    kind: Literal["moe"] = "moe"
    shared_inter: int = 0
    """Inner width of all shared experts together."""
    shared_gate: bool = False
    router_bias: bool = False
    router_out: int | None = None
    """Outputs of the router where some of them are experts without weights."""
    latent: int | None = None
    """Width of the routed experts where it is not the hidden width."""
    latent_norm: bool = False
    gated: bool = True
    bias: bool = False

    def projections(self, d: int) -> int:
        """Router, shared experts, their gate, and the way into and out of the latent width."""
        shared = _matrices(self.gated) * d * self.shared_inter + (d if self.shared_gate else 0)
        return d * (self.router_out or self.experts) + shared + (2 * d * self.latent if self.latent else 0)

    def vectors(self, d: int) -> int:
        """Router bias, norm of the latent."""
        bias = (self.router_out or self.experts) if self.router_bias else 0
        return bias + (self.latent if self.latent and self.latent_norm else 0)

    def routed(self, d: int) -> tuple[RoutedExperts, ...]:
        """3 w m per expert (2 w m ungated), w = latent or hidden width."""
        width = self.latent or d
        projections = _matrices(self.gated) * width * self.inter
        biases = _biases(self.inter, width, self.gated) if self.bias else 0
        return (RoutedExperts(self.experts, self.top_k, projections + biases, projections, width),)


@dataclass(frozen=True)
class ParallelFfn(FeedForward):
    """A dense block and experts that read the same input and whose outputs add up."""

    parts: tuple[DenseFfn | MoeFfn, ...]
    kind: Literal["parallel"] = "parallel"

    def projections(self, d: int) -> int:
        """Sum of the parts."""
        return sum(part.projections(d) for part in self.parts)

    def vectors(self, d: int) -> int:
        """Sum of the parts."""
        return sum(part.vectors(d) for part in self.parts)

    def routed(self, d: int) -> tuple[RoutedExperts, ...]:
        """Those of all parts."""
        return tuple(routed for part in self.parts for routed in part.routed(d))


@dataclass(frozen=True)
class NoFfn(FeedForward):
    """A layer that is a mixer only."""

    kind: Literal["none"] = "none"
