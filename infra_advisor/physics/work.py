"""FLOP and elements moved by one pass of a model: a decode step, or the prefill of prompts.

Counts are for the whole model over all tensor-parallel ranks, element by element over arrays of operating points.
What lies in memory is counted in elements and apart from the format, so that one count serves every format.
Source of the formulas: the operations of the layers as published; each is derived in the tests by hand.
"""

from dataclasses import dataclass

from infra_advisor.physics.elementwise import Number, maximum, minimum
from infra_advisor.physics.mixers import Stream
from infra_advisor.physics.stacked import Shape
from infra_advisor.physics.transformer import FormatBits


@dataclass(frozen=True)
class Work:
    """What one pass computes and moves. Elements of weights are read once per pass, whatever the batch."""

    linear_flop: Number
    """Projections of mixers, dense blocks, routers, shared experts. [FLOP]"""
    expert_flop: Number
    """Routed experts. [FLOP]"""
    score_flop: Number
    """Attention scores, weighted sums, choice of positions; expansion of cached latents. [FLOP]"""
    state_flop: Number
    """Recurrent states. [FLOP]"""
    head_flop: Number
    """[FLOP]"""
    linear_elements: Number
    """[elements]"""
    expert_elements: Number
    """Of the experts that any token of the pass is expected to use. [elements]"""
    head_elements: Number
    """[elements]"""
    embedding_elements: Number
    """Rows looked up. [elements]"""
    kv_elements_read: Number
    """Per rank: divided by min(tp, KV heads); latents are not divided. [elements of the KV format]"""
    kv_elements_written: Number
    """Per rank, likewise. [elements of the KV format]"""
    index_bytes: Number
    """Index keys read, of fixed precision; on every rank. [bytes]"""
    state_bytes: Number
    """Recurrent state read and written, per rank. [bytes]"""
    tokens: Number
    """Tokens that pass through the layers."""

    @property
    def flop(self) -> Number:
        """All FLOP of the pass."""
        return self.linear_flop + self.expert_flop + self.score_flop + self.state_flop + self.head_flop


def weight_bytes_read(work: Work, bits: FormatBits, *, tied: bool = False) -> tuple[Number, Number]:
    """(linears, head and looked-up rows; routed experts) read in one pass. [bytes]"""
    head = work.head_elements * (bits.embedding if tied else bits.head) + work.embedding_elements * bits.embedding
    return (work.linear_elements * bits.linear + head) / 8, work.expert_elements * bits.experts / 8


def touched_experts(experts: Number, top_k: Number, tokens: Number) -> Number:
    """Distinct experts that `tokens` tokens are expected to use in one layer: E (1 - (1 - k/E)^n).

    Assumes independent uniform routing; a batch of equal prompts touches fewer.
    """
    return experts * (1.0 - (1.0 - top_k / experts) ** tokens)


def decode_work(shape: Shape, *, batch: Number, context: Number, tp: Number = 1, expert_tokens: Number | None = None) -> Work:
    """One decode step of `batch` sequences that each attend to `context` tokens, the new one among them.

    `expert_tokens`: tokens of the step in the whole expert-parallel group where that is more than `batch` (attention data
    parallelism, speculation); only the touched experts depend on it.
    """
    score = index = read = written = 0.0 * batch * context
    for layers, stream in shape.streams:
        attended = _attended(stream, context)
        split = minimum(tp, stream.heads)
        score = score + layers * (stream.decode_flop * attended + stream.index_flop * context)
        read = read + layers * (stream.read * attended + stream.index_elements * context) / split
        written = written + layers * (stream.stored * stream.per_token + stream.index_elements) / split
        index = index + layers * stream.index_bytes * context
    return _work(
        shape, tokens=batch, prompts=batch, share=1.0, tp=tp, routed_tokens=batch if expert_tokens is None else expert_tokens,
        score_flop=batch * score, kv_read=batch * read, kv_written=batch * written, index_bytes=batch * index, state_passes=batch,
    )  # fmt: skip


