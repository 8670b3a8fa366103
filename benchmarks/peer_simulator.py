"""Our simulation beside that of Vidur, a simulator of LLM serving that goes step by step, on the same requests with the same step times.

    python -m venv peer && peer/bin/pip install -e . vidur
    OPENBLAS_NUM_THREADS=1 peer/bin/python benchmarks/peer_simulator.py [--requests 2000] [--rates 0.5 1 2 3]

The peer is no dependency and wants an environment of its own. It fetches its step times from a hub when it runs; this script does not, but
gives it ours, in the place it has for other predictors. So this compares what happens between arrival and last token (queue, chunks,
batches, cache) and the time to compute it. Ours jumps from event to event, the peer runs every step of the engine.
"""

import os

# Before numpy is loaded: threads that wait for one another make small work slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import csv
import itertools
import logging
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

try:
    from vidur import __version__ as PEER_VERSION
    from vidur.config import (
        BaseExecutionTimePredictorConfig,
        CacheConfig,
        ClusterConfig,
        LORGlobalSchedulerConfig,
        MetricsConfig,
        ReplicaConfig,
        SarathiSchedulerConfig,
        SimulationConfig,
        TraceRequestGeneratorConfig,
        VllmSchedulerConfig,
    )  # fmt: skip
    from vidur.entities import ExecutionTime
    from vidur.execution_time_predictor import ExecutionTimePredictorRegistry
    from vidur.simulator import Simulator
    from vidur.types import ExecutionTimePredictorType
except ImportError:
    Simulator = None

from infra_advisor.facts.catalog import load
from infra_advisor.facts.evidence import Measurement
from infra_advisor.facts.traces import Arrival
from infra_advisor.search.binding import achieve
from infra_advisor.search.calibration import read_parameters
from infra_advisor.search.laws import Scheduling, engines
from infra_advisor.search.observations import traits_of_row
from infra_advisor.search.operating import point_of
from infra_advisor.search.points import Timing
from infra_advisor.search.replay import Replay
from infra_advisor.search.simulate import Fleet, simulate
from infra_advisor.search.solve import Targets
from infra_advisor.search.sources import OpenSource
from infra_advisor.search.subjects import Subjects
from infra_advisor.search.traffic import Draws, Lengths
from infra_advisor.simulator.engine import Engine

HOW = """vidur cannot be imported by this interpreter. It is optional; to compare, give it an environment of its own:
    python -m venv peer && peer/bin/pip install -e . vidur
    peer/bin/python benchmarks/peer_simulator.py"""
PROMPT, ANSWER, LONGEST = 1024.0, 256.0, 16384.0
MOST_RUNNING, CHUNK, BLOCK = 256, 2048, 16
ROW = Measurement(
    chip="h100-sxm", chips=4.0, engine="vllm", model="Llama 3 70B", model_arch="meta-llama-3-70b-instruct", weight_dtype="bf16", tp=4.0,
    input_tokens=PROMPT, output_tokens=ANSWER, mode="open-loop", request_rate_qps=1.0,
)  # fmt: skip


def engine_of(*, chunked: bool) -> Engine:
    """Llama 3 70B on four H100, with what the peer does not know taken out: handling of requests, and passes decoding goes on beside."""
    catalog = load()
    parameters = read_parameters(catalog.parameters, catalog.deviations)
    subject = Subjects(catalog).of(ROW)
    assert not isinstance(subject, str)
    point = point_of(ROW, subject, {})
    assert not isinstance(point, str)
    efficiencies = parameters.efficiencies([("serving-nvidia", traits_of_row(ROW, point))])
    deployment = achieve(Replay([point], parameters.defaults).hardware, efficiencies)
    timing = Timing(subject.model.shape(), deployment, parameters.defaults, input_tokens=PROMPT, output_tokens=ANSWER)
    rules = Scheduling(chunked=chunked, continuous=True, prefix_cache=False, reserve_output=False)
    (engine,) = engines(timing, [rules], longest_tokens=LONGEST)
    plain = replace(engine, handling_s=0.0, handling_each_s=0.0, ttft_factor=1.0, stall_share=1.0)
    return replace(plain, most_running=MOST_RUNNING, tokens_per_pass=CHUNK if chunked else LONGEST)


if Simulator is not None:

    class StepTimes(BaseExecutionTimePredictorConfig):  # type: ignore[misc]
        """Chooses `OurTimes`."""

        @staticmethod
        def get_type() -> Any:
            """A kind the peer has a name but no class for."""
            return ExecutionTimePredictorType.DUMMY

    class OurTimes:
        """What the peer asks for the time of a batch: a pass over prompt tokens, and a decode step of the sequences that run."""

        engine: Engine

        def __init__(self, **_: Any) -> None:
            pass

        def get_execution_time(self, batch: Any, _stage: int) -> Any:
            """One step. [ms]"""
            engine, prompts, decoding, scores_s = self.engine, [], [], 0.0
            for request, tokens, context in zip(batch.requests, batch.num_q_tokens, batch.num_kv_tokens, strict=True):
                if request.is_prefill_complete:
                    decoding.append(context)
                else:
                    prompts.append(tokens)
                    scores_s += engine.prefill.attention_s(context - tokens, context)
            step_s = engine.prefill.duration_s(sum(prompts), len(prompts), max(prompts), scores_s) if prompts else 0.0
            step_s += engine.decode.step_s(len(decoding), sum(decoding) / len(decoding)) if decoding else 0.0
            return ExecutionTime(1, 0.0, 0.0, step_s * 1e3, *([0.0] * 11))


