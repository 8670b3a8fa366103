"""Counts of layers, worked by hand: parameters, cache, state, weights, and how a model can be cut."""

import pytest

from infra_advisor.physics.feedforward import DenseFfn, MoeFfn, NoFfn, ParallelFfn
from infra_advisor.physics.mixers import Attention, CompressedAttention, Indexer, LatentAttention, State, Stream
from infra_advisor.physics.recurrent import GatedDelta, KimiDelta, Mamba1, Mamba2, NoMixer, ParallelMixer, ShortConv
from infra_advisor.physics.transformer import (
    FormatBits,
    LayerGroup,
    Transformer,
    expert_parallel_problem,
    fixed_bytes_per_sequence,
    kv_bytes_per_token,
    tensor_parallel_problem,
    weight_bytes,
)

LLAMA_70B = Transformer(
    layers=(LayerGroup(80, Attention(q_heads=64, kv_heads=8, head_dim=128), DenseFfn(inter=28672)),), hidden=8192, vocab=128256, tied=False
)
LATENT = LatentAttention(q_heads=128, kv_lora_rank=512, qk_nope_dim=128, qk_rope_dim=64, v_head_dim=128, q_lora_rank=1536)
SPARSE = LatentAttention(
    q_heads=128, kv_lora_rank=512, qk_nope_dim=128, qk_rope_dim=64, v_head_dim=128, q_lora_rank=1536, indexer=Indexer(64, 128, top_k=2048)
)
EXPERTS = MoeFfn(experts=256, top_k=8, inter=2048, shared_inter=2048, router_bias=True)


def _deepseek(mixer: LatentAttention) -> Transformer:
    return Transformer(
        layers=(LayerGroup(3, mixer, DenseFfn(inter=18432)), LayerGroup(58, mixer, EXPERTS)), hidden=7168, vocab=129280, tied=False
    )


DEEPSEEK_R1, DEEPSEEK_V32 = _deepseek(LATENT), _deepseek(SPARSE)


def test_llama_70b_parameters() -> None:
    """One layer: attention 2 x 8192 x 8192 + 2 x 8192 x 1024 = 150,994,944; feed-forward 3 x 8192 x 28672 = 704,643,072; norms 16,384.

    80 layers 68,452,352,000; two tables of 128256 x 8192 = 1,050,673,152; final norm 8192: 70,553,706,496.
    Used per token: all but one table, 69,503,033,344.
    """
    assert LLAMA_70B.parameters == 70_553_706_496
    assert LLAMA_70B.active_parameters == 69_503_033_344


def test_deepseek_layer_by_hand() -> None:
    """MLA of DeepSeek-V3, d = 7168, 128 heads.

    Query 7168 x 1536 + 1536 x 128 x 192 = 48,758,784; latent 7168 x 576 + 512 x 128 x 256 = 20,905,984; output 128 x 128 x 7168 =
    117,440,512: 187,105,280. Norms of the latents 1536 + 512.
    """
    assert LATENT.projections(7168) == 187_105_280
    assert LATENT.vectors(7168) == 2048


def test_deepseek_active_parameters() -> None:
    """61 x (187,107,328 + 14,336) + 3 x 396,361,728 + 58 x (9 x 44,040,192 + 7168 x 256 + 256) + one table + 7168 = 36.6 billion."""
    dense, expert = 3 * 7168 * 18432, 3 * 7168 * 2048
    by_hand = 61 * (187_107_328 + 14_336) + 3 * dense + 58 * (9 * expert + 7168 * 256 + 256) + 129280 * 7168 + 7168
    assert DEEPSEEK_R1.active_parameters == by_hand == 36_625_618_432


def test_kv_bytes_per_token() -> None:
    """Llama-70B 2 x 8 x 128 x 80 x 2 = 327,680; DeepSeek-R1 (512 + 64) x 61 x 2 = 70,272; V3.2 + 61 x (128 + 4) = 78,324."""
    assert kv_bytes_per_token(LLAMA_70B, 16) == 327_680
    assert kv_bytes_per_token(DEEPSEEK_R1, 16) == 70_272
    assert kv_bytes_per_token(DEEPSEEK_V32, 16) == 78_324
    assert kv_bytes_per_token(DEEPSEEK_V32, 8) == 70_272 / 2 + 61 * 132


def test_windows_and_state_do_not_grow() -> None:
    """One layer with a window of 1024: 1024 x 2 x 4 heads x 64 x 2 bytes = 1,048,576; a Mamba-2 layer of 8 x 64 channels with 128 states:

    512 x 128 x 4 + (512 + 2 x 1 x 128) x 6 = 266,752 bytes.
    """
    windowed = LayerGroup(1, Attention(q_heads=8, kv_heads=4, head_dim=64, window=1024), NoFfn(), norms=1)
    state = LayerGroup(1, Mamba2(heads=8, head_dim=64, state_dim=128, groups=1), NoFfn(), norms=1)
    shape = Transformer(layers=(windowed, state), hidden=512, vocab=1000, tied=True)
    assert kv_bytes_per_token(shape, 16) == 0
    assert fixed_bytes_per_sequence(shape, 16) == 1_048_576 + 266_752
    assert fixed_bytes_per_sequence(shape, 8) == 1_048_576 / 2 + 266_752


