"""`--currency` and budgets with a currency, through whole commands on the mini catalog (157.25027 JPY and 0.89509 EUR per USD)."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from catalogs import DAY

from infra_advisor.advice.answer import Recommendation, json_schema

JPY, EUR = 157.25027, 0.89509
ROOT = Path(__file__).parents[2]
QUESTION = "recommend --model 70b --users 20 --ttft 600ms --where cloud"

Advisor = Callable[[str], Any]


def document(advisor: Advisor, options: str) -> dict[str, Any]:
    ended = advisor(f"{QUESTION} --format json {options}")
    assert ended.err == ""
    read: dict[str, Any] = json.loads(ended.out)
    return read


@pytest.mark.parametrize(
    ("options", "usd"),
    [
        ("--budget 5000/month", 5000.0),
        ("--budget 5000USD/month --currency JPY", 5000.0),
        ("--budget 800000/month --currency JPY", 800_000 / JPY),
        ("--budget 800000JPY/month", 800_000 / JPY),
        ("--budget 800000円/月 --currency EUR", 800_000 / JPY),
        ("--budget 10EUR/h", 10 * 730 / EUR),
    ],
)
def test_budgets_become_usd_at_the_rate_of_the_day(advisor: Advisor, options: str, usd: float) -> None:
    assert document(advisor, options)["limits"]["budget_usd_per_month"] == pytest.approx(usd, rel=1e-12)


def test_json_keeps_usd_and_states_the_rate(advisor: Advisor) -> None:
    plain, yen = document(advisor, ""), document(advisor, "--currency JPY")
    rate = yen.pop("currency")
    assert yen == plain
    assert (rate["code"], rate["per_usd"], rate["day"], rate["age_d"]) == ("JPY", JPY, "2026-10-30", 23)
    assert "currency" not in plain
    assert "budget_rate" not in plain["limits"]


def test_json_with_a_currency_is_as_its_schema_says(advisor: Advisor) -> None:
    jsonschema.validate(document(advisor, "--currency JPY --budget 1000000/month"), json_schema(Recommendation))


def test_changes_named_in_json_say_that_they_are_in_usd(advisor: Advisor) -> None:
    """A plain number would be yen there."""
    found = document(advisor, "--currency JPY --budget 100/month")
    relaxed = [broken["relax"] for miss in found["near_misses"] for broken in miss["violations"] if broken["limit"] == "budget"]
    assert relaxed
    assert all(relax.endswith("USD/month") for relax in relaxed)


def test_the_change_that_a_page_names_admits_the_option(advisor: Advisor) -> None:
    refused = advisor(f"{QUESTION} --currency JPY --budget 100/month")
    assert refused.status == 4
    (relax,) = {
        word for word in refused.out.replace("\n", " ").split() if word.endswith("JPY/month") and word[0].isdigit() and "," not in word
    }
    admitted = advisor(f"{QUESTION} --currency JPY --budget {relax}")
    assert admitted.status == 0
    assert "monthly cost ≤ " in admitted.out


def test_csv_keeps_usd(advisor: Advisor) -> None:
    assert advisor(f"{QUESTION} --format csv --currency JPY").out == advisor(f"{QUESTION} --format csv").out


def test_the_question_line_echoes_the_budget(advisor: Advisor) -> None:
    """5,000 EUR / 0.89509 = 5,586.03 USD; 800,000 JPY stay what they are on a page in JPY."""
    asked = " ".join(advisor(f"{QUESTION} --budget 5000EUR/month").out.split())
    assert "monthly cost ≤ 5,586 USD/month (given as 5,000 EUR/month: EUR at 0.89509 per USD (ECB" in asked
    assert "monthly cost ≤ 800,000 JPY/month;" in advisor(f"{QUESTION} --budget 800000/month --currency JPY").out


def test_a_price_list_in_yen_comes_back_in_yen(advisor: Advisor) -> None:
    """990 JPY/h with 10 % tax in it is 900 before tax, whatever the rate of the day."""
    out = advisor("estimate sakura-vrt-24core-240gb-h100x1-is1a --model 8b --concurrency 1 --currency JPY").out
    (line,) = (line for line in out.splitlines() if line.startswith("cost per hour"))
    assert line.split()[-2:] == ["900", "JPY"]
    assert "Japanese consumption tax of 10 %" in " ".join(out.split())


@pytest.mark.parametrize(
    "command",
    [
        "compare h100 l4 --model 8b --users 1",
        "compare h100 l4",
        "simulate h100:1 --model 8b --users 2 --requests 50",
        "capacity h100:1 --model 8b --ttft 2s --requests 200 --users 2 --profile office-jp --budget 1/month",
    ],
)
def test_every_page_with_money_is_in_yen(advisor: Advisor, command: str) -> None:
    ended = advisor(f"{command} --currency jpy --as-of {DAY}")
    assert "USD" not in ended.out.replace("157.25 per USD", "")
    assert "JPY" in ended.out.replace("JPY at", "")


def test_a_workload_file_may_name_it(advisor: Advisor, tmp_path: Path) -> None:
    path = tmp_path / "chat.yaml"
    path.write_text("model: 70b\nusers: 20\ncurrency: jpy\nbudget: 9000000/month\n", encoding="utf-8")
    assert "monthly cost ≤ 9,000,000 JPY/month" in advisor(f"recommend -w {path}").out
    assert "monthly cost ≤ 9,000,000 EUR/month" in advisor(f"recommend -w {path} --currency eur").out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--currency JYP", "--currency: no rate of 'JYP' is in the catalog; accepted: EUR, JPY, USD"),
        ("--currency JYP", "Did you mean JPY?"),
        ("--currency EUR --as-of 2026-10-01", "no rate of EUR is known on 2026-10-01, the first is of 2026-10-30"),
        ("--budget 5000EUR/month --as-of 2026-10-01", "--budget: no rate of EUR is known on 2026-10-01"),
    ],
)
def test_no_rate_is_a_message_and_status_2(advisor: Advisor, options: str, message: str) -> None:
    ended = advisor(f"{QUESTION} {options}")
    assert (ended.status, ended.out) == (2, "")
    assert message in ended.err


@pytest.mark.slow
@pytest.mark.parametrize(("options", "loaded"), [([], False), (["--currency", "JPY"], True)])
def test_babel_is_loaded_for_another_currency_only(options: list[str], loaded: bool) -> None:
    program = (
        "import runpy, sys\n"
        f"sys.argv = ['advisor', 'compare', 'h100', 'l4', '--as-of', '{DAY}', *sys.argv[1:]]\n"
        "try: runpy.run_module('infra_advisor', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print('babel' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program, *options], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == f"{loaded}\n"
