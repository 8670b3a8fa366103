"""Deployments timed together: worked by hand, monotone where nature is, and each as it would be alone."""

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
from deployments import IDEAL, LLAMA_8B, LLAMA_70B, MIXTURE, REAL, several, timing
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from infra_advisor.physics.transformer import Transformer
from infra_advisor.search.points import Timing

QUICK = settings(deadline=None, max_examples=25)

# Elements of Llama-3.1-8B, layer by layer: q and o 2 x 4096^2, k and v 2 x 4096 x 1024, feed-forward 3 x 4096 x 14336, two norms.
PROJECTIONS_8B = 32 * (2 * 4096**2 + 2 * 4096 * 1024 + 3 * 4096 * 14336)
LINEAR_8B = PROJECTIONS_8B + 32 * 2 * 4096 + 4096
HEAD_8B = 128256 * 4096
KV_BYTES_8B = 2 * 8 * 128 * 32 * 2  # per token, at 16 bits


def step_s(timed: Timing, batch: float = 1.0, context: float = 1150.0) -> list[float]:
    return [float(seconds) for seconds in timed.decode_step_s(several(timed, batch), context)]


# -- memory


def test_memory_of_a_70b_model_over_two_cards() -> None:
    """8 bits in the layers, 16 in the tables, halved over two cards.

    Layers 80 x (2 x 8192^2 + 2 x 8192 x 1024 + 3 x 8192 x 28672 + 2 x 8192) + 8192 = 68,452,360,192 elements, one byte each; tables
    2 x 128256 x 8192 x 2 bytes = 4,202,692,608. A sequence of 1000 + 0.75 x 300 tokens holds 327,680 bytes a token, half on each card.
    Working buffers: 2 x 1000 tokens x 4 x 8192 x 2 bytes.
    """
    memory = timing(LLAMA_70B, tp=2, linear_bits=8).memory
    weights = 68_452_360_192 / 2 + 4_202_692_608 / 2
    buffers = 2 * 1000 * 4 * 8192 * 2
    assert memory.weights[0] == weights
    assert memory.pool[0] == 80e9 - weights - buffers
    assert memory.per_sequence[0] == 1225 * 327_680 / 2
    assert memory.most_running[0] == (80e9 - weights - buffers) // (1225 * 327_680 / 2)
    assert memory.fits[0]


def test_weights_that_exceed_memory_do_not_fit() -> None:
    """70.6e9 weights of 16 bits are 141 GB: not on one card of 80 GB, nor on one of 141.1 GB with no room for a sequence, but on 143 GB."""
    memory = timing(LLAMA_70B, memory_bytes=[80e9, 141.15e9, 143e9]).memory
    assert list(memory.fits) == [False, False, True]
    assert memory.most_running[2] >= 1


def test_kv_heads_are_copied_beyond_their_number() -> None:
    """8 KV heads: 8 ranks hold one each, 16 ranks still hold one each; the latter only halves the weights."""
    memory = timing(LLAMA_70B, tp=[1, 8, 16]).memory
    assert memory.per_sequence[1] == memory.per_sequence[0] / 8
    assert memory.per_sequence[2] == memory.per_sequence[1]
    assert memory.weights[2] == memory.weights[1] / 2


def test_stages_divide_layers_and_cache_and_attention_ranks_divide_sequences() -> None:
    """Two stages hold half the cache of a sequence each; eight attention ranks hold whole sequences of their own, eight times as many."""
    memory = timing(MIXTURE, pp=[1, 2, 1], ep=[1, 1, 8], dp=[1, 1, 8], memory_bytes=1e12, most_sequences=1e6).memory
    assert memory.per_sequence[1] == memory.per_sequence[0] / 2
    assert memory.per_sequence[2] == memory.per_sequence[0]
    assert memory.most_running[2] > 8 * memory.most_running[0]
    assert memory.most_running[2] % 8 == 0


