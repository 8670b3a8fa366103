"""How one pays: commitments, hours of service, smallest purchases, the meters of hosted APIs, and assumptions of one's own."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from catalogs import FROZEN, frozen_catalog, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra_advisor.advice.answer import Answer, Recommendation
from infra_advisor.advice.capacity import Moving, capacity
from infra_advisor.advice.compare import compare
from infra_advisor.advice.estimate import estimate
from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.recommend import recommend
from infra_advisor.advice.simulate import simulate
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.traffic import Traffic
from infra_advisor.search.workload import Workload

JPY_PER_USD = 157.25027
CHAT = Workload(model="8b", concurrency=4)
AWS = Limits(provider=Choice(keep=("aws",)))
RESERVED = {
    "1y": {"aws-g6.12xlarge-us-east-1": 2.99564, "aws-g6.xlarge-ap-northeast-1": 0.75985, "aws-inf2.48xlarge-us-east-1": 8.1782},
    "3y": {
        "aws-g6.12xlarge-us-east-1": 2.11213,
        "aws-g6.xlarge-ap-northeast-1": 0.53574,
        "aws-inf2.48xlarge-us-east-1": 5.60791,
        "aws-p5.48xlarge-us-east-1": 23.776,
    },
}
"""Read off the table: offer -> USD an hour."""
OFFERS = "id,node,provider,region,country,price_kind,currency,per_h,from,seen,tax_included,minimum_spend,source"
APIS = (FROZEN / "api_prices.csv").read_text(encoding="utf-8").partition("\n")[0]


@pytest.fixture(autouse=True)
def closed_form_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Money does not depend on what simulation settles."""
    monkeypatch.setattr("infra_advisor.advice.finalists.MOST_FINALISTS", 0)


def bill(row: Answer) -> dict[str, float]:
    """Line -> USD."""
    return {line.name: line.amount_usd for line in row.cost.lines}


def quantities(row: Answer) -> dict[str, float]:
    return {line.name: line.quantity for line in row.cost.lines}


def prices(row: Answer) -> dict[str, float]:
    return {line.name: line.unit_price_usd for line in row.cost.lines}


def notes(row: Answer) -> dict[str, str | None]:
    return {line.name: line.note for line in row.cost.lines}


def on(found: Recommendation, offer: str) -> Answer:
    """The first ranked answer on an offer."""
    return next(row for row in found.ranked if row.offer.id.startswith(offer))


def usd(row: Answer) -> float:
    assert row.cost.usd_per_month is not None
    return row.cost.usd_per_month


# -- commitments


@pytest.mark.parametrize("term", ["1y", "3y"])
def test_a_commitment_takes_the_reserved_price(frozen: Catalog, term: str) -> None:
    """Every offer of the table with such a price ranks at it; those without are listed with the reason, and no zero stands in for it."""
    found = recommend(frozen, CHAT, AWS, payment=Payment(commit=term), top=0)  # type: ignore[arg-type]
    expected = {f"{offer}-reserved-{term}": price for offer, price in RESERVED[term].items()}
    ranked = [row for row in found.ranked if row.offer.purchase_usd is None]
    assert {row.offer.id: row.offer.usd_per_h for row in ranked} == pytest.approx(expected)
    for row in ranked:
        assert row.offer.price_kind == f"reserved-{term}"
        assert bill(row)["instances"] == pytest.approx(expected[row.offer.id] * 730 * row.hardware.instances, abs=0.006)
    unpriced = {row.offer.id: row for row in found.unranked}
    spelled = {"1y": "one year", "3y": "three years"}[term]
    assert f"aws-p5.48xlarge-ap-northeast-1-reserved-{term}" in unpriced
    assert not set(unpriced) & set(expected)
    for row in unpriced.values():
        assert row.reason == f"no price for {spelled}"
        assert (row.cost.usd_per_month, row.cost.usd_per_mtok_output, row.cost.lines) == (None, None, ())


