"""Does a decision still stand? The saved question asked again of today's catalog, and what was first then judged by today's answer."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from infra_advisor import __version__
from infra_advisor.advice.answer import Answer, NearMiss, Recommendation
from infra_advisor.advice.checks import Ahead, CheckAnswer, Moved
from infra_advisor.advice.freshness import age_warning
from infra_advisor.advice.limits import DOUBTFUL, Limits
from infra_advisor.advice.option import only_with
from infra_advisor.advice.recommend import of_one_offer, recommend
from infra_advisor.advice.rows import BALANCED_WEIGHTS
from infra_advisor.advice.saved import Saved, saved
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog

DEFAULT_TOLERANCE = 0.05
MOST_TOLERANCE = 10.0
ROUNDING = 1e-9
MODEL_FILES = (".json", ".gguf")


def check(catalog: Catalog, document: Path | str | Recommendation, *, tolerance: float = DEFAULT_TOLERANCE) -> CheckAnswer:
    """Whether the first answer of a saved recommendation would be chosen again.

    `document`: a file that `advisor recommend -o saved.json` wrote, or a recommendation. `tolerance`: share by which that answer may fall
    short of today's first in the figure ranked by. What is judged is the offer; how it is best run may change. Raises UsageError where the
    document is not one, or its question cannot be asked of this catalog.
    """
    if not 0.0 <= tolerance <= MOST_TOLERANCE:
        raise UsageError(f"--tolerance {tolerance:g}: a share from 0 to {MOST_TOLERANCE:g}, such as 5% or 0.05")
    then = saved(document)
    _model_is_there(then)
    asked = then.asked
    try:
        found = recommend(
            catalog,
            asked.workload,
            asked.limits,
            traffic=asked.traffic,
            payment=asked.payment,
            rank=asked.rank,
            top=asked.top,
            merge=asked.merge,
        )
    except UsageError as error:
        raise UsageError(f"the saved question cannot be asked of this catalog: {error}") from error
    first = found.ranked[0] if found.ranked else None
    answer = CheckAnswer(
        as_of=found.as_of,
        catalog=found.catalog,
        saved=then.stamp,
        workload=found.workload,
        limits=found.limits,
        payment=found.payment,
        rank_by=asked.rank,
        tolerance=tolerance,
        status="now_fits" if first else "stands",
        then=then.winner,
        now=None,
        first=first,
        warnings=tuple(_warnings(then, found)),
    )
    if then.winner is None:
        return answer
    judged = answer.model_copy(update=_judged(catalog, then, then.winner, found, tolerance))
    aged = age_warning([judged.now]) if judged.now else ()  # a price that nobody looked at again has not moved: that says little
    return judged.model_copy(update={"warnings": (*judged.warnings, *aged)})


def _model_is_there(then: Saved) -> None:
    """A model given as a file is the one thing that is opened of what a document names."""
    path = Path(then.asked.workload.model)
    if path.suffix in MODEL_FILES and not path.is_file():
        raise UsageError(f"the saved question is about the model file {path}, which is not there: put it back, or ask anew")


def _judged(catalog: Catalog, then: Saved, winner: Answer, found: Recommendation, tolerance: float) -> dict[str, object]:
    """The verdict on the old first, with what it rests on."""
    same = next((answer for answer in found.ranked if _same_offer(answer, winner)), None)
    if same is None:
        alone = _alone(catalog, then, winner, then.asked.limits)
        listed = [*alone.ranked, *alone.near_misses, *alone.unranked]
        if not listed:
            return {"status": "gone", "reason": _why_gone(catalog, then, winner, alone)}
        same = listed[0].model_copy(update={"rank": None})
        told = {"now": same, "moved": tuple(_moved(then, winner, found, same))}
        if isinstance(same, NearMiss):
            return {**told, "status": "breaks_limit", "violations": same.violations}
        if not alone.ranked:
            priced = same.cost.usd_per_mtok_output is not None
            return {**told, "status": "breaks_limit" if priced else "gone", "reason": same.reason}
    rule = (then.asked.rank, then.asked.limits.statistic)
    mine = figure(same, *rule)
    best: dict[tuple[str, str], Answer] = {}
    for answer in found.ranked:
        if (same.rank is None or (answer.rank or 0) < same.rank) and not _same_offer(answer, winner):
            best.setdefault((answer.hardware.class_, answer.offer.id), answer)
    each = (Ahead(answer=answer, behind=_behind(mine, figure(answer, *rule))) for answer in best.values())
    ahead = tuple(one for one in each if one.behind is None or one.behind > 0.0)
    behind = ahead[0].behind if ahead else 0.0
    stands = behind is not None and behind <= tolerance + ROUNDING
    return {
        "status": "stands" if stands else "overtaken",
        "now": same,
        "behind": behind,
        "ahead": ahead,
        "moved": tuple(_moved(then, winner, found, same)),
    }


def _same_offer(one: Answer, other: Answer) -> bool:
    return (one.hardware.class_, one.offer.id) == (other.hardware.class_, other.offer.id)


def _alone(catalog: Catalog, then: Saved, winner: Answer, limits: Limits) -> Recommendation:
    asked = then.asked
    return of_one_offer(
        catalog,
        asked.workload,
        limits,
        winner.hardware.class_,
        winner.offer.id,
        traffic=asked.traffic,
        payment=asked.payment,
        rank=asked.rank,
    )


def _why_gone(catalog: Catalog, then: Saved, winner: Answer, alone: Recommendation) -> str:
    """Why nothing can be made of the offer: it is not listed, doubted by now, too old, or runs nothing that serves."""
    if alone.excluded:
        return next(iter(alone.excluded))
    limits = then.asked.limits
    anyhow = _alone(catalog, then, winner, replace(limits, include=DOUBTFUL, max_price_age_d=None))
    for answer in (*anyhow.ranked, *anyhow.near_misses, *anyhow.unranked):
        for mark in answer.offer.marks:
            if mark in DOUBTFUL and mark not in limits.include:
                return only_with(mark)
        if limits.max_price_age_d is not None:
            return f"its price is {answer.offer.price_age_d} days old; the oldest to accept is {limits.max_price_age_d:g} days"
    chip = winner.hardware.accelerator
    if winner.hardware.class_ != "api" and chip not in catalog.chips:
        return f"its accelerator, {chip}, is no longer in the catalog"
    return "the catalog no longer lists it"


def figure(answer: Answer, rank: str, statistic: str) -> float | None:
    """What the rule ranks by, such that less is better; None where it is unknown."""
    speed = answer.performance
    ttft_s, tpot_s = (getattr(one, statistic) or one.mean for one in (speed.ttft_s, speed.tpot_s))
    cost = answer.cost.usd_per_mtok_output
    if rank == "balanced":
        known = {"cost": cost, "ttft": ttft_s, "tpot": tpot_s}
        parts = [value ** BALANCED_WEIGHTS[name] for name, value in known.items() if value is not None]
        return math.prod(parts) if len(parts) == len(known) else None
    if rank == "throughput":
        return 1.0 / speed.output_tokens_per_s if speed.output_tokens_per_s else None
    by_rule = {
        "cost": cost,
        "ttft": ttft_s,
        "speed": tpot_s,
        "energy": answer.energy.kwh_per_mtok_output,
        "carbon": answer.energy.gco2e_per_mtok_output,
    }
    return by_rule[rank]


def _behind(mine: float | None, other: float | None) -> float | None:
    return mine / other - 1.0 if mine is not None and other else None


def _moved(then: Saved, before: Answer, found: Recommendation, now: Answer) -> Iterator[Moved]:
    """What the old first was said to be, and is now: price, rate, cost, speed, size, software, grade."""
    statistic = then.asked.limits.statistic
    yield _one("offer_usd_per_h", before.offer.usd_per_h, now.offer.usd_per_h)
    if currency := before.offer.currency:
        rates = (stamp.exchange_rates.get(currency) for stamp in (then.stamp.catalog, found.catalog))
        if currency != "USD":
            yield _one(f"{currency.lower()}_per_usd", *rates)
    for name in ("usd_per_mtok_output", "usd_per_month"):
        yield _one(name, getattr(before.cost, name), getattr(now.cost, name))
    for name in ("ttft_s", "tpot_s"):
        times = [getattr(answer.performance, name) for answer in (before, now)]
        yield _one(name, *(getattr(one, statistic) or one.mean for one in times))
    for name in ("output_tokens_per_s", "max_concurrency"):
        yield _one(name, getattr(before.performance, name), getattr(now.performance, name))
    yield _one("accelerators_total", float(before.hardware.accelerators_total), float(now.hardware.accelerators_total))
    yield _one("run", _run(before), _run(now))
    yield _one("grade", before.grade, now.grade)
    yield _one("price_date", before.offer.price_date, now.offer.price_date)


def _run(answer: Answer) -> str:
    run = answer.software
    layout = "-".join(f"{name}{getattr(run, name)}" for name in ("tp", "pp", "ep", "dp") if getattr(run, name) > 1)
    return " ".join(filter(None, (run.engine, run.weights, f"kv-{run.kv}", layout, f"x{answer.hardware.replicas}")))


def _one(name: str, then: float | str | None, now: float | str | None) -> Moved:
    change = now / then - 1.0 if isinstance(then, float) and isinstance(now, float) and then else None
    return Moved(name=name, then=then, now=now, change=change)


def _warnings(then: Saved, found: Recommendation) -> Iterator[str]:
    """What else differs between the two runs, or was asked and is not checked."""
    if then.stamp.version != __version__:
        yield f"Predicted by version {then.stamp.version} then and {__version__} now: figures may have moved with the model, too."
    if missing := [layer for layer in then.stamp.catalog.layers if layer not in found.catalog.layers]:
        yield f"Saved with layers that are not on top of the catalog now: {', '.join(missing)}. Give them with --catalog."
    if then.stamp.as_of > found.as_of:
        yield f"Saved as of {then.stamp.as_of}, and checked as of an earlier day."
    if then.asked.mix:
        yield "The mix of two kinds of hardware is not checked, only the first answer."
