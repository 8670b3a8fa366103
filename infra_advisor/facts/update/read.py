"""Bytes of a stranger -> plain values: whole, small enough, numbers as printed."""

import json
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

LONGEST_NUMBER = 30


def text_of(chunks: Iterable[bytes]) -> str:
    """All chunks as UTF-8 text. Raises ValueError."""
    return b"".join(chunks).decode("utf-8-sig")


def json_of(chunks: Iterable[bytes]) -> Any:
    """The JSON document; fractions as Decimal, exactly as printed. Raises ValueError, also where the answer is a web page."""
    text = text_of(chunks)
    if text.lstrip()[:1] == "<":
        raise ValueError("the answer is a web page, not JSON")
    try:
        return json.loads(text, parse_float=_decimal, parse_int=_integer, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("the JSON document is nested too deeply") from error


def price_of(value: Any) -> Decimal | None:
    """A positive finite number as Decimal; None for anything else, texts and booleans included."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if number.is_finite() and number > 0 else None


def _decimal(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text):,} digits")
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is not a number") from error


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text):,} digits")
    return int(text)


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is not a number")
