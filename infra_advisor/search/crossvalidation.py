"""Predictions of rows that the fit did not see: whole chips, whole models, whole series left out, each with a nested error band.

For every group left out the family is fitted again without it. The band each row is scored with comes from residuals of other groups
that were predicted without themselves *and* without the group being scored, so neither its parameters nor its calibration saw it.
The inner fits are single Gauss-Newton steps with linear predictions, the outer ones run the fit itself.
"""

import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra_advisor.search.calibrate import FittedFamily, Mask, by_metric, corrected, full_table, prepare
from infra_advisor.search.conformal import Interval, band
from infra_advisor.search.deployments import Column
from infra_advisor.search.fitting import FamilyFit, Solution, leave_out_steps
from infra_advisor.search.observations import METRICS, Observed
from infra_advisor.search.priors import Priors

SCHEMES: Mapping[str, str] = {
    "point": "a tenth of the points, at random",
    "series": "whole series (chip, model, engine, format and layout), a tenth at a time",
    "chip": "whole chips",
    "model": "whole models",
}
LEAST_ROWS = 20
"""Groups with fewer rows are left out several at a time."""
SMALL_FOLDS, RANDOM_FOLDS, INNER_FOLDS = 5, 10, 5
OUTER_STEPS = 2
SEED = 20_261_122


@dataclass(frozen=True)
class HeldOut:
    """One family under one scheme; arrays have one position per row of the family."""

    family: str
    scheme: str
    group: Sequence[str]
    """What each row was left out with."""
    logs: Mapping[str, Column]
    """Metric -> logarithm of the prediction without the row's group; nan where it was never left out."""
    low: Mapping[str, Column]
    """Metric -> logarithm of the lower end of the nested band; nan where too little was left to calibrate it."""
    high: Mapping[str, Column]


def groups_of(observed: Observed, scheme: str) -> list[str]:
    """What is left out together."""
    if scheme == "point":
        return [str(place % RANDOM_FOLDS) for place in np.random.default_rng(SEED).permutation(len(observed))]
    if scheme == "series":
        return list(observed.series)
    return [traits[scheme] for traits in observed.traits]


def folds(groups: Sequence[str], scheme: str) -> list[tuple[str, ...]]:
    """Groups that are left out at once."""
    names, counts = np.unique(groups, return_counts=True)
    if scheme in ("series", "point"):
        order = np.random.default_rng(SEED).permutation(len(names))
        return [fold for k in range(RANDOM_FOLDS) if (fold := tuple(str(names[place]) for place in order[k::RANDOM_FOLDS]))]
    large = [(str(name),) for name, count in zip(names, counts, strict=True) if count >= LEAST_ROWS]
    small = [str(name) for name, count in zip(names, counts, strict=True) if count < LEAST_ROWS]
    return large + [fold for k in range(SMALL_FOLDS) if (fold := tuple(small[k::SMALL_FOLDS]))]


def held_out(priors: Priors, observed: Observed, families: Mapping[str, FittedFamily], name: str, scheme: str) -> HeldOut:
    """All rows of a family, each predicted by a fit that did not see its group."""
    family = families[name]
    own = family.fit.observed
    group = groups_of(own, scheme)
    every = np.array(group)
    shared = groups_of(observed, scheme) if scheme == "model" else None
    count = len(own)
    logs, low, high = ({metric: np.full(count, np.nan) for metric in METRICS} for _ in range(3))
    for fold in folds(group, scheme):
        out = np.isin(every, fold)
        parents = dict(families)
        if shared is not None and priors.families[name].parent:
            parents = _parents_without(priors, observed, families, priors.families[name].parent, np.isin(shared, fold))
        fit, solution = _refit(priors, observed, family, families, parents, ~out)
        predicted, bands = _score(priors, family, fit, solution, out, every, scheme)
        for metric in METRICS:
            logs[metric][out] = predicted[metric][out]
            if found := bands[metric]:
                low[metric][out] = predicted[metric][out] + np.log(found[0])
                high[metric][out] = predicted[metric][out] + np.log(found[1])
    return HeldOut(name, scheme, group, logs, low, high)


