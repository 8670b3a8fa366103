"""Amounts in another currency: the USD amount times the rate, rounded as honestly as in USD, yen without decimals."""

import math
from decimal import Decimal

import pytest
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st
from present import samples

from infra_advisor.advice.parts import CurrencyPart
from infra_advisor.present import numbers
from infra_advisor.present.money import USD, Money, money_in, options_in_usd
from infra_advisor.present.output import render
from infra_advisor.present.words import words

PER_USD = 157.25


def rate(code: str = "JPY", per_usd: float = PER_USD, **changes: object) -> CurrencyPart:
    fields: dict[str, object] = {"day": "2026-10-30", "age_d": 23, "source": "ECB reference rates", "source_id": "ecb-2026-10"}
    return CurrencyPart.model_validate({"code": code, "per_usd": per_usd, **fields, **changes})


YEN = money_in(rate())
EURO = money_in(rate("EUR", 0.895))
WAYS = ("usd", "hourly", "monthly")
amounts = st.floats(min_value=1e-4, max_value=1e8)


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (4.41, "693"),  # 4.41 x 157.25 = 693.4725
        (0.22, "35"),  # 34.595
        (0.0632, "9.9"),  # 9.9382: below ten yen two digits say something
        (0.0635, "10"),  # 9.985 is ten yen in two digits
        (0.001, "0.16"),  # 0.15725
        (2518.0, "395,956"),  # 395,955.5 and half a yen goes to the even one
        (0.0, "0"),
        (None, "?"),
        (math.nan, "?"),
        (math.inf, "?"),
    ],
)
def test_yen_have_no_decimals_and_thousands_apart(usd: float | None, text: str) -> None:
    assert {getattr(YEN, way)(usd) for way in WAYS} == {text}


@pytest.mark.parametrize(
    ("way", "usd", "text"),
    [
        ("usd", 10.0, "8.95"),
        ("usd", 2000.0, "1,790"),
        ("hourly", 0.5, "0.448"),  # 0.4475
        ("hourly", 2.0, "1.79"),
        ("monthly", 200.0, "179"),
        ("monthly", 20.0, "17.90"),
    ],
)
def test_a_currency_with_cents_is_written_like_the_dollar(way: str, usd: float, text: str) -> None:
    assert getattr(EURO, way)(usd) == text


@given(amounts)
def test_what_is_written_is_the_usd_amount_times_the_rate(usd: float) -> None:
    """Two digits at least: the text is within half a unit of the second digit, or within half a yen."""
    for way in WAYS:
        written = float(getattr(YEN, way)(usd).replace(",", ""))
        exact = usd * PER_USD
        second_digit = 10.0 ** (math.floor(math.log10(exact)) - 1)
        assert abs(written - exact) <= 0.5000001 * min(max(second_digit, 1e-12), 1.0)


@given(amounts, amounts)
def test_the_larger_amount_is_never_written_as_the_smaller(one: float, other: float) -> None:
    low, high = sorted((one, other))
    for money in (YEN, EURO):
        for way in WAYS:
            assert float(getattr(money, way)(low).replace(",", "")) <= float(getattr(money, way)(high).replace(",", ""))


@given(st.floats(min_value=0.07, max_value=1e8))
def test_yen_are_written_as_babel_writes_them_in_english_and_japanese(usd: float) -> None:
    for locale in ("en", "ja"):
        assert YEN.usd(usd) == format_decimal(round(usd * PER_USD), locale=locale)


NAMES = (
    "usd_per_h", "usd_per_h_low", "usd_per_h_high", "budget_usd_per_month", "usd_per_mtok_output", "host_pc_usd", "bytes_per_usd",
    "electricity_usd_per_kwh", "egress_hyperscaler_usd_per_gb", "ttft_s", "memory_bytes", "throughput_tokens_per_s",
)  # fmt: skip


@given(st.sampled_from(NAMES), amounts)
def test_named_figures_differ_from_those_in_usd_by_the_code_alone(name: str, value: float) -> None:
    """A currency that is worth a dollar writes what the dollar writes."""
    twin = Money("EUR", 1.0, 2, rate("EUR", 1.0))
    in_usd = numbers.by_name(name, value)
    assert twin.by_name(name, value) == (in_usd if name.endswith("_per_kwh") else in_usd.replace("USD", "EUR"))
    assert USD.by_name(name, value) == in_usd
    assert USD.stated(name, value) == numbers.stated(name, value)


def test_named_figures_in_yen() -> None:
    assert YEN.by_name("usd_per_h", 2.0) == "314 JPY/h"  # 314.5, to the even one
    assert YEN.by_name("bytes_per_usd", PER_USD * 1e12) == "1.00 TB per JPY"
    assert YEN.stated("budget_usd_per_month", 800_000 / PER_USD) == "800,000 JPY/month"
    assert (YEN.by_name("usd_per_h", None), YEN.by_name("host_pc_usd", "as quoted")) == ("?", "as quoted")


