"""Ways to cut one model over accelerators: tensor, pipeline, expert and attention-data parallelism."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra_advisor.facts.engines import Engine
from infra_advisor.physics.transformer import Transformer, expert_parallel_problem, tensor_parallel_problem
from infra_advisor.search.platforms import Platform

MOST_RANKS = 64


@dataclass(frozen=True)
class Layout:
    """Parallelism of one replica; it uses tp x pp x dp accelerators."""

    tp: int = 1
    pp: int = 1
    ep: int = 1
    dp: int = 1

    @property
    def chips(self) -> int:
        """Accelerators of one replica."""
        return self.tp * self.pp * self.dp


def layouts(platform: Platform, engine: Engine, shape: Transformer) -> Iterator[Layout]:
    """Every layout worth timing on one machine of the platform, and across machines where a network is documented.

    Tensor ranks stay inside one machine. Inside a fast domain pipelines only help where heads do not divide; through the
    host's bus they can. Attention-data parallelism is tried for mixtures whose cache tensor ranks would copy.
    """
    yield Layout()
    can = engine.parallelism
    inside = _powers(min(platform.chips, MOST_RANKS))
    if platform.chips <= MOST_RANKS and platform.chips not in inside:
        inside.append(platform.chips)
    if can.tensor:
        for tp in inside:
            if tp == 1 or platform.link_for(tp, None) is None or (tensor_parallel_problem(shape, tp) and not can.pads_heads):
                continue
            yield Layout(tp=tp)
    if can.pipeline or can.layer_split:
        for tp, pp in _stages(platform, shape, tensor=can.tensor):
            yield Layout(tp=tp, pp=pp)
    if can.data_attention and can.expert and shape.routed_experts and any(stream.heads < 8 for _, stream in shape.streams):
        for ranks in inside:
            if 4 <= ranks <= platform.domain and expert_parallel_problem(shape, ranks) is None:
                yield Layout(ep=ranks, dp=ranks)
    if can.multi_node and can.pipeline and can.tensor and platform.network_bytes_per_s:
        for machines in (2, 4, 8):
            if platform.chips * machines <= platform.most_chips and tensor_parallel_problem(shape, platform.chips) is None:
                yield Layout(tp=platform.chips, pp=machines)


def _stages(platform: Platform, shape: Transformer, *, tensor: bool) -> Iterator[tuple[int, int]]:
    for pp in _powers(platform.chips):
        if pp == 1 or pp > shape.layer_count:
            continue
        for tp in _powers(platform.chips // pp) if tensor else [1]:
            if tp > 1 and (tensor_parallel_problem(shape, tp) or platform.link_for(tp, None) is None):
                continue
            wider = tp * pp
            needed = platform.domain < wider or not tensor or tensor_parallel_problem(shape, wider) is not None
            if needed:
                yield tp, pp


def _powers(most: int) -> list[int]:
    return [2**exponent for exponent in range(most.bit_length()) if 2**exponent <= most]