def test_committed_hours_are_paid_while_nothing_runs(frozen: Catalog) -> None:
    """200 of 730 hours in service: the other 530 cost the same price, on a line of their own; on demand they cost nothing."""
    three = Payment(commit="3y", hours_per_month=200)
    row = on(recommend(frozen, CHAT, AWS, payment=three, top=0), "aws-g6.xlarge")
    machines = row.hardware.instances
    assert quantities(row)["instances"] == 200 * machines
    assert quantities(row)["idle hours"] == 530 * machines
    assert bill(row)["idle hours"] == pytest.approx(530 * 0.53574 * machines, abs=0.006)
    assert notes(row)["idle hours"] == "paid while nothing runs"
    free = on(recommend(frozen, CHAT, AWS, payment=Payment(hours_per_month=200), top=0), "aws-g6.xlarge")
    assert (bill(free)["idle hours"], quantities(free)["idle hours"]) == (0.0, 0.0)
    assert "by the hour" in (notes(free)["idle hours"] or "")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hours=st.one_of(st.just(730.0), st.floats(1, 730)), users=st.integers(1, 500), model=st.sampled_from(("8b", "70b")))
def test_auto_is_never_dearer_than_any_term(frozen: Catalog, hours: float, users: int, model: str) -> None:
    """Committed machines are dear where they stand still most of the month: `auto` goes back to the hour there."""
    workload = Workload(model=model, users=users)

    def cheapest(commit: str) -> float:
        found = recommend(frozen, workload, AWS, payment=Payment(commit=commit, hours_per_month=hours), top=0)  # type: ignore[arg-type]
        return min((row.cost.usd_per_mtok_output or math.inf for row in found.ranked), default=math.inf)

    auto = cheapest("auto")
    assert auto < math.inf
    assert all(auto <= cheapest(term) for term in ("none", "1y", "3y"))


def test_auto_commits_to_what_runs_all_the_time_only(frozen: Catalog) -> None:
    """730 x 0.53574 = 391 for three years; 100 h on demand at 1.1672 cost 117."""
    limits = Limits(provider=Choice(keep=("aws",)), residency="JP", accelerator=Choice(keep=("l4",)))
    for hours, expected in ((730.0, "reserved-3y"), (100.0, "on-demand")):
        found = recommend(frozen, CHAT, limits, payment=Payment(commit="auto", hours_per_month=hours), merge="decision")
        assert found.ranked[0].offer.price_kind == expected


def test_where_no_offer_has_the_term_the_way_out_names_it(frozen: Catalog) -> None:
    """Crusoe sells by the hour only."""
    limits = Limits(provider=Choice(keep=("crusoe",)), where=("cloud",))
    found = recommend(frozen, CHAT, limits, payment=Payment(commit="1y"))
    assert (found.status, found.ranked) == ("nothing_fits", ())
    (way,) = (way for way in found.relaxations if way.limit == "commit")
    assert way.text.startswith("without --commit 1y: 1x")
    assert way.answer == recommend(frozen, CHAT, limits, payment=Payment(commit="auto")).ranked[0].id


def test_a_year_by_the_price_list_needs_a_commitment(tmp_path: Path) -> None:
    """An offer sold for twelve months only is left out by default, with what would let it in."""
    line = "term-h100,runpod-h100-sxm-secure,runpod,any,,commitment-12m,USD,1.00,2026-11-01,2026-11-01,,,our-quote"
    catalog = frozen_catalog(write(tmp_path, {"offers.csv": f"{OFFERS}\n{line}\n"}))
    limits = Limits(where=("cloud",), accelerator=Choice(keep=("h100",)))
    for commit, listed in (("none", False), ("1y", True), ("3y", False), ("auto", True)):
        found = recommend(catalog, CHAT, limits, payment=Payment(commit=commit), top=0)  # type: ignore[arg-type]
        assert any(row.offer.id.startswith("term-h100") for row in found.ranked) is listed
        assert ("committed for a year: only with --commit 1y or auto" in found.excluded) is not listed
    idle = on(recommend(catalog, CHAT, limits, payment=Payment(commit="1y", hours_per_month=100), top=0), "term-h100")
    assert bill(idle)["idle hours"] == 630 * idle.hardware.instances


