"""What the model predicts for operating points of many subjects at once, each by its own definitions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infra_advisor.physics.serving import Served, waiting_quantile_s
from infra_advisor.physics.stacked import stack
from infra_advisor.search.binding import Efficiencies, Hardware, achieve
from infra_advisor.search.defaults import Defaults
from infra_advisor.search.deployments import Column
from infra_advisor.search.operating import Point
from infra_advisor.search.platforms import HOST_LINK_HOP_FACTOR, NETWORK_HOP_FACTOR, SLOWEST_KNOWN_HOST_LINK_BYTES_PER_S
from infra_advisor.search.points import Timing
from infra_advisor.search.precision import peak_rates
from infra_advisor.search.subjects import ENGINE_SHARE, RESERVE_BYTES, UNKNOWN_MEMORY_BYTES, Subject, limits_of

Index = NDArray[np.intp]

LEAST_RATE = 1e-9


@dataclass(frozen=True)
class Figures:
    """Predictions, one position per point; nan where a figure has no meaning there. Of the whole deployment, save per user."""

    ttft_s: Column
    tpot_s: Column
    output_tps: Column
    prefill_tps: Column
    decode_tps_user: Column
    saturated: NDArray[np.bool_]
    fits: NDArray[np.bool_]


class Replay:
    """Operating points of many subjects as columns, ready to be timed under any efficiencies."""

    def __init__(self, points: Sequence[Point], defaults: Defaults) -> None:
        self.points = points
        self.defaults = defaults
        subjects = {id(point.subject): point.subject for point in points}
        order = {key: place for place, key in enumerate(subjects)}
        self.subjects = list(subjects.values())
        self.subject_of: Index = np.array([order[id(point.subject)] for point in points], dtype=np.intp)
        models = {id(subject.model): subject.model for subject in self.subjects}
        places = {key: place for place, key in enumerate(models)}
        shapes = stack([model.shape() for model in models.values()])
        model_of = np.array([places[id(subject.model)] for subject in self.subjects], dtype=np.intp)
        self.shape = shapes.take(model_of[self.subject_of])
        self.input_tokens = np.array([point.input_tokens for point in points])
        self.output_tokens = np.array([point.output_tokens for point in points])
        self.context = np.array([point.context for point in points])
        self.depth = np.array([point.prompt_depth for point in points])
        self.replicas = np.array([float(point.subject.replicas) for point in points])
        self.hardware = _hardware(self.subjects, points).take(np.arange(len(points)))
        self._by_mode = {
            mode: np.array([place for place, point in enumerate(points) if _kind(point) == mode], dtype=np.intp)
            for mode in ("closed", "open", "static", "offline")
        }

    def __len__(self) -> int:
        return len(self.points)

    def predict(self, efficiencies: Efficiencies) -> Figures:
        """Every point by its own definitions."""
        count = len(self)
        deployments = achieve(self.hardware, efficiencies)
        timing = Timing(self.shape, deployments, self.defaults, input_tokens=self.input_tokens, output_tokens=self.output_tokens)
        out = {name: np.full(count, np.nan) for name in ("ttft_s", "tpot_s", "output_tps", "prefill_tps")}
        saturated = np.zeros(count, dtype=bool)
        for mode, index in self._by_mode.items():
            if not len(index):
                continue
            part = timing.take(index)
            ttft, tpot, tps, prefill, full = getattr(self, f"_{mode}")(part, index, efficiencies.burst_share[index])
            out["ttft_s"][index], out["tpot_s"][index], out["output_tps"][index], out["prefill_tps"][index] = ttft, tpot, tps, prefill
            saturated[index] = full
        memory_fits = timing.memory.fits
        return Figures(**out, decode_tps_user=1.0 / out["tpot_s"], saturated=saturated, fits=memory_fits)

    # -- one way of loading each; all return TTFT, TPOT, output tokens/s of the deployment, prefill tokens/s, saturated

    def _closed(self, timing: Timing, index: Index, burst: Column) -> tuple[Any, ...]:
        most = timing.memory.most_running
        in_flight = np.where(np.isnan(self.concurrency[index]), most, self.concurrency[index] / self.replicas[index])
        in_flight = np.maximum(in_flight, 1.0)
        served = timing.serve(in_flight, open_arrivals=False)
        share_s, _ = timing.prompt_share_s(in_flight)
        together = np.maximum(np.minimum(in_flight, most) - 1.0, 0.0) / 2.0
        ttft = served.ttft_s + timing.d.ttft_factor * burst * together * share_s
        output = timing.output_tokens
        nominal = np.where(self.derived[index], output / self.length_share[index], output)
        tps = self.replicas[index] * in_flight * nominal / (ttft + (nominal - 1.0) * served.tpot_s)
        tps = np.where(self.decode_only[index], self.replicas[index] * np.minimum(in_flight, most) / served.tpot_s, tps)
        alone = self._alone(timing)
        return ttft, served.tpot_s, tps, timing.input_tokens / alone, in_flight > most

    def _open(self, timing: Timing, index: Index, burst: Column) -> tuple[Any, ...]:
        rate = self.rate[index] / self.replicas[index]
        most = timing.memory.most_running
        served = _at_rate(timing, rate, most)
        full = rate * served.request_s(timing.output_tokens) > most * 0.999
        achieved = np.minimum(rate, served.in_flight / served.request_s(timing.output_tokens))
        median = served.ttft_s - served.queue_s + waiting_quantile_s(
            mean_wait_s=served.queue_s, busy_share=served.prefill_load, quantile=0.5
        )  # fmt: skip
        ttft = np.where(self.median[index], median, served.ttft_s)
        return ttft, served.tpot_s, self.replicas[index] * achieved * timing.output_tokens, timing.input_tokens / self._alone(timing), full

    def _static(self, timing: Timing, index: Index, burst: Column) -> tuple[Any, ...]:
        most = timing.memory.most_running
        batch = np.where(np.isnan(self.concurrency[index]), most, self.concurrency[index] / self.replicas[index])
        batch = np.maximum(batch, 1.0)
        waves = np.maximum(batch / np.maximum(most, 1.0), 1.0)
        running = batch / waves
        d = timing.d
        prefill_s = d.ttft_factor * _total_prefill(timing, running, self.depth[index])
        tpot = timing.decode_alone_s(running, self.context[index])
        ttft = prefill_s + np.where(self.served_http[index], d.frontend_s, 0.0)
        request_s = ttft + (timing.output_tokens - 1.0) * tpot
        whole = self.replicas[index] * running * timing.output_tokens / request_s
        tps = np.where(self.decode_only[index], self.replicas[index] * running / tpot, whole)
        return ttft, tpot, tps, running * timing.input_tokens / prefill_s, batch > most

    def _offline(self, timing: Timing, index: Index, burst: Column) -> tuple[Any, ...]:
        most = timing.memory.most_running
        queued = np.where(np.isnan(self.concurrency[index]), most, self.concurrency[index] / self.replicas[index])
        running = np.maximum(np.minimum(queued, most), 1.0)
        served = timing.serve(running, open_arrivals=False)
        cycle_s = served.request_s(timing.output_tokens)
        tps = self.replicas[index] * running * timing.output_tokens / cycle_s
        waiting_s = np.maximum(queued - running, 0.0) / running * cycle_s + served.ttft_s
        return waiting_s, served.tpot_s, tps, timing.input_tokens / self._alone(timing), np.ones(len(index), dtype=bool)

    def _alone(self, timing: Timing) -> Column:
        alone: Column = timing.d.ttft_factor * (timing.prompt_alone_s + timing.d.frontend_s)
        return alone

    # -- columns of the points

    @cached_property
    def concurrency(self) -> Column:
        """Requests in flight over the deployment; nan where it is as full as memory allows."""
        return np.array([np.nan if point.concurrency is None else point.concurrency for point in self.points])

    @cached_property
    def rate(self) -> Column:
        """Requests/s of open arrivals."""
        return np.array([point.request_rate_per_s or LEAST_RATE for point in self.points])

    @cached_property
    def decode_only(self) -> NDArray[np.bool_]:
        """Throughput counts the decode phase alone."""
        return np.array([point.tps_definition == "decode-only" for point in self.points])

    @cached_property
    def derived(self) -> NDArray[np.bool_]:
        """Throughput was computed from stated lengths."""
        return np.array([point.output_derived for point in self.points])

    @cached_property
    def median(self) -> NDArray[np.bool_]:
        """TTFT is the median."""
        return np.array([point.median for point in self.points])

    @cached_property
    def served_http(self) -> NDArray[np.bool_]:
        """First tokens were timed through a server, not inside a program."""
        return np.array([point.subject.engine_kind == "serving" and point.mode != "static-batch" for point in self.points])

    @cached_property
    def length_share(self) -> Column:
        """Mean length over the stated one."""
        return np.array([point.length_share for point in self.points])


def _kind(point: Point) -> str:
    if point.mode == "open-loop":
        return "open" if point.request_rate_per_s else "closed"
    return {"closed-loop": "closed", "static-batch": "static"}.get(point.mode, "offline")


def _at_rate(timing: Timing, rate: Column, most: Column) -> Served:
    """The replica at an arrival rate: in flight = rate x residence, by bisection; at most as full as memory allows."""
    low, high = np.full(len(rate), 1e-3), np.maximum(most, 1e-3)
    for _ in range(14):
        middle = np.sqrt(low * high)
        served = timing.serve(middle, open_arrivals=True)
        enough = middle / served.request_s(timing.output_tokens) >= rate
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    return timing.serve(high, open_arrivals=True)


def _total_prefill(timing: Timing, prompts: Column, depth: Column) -> Column:
    return np.asarray(sum(part.seconds for part in timing.prefill_terms(prompts, cached=depth).values()))


def _hardware(subjects: Sequence[Subject], points: Sequence[Point]) -> Hardware:
    """The columns of every point; what is the same for a subject is computed once."""
    shelf: dict[tuple[int, float], tuple[float, ...]] = {}
    rows = []
    for point in points:
        load = (point.concurrency or 0.0) / point.subject.replicas / point.subject.dp if point.mode != "offline" else 0.0
        key = (id(point.subject), load)
        if key not in shelf:
            shelf[key] = _row(point.subject, load)
        rows.append(shelf[key])
    names = list(Hardware.__dataclass_fields__)
    columns = np.array(rows, dtype=float).reshape(len(rows), len(names)).T.copy()
    return Hardware(**dict(zip(names, columns, strict=True)))


def _row(s: Subject, load: float) -> tuple[float, ...]:
    chip, bits = s.chip, s.weights.by_part
    host = chip.host_link.value if chip.host_link else SLOWEST_KNOWN_HOST_LINK_BYTES_PER_S
    link, hop = _joined(s, max(s.tp, s.dp), host)
    stage, stage_hop = _joined(s, s.tp * s.pp, host)
    peaks = peak_rates(s.chip, s.weights) or peak_rates(s.chip, s.weights, emulated=True)  # it ran, so the engine widened it
    assert peaks is not None  # a subject has a memory bandwidth
    sequences, budget = limits_of(s, load=load or None)
    memory = s.known_engine.memory if s.known_engine else None
    share = memory.utilisation.value if memory and memory.utilisation else ENGINE_SHARE
    return (
        float(s.tp), float(s.pp), float(s.ep), float(s.dp), link, hop, stage, stage_hop, float(s.engine_kind == "serving"),
        chip.memory_bytes or UNKNOWN_MEMORY_BYTES, memory.reserve_per_device.value if memory else RESERVE_BYTES, min(share, 0.99),
        chip.bandwidth_bytes_per_s or 1.0, peaks.linear, peaks.experts, peaks.scores, sequences, budget,
        bits.linear, bits.experts, bits.embedding, bits.head, s.kv.bits,
    )  # fmt: skip


def _joined(s: Subject, ranks: int, host: float) -> tuple[float, float]:
    """(bytes/s in one direction, latency factor) between the ranks of a deployment, by the chip's own link where it has one."""
    link = s.chip.link
    if ranks == 1 or link is None or link.bridge:
        return host, HOST_LINK_HOP_FACTOR
    if ranks > link.domain:
        return min(host, link.bandwidth.value), NETWORK_HOP_FACTOR
    whole = link.bandwidth.value
    return (min(link.pair_bandwidth.value * (ranks - 1), whole) if link.pair_bandwidth else whole), 1.0
