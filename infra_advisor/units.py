"""Read quantities as data sheets print them, and print them back: the only file that knows a prefix.

Inside the program every number is in base units: seconds, bytes, bytes/s, FLOP/s, watts, tokens, USD. Outside
(YAML, options, printed output) a quantity carries its unit. The table is closed, without prefix arithmetic.
"""

import math
import re
from collections.abc import Mapping

from infra_advisor.errors import UsageError

GB = 1e9
GIB = 2.0**30
HOURS_PER_MONTH = 730.0
SECONDS_PER_DAY = 86_400.0
BTU_PER_H = 1 / 3.412142
"""Watts: 1 W gives off 3.412142 BTU in an hour."""

TIME_S: Mapping[str, float] = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
SIZE_BYTES: Mapping[str, float] = {
    "B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
    "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40,
}  # fmt: skip
RATE_BYTES_PER_S: Mapping[str, float] = {
    "MB/s": 1e6, "GB/s": 1e9, "TB/s": 1e12, "MiB/s": 2.0**20, "GiB/s": 2.0**30, "TiB/s": 2.0**40,
    "Mbit/s": 1.25e5, "Gbit/s": 1.25e8, "Tbit/s": 1.25e11,
}  # fmt: skip
COMPUTE_PER_S: Mapping[str, float] = {
    "GFLOP/s": 1e9, "TFLOP/s": 1e12, "PFLOP/s": 1e15, "GOP/s": 1e9, "TOP/s": 1e12, "POP/s": 1e15,
}  # fmt: skip
POWER_W: Mapping[str, float] = {"mW": 1e-3, "W": 1.0, "kW": 1e3, "MW": 1e6}
AGE_D: Mapping[str, float] = {"d": 1.0, "w": 7.0, "month": 30.0, "y": 365.0}
REQUESTS_PER_S: Mapping[str, float] = {"/s": 1.0, "/min": 1 / 60, "/h": 1 / 3600, "/d": 1 / 86_400}
MONEY_PER_MONTH: Mapping[str, float] = {"/month": 1.0, "/h": HOURS_PER_MONTH, "/d": HOURS_PER_MONTH / 24, "/y": 1 / 12}

KINDS: Mapping[str, Mapping[str, float]] = {
    "time": TIME_S,
    "size": SIZE_BYTES,
    "bandwidth": RATE_BYTES_PER_S,
    "compute": COMPUTE_PER_S,
    "power": POWER_W,
    "age": AGE_D,
    "request rate": REQUESTS_PER_S,
}

_QUANTITY = re.compile(r"\s*([+-]?(?:\d[\d_,]*\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(\S.*?)?\s*", re.ASCII)


def parse_quantity(text: object, kind: str) -> float:
    """`'3.35 TB/s'` of kind `bandwidth` -> 3.35e12. Finite and not negative; refuses bare numbers and other units.

    Raises UsageError naming the accepted units.
    """
    units = KINDS[kind]
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    factor = units.get(match[2] or "") if match else None
    if match is None or factor is None:
        raise UsageError(f"{text!r} needs a number and a unit: {', '.join(units)}")
    value = float(match[1].replace(",", "").replace("_", "")) * factor
    if not math.isfinite(value) or value < 0:
        raise UsageError(f"{text!r} is not a finite quantity of zero or more")
    return value


_COUNT_SUFFIX: Mapping[str, float] = {
    "": 1.0,
    "k": 1e3,
    "K": 1e3,
    "m": 1e6,
    "M": 1e6,
    "b": 1e9,
    "B": 1e9,
    "g": 1e9,
    "G": 1e9,
    "t": 1e12,
    "T": 1e12,
}


def parse_count(text: str) -> float:
    """`'50M'` -> 5e7, `'1_000'` -> 1000.0. For tokens per day and parameter counts. Raises UsageError."""
    match = _QUANTITY.fullmatch(text)
    factor = _COUNT_SUFFIX.get(match[2] or "") if match else None
    if match is None or factor is None:
        raise UsageError(f"{text!r} needs a number, with k, M, B or T behind it if you like")
    value = float(match[1].replace(",", "").replace("_", "")) * factor
    if not math.isfinite(value) or value < 0:
        raise UsageError(f"{text!r} is not a finite count of zero or more")
    return value
