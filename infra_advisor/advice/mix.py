"""Two kinds of hardware, one for short prompts and one for long ones, where that is cheaper than one kind for all.

Requests are split at a prompt length. For a given split the two fleets have nothing to do with each other, so the best pair is the best
fleet of each side, and the best mix is found by trying every split: an exhaustive search, where an integer program would be needed only if
a class of requests could be spread over both. Each side keeps the targets by itself, and the fleets that win are settled by simulation.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from infra_advisor.advice.answer import Answer, MixPart, MixSide, Recommendation
from infra_advisor.advice.build import answers
from infra_advisor.advice.finalists import Finalists, finalists
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.option import Priced
from infra_advisor.advice.priced import priced_options
from infra_advisor.advice.question import Understood, canonical_accelerators, understand
from infra_advisor.advice.rows import Row
from infra_advisor.advice.searching import certain_of, search
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.fleet import Fleets
from infra_advisor.search.traffic import Lengths, Slice, Traffic
from infra_advisor.search.workload import Workload

CUTS = (0.5, 0.7, 0.8, 0.9, 0.95)
"""Shares of the requests, those with the shortest prompts, that the first fleet may take."""
SAVES = 0.05
"""A mix is worth its trouble where it costs less by more than this."""
SETTLED = 2
"""Splits, the cheapest ones in closed form, whose fleets are simulated."""
CHOICES = 3
"""Fleets of a side among which one is found that differs from the other side's."""
ROUND_TO = 50.0


@dataclass(frozen=True)
class _Side:
    """One of two classes of requests."""

    understood: Understood
    over: float
    up_to: float
    share: float


@dataclass(frozen=True)
class _Split:
    """Both sides, the fleets found for each, and what the best pair costs."""

    sides: tuple[_Side, _Side]
    found: tuple[Fleets, Fleets]
    usd_per_month: float


@dataclass(frozen=True)
class _Pair:
    """Two fleets of different hardware."""

    rows: tuple[Row, Row]
    found: tuple[Fleets, Fleets]

    @property
    def usd_per_month(self) -> float:
        return sum(row.usd_per_month or math.inf for row in self.rows)


def with_mix(
    catalog: Catalog,
    answer: Recommendation,
    workload: Workload,
    limits: Limits,
    traffic: Traffic | None,
    progress: Callable[[int, int], None] | None = None,
) -> Recommendation:
    """The recommendation with the best mix of two kinds of hardware beside its winner, or with the reason why there is none.

    Raises UsageError where requests do not differ in length, or where no load is stated.
    """
    lengths = (traffic or Traffic()).lengths_for(in_step=workload.concurrency is not None)
    if not lengths.spread:
        raise UsageError("--mix splits requests by the length of their prompts: state how they differ, such as --lengths lognormal")
    if not workload.loads_given:
        raise UsageError("--mix needs a load: state --users, --rate, --concurrency or --tokens-per-day")
    limits = replace(limits, accelerator=canonical_accelerators(catalog, limits.accelerator))
    single = next((one for one in answer.ranked if one.hardware.class_ != "api" and one.cost.usd_per_month is not None), None)
    rate = single.performance.request_rate_per_s if single else workload.rate_per_s
    if rate is None:
        reason = "no single fleet meets every limit, so how often users ask is not known: state --rate"
        return answer.model_copy(update={"mix": MixPart(worth_it=False, reason=reason)})
    options = certain_of(priced_options(catalog, limits, Counter()), limits)
    splits = []
    for number, cut in enumerate(CUTS):
        if progress is not None:
            progress(number, len(CUTS) + SETTLED)
        if (split := _split(catalog, options, workload, limits, lengths, rate, cut)) is not None:
            splits.append(split)
    best: tuple[float, _Split, _Pair] | None = None
    for number, split in enumerate(sorted(splits, key=lambda one: one.usd_per_month)[:SETTLED]):
        if progress is not None:
            progress(len(CUTS) + number, len(CUTS) + SETTLED)
        pair = _cheapest(catalog, options, split.sides, split.found, settle=True)
        if pair is not None and (best is None or pair.usd_per_month < best[0]):
            best = (pair.usd_per_month, split, pair)
    return answer.model_copy(update={"mix": _part(catalog, limits, single, best)})