@pytest.mark.parametrize(
    ("text", "in_yen"),
    [
        ("over the budget of 5,087 USD a month: fixed", "over the budget of 800,000 JPY a month: fixed"),  # 799,931 +- 79
        ("0.161 USD/kWh", "25 JPY/kWh"),  # 25.3
        ("hardware 25,000 USD = 1.50 USD/h", "hardware 3,931,200 JPY = 236 JPY/h"),  # 3,931,250 +- 79; 235.9 +- 0.8
        ("157.25 per USD, 5 USDT, USD 5", "157.25 per USD, 5 USDT, USD 5"),
    ],
)
def test_sentences_of_a_record(text: str, in_yen: str) -> None:
    assert YEN.sentence(text) == in_yen
    assert USD.sentence(text) == text


def test_what_is_stated_is_exact_to_the_cent() -> None:
    assert YEN.sentence("300 USD") == "47,200 JPY"  # 47,175 +- 79
    assert YEN.stated_sentence("300 USD of 0.2 USD/kWh") == "47,175 JPY of 31 JPY/kWh"  # +- 0.8
    assert USD.stated_sentence("300 USD") == "300 USD"


@pytest.mark.parametrize(
    ("usd", "yen"),
    [
        (3.45, "542.5125"),  # 3.45 x 157.25, and no digit to spare: 542.512 would be 3.449997
        (0.08, "12.58"),
        (0.152623, "24"),  # 24 / 157.25 = 0.15262321
        (1083.333333, "170,354.1666"),  # 170,354.16661
    ],
)
def test_unit_prices_say_what_they_say_in_usd(usd: float, yen: str) -> None:
    assert YEN.unit_price(usd) == yen
    assert USD.unit_price(usd) == numbers.plain(usd)


@given(st.lists(st.integers(-10_000_000, 10_000_000), min_size=1, max_size=12), st.floats(0.2, 20_000.0), st.sampled_from([0, 2, 3]))
def test_a_bill_adds_up_as_it_is_written(cents: list[int], per_usd: float, decimals: int) -> None:
    """In every currency: the amounts to the total, each within a coin of what it is, the total within half a coin."""
    money = Money("JPY", per_usd, decimals, rate(per_usd=per_usd))
    usd = [cent / 100 for cent in cents]
    texts, total = money.amounts(usd)
    coin = Decimal(10) ** -decimals
    written = [Decimal(text.replace(",", "")) for text in texts]
    assert sum(written) == Decimal(total.replace(",", ""))
    for one, value in zip(written, usd, strict=True):
        assert abs(float(one) - value * per_usd) <= float(coin) * 1.0001
    assert abs(float(total.replace(",", "")) - sum(usd) * per_usd) <= float(coin) * 0.5001
    in_usd, dollars = USD.amounts(usd)
    assert (in_usd, dollars) == ([f"{value:,.2f}" for value in usd], f"{sum(cents) / 100:,.2f}")


@given(st.floats(min_value=1.0, max_value=1e7))
def test_a_budget_in_a_sentence_is_the_one_that_was_given(yen: float) -> None:
    """The records write whole USD; half a USD either way is 79 yen."""
    given_usd = yen / PER_USD
    written = YEN.sentence(f"{given_usd:,.0f} USD").removesuffix(" JPY").replace(",", "")
    assert abs(float(written) - yen) <= PER_USD + 0.5


def test_the_option_that_admits_an_option_does_so_in_yen_too() -> None:
    """7,271 x 157.25 = 1,143,364.75: a yen less would not pay for it."""
    assert YEN.option("--ttft 620ms and --budget 7271/month") == "--ttft 620ms and --budget 1143365JPY/month"
    assert USD.option("--budget 7271/month") == "--budget 7271/month"
    assert options_in_usd('"--budget 7271/month"') == '"--budget 7271USD/month"'


@given(st.integers(min_value=1, max_value=10**7), st.floats(min_value=0.5, max_value=2000))
def test_the_relaxed_budget_is_never_below_what_it_must_pay(usd: int, per_usd: float) -> None:
    money = Money("JPY", per_usd, 0, rate(per_usd=per_usd))
    relaxed = money.option(f"--budget {usd}/month").removeprefix("--budget ").removesuffix("JPY/month")
    assert int(relaxed) / per_usd >= usd * (1 - 1e-12)


@pytest.mark.parametrize("form", ["table", "markdown"])
@pytest.mark.parametrize(
    "record", [samples.recommendation(), samples.comparison(), samples.estimate()], ids=["recommend", "compare", "estimate"]
)
def test_no_page_in_yen_speaks_of_usd_but_for_the_rate(record: object, form: str) -> None:
    page = render(record, form, currency=rate(consumption_tax_share=0.1))  # type: ignore[arg-type]
    text = " ".join(page.split())
    foot = "JPY at 157.25 per USD (ECB reference rates; 2026-10-30, 23 days old). Japanese consumption tax of 10 %"
    assert foot in text
    assert "USD" not in text.replace(foot, "")
    assert "JPY" in text.replace(foot, "")


def test_an_old_rate_is_marked() -> None:
    say = words().with_money(money_in(rate(marks=("stale",), age_d=52)))
    assert "52 days old) ! stale." in render(samples.recommendation(), "markdown", currency=say.money.rate)


def test_in_usd_nothing_is_said_of_a_rate() -> None:
    assert money_in(None) is USD
    assert "Amounts in" not in render(samples.recommendation(), "table")
