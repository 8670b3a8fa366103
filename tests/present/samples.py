"""Small hand-made records. Figures multiply out: 4.98 USD/h x 2 = 9.96 USD/h; 9.96 x 730 = 7,270.80 USD a month."""

from typing import Any

from infra_advisor.advice.answer import (
    Answer,
    Assumption,
    Bound,
    CatalogStamp,
    ChipColumn,
    Comparison,
    Cost,
    CostLine,
    EstimateAnswer,
    HardwarePart,
    Headroom,
    LimitsPart,
    MemoryPart,
    NearMiss,
    OfferPart,
    Performance,
    Predicted,
    Recommendation,
    Relaxation,
    SoftwarePart,
    SweepPoint,
    Term,
    Violation,
    WorkloadPart,
)

STAMP = CatalogStamp(version="2026.11", hash="abc123def456")
WORKLOAD = WorkloadPart(
    model="70b",
    model_name="Llama 3.3 70B Instruct",
    hf_id="meta-llama/Llama-3.3-70B-Instruct",
    parameters_total=70.6e9,
    parameters_active=70.6e9,
    input_tokens=1000,
    output_tokens=300,
    weights="auto",
    kv="auto",
    users=20.0,
    think_s=20.0,
    concurrency=6.2,
)
LIMITS = LimitsPart(statistic="mean", ttft_s=0.5, tpot_s=1 / 30, residency="JP", where=("cloud", "onprem"))
ASSUMPTIONS = (
    Assumption(name="input_tokens", value=1000, origin="default"),
    Assumption(name="utilisation", value=0.5, origin="default", note="share of the highest load within the targets"),
    Assumption(name="ttft_s", value=0.5, origin="input"),
)
TERMS = (
    Term(phase="prefill", name="matrix products", seconds=0.1504, bound="compute", detail="141 TFLOP / 938 TFLOP/s"),
    Term(phase="prefill", name="all-reduce", seconds=0.0296, bound="link", detail="2.6 GB / 88 GB/s"),
    Term(phase="decode", name="weights", seconds=0.0180, bound="memory", detail="70.6 GB / 3.92 TB/s"),
    Term(phase="decode", name="KV cache", seconds=0.0010, bound="memory", detail="3.9 GB / 3.92 TB/s"),
    Term(phase="decode", name="all-reduce", seconds=0.0024, bound="link", detail="160 x 15 us"),
)


def offer(**changes: Any) -> OfferPart:
    """An instance of eight."""
    fields: dict[str, Any] = {
        "id": "lambda-h100x8-tokyo",
        "provider": "lambda",
        "provider_name": "Lambda",
        "instance_type": "gpu_8x_h100_sxm5",
        "region": "asia-northeast-1",
        "country": "JP",
        "price_kind": "on-demand",
        "usd_per_h": 9.96,
        "price_date": "2026-11-10",
        "price_age_d": 12,
        "source": "Lambda price list",
    }
    return OfferPart(**(fields | changes))


