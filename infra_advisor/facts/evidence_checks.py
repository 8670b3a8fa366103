"""Physics and consistency of measured points: what no deployment can do, and figures of one row that contradict each other.

Bounds are one-sided and generous: a row that fails one is wrong, or means something else than its columns say. A row that
passes may still be wrong. What is known of bundled rows that fail stands in evidence_exceptions.py.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from infra_advisor.errors import CatalogError, UsageError, did_you_mean
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.evidence import UNKNOWN_MODEL, Measurement
from infra_advisor.facts.formats import Formats
from infra_advisor.facts.models import LanguageModel
from infra_advisor.physics.transformer import weight_bytes
from infra_advisor.units import GB, GIB

THROUGHPUT_OVER_TPOT = 1.12
THROUGHPUT_OVER_MEDIAN_TPOT = 1.7
"""The median gap of chunked prefill misses the long ones, so that concurrency / median lies above the rate."""
LITTLE = 2.0
"""Completed rate x time in the system may miss the stated concurrency by this factor: ramp-up, drain, means of ratios."""
PEAK_SHARE = 1.08
SMALL_PEAK_SHARE = 1.45
SMALL_PARAMETERS = 3e9
"""Below it caches and tables that are not read weigh in."""
ROUNDING = 0.02
HOST_OFFLOAD = "host-offload"


class Facts(Protocol):
    """Where chips, models and formats are looked up; the catalog is one."""

    @property
    def chips(self) -> Mapping[str, Chip]:
        """By id."""
        ...

    @property
    def formats(self) -> Formats:
        """Weight and cache formats."""
        ...

    @property
    def model_ids(self) -> Sequence[str]:
        """Every id."""
        ...

    def model(self, name: str) -> LanguageModel:
        """The model of an id."""
        ...


@dataclass(frozen=True)
class _Bounds:
    """What one sequence needs of a model in one format."""

    step_bytes: float
    """Weights read for one token, whatever the batch reads beyond."""
    token_flop: float
    small: bool
    weight_bytes: float
    """Of the whole checkpoint."""


def check_measurements(rows: Iterable[Measurement], facts: Facts) -> list[tuple[str, str]]:
    """(row id, why) of every row that cannot be right. Rows already marked suspect are left out."""
    found: list[tuple[str, str]] = []
    bounds: dict[tuple[str, str | None], _Bounds | None] = {}
    clean = [row for row in rows if not row.suspect]
    for row in clean:
        name = row.row_id or "?"
        found += [(name, why) for why in unresolved(row, facts)]
        found += [(name, why) for why in contradictions(row)]
        key = (row.model_arch or UNKNOWN_MODEL, row.weight_dtype)
        if key not in bounds:
            bounds[key] = _bounds(*key, facts)
        chip = facts.chips.get(row.chip or "")
        if chip and (needed := bounds[key]):
            found += [(name, why) for why in beyond_physics(row, chip, needed)]
    return found + list(duplicates(clean))


def unresolved(row: Measurement, facts: Facts) -> Iterator[str]:
    """Chip and model that the catalog does not know."""
    if row.chip not in facts.chips:
        yield f"unknown chip {row.chip}.{did_you_mean(row.chip or '', facts.chips)}"
    if row.model_arch not in (UNKNOWN_MODEL, None) and row.model_arch not in facts.model_ids:
        yield f"unknown model {row.model_arch}.{did_you_mean(row.model_arch or '', facts.model_ids)}"


def contradictions(row: Measurement) -> Iterator[str]:
    """Figures of one row that cannot all be right; needs no catalog."""
    yield from _zeros(row)
    yield from _disorder(row)
    yield from _rates(row)
    yield from _little(row)


_POSITIVE = (
    "ttft_s_mean", "ttft_s_p50", "ttft_s_p95", "ttft_s_p99", "tpot_s_mean", "tpot_s_p50", "tpot_s_p99",
    "output_tps", "total_tps", "prefill_tps", "decode_tps_user", "power_w",
)  # fmt: skip


def _zeros(row: Measurement) -> Iterator[str]:
    yield from (f"{name} is zero" for name in _POSITIVE if getattr(row, name) == 0.0)


def _disorder(row: Measurement) -> Iterator[str]:
    for what, ordered in (
        ("TTFT", (row.ttft_s_p50, row.ttft_s_p95, row.ttft_s_p99)),
        ("TPOT", (row.tpot_s_p50, row.tpot_s_p99)),
    ):
        stated = [value for value in ordered if value is not None]
        if any(low > high * (1.0 + 1e-3) for low, high in pairwise(stated)):
            yield f"{what} percentiles fall instead of rising"


def _rates(row: Measurement) -> Iterator[str]:
    concurrency, tpot = row.concurrency, row.tpot_s
    if concurrency and tpot and row.output_tps:
        over = row.output_tps * tpot / concurrency
        slack = THROUGHPUT_OVER_TPOT if row.tpot_s_mean is not None else THROUGHPUT_OVER_MEDIAN_TPOT
        if over > slack:
            yield f"throughput above concurrency/TPOT by {over:.2f}x"
    if row.tpot_s_mean and row.decode_tps_user:
        ratio = row.tpot_s_mean * row.decode_tps_user
        if not 1 / THROUGHPUT_OVER_MEDIAN_TPOT < ratio < THROUGHPUT_OVER_MEDIAN_TPOT:
            yield f"decode rate of one user is {ratio:.2f} x 1/TPOT"
    if row.output_tps and row.total_tps and row.total_tps < row.output_tps * (1 - ROUNDING):
        yield "total throughput below output throughput"


def _little(row: Measurement) -> Iterator[str]:
    """Requests per second x seconds in the system = requests in the system; where mean times of a steady load and a rate are given."""
    if row.mode not in ("closed-loop", "open-loop") or not (row.concurrency and row.output_tps and row.output_tokens):
        return
    if row.ttft_s_mean is None or row.tpot_s_mean is None or row.tps_definition == "decode-only" or row.ttft_definition == "burst":
        return
    latency = row.ttft_s_mean + (row.output_tokens - 1.0) * row.tpot_s_mean
    inside = row.output_tps / row.output_tokens * latency
    if not row.concurrency / LITTLE <= inside <= row.concurrency * LITTLE:
        yield f"Little's law: rate x latency is {inside:.3g} requests, {row.concurrency:g} stated"


def _bounds(model_id: str, weight_dtype: str | None, facts: Facts) -> _Bounds | None:
    """None where the model or its format is not known: a format not stated may be any of those people load."""
    if model_id not in facts.model_ids or weight_dtype is None:
        return None
    try:
        model = facts.model(model_id)
        stored = facts.formats.published_as(facts.formats.weight(weight_dtype), mixture=model.is_mixture, native=model.native_format)
    except (UsageError, CatalogError):
        return None
    shape, bits = model.shape(), stored.by_part
    held = weight_bytes(shape, bits)
    routed = sum(layers * experts.top_k * experts.elements for layers, experts in shape.routed_experts)
    step_bytes = held.linear + routed * bits.experts / 8 + (held.embedding if shape.tied else held.head)
    active = shape.active_parameters
    return _Bounds(step_bytes, 2.0 * active * shape.prefill_share, active < SMALL_PARAMETERS, held.total - held.extra)


def beyond_physics(row: Measurement, chip: Chip, needed: _Bounds) -> Iterator[str]:
    """Faster than the memory or the arithmetic of the whole deployment at its data-sheet peak."""
    if not row.chips or row.spec_decode not in ("0", None):
        return
    share = SMALL_PEAK_SHARE if needed.small else PEAK_SHARE
    if chip.bandwidth_bytes_per_s:
        floor_s = needed.step_bytes / (row.chips * chip.bandwidth_bytes_per_s * share)
        for what, step_s in _steps(row):
            if step_s < floor_s:
                yield f"{what} above the bandwidth bound by {floor_s / step_s:.2f}x"
    if chip.memory_capacity and HOST_OFFLOAD not in row.flags:
        held = needed.weight_bytes / (row.chips * chip.memory_capacity.value / GB * GIB)
        if held > 1.0:
            yield f"weights take {held:.2f} x the memory of {row.chips:g} chips"
    rates = [rate.value for precision, rate in chip.compute.items() if precision not in ("fp32", "tf32")]
    if rates:
        most = row.chips * max(rates) * PEAK_SHARE / needed.token_flop
        for what, tokens_per_s in _streams(row):
            if tokens_per_s > most:
                yield f"{what} above the arithmetic bound by {tokens_per_s / most:.2f}x"


def _steps(row: Measurement) -> Iterator[tuple[str, float]]:
    """(what, seconds of one decode step)"""
    if row.tpot_s:
        yield "decode", row.tpot_s
    if row.concurrency and row.output_tps and row.mode in ("static-batch", "closed-loop"):
        yield "throughput of the batch", row.concurrency / row.output_tps


def _streams(row: Measurement) -> Iterator[tuple[str, float]]:
    """(what, tokens per second)"""
    for what, rate in (("output throughput", row.output_tps), ("total throughput", row.total_tps), ("prefill", row.prefill_tps)):
        if rate:
            yield what, rate
    if row.ttft_definition == "no-load" and row.ttft_s and row.input_tokens:
        yield "prefill within TTFT", row.input_tokens / row.ttft_s


def duplicates(rows: Iterable[Measurement]) -> Iterator[tuple[str, str]]:
    """Rows with a taken id, and rows that repeat all figures of another one on the same chip."""
    rows = list(rows)
    ids: set[str] = set()
    for row in rows:
        if row.row_id is not None and row.row_id in ids:
            yield row.row_id, "row id appears twice"
        ids.add(row.row_id or "")
    yield from ((name, f"same figures as {first}") for name, first in repeats(rows).items())


def repeats(rows: Iterable[Measurement]) -> dict[str, str]:
    """Row id -> id of the earlier row with the same chip, model, load and figures: one measurement listed again."""
    found: dict[str, str] = {}
    seen: dict[tuple[object, ...], str] = {}
    for row in rows:
        name = row.row_id or "?"
        figures = (row.ttft_s_mean, row.ttft_s_p50, row.tpot_s_mean, row.tpot_s_p50, row.output_tps, row.total_tps, row.prefill_tps)
        if sum(figure is not None for figure in figures) < 2:
            continue  # one rounded figure alone repeats by chance
        key = (row.chip, row.chips, row.model_arch, row.input_tokens, row.output_tokens, row.concurrency, *figures, row.decode_tps_user)
        if key in seen:
            found[name] = seen[key]
        else:
            seen[key] = name
    return found
