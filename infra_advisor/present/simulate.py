"""The answer of `simulate`: verdict, percentiles, what the run was like, and the queue and the cache over time."""

from collections.abc import Callable, Mapping, Sequence

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.simulated import SamplePart, SimulateAnswer, TimePart
from infra_advisor.present import assumptions, numbers, phrases
from infra_advisor.present.bill import paid
from infra_advisor.present.blocks import Block, Chart, Column, Grid, Heading, Page, Para, Text, Words
from infra_advisor.present.words import Words as Say

CHART_COLUMNS = 60
QUANTILES = ("mean", "p50", "p90", "p95", "p99")


def page(record: SimulateAnswer, say: Say) -> Page:
    """Verdict, question, times, figures, charts."""
    blocks: list[Block] = [Para((_verdict(record, say),))]
    if record.answer:
        blocks.append(Para((phrases.confidence(say, record.answer), phrases.bands(say, record.answer, "p95"))))
    blocks += _question(record, say)
    blocks += [Para((say.money.sentence(warning),), lead=say("warning")) for warning in record.warnings]
    if record.answer:
        blocks += [*_times(record, say), *_figures(record, say), *_charts(record.samples, say)]
    blocks += assumptions.assumed(record.assumptions, record.answer.assumptions if record.answer else (), say)
    return Page((*blocks, Para((Text(assumptions.stamp(record.catalog, record.as_of, say), "dim"),))))


def _verdict(record: SimulateAnswer, say: Say) -> Words:
    if record.answer is None:
        return Text(say("simulate.no", reason=record.reason or numbers.UNKNOWN), "bad")
    fleet = _fleet(record, say)
    if record.status == "ok":
        has_targets = phrases.has_targets(record.limits)
        return Text(say("simulate.ok" if has_targets else "simulate.ok.no_limits", fleet=fleet), "strong")
    if record.status == "saturated":
        return Text(say("simulate.saturated", fleet=fleet, reason=record.reason), "bad")
    if record.violations:
        return Text(say("simulate.misses_targets", fleet=fleet, violations=phrases.violations(say, record.violations)), "bad")
    requests = record.requests
    return Text(say("simulate.rejects", fleet=fleet, rejected=f"{requests.rejected:,}", arrived=f"{requests.arrived:,}"), "bad")


def _fleet(record: SimulateAnswer, say: Say) -> str:
    assert record.answer is not None
    return fleet_words(record.answer, record.fleet.replicas, say, prefill=record.fleet.prefill_replicas)


def fleet_words(answer: Answer, replicas: int, say: Say, *, prefill: int = 0) -> str:
    """`2 replicas of 4x H100 SXM, vLLM fp8 tp4,` as the beginning of a sentence."""
    part = answer.hardware
    hardware = say("hardware", count=part.accelerators_per_replica, name=phrases.short(part.accelerator_name))
    run = phrases.run(say, answer.software)
    if prefill:
        return say("simulate.fleet.apart", number=replicas, prefill=prefill, hardware=hardware, run=run)
    return say.counted("simulate.fleet", replicas, hardware=hardware, run=run)


def _question(record: SimulateAnswer, say: Say) -> list[Block]:
    trace = record.trace
    limits = "; ".join(phrases.limits(say, phrases.without_named(record.limits))) or say("limits.none")
    if trace is None:
        asked = "; ".join((phrases.model(say, record.workload), phrases.lengths(say, record.workload), phrases.load(say, record.workload)))
        return [Para((asked,), lead=say("for")), Para((limits,), lead=say("limits")), *paid(record.payment, say)]
    replayed = say(
        "simulate.trace" if trace.speed == 1.0 else "simulate.trace.speed",
        requests=f"{trace.requests:,}",
        path=trace.path,
        speed=numbers.exact(trace.speed),
        span=numbers.duration(trace.span_s),
        input=numbers.about(trace.mean_input_tokens),
        output=numbers.about(trace.mean_output_tokens),
    )
    blocks: list[Block] = [
        Para((f"{phrases.model(say, record.workload)}; {replayed}",), lead=say("for")),
        Para((limits,), lead=say("limits")),
        *paid(record.payment, say),
    ]
    for key, reasons in (("simulate.skipped", trace.skipped), ("simulate.clamped", trace.clamped)):
        if reasons:
            blocks.append(Para((Text(say(key, reasons=_counted(reasons, say)), "warn"),)))
    return blocks


