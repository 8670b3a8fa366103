"""Two kinds of hardware, one for short prompts and one for long ones, where that is cheaper than one kind for all.

Requests are split at a prompt length. For a given split the two fleets have nothing to do with each other, so the best pair is the best
fleet of each side, and the best mix is found by trying every split: an exhaustive search, where an integer program would be needed only if
a class of requests could be spread over both. Each side keeps the targets by itself, and the fleets that win are settled by simulation.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from infra_advisor.advice.answer import MixPart, MixSide, Recommendation
from infra_advisor.advice.build import answers
from infra_advisor.advice.charges import total
from infra_advisor.advice.finalists import MOST_FINALISTS, Finalists, finalists, settled
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.option import Priced
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.priced import priced_options
from infra_advisor.advice.question import Understood, canonical_accelerators, understand
from infra_advisor.advice.rows import Row
from infra_advisor.advice.searching import certain_of, search
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.fleet import Fleets
from infra_advisor.search.traffic import Lengths, Slice, Traffic
from infra_advisor.search.workload import LEAST_LOAD, Workload

CUTS = (0.5, 0.7, 0.8, 0.9, 0.95)
"""Shares of the requests, those with the shortest prompts, that the first fleet may take."""
SAVES = 0.05
"""A mix is worth its trouble where it costs less by more than this."""
LEAST_SHARE = 0.01
"""Of the requests on either side of a split; rounding to whole tokens may leave fewer."""
SETTLED = 2
"""Splits, the cheapest ones in closed form, for which fleets are settled by simulation."""
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


def check_mix(workload: Workload, traffic: Traffic | None) -> None:
    """Raise UsageError where requests do not differ in length, or where no load is stated."""
    if not (traffic or Traffic()).lengths_for(in_step=workload.concurrency is not None).spread:
        raise UsageError("--mix splits requests by the length of their prompts: state how they differ, such as --lengths lognormal")
    if not workload.loads_given:
        raise UsageError("--mix needs a load: state --users, --rate, --concurrency or --tokens-per-day")


def with_mix(
    catalog: Catalog,
    answer: Recommendation,
    workload: Workload,
    limits: Limits,
    traffic: Traffic | None,
    payment: Payment,
    progress: Callable[[int, int], None] | None = None,
) -> Recommendation:
    """The recommendation with the best mix of two kinds of hardware beside its winner, or with the reason why there is none.

    The question has passed `check_mix`.
    """
    lengths = (traffic or Traffic()).lengths_for(in_step=workload.concurrency is not None)
    limits = replace(limits, accelerator=canonical_accelerators(catalog, limits.accelerator))
    options = certain_of(priced_options(catalog, limits, payment, Counter()))
    whole = understand(catalog, workload, limits, traffic, payment)
    single = _single(catalog, answer, whole, options)
    rate = whole.load.request_rate_per_s or (single.request_rate_per_s if single else None)
    if rate is None:
        reason = "no single fleet meets every limit, so how often users ask is not known: state --rate"
        return answer.model_copy(update={"mix": MixPart(worth_it=False, reason=reason)})
    if not (cuts := _cuts(whole, lengths)):
        alone, reason = single.usd_per_month if single else None, "prompts differ by too few tokens to be split"
        return answer.model_copy(update={"mix": MixPart(worth_it=False, single_usd_per_month=alone, reason=reason)})
    splits = []
    for number, cut in enumerate(cuts):
        if progress is not None:
            progress(number, len(cuts) + SETTLED)
        if (split := _split(catalog, options, whole, lengths, rate, cut)) is not None:
            splits.append(split)
    best: tuple[float, _Split, _Pair] | None = None
    settled_splits = 0
    for split in sorted(splits, key=lambda one: one.usd_per_month):
        if settled_splits == SETTLED:
            break
        if progress is not None:
            progress(len(cuts) + settled_splits, len(cuts) + SETTLED)
        pair = _cheapest(catalog, options, split.sides, split.found, settle=True)
        settled_splits += pair is not None
        if pair is not None and (best is None or pair.usd_per_month < best[0]):
            best = (pair.usd_per_month, split, pair)
    return answer.model_copy(update={"mix": _part(catalog, limits, single, best)})


@dataclass(frozen=True)
class _Single:
    """The cheapest fleet of one kind."""

    usd_per_month: float
    request_rate_per_s: float


def _single(catalog: Catalog, answer: Recommendation, whole: Understood, options: Sequence[Priced]) -> _Single | None:
    """The winner; where APIs or another order hide it, it is looked for."""
    for one in answer.ranked if answer.rank_by == "cost" else ():
        if one.hardware.class_ != "api" and one.cost.usd_per_month is not None and one.performance.request_rate_per_s is not None:
            return _Single(one.cost.usd_per_month, one.performance.request_rate_per_s)
    found = search(catalog, whole, options, Counter())
    chosen = finalists(catalog, whole, found, options, rank="cost", top=1, merge="decision")
    for row in chosen.distinct:
        if row.usd_per_month is not None:
            assert row.priced.tariff is not None
            month = float(total(row.priced.tariff.lines(row.use)))
            return _Single(month, float(chosen.found.output_tokens_per_s[row.place]) / whole.workload.output_tokens)
    return None


def _cuts(whole: Understood, lengths: Lengths) -> list[float]:
    """Prompt lengths at which to split, round ones with enough requests on either side. [tokens]"""
    stated, most = whole.workload.input_tokens, whole.longest_tokens - whole.workload.output_tokens
    rounded = (max(round(stated * lengths.share_at(cut) / ROUND_TO) * ROUND_TO, ROUND_TO) for cut in CUTS)
    below = {cut: lengths.share_of(0.0, cut + 0.5, stated) for cut in rounded if cut < most}  # prompts are whole tokens
    return [cut for cut, share in below.items() if LEAST_SHARE <= share <= 1.0 - LEAST_SHARE]


def _split(catalog: Catalog, options: Sequence[Priced], whole: Understood, lengths: Lengths, rate: float, cut: float) -> _Split | None:
    """The best pair for one split in closed form; None where one side has no fleet."""
    first, second = (_side(catalog, whole, lengths, rate, over, up_to) for over, up_to in ((0.0, cut), (cut, math.inf)))
    found = tuple(search(catalog, side.understood, options, Counter()) for side in (first, second))
    pair = _cheapest(catalog, options, (first, second), (found[0], found[1]), settle=False)
    return None if pair is None else _Split((first, second), (found[0], found[1]), pair.usd_per_month)


def _side(catalog: Catalog, whole: Understood, lengths: Lengths, rate: float, over: float, up_to: float) -> _Side:
    workload = whole.workload
    share = lengths.share_of(over, up_to, workload.input_tokens)
    mean = min(lengths.mean_between(over, up_to, workload.input_tokens), whole.longest_tokens - workload.output_tokens)
    load = dict.fromkeys(workload.loads_given) | {"request_rate_per_s": max(rate * share, LEAST_LOAD)}
    own = workload.with_changes(**load, input_tokens=max(round(mean), 1))
    sliced = replace(lengths, prompts=Slice(float(workload.input_tokens), over, up_to))
    limits = replace(whole.limits, throughput_tokens_per_s=None)  # of both sides together; it follows from the rate
    return _Side(understand(catalog, own, limits, replace(whole.traffic, lengths=sliced), whole.payment), over, up_to, share)


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
    """Fleets of a side in order; `settle`: those between which the choice is made, one of each accelerator, have been simulated."""

    def ranked(found: Fleets) -> Finalists:
        return finalists(catalog, side.understood, found, options, rank="cost", top=CHOICES, merge="decision", settle=False)

    chosen = ranked(found)
    while settle:
        run = chosen.found.simulated
        new = [row.place for row in _by_accelerator(chosen) if row.place not in run][: max(MOST_FINALISTS - len(run), 0)]
        if not new:
            break
        chosen = ranked(settled(catalog, side.understood, chosen.found, new))
    return chosen


def _by_accelerator(chosen: Finalists) -> list[Row]:
    """The cheapest row of each accelerator, the first few."""
    rows: dict[str, Row] = {}
    for row in chosen.distinct:
        rows.setdefault(row.priced.platform.chip, row)
    return list(rows.values())[:CHOICES]


def _part(catalog: Catalog, limits: Limits, single: _Single | None, best: tuple[float, _Split, _Pair] | None) -> MixPart:
    alone = single.usd_per_month if single else None
    if best is None:
        return MixPart(worth_it=False, single_usd_per_month=alone, reason="no two kinds of hardware meet every limit, each for its part")
    _, split, pair = best
    sides = []
    for side, row, found in zip(split.sides, pair.rows, pair.found, strict=True):
        (shown,) = answers(catalog, side.understood, found, [row], ranks=[None], labels=[()], behind={})
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
    cost = sum(side.answer.cost.usd_per_month or 0.0 for side in sides)
    saving = None if alone is None else 1.0 - cost / alone
    worth = saving is None or saving > SAVES
    reason = None if worth else f"the best two kinds of hardware save no more than {SAVES:.0%}"
    over_budget = limits.budget_usd_per_month is not None and cost > limits.budget_usd_per_month
    return MixPart(
        worth_it=worth and not over_budget,
        reason="it is over the budget" if over_budget else reason,
        sides=tuple(sides),
        usd_per_month=cost,
        single_usd_per_month=alone,
        saving=saving,
    )
