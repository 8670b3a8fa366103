"""The power curve made from the evidence: which measurements teach it, the fit, and its error on chips and models it did not see."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.evidence import Measurement
from infra_advisor.facts.evidence_use import usable_for_fit
from infra_advisor.search.binding import achieve
from infra_advisor.search.busy import Busy, busy
from infra_advisor.search.calibration import Parameters
from infra_advisor.search.conformal import band
from infra_advisor.search.deployments import Column
from infra_advisor.search.observations import traits_of_row
from infra_advisor.search.operating import Point, point_of
from infra_advisor.search.points import Timing
from infra_advisor.search.replay import Replay
from infra_advisor.search.subjects import Subjects

OTHER_POWER: Mapping[str, str] = {
    "geerlingguy": "the peak of the whole system at the wall, not its accelerator",
    "fastflowlm": "blocks of the chip as its vendor counts them, not the package",
}
"""Source -> why its power figures are not the mean power of the accelerators."""
OTHER_TASKS = ("mlenergy-image", "mlenergy-video")
"""Beginnings of rows whose prompts hold pictures: encoding them is work that the performance model does not count."""
SPREAD = 0.1
"""Relative error beyond which a row counts as an outlier."""
GROUP_POWER = -0.5
"""Weight of a row falls with the rows of one chip and model."""
ITERATIONS = 60
HEADER = """\
# Electric power of accelerators while they serve, of their rated power: made by `advisor calibrate --power`, do not edit.
#   draw = idle + serving share x (min(serving_level + kernel_gain x kernels + compute_gain x sqrt(computing), 1) - idle)
#   errors: of predicted over measured power, in log, on the chips or models that were left out; constant = one share for all
"""


@dataclass(frozen=True)
class Measured:
    """Points with power; one position each."""

    rows: Sequence[Measurement]
    chips: Sequence[str]
    device_classes: Sequence[str]
    models: Sequence[str]
    share: Column
    """Measured power of one accelerator over its rated power."""
    busy: Busy

    @property
    def terms(self) -> Column:
        """What the three figures of the curve multiply."""
        return np.stack([np.ones(len(self.share)), self.busy.kernels, np.sqrt(self.busy.computing)], axis=1)


def why_not(row: Measurement) -> str | None:
    """Why the power of a row does not teach the curve; None where it does."""
    if row.power_w is None:
        return "no power"
    if other := OTHER_POWER.get(row.source_id or ""):
        return other
    if (row.source_row or "").startswith(OTHER_TASKS):
        return "prompts with pictures"
    return usable_for_fit(row)


def measured_power(catalog: Catalog, parameters: Parameters, rows: Sequence[Measurement]) -> Measured:
    """The rows that teach, with how busy the model says their accelerators were. Raises UsageError where there are none."""
    subjects = Subjects(catalog)
    kept: list[tuple[Measurement, Point, str]] = []
    for row in rows:
        if why_not(row) is not None or isinstance(subject := subjects.of(row), str):
            continue
        chip, point = subject.chip, point_of(row, subject, parameters.length_shares)
        if chip.power is None or chip.form_factor == "superchip" or isinstance(point, str):
            continue  # the rated power of a superchip is that of the processor, too
        family = parameters.family(
            engine_kind=subject.engine_kind, vendor=chip.vendor, device_class=chip.device_class, kind=chip.kind, mode=point.mode
        )
        if family is not None:
            kept.append((row, point, family[0]))
    if not kept:
        raise UsageError("no measurements of power that a curve could be fitted to")
    points = [point for _, point, _ in kept]
    replay = Replay(points, parameters.defaults)
    deployments = achieve(replay.hardware, parameters.efficiencies([(family, traits_of_row(row, point)) for row, point, family in kept]))
    timing = Timing(replay.shape, deployments, parameters.defaults, input_tokens=replay.input_tokens, output_tokens=replay.output_tokens)
    stated = np.where(np.isnan(replay.concurrency), timing.memory.most_running, replay.concurrency / replay.replicas)
    served = timing.serve(np.maximum(stated, 1.0), open_arrivals=False)
    chips = [point.subject.chip for point in points]
    power = [(row.power_w or 0.0) / (row.chips or 1.0) for row, _, _ in kept]
    return Measured(
        rows=[row for row, _, _ in kept],
        chips=[chip.id for chip in chips],
        device_classes=[chip.device_class for chip in chips],
        models=[point.subject.model.id for point in points],
        share=np.array([drawn / chip.power.value for drawn, chip in zip(power, chips, strict=True) if chip.power]),
        busy=busy(timing, served, open_arrivals=False),
    )


def fit(of: Measured, index: NDArray[np.intp]) -> Column:
    """Serving level, kernel gain and compute gain of the rows at some places.

    Least relative error, robust; the rows of one chip and model share a weight.
    """
    groups = [(of.chips[k], of.models[k]) for k in index]
    counts = Counter(groups)
    weights = np.array([counts[group] ** GROUP_POWER for group in groups])
    relative = of.terms[index] / of.share[index, None]
    found = np.array([1.0, 0.0, 0.0])
    for _ in range(ITERATIONS):
        error = relative @ found - 1.0
        robust = (weights / np.sqrt(1.0 + (error / SPREAD) ** 2))[:, None]
        found = np.linalg.solve(relative.T @ (robust * relative), relative.T @ (robust[:, 0]))
    return found


def left_out(of: Measured, names: Sequence[str]) -> tuple[Column, Column]:
    """Errors in log (measured over predicted) of each row by a curve, and by a constant, that did not see the rows of its name."""
    every, here = np.arange(len(of.share)), np.asarray(names)
    curve, constant = np.empty(len(every)), np.empty(len(every))
    logs = np.log(of.share)
    for name in sorted(set(names)):
        inside = here == name
        predicted = np.minimum(of.terms[inside] @ fit(of, every[~inside]), 1.0)
        curve[inside] = logs[inside] - np.log(predicted)
        constant[inside] = logs[inside] - np.median(logs[~inside])
    return curve, constant


def power_text(of: Measured) -> str:
    """power.yaml. Raises UsageError where there is too little evidence for a band."""
    names = dict(zip(("serving_level", "kernel_gain", "compute_gain"), fit(of, np.arange(len(of.share))), strict=True))
    chips = Counter(of.chips)
    sources = ", ".join(sorted({row.source_id or "" for row in of.rows}))
    models = len(set(of.models))
    lines = [
        f'{HEADER}source: "fitted to {len(of.share)} points of {sources}: {len(chips)} chips, {models} models; text prompts only"',
        f"rows: {len(of.share)}",
        f"chips: {{{', '.join(f'{chip}: {count}' for chip, count in sorted(chips.items()))}}}",
        f"device_classes: [{', '.join(sorted(set(of.device_classes)))}]",
        *(f"{name}: {value:.4f}" for name, value in names.items()),
    ]
    errors = {name: left_out(of, members) for name, members in (("chip", of.chips), ("model", of.models))}
    bands = [band(errors[name][0], members) for name, members in (("chip", of.chips), ("model", of.models))]
    known = [one for one in bands if one is not None]
    if not known:
        raise UsageError(f"{len(of.share)} measurements of power of {len(chips)} chips are too few for a band")
    lines.append(f"band: [{min(low for low, _ in known):.3f}, {max(high for _, high in known):.3f}]")
    lines.append("errors:")
    for name, (curve, constant) in errors.items():
        shown = {"": np.abs(curve), "constant_": np.abs(constant)}
        figures = [f"{kind}{what}: {np.percentile(size, of_100):.3f}" for kind, size in shown.items() for what, of_100 in _SHOWN]
        lines.append(f"  {name}: {{{', '.join(figures)}}}")
    return "\n".join(lines) + "\n"


_SHOWN = (("median", 50), ("p90", 90))
