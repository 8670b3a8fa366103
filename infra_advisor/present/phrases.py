"""The short phrases that tables, memos and lists share: one wording for one thing."""

import re
from collections.abc import Iterable

from infra_advisor.advice.answer import Answer, LimitsPart, PaymentPart, Predicted, SoftwarePart, Violation, WorkloadPart
from infra_advisor.present import numbers, place_phrases
from infra_advisor.present.blocks import Text
from infra_advisor.present.money import Money, money_in
from infra_advisor.present.words import Words
from infra_advisor.units import HOURS_PER_MONTH

_GRADE_TONES = {"A": "good", "B": "good", "C": "warn", "D": "warn"}
_FIELDS = {
    "ttft": "ttft_s", "tpot": "tpot_s", "throughput": "throughput_tokens_per_s",
    "budget": "budget_usd_per_month", "max_age": "max_price_age_d",
}  # fmt: skip
"""Limits by their short name -> the field whose name tells the unit."""
_IN_PARENTHESES = re.compile(r"\s*\([^()]*\)$")
_HOSTED, _NOT_PUBLISHED = "hosted", "not published"
_VIOLATIONS = {
    "weights": "violation.weights",
    "residency": "violation.residency",
    "owned": "violation.owned",
    "portable": "violation.portable",
}
_LOWER_LIMITS = ("throughput_tokens_per_s",)
_WITH_STATISTIC = ("ttft_s", "tpot_s")


def listed(say: Words, names: Iterable[str]) -> str:
    """`a, b and c`."""
    *first, last = list(names) or [""]
    return say("list", first=", ".join(first), last=last) if first else last


def hardware(say: Words, answer: Answer) -> str:
    """`2x H100 SXM (of 8)`."""
    part = answer.hardware
    if part.class_ == "api":
        return say("hardware.api") if not part.accelerators_total else short(part.accelerator_name)
    total, billed, name = part.accelerators_total, part.accelerators_billed, short(part.accelerator_name)
    if billed > total:
        return say("hardware.billed", count=total, name=name, billed=numbers.whole(billed))
    return say("hardware", count=total, name=name)


def where(say: Words, answer: Answer, *, region: bool = False) -> str:
    """`Lambda (US)`, or `on-premises`."""
    offer = answer.offer
    place = short(offer.provider_name or offer.provider)
    if answer.hardware.class_ in ("onprem", "edge"):
        place = say(f"where.{answer.hardware.class_}")
    elif region and offer.region and offer.country:
        return say("where.region", place=place, region=offer.region, country=offer.country)
    return say("with_country", place=place, country=offer.country) if offer.country else place


def run(say: Words, software: SoftwarePart, replicas: int = 1) -> str:
    """`vLLM fp8 tp2`, with whatever is not the plain case."""
    if software.engine == _HOSTED:
        return software.weights if software.weights != _NOT_PUBLISHED else say("run.hosted")
    words = [say.name("engine", software.engine), software.weights]
    if software.kv not in (software.weights, "auto", "bf16", "fp16"):
        words.append(f"kv-{software.kv}")
    words += [f"{name}{degree}" for name in ("tp", "pp", "ep", "dp") if (degree := getattr(software, name)) > 1]
    return " ".join([*words, *([f"x{replicas}"] if replicas > 1 else [])])


def running(say: Words, answer: Answer) -> str:
    """How the answer is run, replicas included."""
    return run(say, answer.software, answer.hardware.replicas)


def at(predicted: Predicted, statistic: str) -> float | None:
    """The statistic that the limits speak of, or the mean where it was not computed."""
    value: float | None = getattr(predicted, statistic)
    return predicted.mean if value is None else value


def latency(say: Words, predicted: Predicted, statistic: str) -> str:
    """`212 ms`, or `212 ms (mean)` where another statistic was asked for and this says which one it is."""
    text = numbers.duration(at(predicted, statistic))
    return text if statistic == "mean" else say("with_statistic", value=text, statistic=computed((predicted,), statistic))


def latency_title(say: Words, title: str, predicted: Iterable[Predicted], statistic: str) -> str:
    """`TTFT`, with the statistic that the column shows where that is not the mean that was asked for."""
    return title if statistic == "mean" else say("title_statistic", title=title, statistic=computed(predicted, statistic))


def computed(predicted: Iterable[Predicted], statistic: str) -> str:
    """The statistic if it was computed for all of them, else the mean."""
    return statistic if all(getattr(one, statistic) is not None for one in predicted) else "mean"


def grade(say: Words, answer: Answer) -> Text:
    """`D`, coloured by how far it can be trusted."""
    return Text(answer.grade, _GRADE_TONES[answer.grade])  # type: ignore[arg-type]


