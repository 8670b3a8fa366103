"""What would change the answer: each input moved alone until another option wins, and what the others need to win."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from infra_advisor.advice.build import answers
from infra_advisor.advice.costs import cost_assumptions
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.payment import COMMITS, Payment
from infra_advisor.advice.question import limits_part, payment_part, stamp, workload_part
from infra_advisor.advice.sensitivities import SensitivityAnswer, Swing
from infra_advisor.advice.towin import named_contender, own_swings, to_win
from infra_advisor.advice.varied import Asked, Ranking, ranking, same
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.market import rates_on
from infra_advisor.facts.purchases import default_figure
from infra_advisor.search.fleet import Fleets
from infra_advisor.search.traffic import Traffic
from infra_advisor.search.workload import Workload
from infra_advisor.units import HOURS_PER_MONTH

CONTENDERS = 40
"""Decisions whose hardware stays in the running when inputs move."""
SETTLED = 5
"""Of them, simulated at the start."""
HALVINGS = 5
"""Of the step in which the winner changes: the value is then known to a few per cent."""
STEPS = 2
"""Looks between the base and each end."""
SHARES_PER_YEAR = (0.0, 0.2)


@dataclass(frozen=True)
class _Input:
    """One thing to move."""

    name: str
    unit: str
    base: float
    low: float
    high: float
    moved: Callable[[float], Asked]
    same_fleets: bool
    """It changes what things cost, not how fast they are."""
    whole: bool = False


@dataclass
class _Known:
    """Fleets of the workload as asked; what one look has simulated need not be run for the next."""

    found: Fleets


def sensitivity(
    catalog: Catalog,
    workload: Workload,
    limits: Limits | None = None,
    *,
    traffic: Traffic | None = None,
    payment: Payment | None = None,
    option: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SensitivityAnswer:
    """The cheapest option, how its cost moves with each input, the value at which another wins, and what the others need.

    `option`: also say what this one needs: an offer, accelerator or provider. `progress`: told how many inputs are done. Inputs are moved
    one at a time over hardware that ranks among the first forty decisions. Raises UsageError and CatalogError; "nothing fits" is an answer.
    """
    limits, traffic, payment = limits or Limits(), traffic or Traffic(), payment or Payment()
    asked = Asked(catalog.assuming(payment.assume), workload, limits, traffic, payment)
    base = ranking(asked, top=SETTLED)
    understood = base.understood
    answer = SensitivityAnswer(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        workload=workload_part(understood),
        limits=limits_part(understood.limits),
        payment=payment_part(payment),
        assumptions=(*understood.assumptions, *cost_assumptions(asked.catalog, [row.priced for row in base.rows], limits, payment)),
        status="ok" if base.winner else "nothing_fits",
        winner=None,
    )
    if base.winner is None:
        return answer
    wanted = named_contender(asked.catalog, base, option) if option else None
    if base.winner.class_ == "api":
        winner = base.hosted[0]
    else:
        (winner,) = answers(asked.catalog, understood, base.found, base.rows[:1], ranks=[1], labels=[()], behind={})
    inputs = list(_inputs(asked, base))
    swings, known = [], _Known(base.found)
    for number, one in enumerate(inputs):
        if progress is not None:
            progress(number, len(inputs))
        swings.append(_swing(one, base, known))
    swings += [*own_swings(base), *_commitments(asked, base)]
    swings.sort(key=lambda one: -_width(one))
    return answer.model_copy(
        update={
            "winner": winner,
            "runner_up": base.contenders[1] if len(base.contenders) > 1 else None,
            "inputs": tuple(swings),
            "to_win": tuple(to_win(asked.catalog, base, wanted)),
        }
    )


def _inputs(asked: Asked, base: Ranking) -> Iterator[_Input]:
    """Everything that can be moved for this question."""
    workload, catalog = asked.workload, asked.catalog
    longest = base.understood.longest_tokens

    def of_workload(name: str, value: float) -> Asked:
        changes: dict[str, object] = {name: round(value) if name.endswith("_tokens") else value}
        return replace(asked, workload=workload.with_changes(**changes))

    def assuming(name: str, value: float) -> Asked:
        return replace(asked, catalog=catalog.assuming({name: value}))

    for name in ("input_tokens", "output_tokens"):
        now = getattr(workload, name)
        other = workload.tokens_per_request - now
        high = min(now * 4.0, longest - other)
        low = max(now / 4.0, 1.0, workload.reasoning_tokens + 1.0 if name == "output_tokens" else 1.0)
        yield _Input(name, "tokens", now, low, high, partial(of_workload, name), same_fleets=False, whole=True)
    for name in workload.loads_given:
        now = getattr(workload, name)
        unit = {"users": "users", "concurrency": "requests", "request_rate_per_s": "requests/s", "tokens_per_day": "tokens/day"}[name]
        yield _Input(name, unit, now, now / 10.0, now * 10.0, partial(of_workload, name), same_fleets=False)
    if not base.understood.load.stated:
        now = base.understood.utilisation
        yield _Input(
            "utilisation_default", "share", now, 0.05, 1.0, lambda value: assuming("utilisation_default", value), same_fleets=False
        )
    hours = asked.payment.hours_per_month

    def of_hours(value: float) -> Asked:
        return replace(asked, payment=replace(asked.payment, hours_per_month=value))

    packs = workload.tokens_per_day is not None
    yield _Input("hours_per_month", "h/month", hours, HOURS_PER_MONTH / 10.0, HOURS_PER_MONTH, of_hours, same_fleets=not packs)

    power = default_figure(catalog.hosting, "electricity", asked.limits.country)
    given = catalog.assumptions.get("electricity_usd_per_kwh")
    if given is not None or power is not None:
        rates = rates_on(catalog.exchange_rates, catalog.as_of.isoformat())
        now = float(given.value) if given else float(power.value / rates[power.currency or "USD"]) if power else 0.0
        yield _Input("electricity_usd_per_kwh", "USD/kWh", now, now / 2.0, now * 3.0, partial(assuming, "electricity_usd_per_kwh"), True)
    now = float(catalog.assumptions["cost_of_capital_per_year"].value)
    yield _Input("cost_of_capital_per_year", "share", now, *SHARES_PER_YEAR, partial(assuming, "cost_of_capital_per_year"), True)
    for name in ("amortisation_datacenter_years", "amortisation_edge_years"):
        now = float(catalog.assumptions[name].value)
        yield _Input(name, "years", now, min(2.0, now), max(5.0, now), partial(assuming, name), True)
    for currency in sorted(_currencies(asked, base)):
        now = float(rates_on(catalog.exchange_rates, catalog.as_of.isoformat())[currency])
        yield _Input(
            f"{currency.lower()}_per_usd", f"{currency} for a USD", now, now * 0.7, now * 1.3, partial(_at_rate, asked, currency), True
        )


def _currencies(asked: Asked, base: Ranking) -> set[str]:
    """In which contenders are priced, other than the dollar."""
    return {row.priced.currency or "USD" for row in base.rows[:CONTENDERS]} - {"USD"}


def _at_rate(asked: Asked, currency: str, per_usd: float) -> Asked:
    return replace(asked, catalog=asked.catalog.at_rate(currency, per_usd))


def _swing(moved: _Input, base: Ranking, known: _Known) -> Swing:
    """The input at both ends, and the nearest value at which another option wins."""
    winner = base.winner
    assert winner is not None
    platforms = {row.priced.platform for row in base.rows[:CONTENDERS]}

    def look(value: float) -> Ranking:
        seen = ranking(moved.moved(value), platforms, known.found if moved.same_fleets else None, before=base)
        if moved.same_fleets:
            known.found = seen.found
        return seen

    def flips(found: Ranking) -> bool:
        return found.winner is None or not same(found.winner, winner)

    flips_at: float | None = None
    flips_to = None
    ends: dict[str, Ranking] = {}
    for end, last in (("low", moved.low), ("high", moved.high)):
        if abs(last - moved.base) < 1e-9 * max(abs(moved.base), 1.0):
            ends[end] = base
            continue
        before, found = moved.base, base
        for step in range(1, STEPS + 1):
            value = _along(moved, last, step / STEPS)
            found = look(value)
            if flips(found):
                changed = found
                near, far = before, value
                for _ in range(HALVINGS):
                    middle = _middle(moved, near, far)
                    between = look(middle)
                    if flips(between):
                        far, changed = middle, between
                    else:
                        near = middle
                if flips_at is None or _distance(moved, far) < _distance(moved, flips_at):
                    flips_at, flips_to = far, changed.winner
                if value != last:
                    found = look(last)
                break
            before = value
        ends[end] = found
    low, high = ends["low"], ends["high"]
    return Swing(
        input=moved.name,
        unit=moved.unit,
        base=moved.base,
        low=moved.low,
        high=moved.high,
        usd_per_mtok_at_low=low.cost_of(winner),
        usd_per_mtok_at_high=high.cost_of(winner),
        winner_at_low=low.winner,
        winner_at_high=high.winner,
        flips_at=float(round(flips_at)) if flips_at is not None and moved.whole else flips_at,
        flips_to=flips_to,
        reason="nothing meets the limits any more" if flips_at is not None and flips_to is None else None,
    )


def _along(moved: _Input, last: float, share: float) -> float:
    """A value on the way from the base to an end: in equal factors, or in equal steps where zero is in reach."""
    if min(moved.base, last) <= 0.0:
        return moved.base + (last - moved.base) * share
    return float(moved.base * (last / moved.base) ** share)


def _middle(moved: _Input, near: float, far: float) -> float:
    return (near + far) / 2.0 if min(near, far) <= 0.0 else float((near * far) ** 0.5)


def _distance(moved: _Input, value: float) -> float:
    """How far a value lies from the base, as a factor; from a base of zero, as it is."""
    if moved.base <= 0.0 or value <= 0.0:
        return abs(value - moved.base) / (moved.high - moved.low)
    return max(value / moved.base, moved.base / value) - 1.0


def _commitments(asked: Asked, base: Ranking) -> Iterator[Swing]:
    """Who wins for each length of commitment."""
    winner = base.winner
    assert winner is not None
    every = ranking(replace(asked, payment=replace(asked.payment, commit="auto")))
    found: dict[str, Ranking] = {"auto": every, asked.payment.commit: base}
    for commit in COMMITS:
        if commit not in found:
            term = replace(asked.payment, commit=commit)  # type: ignore[arg-type]
            found[commit] = ranking(replace(asked, payment=term), known=every.found)
    others = ((commit, found[commit].winner) for commit in COMMITS)
    other = next((commit for commit, won in others if won is not None and not same(won, winner)), None)
    lost = other is None and any(one.winner is None for one in found.values())
    yield Swing(
        input="commit",
        unit="term",
        base=asked.payment.commit,
        low=COMMITS[0],
        high=COMMITS[-1],
        usd_per_mtok_at_low=found[COMMITS[0]].cost_of(winner),
        usd_per_mtok_at_high=found[COMMITS[-1]].cost_of(winner),
        winner_at_low=found[COMMITS[0]].winner,
        winner_at_high=found[COMMITS[-1]].winner,
        flips_at=other,
        flips_to=found[other].winner if other else None,
        reason="for some terms nothing within the limits has a price" if lost else None,
    )


def _width(swing: Swing) -> float:
    """By how much the cost of the winner moves between the ends; what drives it out comes first."""
    known = [value for value in (swing.usd_per_mtok_at_low, swing.usd_per_mtok_at_high) if value is not None]
    return abs(known[0] - known[1]) if len(known) == 2 else float("inf") if swing.flips_at is not None else 0.0