def answer(cls: type[Answer] = Answer, **changes: Any) -> Any:
    """Two H100 of an instance of eight, tensor parallel."""
    fields: dict[str, Any] = {
        "rank": 1,
        "id": "lambda-h100x8-tokyo/vllm/fp8/tp2",
        "labels": ("cheapest",),
        "offer": offer(),
        "hardware": HardwarePart(
            class_="cloud",
            accelerator="h100-sxm",
            accelerator_name="H100 SXM",
            vendor="nvidia",
            accelerators_per_replica=2,
            replicas=1,
            accelerators_total=2,
            instances=1,
            accelerators_billed=8,
        ),
        "software": SoftwarePart(engine="vllm", weights="fp8", kv="fp8", tp=2),
        "performance": Performance(
            concurrency=6.2,
            request_rate_per_s=0.94,
            ttft_s=Predicted(mean=0.212, low=0.17, high=0.29),
            tpot_s=Predicted(mean=0.0214, low=0.017, high=0.028),
            output_tokens_per_s=282.0,
            replica_output_tokens_per_s=282.0,
            output_tokens_per_s_per_user=46.7,
            max_concurrency=48.0,
        ),
        "bound": Bound(prefill="compute", decode="memory"),
        "terms": TERMS,
        "cost": Cost(
            usd_per_h=9.96,
            usd_per_month=7270.8,
            usd_per_mtok_output=9.81,
            usd_per_mtok_total=2.26,
            usd_per_mtok_output_low=7.9,
            usd_per_mtok_output_high=12.9,
            usd_per_mtok_output_at_limit=1.52,
            usd_per_mtok_output_at_saturation=0.88,
            utilisation=0.16,
            lines=(CostLine(name="instances", quantity=730, unit="machine-hours", unit_price_usd=9.96, amount_usd=7270.8),),
        ),
        "headroom": (
            Headroom(limit="ttft_s", allowed=0.5, predicted=0.212, margin=0.576, met=True),
            Headroom(limit="tpot_s", allowed=1 / 30, predicted=0.0214, margin=0.358, met=True),
        ),
        "grade": "D",
    }
    return cls(**(fields | changes))


def second() -> Answer:
    """A dearer runner-up with a doubtful price."""
    cost = Cost(
        usd_per_h=11.2,
        usd_per_month=8176.0,
        usd_per_mtok_output=11.03,
        usd_per_mtok_total=2.55,
        usd_per_mtok_output_low=9.0,
        usd_per_mtok_output_high=14.0,
        usd_per_mtok_output_at_limit=1.9,
        utilisation=0.2,
    )
    hardware = HardwarePart(
        class_="onprem",
        accelerator="mi300x",
        accelerator_name="MI300X",
        vendor="amd",
        accelerators_per_replica=1,
        replicas=2,
        accelerators_total=2,
        instances=1,
        accelerators_billed=2,
    )
    made: Answer = answer(
        rank=2,
        id="onprem-mi300x",
        labels=("best on-premises",),
        cost=cost,
        hardware=hardware,
        grade="C",
        offer=offer(
            id="server-mi300x",
            provider="さくらインターネット",
            provider_name="さくらインターネット",
            price_kind="purchase",
            marks=("stale",),
            price_age_d=200,
        ),
        software=SoftwarePart(engine="sglang", weights="fp8", kv="bf16"),
    )
    return made


def near_miss() -> NearMiss:
    """Misses the first-token target."""
    violation = Violation(limit="ttft_s", allowed=0.5, predicted=0.612, relax="--ttft 620ms")
    made: NearMiss = answer(NearMiss, rank=None, id="l40s", labels=(), violations=(violation,), performance=slow())
    return made


def slow() -> Performance:
    """A first token after 612 ms."""
    return Performance(
        concurrency=6.2,
        request_rate_per_s=0.9,
        ttft_s=Predicted(mean=0.612),
        tpot_s=Predicted(mean=0.03),
        output_tokens_per_s=270.0,
        replica_output_tokens_per_s=270.0,
        output_tokens_per_s_per_user=33.3,
        max_concurrency=None,
    )


def recommendation(**changes: Any) -> Recommendation:
    """Two ranked answers, a near miss and something that could not be ranked."""
    fields: dict[str, Any] = {
        "as_of": "2026-11-22",
        "catalog": STAMP,
        "workload": WORKLOAD,
        "limits": LIMITS,
        "assumptions": ASSUMPTIONS,
        "status": "ok",
        "ranked": (answer(), second()),
        "ranked_total": 143,
        "near_misses": (near_miss(),),
        "unranked": (answer(rank=None, id="api-x", reason="speed unknown"), answer(rank=None, id="api-y", reason="speed unknown")),
        "excluded": {"outside JP": 812, "does not fit in memory": 433},
        "considered": {"offers": 2310, "deployments": 45_000},
    }
    return Recommendation(**(fields | changes))


