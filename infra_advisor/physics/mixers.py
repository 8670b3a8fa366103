"""Attention of every kind, and what any token mixer of a transformer layer has to say about itself.

Each mixer tells, for the hidden width d of its model, how many weights it holds, what it keeps per token and per
sequence, and the FLOP of reading it. Counts are of one layer, in elements unless the name says bytes.
"""

from dataclasses import dataclass
from typing import Literal

FP32_BYTES = 4
CONVOLUTION_BYTES = 2  # convolution buffers stay at 16 bits
INDEX_SCALE_BYTES = 4  # one fp32 scale beside each fp8 index key


@dataclass(frozen=True)
class Stream:
    """What one kind of layer keeps of the context, what it reads of that, and the FLOP of reading it. Per layer.

    An entry is one stored position; `per_token` entries are stored per context token (1/4 where four tokens are compressed to one).
    """

    stored: float = 0.0
    """Elements kept per entry, at the KV precision; 0 where an earlier layer's cache is used."""
    read: float = 0.0
    """Elements read per attended entry; differs from `stored` only where the cache is shared."""
    per_token: float = 1.0
    window: int | None = None
    """Only the newest so many tokens are kept and read."""
    selected: int | None = None
    """At most so many entries are read per query (sparse attention); all are kept."""
    heads: int = 1
    """KV heads that tensor parallelism can divide; 1 = every rank holds all (latents)."""
    decode_flop: float = 0.0
    """FLOP per new token and attended entry in decode."""
    prefill_flop: float = 0.0
    expand_flop: float = 0.0
    """FLOP per already cached token and pass, to expand latents again in a prefill that continues a context."""
    index_elements: float = 0.0
    """Index keys at the KV precision, per context token: all are read for each query."""
    index_bytes: float = 0.0
    """Index keys of fixed precision, per context token."""
    index_flop: float = 0.0
    """FLOP per new token and context token, to choose what is attended."""


@dataclass(frozen=True)
class State:
    """What a layer keeps per sequence whatever its length, read and written at every step."""

    bytes: float = 0.0
    flop: float = 0.0
    """FLOP per token to update and read it."""
    heads: int = 1
    """Heads that tensor parallelism can divide."""


class Mixer:
    """What every mixer answers for the hidden width d of its model; the defaults are those of a layer without a mixer."""

    def projections(self, d: int) -> int:
        """Weights that multiply each token. [elements]"""
        return 0

    def vectors(self, d: int) -> int:
        """Weights that are added or scale: norms, biases, convolutions. [elements]"""
        return 0

    def streams(self) -> tuple[Stream, ...]:
        """What grows with the context."""
        return ()

    def state(self, d: int) -> State:
        """What does not."""
        return State()


@dataclass(frozen=True)
class Indexer:
    """Chooses which positions a sparse attention reads."""

    heads: int
    head_dim: int
    top_k: int | None = None
    top_k_blocks: int | None = None
    block: int | None = None
    """With `top_k_blocks`: positions per block."""
    kpool: int = 1
    """Context tokens per index key."""
    shared: bool = False
    """The choice of an earlier layer is used: no index weights, keys or FLOP here."""

    @property
    def selected(self) -> int | None:
        """Most positions one query reads."""
        return self.top_k_blocks * self.block if self.top_k_blocks and self.block else self.top_k


@dataclass(frozen=True)
class Attention(Mixer):
    """Multi-head, grouped-query or multi-query attention, with or without a sliding window."""

    q_heads: int
    kv_heads: int
    head_dim: int
    kind: Literal["attn"] = "attn"
    v_head_dim: int | None = None
    window: int | None = None
    bias: Literal["qkv", "qkv+o"] | None = None
    qk_norm: Literal["head", "full"] | None = None
    out_gate: Literal["in_q", "proj", "per_head"] | None = None
    sinks: bool = False
    kv_shared: bool = False
    """Reads the cache of an earlier layer: no K and V weights, nothing stored."""
    k_eq_v: bool = False
    """V is K before its norm: no V weights; both are stored."""
    indexer: Indexer | None = None

    @property
    def value_dim(self) -> int:
        """Width of one value head."""
        return self.v_head_dim or self.head_dim

    def projections(self, d: int) -> int:
        """d H h (2 with gate) + d G h + d G v + H v d."""
        q = d * self.q_heads * self.head_dim * (2 if self.out_gate == "in_q" else 1)
        k = 0 if self.kv_shared else d * self.kv_heads * self.head_dim
        v = 0 if self.kv_shared or self.k_eq_v else d * self.kv_heads * self.value_dim
        out = self.q_heads * self.value_dim * d
        gate = {"proj": d * self.q_heads * self.value_dim, "per_head": d * self.q_heads}.get(self.out_gate or "", 0)
        ix = self.indexer
        index = d * ix.heads * ix.head_dim + d * ix.head_dim if ix and not ix.shared else 0
        return q + k + v + out + gate + index

    def vectors(self, d: int) -> int:
        """Biases, norms of queries and keys, sinks."""
        q, k, v = self.q_heads * self.head_dim, self.kv_heads * self.head_dim, self.kv_heads * self.value_dim
        bias = (q + k + v if self.bias else 0) + (d if self.bias == "qkv+o" else 0)
        norm = 0
        if self.qk_norm == "head":
            norm = self.head_dim * (1 if self.kv_shared else 2)
        elif self.qk_norm == "full":
            norm = q + k
        index = 2 * self.indexer.head_dim if self.indexer and not self.indexer.shared else 0
        return bias + norm + (self.q_heads if self.sinks else 0) + index

    def streams(self) -> tuple[Stream, ...]:
        """G (h + v) elements per token; scores and weighted sum cost 2 H (h + v) per attended token."""
        entry = self.kv_heads * (self.head_dim + self.value_dim)
        flop = 2 * self.q_heads * (self.head_dim + self.value_dim)
        ix = self.indexer
        own = ix is not None and not ix.shared
        return (
            Stream(
                stored=0 if self.kv_shared else entry, read=entry, window=self.window, heads=self.kv_heads,
                selected=ix.selected if ix else None, decode_flop=flop, prefill_flop=flop,
                index_elements=ix.head_dim if ix and own else 0,
                index_flop=2 * ix.heads * ix.head_dim if ix and own else 0,
            ),
        )  # fmt: skip


