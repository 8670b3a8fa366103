"""Our predictions beside those of aiconfigurator, NVIDIA's own estimator, on measured points that both can predict.

    python -m venv peer && peer/bin/pip install -e . aiconfigurator
    peer/bin/python benchmarks/peer.py [--rows 150] [--held-out series|chip|model] [--seed 1]

The peer is no dependency and wants an environment of its own. It is asked through its documented function `cli_estimate`, one aggregated
deployment at a time; this script opens none of its bundled measurements. It predicts today's engine versions, the points are of several.
Our shipped parameters were fitted to these points: `--held-out` predicts each by a fit that did not see its series, chip or model.
"""

import argparse
import logging
import os
import sys
import time
from collections import Counter
from typing import Any

# Before numpy is loaded: threads that wait for one another make small fits several times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

try:
    from aiconfigurator import __version__ as PEER_VERSION
    from aiconfigurator.cli.api import cli_estimate
except ImportError:
    cli_estimate = None

HOW = """aiconfigurator cannot be imported by this interpreter. It is optional; to compare, give it an environment of its own:
    python -m venv peer && peer/bin/pip install -e . aiconfigurator
    peer/bin/python benchmarks/peer.py"""
FAMILY = "serving-nvidia"
METRICS = {"tpot": "TPOT", "ttft": "TTFT", "throughput": "throughput per GPU"}
SYSTEMS = {
    "a100-sxm-80gb": "a100_sxm", "h100-sxm": "h100_sxm", "h200-sxm": "h200_sxm", "b200-sxm": "b200_sxm", "b300-sxm": "b300_sxm",
    "gb200": "gb200", "gb300": "gb300", "l40s": "l40s",
}  # fmt: skip
ENGINES = {"vllm": "vllm", "sglang": "sglang", "tensorrt-llm": "trtllm"}
# Only models whose configuration comes with the peer, so that nothing is downloaded: our model -> a model of the same layers.
MODELS = {
    "meta-llama-3-8b-instruct": "meta-llama/Meta-Llama-3.1-8B",
    "llama-3.1-8b-instruct": "meta-llama/Meta-Llama-3.1-8B",
    "meta-llama-3-70b-instruct": "meta-llama/Meta-Llama-3.1-70B",
    "llama-3.1-70b-instruct": "meta-llama/Meta-Llama-3.1-70B",
    "llama-3.3-70b-instruct": "meta-llama/Meta-Llama-3.1-70B",
    "qwen3-32b": "Qwen/Qwen3-32B",
    "qwen3-30b-a3b": "Qwen/Qwen3-30B-A3B",
    "qwen3-30b-a3b-instruct-2507": "Qwen/Qwen3-30B-A3B",
    "qwen3-coder-30b-a3b-instruct": "Qwen/Qwen3-30B-A3B",
    "qwen3-235b-a22b-instruct-2507": "Qwen/Qwen3-235B-A22B",
    "qwen3-coder-480b-a35b-instruct": "Qwen/Qwen3-Coder-480B-A35B-Instruct",
    "qwen3.5-397b-a17b": "Qwen/Qwen3.5-397B-A17B",
    "llama-4-scout-17b-16e-instruct": "meta-llama/Llama-4-Scout-17B-16E-Instruct",
    "mixtral-8x7b-instruct-v0.1": "mistralai/Mixtral-8x7B-v0.1",
}
MODELS_AS_PUBLISHED = {
    ("llama-3.1-70b-instruct", "fp8"): "nvidia/Llama-3.1-70B-Instruct-FP8",
    ("qwen3-32b", "fp8"): "Qwen/Qwen3-32B-FP8",
    ("qwen3-30b-a3b", "fp8"): "Qwen/Qwen3-30B-A3B-FP8",
    ("qwen3-235b-a22b-instruct-2507", "fp8"): "Qwen/Qwen3-235B-A22B-FP8",
    ("gpt-oss-120b", "mxfp4-experts"): "openai/gpt-oss-120b",
    ("minimax-m2.5", "fp8"): "MiniMaxAI/MiniMax-M2.5",
    ("minimax-m2.5", "nvfp4-experts-fp8"): "nvidia/MiniMax-M2.5-NVFP4",
    ("deepseek-r1-0528", "fp8"): "deepseek-ai/DeepSeek-R1",
    ("deepseek-v3.1", "fp8"): "deepseek-ai/DeepSeek-V3",
    ("deepseek-r1-0528", "nvfp4-experts-fp8"): "nvidia/DeepSeek-V3.1-NVFP4",
    ("deepseek-v3.1", "nvfp4-experts-fp8"): "nvidia/DeepSeek-V3.1-NVFP4",
}
FORMATS = {"bf16": None, "fp16": None, "fp8": "fp8", "nvfp4": "nvfp4"}
"""Formats that a plain model can be asked for in, as the peer calls them."""


