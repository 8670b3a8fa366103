"""What each group of terms of the fit is worth: families fitted again without it, and scored on what the fit did not see.

    OPENBLAS_NUM_THREADS=1 python benchmarks/ablation.py [--family NAME ...] [--scheme NAME ...]

Writes docs/ablation.csv, which the page docs/reference/accuracy.md shows. Run by hand: it takes tens of minutes.
"""

import os

# Before numpy is loaded: the matrices are small, and threads that wait for one another make it several times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infra_advisor.advice.calibration import Material, material
from infra_advisor.facts.catalog import load
from infra_advisor.search.calibrate import FittedFamily, corrected, family_of, prepare
from infra_advisor.search.crossvalidation import held_out
from infra_advisor.search.document import accuracy_of
from infra_advisor.search.observations import Observed
from infra_advisor.search.priors import Deviating, FamilyPrior, Priors

TABLE = Path(__file__).resolve().parent.parent / "docs" / "ablation.csv"
COLUMNS = ("formulation", "class", "scheme", "metric", "median")
CLASS_OF = {"serving-nvidia": "gpu-serving", "local": "edge"}
"""Families that have no parent, so that each can be fitted alone, and the class of rows that each is scored on."""
SCHEMES = ("series", "chip", "model")
METRICS = ("tpot", "ttft", "throughput")
KINDS = frozenset(("mixer", "width", "kind"))
START_TERMS = {"burst_share": 1e-6, "frontend_sequence_s": 1e-9}
"""So small that they make no difference, and that a fit cannot tell in which direction to move them."""
LESS_WEIGHT = 0.2

Change = Callable[[FamilyPrior], FamilyPrior]


def _without(prior: FamilyPrior, drop: Callable[[Deviating], bool]) -> FamilyPrior:
    return prior.model_copy(update={"deviations": tuple(one for one in prior.deviations if not drop(one))})


def _no_start_terms(prior: FamilyPrior) -> FamilyPrior:
    kept = [one.model_copy(update={"of": tuple(name for name in one.of if name not in START_TERMS)}) for one in prior.deviations]
    return prior.model_copy(update={"deviations": tuple(one for one in kept if one.of), "values": {**prior.values, **START_TERMS}})


FORMULATIONS: dict[str, Change] = {
    "full": lambda prior: prior,
    "no deviations by engine": lambda prior: _without(prior, lambda one: one.by == "engine"),
    "no deviations by mixer, width and kind": lambda prior: _without(prior, lambda one: one.by in KINDS),
    "no corrections of whole times": lambda prior: prior.model_copy(update={"corrections": {}}),
    "no burst and no handling per request in flight": _no_start_terms,
    "evidence at a fifth of its weight": lambda prior: prior.model_copy(update={"weight": prior.weight * LESS_WEIGHT}),
}


@dataclass(frozen=True)
class Line:
    """One row of the table; the median error is a share."""

    formulation: str
    device_class: str
    scheme: str
    metric: str
    median: float


def alone(found: Material, name: str) -> Observed:
    """The rows of one family."""
    families = np.array([family or "" for family in family_of(found.priors, found.observed)])
    return found.observed.take(np.flatnonzero(families == name))


def fitted(priors: Priors, name: str, observed: Observed, base: FittedFamily | None) -> FittedFamily:
    """One family on its own; `base`: a fit of the same rows, whose layers and loads need not be worked out again."""
    places = np.arange(len(observed))
    fit, used = prepare(priors, name, observed, places, {}, replay=base.fit.replay if base else None)
    solution = fit.fit(used)
    return FittedFamily(name, fit, solution, corrected(priors.families[name], fit, solution, used), places, used)


def lines(found: Material, name: str, schemes: Sequence[str]) -> Iterator[Line]:
    """Errors of every formulation of one family."""
    observed, base = alone(found, name), None
    for formulation, change in FORMULATIONS.items():
        prior = change(found.priors.families[name])
        if formulation != "full" and prior == found.priors.families[name]:
            continue
        priors = found.priors.model_copy(update={"families": {**found.priors.families, name: prior}})
        family = fitted(priors, name, observed, base)
        base = base or family
        for scheme in schemes:
            start = time.monotonic()
            table = accuracy_of({name: family}, [held_out(priors, observed, {name: family}, name, scheme)])
            for one in table:
                if one.group == "all" and one.device_class == CLASS_OF[name] and one.metric in METRICS:
                    yield Line(formulation, one.device_class, scheme, one.metric, one.score.median)
            print(f"{name}: {formulation}, {scheme}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Write docs/ablation.csv.")
    parser.add_argument("--family", action="append", choices=sorted(CLASS_OF), help="default: all")
    parser.add_argument("--scheme", action="append", choices=SCHEMES, help="default: all")
    parser.add_argument("--output-file", type=Path, default=TABLE)
    asked = parser.parse_args()
    found = material(load())
    made = [line for name in asked.family or CLASS_OF for line in lines(found, name, asked.scheme or SCHEMES)]
    with asked.output_file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((one.formulation, one.device_class, one.scheme, one.metric, f"{one.median:.4f}") for one in made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
