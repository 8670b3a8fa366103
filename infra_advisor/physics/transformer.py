"""A language model as groups of identical layers, and everything that can be counted from them before any load is known.

Source of the formulas: the layer definitions of the reference implementations; checked against published parameter counts.
Nothing here depends on context or batch; that is work.py.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, TypeVar

from infra_advisor.physics.feedforward import DenseFfn, MoeFfn, NoFfn, ParallelFfn, RoutedExperts
from infra_advisor.physics.mixers import Attention, CompressedAttention, LatentAttention, State, Stream
from infra_advisor.physics.recurrent import GatedDelta, KimiDelta, Mamba1, Mamba2, NoMixer, ParallelMixer, ShortConv

AnyMixer: TypeAlias = (
    Attention | LatentAttention | CompressedAttention | GatedDelta | KimiDelta | Mamba1 | Mamba2 | ShortConv | ParallelMixer | NoMixer
)
AnyFfn: TypeAlias = DenseFfn | MoeFfn | ParallelFfn | NoFfn


Kind = TypeVar("Kind")


@dataclass(frozen=True)
class LayerGroup:
    """`n` identical layers. The order of groups is not the order of layers."""

    n: int
    mixer: AnyMixer
    ffn: AnyFfn
    norms: int = 2
    """Norm vectors per layer."""


@dataclass(frozen=True)
class Weights:
    """Elements, or bytes, of a model by the parts that formats and parallelism treat differently."""

    linear: float
    """Mixers, dense blocks, routers, shared experts, norms."""
    experts: float
    """Routed experts."""
    embedding: float
    head: float
    """0 where it is the embedding."""
    extra: float
    """Not used to make a token: vision parts, prediction layers, looked-up tables."""

    @property
    def total(self) -> float:
        """All parts."""
        return self.linear + self.experts + self.embedding + self.head + self.extra


@dataclass(frozen=True)
class FormatBits:
    """Bits per stored weight by part, scales included."""

    linear: float
    experts: float
    embedding: float
    head: float


@dataclass(frozen=True)
class Transformer:
    """The shape of a language model. Two checkpoints of equal shape need the same work."""

    layers: tuple[LayerGroup, ...]
    hidden: int
    vocab: int
    tied: bool
    extra: int = 0
    """Elements outside the layers that the checkpoint holds: vision parts, prediction layers, tables."""
    extra_active: int = 0
    """Of these, elements that every token uses."""
    prefill_share: float = 1.0
    """Part of the layers' work that a prompt token needs where generation needs more (encoder-decoder)."""

    @cached_property
    def weights(self) -> Weights:
        """Elements by part. [elements]"""
        d = self.hidden
        linear = self.projections + sum(g.n * (g.mixer.vectors(d) + g.ffn.vectors(d) + g.norms * d) for g in self.layers)
        experts = sum(n * routed.experts * routed.elements for n, routed in self._routed())
        table = self.vocab * d
        final_norm = d
        return Weights(
            linear=linear + final_norm + self.extra_active,
            experts=experts,
            embedding=table,
            head=0 if self.tied else table,
            extra=self.extra - self.extra_active,
        )

    @property
    def parameters(self) -> float:
        """All weights of the checkpoint; a tied head counts once. [elements]"""
        return self.weights.total

    @cached_property
    def active_parameters(self) -> float:
        """Weights one generated token uses: top-k experts, one head, no embedding table. [elements]"""
        routed = sum(n * routed.top_k * routed.elements for n, routed in self._routed())
        return self.weights.linear + routed + self.vocab * self.hidden

    @cached_property
    def projections(self) -> float:
        """Weights outside routed experts and head that multiply every token. [elements]"""
        d = self.hidden
        return sum(g.n * (g.mixer.projections(d) + g.ffn.projections(d)) for g in self.layers)

    @cached_property
    def routed_experts(self) -> tuple[tuple[int, RoutedExperts], ...]:
        """(layers, experts of one of them), equal ones merged."""
        return _merged(self._routed())

    @cached_property
    def streams(self) -> tuple[tuple[int, Stream], ...]:
        """(layers, what one of them keeps and reads per token), equal ones merged."""
        return _merged((group.n, stream) for group in self.layers for stream in group.mixer.streams())

    @cached_property
    def states(self) -> tuple[tuple[int, State], ...]:
        """(layers, what one of them keeps per sequence), equal ones merged."""
        states = ((group.n, group.mixer.state(self.hidden)) for group in self.layers)
        return _merged((n, state) for n, state in states if state.bytes)

    @cached_property
    def layer_count(self) -> int:
        """Layers that launch work: each group counts, also where it holds a mixer or a feed-forward block only."""
        return sum(group.n for group in self.layers)

    @cached_property
    def block_count(self) -> int:
        """Mixers and feed-forward blocks; under tensor parallelism each ends in one all-reduce."""
        return sum(group.n * ((group.mixer.kind != "none") + (group.ffn.kind != "none")) for group in self.layers)

    @cached_property
    def moe_layer_count(self) -> int:
        """Layers with routed experts; under expert parallelism each needs a dispatch and a combine."""
        return sum(n for n, _ in self._routed())

    def _routed(self) -> Iterator[tuple[int, RoutedExperts]]:
        for group in self.layers:
            for routed in group.ffn.routed(self.hidden):
                yield group.n, routed