def _refit(
    priors: Priors,
    observed: Observed,
    family: FittedFamily,
    families: Mapping[str, FittedFamily],
    parents: Mapping[str, FittedFamily],
    kept: Mask,
) -> tuple[FamilyFit, Solution]:
    """One family without some rows. `parents`: the families it may start from, where they differ from those of the whole fit."""
    fit, parent = family.fit, priors.families[family.name].parent
    if parent is not None and parents[parent] is not families[parent]:
        fit = prepare(priors, family.name, observed, family.places, parents, replay=family.fit.replay)[0]
    used = family.used & kept
    return fit, fit.fit(used, start=family.solution, iterations=OUTER_STEPS) if used.any() else fit.start


def _parents_without(
    priors: Priors, observed: Observed, families: Mapping[str, FittedFamily], name: str | None, out: Mask
) -> dict[str, FittedFamily]:
    """The families again, the parent (and its parents) fitted without some rows."""
    found = dict(families)
    if name is None:
        return found
    parent = families[name]
    found |= _parents_without(priors, observed, families, priors.families[name].parent, out)
    kept = ~out[parent.places]
    if kept.all():
        return found
    fit, solution = _refit(priors, observed, parent, families, found, kept)
    found[name] = FittedFamily(name, fit, solution, (), parent.places, parent.used & kept)
    return found


def _score(
    priors: Priors, family: FittedFamily, fit: FamilyFit, solution: Solution, out: Mask, group: NDArray[np.str_], scheme: str
) -> tuple[dict[str, Column], dict[str, Interval | None]]:
    """Predictions of the rows left out, and the bands that other rows calibrate for them."""
    prior, used = priors.families[family.name], family.used & ~out
    fixes = corrected(prior, fit, solution, used) if used.any() else ()
    inside = _inside(fit.observed, used)
    logs = by_metric(fit.logs(full_table(family, solution, fixes, inside=inside, fit=fit)))
    if not used.any():
        return logs, dict.fromkeys(METRICS)
    residuals = {metric: np.full(len(out), np.nan) for metric in METRICS}
    inner = _inner_folds(sorted(set(group[~out])))
    for fold, step in zip(inner, leave_out_steps(fit, solution, used, [np.isin(group, fold) for fold in inner]), strict=True):
        rows = np.isin(group, fold) & ~out
        taught = used & ~rows
        inner_fixes = corrected(prior, fit, step.solution, taught) if prior.corrections and scheme not in ("chip", "model") else ()
        whole = by_metric(step.logs)
        for fix in inner_fixes:
            seen = _inside(fit.observed, taught)
            shift = np.where(seen, [fix.of(traits) for traits in fit.observed.traits], 0.0)
            for metric, sign in (
                (("tpot", 1.0), ("throughput", -1.0)) if fix.factor == "tpot_factor" else (("ttft", 1.0), ("prefill", -1.0))
            ):
                whole[metric] = whole[metric] + sign * shift
        for metric in METRICS:
            residuals[metric][rows] = fit.observed.reported[metric][rows] - whole[metric][rows]
    return logs, {metric: band(residuals[metric][~out & family.used], list(group[~out & family.used])) for metric in METRICS}


def _inside(observed: Observed, used: Mask) -> Mask:
    """Rows whose chip and model are both among the rows used."""
    chips = {traits["chip"] for traits, taught in zip(observed.traits, used, strict=True) if taught}
    models = {traits["model"] for traits, taught in zip(observed.traits, used, strict=True) if taught}
    return np.array([traits["chip"] in chips and traits["model"] in models for traits in observed.traits], dtype=bool)


def _inner_folds(names: Sequence[str]) -> list[tuple[str, ...]]:
    order = np.random.default_rng(SEED).permutation(len(names))
    return [fold for k in range(INNER_FOLDS) if (fold := tuple(names[place] for place in order[k::INNER_FOLDS]))]


# -- all of them, on as many processes as there are

_shared: tuple[Priors, Observed, Mapping[str, FittedFamily]] | None = None


def _task(which: tuple[str, str]) -> HeldOut:
    assert _shared is not None
    return held_out(*_shared, *which)


def cross_validate(
    priors: Priors, observed: Observed, families: Mapping[str, FittedFamily], schemes: Sequence[str], *, processes: int = 1
) -> Iterator[HeldOut]:
    """Every family under every scheme, in a fixed order."""
    global _shared
    _shared = priors, observed, families
    tasks = [(name, scheme) for name, family in families.items() if family.used.any() for scheme in schemes]
    if processes > 1 and "fork" in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context("fork").Pool(processes) as pool:
            yield from pool.imap(_task, tasks)
    else:
        yield from map(_task, tasks)