@pytest.mark.parametrize("term", ["1y", "3y"])
def test_what_is_committed_can_be_estimated_by_name(frozen: Catalog, term: str) -> None:
    for offer, price in RESERVED[term].items():
        answer = estimate(frozen, f"{offer}-reserved-{term}", CHAT).answer
        assert answer is not None
        assert (answer.offer.id, answer.offer.usd_per_h) == (f"{offer}-reserved-{term}", price)
        assert bill(answer)["instances"] == pytest.approx(price * 730, abs=0.006)


def test_every_function_takes_the_terms(frozen: Catalog) -> None:
    """An L4 for three years, 365 hours of service: half of 730 x 0.53574 USD runs, half stands still."""
    terms, offer = Payment(commit="3y", hours_per_month=365), "aws-g6.xlarge-ap-northeast-1-reserved-3y"
    half = round(365 * 0.53574, 2)
    rows = [
        estimate(frozen, offer, CHAT, payment=terms).answer,
        simulate(frozen, offer, CHAT, traffic=Traffic(requests=200), payment=terms).answer,
        capacity(frozen, offer, Workload(model="8b"), traffic=Traffic(requests=200), payment=terms).answer,
        on(recommend(frozen, CHAT, AWS, payment=terms, top=0), offer),
        *(column.answer for column in compare(frozen, ["l4"], CHAT, Limits(residency="JP"), payment=terms).columns),
    ]
    assert len(rows) == 5
    for row in rows:
        assert row is not None
        assert (bill(row)["instances"], bill(row)["idle hours"]) == (half, half)


# -- hours of service


@pytest.mark.parametrize("hours", [1.0, 160.0, 365.0])
def test_what_is_paid_by_the_hour_scales_with_them(frozen: Catalog, hours: float) -> None:
    """The same load for part of the month: instances, egress and power in proportion; a disk and bought hardware as always."""
    always, part = (recommend(frozen, CHAT, Limits(), payment=Payment(hours_per_month=h), top=0) for h in (730.0, hours))
    rent, rents = on(always, "aws-g6.xlarge"), on(part, "aws-g6.xlarge")
    assert rents.hardware == rent.hardware
    for name in ("instances", "egress"):
        assert quantities(rents)[name] == pytest.approx(quantities(rent)[name] * hours / 730, abs=1e-6)
        assert prices(rents)[name] == prices(rent)[name]
    assert bill(rents)["storage of weights"] == bill(rent)["storage of weights"]
    buy, buys = on(always, "buy-8x-h100"), on(part, "buy-8x-h100")
    for name in ("hardware", "host", "cost of capital", "operations", "space", "network"):
        assert bill(buys)[name] == bill(buy)[name]
    for name in ("power", "cooling and losses"):
        assert quantities(buys)[name] == pytest.approx(quantities(buy)[name] * hours / 730, abs=1e-5)
    assert (buys.cost.usd_per_mtok_output or 0) > (buy.cost.usd_per_mtok_output or 0)


def test_the_tokens_of_a_day_are_packed_into_the_hours(frozen: Catalog) -> None:
    """A tenth of the hours at ten times the rate; an API, billed by the token, costs the same."""
    workload = Workload(model="70b", tokens_per_day=50e6)
    always, part = (recommend(frozen, workload, Limits(), payment=Payment(hours_per_month=h), top=0) for h in (730.0, 73.0))
    rate = 50e6 / 1300 / 86_400
    assert always.workload.request_rate_per_s == pytest.approx(rate)
    assert part.workload.request_rate_per_s == pytest.approx(10 * rate)
    for provider in ("deepinfra", "ovhcloud", "azure"):
        one, other = on(always, provider), on(part, provider)
        assert bill(other) == bill(one)
        assert usd(one) == usd(other)
    assert (on(part, "aws-p5").performance.output_tokens_per_s or 0) == pytest.approx(
        10 * (on(always, "aws-p5").performance.output_tokens_per_s or 0), rel=0.01
    )


