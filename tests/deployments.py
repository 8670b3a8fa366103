"""Deployments of round numbers for tests of the search, without a catalog.

    timing(LLAMA_8B, linear_bytes_per_s=[1e12, 2e12]).decode_step_s(batch, context)

What is not stated is an ideal accelerator of 80 GB, 1 TB/s and 400 TFLOP/s in 16 bits: no host times, no waste.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from infra_advisor.physics.feedforward import DenseFfn, MoeFfn
from infra_advisor.physics.mixers import Attention
from infra_advisor.physics.transformer import LayerGroup, Transformer
from infra_advisor.search.defaults import Defaults
from infra_advisor.search.deployments import Column, Deployments
from infra_advisor.search.points import Timing

Columns = float | Sequence[float] | Column

LLAMA_8B = Transformer(
    layers=(LayerGroup(32, Attention(q_heads=32, kv_heads=8, head_dim=128), DenseFfn(inter=14336)),),
    hidden=4096, vocab=128256, tied=False,
)  # fmt: skip
LLAMA_70B = Transformer(
    layers=(LayerGroup(80, Attention(q_heads=64, kv_heads=8, head_dim=128), DenseFfn(inter=28672)),),
    hidden=8192, vocab=128256, tied=False,
)  # fmt: skip
MIXTURE = Transformer(
    layers=(LayerGroup(48, Attention(q_heads=32, kv_heads=4, head_dim=128), MoeFfn(experts=128, top_k=8, inter=768)),),
    hidden=2048, vocab=151936, tied=False,
)  # fmt: skip

IDEAL: dict[str, Any] = {
    "tp": 1, "pp": 1, "ep": 1, "dp": 1, "fill_pipeline": 0,
    "memory_bytes": 80e9, "reserve_bytes": 0, "engine_share": 1,
    "peak_bytes_per_s": 1e15, "linear_bytes_per_s": 1e12, "expert_bytes_per_s": 1e12, "kv_bytes_per_s": 1e12,
    "linear_flop_per_s": 4e14, "expert_flop_per_s": 4e14, "score_flop_per_s": 4e14,
    "link_bytes_per_s": 1e11, "hop_s": 0, "stage_link_bytes_per_s": 1e11, "stage_hop_s": 0,
    "sharpness": 50, "step_s": 0, "layer_s": 0, "moe_layer_s": 0, "sequence_s": 0, "prefill_layer_s": 0, "frontend_s": 0,
    "frontend_sequence_s": 0, "fill_half_rows": 20, "expert_fill_half_rows": 5, "imbalance_per_doubling": 0.026, "stall_share": 0.66,
    "queue_weight": 0.09, "rank_wait_steps": 3, "ttft_factor": 1, "tpot_factor": 1,
    "most_sequences": 256, "tokens_per_pass": 8192,
    "linear_bits": 16, "expert_bits": 16, "embedding_bits": 16, "head_bits": 16, "kv_bits": 16,
}  # fmt: skip
REAL: dict[str, Any] = {
    "reserve_bytes": 3e9, "engine_share": 0.9, "hop_s": 6e-6, "stage_hop_s": 24e-6, "sharpness": 1.2,
    "step_s": 5e-4, "layer_s": 45e-6, "sequence_s": 4e-6, "prefill_layer_s": 3e-4, "frontend_s": 0.03,
}  # fmt: skip
"""The waste of a usual server, to be laid over the ideal."""

DEFAULTS = Defaults(
    note="for tests", queue_weight_open=0.5, fill_least=0.05, expert_fill_least=0.07, tpot_p95_rise=0.42, tpot_p99_rise=0.65,
)  # fmt: skip


def timing(
    shape: Transformer = LLAMA_8B,
    *,
    input_tokens: float = 1000,
    output_tokens: float = 300,
    defaults: Defaults = DEFAULTS,
    **columns: Columns,
) -> Timing:
    """Timing of as many deployments as the longest column has; columns not given are ideal."""
    values = [np.asarray(columns.pop(name, ideal), dtype=float) for name, ideal in IDEAL.items()]
    assert not columns, f"no such columns: {sorted(columns)}"
    shared = np.broadcast_arrays(*(np.atleast_1d(value) for value in values))
    deployments = Deployments(**{name: np.array(column) for name, column in zip(IDEAL, shared, strict=True)})
    return Timing(shape, deployments, defaults, input_tokens=input_tokens, output_tokens=output_tokens)


def several(timing: Timing, number: float) -> Column:
    """The same number for every deployment."""
    return np.full(len(timing.d), float(number))
