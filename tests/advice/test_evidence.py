"""What answers cite: the nearest measurements, in words, and nothing where nothing was measured."""

import pytest
from catalogs import frozen_catalog, real_catalog

from infra_advisor.advice.answer import Answer, Evidence
from infra_advisor.advice.compare import compare
from infra_advisor.advice.estimate import estimate
from infra_advisor.advice.evidence import FAR, in_words, known_from_near, source_title
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.recommend import recommend
from infra_advisor.facts.nearest import MeasuredPoint
from infra_advisor.search.workload import Workload

ROW = MeasuredPoint(
    chip="h100-sxm", model_arch="gpt-oss-120b", known_as="vllm", weight_dtype="mxfp4-experts", mixture=True, active_parameters=5e9,
    chips=2.0, replicas=1.0, input_tokens=1024.0, output_tokens=1024.0, concurrency=8.0, request_rate_qps=None, mode="closed-loop",
    ttft_ms=70.02, tpot_ms=6.3, output_tps=1234.0, prefill_tps=None, engine="vllm", engine_version="0.18.0", date="2026-03-27",
    source_id="inferencex", source=None, row_id="a",
)  # fmt: skip
ASKED = Workload(model="gpt-oss-120b", concurrency=16)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "H100 SXM5 80GB x2, vLLM 0.18.0, gpt-oss-120b mxfp4-experts: 1,024 in / 1,024 out at 8 in flight: TTFT 70 ms, TPOT 6.3 ms"),
        ({"chips": 8.0, "replicas": 4.0, "engine_version": None}, "H100 SXM5 80GB x8 (4 replicas), vLLM, "),
        ({"engine": None}, ", engine not stated, gpt-oss-120b "),
        ({"engine": "tgi", "engine_version": "TGI 3.0"}, ", tgi 3.0, "),
        ({"chip": "b200-sxm", "chips": 1.0}, "B200, vLLM"),
        ({"ttft_ms": 11840.0, "tpot_ms": None}, ": TTFT 11.8 s, 1,234 output tokens/s"),
        ({"ttft_ms": None, "prefill_tps": 16777.0}, ": 16,777 prompt tokens/s, TPOT 6.3 ms"),
        ({"mode": "static-batch"}, ": 1,024 in / 1,024 out, batch of 8: "),
        ({"mode": "static-batch", "concurrency": 1.0, "input_tokens": None}, ": 1,024 out at 1 in flight: "),
        ({"mode": "offline", "concurrency": None, "output_tokens": None}, ": 1,024 in, all requests at once: "),
        ({"mode": "open-loop", "concurrency": None, "request_rate_qps": 0.25}, " at 0.25 requests/s: "),
        (
            {"mode": "closed-loop", "concurrency": None, "input_tokens": None, "output_tokens": None},
            ": lengths not stated, load not stated: ",
        ),
    ],
)
def test_words(changes: dict[str, object], text: str) -> None:
    assert text in in_words(real_catalog(), ROW._replace(**changes))  # type: ignore[arg-type]


def test_the_source_is_named_by_its_title() -> None:
    sources = real_catalog().sources("evidence")
    assert source_title(sources, ROW._replace(source_id="accelmark", source="C")) == "AccelMark suite_C"
    assert source_title(sources, ROW._replace(source_id="a10-serving", source=None)) == "LLM serving comparison on one A10"
    assert source_title(sources, ROW._replace(source_id="nobody", source=None)) == "nobody"


def check(answer: Answer) -> None:
    assert len(answer.evidence) <= 3
    assert list(answer.evidence) == sorted(answer.evidence, key=lambda one: (one.distance, one.row))
    for one in answer.evidence:
        assert one.source
        assert answer.hardware.accelerator_name.split(" (")[0] in one.text or "gpt-oss-120b" in one.text


def test_answers_cite_what_was_measured_nearby() -> None:
    limits = Limits(ttft_s=0.5)
    record = recommend(real_catalog(), ASKED, limits)
    shown = [*record.ranked, *record.near_misses]
    assert record.near_misses
    for answer in shown:
        check(answer)
        assert answer.hardware.class_ != "api" or answer.evidence == ()
    assert sum(bool(answer.evidence) for answer in shown) > len(shown) / 2
    assert recommend(real_catalog(), ASKED, limits) == record


def test_an_estimate_on_measured_hardware_cites_that_hardware() -> None:
    answer = estimate(real_catalog(), "h100-sxm:2", ASKED, engine="vllm").answer
    assert answer is not None
    check(answer)
    assert answer.evidence[0].text.startswith("H100 SXM5 80GB x2, vLLM")
    assert answer.evidence[0].distance < 1.0


def test_a_comparison_cites_for_each_column() -> None:
    columns = compare(real_catalog(), ["h100-sxm", "mi300x"], ASKED).columns
    answers = [column.answer for column in columns if column.answer]
    assert len(answers) == 2
    for answer in answers:
        check(answer)
        assert answer.evidence


def test_a_catalog_without_an_index_cites_nothing() -> None:
    record = recommend(frozen_catalog(), Workload(model="llama-3.1-8b-instruct", concurrency=4), Limits())
    assert record.ranked
    assert all(answer.evidence == () for answer in record.ranked)


def test_a_combination_measured_far_away_counts_as_not_measured() -> None:
    far, near = (Evidence(row="a", text="", distance=distance, source="") for distance in (FAR + 0.01, FAR))
    assert known_from_near("none", (far,)) == "combination"
    assert known_from_near("none", (near, far)) == "none"
    assert known_from_near("none", ()) == "none"
    assert known_from_near("both", (far,)) == "both"
