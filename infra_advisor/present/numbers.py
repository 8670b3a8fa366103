"""Numbers as a person reads them: rounded honestly, scaled to a unit, never in exponents.

Inputs are base units (seconds, bytes, USD ...); `None` is unknown and prints as `?`.
Predictions carry two or three significant digits: more would claim an accuracy that nobody has.
"""

import math
import re
from collections.abc import Callable, Sequence

UNKNOWN = "?"

_TIME = ((1e-6, "us"), (1e-3, "ms"), (1.0, "s"), (60.0, "min"), (3600.0, "h"), (86_400.0, "d"))
_TIME_FROM = (0.0, 1e-3, 1.0, 120.0, 7200.0, 172_800.0)
"""Least duration [s] that is written in each unit."""
_SIZE = ((1.0, "B"), (2.0**10, "KiB"), (2.0**20, "MiB"), (2.0**30, "GiB"), (2.0**40, "TiB"))
_THOUSANDS = ((1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T"), (1e15, "P"))
_PER_KWH = re.compile(r"_([a-z]{3})_per_kwh$")
_COUNT = ((1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "B"), (1e12, "T"))


def rounded(value: float, digits: int) -> float:
    """The value with that many significant digits."""
    return round(value, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0.0


def significant(value: float | None, digits: int = 3) -> str:
    """`0.01234` -> `0.0123`, `12345` -> `12,300`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"
    near = rounded(value, digits)
    decimals = max(digits - 1 - math.floor(math.log10(abs(near))), 0)
    return f"{near:,.{decimals}f}"


def exact(value: float | None) -> str:
    """A figure that somebody stated: up to six digits, no trailing zeros. `33.3333` stays, `500.0` becomes `500`."""
    text = significant(value, 6)
    return text.rstrip("0").rstrip(".") if "." in text else text


def about(value: float | None, digits: int = 3) -> str:
    """Rounded like a prediction, without trailing zeros: `6.2` -> `6.2`, `48.02` -> `48`."""
    return UNKNOWN if value is None or not math.isfinite(value) else exact(rounded(value, digits))


def _scaled(value: float | None, units: Sequence[tuple[float, str]], digits: int, starts: Sequence[float] | None = None) -> str:
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = abs(rounded(value, digits))
    starts = starts or [factor for factor, _ in units]
    factor, unit = units[max((index for index, start in enumerate(starts) if size >= start), default=0)]
    return f"{significant(value / factor, digits)} {unit}".rstrip()


def duration(value_s: float | None, digits: int = 3) -> str:
    """`0.0214` -> `21.4 ms`."""
    return _scaled(value_s, _TIME, digits, _TIME_FROM)


def size(value_bytes: float | None, digits: int = 3) -> str:
    """`80e9` -> `74.5 GiB`."""
    return _scaled(value_bytes, _SIZE, digits)


def memory_label(value_bytes: float | None) -> str:
    """`80e9` and `80 x 2^30` -> `80 GB`: what the vendor prints, who counts either unit and writes GB."""
    if value_bytes is None or not math.isfinite(value_bytes):
        return UNKNOWN
    in_gb = next((value_bytes / unit for unit in (1e9, 2.0**30) if abs(value_bytes / unit - round(value_bytes / unit, 1)) < 1e-6), None)
    return f"{exact(in_gb) if in_gb is not None else about(value_bytes / 1e9)} GB"


def per_s(value: float | None, unit: str, digits: int = 3) -> str:
    """`3.35e12, "B"` -> `3.35 TB/s`. Decimal prefixes, as data sheets print bandwidth and FLOP/s."""
    text = _scaled(value, _THOUSANDS, digits)
    if text == UNKNOWN:
        return text
    number, _, prefix = text.partition(" ")
    return f"{number} {prefix}{unit}/s"


def count(value: float | None, digits: int = 3) -> str:
    """`70.6e9` -> `70.6B`: parameters and large token counts."""
    return _scaled(value, _COUNT, digits).replace(" ", "")


def whole(value: float | None) -> str:
    """`1000.0` -> `1,000`; keeps a fraction where there is one."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{value:,.0f}" if value == round(value) else exact(value)


def rate(value: float | None) -> str:
    """Tokens or requests per second, without unit."""
    return significant(value, 3)


def usd(value: float | None) -> str:
    """Money without its unit: two decimals, whole USD from 1,000 on, and more decimals where two would show nothing."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if abs(value) >= 999.995:
        return f"{value:,.0f}"
    return significant(value, 2) if 0 < abs(value) < 0.095 else f"{value:,.2f}"


def hourly(value: float | None) -> str:
    """USD per hour: cents from one dollar on, three decimals below, two digits where even those would show nothing."""
    if value is None or not math.isfinite(value) or value == 0:
        return usd(value)
    if abs(value) < 0.0095:
        return significant(value, 2)
    return f"{value:,.2f}" if abs(value) >= 0.9995 else f"{value:.3f}"


def monthly(value: float | None) -> str:
    """USD per month: whole dollars from 100 on."""
    return f"{value:,.0f}" if value is not None and math.isfinite(value) and abs(value) >= 100 else usd(value)


def cents(value: float) -> str:
    """An amount of a bill, to the cent."""
    return f"{value:,.2f}"


def plain(value: float) -> str:
    """A factor of a bill, with every digit it has and no more: `1,460`, `0.148512`."""
    text = f"{value:,.6f}".rstrip("0")
    return text.rstrip(".")


def percent(share: float | None, digits: int = 2) -> str:
    """`0.221` -> `22 %`."""
    return UNKNOWN if share is None or not math.isfinite(share) else f"{about(share * 100, digits)} %"


def margin(share: float | None) -> str:
    """`0.3` -> `+30 %` inside a limit, `-0.02` -> `-2 %` outside."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    points = share * 100
    return f"{points:+.1f} %" if abs(points) < 9.95 else f"{points:+,.0f} %"


def span(low: float | None, high: float | None, write: Callable[[float | None], str]) -> str | None:
    """`170 ms` and `290 ms` -> `170–290 ms`; None unless both ends are known."""
    if low is None or high is None:
        return None
    first, last = write(low), write(high)
    if first == last:
        return first
    first_number, _, first_unit = first.partition(" ")
    _, _, last_unit = last.partition(" ")
    return f"{first_number}–{last}" if first_unit == last_unit else f"{first} – {last}"


def apart(one: float, other: float, write: Callable[[float, int], str]) -> tuple[str, str]:
    """Both numbers with as many digits as it takes to see that they differ: 500.4 ms against a limit of 500 ms."""
    for digits in range(3, 9):
        texts = write(one, digits), write(other, digits)
        if texts[0] != texts[1] or one == other:
            return texts
    return texts


def that_add_up(values: Sequence[float], decimals: int) -> list[float]:
    """The values rounded to so many decimals such that they add up to their rounded sum (largest remainder)."""
    scale = 10.0**decimals
    floors = [math.floor(value * scale) for value in values]
    missing = round(round(sum(values), decimals) * scale) - sum(floors)
    by_remainder = sorted(range(len(values)), key=lambda index: floors[index] - values[index] * scale)
    for index in by_remainder[:missing]:
        floors[index] += 1
    return [unit / scale for unit in floors]


_SUFFIXES: tuple[tuple[str, Callable[[float | None], str]], ...] = (
    ("usd_per_month", lambda value: f"{monthly(value)} USD/month"),
    ("usd_per_h", lambda value: f"{hourly(value)} USD/h"),
    ("usd_per_h_low", lambda value: f"{hourly(value)} USD/h"),
    ("usd_per_h_high", lambda value: f"{hourly(value)} USD/h"),
    ("flop_per_byte", lambda value: f"{significant(value)} FLOP/byte"),
    ("flop_per_s", lambda value: per_s(value, "FLOP")),
    ("bytes_per_s", lambda value: per_s(value, "B")),
    ("bytes_per_usd", lambda value: f"{per_s(value, 'B').removesuffix('/s')} per USD"),
    ("tokens_per_s_per_user", lambda value: f"{rate(value)} tokens/s"),
    ("tokens_per_s", lambda value: f"{rate(value)} tokens/s"),
    ("tokens_per_day", lambda value: f"{count(value)} tokens/day"),
    ("tokens_per_joule", lambda value: f"{significant(value, 2)} tokens/J"),
    ("_per_s", lambda value: f"{rate(value)}/s"),
    ("_tokens", lambda value: f"{whole(value)} tokens"),
    ("_bytes", size),
    ("_usd", lambda value: f"{usd(value)} USD"),
    ("_s", duration),
    ("_w", lambda value: f"{whole(value)} W"),
    ("_d", lambda value: f"{whole(value)} d"),
    ("_years", lambda value: f"{exact(value)} years"),
    ("_share", percent),
    ("utilisation", percent),
)


def by_name(name: str, value: float | str | bool | None) -> str:
    """A value written by the unit that its name ends with: `ttft_s, 0.5` -> `500 ms`."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if "usd_per_mtok" in name:
        return f"{usd(value)} USD/Mtok"
    if name == "memory_bytes":
        return memory_label(value)
    if match := _PER_KWH.search(name):
        return f"{exact(value)} {match[1].upper()}/kWh"
    return next((write(value) for suffix, write in _SUFFIXES if name.endswith(suffix)), exact(value))


def stated(name: str, value: float | str | bool | None) -> str:
    """As `by_name` for a figure that was given rather than predicted: no zeros that claim digits, `2.0` s is `2 s`."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and name.endswith("_s") and not name.endswith("_per_s"):
        number, _, unit = duration(value, 4).partition(" ")
        return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {unit}"
    return by_name(name, value)
