"""Text of an option or of a workload file to a number or name in base units.

Every reader raises UsageError with what is accepted; the caller says which option it was.
"""

import datetime
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.residency import read_places, read_residency_text
from infra_advisor.units import HOURS_PER_MONTH, MONEY_PER_MONTH, parse_count, parse_quantity

_NUMBER_LIKE = re.compile(r"[+-]?(?:\.?\d[\d_,.]*(?:e[+-]?\d+)?\s*[kmbgt]?|nan|inf(?:inity)?)", re.IGNORECASE | re.ASCII)
_CURRENCY = r"(us\$|[$€£¥￥円]|[a-z]{3})?"
_MONEY = re.compile(rf"{_CURRENCY}\s*([\d.][\d_,.]*(?:e[+-]?\d{{1,3}})?[km]?)\s*{_CURRENCY}\s*(/\S+)?", re.IGNORECASE | re.ASCII)
_SYMBOLS = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "円": "JPY", "YEN": "JPY"}
_YEN_OR_YUAN = ("¥", "￥")
_PERIODS = {
    "/mo": "/month",
    "/m": "/month",
    "/hour": "/h",
    "/hr": "/h",
    "/day": "/d",
    "/year": "/y",
    "/yr": "/y",
    "/月": "/month",
    "/年": "/y",
}
_TOKENS_PER_S = re.compile(r"\s*(?:tokens?|toks?|t)?/s(?:ec)?(?:ond)?$", re.IGNORECASE)

Reader = Callable[[str], object]


def text(raw: str) -> str:
    """Any text that is not empty."""
    if not raw.strip():
        raise UsageError("needs a value")
    return raw.strip()


def duration_s(raw: str) -> float:
    """`500ms` -> 0.5."""
    return above_zero(parse_quantity(raw, "time"), raw)


def duration_or_zero_s(raw: str) -> float:
    """`20s` -> 20.0; zero is a duration too. A bare 0 needs no unit."""
    return 0.0 if raw.strip() == "0" else parse_quantity(raw, "time")


def age_d(raw: str) -> float:
    """`90d` -> 90.0."""
    return above_zero(parse_quantity(raw, "age"), raw)


def requests_per_s(raw: str) -> float:
    """`1.9/s` -> 1.9."""
    return above_zero(parse_quantity(raw, "request rate"), raw)


def amount(raw: str) -> float:
    """`50M` -> 5e7: users, requests in flight, tokens per day."""
    return above_zero(parse_count(raw), raw)


def share(raw: str) -> float:
    """`0.7` or `70%` -> 0.7."""
    text_ = raw.strip()
    try:
        value = float(text_.removesuffix("%"))
    except ValueError:
        raise UsageError(f"{raw!r} is not a share; write 0.7 or 70%") from None
    return value / 100.0 if text_.endswith("%") else value


def assumption(raw: str) -> dict[str, float]:
    """`electricity_usd_per_kwh=0.12` -> {name: value}. Raises UsageError."""
    name, equals, value = raw.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{raw!r}: write NAME=VALUE, such as electricity_usd_per_kwh=0.12")
    try:
        return {name.strip(): float(value)}
    except ValueError as error:
        raise UsageError(f"{raw!r}: {value.strip()!r} is not a number; write NAME=VALUE in the unit that the name ends with") from error


def whole(raw: str) -> int:
    """`1,000` -> 1000: tokens."""
    number = above_zero(parse_count(raw), raw)
    if number != math.floor(number):
        raise UsageError(f"{raw!r} is not a whole number")
    return int(number)


def count_or_zero(raw: str) -> int:
    """`0`, `10`."""
    number = parse_count(raw)
    if number != math.floor(number):
        raise UsageError(f"{raw!r} is not a whole number")
    return int(number)


def tokens_per_s(raw: str) -> float:
    """`30` or `30 tokens/s` -> 30.0."""
    number = above_zero(parse_count(_TOKENS_PER_S.sub("", raw)), raw)
    above_zero(1 / number, raw)  # the time per token is the limit
    return number


class Budget(NamedTuple):
    """Money per month of 730 hours, as given."""

    per_month: float
    currency: str | None
    """None where none was named: then it is that of --currency, or USD."""


def budget(raw: str) -> Budget:
    """`5000/month`, `7 USD/h`, `9600000JPY/y` -> the amount of a month, in its own currency."""
    match = _MONEY.fullmatch(raw.strip())
    period = _PERIODS.get((match[4] or "").lower(), (match[4] or "").lower()) if match else ""
    if match is None or period not in MONEY_PER_MONTH:
        accepted = f"an amount and a period: {', '.join(f'5000{period}' for period in MONEY_PER_MONTH)}"
        raise UsageError(f"{raw!r} needs {accepted} ({HOURS_PER_MONTH:.0f} hours to the month), with a currency if you like: 5000EUR/month")
    named = {currency(code) for code in (match[1], match[3]) if code}
    if len(named) > 1:
        raise UsageError(f"{raw!r} names two currencies; write one, such as 5000EUR/month")
    return Budget(above_zero(parse_count(match[2]) * MONEY_PER_MONTH[period], raw), next(iter(named), None))


