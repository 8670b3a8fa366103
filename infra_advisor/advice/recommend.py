"""The main question: which hardware should run this model, how fast, at what cost."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from infra_advisor.advice.answer import Answer, Assumption, NearMiss, Recommendation
from infra_advisor.advice.asked import echo
from infra_advisor.advice.build import answers
from infra_advisor.advice.costs import cost_assumptions
from infra_advisor.advice.energy import power_assumptions
from infra_advisor.advice.finalists import enough, finalists, settled
from infra_advisor.advice.hosted import hosted_answers
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.near import Miss, closest, relaxations, speed_excess, violations
from infra_advisor.advice.option import Priced
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.priced import priced_options
from infra_advisor.advice.question import Understood, canonical_accelerators, limits_part, payment_part, stamp, understand, workload_part
from infra_advisor.advice.ranked import ranked_answers
from infra_advisor.advice.rows import BALANCED_WEIGHTS, ELECTRIC, Row, best_places, check_rank, merged, rows, within_budget
from infra_advisor.advice.searching import certain_of, place_unknown, search
from infra_advisor.advice.warnings import warnings
from infra_advisor.advice.ways_out import ways_out
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.fleet import Fleets, with_slack
from infra_advisor.search.platforms import Platform
from infra_advisor.search.traffic import Traffic
from infra_advisor.search.workload import Workload

NEAR_MISSES = 5
LARGEST_WITHOUT_LOAD = 16
"""Accelerators of the largest machine considered where no load is stated."""


def recommend(
    catalog: Catalog,
    workload: Workload,
    limits: Limits,
    *,
    traffic: Traffic | None = None,
    payment: Payment | None = None,
    rank: str = "cost",
    top: int = 10,
    merge: str = "offer",
    plan: bool = False,
    mix: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Recommendation:
    """Ranked ways to run the workload within the limits, with what nearly fits and what was left out.

    `rank`: cost (per million output tokens), ttft, speed, throughput, energy, carbon (both per output token) or balanced.
    `top`: rows at most, 0 = all. `merge`: "offer" keeps one row per provider, region, instance family, engine and format; "decision" one
    per class, provider and accelerator. `plan`: also the runs that would settle the decision. `mix`: also the best two kinds of hardware,
    one for short prompts and one for long ones. `progress`: told how much of that is done. Raises UsageError and CatalogError; "nothing
    fits" is an answer.
    """
    payment = payment or Payment()
    catalog = catalog.assuming(payment.assume)
    if mix:
        from infra_advisor.advice.mix import check_mix, with_mix

        check_mix(workload, traffic)
    answer = _answer(catalog, workload, limits, traffic, payment, rank, top, merge)
    options = {"rank": rank, "top": top, "merge": merge, "plan": plan, "mix": mix}
    asked = echo(workload=workload, limits=limits, traffic=traffic or Traffic(), payment=payment, **options)
    answer = answer.model_copy(update={"question": asked})
    if mix:
        answer = with_mix(catalog, answer, workload, limits, traffic, payment, progress)
    if answer.ranked and plan:
        from infra_advisor.advice.benchmark import plan as plan_of
        from infra_advisor.advice.launch import native_format

        runs = plan_of(answer.ranked, answer.workload, answer.limits, catalog.engines, native_format(catalog, answer.workload))
        return answer.model_copy(update={"plan": runs})
    if answer.ranked:
        return answer
    found = tuple(ways_out(limits, payment, lambda freed, paid: _answer(catalog, workload, freed, traffic, paid, rank, 1, merge)))
    return answer.model_copy(update={"relaxations": (*answer.relaxations, *found)})


def of_one_offer(
    catalog: Catalog,
    workload: Workload,
    limits: Limits,
    class_: str,
    offer: str,
    *,
    traffic: Traffic | None = None,
    payment: Payment | None = None,
    rank: str = "cost",
) -> Recommendation:
    """The same question with one offer (its id) to choose from: the best that can be made of it, or why it cannot serve."""
    payment = payment or Payment()
    return _answer(catalog.assuming(payment.assume), workload, limits, traffic, payment, rank, 1, "offer", only=(class_, offer))


def _answer(
    catalog: Catalog,
    workload: Workload,
    limits: Limits,
    traffic: Traffic | None,
    payment: Payment,
    rank: str,
    top: int,
    merge: str,
    only: tuple[str, str] | None = None,
) -> Recommendation:
    check_rank(rank)
    catalog.preload(("chips", "aliases"))
    limits = replace(limits, accelerator=canonical_accelerators(catalog, limits.accelerator))
    understood = understand(catalog, workload, limits, traffic, payment)
    excluded: Counter[str] = Counter()
    options = priced_options(catalog, limits, payment, excluded)
    if only:
        options = [option for option in options if (option.class_, option.id) == only]
        excluded.clear()
    options = _of_a_size(options, understood, excluded)
    found = search(catalog, understood, options, excluded)
    certain = certain_of(options, limits)
    doubtful = [option for option in options if option.outside is None and (option.tariff is None or place_unknown(option, limits))]
    chosen = finalists(catalog, understood, found, certain, rank=rank, top=top, merge=merge)
    found, kept, fitting, distinct, behind = chosen.found, chosen.kept, chosen.fitting, chosen.distinct, chosen.behind
    api_ranked, api_unranked = hosted_answers(catalog, understood, Counter() if only else excluded)
    if only:
        api_ranked, api_unranked = ([one for one in listed if ("api", one.offer.id) == only] for listed in (api_ranked, api_unranked))
    ranked = ranked_answers(catalog, understood, found, distinct, behind, api_ranked, rank, top)
    dear = [row for row in fitting if not within_budget(row, limits)]
    near = _near_misses(catalog, understood, found, options, certain, dear, kept, rank, distinct[0].usd_per_month if distinct else None)
    listed, _ = merged(_in_order(understood, found, doubtful, kept, rank), found, merge)
    shown = listed if top == 0 else listed[:top]
    blank: list[tuple[str, ...]] = [()] * len(shown)
    unranked = answers(catalog, understood, found, shown, ranks=[None] * len(shown), labels=blank, behind={})
    unranked = [_with_place_reason(answer, limits) for answer in unranked]
    return Recommendation(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        workload=workload_part(understood),
        limits=limits_part(limits),
        payment=payment_part(payment),
        rank_by=rank,
        assumptions=(*understood.assumptions, *_assumed(catalog, options, limits, payment, rank)),
        status="ok" if ranked else "nothing_fits",
        ranked=tuple(ranked),
        ranked_total=len(distinct) + len(api_ranked),
        unranked=tuple([*api_unranked, *unranked] if top == 0 else [*api_unranked[:top], *unranked]),
        near_misses=tuple(near),
        relaxations=tuple(relaxations(near)),
        excluded=dict(sorted(excluded.items(), key=lambda item: (-item[1], item[0]))),
        considered={"offers": len(options), "deployments": found.points, "unranked": len(api_unranked) + len(listed)},
        warnings=tuple(warnings(catalog, ranked, limits, load_stated=understood.load.stated)),
    )


def _in_order(understood: Understood, found: Fleets, options: Sequence[Priced], places: dict[Platform, list[int]], rank: str) -> list[Row]:
    return sorted(rows(found, options, places, rank, understood.spending), key=lambda row: row.key)


def _of_a_size(options: list[Priced], understood: Understood, excluded: Counter[str]) -> list[Priced]:
    """The options, without racks where neither a load nor an accelerator was named: per token a full rack is always cheap."""
    if understood.load.stated or understood.limits.owned or understood.limits.accelerator.keep:
        return options
    kept = [option for option in options if option.platform.chips <= LARGEST_WITHOUT_LOAD]
    if len(kept) < len(options):
        excluded[f"more than {LARGEST_WITHOUT_LOAD} accelerators, and no load was given"] += len(options) - len(kept)
    return kept


def _assumed(catalog: Catalog, options: Sequence[Priced], limits: Limits, payment: Payment, rank: str) -> list[Assumption]:
    """What the rule and the prices rest on, each once."""
    power = power_assumptions(catalog) if rank in ELECTRIC else []
    said = {one.name: one for one in (*_rule(rank), *cost_assumptions(catalog, options, limits, payment), *power)}
    return list(said.values())


def _rule(rank: str) -> tuple[Assumption, ...]:
    if rank != "balanced":
        return ()
    weights = ", ".join(f"{name} {weight:g}" for name, weight in BALANCED_WEIGHTS.items())
    return (Assumption(name="balanced_weights", value=weights, origin="default", note="exponents of a product; the smallest ranks first"),)


def _with_place_reason(answer: Answer, limits: Limits) -> Answer:
    if answer.reason is None and limits.residency and answer.offer.country is None:
        return answer.model_copy(update={"reason": "residency unknown: the price list names no country"})
    return answer


def _near_misses(
    catalog: Catalog,
    understood: Understood,
    found: Fleets,
    options: Sequence[Priced],
    certain: Sequence[Priced],
    dear: Sequence[Row],
    kept: dict[Platform, list[int]],
    rank: str,
    winner_usd_per_month: float | None,
) -> list[NearMiss]:
    """Options that break one kind of limit each: too slow, too dear, outside the country, or cheaper but too small for 8-bit weights.

    `certain`: those of the options that have a price and lie, for sure, where the limits say.
    """
    limits = understood.limits
    slow = _too_slow(understood, found, [option for option in certain if option.platform not in kept], rank)
    near = slow_answers(catalog, understood, found, slow)
    others = _nearest_by_price(dear, found)
    if limits.residency:
        abroad = [option for option in options if option.outside and option.tariff is not None]
        others += [row for row in _in_order(understood, found, abroad, kept, rank) if within_budget(row, limits)][:1]
    near += _misses(catalog, understood, found, others)
    if understood.question.weights == "auto":
        most = math.inf if winner_usd_per_month is None else winner_usd_per_month / understood.spending.hours
        cheaper = [option for option in certain if (option.usd_per_h or 0.0) < most]
        near += _only_in_four_bits(catalog, understood, found, cheaper, rank)
    if not near:
        near = slow_answers(catalog, understood, found, slow, at_any_price=True)
    return [miss for miss in near if miss.violations]


def _too_slow(understood: Understood, found: Fleets, options: Sequence[Priced], rank: str) -> list[Row]:
    limits = understood.limits
    places = best_places(
        found,
        "near",
        lambda place: not enough(found, place, limits),
        figure=[speed_excess(found, place, limits) for place in range(len(found.candidates))],
    )
    found_rows = rows(found, options, places, rank, understood.spending)
    return closest((Miss(row, speed_excess(found, row.place, limits)) for row in found_rows), found, NEAR_MISSES)


def slow_answers(
    catalog: Catalog, understood: Understood, found: Fleets, slow: Sequence[Row], *, at_any_price: bool = False
) -> list[NearMiss]:
    """Near misses of fleets that break a speed limit, sized as if the miss were accepted.

    `at_any_price`: also those that break the budget too.
    """
    if not slow:
        return []
    sized = with_slack(found, [row.place for row in slow], understood.load, utilisation=understood.utilisation)
    run = settled(catalog, understood, sized, range(len(slow)), fixed_size=True)
    again = [
        row
        for k, before in enumerate(slow)
        for row in rows(run, [before.priced], {before.priced.platform: [k]}, "cost", understood.spending)
    ]
    near = [row for row in again if at_any_price or within_budget(row, understood.limits)]
    return _misses(catalog, understood, run, near, screened=sized)


def _nearest_by_price(dear: Sequence[Row], found: Fleets) -> list[Row]:
    """The two cheapest fleets over the budget, of different accelerators."""
    return merged(sorted(dear, key=lambda row: (row.usd_per_month or 0.0, row.key)), found, "decision")[0][:2]


def _misses(catalog: Catalog, understood: Understood, found: Fleets, near: Sequence[Row], screened: Fleets | None = None) -> list[NearMiss]:
    blank: list[tuple[str, ...]] = [()] * len(near)
    built = answers(catalog, understood, found, near, ranks=[None] * len(near), labels=blank, behind={})
    return [_miss(answer, row, understood, screened or found) for answer, row in zip(built, near, strict=True)]


def _miss(answer: Answer, row: Row, understood: Understood, screened: Fleets) -> NearMiss:
    narrower = understood.workload.weights == "auto" and understood.question.weights != "auto"
    broken = violations(
        answer,
        understood.limits,
        understood.limits.statistic,
        outside=row.priced.outside,
        narrower=narrower,
        screened=(float(screened.ttft_s[row.place]), float(screened.tpot_s[row.place])),
    )
    return NearMiss(**dict(answer), violations=tuple(broken))


def _only_in_four_bits(catalog: Catalog, understood: Understood, found: Fleets, options: Sequence[Priced], rank: str) -> list[NearMiss]:
    """Options too small for 8-bit weights that 4-bit weights would fit and that then keep every other limit."""
    small = [option for option in options if option.platform in found.unfit]
    if not small:
        return []
    asked = replace(understood, question=replace(understood.question, weights="4bit"))
    fleet = search(catalog, asked, small, Counter())
    budget = understood.limits.budget_usd_per_month is not None
    places = best_places(fleet, rank, lambda place: bool(fleet.kept[place]), of_each_size=budget)
    fitting = [row for row in _in_order(understood, fleet, small, places, rank) if within_budget(row, understood.limits)]
    near, _ = merged(fitting, fleet, "decision")
    return _misses(catalog, asked, fleet, near[:2])