@dataclass(frozen=True)
class LatentAttention(Mixer):
    """MLA: keys and values of all heads come from one small latent per token, which is what is cached."""

    q_heads: int
    kv_lora_rank: int
    qk_nope_dim: int
    qk_rope_dim: int
    v_head_dim: int
    kind: Literal["mla"] = "mla"
    q_lora_rank: int | None = None
    out_gate: Literal["proj"] | None = None
    indexer: Indexer | None = None

    def projections(self, d: int) -> int:
        """Query (through its own latent where there is one), latent down and up, output, indexer."""
        width = self.qk_nope_dim + self.qk_rope_dim
        rank, latent = self.q_lora_rank, self.kv_lora_rank
        q = d * rank + rank * self.q_heads * width if rank else d * self.q_heads * width
        kv = d * (latent + self.qk_rope_dim) + latent * self.q_heads * (self.qk_nope_dim + self.v_head_dim)
        out = self.q_heads * self.v_head_dim * d
        gate = d * self.q_heads * self.v_head_dim if self.out_gate else 0
        ix = self.indexer
        index = (rank or d) * ix.heads * ix.head_dim + d * ix.head_dim + d * ix.heads if ix and not ix.shared else 0
        return q + kv + out + gate + index

    def vectors(self, d: int) -> int:
        """Norms of both latents, norm of the index key."""
        index = 2 * self.indexer.head_dim if self.indexer and not self.indexer.shared else 0
        return (self.q_lora_rank or 0) + self.kv_lora_rank + index

    def streams(self) -> tuple[Stream, ...]:
        """Latent and rotary key per token. Decode absorbs the up-projections (2 H (2 r + h_r)), prefill does not."""
        latent = self.kv_lora_rank + self.qk_rope_dim
        ix = self.indexer
        own = ix is not None and not ix.shared
        return (
            Stream(
                stored=latent, read=latent, selected=ix.selected if ix else None,
                decode_flop=2 * self.q_heads * (2 * self.kv_lora_rank + self.qk_rope_dim),
                prefill_flop=2 * self.q_heads * (self.qk_nope_dim + self.qk_rope_dim + self.v_head_dim),
                expand_flop=2 * self.kv_lora_rank * self.q_heads * (self.qk_nope_dim + self.v_head_dim),
                index_bytes=(ix.head_dim + INDEX_SCALE_BYTES) / ix.kpool if ix and own else 0,
                index_flop=2 * ix.heads * ix.head_dim / ix.kpool if ix and own else 0,
            ),
        )  # fmt: skip


@dataclass(frozen=True)
class CompressedAttention(Mixer):
    """DeepSeek-V4 attention: one shared key-value vector, full for a short window and one per `compress` tokens beyond."""

    q_heads: int
    head_dim: int
    q_lora_rank: int
    o_groups: int
    o_lora_rank: int
    window: int
    kind: Literal["csa"] = "csa"
    compress: int | None = None
    indexer: Indexer | None = None

    def projections(self, d: int) -> int:
        """Query through its latent, one shared key-value, grouped low-rank output, compressor, indexer."""
        h, rank = self.head_dim, self.q_lora_rank
        base = d * rank + rank * self.q_heads * h + d * h + self.q_heads * h * self.o_lora_rank + self.o_groups * self.o_lora_rank * d
        copies = 2 if self.compress == 4 else 1
        compressor = 2 * copies * d * h if self.compress else 0
        ix = self.indexer
        index = rank * ix.heads * ix.head_dim + d * ix.heads + 4 * d * ix.head_dim if ix else 0
        return base + compressor + index

    def vectors(self, d: int) -> int:
        """Norms, sinks, position weights of the compressor."""
        copies = 2 if self.compress == 4 else 1
        compressor = copies * self.head_dim * self.compress + self.head_dim if self.compress else 0
        return self.q_lora_rank + self.head_dim + self.q_heads + compressor

    def streams(self) -> tuple[Stream, ...]:
        """The window, and the compressed context where there is one; the index holds one key per compressed entry."""
        h, flop = self.head_dim, 4 * self.q_heads * self.head_dim
        near = Stream(stored=h, read=h, window=self.window, decode_flop=flop, prefill_flop=flop)
        if not self.compress:
            return (near,)
        ix = self.indexer
        far = Stream(
            stored=h, read=h, per_token=1 / self.compress, selected=ix.selected if ix else None, decode_flop=flop, prefill_flop=flop,
            index_elements=ix.head_dim / self.compress if ix else 0,
            index_flop=2 * ix.heads * ix.head_dim / self.compress if ix else 0,
        )  # fmt: skip
        return near, far
