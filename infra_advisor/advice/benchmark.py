"""The runs that would settle a close decision: commands to copy, and the line that decides."""

import shlex
from collections.abc import Mapping, Sequence

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.launch import MODEL, checkpoint, command, context_tokens
from infra_advisor.advice.parts import LimitsPart, WorkloadPart
from infra_advisor.advice.plan_parts import Plan, Run
from infra_advisor.facts.engines import Engine
from infra_advisor.physics.cost import usd_per_mtok

WAVES = 10
"""Requests per request in flight: fewer measure the start more than the steady state."""
LEAST_REQUESTS = 100
PORT = 8000


def plan(
    answers: Sequence[Answer], workload: WorkloadPart, limits: LimitsPart, engines: Mapping[str, Engine], native: str | None = None
) -> Plan:
    """Runs for the first answer and for the next one that it is too close to, or for the first alone.

    `native`: the format the model is published in.
    """
    hardware = [answer for answer in answers if answer.hardware.class_ != "api"]
    return Plan(runs=tuple(_run(answer, hardware, workload, limits, engines, native) for answer in hardware[:2]))


def _run(
    answer: Answer,
    others: Sequence[Answer],
    workload: WorkloadPart,
    limits: LimitsPart,
    engines: Mapping[str, Engine],
    native: str | None,
) -> Run:
    software = answer.software
    model = workload.hf_id or workload.model
    stem = f"{answer.offer.id.replace('/', '-')}-{software.engine}"
    loads = _loads(max(round((answer.performance.concurrency or 1.0) / answer.hardware.replicas), 1))
    results = tuple(f"{stem}-{load}.json" for load in loads)
    serve, note = "", None
    if software.engine in ("llama.cpp", "ollama"):
        results = (f"{stem}.jsonl",)
        measure = [_llama_bench(software.weights, workload, results[0])]
        note = "one stream behind three depths, without a server; give the .gguf file of the format"
    else:
        serve, note = _serve(answer, workload, engines.get(software.engine), native, model)
        client = _sglang_bench if software.engine == "sglang" else None
        measure = [
            client(workload, load, result) if client else _vllm_bench(answer, model, workload, load, result)
            for load, result in zip(loads, results, strict=True)
        ]
    return Run(
        answer=answer.id,
        serve=(serve,) if serve else (),
        measure=tuple(measure),
        results=results,
        fold_in=(_fold_in(answer, model, stem, results),),
        passes=tuple(_passes(answer, others, limits)),
        note=note,
    )


def _loads(in_flight: int) -> tuple[int, ...]:
    """Requests in flight: the load in question last, and two others, since calibration wants three points or more."""
    most = max(in_flight, 4)
    return (*sorted({most // 4, most // 2, most} - {in_flight}), in_flight)


def _lengths(workload: WorkloadPart) -> str:
    return f"--random-input-len {workload.input_tokens} --random-output-len {workload.output_tokens}"


def _volume(load: int) -> str:
    return f"--num-prompts {max(WAVES * load, LEAST_REQUESTS)} --max-concurrency {load} --port {PORT}"


def _llama_bench(weights: str, workload: WorkloadPart, result: str) -> str:
    depths = f"0,{workload.input_tokens},{2 * workload.input_tokens}"
    lengths = f"-p {workload.input_tokens} -n {workload.output_tokens} -d {depths}"
    return f"llama-bench -m MODEL-{weights.removeprefix('gguf-')}.gguf {lengths} -ngl 99 -fa 1 -o jsonl > {result}"


def _sglang_bench(workload: WorkloadPart, load: int, result: str) -> str:
    return (
        f"python -m sglang.bench_serving --backend sglang --dataset-name random {_lengths(workload)} --random-range-ratio 1.0 "
        f"{_volume(load)} --output-file {result}"
    )


def _vllm_bench(answer: Answer, model: str, workload: WorkloadPart, load: int, result: str) -> str:
    software, hardware = answer.software, answer.hardware
    return (
        f"vllm bench serve --model {model} --dataset-name random {_lengths(workload)} --random-range-ratio 0 --ignore-eos "
        f"{_volume(load)} --save-result --result-filename {result} "
        f"--metadata chip={hardware.accelerator} chips={hardware.accelerators_per_replica} tensor_parallel_size={software.tp} "
        f"weight_dtype={software.weights}"
    )


def _fold_in(answer: Answer, model: str, layer: str, results: Sequence[str]) -> str:
    software, hardware = answer.software, answer.hardware
    files = " ".join(f"--with {result}" for result in results)
    run = f"--chip {hardware.accelerator} --chips {hardware.accelerators_per_replica} --tp {software.tp}"
    served = f"--model {model} --engine {software.engine} --weights {software.weights}"
    return f"mkdir -p {layer} && advisor calibrate {files} {run} {served} -o {layer}/deviations.csv"


def _serve(answer: Answer, workload: WorkloadPart, engine: Engine | None, native: str | None, model: str) -> tuple[str, str | None]:
    """The server, and what its command does not say."""
    loaded, why = (
        (MODEL, None)
        if engine is None or engine.launch is None
        else checkpoint(workload, answer.software.weights, native, engine.launch.quantize)
    )
    started = engine and command(
        engine,
        answer.software,
        model=loaded,
        context=context_tokens(workload.input_tokens + workload.output_tokens),
        port=PORT,
        name=model if loaded == MODEL else None,
        native=native,
        chip=answer.hardware.accelerator,
    )
    if not started:
        note = f"start the server of {answer.software.engine} in its own way; the client speaks to any OpenAI-compatible endpoint"
        return "", f"{note} (--backend openai)"
    notes = [*([f"put the checkpoint in the place of MODEL_PATH: {why}"] if why else []), *started.notes]
    words = ["MODEL_PATH" if word == MODEL else word for word in started.words]
    return shlex.join(words), "; ".join(notes) or None


def _passes(answer: Answer, others: Sequence[Answer], limits: LimitsPart) -> list[str]:
    found = []
    statistic = "median" if limits.statistic == "p50" else limits.statistic
    if limits.ttft_s is not None:
        found.append(f"{statistic} TTFT <= {limits.ttft_s * 1e3:.4g} ms")
    if limits.tpot_s is not None:
        found.append(f"{statistic} TPOT <= {limits.tpot_s * 1e3:.4g} ms")
    needed = _needed_tokens_per_s(answer, others)
    if needed is not None:
        found.append(f"output >= {needed:.4g} tokens/s per replica, or {others[1].id if answer is others[0] else others[0].id} is cheaper")
    return found


def _needed_tokens_per_s(answer: Answer, others: Sequence[Answer]) -> float | None:
    """Output of one replica at which it costs as much per token as its rival is predicted to."""
    if len(others) < 2 or answer not in others[:2]:
        return None
    rival = others[1] if answer is others[0] else others[0]
    cost, price = rival.cost.usd_per_mtok_output, answer.cost.usd_per_h
    if not cost or not price:
        return None
    return float(usd_per_mtok(usd_per_h=price, tokens_per_s=1.0)) / cost / answer.hardware.replicas
