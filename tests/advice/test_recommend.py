"""What `recommend` makes of the mini catalog: prices by hand, what is set aside and why, and the ways out where nothing fits."""

import copy
import csv
import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from catalogs import FROZEN, frozen_catalog, frozen_copy

from infra_advisor.advice.answer import Answer, Recommendation
from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.recommend import recommend
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog, load
from infra_advisor.search.workload import Workload

CHAT = Workload(model="70b", users=20)
JPY_PER_USD = 157.25027


def ranked(found: Recommendation, offer: str) -> Answer:
    """The first ranked answer on an offer."""
    return next(row for row in found.ranked if row.offer.id.startswith(offer))


def amounts(row: Answer) -> dict[str, float]:
    """Lines of the bill -> USD a month."""
    return {line.name: line.amount_usd for line in row.cost.lines}


# -- prices


def test_a_price_in_yen_is_taken_without_tax_at_the_newest_rate(frozen: Catalog) -> None:
    """990 JPY an hour with 10 % consumption tax inside: 990 / 1.1 / 157.25027 = 5.723 USD."""
    row = ranked(recommend(frozen, Workload(model="8b", concurrency=4), Limits(residency="JP"), top=0), "sakura-vrt")
    assert row.offer.usd_per_h == pytest.approx(990 / 1.1 / JPY_PER_USD)
    assert (row.offer.country, row.offer.price_date, row.offer.price_age_d) == ("JP", "2026-10-01", 52)


def test_a_price_per_accelerator_is_multiplied_up(frozen: Catalog) -> None:
    """Four at 3.45 USD an hour are one machine of 13.80."""
    found = recommend(
        frozen, Workload(model="70b", concurrency=200, weights="bf16"), Limits(provider=Choice(keep=("crusoe",)), ttft_s=0.5), top=0
    )
    for row in found.ranked:
        size = int(row.offer.id.rpartition("-x")[2]) if "-x" in row.offer.id else 1
        assert row.offer.usd_per_h == pytest.approx(3.45 * size)
        assert amounts(row)["instances"] == pytest.approx(3.45 * row.hardware.accelerators_billed * 730, abs=0.01)
    assert max(row.hardware.accelerators_total for row in found.ranked) > 1


def test_a_server_costs_its_annuity_upkeep_power_and_space(frozen: Catalog) -> None:
    """285,000 USD over 3 years at 5 %: 285,000 x 0.05 / (1 - 1.05^-3) / 8,760 h. Upkeep 8 % a year.

    Power as predicted, PUE 1.4, 0.161 USD/kWh. Colocation 10.2 kW x 217.3 USD/kW-month.
    """
    row = ranked(recommend(frozen, Workload(model="70b", concurrency=8), Limits(where=("onprem",)), top=0), "buy-8x-h100")
    bill = amounts(row)
    assert row.hardware.instances == 1
    assert bill["hardware"] == pytest.approx(285_000 / 36, abs=0.01)
    assert bill["hardware"] + bill["cost of capital"] == pytest.approx(285_000 * 0.05 / (1 - 1.05**-3) / 12, abs=0.01)
    assert bill["operations"] == pytest.approx(285_000 * 0.08 / 12, abs=0.01)
    assert row.energy.power_w is not None
    kwh = row.energy.power_w / 1.4 / 1000 * 730
    assert 0.3 * 10.2 < row.energy.power_w / 1.4 / 1000 < 10.2
    assert bill["power"] == pytest.approx(kwh * 0.161, abs=0.01)
    assert bill["cooling and losses"] == pytest.approx(kwh * 0.4 * 0.161, abs=0.01)
    assert bill["space"] == pytest.approx(10.2 * 217.3, abs=0.01)
    assert bill["network"] == 300
    assert row.cost.usd_per_month == pytest.approx(sum(bill.values()), abs=1e-6)
    assert row.cost.usd_initial == row.offer.purchase_usd == 285_000


