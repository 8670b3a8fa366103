"""A saved decision against a catalog that moved.

In the cloud, for 20 users of a 70b model, the mini catalog's first answer is one MI300X of Crusoe at 3.45 USD/h; the second, two H100 of
Runpod, costs 7.98 USD/h and more than twice as much per token. Disks and egress are assumed away: then cost is rent, times hours.
"""

import json
from dataclasses import fields
from pathlib import Path

import pytest
from catalogs import DAY, frozen_catalog, write
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.advice.answer import Recommendation
from infra_advisor.advice.asked import Asked, echo
from infra_advisor.advice.check import check
from infra_advisor.advice.checks import CheckAnswer
from infra_advisor.advice.limits import CLASSES, DOUBTFUL, Choice, Limits
from infra_advisor.advice.payment import COMMITS, Payment
from infra_advisor.advice.recommend import recommend
from infra_advisor.advice.rows import RANKS
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.traffic import Lengths, Traffic
from infra_advisor.search.workload import Workload

CHAT = Workload(model="70b", users=20)
CLOUD = Limits(where=("cloud",))
RENT_ONLY = Payment(assume={"weights_storage_usd_per_gb_month": 0.0, "egress_bytes_per_output_token": 0.0})
HEADER = "id,node,provider,region,country,price_kind,currency,per_h,from,seen,flag,source\n"
CRUSOE = "crusoe-mi300x-various,crusoe-mi300x,crusoe,various,,on-demand,USD,{price},2026-11-01,2026-11-01,{flag},us\n"
ELSEWHERE = "mine,crusoe-mi300x,crusoe,elsewhere,,on-demand,USD,{price},2026-11-01,2026-11-01,,us\n"
SOURCE = "us: {title: our quote, seen: 2026-11-01}\n"


def offers(folder: Path, *lines: str) -> Catalog:
    """The mini catalog with price lines on top."""
    return frozen_catalog(write(folder, {"offers.csv": HEADER + "".join(lines), "sources/offers.yaml": SOURCE}))


@pytest.fixture(scope="module")
def decision() -> Recommendation:
    found = recommend(frozen_catalog(), CHAT, CLOUD, payment=RENT_ONLY)
    assert found.ranked[0].offer.id == "crusoe-mi300x-various"
    return found


def moved(answer: CheckAnswer) -> dict[str, float | None]:
    return {one.name: one.change for one in answer.moved}


# -- the verdicts


def test_nothing_moved_and_the_decision_stands(decision: Recommendation, frozen: Catalog) -> None:
    answer = check(frozen, decision)
    assert (answer.status, answer.behind, answer.ahead) == ("stands", 0.0, ())
    assert answer.then == answer.now == answer.first
    assert {change for change in moved(answer).values() if change is not None} == {0.0}
    assert answer.saved.catalog == answer.catalog


def test_a_price_that_nobody_looked_at_again_is_said_to_be_old(decision: Recommendation, frozen: Catalog, tmp_path: Path) -> None:
    assert any("Aged prices" in warning for warning in check(frozen, decision).warnings)
    assert check(offers(tmp_path, CRUSOE.format(price="3.45", flag="")), decision).warnings == ()


def test_a_dearer_price_is_told_and_overtaken(decision: Recommendation, tmp_path: Path) -> None:
    """10.35 USD/h is three times 3.45: so are cost per token and month; nothing about the speed moves."""
    answer = check(offers(tmp_path, CRUSOE.format(price="10.35", flag="")), decision)
    assert answer.status == "overtaken"
    change = moved(answer)
    assert [change[name] for name in ("offer_usd_per_h", "usd_per_mtok_output", "usd_per_month")] == pytest.approx([2.0, 2.0, 2.0])
    assert [change[name] for name in ("ttft_s", "tpot_s", "output_tokens_per_s")] == [0.0, 0.0, 0.0]
    assert answer.first is not None
    assert answer.first.offer.provider == "runpod"
    now, best = decision.ranked[0].cost.usd_per_mtok_output, answer.first.cost.usd_per_mtok_output
    assert now is not None
    assert best is not None
    assert answer.behind == pytest.approx(3 * now / best - 1)
    assert answer.ahead[0].answer == answer.first
    assert answer.catalog.hash != answer.saved.catalog.hash


