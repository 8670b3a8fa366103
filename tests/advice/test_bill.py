"""Every figure of an answer follows from the lines of its bill, and every line is a quantity times a unit price, to the cent."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra_advisor.advice.answer import Answer, Cost, Recommendation
from infra_advisor.advice.charges import Charge, Tariff, Use
from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.recommend import recommend
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.workload import Workload

CENT = Decimal("0.01")
JPY_PER_USD = 157.25027
WEIGHTS_GB = 9.082679
"""Of the 8B model in 8 bits, with two tables in 16."""
KINDS = ("rent", "buy", "api")
LINES = {
    "rent": {
        "instances", "spare machines", "idle hours", "host", "storage of weights", "egress", "load balancer", "power, cooling and space",
        "operations", "support",
    },
    "buy": {
        "hardware", "host", "resale", "cost of capital", "operations", "space", "spare machines", "power", "cooling and losses", "network",
        "idle hours", "storage of weights", "egress", "load balancer", "support",
    },
    "api": {
        "input tokens", "cached input tokens", "output tokens", "thinking tokens", "machines", "storage of weights",
        "power, cooling and space", "egress", "support",
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def closed_form_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Money does not depend on what simulation settles."""
    monkeypatch.setattr("infra_advisor.advice.finalists.MOST_FINALISTS", 0)


def bill(row: Answer) -> dict[str, float]:
    """Line -> USD."""
    return {line.name: line.amount_usd for line in row.cost.lines}


def quantities(row: Answer) -> dict[str, float]:
    return {line.name: line.quantity for line in row.cost.lines}


def notes(row: Answer) -> dict[str, str | None]:
    return {line.name: line.note for line in row.cost.lines}


def on(found: Recommendation, offer: str) -> Answer:
    """The first ranked answer on an offer."""
    return next(row for row in found.ranked if row.offer.id.startswith(offer))


def kind(row: Answer) -> str:
    if row.hardware.class_ == "api":
        return "api"
    return "buy" if row.offer.purchase_usd is not None else "rent"


def priced(found: Recommendation) -> Iterator[Answer]:
    for row in (*found.ranked, *found.near_misses, *found.unranked):
        if row.cost.lines:
            yield row


# -- by hand, for random questions


def check_lines(cost: Cost) -> Decimal:
    """The sum, after each product has been redone; amounts of a million tokens are not rounded to the cent, as they are far smaller."""
    step = CENT if cost.lines_per == "month" else Decimal("0.000001")
    total = Decimal(0)
    for line in cost.lines:
        product = Decimal(str(line.quantity)) * Decimal(str(line.unit_price_usd))
        amount = Decimal(str(line.amount_usd))
        assert amount == product.quantize(step, ROUND_HALF_UP), line
        assert line.quantity >= 0
        if not line.amount_usd:
            assert line.note, f"{line.name}: nothing says why it costs nothing"
        total += amount
    return total


def check_cost(row: Answer, workload: Workload, payment: Payment) -> None:
    """The figures of an answer, each from its lines and its rate of output alone."""
    cost, rate = row.cost, row.performance.output_tokens_per_s
    total = check_lines(cost)
    share = workload.output_tokens / (workload.input_tokens + workload.output_tokens)
    assert cost.usd_per_mtok_output is not None
    assert cost.usd_per_mtok_total == pytest.approx(cost.usd_per_mtok_output * share)
    if cost.lines_per == "mtok_output":
        assert (cost.usd_per_month, cost.usd_per_h) == (None, None)
        assert cost.usd_per_month_reason
        assert cost.usd_per_mtok_output == float(total)
        return
    assert rate is not None
    assert cost.usd_per_month == float(total)
    assert cost.hours_per_month == payment.hours_per_month
    assert cost.usd_per_h == pytest.approx(float(total) / payment.hours_per_month)
    mtok = rate * 3600 * payment.hours_per_month / 1e6
    unrounded = 0.005 * len(cost.lines) if kind(row) == "api" else 0.0  # an API's price of a token does not wait for a bill of cents
    assert cost.usd_per_mtok_output * mtok == pytest.approx(float(total), rel=1e-6, abs=unrounded)
    assert cost.usd_three_years == pytest.approx(36 * float(total), abs=0.006)
    load = next(point for point in cost.points if point.point == "load")
    assert (load.usd_per_month, load.usd_per_mtok_output) == (cost.usd_per_month, cost.usd_per_mtok_output)
    for point in cost.points:
        requests = point.output_tokens_per_s * 3600 * payment.hours_per_month / workload.output_tokens
        month = pytest.approx(point.usd_per_month, rel=1e-6, abs=unrounded)
        assert point.usd_per_mtok_output * requests * workload.output_tokens / 1e6 == month
        assert point.usd_per_mtok_total * requests * (workload.input_tokens + workload.output_tokens) / 1e6 == month
        assert point.usd_per_1000_requests * requests / 1000 == month
    if workload.users:
        assert load.usd_per_user_month == pytest.approx(cost.usd_per_month / workload.users)
    else:
        assert {point.usd_per_user_month for point in cost.points} == {None}
    if kind(row) != "api":
        low, high = cost.usd_per_mtok_output_low, cost.usd_per_mtok_output_high
        assert low is not None
        assert high is not None
        assert low <= cost.usd_per_mtok_output <= high
        for point in cost.points:  # the band is one of speed: the same factors at every load
            assert point.usd_per_mtok_output_low is not None
            assert point.usd_per_mtok_output_high is not None
            assert point.usd_per_mtok_output_low / point.usd_per_mtok_output == pytest.approx(low / cost.usd_per_mtok_output)
            assert point.usd_per_mtok_output_high / point.usd_per_mtok_output == pytest.approx(high / cost.usd_per_mtok_output)
    if cost.utilisation:
        (limit,) = (point for point in cost.points if point.point == "limit")
        assert cost.utilisation == pytest.approx(rate / limit.output_tokens_per_s)
        assert limit.usd_per_mtok_output == cost.usd_per_mtok_output_at_limit


