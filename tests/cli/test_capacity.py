"""`advisor capacity` on the mini catalog: the limit, the curve and the month, in every format; and what is refused.

An H100 at RunPod is one machine at 3.99 USD an hour. At 8 ms a token it has some 25 requests in flight, so that short runs tell enough.
"""

import csv
import io
import json
import math
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from catalogs import frozen_catalog
from rich.cells import cell_len

from infra_advisor.advice.capacities import CapacityAnswer
from infra_advisor.advice.capacity import Moving, capacity
from infra_advisor.advice.limits import Limits
from infra_advisor.present import render
from infra_advisor.present.screen import Screen
from infra_advisor.search.traffic import Traffic
from infra_advisor.search.workload import Workload

Advisor = Callable[[str], Any]
Answer = Callable[..., dict[str, Any]]

DAY = "--as-of 2026-11-22"
H100 = "runpod-h100-sxm-secure-any --model 8b --ttft 500ms --tpot 8ms --requests 250"
USD_PER_H = 3.99
TABLE = 128_256 * 4096
WEIGHTS_GB = ((8_030_261_248 - 2 * TABLE) * 8.002 / 8 + 2 * TABLE * 2) / 1e9
"""9.08: of 8.03 G parameters two tables in 16 bits, the rest in 8 bits with scales."""
MONTH_H = 730
WEEKS = MONTH_H / 168
OFFICE = frozen_catalog().profiles["office-jp"].week


