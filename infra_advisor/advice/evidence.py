"""What was measured nearest to an answer, as citations."""

import math
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from infra_advisor.advice.answer import Evidence
from infra_advisor.errors import CatalogError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.nearest import FILE, MeasuredPoint, read_index
from infra_advisor.physics.transformer import Transformer
from infra_advisor.search.calibration import Unseen
from infra_advisor.search.fleet import Fleets
from infra_advisor.search.nearest import Near, Neighbourhood, Point

MOST_CITED = 3
FAR = 3.0
"""Distance from which a measurement of the same combination no longer vouches for a prediction: twelve doublings of lengths and load."""
_REMARK = re.compile(r"\s*\([^()]*\)$")


class Citations:
    """Finds and words the measurements nearest to the fleets of one search."""

    def __init__(self, catalog: Catalog, fleets: Fleets) -> None:
        self._catalog, self._fleets = catalog, fleets
        self._found: dict[int, tuple[Evidence, ...]] = {}

    def of(self, place: int) -> tuple[Evidence, ...]:
        """The measurements nearest to the fleet at a position, nearest first; none where nothing near was measured."""
        if place not in self._found:
            self._found[place] = self._of(place)
        return self._found[place]

    def _of(self, place: int) -> tuple[Evidence, ...]:
        candidate, timing, shape = self._fleets.candidates[place], self._fleets.timing, self._fleets.timing.shape
        if not isinstance(shape, Transformer):
            return ()
        traits = candidate.software.traits
        point = Point(
            chip=self._catalog.chips[candidate.platform.chip],
            model=traits["model"],
            mixture=traits["kind"] == "moe",
            active_parameters=shape.active_parameters,
            engine=candidate.engine.id,
            weights=candidate.weights.format,
            accelerators=candidate.layout.chips,
            input_tokens=float(timing.input_tokens),
            output_tokens=float(timing.output_tokens),
            in_flight=float(self._fleets.solved.in_flight[place]),
        )
        return tuple(self._cited(near) for near in self._near.nearest(point, MOST_CITED))

    @cached_property
    def _near(self) -> Neighbourhood:
        problems: list[str] = []
        index = read_index(self._catalog.path / FILE, problems)
        if problems:
            raise CatalogError(problems)
        return Neighbourhood(index, self._catalog.chips, self._catalog.formats)

    def _cited(self, near: Near) -> Evidence:
        row = near.row
        source = source_title(self._catalog.sources("evidence"), row)
        return Evidence(row=row.row_id, text=in_words(self._catalog, row), distance=round(near.distance, 3), source=source, date=row.date)


def in_words(catalog: Catalog, row: MeasuredPoint) -> str:
    """`H100 SXM x2, vLLM 0.18.0, gpt-oss-120b mxfp4: 1,024 in / 1,024 out at 8 in flight: TTFT 70 ms, TPOT 6.3 ms`."""
    chip, engine = catalog.chips.get(row.chip), catalog.engines.get(row.engine or "")
    hardware = _REMARK.sub("", chip.name) if chip else row.chip
    if row.chips > 1:
        hardware += f" x{row.chips:g}"
    if row.replicas > 1:
        hardware += f" ({row.replicas:g} replicas)"
    software = _REMARK.sub("", engine.name) if engine else row.engine or "engine not stated"
    if row.engine and row.engine_version:
        software += f" {_without(row.engine_version, software)}"
    return f"{hardware}, {software}, {row.model_arch} {row.weight_dtype}: {_load(row)}: {_figures(row)}"


def source_title(sources: Mapping[str, Mapping[str, Any]], row: MeasuredPoint) -> str:
    """Title of the source, or of the part of it, that a point was read from."""
    source = sources.get(row.source_id, {})
    part = source.get("parts", {}).get(row.source or "", {})
    return str(part.get("title") or source.get("title") or row.source_id)


def known_from_near(unseen: Unseen, evidence: Sequence[Evidence]) -> Unseen:
    """What of a deployment was never measured, where a combination measured only far from the point counts as not measured.

    "combination" instead of "none" where the nearest citation is farther than FAR: then grade B and the band of it apply.
    """
    return "combination" if unseen == "none" and evidence and evidence[0].distance > FAR else unseen


def _without(version: str, name: str) -> str:
    """The version without the name of the engine in front of it."""
    return version[len(name) :].lstrip() if version.lower().startswith(f"{name.lower()} ") else version


def _load(row: MeasuredPoint) -> str:
    """`1,024 in / 1,024 out at 8 in flight`."""
    stated = ((row.input_tokens, "in"), (row.output_tokens, "out"))
    lengths = [f"{_rounded(tokens)} {name}" for tokens, name in stated if tokens is not None]
    if row.concurrency is not None and row.mode == "static-batch" and row.concurrency > 1:
        load = f", batch of {_rounded(row.concurrency)}"
    elif row.concurrency is not None:
        load = f" at {_rounded(row.concurrency)} in flight"
    elif row.request_rate_qps is not None:
        load = f" at {_rounded(row.request_rate_qps)} requests/s"
    else:
        load = ", all requests at once" if row.mode == "offline" else ", load not stated"
    return (" / ".join(lengths) or "lengths not stated") + load


def _figures(row: MeasuredPoint) -> str:
    """Times, and the rates that stand in for them."""
    parts = []
    if row.ttft_ms is not None:
        parts.append(f"TTFT {_duration(row.ttft_ms)}")
    elif row.prefill_tps is not None:
        parts.append(f"{_rounded(row.prefill_tps)} prompt tokens/s")
    if row.tpot_ms is not None:
        parts.append(f"TPOT {_duration(row.tpot_ms)}")
    elif row.output_tps is not None:
        parts.append(f"{_rounded(row.output_tps)} output tokens/s")
    return ", ".join(parts)


def _duration(milliseconds: float) -> str:
    return f"{_rounded(milliseconds)} ms" if milliseconds < 1000 else f"{_rounded(milliseconds / 1e3)} s"


def _rounded(value: float) -> str:
    """At least three significant digits, no exponent, no empty decimals."""
    decimals = max(2 - math.floor(math.log10(value)), 0) if value > 0 else 0
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
