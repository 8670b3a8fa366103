"""Mixers whose memory does not grow with the context: linear attention, state spaces, short convolutions.

The state is fp32, with a small 16-bit convolution buffer beside it.
"""

from dataclasses import dataclass
from typing import Literal

from infra_advisor.physics.mixers import CONVOLUTION_BYTES, FP32_BYTES, Attention, Mixer, State, Stream

UPDATE_FLOP = 6
"""FLOP per state element and token: decay, rank-one update and read-out, a multiply and an add each."""
BUFFERED = 3 * CONVOLUTION_BYTES
"""Convolution bytes per channel: a kernel of four keeps the last three inputs."""


@dataclass(frozen=True)
class GatedDelta(Mixer):
    """Gated delta network (Qwen3-Next and later)."""

    key_heads: int
    value_heads: int
    key_dim: int
    value_dim: int
    conv: int
    kind: Literal["gdn"] = "gdn"

    @property
    def _widths(self) -> tuple[int, int]:
        return self.key_heads * self.key_dim, self.value_heads * self.value_dim

    def projections(self, d: int) -> int:
        """q, k, v, gate, two per-head gates, output."""
        k, v = self._widths
        return d * (2 * k + 2 * v) + 2 * d * self.value_heads + v * d

    def vectors(self, d: int) -> int:
        """Convolution, decay and its bias, norm."""
        k, v = self._widths
        return (2 * k + v) * self.conv + 2 * self.value_heads + self.value_dim

    def state(self, d: int) -> State:
        """One key_dim x value_dim matrix per value head."""
        k, v = self._widths
        elements = self.value_heads * self.key_dim * self.value_dim
        return State(elements * FP32_BYTES + (2 * k + v) * BUFFERED, UPDATE_FLOP * elements, self.value_heads)


@dataclass(frozen=True)
class KimiDelta(Mixer):
    """Kimi delta attention."""

    heads: int
    head_dim: int
    conv: int
    kind: Literal["kda"] = "kda"
    full_rank_gate: bool = False

    def projections(self, d: int) -> int:
        """q, k, v, low-rank decay, gate of low or full rank, per-head gate, output."""
        h, p = self.head_dim, self.heads * self.head_dim
        low_rank = d * h + h * p
        return 3 * d * p + low_rank + (d * p if self.full_rank_gate else low_rank) + d * self.heads + p * d

    def vectors(self, d: int) -> int:
        """Convolutions, decay, biases, norm."""
        p = self.heads * self.head_dim
        return 3 * p * self.conv + self.heads + p + self.head_dim

    def state(self, d: int) -> State:
        """One head_dim x head_dim matrix per head."""
        p = self.heads * self.head_dim
        return State(p * self.head_dim * FP32_BYTES + 3 * p * BUFFERED, UPDATE_FLOP * p * self.head_dim, self.heads)


@dataclass(frozen=True)
class Mamba2(Mixer):
    """State-space layer with scalar decay per head."""

    heads: int
    head_dim: int
    state_dim: int
    groups: int
    kind: Literal["mamba2"] = "mamba2"
    conv: int = 4
    norm: bool = True

    @property
    def _widths(self) -> tuple[int, int]:
        inner = self.heads * self.head_dim
        return inner, inner + 2 * self.groups * self.state_dim

    def projections(self, d: int) -> int:
        """Input, gate, B, C and time step in one matrix; output."""
        inner, convolved = self._widths
        return d * (inner + convolved + self.heads) + inner * d

    def vectors(self, d: int) -> int:
        """Convolution with bias, decay, skip and time-step bias per head, norm."""
        inner, convolved = self._widths
        return convolved * self.conv + convolved + 3 * self.heads + (inner if self.norm else 0)

    def state(self, d: int) -> State:
        """inner x state_dim."""
        inner, convolved = self._widths
        elements = inner * self.state_dim
        return State(elements * FP32_BYTES + convolved * BUFFERED, UPDATE_FLOP * elements, self.heads)


@dataclass(frozen=True)
class Mamba1(Mixer):
    """Selective state-space layer of the first generation."""

    inner: int
    state_dim: int
    dt_rank: int
    kind: Literal["mamba1"] = "mamba1"
    conv: int = 4

    def projections(self, d: int) -> int:
        """Input and gate, time step with B and C, time-step expansion, output."""
        return 2 * d * self.inner + self.inner * (self.dt_rank + 2 * self.state_dim) + self.dt_rank * self.inner + self.inner * d

    def vectors(self, d: int) -> int:
        """Convolution with bias, time-step bias, decay matrix, skip."""
        return self.inner * self.conv + 2 * self.inner + self.inner * self.state_dim + self.inner

    def state(self, d: int) -> State:
        """inner x state_dim."""
        elements = self.inner * self.state_dim
        return State(elements * FP32_BYTES + self.inner * BUFFERED, UPDATE_FLOP * elements, self.inner)


@dataclass(frozen=True)
class ShortConv(Mixer):
    """Gated short convolution (LFM2)."""

    kernel: int
    kind: Literal["shortconv"] = "shortconv"

    def projections(self, d: int) -> int:
        """Three-way input, output."""
        return 3 * d * d + d * d

    def vectors(self, d: int) -> int:
        """The kernel."""
        return d * self.kernel

    def state(self, d: int) -> State:
        """The last kernel - 1 inputs."""
        return State((self.kernel - 1) * d * CONVOLUTION_BYTES, 0.0, d)


@dataclass(frozen=True)
class ParallelMixer(Mixer):
    """Two mixers that read the same input and whose outputs add up (Falcon-H1)."""

    parts: tuple[Attention | Mamba2, ...]
    kind: Literal["parallel"] = "parallel"

    def projections(self, d: int) -> int:
        """Sum of the parts."""
        return sum(part.projections(d) for part in self.parts)

    def vectors(self, d: int) -> int:
        """Sum of the parts."""
        return sum(part.vectors(d) for part in self.parts)

    def streams(self) -> tuple[Stream, ...]:
        """Those of all parts."""
        return tuple(stream for part in self.parts for stream in part.streams())

    def state(self, d: int) -> State:
        """Sum of the parts; the part with a state decides how it divides."""
        states = [part.state(d) for part in self.parts]
        heads = max(state.heads for state in states)
        return State(sum(state.bytes for state in states), sum(state.flop for state in states), heads)


@dataclass(frozen=True)
class NoMixer(Mixer):
    """A layer that is a feed-forward block only."""

    kind: Literal["none"] = "none"
