"""Loads, hours and months at which one way to pay becomes cheaper than another."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from infra_advisor.advice.breakevens import WAYS, Crossing, CurvePoint, PaidOption, Way
from infra_advisor.advice.envelope import Envelope
from infra_advisor.advice.question import Understood
from infra_advisor.advice.rows import Row
from infra_advisor.advice.spending import SECONDS_PER_HOUR, Usage
from infra_advisor.search.fleet import Fleets
from infra_advisor.units import HOURS_PER_MONTH

DAYS_PER_MONTH = HOURS_PER_MONTH / 24.0
LEAST_TOKENS_PER_DAY, MOST_TOKENS_PER_DAY = 1e4, 1e12
"""Loads between which a crossing is looked for."""
POINTS_PER_DECADE = 24
HALVINGS = 40
STEPS = (1.0, 2.0, 5.0)
"""Of a decade, that a curve shows."""
SHOWN_DECADES = 2
"""On either side of the load."""
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


def by_load(understood: Understood, costs: Mapping[Way, LoadCost]) -> Iterable[Crossing]:
    """Loads from which one way to pay is cheaper than another, each at its cheapest."""
    decades = (MOST_TOKENS_PER_DAY / LEAST_TOKENS_PER_DAY) ** (1.0 / (8 * POINTS_PER_DECADE))
    grid = [LEAST_TOKENS_PER_DAY * decades**step for step in range(8 * POINTS_PER_DECADE + 1)]
    usd = {way: [cost(output_tokens_per_s(understood, load))[0] for load in grid] for way, cost in costs.items()}
    for cheaper, than in PAIRS:
        if cheaper not in costs or than not in costs:
            continue

        def leads(load: float, first: LoadCost = costs[cheaper], other: LoadCost = costs[than]) -> bool:
            rate = output_tokens_per_s(understood, load)
            return first(rate)[0] < other(rate)[0]

        ahead = [one < other for one, other in zip(usd[cheaper], usd[than], strict=True)]
        if not any(ahead):
            span = f"between {LEAST_TOKENS_PER_DAY:,.0f} and {MOST_TOKENS_PER_DAY:,.0f} tokens a day"
            yield Crossing(axis="tokens_per_day", cheaper=cheaper, than=than, value=None, reason=f"at no load {span}")
            continue
        first = ahead.index(True)
        value = grid[0] if first == 0 else _between(leads, grid[first - 1], grid[first])
        last = len(ahead) - 1 - ahead[::-1].index(False) if False in ahead else -1
        for_good = None if last == len(ahead) - 1 else grid[0] if last < 0 else _between(leads, grid[last], grid[last + 1])
        rate = output_tokens_per_s(understood, value)
        month, option, utilisation = costs[cheaper](rate)
        yield Crossing(
            axis="tokens_per_day",
            cheaper=cheaper,
            than=than,
            value=value,
            for_good=for_good,
            utilisation=utilisation,
            usd_per_month=month,
            option=option,
            other=costs[than](rate)[1],
            reason="at every load that was looked at" if all(ahead) else None,
        )


def _between(leads: Callable[[float], bool], low: float, high: float) -> float:
    """The load between two at which the lead begins; `high` has it, `low` has not."""
    for _ in range(HALVINGS):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if leads(middle) else (middle, high)
    return high


def by_hours(understood: Understood, best: Mapping[Way, Best]) -> Iterable[Crossing]:
    """Hours of service in a month from which a machine that costs much the same at any hour beats one that is paid by the hour."""
    rented = best.get("rent")
    ways: tuple[Way, ...] = ("buy", "commit")
    for cheaper in ways if rented is not None else ():
        mine = best.get(cheaper)
        if mine is None or rented is None:
            continue
        never, always = (_month(understood, mine, hours) - _month(understood, rented, hours) for hours in (0.0, HOURS_PER_MONTH))
        hours: float | None = None
        reason = None
        if always < 0.0:
            hours = HOURS_PER_MONTH * never / (never - always) if never > 0.0 else 0.0
            reason = None if hours else "at any number of hours"
        else:
            reason = "not even if the service runs all the time"
        yield Crossing(
            axis="hours_per_month",
            cheaper=cheaper,
            than="rent",
            value=hours,
            for_good=hours,
            usd_per_month=None if hours is None else _month(understood, mine, hours),
            option=mine.row.priced.id,
            other=rented.row.priced.id,
            reason=reason,
        )


def _month(understood: Understood, best: Best, hours: float) -> float:
    """Bill of the fleet if the service ran for so many hours at the same rate."""
    tariff = best.row.priced.tariff
    assert tariff is not None
    use = Usage(best.found, replace(understood.spending, hours=hours)).use(best.row.place)
    return tariff.month_usd(use)


def by_months(paid: Sequence[PaidOption]) -> Iterable[Crossing]:
    """Months after which what was bought has taken less cash than the other ways."""
    bought = next((one for one in paid if one.way == "buy"), None)
    for other in paid if bought is not None else ():
        if bought is None or other.way == "buy":
            continue
        saved = other.usd_running_per_month - bought.usd_running_per_month
        months = bought.usd_initial / saved if saved > 0.0 else None
        yield Crossing(
            axis="months",
            cheaper="buy",
            than=other.way,
            value=months,
            for_good=months,
            option=bought.answer.offer.id,
            other=other.answer.offer.id,
            reason="never: each month costs more than it saves" if months is None else None,
        )


def curve(understood: Understood, costs: Mapping[Way, LoadCost], tokens_per_day: float) -> Iterable[CurvePoint]:
    """Round loads about the one asked for."""
    if not costs:
        return
    first, last = tokens_per_day / 10**SHOWN_DECADES, tokens_per_day * 10**SHOWN_DECADES
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
