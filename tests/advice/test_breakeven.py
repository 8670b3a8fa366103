"""Rent, commit, buy or call an API: every bill adds up, and every crossing is one when it is worked out again by other means."""

import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from catalogs import frozen_catalog, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra_advisor.advice.breakeven import breakeven
from infra_advisor.advice.breakevens import WAYS, BreakevenAnswer, Crossing, PaidOption, Way
from infra_advisor.advice.charges import total
from infra_advisor.advice.crossings import MOST_YEARS, by_months, of_api, tokens_per_day_of
from infra_advisor.advice.envelope import envelope
from infra_advisor.advice.hosted import SPEED_UNKNOWN
from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.option import Priced
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.priced import priced_options
from infra_advisor.advice.question import Understood, understand
from infra_advisor.advice.recommend import recommend
from infra_advisor.advice.searching import certain_of, search
from infra_advisor.advice.spending import Usage
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.fleet import Fleets
from infra_advisor.search.traffic import Traffic
from infra_advisor.search.workload import Workload

LOAD = 50e6
DAYS = 730 / 24
OFFERS = "id,node,provider,region,country,price_kind,currency,per_h,from,seen,tax_included,minimum_spend,source"


@pytest.fixture(autouse=True)
def closed_form_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Money does not depend on what simulation settles."""
    monkeypatch.setattr("infra_advisor.advice.finalists.MOST_FINALISTS", 0)


def chat(model: str = "70b", **changes: Any) -> Workload:
    return Workload(model=model, **{"tokens_per_day": LOAD, **changes})


def option(found: BreakevenAnswer, way: Way) -> PaidOption:
    return next(one for one in found.options if one.way == way)


def crossing(found: BreakevenAnswer, axis: str, cheaper: Way, than: Way) -> Crossing:
    return next(one for one in found.breakeven if (one.axis, one.cheaper, one.than) == (axis, cheaper, than))


def bill(one: PaidOption) -> dict[str, float]:
    """Line -> USD."""
    return {line.name: line.amount_usd for line in one.lines}


def way_of(priced: Priced) -> Way:
    if priced.owned:
        return "buy"
    return "commit" if priced.price_kind in ("reserved-1y", "reserved-3y", "commitment-12m") else "rent"


def solved(catalog: Catalog, workload: Workload, limits: Limits, payment: Payment) -> tuple[Understood, list[Priced], Fleets]:
    """All machines at all prices, and every fleet of them, sized for the load."""
    payment, left_out = replace(payment, commit="auto"), Counter[str]()
    understood = understand(catalog, workload, limits, Traffic(), payment)
    options = certain_of(priced_options(catalog, limits, payment, left_out))
    return understood, options, search(catalog, understood, options, left_out)


def months(catalog: Catalog, workload: Workload, limits: Limits, payment: Payment | None = None) -> dict[Way, float]:
    """The least bill of each way at the load, out of those of all fleets that are sized for it. [USD/month]"""
    understood, options, found = solved(catalog, workload, limits, payment or Payment())
    usage, least = Usage(found, understood.spending), dict[Way, float]()
    for place, candidate in enumerate(found.candidates):
        for one in options if found.kept[place] else ():
            if one.platform == candidate.platform and one.tariff is not None:
                month = float(total(one.tariff.lines(usage.use(place))))
                least[way_of(one)] = min(least.get(way_of(one), math.inf), month)
    apis = recommend(catalog, workload, replace(limits, where=("api",)), payment=payment, top=1).ranked if "api" in limits.where else ()
    for row in apis:
        assert row.cost.usd_per_month is not None
        least["api"] = row.cost.usd_per_month
    return least


# -- the options


@pytest.mark.parametrize("model", ["70b", "8b"])
def test_lines_add_up_to_the_cent(frozen: Catalog, model: str) -> None:
    found = breakeven(frozen, chat(model))
    assert found.status == "ok"
    for one in found.options:
        assert round(sum(line.amount_usd for line in one.lines), 2) == one.usd_per_month
        assert one.kind == ("rent" if one.way == "commit" else one.way)
        for line in one.lines:
            assert abs(line.amount_usd - line.quantity * line.unit_price_usd) < 0.00500001, line
    assert found.cheapest == min(found.options, key=lambda one: one.usd_per_month).id
    assert {one.way for one in found.options} | set(found.missing) == set(WAYS)
    assert not {one.way for one in found.options} & set(found.missing)


def test_the_api_bill_is_tokens_times_price(frozen: Catalog) -> None:
    """50 M a day x 730/24 days = 1,520.83 M: 1,169.87 M in x 0.23 + 350.96 M out x 0.40 = 269.07 + 140.38."""
    api = option(breakeven(frozen, chat()), "api")
    tokens = 50 * DAYS
    assert bill(api)["input tokens"] == round(tokens * 1000 / 1300 * 0.23, 2) == 269.07
    assert bill(api)["output tokens"] == round(tokens * 300 / 1300 * 0.40, 2) == 140.38
    assert api.usd_per_month == 409.45
    assert (api.usd_initial, api.usd_running_per_month, api.tokens_per_day_limit) == (0.0, 409.45, None)


@pytest.mark.parametrize("model", ["70b", "8b"])
def test_each_option_is_the_cheapest_of_its_way(frozen: Catalog, model: str) -> None:
    found = breakeven(frozen, chat(model))
    assert {one.way: one.usd_per_month for one in found.options} == pytest.approx(months(frozen, chat(model), Limits()), rel=0.02)


@pytest.mark.parametrize("spare", [0, 3])
def test_cash_of_what_is_bought_leaves_out_what_was_paid_at_the_start(frozen: Catalog, spare: int) -> None:
    """Two RTX 4090 for 1.2 M JPY: power alone is paid after that. The write-off of spare machines was paid at the start too."""
    limits = Limits(spare=spare, accelerator=Choice(keep=("rtx-4090",)))
    buy = option(breakeven(frozen, chat("8b"), limits), "buy")
    assert buy.usd_initial == pytest.approx((1 + spare) * 1_200_000 / 157.25027, abs=0.01)
    assert buy.usd_running_per_month == pytest.approx(bill(buy)["power"], abs=0.03)


def test_cash_of_servers_keeps_operations_space_and_the_line(frozen: Catalog) -> None:
    """With two spare ones, three machines: 8 % of 285,000 over 12 and 10.2 kW x 217.3 for each."""
    limits = Limits(spare=2, accelerator=Choice(keep=("h100-sxm",)), where=("onprem",))
    buy = option(breakeven(frozen, chat(), limits), "buy")
    each = 285_000 * 0.08 / 12 + 10.2 * 217.3
    running = 3 * each + bill(buy)["power"] + bill(buy)["cooling and losses"] + 300
    assert buy.usd_running_per_month == pytest.approx(running, abs=0.05)
    assert buy.usd_initial == 3 * 285_000


def test_rent_for_a_term_is_a_way_of_its_own(frozen: Catalog) -> None:
    found = breakeven(frozen, chat("8b"))
    assert option(found, "rent").answer.offer.price_kind == "on-demand"
    assert option(found, "commit").answer.offer.price_kind == "reserved-3y"
    assert found.payment.commit == "none"


# -- the load


def test_without_a_load_fifty_million_tokens_a_day(frozen: Catalog) -> None:
    found, said = breakeven(frozen, Workload(model="70b")), breakeven(frozen, chat())
    assert found.tokens_per_day == pytest.approx(50e6)
    assert found.options == said.options
    (noted,) = (one for one in found.assumptions if one.name == "tokens_per_day")
    assert (noted.value, noted.origin) == (50e6, "default")
    assert "tokens_per_day" not in {one.name for one in said.assumptions}


def test_a_rate_is_the_same_load_as_its_tokens(frozen: Catalog) -> None:
    """5 requests/s x 1,300 tokens x 86,400 s = 561.6 M a day."""
    by_rate = breakeven(frozen, Workload(model="70b", request_rate_per_s=5))
    by_tokens = breakeven(frozen, chat(tokens_per_day=561.6e6))
    assert by_rate.tokens_per_day == pytest.approx(561.6e6)
    assert [(one.id, one.usd_per_month) for one in by_rate.options] == [(one.id, one.usd_per_month) for one in by_tokens.options]


@pytest.mark.parametrize("load", [{"users": 100.0}, {"concurrency": 16.0}])
def test_users_count_as_the_requests_of_the_cheapest_fleet(frozen: Catalog, load: dict[str, float]) -> None:
    found = breakeven(frozen, Workload(model="70b", **load))  # type: ignore[arg-type]
    first = recommend(frozen, Workload(model="70b", **load), Limits(where=("cloud", "onprem", "edge")), top=1).ranked[0]  # type: ignore[arg-type]
    tokens_per_s = first.performance.output_tokens_per_s
    assert tokens_per_s is not None
    assert found.tokens_per_day == pytest.approx(tokens_per_s / 300 * 1300 * 86_400)
    (noted,) = (one for one in found.assumptions if one.name == "request_rate_per_s")
    assert noted.value == pytest.approx(tokens_per_s / 300)


def test_a_throughput_is_the_load(frozen: Catalog) -> None:
    found = breakeven(frozen, Workload(model="70b"), Limits(throughput_tokens_per_s=3000))
    assert found.tokens_per_day == pytest.approx(3000 / 300 * 1300 * 86_400)


def test_users_on_no_hardware_make_no_rate(frozen: Catalog) -> None:
    with pytest.raises(UsageError, match="--rate or --tokens-per-day"):
        breakeven(frozen, Workload(model="70b", users=10), Limits(where=("api",)))


# -- crossings of the load


def sides(frozen: Catalog, model: str, one: Crossing, load: float, limits: Limits, payment: Payment | None = None) -> float:
    """Cost of the first less that of the second, each sized anew. [USD/month]"""
    found = months(frozen, chat(model, tokens_per_day=load), limits, payment)
    return found[one.cheaper] - found[one.than]


QUESTIONS = [
    ("70b", Limits(), Payment()),
    ("8b", Limits(), Payment()),
    ("70b", Limits(spare=1, headroom=0.3), Payment(hours_per_month=220.0)),
]


@pytest.mark.parametrize(("model", "limits", "payment"), QUESTIONS)
def test_crossings_of_the_load_hold_when_all_is_sized_anew(frozen: Catalog, model: str, limits: Limits, payment: Payment) -> None:
    """1 % to the left the one is dearer, 1 % to the right cheaper, by the bills of all fleets that are sized for those loads."""
    checked = 0
    for one in breakeven(frozen, chat(model), limits, payment=payment).breakeven:
        if one.axis != "tokens_per_day" or one.value is None:
            continue
        for at, sign in ((one.value, 1.0), (one.until, -1.0), (one.for_good, 1.0)):
            if at is not None and 1.001e4 < at < 0.999e12:
                assert sign * sides(frozen, model, one, at * 0.99, limits, payment) > 0.0, one
                assert sign * sides(frozen, model, one, at * 1.01, limits, payment) < 0.0, one
                checked += 1
    assert checked


def test_renting_against_an_api_by_hand(frozen: Catalog) -> None:
    """One MI300X at 3.45 USD/h with its weights on a disk; a token costs the API's price, less the egress that renting pays.

    Per token of the mix: (1000 x 0.23 + 300 x 0.40)/1300 USD per M, and 300/1300 x 300 bytes x 0.09 USD/GB.
    """
    found = breakeven(frozen, chat())
    one, rent = crossing(found, "tokens_per_day", "rent", "api"), option(found, "rent")
    assert one.value is not None
    fixed = 730 * 3.45 + bill(rent)["storage of weights"]
    per_token = (1000 * 0.23 + 300 * 0.40) / 1300 / 1e6 - 300 / 1300 * 300 * 0.09 / 1e9
    assert one.value == pytest.approx(fixed / per_token / DAYS, rel=1e-4)
    assert one.for_good == one.value
    assert one.until is None
    assert one.usd_per_month == pytest.approx(one.value * DAYS * (1000 * 0.23 + 300 * 0.40) / 1300 / 1e6, rel=1e-9)
    assert rent.tokens_per_day_limit is not None
    assert one.utilisation == pytest.approx(one.value / rent.tokens_per_day_limit, rel=1e-4)


def test_whole_machines_end_a_first_lead(frozen: Catalog) -> None:
    """A server bought is cheaper than renting from 3.2 G tokens a day on, until a second one is needed; for good only later."""
    one = crossing(breakeven(frozen, chat()), "tokens_per_day", "buy", "rent")
    assert one.value is not None
    assert one.until is not None
    assert one.for_good is not None
    assert one.value < one.until < one.for_good


def test_no_lead_and_a_lead_everywhere_are_said(frozen: Catalog) -> None:
    large, small = breakeven(frozen, chat()), breakeven(frozen, chat("8b"))
    never = crossing(large, "tokens_per_day", "commit", "rent")
    assert (never.value, never.for_good, never.reason) == (None, None, "at no load up to 1T tokens a day")
    always = crossing(small, "tokens_per_day", "buy", "rent")
    assert (always.value, always.for_good, always.until) == (1e4, 1e4, None)
    assert always.reason == "at every load that was looked at"
    first = crossing(small, "tokens_per_day", "commit", "rent")
    assert first.reason == "at the smallest loads that were looked at"
    assert first.until is not None


@pytest.mark.parametrize("load", [1.0, 1e14])
def test_the_loads_looked_at_reach_beyond_the_one_asked_for(frozen: Catalog, load: float) -> None:
    found = breakeven(frozen, chat("8b", tokens_per_day=load))
    always = crossing(found, "tokens_per_day", "buy", "rent")
    assert always.value == pytest.approx(min(1e4, load / 100))
    assert found.curve[0].tokens_per_day <= load <= found.curve[-1].tokens_per_day


# -- crossings of the hours and of the months


def test_hours_by_hand(frozen: Catalog) -> None:
    """Two RTX 4090: what they cost at rest, and the power while they serve; an L4 for 1.1672 USD an hour, its disk, and egress.

    Both rise in a line with the hours, so h (rent per hour - power per hour) = write-off and capital - disk.
    """
    found = breakeven(frozen, chat("8b"))
    one, buy, rent = crossing(found, "hours_per_month", "buy", "rent"), bill(option(found, "buy")), bill(option(found, "rent"))
    standing = buy["hardware"] + buy["cost of capital"]
    by_the_hour = (rent["instances"] + rent["egress"] - buy["power"]) / 730
    assert one.value == pytest.approx((standing - rent["storage of weights"]) / by_the_hour, rel=1e-3)
    assert one.for_good == one.value
    assert one.usd_per_month == pytest.approx(standing + buy["power"] / 730 * (one.value or 0.0), abs=0.02)


def test_a_term_that_costs_less_than_half_pays_from_fewer_than_half_the_hours(frozen: Catalog) -> None:
    """0.53574 USD/h at all hours against 1.1672 while it runs: 730 x 0.53574/1.1672 = 335.07 hours."""
    one = crossing(breakeven(frozen, chat("8b")), "hours_per_month", "commit", "rent")
    assert one.value == pytest.approx(730 * 0.53574 / 1.1672, rel=1e-5)


def test_hours_with_a_smallest_purchase(tmp_path: Path) -> None:
    """An L4 at 1 USD/h of which 500 USD a month are paid at least: a term price that costs 401 USD beats it at any number of hours."""
    node = "aws-g6.xlarge"
    files = {"offers.csv": f"{OFFERS}\nlocal-l4,{node},aws,ap-northeast-1,JP,on-demand,USD,1.0,2026-11-01,2026-11-01,,500,own-quote\n"}
    own = frozen_catalog(write(tmp_path, files | {"sources/own.yaml": SOURCE}))
    limits = Limits(accelerator=Choice(keep=("l4",)), where=("cloud",), residency="JP")
    found = breakeven(own, chat("8b"), limits)
    assert option(found, "rent").answer.offer.id.startswith("local-l4")
    one = crossing(found, "hours_per_month", "commit", "rent")
    assert (one.value, one.for_good, one.reason) == (0.0, 0.0, "at any number of hours")


SOURCE = """
own-quote:
  title: quote of a dealer
  date: 2026-11-01
  kind: vendor
  url: https://example.com
