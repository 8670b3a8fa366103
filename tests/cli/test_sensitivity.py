"""`advisor sensitivity` on the mini catalog: every format, what it refuses, and how it ends."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len

from infra_advisor.advice.sensitivities import SensitivityAnswer
from infra_advisor.advice.sensitivity import sensitivity
from infra_advisor.facts.catalog import Catalog
from infra_advisor.present import render
from infra_advisor.present.screen import Screen
from infra_advisor.search.workload import Workload

Advisor = Callable[[str], Any]
JPY = 157.25027


@pytest.fixture
def run(advisor: Advisor, monkeypatch: pytest.MonkeyPatch) -> Advisor:
    """`run("--model 70b")`; what flips does not depend on what simulation settles."""
    monkeypatch.setattr("infra_advisor.advice.finalists.MOST_FINALISTS", 0)
    return lambda question: advisor(f"sensitivity {question} --as-of 2026-11-22")


def test_the_page_tells_the_winner_what_would_change_it_and_what_others_need(run: Advisor) -> None:
    done = run("--model 70b")
    assert (done.status, done.err) == (0, "")
    text = " ".join(done.out.split())
    assert text.startswith("8x H100 SXM5 80GB, on-prem, vLLM fp8 tp2 x4, is the cheapest at 1.09 USD per million output tokens.")
    assert "Next: Instinct MI300X, Crusoe, at 1.15 USD/Mtok, 5.5 % more." in text
    assert "What would change it soonest: tokens the winner carries at 94.8 %, " in text
    assert "a price of 26.13 instead of 27.60 USD/h (-5.3 %), or 1.05 times the tokens from the same machines (inside its error" in text
    assert "electricity, USD/kWh" in text
    assert "{" not in text


def test_json_is_a_list_of_inputs(run: Advisor) -> None:
    found = json.loads(run("--model 70b --format json").out, parse_constant=pytest.fail)
    assert found["schema"] == "infra_advisor/sensitivity/1"
    assert {"input", "base", "flips_at", "flips_to", "winner_at_low", "winner_at_high"} <= set(found["inputs"][0])
    assert {"price", "input_tokens", "output_tokens", "electricity_usd_per_kwh", "commit", "utilisation_default"} <= {
        one["input"] for one in found["inputs"]
    }
    SensitivityAnswer.model_validate(found)


def test_csv_has_one_row_for_each_input(run: Advisor) -> None:
    rows = list(csv.DictReader(io.StringIO(run("--model 70b --format csv").out)))
    (power,) = (row for row in rows if row["input"] == "electricity_usd_per_kwh")
    assert (float(power["base"]), power["flips_to"]) == (0.161, "crusoe-mi300x-various-x8")
    assert "| input" in run("--model 70b --format markdown").out


def test_yen_are_the_dollars_at_the_rate(run: Advisor) -> None:
    """Electricity too: 0.161 USD/kWh are 25.3 yen. The exchange rate itself stays yen for a dollar."""
    text = " ".join(run("--model 8b --concurrency 4 --currency JPY").out.split())
    assert "electricity, JPY/kWh 25.3 " in text
    assert "JPY for a USD 157 " in text


def test_an_option_is_named(run: Advisor) -> None:
    text = run("--model 70b --option runpod").out.partition("What must be true")[2]
    assert "H100 SXM5 80GB, Runpod" in text.splitlines()[1]


@pytest.mark.parametrize(
    ("option", "text"),
    [("runpodd", "Did you mean runpod"), ("l4 --where api", "at a known price; `advisor compare l4`"), ("nonsense", "'nonsense' meets")],
)
def test_an_option_out_of_the_running(run: Advisor, option: str, text: str) -> None:
    done = run(f"--model 70b --option {option}")
    assert (done.status, done.out) == (2, "")
    assert text in done.err


def test_nothing_fits_ends_with_four(run: Advisor) -> None:
    done = run("--model 70b --ttft 1us --option nonsense")
    assert done.status == 4
    assert done.out.startswith("Nothing meets every limit, so there is no winner to doubt")


def test_a_single_contender(run: Advisor) -> None:
    text = " ".join(run("--model 8b --concurrency 4 --owned h100:8").out.split())
    assert "No other decision meets the limits. No input moved alone over its range changes the winner." in text
    assert "price of the winner" not in text


@pytest.fixture(scope="module")
def answer(frozen: Catalog) -> SensitivityAnswer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra_advisor.advice.finalists.MOST_FINALISTS", 0)
        return sensitivity(frozen, Workload(model="70b"))


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("unicode", [True, False])
def test_it_fits_the_terminal(answer: SensitivityAnswer, width: int, unicode: bool) -> None:
    text = render(answer, "table", screen=Screen(width=width, color=False, unicode=unicode))
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert unicode or text.isascii()


def test_equal_costs_are_said_to_be(answer: SensitivityAnswer) -> None:
    assert answer.runner_up is not None
    assert answer.winner is not None
    same = answer.runner_up.model_copy(update={"usd_per_mtok_output": answer.winner.cost.usd_per_mtok_output})
    first = answer.to_win[0].model_copy(update={"option": same, "throughput_factor": 1.0, "price_change": 0.0})
    tied = answer.model_copy(update={"runner_up": same, "to_win": (first,)})
    text = " ".join(render(tied, "table", screen=Screen(width=140, color=False, unicode=True)).split())
    assert "Next: Instinct MI300X, Crusoe, at the same cost, 1.09 USD/Mtok." in text
    assert "- Instinct MI300X, Crusoe (1.09 USD/Mtok): any lower price, as it costs the same." in text
    assert "0 % more" not in text
