"""Simulated percentiles beside published ones: the rows of the evidence that state percentiles under a load, or have open arrivals.

    OPENBLAS_NUM_THREADS=1 python benchmarks/percentiles.py [--source NAME ...] [--requests 3000]

Writes docs/percentiles.csv; docs/accuracy_notes.md speaks of it. Run by hand: it takes some minutes on one processor.

Each row runs on the deployment it states, loaded as its client did, in runs as short as its own, repeated with other numbers; figures
are medians over them. Nothing is fitted to percentiles or open arrivals; means (or medians) of closed loads are among what was fitted.
"""

import os

# Before numpy is loaded: the matrices are small, and threads that wait for one another make it several times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import csv
import math
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice, repeat
from pathlib import Path

import numpy as np

from infra_advisor.facts.catalog import load
from infra_advisor.facts.evidence import Measurement, evidence_files, read_evidence
from infra_advisor.facts.evidence_use import usable_for_fit
from infra_advisor.search.binding import achieve
from infra_advisor.search.calibration import Parameters, read_parameters
from infra_advisor.search.laws import Scheduling, engines
from infra_advisor.search.observations import traits_of_row
from infra_advisor.search.operating import Point, point_of
from infra_advisor.search.outcome import within
from infra_advisor.search.points import Timing
from infra_advisor.search.replay import Replay
from infra_advisor.search.scores import score
from infra_advisor.search.simulate import Fleet, simulate
from infra_advisor.search.solve import Targets
from infra_advisor.search.sources import ClosedSource, poisson
from infra_advisor.search.subjects import Subjects
from infra_advisor.search.traffic import Draws, Lengths
from infra_advisor.simulator.engine import Engine

TABLE = Path(__file__).resolve().parent.parent / "docs" / "percentiles.csv"
COLUMNS = ("load", "source", "figure", "rows", "median_error", "p90_error", "bias", "measured_ratio", "simulated_ratio")
FIGURES = tuple(f"{what}_s_{statistic}" for what in ("ttft", "tpot") for statistic in ("mean", "p50", "p95", "p99"))
RATIOS = (("ttft_s_p99", "ttft_s_mean"), ("ttft_s_p99", "ttft_s_p50"), ("tpot_s_p99", "tpot_s_p50"))
MLPERF = "mlperf-inference"
MOST_REPLICAS, WAVES = 4, 10
"""Replicas of a steady state that are run, each with its part of the load; requests of it, and of InferenceX, over those in flight."""
FIXED, AS_DRAWN = Lengths(), Lengths("uniform", least_share=8 / 9, most_share=10 / 9)  # 0.8 to 1.0 of a nominal length, about its mean
CHAT, WIDE_CHAT, ARTICLE = (Lengths("lognormal", sigma=sigma) for sigma in (0.8, 1.0, 0.5))


@dataclass(frozen=True, kw_only=True)
class Client:
    """How a source sends requests: what it says, and where it does not say, a judgement; nothing here is fitted."""

    run: int = 1000  # requests of one run, by default that of the usual clients; 0 = `WAVES`
    prompts: Lengths = FIXED
    answers: Lengths = FIXED
    means: tuple[float, float] | None = None  # prompt and answer, where the columns hold no means
    longest_answer: float = math.inf
    most_running: float | None = None  # sequences at once, where the source or the version of its engine says


INFERENCEX = Client(run=0, prompts=AS_DRAWN, answers=AS_DRAWN)
CLIENTS: Mapping[str, Client] = {
    "accelmark": Client(run=300, prompts=CHAT, answers=CHAT, most_running=256),
    "gpustack-performance-lab": Client(prompts=WIDE_CHAT, answers=WIDE_CHAT),
    "ixprof-h200": INFERENCEX,
    "nebius-ix": INFERENCEX,
    "kyuz0-vllm": Client(prompts=WIDE_CHAT, answers=WIDE_CHAT),
    "vllm-bench-rngd": Client(run=100),  # what fits between the times at which two runs began
}
PROMPTS: Mapping[str, tuple[float, Lengths, Lengths]] = {  # MLPerf: mean prompt (recollections, Mixtral's a guess), its spread, of answers
    "llama-2-70b-chat-hf": (294.0, CHAT, CHAT),
    "llama-3.1-8b-instruct": (778.0, ARTICLE, FIXED),
    "mixtral-8x7b-instruct-v0.1": (300.0, CHAT, CHAT),
    "deepseek-r1-0528": (800.0, CHAT, CHAT),
}