LOADS: st.SearchStrategy[dict[str, float]] = st.one_of(
    st.just({}),
    st.floats(1, 500).map(lambda value: {"users": value}),
    st.integers(1, 200).map(lambda value: {"concurrency": float(value)}),
    st.floats(1e-6, 100).map(lambda value: {"request_rate_per_s": value}),
    st.floats(1e4, 1e10).map(lambda value: {"tokens_per_day": value}),
)
PAYMENTS = st.builds(
    Payment,
    commit=st.sampled_from(("none", "1y", "3y", "auto")),
    hours_per_month=st.one_of(st.just(730.0), st.floats(1, 730)),
    cached_share=st.floats(0, 1),
    batch=st.booleans(),
    assume=st.dictionaries(
        st.sampled_from(
            ("residual_share", "support_share_of_bill", "electricity_usd_per_kwh", "cost_of_capital_per_year", "power_draw_share")
        ),
        st.floats(0, 1),
        max_size=2,
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    model=st.sampled_from(("8b", "70b")),
    load=LOADS,
    lengths=st.tuples(st.integers(1, 4000), st.integers(2, 2000), st.booleans()),
    limits=st.builds(
        Limits, residency=st.sampled_from((None, None, "JP", "US")), spare=st.integers(0, 2), headroom=st.sampled_from((0.0, 0.3))
    ),
    payment=PAYMENTS,
)
def test_every_figure_follows_from_the_lines(
    frozen: Catalog, model: str, load: dict[str, float], lengths: tuple[int, int, bool], limits: Limits, payment: Payment
) -> None:
    thought = lengths[1] // 2 if lengths[2] else 0
    workload = Workload(model=model, input_tokens=lengths[0], output_tokens=lengths[1], reasoning_tokens=thought, **load)  # type: ignore[arg-type]
    found = recommend(frozen, workload, limits, payment=payment, top=0)
    checked = 0
    for row in priced(found):
        check_cost(row, workload, payment)
        expected = LINES[kind(row)]
        assert {line.name for line in row.cost.lines} - {"minimum purchase"} == expected
        assert len(row.cost.lines) == len({line.name for line in row.cost.lines})
        checked += 1
    assert checked or payment.commit in ("1y", "3y") or found.status == "nothing_fits"


def test_each_kind_is_among_those_checked(frozen: Catalog) -> None:
    """And the lines of a kind are the same whether they cost something or not."""
    found = recommend(frozen, Workload(model="70b", request_rate_per_s=2), Limits(), top=0)
    assert {kind(row) for row in found.ranked} == set(KINDS)
    for row in found.ranked:
        assert set(bill(row)) == LINES[kind(row)]


@settings(max_examples=200, deadline=None)
@given(
    charges=st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(0, 1e3)), min_size=1, max_size=8),
    machines=st.integers(1, 1000),
    support=st.floats(0, 0.2),
    minimum=st.floats(0, 1e6),
)
def test_a_tariff_bills_what_it_ranks_by(charges: list[tuple[float, float]], machines: int, support: float, minimum: float) -> None:
    """The unrounded month lies within the rounding of the lines; no bill falls below the smallest purchase."""
    tariff = Tariff(
        charges=tuple(
            Charge(name=f"line {number}", unit="each", usd=usd, driver="machines", each=each, note="such is the price")
            for number, (usd, each) in enumerate(charges)
        ),
        support_share=support,
        minimum_usd=minimum,
    )
    use = Use(machines=machines)
    lines = tariff.lines(use)
    total = sum(Decimal(str(line.amount_usd)) for line in lines)
    rough = sum(abs(usd) + each * machines + abs(usd) * each * machines + 1 for usd, each in charges)
    slack = 1e-6 * rough + 0.02 * len(lines)  # a millionth of a quantity or a price, a cent of an amount
    assert float(total) == pytest.approx(tariff.month_usd(use), abs=slack)
    assert float(total) >= minimum - 0.01
    with_top_up = [line for line in lines if line.name == "minimum purchase"]
    assert len(with_top_up) == (float(total - sum((Decimal(str(line.amount_usd)) for line in with_top_up), Decimal(0))) < minimum)


