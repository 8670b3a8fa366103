"""The answer of `estimate`: one deployment in full, and its sweep."""

from infra_advisor.advice.answer import Answer, EstimateAnswer, Headroom, Predicted
from infra_advisor.present import assumptions, energy, numbers, phrases, prices
from infra_advisor.present.bill import bill_of, points_grid
from infra_advisor.present.blocks import Block, Chart, Column, Grid, Heading, Page, Para, Text, Tone, Words
from infra_advisor.present.explain import explain_blocks
from infra_advisor.present.recommend import question
from infra_advisor.present.words import Words as Say

_DOES_NOT_FIT = "does not fit"


def page(record: EstimateAnswer, say: Say) -> Page:
    """Verdict, question, figures, limits, cost, memory, time, sweep."""
    blocks: list[Block] = [*_verdict(record, say), *question(record.workload, phrases.without_named(record.limits), say, record.payment)]
    blocks += [Para((say.money.sentence(warning),), lead=say("warning")) for warning in record.warnings]
    if record.answer:
        blocks += _figures(record.answer, record, say) + _headroom(record.answer, say) + _cost(record.answer, say)
    blocks += _memory(record, say)
    if record.answer:
        blocks += explain_blocks(record.answer, record.workload, say)
    blocks += _sweep(record, say)
    blocks += assumptions.assumed(record.assumptions, record.answer.assumptions if record.answer else (), say)
    return Page((*blocks, Para((Text(assumptions.stamp(record.catalog, record.as_of, say), "dim"),))))


def _verdict(record: EstimateAnswer, say: Say) -> list[Block]:
    answer = record.answer
    if answer is None:
        return [Para((Text(_no(record, say), "bad"),))]
    names = phrases.option(say, answer)
    if record.status == "does_not_fit":
        verdict = Text(_no(record, say), "bad")
    elif record.status == "misses_targets":
        verdict = Text(say("estimate.misses", **names, violations=phrases.violations(say, record.violations)), "bad")
    else:
        key = "estimate.ok" if phrases.has_targets(record.limits) else "estimate.ok.no_limits"
        verdict = Text(say(key, **names), "strong")
    blocks: list[Block] = [
        Para((verdict,)),
        Para((phrases.confidence(say, answer), phrases.bands(say, answer), *prices.doubt(say, answer))),
    ]
    return blocks + ([Para((Text(say("saturated"), "bad"),))] if answer.performance.saturated else [])


def _no(record: EstimateAnswer, say: Say) -> str:
    """Why there is no such deployment."""
    reason = record.reason or numbers.UNKNOWN
    return say("estimate.no.sentence" if reason.startswith(_DOES_NOT_FIT) else "estimate.no", reason=reason)


def _predicted(key: str, predicted: Predicted, say: Say) -> list[tuple[Words, ...]]:
    band = numbers.span(predicted.low, predicted.high, lambda value: numbers.duration(value, 2)) or ""
    rows: list[tuple[Words, ...]] = [(say(f"q.{key}"), numbers.duration(predicted.mean), band)]
    for statistic in ("p50", "p95", "p99"):
        if (value := getattr(predicted, statistic)) is not None:
            rows.append((say(f"q.{key}_at", statistic=statistic), numbers.duration(value), ""))
    return rows


def _figures(answer: Answer, record: EstimateAnswer, say: Say) -> list[Block]:
    speed, cost, offer = answer.performance, answer.cost, answer.offer
    read = say("price.read", source=offer.source or numbers.UNKNOWN, date=offer.price_date or numbers.UNKNOWN)
    if offer.price_age_d is not None:
        read = say(
            "price.read.aged", source=offer.source or numbers.UNKNOWN, date=offer.price_date or numbers.UNKNOWN, age=offer.price_age_d
        )
    if prices.is_aged(answer):
        read = say("price.aged", text=f"{read},")
    both = say("bound.both", prefill=phrases.bound(say, answer.bound.prefill), decode=phrases.bound(say, answer.bound.decode))
    misses_alone = speed.max_concurrency == 0  # then there is no load within the limits that anything could be said of
    at_limit: list[tuple[Words, ...]] = [
        (say("q.usd_mtok_limit"), say("usd", value=say.money.usd(cost.usd_per_mtok_output_at_limit)), ""),
        (say("q.usd_mtok_full"), say("usd", value=say.money.usd(cost.usd_per_mtok_output_at_saturation)), ""),
        (say("q.utilisation"), numbers.percent(cost.utilisation), ""),
    ]
    rows: list[tuple[Words, ...]] = [
        (say("q.hardware"), phrases.hardware(say, answer), ""),
        (say("q.offer"), " ".join(part for part in (offer.id, offer.region) if part), ""),
        (say("q.run"), phrases.run(say, answer.software), ""),
        (say("q.replicas"), f"{answer.hardware.replicas}", ""),
        *_predicted("ttft", speed.ttft_s, say),
        *_predicted("tpot", speed.tpot_s, say),
        (say("q.user_speed"), say("tokens_per_s", rate=numbers.rate(speed.output_tokens_per_s_per_user)), ""),
        (say("q.speed"), say("tokens_per_s", rate=numbers.rate(speed.output_tokens_per_s)), ""),
        (say("q.concurrency"), numbers.about(speed.concurrency), ""),
        *([] if misses_alone else [(say("q.max_concurrency"), numbers.about(speed.max_concurrency), "")]),
        (say("q.usd_h"), say("usd", value=say.money.hourly(cost.usd_per_h)), ""),
        (say("q.usd_month"), say("usd", value=say.money.monthly(cost.usd_per_month)), ""),
        (say("q.usd_mtok"), say("usd", value=say.money.usd(cost.usd_per_mtok_output)), phrases.cost_band(say, answer) or ""),
        (say("q.usd_mtok_total"), say("usd", value=say.money.usd(cost.usd_per_mtok_total)), ""),
        *([] if misses_alone else at_limit),
        *_electric(answer, say),
        (say("q.bound"), both, ""),
        (say("q.price"), read, ""),
    ]
    columns = (Column(say("col.quantity")), Column(say("col.value"), wrap=True), Column(say("col.band"), drop=1))
    return [Heading(say("estimate.title")), Grid(columns, tuple(rows))]


