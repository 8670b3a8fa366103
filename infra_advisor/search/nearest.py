"""How far a measured point lies from a predicted one, and the nearest of an index.

The distance is 0 for the same chip, model, engine, format, lengths, load and accelerators, and otherwise a sum:

- another chip: 1 of the same architecture, 2 of the same vendor, 3 of another, and 1 more in another class of device;
- another model: 1, half a step for each doubling between the active parameters, and 1 more where only one is a mixture;
- another engine: 0.5;
- another format: 0.25 of the same width, 0.5 of another (bf16 and fp16 are one);
- 0.25 for each doubling of the prompt, the output, the requests in flight per replica and the accelerators per replica; what the source
  does not state counts as two doublings.

A point of both another chip and another model says nothing and is never returned.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from infra_advisor.facts.chips import Chip
from infra_advisor.facts.formats import Formats, WeightFormat
from infra_advisor.facts.nearest import Group, MeasuredPoint, NearestIndex, written
from infra_advisor.search.traits import width_class

if TYPE_CHECKING:
    from infra_advisor.facts.catalog import Catalog
    from infra_advisor.facts.evidence import Measurement
    from infra_advisor.search.subjects import Subject

SAME_ARCHITECTURE, SAME_VENDOR, OTHER_VENDOR, OTHER_CLASS = 1.0, 2.0, 3.0, 1.0
OTHER_MODEL, OTHER_KIND, PER_DOUBLING_OF_SIZE = 1.0, 1.0, 0.5
OTHER_ENGINE, OTHER_FORMAT, OTHER_WIDTH = 0.5, 0.25, 0.5
PER_DOUBLING, UNSTATED = 0.25, 0.5
SAME_SIZE = 1e-3
"""Counts of active weights nearer than this share are those of one set of layers under two names."""
FARTHEST = 5.0
"""What lies beyond is no evidence for anything that is asked: a phone says nothing of a rack."""
LONGEST_VERSION = 32
_AFTER_VERSION = re.compile(r"\s{2,}|[@+,(]")


class Point(NamedTuple):
    """A predicted operating point."""

    chip: Chip
    model: str
    mixture: bool
    active_parameters: float
    engine: str
    weights: WeightFormat
    accelerators: float
    """Of one replica."""
    input_tokens: float
    output_tokens: float
    in_flight: float
    """Requests per replica."""


class Near(NamedTuple):
    """A measured point and how far it lies."""

    distance: float
    row: MeasuredPoint


class Neighbourhood:
    """An index with what its distances need; finds the nearest of many points."""

    def __init__(self, index: NearestIndex, chips: Mapping[str, Chip], formats: Formats) -> None:
        self._index, self._chips, self._formats = index, chips, formats
        self._ordered: dict[tuple[str, str, str, str], list[tuple[float, Group]]] = {}
        self._weights: dict[str, WeightFormat] = {}

    def nearest(self, point: Point, limit: int = 3) -> list[Near]:
        """The nearest measured points, nearest first; the row id decides between equals."""
        found: list[Near] = []
        for apart, group in self._groups(point):
            if len(found) == limit and apart > found[-1].distance:
                break  # groups come nearest first, and loads only add to their distance
            found += [Near(apart + load_distance(point, row), row) for row in group.points]
            found = sorted((near for near in found if near.distance <= FARTHEST), key=lambda near: (near.distance, near.row.row_id))[:limit]
        return found

    def _groups(self, point: Point) -> list[tuple[float, Group]]:
        """Groups of the same chip or the same model with their distance before load and lengths, nearest first."""
        key = (point.chip.id, point.model, point.engine, point.weights.id)
        if key not in self._ordered:
            groups = [*self._index.of_chip(point.chip.id), *(g for g in self._index.of_model(point.model) if g.chip != point.chip.id)]
            ordered = [(apart, group) for group in groups if (apart := self._apart(point, group)) <= FARTHEST]
            self._ordered[key] = sorted(ordered, key=lambda pair: pair[0])
        return self._ordered[key]

    def _apart(self, point: Point, group: Group) -> float:
        if group.chip != point.chip.id:
            other = self._chips.get(group.chip)
            if other is None:  # hidden by a layer
                return math.inf
            apart = chip_distance(point.chip, other)
        else:
            apart = model_distance(point, group)
        if group.known_as != point.engine:
            apart += OTHER_ENGINE
        if group.weight_dtype != point.weights.id:
            apart += format_distance(point.weights, self._format(group.weight_dtype))
        return apart

    def _format(self, name: str) -> WeightFormat:
        if name not in self._weights:
            self._weights[name] = self._formats.weight_by_rule(name)
        return self._weights[name]


def chip_distance(one: Chip, other: Chip) -> float:
    """Between two chips."""
    if one.id == other.id:
        return 0.0
    alike = one.architecture is not None and one.architecture == other.architecture and one.vendor == other.vendor
    apart = SAME_ARCHITECTURE if alike else SAME_VENDOR if one.vendor == other.vendor else OTHER_VENDOR
    return apart + (OTHER_CLASS if one.device_class != other.device_class else 0.0)


def model_distance(point: Point, group: Group) -> float:
    """Between the model of a point and that of a group."""
    same_layers = point.mixture == group.mixture and math.isclose(point.active_parameters, group.active_parameters, rel_tol=SAME_SIZE)
    if point.model == group.model_arch or same_layers:
        return 0.0
    size = PER_DOUBLING_OF_SIZE * abs(math.log2(point.active_parameters / group.active_parameters))
    return OTHER_MODEL + size + (OTHER_KIND if point.mixture != group.mixture else 0.0)


def format_distance(one: WeightFormat, other: WeightFormat) -> float:
    """Between two weight formats."""
    if one.id == other.id:
        return 0.0
    if width_class(one) != width_class(other):
        return OTHER_WIDTH
    return 0.0 if width_class(one) == "16" else OTHER_FORMAT


def load_distance(point: Point, row: MeasuredPoint) -> float:
    """Between lengths, requests in flight and accelerators of a point and those of a measured one of whatever is the same otherwise."""
    return (
        _apart(point.input_tokens, row.input_tokens)
        + _apart(point.output_tokens, row.output_tokens)
        + _apart(point.in_flight, None if row.concurrency is None else row.concurrency / row.replicas)
        + _apart(point.accelerators, row.chips / row.replicas)
    )


def _apart(predicted: float, measured: float | None) -> float:
    """Counts below one are one: an idle replica is measured with one request."""
    return UNSTATED if measured is None else PER_DOUBLING * abs(math.log2(max(predicted, 1.0) / max(measured, 1.0)))


# -- making the index


def index_text(catalog: "Catalog", rows: "Iterable[Measurement]") -> str:
    """The index of measured rows as text: those that fits may use, that can be placed, and whose model runs in one piece."""
    from infra_advisor.facts.evidence_use import usable_for_fit  # making it needs what no answer does
    from infra_advisor.search.subjects import Subject, Subjects

    subjects = Subjects(catalog)
    points = []
    for row in rows:
        if usable_for_fit(row) is not None:
            continue
        subject = subjects.of(row)
        if isinstance(subject, Subject) and not subject.disaggregated:
            point = _citable(row, subject)
            if any(figure is not None for figure in (point.ttft_ms, point.tpot_ms, point.output_tps, point.prefill_tps)):
                points.append(point)
    return written(points)


def _citable(row: "Measurement", subject: "Subject") -> MeasuredPoint:
    from infra_advisor.facts.evidence_use import usable_ttft_for_fit

    ttft_s = row.ttft_s if usable_ttft_for_fit(row) is None else None
    return MeasuredPoint(
        chip=subject.chip.id,
        model_arch=subject.model.id,
        known_as=subject.engine,
        weight_dtype=subject.weights.id,
        mixture=subject.model.is_mixture,
        active_parameters=subject.model.architecture.active_parameters,
        chips=row.chips or float(subject.chips_per_replica * subject.replicas),
        replicas=float(subject.replicas),
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        concurrency=row.concurrency,
        request_rate_qps=row.request_rate_qps,
        mode=row.mode,
        ttft_ms=None if ttft_s is None else ttft_s * 1e3,
        tpot_ms=None if row.tpot_s is None else row.tpot_s * 1e3,
        output_tps=row.output_tps,
        prefill_tps=row.prefill_tps,
        engine=row.engine,
        engine_version=_version(row.engine_version),
        date=row.measured_date,
        source_id=row.source_id or "",
        source=row.source,
        row_id=row.row_id or "",
    )


def _version(stated: str | None) -> str | None:
    """As stated, without the commit behind it; None where it is a list of versions or a sentence, or tells no version at all."""
    text = _AFTER_VERSION.split(stated or "", maxsplit=1)[0].strip()
    return text if len(text) <= LONGEST_VERSION and any(char.isdigit() for char in text) else None