def test_expert_parallel_ranks_hold_a_share_of_the_experts() -> None:
    """48 x 128 experts of 3 x 2048 x 768 elements and 16 bits lie whole on one rank, an eighth on each of eight; the rest lies on all."""
    experts = 48 * 128 * 3 * 2048 * 768 * 2
    alone, spread = timing(MIXTURE, ep=[1, 8], dp=[1, 8]).memory.weights
    assert alone - spread == experts * 7 / 8


@pytest.mark.parametrize(("name", "more"), [("memory_bytes", 1.5), ("kv_bits", 0.5), ("linear_bits", 0.5), ("reserve_bytes", 0.1)])
def test_more_room_never_holds_fewer_sequences(name: str, more: float) -> None:
    for shape in (LLAMA_8B, LLAMA_70B, MIXTURE):
        usual = dict(REAL) | {"most_sequences": 1e9, "memory_bytes": 400e9, "tp": [1, 2, 4, 8]}
        before = timing(shape, **usual)
        after = timing(shape, **(usual | {name: getattr(before.d, name) * more}))
        assert np.all(after.memory.most_running >= before.memory.most_running)


# -- one decode step


def test_decode_step_of_an_8b_model() -> None:
    """Ideal memory of 1 TB/s, nothing else takes time: weights, head and one looked-up row, then 1,150 tokens of cache read, one written.

    (6,979,588,096 + 525,336,576 + 4,096) x 2 bytes = 15.0099 ms; 131,072 x 1,151 bytes = 0.1509 ms.
    """
    weights_s = (LINEAR_8B + HEAD_8B + 4096) * 2 / 1e12
    cache_s = KV_BYTES_8B * 1151 / 1e12
    assert weights_s == pytest.approx(15.0099e-3, rel=1e-5)
    assert cache_s == pytest.approx(0.1509e-3, rel=1e-3)
    assert step_s(timing()) == pytest.approx([weights_s + cache_s], rel=1e-9)


def test_host_times_add_to_the_step() -> None:
    """0.5 ms a step, 4 us for each of 10 sequences, 45 us for each of 32 layers: 0.5 + 0.04 + 1.44 = 1.98 ms."""
    ideal, real = timing(), timing(step_s=0.5e-3, sequence_s=4e-6, layer_s=45e-6)
    assert step_s(real, 10)[0] - step_s(ideal, 10)[0] == pytest.approx(1.98e-3)


def test_layers_with_experts_take_longer_to_launch() -> None:
    """45 us for each of 48 layers and 20 us more for each that routes: 2.16 + 0.96 = 3.12 ms; a dense model has none that do."""
    host = {"layer_s": 45e-6, "moe_layer_s": 20e-6}
    assert step_s(timing(MIXTURE, **host))[0] - step_s(timing(MIXTURE))[0] == pytest.approx(3.12e-3)
    assert step_s(timing(**host))[0] - step_s(timing())[0] == pytest.approx(32 * 45e-6)


def test_tensor_ranks_share_the_bytes_and_wait_for_one_another() -> None:
    """Two ranks: half of everything, and 64 all-reduces of 8,192 bytes: 2 x 1/2 x 8192 / 1e11 + log2(2) x 5 us each, 0.325 ms."""
    one, two = step_s(timing(tp=[1, 2], hop_s=5e-6))
    assert two == pytest.approx(one / 2 + 64 * (8192 / 1e11 + 5e-6), rel=1e-9)


def test_experts_touched_by_a_batch() -> None:
    """One token reads 8 experts in each of 48 layers, 32 tokens 128 (1 - (15/16)^32) = 111.8; each 3 x 2048 x 768 x 2 bytes."""
    expert_bytes = 3 * 2048 * 768 * 2
    timed = timing(MIXTURE)
    for batch, experts in ((1.0, 8.0), (32.0, 128 * (1 - (15 / 16) ** 32))):
        part = timed.decode_terms(several(timed, batch), 1000.0)["experts"]
        assert part.moved_bytes is not None
        assert part.moved_bytes[0] == pytest.approx(48 * experts * expert_bytes, rel=1e-9)


