"""Money: annuity, write-off, capital and cost per token, worked by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.physics.cost import annuity_share, capital_usd_per_month, usd_per_mtok, write_off_usd_per_month


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
    """One year at 10 %: 87,600 USD cost 96,360 at its end, 8,030 a month: 7,300 of write-off and 730 of capital.

    Half the price comes back then, 43,800: 52,560 are to be paid, 4,380 a month, of which 3,650 write off what is lost.
    """
    assert write_off_usd_per_month(price_usd=87_600.0, years=1.0) == pytest.approx(7300.0)
    assert capital_usd_per_month(price_usd=87_600.0, residual_usd=0.0, years=1.0, capital_rate=0.1) == pytest.approx(730.0)
    assert write_off_usd_per_month(price_usd=43_800.0, years=1.0) == pytest.approx(3650.0)
    assert capital_usd_per_month(price_usd=87_600.0, residual_usd=43_800.0, years=1.0, capital_rate=0.1) == pytest.approx(730.0)


@given(price=st.floats(1, 1e6), share=st.floats(0, 0.9), years=st.integers(1, 8), rate=st.floats(0.01, 0.2))
def test_payments_and_resale_balance_the_price(price: float, share: float, years: int, rate: float) -> None:
    """A ledger: borrow the price, pay twelve months each year, sell at the end; nothing is left over."""
    owed, back = price, price * share
    month = write_off_usd_per_month(price_usd=price - back, years=float(years))
    month += capital_usd_per_month(price_usd=price, residual_usd=back, years=float(years), capital_rate=rate)
    for _ in range(years):
        owed = owed * (1 + rate) - 12 * month
    assert owed == pytest.approx(back, rel=1e-6, abs=1e-6 * price)


def test_cost_of_a_million_tokens() -> None:
    """7.2 USD/h at 2,000 tokens/s = 7.2 million tokens/h: 1 USD per million."""
    assert usd_per_mtok(usd_per_h=7.2, tokens_per_s=2000.0) == pytest.approx(1.0)


@given(usd_per_h=st.floats(0.01, 1e3), tokens_per_s=st.floats(0.1, 1e6), hours=st.floats(0.1, 1e4))
def test_cost_times_tokens_is_the_bill(usd_per_h: float, tokens_per_s: float, hours: float) -> None:
    tokens = tokens_per_s * 3600 * hours
    assert usd_per_mtok(usd_per_h=usd_per_h, tokens_per_s=tokens_per_s) * tokens / 1e6 == pytest.approx(usd_per_h * hours)
