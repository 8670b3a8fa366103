"""Rows: one fleet at one price, judged against the limits and ordered. Only the rows that are shown become answers."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from infra_advisor.advice.charges import Use, total
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.option import Priced
from infra_advisor.advice.spending import Spending, Usage
from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.physics.energy import gco2e_per_mtok, kwh_per_mtok, tokens_per_joule, wall_power_w
from infra_advisor.search.deployments import Column
from infra_advisor.search.fleet import Fleets
from infra_advisor.search.platforms import Platform

RANKS = ("cost", "ttft", "speed", "throughput", "energy", "carbon", "balanced")
ELECTRIC = ("energy", "carbon")
"""Rules whose figure rests on the power drawn; machines of one platform stand at many sites, so which fleet is best does not."""
BALANCED_WEIGHTS = {"cost": 0.5, "ttft": 0.25, "tpot": 0.25}
WORST = float("inf")
ROUNDING_USD, ROUNDING_SHARE = 0.1, 1e-4
"""The lines of a bill are rounded to the cent, unit prices to a millionth: so far their sum may lie from the product that ranks."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fleet (position `place` of the fleets) on machines at one price."""

    priced: Priced
    place: int
    usd_per_month: float | None
    """Bill of the whole fleet, unrounded."""
    use: Use
    usd_per_mtok_output: float | None
    key: tuple[float, str, int, str]
    """Order under the chosen rule: figure, grade, engine, id. Smaller is better; total, so output is reproducible."""

    @property
    def id(self) -> str:
        """Offer, engine and weight format."""
        return self.key[3]


def best_places(
    fleets: Fleets,
    rank: str,
    wanted: Callable[[int], bool],
    figure: Sequence[float] | None = None,
    *,
    of_each_size: bool = False,
    among: Sequence[int] | None = None,
) -> dict[Platform, list[int]]:
    """Per platform the best fleet of each engine and weight format, among those `wanted`; `figure` replaces the rule (smaller is better).

    Machines of one platform cost the same whatever runs on them, so the best fleet does not depend on the price. Under a budget it
    does: there the best `of_each_size` is kept, since a fleet of fewer machines may be worse and yet the best that can be paid for.
    `among`: only these places.
    """
    ordered = score(fleets, rank) if figure is None else figure
    chips = fleets.timing.d.chips.tolist()
    machines = fleets.machines.tolist() if of_each_size else [0.0] * len(fleets.candidates)
    best: dict[tuple[Platform, str, str, float], tuple[float, float, int]] = {}
    for place in range(len(fleets.candidates)) if among is None else among:
        if not wanted(place):
            continue
        candidate = fleets.candidates[place]
        key = (candidate.platform, candidate.engine.id, candidate.weights.format.id, machines[place])
        entry = (ordered[place], chips[place], place)
        if key not in best or entry < best[key]:
            best[key] = entry
    found: dict[Platform, list[int]] = {}
    for (platform, _, _, _), (_, _, place) in best.items():
        found.setdefault(platform, []).append(place)
    return found


def score(fleets: Fleets, rank: str) -> list[float]:
    """What decides between the fleets of one platform; smaller is better."""
    if rank in ELECTRIC:
        joules = (fleets.power.machines_w / fleets.output_tokens_per_s).tolist()
        return [WORST if math.isnan(one) else one for one in joules]
    machines_per_token = fleets.machines / fleets.output_tokens_per_s
    score: Column = {
        "ttft": fleets.ttft_s,
        "speed": fleets.tpot_s,
        "throughput": -fleets.output_tokens_per_s,
        "balanced": machines_per_token ** BALANCED_WEIGHTS["cost"]
        * fleets.ttft_s ** BALANCED_WEIGHTS["ttft"]
        * fleets.tpot_s ** BALANCED_WEIGHTS["tpot"],
    }.get(rank, machines_per_token)
    return list(score.tolist())


