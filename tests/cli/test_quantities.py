"""Text to base units. Expected numbers: 730 hours to the month, powers of ten for k and M."""

import pytest

from infra_advisor.advice.limits import Choice
from infra_advisor.cli import quantities as to
from infra_advisor.cli.asked import choice
from infra_advisor.errors import UsageError


@pytest.mark.parametrize(
    ("read", "raw", "value"),
    [
        (to.duration_s, "500ms", 0.5),
        (to.duration_s, "1.5 s", 1.5),
        (to.duration_or_zero_s, "0", 0.0),
        (to.duration_or_zero_s, "0s", 0.0),
        (to.age_d, "90d", 90.0),
        (to.age_d, "2w", 14.0),
        (to.requests_per_s, "1.9/s", 1.9),
        (to.requests_per_s, "90/min", 1.5),
        (to.amount, "50M", 5e7),
        (to.whole, "1,000", 1000),
        (to.whole, "4k", 4000),
        (to.count_or_zero, "0", 0),
        (to.tokens_per_s, "30", 30.0),
        (to.tokens_per_s, "30 tokens/s", 30.0),
        (to.tokens_per_s, "30tok/s", 30.0),
        (to.budget, "5000/month", (5000.0, None)),
        (to.budget, "7/h", (5110.0, None)),  # 7 x 730
        (to.budget, "60000/y", (5000.0, None)),
        (to.budget, "$5,000/month", (5000.0, "USD")),
        (to.budget, "5k USD/month", (5000.0, "USD")),
        (to.budget, "800000JPY/month", (800_000.0, "JPY")),
        (to.budget, "800kJPY/month", (800_000.0, "JPY")),
        (to.budget, "5000MXN/month", (5000.0, "MXN")),  # the M belongs to the code
        (to.budget, "9,600,000円/年", (800_000.0, "JPY")),  # / 12
        (to.budget, "eur 10/h", (7300.0, "EUR")),
        (to.currency, "jpy", "JPY"),
        (to.currency, " Eur ", "EUR"),
        (to.currency, "€", "EUR"),
        (to.currency, "yen", "JPY"),
        (to.residency, "jp", "JP"),
        (to.residency, "uk", "GB"),
        (to.day, "2026-11-22", "2026-11-22"),
        (to.names, "spot,Stale", ("spot", "stale")),
        (to.one_of(("mean", "p95")), "P95", "p95"),
    ],
)
def test_read(read: to.Reader, raw: str, value: object) -> None:
    assert read(raw) == pytest.approx(value) if isinstance(value, float) else read(raw) == value


@pytest.mark.parametrize(
    ("read", "raw", "message"),
    [
        (to.duration_s, "500", "needs a number and a unit: .*ms"),
        (to.duration_s, "-1s", "zero or more"),
        (to.duration_s, "0s", "above zero"),
        (to.duration_s, "0", "needs a number and a unit"),
        (to.duration_s, "nan", "needs a number and a unit"),
        (to.duration_s, "1e400ms", "finite"),
        (to.duration_s, "1e-400ms", "above zero"),
        (to.duration_s, "5 GB", "needs a number and a unit"),
        (to.requests_per_s, "1.9", "/min"),
        (to.age_d, "90", "needs a number and a unit"),
        (to.amount, "0", "above zero"),
        (to.amount, "many", "needs a number"),
        (to.whole, "1.5", "whole"),
        (to.whole, "1e400", "finite"),
        (to.budget, "5000", "a period: 5000/month"),
        (to.budget, "5000/fortnight", "a period"),
        (to.budget, "0/month", "above zero"),
        (to.budget, "-5/month", "a period"),
        (to.budget, "JPY 5000 EUR/month", "two currencies"),
        (to.budget, "5000 YE/month", "a period: 5000/month"),
        (to.budget, "¥5000/month", "yen or yuan"),
        (to.currency, "¥", "write JPY or CNY"),
        (to.currency, "dollars", "three letters"),
        (to.currency, "", "three letters"),
        (to.budget, "1e400/month", "finite"),
        (to.residency, "japan", "two-letter"),
        (to.places, "jp:storage", "no level"),
        (to.residency, "j1", "two-letter"),
        (to.day, "22.11.2026", "2026-11-22"),
        (to.day, "2026-02-30", "2026-11-22"),
        (to.names, "a,,b", "empty name"),
        (to.text, "  ", "needs a value"),
        (to.one_of(("mean", "p95")), "p59", "accepted: mean, p95. Did you mean p95"),
        (to.sweep, "concurrency", "1..256"),
        (to.sweep, "speed=1..2", "inputs: concurrency"),
        (to.sweep, "concurrency=0..4", "above zero"),
        (to.sweep, "concurrency=8..4", "backwards"),
        (to.sweep, "concurrency=1..1000/1", "at most 64"),
        (to.sweep, "input=0.5,1", "whole"),
    ],
)
def test_refused_with_what_is_accepted(read: to.Reader, raw: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(raw)


@pytest.mark.parametrize(
    ("raw", "points"),
    [
        ("concurrency=1..8", [1, 2, 4, 8]),
        ("concurrency=1..10", [1, 2, 4, 8, 10]),
        ("concurrency=3..3", [3]),
        ("concurrency=10..20/5", [10, 15, 20]),
        ("concurrency=4,1,4", [1, 4]),
    ],
)
def test_sweep_points(raw: str, points: list[float]) -> None:
    assert to.sweep(raw) == ("concurrency", points)


def test_sweep_names_the_field() -> None:
    assert to.sweep("input=500,1000") == ("input_tokens", [500, 1000])


@pytest.mark.parametrize("raw", ["300", "-5", "+1", "1.5", "4k", "1e3", "1,000", "nan", "inf", " 300 ", ".5", "0"])
def test_what_is_meant_as_a_number(raw: str) -> None:
    assert to.is_number(raw)


@pytest.mark.parametrize("raw", ["300.md", "memo.md", "./300", "2026-11-22.json", ".", "..", "-", "x300", "answer", "", "300/memo.md"])
def test_what_is_meant_as_a_file(raw: str) -> None:
    assert not to.is_number(raw)


def test_choice_keeps_and_drops() -> None:
    assert choice(("nvidia", "!amd", "-intel"), "--vendor") == Choice(keep=("nvidia",), drop=("amd", "intel"))


@pytest.mark.parametrize(("names", "message"), [(("amd", "!amd"), "both wanted and left out"), (("!",), "must follow")])
def test_contradictory_choices(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choice(names, "--vendor")