def test_a_dearer_price_that_is_still_the_cheapest_stands(decision: Recommendation, tmp_path: Path) -> None:
    answer = check(offers(tmp_path, CRUSOE.format(price="3.795", flag="")), decision)
    assert (answer.status, answer.now and answer.now.rank) == ("stands", 1)
    assert moved(answer)["usd_per_mtok_output"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("price", "tolerance", "status"),
    [
        (3.0, 0.15, "stands"),
        (2.9999, 0.15, "overtaken"),
        (3.0001, 0.15, "stands"),
        (3.0, 0.149, "overtaken"),
        (3.44, 0.0, "overtaken"),
        (3.45, 0.0, "stands"),
        (1.00, 2.45, "stands"),
    ],
)
def test_the_edge_of_the_tolerance(price: float, tolerance: float, status: str, decision: Recommendation, tmp_path: Path) -> None:
    """The same machine elsewhere at `price`: the old first falls 3.45 / price - 1 short of it, months to the cent."""
    answer = check(offers(tmp_path, ELSEWHERE.format(price=price)), decision, tolerance=tolerance)
    assert answer.status == status
    assert answer.behind == pytest.approx(round(3.45 * 730, 2) / round(price * 730, 2) - 1, abs=1e-9)
    assert [one.answer.offer.id for one in answer.ahead] == (["mine"] if price < 3.45 else [])


def test_each_offer_ahead_is_named_once_best_first(tmp_path: Path) -> None:
    """At 1.00 and 1.05 USD/h; three rows are shown, of which the cheaper offer takes the first and, by another engine, the last."""
    other = ELSEWHERE.format(price="1.05").replace("mine", "other").replace("elsewhere", "there")
    catalog = offers(tmp_path, ELSEWHERE.format(price="1.00"), other)
    assert [row.offer.id for row in recommend(catalog, CHAT, CLOUD, payment=RENT_ONLY, top=3).ranked] == ["mine", "other", "mine"]
    answer = check(catalog, recommend(frozen_catalog(), CHAT, CLOUD, payment=RENT_ONLY, top=3))
    assert [one.answer.offer.id for one in answer.ahead] == ["mine", "other"]
    assert [one.behind for one in answer.ahead] == pytest.approx([2.45, 3.45 / 1.05 - 1])


def test_a_removed_accelerator_is_gone(decision: Recommendation, tmp_path: Path) -> None:
    layer = tmp_path / "mine.yaml"
    layer.write_text("chips: [{id: mi300x, hide: true}]", encoding="utf-8")
    answer = check(frozen_catalog(layer), decision)
    assert (answer.status, answer.now) == ("gone", None)
    assert answer.reason == "its accelerator, mi300x, is no longer in the catalog"
    assert answer.first is not None


@pytest.mark.parametrize("flag", ["stale", "outlier"])
def test_a_price_that_became_doubtful_is_gone_unless_included(flag: str, decision: Recommendation, tmp_path: Path) -> None:
    catalog = offers(tmp_path, CRUSOE.format(price="3.45", flag=flag))
    answer = check(catalog, decision)
    assert (answer.status, answer.reason) == ("gone", f"{flag}: only with --include {flag}")
    included = recommend(frozen_catalog(), CHAT, Limits(where=("cloud",), include=(flag,)))
    assert included.ranked[0].offer.id == "crusoe-mi300x-various"
    assert check(catalog, included).status == "stands"


def test_an_offer_that_lost_its_price_is_gone(decision: Recommendation, tmp_path: Path) -> None:
    answer = check(offers(tmp_path, CRUSOE.format(price="", flag="")), decision)
    assert (answer.status, answer.reason) == ("gone", "no on-demand price")


def test_before_its_first_price_it_is_gone(decision: Recommendation) -> None:
    answer = check(frozen_catalog(day=DAY.replace(month=9, day=1)), decision)
    assert (answer.status, answer.reason) == ("gone", "no price on that day yet")
    assert any("earlier day" in warning for warning in answer.warnings)


def test_a_price_older_than_max_age_is_gone() -> None:
    """63 days old then, 64 the day after."""
    then = recommend(frozen_catalog(), CHAT, Limits(where=("cloud",), max_price_age_d=63))
    assert then.ranked[0].offer.id == "crusoe-mi300x-various"
    answer = check(frozen_catalog(day=DAY.replace(day=23)), then)
    assert (answer.status, answer.reason) == ("gone", "its price is 64 days old; the oldest to accept is 63 days")


