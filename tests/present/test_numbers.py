"""Numbers as people read them. Expected texts follow from the unit definitions and the number of digits alone."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.present import numbers


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0123456, 3, "0.0123"),
        (12345.0, 3, "12,300"),
        (9.996, 3, "10.0"),
        (0.0, 3, "0"),
        (1.0, 2, "1.0"),
        (999.6, 3, "1,000"),
        (-2.345, 2, "-2.3"),
    ],
)
def test_significant(value: float, digits: int, text: str) -> None:
    assert numbers.significant(value, digits) == text


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
@pytest.mark.parametrize(
    "write",
    [
        numbers.significant,
        numbers.exact,
        numbers.duration,
        numbers.size,
        numbers.usd,
        numbers.hourly,
        numbers.monthly,
        numbers.percent,
        numbers.whole,
        numbers.about,
        numbers.count,
    ],
)
def test_unknown_is_never_a_number(write: object, value: float | None) -> None:
    assert write(value) == "?"  # type: ignore[operator]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (83e-6, "83.0 us"), (0.0214, "21.4 ms"), (0.5, "500 ms"), (0.9996, "1.00 s"), (1.25, "1.25 s"), (119.0, "119 s"),
        (120.0, "2.00 min"), (7200.0, "2.00 h"), (172_800.0, "2.00 d"),
    ],
)  # fmt: skip
def test_duration(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text


def test_sizes_are_binary_and_rates_decimal() -> None:
    """80e9 / 2^30 = 74.5; 3.35e12 B/s is what data sheets print as 3.35 TB/s."""
    assert numbers.size(80e9) == "74.5 GiB"
    assert numbers.per_s(3.35e12, "B") == "3.35 TB/s"
    assert numbers.per_s(1.979e15, "FLOP") == "1.98 PFLOP/s"
    assert numbers.count(70.6e9) == "70.6B"


@pytest.mark.parametrize(
    ("value", "text"), [(0.0042, "0.0042"), (0.42, "0.42"), (9.9, "9.90"), (999.99, "999.99"), (7270.8, "7,271"), (0.0, "0.00")]
)
def test_usd(value: float, text: str) -> None:
    assert numbers.usd(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.1858, "1.19"),
        (0.9996, "1.00"),
        (0.82361, "0.824"),
        (0.0042, "0.0042"),
        (9.96, "9.96"),
        (5.8, "5.80"),
        (213.273, "213.27"),
        (0.0, "0.00"),
        (0.287, "0.287"),
        (4172.8, "4,172.80"),
        (72.0, "72.00"),
    ],
)
def test_hourly(value: float, text: str) -> None:
    assert numbers.hourly(value) == text


@given(st.floats(0.05, 5000))
def test_hourly_times_730_is_the_month_that_is_shown(usd_per_h: float) -> None:
    """What is printed per hour, times 730, agrees with what is printed per month but for the rounding of both.

    Half a cent an hour from one USD on is 3.65 USD a month, half a thousandth below is 0.365; a month is rounded by half a USD at most.
    """
    hour = float(numbers.hourly(usd_per_h).replace(",", ""))
    month = float(numbers.monthly(usd_per_h * 730).replace(",", ""))
    assert abs(hour * 730 - month) <= (3.65 if usd_per_h >= 0.9995 else 0.365) + 0.5 + 1e-6


def test_span_shares_the_unit() -> None:
    assert numbers.span(0.17, 0.29, lambda value: numbers.duration(value, 2)) == "170–290 ms"
    assert numbers.span(0.9, 1.2, lambda value: numbers.duration(value, 2)) == "900 ms – 1.2 s"
    assert numbers.span(2.0, 2.0, numbers.usd) == "2.00"
    assert numbers.span(None, 1.0, numbers.usd) is None


def test_two_numbers_get_digits_until_they_differ() -> None:
    """500.4 ms and 500 ms are both `500 ms` with three digits."""
    assert numbers.apart(0.5004, 0.5, numbers.duration) == ("500.4 ms", "500.0 ms")
    assert numbers.apart(0.612, 0.5, numbers.duration) == ("612 ms", "500 ms")


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=12), st.integers(0, 3))
def test_parts_add_up_to_the_rounded_total(values: list[float], decimals: int) -> None:
    shown = numbers.that_add_up(values, decimals)
    assert round(sum(shown), decimals) == pytest.approx(round(sum(values), decimals), abs=1e-9 + 10.0**-decimals * 1e-6)
    assert all(abs(one - value) <= 10.0**-decimals * (1 + 1e-9) for one, value in zip(shown, values, strict=True))


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("ttft_s", 0.5, "500 ms"),
        ("budget_usd_per_month", 5000.0, "5,000 USD/month"),
        ("throughput_tokens_per_s", 2000.0, "2,000 tokens/s"),
        ("memory_bytes", 2.0**34, "16 GB"),
        ("memory_bytes_per_s", 819e9, "819 GB/s"),
        ("fp8_flop_per_s", 242e12, "242 TFLOP/s"),
        ("usd_per_h_low", 0.7582, "0.758 USD/h"),
        ("electricity_jpy_per_kwh", 24.0, "24 JPY/kWh"),
        ("bytes_per_usd", 5.22e15, "5.22 PB per USD"),
        ("usd_per_mtok_output", 1.5, "1.50 USD/Mtok"),
        ("think_s", 20.0, "20.0 s"),
        ("link_domain", 8.0, "8"),
        ("weights", "fp8", "fp8"),
        ("saturated", True, "yes"),
        ("ttft_s", None, "?"),
    ],
)
def test_a_name_tells_the_unit(name: str, value: float | str | bool | None, text: str) -> None:
    assert numbers.by_name(name, value) == text


def test_given_figures_claim_no_digits() -> None:
    """One part in thirty of a second is 33.33 ms to four digits; 20 s were said, not 20.0 s."""
    assert numbers.stated("think_s", 20.0) == "20 s"
    assert numbers.stated("tpot_s", 1 / 30) == "33.33 ms"
    assert numbers.stated("ttft_s", 0.5) == "500 ms"


@pytest.mark.parametrize(
    ("size_bytes", "text"), [(80e9, "80 GB"), (80 * 2.0**30, "80 GB"), (141e9, "141 GB"), (0.5 * 2**30, "0.5 GB"), (1.5e12, "1,500 GB")]
)
def test_memory_is_labelled_as_the_vendor_does(size_bytes: float, text: str) -> None:
    """Vendors write GB whether they count 1e9 or 2^30 bytes; neither label turns into 74.5 or 85.9."""
    assert numbers.memory_label(size_bytes) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.576, "+58 %"), (0.0018, "+0.2 %"), (-0.224, "-22 %"), (-0.0005, "-0.1 %"), (3.2, "+320 %"), (None, "?")]
)
def test_margins_carry_their_sign(share: float | None, text: str) -> None:
    assert numbers.margin(share) == text
