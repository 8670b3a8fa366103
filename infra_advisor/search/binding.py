"""Data-sheet rates joined to efficiencies: what deployments achieve.

`Hardware` holds what the chip, its machine, the engine's limits and the format say; `Efficiencies` what calibration says. Both are
columns with one position per deployment, so that the search and the fit bind them in one and the same way.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra_advisor.search.deployments import Column, Deployments
from infra_advisor.search.scale import EFFICIENCIES, LEAST_SHARPNESS, SHARES


@dataclass(frozen=True)
class Hardware:
    """Peak rates per accelerator, links in one direction, and limits. [base units]"""

    tp: Column
    pp: Column
    ep: Column
    dp: Column
    link_bytes_per_s: Column
    hop_factor: Column
    """Latency of one exchange as a multiple of the family's."""
    stage_link_bytes_per_s: Column
    stage_hop_factor: Column
    fill_pipeline: Column
    memory_bytes: Column
    reserve_bytes: Column
    engine_share: Column
    bytes_per_s: Column
    linear_flop_per_s: Column
    """Peak of the precision that products of projections run in."""
    expert_flop_per_s: Column
    wide_flop_per_s: Column
    """Peak of 16 bits, for attention scores."""
    most_sequences: Column
    tokens_per_pass: Column
    linear_bits: Column
    expert_bits: Column
    embedding_bits: Column
    head_bits: Column
    kv_bits: Column

    def __len__(self) -> int:
        return len(self.tp)

    def take(self, index: NDArray[np.intp]) -> "Hardware":
        """The rows at some positions."""
        return Hardware(**{name: column[index] for name, column in vars(self).items()})


@dataclass(frozen=True)
class Efficiencies:
    """Shares of the peaks and times of the host; one position per deployment."""

    linear_memory_share: Column
    kv_memory_share: Column
    expert_memory_share: Column
    linear_compute_share: Column
    expert_compute_share: Column
    score_compute_share: Column
    link_share: Column
    sharpness: Column
    step_s: Column
    layer_s: Column
    moe_layer_s: Column
    sequence_s: Column
    hop_s: Column
    prefill_layer_s: Column
    frontend_s: Column
    frontend_sequence_s: Column
    fill_half_rows: Column
    expert_fill_half_rows: Column
    imbalance_per_doubling: Column
    stall_share: Column
    queue_weight: Column
    rank_wait_steps: Column
    burst_share: Column
    """Of the queue at the start of a closed-loop benchmark, what its means keep; a steady state has none."""
    ttft_factor: Column
    tpot_factor: Column

    def take(self, index: NDArray[np.intp]) -> "Efficiencies":
        """The rows at some positions."""
        return Efficiencies(**{name: column[index] for name, column in vars(self).items()})


def from_scale(name: str, scaled: Column) -> Column:
    """Values from the scale on which deviations add up: shares lie in (0, 1), times above 0, sharpness above 1, whatever was added."""
    if name in SHARES:
        return np.asarray(1.0 / (1.0 + np.exp(-scaled)))
    return np.asarray(np.exp(scaled) + (LEAST_SHARPNESS if name == "sharpness" else 0.0))


def achieve(h: Hardware, e: Efficiencies) -> Deployments:
    """Deployments that can be timed."""
    return Deployments(
        tp=h.tp,
        pp=h.pp,
        ep=h.ep,
        dp=h.dp,
        link_bytes_per_s=h.link_bytes_per_s * e.link_share,
        hop_s=e.hop_s * h.hop_factor,
        stage_link_bytes_per_s=h.stage_link_bytes_per_s * e.link_share,
        stage_hop_s=e.hop_s * h.stage_hop_factor,
        fill_pipeline=h.fill_pipeline,
        memory_bytes=h.memory_bytes,
        reserve_bytes=h.reserve_bytes,
        engine_share=h.engine_share,
        peak_bytes_per_s=h.bytes_per_s,
        linear_bytes_per_s=h.bytes_per_s * e.linear_memory_share,
        expert_bytes_per_s=h.bytes_per_s * e.expert_memory_share,
        kv_bytes_per_s=h.bytes_per_s * e.kv_memory_share,
        linear_flop_per_s=h.linear_flop_per_s * e.linear_compute_share,
        expert_flop_per_s=h.expert_flop_per_s * e.expert_compute_share,
        score_flop_per_s=h.wide_flop_per_s * e.score_compute_share,
        sharpness=e.sharpness,
        step_s=e.step_s,
        layer_s=e.layer_s,
        moe_layer_s=e.moe_layer_s,
        sequence_s=e.sequence_s,
        prefill_layer_s=e.prefill_layer_s,
        frontend_s=e.frontend_s,
        frontend_sequence_s=e.frontend_sequence_s,
        fill_half_rows=e.fill_half_rows,
        expert_fill_half_rows=e.expert_fill_half_rows,
        imbalance_per_doubling=e.imbalance_per_doubling,
        stall_share=e.stall_share,
        queue_weight=e.queue_weight,
        rank_wait_steps=e.rank_wait_steps,
        ttft_factor=e.ttft_factor,
        tpot_factor=e.tpot_factor,
        most_sequences=h.most_sequences,
        tokens_per_pass=h.tokens_per_pass,
        linear_bits=h.linear_bits,
        expert_bits=h.expert_bits,
        embedding_bits=h.embedding_bits,
        head_bits=h.head_bits,
        kv_bits=h.kv_bits,
    )


def from_scaled(table: Column) -> Efficiencies:
    """Efficiencies from a table with one row per deployment and one column per efficiency, on the scale of deviations."""
    return Efficiencies(**{name: from_scale(name, table[:, place]) for place, name in enumerate(EFFICIENCIES)})