def rows(fleets: Fleets, options: Iterable[Priced], places: dict[Platform, list[int]], rank: str, spending: Spending) -> list[Row]:
    """All options on all of their platform's best fleets, unordered."""
    usage, uses = Usage(fleets, spending), dict[int, Use]()
    tokens, ttft, tpot = fleets.output_tokens_per_s.tolist(), fleets.ttft_s.tolist(), fleets.tpot_s.tolist()
    machines_w = fleets.power.machines_w.tolist() if rank in ELECTRIC else None
    found = []
    for priced in options:
        for place in places.get(priced.platform, ()):
            candidate = fleets.candidates[place]
            if place not in uses:
                uses[place] = usage.use(place)
            use = uses[place]
            month = None if priced.tariff is None else priced.tariff.month_usd(use)
            cost = None if month is None else month / spending.mtok_per_month(tokens[place])
            if machines_w is None:
                figure = _figure(rank, cost, ttft[place], tpot[place], tokens[place])
            else:
                figure = _electric(rank, machines_w[place], tokens[place], priced)
            found.append(
                Row(
                    priced,
                    place,
                    month,
                    use,
                    cost,
                    (figure, candidate.grade, candidate.order, f"{priced.id}/{candidate.engine.id}/{candidate.weights.format.id}"),
                )
            )
    return found


def in_order(fleets: Fleets, options: Iterable[Priced], places: dict[Platform, list[int]], rank: str, spending: Spending) -> list[Row]:
    """The same, best first."""
    return sorted(rows(fleets, options, places, rank, spending), key=lambda row: row.key)


def _figure(rank: str, cost: float | None, ttft_s: float, tpot_s: float, tokens_per_s: float) -> float:
    if rank == "cost":
        return WORST if cost is None else cost
    if rank == "ttft":
        return ttft_s
    if rank == "speed":
        return tpot_s
    if rank == "throughput":
        return -tokens_per_s
    if cost is None:
        return WORST
    return float(cost ** BALANCED_WEIGHTS["cost"] * ttft_s ** BALANCED_WEIGHTS["ttft"] * tpot_s ** BALANCED_WEIGHTS["tpot"])


def _electric(rank: str, machines_w: float, tokens_per_s: float, priced: Priced) -> float:
    """kWh or gCO2e per million output tokens at the wall; the worst where power, site or grid is unknown."""
    site = priced.site
    if site is None or math.isnan(machines_w):
        return WORST
    drawn_w = wall_power_w(accelerators_w=machines_w, host_w=0.0, facility_overhead=site.pue)
    kwh = kwh_per_mtok(tokens_per_joule=tokens_per_joule(output_tokens_per_s=tokens_per_s, power_w=drawn_w))
    if rank == "energy":
        return float(kwh)
    return WORST if site.grid_gco2e_per_kwh is None else float(gco2e_per_mtok(kwh_per_mtok=kwh, gco2e_per_kwh=site.grid_gco2e_per_kwh))


def check_rank(rank: str) -> None:
    """Raise UsageError for an unknown rule."""
    if rank not in RANKS:
        raise UsageError(f"--rank: {rank!r} is unknown; accepted: {', '.join(RANKS)}.{did_you_mean(rank, RANKS)}")


def within_budget(row: Row, limits: Limits) -> bool:
    """True where no budget is set or the fleet's month costs no more, to the cent."""
    month, budget = row.usd_per_month, limits.budget_usd_per_month
    if budget is None:
        return True
    if month is None or row.priced.tariff is None:
        return False
    if abs(month - budget) < ROUNDING_USD + ROUNDING_SHARE * budget:
        return float(total(row.priced.tariff.lines(row.use))) <= budget
    return month < budget


def merged(ordered: Iterable[Row], fleets: Fleets, merge: str) -> tuple[list[Row], dict[str, int]]:
    """The first row of each distinct decision, and how many more stand behind it (by row id).

    `decision`: one per class, provider and accelerator. `offer`: one per provider, region, instance family, engine and weight format.
    """
    kept: dict[tuple[object, ...], Row] = {}
    behind: dict[str, int] = {}
    for row in ordered:
        candidate, priced = fleets.candidates[row.place], row.priced
        if merge == "decision":
            key: tuple[object, ...] = (priced.class_, priced.provider, priced.platform.chip)
        else:
            key = (priced.class_, priced.provider, priced.region, priced.family, candidate.engine.id, candidate.weights.format.id)
        if key in kept:
            behind[kept[key].id] = behind.get(kept[key].id, 0) + 1
        else:
            kept[key] = row
    return list(kept.values()), behind
