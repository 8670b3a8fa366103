"""Money: annuity, electricity, colocation and cost per token, worked by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.physics.cost import annuity_share, hosting_usd_per_h, owned_usd_per_h, power_usd_per_h, usd_per_mtok


def test_annuity_of_two_years() -> None:
    """At 10 % over 2 years: 0.1 / (1 - 1/1.21) = 0.1 x 1.21 / 0.21 = 0.576190."""
    assert annuity_share(years=2.0, capital_rate=0.1) == pytest.approx(0.576190, rel=1e-5)


@given(years=st.integers(1, 10), rate=st.floats(0.005, 0.3))
def test_the_annuity_pays_off_the_price(years: int, rate: float) -> None:
    """A ledger: each year interest on what is owed, then one payment; nothing is owed at the end."""
    owed, payment = 1.0, annuity_share(years=float(years), capital_rate=rate)
    for _ in range(years):
        owed = owed * (1 + rate) - payment
    assert owed == pytest.approx(0.0, abs=1e-9)


def test_small_interest_is_straight_line() -> None:
    """Four years at next to no interest: a quarter each year."""
    assert annuity_share(years=4.0, capital_rate=1e-6) == pytest.approx(0.25, rel=1e-5)


def test_owning_for_a_year() -> None:
    """One year at 10 %: 87,600 USD cost 96,360 at its end. Half the price comes back then, 43,800: 52,560 / 8,760 h = 6 USD/h."""
    assert owned_usd_per_h(price_usd=87_600.0, residual_share=0.5, years=1.0, capital_rate=0.1) == pytest.approx(6.0)
    assert owned_usd_per_h(price_usd=87_600.0, residual_share=0.0, years=1.0, capital_rate=0.1) == pytest.approx(11.0)


@given(price=st.floats(1, 1e6), share=st.floats(0, 0.9), years=st.integers(1, 8), rate=st.floats(0.01, 0.2))
def test_payments_and_resale_balance_the_price(price: float, share: float, years: int, rate: float) -> None:
    """A ledger: borrow the price, pay a year of hours each year, sell at the end; nothing is left over."""
    owed = price
    for _ in range(years):
        owed = owed * (1 + rate) - 8760 * owned_usd_per_h(price_usd=price, residual_share=share, years=float(years), capital_rate=rate)
    assert owed == pytest.approx(price * share, rel=1e-6, abs=1e-6 * price)


def test_electricity_of_a_server() -> None:
    """7,140 W x 1.4 = 9.996 kW; x 0.161 USD/kWh = 1.60936 USD/h."""
    assert power_usd_per_h(power_w=7140.0, facility_overhead=1.4, usd_per_kwh=0.161) == pytest.approx(1.60936, rel=1e-5)


def test_colocation_of_a_server() -> None:
    """10.2 kW rated x 150 USD/kW = 1,530 USD a month; / 730 h = 2.09589 USD/h."""
    assert hosting_usd_per_h(rated_w=10_200.0, usd_per_kw_month=150.0, hours_per_month=730.0) == pytest.approx(2.09589, rel=1e-5)


def test_cost_of_a_million_tokens() -> None:
    """7.2 USD/h at 2,000 tokens/s = 7.2 million tokens/h: 1 USD per million."""
    assert usd_per_mtok(usd_per_h=7.2, tokens_per_s=2000.0) == pytest.approx(1.0)


@given(usd_per_h=st.floats(0.01, 1e3), tokens_per_s=st.floats(0.1, 1e6), hours=st.floats(0.1, 1e4))
def test_cost_times_tokens_is_the_bill(usd_per_h: float, tokens_per_s: float, hours: float) -> None:
    tokens = tokens_per_s * 3600 * hours
    assert usd_per_mtok(usd_per_h=usd_per_h, tokens_per_s=tokens_per_s) * tokens / 1e6 == pytest.approx(usd_per_h * hours)
