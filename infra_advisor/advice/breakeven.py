"""Rent, buy or call an API: the best of each at the load, and where one becomes cheaper than the other."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from infra_advisor.advice.answer import Answer, Assumption
from infra_advisor.advice.breakevens import WAYS, BreakevenAnswer, PaidOption, Way
from infra_advisor.advice.build import answers
from infra_advisor.advice.cost_parts import CostLine
from infra_advisor.advice.costs import cost_assumptions
from infra_advisor.advice.crossings import Best, LoadCost, by_hours, by_load, by_months, curve, of_api, of_machines, tokens_per_day_of
from infra_advisor.advice.envelope import envelope
from infra_advisor.advice.finalists import finalists
from infra_advisor.advice.hosted import SPEED_UNKNOWN, hosted_answers
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.option import Priced
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.priced import priced_options
from infra_advisor.advice.question import Understood, canonical_accelerators, limits_part, payment_part, stamp, understand, workload_part
from infra_advisor.advice.searching import certain_of, search
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.fleet import Fleets
from infra_advisor.search.traffic import Traffic
from infra_advisor.search.workload import Workload

DEFAULT_TOKENS_PER_DAY = 50e6
COMMITTED_MONTHS = 12
NOT_CASH = ("hardware", "host", "resale", "cost of capital")
"""Lines of what is bought that were paid at the start."""


def breakeven(
    catalog: Catalog,
    workload: Workload,
    limits: Limits | None = None,
    *,
    traffic: Traffic | None = None,
    payment: Payment | None = None,
) -> BreakevenAnswer:
    """The cheapest way to rent, to commit, to buy and to call an API at the load, and the loads, hours and months at which they cross.

    A load in users or in requests in flight counts as the requests/s that the cheapest fleet makes of it; without any, 50 million tokens
    a day are taken. Every way is sized in whole machines at each load. Raises UsageError and CatalogError.
    """
    limits, payment = limits or Limits(), payment or Payment()
    if limits.budget_usd_per_month is not None:
        raise UsageError("breakeven compares what things cost: leave out --budget")
    if limits.owned is not None:
        raise UsageError("breakeven asks whether to rent or to buy: leave out --owned")
    catalog = catalog.assuming(payment.assume)
    limits = replace(limits, accelerator=canonical_accelerators(catalog, limits.accelerator))
    said, workload = _with_rate(catalog, workload, limits, traffic, payment)
    every_term = replace(payment, commit="auto")
    understood = understand(catalog, workload, limits, traffic, every_term)
    excluded: Counter[str] = Counter()
    options = certain_of(priced_options(catalog, limits, every_term, excluded))
    found = search(catalog, understood, options, excluded)
    best: dict[Way, Best] = {}
    groups = {way: [one for one in options if _way(one) == way] for way in WAYS}
    for way, mine in groups.items():
        if not mine:
            continue
        chosen = finalists(catalog, understood, found, mine, rank="cost", top=1, merge="decision")
        found = chosen.found
        if chosen.distinct:
            best[way] = Best(chosen.distinct[0], found)
    hosted = _cheapest_api(catalog, understood, excluded)
    paid = _paid(catalog, understood, best, hosted)
    costs = _costs(understood, found, groups, hosted)
    missing: dict[str, str] = {way: _why_none(way, groups, limits) for way in WAYS if way not in {one.way for one in paid}}
    tokens_per_day = tokens_per_day_of(understood, _rate(understood))
    notes = tuple(one for one in understood.assumptions if one.name != "request_rate_per_s" or not said)
    return BreakevenAnswer(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        workload=workload_part(understood),
        limits=limits_part(limits),
        payment=payment_part(payment),
        assumptions=(*said, *notes, *cost_assumptions(catalog, options, limits, payment)),
        status="ok" if paid else "nothing_fits",
        reason=None if paid else "nothing can be rented, bought or called within the limits",
        tokens_per_day=tokens_per_day,
        options=tuple(paid),
        cheapest=min(paid, key=lambda one: one.usd_per_month).id if paid else None,
        missing=missing,
        breakeven=(*by_load(understood, costs, tokens_per_day), *by_hours(understood, best), *by_months(paid)),
        curve=tuple(curve(understood, costs, tokens_per_day)),
        warnings=tuple(_warnings(paid)),
    )


def _way(option: Priced) -> Way:
    if option.owned:
        return "buy"
    return "commit" if option.term_months >= COMMITTED_MONTHS else "rent"


def _rate(understood: Understood) -> float:
    """Output tokens/s of the load."""
    rate = understood.load.request_rate_per_s
    assert rate is not None
    return rate * understood.workload.output_tokens


def _with_rate(
    catalog: Catalog, workload: Workload, limits: Limits, traffic: Traffic | None, payment: Payment
) -> tuple[tuple[Assumption, ...], Workload]:
    """The load as requests/s: all ways to pay are compared at the same one."""
    if workload.request_rate_per_s is not None or workload.tokens_per_day is not None:
        return (), workload
    if not workload.loads_given and limits.throughput_tokens_per_s is None:
        note = "no load given: 50M prompt and output tokens a day; state yours with --tokens-per-day, --rate or --users"
        said = Assumption(name="tokens_per_day", value=DEFAULT_TOKENS_PER_DAY, origin="default", note=note)
        return (said,), workload.with_changes(tokens_per_day=DEFAULT_TOKENS_PER_DAY)
    understood = understand(catalog, workload, limits, traffic, payment)
    if understood.load.request_rate_per_s is not None:
        return (), workload.with_changes(request_rate_per_s=understood.load.request_rate_per_s)
    options = certain_of(priced_options(catalog, limits, payment, Counter()))
    chosen = finalists(catalog, understood, search(catalog, understood, options, Counter()), options, rank="cost", top=1, merge="decision")
    if not chosen.distinct:
        raise UsageError("no hardware meets the limits, so how often these users ask is not known: state --rate or --tokens-per-day")
    rate = float(chosen.found.output_tokens_per_s[chosen.distinct[0].place]) / workload.output_tokens
    note = "what the cheapest fleet makes of this load; the other ways to pay are compared at the same rate"
    said = Assumption(name="request_rate_per_s", value=rate, origin="input", note=note)
    return (said,), workload.with_changes(**dict.fromkeys(workload.loads_given), request_rate_per_s=rate)


def _cheapest_api(catalog: Catalog, understood: Understood, excluded: Counter[str]) -> Answer | None:
    """Speed targets cannot be checked for an API; everything else must hold."""
    rankable, unranked = hosted_answers(catalog, understood, excluded)
    known = [one for one in (*rankable, *unranked) if one.reason in (None, SPEED_UNKNOWN) and one.cost.usd_per_month is not None]
    return min(known, key=lambda one: (one.cost.usd_per_month or 0.0, one.id), default=None)


def _paid(catalog: Catalog, understood: Understood, best: Mapping[Way, Best], hosted: Answer | None) -> list[PaidOption]:
    shown: dict[Way, Answer] = {}
    for way, one in best.items():
        (shown[way],) = answers(catalog, understood, one.found, [one.row], ranks=[None], labels=[()], behind={})
    if hosted is not None:
        shown["api"] = hosted
    return [_option(understood, way, shown[way]) for way in WAYS if way in shown]


def _option(understood: Understood, way: Way, answer: Answer) -> PaidOption:
    cost = answer.cost
    assert cost.usd_per_month is not None
    most = answer.performance.max_output_tokens_per_s
    initial = cost.usd_initial or 0.0
    before = _not_cash_usd(cost.lines) if initial else 0.0
    return PaidOption(
        kind="buy" if way == "buy" else "api" if way == "api" else "rent",
        way=way,
        id=answer.id,
        answer=answer,
        lines=cost.lines,
        usd_per_month=cost.usd_per_month,
        usd_initial=initial,
        usd_running_per_month=round(cost.usd_per_month - before, 2),
        tokens_per_day_limit=None if most is None else tokens_per_day_of(understood, most),
    )


def _not_cash_usd(lines: Sequence[CostLine]) -> float:
    """Write-off and capital of a month, those of spare machines among them, which stand in a line of their own."""
    spare = sum(line.quantity for line in lines if line.name == "spare machines")
    return sum(line.amount_usd * (1.0 + spare / line.quantity) for line in lines if line.name in NOT_CASH and line.quantity)


def _why_none(way: Way, groups: Mapping[Way, Sequence[Priced]], limits: Limits) -> str:
    if way == "api":
        return "no hosted API with known prices serves this model within the limits"
    if not groups[way]:
        return {
            "rent": "no machine to rent is within the limits",
            "commit": "no machine within the limits has a price for a year or more",
            "buy": "no machine to buy is within the limits",
        }[way]
    return "no machine of this kind meets the targets" if limits.ttft_s or limits.tpot_s else "the model fits on no machine of this kind"


def _costs(understood: Understood, found: Fleets, groups: Mapping[Way, Sequence[Priced]], hosted: Answer | None) -> dict[Way, LoadCost]:
    """Way -> the least it costs at any load."""
    costs: dict[Way, LoadCost] = {}
    for way in WAYS:
        hull = envelope(found, groups[way], understood.spending, headroom=understood.limits.headroom)
        if hull is not None:
            costs[way] = of_machines(hull)
    if hosted is not None and hosted.cost.usd_per_mtok_output is not None:
        costs["api"] = of_api(understood, hosted.offer.id, hosted.cost.usd_per_mtok_output)
    return costs


def _warnings(paid: Sequence[PaidOption]) -> Iterable[str]:
    if any(one.way == "api" and one.answer.reason == SPEED_UNKNOWN for one in paid):
        yield "How fast the hosted API answers is not known: whether it meets the targets must be measured."
    for one in paid:
        if one.answer.grade == "D" and one.way != "api":
            yield f"Grade D behind {one.answer.offer.id}: nothing like it was measured; measure before you sign."