def _electric(answer: Answer, say: Say) -> list[tuple[Words, ...]]:
    """Power, electricity and carbon, as far as they are known."""
    known = answer.energy
    kwh, co2 = energy.pair(known)
    rows: list[tuple[Words, ...]] = []
    if known.kwh_per_mtok_output is not None:
        rows.append((say("q.power"), say("energy.watts", value=numbers.significant(known.power_w)), ""))
        rows.append((say("q.electricity"), say("energy.kwh", value=kwh), energy.band(known) or ""))
    if known.gco2e_per_mtok_output is not None:
        rows.append((say("q.carbon"), say("energy.co2", value=co2), ""))
    return rows


def _headroom(answer: Answer, say: Say) -> list[Block]:
    if not answer.headroom:
        return []
    columns = (
        Column(say("col.limit")),
        Column(say("col.asked"), "right"),
        Column(say("col.predicted"), "right"),
        Column(say("col.margin"), "right", drop=1),
        Column(say("col.verdict")),
    )
    return [Heading(say("headroom.title")), Grid(columns, tuple(_room(room, say) for room in answer.headroom))]


def _room(room: Headroom, say: Say) -> tuple[Words, ...]:
    verdicts: dict[bool | None, tuple[str, Tone]] = {True: ("met", "good"), False: ("missed", "bad"), None: ("not_known", "warn")}
    key, tone = verdicts[room.met]
    return (
        phrases.limit(say, room.limit),
        say.money.stated(phrases.field(room.limit), room.allowed),
        say.money.by_name(phrases.field(room.limit), room.predicted),
        numbers.margin(room.margin),
        Text(say(key), tone),
    )


def _cost(answer: Answer, say: Say) -> list[Block]:
    points = points_grid(answer.cost, say)
    return [*bill_of(answer, say), *([Heading(say("bill.points")), *points] if points else [])]


def _memory(record: EstimateAnswer, say: Say) -> list[Block]:
    memory = record.memory
    if memory is None:
        return []
    rows: tuple[tuple[Words, ...], ...] = tuple(
        (say(f"memory.{part}"), numbers.size(value), numbers.percent(value / memory.total if memory.total else None))
        for part in ("total", "reserve", "weights", "activations", "kv_pool")
        for value in (getattr(memory, part),)
    )
    columns = (Column(say("col.part")), Column(say("col.size"), "right"), Column(say("col.share"), "right"))
    fits = say("memory.fits", per_sequence=numbers.size(memory.kv_per_sequence), sequences=numbers.about(memory.max_sequences))
    return [Heading(say("memory.title")), Grid(columns, rows), Para((fits,))]


def _sweep(record: EstimateAnswer, say: Say) -> list[Block]:
    if not record.sweep:
        return []
    over = say.name("name", record.sweep_over or "")
    statistic = record.limits.statistic
    columns = (
        Column(over, "right"),
        Column(say("col.ttft"), "right"),
        Column(say("col.tpot"), "right"),
        Column(say("col.user_speed"), "right", drop=2),
        Column(say("col.speed"), "right"),
        Column(say("col.usd_mtok"), "right", drop=1),
    )
    rows: list[tuple[Words, ...]] = []
    for point in record.sweep:
        speed = point.performance
        if not point.fits or speed is None:
            rows.append((numbers.whole(point.value), Text(say("sweep.no_fit"), "bad"), "", "", "", ""))
            continue
        ttft_s, tpot_s = phrases.at(speed.ttft_s, statistic), phrases.at(speed.tpot_s, statistic)
        rows.append(
            (
                numbers.whole(point.value),
                Text(numbers.duration(ttft_s), _over(ttft_s, record.limits.ttft_s)),
                Text(numbers.duration(tpot_s), _over(tpot_s, record.limits.tpot_s)),
                numbers.rate(speed.output_tokens_per_s_per_user),
                numbers.rate(speed.output_tokens_per_s),
                say.money.usd(point.usd_per_mtok_output),
            )
        )
    blocks: list[Block] = [Heading(say("sweep.title", over=over)), Grid(columns, tuple(rows))]
    return [*blocks, *(_chart(record, say, over, name) for name in ("ttft", "tpot", "speed"))]


def _over(value: float | None, allowed: float | None) -> Tone:
    return "bad" if value is not None and allowed is not None and value > allowed else "plain"


def _chart(record: EstimateAnswer, say: Say, over: str, name: str) -> Chart:
    points = [point.performance if point.fits else None for point in record.sweep]
    limits = {"ttft": record.limits.ttft_s, "tpot": record.limits.tpot_s, "speed": record.limits.throughput_tokens_per_s}
    write = numbers.rate if name == "speed" else numbers.duration
    values: list[float | None] = []
    for speed in points:
        if speed is None:
            values.append(None)
        elif name == "speed":
            values.append(speed.output_tokens_per_s)
        else:
            values.append(phrases.at(speed.ttft_s if name == "ttft" else speed.tpot_s, record.limits.statistic))
    limit = limits[name]
    return Chart(
        title=say(f"chart.{name}", over=over),
        x=tuple(numbers.whole(point.value) for point in record.sweep),
        y=tuple(values),
        y_texts=tuple(write(value) for value in values),
        limit=limit,
        limit_text=write(limit) if limit is not None else "",
    )
