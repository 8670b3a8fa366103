"""The bill of a fleet at the load, and its cost at the limit of the targets and at saturation."""

from decimal import Decimal

from infra_advisor.advice.charges import CENT, total
from infra_advisor.advice.cost_parts import Cost, CostAt, CostLine
from infra_advisor.advice.question import Understood
from infra_advisor.advice.rows import Row
from infra_advisor.advice.spending import Point, Usage
from infra_advisor.search.calibration import Bands
from infra_advisor.search.fleet import Fleets
from infra_advisor.search.solve import users_of

THREE_YEARS = 36
"""Months."""


def cost_of(understood: Understood, fleets: Fleets, row: Row, bands: Bands) -> Cost:
    """Every figure follows from the lines: their sum is the month, and the month over its tokens the cost of a token."""
    place, tariff = row.place, row.priced.tariff
    at_load = float(fleets.output_tokens_per_s[place])
    limit = float(fleets.limit_tokens_per_s[place]) if fleets.solved.limit[place] > 0.0 else None
    utilisation = at_load / limit if limit else None
    if tariff is None or at_load <= 0.0:
        return unknown_cost(utilisation)
    usage, spending = Usage(fleets, understood.spending), understood.spending
    loads: dict[Point, tuple[float, float | None]] = {"load": (at_load, understood.load.users)}
    if limit:
        loads["limit"] = (limit, _users_at_limit(understood, fleets, place))
    loads["saturation"] = (float(fleets.full_tokens_per_s[place]), None)
    lines = tariff.lines(row.use)
    points = []
    for point, (tokens_per_s, users) in loads.items():
        bill = lines if point == "load" else tariff.lines(usage.use(place, point))
        points.append(cost_at(understood, point, bill, tokens_per_s, users, bands.throughput))
    load, by_name = points[0], {one.point: one for one in points}
    machines = row.use.machines + row.use.spare_machines
    return Cost(
        usd_per_h=load.usd_per_month / spending.hours,
        usd_per_month=load.usd_per_month,
        usd_per_mtok_output=load.usd_per_mtok_output,
        usd_per_mtok_total=load.usd_per_mtok_total,
        usd_per_mtok_output_low=load.usd_per_mtok_output_low,
        usd_per_mtok_output_high=load.usd_per_mtok_output_high,
        usd_per_mtok_output_at_limit=by_name["limit"].usd_per_mtok_output if limit else None,
        usd_per_mtok_output_at_saturation=by_name["saturation"].usd_per_mtok_output,
        utilisation=utilisation,
        hours_per_month=spending.hours,
        usd_initial=_cents((row.priced.purchase_usd or 0.0) * machines),
        usd_three_years=_cents(load.usd_per_month * THREE_YEARS),
        points=tuple(points),
        lines=lines,
    )


def cost_at(
    understood: Understood,
    point: Point,
    lines: tuple[CostLine, ...],
    output_tokens_per_s: float,
    users: float | None,
    throughput_band: tuple[float, float] | None,
    usd_per_mtok: float | None = None,
) -> CostAt:
    """A bill spread over what it pays for. `throughput_band`: factors on the prediction, None where the price is per token.

    `usd_per_mtok`: what a million output tokens cost where that is known without the bill, whose cents may be few.
    """
    workload, month_usd = understood.workload, float(total(lines))
    output_mtok = understood.spending.mtok_per_month(output_tokens_per_s)
    per_mtok = month_usd / output_mtok if usd_per_mtok is None else usd_per_mtok
    low, high = throughput_band or (None, None)
    return CostAt(
        point=point,
        output_tokens_per_s=output_tokens_per_s,
        usd_per_month=month_usd,
        usd_per_mtok_output=per_mtok,
        usd_per_mtok_output_low=per_mtok / high if high else None,
        usd_per_mtok_output_high=per_mtok / low if low else None,
        usd_per_mtok_total=per_mtok * workload.output_tokens / workload.tokens_per_request,
        usd_per_1000_requests=per_mtok * workload.output_tokens / 1000.0,
        usd_per_user_month=month_usd / users if users else None,
    )


def unknown_cost(utilisation: float | None) -> Cost:
    """Where no price is known."""
    return Cost(
        usd_per_h=None,
        usd_per_month=None,
        usd_per_mtok_output=None,
        usd_per_mtok_total=None,
        usd_per_mtok_output_at_limit=None,
        utilisation=utilisation,
    )


def _users_at_limit(understood: Understood, fleets: Fleets, place: int) -> float | None:
    """Users that the fleet serves at the limit of its targets."""
    if understood.load.users is None:
        return None
    each = users_of(fleets.solved.served_at_limit, fleets.timing.output_tokens, understood.load.think_s)
    return float(each[place] * fleets.replicas[place])


def _cents(usd: float) -> float:
    return float(Decimal(str(usd)).quantize(CENT))