def _split(
    catalog: Catalog, options: Sequence[Priced], workload: Workload, limits: Limits, lengths: Lengths, rate: float, cut: float
) -> _Split | None:
    """The best pair for one split in closed form; None where one side has no fleet."""
    stated = workload.input_tokens
    at = max(round(stated * lengths.share_at(cut) / ROUND_TO) * ROUND_TO, ROUND_TO)
    bounds = ((0.0, at), (at, math.inf))
    if any(lengths.share_of(over, up_to, stated) <= 0.0 for over, up_to in bounds):
        return None
    first, second = (_side(catalog, workload, limits, lengths, rate, over, up_to) for over, up_to in bounds)
    found = tuple(search(catalog, side.understood, options, Counter()) for side in (first, second))
    pair = _cheapest(catalog, options, (first, second), (found[0], found[1]), settle=False)
    return None if pair is None else _Split((first, second), (found[0], found[1]), pair.usd_per_month)


def _side(catalog: Catalog, workload: Workload, limits: Limits, lengths: Lengths, rate: float, over: float, up_to: float) -> _Side:
    share = lengths.share_of(over, up_to, workload.input_tokens)
    mean = max(round(lengths.mean_between(over, up_to, workload.input_tokens)), 1)
    load = dict.fromkeys(workload.loads_given)
    own = workload.with_changes(**{**load, "input_tokens": mean, "request_rate_per_s": rate * share})
    sliced = replace(lengths, prompts=Slice(float(workload.input_tokens), over, up_to))
    return _Side(understand(catalog, own, limits, Traffic(lengths=sliced)), over, up_to, share)


def _cheapest(
    catalog: Catalog, options: Sequence[Priced], sides: tuple[_Side, _Side], found: tuple[Fleets, Fleets], *, settle: bool
) -> _Pair | None:
    """The cheapest two fleets of different accelerators, one for each side."""
    chosen = [_chosen(catalog, options, side, fleets, settle=settle) for side, fleets in zip(sides, found, strict=True)]
    pairs = [
        _Pair((first, second), (chosen[0].found, chosen[1].found))
        for first in _by_accelerator(chosen[0])
        for second in _by_accelerator(chosen[1])
        if first.priced.platform.chip != second.priced.platform.chip
    ]
    return min(pairs, key=lambda pair: (pair.usd_per_month, pair.rows[0].key, pair.rows[1].key), default=None)


def _chosen(catalog: Catalog, options: Sequence[Priced], side: _Side, found: Fleets, *, settle: bool) -> Finalists:
    return finalists(catalog, side.understood, found, options, rank="cost", top=CHOICES, merge="decision", settle=settle)


def _by_accelerator(chosen: Finalists) -> list[Row]:
    """The cheapest row of each accelerator, the first few."""
    rows: dict[str, Row] = {}
    for row in chosen.distinct:
        rows.setdefault(row.priced.platform.chip, row)
    return list(rows.values())[:CHOICES]


def _part(catalog: Catalog, limits: Limits, single: Answer | None, best: tuple[float, _Split, _Pair] | None) -> MixPart:
    alone = single.cost.usd_per_month if single else None
    if best is None:
        return MixPart(worth_it=False, single_usd_per_month=alone, reason="no two kinds of hardware meet every limit, each for its part")
    cost, split, pair = best
    saving = None if alone is None else 1.0 - cost / alone
    worth = saving is None or saving > SAVES
    reason = None
    if not worth:
        reason = f"the best two kinds of hardware save no more than {SAVES:.0%}"
    sides = []
    for side, row, found in zip(split.sides, pair.rows, pair.found, strict=True):
        (shown,) = answers(catalog, found, [row], limits, ranks=[None], labels=[()], behind={}, statistic=limits.statistic)
        sides.append(
            MixSide(
                over_tokens=side.over,
                up_to_tokens=None if math.isinf(side.up_to) else side.up_to,
                share=side.share,
                request_rate_per_s=side.understood.workload.request_rate_per_s or 0.0,
                mean_input_tokens=float(side.understood.workload.input_tokens),
                answer=shown,
            )
        )
    over_budget = limits.budget_usd_per_month is not None and cost > limits.budget_usd_per_month
    return MixPart(
        worth_it=worth and not over_budget,
        reason="it is over the budget" if over_budget else reason,
        sides=tuple(sides),
        usd_per_month=cost,
        single_usd_per_month=alone,
        saving=saving,
    )