def test_owned_hardware_costs_power_and_space_alone(frozen: Catalog) -> None:
    """Eight H100 draw 700 W each and 575 W of the server around each; in Japan 24 JPY/kWh and 300 USD/kW-month."""
    found = recommend(frozen, Workload(model="70b", concurrency=8), Limits(owned="h100:8", residency="JP"))
    rated_kw = 8 * (700 + 575) / 1000
    drawn_w = found.ranked[0].energy.power_w
    assert drawn_w is not None
    expected = drawn_w / 1000 * 730 * 24 / JPY_PER_USD + rated_kw * 300 + 300  # power with its PUE, space, line
    assert {row.offer.provider for row in found.ranked} == {"owned"}
    assert found.ranked[0].cost.usd_per_month == pytest.approx(expected, abs=0.05)
    assert found.ranked[0].cost.usd_initial == 0


def test_no_more_is_owned_than_was_said(frozen: Catalog) -> None:
    """Twice the requests that one machine can hold need a second one, which nobody owns: a near miss that asks for twice as many."""
    one = recommend(frozen, Workload(model="70b", concurrency=1), Limits(owned="h100:4"))
    most = max(row.performance.max_concurrency or 0 for row in one.ranked)
    assert {row.hardware.instances for row in one.ranked} == {1}
    two = recommend(frozen, Workload(model="70b", concurrency=int(8 * most)), Limits(owned="h100:4"))
    assert not two.ranked
    broken = [violation for miss in two.near_misses for violation in miss.violations]
    assert broken
    assert {violation.limit for violation in broken} == {"owned"}
    assert all(int(str(violation.predicted).removeprefix("h100-sxm:")) > 4 for violation in broken)


def test_what_an_owned_device_costs_is_unknown_where_its_power_is(frozen: Catalog) -> None:
    """Power and hosting are all an owned device costs: without a power figure there is no cost, and no zero stands in for it."""
    chip = frozen.chips["h100-sxm"].model_copy(update={"power": None})
    catalog = copy.copy(frozen)
    catalog.__dict__["chips"] = {**frozen.chips, "h100-sxm": chip}
    found = recommend(catalog, Workload(model="70b", concurrency=1), Limits(owned="h100:4"))
    assert not found.ranked
    assert {row.cost.usd_per_h for row in found.unranked} == {None}
    assert all("power unknown" in (row.reason or "") for row in found.unranked)


def test_hidden_hardware_does_not_rank_where_some_is_left_out(frozen: Catalog) -> None:
    """Nobody knows that no NVIDIA chip runs behind an endpoint."""
    found = recommend(frozen, Workload(model="70b", request_rate_per_s=2), Limits(vendor=Choice(drop=("nvidia",))), top=0)
    assert "api" not in {row.hardware.class_ for row in found.ranked}
    assert "hardware unknown" in {(row.reason or "").partition(":")[0] for row in found.unranked if row.hardware.class_ == "api"}


def test_a_balanced_order_states_its_weights(frozen: Catalog) -> None:
    """Half for cost and a quarter each for the two times; other orders have no weights to state."""
    for rank, stated in (("balanced", ["cost 0.5, ttft 0.25, tpot 0.25"]), ("cost", [])):
        found = recommend(frozen, Workload(model="70b", users=5), Limits(), rank=rank)
        assert [one.value for one in found.assumptions if one.name == "balanced_weights"] == stated


def test_an_api_is_priced_by_prompt_and_output(frozen: Catalog) -> None:
    """0.23 USD/Mtok in and 0.40 out: (1,000 x 0.23 + 300 x 0.40) / 300 = 1.1667 per million output tokens; 2 requests a second."""
    row = ranked(recommend(frozen, Workload(model="70b", request_rate_per_s=2), Limits()), "deepinfra")
    assert row.cost.usd_per_mtok_output == pytest.approx((1000 * 0.23 + 300 * 0.40) / 300)
    assert row.cost.usd_per_mtok_total == pytest.approx((1000 * 0.23 + 300 * 0.40) / 1300)
    assert row.cost.usd_per_h == pytest.approx((1000 * 0.23 + 300 * 0.40) * 2 * 3600 / 1e6, abs=1e-4)
    assert row.performance.output_tokens_per_s == 600


