"""`calibrate`: the shipped parameters made again from the evidence, and a user's own measurements as a layer over them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pydantic import ValidationError

from infra_advisor.errors import CatalogError, UsageError
from infra_advisor.facts import strict_yaml
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.deviations import Deviation, written
from infra_advisor.facts.evidence import evidence_files, read_evidence
from infra_advisor.facts.files import explain, read_yaml
from infra_advisor.search.calibrate import FittedFamily, deviations_of, fit_all
from infra_advisor.search.calibration import read_parameters
from infra_advisor.search.crossvalidation import SCHEMES, HeldOut, cross_validate
from infra_advisor.search.document import Accuracy, accuracy_of, accuracy_text, differences, parameters_text
from infra_advisor.search.observations import Observed, observe
from infra_advisor.search.power_fit import measured_power, power_text
from infra_advisor.search.prediction import predict_rows
from infra_advisor.search.priors import Priors
from infra_advisor.search.traits import traits_of
from infra_advisor.search.validate import measured, read_file, with_stated

TOLERANCE = 0.02
"""Numbers of the committed files may differ by this share from what another machine computes."""
LEAST_POINTS = 3
MOST_OFF = 5.0
"""Measured over predicted beyond which a file is taken to mean something else than it says."""
OWN_WIDTH, OWN_NOISE = 0.4, 0.1
"""How far one's own setup may lie from the prediction, and how far its runs scatter, in log."""

Progress = Callable[[str, Mapping[str, str]], None]


@dataclass(frozen=True)
class Material:
    """What calibration works on."""

    priors: Priors
    observed: Observed


def material(catalog: Catalog) -> Material:
    """The priors and the usable evidence of the bundled catalog. Raises CatalogError."""
    problems: list[str] = []
    raw = read_yaml(catalog.path / "priors.yaml", problems)
    rows = read_evidence(evidence_files(catalog.path), problems)
    if problems:
        raise CatalogError(problems)
    try:
        priors = Priors.model_validate(raw)
    except ValidationError as error:
        raise CatalogError([f"priors: {line}" for line in explain(error)]) from error
    return Material(priors, observe(catalog, rows, priors.length_shares))


def fitted(found: Material, progress: Progress) -> dict[str, FittedFamily]:
    """Every family, fitted to all of the evidence."""
    families = {}
    for family in fit_all(found.priors, found.observed):
        families[family.name] = family
        progress("calibrate.fit", {"family": family.name, "rows": f"{int(family.used.sum()):,}"})
    return families


def held_out(
    found: Material, families: Mapping[str, FittedFamily], schemes: Sequence[str], progress: Progress, *, processes: int
) -> list[HeldOut]:
    """Every family under some schemes."""
    results = []
    for result in cross_validate(found.priors, found.observed, families, schemes, processes=processes):
        results.append(result)
        progress("calibrate.held_out", {"scheme": result.scheme, "family": result.family})
    return results


def accuracy(catalog: Catalog, scheme: str, progress: Progress, *, processes: int) -> tuple[list[Accuracy], int]:
    """(errors of predictions by fits that did not see what is predicted, measured points that were predicted)."""
    if scheme not in SCHEMES:
        raise UsageError(f"--cv {scheme!r} is unknown; accepted: {', '.join(SCHEMES)}")
    found = material(catalog)
    families = fitted(found, progress)
    table = accuracy_of(families, held_out(found, families, (scheme,), progress, processes=processes))
    return table, sum(int(family.used.sum()) for family in families.values())


def regenerated(catalog: Catalog, progress: Progress, *, processes: int) -> dict[str, str]:
    """File of the catalog -> its text, made from the evidence."""
    from infra_advisor.search.nearest import index_text

    found = material(catalog)
    families = fitted(found, progress)
    results = held_out(found, families, tuple(SCHEMES), progress, processes=processes)
    rows = read_evidence(evidence_files(catalog.path), [])
    parameters = parameters_text(found.priors, families, results)
    deviations = [one for family in families.values() for one in deviations_of(family)]
    return {
        "parameters.yaml": parameters,
        "deviations.csv": written(deviations),
        "power.yaml": power_text(measured_power(catalog, read_parameters(strict_yaml.load(parameters), deviations), rows)),
        "accuracy.csv": accuracy_text(accuracy_of(families, results)),
        "nearest.csv": index_text(catalog, rows),
    }