def test_a_price_above_the_budget_breaks_that_limit(tmp_path: Path) -> None:
    """3.45 USD/h x 730 h = 2,518.50 a month; at 4.20 it is 3,066, above 3,000."""
    then = recommend(frozen_catalog(), CHAT, Limits(where=("cloud",), budget_usd_per_month=3000), payment=RENT_ONLY)
    answer = check(offers(tmp_path, CRUSOE.format(price="4.20", flag="")), then)
    assert answer.status == "breaks_limit"
    assert [(one.limit, one.predicted) for one in answer.violations] == [("budget", pytest.approx(4.20 * 730))]
    assert answer.first is None


def test_a_change_of_country_breaks_residency(tmp_path: Path) -> None:
    then = recommend(frozen_catalog(), Workload(model="8b", concurrency=4), Limits(residency="JP", where=("cloud",)))
    name = then.ranked[0].offer.id
    rows = (Path(__file__).parents[1] / "frozen" / "offers.csv").read_text(encoding="utf-8").splitlines()
    header, line = rows[0], next(row for row in rows if row.startswith(name))
    assert ",JP," in line
    layer = write(tmp_path, {"offers.csv": f"{header}\n{line.replace(',JP,', ',US,')}\n"})
    answer = check(frozen_catalog(layer), then)
    assert answer.status == "breaks_limit"
    assert [(one.limit, one.predicted) for one in answer.violations] == [("residency", "US")]


def test_nothing_fits_stands_until_something_does(tmp_path: Path) -> None:
    """A budget of 2,000 a month: nothing in the cloud, until the MI300X costs 2.00 USD/h, 1,460 a month."""
    then = recommend(frozen_catalog(), CHAT, Limits(where=("cloud",), budget_usd_per_month=2000))
    assert then.status == "nothing_fits"
    same = check(frozen_catalog(), then)
    assert (same.status, same.then, same.first) == ("stands", None, None)
    answer = check(offers(tmp_path, CRUSOE.format(price="2.00", flag="")), then)
    assert answer.status == "now_fits"
    assert answer.first is not None
    assert answer.first.offer.id == "crusoe-mi300x-various"


def test_the_rate_of_the_price_list_is_told() -> None:
    """A price in yen: 153.594 for a dollar from 2026-09-10, 157.25027 from 2026-10-30: it costs that much less in dollars."""
    question = (Workload(model="8b", concurrency=4), Limits(residency="JP", provider=Choice(keep=("sakura",)), where=("cloud",)))
    answer = check(frozen_catalog(), recommend(frozen_catalog(day=DAY.replace(month=10, day=1)), *question))
    change = moved(answer)
    assert change["jpy_per_usd"] == pytest.approx(157.25027 / 153.594 - 1)
    assert change["offer_usd_per_h"] == pytest.approx(153.594 / 157.25027 - 1)


def test_how_one_would_pay_is_asked_again(frozen: Catalog, tmp_path: Path) -> None:
    """Committed for a year, 100 hours a month: asked without either, an hour of the same machine would have another price."""
    terms = Payment(commit="1y", hours_per_month=100.0, assume=RENT_ONLY.assume)
    then = recommend(frozen, CHAT, Limits(where=("cloud",), include=("marketplace",)), payment=terms)
    assert then.ranked[0].offer.price_kind == "reserved-1y"
    answer = check(frozen, then)
    assert (answer.status, answer.then, answer.payment) == ("stands", answer.now, then.payment)
    below = check(offers(tmp_path, ELSEWHERE.format(price="0.01")), recommend(frozen, CHAT, CLOUD, payment=RENT_ONLY, top=1))
    assert below.now is not None
    assert {line.name for line in below.now.cost.lines if line.amount_usd} == {"instances"}


def test_a_hosted_api_is_checked_too(frozen: Catalog) -> None:
    then = recommend(frozen, CHAT, Limits(where=("api",)))
    assert check(frozen, then).status == "stands"


@pytest.mark.parametrize("rank", RANKS)
def test_every_rule_of_ranking_can_be_checked(rank: str, frozen: Catalog) -> None:
    answer = check(frozen, recommend(frozen, CHAT, CLOUD, rank=rank))
    assert (answer.status, answer.rank_by) == ("stands", rank)


