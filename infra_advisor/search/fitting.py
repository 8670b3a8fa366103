"""The fit of one family: base efficiencies and deviations that explain what was measured, drawn towards what was believed before.

Maximum a posteriori: a robust loss on logarithms (pseudo-Huber) plus Gaussian priors. A deviation moves an efficiency in some rows as a
change of the base value would in all, so its derivative is that of the base value, masked; hence a few forward passes give the
derivatives of hundreds of deviations, which a general optimiser would take one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra_advisor.search.binding import from_scaled
from infra_advisor.search.deployments import Column
from infra_advisor.search.observations import METRICS, TTFT_WEIGHT, Observed, predicted
from infra_advisor.search.replay import Replay
from infra_advisor.search.scale import EFFICIENCIES, FACTORS

SPREAD = {"tpot": 0.12, "ttft": 0.25, "prefill": 0.2, "throughput": 0.12}
"""Error, in log, beyond which a row counts as an outlier."""
STEP = 1e-3
LARGEST_MOVE = 1.5
CONVERGED = 2e-3
"""Share of the cost by which an iteration must improve."""
FITTED = tuple(place for place, name in enumerate(EFFICIENCIES) if name not in FACTORS)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Term:
    """Deviations of one efficiency by the members of one group."""

    group: str
    parameter: str
    width: float
    members: tuple[str, ...]
    member_of: NDArray[np.intp]
    """Row -> member."""
    start: int
    """Place of the first member among all deviations."""


@dataclass(frozen=True)
class Solution:
    """Fitted values on the scale of deviations."""

    base: Column
    """In the order of `EFFICIENCIES`; factors are 0."""
    offsets: Column
    """Of all terms, one after another."""


class FamilyFit:
    """The rows of one family and everything about them that does not depend on the values to be found."""

    def __init__(
        self,
        observed: Observed,
        replay: Replay | None,
        *,
        base: Column,
        width: float,
        weight: float,
        deviations: Sequence[tuple[str, str, float]],
        believed: dict[tuple[str, str, str], float],
    ) -> None:
        """`replay`: None where there are no rows. `base`: prior means on the scale of deviations.

        `deviations`: (parameter, group, width). `believed`: prior means of offsets by (group, member, parameter), where another
        family has found them.
        """
        self.observed, self.replay = observed, replay
        self.base, self.width = base, width
        self.terms = _terms(observed, deviations)
        self.offset_count = self.terms[-1].start + len(self.terms[-1].members) if self.terms else 0
        self.believed = np.array(
            [believed.get((term.group, member, term.parameter), 0.0) for term in self.terms for member in term.members], dtype=float
        )
        count = len(observed)
        self._row = np.concatenate([np.arange(count)] * len(METRICS))
        self._measured = np.concatenate([observed.measured[name] for name in METRICS])
        self._spread = np.repeat([SPREAD[name] for name in METRICS], count)
        scaled = observed.weights / np.median(observed.weights) * weight if count else observed.weights
        self._weight = np.concatenate([scaled * (TTFT_WEIGHT if name == "ttft" else 1.0) for name in METRICS])
        self._precision = np.concatenate(
            [np.full(len(FITTED), width**-2.0), *(np.full(len(term.members), term.width**-2.0) for term in self.terms)]
        )

    @property
    def start(self) -> Solution:
        """The prior."""
        return Solution(self.base.copy(), self.believed.copy())

    def table(self, found: Solution) -> Column:
        """Efficiencies of every row on the scale of deviations."""
        table = np.tile(found.base, (len(self.observed), 1))
        for term in self.terms:
            table[:, EFFICIENCIES.index(term.parameter)] += found.offsets[term.start + term.member_of]
        return table

    def logs(self, table: Column) -> Column:
        """Logarithms of the predictions, metric after metric."""
        if self.replay is None:
            return np.zeros(0)
        figures = predicted(self.replay.predict(from_scaled(table)))
        return np.concatenate([figures[name] for name in METRICS])

    def fit(self, used: Mask | None = None, *, start: Solution | None = None, iterations: int = 16) -> Solution:
        """The values that explain the rows `used` (all by default)."""
        wanted = np.isfinite(self._measured)
        if used is not None:
            wanted &= used[self._row]
        index = np.flatnonzero(wanted)
        if not len(index):
            return self.start
        problem = _Problem(self, index)
        found = start or self.start
        cost, residual = problem.cost(found)
        damping = 1e-3
        for _ in range(iterations):
            jacobian = problem.jacobian(found)
            hessian, gradient = problem.normal(jacobian, residual, found)
            better = None
            for _ in range(6):
                damped = hessian.copy()
                damped[np.diag_indices_from(damped)] *= 1.0 + damping
                move = np.clip(np.linalg.solve(damped, -gradient), -LARGEST_MOVE, LARGEST_MOVE)
                better = moved(found, move)
                new_cost, new_residual = problem.cost(better)
                if new_cost < cost:
                    break
                damping *= 10.0
            else:
                break
            gain, cost, residual, found = cost - new_cost, new_cost, new_residual, better
            damping = max(damping / 5.0, 1e-6)
            if gain < CONVERGED * cost:
                break
        return found


class _Problem:
    """The fit over some of the measured figures."""

    def __init__(self, fit: FamilyFit, index: NDArray[np.intp]) -> None:
        self.fit, self.index = fit, index
        self.rows = fit._row[index]
        self.spread, self.weight, self.measured = fit._spread[index], fit._weight[index], fit._measured[index]

    def cost(self, found: Solution) -> tuple[float, Column]:
        residual = (self.fit.logs(self.fit.table(found))[self.index] - self.measured) / self.spread
        away = self.away(found)
        loss = self.weight * 2.0 * (np.sqrt(1.0 + residual**2) - 1.0)
        return float(loss.sum() + (self.fit._precision * away**2).sum()), residual

    def away(self, found: Solution) -> Column:
        fit = self.fit
        return np.concatenate([(found.base - fit.base)[list(FITTED)], found.offsets - fit.believed])

    def jacobian(self, found: Solution) -> Column:
        fit, table = self.fit, self.fit.table(found)
        here = fit.logs(table)[self.index]
        slopes = {}
        for place, name in enumerate(EFFICIENCIES):
            nudged = table.copy()
            nudged[:, place] += STEP
            if place in FITTED or any(term.parameter == name for term in fit.terms):
                slopes[name] = (fit.logs(nudged)[self.index] - here) / STEP / self.spread
        jacobian = np.zeros((len(self.index), len(FITTED) + fit.offset_count))
        for column, place in enumerate(FITTED):
            jacobian[:, column] = slopes[EFFICIENCIES[place]]
        every = np.arange(len(self.index))
        for term in fit.terms:
            jacobian[every, len(FITTED) + term.start + term.member_of[self.rows]] = slopes[term.parameter]
        return jacobian

    def normal(self, jacobian: Column, residual: Column, found: Solution) -> tuple[Column, Column]:
        weight = self.weight / np.sqrt(1.0 + residual**2)
        weighted = jacobian * weight[:, None]
        hessian = weighted.T @ jacobian
        hessian[np.diag_indices_from(hessian)] += self.fit._precision
        gradient = weighted.T @ residual + self.fit._precision * self.away(found)
        return hessian, gradient


@dataclass(frozen=True)
class Step:
    """A solution near another, with predictions extrapolated along the derivatives."""

    solution: Solution
    logs: Column


def leave_out_steps(fit: FamilyFit, found: Solution, used: Mask, groups: Sequence[Mask]) -> list[Step]:
    """For each group of rows: one Gauss-Newton step away from `found` by the rows `used` without the group."""
    index = np.flatnonzero(np.isfinite(fit._measured) & used[fit._row])
    problem = _Problem(fit, index)
    logs = fit.logs(fit.table(found))
    every = _Problem(fit, np.arange(len(fit._row))).jacobian(found)
    slopes, jacobian = every * fit._spread[:, None], every[index]
    residual = (logs[index] - problem.measured) / problem.spread
    weight = problem.weight / np.sqrt(1.0 + residual**2)
    away = fit._precision * problem.away(found)
    steps = []
    for group in groups:
        kept = np.where(group[problem.rows], 0.0, weight)
        hessian = (jacobian * kept[:, None]).T @ jacobian
        hessian[np.diag_indices_from(hessian)] += fit._precision
        move = np.clip(np.linalg.solve(hessian, -(jacobian.T @ (kept * residual) + away)), -LARGEST_MOVE, LARGEST_MOVE)
        steps.append(Step(moved(found, move), logs + slopes @ move))
    return steps


def moved(found: Solution, move: Column) -> Solution:
    """The solution after a step."""
    base = found.base.copy()
    base[list(FITTED)] += move[: len(FITTED)]
    return Solution(base, found.offsets + move[len(FITTED) :])


def _terms(observed: Observed, deviations: Sequence[tuple[str, str, float]]) -> list[Term]:
    terms: list[Term] = []
    start = 0
    if not len(observed):
        return terms
    for parameter, group, width in deviations:
        names, member_of = np.unique([traits[group] for traits in observed.traits], return_inverse=True)
        terms.append(Term(group, parameter, width, tuple(str(name) for name in names), member_of.astype(np.intp), start))
        start += len(names)
    return terms