def peer_run(engine: Engine, arrivals: list[Arrival], folder: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """(times to the first token, times per token, seconds it took) of the peer."""
    OurTimes.engine = engine
    trace = folder / "trace.csv"
    with trace.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("Date", "Time", "PromptTokenCount", "CompletionTokenCount"))
        writer.writerows(("all", repr(one.arrival_s), one.input_tokens, one.output_tokens) for one in arrivals)
    blocks = int(engine.cache.pool_bytes / engine.cache.growth_bytes / BLOCK)
    chunks = SarathiSchedulerConfig(batch_size_cap=MOST_RUNNING, chunk_size=CHUNK)
    wholes = VllmSchedulerConfig(batch_size_cap=MOST_RUNNING, max_tokens_in_batch=int(LONGEST))
    nothing = {name: False for name in MetricsConfig.__dataclass_fields__ if name.startswith(("write_", "store_", "enable_"))}
    config = SimulationConfig(
        cluster_config=ClusterConfig(
            replica_config=ReplicaConfig(model_name="meta-llama/Llama-3-70B", num_pipeline_stages=1, tensor_parallel_size=4),
            cache_config=CacheConfig(block_size=BLOCK, num_blocks=blocks),
            global_scheduler_config=LORGlobalSchedulerConfig(),
            replica_scheduler_config=chunks if engine.chunked else wholes,
        ),
        request_generator_config=TraceRequestGeneratorConfig(
            trace_file=str(trace), date="all", prefill_scale_factor=1, time_scale_factor=1, max_tokens=int(LONGEST)
        ),
        execution_time_predictor_config=StepTimes(),
        metrics_config=MetricsConfig(output_dir=str(folder), **nothing),
    )
    simulator = Simulator(config)
    requests = [event._request for _, event in simulator._event_queue]  # it returns none
    start = time.perf_counter()
    simulator.run()
    took_s = time.perf_counter() - start
    assert not any(request._num_restarts for request in requests), "the cache was full: choose lower rates"
    ttft = np.array([request.prefill_completed_at - request.arrived_at for request in requests])
    tpot = np.array([(one.completed_at - one.prefill_completed_at) / max(one.num_decode_tokens - 1, 1) for one in requests])
    return ttft, tpot, took_s


def our_run(engine: Engine, arrivals: list[Arrival]) -> tuple[np.ndarray, np.ndarray, float]:
    """The same of ours."""
    left: list[Any] = []
    start = time.perf_counter()
    simulate(Fleet(engine=engine), OpenSource(arrivals), Targets(), steady=False, each=left.append)
    took_s = time.perf_counter() - start
    return np.array([one.ttft_s for one in left]), np.array([one.tpot_s for one in left]), took_s


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare with Vidur.")
    parser.add_argument("--requests", type=int, default=2000, help="per run")
    parser.add_argument("--rates", type=float, nargs="+", default=[0.5, 1.0, 2.0, 3.0], help="requests/s")
    asked = parser.parse_args()
    if Simulator is None:
        print(HOW)
        return 0
    logging.getLogger("vidur").setLevel(logging.WARNING)
    ExecutionTimePredictorRegistry.register(ExecutionTimePredictorType.DUMMY, OurTimes)
    lengths = f"prompts {PROMPT:g}, answers {ANSWER:g} on average"
    print(f"Llama 3 70B on 4 H100, {asked.requests:,} requests, {lengths}; ours, then vidur {PEER_VERSION}")
    print(f"{'':22}{'TTFT p50':>16} {'p99':>16} {'TPOT p50':>16} {'p99':>16}   {'time per request':>20}")
    for chunked, rate in itertools.product((True, False), asked.rates):
        engine = engine_of(chunked=chunked)
        draws = Draws(1, Lengths("lognormal", sigma=0.8), PROMPT, ANSWER, LONGEST)
        at_s = itertools.accumulate(gap / rate for gap in draws.gaps())
        arrivals = [Arrival(at, *pair, None) for at, pair in itertools.islice(zip(at_s, draws.lengths(), strict=False), asked.requests)]
        arrivals = [one._replace(output_tokens=max(one.output_tokens, 2)) for one in arrivals]
        with tempfile.TemporaryDirectory() as folder:
            theirs = peer_run(engine, arrivals, Path(folder))
        ours = our_run(engine, arrivals)
        pairs = [(ours[of], theirs[of], share) for of in (0, 1) for share in (0.5, 0.99)]
        cells = [f"{np.quantile(a, share) * 1e3:6.1f} {np.quantile(b, share) * 1e3:6.1f} ms" for a, b, share in pairs]
        cost = f"{ours[2] / asked.requests * 1e6:6.0f} us {theirs[2] / asked.requests * 1e6:8.0f} us"
        shown = " ".join(f"{cell:>16}" for cell in cells)
        print(f"{'chunks' if chunked else 'whole prompts':14} {rate:5g}/s {shown}   {cost:>20}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