def test_stages_that_work_at_once_each_see_a_part_of_the_batch() -> None:
    """Two filled stages time a batch of 16 like one card a batch of 8, and hand over once; without filling they see all 16."""
    hop: dict[str, Any] = {"stage_hop_s": 1e-4}
    filled, taking_turns = step_s(timing(pp=2, fill_pipeline=[1, 0], **hop), 16)
    eight, sixteen = step_s(timing(), 8)[0], step_s(timing(), 16)[0]
    assert filled == pytest.approx(eight + 8 * 8192 / 1e11 + 1e-4, rel=1e-9)
    assert taking_turns == pytest.approx(sixteen + 16 * 8192 / 1e11 + 1e-4, rel=1e-9)


def test_a_single_rank_has_no_collective_and_a_single_stage_no_hop() -> None:
    for shape in (LLAMA_8B, MIXTURE):
        timed = timing(shape, **REAL)
        for terms in (timed.decode_terms(several(timed, 8), 1000.0), timed.prefill_terms(several(timed, 4))):
            assert terms["collectives"].seconds[0] == 0
            assert terms["pipeline"].seconds[0] == 0


def test_terms_add_up() -> None:
    for shape, layout in ((LLAMA_8B, {"tp": [1, 2, 8], "pp": [4, 1, 2]}), (MIXTURE, {"tp": 1, "ep": [1, 4, 8], "dp": [1, 4, 8]})):
        timed = timing(shape, **(dict(REAL) | layout))
        decode = timed.decode_terms(several(timed, 16), 1000.0)
        assert sum(part.seconds for part in decode.values()) == pytest.approx(timed.decode_step_s(several(timed, 16), 1000.0))
        prefill = timed.prefill_terms(several(timed, 1))
        assert sum(part.seconds for part in prefill.values()) == pytest.approx(timed.prompt_alone_s)
        for part in (*decode.values(), *prefill.values()):
            assert np.all(part.seconds >= 0)


# -- one prefill pass


def test_prefill_of_an_8b_model() -> None:
    """1,000 tokens at 400 TFLOP/s: 2 x 6,979,321,856 x 1000 + 2 x 525,336,576 (last position only) = 1.39597e13 FLOP, 34.899 ms.

    Scores: 4 x 32 heads x 128 x 32 layers x 1000 x 1001 / 2 positions = 2.624e11 FLOP, 0.656 ms. Moving 15 GB is hidden behind it.
    """
    linear_s = (2 * PROJECTIONS_8B * 1000 + 2 * HEAD_8B) / 4e14
    scores_s = 4 * 32 * 128 * 32 * 500_500 / 4e14
    assert linear_s == pytest.approx(34.899e-3, rel=1e-4)
    assert scores_s == pytest.approx(0.656e-3, rel=1e-3)
    assert timing().prompt_alone_s[0] == pytest.approx(linear_s + scores_s, rel=1e-6)


def test_prompts_that_share_a_pass_cost_less_each() -> None:
    """100 tokens do not fill the units and read all weights: eight prompts in one pass take less than eight passes, more than one."""
    timed = timing(input_tokens=100)
    alone, (share, stall) = timed.prompt_alone_s[0], timed.prompt_share_s(several(timed, 32))
    assert alone / 8 < share[0] < alone
    assert stall[0] == share[0]
    assert [seconds[0] for seconds in timed.prompt_share_s(several(timed, 1))] == [alone, alone]


def test_stages_take_turns_on_different_prompts() -> None:
    """Four filled stages take a new prompt every quarter of its time; those that run are delayed by all of it until stages fill."""
    timed = timing(pp=4, fill_pipeline=1, input_tokens=2000, tokens_per_pass=2000)
    alone = timed.prompt_alone_s[0]
    for load, filled in ((1, 1), (4, 2), (8, 4), (100, 4)):
        share, stall = timed.prompt_share_s(several(timed, load))
        assert share[0] == pytest.approx(alone / 4)
        assert stall[0] == pytest.approx(alone / filled)


def test_long_prompts_are_dispatched_in_several_passes() -> None:
    """16,384 tokens at 8,192 a pass: 32 layers x 0.3 ms x 2 passes."""
    timed = timing(input_tokens=16384, prefill_layer_s=0.3e-3)
    assert timed.prefill_terms(several(timed, 1))["dispatch"].seconds[0] == pytest.approx(2 * 32 * 0.3e-3)