def test_an_offer_below_the_rows_shown_is_still_found(decision: Recommendation, tmp_path: Path) -> None:
    """One row was shown; the old first is now second, behind the same machine for half the money."""
    short = recommend(frozen_catalog(), CHAT, CLOUD, payment=RENT_ONLY, top=1)
    answer = check(offers(tmp_path, ELSEWHERE.format(price="1.725")), short)
    assert answer.status == "overtaken"
    assert answer.behind == pytest.approx(1.0)
    assert answer.now is not None
    assert answer.now.cost.usd_per_mtok_output == pytest.approx(decision.ranked[0].cost.usd_per_mtok_output)


def test_layers_that_are_missing_now_are_named(tmp_path: Path, frozen: Catalog) -> None:
    then = recommend(offers(tmp_path, ELSEWHERE.format(price="1.00")), CHAT, CLOUD)
    answer = check(frozen, then)
    assert (answer.status, answer.reason) == ("gone", "the catalog no longer lists it")
    assert any(str(tmp_path) in warning and "--catalog" in warning for warning in answer.warnings)


def test_a_model_that_is_gone_is_a_question_that_cannot_be_asked(decision: Recommendation, tmp_path: Path) -> None:
    layer = tmp_path / "mine.yaml"
    layer.write_text("models: [{id: llama-3.3-70b-instruct, hide: true}]", encoding="utf-8")
    with pytest.raises(UsageError, match="the saved question cannot be asked of this catalog"):
        check(frozen_catalog(layer), decision)


def test_a_tolerance_is_a_share(decision: Recommendation, frozen: Catalog) -> None:
    for wrong in (-0.01, 10.1, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="--tolerance"):
            check(frozen, decision, tolerance=wrong)


# -- the question, there and back


def test_every_field_of_the_question_is_written(decision: Recommendation) -> None:
    assert decision.question is not None
    for name, kind in (("workload", Workload), ("limits", Limits), ("traffic", Traffic), ("payment", Payment)):
        assert set(decision.question[name]) == {field.name for field in fields(kind)}


names = st.lists(st.text(min_size=1, max_size=8), max_size=3).map(tuple)
choices = st.builds(Choice, keep=names, drop=names)
above_zero = st.floats(1e-3, 1e6)
limits = st.builds(
    Limits,
    ttft_s=st.none() | above_zero,
    budget_usd_per_month=st.none() | above_zero,
    statistic=st.sampled_from(["mean", "p50", "p95", "p99"]),
    residency=st.none() | st.sampled_from(["JP", "DE"]),
    where=st.lists(st.sampled_from(CLASSES), unique=True).map(tuple),
    include=st.lists(st.sampled_from(DOUBTFUL), unique=True).map(tuple),
    vendor=choices,
    provider=choices,
    owned=st.none() | st.text(min_size=1),
)
traffics = st.builds(
    Traffic,
    lengths=st.none() | st.builds(Lengths, kind=st.sampled_from(["fixed", "uniform", "lognormal"]), sigma=st.floats(0.1, 2.0)),
    seed=st.integers(0, 2**31),
    prefix_share=st.floats(0.0, 0.9),
) | st.builds(Traffic, trace=st.text("abc/.", min_size=1).map(Path))  # fmt: skip
workloads = st.builds(Workload, model=st.text(min_size=1), users=st.none() | above_zero, input_tokens=st.integers(1, 10**6))
payments = st.builds(
    Payment,
    commit=st.sampled_from(COMMITS),
    hours_per_month=st.floats(1.0, 730.0),
    cached_share=st.floats(0.0, 1.0),
    batch=st.booleans(),
    assume=st.dictionaries(st.text(min_size=1), st.floats(-1e6, 1e6)),
)


@given(workloads, limits, traffics, payments)
def test_a_question_survives_the_way_through_json(workload: Workload, limits: Limits, traffic: Traffic, payment: Payment) -> None:
    """dataclass -> mapping -> JSON -> mapping -> dataclass, nested ones, tuples and paths included."""
    text = json.dumps(echo(workload=workload, limits=limits, traffic=traffic, payment=payment, rank="cost", top=3), default=str)
    asked = Asked.model_validate(json.loads(text))
    assert (asked.workload, asked.limits, asked.traffic, asked.payment, asked.top) == (workload, limits, traffic, payment, 3)