@pytest.mark.parametrize(
    ("mixer", "projections", "vectors"),
    [
        (Attention(4, 2, 8), 16 * 32 + 2 * 16 * 16 + 32 * 16, 0),
        (Attention(4, 2, 8, bias="qkv"), 1536, 32 + 16 + 16),
        (Attention(4, 2, 8, bias="qkv+o", sinks=True), 1536, 64 + 16 + 4),
        (Attention(4, 2, 8, qk_norm="head"), 1536, 16),
        (Attention(4, 2, 8, qk_norm="full"), 1536, 48),
        (Attention(4, 2, 8, out_gate="in_q"), 1536 + 512, 0),
        (Attention(4, 2, 8, out_gate="per_head"), 1536 + 64, 0),
        (Attention(4, 2, 8, k_eq_v=True), 1536 - 256, 0),
        (Attention(4, 2, 8, kv_shared=True, qk_norm="head"), 1536 - 512, 8),
        (Attention(4, 2, 8, v_head_dim=4), 512 + 256 + 128 + 256, 0),
        (Attention(4, 2, 8, indexer=Indexer(2, 8, top_k=4)), 1536 + 16 * 16 + 16 * 8, 16),
        (ShortConv(kernel=3), 4 * 256, 48),
        (GatedDelta(2, 4, 8, 8, 4), 16 * (2 * 16 + 2 * 32) + 2 * 16 * 4 + 32 * 16, 64 * 4 + 8 + 8),
        (KimiDelta(2, 8, 4), 3 * 256 + 2 * (128 + 128) + 32 + 256, 192 + 2 + 16 + 8),
        (Mamba2(2, 8, 4, 1), 16 * (2 * 16 + 8 + 2) + 256, 24 * 4 + 24 + 6 + 16),
        (Mamba1(32, 4, 2), 2 * 16 * 32 + 32 * 10 + 2 * 32 + 512, 32 * 4 + 32 + 32 + 128 + 32),
        (ParallelMixer((Attention(4, 2, 8), Mamba2(2, 8, 4, 1, norm=False))), 1536 + 928, 24 * 4 + 24 + 6),
        (NoMixer(), 0, 0),
    ],
)
def test_mixer_of_width_16(mixer: Attention, projections: int, vectors: int) -> None:
    """Each kind by its definition, at d = 16, with every product written out."""
    assert mixer.projections(16) == projections
    assert mixer.vectors(16) == vectors


@pytest.mark.parametrize(
    ("ffn", "projections", "vectors", "expert"),
    [
        (DenseFfn(32), 3 * 16 * 32, 0, 0),
        (DenseFfn(32, gated=False, bias=True), 2 * 16 * 32, 32 + 16, 0),
        (MoeFfn(8, 2, 32), 16 * 8, 0, 3 * 16 * 32),
        (MoeFfn(8, 2, 32, shared_inter=64, shared_gate=True, router_bias=True), 16 * 8 + 3 * 16 * 64 + 16, 8, 3 * 16 * 32),
        (MoeFfn(8, 2, 32, router_out=12, router_bias=True), 16 * 12, 12, 3 * 16 * 32),
        (MoeFfn(8, 2, 32, latent=4, latent_norm=True), 16 * 8 + 2 * 16 * 4, 4, 3 * 4 * 32),
        (MoeFfn(8, 2, 32, bias=True), 16 * 8, 0, 3 * 16 * 32 + 2 * 32 + 16),
        (ParallelFfn((DenseFfn(32), MoeFfn(8, 2, 32))), 3 * 16 * 32 + 16 * 8, 0, 3 * 16 * 32),
        (NoFfn(), 0, 0, 0),
    ],
)
def test_feedforward_of_width_16(ffn: DenseFfn, projections: int, vectors: int, expert: int) -> None:
    assert ffn.projections(16) == projections
    assert ffn.vectors(16) == vectors
    assert sum(routed.elements for routed in ffn.routed(16)) == expert


def test_streams_of_compressed_attention() -> None:
    """DeepSeek-V4: a window of 128 whole entries, and one entry per four tokens, of which 512 are chosen by 64 x 128 products."""
    near, far = CompressedAttention(64, 512, 1024, 8, 1024, 128, compress=4, indexer=Indexer(64, 128, top_k=512)).streams()
    flop = 4 * 64 * 512
    assert near == Stream(stored=512, read=512, window=128, decode_flop=flop, prefill_flop=flop)
    assert far == Stream(
        stored=512,
        read=512,
        per_token=0.25,
        selected=512,
        decode_flop=flop,
        prefill_flop=flop,
        index_elements=32,
        index_flop=2 * 64 * 128 / 4,
    )