"""


def test_months_by_hand(frozen: Catalog) -> None:
    found = breakeven(frozen, chat("8b"))
    buy, rent, term = (option(found, way) for way in ("buy", "rent", "commit"))
    for other in (rent, term):
        one = crossing(found, "months", "buy", other.way)
        assert one.value is not None
        assert one.value == pytest.approx(buy.usd_initial / (other.usd_per_month - buy.usd_running_per_month))
        spent = [buy.usd_initial + (one.value + more) * buy.usd_running_per_month for more in (-0.1, 0.1)]
        rented = [(one.value + more) * other.usd_per_month for more in (-0.1, 0.1)]
        assert spent[0] > rented[0]
        assert spent[1] < rented[1]


def test_a_purchase_that_never_pays_back(frozen: Catalog) -> None:
    found = breakeven(frozen, chat())
    assert crossing(found, "months", "buy", "api").reason == "each month costs as much cash or more"
    buy, api = option(found, "buy"), option(found, "api")
    hardly = api.model_copy(update={"usd_running_per_month": buy.usd_running_per_month + buy.usd_initial / (12 * MOST_YEARS + 1)})
    (one,) = by_months((buy, hardly))
    assert (one.value, one.for_good, one.reason) == (None, None, "not within 10 years")


# -- the envelope and the bills


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(),
    model=st.sampled_from(("8b", "70b")),
    load=st.floats(1e5, 1e11),
    spare=st.integers(0, 2),
    headroom=st.sampled_from((0.0, 0.3)),
    hours=st.sampled_from((730.0, 220.0)),
    support=st.sampled_from((0.0, 0.1)),
)
def test_the_envelope_is_the_bill(
    frozen: Catalog, data: st.DataObject, model: str, load: float, spare: int, headroom: float, hours: float, support: float
) -> None:
    """Sized at 50 M tokens a day and read at another load, it gives the bill of the fleet that is sized for that load, to the cents.

    Power between the shares at which it was read lies on a straight line: 2 % at most. A fleet makes the tokens asked for to 0.3 %.
    """
    limits, payment = Limits(spare=spare, headroom=headroom), Payment(hours_per_month=hours)
    catalog = frozen.assuming({"support_share_of_bill": support})
    understood, options, found = solved(catalog, chat(model), limits, payment)
    hull = envelope(found, options, understood.spending, headroom=headroom)
    assert hull is not None
    rate = load * DAYS * (300 / 1300) / (3600 * hours)
    assert tokens_per_day_of(understood, rate) == pytest.approx(load)
    _, _, there = solved(catalog, chat(model, tokens_per_day=load), limits, payment)
    position = data.draw(st.integers(0, len(hull.priced) - 1))
    place, tariff = int(hull.places[position]), hull.priced[position].tariff
    assert tariff is not None
    assert there.candidates[place].layout == found.candidates[place].layout
    use = Usage(there, understood.spending).use(place)
    assert hull.working(rate)[position] == use.machines
    lines = tariff.lines(use)
    slack = {"power": 0.02, "cooling and losses": 0.02, "egress": 0.003}
    off = sum(0.01 + slack.get(line.name, 2e-6) * line.amount_usd for line in lines)
    month = float(hull.usd_per_month(rate)[position])
    assert month == pytest.approx(float(total(lines)), abs=off)
    assert hull.utilisation(rate, position) <= 1.0 + 1e-6


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(low=st.floats(1e3, 1e12), factor=st.floats(1.0, 100.0))
def test_more_load_never_costs_less(frozen: Catalog, low: float, factor: float) -> None:
    """Of each pair, and so of the cheapest; the cost of an API is proportional to the load."""
    understood, options, found = solved(frozen, chat(), Limits(), Payment())
    hull = envelope(found, options, understood.spending, headroom=0.0)
    assert hull is not None
    first, second = (load * DAYS * (300 / 1300) / (3600 * 730) for load in (low, low * factor))
    assert np.all(hull.usd_per_month(second) >= hull.usd_per_month(first) * (1 - 1e-12))
    assert hull.least(second)[0] >= hull.least(first)[0] * (1 - 1e-12)
    api = of_api(understood, "api", 1.25)
    assert api(second)[0] == pytest.approx(api(first)[0] * factor)
    assert api(first)[0] == pytest.approx(low * DAYS * 300 / 1300 / 1e6 * 1.25)


def test_the_curve_shows_round_loads_and_who_leads(frozen: Catalog) -> None:
    found = breakeven(frozen, chat())
    loads = [point.tokens_per_day for point in found.curve]
    expected = [step * 10**exponent for exponent in range(5, 10) for step in (1, 2, 5)]
    assert loads == pytest.approx([load for load in expected if 5e5 <= load <= 5e9])
    for point in found.curve:
        assert point.usd_per_month[point.cheapest] == min(point.usd_per_month.values())
        assert set(point.usd_per_month) == set(point.option) == {one.way for one in found.options}
    costs = [point.usd_per_month["api"] / point.tokens_per_day for point in found.curve]
    assert costs == pytest.approx([costs[0]] * len(costs))


# -- limits and what is refused


def test_budget_and_owned_are_refused(frozen: Catalog) -> None:
    with pytest.raises(UsageError, match="leave out --budget"):
        breakeven(frozen, chat(), Limits(budget_usd_per_month=500))
    with pytest.raises(UsageError, match="leave out --owned"):
        breakeven(frozen, chat(), Limits(owned="h100:8"))


def test_nothing_to_compare(frozen: Catalog) -> None:
    found = breakeven(frozen, chat("8b"), Limits(where=("api",)))
    assert (found.status, found.options, found.breakeven, found.curve, found.cheapest) == ("nothing_fits", (), (), (), None)
    assert found.reason
    assert set(found.missing) == set(WAYS)


def test_missing_ways_say_why(frozen: Catalog) -> None:
    edge = breakeven(frozen, chat("8b"), Limits(where=("edge",)))
    assert {one.way for one in edge.options} == {"buy"}
    assert edge.missing["rent"] == "no machine to rent is within the limits"
    assert "a year or more" in edge.missing["commit"]
    quick = breakeven(frozen, chat(), Limits(ttft_s=1e-6))
    assert quick.missing["buy"] == "no machine of this kind meets the targets"
    small = breakeven(frozen, chat(), Limits(accelerator=Choice(keep=("rtx-4090",))))
    assert small.missing["buy"] == "the model fits on no machine of this kind"


def test_residency_holds_for_every_way(frozen: Catalog) -> None:
    """No API says that it processes in Japan; in France one does."""
    japan, france = breakeven(frozen, chat(), Limits(residency="JP")), breakeven(frozen, chat(), Limits(residency="FR"))
    assert "api" in japan.missing
    assert {one.answer.offer.country for one in japan.options if one.kind == "rent"} == {"JP"}
    assert option(france, "api").answer.offer.provider == "ovhcloud"


def test_speed_of_an_api_is_not_known(frozen: Catalog) -> None:
    """Machines meet the target; the API is compared on price, and the page says so."""
    found = breakeven(frozen, chat(), Limits(ttft_s=1.0))
    assert option(found, "api").answer.reason == SPEED_UNKNOWN
    assert any("How fast the hosted API answers is not known" in text for text in found.warnings)
    for one in found.options:
        if one.way != "api":
            first = one.answer.performance.ttft_s.p95
            assert first is not None
            assert first <= 1.0
    assert not any("hosted API" in text for text in breakeven(frozen, chat()).warnings)


# -- what changes a bill


def test_hours_and_assumptions_act(frozen: Catalog) -> None:
    base, workload = breakeven(frozen, chat("8b")), chat("8b")
    part_time = breakeven(frozen, workload, payment=Payment(hours_per_month=365.0))
    (line,) = (line for line in option(part_time, "rent").lines if line.name == "instances")
    assert line.quantity == 365.0
    dear = breakeven(frozen, workload, payment=Payment(assume={"electricity_usd_per_kwh": 0.322}))
    assert bill(option(dear, "buy"))["power"] == pytest.approx(2 * bill(option(base, "buy"))["power"], abs=0.011)
    assert bill(option(dear, "rent")) == bill(option(base, "rent"))


def test_headroom_takes_more_machines(frozen: Catalog) -> None:
    machines = []
    for share in (0.0, 0.5):
        found = breakeven(frozen, chat(tokens_per_day=3e9), Limits(accelerator=Choice(keep=("mi300x",)), headroom=share))
        machines.append(option(found, "rent").answer.hardware.accelerators_total)
    assert machines[1] == pytest.approx(2 * machines[0], abs=1)


def test_no_number_is_infinite_or_none_at_all(frozen: Catalog) -> None:
    for workload in (chat(), chat("8b", tokens_per_day=1e-3), chat("8b", tokens_per_day=1e15)):
        text = breakeven(frozen, workload).model_dump_json(by_alias=True)
        json.loads(text, parse_constant=pytest.fail)
