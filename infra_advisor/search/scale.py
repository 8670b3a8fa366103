"""Names of the efficiencies, and the scale on which deviations from them add up. Needs no numpy: the catalog's check uses it too."""

import math

EFFICIENCIES = (
    "linear_memory_share", "kv_memory_share", "expert_memory_share", "linear_compute_share", "expert_compute_share", "score_compute_share",
    "link_share", "sharpness", "step_s", "layer_s", "moe_layer_s", "sequence_s", "hop_s", "prefill_layer_s", "frontend_s",
    "frontend_sequence_s", "fill_half_rows", "expert_fill_half_rows", "imbalance_per_doubling", "stall_share", "queue_weight",
    "rank_wait_steps", "burst_share", "ttft_factor", "tpot_factor",
)  # fmt: skip
"""In the order of the fields of `Efficiencies`."""
FACTORS = ("ttft_factor", "tpot_factor")
"""Corrections of whole times; the others are efficiencies of parts."""
FITTED = tuple(name for name in EFFICIENCIES if name not in FACTORS)
SHARES = frozenset(name for name in EFFICIENCIES if name.endswith("_share"))
LEAST_SHARPNESS = 1.0


def to_scale(name: str, value: float) -> float:
    """A value on the scale on which deviations add up: logit of a share, log of everything else (of the excess over 1 for sharpness)."""
    if name in SHARES:
        return math.log(value / (1.0 - value))
    return math.log(value - LEAST_SHARPNESS if name == "sharpness" else value)
