"""Bundled rows that fail a check for a known reason, each with the reason; nothing else may fail one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from infra_advisor.facts.evidence import Measurement


@dataclass(frozen=True)
class Exceptional:
    """Findings of one kind in one source, and what they mean."""

    source_id: str
    finding: str
    """How the finding begins."""
    why: str
    ids: str
    """Row ids, separated by blanks."""
    unusable: Literal["row", "ttft"] | None = None
    """What must stay out of fits because of it."""

    @property
    def rows(self) -> frozenset[str]:
        """Row ids."""
        return frozenset(self.ids.split())


EXCEPTIONS = (
    Exceptional(
        "argonne-llm-inference-bench",
        "same figures as",
        "the table of power figures repeats runs of the throughput table",
        (
            "4a6779edf8e427 4fe6fa40f91f38 60d05afeb5f67b 66bdc5641b8e29 6e12cfa0db5d50 75216ae22c0051 75529bc33f64df 7adf13abc84ed7 "
            "810f6353a8b1af 8137de16b8a837 8156ab86dddb46 8ed24e0658f021 8edc1485715613 913164d8deec91 9f0eb604269f63 a383a70df54130 "
            "a7bc8e307b51d8 a9f82b1416ea4a bcaa800a7d3e53 c44865bcbf9fcd cfbcff77f6da97 d4ce02c647a19e e3823e0b61a3df ee35a1f4699bac "
            "ef50234a6b2902 f4932ec95f6d4d f63ba655f81459 f750a1a98069e2"
        ),
        unusable="row",
    ),
    Exceptional(
        "localmaxxing",
        "same figures as",
        "one submission entered twice, under two ids or two names of one model",
        (
            "17863484dc25b0 1967f78996b251 1d2a65ac0955f1 1dcfd013d2ca91 34cf13ca9495e0 600b6f25e88cef 85339dbd43a00d 9daee2019ad2cf "
            "e29d667dd32dc9 f9216482b720bc fe270bbff94878"
        ),
        unusable="row",
    ),
    Exceptional(
        "qualcomm-ai-hub",
        "same figures as",
        "the reference device and a product with the same chip carry the same figures",
        "0ef49dcd721335",
        unusable="row",
    ),
    Exceptional(
        "localmaxxing",
        "weights take",
        "partial offload to host memory, which the source does not mark",
        (
            "0d6a73fb6dc8cc 137e24a29ea213 1718b9af16d6e0 1e997389025aaa 20a07901047281 21b7c56154ed8b 3094c89e62c3aa 311415b18de56d "
            "3a1f791ba42141 3ad8ed46f8cfa1 4115a18ade07da 608ad25a9243d9 620f5d9a97a5af 6ea5f776401b2a 796d694ff0e3fb 797cea34a9e73e "
            "904305cba683df 9666390b44db7d a4e24fa509bef7 a923bf7967f6c3 ad8463b84a6b19 b570913a35828e c1feb22f4924d8 c7df2752dfdbf9 "
            "e08e89214c12b9 e997e9bd199985 ec3569fc49a830 f1d05da135216d"
        ),
        unusable="row",
    ),
    Exceptional(
        "llmfit-community",
        "weights take",
        "partial offload to host memory, which the source does not mark",
        (
            "2f89997f690630 3f325a0aaaa72f 45262e267e969f 61de72d11a3751 69dd4ed73d5e92 7591ed78c9df7e 9427b8057e1b7d a200421103e891 "
            "b1ad1111a4e952 b638f9a41f3f5e da6c7c8ed43ae9 f7f6a80b32899e"
        ),
        unusable="row",
    ),
    Exceptional(
        "localmaxxing",
        "prefill within TTFT above",
        "self-reported TTFT of a millisecond or less: a cached prompt, or a placeholder in the field",
        "8203553af243d5 833a0e74f17478 a66195a9e7b427",
        unusable="ttft",
    ),
    Exceptional(
        "localmaxxing",
        "decode above the bandwidth bound",
        "NVFP4 checkpoint of a hybrid that shrinks more than its routed experts, which a format of that name is taken to mean",
        "5d7d7598606600 931d7820cd3b3f",
    ),
    Exceptional(
        "tpu-recipes",
        "decode rate of one user",
        "1,000 prompts at once: mean and median time per token lie far apart while the queue drains",
        "6f40282236e7df",
    ),
    Exceptional(
        "mlperf-inference",
        "throughput above concurrency/TPOT",
        "concurrency is derived from completed rate and mean latency, and output lengths of this data set vary by an order of magnitude",
        "7b7ce584047dd4",
    ),
    Exceptional(
        "vllm-ascend-docs",
        "throughput above concurrency/TPOT",
        "100 requests with speculation: the share accepted differs among them, and rounding adds the rest",
        "0766b3cbdb006e c845cd51f5b572",
    ),
)

UNUSABLE_ROWS: Mapping[str, str] = {row: known.why for known in EXCEPTIONS if known.unusable == "row" for row in known.rows}
UNUSABLE_TTFT: Mapping[str, str] = {row: known.why for known in EXCEPTIONS if known.unusable == "ttft" for row in known.rows}
"""Row id -> why."""


def unexplained(found: Iterable[tuple[str, str]], rows: Iterable[Measurement]) -> list[tuple[str, str]]:
    """The findings that no exception covers."""
    source = {row.row_id: row.source_id for row in rows}
    return [
        (row, why)
        for row, why in found
        if not any(row in known.rows and known.source_id == source.get(row) and why.startswith(known.finding) for known in EXCEPTIONS)
    ]
