"""From measurements to parameters: families fitted one after another, physics first, then corrections of whole times."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra_advisor.facts.deviations import Deviation
from infra_advisor.search.binding import from_scale
from infra_advisor.search.calibration import selected
from infra_advisor.search.corrections import Corrections, corrections
from infra_advisor.search.deployments import Column
from infra_advisor.search.fitting import FamilyFit, Solution
from infra_advisor.search.observations import METRICS, Observed
from infra_advisor.search.priors import FamilyPrior, Priors
from infra_advisor.search.replay import Replay
from infra_advisor.search.scale import EFFICIENCIES, FACTORS, to_scale

Mask = NDArray[np.bool_]
LEAST_OFFSET = 2e-3
"""Smaller ones make no difference and are not written."""


@dataclass(frozen=True)
class FittedFamily:
    """One family after the fit."""

    name: str
    fit: FamilyFit
    solution: Solution
    corrections: tuple[Corrections, ...]
    places: NDArray[np.intp]
    """Of its rows among all that were observed."""
    used: Mask
    """Which of them were fitted; the others are only predicted."""

    @property
    def values(self) -> dict[str, float]:
        """Base values of every efficiency but the factors."""
        base = self.solution.base
        return {name: float(from_scale(name, base[place : place + 1])[0]) for place, name in enumerate(EFFICIENCIES) if name not in FACTORS}

    @property
    def offsets(self) -> dict[tuple[str, str, str], float]:
        """Offset by (group, member, efficiency), corrections apart."""
        return {
            (term.group, member, term.parameter): float(self.solution.offsets[term.start + number])
            for term in self.fit.terms
            for number, member in enumerate(term.members)
        }


def family_of(priors: Priors, observed: Observed) -> list[str | None]:
    """The family that speaks of each row."""
    found: list[str | None] = []
    for point in observed.points:
        subject = point.subject
        chip = subject.chip
        found.append(
            selected(
                priors.families,
                engine_kind=subject.engine_kind,
                vendor=chip.vendor,
                device_class=chip.device_class,
                kind=chip.kind,
                mode=point.mode,
            )
        )
    return found


def prepare(
    priors: Priors,
    name: str,
    observed: Observed,
    places: NDArray[np.intp],
    parents: Mapping[str, FittedFamily],
    *,
    replay: Replay | None = None,
) -> tuple[FamilyFit, Mask]:
    """The fit of one family, ready to run, and which of its rows it may use. `replay`: of its rows, where there is one already."""
    prior = priors.families[name]
    own = observed.take(places)
    parent = parents.get(prior.parent or "")
    base = np.zeros(len(EFFICIENCIES)) if parent is None else parent.solution.base.copy()
    for efficiency, value in prior.values.items():
        base[EFFICIENCIES.index(efficiency)] = to_scale(efficiency, value)
    fit = FamilyFit(
        own,
        replay or (Replay(own.points, priors.defaults) if len(own) else None),
        base=base,
        width=prior.width,
        weight=prior.weight,
        deviations=[(name_, one.by, one.width) for one in prior.deviations for name_ in one.of],
        believed={} if parent is None else parent.offsets,
    )
    return fit, usable(prior, priors, own)


def usable(prior: FamilyPrior, priors: Priors, observed: Observed) -> Mask:
    """Rows that teach: of the ways of loading that are fitted, not saturated, not of a series that is left out."""
    return np.array(
        [
            point.mode in prior.fit_modes
            and "saturated" not in row.flags
            and not any(series.startswith(begin) for begin in priors.left_out)
            for row, point, series in zip(observed.rows, observed.points, observed.series, strict=True)
        ],
        dtype=bool,
    )


def corrected(prior: FamilyPrior, fit: FamilyFit, solution: Solution, used: Mask) -> tuple[Corrections, ...]:
    """Corrections of both times, from the rows `used`."""
    logs = by_metric(fit.logs(fit.table(solution)))
    return tuple(corrections(fit.observed, logs, factor, prior.corrections, used) for factor in FACTORS)


def by_metric(logs: Column) -> dict[str, Column]:
    """Predictions that stand metric after metric, apart."""
    count = len(logs) // len(METRICS)
    return {name: logs[number * count : (number + 1) * count] for number, name in enumerate(METRICS)}


def fit_all(priors: Priors, observed: Observed) -> Iterator[FittedFamily]:
    """Every family, parents before children."""
    names = np.array([name or "" for name in family_of(priors, observed)])
    done: dict[str, FittedFamily] = {}
    for name, prior in priors.families.items():
        places = np.flatnonzero(names == name)
        fit, used = prepare(priors, name, observed, places, done)
        solution = fit.fit(used) if used.any() else fit.start
        fixes = corrected(prior, fit, solution, used) if used.any() else ()
        done[name] = FittedFamily(name, fit, solution, fixes, places, used)
        yield done[name]


def full_table(
    family: FittedFamily, solution: Solution, fixes: Sequence[Corrections], *, inside: Mask | None = None, fit: FamilyFit | None = None
) -> Column:
    """Efficiencies of every row with corrections; these only where `inside` (chip and model were measured), all rows by default."""
    table = (fit or family.fit).table(solution)
    for fix in fixes:
        place = EFFICIENCIES.index(fix.factor)
        values = np.array([fix.of(traits) for traits in family.fit.observed.traits])
        table[:, place] += values if inside is None else np.where(inside, values, 0.0)
    return table


def deviations_of(family: FittedFamily) -> list[Deviation]:
    """The offsets of a fitted family as rows of the table; members that were not fitted are left out."""
    found = []
    for term in family.fit.terms:
        counts = np.bincount(term.member_of[family.used], minlength=len(term.members))
        for number, member in enumerate(term.members):
            offset = float(family.solution.offsets[term.start + number])
            if abs(offset) >= LEAST_OFFSET:
                found.append(Deviation(family.name, term.group, member, term.parameter, round(offset, 4), int(counts[number])))
    for fix in family.corrections:
        for (group, member), offset in fix.offsets.items():
            if abs(offset) >= LEAST_OFFSET:
                found.append(Deviation(family.name, group, member, fix.factor, round(offset, 4), fix.rows[group, member]))
    # an offset of nothing still says that its member was measured, on which grades and bands rest
    known = {(one.group, one.member) for one in found}
    for group in ("chip", "model", "combination"):
        members: dict[str, int] = {}
        for traits, used in zip(family.fit.observed.traits, family.used, strict=True):
            if used:
                members[traits[group]] = members.get(traits[group], 0) + 1
        found += [
            Deviation(family.name, group, name, FACTORS[1], 0.0, rows) for name, rows in members.items() if (group, name) not in known
        ]
    return found
