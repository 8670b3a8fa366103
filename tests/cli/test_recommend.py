"""`advisor recommend`: what it understands, what it refuses, how it ends."""

import json
import os
from pathlib import Path

import pytest
from present import samples

from infra_advisor.advice.limits import Choice
from infra_advisor.advice.payment import Payment
from infra_advisor.search.traffic import Traffic

from .conftest import Engine, Run

QUESTION = ("recommend", "--model", "70b")


def test_every_option_reaches_the_engine_in_base_units(run: Run, engine: Engine) -> None:
    """33 ms = 0.033 s; 7 USD/h x 730 h = 5,110 USD a month."""
    arguments = (
        "--weights fp8 --kv bf16 --users 20 --think 5s --input 2000 --output-tokens 500 "
        "--ttft 500ms --tpot 33ms --throughput 2000 --at p95 --residency jp --where cloud,edge --where onprem "
        "--vendor=-nvidia --provider aws,!gcp --accelerator h100 --budget 7/h --max-age 90d "
        "--owned dgx-spark --include spot,stale --portable --exit-after 6 --top 3 --rank ttft --as-of 2026-11-01 --catalog a --catalog b"
    )
    assert run(*QUESTION, *arguments.split()).status == 0
    workload, limits = engine.workload, engine.limits
    assert (workload.model, workload.weights, workload.kv, workload.users, workload.think_s) == ("70b", "fp8", "bf16", 20.0, 5.0)
    assert (workload.input_tokens, workload.output_tokens) == (2000, 500)
    assert (limits.ttft_s, limits.tpot_s, limits.throughput_tokens_per_s, limits.statistic) == (0.5, pytest.approx(0.033), 2000.0, "p95")
    assert (limits.residency, limits.where) == ("JP", ("cloud", "edge", "onprem"))
    assert (limits.vendor, limits.provider) == (Choice(drop=("nvidia",)), Choice(keep=("aws",), drop=("gcp",)))
    assert (limits.accelerator, limits.budget_usd_per_month, limits.max_price_age_d) == (
        Choice(keep=("h100",)),
        pytest.approx(5110.0),
        90.0,
    )
    assert (limits.owned, limits.include, limits.portable) == ("dgx-spark", ("spot", "stale"), True)
    terms = {"traffic": Traffic(), "payment": Payment()}
    aside = {"plan": False, "mix": False, "site_needs": False, "carry_in": False, "exit_after_months": 6}
    assert engine.given == {"rank": "ttft", "top": 3, "merge": "decision", **aside, **terms}
    assert engine.loaded == [("2026-11-01", [Path("a"), Path("b")])]


def test_defaults_are_no_limits(run: Run, engine: Engine) -> None:
    run(*QUESTION)
    assert (engine.workload.loads_given, engine.workload.input_tokens, engine.workload.output_tokens) == ([], 1000, 300)
    assert engine.limits == type(engine.limits)()
    terms = {"traffic": Traffic(), "payment": Payment()}
    aside = {"plan": False, "mix": False, "site_needs": False, "carry_in": False, "exit_after_months": 12}
    assert engine.given == {"rank": "cost", "top": 10, "merge": "decision", **aside, **terms}


