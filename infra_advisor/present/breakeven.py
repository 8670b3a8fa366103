"""The answer of `breakeven`: each way to pay at the load, where they cross, and what they cost at other loads."""

from infra_advisor.advice.breakevens import WAYS, BreakevenAnswer, Crossing, CurvePoint, PaidOption, Way
from infra_advisor.present import assumptions, numbers, phrases, prices
from infra_advisor.present.bill import bill_blocks, paid
from infra_advisor.present.blocks import Block, Bullets, Column, Grid, Heading, Lines, Page, Para, Series, Text, Words
from infra_advisor.present.words import Words as Say

_MARKS = {"rent": "r", "commit": "c", "buy": "b", "api": "a"}


def page(record: BreakevenAnswer, say: Say) -> Page:
    """The cheapest first, the crossings, the curve, then the bills."""
    blocks: list[Block] = [Para((_verdict(record, say),))]
    asked = "; ".join((phrases.model(say, record.workload), phrases.lengths(say, record.workload), _load(record, say)))
    limits = "; ".join(phrases.limits(say, record.limits)) or say("limits.none")
    blocks += [Para((asked,), lead=say("for")), Para((limits,), lead=say("limits")), *paid(record.payment, say)]
    blocks += [Para((warning,), lead=say("warning")) for warning in record.warnings]
    if record.options:
        blocks += [Heading(say("even.options")), _options(record, say)]
    blocks += [Para((say("even.missing", way=say(f"even.way.{way}"), reason=why),)) for way, why in record.missing.items()]
    if record.breakeven:
        blocks += [Heading(say("even.crossings")), Bullets(tuple(_crossing(one, say) for one in record.breakeven))]
    blocks += _curve(record, say)
    for option in record.options:
        blocks += [Heading(say("even.bill", way=say(f"even.way.{option.way}"), offer=option.answer.offer.id))]
        blocks += bill_blocks(option.answer.cost, say, free=False)
    if record.options:
        blocks.append(Para((Text(say("even.free"), "dim"),)))
    blocks += assumptions.assumed(record.assumptions, (), say)
    return Page((*blocks, Para((Text(assumptions.stamp(record.catalog, record.as_of, say), "dim"),))))


def _verdict(record: BreakevenAnswer, say: Say) -> Text:
    best = next((one for one in record.options if one.id == record.cheapest), None)
    if best is None:
        return Text(say("even.none", reason=record.reason), "bad")
    return Text(
        say(
            f"even.best.{best.way}",
            tokens=numbers.count(record.tokens_per_day),
            monthly=say.money.monthly(best.usd_per_month),
            **phrases.option(say, best.answer),
        ),
        "strong",
    )


def _load(record: BreakevenAnswer, say: Say) -> str:
    return say("load.tokens", tokens=numbers.count(record.tokens_per_day))


def _options(record: BreakevenAnswer, say: Say) -> Grid:
    columns = (
        Column(say("even.col.way")),
        Column(say("col.hardware"), wrap=True),
        Column(say("col.where"), wrap=True),
        Column(say("col.run"), drop=2),
        Column(say("even.col.initial"), "right", drop=1),
        Column(say("even.col.running"), "right", drop=3),
        Column(say("even.col.month"), "right"),
        Column(say("col.usd_mtok"), "right", drop=1),
        Column(say("even.col.carries"), "right", drop=3),
        Column(say("col.grade"), drop=1),
        Column(say("col.price"), drop=2),
    )
    return Grid(columns, tuple(_row(one, record, say) for one in record.options))


def _row(one: PaidOption, record: BreakevenAnswer, say: Say) -> tuple[Words, ...]:
    answer, best = one.answer, one.id == record.cheapest
    return (
        say(f"even.way.{one.way}"),
        Text(phrases.hardware(say, answer), "strong" if best else "plain"),
        phrases.where(say, answer),
        phrases.running(say, answer),
        say.money.monthly(one.usd_initial) if one.usd_initial else "",
        say.money.monthly(one.usd_running_per_month),
        Text(say.money.monthly(one.usd_per_month), "strong" if best else "plain"),
        say.money.usd(answer.cost.usd_per_mtok_output),
        "" if one.tokens_per_day_limit is None else numbers.count(one.tokens_per_day_limit),
        phrases.grade(say, answer) if one.way != "api" else "",
        prices.age(say, answer),
    )


def _crossing(one: Crossing, say: Say) -> str:
    """`Buying is cheaper than a hosted API from 9.2M tokens/day on (50 % of what that fleet carries).`"""
    names = {"cheaper": say(f"even.ing.{one.cheaper}"), "than": say(f"even.noun.{one.than}")}
    if one.value is None:
        return say("even.never", **names, reason=one.reason)
    if one.reason is not None:
        return say("even.always", **names, reason=one.reason, option=one.option)
    if one.axis == "hours_per_month":
        return say("even.hours", **names, hours=f"{one.value:,.0f}", share=numbers.percent(one.value / 730.0))
    if one.axis == "months":
        return say("even.months", **names, months=numbers.about(one.value, 2))
    text = say(
        "even.load",
        **names,
        tokens=numbers.count(one.value),
        month=say.money.monthly(one.usd_per_month),
        option=one.option,
    )
    if one.utilisation is not None:
        text += say("even.load.share", share=numbers.percent(one.utilisation))
    if one.for_good is None:
        text += say("even.load.not_for_good")
    elif one.for_good > one.value * 1.01:
        text += say("even.load.for_good", tokens=numbers.count(one.for_good))
    return text + "."


def _curve(record: BreakevenAnswer, say: Say) -> list[Block]:
    if len(record.curve) < 2:
        return []
    ways: list[Way] = [way for way in WAYS if way in record.curve[0].usd_per_month]
    columns = (
        Column(say("even.col.tokens"), "right"),
        *(Column(say(f"even.way.{way}"), "right") for way in ways),
        Column(say("even.col.cheapest"), drop=1),
    )
    rows = tuple(_point(point, ways, say) for point in record.curve)
    series = tuple(Series(_MARKS[way], say(f"even.way.{way}"), tuple(point.usd_per_month[way] for point in record.curve)) for way in ways)
    x = tuple(numbers.count(point.tokens_per_day) for point in record.curve)
    return [Heading(say("even.curve")), Grid(columns, rows), Lines(say("even.plot"), x, series, say.money.monthly)]


def _point(point: CurvePoint, ways: list[Way], say: Say) -> tuple[Words, ...]:
    return (
        numbers.count(point.tokens_per_day),
        *(Text(say.money.monthly(point.usd_per_month[way]), "strong" if way == point.cheapest else "plain") for way in ways),
        say("even.cheapest", way=say(f"even.way.{point.cheapest}"), offer=point.option[point.cheapest]),
    )
