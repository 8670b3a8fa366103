"""The answer of `capacity`: the largest load, latency on the way there and beyond, and the month."""

from infra_advisor.advice.capacities import CapacityAnswer, LoadPart, PlanPart
from infra_advisor.present import assumptions, numbers, phrases
from infra_advisor.present.bill import paid
from infra_advisor.present.blocks import Block, Chart, Column, Grid, Heading, Page, Para, Text, Tone, Words
from infra_advisor.present.simulate import fleet_words
from infra_advisor.present.words import Words as Say

HOURS_SHOWN = 3
"""Hours of the week in one column of its chart."""


def page(record: CapacityAnswer, say: Say) -> Page:
    """Verdict, question, curve, month."""
    blocks: list[Block] = [Para((_verdict(record, say),))]
    if record.answer and record.limit:
        at = record.limit
        there = say(
            "capacity.at",
            rate=numbers.about(at.request_rate_per_s),
            concurrency=numbers.about(at.concurrency),
            tokens=numbers.rate(at.output_tokens_per_s),
            ttft=numbers.duration(at.ttft_s.p95),
            tpot=numbers.duration(at.tpot_s.p95),
        )
        blocks.append(Para((there,)))
    if record.answer:
        blocks.append(Para((phrases.confidence(say, record.answer), phrases.bands(say, record.answer, "p95"))))
    asked = "; ".join((phrases.model(say, record.workload), phrases.lengths(say, record.workload)))
    limits = "; ".join(phrases.limits(say, phrases.without_named(record.limits))) or say("limits.none")
    blocks += [Para((asked,), lead=say("for")), Para((limits,), lead=say("limits")), *paid(record.payment, say)]
    blocks += [Para((say.money.sentence(warning),), lead=say("warning")) for warning in record.warnings]
    blocks += [*_curve(record, say), *_month(record, say)]
    blocks += assumptions.assumed(record.assumptions, record.answer.assumptions if record.answer else (), say)
    return Page((*blocks, Para((Text(assumptions.stamp(record.catalog, record.as_of, say), "dim"),))))


def _verdict(record: CapacityAnswer, say: Say) -> Words:
    if record.answer is None:
        return Text(say("capacity.none", reason=record.reason or numbers.UNKNOWN), "bad")
    fleet = fleet_words(record.answer, record.replicas, say, prefill=record.prefill_replicas)
    if record.limit is None:
        return Text(say("capacity.no", fleet=fleet, reason=record.reason), "bad")
    key = "capacity.users" if record.unit == "users" else "capacity.rate"
    if not (record.limits.ttft_s or record.limits.tpot_s):
        key += ".no_limits"
    think = numbers.stated("think_s", record.think_s)
    return Text(say(key, fleet=fleet, load=_load(record.limit), think=think), "strong")


def _load(point: LoadPart) -> str:
    return numbers.whole(point.load) if point.load == round(point.load) else numbers.about(point.load)


def _curve(record: CapacityAnswer, say: Say) -> list[Block]:
    if not record.curve:
        return []
    unit = say(f"capacity.unit.{record.unit}")
    columns = (
        Column(unit, "right"),
        *([Column(say("capacity.col.rate"), "right", drop=2)] if record.unit == "users" else []),
        Column(say("capacity.col.ttft"), "right", drop=1),
        Column(say("capacity.col.ttft95"), "right"),
        Column(say("capacity.col.ttft99"), "right", drop=1),
        Column(say("capacity.col.tpot"), "right", drop=1),
        Column(say("capacity.col.tpot95"), "right"),
        Column(say("capacity.col.tokens"), "right", drop=1),
        Column(say("capacity.col.verdict")),
    )
    rows = tuple(_point(point, record, say) for point in record.curve)
    blocks: list[Block] = [Heading(say("capacity.curve")), Grid(columns, rows)]
    if len(record.curve) > 1:
        ttft = [point.ttft_s.p95 for point in record.curve]
        tpot = [point.tpot_s.p95 for point in record.curve]
        for name, values, limit in (("ttft", ttft, record.limits.ttft_s), ("tpot", tpot, record.limits.tpot_s)):
            if all(value is None for value in values):  # answers of one token have no time per further one
                continue
            blocks.append(
                Chart(
                    say(f"capacity.chart.{name}", unit=unit),
                    tuple(_load(point) for point in record.curve),
                    tuple(values),
                    tuple(numbers.duration(value) for value in values),
                    limit=limit,
                    limit_text=numbers.duration(limit) if limit is not None else "",
                )
            )
    return blocks


def _point(point: LoadPart, record: CapacityAnswer, say: Say) -> tuple[Words, ...]:
    verdicts: dict[str, Tone] = {"holds": "good", "misses": "bad", "saturated": "bad"}
    verdict = "saturated" if point.saturated else "holds" if point.holds else "misses"
    return (
        _load(point),
        *([numbers.about(point.request_rate_per_s)] if record.unit == "users" else []),
        numbers.duration(point.ttft_s.p50),
        numbers.duration(point.ttft_s.p95),
        numbers.duration(point.ttft_s.p99),
        numbers.duration(point.tpot_s.p50),
        numbers.duration(point.tpot_s.p95),
        numbers.rate(point.output_tokens_per_s),
        Text(say(f"capacity.verdict.{verdict}"), verdicts[verdict]),
    )


def _month(record: CapacityAnswer, say: Say) -> list[Block]:
    profile = record.profile
    if profile is None or record.cold_start_s is None:
        return []
    peak = f"{numbers.about(profile.peak)} {say(f'capacity.unit.{record.unit}')}"
    title = say("capacity.month", profile=profile.name, peak=peak, mean=numbers.percent(profile.mean_share))
    columns = (
        Column(say("capacity.col.plan")),
        Column(say("capacity.col.machines"), "right", drop=1),
        Column(say("capacity.col.hours"), "right"),
        Column(say("capacity.col.usd"), "right"),
        Column(say("capacity.col.saving"), "right"),
        Column(say("col.usd_mtok"), "right"),
        Column(say("capacity.col.late"), "right", drop=2),
    )
    slots = [max(profile.week[start : start + HOURS_SHOWN]) for start in range(0, len(profile.week), HOURS_SHOWN)]
    chart = Chart(
        say("capacity.week"),
        tuple(_hour(place * HOURS_SHOWN, say) for place in range(len(slots))),
        tuple(slots),
        tuple(numbers.percent(share) for share in slots),
    )
    return [
        Heading(title),
        chart,
        Grid(columns, tuple(_plan(plan, say) for plan in record.plans)),
        Para((Text(say("capacity.cold", cold=numbers.duration(record.cold_start_s)), "dim"),)),
    ]


def _hour(hour: int, say: Say) -> str:
    day, of_day = divmod(hour, 24)
    return say.name("day", str(day)) if of_day == 0 else f"{of_day}"


def _plan(plan: PlanPart, say: Say) -> tuple[Words, ...]:
    return (
        say(f"capacity.plan.{plan.name}"),
        numbers.whole(plan.machines),
        f"{plan.machine_hours_per_month:,.0f}",
        say.money.monthly(plan.usd_per_month),
        "" if plan.saving is None else numbers.percent(plan.saving),
        say.money.usd(plan.usd_per_mtok_output),
        numbers.percent(plan.late_share) if plan.late_share >= 5e-5 else numbers.percent(0.0),
    )
