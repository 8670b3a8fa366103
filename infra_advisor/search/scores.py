"""How far predictions lie from measurements: errors, bias, coverage of bands, and whether the order is right."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from infra_advisor.facts.evidence import Measurement
from infra_advisor.search.deployments import Column
from infra_advisor.search.operating import Point

CLASSES = {
    "gpu-serving": "data-centre GPUs, serving under a closed load",
    "gpu-serving-gaps": "data-centre GPUs, serving, only the median gap between tokens measured",
    "gpu-batch": "data-centre GPUs, static batches and offline runs",
    "gpu-open": "data-centre GPUs, open arrivals",
    "gpu-saturated": "data-centre GPUs, more requests than run at once",
    "gpu-local": "data-centre GPUs under local engines",
    "inference-chip": "inference chips",
    "edge": "edge devices and processors, one stream",
    "edge-parallel": "edge devices and processors, several streams",
}
CLEARLY_APART = 0.10
"""Throughputs per chip closer than this are a draw."""


def class_of(row: Measurement, point: Point) -> str:
    """The class a row is scored in."""
    chip = point.subject.chip
    if chip.device_class == "datacenter-gpu":
        if point.subject.engine_kind == "local":
            return "gpu-local"
        if "saturated" in row.flags:
            return "gpu-saturated"
        if point.mode == "closed-loop" and row.ttft_s is None and row.tpot_s_mean is None and row.tpot_s_p50 is not None:
            return "gpu-serving-gaps"
        return {"closed-loop": "gpu-serving", "open-loop": "gpu-open"}.get(point.mode, "gpu-batch")
    if chip.device_class in ("inference-chip", "hosted-only"):
        return "inference-chip"
    return "edge" if point.concurrency == 1.0 else "edge-parallel"


@dataclass(frozen=True)
class Score:
    """Errors of one metric over some rows; shares, not percent."""

    rows: int
    median: float
    """Median of |predicted / measured - 1|."""
    p90: float
    bias: float
    """Median of predicted / measured."""
    coverage: float | None
    """Share of the measurements inside their 90 % band; None where no band was calibrated."""
    width: float | None
    """Median of sqrt(high / low): x1.5 means from 1/1.5 to 1.5 times the middle."""


def score(predicted: Column, measured: Column, low: Column | None = None, high: Column | None = None) -> Score | None:
    """The score of logarithms; rows with a nan on either side are left out; None where none is left."""
    known = np.isfinite(predicted) & np.isfinite(measured)
    if not known.any():
        return None
    away = predicted[known] - measured[known]
    errors = np.abs(np.exp(away) - 1.0)
    coverage = width = None
    if low is not None and high is not None:
        banded = known & np.isfinite(low) & np.isfinite(high)
        if banded.any():
            coverage = float(np.mean((measured >= low)[banded] & (measured <= high)[banded]))
            width = float(np.median(np.exp((high - low)[banded] / 2.0)))
    return Score(
        int(known.sum()), float(np.median(errors)), float(np.percentile(errors, 90)), float(np.exp(np.median(away))), coverage, width
    )


def tau_within(groups: Sequence[str], predicted: Column, measured: Column, *, least: int = 8) -> float | None:
    """Mean Kendall tau inside groups such as models, weighted by their rows; None where no group has enough rows.

    Of one group: pairs in the same order less pairs in the opposite one, over all that are decided.
    """
    names = np.asarray(groups)
    total, weight = 0.0, 0
    for name in np.unique(names):
        index = np.flatnonzero((names == name) & np.isfinite(predicted) & np.isfinite(measured))
        if len(index) < least:
            continue
        tau = _tau(predicted[index], measured[index])
        if tau is not None:
            total, weight = total + tau * len(index), weight + len(index)
    return total / weight if weight else None


def _tau(predicted: Column, measured: Column) -> float | None:
    signs = np.sign(predicted[:, None] - predicted[None, :]) * np.sign(measured[:, None] - measured[None, :])
    upper = signs[np.triu_indices(len(predicted), 1)]
    decided = np.count_nonzero(upper)
    return float(upper.sum() / decided) if decided else None


def right_order(same: Sequence[str], kinds: Sequence[str], predicted: Column, measured: Column) -> tuple[int, int]:
    """(pairs in the right order, pairs): rows alike in `same` (model, lengths, load) on different hardware, clearly apart as measured.

    `predicted`, `measured`: logarithms of throughput per chip.
    """
    together: dict[str, list[int]] = {}
    for place, name in enumerate(same):
        if math.isfinite(predicted[place]) and math.isfinite(measured[place]):
            together.setdefault(name, []).append(place)
    right = pairs = 0
    for places in together.values():
        for first, second in combinations(places, 2):
            apart = measured[first] - measured[second]
            if kinds[first] == kinds[second] or abs(apart) < math.log1p(CLEARLY_APART):
                continue
            pairs += 1
            right += (predicted[first] - predicted[second]) * apart > 0
    return right, pairs