def confidence(say: Words, answer: Answer) -> Text:
    """`Grade D, neither chip nor model was measured: measure before buying.`"""
    return Text(say("confidence", grade=answer.grade, words=say(f"grade.{answer.grade}")), _GRADE_TONES[answer.grade])  # type: ignore[arg-type]


def bands(say: Words, answer: Answer, statistic: str = "mean") -> str:
    """The 90 % intervals in words. They bound the mean, whatever `statistic` the answer is judged by."""
    ttft, tpot = answer.performance.ttft_s, answer.performance.tpot_s
    spans = {
        "band.ttft": numbers.span(ttft.low, ttft.high, lambda value: numbers.duration(value, 2)),
        "band.tpot": numbers.span(tpot.low, tpot.high, lambda value: numbers.duration(value, 2)),
        "band.cost": cost_band(say, answer),
    }
    texts = [say(key, span=span) for key, span in spans.items() if span]
    if not texts:
        return say("no_band")
    return say("band" if statistic == "mean" else "band.of_mean", spans=", ".join(texts))


def cost_band(say: Words, answer: Answer) -> str | None:
    """`0.71–1.10`."""
    return numbers.span(answer.cost.usd_per_mtok_output_low, answer.cost.usd_per_mtok_output_high, say.money.usd)


def bound(say: Words, word: str | None) -> str:
    """What binds, in words."""
    return say.name("bound", word) if word else numbers.UNKNOWN


def labels(say: Words, answer: Answer) -> str:
    """`cheapest, best on-prem`."""
    return ", ".join(say.name("label", label) for label in answer.labels)


def limit(say: Words, name: str) -> str:
    """How a limit is called."""
    return say.name("limit", field(name))


def field(name: str) -> str:
    """The name of a limit that ends with its unit."""
    return _FIELDS.get(name, name)


def short(name: str) -> str:
    """A name without the remark in parentheses at its end: `B200 (HGX/DGX)` -> `B200`."""
    return _IN_PARENTHESES.sub("", name) or name


def violation(say: Words, broken: Violation) -> str:
    """`TTFT 612 ms, limit 500 ms`, with enough digits to see the difference."""
    name, allowed, predicted = field(broken.limit), broken.allowed, broken.predicted
    if isinstance(allowed, str) or isinstance(predicted, str) or predicted is None:
        return say(
            _VIOLATIONS.get(name, "violation.text"),
            limit=limit(say, name),
            predicted=say.money.by_name(name, predicted),
            allowed=say.money.stated(name, allowed),
        )
    if name.endswith("_s") and not name.endswith("_per_s"):
        shown, _ = numbers.apart(predicted, allowed, numbers.duration)
    else:
        shown = say.money.by_name(name, predicted)
    return say("violation", limit=limit(say, name), predicted=shown, allowed=say.money.stated(name, allowed))


def violations(say: Words, broken: tuple[Violation, ...]) -> str:
    """All of them, joined."""
    return "; ".join(violation(say, one) for one in broken)


def relaxing(say: Words, broken: tuple[Violation, ...]) -> str:
    """The options that would admit it: `--ttft 620ms and --budget 900/month`."""
    return listed(say, (say.money.option(one.relax) for one in broken))


def model(say: Words, workload: WorkloadPart) -> str:
    """Name and size of the model."""
    total, active = numbers.count(workload.parameters_total), numbers.count(workload.parameters_active)
    key = "model.moe" if workload.parameters_active < 0.9 * workload.parameters_total else "model.params"
    return say(key, name=workload.model_name, total=total, active=active)


def lengths(say: Words, workload: WorkloadPart) -> str:
    """`1,000 tokens in, 300 out`."""
    if workload.reasoning_tokens:
        thought = numbers.whole(workload.reasoning_tokens)
        return say(
            "lengths.thought", input=numbers.whole(workload.input_tokens), output=numbers.whole(workload.output_tokens), thought=thought
        )
    return say("lengths", input=numbers.whole(workload.input_tokens), output=numbers.whole(workload.output_tokens))


def load(say: Words, workload: WorkloadPart) -> str:
    """The load in the way it was stated."""
    if workload.users is not None:
        think = numbers.stated("think_s", workload.think_s or 0.0)
        return say.counted("load.users", workload.users, users=numbers.whole(workload.users), think=think)
    if workload.tokens_per_day is not None:
        return say("load.tokens", tokens=numbers.count(workload.tokens_per_day))
    if workload.utilisation is not None:
        return say("load.none", utilisation=numbers.percent(workload.utilisation))
    if workload.concurrency is not None:
        return say.counted("load.concurrency", workload.concurrency, concurrency=numbers.whole(workload.concurrency))
    if workload.request_rate_per_s is not None:
        return say("load.rate", rate=numbers.exact(workload.request_rate_per_s))
    return say("load.none.plain")


