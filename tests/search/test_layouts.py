"""Ways to cut a model: what heads, links, engines and machines allow, and nothing else."""

from typing import Any

import pytest
from catalogs import real_catalog as catalog
from deployments import LLAMA_8B, LLAMA_70B, MIXTURE

from infra_advisor.facts.engines import Engine
from infra_advisor.physics.feedforward import DenseFfn
from infra_advisor.physics.mixers import Attention
from infra_advisor.physics.transformer import LayerGroup, Transformer
from infra_advisor.search.layouts import Layout, layouts
from infra_advisor.search.platforms import Platform


def platform(chips: int, **changes: Any) -> Platform:
    """Accelerators behind one switch, in one machine without a network."""
    usual: dict[str, Any] = {
        "chip": "any", "chips": chips, "link_bytes_per_s": 450e9 if chips > 1 else None, "pair_bytes_per_s": None, "domain": chips,
        "network_bytes_per_s": None, "most_chips": chips,
    }  # fmt: skip
    return Platform(**(usual | changes))


def cards(chips: int) -> Platform:
    """Accelerators joined by nothing but the host's bus."""
    return platform(chips, link_bytes_per_s=None, domain=1)


def engine(name: str, **parallelism: bool) -> Engine:
    found = catalog().engines[name]
    return found.model_copy(update={"parallelism": found.parallelism.model_copy(update=parallelism)})


def cut(on: Platform, name: str = "vllm", shape: Transformer = LLAMA_70B, **parallelism: bool) -> set[tuple[int, int, int, int]]:
    """(tp, pp, ep, dp) of every layout."""
    return {(each.tp, each.pp, each.ep, each.dp) for each in layouts(on, engine(name, **parallelism), shape)}


def heads(query: int, kv: int) -> Transformer:
    mixer = Attention(q_heads=query, kv_heads=kv, head_dim=64)
    return Transformer(layers=(LayerGroup(24, mixer, DenseFfn(inter=5040)),), hidden=1024, vocab=32000, tied=True)


ONE = (1, 1, 1, 1)


def test_a_layout_counts_its_accelerators() -> None:
    """4 x 2 x 1 = 8 and 1 x 1 x 8 = 8: expert ranks are the attention ranks, not more accelerators."""
    assert Layout().chips == 1
    assert Layout(tp=4, pp=2).chips == 8
    assert Layout(ep=8, dp=8).chips == 8


def test_one_accelerator_is_not_divided() -> None:
    assert cut(platform(1)) == {ONE}
    assert cut(platform(1), "llama.cpp") == {ONE}


def test_eight_behind_a_switch() -> None:
    """64 query heads and 8 KV heads divide by 2, 4 and 8; pipelines do not help where tensor ranks do."""
    assert cut(platform(8)) == {ONE, (2, 1, 1, 1), (4, 1, 1, 1), (8, 1, 1, 1)}


def test_cards_on_the_hosts_bus_also_form_pipelines() -> None:
    found = cut(cards(4))
    assert found == {ONE, (2, 1, 1, 1), (4, 1, 1, 1), (1, 2, 1, 1), (1, 4, 1, 1), (2, 2, 1, 1)}


def test_heads_that_do_not_divide() -> None:
    """28 query and 4 KV heads: 2 and 4 ways, not 8; eight accelerators then take two stages of four ranks."""
    found = cut(platform(8), shape=heads(28, 4))
    assert {tp for tp, *_ in found} == {1, 2, 4}
    assert (4, 2, 1, 1) in found


def test_kv_heads_are_copied_or_divided_never_split() -> None:
    """24 query and 6 KV heads: 3 on each of 2 ranks; 4 or 8 ranks would split a head. Two KV heads are copied by 4 and by 8 ranks."""
    assert {tp for tp, *_ in cut(platform(8), shape=heads(24, 6))} == {1, 2}
    assert {tp for tp, *_ in cut(platform(8), shape=heads(24, 2))} == {1, 2, 4, 8}


def test_engines_that_split_whole_layers_take_stages_only() -> None:
    assert cut(platform(4), "llama.cpp") == {ONE, (1, 2, 1, 1), (1, 4, 1, 1)}


