"""Several models as one: each position of a stack is exactly what that model alone gives, in every count and in whole operating points."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from catalogs import frozen_catalog
from deployments import DEFAULTS, IDEAL, REAL
from hypothesis import given, settings
from hypothesis import strategies as st

from infra_advisor.physics.feedforward import DenseFfn, MoeFfn
from infra_advisor.physics.mixers import Attention, CompressedAttention, Indexer, LatentAttention
from infra_advisor.physics.recurrent import GatedDelta, Mamba2, NoMixer
from infra_advisor.physics.stacked import NO_LIMIT, StackedShape, stack
from infra_advisor.physics.transformer import LayerGroup, Transformer
from infra_advisor.physics.work import Work, decode_work, kv_bytes, prefill_work, state_bytes
from infra_advisor.search.deployments import Deployments
from infra_advisor.search.points import Timing

EXACT = 1e-12
FIELDS = [field.name for field in dataclasses.fields(Work)]
PLAIN = ("projections", "hidden", "vocab", "tied", "prefill_share", "layer_count", "block_count", "moe_layer_count")

LATENT = LatentAttention(q_heads=128, kv_lora_rank=512, qk_nope_dim=128, qk_rope_dim=64, v_head_dim=128, q_lora_rank=1536)
SPARSE = dataclasses.replace(LATENT, indexer=Indexer(64, 128, top_k=2048))
SHAPES = {
    # No experts, one kind of attention without a limit.
    "dense": Transformer((LayerGroup(32, Attention(32, 8, 128), DenseFfn(14336)),), 4096, 128256, False),
    # Half of the layers see a window; the head is the embedding table.
    "windowed": Transformer(
        (LayerGroup(12, Attention(64, 8, 64, window=128), MoeFfn(32, 4, 2880)), LayerGroup(12, Attention(64, 8, 64), MoeFfn(32, 4, 2880))),
        2880, 201088, True,
    ),
    # Latents that all ranks keep whole, of which an indexer selects; dense layers before mixtures; two kinds of experts.
    "latent": Transformer(
        (LayerGroup(3, LATENT, DenseFfn(18432)), LayerGroup(40, SPARSE, MoeFfn(256, 8, 2048, shared_inter=2048)),
         LayerGroup(4, LATENT, MoeFfn(16, 2, 512))),
        7168, 129280, False,
    ),
    # States that never grow beside a little attention.
    "hybrid": Transformer(
        (LayerGroup(36, Mamba2(48, 64, 128, 1), MoeFfn(62, 6, 512)), LayerGroup(4, Attention(12, 4, 128), MoeFfn(62, 6, 512))),
        1536, 100352, True,
    ),
    # One entry for four tokens, of which an indexer selects.
    "compressed": Transformer(
        (LayerGroup(8, CompressedAttention(8, 32, 16, 2, 8, 20, compress=4, indexer=Indexer(4, 16, top_k=10)), DenseFfn(128)),),
        64, 1000, False,
    ),
    # No attention at all; prompts need half of the layers.
    "linear": Transformer((LayerGroup(24, GatedDelta(16, 32, 128, 128, 4), DenseFfn(5632)),), 2048, 32000, False, prefill_share=0.5),
    "none": Transformer((LayerGroup(2, NoMixer(), DenseFfn(128)),), 64, 1000, False),
}  # fmt: skip
THREE = ("dense", "latent", "hybrid")
EVERY = tuple(SHAPES)


def stacked(names: tuple[str, ...]) -> StackedShape:
    return stack([SHAPES[name] for name in names])


def same(together: Any, place: int, alone: Any, rows: int) -> None:
    """Every field of two records of the same kind, the first a column; what a model has none of may be a plain number."""
    for field in dataclasses.fields(alone):
        column = np.broadcast_to(getattr(together, field.name), rows)
        assert column[place] == pytest.approx(float(np.ravel(getattr(alone, field.name))[0]), rel=EXACT, abs=0), field.name


# -- counts of one pass


@pytest.mark.parametrize("names", [THREE, EVERY, ("none", "linear", "windowed"), ("dense",)], ids=["three", "every", "odd", "one"])
@pytest.mark.parametrize("tp", [1.0, 2.0, 16.0])
def test_each_position_counts_what_its_model_alone_does(names: tuple[str, ...], tp: float) -> None:
    shape, rows = stacked(names), len(names)
    ranks = np.full(rows, tp)
    for batch, context, cached in ((1.0, 3.0, 0.0), (7.0, 1000.0, 600.0), (300.0, 60_000.0, 5000.0)):
        size, length, before = (np.full(rows, number) for number in (batch, context, cached))
        decode = decode_work(shape, batch=size, context=length, tp=ranks, expert_tokens=2 * size)
        prefill = prefill_work(shape, tokens=length, cached=before, prompts=size, tp=ranks)
        held = kv_bytes(shape, context=length, kv_bits=np.full(rows, 8.0), tp=ranks)
        state = state_bytes(shape, tp=ranks)
        for place, name in enumerate(names):
            one = SHAPES[name]
            same(decode, place, decode_work(one, batch=batch, context=context, tp=tp, expert_tokens=2 * batch), rows)
            same(prefill, place, prefill_work(one, tokens=context, cached=cached, prompts=batch, tp=tp), rows)
            assert held[place] == pytest.approx(kv_bytes(one, context=context, kv_bits=8.0, tp=tp), rel=EXACT), name
            assert np.broadcast_to(state, rows)[place] == pytest.approx(state_bytes(one, tp=tp), rel=EXACT), name


@settings(deadline=None, max_examples=50)
@given(
    names=st.lists(st.sampled_from(EVERY), min_size=1, max_size=6),
    numbers=st.tuples(st.floats(1, 1e4), st.floats(1, 1e6), st.floats(0, 1e6), st.sampled_from([1.0, 2.0, 8.0])),
)
def test_whatever_is_stacked_no_model_sees_the_others(names: list[str], numbers: tuple[float, float, float, float]) -> None:
    """Nor itself, where it stands there twice."""
    batch, context, cached, tp = numbers
    rows = len(names)
    wide = {"tp": np.full(rows, tp)}
    decode = decode_work(stacked(tuple(names)), batch=np.full(rows, batch), context=np.full(rows, context), **wide)
    prefill = prefill_work(
        stacked(tuple(names)), tokens=np.full(rows, context), cached=np.full(rows, cached), prompts=np.full(rows, batch), **wide
    )
    for place, name in enumerate(names):
        same(decode, place, decode_work(SHAPES[name], batch=batch, context=context, tp=tp), rows)
        same(prefill, place, prefill_work(SHAPES[name], tokens=context, cached=cached, prompts=batch, tp=tp), rows)


def test_the_plain_figures_are_columns() -> None:
    shape = stacked(EVERY)
    for place, name in enumerate(EVERY):
        one = SHAPES[name]
        for figure in PLAIN:
            assert getattr(shape, figure)[place] == float(getattr(one, figure)), (name, figure)
        for field in dataclasses.fields(one.weights):
            assert getattr(shape.weights, field.name)[place] == getattr(one.weights, field.name), (name, field.name)
        assert shape.weights.total[place] == one.weights.total


def test_what_a_model_lacks_holds_nothing_and_has_no_limit() -> None:
    """The dense model has none of the states of the hybrid one, nor its experts; its attention has no window, nor a choice of entries."""
    shape = stacked(("dense", "hybrid", "windowed"))
    assert [len(slots) for slots in (shape.streams, shape.states, shape.routed_experts)] == [2, 1, 1]
    layers, state = shape.states[0]
    assert list(layers) == [0, 36, 0]
    assert state.bytes[0] == state.bytes[2] == 0 < state.bytes[1]
    layers, routed = shape.routed_experts[0]
    assert list(layers) == [0, 40, 24]
    assert list(routed.experts) == [1, 62, 32]
    windows = np.array([stream.window for _, stream in shape.streams])
    assert windows.tolist() == [[NO_LIMIT, NO_LIMIT, 128], [NO_LIMIT] * 3]
    assert all(np.all(stream.selected == NO_LIMIT) for _, stream in shape.streams)


def test_models_are_taken_in_any_order_and_number() -> None:
    shape = stacked(THREE)
    index = np.array([2, 0, 0, 1, 2])
    taken = shape.take(index)
    rows = len(index)
    work = decode_work(taken, batch=np.full(rows, 5.0), context=np.full(rows, 700.0), tp=np.ones(rows))
    for place, number in enumerate(index):
        same(work, place, decode_work(SHAPES[THREE[number]], batch=5.0, context=700.0), rows)
    again = taken.take(np.array([3]))
    assert again.hidden.tolist() == [SHAPES["latent"].hidden]


# -- whole operating points

LAYOUTS: dict[str, list[float]] = {
    "tp": [1, 2, 8, 1, 4, 1], "pp": [1, 1, 1, 2, 2, 1], "ep": [1, 1, 1, 1, 1, 8], "dp": [1, 1, 1, 1, 1, 8],
    "fill_pipeline": [0, 0, 0, 1, 0, 0],
}  # fmt: skip
INPUT = np.array([100.0, 1000.0, 8000.0, 2000.0, 30_000.0, 1500.0])
OUTPUT = np.array([300.0, 10.0, 1000.0, 50.0, 700.0, 1.0])
IN_FLIGHT = np.array([1.0, 3.0, 40.0, 7.5, 500.0, 64.0])


def deployments(**changes: Any) -> Deployments:
    """Six layouts on real-world waste, memory for all of them."""
    columns = IDEAL | REAL | {"memory_bytes": 1e13, "moe_layer_s": 2e-5, "frontend_sequence_s": 1e-4} | LAYOUTS | changes
    shared = np.broadcast_arrays(*(np.atleast_1d(np.asarray(column, dtype=float)) for column in columns.values()))
    return Deployments(**{name: np.array(column) for name, column in zip(columns, shared, strict=True)})


def timed_alone(shape: Transformer, d: Deployments, place: int) -> Timing:
    """The one deployment, with plain numbers for the lengths."""
    one = d.take(np.array([place]))
    return Timing(shape, one, DEFAULTS, input_tokens=float(INPUT[place]), output_tokens=float(OUTPUT[place]))


@pytest.mark.parametrize("opened", [False, True], ids=["closed", "open"])
@pytest.mark.parametrize("names", [THREE, ("windowed", "linear", "compressed")], ids=["three", "others"])
def test_each_position_is_timed_as_its_model_alone(names: tuple[str, ...], opened: bool) -> None:
    """Six layouts, three models, each with lengths and a load of its own; every model meets every layout once."""
    d = deployments(ttft_factor=1.3, tpot_factor=0.8, peak_bytes_per_s=1.1e12)
    for shift in range(len(names)):
        order = (np.arange(len(d)) + shift) % len(names)
        together = Timing(stacked(names).take(order), d, DEFAULTS, input_tokens=INPUT, output_tokens=OUTPUT)
        served = together.serve(IN_FLIGHT, open_arrivals=opened)
        for place, number in enumerate(order):
            alone = timed_alone(SHAPES[names[number]], d, place)
            load = IN_FLIGHT[place : place + 1]
            same(served, place, alone.serve(load, open_arrivals=opened), len(d))
            same(together.memory, place, alone.memory, len(d))
            assert together.prompt_alone_s[place] == pytest.approx(alone.prompt_alone_s[0], rel=EXACT)
            context = float(INPUT[place] + OUTPUT[place] / 2)
            step = together.decode_step_s(IN_FLIGHT, INPUT + OUTPUT / 2)
            assert step[place] == pytest.approx(alone.decode_step_s(load, context)[0], rel=EXACT)


def test_a_part_of_the_timing_of_a_stack() -> None:
    order = np.arange(6) % 3
    d = deployments()
    whole = Timing(stacked(THREE).take(order), d, DEFAULTS, input_tokens=INPUT, output_tokens=OUTPUT)
    index = np.array([4, 1, 1])
    part = whole.take(index).serve(IN_FLIGHT[index], open_arrivals=False)
    served = whole.serve(IN_FLIGHT, open_arrivals=False)
    for field in dataclasses.fields(served):
        assert getattr(part, field.name) == pytest.approx(np.broadcast_to(getattr(served, field.name), 6)[index], rel=EXACT), field.name


def test_models_of_a_catalog_stack() -> None:
    """Grouped and latent attention, states, experts: what is timed together equals each alone, at the same lengths for all."""
    catalog = frozen_catalog()
    shapes = [catalog.model(name).shape() for name in catalog.model_ids]
    rows = len(shapes)
    d = deployments(**dict.fromkeys(LAYOUTS, 1)).take(np.zeros(rows, dtype=np.intp))
    load = np.full(rows, 12.0)
    served = Timing(stack(shapes), d, DEFAULTS, input_tokens=1000, output_tokens=300).serve(load, open_arrivals=False)
    assert len(np.unique(served.tpot_s)) == rows
    for place, shape in enumerate(shapes):
        alone = Timing(shape, d.take(np.array([place])), DEFAULTS, input_tokens=1000, output_tokens=300)
        same(served, place, alone.serve(load[:1], open_arrivals=False), rows)
