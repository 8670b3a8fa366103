"""The fleets that will be shown, settled by simulation: rows ranked in closed form are run until those at the top have all been."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from infra_advisor.advice.limits import Limits
from infra_advisor.advice.option import Priced
from infra_advisor.advice.portable import Portability, portability
from infra_advisor.advice.question import Understood
from infra_advisor.advice.rows import Row, best_places, merged, rows, within_budget
from infra_advisor.advice.searching import engines_of
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search import settle as simulation
from infra_advisor.search.fleet import Fleets
from infra_advisor.search.platforms import Platform

MOST_FINALISTS = 24
"""Fleets that are simulated for one answer; further down the list the closed form stands."""
LIST = 10
"""Rows of a list without an end that are settled."""


@dataclass(frozen=True)
class Finalists:
    """Fleets with the finalists settled, and all rows that fit, in order."""

    found: Fleets
    kept: dict[Platform, list[int]]
    """Platform -> its best fleets."""
    fitting: list[Row]
    distinct: list[Row]
    """One row per decision, within the budget."""
    behind: dict[str, int]
    portability: Portability | None = None
    """Where it was asked for."""


def finalists(
    catalog: Catalog,
    understood: Understood,
    found: Fleets,
    options: Sequence[Priced],
    *,
    rank: str,
    top: int,
    merge: str,
    settle: bool = True,
    classes: bool = True,
) -> Finalists:
    """Rank, simulate what stands at the top, rank again, until the rows to be shown have been simulated.

    `settle`: False = rank only. `classes`: the first of each class is shown too.
    """
    ranked = _ranked(understood, found, options, rank, merge)
    if understood.limits.portable:
        engines = engines_of(catalog, understood.limits, Counter())
        movable = portability(catalog, understood.resolved.model, found, payable(ranked.fitting, understood.limits), engines)
        ranked = _ranked(understood, found, options, rank, merge, movable=movable)
    on: dict[Platform, list[Priced]] = {}
    places: dict[Platform, list[int]] = {}
    if settle:
        for option in options:
            on.setdefault(option.platform, []).append(option)
        for place, candidate in enumerate(found.candidates):
            places.setdefault(candidate.platform, []).append(place)
    most = len(found.simulated) + MOST_FINALISTS
    while settle:
        left = most - len(ranked.found.simulated)
        new = [place for place in _to_show(ranked.distinct, top or LIST, classes=classes) if place not in ranked.found.simulated][
            : max(left, 0)
        ]
        if not new:
            return ranked
        changed = dict.fromkeys(found.candidates[place].platform for place in new)
        again = [place for platform in changed for place in places[platform]]
        machines = [option for platform in changed for option in on.get(platform, ())]
        ranked = _ranked(
            understood, settled(catalog, understood, ranked.found, new), machines, rank, merge, again, ranked, ranked.portability
        )
    return ranked


def settled(catalog: Catalog, understood: Understood, found: Fleets, places: Sequence[int], *, fixed_size: bool = False) -> Fleets:
    """The fleets with some places simulated at the load of the question."""
    return simulation.settle(
        found,
        places,
        catalog.chips,
        understood.load,
        understood.traffic,
        utilisation=understood.utilisation,
        headroom=understood.limits.headroom,
        longest_tokens=understood.longest_tokens,
        fixed_size=fixed_size,
    )


def _ranked(
    understood: Understood,
    found: Fleets,
    options: Sequence[Priced],
    rank: str,
    merge: str,
    among: Sequence[int] | None = None,
    before: Finalists | None = None,
    movable: Portability | None = None,
) -> Finalists:
    """All options in order; or, where most stand as `before`, those whose platform has fleets `among` the given places anew."""
    limits = understood.limits
    by_size = limits.budget_usd_per_month is not None

    def wanted(place: int) -> bool:
        return enough(found, place, limits) and (movable is None or movable.admits(place))

    kept = best_places(found, rank, wanted, of_each_size=by_size, among=among)
    fitting = rows(found, options, kept, rank, understood.spending)
    if before is not None:
        changed = {option.platform for option in options}
        kept = {platform: best for platform, best in before.kept.items() if platform not in changed} | kept
        fitting += [row for row in before.fitting if row.priced.platform not in changed]
    fitting.sort(key=lambda row: row.key)
    distinct, behind = merged(payable(fitting, limits), found, merge)
    return Finalists(found, kept, fitting, distinct, behind, movable)


def payable(fitting: Iterable[Row], limits: Limits) -> Iterator[Row]:
    """Those within the budget."""
    return (row for row in fitting if within_budget(row, limits))


def among(chosen: Finalists, options: Sequence[Priced], limits: Limits, merge: str) -> Finalists:
    """The same for some of the options."""
    kept = {(option.class_, option.id) for option in options}
    fitting = [row for row in chosen.fitting if (row.priced.class_, row.priced.id) in kept]
    distinct, behind = merged(payable(fitting, limits), chosen.found, merge)
    return replace(chosen, fitting=fitting, distinct=distinct, behind=behind)


def locked_in(understood: Understood, chosen: Finalists, options: Sequence[Priced], rank: str) -> list[Row]:
    """Rows of `options` that keep every limit but that of portability, in order."""
    found, limits, movable = chosen.found, understood.limits, chosen.portability
    places = best_places(found, rank, lambda place: enough(found, place, limits) and movable is not None and not movable.admits(place))
    fitting = rows(found, options, places, rank, understood.spending)
    return sorted(payable(fitting, limits), key=lambda row: row.key)


def enough(found: Fleets, place: int, limits: Limits) -> bool:
    """Every target is met, and by no more machines than are owned."""
    return bool(found.kept[place]) and (limits.owned is None or bool(found.machines[place] <= 1))


def _to_show(distinct: Sequence[Row], top: int, *, classes: bool) -> Iterable[int]:
    """Places of the first rows, and of the first row of each class."""
    first: dict[str, int] = {}
    for row in distinct if classes else ():
        first.setdefault(row.priced.class_, row.place)
    return dict.fromkeys([*(row.place for row in distinct[:top]), *first.values()])
