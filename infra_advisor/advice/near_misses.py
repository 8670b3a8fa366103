"""What nearly fits: options that break one kind of limit, each with what it breaks."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from infra_advisor.advice.answer import Answer, NearMiss
from infra_advisor.advice.build import answers
from infra_advisor.advice.finalists import enough, settled
from infra_advisor.advice.near import Miss, closest, speed_excess, violations
from infra_advisor.advice.option import Priced
from infra_advisor.advice.portable import Portability
from infra_advisor.advice.question import Understood
from infra_advisor.advice.rows import Row, best_places, in_order, merged, rows, within_budget
from infra_advisor.advice.searching import search
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.fleet import Fleets, with_slack
from infra_advisor.search.platforms import Platform

NEAR_MISSES = 5


def near_misses(
    catalog: Catalog,
    understood: Understood,
    found: Fleets,
    options: Sequence[Priced],
    certain: Sequence[Priced],
    dear: Sequence[Row],
    kept: dict[Platform, list[int]],
    rank: str,
    winner_usd_per_month: float | None,
    portability: Portability | None,
) -> list[NearMiss]:
    """Options that break one kind of limit each: too slow, too dear, outside the country, or cheaper but too small for 8-bit weights.

    `certain`: those of the options that have a price and lie, for sure, where the limits say.
    """
    limits = understood.limits
    slow = _too_slow(understood, found, [option for option in certain if option.platform not in kept], rank, portability)
    near = slow_answers(catalog, understood, found, slow)
    others = _nearest_by_price(dear, found)
    if limits.residency:
        abroad = [option for option in options if option.outside and option.tariff is not None]
        others += [row for row in in_order(found, abroad, kept, rank, understood.spending) if within_budget(row, limits)][:1]
    near += misses(catalog, understood, found, others)
    if understood.question.weights == "auto" and portability is None:
        most = math.inf if winner_usd_per_month is None else winner_usd_per_month / understood.spending.hours
        cheaper = [option for option in certain if (option.usd_per_h or 0.0) < most]
        near += _only_in_four_bits(catalog, understood, found, cheaper, rank)
    if not near:
        near = slow_answers(catalog, understood, found, slow, at_any_price=True)
    return [miss for miss in near if miss.violations]


def _too_slow(understood: Understood, found: Fleets, options: Sequence[Priced], rank: str, portability: Portability | None) -> list[Row]:
    limits = understood.limits
    places = best_places(
        found,
        "near",
        lambda place: not enough(found, place, limits) and (portability is None or portability.has_engines(place)),
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
    return misses(catalog, understood, run, near, screened=sized)


def _nearest_by_price(dear: Sequence[Row], found: Fleets) -> list[Row]:
    """The two cheapest fleets over the budget, of different accelerators."""
    return merged(sorted(dear, key=lambda row: (row.usd_per_month or 0.0, row.key)), found, "decision")[0][:2]


def misses(
    catalog: Catalog,
    understood: Understood,
    found: Fleets,
    near: Sequence[Row],
    screened: Fleets | None = None,
    portability: Portability | None = None,
) -> list[NearMiss]:
    """The rows with what they break. `screened`: the fleets as first estimated, where these were sized anew."""
    blank: list[tuple[str, ...]] = [()] * len(near)
    built = answers(catalog, understood, found, near, ranks=[None] * len(near), labels=blank, behind={})
    return [
        _miss(answer, row, understood, screened or found, portability.why_not(row.place) if portability else None)
        for answer, row in zip(built, near, strict=True)
    ]


def _miss(answer: Answer, row: Row, understood: Understood, screened: Fleets, locked: str | None) -> NearMiss:
    narrower = understood.workload.weights == "auto" and understood.question.weights != "auto"
    broken = violations(
        answer,
        understood.limits,
        understood.limits.statistic,
        outside=row.priced.outside,
        narrower=narrower,
        locked=locked,
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
    fitting = [row for row in in_order(fleet, small, places, rank, understood.spending) if within_budget(row, understood.limits)]
    near, _ = merged(fitting, fleet, "decision")
    return misses(catalog, asked, fleet, near[:2])
