"""What a measured point may be used for, and how much has been measured of a chip."""

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass

from infra_advisor.facts.evidence import UNKNOWN_MODEL, Measurement
from infra_advisor.facts.evidence_exceptions import UNUSABLE_ROWS, UNUSABLE_TTFT

UNUSABLE_FLAGS = {
    "ci-target": "an expectation of the vendor, not a run",
    "diffusion-lm": "a diffusion model, which does not decode token by token",
    "host-offload": "part of the weights lies in host memory",
    "exotic-kv": "a cache format that engines do not share",
    "prefix-cache-hits": "an unknown share of each prompt came from a prefix cache",
    "chip-count-unknown": "the number of accelerators is not known",
}
UNUSABLE_TTFT_FLAGS = {
    "no-warm-up": "the client did not warm up, so that TTFT can hold compile time",
    "saturated": "the queue dominates TTFT",
}


def usable_for_fit(row: Measurement) -> str | None:
    """Why the row must stay out of fits and scores, or None where it may go in.

    Says nothing of TTFT (`usable_ttft_for_fit`). Self-reported rows may go in, at a low weight.
    """
    if row.suspect:
        return "fails a consistency check, or its source doubts it"
    if row.spec_decode == "1":
        return "speculative decoding"
    if row.spec_decode == "unknown":
        return "speculative decoding is not ruled out"
    if flag := next((flag for flag in row.flags if flag in UNUSABLE_FLAGS), None):
        return UNUSABLE_FLAGS[flag]
    if (row.row_id or "") in UNUSABLE_ROWS:
        return UNUSABLE_ROWS.get(row.row_id or "")
    if row.chip is None or row.model_arch in (None, UNKNOWN_MODEL):
        return "the layers of the model are not known" if row.chip else "the accelerator is not stated"
    if row.chips is None:
        return UNUSABLE_FLAGS["chip-count-unknown"]
    if "hosted" in (row.instance or "").lower():
        return "a hosted endpoint: chips and batch behind it are not known"
    return None if row.has_figures else "nothing was measured"


def usable_ttft_for_fit(row: Measurement) -> str | None:
    """Why the TTFT of a usable row must stay out of fits, or None where it may go in."""
    if row.ttft_s is None:
        return "no TTFT"
    if flag := next((flag for flag in row.flags if flag in UNUSABLE_TTFT_FLAGS), None):
        return UNUSABLE_TTFT_FLAGS[flag]
    if row.ttft_definition == "burst":
        return "all requests were sent at once: mostly queueing"
    return UNUSABLE_TTFT.get(row.row_id or "")


@dataclass(frozen=True)
class Coverage:
    """How much evidence there is for one chip."""

    chip: str
    rows: int
    usable: int
    """Rows that fits and scores may use."""
    models: tuple[str, ...]
    """Model shapes, most often measured first."""
    engines: tuple[str, ...]
    formats: tuple[str, ...]
    sources: tuple[str, ...]
    with_ttft: int
    with_tpot: int
    with_throughput: int
    newest: str | None
    """As the source dates it: a day, a month or a year."""
    oldest: str | None
    age_days: int | None
    """The newest row is at most so old: a month, a year or a span counts from its first day."""


def coverage(rows: Iterable[Measurement], chip: str, today: datetime.date) -> Coverage:
    """What has been measured on a chip, as of a day."""
    own = [row for row in rows if row.chip == chip]
    dated = sorted((day, row.measured_date) for row in own if row.measured_date and (day := first_day(row.measured_date)))
    return Coverage(
        chip=chip,
        rows=len(own),
        usable=sum(usable_for_fit(row) is None for row in own),
        models=_by_count(row.model_arch for row in own if row.model_arch != UNKNOWN_MODEL),
        engines=_by_count(row.engine for row in own),
        formats=_by_count(row.weight_dtype for row in own),
        sources=_by_count(row.source_id for row in own),
        with_ttft=sum(row.ttft_s is not None for row in own),
        with_tpot=sum(row.tpot_s is not None for row in own),
        with_throughput=sum(row.output_tps is not None for row in own),
        newest=dated[-1][1] if dated else None,
        oldest=dated[0][1] if dated else None,
        age_days=max((today - dated[-1][0]).days, 0) if dated else None,
    )


def first_day(stated: str) -> datetime.date | None:
    """The first day of a day, month, year or span (`2024-11..2025-12`, `2025-2026`); None where it is none of these."""
    match = re.fullmatch(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:\.\.\d{4}(?:-\d{2}){0,2}|-\d{4})?", stated)
    if not match:
        return None
    try:
        return datetime.date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return None


def _by_count(names: Iterable[str | None]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for name in names:
        if name:
            counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(counts, key=lambda name: (-counts[name], name)))
