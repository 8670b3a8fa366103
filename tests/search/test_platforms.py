"""Hardware as the search sees it: which rate which ranks exchange at, in rented nodes and in boxes that are bought."""

import pytest
from catalogs import real_catalog as catalog

from infra_advisor.facts.chips import Chip
from infra_advisor.facts.market import Node
from infra_advisor.search.platforms import (
    HOST_LINK_HOP_FACTOR,
    SLOWEST_KNOWN_HOST_LINK_BYTES_PER_S,
    Platform,
    platform_of_box,
    platform_of_node,
)


def chip(name: str) -> Chip:
    return catalog().chips[name]


def node(chip_id: str, chips: float, **changes: object) -> Node:
    usual: dict[str, object] = {
        "id": "some-node", "provider": "some", "instance_type": "node", "chip": chip_id, "chips": chips,
        "source": "here", "seen": "2026-11-22",
    }  # fmt: skip
    return Node.model_validate(usual | changes)


def rate(platform: Platform, ranks: int, host: float | None = None) -> float:
    found = platform.link_for(ranks, host)
    assert found is not None
    return found[0]


# -- what joins the accelerators


def test_behind_a_switch_every_pair_sees_the_whole_link() -> None:
    """H100: 450 GB/s a direction, whatever the number of ranks; nothing beyond the machine."""
    server = platform_of_box(chip("h100-sxm"), 8, board=False)
    assert [server.link_for(ranks, None) for ranks in (2, 4, 8)] == [(450e9, 1.0)] * 3
    assert server.link_for(16, 64e9) is None


def test_in_a_mesh_each_pair_has_one_link() -> None:
    """MI300X: seven links of 64 GB/s. Two ranks see one, four see three (192 GB/s), eight see all seven (448 GB/s)."""
    server = platform_of_box(chip("mi300x"), 8, board=False)
    assert [rate(server, ranks) for ranks in (2, 4, 8)] == [64e9, 192e9, 448e9]
    assert rate(platform_of_box(chip("mi300x"), 4, board=False), 4) == 192e9


def test_cards_exchange_through_the_host() -> None:
    """PCIe of the card where known, with twice the latency; else the slowest in use."""
    host = platform_of_box(chip("l4"), 4, board=True)
    assert host.domain == 1
    assert host.link_for(2, 32e9) == (32e9, HOST_LINK_HOP_FACTOR)
    assert host.link_for(4, None) == (SLOWEST_KNOWN_HOST_LINK_BYTES_PER_S, HOST_LINK_HOP_FACTOR)
    assert host.link_for(8, 32e9) is None


def test_no_bridge_is_assumed() -> None:
    """H100 NVL cards can be bridged in pairs; a host may lack the bridge."""
    assert platform_of_box(chip("h100-nvl"), 2, board=False).link_bytes_per_s is None
    assert platform_of_box(chip("h100-sxm"), 8, board=True).link_bytes_per_s is None


def test_ranks_beyond_the_fast_domain_go_through_the_host() -> None:
    half = Platform("any", 8, 300e9, None, 4, None, 8)
    assert half.link_for(4, 32e9) == (300e9, 1.0)
    assert half.link_for(8, 32e9) == (32e9, HOST_LINK_HOP_FACTOR)


# -- rented nodes


def test_a_rented_server_with_a_network() -> None:
    """8 H100 behind a switch and 3,200 Gbit/s: 3,200 x 0.125 / 8 = 50 GB/s each; one replica spans at most eight machines."""
    found = platform_of_node(
        node("h100-sxm", 8, fabric="nvlink-switch", scale_up_chips=8, nic_gbit_per_s=3200, scalable=True), chip("h100-sxm"), 8
    )
    assert (found.chips, found.domain, found.most_chips) == (8, 8, 64)
    assert found.link_bytes_per_s == 450e9
    assert found.network_bytes_per_s == pytest.approx(50e9)


def test_a_network_without_a_document_joins_nothing() -> None:
    for changes in ({"nic_gbit_per_s": 100}, {"scalable": True}, {}):
        found = platform_of_node(node("h100-sxm", 8, fabric="nvlink-switch", scale_up_chips=8, **changes), chip("h100-sxm"), 8)
        assert found.network_bytes_per_s is None
        assert found.most_chips == 8


def test_the_stated_span_of_a_replica_holds() -> None:
    joined = {"fabric": "nvlink-switch", "scale_up_chips": 8, "nic_gbit_per_s": 3200, "scalable": True, "max_chips": 16}
    assert platform_of_node(node("h100-sxm", 8, **joined), chip("h100-sxm"), 8).most_chips == 16


def test_part_of_a_rack_has_a_domain_of_its_size() -> None:
    rack = node("gb200", 4, fabric="nvlink-switch", scale_up_chips=72, sizes="4,8,72")
    assert [platform_of_node(rack, chip("gb200"), chips).domain for chips in (4, 8, 72)] == [4, 8, 72]


@pytest.mark.parametrize("fabric", ["pcie", "none"])
def test_a_node_without_a_fabric_has_no_link(fabric: str) -> None:
    """Whatever the data sheet of the chip says."""
    found = platform_of_node(node("h100-sxm", 8, fabric=fabric, scale_up_chips=8), chip("h100-sxm"), 8)
    assert found.link_bytes_per_s is None
    assert found.domain == 1


def test_every_node_of_the_catalog_makes_a_platform() -> None:
    """Nothing exchanges faster than the data sheet says, more ranks than there are, or over a network that is not there."""
    seen = 0
    for each in catalog().nodes.values():
        accelerator = catalog().chips.get(each.chip)
        if accelerator is None or each.chips < 1:
            continue
        for count in each.rentable_chips:
            found = platform_of_node(each, accelerator, int(count))
            seen += 1
            assert 1 <= found.domain <= found.chips <= found.most_chips, each.id
            assert (found.network_bytes_per_s is None) or each.scalable, each.id
            if found.link_bytes_per_s is not None:
                assert accelerator.link is not None
                for ranks in range(2, found.domain + 1):
                    assert rate(found, ranks) <= accelerator.link.bandwidth.value, each.id
            else:
                assert found.domain == 1, each.id
    assert seen > 300


# -- memory of other configurations


def test_a_smaller_configuration_of_a_unified_memory() -> None:
    """Half the label leaves half of what is usable; GB and GiB of the same label are one configuration."""
    desktop = chip("m4-max-40c")
    assert desktop.memory_capacity is not None
    assert desktop.memory_bytes is not None
    label = desktop.memory_capacity.value
    assert platform_of_box(desktop, 1, board=True, memory_label_bytes=label / 2).memory_bytes == pytest.approx(desktop.memory_bytes / 2)
    for same in (None, label, label * 1.07):
        assert platform_of_box(desktop, 1, board=True, memory_label_bytes=same).memory_bytes is None
