"""`recommend --plan-benchmark`: commands that another program accepts, and results that come back into the catalog."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run

RESULTS = Path(__file__).parents[1] / "data" / "results"


def plan(run: Run, *arguments: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The whole answer and its runs."""
    done = run("recommend", *arguments, "--plan-benchmark", "--format", "json", "--as-of", "2026-11-22")
    record = json.loads(done.out)
    assert done.status == 0
    return record, record["plan"]["runs"]


def write(sample: Path, result: Path) -> None:
    """A result as the tool writes it; llama-bench puts all three depths into one."""
    if sample.suffix == ".json":
        result.write_text(sample.read_text())
    else:
        lines = [json.loads(line) for line in sample.read_text().splitlines()]
        result.write_text("".join(json.dumps(line | {"n_depth": depth}) + "\n" for depth in (0, 1000, 2000) for line in lines))


@pytest.mark.parametrize(
    ("arguments", "engine", "sample"),
    [
        (("--model", "llama-3.1-8b-instruct", "--weights", "bf16"), "vllm", "vllm-bench-serve.json"),
        (("--model", "qwen2.5-7b-instruct", "--weights", "gguf-q4_k_m", "--where", "edge"), "llama.cpp", "llama-bench.jsonl"),
    ],
    ids=["vllm", "llama-bench"],
)
def test_its_results_fold_in_as_printed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], engine: str, sample: str
) -> None:
    """The last printed command, run on what the tool of that engine writes."""
    monkeypatch.chdir(tmp_path)
    record, runs = plan(run, *arguments)
    assert [one["answer"] for one in runs] == [one["id"] for one in record["ranked"] if one["hardware"]["class"] != "api"][:2]
    first = runs[0]
    made, line = first["fold_in"][0].split(" && ")
    words = shlex.split(line)
    assert words[words.index("--engine") + 1] == engine
    assert [words[place + 1] for place, word in enumerate(words) if word == "--with"] == first["results"]
    for result in first["results"]:
        write(RESULTS / sample, Path(result))
    (tmp_path / shlex.split(made)[-1]).mkdir()
    done = run(*words[1:])
    assert done.status == 0, done.err
    assert (tmp_path / words[-1]).is_file()


def test_the_deciding_line_is_where_the_rival_costs_the_same(run: Run) -> None:
    """tokens/s = USD/h / 3600 s x 1e6 / USD per Mtok of the other / replicas."""
    record, runs = plan(run, "--model", "70b", "--ttft", "500ms")
    ranked = {one["id"]: one for one in record["ranked"]}
    first, second = (ranked[one["answer"]] for one in runs)
    for own, rival, one in ((first, second, runs[0]), (second, first, runs[1])):
        needed = own["cost"]["usd_per_h"] / 3600 * 1e6 / rival["cost"]["usd_per_mtok_output"] / own["hardware"]["replicas"]
        assert f"output >= {needed:.4g} tokens/s per replica, or {rival['id']} is cheaper" in one["passes"]
        assert "p95 TTFT <= 500 ms" in one["passes"]