def power_regenerated(catalog: Catalog) -> dict[str, str]:
    """File of the catalog -> its text: the curve of electric power alone, from the evidence and the parameters as they are."""
    problems: list[str] = []
    rows = read_evidence(evidence_files(catalog.path), problems)
    if problems:
        raise CatalogError(problems)
    parameters = read_parameters(catalog.parameters, catalog.deviations)
    return {"power.yaml": power_text(measured_power(catalog, parameters, rows))}


def stale(catalog: Catalog, texts: Mapping[str, str]) -> dict[str, list[str]]:
    """File -> how it differs from what calibration makes; empty lists where it does not."""
    found = {}
    for name, text in texts.items():
        path = catalog.path / name
        found[name] = differences(path.read_text(encoding="utf-8"), text, tolerance=TOLERANCE) if path.is_file() else ["missing"]
    return found


# -- a user's own measurements


@dataclass(frozen=True)
class Own:
    """What a user's runs say of one combination of chip, model, engine and format."""

    combination: str
    points: int
    tpot_factor: float
    """On the prediction, as folded in: drawn towards 1 where there are few points."""
    ttft_factor: float | None


@dataclass(frozen=True)
class Layer:
    """A layer over the bundled catalog, and what it says."""

    text: str
    own: tuple[Own, ...]
    left_out: tuple[str, ...]


def fold_in(catalog: Catalog, files: Sequence[Path | str], stated: Mapping[str, object]) -> Layer:
    """Measured runs as deviations of their own combination. `stated`: facts that result files do not hold (chip, tp ...).

    Raises UsageError where there are too few points, or where they are so far off that they must mean something else.
    """
    import numpy as np

    problems: list[str] = []
    rows = [with_stated(row, stated) for file in files for row in read_file(Path(file), problems).rows]
    parameters = read_parameters(catalog.parameters, catalog.deviations)
    found = predict_rows(catalog, parameters, rows)
    truth = measured(rows)
    left_out = [*problems, *(f"row {place + 1}: {why}" for place, why in enumerate(found.refused) if why)]
    left_out += [f"row {place + 1}: {why}" for place, why in enumerate(found.suspect) if why]
    by_combination: dict[tuple[str, str], list[int]] = {}
    names: dict[str, str] = {}
    for place, point in enumerate(found.points):
        if point is None or found.suspect[place] or rows[place].spec_decode == "1":
            continue
        subject = point.subject
        selected = parameters.family(
            engine_kind=subject.engine_kind, vendor=subject.chip.vendor, device_class=subject.chip.device_class, kind=subject.chip.kind
        )
        if selected is None:
            continue
        traits = traits_of(subject.chip, subject.model, subject.engine, subject.weights)
        names[traits["combination"]] = f"{subject.chip.id}/{subject.model.id}/{subject.engine}/{subject.weights.id}"
        by_combination.setdefault((selected[0], traits["combination"]), []).append(place)
    deviations: list[Deviation] = []
    own: list[Own] = []
    for (family, combination), places in by_combination.items():
        logs = {name: np.log(truth[name][places] / found.values[name][places]) for name in ("tpot_ms", "ttft_ms", "output_tps")}
        times = np.where(np.isfinite(logs["tpot_ms"]), logs["tpot_ms"], -logs["output_tps"])
        factors = {}
        for factor, left in (("tpot_factor", times), ("ttft_factor", logs["ttft_ms"])):
            known = left[np.isfinite(left)]
            if len(known) >= LEAST_POINTS:
                factors[factor] = _shrunken(names[combination], known.tolist())
                deviations.append(Deviation(family, "combination", combination, factor, round(factors[factor], 4), len(known)))
        if "tpot_factor" not in factors:
            left_out.append(f"{names[combination]}: {len(places)} points; at least {LEAST_POINTS} are needed")
            continue
        ttft = factors.get("ttft_factor")
        own.append(Own(names[combination], len(places), math.exp(factors["tpot_factor"]), None if ttft is None else math.exp(ttft)))
    if not own:
        reasons = "; ".join(left_out[:5]) or "no row could be placed"
        raise UsageError(
            f"nothing to calibrate with: {reasons}. State what the file does not hold: --chip, --chips, --model, --engine, --weights, --tp"
        )
    return Layer(written(deviations), tuple(own), tuple(left_out))


def _shrunken(combination: str, left: Sequence[float]) -> float:
    """The factor, in log, that the points say, drawn towards none. Raises UsageError where it is absurd."""
    middle = median(left)
    if abs(middle) > math.log(MOST_OFF):
        raise UsageError(
            f"{combination}: measured is {math.exp(middle):.3g} times the prediction: "
            "check model, chip count, units and load before folding it in"
        )
    precision = len(left) / OWN_NOISE**2
    return middle * precision / (precision + OWN_WIDTH**-2)