def prefill_work(shape: Shape, *, tokens: Number, cached: Number = 0.0, prompts: Number = 1.0, tp: Number = 1) -> Work:
    """One pass over `prompts` prompts of `tokens` new tokens each, behind `cached` tokens that are already there.

    Mean causal context of a new token: cached + (tokens + 1) / 2. The head runs on the last position of each prompt only.
    KV read is the cached part; the re-reading of new keys between tiles of queries is ignored.
    """
    score = index = read = written = 0.0 * tokens * cached
    for layers, stream in shape.streams:
        split = minimum(tp, stream.heads)
        score = score + layers * (
            stream.prefill_flop * _attended_sum(stream, tokens, cached)
            + stream.index_flop * tokens * (cached + (tokens + 1.0) / 2.0)
            + stream.expand_flop * cached
        )
        kept = cached if stream.window is None else minimum(cached, stream.window)
        read = read + layers * (stream.read * stream.per_token * kept + stream.index_elements * cached) / split
        written = written + layers * (stream.stored * stream.per_token + stream.index_elements) * tokens / split
        index = index + layers * stream.index_bytes * (cached + tokens)
    return _work(
        shape, tokens=prompts * tokens, prompts=prompts, share=shape.prefill_share, tp=tp, routed_tokens=prompts * tokens,
        score_flop=prompts * score, kv_read=prompts * read, kv_written=prompts * written, index_bytes=prompts * index, state_passes=prompts,
    )  # fmt: skip


def kv_bytes(shape: Shape, *, context: Number, kv_bits: Number, tp: Number = 1) -> Number:
    """What one sequence of `context` tokens holds in the cache of one tensor-parallel rank, recurrent state included. [bytes]

    Windows stop growing; KV heads are copied beyond tp = KV heads; latents lie whole on every rank.
    """
    held = 0.0 * context
    for layers, stream in shape.streams:
        kept = context if stream.window is None else minimum(context, stream.window)
        elements = stream.stored * stream.per_token * kept + stream.index_elements * context
        held = held + layers * (elements / minimum(tp, stream.heads) * kv_bits / 8.0 + stream.index_bytes * context)
    return held + state_bytes(shape, tp=tp)


def state_bytes(shape: Shape, *, tp: Number = 1) -> Number:
    """Recurrent state of one sequence on one tensor-parallel rank, whatever its length. [bytes]"""
    held = 0.0 * tp
    for layers, state in shape.states:
        held = held + layers * state.bytes / minimum(tp, state.heads)
    return held


def _attended(stream: Stream, context: Number) -> Number:
    """Entries one query reads."""
    kept = context if stream.window is None else minimum(context, stream.window)
    return kept * stream.per_token if stream.selected is None else minimum(kept * stream.per_token, stream.selected)


def _attended_sum(stream: Stream, tokens: Number, cached: Number) -> Number:
    """Entries all new tokens of a prompt read: sum over j = 1..n of min(p + j, cap).

    With x = clip(cap - p, 0, n) tokens below the cap: x p + x (x + 1) / 2 + (n - x) cap.
    """
    cap = _most_attended(stream)
    below = tokens if cap is None else minimum(tokens, maximum(cap - cached, 0.0 * cached))
    entries = below * cached + below * (below + 1.0) / 2.0
    if cap is not None:
        entries = entries + (tokens - below) * cap
    return entries * stream.per_token


def _most_attended(stream: Stream) -> Number | None:
    """Context tokens that one query reads at most; None where there is no limit."""
    selected = None if stream.selected is None else stream.selected / stream.per_token
    if selected is None or stream.window is None:
        return stream.window if selected is None else selected
    return minimum(selected, stream.window)


def _work(
    shape: Shape, *, tokens: Number, prompts: Number, share: float, tp: Number, routed_tokens: Number,
    score_flop: Number, kv_read: Number, kv_written: Number, index_bytes: Number, state_passes: Number,
) -> Work:  # fmt: skip
    expert_flop = expert_elements = state_flop = 0.0 * tokens
    for layers, routed in shape.routed_experts:
        expert_flop = expert_flop + layers * 2.0 * routed.top_k * routed.projections * tokens
        expert_elements = expert_elements + layers * routed.elements * touched_experts(routed.experts, routed.top_k, routed_tokens)
    for layers, state in shape.states:
        state_flop = state_flop + layers * state.flop * tokens
    head = shape.hidden * shape.vocab
    return Work(
        linear_flop=share * 2.0 * shape.projections * tokens,
        expert_flop=share * expert_flop,
        score_flop=share * score_flop,
        state_flop=share * state_flop,
        head_flop=2.0 * head * prompts,
        linear_elements=share * shape.weights.linear,
        expert_elements=share * expert_elements,
        head_elements=1.0 * head,
        embedding_elements=shape.hidden * tokens,
        kv_elements_read=kv_read,
        kv_elements_written=kv_written,
        index_bytes=index_bytes,
        state_bytes=2.0 * state_bytes(shape, tp=tp) * state_passes,
        tokens=tokens,
    )