# -- what measurements add or take


def test_requests_in_flight_slow_the_handling_of_each() -> None:
    """30 ms and 2 ms for each of the 7 others in flight: the first token comes 44 ms later than without handling, the rest as before."""
    plain, handled = timing(), timing(frontend_s=0.03, frontend_sequence_s=0.002)
    before, after = (timed.serve(several(timed, 8), open_arrivals=False) for timed in (plain, handled))
    assert after.ttft_s - before.ttft_s == pytest.approx(0.044)
    assert after.tpot_s == before.tpot_s


def test_factors_scale_whole_times() -> None:
    """1.3 and 1.2 times what physics says of TTFT and TPOT."""
    before, after = (timing(**(REAL | more)) for more in ({}, {"ttft_factor": 1.3, "tpot_factor": 1.2}))
    for load in (1, 8, 200):
        plain, scaled = (timed.serve(several(timed, load), open_arrivals=True) for timed in (before, after))
        assert scaled.ttft_s == pytest.approx(1.3 * plain.ttft_s)
        assert scaled.tpot_s == pytest.approx(1.2 * plain.tpot_s)


def test_no_factor_moves_bytes_faster_than_the_data_sheet() -> None:
    """Weights and cache of one sequence: 15.1608 ms at the 1 TB/s achieved, 7.5804 ms at a data sheet's 2 TB/s.

    TPOT x 0.7 = 10.6 ms is possible, x 0.3 = 4.5 ms is not: 7.58 ms it is. A prediction at the data sheet's own rate stays.
    """
    timed = timing(tpot_factor=[1, 0.7, 0.3, 0.3], peak_bytes_per_s=[2e12, 2e12, 2e12, 1e12])
    alone = (LINEAR_8B + HEAD_8B + 4096) * 2 / 1e12 + KV_BYTES_8B * 1151 / 1e12
    assert alone == pytest.approx(15.1608e-3, rel=1e-5)
    served = timed.serve(several(timed, 1), open_arrivals=False)
    assert served.tpot_s == pytest.approx([alone, 0.7 * alone, alone / 2, alone], rel=1e-9)
    assert timed.decode_alone_s(several(timed, 1), 1150.0) == pytest.approx(served.tpot_s)


# -- properties over many kinds of hardware

SHAPES = st.sampled_from([LLAMA_8B, LLAMA_70B, MIXTURE])
LAYOUTS: tuple[dict[str, Any], ...] = (
    {}, {"tp": 2}, {"tp": 8}, {"tp": 16}, {"pp": 2, "fill_pipeline": 0}, {"pp": 4, "fill_pipeline": 1},
    {"tp": 4, "pp": 2, "fill_pipeline": 1},
)  # fmt: skip
MIXTURE_LAYOUTS: tuple[dict[str, Any], ...] = ({"ep": 4, "dp": 4}, {"ep": 8, "dp": 8})
RATES = [
    "linear_bytes_per_s", "expert_bytes_per_s", "kv_bytes_per_s", "linear_flop_per_s", "expert_flop_per_s", "score_flop_per_s",
    "link_bytes_per_s", "stage_link_bytes_per_s",
]  # fmt: skip


