"""What the documented examples need: a file of one's own runs, and which of them take minutes."""

import json
from pathlib import Path

SLOW = ("advisor validate --cv", "advisor calibrate --check")
"""Minutes: the second is a step of continuous integration, and does all that the first does."""


ONLINE = ("advisor catalog update",)
"""These need the network."""


def own_layer(folder: Path) -> None:
    """A layer `my-layer` that states one price."""
    (folder / "my-layer").mkdir()
    (folder / "my-layer" / "exchange_rates.csv").write_text("id,currency,day,per_usd,source\njpy-ours,JPY,2026-11-20,150,our bank\n")


def own_runs() -> str:
    """Four runs of the vLLM client at rising loads, each a little slower than the one before, one JSON object a line."""
    lines = []
    for load in (1, 4, 16, 32):
        ttft_ms, tpot_ms = 60.0 + 4.0 * load, 17.0 + 0.25 * load
        request_s = ttft_ms / 1e3 + 299 * tpot_ms / 1e3
        run_ = {
            "date": "20261101-120000", "backend": "vllm", "model_id": "meta-llama/Llama-3.3-70B-Instruct", "num_prompts": 400,
            "request_rate": "inf", "max_concurrency": load, "completed": 400, "total_input_tokens": 400_000, "total_output_tokens": 120_000,
            "output_throughput": load * 300 / request_s, "request_throughput": load / request_s, "mean_ttft_ms": ttft_ms,
            "median_ttft_ms": ttft_ms, "p99_ttft_ms": 2 * ttft_ms, "mean_tpot_ms": tpot_ms,
            "median_tpot_ms": tpot_ms, "p99_tpot_ms": tpot_ms,
        }  # fmt: skip
        lines.append(json.dumps(run_))
    return "\n".join(lines) + "\n"


def own_trace() -> str:
    """Two hundred requests, two a second, every tenth with a long prompt."""
    rows = [f"{place / 2:.1f},{4000 if place % 10 == 0 else 600},{150 + place % 7 * 20}" for place in range(200)]
    return "\n".join(["arrival_s,input_tokens,output_tokens", *rows]) + "\n"
