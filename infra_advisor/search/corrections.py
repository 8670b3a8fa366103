"""Corrections of whole times, for chips and models that were measured: what is left over once the physics has explained what it can.

Each group (a chip and an engine, a model, a combination ...) gets one factor, drawn towards 1: the best linear prediction of a random
effect. A group with few points keeps most of its prior, so a single odd run moves little.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra_advisor.search.deployments import Column
from infra_advisor.search.observations import Observed

NOISE = {"tpot_factor": 0.15, "ttft_factor": 0.3}
"""Error of a single row, in log, around what its groups explain."""
OUTLIER = 2.0
"""Multiples of the noise beyond which a row counts less."""
TTFT_WIDER = 2.0
"""First-token times scatter more, and so do their groups."""
ROUNDS = 3


@dataclass(frozen=True)
class Corrections:
    """Offsets, in log, of one factor by (group, member)."""

    factor: str
    offsets: Mapping[tuple[str, str], float]
    rows: Mapping[tuple[str, str], int]

    def of(self, traits: Mapping[str, str]) -> float:
        """Sum over the groups of a row."""
        return sum(self.offsets.get((group, member), 0.0) for group, member in traits.items())


def left_over(observed: Observed, logs: Mapping[str, Column], factor: str) -> Column:
    """Measured over predicted time, in log; nan where the row does not tell. Rates count as times, turned over."""
    measured = observed.measured
    if factor == "tpot_factor":
        times, rates = measured["tpot"] - logs["tpot"], logs["throughput"] - measured["throughput"]
    else:
        times, rates = measured["ttft"] - logs["ttft"], logs["prefill"] - measured["prefill"]
        rates = np.where(np.isnan(rates), logs["throughput"] - measured["throughput"], rates)
    return np.where(np.isnan(times), rates, times)


def corrections(
    observed: Observed, logs: Mapping[str, Column], factor: str, widths: Mapping[str, float], used: NDArray[np.bool_] | None = None
) -> Corrections:
    """The factors of all groups that explain what is left over in the rows `used`."""
    left = left_over(observed, logs, factor)
    index = np.flatnonzero(np.isfinite(left) & (np.ones(len(left), dtype=bool) if used is None else used))
    rows = [observed.traits[int(k)] for k in index]
    if not len(index) or not widths:
        return Corrections(factor, {}, {})
    names: list[tuple[str, str]] = []
    places, precision, start = [], [], 0
    for group, width in widths.items():
        members, member_of = np.unique(np.array([traits[group] for traits in rows]), return_inverse=True)
        names += [(group, str(member)) for member in members]
        places.append(start + member_of)
        precision.append(np.full(len(members), (width * (TTFT_WIDER if factor == "ttft_factor" else 1.0)) ** -2.0))
        start += len(members)
    design = np.zeros((len(index), start))
    for place in places:
        design[np.arange(len(index)), place] = 1.0
    weights = observed.weights[index] / np.median(observed.weights[index])
    found: Column = np.zeros(start)
    unexplained = left[index]
    for _ in range(ROUNDS):
        trust = weights / NOISE[factor] ** 2 / np.sqrt(1.0 + (unexplained / (OUTLIER * NOISE[factor])) ** 2)
        normal = (design * trust[:, None]).T @ design
        normal[np.diag_indices_from(normal)] += np.concatenate(precision)
        found = np.asarray(np.linalg.solve(normal, design.T @ (trust * left[index])), dtype=np.float64)
        unexplained = left[index] - design @ found
    counts = design.sum(axis=0)
    return Corrections(
        factor,
        {name: float(value) for name, value in zip(names, found, strict=True)},
        {name: int(count) for name, count in zip(names, counts, strict=True)},
    )
