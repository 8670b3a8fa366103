"""The runs that would settle a close decision: commands to copy, and the line that decides."""

from collections.abc import Sequence

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.parts import LimitsPart, Plan, Run, WorkloadPart
from infra_advisor.physics.cost import usd_per_mtok

WAVES = 10
"""Requests per request in flight: fewer measure the start more than the steady state."""
LEAST_REQUESTS = 100
PORT = 8000
ROOM = 64
"""Tokens of context beyond the longest request."""


def plan(answers: Sequence[Answer], workload: WorkloadPart, limits: LimitsPart) -> Plan:
    """Runs for the first answer and for the next one that it is too close to, or for the first alone."""
    hardware = [answer for answer in answers if answer.hardware.class_ != "api"]
    return Plan(runs=tuple(_run(answer, hardware, workload, limits) for answer in hardware[:2]))


def _run(answer: Answer, others: Sequence[Answer], workload: WorkloadPart, limits: LimitsPart) -> Run:
    software, hardware = answer.software, answer.hardware
    model = workload.hf_id or workload.model
    in_flight = max(round((answer.performance.concurrency or 1.0) / hardware.replicas), 1)
    requests = max(WAVES * in_flight, LEAST_REQUESTS)
    context = workload.input_tokens + workload.output_tokens + ROOM
    result = f"{answer.offer.id.replace('/', '-')}-{software.engine}.json"
    load = f"--random-input-len {workload.input_tokens} --random-output-len {workload.output_tokens}"
    note = None
    if software.engine == "sglang":
        serve = f"python -m sglang.launch_server --model-path {model} --tp {software.tp} --context-length {context} --port {PORT}"
        serve += _sglang_format(software.weights)
        measure = (
            f"python -m sglang.bench_serving --backend sglang --dataset-name random {load} --random-range-ratio 1.0 "
            f"--num-prompts {requests} --max-concurrency {in_flight} --port {PORT} --output-file {result}"
        )
    elif software.engine in ("llama.cpp", "ollama"):
        serve, result = "", result.replace(".json", ".jsonl")
        measure = (
            f"llama-bench -m MODEL-{software.weights.removeprefix('gguf-')}.gguf -p {workload.input_tokens} -n {workload.output_tokens} "
            f"-ngl 99 -fa 1 -o jsonl > {result}"
        )
        note = "one stream, without a server; give the .gguf file of the format"
    else:
        serve = f"vllm serve {model} --tensor-parallel-size {software.tp} --max-model-len {context} --port {PORT}" + _vllm_layout(answer)
        measure = (
            f"vllm bench serve --model {model} --dataset-name random {load} --random-range-ratio 0 --ignore-eos --num-prompts {requests} "
            f"--max-concurrency {in_flight} --port {PORT} --save-result --result-filename {result} "
            f"--metadata chip={hardware.accelerator} chips={hardware.accelerators_per_replica} tensor_parallel_size={software.tp} "
            f"weight_dtype={software.weights}"
        )
        if software.engine != "vllm":
            note = (
                f"start the server of {software.engine} in its own way; "
                "the client speaks to any OpenAI-compatible endpoint (--backend openai)"
            )
            serve = ""
    return Run(
        answer=answer.id,
        serve=(serve,) if serve else (),
        measure=(measure,),
        result=result,
        passes=tuple(_passes(answer, others, limits)),
        note=note,
    )


def _vllm_layout(answer: Answer) -> str:
    software = answer.software
    found = f" --pipeline-parallel-size {software.pp}" if software.pp > 1 else ""
    found += f" --data-parallel-size {software.dp}" if software.dp > 1 else ""
    found += " --enable-expert-parallel" if software.ep > 1 else ""
    found += " --kv-cache-dtype fp8" if software.kv == "fp8" else ""
    return found + (" --quantization fp8" if software.weights == "fp8" else "")


def _sglang_format(weights: str) -> str:
    return " --quantization fp8" if weights == "fp8" else ""


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
