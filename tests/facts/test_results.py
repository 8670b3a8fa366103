"""Result files of load generators: what each format means, and what broken files cost. Shapes and sources: data/results/README.md."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra_advisor.facts import results
from infra_advisor.facts.evidence import Measurement
from infra_advisor.facts.results import read_results
from infra_advisor.facts.results.llama_bench import quant_of

DATA = Path(__file__).resolve().parent.parent / "data" / "results"
FILES = sorted(path.name for path in DATA.iterdir() if path.name != "README.md")


def clean(name: str) -> list[Measurement]:
    problems: list[str] = []
    rows = read_results(DATA / name, problems)
    assert not problems
    return rows


def read_text(folder: Path, text: str, name: str = "result.json") -> tuple[list[Measurement], list[str]]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    problems: list[str] = []
    return read_results(path, problems), problems


def stored(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DATA / name).read_text(encoding="utf-8"))
    return document


# -- what each format means


def test_vllm_bench_serve() -> None:
    """163,840 prompt and 40,960 generated tokens over 160 requests: 1,024 in, 256 out."""
    (row,) = clean("vllm-bench-serve.json")
    assert (row.engine, row.model, row.measured_date) == ("vllm", "meta-llama/Llama-3.1-8B-Instruct", "2026-11-02")
    assert (row.input_tokens, row.output_tokens, row.concurrency, row.request_rate_qps) == (1024.0, 256.0, 16.0, None)
    assert (row.mode, row.ttft_definition, row.tps_definition) == ("closed-loop", "closed-loop", "output")
    assert (row.ttft_s_mean, row.ttft_s_p50, row.ttft_s_p95, row.ttft_s_p99) == (0.12, 0.11, None, 0.3)
    assert (row.tpot_s_mean, row.tpot_s_p50, row.tpot_s_p99) == (0.03, 0.0295, 0.033)
    assert (row.output_tps, row.total_tps) == (512.0, 2560.0)
    assert (row.chip, row.tp, row.chips, row.spec_decode) == ("h100-sxm", 2.0, None, None)
    assert row.row_id == "vllm-bench-serve.json#1"


@pytest.mark.parametrize(
    ("change", "mode", "ttft", "concurrency", "rate"),
    [
        ({"max_concurrency": 1}, "closed-loop", "no-load", 1.0, None),
        ({"max_concurrency": None}, "offline", "burst", 160.0, None),
        ({"max_concurrency": 500}, "offline", "burst", 160.0, None),
        ({"max_concurrency": None, "request_rate": 2.0}, "open-loop", "open-loop", None, 2.0),
        # Two requests a second were completed: of 2.1 the rate was kept, of 10 the limit in flight set the pace.
        ({"request_rate": 2.1}, "open-loop", "open-loop", None, 2.1),
        ({"request_rate": 10.0}, "closed-loop", "closed-loop", 16.0, None),
    ],
)
def test_load_of_a_serving_run(
    tmp_path: Path, change: dict[str, Any], mode: str, ttft: str, concurrency: float | None, rate: float | None
) -> None:
    (row,), problems = read_text(tmp_path, json.dumps(stored("vllm-bench-serve.json") | change))
    assert not problems
    assert (row.mode, row.ttft_definition, row.concurrency, row.request_rate_qps) == (mode, ttft, concurrency, rate)


def test_several_vllm_runs_appended_to_one_file(tmp_path: Path) -> None:
    run = stored("vllm-bench-serve.json")
    rows, problems = read_text(tmp_path, "\n".join(json.dumps(run | {"max_concurrency": limit}) for limit in (4, 8)))
    assert not problems
    assert [row.concurrency for row in rows] == [4.0, 8.0]


def test_speculation_and_failures_are_told(tmp_path: Path) -> None:
    (row,), problems = read_text(tmp_path, json.dumps(stored("vllm-bench-serve.json") | {"spec_decode_acceptance_rate": 61.0, "failed": 3}))
    assert not problems
    assert (row.spec_decode, row.notes) == ("1", "3 requests failed")


def test_openai_client_does_not_tell_the_engine(tmp_path: Path) -> None:
    (row,), _ = read_text(tmp_path, json.dumps(stored("vllm-bench-serve.json") | {"backend": "openai-chat"}))
    assert row.engine is None


def test_sglang_bench_serving() -> None:
    first, second = clean("sglang-bench-serving.jsonl")
    assert (first.engine, first.engine_version, first.model) == ("sglang", "0.5.9", "Qwen/Qwen3-30B-A3B-Instruct-2507")
    assert (first.tp, first.pp, first.ep, first.dp, first.chips) == (2.0, 1.0, 2.0, 1.0, 2.0)
    assert (first.weight_dtype, first.kv_dtype, first.spec_decode) == ("fp8", None, "0")
    # 40,960 and 5,120 tokens over 20 requests, one in flight.
    assert (first.input_tokens, first.output_tokens, first.concurrency, first.ttft_definition) == (2048.0, 256.0, 1.0, "no-load")
    assert (first.ttft_s_mean, first.tpot_s_mean, first.output_tps, first.total_tps) == (0.0875, 0.0075, 128.0, 1152.0)
    assert (second.mode, second.request_rate_qps, second.concurrency, second.spec_decode) == ("open-loop", 4.0, None, "1")


def test_attention_data_parallel_ranks_share_the_chips(tmp_path: Path) -> None:
    run = json.loads((DATA / "sglang-bench-serving.jsonl").read_text(encoding="utf-8").splitlines()[0])
    server = run["server_info"] | {"tp_size": 8, "dp_size": 4}
    (copies,), _ = read_text(tmp_path, json.dumps(run | {"server_info": server}))
    (shared,), _ = read_text(tmp_path, json.dumps(run | {"server_info": server | {"enable_dp_attention": True}}))
    assert (copies.chips, shared.chips) == (32.0, 8.0)


def test_guidellm_has_one_row_per_load() -> None:
    alone, eight, rated, burst = clean("guidellm.json")
    assert {row.model for row in (alone, eight, rated, burst)} == {"meta-llama/Llama-3.1-8B-Instruct"}
    assert [(row.mode, row.ttft_definition, row.concurrency, row.request_rate_qps) for row in (alone, eight, rated, burst)] == [
        ("closed-loop", "no-load", 1.0, None),
        ("closed-loop", "closed-loop", 8.0, None),
        ("open-loop", "open-loop", None, 2.5),
        ("offline", "burst", None, None),
    ]
    assert (eight.input_tokens, eight.output_tokens, eight.output_tps, eight.total_tps) == (512.0, 128.0, 760.0, 3800.0)
    assert (eight.ttft_s_mean, eight.ttft_s_p50, eight.ttft_s_p95, eight.ttft_s_p99) == (0.06, 0.055, 0.09, 0.12)
    # Its "time per output token" holds the first token too; ours is its inter-token latency.
    assert (eight.tpot_s_mean, eight.tpot_s_p50, eight.tpot_s_p99) == (0.01, 0.0095, 0.012)
    # 1793577600 s after 1970 = 20,759 days: 2026-11-02.
    assert eight.measured_date == "2026-11-02"


def test_older_guidellm_keeps_the_load_under_args(tmp_path: Path) -> None:
    report = stored("guidellm.json")
    one = report["benchmarks"][1]
    one["args"] = {"strategy": one.pop("config")["strategy"]}
    one["worker"] = {"backend_model": "Qwen/Qwen3-8B"}
    (row,), problems = read_text(tmp_path, json.dumps({"benchmarks": [one]}))
    assert not problems
    assert (row.concurrency, row.model) == (8.0, "Qwen/Qwen3-8B")


def test_aiperf() -> None:
    (row,) = clean("profile_export_aiperf.json")
    assert (row.source_id, row.model, row.measured_date) == ("AIPerf", "Qwen/Qwen3-32B", "2026-11-03")
    assert (row.input_tokens, row.output_tokens, row.concurrency, row.mode) == (1024.0, 129.0, 4.0, "closed-loop")
    assert (row.ttft_s_mean, row.ttft_s_p50, row.ttft_s_p95, row.ttft_s_p99) == (0.08, 0.075, 0.11, 0.14)
    assert (row.tpot_s_mean, row.tpot_s_p99, row.output_tps, row.total_tps) == (0.015, 0.017, 258.0, 2306.0)


@pytest.mark.parametrize(
    "config",
    [
        {"phases": [{"name": "warmup", "concurrency": 1}, {"name": "profiling", "concurrency": 4}], "models": ["Qwen/Qwen3-32B"]},
        {"phases": {"profiling": {"concurrency": 4}}, "models": [{"name": "Qwen/Qwen3-32B"}]},
        {"perf_analyzer": {"stimulus": {"concurrency": 4}}, "model_names": ["Qwen/Qwen3-32B"]},
        {"concurrency": 4, "model": "Qwen/Qwen3-32B"},
    ],
)
def test_load_of_every_version_of_aiperf(tmp_path: Path, config: dict[str, Any]) -> None:
    (row,), problems = read_text(tmp_path, json.dumps(stored("profile_export_aiperf.json") | {"input_config": config}))
    assert not problems
    assert (row.concurrency, row.model) == (4.0, "Qwen/Qwen3-32B")


def test_genai_perf_states_its_units() -> None:
    """5e7 ns = 50 ms; 20,000 us = 20 ms."""
    (row,) = clean("profile_export_genai_perf.json")
    assert (row.source_id, row.mode, row.request_rate_qps, row.concurrency) == ("GenAI-Perf", "open-loop", 1.5, None)
    assert (row.ttft_s_mean, row.tpot_s_mean, row.output_tps) == (0.05, 0.02, 150.0)


@pytest.mark.parametrize("name", ["llama-bench.json", "llama-bench.csv", "llama-bench.md"])
def test_llama_bench_pairs_prompt_and_generation(name: str) -> None:
    empty, deep = clean(name)[:2]
    assert (empty.prefill_tps, empty.decode_tps_user, empty.input_tokens, empty.output_tokens) == (7100.5, 130.25, 512.0, 128.0)
    # 512 tokens of prompt behind 4,096 that are already there.
    assert (deep.prefill_tps, deep.decode_tps_user, deep.input_tokens, deep.output_tokens) == (6000.0, 118.0, 4608.0, 128.0)
    for row in (empty, deep):
        assert (row.engine, row.weight_dtype, row.concurrency, row.mode) == ("llama.cpp", "gguf-q4_k_m", 1.0, "static-batch")
        assert (row.tps_definition, row.spec_decode, row.ttft_s) == ("decode-only", "0", None)
    assert (empty.notes or "").startswith("depth=0; pp=512; tg=128; ")
    assert (deep.notes or "").startswith("depth=4096; pp=512; tg=128; ")


def test_llama_bench_lines_are_the_same_objects() -> None:
    assert [row.decode_tps_user for row in clean("llama-bench.jsonl")] == [130.25]
    row = clean("llama-bench.json")[0]
    assert (row.model, row.engine_version, row.kv_dtype, row.measured_date) == ("Qwen2.5-7B-Instruct-Q4_K_M", "b5163", "f16", "2026-04-24")
    assert "device=NVIDIA GeForce RTX 4090" in (row.notes or "")


def test_llama_bench_prompt_and_generation_in_one_test() -> None:
    """640 tokens/s over 512 + 128 tokens: 640/640 x 128 = 128 generated a second."""
    row = clean("llama-bench.json")[2]
    assert (row.total_tps, row.output_tps, row.prefill_tps, row.tps_definition) == (640.0, 128.0, None, "total")


def test_generation_alone_starts_from_an_empty_context(tmp_path: Path) -> None:
    tests = json.loads((DATA / "llama-bench.json").read_text(encoding="utf-8"))
    rows, _ = read_text(tmp_path, json.dumps([tests[1], tests[3]]))
    assert [(row.input_tokens, row.prefill_tps) for row in rows] == [(None, None), (4096.0, None)]


def test_different_settings_are_not_paired(tmp_path: Path) -> None:
    tests = json.loads((DATA / "llama-bench.json").read_text(encoding="utf-8"))
    rows, _ = read_text(tmp_path, json.dumps([tests[0], tests[1] | {"n_gpu_layers": 20}]))
    assert [(row.prefill_tps, row.decode_tps_user) for row in rows] == [(7100.5, None), (None, 130.25)]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("models/Qwen2.5-7B-Instruct-Q4_K_M.gguf", "gguf-q4_k_m"),
        ("Qwen3-30B-A3B-UD-Q4_K_XL.gguf", "gguf-q4_k_xl"),
        ("gpt-oss-20b-mxfp4.gguf", "gguf-mxfp4"),
        ("qwen2 7B Q4_K - Medium", "gguf-q4_k_m"),
        ("llama 8B Q5_K - Small", "gguf-q5_k_s"),
        ("llama 8B IQ2_XS - 2.3125 bpw", "gguf-iq2_xs"),
        ("llama 7B mostly Q4_0", "gguf-q4_0"),
        ("llama 8B Q6_K", "gguf-q6_k"),
        ("gemma3 27B BF16", "gguf-bf16"),
        ("gpt-oss 20B MXFP4 MoE", "gguf-mxfp4"),
        ("my-model.gguf", None),
    ],
)
def test_format_in_the_name_of_a_file(name: str, meant: str | None) -> None:
    assert quant_of(name) == meant


def test_offloaded_experts_are_flagged(tmp_path: Path) -> None:
    tests = json.loads((DATA / "llama-bench.json").read_text(encoding="utf-8"))
    (row,), _ = read_text(tmp_path, json.dumps([tests[1] | {"n_cpu_moe": 12}]))
    assert row.flags == ("host-offload",)


def test_evidence_table_keeps_the_columns_of_its_owner() -> None:
    problems: list[str] = []
    first, second = read_results(DATA / "evidence.csv", problems)
    assert (first.chip, first.tp, first.ttft_s_mean, first.output_tps) == ("h100-sxm", 1.0, 0.12, 505.0)
    assert (second.ttft_s_mean, second.tpot_s_mean, second.output_tps) == (None, 0.041, None)
    assert [problem.split(":", 1)[1] for problem in problems] == [
        "3: ttft_ms_mean: -5 is negative",
        "3: output_tps: nan is not finite; leave the cell empty where the value is unknown",
    ]


# -- broken files


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("  \n ", "is empty"),
        ("hello", "no known format"),
        ("[]", "holds no results"),
        ("{}", "no known format"),
        ("[1, 2]", "no known format"),
        ('{"a": 1}', "no known format"),
        ('{"benchmarks": [{}]}', "no known format"),
        ("[" * 100_000, "not"),
        ('{"avg_ts": 1' + "0" * 5000 + "}", "not readable as JSON"),
    ],
)
def test_files_of_no_known_kind(tmp_path: Path, text: str, said: str) -> None:
    rows, problems = read_text(tmp_path, text)
    assert rows == []
    assert len(problems) == 1
    assert said in problems[0]
    assert problems[0].startswith(str(tmp_path / "result.json"))


def test_truncated_document_names_the_line(tmp_path: Path) -> None:
    text = json.dumps(stored("guidellm.json"), indent=1)
    cut = text[: len(text) // 2]
    rows, (problem,) = read_text(tmp_path, cut)
    assert rows == []
    assert problem.startswith(f"{tmp_path / 'result.json'}:{cut.count(chr(10)) + 1}: not JSON")


def test_truncated_last_line_keeps_the_others(tmp_path: Path) -> None:
    first, second = (DATA / "sglang-bench-serving.jsonl").read_text(encoding="utf-8").splitlines()
    rows, problems = read_text(tmp_path, f"{first}\n{first}\n{second[:200]}\n")
    assert len(rows) == 2
    (problem,) = problems
    assert f"{tmp_path / 'result.json'}:3: not JSON" in problem


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("mean_ttft_ms", -1.0, "mean_ttft_ms: -1.0 is negative"),
        ("mean_tpot_ms", float("nan"), "mean_tpot_ms: nan is not finite"),
        ("output_throughput", float("inf"), "output_throughput: inf is not finite"),
        ("output_throughput", "fast", "output_throughput: 'fast' is not a number"),
        ("mean_ttft_ms", [1.0], "mean_ttft_ms: [1.0] is not a number"),
        ("mean_ttft_ms", True, "mean_ttft_ms: True is not a number"),
        ("completed", 0, "no request was completed"),
    ],
)
def test_bad_figure_is_named_and_left_out(tmp_path: Path, key: str, value: object, said: str) -> None:
    text = f"{json.dumps(stored('vllm-bench-serve.json'))}\n{json.dumps(stored('vllm-bench-serve.json') | {key: value})}"
    rows, problems = read_text(tmp_path, text)
    assert f"{tmp_path / 'result.json'}:2: {said}" in problems[0]
    assert len(problems) == 1
    assert len(rows) == (1 if key == "completed" else 2)


def test_unknown_unit_is_not_guessed(tmp_path: Path) -> None:
    export = stored("profile_export_aiperf.json")
    export["time_to_first_token"]["unit"] = "fortnights"
    (row,), (problem,) = read_text(tmp_path, json.dumps(export))
    assert (row.ttft_s_mean, row.tpot_s_mean) == (None, 0.015)
    assert "time_to_first_token: unknown unit 'fortnights'; known: s, sec" in problem


def test_export_without_a_load_says_so(tmp_path: Path) -> None:
    (row,), (problem,) = read_text(tmp_path, json.dumps(stored("profile_export_aiperf.json") | {"input_config": {}}))
    assert (row.mode, row.concurrency) == (None, None)
    assert "neither concurrency nor request rate" in problem


def test_rows_of_markdown_that_are_no_tests(tmp_path: Path) -> None:
    text = "| model | test | t/s |\n|---|--:|--:|\n| llama | pp512 | 10.5 ± 0.1 |\n| llama | nonsense | 3 |\n| llama | tg8 | -4 |\n"
    rows, problems = read_text(tmp_path, text, "bench.md")
    assert [row.prefill_tps for row in rows] == [10.5]
    assert [problem.split(": ")[0] for problem in problems] == [f"{tmp_path / 'bench.md'}:4", f"{tmp_path / 'bench.md'}:5"]


def test_not_text_and_not_there(tmp_path: Path) -> None:
    problems: list[str] = []
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00{")
    assert read_results(tmp_path / "binary.json", problems) == []
    assert read_results(tmp_path / "missing.json", problems) == []
    assert read_results(tmp_path, problems) == []
    assert ["not UTF-8" in problems[0], "not a regular file" in problems[1], "not a regular file" in problems[2]] == [True] * 3


def test_huge_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results.read, "LARGEST_FILE_BYTES", 100)
    rows, (problem,) = read_text(tmp_path, json.dumps(stored("vllm-bench-serve.json")))
    assert rows == []
    assert "holds at most 100; save it without single requests" in problem


def test_a_file_of_faults_does_not_fill_the_screen(tmp_path: Path) -> None:
    line = json.dumps(stored("vllm-bench-serve.json") | {"mean_ttft_ms": -1})
    rows, problems = read_text(tmp_path, "\n".join([line] * 500))
    assert len(rows) == 500
    assert len(problems) == 201
    assert problems[-1].endswith("300 more problems")


def cuts(text: str) -> Iterator[str]:
    yield from (text[:end] for end in range(1, len(text), max(1, len(text) // 60)))


@pytest.mark.parametrize("name", FILES)
def test_no_cut_raises(tmp_path: Path, name: str) -> None:
    for cut in cuts((DATA / name).read_text(encoding="utf-8")):
        rows, problems = read_text(tmp_path, cut, name)
        assert rows or problems


ODD = st.sampled_from([None, True, -1, 0, 1e400, float("nan"), "", "x", "12", [], {}, [{}], {"a": 1}, {"avg": "x", "unit": 3}])


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith((".json", ".jsonl"))])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_odd_value_raises(tmp_path: Path, name: str, data: st.DataObject) -> None:
    """One value anywhere in the document replaced by something that does not belong there."""
    text = (DATA / name).read_text(encoding="utf-8")
    document = json.loads(text.splitlines()[0]) if name.endswith(".jsonl") else json.loads(text)
    node: Any = document
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans()):
            node = node[key]
            continue
        node[key] = data.draw(ODD)
        break
    rows, _ = read_text(tmp_path, json.dumps(document), name)
    assert all(row.row_id for row in rows)
