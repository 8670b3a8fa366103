"""GuideLLM reports: `benchmarks`, one per load, each with distributions over its successful requests.

Keys as GuideLLM writes them (src/guidellm/benchmark/schemas); older reports keep the strategy under `args` instead of `config`.
"""

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from infra_advisor.facts.evidence import Measurement
from infra_advisor.facts.results.figures import Place, inside, steady_mode, text

GUIDELLM = "GuideLLM"
_RATE_DRIVEN = ("constant", "poisson", "async", "asynchronous")


def is_guidellm(record: Mapping[str, Any]) -> bool:
    """A report with at least one benchmark that has metrics."""
    benchmarks = record.get("benchmarks")
    return isinstance(benchmarks, list) and any(inside(one, "metrics") for one in benchmarks)


def read_guidellm(record: Mapping[str, Any], place: Place) -> Iterator[Measurement]:
    """One measurement per benchmark of the report."""
    for position, one in enumerate(record["benchmarks"]):
        here = Place(f"{place.where}: benchmarks[{position}]", place.problems)
        if not inside(one, "metrics"):
            here.problem("no `metrics`")
        elif found := _read_benchmark(one, inside(record, "args"), here):
            yield found


def _read_benchmark(one: Mapping[str, Any], report_args: Mapping[str, Any], place: Place) -> Measurement | None:
    metrics = inside(one, "metrics")
    strategy = inside(one, "config", "strategy") or inside(one, "args", "strategy")
    kind = text(strategy, "type_", "type") or ""
    answered = place.figure(inside(metrics, "request_totals"), "successful")
    if answered == 0:
        place.problem("no request was completed")
        return None
    rate = concurrency = None
    if kind in _RATE_DRIVEN:
        mode = ttft_definition = "open-loop"
        rate = place.rate(strategy, "rate")
    elif kind == "throughput":
        (mode, ttft_definition), concurrency = steady_mode(None, None), place.figure(strategy, "max_concurrency", positive=True)
    elif kind in ("synchronous", "concurrent"):
        concurrency = 1.0 if kind == "synchronous" else place.figure(strategy, "streams", positive=True)
        mode, ttft_definition = steady_mode(concurrency, answered)
    else:
        place.problem(f"unknown strategy {kind!r}; known: synchronous, concurrent, throughput, {', '.join(_RATE_DRIVEN)}")
        return None
    ttft, tpot = _distribution(metrics, "time_to_first_token_ms"), _distribution(metrics, "inter_token_latency_ms")
    return Measurement(
        source_id=GUIDELLM,
        measured_date=_day(one),
        model=text(report_args, "model") or text(inside(one, "config", "backend"), "model") or text(inside(one, "worker"), "backend_model"),
        input_tokens=place.figure(_distribution(metrics, "prompt_token_count"), "mean") or None,
        output_tokens=place.figure(_distribution(metrics, "output_token_count"), "mean") or None,
        concurrency=concurrency,
        request_rate_qps=rate,
        mode=mode,
        ttft_s_mean=place.milliseconds(ttft, "mean"),
        ttft_s_p50=place.milliseconds(ttft, "median"),
        ttft_s_p95=place.milliseconds(inside(ttft, "percentiles"), "p95"),
        ttft_s_p99=place.milliseconds(inside(ttft, "percentiles"), "p99"),
        tpot_s_mean=place.milliseconds(tpot, "mean"),
        tpot_s_p50=place.milliseconds(tpot, "median"),
        tpot_s_p99=place.milliseconds(inside(tpot, "percentiles"), "p99"),
        output_tps=place.figure(_distribution(metrics, "output_tokens_per_second"), "mean"),
        total_tps=place.figure(_distribution(metrics, "tokens_per_second"), "mean"),
        ttft_definition=ttft_definition,
        tps_definition="output",
    )


def _distribution(metrics: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Over requests that succeeded, else over all."""
    return inside(metrics, name, "successful") or inside(metrics, name, "total")


def _day(one: Mapping[str, Any]) -> str | None:
    began = one.get("start_time")
    if not isinstance(began, int | float) or isinstance(began, bool) or not 1e9 < began < 1e11:
        return None
    return datetime.datetime.fromtimestamp(began, tz=datetime.UTC).date().isoformat()
