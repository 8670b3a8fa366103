"""`advisor validate` and `advisor calibrate`: every row back in order, bad ones with their reason, drift as an exit status."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from infra_advisor.facts.catalog import load
from infra_advisor.facts.evidence import evidence_files, read_evidence
from infra_advisor.search.calibration import read_parameters
from infra_advisor.search.prediction import FIGURES, predict_rows

from .conftest import Run

HEADER = (
    "chip,chips,engine,model_arch,weight_dtype,tp,input_tokens,output_tokens,concurrency,mode,ttft_ms_mean,tpot_ms_mean,output_tps,colour"
)
GOOD = "h100-sxm,2,vllm,llama-3.3-70b-instruct,fp8,2,1000,300,16,closed-loop,300,22,700,blue"


def table(path: Path, *rows: str) -> str:
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return str(path)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_every_row_comes_back_in_order_with_its_own_columns(run: Run, tmp_path: Path) -> None:
    """A refused row keeps its place and says why; unknown columns are echoed; predictions stand beside what was measured."""
    changed = [GOOD.replace(was, now) for was, now in (("h100-sxm", "h100-sxn"), ("2,vllm", "two,vllm"), ("700", "-7"))]
    file = table(tmp_path / "runs.csv", GOOD, *changed)
    done = run("validate", file, "--rows", str(tmp_path / "out.csv"))
    assert done.status == 0
    good, chip, count, negative = rows_of(tmp_path / "out.csv")
    assert good["colour"] == "blue"
    for figure in FIGURES:
        value, low, high = (float(good[f"predicted_{figure}{end}"]) for end in ("", "_low", "_high"))
        assert 0 < low <= value <= high
    assert good["grade"] in "ABCD"
    assert not good["refused"]
    assert "h100-sxn" in chip["refused"]
    assert not chip["predicted_tpot_ms"]
    assert "chips" in count["refused"]
    assert not negative["refused"]
    assert "negative" in negative["suspect_why"]
    assert negative["predicted_tpot_ms"] == good["predicted_tpot_ms"]


def test_drift_is_exit_5(run: Run, tmp_path: Path) -> None:
    """A measured TPOT ten times the prediction is an error of 90 %: above a limit of 50 %, below none."""
    file = table(tmp_path / "runs.csv", GOOD.replace(",22,700,", ",220,72,"))
    assert run("validate", file, "--fail-over", "50").status == 5
    assert run("validate", file).status == 0


def test_json_says_what_was_counted(run: Run, tmp_path: Path) -> None:
    file = table(tmp_path / "runs.csv", GOOD, GOOD.replace("h100-sxm", "h100-sxn"))
    document = json.loads(run("validate", file, "--format", "json").out)
    assert document["schema"] == "infra_advisor/validate/1"
    assert (document["rows"], document["predicted"], document["scored"]) == (2, 1, 1)
    assert {line["figure"] for line in document["errors"]} == {"ttft_ms", "tpot_ms", "output_tps"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--cv", "moon"], "point, series, chip, model"),
        (["--by", "moon"], "class, grade"),
        (["--fail-over", "-1"], "percent above 0"),
        (["no-such-file.csv"], "no-such-file.csv"),
        (["x.csv", "--cv", "chip"], "neither files"),
    ],
)
def test_bad_usage_is_exit_2(run: Run, arguments: list[str], told: str) -> None:
    done = run("validate", *arguments)
    assert done.status == 2
    assert told in done.err


def test_predictions_use_inputs_alone() -> None:
    """The same rows with every measured figure removed get the same predictions. (Open arrivals aside: a median is another statistic.)"""
    catalog = load()
    parameters = read_parameters(catalog.parameters, catalog.deviations)
    rows = [row for row in read_evidence(evidence_files(catalog.path), []) if row.mode != "open-loop"][::37]
    blank = [_without_figures(row) for row in rows]
    with_figures, without = (predict_rows(catalog, parameters, one) for one in (rows, blank))
    assert with_figures.grades == without.grades
    for figure in FIGURES:
        assert [repr(value) for value in with_figures.values[figure]] == [repr(value) for value in without.values[figure]]


def _without_figures(row: Any) -> Any:
    from dataclasses import replace

    names = [name for name in row.__slots__ if name.startswith(("ttft_s_", "tpot_s_"))]
    return replace(row, **dict.fromkeys([*names, "output_tps", "total_tps", "prefill_tps", "decode_tps_user", "power_w"]))


def test_own_runs_become_a_layer_that_moves_the_prediction(run: Run, tmp_path: Path) -> None:
    """Five runs at 1.3 times the predicted TPOT: drawn towards 1 by the prior, ln 1.3 x 500 / (500 + 6.25) = ln 1.296."""
    loads = (1, 4, 8, 16, 32)
    plain = table(tmp_path / "plain.csv", *(_run(load_) for load_ in loads))
    run("validate", plain, "--rows", str(tmp_path / "before.csv"))
    before = [float(row["predicted_tpot_ms"]) for row in rows_of(tmp_path / "before.csv")]
    own = table(tmp_path / "own.csv", *(_run(load_, 1.3 * tpot) for load_, tpot in zip(loads, before, strict=True)))
    layer = tmp_path / "deviations.csv"
    done = run("calibrate", "--with", own, "-o", str(layer))
    assert done.status == 0
    assert "x1.30" in done.out
    run("validate", plain, "--rows", str(tmp_path / "after.csv"), "--catalog", str(layer))
    after = rows_of(tmp_path / "after.csv")
    assert {row["grade"] for row in after} == {"A"}
    assert [float(row["predicted_tpot_ms"]) / tpot for row, tpot in zip(after, before, strict=True)] == pytest.approx([1.296] * 5, rel=0.01)


def _run(load_: int, tpot_ms: float | None = None) -> str:
    return f"h200-sxm,4,vllm,llama-3.3-70b-instruct,fp8,4,2000,200,{load_},closed-loop,,{tpot_ms or ''},,"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([_run(1, 20.0)], "at least 3"),
        ([_run(load_, 2000.0) for load_ in (1, 2, 4, 8)], "times the prediction"),
        ([_run(load_, 20.0).replace("h200-sxm", "h2000") for load_ in (1, 2, 4)], "h2000"),
    ],
)
def test_a_calibration_that_proves_nothing_is_refused(run: Run, tmp_path: Path, rows: list[str], told: str) -> None:
    done = run("calibrate", "--with", table(tmp_path / "own.csv", *rows), "-o", str(tmp_path / "deviations.csv"))
    assert done.status == 2
    assert told in done.err
    assert not (tmp_path / "deviations.csv").exists()


def test_what_a_result_file_does_not_hold_is_stated(run: Run, tmp_path: Path) -> None:
    """GuideLLM names no accelerator: refused without it, predicted with it; what the file does hold is not overridden."""
    file = str(Path(__file__).parents[1] / "data" / "results" / "guidellm.json")
    run("validate", file, "--rows", str(tmp_path / "without.csv"))
    run("validate", file, "--chip", "h100", "--chips", "1", "--rows", str(tmp_path / "with.csv"))
    without, stated = rows_of(tmp_path / "without.csv"), rows_of(tmp_path / "with.csv")
    assert len(without) == len(stated) > 1
    assert all("--chip" in row["refused"] for row in without)
    assert not any(row["refused"] for row in stated)
    assert all(float(row["predicted_tpot_ms"]) > 0 for row in stated)


@pytest.mark.parametrize(
    "name", ["llama-bench.json", "llama-bench.jsonl", "llama-bench.csv", "llama-bench.md", "profile_export_aiperf.json"]
)
def test_every_kind_of_result_file_is_predicted(run: Run, tmp_path: Path, name: str) -> None:
    """Every run of it, once chip and model are known."""
    file = str(Path(__file__).parents[1] / "data" / "results" / name)
    done = run("validate", file, "--chip", "rtx-4090", "--model", "qwen2.5-7b-instruct", "--rows", str(tmp_path / "out.csv"))
    assert done.status == 0
    found = rows_of(tmp_path / "out.csv")
    assert found
    assert [row["refused"] for row in found] == [""] * len(found)


def test_an_unknown_memory_is_told(run: Run, tmp_path: Path) -> None:
    """A laptop's memory is whatever its owner put in: what is taken for it stands beside the prediction."""
    row = "cpu-amd-ryzen-7-7840hs,1,llama.cpp,qwen2.5-7b-instruct,gguf-q4_k_m,1,512,128,1,static-batch,,,,"
    run("validate", table(tmp_path / "own.csv", GOOD, row), "--rows", str(tmp_path / "rows.csv"))
    known, unknown = rows_of(tmp_path / "rows.csv")
    assert "memory" not in known["assumed"]
    assert "memory: 16 GB, its size is not in the catalog" in unknown["assumed"]


def test_the_power_curve_is_checked_alone(run: Run) -> None:
    done = run("calibrate", "--power", "--check")
    assert (done.status, done.out.strip()) == (0, "power.yaml: as calibration makes it")
    assert "--power and --with exclude each other" in run("calibrate", "--power", "--with", "own.csv").err