def test_a_shared_cache_is_read_but_not_stored_and_k_eq_v_is_stored_twice() -> None:
    assert Attention(4, 2, 8, kv_shared=True).streams()[0].stored == 0
    assert Attention(4, 2, 8, kv_shared=True).streams()[0].read == 2 * 16
    assert Attention(4, 2, 8, k_eq_v=True).streams()[0].stored == 2 * 16


def test_a_shared_index_costs_nothing_but_still_selects() -> None:
    (stream,) = Attention(4, 2, 8, indexer=Indexer(2, 8, top_k=4, shared=True)).streams()
    assert (stream.selected, stream.index_elements, stream.index_flop) == (4, 0, 0)


def test_block_indexer_selects_blocks_times_block() -> None:
    assert Indexer(4, 128, top_k_blocks=16, block=128).selected == 2048


def test_states() -> None:
    """Gated delta: 4 heads x 8 x 8 x 4 bytes + (2 x 16 + 32) channels x 6; 6 FLOP per element. Convolution: two inputs of 16 x 2 bytes."""
    assert GatedDelta(2, 4, 8, 8, 4).state(16) == State(4 * 64 * 4 + 64 * 6, 6 * 256, 4)
    assert KimiDelta(2, 8, 4).state(16) == State(16 * 8 * 4 + 18 * 16, 6 * 128, 2)
    assert ShortConv(3).state(16) == State(2 * 16 * 2, 0, 16)
    assert ParallelMixer((Attention(4, 2, 8), Mamba2(2, 8, 4, 1))).state(16) == Mamba2(2, 8, 4, 1).state(16)


def test_weights_by_part_and_format() -> None:
    """gpt-oss-like: experts at 4.25 bits, the rest at 16: (linear + tables) x 2 bytes + experts x 0.53125."""
    shape = Transformer(
        layers=(LayerGroup(2, Attention(4, 2, 8), MoeFfn(8, 2, 32)),), hidden=16, vocab=100, tied=False, extra=50, extra_active=10
    )
    weights = shape.weights
    assert weights.experts == 2 * 8 * 3 * 16 * 32
    assert weights.linear == 2 * (1536 + 16 * 8 + 2 * 16) + 16 + 10
    assert (weights.embedding, weights.head, weights.extra) == (1600, 1600, 40)
    stored = weight_bytes(shape, FormatBits(linear=16, experts=4.25, embedding=16, head=16))
    assert stored.experts == weights.experts * 4.25 / 8
    assert stored.total == (weights.total - weights.experts) * 2 + weights.experts * 4.25 / 8


def test_a_tied_head_is_stored_once_and_used() -> None:
    untied = Transformer(layers=(LayerGroup(1, NoMixer(), DenseFfn(32)),), hidden=16, vocab=100, tied=False)
    tied = Transformer(layers=untied.layers, hidden=16, vocab=100, tied=True)
    assert untied.parameters - tied.parameters == 1600
    assert untied.active_parameters == tied.active_parameters


def test_equal_layers_of_different_groups_are_merged() -> None:
    assert [n for n, _ in DEEPSEEK_R1.streams] == [61]
    assert (DEEPSEEK_R1.layer_count, DEEPSEEK_R1.block_count, DEEPSEEK_R1.moe_layer_count) == (61, 122, 58)
    hybrid = Transformer((LayerGroup(2, NoMixer(), DenseFfn(32)), LayerGroup(3, Attention(4, 2, 8), NoFfn())), 16, 100, True)
    assert (hybrid.layer_count, hybrid.block_count) == (5, 5)


@pytest.mark.parametrize(
    ("mixer", "tp", "problem"),
    [
        (Attention(64, 8, 128), 8, None),
        (Attention(64, 8, 128), 16, None),
        (Attention(40, 10, 128), 4, "10 KV heads neither divide by 4 nor divide it"),
        (Attention(28, 4, 128), 8, "28 query heads do not divide by 8"),
        (LATENT, 16, None),
        (GatedDelta(16, 48, 128, 128, 4), 32, "48 state heads do not divide by 32"),
        (ParallelMixer((Attention(20, 4, 128), Mamba2(32, 128, 256, 2))), 8, "20 query heads do not divide by 8"),
    ],
)
def test_tensor_parallel(mixer: Attention, tp: int, problem: str | None) -> None:
    shape = Transformer((LayerGroup(1, mixer, DenseFfn(11008)),), 4096, 32000, False)
    assert tensor_parallel_problem(shape, tp) == problem


def test_tensor_parallel_divides_inner_widths() -> None:
    shape = Transformer((LayerGroup(1, NoMixer(), ParallelFfn((DenseFfn(100), MoeFfn(8, 2, 64)))),), 64, 100, False)
    assert tensor_parallel_problem(shape, 4) is None
    assert tensor_parallel_problem(shape, 8) == "100 inner channels do not divide by 8"


def test_expert_parallel() -> None:
    assert expert_parallel_problem(DEEPSEEK_R1, 32) is None
    assert expert_parallel_problem(DEEPSEEK_R1, 24) == "256 experts do not divide by 24"
    assert expert_parallel_problem(LLAMA_70B, 1) is None
    assert expert_parallel_problem(LLAMA_70B, 2) == "the model has no routed experts"