@pytest.mark.parametrize(
    "payment", [{"hours_per_month": 0.5}, {"hours_per_month": 731}, {"hours_per_month": math.nan}, {"cached_share": 1.1}]
)
def test_terms_that_cannot_be_are_refused(payment: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=r"--(hours|cached-share) "):
        Payment(**payment)  # type: ignore[arg-type]


def test_a_term_with_a_typo_is_refused_with_the_right_one() -> None:
    with pytest.raises(UsageError, match="accepted: none, 1y, 3y, auto"):
        Payment(commit="2y")  # type: ignore[arg-type]


# -- the smallest purchase


def with_minimum(folder: Path, line: str) -> Catalog:
    return frozen_catalog(write(folder, {"offers.csv": f"{OFFERS}\n{line}\n"}))


@pytest.mark.parametrize(
    ("minimum", "currency", "usd_minimum"), [(5000, "USD", 5000.0), (1_100_000, "JPY", 1_100_000 / 1.1 / JPY_PER_USD), (2000, "USD", None)]
)
def test_a_bill_below_the_smallest_purchase_is_topped_up(tmp_path: Path, minimum: int, currency: str, usd_minimum: float | None) -> None:
    """An L4 at 4 USD (or its yen without tax) costs 2,920 a month and a little more; what is missing stands on a line of its own."""
    price, tax = (4, "") if currency == "USD" else (4 * 1.1 * JPY_PER_USD, "true")
    line = f"least-l4,aws-g6.xlarge,aws,other,,on-demand,{currency},{price},2026-11-01,2026-11-01,{tax},{minimum},our-quote"
    found = recommend(with_minimum(tmp_path, line), CHAT, AWS, top=0)
    row = on(found, "least-l4")
    assert bill(row)["instances"] == pytest.approx(2920, abs=0.01)
    used = sum(amount for name, amount in bill(row).items() if name != "minimum purchase")
    if usd_minimum is None:
        assert "minimum purchase" not in bill(row)
        assert usd(row) == pytest.approx(used)
    else:
        assert bill(row)["minimum purchase"] == pytest.approx(usd_minimum - used, abs=0.011)
        assert usd(row) == pytest.approx(usd_minimum, abs=0.011)
        assert f"{usd_minimum:,.2f} USD" in (notes(row)["minimum purchase"] or "")


def test_the_smallest_purchase_counts_in_the_ranking(tmp_path: Path) -> None:
    """Cheap by the hour, dear by its minimum: it comes after the H100 at 3.99 USD."""
    line = "least-h100,runpod-h100-sxm-secure,runpod,other,,on-demand,USD,1,2026-11-01,2026-11-01,,50000,our-quote"
    limits = Limits(provider=Choice(keep=("runpod",)), where=("cloud",))
    found = recommend(with_minimum(tmp_path, line), CHAT, limits, top=0)
    assert found.ranked[0].offer.id.startswith("runpod")
    assert usd(on(found, "least-h100")) == 50_000
    within = recommend(with_minimum(tmp_path, line), CHAT, replace(limits, budget_usd_per_month=49_999), top=0)
    assert {row.offer.id.split("-")[0] for row in within.ranked} == {"runpod"}


# -- hosted APIs


def api_line(**cells: object) -> str:
    known = {
        "id": "ours",
        "provider": "ours",
        "operator": "ours",
        "api_model": "ours/70b",
        "model": "llama-3.3-70b-instruct",
        "input_per_mtok": 1,
        "output_per_mtok": 3,
        "from": "2026-11-01",
        "seen": "2026-11-01",
        "source": "our-quote",
    } | cells
    return ",".join(str(known.get(column, "")) for column in APIS.split(","))


def api(folder: Path, payment: Payment | None = None, workload: Workload | None = None, **cells: object) -> Answer:
    """One API at 1 USD/Mtok in and 3 out, unless said otherwise; 2 requests/s of 1,000 tokens in and 300 out."""
    catalog = frozen_catalog(write(folder, {"api_prices.csv": f"{APIS}\n{api_line(**cells)}\n"}))
    question = workload or Workload(model="70b", request_rate_per_s=2)
    return on(recommend(catalog, question, Limits(where=("api",)), payment=payment, top=0), "ours")