def test_engines_that_cannot_divide_use_one_accelerator() -> None:
    off: dict[str, Any] = {
        "tensor": False,
        "pipeline": False,
        "expert": False,
        "data_attention": False,
        "multi_node": False,
        "layer_split": False,
    }
    assert cut(platform(8), "vllm", **off) == {ONE}


def test_attention_ranks_only_for_mixtures_whose_cache_would_be_copied() -> None:
    """4 KV heads and 128 experts: four and eight ranks with sequences of their own, experts spread over them. Not for a dense model."""
    found = cut(platform(8), shape=MIXTURE)
    assert {(ep, dp) for _, _, ep, dp in found} == {(1, 1), (4, 4), (8, 8)}
    assert all((tp, pp) == (1, 1) for tp, pp, ep, _ in found if ep > 1)
    assert all(ep == dp == 1 for _, _, ep, dp in cut(platform(8), shape=MIXTURE, data_attention=False))
    assert all(ep == dp == 1 for _, _, ep, dp in cut(cards(8), shape=MIXTURE))


def test_machines_are_joined_only_by_a_documented_network() -> None:
    """Two machines of eight: stages across, tensor ranks inside; never beyond the accelerators one replica can span."""
    assert all(tp * pp * dp <= 8 for tp, pp, _, dp in cut(platform(8, most_chips=64)))
    wide = cut(platform(8, most_chips=64, network_bytes_per_s=50e9))
    assert {(tp, pp) for tp, pp, _, _ in wide if tp * pp > 8} == {(8, 2), (8, 4), (8, 8)}
    assert {(tp, pp) for tp, pp, _, _ in cut(platform(8, most_chips=16, network_bytes_per_s=50e9)) if tp * pp > 8} == {(8, 2)}
    assert cut(platform(8, most_chips=64, network_bytes_per_s=50e9), multi_node=False) == cut(platform(8))


def test_no_more_stages_than_layers() -> None:
    short = Transformer(layers=(LayerGroup(3, Attention(7, 7, 64), DenseFfn(inter=7)),), hidden=448, vocab=1000, tied=True)
    assert {pp for _, pp, _, _ in cut(cards(8), shape=short)} == {1, 2}


REAL_SHAPES = {
    name: catalog().model(name).architecture
    for name in ("llama-3.3-70b-instruct", "gpt-oss-120b", "deepseek-r1-0528", "qwen3-30b-a3b-instruct-2507", "qwen3-next-80b-a3b-instruct")
} | {"llama 8b": LLAMA_8B, "28 heads": heads(28, 4), "24 heads": heads(24, 6)}
MACHINES = [
    platform(1), platform(2), platform(8), platform(6), platform(72), cards(2), cards(8), cards(3), platform(8, domain=4),
    platform(8, most_chips=64, network_bytes_per_s=50e9), platform(4, most_chips=8, network_bytes_per_s=25e9),
]  # fmt: skip


@pytest.mark.parametrize("name", REAL_SHAPES)
def test_every_layout_of_every_engine_is_possible(name: str) -> None:
    """Counted from the heads of the layers: what does not divide, does not fit, or is not joined is never tried."""
    shape = REAL_SHAPES[name]
    query = [mixer.q_heads for group in shape.layers if (mixer := group.mixer).kind in ("attn", "mla")]
    experts = {routed.experts for _, routed in shape.routed_experts}
    layers = sum(group.n for group in shape.layers)
    for each in catalog().engines.values():
        can = each.parallelism
        for on in MACHINES:
            found = list(layouts(on, each, shape))
            assert found[0] == Layout()
            for one in found[1:]:
                about = f"{each.id} {on.chips} {one}"
                assert one.chips > 1, about
                assert one.tp == 1 or can.tensor, about
                assert one.pp == 1 or can.pipeline or can.layer_split, about
                assert one.pp <= layers, about
                assert can.pads_heads or all(count % one.tp == 0 for count in query), about
                assert one.tp <= on.chips, about
                assert (one.ep, one.dp) == (1, 1) or (can.expert and can.data_attention and one.dp <= on.domain), about
                assert all(count % one.ep == 0 for count in experts), about
                if one.chips > on.chips:
                    assert on.network_bytes_per_s is not None, about
                    assert can.multi_node, about
                    assert one.chips <= on.most_chips, about