def test_the_price_of_the_day_counts(frozen: Catalog) -> None:
    """3.29 USD from 2026-08-19, 3.49 from 2026-09-25, 3.99 from 2026-11-09; before, it is unknown."""
    question = Workload(model="70b", concurrency=8, weights="fp8"), Limits(provider=Choice(keep=("runpod",)))
    for day, usd_per_h in (("2026-08-19", 3.29), ("2026-09-24", 3.29), ("2026-09-25", 3.49), ("2026-11-22", 3.99)):
        found = recommend(frozen_catalog(day=datetime.date.fromisoformat(day)), *question)
        assert found.ranked[0].offer.usd_per_h == pytest.approx(usd_per_h * found.ranked[0].hardware.accelerators_billed)
        assert found.as_of == day
    before = recommend(frozen_catalog(day=datetime.date(2026, 8, 18)), *question)
    assert before.status == "nothing_fits"
    assert {row.reason for row in before.unranked} == {"no price on that day yet"}


def test_an_api_price_of_the_day_counts(frozen: Catalog) -> None:
    early = recommend(frozen_catalog(day=datetime.date(2026, 10, 31)), CHAT, Limits(where=("api",)))
    assert (early.status, early.excluded) == ("nothing_fits", {"no API price on that day yet": 4})
    assert len(recommend(frozen, CHAT, Limits(where=("api",))).ranked) == 3


def test_a_price_seen_later_is_not_of_negative_age() -> None:
    """Valid from 2025-04-05, last seen 2026-09-10: on 2025-06-01 it is in force, and fresh."""
    found = recommend(frozen_catalog(day=datetime.date(2025, 6, 1)), Workload(model="8b"), Limits(where=("cloud",)))
    assert {(row.offer.id, row.offer.price_age_d) for row in found.ranked} == {("aws-g6.xlarge-ap-northeast-1", 0)}


def test_without_an_exchange_rate_a_price_is_unknown() -> None:
    catalog = frozen_catalog(day=datetime.date(2026, 5, 1))  # the first yen rate of the mini catalog is of 2026-05-08
    catalog.__dict__["offers"] = [offer.model_copy(update={"from_": "2026-01-01"}) for offer in catalog.offers]
    found = recommend(catalog, Workload(model="8b"), Limits(provider=Choice(keep=("sakura",)), include=("batch-only",)))
    assert found.ranked == ()
    assert found.unranked
    assert all((row.reason or "").startswith("no exchange rate for JPY on that day") for row in found.unranked)


# -- what is set aside


def test_every_exclusion_is_counted_by_reason(frozen: Catalog) -> None:
    """Read off the tables: two Macs at launch price, one batch-only offer, one stale one, one API withdrawn in February. 70 GB of weights
    fit neither one, two or four L4, nor one H100 (alone or of a server), nor two cards of 24 GB."""
    found = recommend(frozen, Workload(model="70b", concurrency=1), Limits())
    assert found.excluded == {
        "does not fit in memory": 6,
        "launch-price: only with --include launch-price": 2,
        "batch-only: only with --include batch-only": 1,
        "stale: only with --include stale": 1,
        "API model withdrawn": 1,
    }
    assert list(found.excluded.values()) == sorted(found.excluded.values(), reverse=True)


@pytest.mark.parametrize(
    ("include", "offer"),
    [
        ("stale", "digitalocean-gpu-mi300x8-1536gb-any"),
        ("batch-only", "sakura-dok-h100-80gb-ishikari-serverless"),
        ("launch-price", "buy-mac-studio-m4-max-64gb"),
        ("spot", "aws-p5.48xlarge-us-east-1-spot"),
    ],
)
def test_doubtful_offers_rank_when_asked_for_and_carry_the_mark(frozen: Catalog, include: str, offer: str) -> None:
    question = Workload(model="8b", concurrency=4)
    without = recommend(frozen, question, Limits(), top=0)
    among = recommend(frozen, question, Limits(include=(include,)), top=0)
    assert offer not in {row.offer.id for row in without.ranked}
    row = next(row for row in among.ranked if row.offer.id == offer)
    assert include in row.offer.marks