def client_of(row: Measurement) -> Client:
    """How a row was loaded."""
    found, notes = CLIENTS.get(row.source_id or "", Client()), row.notes or ""
    if row.source_id == MLPERF:  # tuned to the machine: as many at once as memory holds
        prompt, prompts, answers = PROMPTS[row.model_arch or ""]
        return Client(run=0, prompts=prompts, answers=answers, means=(prompt, row.output_tokens or 1.0), most_running=1e4)
    if "longctx" in notes:  # every answer is cut at the limit
        return replace(found, prompts=FIXED, answers=FIXED)
    if row.source_id == "accelmark":  # the columns hold medians, those of one suite nothing: it has the prompts of others
        grown = 1.0 / CHAT.share_at(0.5)
        means = (row.input_tokens or 280.0) * grown, (row.output_tokens or 310.0) * grown
        return replace(found, means=means, longest_answer=256.0 if "edge" in notes else 512.0)
    if "InferenceX client" in notes:
        return replace(INFERENCEX, means=(0.9 * (row.input_tokens or 1.0), 0.9 * (row.output_tokens or 1.0)))
    most = re.search(r"(?:max_num_seqs|compiled batch) (\d+)", notes)
    run = re.search(r"\brequests=(\d+)|random prompts, (\d+) requests", notes)
    return replace(found, run=int(run[1] or run[2]) if run else found.run, most_running=float(most[1]) if most else found.most_running)


class Drawn(Draws):
    """Prompts and answers that spread each in its own way, answers up to a limit."""

    def __init__(self, seed: int, client: Client, point: Point) -> None:
        means, longest = client.means or (point.input_tokens, point.output_tokens), point.subject.model.max_context or math.inf
        super().__init__(seed, client.prompts, *means, longest)
        self._answers = Draws(seed + 1_000_000, client.answers, *means, longest)
        self._longest_answer = client.longest_answer

    def lengths(self) -> Iterator[tuple[int, int]]:
        """(prompt, answer) of one request after another. [tokens]"""
        for (prompt, _), (_, answer) in zip(super().lengths(), self._answers.lengths(), strict=True):
            yield prompt, int(min(answer, self._longest_answer))


@dataclass(frozen=True)
class Case:
    """One row, ready to run."""

    row: Measurement
    point: Point
    client: Client
    load: str
    engine: Engine
    rate_per_s: float | None
    in_flight: int | None


def case_of(parameters: Parameters, subjects: Subjects, row: Measurement) -> Case | str:
    """A row on its deployment, or why it is left out."""
    why = usable_for_fit(row) or next((f"flag {flag}" for flag in row.flags if flag in ("saturated", "vendor-claim")), None)
    if row.source_id == "ml-energy":
        why = "percentiles of single gaps between tokens"
    elif row.mode not in ("closed-loop", "open-loop"):
        why = why or f"{row.mode}: nothing arrives"
    elif row.source_id == MLPERF:
        why = why or (None if row.ttft_s_p99 else "no latencies")
        if row.kv_dtype is None and row.weight_dtype not in ("bf16", "fp16"):
            row = replace(row, kv_dtype="fp8")  # more are in flight than a cache of 16 bits holds
    found = why or subjects.of(row)
    point = found if isinstance(found, str) else point_of(row, found, parameters.length_shares)
    if isinstance(point, str):
        return point
    client, subject, chip = client_of(row), point.subject, point.subject.chip
    hardware = Replay([point], parameters.defaults).hardware
    hardware = replace(hardware, most_sequences=np.array([client.most_running or hardware.most_sequences[0]]))
    how = {"engine_kind": subject.engine_kind, "vendor": chip.vendor, "device_class": chip.device_class, "kind": chip.kind}
    if (family := parameters.family(**how, mode=point.mode)) is None:
        return "no efficiencies"
    deployment = achieve(hardware, parameters.efficiencies([(family[0], traits_of_row(row, point))]))
    prompt, answer = client.means or (point.input_tokens, point.output_tokens)
    timing = Timing(subject.model.shape(), deployment, parameters.defaults, input_tokens=prompt, output_tokens=answer)
    waits = subject.known_engine is not None and subject.known_engine.defaults.cache_full == "wait"
    rules = Scheduling(chunked=True, continuous=True, prefix_cache=False, reserve_output=waits)
    longest = prompt * client.prompts.share_at(0.9999) + answer * client.answers.share_at(0.9999)
    (engine,) = engines(timing, [rules], longest_tokens=longest)
    in_flight, rate = round(point.concurrency) if point.concurrency else None, point.request_rate_per_s
    if match := re.match(r"Rate (\d+);", row.notes or ""):
        rate = float(match[1])  # gpustack: the column repeats a profile; the requests completed a second agree with the note
    if match := re.search(r"concurrency(\d+)", row.source_row or ""):  # arrivals at a rate until so many are in flight
        in_flight, rate = int(match[1]), float(re.findall(r"([\d.]+) req/s", row.notes or "")[0])
    late = row.ttft_s and row.tpot_s and row.ttft_s > 0.5 * row.tpot_s * point.output_tokens
    load_ = "open, overloaded" if late else "open"
    load_ = load_ if point.mode == "open-loop" else "closed, one request" if point.concurrency == 1.0 else "closed"
    limit = "open, at the limit, " + ("interactive" if "Interactive" in (row.notes or "") else "server")
    return Case(row, point, client, limit if row.source_id == MLPERF else load_, engine, rate, in_flight)