def weight_bytes(shape: Transformer, bits: FormatBits) -> Weights:
    """Bytes of a checkpoint by part. Parts beside the layers are stored like the linears. [bytes]"""
    w = shape.weights
    return Weights(
        linear=w.linear * bits.linear / 8,
        experts=w.experts * bits.experts / 8,
        embedding=w.embedding * bits.embedding / 8,
        head=w.head * bits.head / 8,
        extra=w.extra * bits.linear / 8,
    )


def kv_bytes_per_token(shape: Transformer, kv_bits: float) -> float:
    """Growth of the cache of one sequence per token, beyond every window, over all ranks together. [bytes]

    Counts index keys of sparse attention; not counted: windows, which stop growing, and fixed state.
    """
    grows = [(n, stream) for n, stream in shape.streams if stream.window is None]
    elements = sum(n * (stream.stored * stream.per_token + stream.index_elements) for n, stream in grows)
    return elements * kv_bits / 8 + sum(n * stream.index_bytes for n, stream in grows)


def fixed_bytes_per_sequence(shape: Transformer, kv_bits: float) -> float:
    """What one long sequence holds beside its growing cache: full windows and recurrent state. [bytes]"""
    windows = sum(n * stream.stored * stream.per_token * stream.window for n, stream in shape.streams if stream.window is not None)
    return windows * kv_bits / 8 + sum(n * state.bytes for n, state in shape.states)


def tensor_parallel_problem(shape: Transformer, tp: int) -> str | None:
    """Why the model cannot be cut `tp` ways, or None where it can.

    Query heads, state heads and inner widths must divide; KV heads must divide or be copied whole.
    """
    for group in shape.layers:
        for heads, what in _divided(group):
            if heads % tp:
                return f"{heads} {what} do not divide by {tp}"
        for _, stream in ((group.n, stream) for stream in group.mixer.streams()):
            if stream.heads % tp and tp % stream.heads:
                return f"{stream.heads} KV heads neither divide by {tp} nor divide it"
    return None


def expert_parallel_problem(shape: Transformer, ep: int) -> str | None:
    """Why the experts cannot be spread over `ep` ranks, or None where they can."""
    if ep == 1:
        return None
    if not shape.routed_experts:
        return "the model has no routed experts"
    bad = next((routed.experts for _, routed in shape.routed_experts if routed.experts % ep), None)
    return f"{bad} experts do not divide by {ep}" if bad else None


def _divided(group: LayerGroup) -> Iterator[tuple[int, str]]:
    mixers = group.mixer.parts if isinstance(group.mixer, ParallelMixer) else (group.mixer,)
    for mixer in mixers:
        if isinstance(mixer, Attention | LatentAttention | CompressedAttention):
            yield mixer.q_heads, "query heads"
        elif (heads := mixer.state(1).heads) > 1:
            yield heads, "state heads"
    blocks = group.ffn.parts if isinstance(group.ffn, ParallelFfn) else (group.ffn,)
    for block in blocks:
        if isinstance(block, DenseFfn):
            yield block.inter, "inner channels"


def _merged(parts: Iterable[tuple[int, Kind]]) -> tuple[tuple[int, Kind], ...]:
    layers: dict[Kind, int] = {}
    for n, kind in parts:
        layers[kind] = layers.get(kind, 0) + n
    return tuple((n, kind) for kind, n in layers.items())
