"""Loads, hours and months at which one way to pay becomes cheaper than another."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from infra_advisor.advice.breakevens import WAYS, Crossing, CurvePoint, PaidOption, Way
from infra_advisor.advice.envelope import Envelope
from infra_advisor.advice.question import Understood
from infra_advisor.advice.rows import Row
from infra_advisor.advice.spending import SECONDS_PER_HOUR, Usage
from infra_advisor.physics.cost import MONTHS_PER_YEAR
from infra_advisor.search.fleet import Fleets
from infra_advisor.units import HOURS_PER_MONTH

DAYS_PER_MONTH = HOURS_PER_MONTH / 24.0
LEAST_TOKENS_PER_DAY, MOST_TOKENS_PER_DAY = 1e4, 1e12
"""Loads between which a crossing is looked for."""
POINTS_PER_DECADE = 24
HALVINGS = 40
STEPS = (1.0, 2.0, 5.0)
"""Of a decade, that a curve shows."""
SHOWN = 100.0
"""Factor on either side of the load."""
MOST_YEARS = 10
"""After which nothing that was bought still runs."""
BY_THE_HOUR = ("machine_hours", "spare_machine_hours", "kwh", "egress_gb")
"""Uses that follow the hours of service."""
EVERYWHERE, ONLY_SMALL = "at every load that was looked at", "at the smallest loads that were looked at"
PAIRS: tuple[tuple[Way, Way], ...] = (("rent", "api"), ("commit", "api"), ("buy", "api"), ("buy", "rent"), ("commit", "rent"))

LoadCost = Callable[[float], tuple[float, str, float | None]]
"""Output tokens/s -> (USD a month, offer, utilisation)."""


@dataclass(frozen=True)
class Best:
    """The cheapest fleet of one way to pay."""

    row: Row
    found: Fleets


def tokens_per_day_of(understood: Understood, output_tokens_per_s: float) -> float:
    """Prompt and output tokens of an average day."""
    workload, spending = understood.workload, understood.spending
    month = output_tokens_per_s * SECONDS_PER_HOUR * spending.hours * workload.tokens_per_request / workload.output_tokens
    return month / DAYS_PER_MONTH


def output_tokens_per_s(understood: Understood, tokens_per_day: float) -> float:
    """The rate of output during the hours of service that makes so many prompt and output tokens on an average day."""
    workload = understood.workload
    share = workload.output_tokens / workload.tokens_per_request
    return tokens_per_day * DAYS_PER_MONTH * share / (SECONDS_PER_HOUR * understood.spending.hours)


def of_machines(hull: Envelope) -> LoadCost:
    """The cheapest of many fleets at each load."""

    def cost(tokens_per_s: float) -> tuple[float, str, float | None]:
        usd, position = hull.least(tokens_per_s)
        return usd, hull.priced[position].id, hull.utilisation(tokens_per_s, position)

    return cost


def of_api(understood: Understood, name: str, usd_per_mtok: float) -> LoadCost:
    """A price by the token."""

    def cost(tokens_per_s: float) -> tuple[float, str, float | None]:
        return understood.spending.mtok_per_month(tokens_per_s) * usd_per_mtok, name, None

    return cost


def by_load(understood: Understood, costs: Mapping[Way, LoadCost], tokens_per_day: float) -> Iterable[Crossing]:
    """Loads from which one way to pay is cheaper than another, each at its cheapest."""
    least, most = min(LEAST_TOKENS_PER_DAY, tokens_per_day / SHOWN), max(MOST_TOKENS_PER_DAY, tokens_per_day * SHOWN)
    steps = math.ceil(math.log10(most / least) * POINTS_PER_DECADE)
    grid = [least * (most / least) ** (step / steps) for step in range(steps + 1)]
    usd = {way: [cost(output_tokens_per_s(understood, load))[0] for load in grid] for way, cost in costs.items()}
    for cheaper, than in PAIRS:
        if cheaper not in costs or than not in costs:
            continue

        def leads(load: float, first: LoadCost = costs[cheaper], other: LoadCost = costs[than]) -> bool:
            rate = output_tokens_per_s(understood, load)
            return first(rate)[0] < other(rate)[0]

        ahead = [one < other for one, other in zip(usd[cheaper], usd[than], strict=True)]
        if not any(ahead):
            span = f"at no load up to {most / 1e12:,.0f}T tokens a day"
            yield Crossing(axis="tokens_per_day", cheaper=cheaper, than=than, value=None, reason=span)
            continue
        turns = [
            _between(leads, *pair, to=ahead[place]) for place, pair in enumerate(pairwise(grid), 1) if ahead[place] != ahead[place - 1]
        ]
        starts, ends = ([grid[0], *turns[1::2]], turns[::2]) if ahead[0] else (turns[::2], turns[1::2])
        rate = output_tokens_per_s(understood, starts[0])
        month, option, utilisation = costs[cheaper](rate)
        yield Crossing(
            axis="tokens_per_day",
            cheaper=cheaper,
            than=than,
            value=starts[0],
            until=ends[0] if ends else None,
            for_good=starts[-1] if ahead[-1] else None,
            utilisation=utilisation,
            usd_per_month=month,
            option=option,
            other=costs[than](rate)[1],
            reason=None if not ahead[0] else ONLY_SMALL if ends else EVERYWHERE,
        )


def _between(leads: Callable[[float], bool], low: float, high: float, *, to: bool) -> float:
    """The load between two at which the lead begins, or with `to` False ends; `high` is past it, `low` is not."""
    for _ in range(HALVINGS):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if leads(middle) is to else (middle, high)
    return high


def by_hours(understood: Understood, best: Mapping[Way, Best]) -> Iterable[Crossing]:
    """Hours of service in a month from which a machine that costs much the same at any hour beats one that is paid by the hour."""
    rented = best.get("rent")
    ways: tuple[Way, ...] = ("buy", "commit")
    for cheaper in ways if rented is not None else ():
        mine = best.get(cheaper)
        if mine is None or rented is None:
            continue
        month, other = _month_of(understood, mine), _month_of(understood, rented)
        first, last = (month(hours) < other(hours) for hours in (0.0, HOURS_PER_MONTH))
        low, high = 0.0, HOURS_PER_MONTH
        for _ in range(HALVINGS if first is not last else 0):
            middle = (low + high) / 2.0
            low, high = (low, middle) if (month(middle) < other(middle)) is last else (middle, high)
        value = 0.0 if first else high if last else None
        yield Crossing(
            axis="hours_per_month",
            cheaper=cheaper,
            than="rent",
            value=value,
            until=high if first and not last else None,
            for_good=value if last else None,
            usd_per_month=None if value is None else month(value),
            option=mine.row.priced.id,
            other=rented.row.priced.id,
            reason="at any number of hours" if first and last else None if first or last else "not even if the service runs all the time",
        )


def _month_of(understood: Understood, best: Best) -> Callable[[float], float]:
    """Hours of service -> bill of the fleet at the same rate of requests. [USD]"""
    tariff = best.row.priced.tariff
    assert tariff is not None
    full = Usage(best.found, replace(understood.spending, hours=HOURS_PER_MONTH)).use(best.row.place)

    def month_usd(hours: float) -> float:
        running = {name: getattr(full, name) * hours / HOURS_PER_MONTH for name in BY_THE_HOUR}
        idle_h = (full.machines + full.spare_machines) * (HOURS_PER_MONTH - hours)
        return tariff.month_usd(replace(full, idle_machine_hours=idle_h, **running))

    return month_usd


def by_months(paid: Sequence[PaidOption]) -> Iterable[Crossing]:
    """Months after which what was bought has taken less cash than the other ways."""
    bought = next((one for one in paid if one.way == "buy"), None)
    for other in paid if bought is not None else ():
        if bought is None or other.way == "buy":
            continue
        saved = other.usd_running_per_month - bought.usd_running_per_month
        months = bought.usd_initial / saved if saved > 0.0 else None
        reason = "each month costs as much cash or more" if months is None else None
        if months is not None and months > MOST_YEARS * MONTHS_PER_YEAR:
            months, reason = None, f"not within {MOST_YEARS} years"
        yield Crossing(
            axis="months",
            cheaper="buy",
            than=other.way,
            value=months,
            for_good=months,
            option=bought.answer.offer.id,
            other=other.answer.offer.id,
            reason=reason,
        )


def curve(understood: Understood, costs: Mapping[Way, LoadCost], tokens_per_day: float) -> Iterable[CurvePoint]:
    """Round loads about the one asked for."""
    if not costs:
        return
    first, last = tokens_per_day / SHOWN, tokens_per_day * SHOWN
    exponents = range(-3, 19)
    for load in (step * 10.0**exponent for exponent in exponents for step in STEPS):
        if not first * 0.999 <= load <= last * 1.001:
            continue
        rate = output_tokens_per_s(understood, load)
        found = {way: cost(rate) for way, cost in costs.items()}
        usd = {way: one[0] for way, one in found.items()}
        yield CurvePoint(
            tokens_per_day=load,
            usd_per_month=usd,
            option={way: one[1] for way, one in found.items()},
            cheapest=min(usd, key=lambda way: (usd[way], WAYS.index(way))),
        )