def test_spot_is_a_price_of_its_own(frozen: Catalog) -> None:
    """20.784 USD an hour beside 55.04 on demand, for the same instance."""
    among = recommend(
        frozen,
        Workload(model="70b", concurrency=4),
        Limits(include=("spot",), provider=Choice(keep=("aws",)), residency="US"),
        top=0,
        merge="offer",
    )
    prices = {row.offer.price_kind: row.offer.usd_per_h for row in among.ranked if row.hardware.accelerator == "h100-sxm"}
    assert prices["spot"] == pytest.approx(20.784)


def test_what_has_no_price_or_place_is_listed_not_ranked(frozen: Catalog) -> None:
    found = recommend(frozen, CHAT, Limits(residency="JP"), top=0)
    reasons = {row.offer.id.split("-x")[0]: row.reason for row in found.unranked}
    assert reasons["buy-mi300x"] == "no purchase price in the catalog"
    assert reasons["crusoe-mi300x-various"] == "residency unknown: the price list names no country"
    assert reasons["azure-ai-llama-3.3-70b-instruct"] == "residency unknown: processing is not stated"
    assert {row.offer.country for row in found.ranked} == {"JP"}
    assert {"aws-p5.48xlarge-ap-northeast-1"} <= {row.offer.id for row in found.ranked}


def test_an_api_in_the_country_is_ranked(frozen: Catalog) -> None:
    found = recommend(frozen, CHAT, Limits(residency="FR", where=("api",)))
    assert [row.offer.id for row in found.ranked] == ["ovhcloud-meta-llama-3-3-70b-instruct"]


def test_a_speed_target_sets_apis_aside(frozen: Catalog) -> None:
    found = recommend(frozen, CHAT, Limits(tpot_s=1.0, where=("api",)))
    assert found.status == "nothing_fits"
    assert {row.reason for row in found.unranked} == {"speed unknown: hardware, batch and queue behind the endpoint are not published"}


def test_a_named_format_sets_apis_aside(frozen: Catalog) -> None:
    found = recommend(frozen, Workload(model="70b", users=20, weights="bf16"), Limits(where=("api",)))
    assert {row.reason for row in found.unranked} == {"weight and cache formats are not published"}


def test_a_prompt_that_an_api_does_not_take_is_counted(frozen: Catalog) -> None:
    """Two endpoints take 131,072 and 131,000 tokens, one 128,000; the model 131,072 in all."""
    found = recommend(frozen, Workload(model="70b", input_tokens=128_500, output_tokens=500), Limits(where=("api",)))
    assert found.excluded["prompt longer than the API takes"] == 1
    assert len(found.ranked) == 2


def test_old_prices_are_left_out_when_asked(frozen: Catalog) -> None:
    """Within 30 days of 2026-11-22: Runpod of 2026-11-09, AWS us-east-1 H100 of 2026-11-09, and the APIs of 2026-11-01."""
    found = recommend(frozen, CHAT, Limits(max_price_age_d=30), top=0)
    assert {row.offer.provider for row in found.ranked} == {"runpod", "aws", "azure", "deepinfra", "ovhcloud"}
    assert found.excluded["price older than 30 days"] > 0


def test_choices_narrow_the_answer(frozen: Catalog) -> None:
    for limits, kept in (
        (Limits(vendor=Choice(keep=("amd",))), {"mi300x"}),
        (Limits(vendor=Choice(drop=("nvidia", "aws")), where=("cloud", "onprem")), {"mi300x"}),
        (Limits(accelerator=Choice(keep=("h100", "inf2"))), {"h100-sxm", "inferentia2"}),
        (Limits(provider=Choice(drop=("aws", "purchase", "crusoe")), where=("cloud", "onprem")), {"h100-sxm"}),
    ):
        assert {row.hardware.accelerator for row in recommend(frozen, CHAT, limits, top=0).ranked} == kept


# -- nothing fits


