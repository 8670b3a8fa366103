"""`vllm bench serve --save-result` (JSON) and SGLang's bench_serving (JSON lines): one flat object per run.

Keys as the two programs write them: vllm/benchmarks/serve.py, python/sglang/bench_serving.py.
"""

import re
from collections.abc import Mapping
from typing import Any

from infra_advisor.facts.evidence import COLUMNS, Measurement
from infra_advisor.facts.results.figures import Place, inside, steady_mode, text

VLLM = "vllm bench serve"
SGLANG = "SGLang bench_serving"
RATE_KEPT = 0.9
"""A run with a rate and a limit in flight whose completed rate reaches this share of the rate asked for was driven by the rate."""
_CLIENTS_OF = {"vllm": "vllm", "sglang": "sglang", "lmdeploy": "lmdeploy", "tgi": "tgi", "tensorrt": "tensorrt-llm", "trt": "tensorrt-llm"}
_METADATA = {
    "version": "engine_version",
    "tensor_parallel_size": "tp",
    "pipeline_parallel_size": "pp",
    "gpu": "chip",
    "dtype": "weight_dtype",
}
_STATED = (
    "chip",
    "chips",
    "engine",
    "engine_version",
    "model_arch",
    "weight_dtype",
    "kv_dtype",
    "tp",
    "pp",
    "ep",
    "dp",
    "instance",
    "notes",
)
_COUNTS = ("chips", "tp", "pp", "ep", "dp")


def is_sglang(record: Mapping[str, Any]) -> bool:
    """Only SGLang's client counts the tokens of its answers a second time."""
    return "total_output_tokens_retokenized" in record or ("random_input_len" in record and "output_throughput" in record)


def is_vllm(record: Mapping[str, Any]) -> bool:
    """A run of the vLLM client, or of one that kept its keys."""
    return "output_throughput" in record and "total_output_tokens" in record and not is_sglang(record)


def read_serving(record: Mapping[str, Any], place: Place) -> Measurement | None:
    """One run of either client. None with a problem where no request was completed."""
    completed = place.figure(record, "completed")
    if not completed:
        place.problem("no request was completed" if completed == 0 else "`completed` (requests answered) is missing")
        return None
    limit = place.figure(record, "max_concurrency", positive=True)
    rate = place.rate(record, "request_rate")
    achieved = place.figure(record, "request_throughput")
    requests = place.figure(record, "num_prompts") or completed
    if rate is not None and (limit is None or (achieved or 0.0) >= RATE_KEPT * rate):
        mode, ttft_definition, concurrency = "open-loop", "open-loop", None
    else:
        (mode, ttft_definition), concurrency, rate = steady_mode(limit, requests), min(limit or requests, requests), None
    total_in, total_out = place.figure(record, "total_input_tokens"), place.figure(record, "total_output_tokens")
    output_tps, input_tps = place.figure(record, "output_throughput"), place.figure(record, "input_throughput")
    total_tps = place.figure(record, "total_token_throughput")
    if total_tps is None:
        total_tps = place.figure(record, "total_throughput")
    if total_tps is None and input_tps is not None and output_tps is not None:
        total_tps = input_tps + output_tps
    facts = _server(record, place) | _metadata(record, place)
    return Measurement(
        source_id=SGLANG if is_sglang(record) else VLLM,
        measured_date=_day(text(record, "date")),
        model=text(record, "model_id", "model") or text(inside(record, "server_info"), "served_model_name", "model_path"),
        input_tokens=total_in / completed if total_in else None,
        output_tokens=total_out / completed if total_out else None,
        concurrency=concurrency,
        request_rate_qps=rate,
        mode=mode,
        ttft_s_mean=place.milliseconds(record, "mean_ttft_ms"),
        ttft_s_p50=place.milliseconds(record, "median_ttft_ms"),
        ttft_s_p95=place.milliseconds(record, "p95_ttft_ms"),
        ttft_s_p99=place.milliseconds(record, "p99_ttft_ms"),
        tpot_s_mean=place.milliseconds(record, "mean_tpot_ms"),
        tpot_s_p50=place.milliseconds(record, "median_tpot_ms"),
        tpot_s_p99=place.milliseconds(record, "p99_tpot_ms"),
        output_tps=output_tps,
        total_tps=total_tps,
        ttft_definition=ttft_definition,
        tps_definition="output",
        spec_decode=_speculation(record),
        **{"engine": _engine(record), **facts, "notes": _notes(record, place, facts.get("notes"))},
    )


def _engine(record: Mapping[str, Any]) -> str | None:
    """The server, where the client's protocol tells it; `openai` may be any."""
    if record.get("server_info"):
        return "sglang"
    backend = (text(record, "backend", "endpoint_type") or "").lower()
    return next((engine for begins, engine in _CLIENTS_OF.items() if backend.startswith(begins)), None)


def _speculation(record: Mapping[str, Any]) -> str | None:
    """1 where the run says so; 0 only where the server's own settings are in the file."""
    accepted = record.get("accept_length")
    if any(key.startswith("spec_decode") for key in record) or (isinstance(accepted, int | float) and accepted > 1.0):
        return "1"
    server = inside(record, "server_info")
    if not server:
        return None
    return "1" if server.get("speculative_algorithm") else "0"


def _server(record: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """What an SGLang server says of itself."""
    server = inside(record, "server_info")
    if not server:
        return {}
    tp, pp, dp = (place.figure(server, key, positive=True) for key in ("tp_size", "pp_size", "dp_size"))
    attention = bool(server.get("enable_dp_attention"))
    quantisation, kv = text(server, "quantization"), text(server, "kv_cache_dtype")
    return {
        "engine_version": text(server, "version"),
        "tp": tp,
        "pp": pp,
        "ep": place.figure(server, "ep_size", positive=True),
        "dp": dp,
        "chips": tp * (pp or 1.0) * (1.0 if attention else dp or 1.0) if tp else None,
        "weight_dtype": quantisation,
        "kv_dtype": kv if kv != "auto" else None,
    }


def _metadata(record: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """Facts that the user wrote into the file with --metadata, under the names of evidence columns or the usual ones."""
    found: dict[str, Any] = {}
    for key in (*_METADATA, *_STATED):
        name = _METADATA.get(key, key)
        if key not in record or name not in COLUMNS:
            continue
        stated = place.figure(record, key, positive=True) if name in _COUNTS else text(record, key)
        if stated is not None:
            found[name] = stated
    return found


def _notes(record: Mapping[str, Any], place: Place, stated: str | None) -> str | None:
    failed = place.figure(record, "failed")
    told = [stated, f"{failed:g} requests failed" if failed else None]
    return "; ".join(part for part in told if part) or None


def _day(stamp: str | None) -> str | None:
    """2025-03-25 of `20250325-225758`."""
    match = re.match(r"(20\d\d)-?(\d\d)-?(\d\d)(?!\d)", stamp or "")
    return "-".join(match.groups()) if match else None