@st.composite
def hardware(draw: st.DrawFn) -> dict[str, Any]:
    """From a board computer's memory to a rack's, with the waste of real servers; memory is never the limit."""
    memory_rate = draw(st.floats(5e10, 8e12))
    return {
        **REAL,
        "memory_bytes": 1e13,
        "linear_bytes_per_s": memory_rate,
        "expert_bytes_per_s": memory_rate * draw(st.floats(0.3, 1)),
        "kv_bytes_per_s": memory_rate * draw(st.floats(0.3, 1)),
        "linear_flop_per_s": draw(st.floats(5e13, 2e15)),
        "expert_flop_per_s": draw(st.floats(5e13, 1e15)),
        "score_flop_per_s": draw(st.floats(1e13, 3e14)),
        "link_bytes_per_s": draw(st.floats(5e9, 5e11)),
        "hop_s": draw(st.floats(0, 1e-4)),
        "sharpness": draw(st.floats(1, 20)),
        "step_s": draw(st.floats(0, 0.03)),
        "moe_layer_s": draw(st.floats(0, 1e-4)),
        "frontend_sequence_s": draw(st.floats(0, 3e-3)),
        "fill_half_rows": draw(st.floats(1, 60)),
        "expert_fill_half_rows": draw(st.floats(1, 60)),
        "imbalance_per_doubling": draw(st.floats(0, 0.1)),
        "stall_share": draw(st.floats(0.2, 1)),
        "queue_weight": draw(st.floats(0.02, 0.3)),
        "rank_wait_steps": draw(st.floats(0, 20)),
        "tokens_per_pass": draw(st.sampled_from([256.0, 2048.0, 8192.0])),
    }


@st.composite
def deployed(draw: st.DrawFn) -> tuple[Transformer, dict[str, Any]]:
    shape = draw(SHAPES)
    layout = draw(st.sampled_from(LAYOUTS + (MIXTURE_LAYOUTS if shape is MIXTURE else ())))
    return shape, draw(hardware()) | layout


LENGTHS = st.sampled_from([(1000, 300), (100, 300), (8000, 100), (2000, 1000)])


@QUICK
@given(deployment=deployed(), faster=st.floats(1, 10), batch=st.sampled_from([1.0, 7.0, 64.0]))
def test_more_of_any_rate_is_never_slower(deployment: tuple[Transformer, dict[str, Any]], faster: float, batch: float) -> None:
    shape, columns = deployment
    before = timing(shape, **columns)
    step, prompt = step_s(before, batch)[0], before.prompt_alone_s[0]
    together = dict(columns)
    for name in RATES:
        better = {name: columns.get(name, IDEAL[name]) * faster}
        together |= better
        for changed in (columns | better, together):
            after = timing(shape, **changed)
            assert step_s(after, batch)[0] <= step * (1 + 1e-9)
            assert after.prompt_alone_s[0] <= prompt * (1 + 1e-9)


@QUICK
@given(deployment=deployed(), faster=st.floats(1, 10), load=st.sampled_from([1.0, 4.0, 32.0, 200.0]), opened=st.booleans())
def test_faster_hardware_serves_the_same_requests_no_slower(
    deployment: tuple[Transformer, dict[str, Any]], faster: float, load: float, opened: bool
) -> None:
    """The whole request counts: with a fixed number in flight, quicker decode can make prompts queue a little longer."""
    shape, columns = deployment
    better = columns | {name: columns.get(name, IDEAL[name]) * faster for name in RATES}
    times = [
        float(timed.serve(several(timed, load), open_arrivals=opened).request_s(timed.output_tokens)[0])
        for timed in (timing(shape, **columns), timing(shape, **better))
    ]
    assert times[1] <= times[0] * 1.001


@QUICK
@given(deployment=deployed(), tokens=st.lists(st.integers(16, 20_000), min_size=2, max_size=2), load=st.sampled_from([1.0, 16.0]))
def test_a_longer_prompt_never_has_a_lower_ttft(deployment: tuple[Transformer, dict[str, Any]], tokens: list[int], load: float) -> None:
    shape, columns = deployment
    waits = []
    for length in sorted(tokens):
        timed = timing(shape, input_tokens=length, **columns)
        waits.append(float(timed.serve(several(timed, load), open_arrivals=False).ttft_s[0]))
    assert waits[0] <= waits[1] * (1 + 1e-9)