# -- a bill in full


def test_a_rented_machine_line_by_line(frozen: Catalog) -> None:
    """One L4 in Tokyo at 1.1672 USD an hour; 300 bytes for each token at 0.09 USD/GB; 9.08 GB of weights at 0.08."""
    row = on(recommend(frozen, Workload(model="8b", concurrency=4), Limits(residency="JP"), top=0), "aws-g6")
    assert row.performance.output_tokens_per_s is not None
    gb = row.performance.output_tokens_per_s * 3600 * 730 * 300 / 1e9
    expected = {
        "instances": 852.06,  # 730 x 1.1672 = 852.056
        "storage of weights": 0.73,  # 9.082679 x 0.08 = 0.727
        "egress": round(gb * 0.09, 2),
    }
    assert {name: usd for name, usd in bill(row).items() if usd} == pytest.approx(expected, abs=0.01)
    assert row.cost.usd_per_month == pytest.approx(sum(expected.values()), abs=0.011)
    assert quantities(row)["storage of weights"] == pytest.approx(WEIGHTS_GB)
    assert row.cost.usd_initial == 0.0


def test_egress_is_free_where_the_provider_says_so(frozen: Catalog) -> None:
    row = on(recommend(frozen, Workload(model="8b", concurrency=4), Limits(residency="JP"), top=0), "sakura")
    assert (bill(row)["egress"], notes(row)["egress"]) == (0.0, "the provider charges none")
    assert bill(row)["instances"] == pytest.approx(730 * 990 / 1.1 / JPY_PER_USD, abs=0.01)


def test_a_load_balancer_stands_before_several_machines_only(frozen: Catalog) -> None:
    """Eight L4 that one machine rents out are one machine; several machines that each run a replica share one balancer."""
    limits = Limits(where=("cloud",), accelerator=Choice(keep=("l4",)))
    seen = set()
    for users in (1, 2000):
        for row in recommend(frozen, Workload(model="8b", users=users), limits, top=0, merge="offer").ranked:
            several = row.hardware.instances > 1
            assert bill(row)["load balancer"] == (20.0 if several else 0.0)
            assert several or notes(row)["load balancer"] == "one machine needs none"
            seen.add(several)
    assert seen == {True, False}


def test_spare_machines_are_lines_of_their_own(frozen: Catalog) -> None:
    """A rented spare costs its hours and a disk; a bought one all that does not depend on use, and the power of a machine that waits.

    Waiting, each of eight H100 draws 18 % of its 700 W and its host 70 % of 82 % of 700 W: 8 x (126 + 401.8) = 4,222.4 W.
    """
    workload = Workload(model="8b", concurrency=4)
    alone, spared = (recommend(frozen, workload, Limits(spare=spare), top=0) for spare in (0, 2))
    rent, rents = on(alone, "aws-g6.xlarge"), on(spared, "aws-g6.xlarge")
    assert bill(rents)["spare machines"] == pytest.approx(2 * bill(rent)["instances"], abs=0.015)
    assert bill(rents)["instances"] == bill(rent)["instances"]
    assert bill(rents)["storage of weights"] == pytest.approx(3 * WEIGHTS_GB * 0.08, abs=0.006)
    assert (bill(rent)["spare machines"], notes(rent)["spare machines"]) == (0.0, "none asked for")
    buy, buys = on(alone, "buy-8x-h100"), on(spared, "buy-8x-h100")
    fixed = sum(bill(buy)[name] for name in ("hardware", "host", "resale", "cost of capital", "operations", "space"))
    assert bill(buys)["spare machines"] == pytest.approx(2 * fixed, abs=0.1)
    waiting_kwh = 2 * 8 * (0.18 * 700 + 0.7 * 0.82 * 700) / 1000 * 730
    assert bill(buys)["power"] == pytest.approx(bill(buy)["power"] + waiting_kwh * 0.161, abs=0.02)
    assert bill(buys)["network"] == bill(buy)["network"] == 300
    assert buys.cost.usd_initial == 3 * 285_000