def test_speed_is_the_other_spelling_of_tpot(run: Run, engine: Engine) -> None:
    run(*QUESTION, "--speed", "30")
    assert engine.limits.tpot_s == pytest.approx(1 / 30)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "which model"),
        ("--model 70b --ttft 500", "--ttft: '500' needs a number and a unit"),
        ("--model 70b --ttft 0", "--ttft: '0' needs a number and a unit"),
        ("--model 70b --ttft 0s", "--ttft: '0s' must be above zero"),
        ("--model 70b --ttft=-1s", "--ttft: '-1s'"),
        ("--model 70b --ttft nan", "--ttft: 'nan'"),
        ("--model 70b --ttft 1e400ms", "--ttft: '1e400ms' is not a finite"),
        ("--model 70b --tpot 33ms --speed 30", "--tpot and --speed state the same target"),
        ("--model 70b --users 20 --rate 1/s", "--users and --rate contradict"),
        ("--model 70b --concurrency 1 --tokens-per-day 1M", "--concurrency and --tokens-per-day contradict"),
        ("--model 70b --at p59", "--at: 'p59' is unknown; accepted: mean, p50, p95"),
        ("--model 70b --where clod", "--where: 'clod' is unknown; accepted: cloud"),
        ("--model 70b --include spott", "--include: 'spott' is unknown"),
        ("--model 70b --rank price", "--rank: 'price' is unknown; accepted: cost"),
        ("--model 70b --format xml", "--format: 'xml' is unknown; accepted: table"),
        ("--model 70b --residency japan", "--residency: 'japan' is not a country"),
        ("--model 70b --budget 5000", "--budget: '5000' needs an amount and a period"),
        ("--model 70b --rate 1.9", "--rate: '1.9' needs a number and a unit: /s"),
        ("--model 70b --max-age 90", "--max-age: '90'"),
        ("--model 70b --top=-1", "--top: '-1'"),
        ("--model 70b --top 1.5", "--top: '1.5' is not a whole number"),
        ("--model 70b --input 0", "--input: '0' must be above zero"),
        ("--model 70b --input 99999999999", "input tokens"),
        ("--model 70b --as-of yesterday", "--as-of: 'yesterday' is not a day"),
        ("--model 70b --vendor amd,!amd", "--vendor: amd is both wanted and left out"),
        ("--model 70b --output 300 --output 400", "output tokens given more than once"),
        ("--model 70b --output 0", "must be above zero"),
        ("--model 70b --output 1.5", "not a whole number"),
        ("--model 70b --output a.md -o b.md", "more than one output file: a.md, b.md"),
        ("--model 70b --ttfz 500ms", "No such option"),
        ("--model", "requires an argument"),
        ("--model 70b extra", "unexpected extra argument"),
    ],
)
def test_bad_usage_is_a_message_and_status_2(run: Run, engine: Engine, arguments: str, message: str) -> None:
    result = run("recommend", *arguments.split())
    assert result.status == 2
    assert message in result.err
    assert result.out == ""
    assert "Traceback" not in result.err
    assert engine.asked == []


def test_output_takes_tokens_and_a_file(run: Run, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*QUESTION, "--output", "500", "--output", "memo.md").status == 0
    assert engine.workload.output_tokens == 500
    assert Path("memo.md").read_text(encoding="utf-8").startswith("# Hardware for")
    assert run(*QUESTION, "-o", "300").status == 0
    assert engine.workload.output_tokens == 300
    assert Path("300").is_file()
    assert sorted(os.listdir()) == ["300", "memo.md"]


@pytest.mark.parametrize(
    ("file", "form", "start"),
    [("a.json", None, "{"), ("a.csv", None, "status,"), ("a.md", None, "# "), ("a.txt", None, "2x H100"), ("a.txt", "json", "{")],
)
def test_the_file_name_tells_the_format(run: Run, engine: Engine, tmp_path: Path, file: str, form: str | None, start: str) -> None:
    path = tmp_path / file
    result = run(*QUESTION, "-o", str(path), *(["--format", form] if form else []))
    assert result.out == ""
    assert result.err.startswith(f"wrote {path} ({form or ''}")
    assert path.read_text(encoding="utf-8").startswith(start)


@pytest.mark.parametrize("name", [".", "missing/memo.md", "x" * 300])
def test_an_impossible_output_is_refused_before_the_work(
    run: Run, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*QUESTION, "-o", name)
    assert result.status == 2
    assert result.err.startswith("error: ")
    assert (engine.asked, engine.loaded) == ([], [])
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("form", ["table", "json", "markdown", "csv"])
def test_nothing_fits_is_an_answer_with_status_4(run: Run, engine: Engine, form: str) -> None:
    engine.answer = samples.nothing()
    result = run(*QUESTION, "--format", form)
    assert result.status == 4
    assert result.out
    assert result.err == ""


def test_json_is_all_that_stdout_holds(run: Run, engine: Engine) -> None:
    assert json.loads(run(*QUESTION, "--format", "json").out)["schema"] == "infra_advisor/recommend/1"


def test_the_memo_tells_how_to_repeat_it(run: Run, engine: Engine) -> None:
    out = run(*QUESTION, "--ttft", "500 ms", "--format", "markdown").out
    assert "```sh\nadvisor recommend --model 70b --ttft '500 ms' --format markdown\n```" in out


def test_explain_shows_the_terms(run: Run, engine: Engine) -> None:
    assert "70.6 GB / 3.92 TB/s" in run(*QUESTION, "--explain").out
    assert "70.6 GB / 3.92 TB/s" not in run(*QUESTION).out
