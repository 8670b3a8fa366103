"""`advisor breakeven` on the mini catalog: every format, what it refuses, and how it ends."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len

from infra_advisor.advice.breakeven import breakeven
from infra_advisor.advice.breakevens import BreakevenAnswer, Crossing
from infra_advisor.advice.limits import Limits
from infra_advisor.facts.catalog import Catalog
from infra_advisor.present import render
from infra_advisor.present.breakeven import page
from infra_advisor.present.screen import Screen
from infra_advisor.present.words import words
from infra_advisor.search.workload import Workload

Advisor = Callable[[str], Any]
JPY = 157.25027


@pytest.fixture
def run(advisor: Advisor, monkeypatch: pytest.MonkeyPatch) -> Advisor:
    """`run("--model 70b")`; money does not depend on what simulation settles."""
    monkeypatch.setattr("infra_advisor.advice.finalists.MOST_FINALISTS", 0)
    return lambda question: advisor(f"breakeven {question} --as-of 2026-11-22")


def test_the_page_tells_who_is_cheapest_where_they_cross_and_the_bills(run: Advisor) -> None:
    done = run("--model 70b --tokens-per-day 50M")
    assert (done.status, done.err) == (0, "")
    text = " ".join(done.out.split())
    assert text.startswith("At 50.0M tokens/day a hosted API is cheapest: deepinfra, 409 USD/month.")
    assert "Renting is cheaper than the API from 316M tokens/day on" in text
    assert "Renting for a term is cheaper than renting at no load up to 1T tokens a day." in text
    assert "At this load buying has taken less cash than renting after 51 months." in text
    assert "At this load buying never takes less cash than the API: each month costs as much cash or more." in text
    assert text.count("Bill of a month, ") == 4
    assert "r rent c rent for a term b buy a API" in text
    assert "{" not in text


def test_json_is_as_asked(run: Advisor) -> None:
    found = json.loads(run("--model 70b --tokens-per-day 50M --format json").out, parse_constant=pytest.fail)
    assert found["schema"] == "infra_advisor/breakeven/1"
    assert [one["kind"] for one in found["options"]] == ["rent", "rent", "buy", "api"]
    for one in found["options"]:
        assert all({"name", "quantity", "unit", "unit_price_usd", "amount_usd"} <= set(line) for line in one["lines"])
        assert round(sum(line["amount_usd"] for line in one["lines"]), 2) == one["usd_per_month"]
    assert {one["axis"] for one in found["breakeven"]} == {"tokens_per_day", "hours_per_month", "months"}
    BreakevenAnswer.model_validate(found)


def test_csv_is_the_curve(run: Advisor) -> None:
    rows = list(csv.DictReader(io.StringIO(run("--model 70b --format csv").out)))
    assert len(rows) == 13 * 4
    assert {row["way"] for row in rows} == {"rent", "commit", "buy", "api"}
    assert [row["cheapest"] for row in rows].count("true") == 13


def test_markdown_has_tables_and_the_diagram(run: Advisor) -> None:
    text = run("--model 70b --format markdown").out
    assert "| tokens/day" in text
    assert "```text" in text


def test_yen_are_the_dollars_at_the_rate(run: Advisor) -> None:
    text = " ".join(run("--model 70b --tokens-per-day 50M --currency JPY").out.split())
    assert f"deepinfra, {409.45 * JPY:,.0f} JPY/month" in text
    assert "USD" not in text.replace("JPY per USD", "").replace("USD/JPY", "").partition("Catalog")[0].partition("Assumed")[0]


@pytest.mark.parametrize("option", ["--budget 500/month", "--owned h100:8", "--commit 3y"])
def test_options_that_make_no_sense_are_refused(run: Advisor, option: str) -> None:
    done = run(f"--model 70b {option}")
    assert (done.status, done.out) == (2, "")
    assert option.split()[0] in done.err


def test_nothing_fits_ends_with_four(run: Advisor) -> None:
    done = run("--model 8b --where api")
    assert done.status == 4
    text = " ".join(done.out.split())
    assert text.startswith("Nothing to compare: nothing can be rented, bought or called within the limits.")
    for way in ("No way to rent: ", "No way to rent for a term: ", "No way to buy: ", "No API: "):
        assert way in text


def test_a_speed_that_nobody_knows_is_named(run: Advisor) -> None:
    text = " ".join(run("--model 70b --ttft 1s").out.split())
    assert "How fast the hosted API answers is not known: whether it meets the targets must be measured." in text


def test_less_than_a_cent_is_written_as_that(run: Advisor) -> None:
    """One token a day: the API's bill has no line that costs a cent, so it has no bill."""
    text = " ".join(run("--model 70b --tokens-per-day 1").out.split())
    assert "<0.01" in text
    assert "0.000" not in text.partition("Assumed:")[0]
    assert "Bill of a month, API" not in text


@pytest.fixture(scope="module")
def answer(frozen: Catalog) -> BreakevenAnswer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra_advisor.advice.finalists.MOST_FINALISTS", 0)
        return breakeven(frozen, Workload(model="70b", tokens_per_day=50e6), Limits(spare=1))


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("unicode", [True, False])
def test_it_fits_the_terminal(answer: BreakevenAnswer, width: int, unicode: bool) -> None:
    text = render(answer, "table", screen=Screen(width=width, color=False, unicode=unicode))
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert unicode or text.isascii()


def said(answer: BreakevenAnswer, **fields: Any) -> str:
    """How a crossing is told."""
    one = Crossing(**{"axis": "tokens_per_day", "cheaper": "buy", "than": "rent", "value": None, "option": "a-box", **fields})
    record = answer.model_copy(update={"breakeven": (one,)})
    bullets = next(block for block in page(record, words()).blocks if type(block).__name__ == "Bullets")
    (text,) = bullets.items  # type: ignore[union-attr]
    return str(text)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"value": 1e4, "until": 2e6, "for_good": 3e9, "reason": "at the smallest loads that were looked at"},
            "Buying is cheaper than renting at the smallest loads that were looked at (a-box); for good from 3.00B on.",
        ),
        (
            {"value": 1e6, "until": 2e6, "usd_per_month": 50.0, "utilisation": 0.5},
            "Buying is cheaper than renting from 1.00M tokens/day on, 50.00 USD/month with a-box, at 50 % of what that fleet carries; "
            "not for good: first up to 2.00M.",
        ),
        (
            {"axis": "hours_per_month", "value": 0.0, "until": 73.0},
            "At these requests/s buying is cheaper than renting up to 73 hours of service a month, 10 % of all.",
        ),
        (
            {"axis": "hours_per_month", "value": 365.0, "for_good": 365.0},
            "At these requests/s buying is cheaper than renting from 365 hours of service a month on, 50 % of all hours.",
        ),
        (
            {"axis": "hours_per_month", "value": 0.0, "reason": "at any number of hours"},
            "At these requests/s buying is cheaper than renting at any number of hours of service.",
        ),
        (
            {"axis": "hours_per_month", "reason": "not even if the service runs all the time"},
            "At these requests/s buying is cheaper than renting at no number of hours of service.",
        ),
        (
            {"axis": "months", "reason": "not within 10 years"},
            "At this load buying never takes less cash than renting: not within 10 years.",
        ),
    ],
)
def test_every_kind_of_crossing_is_a_sentence(answer: BreakevenAnswer, fields: dict[str, Any], text: str) -> None:
    assert said(answer, **fields) == text