def test_an_own_room_costs_power_alone(frozen: Catalog) -> None:
    """Two RTX 4090 at home: what they and their host draw x 730 h x 0.161 USD/kWh; nothing else, each line with its reason."""
    row = on(recommend(frozen, Workload(model="8b", concurrency=4), Limits(where=("edge",)), top=0), "buy-2x-rtx-4090")
    assert row.energy.power_w is not None
    assert 2 * 450 * 0.18 + 180 * 0.7 < row.energy.power_w < 2 * 450 + 180
    assert bill(row)["power"] == pytest.approx(row.energy.power_w / 1000 * 730 * 0.161, abs=0.01)
    free = {name for name, usd in bill(row).items() if not usd}
    assert {"space", "network", "operations", "cooling and losses", "egress", "storage of weights", "load balancer"} <= free
    assert "own room" in (notes(row)["space"] or "")
    assert "own room" in (notes(row)["cooling and losses"] or "")
    assert notes(row)["network"] == "shares the line that is there"


def test_a_device_that_is_paid_for_has_zero_lines_for_hardware(frozen: Catalog) -> None:
    row = recommend(frozen, Workload(model="8b", concurrency=4), Limits(owned="h100:8")).ranked[0]
    for name in ("hardware", "host", "resale", "cost of capital", "operations"):
        assert (bill(row)[name], notes(row)[name]) == (0.0, "the machine is paid for")


# -- budgets


@pytest.mark.parametrize(
    ("workload", "limits", "offer"),
    [
        (Workload(model="8b", concurrency=4), Limits(where=("cloud",), residency="JP", accelerator=Choice(keep=("l4",))), "aws-g6"),
        (Workload(model="8b", concurrency=4), Limits(where=("onprem",), residency="JP", accelerator=Choice(keep=("h100",))), "buy-8x"),
        (Workload(model="8b", request_rate_per_s=2e5), Limits(provider=Choice(keep=("sakura",))), "sakura-vrt"),
        (Workload(model="70b", request_rate_per_s=5e5), Limits(where=("onprem",), residency="JP"), "buy-8x"),
        (Workload(model="70b", request_rate_per_s=2), Limits(where=("api",), residency="FR"), "ovhcloud"),
    ],
    ids=["rented", "bought", "thousands of machines priced in yen", "thousands of servers", "api"],
)
def test_a_budget_of_exactly_the_bill_fits_and_a_cent_less_does_not(
    frozen: Catalog, workload: Workload, limits: Limits, offer: str
) -> None:
    row = on(recommend(frozen, workload, limits, top=0), offer)
    assert row.cost.usd_per_month is not None

    def fitting(usd: float) -> set[float | None]:
        within = replace(limits, budget_usd_per_month=round(usd, 2))
        return {one.cost.usd_per_month for one in recommend(frozen, workload, within, top=0).ranked}

    assert row.cost.usd_per_month in fitting(row.cost.usd_per_month)
    tight = fitting(row.cost.usd_per_month - 0.01)
    assert all(usd is not None and usd <= row.cost.usd_per_month - 0.009 for usd in tight)


# -- tokens of hosted APIs


def test_a_token_costs_the_same_at_any_load(frozen: Catalog) -> None:
    """(1,000 x 0.23 + 300 x 0.40) / 300, known or not, and though a month of three requests costs nothing to the cent."""
    for load in ({}, {"request_rate_per_s": 1e-6}, {"request_rate_per_s": 50.0}):
        found = recommend(frozen, Workload(model="70b", **load), Limits(where=("api",)))  # type: ignore[arg-type]
        assert [row.offer.provider for row in found.ranked] == ["deepinfra", "ovhcloud", "azure"]
        assert found.ranked[0].cost.usd_per_mtok_output == pytest.approx((1000 * 0.23 + 300 * 0.40) / 300, rel=1e-6)