IN_MTOK, OUT_MTOK = 2 * 1000 * 3600 * 730 / 1e6, 2 * 300 * 3600 * 730 / 1e6
"""5,256 and 1,576.8 a month."""


def test_input_and_output_are_metered(tmp_path: Path) -> None:
    row = api(tmp_path)
    assert {name: amount for name, amount in bill(row).items() if amount} == {"input tokens": 5256.0, "output tokens": 4730.4}
    assert usd(row) == 9986.4
    assert row.cost.usd_per_mtok_output == pytest.approx(9986.4 / OUT_MTOK)


@pytest.mark.parametrize(("cached", "price"), [(0.25, 0.25), ("", 1.0), (2, 1.0)], ids=["listed", "none listed", "dearer than fresh"])
def test_a_cached_share_is_read_at_its_price(tmp_path: Path, cached: object, price: float) -> None:
    """60 % of the prompts: at the price for cached tokens, or as fresh input where none, or no lower one, is listed."""
    row = api(tmp_path, Payment(cached_share=0.6), cached_input_per_mtok=cached)
    assert bill(row)["input tokens"] == pytest.approx(0.4 * IN_MTOK)
    assert bill(row)["cached input tokens"] == pytest.approx(0.6 * IN_MTOK * price)
    assert ("as fresh input" in (notes(row)["cached input tokens"] or "")) is (price == 1.0)
    assert usd(row) == pytest.approx(IN_MTOK * (0.4 + 0.6 * price) + 3 * OUT_MTOK)


def test_without_a_cached_share_the_line_says_so(tmp_path: Path) -> None:
    row = api(tmp_path, cached_input_per_mtok=0.25)
    assert bill(row)["cached input tokens"] == 0.0
    assert "--cached-share" in (notes(row)["cached input tokens"] or "")


@pytest.mark.parametrize(
    ("cells", "prompt", "output", "said"),
    [
        ({"batch_input_per_mtok": 0.4, "batch_output_per_mtok": 1.2}, 0.4, 1.2, "batch price"),
        ({"batch_discount": 0.5}, 0.5, 1.5, "list price less 50% for batch work"),
        ({"batch_input_per_mtok": 0.4, "batch_output_per_mtok": 1.2, "batch_discount": 0.5}, 0.4, 1.2, "batch price"),
        ({"batch_input_per_mtok": 0.4}, 1, 3, "no batch price"),
        ({}, 1, 3, "no batch price"),
    ],
)
def test_batch_work_is_paid_at_the_batch_price(tmp_path: Path, cells: dict[str, object], prompt: float, output: float, said: str) -> None:
    row = api(tmp_path, Payment(batch=True), **cells)
    assert usd(row) == pytest.approx(prompt * IN_MTOK + output * OUT_MTOK)
    assert said in (notes(row)["input tokens"] or "")
    assert usd(api(tmp_path, **cells)) == 9986.4


def test_cached_tokens_of_batch_work_never_cost_more_than_its_fresh_ones(tmp_path: Path) -> None:
    """Cached at 0.7 beside a batch price of 0.4: 0.4 for both."""
    row = api(
        tmp_path, Payment(batch=True, cached_share=0.5), cached_input_per_mtok=0.7, batch_input_per_mtok=0.4, batch_output_per_mtok=1.2
    )
    assert prices(row)["cached input tokens"] == prices(row)["input tokens"] == 0.4


def test_thinking_is_billed_as_output_and_lengthens_what_is_written(tmp_path: Path, frozen: Catalog) -> None:
    """700 tokens of thought before 300 of answer: 3 USD/Mtok for both; machines write 1,000 tokens a request."""
    thinks = Workload(model="70b", request_rate_per_s=2, output_tokens=1000, reasoning_tokens=700)
    row = api(tmp_path, workload=thinks)
    assert bill(row)["output tokens"] == pytest.approx(3 * OUT_MTOK)
    assert bill(row)["thinking tokens"] == pytest.approx(3 * OUT_MTOK * 700 / 300)
    assert row.cost.usd_per_mtok_output == pytest.approx(usd(row) / (OUT_MTOK * 1000 / 300))
    plain = Workload(model="70b", request_rate_per_s=2)
    hosts = [on(recommend(frozen, one, Limits(where=("cloud",)), top=0), "aws-p5") for one in (plain, thinks)]
    assert [row.performance.output_tokens_per_s for row in hosts] == pytest.approx([600, 2000], rel=0.02)
    assert quantities(hosts[1])["egress"] == pytest.approx(2000 * 3600 * 730 * 300 / 1e9, rel=0.02)