def _counted(reasons: Mapping[str, int], say: Say) -> str:
    return ", ".join(say("simulate.counted", count=f"{count:,}", reason=reason) for reason, count in reasons.items())


def _times(record: SimulateAnswer, say: Say) -> list[Block]:
    columns = (Column(say("simulate.col.time")), *(Column(say.name("statistic", name), "right") for name in QUANTILES))
    rows = [_time(say(f"simulate.row.{name}"), getattr(record, f"{name}_s")) for name in ("ttft", "tpot", "e2e")]
    return [Heading(say("simulate.times", counted=f"{record.requests.counted:,}")), Grid(columns, tuple(rows))]


def _time(title: str, time: TimePart) -> tuple[Words, ...]:
    return (title, *(numbers.duration(getattr(time, name)) for name in QUANTILES))


def _figures(record: SimulateAnswer, say: Say) -> list[Block]:
    requests, answer = record.requests, record.answer
    assert answer is not None
    good = "simulate.goodput.value" if record.limits.ttft_s or record.limits.tpot_s else "simulate.goodput.plain"
    rows: list[tuple[Words, ...]] = [
        (
            say("simulate.requests"),
            say(
                "simulate.requests.value",
                arrived=f"{requests.arrived:,}",
                finished=f"{requests.finished:,}",
                rejected=f"{requests.rejected:,}",
                in_flight=f"{requests.in_flight:,}",
            ),
        ),
        (say("simulate.goodput"), say(good, rate=numbers.about(record.goodput_per_s), share=numbers.percent(record.good_share))),
        (say("simulate.throughput"), say("tokens_per_s", rate=numbers.rate(record.output_tokens_per_s))),
        (say("simulate.utilisation"), numbers.percent(record.utilisation)),
        (say("simulate.running"), say("simulate.running.value", running=numbers.about(record.mean_running))),
    ]
    if requests.preempted:
        rows.append((say("simulate.preempted"), say("simulate.preempted.value", count=f"{requests.preempted:,}")))
    if record.fleet.prefix_hits:
        rows.append((say("simulate.hits"), numbers.percent(record.fleet.prefix_hits)))
    if record.usd_per_mtok_output is not None:
        rows.append((say("simulate.cost"), say("usd_per_mtok", value=say.money.usd(record.usd_per_mtok_output))))
    speed = answer.performance
    mean = say("simulate.closed_form.value", ttft=numbers.duration(speed.ttft_s.mean), tpot=numbers.duration(speed.tpot_s.mean))
    rows.append((say("simulate.closed_form"), mean))
    columns = (Column(say("col.quantity")), Column(say("col.value"), wrap=True))
    return [Heading(say("simulate.figures")), Grid(columns, tuple(rows))]


def _charts(samples: Sequence[SamplePart], say: Say) -> list[Block]:
    if len(samples) < 2 or samples[-1].at_s <= samples[0].at_s:
        return []
    span = numbers.duration(samples[-1].at_s)
    kinds: tuple[tuple[str, Callable[[SamplePart], float], Callable[[float], str]], ...] = (
        ("waiting", lambda sample: float(sample.waiting), numbers.whole),
        ("running", lambda sample: float(sample.running), numbers.whole),
        ("cache", lambda sample: sample.cache_share, numbers.percent),
    )
    return [_chart(say(f"simulate.chart.{name}", span=span), samples, value, text) for name, value, text in kinds]


def _chart(title: str, samples: Sequence[SamplePart], value: Callable[[SamplePart], float], text: Callable[[float], str]) -> Chart:
    """The largest value of each slice of the time: what hurts is the peak, not the mean."""
    first, last = samples[0].at_s, samples[-1].at_s
    slots: list[float | None] = [None] * CHART_COLUMNS
    for sample in samples:
        place = min(int((sample.at_s - first) / (last - first) * CHART_COLUMNS), CHART_COLUMNS - 1)
        slots[place] = max(slots[place] or 0.0, value(sample))
    known = 0.0
    filled = []
    for slot in slots:
        known = known if slot is None else slot
        filled.append(known)
    later = (numbers.duration(first + (last - first) * place / CHART_COLUMNS, 2) for place in range(1, CHART_COLUMNS))
    marks = ("0", *later)
    return Chart(title, marks, tuple(filled), tuple(text(one) for one in filled))