def simulated(case: Case, requests: int, rate_share: float = 1.0, targets: Targets | None = None) -> tuple[dict[str, float], bool]:
    """Figures, medians over the runs [s], and whether the targets are kept. `rate_share`: of the stated rate."""
    client, replicas = case.client, case.point.subject.replicas
    steady = client.run == 0 and case.in_flight is None
    shown = min(replicas, MOST_REPLICAS) if steady else replicas
    run = client.run or int(WAVES * (case.in_flight or (case.row.concurrency or 1.0) * shown / replicas))
    run, found = max(run, requests) if steady else run, []
    for seed in range(max(1, math.ceil(requests / run))):
        draws, rate, count = Drawn(seed + 1, client, case.point), (case.rate_per_s or math.inf) * rate_share, min(case.in_flight or 0, run)
        starts_s = repeat(0.0, count) if case.rate_per_s is None else accumulate(gap / rate for gap in islice(draws.gaps(), count))
        source = ClosedSource(draws, count, run, 0.0, starts_s) if count else poisson(draws, rate * shown / replicas, run)
        fleet, closed, hasty = Fleet(engine=case.engine, replicas=shown), count > 0, targets is not None
        found.append(simulate(fleet, source, targets or Targets(), steady=steady, requests=run, closed=closed, give_up=hasty))
    figures = {name: float(np.median([getattr(getattr(one, name[:6]), name[7:]) or np.nan for one in found])) for name in FIGURES}
    return figures, all(within(targets or Targets(), one) for one in found)


def at_our_limit(case: Case, requests: int) -> dict[str, float]:
    """What requests see at the highest rate at which we keep the p99 limits of the benchmark, and that rate."""
    ttft_s, tpot_s = (float(limit) / 1e3 for limit in re.findall(r"(?:ttft|tpot) (\d+) ms", case.row.notes or ""))
    targets = Targets(ttft_s, tpot_s, statistic="p99")
    low, high, best = 1 / 8, 8.0, dict.fromkeys(FIGURES, math.nan)
    for _ in range(7):
        figures, kept = simulated(case, requests, middle := math.sqrt(low * high), targets)
        low, high, best = (middle, high, figures) if kept else (low, middle, best)
    return best | {"rate": low * (case.rate_per_s or math.nan)}


def lines(done: Sequence[tuple[Case, Mapping[str, float]]]) -> Iterator[tuple[object, ...]]:
    """The table: every load, over all its sources and by source."""
    for load_, source in sorted({(case.load, name) for case, _ in done for name in ("", case.row.source_id or "")}):
        here = [pair for pair in done if pair[0].load == load_ and source in ("", pair[0].row.source_id)]
        predicted = {name: np.array([figures.get(name, np.nan) for _, figures in here]) for name in (*FIGURES, "rate")}
        measured = {name: np.array([getattr(case.row, name, None) or np.nan for case, _ in here]) for name in FIGURES}
        measured["rate"] = np.array([case.rate_per_s or np.nan for case, _ in here])
        for over, under in [*((name, "") for name in predicted), *RATIOS]:
            ours, theirs = (column[over] / (column[under] if under else 1.0) for column in (predicted, measured))
            if (one := score(np.log(ours), np.log(theirs))) is not None:
                medians = [f"{np.median(column[np.isfinite(ours * theirs)]):.3f}" for column in (theirs, ours)] if under else ["", ""]
                name = over.replace("_s_", " ") + (f"/{under[7:]}" if under else "")
                yield load_, source or "all", name, one.rows, f"{one.median:.4f}", f"{one.p90:.4f}", f"{one.bias:.4f}", *medians


def main() -> int:
    parser = argparse.ArgumentParser(description="Write docs/percentiles.csv.")
    parser.add_argument("--source", action="append", help="default: all")
    parser.add_argument("--requests", type=int, default=3000, help="of each row, over its runs")
    parser.add_argument("--output-file", type=Path, default=TABLE)
    asked, catalog, start = parser.parse_args(), load(), time.monotonic()
    parameters, subjects = read_parameters(catalog.parameters, catalog.deviations), Subjects(catalog)
    left_out: Counter[str] = Counter()
    done: list[tuple[Case, dict[str, float]]] = []
    limits: dict[object, dict[str, float]] = {}
    rows = [row for row in read_evidence(evidence_files(catalog.path), []) if row.source_id in (asked.source or [row.source_id])]
    for row in rows:
        if row.mode != "open-loop" and not any(getattr(row, name, None) for name in FIGURES if "_p" in name):
            continue
        if isinstance(case := case_of(parameters, subjects, row), str):
            left_out[f"{row.source_id}: {case}"] += 1
            continue
        done.append((case, simulated(case, asked.requests)[0]))
        if row.source_id == MLPERF:  # one search for all rows of one deployment
            key = (case.point.subject.series, case.load, row.output_tokens)
            limits[key] = limits.get(key) or at_our_limit(case, asked.requests)
            done.append((replace(case, load=case.load.replace("the limit", "our limit")), limits[key]))
        if len(done) % 50 == 0:
            print(f"{len(done)} rows, {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    print("left out:", dict(left_out.most_common()), file=sys.stderr)
    with asked.output_file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([COLUMNS, *lines(done)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