def request(point: Any) -> dict[str, Any] | None:
    """The arguments of the peer's estimate, or None where it does not know the chip, engine, model or format."""
    s = point.subject
    path = MODELS_AS_PUBLISHED.get((s.model.id, s.weights.id))
    quant: str | None = None
    if path is None and s.weights.id in FORMATS:
        path, quant = MODELS.get(s.model.id), FORMATS[s.weights.id]
    batch = round(point.concurrency / s.replicas / s.dp) if point.concurrency else 0
    if path is None or s.chip.id not in SYSTEMS or s.engine not in ENGINES or batch < 1:
        return None
    asked: dict[str, Any] = {
        "model_path": path, "system_name": SYSTEMS[s.chip.id], "backend_name": ENGINES[s.engine], "isl": round(point.input_tokens),
        "osl": max(round(point.output_tokens), 2), "batch_size": batch, "tp_size": s.tp, "pp_size": s.pp, "attention_dp_size": s.dp,
        "gemm_quant_mode": quant,
    }  # fmt: skip
    if s.mixture:
        # What TensorRT-LLM runs on Blackwell; the peer's default for this model would be products in 16 bits, three times slower.
        narrow = s.weights.id == "mxfp4-experts" and s.engine == "tensorrt-llm" and s.chip.architecture == "Blackwell"
        experts = "w4a8_mxfp4_mxfp8" if narrow else quant
        asked |= {"moe_ep_size": s.ep, "moe_tp_size": max(s.tp * s.dp // s.ep, 1), "moe_quant_mode": experts}
    if s.kv_stated:
        asked["kvcache_quant_mode"] = "bfloat16" if s.kv.bits > 8 else "fp8"
    return asked


def predicted_by_peer(asked: dict[str, Any]) -> dict[str, float] | str:
    """Metric -> logarithm of its prediction, or why there is none."""
    try:
        found = cli_estimate(**asked)
    except Exception as error:  # the peer raises many kinds where it has no data for a layer
        return f"{asked['backend_name']} on {asked['system_name']}: {type(error).__name__}"
    figures = {"tpot": found.tpot / 1e3, "ttft": found.ttft / 1e3, "throughput": found.tokens_per_second_per_gpu}
    return {metric: float(np.log(value)) if value > 0 else np.nan for metric, value in figures.items()}


def our_predictions(found: Any, catalog: Any, scheme: str | None, places: np.ndarray) -> dict[str, np.ndarray]:
    """Metric -> logarithms of our predictions of some of the rows, throughput of the whole deployment."""
    if scheme is None:
        from infra_advisor.search.calibration import read_parameters
        from infra_advisor.search.prediction import predict_rows

        parameters = read_parameters(catalog.parameters, catalog.deviations)
        values = predict_rows(catalog, parameters, [found.observed.rows[place] for place in places]).values
        times = {metric: np.log(values[f"{metric}_ms"] / 1e3) for metric in ("tpot", "ttft")}
        return times | {"throughput": np.log(values["output_tps"])}
    from ablation import alone, fitted

    from infra_advisor.search.calibrate import family_of
    from infra_advisor.search.crossvalidation import held_out

    own = [place for place, name in enumerate(family_of(found.priors, found.observed)) if name == FAMILY]
    observed = alone(found, FAMILY)
    family = fitted(found.priors, FAMILY, observed, None)
    logs = held_out(found.priors, observed, {FAMILY: family}, FAMILY, scheme).logs
    where = [own.index(place) for place in places]
    return {metric: logs[metric][where] for metric in METRICS}


def compare(rows: int, seed: int, scheme: str | None) -> tuple[dict[str, np.ndarray], Counter[str], int]:
    """Metric -> (ours, theirs, measured) of the common rows as logarithms; why others have no prediction; how many could be asked."""
    from infra_advisor.advice.calibration import material
    from infra_advisor.facts.catalog import load
    from infra_advisor.search.calibrate import family_of, usable

    catalog = load()
    found = material(catalog)
    clean = usable(found.priors.families[FAMILY], found.priors, found.observed)
    families = np.array(family_of(found.priors, found.observed))
    spoken_of = clean & (families == FAMILY)
    requests = [request(point) if good else None for point, good in zip(found.observed.points, spoken_of, strict=True)]
    askable = np.array([place for place, asked in enumerate(requests) if asked is not None])
    # By system and engine, so that the peer loads each of its tables once.
    chosen = np.random.default_rng(seed).permutation(askable)[:rows]
    chosen = np.array(sorted(chosen, key=lambda place: (requests[place]["system_name"], requests[place]["backend_name"])))  # type: ignore[index]
    ours = our_predictions(found, catalog, scheme, chosen)
    common: dict[str, list[tuple[float, ...]]] = {metric: [] for metric in METRICS}
    refused: Counter[str] = Counter()
    for number, place in enumerate(chosen):
        theirs = predicted_by_peer(requests[place] or {})
        if isinstance(theirs, str):
            refused[theirs] += 1
            continue
        subject = found.observed.points[place].subject
        chips = float(np.log(subject.chips_per_replica * subject.replicas))
        for metric, kept in common.items():
            per_chip = chips if metric == "throughput" else 0.0
            triple = (ours[metric][number] - per_chip, theirs[metric], found.observed.reported[metric][place] - per_chip)
            if np.isfinite(triple).all():
                kept.append(triple)
    return {metric: np.array(kept).reshape(-1, 3).T for metric, kept in common.items()}, refused, len(askable)


def errors(predicted: np.ndarray, measured: np.ndarray) -> str:
    """Median and 90th percentile of the error, and the median of predicted over measured."""
    away = predicted - measured
    size = np.abs(np.expm1(away)) * 100
    return f"{np.median(size):6.1f} % {np.percentile(size, 90):7.1f} % {np.exp(np.median(away)):6.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare with aiconfigurator.")
    parser.add_argument("--rows", type=int, default=150, help="at most so many measured points")
    parser.add_argument("--seed", type=int, default=1, help="of the draw")
    parser.add_argument("--held-out", choices=("series", "chip", "model"), help="predict ours without the point's own group")
    asked = parser.parse_args()
    if cli_estimate is None:
        print(HOW)
        return 0
    logging.disable(logging.WARNING)  # the peer comments on every estimate
    start = time.monotonic()
    common, refused, askable = compare(asked.rows, asked.seed, asked.held_out)
    names = f"ours, {asked.held_out} held out" if asked.held_out else "ours, fitted to these points", f"aiconfigurator {PEER_VERSION}"
    print(f"{askable:,} points can be asked of the peer, {asked.rows} drawn; {time.monotonic() - start:.0f} s\n")
    print(f"{'figure':20}{'rows':>5}  {'':32}{'median':>8} {'p90':>9} {'ratio':>6}")
    for metric, label in METRICS.items():
        *predicted, measured = common[metric]
        for name, column in zip(names, predicted, strict=True) if len(measured) else ():
            print(f"{label:20}{len(measured):5}  {name:32}{errors(column, measured)}")
    for reason, count in refused.most_common():
        print(f"not predicted by the peer: {count} rows, {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