def formats(say: Words, workload: WorkloadPart) -> str:
    """Weight and KV cache formats as asked."""
    return say("formats", weights=workload.weights, kv=workload.kv)


def limits(say: Words, asked: LimitsPart) -> list[str]:
    """Every limit that was set, one phrase each."""
    phrases = []
    for name in ("ttft_s", "tpot_s", "throughput_tokens_per_s", "budget_usd_per_month", "max_price_age_d"):
        if (value := getattr(asked, name)) is None:
            continue
        text = say.money.stated(name, value)
        if name == "budget_usd_per_month" and asked.budget_rate and asked.budget_rate.code != say.money.code:
            given = money_in(asked.budget_rate)
            text = say("budget.converted", value=text, given=given.stated(name, value), rate=rate(say, given))
        if name == "tpot_s":
            text = say("tpot_as_speed", tpot=text, speed=numbers.exact(round(1 / value, 1)))
        key = "at_least" if name in _LOWER_LIMITS else "at_most"
        phrases.append(say(key, limit=limit(say, name), value=text))
    if any(getattr(asked, name) is not None for name in _WITH_STATISTIC):
        phrases.append(say("judged", statistic=asked.statistic))
    if asked.spare:
        phrases.append(say.counted("spare", asked.spare))
    if asked.headroom:
        phrases.append(say("kept_free", share=numbers.percent(asked.headroom)))
    phrases += place_phrases.asked(say, asked)
    if asked.where and len(asked.where) < 4:
        phrases.append(say("where_only", classes=", ".join(say.name("class", word) for word in asked.where)))
    for key in ("vendors", "providers", "accelerators"):
        if names := getattr(asked, key):
            phrases.append(say(key, names=", ".join(names)))
    if asked.commercial:
        phrases.append(say("commercial.yes" if asked.commercial == "yes" else "commercial"))
    if asked.include:
        phrases.append(say("included", names=", ".join(asked.include)))
    if asked.portable:
        phrases.append(say("portable"))
    if asked.owned:
        phrases.append(say("owned", device=asked.owned))
    return phrases


def payment(say: Words, paid: PaymentPart) -> list[str]:
    """Every commercial term that was set, one phrase each."""
    phrases = [say(f"paid.commit.{paid.commit}")] if paid.commit != "none" else []
    if paid.hours_per_month != HOURS_PER_MONTH:
        phrases.append(say("paid.hours", hours=numbers.exact(paid.hours_per_month)))
    if paid.cached_share:
        phrases.append(say("paid.cached", share=numbers.percent(paid.cached_share)))
    if paid.batch:
        phrases.append(say("paid.batch"))
    return phrases + [say("paid.assume", name=name, value=numbers.exact(value)) for name, value in paid.assume.items()]


def rate(say: Words, money: Money) -> str:
    """`JPY at 157.25 per USD (ECB reference rates, 2026-10-30, 23 days old)`, with the marks of a rate to look at twice."""
    read = money.rate
    if read is None:
        return ""
    marks = f" ! {' '.join(read.marks)}" if read.marks else ""
    return say("rate", code=read.code, per_usd=numbers.exact(read.per_usd), source=read.source, day=read.day, age=read.age_d) + marks


def without_named(asked: LimitsPart) -> LimitsPart:
    """The limits without the accelerators: where those were named in the question, they are no limit."""
    return asked.model_copy(update={"accelerators": ()})


def has_targets(asked: LimitsPart) -> bool:
    """True where anything was set that an option can miss."""
    targets = (asked.ttft_s, asked.tpot_s, asked.throughput_tokens_per_s, asked.budget_usd_per_month, asked.residency)
    return asked.portable or any(target is not None for target in targets)


def option(say: Words, answer: Answer) -> dict[str, str]:
    """Which option is meant: the placeholders {hardware}, {where} and {run} of a sentence."""
    return {"hardware": hardware(say, answer), "where": where(say, answer), "run": running(say, answer)}


def cost_per_mtok(say: Words, answer: Answer) -> str:
    """Cost per million output tokens at the load."""
    return say.money.usd(answer.cost.usd_per_mtok_output)


def figures(say: Words, answer: Answer, statistic: str) -> str:
    """The numbers that matter, as one sentence."""
    speed, cost = answer.performance, answer.cost
    if cost.usd_per_h is None:
        return say("figures.no_load", cost=say.money.usd(cost.usd_per_mtok_output))
    return say(
        "figures" if speed.ttft_s.mean is not None else "figures.no_speed",
        ttft=latency(say, speed.ttft_s, statistic),
        tpot=latency(say, speed.tpot_s, statistic),
        speed=numbers.rate(speed.output_tokens_per_s_per_user),
        cost=say.money.usd(cost.usd_per_mtok_output),
        hourly=say.money.hourly(cost.usd_per_h),
        monthly=say.money.monthly(cost.usd_per_month),
    )
