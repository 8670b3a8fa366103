"""What timing says of deployments: where their memory goes, the named shares of a pass, and their sums."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra_advisor.physics.roofline import roofline_s

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Memory:
    """Where the memory of one accelerator goes. [bytes]"""

    usable: Column
    weights: Column
    activations: Column
    pool: Column
    per_sequence: Column
    """KV cache and state of one sequence on one rank, at the tokens it typically holds."""
    fits: NDArray[np.bool_]
    """Weights and at least one whole request fit."""
    most_running: Column
    """Sequences one replica can run at once; at least 1 where it fits at all."""


@dataclass(frozen=True)
class Part:
    """One named share of a pass. [s]"""

    seconds: Column
    kind: str
    """roofline, interconnect or host."""
    moved_bytes: Column | None = None
    moving_s: Column | None = None
    """Of a roofline part: the time to move its bytes at the achievable rate."""
    flop: Column | None = None
    computing_s: Column | None = None
    """Of a roofline part: the time to compute at the achievable rate."""


def roofline_part(moved: Column, flop: Column, bytes_per_s: Column, flop_per_s: Column, sharpness: Column) -> Part:
    seconds = roofline_s(moved_bytes=moved, flop=flop, bytes_per_s=bytes_per_s, flop_per_s=flop_per_s, sharpness=sharpness)
    return Part(seconds, "roofline", moved, moved / bytes_per_s, flop, flop / flop_per_s)


def moved_bytes(terms: dict[str, Part]) -> Column:
    parts = [part.moved_bytes for part in terms.values() if part.moved_bytes is not None]
    return np.asarray(sum(parts[1:], parts[0]))


def total_s(terms: dict[str, Part]) -> Column:
    parts = iter(terms.values())
    total = next(parts).seconds
    for part in parts:
        total = total + part.seconds
    return total
