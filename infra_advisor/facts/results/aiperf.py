"""AIPerf's profile_export_aiperf.json and its predecessor's profile_export_genai_perf.json: one object of metrics per run.

Each metric carries its unit (docs/reference/json-export-schema.md of AIPerf, which keeps the shape of GenAI-Perf).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from infra_advisor.facts.evidence import Measurement
from infra_advisor.facts.results.figures import Place, inside, steady_mode, text

AIPERF = "AIPerf"
GENAI_PERF = "GenAI-Perf"
_PER_SECOND = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e3, "milliseconds": 1e3, "us": 1e6, "ns": 1e9}
_METRICS = ("time_to_first_token", "inter_token_latency", "output_token_throughput", "request_latency", "request_throughput")


def is_aiperf(record: Mapping[str, Any]) -> bool:
    """An export of either program: metrics that are mappings with an average or a percentile."""
    return any("avg" in inside(record, name) or "p50" in inside(record, name) for name in _METRICS)


def read_aiperf(record: Mapping[str, Any], place: Place) -> Measurement | None:
    """The run of one export. None with a problem where no request was completed."""
    count = place.figure(inside(record, "request_count"), "avg")
    if count == 0:
        place.problem("no request was completed")
        return None
    load = list(_loads(record))
    limit = next((value for one in load if (value := place.figure(one, "concurrency", positive=True)) is not None), None)
    rate = next((value for one in load for key in ("request_rate", "rate") if (value := place.rate(one, key)) is not None), None)
    if rate is not None:
        mode, ttft_definition, limit = "open-loop", "open-loop", None
    elif limit is None:
        place.problem("neither concurrency nor request rate is stated; state the load by hand")
        mode, ttft_definition = None, None
    else:
        mode, ttft_definition = steady_mode(limit, count)
    ttft = _times(record, "time_to_first_token", place)
    tpot = _times(record, "inter_token_latency", place)
    return Measurement(
        source_id=AIPERF if "aiperf_version" in record or "schema_version" in record else GENAI_PERF,
        measured_date=(text(record, "start_time") or "")[:10] or None,
        model=_model(inside(record, "input_config")),
        input_tokens=place.figure(inside(record, "input_sequence_length"), "avg") or None,
        output_tokens=place.figure(inside(record, "output_sequence_length"), "avg") or None,
        concurrency=limit,
        request_rate_qps=rate,
        mode=mode,
        ttft_s_mean=ttft("avg"),
        ttft_s_p50=ttft("p50"),
        ttft_s_p95=ttft("p95"),
        ttft_s_p99=ttft("p99"),
        tpot_s_mean=tpot("avg"),
        tpot_s_p50=tpot("p50"),
        tpot_s_p99=tpot("p99"),
        output_tps=_throughput(record, "output_token_throughput", place),
        total_tps=_throughput(record, "total_token_throughput", place),
        ttft_definition=ttft_definition if ttft("avg") is not None or ttft("p50") is not None else None,
        tps_definition="output",
        notes="the run was interrupted" if record.get("was_cancelled") is True else None,
    )


class _Times:
    """The statistics of one time metric, in seconds."""

    def __init__(self, metric: Mapping[str, Any], name: str, place: Place) -> None:
        unit = text(metric, "unit") or "ms"
        self.per = _PER_SECOND.get(unit.lower())
        if metric and self.per is None:
            place.problem(f"{name}: unknown unit {unit!r}; known: {', '.join(_PER_SECOND)}")
        self.values = {
            key: place.figure({f"{name}.{key}": metric.get(key)}, f"{name}.{key}", per=self.per or 1.0)
            for key in ("avg", "p50", "p95", "p99")
            if self.per is not None
        }

    def __call__(self, statistic: str) -> float | None:
        return self.values.get(statistic)


def _times(record: Mapping[str, Any], name: str, place: Place) -> _Times:
    return _Times(inside(record, name), name, place)


def _throughput(record: Mapping[str, Any], name: str, place: Place) -> float | None:
    metric = inside(record, name)
    unit = (text(metric, "unit") or "tokens/sec").lower()
    if not unit.startswith(("tok", "count")) or not unit.endswith(("/s", "/sec", "/second")):
        place.problem(f"{name}: unknown unit {unit!r}; known: tokens/sec")
        return None
    return place.figure({name: metric.get("avg")}, name)


def _loads(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The places where the versions of both programs keep the load, newest first."""
    config = inside(record, "input_config")
    phases = config.get("phases")
    named = list(phases.values()) if isinstance(phases, Mapping) else phases if isinstance(phases, list) else []
    yield from (phase for phase in named if isinstance(phase, Mapping) and phase.get("name") != "warmup")
    swept = inside(record, "run_info", "variation_values")
    yield {str(key).rsplit(".", 1)[-1]: value for key, value in swept.items()}
    yield inside(config, "loadgen")
    yield inside(config, "perf_analyzer", "stimulus")
    yield config


def _model(config: Mapping[str, Any]) -> str | None:
    """The first model of the run."""
    for holder in (inside(config, "endpoint"), config):
        for key in ("model_names", "models", "model"):
            named = holder.get(key)
            first = named[0] if isinstance(named, list) and named else named
            if isinstance(first, Mapping):
                first = text(first, "name")
            if isinstance(first, str) and first:
                return first
    return None