def test_the_option_adds_thinking_to_the_answer(advisor: Callable[[str], Any]) -> None:
    """300 tokens of answer, as by default, and 700 of thought."""
    done = advisor("recommend --model 70b --rate 2/s --where api --reasoning-tokens 700 --format json")
    workload = json.loads(done.out)["workload"]
    assert (workload["output_tokens"], workload["reasoning_tokens"]) == (1000, 700)


def test_a_price_in_yen_is_converted(tmp_path: Path) -> None:
    row = api(tmp_path, currency="JPY", input_per_mtok=150, output_per_mtok=450)
    assert prices(row)["input tokens"] == pytest.approx(150 / JPY_PER_USD, abs=1e-6)
    assert usd(row) == pytest.approx((150 * IN_MTOK + 450 * OUT_MTOK) / JPY_PER_USD, rel=1e-5)
    assert "JPY" in (notes(row)["input tokens"] or "")


@pytest.mark.parametrize("load", [{}, {"users": 20}, {"concurrency": 8}])
def test_without_a_rate_the_lines_are_those_of_a_million_tokens(tmp_path: Path, load: dict[str, float]) -> None:
    """1,000 / 300 Mtok are read for each Mtok written: 3.333333 x 1 USD + 3 USD; half of the prompts at 0.25."""
    row = api(tmp_path, Payment(cached_share=0.5), Workload(model="70b", **load), cached_input_per_mtok=0.25)  # type: ignore[arg-type]
    assert row.cost.lines_per == "mtok_output"
    assert quantities(row)["output tokens"] == 1.0
    assert quantities(row)["input tokens"] == pytest.approx(1000 / 300 / 2, abs=1e-6)
    assert bill(row) | {"output tokens": 0} == dict.fromkeys(bill(row), 0.0) | {
        "input tokens": pytest.approx(1000 / 600, abs=1e-6),
        "cached input tokens": pytest.approx(250 / 600, abs=1e-6),
    }
    assert row.cost.usd_per_mtok_output == pytest.approx(3 + 1250 / 600, abs=3e-6)
    assert (row.cost.usd_per_month, row.cost.usd_three_years, row.cost.points) == (None, None, ())
    assert "--rate" in (row.cost.usd_per_month_reason or "")


# -- assumptions of one's own

SERVER = Limits(where=("onprem",), accelerator=Choice(keep=("h100",)))


