"""Error bands from residuals of rows that the fit did not see: split conformal, by group."""

import math
from collections.abc import Sequence

import numpy as np

from infra_advisor.search.deployments import Column

COVERAGE = 0.9
LEAST_RESIDUALS, LEAST_GROUPS = 30, 3
"""Fewer say too little about the tails."""
GROUP_POWER = -0.5
"""Weight of a residual falls with the rows of its group: a sweep of hundreds is not hundreds of chips."""

Interval = tuple[float, float]


def band(residuals: Column, groups: Sequence[str], *, coverage: float = COVERAGE) -> Interval | None:
    """Factors on a prediction between which `coverage` of the measurements lie; None where there are too few.

    `residuals`: measured over predicted, in log; `groups`: what was left out together. Always contains 1.
    """
    known = np.isfinite(residuals)
    names = np.asarray(groups)[known]
    left = residuals[known]
    members, member_of, counts = np.unique(names, return_inverse=True, return_counts=True)
    if len(left) < LEAST_RESIDUALS or len(members) < LEAST_GROUPS:
        return None
    weights = counts[member_of].astype(float) ** GROUP_POWER
    tail = (1.0 - coverage) / 2.0
    low, high = (_weighted_quantile(left, weights, quantile) for quantile in (tail, 1.0 - tail))
    return min(math.exp(low), 1.0), max(math.exp(high), 1.0)


def _weighted_quantile(values: Column, weights: Column, quantile: float) -> float:
    order = np.argsort(values, kind="stable")
    reached = (np.cumsum(weights[order]) - weights[order] / 2.0) / weights.sum()
    return float(np.interp(quantile, reached, values[order]))


def wider(one: Interval, other: Interval) -> Interval:
    """The interval that contains both."""
    return min(one[0], other[0]), max(one[1], other[1])


def combined(one: Interval, other: Interval) -> Interval:
    """Two independent errors at once: their logarithms add in quadrature."""
    low = -math.hypot(math.log(one[0]), math.log(other[0]))
    high = math.hypot(math.log(one[1]), math.log(other[1]))
    return math.exp(low), math.exp(high)