@pytest.mark.parametrize(
    ("limits", "binding"),
    [
        (Limits(ttft_s=0.001, where=("cloud", "onprem")), {"ttft"}),
        (Limits(tpot_s=1e-6, where=("cloud", "onprem")), {"tpot"}),
        (Limits(budget_usd_per_month=1, where=("cloud", "onprem")), {"budget"}),
        (Limits(residency="NZ", where=("cloud",)), {"residency"}),
        (Limits(throughput_tokens_per_s=1e6, where=("cloud",)), {"throughput"}),
        (Limits(where=("cloud",), accelerator=Choice(keep=("l4",)), provider=Choice(keep=("aws",))), {"weights"}),
    ],
    ids=["ttft", "tpot", "budget", "residency", "throughput", "weights"],
)
def test_when_nothing_fits_the_binding_limit_and_the_way_out_are_named(frozen: Catalog, limits: Limits, binding: set[str]) -> None:
    found = recommend(frozen, CHAT, limits)
    assert (found.status, found.ranked) == ("nothing_fits", ())
    assert {violation.limit for miss in found.near_misses for violation in miss.violations} == binding
    assert {relaxation.limit for relaxation in found.relaxations} - {"where", "accelerator", "provider"} == binding


@pytest.mark.parametrize(
    ("limits", "choice"),
    [
        (Limits(where=("cloud",), vendor=Choice(keep=("apple",))), "vendor"),
        (Limits(where=("cloud",), max_price_age_d=1), "max_price_age_d"),
        (Limits(where=("cloud",), accelerator=Choice(keep=("l4",)), provider=Choice(keep=("aws",))), "accelerator"),
    ],
    ids=["vendor", "price age", "accelerator"],
)
def test_a_choice_that_shuts_everything_out_is_named(frozen: Catalog, limits: Limits, choice: str) -> None:
    """Dropping that choice alone, and nothing else, lets the named answer rank."""
    found = recommend(frozen, CHAT, limits)
    assert found.status == "nothing_fits"
    way = next(way for way in found.relaxations if way.limit == choice)
    freed = replace(limits, **{choice: None if choice == "max_price_age_d" else Choice()})
    assert recommend(frozen, CHAT, freed, top=1).ranked[0].id == way.answer


def test_the_cheaper_of_two_equal_ways_out_is_named(frozen: Catalog) -> None:
    """Two accelerators need the same rounded limit: the one that costs less per token stands for it."""
    found = recommend(frozen, Workload(model="deepseek-r1", concurrency=8), Limits(ttft_s=0.05, where=("cloud", "onprem")))
    alike = [miss for miss in found.near_misses if found.relaxations[0].text.startswith(miss.violations[0].relax)]
    named = next(miss for miss in alike if miss.id == found.relaxations[0].answer)
    assert named.cost.usd_per_mtok_output == min(miss.cost.usd_per_mtok_output or 0 for miss in alike)


def test_a_budget_prefers_the_fleet_it_can_pay(frozen: Catalog) -> None:
    """The quickest fleet takes several instances of 40,179 USD a month; one, within 50,000, is slower and is what can be had."""
    question = Workload(model="70b", concurrency=60, input_tokens=4000)
    limits = Limits(tpot_s=0.1, provider=Choice(keep=("aws",)), residency="US", accelerator=Choice(keep=("h100",)))
    free = recommend(frozen, question, limits, rank="ttft").ranked[0]
    bound = recommend(frozen, question, Limits(**{**vars(limits), "budget_usd_per_month": 50_000}), rank="ttft").ranked[0]
    assert free.hardware.instances > bound.hardware.instances == 1
    assert amounts(bound)["instances"] == pytest.approx(55.04 * 730)


# -- what is refused