def server(frozen: Catalog, **assume: float) -> Answer:
    """An H100 server of 285,000 USD, in which one deployment is chosen whatever it costs."""
    return on(recommend(frozen, CHAT, SERVER, payment=Payment(assume=assume), top=0), "buy-8x-h100")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("electricty_usd_per_kwh", 0.1, "Did you mean electricity_usd_per_kwh"),
        ("residual_shares", 0.1, "Did you mean residual_share"),
        ("price_of_tea", 1, "is no assumption; `advisor catalog list assumptions` names them"),
        ("residual_share", -0.1, "accepted: 0 to 1"),
        ("residual_share", 1.01, "accepted: 0 to 1"),
        ("cost_of_capital_per_year", 1.5, "accepted: 0 to 1"),
        ("electricity_usd_per_kwh", -1, "accepted: 0 to"),
        ("electricity_usd_per_kwh", math.nan, "accepted: 0 to"),
        ("colocation_usd_per_kw_month", math.inf, "accepted: 0 to"),
        ("colocation_pue", 0.99, "accepted: 1 to"),
        ("amortisation_datacenter_years", 0, "accepted: 0.1 to"),
        ("utilisation_default", 0, "accepted: 0.01 to 1"),
        ("hours_per_month", 300, "state it with --hours"),
        ("headroom", 0.2, "state it with --headroom"),
    ],
)
def test_what_cannot_be_assumed_is_refused(frozen: Catalog, name: str, value: float, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        server(frozen, **{name: value})
    assert complaint in str(caught.value)
    assert f"--assume {name}" in str(caught.value) or f"--assume: '{name}'" in str(caught.value)


def test_resale_lowers_the_bill(frozen: Catalog) -> None:
    """20 % of 285,000 USD come back over 36 months: -1,583.33 a month. Capital: 5 % on the price less what its later return is worth.

    Annuity of 285,000 - 57,000 / 1.05^3, at 0.05 / (1 - 1.05^-3) a year, less (285,000 - 57,000) / 36 a month.
    """
    before, after = server(frozen), server(frozen, residual_share=0.2)
    assert (bill(before)["resale"], notes(before)["resale"]) == (0.0, "nothing is counted on")
    assert bill(after)["resale"] == pytest.approx(-57_000 / 36, abs=0.01)
    annuity = (285_000 - 57_000 / 1.05**3) * 0.05 / (1 - 1.05**-3) / 12
    assert bill(after)["cost of capital"] == pytest.approx(annuity - 228_000 / 36, abs=0.01)
    assert usd(after) < usd(before)
    assert after.cost.usd_initial == before.cost.usd_initial


def test_without_a_cost_of_capital_the_write_off_is_straight(frozen: Catalog) -> None:
    row = server(frozen, cost_of_capital_per_year=0)
    assert bill(row)["hardware"] == pytest.approx(285_000 / 36, abs=0.01)
    assert bill(row)["cost of capital"] == 0.0
    assert notes(row)["cost of capital"] == "none is counted"
    assert sum(bill(row).values()) == pytest.approx(usd(server(frozen)) - bill(server(frozen))["cost of capital"], abs=0.001)


def test_other_prices_of_power_and_space_act(frozen: Catalog) -> None:
    """10.2 kW rated, PUE 1.4: at 0.12 USD/kWh and 100 USD/kW-month, in Japan too."""
    for residency in (None, "JP"):
        limits = replace(SERVER, residency=residency)
        own = {"electricity_usd_per_kwh": 0.12, "colocation_usd_per_kw_month": 100.0}
        row = on(recommend(frozen, CHAT, limits, payment=Payment(assume=own), top=0), "buy-8x-h100")
        assert row.energy.power_w is not None
        kwh = row.energy.power_w / 1.4 / 1000 * 730
        assert bill(row)["power"] == pytest.approx(kwh * 0.12, abs=0.01)
        assert bill(row)["cooling and losses"] == pytest.approx(kwh * 0.4 * 0.12, abs=0.01)
        assert bill(row)["space"] == 1020.0


def test_support_is_a_share_of_all_else(frozen: Catalog) -> None:
    row = on(recommend(frozen, CHAT, AWS, payment=Payment(assume={"support_share_of_bill": 0.1}), top=0), "aws-g6.xlarge")
    rest = sum(amount for name, amount in bill(row).items() if name != "support")
    assert bill(row)["support"] == pytest.approx(0.1 * rest, abs=0.006)
    assert usd(row) == pytest.approx(1.1 * rest, abs=0.006)


@pytest.mark.parametrize("name", ["residual_share", "electricity_usd_per_kwh", "edge_pue", "host_pc_usd", "egress_hyperscaler_usd_per_gb"])
def test_what_is_assumed_is_said(frozen: Catalog, name: str) -> None:
    """Once, as given; the catalog itself stays as it is."""
    value = 1.0
    found = recommend(frozen, CHAT, Limits(), payment=Payment(assume={name: value}))
    (said,) = (one for one in found.assumptions if one.name == name)
    assert (said.value, said.origin) == (value, "input")
    assert found.payment is not None
    assert found.payment.assume == {name: value}
    assert all(one.origin != "input" for one in recommend(frozen, CHAT, Limits()).assumptions if one.name == name)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_accepted_has_an_answer(frozen: Catalog, data: st.DataObject) -> None:
    """Any assumption at any value: refused, or every figure is finite and no bill is negative."""
    names = [*frozen.assumptions, "electricity_usd_per_kwh", "colocation_usd_per_kw_month"]
    name = data.draw(st.sampled_from(names))
    value = data.draw(st.one_of(st.sampled_from((0.0, 0.01, 0.1, 1.0, 1e12)), st.floats(-1, 1e12)))
    try:
        terms = Payment(assume={name: value})
        found = recommend(frozen, Workload(model="8b"), Limits(), payment=terms, top=0)
    except UsageError:
        return
    assert found.status == "ok"
    for row in found.ranked:
        assert math.isfinite(row.cost.usd_per_mtok_output or 0)
        assert (row.cost.usd_per_mtok_output or 0) >= 0


def test_a_start_never_takes_for_ever(frozen: Catalog) -> None:
    """Weights that load at 0 bytes/s would."""
    moving, slow = Moving(profile="24x7"), Payment(assume={"weights_load_bytes_per_s": 0})
    with pytest.raises(UsageError, match="weights_load_bytes_per_s=0: accepted: 1 to"):
        capacity(frozen, "h100", Workload(model="8b", users=5), traffic=Traffic(requests=200), moving=moving, payment=slow)


# -- as options and in a workload file


def asked(done: Any) -> dict[str, Any]:
    assert done.status == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_assumptions_on_the_command_line_and_in_a_file_are_the_same(advisor: Callable[[str], Any], tmp_path: Path) -> None:
    """A list in the file; the option, given again and again, replaces it."""
    path = tmp_path / "ask.yaml"
    path.write_text("model: 8b\nconcurrency: 4\nassume: [residual_share=0.2, electricity_usd_per_kwh=0.3]\ncommit: 1y\nhours: 200\n")
    typed = "--assume residual_share=0.2 --assume electricity_usd_per_kwh=0.3 --commit 1y --hours 200"
    by_file = asked(advisor(f"recommend -w {path} --format json"))
    assert by_file["payment"] == {
        "commit": "1y",
        "hours_per_month": 200.0,
        "cached_share": 0.0,
        "batch": False,
        "assume": {"residual_share": 0.2, "electricity_usd_per_kwh": 0.3},
    }
    assert by_file == asked(advisor(f"recommend --model 8b --concurrency 4 {typed} --format json"))
    again = asked(advisor(f"recommend -w {path} --assume residual_share=0.4 --format json"))
    assert again["payment"]["assume"] == {"residual_share": 0.4}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--assume residual_share=0.1 --assume residual_share=0.2", "--assume: residual_share is given twice"),
        ("--assume residual_share", "write NAME=VALUE"),
        ("--assume =1", "write NAME=VALUE"),
        ("--assume residual_share=much", "'much' is not a number"),
        ("--assume residual_shar=0.1", "Did you mean residual_share"),
        ("--commit 5y", "accepted: none, 1y, 3y, auto"),
        ("--hours 731", "accepted: 1 to 730 hours a month"),
        ("--cached-share 120%", "--cached-share"),
    ],
)
def test_bad_terms_are_exit_2(advisor: Callable[[str], Any], options: str, told: str) -> None:
    done = advisor(f"recommend --model 8b {options}")
    assert (done.status, done.out) == (2, "")
    assert told in " ".join(done.err.split())


def test_a_term_nobody_sells_is_exit_4(advisor: Callable[[str], Any]) -> None:
    done = advisor("recommend --model 8b --provider crusoe --where cloud --commit 3y")
    assert done.status == 4
    assert "Without --commit 3y" in " ".join(done.out.split())


def test_the_bill_of_a_million_tokens_adds_up_on_the_page(advisor: Callable[[str], Any]) -> None:
    """3.333333 x 0.23 + 1 x 0.4 = 1.166667: of so little, cents would say 1.17."""
    text = " ".join(advisor("recommend --model 70b --where api --provider deepinfra --explain").out.split())
    assert "0.766667" in text
    assert "1.166667" in text