def nothing() -> Recommendation:
    """No option meets the limits."""
    way = Relaxation(
        limit="ttft_s", allowed=0.5, needed=0.612, answer="l40s", text="Ask for --ttft 620ms to get 2x H100 SXM at 9.81 USD/Mtok."
    )
    return recommendation(status="nothing_fits", ranked=(), ranked_total=0, relaxations=(way,))


def comparison(**changes: Any) -> Comparison:
    """Three chips, one of which cannot serve the model."""
    h100 = ChipColumn(
        id="h100-sxm",
        name="H100 SXM",
        vendor="nvidia",
        facts={"memory_bytes": 80e9, "memory_bytes_per_s": 3.35e12, "fp8_flop_per_s": 1.979e15},
        prices={"JP": (2.5, 4.0), "US": (1.99, 6.88)},
        engines=("vllm", "sglang", "trtllm"),
        formats=("bf16", "fp8", "int8"),
        answer=answer(),
    )
    l4 = ChipColumn(
        id="l4",
        name="L4",
        vendor="nvidia",
        facts={"memory_bytes": 24e9, "memory_bytes_per_s": 300e9, "fp8_flop_per_s": 242e12},
        prices={"US": (0.44, 0.8)},
        engines=("vllm",),
        formats=("bf16", "fp8"),
        answer=answer(performance=slow()),
        violations=(Violation(limit="ttft_s", allowed=0.5, predicted=0.612, relax="--ttft 620ms"),),
    )
    inf2 = ChipColumn(
        id="inferentia2",
        name="Inferentia2",
        vendor="aws",
        facts={"memory_bytes": 32e9, "memory_bytes_per_s": 820e9, "fp8_flop_per_s": None},
        engines=("vllm-neuron",),
        formats=("bf16",),
        reason="no engine offers fp8",
    )
    fields: dict[str, Any] = {
        "as_of": "2026-11-22",
        "catalog": STAMP,
        "workload": WORKLOAD,
        "limits": LIMITS,
        "assumptions": ASSUMPTIONS,
        "columns": (h100, l4, inf2),
        "best": {"memory_bytes": ("h100-sxm",), "memory_bytes_per_s": ("h100-sxm",), "ttft_s": ("h100-sxm",)},
    }
    return Comparison(**(fields | changes))


def estimate(**changes: Any) -> EstimateAnswer:
    """One deployment with a sweep in which the last point does not fit."""
    points = tuple(
        SweepPoint(
            value=value,
            fits=True,
            usd_per_mtok_output=60 / value,
            performance=Performance(
                concurrency=value,
                request_rate_per_s=value / 7,
                ttft_s=Predicted(mean=0.2 + value / 400),
                tpot_s=Predicted(mean=0.02 + value / 8000),
                output_tokens_per_s=value / (0.02 + value / 8000),
                replica_output_tokens_per_s=None,
                output_tokens_per_s_per_user=1 / (0.02 + value / 8000),
                max_concurrency=None,
            ),
        )
        for value in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
    )
    memory = MemoryPart(
        total=85.9e9,
        usable=77.3e9,
        reserve=3.76e9,
        weights=35.3e9,
        activations=1.1e9,
        kv_pool=37.1e9,
        kv_per_sequence=0.1065e9,
        max_sequences=348,
    )
    fields: dict[str, Any] = {
        "as_of": "2026-11-22",
        "catalog": STAMP,
        "workload": WORKLOAD,
        "limits": LIMITS,
        "assumptions": ASSUMPTIONS,
        "status": "ok",
        "answer": answer(),
        "memory": memory,
        "sweep_over": "concurrency",
        "sweep": (*points, SweepPoint(value=256.0, fits=False, performance=None, usd_per_mtok_output=None)),
    }
    return EstimateAnswer(**(fields | changes))