def currency(raw: str) -> str:
    """`jpy` -> `JPY`: a code of three letters, or a symbol that stands for one currency only."""
    code = raw.strip().upper()
    if code in _YEN_OR_YUAN:
        raise UsageError(f"{raw!r} is yen or yuan; write JPY or CNY")
    code = _SYMBOLS.get(code, code)
    if not re.fullmatch("[A-Z]{3}", code):
        raise UsageError(f"{raw!r} is not a currency; give its code of three letters, such as JPY, EUR or USD")
    return code


def residency(raw: str) -> str:
    """`jp` -> `JP`; `eu,!de:storage` -> `EU,!DE:storage`."""
    return read_residency_text(raw).text


def places(raw: str) -> tuple[str, ...]:
    """`jp,!us` -> `("JP", "!US")`."""
    return read_places((raw,))


def day(raw: str) -> str:
    """`2026-11-22`."""
    try:
        return datetime.date.fromisoformat(raw.strip()).isoformat()
    except ValueError as error:
        raise UsageError(f"{raw!r} is not a day; write it as 2026-11-22") from error


def one_of(known: Sequence[str]) -> Callable[[str], str]:
    """A reader of one of the given words, in any case."""

    def read(raw: str) -> str:
        word = raw.strip().lower()
        if word not in known:
            raise UsageError(f"{raw!r} is unknown; accepted: {', '.join(known)}.{did_you_mean(word, known)}")
        return word

    return read


def names(raw: str) -> tuple[str, ...]:
    """`spot,stale` -> the two names, lower case."""
    found = tuple(part.strip().lower() for part in raw.split(","))
    if not all(found):
        raise UsageError(f"{raw!r} has an empty name; separate names by single commas")
    return found


def factor(raw: str) -> float:
    """`2`, `0.5` or `2x` -> how many times."""
    return above_zero(parse_count(raw.strip().removesuffix("x")), raw)


def lengths(raw: str) -> object:
    """`fixed`, `uniform:0.8..1.2`, `lognormal` or `lognormal:0.8` -> how lengths are spread about the stated ones."""
    from infra_advisor.search.traffic import Lengths

    kind, colon, spread = raw.strip().lower().partition(":")
    if not colon:
        return Lengths(kind)
    try:
        if kind == "uniform":
            least, _, most = spread.partition("..")
            return Lengths(kind, least_share=float(least), most_share=float(most))
        if kind == "lognormal":
            return Lengths(kind, sigma=float(spread))
    except ValueError as error:
        if isinstance(error, UsageError):
            raise
    raise UsageError(f"{raw!r}: write fixed, uniform:0.8..1.2 (shares of the stated lengths) or lognormal:0.8 (spread of the logarithm)")


SWEEPS: Mapping[str, str] = {
    "concurrency": "concurrency",
    "input": "input_tokens",
    "output": "output_tokens",
    "users": "users",
    "rate": "request_rate_per_s",
}
MOST_POINTS = 64


def sweep(raw: str) -> tuple[str, list[float]]:
    """`concurrency=1..256` -> the powers of two between; `input=500,1000` -> those two; `1..10/1` -> in steps of one."""
    name, _, values = raw.partition("=")
    field = SWEEPS.get(name.strip().lower().replace("_tokens", "").replace("-tokens", ""))
    if field is None or not values.strip():
        raise UsageError(f"{raw!r} needs an input and its values: concurrency=1..256, or input=500,1000,4000 (inputs: {', '.join(SWEEPS)})")
    if ".." not in values:
        points = [amount(value) for value in values.split(",")]
    else:
        first, _, rest = values.partition("..")
        last, _, step = rest.partition("/")
        points = _between(amount(first), amount(last), amount(step) if step else None, raw)
    if len(points) > MOST_POINTS:
        raise UsageError(f"{raw!r} has {len(points):,} points; at most {MOST_POINTS} are drawn")
    if field.endswith("_tokens") and any(point != math.floor(point) for point in points):
        raise UsageError(f"{raw!r}: tokens are whole numbers")
    return field, sorted(set(points))


def _between(first: float, last: float, step: float | None, raw: str) -> list[float]:
    if last < first:
        raise UsageError(f"{raw!r} runs backwards; write the smaller number first")
    if step is not None:
        return [first + step * index for index in range(min(math.floor((last - first) / step + 1e-9), MOST_POINTS) + 1)]
    doublings = math.floor(math.log2(last / first) + 1e-9)
    return [first * 2.0**index for index in range(doublings + 1)] + ([last] if first * 2.0**doublings < last * (1 - 1e-9) else [])


def is_number(raw: str) -> bool:
    """True for what is meant as a number, even a wrong one: `300`, `-5`, `1.5`, `4k`, `nan`; False for `300.md`."""
    return _NUMBER_LIKE.fullmatch(raw.strip()) is not None


def above_zero(number: float, raw: str) -> float:
    """The number itself. Raises UsageError for zero, infinity and what is too small to be one."""
    if not (math.isfinite(number) and number > 0):
        raise UsageError(f"{raw!r} must be above zero and finite")
    return number
