"""FLOP and elements of one pass: by hand, element by element, and the properties that must hold for any shape."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.physics.feedforward import DenseFfn, MoeFfn, NoFfn
from infra_advisor.physics.mixers import Attention, CompressedAttention, Indexer, LatentAttention
from infra_advisor.physics.recurrent import GatedDelta, NoMixer
from infra_advisor.physics.transformer import (
    AnyFfn,
    AnyMixer,
    FormatBits,
    LayerGroup,
    Transformer,
    fixed_bytes_per_sequence,
    kv_bytes_per_token,
)
from infra_advisor.physics.work import Work, decode_work, kv_bytes, prefill_work, state_bytes, touched_experts, weight_bytes_read

FIELDS = [field.name for field in dataclasses.fields(Work)]


def _shape(mixer: AnyMixer, ffn: AnyFfn | None = None, *, n: int = 1, hidden: int = 64, prefill_share: float = 1.0) -> Transformer:
    return Transformer((LayerGroup(n, mixer, ffn or NoFfn()),), hidden, 1000, False, prefill_share=prefill_share)


LATENT = LatentAttention(q_heads=128, kv_lora_rank=512, qk_nope_dim=128, qk_rope_dim=64, v_head_dim=128, q_lora_rank=1536)
SHAPES = {
    "grouped": _shape(Attention(8, 2, 16), DenseFfn(128), n=3),
    "window": _shape(Attention(8, 2, 16, window=50), DenseFfn(128)),
    "latent": _shape(LATENT, MoeFfn(16, 2, 32, shared_inter=32)),
    "sparse": _shape(dataclasses.replace(LATENT, indexer=Indexer(4, 32, top_k=100))),
    "compressed": _shape(CompressedAttention(8, 32, 16, 2, 8, 20, compress=4, indexer=Indexer(4, 16, top_k=10))),
    "linear": _shape(GatedDelta(2, 4, 16, 16, 4), MoeFfn(8, 1, 32)),
    "none": _shape(NoMixer(), DenseFfn(128)),
}


def test_touched_experts() -> None:
    """E = 256, k = 8: 8 / 57 / 163 / 252 at 1 / 8 / 32 / 128 tokens; E = 128, k = 4: 4 / 29 / 82 / 126."""
    tokens = np.array([1.0, 8.0, 32.0, 128.0])
    assert np.round(touched_experts(256, 8, tokens)).tolist() == [8, 57, 163, 252]
    assert np.round(touched_experts(128, 4, tokens)).tolist() == [4, 29, 82, 126]


@given(st.integers(1, 512), st.integers(1, 64), st.floats(1, 1e5))
def test_touched_experts_are_bounded(experts: int, top_k: int, tokens: float) -> None:
    top_k = min(top_k, experts)
    touched = touched_experts(experts, top_k, tokens)
    assert top_k - 1e-9 * experts <= touched <= min(experts, top_k * tokens) * (1 + 1e-9)


def test_decode_of_grouped_attention_by_hand() -> None:
    """d = 64, H = 8, G = 2, h = 16, i = 128, 3 layers, 5 sequences at context 1000.

    P = 64 x 128 x 2 + 2 x 64 x 32 = 20,480; feed-forward 3 x 64 x 128 = 24,576: linear FLOP 2 x 3 x 45,056 x 5 = 1,351,680.
    Scores 4 x 8 x 16 x 1000 x 3 x 5 = 7,680,000. Head 2 x 64 x 1000 x 5. KV read 2 x 2 x 16 x 1000 x 3 x 5 = 960,000 elements.
    """
    work = decode_work(SHAPES["grouped"], batch=5.0, context=1000.0)
    assert work.linear_flop == 1_351_680
    assert work.score_flop == 7_680_000
    assert work.head_flop == 640_000
    assert work.kv_elements_read == 960_000
    assert work.kv_elements_written == 2 * 2 * 16 * 3 * 5
    assert work.linear_elements == 3 * (45_056 + 2 * 64) + 64
    assert (work.head_elements, work.embedding_elements) == (64_000, 320)
    assert (work.expert_flop, work.expert_elements, work.state_bytes, work.index_bytes) == (0, 0, 0, 0)
    assert work.flop == 1_351_680 + 7_680_000 + 640_000


def test_prefill_of_grouped_attention_by_hand() -> None:
    """Two prompts of 100 tokens behind 50 cached: mean context 50 + 101/2 = 100.5, scores 4 x 8 x 16 x 100 x 100.5 x 3 x 2.

    The head runs on two positions; 50 x 64 x 3 x 2 cached elements are read, 100 x 64 x 3 x 2 written.
    """
    work = prefill_work(SHAPES["grouped"], tokens=100.0, cached=50.0, prompts=2.0)
    assert work.score_flop == 4 * 8 * 16 * 100 * 100.5 * 3 * 2
    assert work.linear_flop == 2 * 3 * 45_056 * 200
    assert work.head_flop == 2 * 64 * 1000 * 2
    assert work.kv_elements_read == 50 * 64 * 3 * 2
    assert work.kv_elements_written == 100 * 64 * 3 * 2


@pytest.mark.parametrize(("tokens", "cached"), [(30, 0), (50, 0), (51, 0), (400, 0), (10, 30), (40, 30), (10, 45), (10, 50), (10, 400)])
@pytest.mark.parametrize("name", ["window", "grouped", "sparse"])
def test_prefill_scores_equal_a_loop_over_tokens(name: str, tokens: int, cached: int) -> None:
    """Each new token reads min(tokens so far, window or selection)."""
    cap, flop = {"window": (50, 4 * 8 * 16), "grouped": (10**9, 4 * 8 * 16 * 3), "sparse": (100, 2 * 128 * 320)}[name]
    loop = sum(flop * min(cached + j, cap) for j in range(1, tokens + 1))
    if name == "sparse":  # every token weighs all index keys; cached latents are expanded once
        loop += 2 * 4 * 32 * sum(cached + j for j in range(1, tokens + 1)) + 2 * 512 * 128 * 256 * cached
    assert prefill_work(SHAPES[name], tokens=float(tokens), cached=float(cached)).score_flop == pytest.approx(loop, rel=1e-12)


def test_mean_causal_context_of_a_window() -> None:
    """W - W (W - 1) / (2 n) for n > W: 4096 new tokens, window 1024: 1024 - 1024 x 1023 / 8192 = 896.125 positions each."""
    shape = _shape(Attention(1, 1, 1, window=1024))
    assert prefill_work(shape, tokens=4096.0).score_flop / (4 * 4096) == 1024 - 1024 * 1023 / 8192


def test_latent_attention_is_absorbed_in_decode_only() -> None:
    """Per attended token 2 x 128 x (2 x 512 + 64) = 278,528 FLOP in decode, 2 x 128 x (128 + 64 + 128) = 81,920 in prefill.

    At 16 bits decode does 278,528 / (2 x 576) = 242 FLOP per byte read.
    """
    decode = decode_work(SHAPES["latent"], batch=1.0, context=1000.0)
    assert decode.score_flop == 278_528_000
    assert decode.score_flop / (2 * decode.kv_elements_read) == pytest.approx(242, abs=0.5)
    assert prefill_work(SHAPES["latent"], tokens=1.0, cached=999.0).score_flop == 81_920_000 + 2 * 512 * 128 * 256 * 999


def test_sparse_attention_reads_what_it_selects_and_every_index_key() -> None:
    """Context 1000, 100 selected: 100 x 576 elements and 1000 x (32 + 4) bytes; 278,528 x 100 + 2 x 4 x 32 x 1000 FLOP."""
    work = decode_work(SHAPES["sparse"], batch=1.0, context=1000.0)
    assert work.kv_elements_read == 57_600
    assert work.index_bytes == 36_000
    assert work.score_flop == 27_852_800 + 256_000


def test_compressed_attention_by_hand() -> None:
    """Context 1000: window 20 entries; 250 compressed ones, of which 10 are read; index of 16 elements per four tokens.

    FLOP 4 x 8 x 32 x (20 + 10) + 2 x 4 x 16 / 4 x 1000; read 32 x 30 + 16 x 250; written 32 + 32/4 + 16/4.
    """
    work = decode_work(SHAPES["compressed"], batch=1.0, context=1000.0)
    assert work.score_flop == 4 * 8 * 32 * 30 + 32_000
    assert work.kv_elements_read == 32 * 30 + 4000
    assert work.kv_elements_written == 44


def test_linear_attention_does_not_depend_on_context() -> None:
    """State 4 x 16 x 16 x 4 + (2 x 32 + 64) x 6 = 4,864 bytes, read and written; 6 x 1024 FLOP per token."""
    short, long = (decode_work(SHAPES["linear"], batch=3.0, context=context) for context in (10.0, 1e6))
    assert short == long
    assert short.state_bytes == 2 * 4864 * 3
    assert short.state_flop == 6 * 1024 * 3
    assert (short.kv_elements_read, short.score_flop) == (0, 0)


def test_experts_of_a_mixture_by_hand() -> None:
    """16 experts of 3 x 64 x 32 = 6,144, two per token: 4 tokens multiply 2 x 2 x 6,144 x 4 and touch 16 (1 - (7/8)^4) = 6.62 of them.

    With 8 tokens in the expert-parallel group the touched ones rise, the FLOP do not.
    """
    work = decode_work(SHAPES["latent"], batch=4.0, context=10.0)
    assert work.expert_flop == 2 * 2 * 6144 * 4
    assert work.expert_elements == pytest.approx(6144 * 16 * (1 - 0.875**4))
    wider = decode_work(SHAPES["latent"], batch=4.0, context=10.0, expert_tokens=8.0)
    assert wider.expert_flop == work.expert_flop
    assert wider.expert_elements == pytest.approx(6144 * 16 * (1 - 0.875**8))


def test_cache_on_a_rank() -> None:
    """Two KV heads: half each at tp 2, no less at tp 8. A latent lies on every rank. State heads divide."""
    grouped, latent, linear = SHAPES["grouped"], SHAPES["latent"], SHAPES["linear"]
    whole = kv_bytes(grouped, context=1000.0, kv_bits=16)
    assert whole == 2 * 2 * 16 * 3 * 1000 * 2
    assert [kv_bytes(grouped, context=1000.0, kv_bits=16, tp=tp) / whole for tp in (1, 2, 4, 8)] == [1, 0.5, 0.5, 0.5]
    assert kv_bytes(latent, context=10.0, kv_bits=16, tp=8) == kv_bytes(latent, context=10.0, kv_bits=16) == 10 * 576 * 2
    assert [state_bytes(linear, tp=tp) for tp in (1, 4, 8)] == [4864, 1216, 1216]
    assert decode_work(grouped, batch=1.0, context=1000.0, tp=2).kv_elements_read == 48_000 * 2
    assert decode_work(grouped, batch=1.0, context=1000.0, tp=np.array([1, 2, 8])).kv_elements_read.tolist() == [192_000, 96_000, 96_000]


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_cache_of_a_long_sequence_is_growth_plus_what_is_fixed(name: str) -> None:
    shape = SHAPES[name]
    assert kv_bytes(shape, context=5000.0, kv_bits=8) == pytest.approx(
        5000 * kv_bytes_per_token(shape, 8) + fixed_bytes_per_sequence(shape, 8)
    )


def test_a_prompt_that_needs_half_the_layers() -> None:
    whole, half = (prefill_work(_shape(Attention(8, 2, 16), DenseFfn(128), prefill_share=share), tokens=100.0) for share in (1.0, 0.5))
    assert half.linear_flop == whole.linear_flop / 2
    assert half.score_flop == whole.score_flop / 2
    assert half.linear_elements == whole.linear_elements / 2
    assert half.head_flop == whole.head_flop


def test_weight_bytes_read() -> None:
    """Head and five looked-up rows at 16 bits, linears at 8, experts at 4."""
    work = decode_work(SHAPES["latent"], batch=5.0, context=10.0)
    rest, experts = weight_bytes_read(work, FormatBits(linear=8, experts=4, embedding=16, head=16))
    assert rest == work.linear_elements + 2 * (64_000 + 5 * 64)
    assert experts == work.expert_elements / 2
    tied, _ = weight_bytes_read(work, FormatBits(linear=8, experts=4, embedding=8, head=16), tied=True)
    assert tied == work.linear_elements + 64_000 + 5 * 64


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_arrays_equal_one_by_one(name: str) -> None:
    batch, context = np.array([1.0, 7.0, 300.0]), np.array([3.0, 1000.0, 60.0])
    tokens, cached = np.array([1.0, 60.0, 4000.0]), np.array([0.0, 30.0, 5000.0])
    many = (
        decode_work(SHAPES[name], batch=batch, context=context, tp=2),
        prefill_work(SHAPES[name], tokens=tokens, cached=cached, prompts=batch),
    )
    held = kv_bytes(SHAPES[name], context=context, kv_bits=8, tp=2)
    for i in range(3):
        one = (
            decode_work(SHAPES[name], batch=float(batch[i]), context=float(context[i]), tp=2),
            prefill_work(SHAPES[name], tokens=float(tokens[i]), cached=float(cached[i]), prompts=float(batch[i])),
        )
        for array, scalar in zip(many, one, strict=True):
            for field in FIELDS:
                assert np.broadcast_to(getattr(array, field), 3)[i] == pytest.approx(getattr(scalar, field), rel=1e-12), field
        assert np.broadcast_to(held, 3)[i] == pytest.approx(kv_bytes(SHAPES[name], context=float(context[i]), kv_bits=8, tp=2))


@given(st.sampled_from(sorted(SHAPES)), st.floats(1, 1e4), st.floats(1, 1e6), st.floats(1, 2))
def test_more_never_costs_less(name: str, batch: float, context: float, factor: float) -> None:
    """Neither a longer context nor a larger batch nor a longer prompt lowers any count."""
    shape = SHAPES[name]
    base = decode_work(shape, batch=batch, context=context)
    for other in (decode_work(shape, batch=batch * factor, context=context), decode_work(shape, batch=batch, context=context * factor)):
        assert all(getattr(other, field) >= getattr(base, field) * (1 - 1e-9) for field in FIELDS)
    prompt = prefill_work(shape, tokens=context)
    for longer in (prefill_work(shape, tokens=context * factor), prefill_work(shape, tokens=context, cached=context * (factor - 1))):
        assert all(getattr(longer, field) >= getattr(prompt, field) * (1 - 1e-9) for field in FIELDS)
    assert kv_bytes(shape, context=context * factor, kv_bits=8) >= kv_bytes(shape, context=context, kv_bits=8)


@given(st.floats(1, 1e6), st.floats(1, 1e5))
def test_a_window_caps_what_is_read_and_held(context: float, tokens: float) -> None:
    shape = SHAPES["window"]
    assert decode_work(shape, batch=1.0, context=context).kv_elements_read <= 50 * 64
    assert kv_bytes(shape, context=context, kv_bits=16) <= 50 * 64 * 2
    assert prefill_work(shape, tokens=tokens).score_flop <= 4 * 8 * 16 * 50 * tokens * (1 + 1e-12)


@given(st.sampled_from(sorted(SHAPES)), st.integers(1, 4000), st.integers(0, 4000))
def test_prefill_in_two_passes_scores_what_one_pass_does(name: str, first: int, second: int) -> None:
    """Cutting a prompt changes no attention FLOP but those of expanding the cached latents again."""
    shape = SHAPES[name]
    if not second:
        return
    whole = prefill_work(shape, tokens=float(first + second)).score_flop
    parts = prefill_work(shape, tokens=float(first)).score_flop + prefill_work(shape, tokens=float(second), cached=float(first)).score_flop
    again = sum(n * stream.expand_flop for n, stream in shape.streams) * first
    assert parts == pytest.approx(whole + again, rel=1e-9)