@pytest.fixture
def run(advisor: Advisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Advisor:
    """`run("h100 --model 8b")`, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return lambda question: advisor(f"capacity {question} {DAY}")


@pytest.fixture
def answer(run: Advisor) -> Answer:
    def ask(question: str, status: int = 0) -> dict[str, Any]:
        done = run(f"{question} --format json")
        assert done.status == status, done.err
        found: dict[str, Any] = json.loads(done.out)
        return found

    return ask


def refused(done: Any) -> str:
    assert done.status == 2, done.out
    assert done.out == ""
    assert "Traceback" not in done.err
    return str(done.err)


# -- the limit and the curve


@pytest.mark.parametrize(
    "load", ["", "--rate 1/s", "--lengths lognormal:0.3", "--at p99", "--replicas 2", "--think 2s", "--output-tokens 1"]
)
def test_the_limit_holds_and_a_tenth_more_does_not(answer: Answer, load: str) -> None:
    """The curve runs from a tenth of the limit, where it holds, to half as much again, where it does not."""
    found = answer(f"{H100} {load}")
    limit, points = found["limit"], found["curve"]
    assert found["status"] == "ok"
    assert found["unit"] == ("requests_per_s" if "rate" in load else "users")
    by_load = {point["load"]: point for point in points}
    assert by_load[limit["load"]] == limit
    assert limit["holds"]
    loads = list(by_load)
    assert all(low < high for low, high in pairwise(loads))
    assert (loads[0], loads[-1]) == pytest.approx((limit["load"] / 10, limit["load"] * 1.5), abs=0.6)
    above = min(load for load in loads if load > limit["load"])
    assert above == pytest.approx(limit["load"] * 1.1, abs=0.6)
    assert not by_load[above]["holds"]
    assert points[0]["holds"]
    statistic = found["limits"]["statistic"]
    for point in points:
        slow = point["ttft_s"][statistic] > 0.5 or (point["tpot_s"][statistic] or 0) > 0.008
        assert point["holds"] is not (slow or point["saturated"])


def test_users_are_a_rate_by_littles_law(answer: Answer) -> None:
    """Users who think 20 s are in flight or think: N = in flight + 20 x rate.

    Requests that come by themselves bunch more than users who wait for one another: a tenth fewer are carried, and no more.
    """
    question = H100.replace("--requests 250", "--requests 1500")
    users, rate = answer(question), answer(f"{question} --rate 1/s")
    at = users["limit"]
    assert at["concurrency"] + 20.0 * at["request_rate_per_s"] == pytest.approx(at["load"], rel=0.03)
    assert 0.88 * at["request_rate_per_s"] < rate["limit"]["load"] < 1.02 * at["request_rate_per_s"]
    assert rate["limit"]["request_rate_per_s"] == pytest.approx(rate["limit"]["load"], rel=0.05)
    assert rate["limit"]["output_tokens_per_s"] == pytest.approx(300 * rate["limit"]["request_rate_per_s"])


def test_the_limit_does_not_depend_on_how_the_load_is_stated(answer: Answer) -> None:
    """A stated load is the peak of a month, not a bound: the limit is the same with and without, and in requests/s for tokens a day."""
    plain = answer(f"{H100} --rate 1/s")
    for stated in ("--rate 500/s", "--tokens-per-day 50M"):
        assert answer(f"{H100} {stated}")["limit"] == plain["limit"]
    assert answer(f"{H100} --users 3")["limit"] == answer(H100)["limit"]


def test_without_targets_the_queue_is_the_limit(answer: Answer) -> None:
    """Seconds to the first token, not minutes, at a rate of the same size as with users; here where only prompts are read."""
    users, rate = (answer(f"l4 --model 8b --output-tokens 1 {load}") for load in ("", "--rate 1/s"))
    assert users["limit"]["request_rate_per_s"] == pytest.approx(rate["limit"]["load"], rel=0.1)
    for found in (users, rate):
        assert found["limit"]["ttft_s"]["p95"] < 10
        assert found["curve"][-1]["saturated"]
    assert answer("h100 --model 8b --requests 250")["limit"]["load"] < 10_000


def test_more_replicas_carry_more_users(answer: Answer) -> None:
    """Two carry what two do alone, give or take a tenth; a stricter target or statistic leaves fewer."""
    alone = answer(H100)["limit"]["load"]
    assert answer(f"{H100} --replicas 2")["limit"]["load"] == pytest.approx(2 * alone, rel=0.1)
    assert answer(H100.replace("8ms", "6ms"))["limit"]["load"] < 0.9 * alone
    assert answer(f"{H100} --at p99")["limit"]["load"] <= alone < answer(f"{H100} --at mean")["limit"]["load"]


def test_runs_are_long_enough_for_a_fleet(run: Advisor, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty requests for each of those that the closed form puts in flight, 20 to 40 a replica; as many as were asked for otherwise."""
    asked: list[Any] = []
    monkeypatch.setattr("infra_advisor.advice.capacity.largest_load", lambda ask, *_: asked.append(ask))
    for more in ("", "--replicas 8", "--replicas 16", "--replicas 16 --prefill-replicas 16", "--replicas 16 --requests 700"):
        answer(f"{H100.replace('--requests 250', '')} {more}", 4)
    one, eight, sixteen, both, stated = (ask.requests for ask in asked)
    assert one == 3000
    assert 8 * 20 * 20 <= eight <= 8 * 20 * 40
    assert (sixteen, both) == pytest.approx((2 * eight, 4 * eight), abs=4)
    assert stated == 700


# -- what is missed, and what does not fit


def test_a_target_missed_alone_is_exit_4(answer: Answer, run: Advisor) -> None:
    found = answer("h100 --model 8b --ttft 1ms --requests 250", 4)
    assert (found["status"], found["limit"], found["plans"]) == ("misses_targets", None, [])
    (alone,) = found["curve"]
    assert (alone["load"], alone["holds"]) == (1.0, False)
    done = run("h100 --model 8b --ttft 1ms --requests 400 --rate 1/s --profile office-jp")
    assert done.status == 4
    assert "misses its targets with next to no load." in " ".join(done.out.split())


def test_a_model_that_does_not_fit_is_exit_4(answer: Answer, run: Advisor) -> None:
    found = answer("l4 --model 671b", 4)
    assert (found["status"], found["answer"], found["limit"], found["curve"]) == ("does_not_fit", None, None, [])
    assert run("l4 --model 671b").out.startswith("No capacity: does not fit in memory")


# -- what is refused


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("h100 --model 8b --trace requests.csv", "--trace"),
        ("h100 --model 8b --burst 5", "--burst"),
        ("h100 --model 8b --concurrency 5", "state --users or --rate as the peak of a --profile"),
        ("h100 --model 8b --users 5 --rate 1/s", "contradict each other"),
        ("h100 --model 8b --throughput 500", "leave out --throughput"),
        ("h100 --model 8b --profile nosuch", "accepted: 24x7, office-jp, or a CSV file"),
        ("h100 --model 8b --profile office", "Did you mean office-jp?"),
        ("h100 --model 8b --profile missing.csv", "missing.csv: not a regular file"),
        ("h100 --model 8b --cold-start 5min", "--cold-start belongs to --profile"),
        ("h100 --model 8b --profile 24x7 --cold-start 2d", "accepted: 0 to 86400 s"),
        ("h100 --model 8b --ttft 1ms --profile 24x7 --cold-start 2d", "accepted: 0 to 86400 s"),
        ("h100 --model 8b --profile 24x7 --cold-start -1s", "--cold-start"),
        ("h100 --model 8b --profile 24x7 --cold-start 300", "needs a number and a unit"),
        ("h100 --model 8b --headroom 95%", "--headroom"),
        ("h100 --model 8b --spare 65", "--spare 65: accepted: 0 to 64"),
        ("h100 --model 8b --spare 1.5", "not a whole number"),
        ("h100 --model 8b --requests 99", "capacity needs 100 or more"),
        ("h100 --model 8b --replicas 65", "at most 64 replicas"),
        ("h100 --model 8b --replicas 40 --prefill-replicas 40", "at most 64 replicas"),
        ("h100 --model 8b --format svg", "accepted: table, json, markdown, csv"),
        ("h200 --model 8b", "unknown accelerator 'h200'"),
        ("h100 --model 8c", "unknown model"),
        ("h100", "which model?"),
        ("h100 --model 8b --tp 7", "--tp 7"),
        ("h100 --model 8b --input 131000 --output-tokens 1000", "exceed the context"),
    ],
)
def test_bad_questions_are_exit_2(run: Advisor, question: str, told: str) -> None:
    assert told in refused(run(question))