@QUICK
@given(deployment=deployed(), lengths=LENGTHS, opened=st.booleans())
def test_latency_and_throughput_rise_with_requests_in_flight(
    deployment: tuple[Transformer, dict[str, Any]], lengths: tuple[int, int], opened: bool
) -> None:
    """Where a prompt takes no longer than the decode of its answer. TPOT within 0.1 %, TTFT and throughput within 1 %.

    Prompts that share a pass take a little less time each, so that the wait behind them can shrink by a trifle.
    """
    shape, columns = deployment
    timed = timing(shape, input_tokens=lengths[0], output_tokens=lengths[1], **columns)
    assume(timed.prompt_alone_s[0] <= lengths[1] * step_s(timed, 1)[0])
    grid = [1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 32.0, 64.0, 128.0, 256.0]
    points = [timed.serve(several(timed, load), open_arrivals=opened) for load in grid]
    for less, more in itertools.pairwise(points):
        assert more.tpot_s[0] >= less.tpot_s[0] * 0.999
        assert more.ttft_s[0] >= less.ttft_s[0] * 0.99
        assert more.output_tokens_per_s(lengths[1])[0] >= less.output_tokens_per_s(lengths[1])[0] * 0.99


@QUICK
@given(deployment=deployed(), lengths=LENGTHS)
def test_one_request_in_flight_equals_no_load(deployment: tuple[Transformer, dict[str, Any]], lengths: tuple[int, int]) -> None:
    """TTFT is request handling and the prompt alone, TPOT one step of a batch of one at the mean context.

    Open arrivals come near it only as the load goes to 0: with a mean of one in flight, one request in two meets another.
    """
    shape, columns = deployment
    timed = timing(shape, input_tokens=lengths[0], output_tokens=lengths[1], **columns)
    alone = timed.serve(several(timed, 1), open_arrivals=False)
    rare = timed.serve(several(timed, 1e-6), open_arrivals=True)
    assert rare.ttft_s[0] == pytest.approx(alone.ttft_s[0], rel=1e-3)
    assert rare.tpot_s[0] == pytest.approx(alone.tpot_s[0], rel=1e-6)
    handling_s = columns["frontend_s"]
    assert alone.ttft_s[0] == pytest.approx(handling_s + timed.prompt_alone_s[0], rel=1e-9)
    assert alone.tpot_s[0] == pytest.approx(step_s(timed, 1, lengths[0] + lengths[1] / 2)[0], rel=1e-9)


@QUICK
@given(columns=hardware(), shape=SHAPES, tp=st.sampled_from([1, 2, 8]), batch=st.sampled_from([1.0, 16.0]))
def test_no_user_reads_faster_than_memory(columns: dict[str, Any], shape: Transformer, tp: int, batch: float) -> None:
    """Tokens/s per user <= bandwidth of all ranks / bytes that must be read: dense weights, head, top-k experts once."""
    timed = timing(shape, **(columns | {"tp": tp}))
    routed = sum(n * each.top_k * each.elements for n, each in shape.routed_experts)
    least_bytes = 2 * (shape.weights.linear + shape.weights.head + routed)
    assert 1 / step_s(timed, batch)[0] <= tp * columns["linear_bytes_per_s"] / least_bytes


@QUICK
@given(deployments=st.lists(hardware(), min_size=2, max_size=4), shape=SHAPES, load=st.floats(1, 300))
def test_deployments_do_not_see_one_another(deployments: list[dict[str, Any]], shape: Transformer, load: float) -> None:
    """Each of a table is timed as in a table of its own."""
    table: dict[str, Any] = {name: [columns[name] for columns in deployments] for name in deployments[0]}
    together = timing(shape, **table)
    served = dataclasses.asdict(together.serve(several(together, load), open_arrivals=True))
    for place, columns in enumerate(deployments):
        alone = timing(shape, **columns)
        for name, value in dataclasses.asdict(alone.serve(several(alone, load), open_arrivals=True)).items():
            assert served[name][place] == pytest.approx(value[0], rel=1e-9, abs=1e-15), name


def test_some_of_the_deployments() -> None:
    table = timing(**(dict(REAL) | {"tp": [1, 2, 4, 8]}))
    some = table.take(np.array([3, 1]))
    assert list(some.d.tp) == [8, 2]
    assert step_s(some, 5) == [step_s(table, 5)[3], step_s(table, 5)[1]]
    assert list(some.memory.most_running) == [table.memory.most_running[3], table.memory.most_running[1]]
