"""Hardware as the search sees it: a chip, how many share a machine, and what joins them. Prices come later."""

from dataclasses import dataclass

from infra_advisor.facts.chips import Chip
from infra_advisor.facts.market import Node

SLOWEST_KNOWN_HOST_LINK_BYTES_PER_S = 16e9
"""PCIe 3.0 x16, one direction, taken for a card whose host link is not in the catalog."""
HOST_LINK_HOP_FACTOR = 2.0
"""Exchanges through the host's PCIe root take about twice the latency of a direct link."""
SAME_MEMORY = 0.08
"""Labels nearer than this mean one configuration: GB and GiB differ by 7 %."""
NETWORK_HOP_FACTOR = 4.0
"""Exchanges between machines, RDMA included, as a multiple of the link inside."""


@dataclass(frozen=True)
class Platform:
    """What decides the speed of a deployment beside the model and the engine. Offers of one platform are predicted once."""

    chip: str
    chips: int
    """Accelerators in one machine, rented or bought as a whole."""
    link_bytes_per_s: float | None
    """Between accelerators of one machine, per accelerator and direction; None where nothing joins them."""
    pair_bytes_per_s: float | None
    """Between two of them, where each pair has a link of its own (a mesh): fewer ranks see fewer links."""
    domain: int
    """Accelerators joined by the fast link; 1 = all traffic goes through the host."""
    network_bytes_per_s: float | None
    """Between machines, per accelerator and direction; None = no documented network, so no replica spans machines."""
    most_chips: int
    """Most accelerators one replica can span."""
    memory_bytes: float | None = None
    """Of one accelerator, where this configuration differs from the chip's catalog entry."""

    def link_for(self, ranks: int, host_link_bytes_per_s: float | None) -> tuple[float, float] | None:
        """(bytes/s per accelerator and direction, latency factor) for `ranks` that exchange; None where they cannot."""
        if ranks == 1:
            return (self.link_bytes_per_s or host_link_bytes_per_s or SLOWEST_KNOWN_HOST_LINK_BYTES_PER_S), 1.0
        if self.link_bytes_per_s and ranks <= self.domain:
            mesh = self.pair_bytes_per_s * (ranks - 1) if self.pair_bytes_per_s else self.link_bytes_per_s
            return min(mesh, self.link_bytes_per_s), 1.0
        if ranks <= self.chips:
            return (host_link_bytes_per_s or SLOWEST_KNOWN_HOST_LINK_BYTES_PER_S), HOST_LINK_HOP_FACTOR
        return None


def platform_of_node(node: Node, chip: Chip, chips: int) -> Platform:
    """The platform of `chips` accelerators of a rented node."""
    joined = node.fabric not in ("none", "pcie") and chip.link is not None and node.scale_up_chips > 1
    link = chip.link if joined else None
    network = node.nic_gbit_per_s * 1.25e8 / max(node.chips, 1) if node.scalable and node.nic_gbit_per_s else None
    in_domain = min(node.scale_up_chips, chips) if link else 1
    return Platform(
        chip=chip.id,
        chips=chips,
        link_bytes_per_s=link.bandwidth.value if link else None,
        pair_bytes_per_s=link.pair_bandwidth.value if link and link.pair_bandwidth else None,
        domain=in_domain,
        network_bytes_per_s=network,
        most_chips=chips if network is None else min(node.max_chips or 8 * chips, 8 * chips),
    )


def platform_of_box(chip: Chip, chips: int, *, board: bool, memory_label_bytes: float | None = None) -> Platform:
    """The platform of a machine that is bought: a server with its own fabric, or cards in a host (no bridge is assumed).

    `memory_label_bytes`: of one accelerator, as sold in this configuration.
    """
    link = chip.link if chip.link and not chip.link.bridge and not board and chips > 1 else None
    return Platform(
        chip=chip.id,
        chips=chips,
        link_bytes_per_s=link.bandwidth.value if link else None,
        pair_bytes_per_s=link.pair_bandwidth.value if link and link.pair_bandwidth else None,
        domain=min(link.domain, chips) if link else 1,
        network_bytes_per_s=None,
        most_chips=chips,
        memory_bytes=_scaled_memory_bytes(chip, memory_label_bytes),
    )


def _scaled_memory_bytes(chip: Chip, label_bytes: float | None) -> float | None:
    """Memory of another configuration of the chip: the same share of the label is usable. None where it is the catalog's own."""
    if label_bytes is None or chip.memory_capacity is None or chip.memory_bytes is None:
        return None
    ratio = label_bytes / chip.memory_capacity.value
    return None if abs(ratio - 1.0) < SAME_MEMORY else chip.memory_bytes * ratio
