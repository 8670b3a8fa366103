"""Many ways to run one model, as columns: one position per deployment, in base units."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Deployments:
    """One way to run the model per position. Rates are achievable ones, per accelerator; links count one direction."""

    tp: Column
    """Ranks that share attention and dense weights."""
    pp: Column
    """Pipeline stages."""
    ep: Column
    """Ranks that share the routed experts; 1 = experts are cut like the rest."""
    dp: Column
    """Attention-parallel ranks, each with sequences of its own."""
    link_bytes_per_s: Column
    hop_s: Column
    stage_link_bytes_per_s: Column
    stage_hop_s: Column
    fill_pipeline: Column
    """1 where stages work on different batches at once, 0 where they take turns."""
    memory_bytes: Column
    reserve_bytes: Column
    engine_share: Column
    peak_bytes_per_s: Column
    """Of the data sheet: nothing streams weights faster."""
    linear_bytes_per_s: Column
    expert_bytes_per_s: Column
    kv_bytes_per_s: Column
    linear_flop_per_s: Column
    expert_flop_per_s: Column
    score_flop_per_s: Column
    sharpness: Column
    step_s: Column
    layer_s: Column
    moe_layer_s: Column
    """On top of layer_s where a layer routes tokens to experts."""
    sequence_s: Column
    prefill_layer_s: Column
    frontend_s: Column
    frontend_sequence_s: Column
    """Added to the handling of a request by each other one in flight."""
    fill_half_rows: Column
    """Rows at which matrix units reach half of the achievable rate."""
    expert_fill_half_rows: Column
    imbalance_per_doubling: Column
    """By which the busiest expert rank exceeds the mean, per doubling of the ranks."""
    stall_share: Column
    """Part of another prompt's prefill that delays a running sequence."""
    queue_weight: Column
    """Scale of the prefill queue in a closed load."""
    rank_wait_steps: Column
    """Decode steps a prompt waits for other attention-parallel ranks, per doubling of them."""
    ttft_factor: Column
    """Measured over predicted TTFT for this chip, model or engine where measurements say so; 1 = by physics alone."""
    tpot_factor: Column
    most_sequences: Column
    """Per attention-parallel rank, by the engine or the class."""
    tokens_per_pass: Column
    """Prompt tokens an engine puts into one pass."""
    linear_bits: Column
    expert_bits: Column
    embedding_bits: Column
    head_bits: Column
    kv_bits: Column

    def __len__(self) -> int:
        return len(self.tp)

    def take(self, index: NDArray[np.intp] | slice) -> "Deployments":
        """The deployments at some positions."""
        return Deployments(**{name: column[index] for name, column in vars(self).items() if isinstance(column, np.ndarray)})

    @property
    def expert_ranks(self) -> Column:
        """Ranks over which routed experts are spread."""
        return np.where(self.ep > 1, self.ep, self.tp)

    @property
    def chips(self) -> Column:
        """Accelerators of one replica."""
        return self.tp * self.pp * self.dp
