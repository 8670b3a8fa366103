"""What the figures of a few fleets are made of: the terms of a first token and of each further one, quantiles, and memory."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from infra_advisor.search.fleet import Fleets
from infra_advisor.search.outcome import Statistics
from infra_advisor.search.points import Timing
from infra_advisor.search.solve import QUANTILES, latency
from infra_advisor.search.terms import Part


@dataclass(frozen=True)
class Share:
    """One named share of a time."""

    phase: Literal["prefill", "decode"]
    name: str
    seconds: float
    kind: str
    """memory bandwidth, compute, interconnect, host or queue."""
    moved_bytes: float | None = None
    moving_s: float | None = None
    flop: float | None = None
    computing_s: float | None = None


@dataclass(frozen=True)
class Breakdown:
    """Of one fleet at the load: the shares of TTFT and of TPOT add up to the means."""

    first_token: tuple[Share, ...]
    each_token: tuple[Share, ...]
    ttft: dict[str, float]
    """Mean, p50, p95 and p99. [s]"""
    tpot: dict[str, float]
    """Likewise. [s]"""
    simulated: int | None
    """Requests that the figures rest on; None where they are the closed form's."""


def breakdowns(fleets: Fleets, places: Sequence[int]) -> list[Breakdown]:
    """One breakdown per place, all evaluated together."""
    index = np.array(places, dtype=np.intp)
    timing = fleets.timing.take(index)
    served = timing.serve(fleets.solved.in_flight[index], open_arrivals=fleets.open_arrivals)
    context = timing.input_tokens + timing.output_tokens / 2.0
    decode = timing.decode_terms(np.maximum(served.running, 1.0), context)
    prefill = timing.prefill_terms(np.ones(len(places)))
    waits = (served.queue_s + served.admission_s) / timing.d.ttft_factor
    figures = {name: latency(timing, served, name) for name in ("mean", *QUANTILES)}
    found = []
    for k, place in enumerate(places):
        run = fleets.simulated.get(place)
        ttft, tpot = ({name: float(pair[phase][k]) for name, pair in figures.items()} for phase in (0, 1))
        if run is not None:
            ttft, tpot = _measured(ttft, run.ttft_s), _measured(tpot, run.tpot_s)
        frontend_s = timing.d.frontend_s[k] + timing.d.frontend_sequence_s[k] * max(served.in_flight[k] - 1.0, 0.0)
        handling = Share("prefill", "frontend", float(frontend_s), "host")
        passing = _shares("prefill", prefill, k)
        waited_s = float(waits[k])
        if run is not None:  # what a mean request waited beyond its own handling and prefill
            waited_s = max(ttft["mean"] / float(timing.d.ttft_factor[k]) - frontend_s - sum(share.seconds for share in passing), 0.0)
        queue = Share("prefill", "queue", waited_s, "queue")
        step = [replace(share, seconds=share.seconds / timing.tokens_per_step) for share in _shares("decode", decode, k)]
        stalled_s = tpot["mean"] / float(timing.d.tpot_factor[k]) - sum(share.seconds for share in step)
        found.append(
            Breakdown(
                first_token=_scaled((handling, *passing, queue), ttft["mean"]),
                each_token=_scaled((*step, Share("decode", "stall", max(stalled_s, 0.0), "queue")), tpot["mean"]),
                ttft=ttft,
                tpot=tpot,
                simulated=run.counted if run is not None else None,
            )
        )
    return found


def _measured(closed_form: dict[str, float], run: Statistics) -> dict[str, float]:
    """The figures of a run; those of the closed form where nothing was counted (answers of one token have no TPOT)."""
    return {name: value if (value := getattr(run, name)) is not None else known for name, known in closed_form.items()}


def _scaled(shares: Sequence[Share], total_s: float) -> tuple[Share, ...]:
    """The shares of a time as predicted by physics, corrected alike where measurements of the chip and the model correct the whole."""
    scale = total_s / sum(share.seconds for share in shares)
    return tuple(replace(share, seconds=share.seconds * scale) for share in shares)


def _shares(phase: Literal["prefill", "decode"], parts: dict[str, Part], k: int) -> list[Share]:
    found = []
    for name, part in parts.items():
        seconds = float(part.seconds[k])
        if seconds <= 0.0:
            continue
        if part.moved_bytes is None or part.moving_s is None or part.flop is None or part.computing_s is None:
            found.append(Share(phase, name, seconds, part.kind))
            continue
        moving_s, computing_s = float(part.moving_s[k]), float(part.computing_s[k])
        kind = "memory bandwidth" if moving_s >= computing_s else "compute"
        found.append(Share(phase, name, seconds, kind, float(part.moved_bytes[k]), moving_s, float(part.flop[k]), computing_s))
    return found


@dataclass(frozen=True)
class MemoryUse:
    """Where the memory of one accelerator goes [bytes]; the first four parts below `total` add up to it."""

    total: float
    kept_back: float
    """By the driver, the engine's reserve and the share it leaves alone."""
    weights: float
    activations: float
    pool: float
    per_sequence: float
    most_running: float


def memory_use(fleets: Fleets, place: int) -> MemoryUse:
    """Memory of one accelerator of the fleet at `place`."""
    one = fleets.timing_at(place)
    memory, total = one.memory, float(one.d.memory_bytes[0])
    return MemoryUse(
        total=total,
        kept_back=total - float(memory.usable[0]),
        weights=float(memory.weights[0]),
        activations=float(np.atleast_1d(memory.activations)[0]),
        pool=float(memory.pool[0]),
        per_sequence=float(memory.per_sequence[0]),
        most_running=float(memory.most_running[0]),
    )


def with_lengths(fleets: Fleets, place: int, *, input_tokens: int, output_tokens: int) -> Timing:
    """One of the fleets' deployments with other lengths."""
    one = fleets.timing_at(place)
    return Timing(one.shape, one.d, one.defaults, input_tokens=input_tokens, output_tokens=output_tokens, speculation=one.speculation)