# -- the month


def by_name(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {plan["name"]: plan for plan in found["plans"]}


def bill(machines: int, hours: float, requests: float) -> dict[str, float]:
    """Hours x 3.99 USD; the weights on a disk of each machine at 0.08 USD/GB; 300 bytes for each of 300 tokens at 0.09 USD/GB; 20 USD
    for a load balancer before several machines.
    """
    return {
        "instances": hours * USD_PER_H,
        "storage of weights": machines * WEIGHTS_GB * 0.08,
        "egress": requests * 300 * 300 / 1e9 * 0.09,
        "load balancer": 20 if machines > 1 else 0,
    }


def check_bill(plan: dict[str, Any], expected: dict[str, float]) -> None:
    """These lines and no other cost anything; together they are the month."""
    found = {line["name"]: line["amount_usd"] for line in plan["lines"]}
    expected = dict.fromkeys(found, 0.0) | expected
    assert found == pytest.approx(expected, rel=1e-6, abs=0.0051)
    assert plan["usd_per_month"] == round(sum(found.values()), 2)


def check_money(found: dict[str, Any], requests: float) -> None:
    """The bill of the hours; over what the requests make, 300 tokens each; against the fixed fleet."""
    fixed = found["plans"][0]["usd_per_month"]
    assert found["profile"]["requests_per_month"] == pytest.approx(requests)
    for plan in found["plans"]:
        check_bill(plan, bill(plan["machines"], plan["machine_hours_per_month"], requests))
        usd = plan["usd_per_month"]
        assert plan["usd_per_mtok_output"] == pytest.approx(usd / (requests * 300 / 1e6))
        assert plan["saving"] is None if plan["name"] == "fixed" else plan["saving"] == pytest.approx(1 - usd / fixed)


def test_a_month_multiplies_out(answer: Answer) -> None:
    """5,000 users by the office's week: machines are users over the limit, rounded up, every hour; starts take 425.4 s of each.

    The weights: 8.03 G parameters in 8 bits and two tables of 128,256 x 4,096 in 16: 9.08 GB at 1.5 GB/s 6.1 s, with 420 s for
    machine and engine.
    """
    found = answer(f"{H100} --users 5000 --profile office-jp")
    limit, plans = found["limit"]["load"], by_name(found)
    needed = [math.ceil(5000 * share / limit) for share in OFFICE]
    assert found["cold_start_s"] == pytest.approx(426, abs=1)
    starts = sum(max(now - before, 0) for before, now in zip([needed[-1], *needed], needed, strict=False))
    assert plans["fixed"]["machines"] == max(needed)
    assert plans["fixed"]["machine_hours_per_month"] == pytest.approx(max(needed) * MONTH_H)
    hours = (sum(needed) + starts * found["cold_start_s"] / 3600) * WEEKS
    assert plans["schedule"]["machine_hours_per_month"] == pytest.approx(hours)
    assert plans["scale-to-zero"]["machine_hours_per_month"] == pytest.approx(hours)
    assert found["profile"] == found["profile"] | {"name": "office-jp", "peak": 5000.0, "week": list(OFFICE)}
    assert found["profile"]["mean_share"] == pytest.approx(sum(OFFICE) / 168)
    check_money(found, sum(OFFICE) * 5000 * found["limit"]["request_rate_per_s"] / limit * 3600 * WEEKS)


def test_a_month_of_a_rate_counts_the_requests_stated(answer: Answer) -> None:
    """100 requests/s around the clock: 100 x 3,600 x 730, to the last one; nothing is saved."""
    found = answer(f"{H100} --rate 100/s --profile 24x7")
    check_money(found, 100 * 3600 * MONTH_H)
    machines = math.ceil(100 / found["limit"]["load"])
    for plan in found["plans"]:
        assert plan["machines"] == machines
        assert plan["machine_hours_per_month"] == pytest.approx(machines * MONTH_H)


def test_without_a_stated_load_the_limit_is_the_peak(answer: Answer) -> None:
    """One machine when anybody works: 96.98 h of the week, as 80 workday hours and 16 of the weekend, and a start for each of 7 days."""
    found = answer(f"{H100} --profile office-jp --cold-start 0")
    assert found["profile"]["peak"] == found["limit"]["load"]
    assert by_name(found)["schedule"]["machine_hours_per_month"] == pytest.approx((5 * 16 + 2 * 8) * WEEKS)
    slow = by_name(answer(f"{H100} --profile office-jp --cold-start 1h"))
    assert slow["schedule"]["machine_hours_per_month"] == pytest.approx((5 * 17 + 2 * 9) * WEEKS)
    never = by_name(answer(f"{H100} --profile office-jp --cold-start 1d"))
    assert {plan["machine_hours_per_month"] for plan in never.values()} == {MONTH_H}


def test_a_spare_machine_and_headroom_act(answer: Answer) -> None:
    """Around the clock: machines = users / (limit x what is not left free), rounded up, and the spare ones."""
    limit = answer(H100)["limit"]["load"]
    for more, free, spare in (("", 0.0, 0), ("--spare 2", 0.0, 2), ("--headroom 50%", 0.5, 0), ("--headroom 20% --spare 1", 0.2, 1)):
        found = answer(f"{H100} --users 5000 --profile 24x7 {more}")
        machines = math.ceil(5000 / (limit * (1 - free))) + spare
        assert found["limit"]["load"] == limit
        assert {plan["machines"] for plan in found["plans"]} == {machines}
        check_bill(found["plans"][0], bill(machines, machines * MONTH_H, found["profile"]["requests_per_month"]))


def test_replicas_that_prefill_are_paid_for(answer: Answer, run: Advisor) -> None:
    """One for each two that decode; a machine each: users x 1.5 / what one of two carries."""
    question = f"{H100} --replicas 2 --prefill-replicas 1 --users 10k --profile 24x7"
    found = answer(question)
    decoding = math.ceil(10_000 / (found["limit"]["load"] / 2))
    assert found["plans"][0]["machines"] == decoding + math.ceil(decoding / 2)
    assert "2 replicas of 1x H100 SXM5 80GB that decode and 1 that prefill" in " ".join(run(question).out.split())


def test_a_load_next_to_nothing_takes_a_machine(answer: Answer) -> None:
    """One request in thirty years. No hour is paid for it, but the disk on which the weights wait: 9.08 GB x 0.08 USD = 0.73 USD."""
    plans = by_name(answer(f"{H100} --rate 1e-9/s --profile 24x7"))
    assert plans["fixed"]["machines"] == plans["schedule"]["machines"] == 1
    check_bill(plans["fixed"], bill(1, MONTH_H, 0))
    assert plans["scale-to-zero"]["machine_hours_per_month"] < 0.01
    check_bill(plans["scale-to-zero"], bill(1, 0, 0))
    assert plans["scale-to-zero"]["late_share"] == pytest.approx(1.0, abs=1e-5)


def test_a_billion_users(answer: Answer) -> None:
    found = answer(f"{H100} --users 1e9 --profile office-jp")
    plan = found["plans"][0]
    assert plan["machines"] > 1e6
    check_bill(plan, bill(plan["machines"], plan["machines"] * MONTH_H, found["profile"]["requests_per_month"]))


@pytest.mark.parametrize(
    ("question", "off_usd_per_h"),
    [
        ("rtx-4090 --owned rtx-4090", 0.0),
        ("l4:4 --owned l4:4", ((72 * 4 + 300) / 1000 * 217.3 + 300) / 730),
        ("buy-8x-h100-sxm-hgx-server", None),
    ],
)
def test_what_is_owned_saves_only_its_power(answer: Answer, question: str, off_usd_per_h: float | None) -> None:
    """Power at the wall x 0.161 USD/kWh while it runs; a place in a data centre by rated power and its line, 300 USD, always.

    A card at a desk has no other cost; a server that was bought has its price too, whatever it does.
    """
    found = answer(f"{question} --model 8b --ttft 1s --requests 400 --profile office-jp")
    plans = by_name(found)
    on_usd_per_h = found["answer"]["energy"]["power_w"] / 1000 * 0.161
    off_hours = MONTH_H - plans["schedule"]["machine_hours_per_month"]
    assert plans["fixed"]["machine_hours_per_month"] == MONTH_H
    assert off_hours > 300
    saved = plans["fixed"]["usd_per_month"] - plans["schedule"]["usd_per_month"]
    assert saved == pytest.approx(off_hours * on_usd_per_h, rel=1e-3)
    if off_usd_per_h is not None:
        assert plans["fixed"]["usd_per_month"] == pytest.approx(MONTH_H * (on_usd_per_h + off_usd_per_h), rel=1e-3)


def test_without_a_price_the_hours_are_still_told(answer: Answer) -> None:
    """Nobody of this name rents an H100 out."""
    found = answer("h100 --provider crusoe --model 8b --ttft 500ms --requests 400 --profile 24x7")
    for plan in found["plans"]:
        assert plan["machine_hours_per_month"] == MONTH_H
        assert plan["usd_per_month"] is plan["usd_per_mtok_output"] is plan["saving"] is None
        assert plan["usd_per_month_reason"]


def test_a_budget_that_is_not_kept_is_told(answer: Answer) -> None:
    """One machine: 2,913 USD fixed, (80 + 16) h x 4.35 + starts by schedule, some 1,700."""
    question = f"{H100} --profile office-jp"
    assert answer(f"{question} --budget 5000/month")["warnings"] == []
    assert answer(f"{question} --budget 2000/month")["warnings"] == ["over the budget of 2,000 USD a month: fixed"]
    assert answer(f"{question} --budget 9/month")["warnings"] == ["over the budget of 9 USD a month: fixed, schedule, scale-to-zero"]


def test_a_profile_of_ones_own(answer: Answer, run: Advisor, tmp_path: Path) -> None:
    """A single busy hour a day, in any unit: the machines of the peak for 7 hours a week, or 7 x 1.5 with starts of half an hour."""
    rows = "".join(f"{hour},{140 if hour == 9 else 0}\n" for hour in range(24))
    (tmp_path / "busy.csv").write_text(f"hour,load\n{rows}", encoding="utf-8")
    found = answer(f"{H100} --users 5000 --profile busy.csv --cold-start 30min")
    machines = math.ceil(5000 / found["limit"]["load"])
    assert found["profile"]["name"] == "busy.csv"
    assert found["profile"]["week"] == [1.0 if hour % 24 == 9 else 0.0 for hour in range(168)]
    plans = by_name(found)
    assert plans["fixed"]["machine_hours_per_month"] == pytest.approx(machines * MONTH_H)
    assert plans["schedule"]["machine_hours_per_month"] == pytest.approx(machines * 7 * 1.5 * WEEKS)
    assert "A month of busy.csv: 5,000 users at the busiest hour, 4.2 % of that on average" in run(
        f"{H100} --users 5000 --profile busy.csv"
    ).out  # fmt: skip


# -- formats


@pytest.mark.parametrize(
    ("question", "status"),
    [(f"{H100} --users 900 --profile office-jp", 0), ("h100 --model 8b --ttft 1ms --requests 250", 4), ("l4 --model 671b", 4)],
)
def test_json_is_as_its_schema_says(advisor: Advisor, answer: Answer, question: str, status: int) -> None:
    schema = json.loads(advisor("schema capacity").out)
    found = answer(question, status)
    jsonschema.validate(found, schema)
    assert found["schema"] == "infra_advisor/capacity/1"
    assert found["as_of"] == "2026-11-22"


def test_the_same_question_has_the_same_answer(run: Advisor) -> None:
    question = f"{H100} --profile office-jp --lengths lognormal --seed 7 --format json"
    assert run(question).out == run(question).out
    assert run(question).out != run(question.replace("--seed 7", "--seed 8")).out


@cache
def month() -> CapacityAnswer:
    """900 users in an office, of whom one machine carries a part."""
    workload, limits = Workload(model="8b", users=900), Limits(ttft_s=0.5, tpot_s=0.008)
    return capacity(frozen_catalog(), "h100", workload, limits, traffic=Traffic(requests=250), moving=Moving(profile="office-jp"))


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_pages_keep_to_the_screen(width: int) -> None:
    """The verdict first; the limit, the loads beyond it, and the three fleets of the month at every width."""
    page = render(month(), "table", screen=Screen(width))
    assert max(cell_len(line) for line in page.splitlines()) <= width
    text, limit = " ".join(page.split()), month().limit
    assert limit is not None
    assert text.startswith(f"1x H100 SXM5 80GB, vLLM fp8, 1 replica, carries {limit.load:,.0f} users who think 20 s within every target.")
    for shown in ("Limits: TTFT ≤ 500 ms; TPOT ≤ 8 ms", "Latency by load", "TTFT p95 by users", "TPOT p95 by users", "900 users at the"):
        assert shown in text
    for shown in ("fixed", "by schedule", "scaled to zero", "holds", "misses"):
        assert shown in text


def test_a_terminal_without_unicode_gets_ascii() -> None:
    assert render(month(), "table", screen=Screen(80, unicode=False)).isascii()


def test_answers_of_one_token_have_no_time_per_further_one(run: Advisor) -> None:
    text = run(f"{H100} --output-tokens 1").out
    assert "TTFT p95 by users" in text
    assert "TPOT p95 by users" not in text


def test_csv_has_a_row_for_each_load(run: Advisor, answer: Answer) -> None:
    rows = list(csv.DictReader(io.StringIO(run(f"{H100} --rate 1/s --format csv").out)))
    points = answer(f"{H100} --rate 1/s")["curve"]
    assert [float(row["requests_per_s"]) for row in rows] == [point["load"] for point in points]
    assert [row["holds"] for row in rows] == [str(point["holds"]).lower() for point in points]
    assert [float(row["ttft_s_p95"]) for row in rows] == [point["ttft_s"]["p95"] for point in points]


def test_markdown_has_both_tables(run: Advisor) -> None:
    done = run(f"{H100} --users 900 --profile office-jp -o answer.md")
    assert (done.status, done.out) == (0, "")
    text = Path("answer.md").read_text(encoding="utf-8")
    assert text.startswith("**1x H100 SXM5 80GB, vLLM fp8, 1 replica, carries ")
    assert "| users | requests/s | TTFT p50 |" in text
    assert "| fleet | machines at peak | machine hours |" in text
    assert text.count("```text") == text.count("```") / 2


# -- the picture

SVG = "{http://www.w3.org/2000/svg}"


def drawn(path: str) -> str:
    text = Path(path).read_text(encoding="utf-8")
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert 5_000 < len(text) < 200_000
    return text


def test_the_curve_as_svg(run: Advisor) -> None:
    """A picture of 8 x 6 inches; letters are paths, each text beside them as a comment. The same question makes the same bytes."""
    for name in ("a.svg", "b.svg"):
        done = run(f"{H100} -o {name}")
        assert (done.status, done.out) == (0, "")
        assert done.err.startswith(f"wrote {name} (svg, ")
    text = drawn("a.svg")
    assert text == Path("b.svg").read_text(encoding="utf-8")
    assert ET.fromstring(text).attrib["viewBox"] == "0 0 576 432"
    for label in ("TTFT [ms]", "TPOT [ms]", "users", "p50", "p95", "TTFT and TPOT by load: 1x H100 SXM5 80GB, vLLM fp8, 1 replica,"):
        assert f"<!-- {label} -->" in text
    assert text.count("<!-- limit -->") == 2
    assert "None" not in text


def test_a_picture_with_one_limit_or_none(run: Advisor) -> None:
    for more, limits in (("", 1), ("--ttft 1ms", 1)):
        run(f"h100 --model 8b --requests 100 --ttft 400ms {more} -o a.svg")
        assert drawn("a.svg").count("<!-- limit -->") == limits
    run("h100 --model 8b --requests 100 --output-tokens 1 --rate 1/s -o a.svg")
    assert "<!-- limit -->" not in drawn("a.svg")
    assert "<!-- requests/s -->" in drawn("a.svg")


def test_nothing_to_draw(run: Advisor, advisor: Advisor) -> None:
    assert "the deployment does not fit" in refused(run("l4 --model 671b -o a.svg"))
    for command in (f"recommend --model 8b -o a.svg {DAY}", f"estimate h100 --model 8b -o a.svg {DAY}"):
        assert "only the curve of `advisor capacity` can be drawn" in refused(advisor(command))
    assert list(Path().iterdir()) == []


def test_without_matplotlib_the_extra_is_named(run: Advisor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left behind, and an older picture stays."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "pip install 'infra-advisor[pictures]'" in refused(run(f"{H100} -o a.svg"))
    assert list(Path().iterdir()) == []
    Path("a.svg").write_text("old")
    refused(run(f"{H100} -o a.svg"))
    assert Path("a.svg").read_text() == "old"
    assert [path.name for path in Path().iterdir()] == ["a.svg"]