@pytest.mark.parametrize(
    ("workload", "limits", "complaint"),
    [
        (
            Workload(model="70b", request_rate_per_s=1),
            Limits(throughput_tokens_per_s=2000),
            "make 300 tokens/s, less than --throughput 2000",
        ),
        (Workload(model="70b", tokens_per_day=1e6), Limits(throughput_tokens_per_s=2000), "less than --throughput 2000"),
        (Workload(model="70b", input_tokens=131_000, output_tokens=100), Limits(), "exceed the context of Llama-3.3-70B-Instruct"),
        (Workload(model="70c"), Limits(), "unknown model '70c'"),
        (Workload(model="70b", weights="fp9"), Limits(), "unknown weight format 'fp9'. Did you mean fp8"),
        (Workload(model="70b", kv="fp9"), Limits(), "unknown cache format 'fp9'. Did you mean fp8"),
        (Workload(model="70b"), Limits(accelerator=Choice(keep=("h1000",))), "unknown accelerator 'h1000'"),
        (Workload(model="70b"), Limits(provider=Choice(drop=("awz",))), "--provider: 'awz' is unknown. Did you mean aws"),
        (Workload(model="70b"), Limits(vendor=Choice(keep=("nvidea",))), "Did you mean nvidia"),
        (Workload(model="70b"), Limits(owned="h100:0"), "write DEVICE or DEVICE:COUNT"),
        (Workload(model="70b"), Limits(owned="h100:many"), "write DEVICE or DEVICE:COUNT"),
        (Workload(model="70b"), Limits(owned="toaster"), "unknown accelerator 'toaster'"),
    ],
)
def test_what_makes_no_sense_is_refused(frozen: Catalog, workload: Workload, limits: Limits, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        recommend(frozen, workload, limits)
    assert complaint in str(caught.value)


def test_an_unknown_rule_is_refused(frozen: Catalog) -> None:
    with pytest.raises(UsageError, match="--rank: 'price' is unknown; accepted: cost, ttft"):
        recommend(frozen, CHAT, Limits(), rank="price")


# -- reproducible


def turned_around(base: Path) -> Path:
    """All rows of all tables in the opposite order."""
    for path in base.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            header, *rows = list(csv.reader(stream))
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows([header, *reversed(rows)])
    return base


@pytest.mark.parametrize("rank", ["cost", "speed", "balanced"])
def test_the_order_of_rows_in_the_files_does_not_matter(tmp_path: Path, frozen: Catalog, rank: str) -> None:
    other = frozen_catalog(base=turned_around(frozen_copy(tmp_path)))
    limits = Limits(ttft_s=0.6, include=("stale", "launch-price", "spot"))
    one, two = (recommend(catalog, CHAT, limits, rank=rank, top=0) for catalog in (frozen, other))
    assert two.model_copy(update={"catalog": one.catalog}) == one


def test_the_order_of_offers_does_not_matter_in_the_whole_catalog(real: Catalog) -> None:
    other = load(real.as_of)
    for table in ("offers", "purchases", "hosting", "exchange_rates"):
        other.__dict__[table] = list(reversed(getattr(real, table)))
    other.__dict__["nodes"] = dict(reversed(real.nodes.items()))
    one, two = (recommend(catalog, CHAT, Limits(ttft_s=0.5), top=50) for catalog in (real, other))
    assert [row.id for row in two.ranked] == [row.id for row in one.ranked]
    assert two == one


def test_the_same_question_has_the_same_answer(frozen: Catalog) -> None:
    first = recommend(frozen, CHAT, Limits(ttft_s=0.6))
    assert recommend(frozen, CHAT, Limits(ttft_s=0.6)) == first
    assert recommend(frozen_catalog(), CHAT, Limits(ttft_s=0.6)) == first
    assert FROZEN.is_dir()


def test_spot_comes_with_its_caveat(frozen: Catalog) -> None:
    """Where the first answer rests on a spot price, a sentence says what that is worth; elsewhere none does."""
    question = (
        Workload(model="70b", concurrency=8),
        Limits(provider=Choice(keep=("aws",)), accelerator=Choice(keep=("h100",)), residency="US"),
    )
    for include, said in (((), 0), (("spot",), 1)):
        found = recommend(frozen, question[0], replace(question[1], include=include))
        assert [text.startswith("Spot: ") for text in found.warnings].count(True) == said
