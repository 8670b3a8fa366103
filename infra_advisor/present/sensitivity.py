"""The answer of `sensitivity`: a tornado of the inputs, the values at which another option wins, and what the others need."""

import math

from infra_advisor.advice.sensitivities import Contender, SensitivityAnswer, Swing, ToWin
from infra_advisor.present import assumptions, numbers, phrases
from infra_advisor.present.blocks import Block, Bullets, Column, Grid, Heading, Page, Para, Text, Words
from infra_advisor.present.recommend import question
from infra_advisor.present.words import Words as Say

_BAR = 24
"""Characters of a bar of the tornado."""
_NAMED = 3
_PER_USD = "_per_usd"
_TIE = 0.0005
"""Costs that differ by less are written alike."""


def page(record: SensitivityAnswer, say: Say) -> Page:
    """Winner, question, tornado, what the others need."""
    blocks: list[Block] = [Para((_verdict(record, say),))]
    blocks += _nearest(record, say)
    blocks += question(record.workload, record.limits, say, record.payment)
    blocks += [Para((warning,), lead=say("warning")) for warning in record.warnings]
    if record.inputs:
        blocks += [Heading(say("sens.title")), _tornado(record, say)]
    if record.to_win:
        blocks += [Heading(say("sens.towin")), Bullets(tuple(_to_win(one, say) for one in record.to_win))]
    own = record.winner.assumptions if record.winner else ()
    blocks += assumptions.assumed(record.assumptions, own, say)
    return Page((*blocks, Para((Text(assumptions.stamp(record.catalog, record.as_of, say), "dim"),))))


def _verdict(record: SensitivityAnswer, say: Say) -> Words:
    if record.winner is None:
        return Text(say("sens.none"), "bad")
    names = phrases.option(say, record.winner)
    return Text(say("sens.winner", **names, cost=say.money.usd(record.winner.cost.usd_per_mtok_output)), "strong")


def _nearest(record: SensitivityAnswer, say: Say) -> list[Block]:
    """The runner-up, and the inputs that would change the winner."""
    if record.winner is None:
        return []
    other, mine = record.runner_up, record.winner.cost.usd_per_mtok_output
    parts: list[Words] = [say("sens.alone")]
    if other is not None and mine:
        more = other.usd_per_mtok_output / mine - 1.0
        names = {"name": _name(other), "where": _where(other, say), "cost": say.money.usd(other.usd_per_mtok_output)}
        parts = [say("sens.runner.tie", **names) if more < _TIE else say("sens.runner", **names, percent=numbers.percent(more))]
    flips = sorted((one for one in record.inputs if one.flips_at is not None), key=_distance)
    items = [say("sens.nearest.item", input=_input(one, say), value=_value(one, one.flips_at, say)) for one in flips[:_NAMED]]
    parts.append(say("sens.nearest", items=phrases.listed(say, items)) if items else say("sens.robust"))
    return [Para(tuple(parts))]


def _distance(one: Swing) -> float:
    """How far the turning point lies from the base, as a factor; a choice among words comes last."""
    if isinstance(one.flips_at, str) or isinstance(one.base, str) or not one.flips_at or not one.base:
        return math.inf
    return abs(math.log(one.flips_at / one.base))


def _tornado(record: SensitivityAnswer, say: Say) -> Grid:
    ends = [value for one in record.inputs for value in (one.usd_per_mtok_at_low, one.usd_per_mtok_at_high) if value is not None]
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    title = say("sens.col.bar", low=say.money.usd(low), high=say.money.usd(high))
    columns = (
        Column(say("sens.col.input"), wrap=True),
        Column(say("sens.col.base"), "right", drop=1),
        Column(say("sens.col.range"), drop=2),
        Column(say("sens.col.cost"), "right", drop=1),
        Column(title, drop=3),
        Column(say("sens.col.flips"), "right"),
        Column(say("sens.col.to"), wrap=True),
    )
    return Grid(columns, tuple(_row(one, low, high, say) for one in record.inputs))


def _row(one: Swing, low: float, high: float, say: Say) -> tuple[Words, ...]:
    ends = [one.usd_per_mtok_at_low, one.usd_per_mtok_at_high]
    costs = say("sens.range", low=_cost(ends[0], say), high=_cost(ends[1], say))
    flips = Text(_value(one, one.flips_at, say), "warn") if one.flips_at is not None else Text(say("sens.keeps"), "dim")
    to = "" if one.flips_at is None else _full(one.flips_to, say) if one.flips_to else say("sens.nothing")
    return (
        _input(one, say),
        _value(one, one.base, say),
        say("sens.range", low=_value(one, one.low, say), high=_value(one, one.high, say)),
        costs,
        _bar([value for value in ends if value is not None], low, high),
        flips,
        to,
    )


def _bar(ends: list[float], low: float, high: float) -> str:
    """Where the winner's cost lies within the widest range of all, as a row of blocks."""
    if len(ends) < 2 or high <= low:
        return ""
    first, last = (round((value - low) / (high - low) * (_BAR - 1)) for value in (min(ends), max(ends)))
    return " " * first + "█" * (last - first + 1)


def _cost(value: float | None, say: Say) -> str:
    return say("sens.lost") if value is None else say.money.usd(value)


def _input(one: Swing, say: Say) -> str:
    if one.input.endswith(_PER_USD):
        return say("swing.rate", priced=one.input.removesuffix(_PER_USD).upper())
    return say(f"swing.{one.input}")


def _value(one: Swing, value: float | str | None, say: Say) -> str:
    if value is None or isinstance(value, str):
        return str(value or "")
    if one.unit in ("share", "of the prediction"):
        return numbers.percent(value, 3)
    if one.unit == "USD/kWh":
        return numbers.about(value * say.money.per_usd)
    if one.input == "price":
        return say.money.hourly(value) if one.unit == "USD/h" else say.money.usd(value)
    if one.input == "tokens_per_day":
        return numbers.count(value)
    return numbers.about(value)


def _name(one: Contender) -> str:
    return phrases.short(one.accelerator_name)


def _where(one: Contender, say: Say) -> str:
    if one.class_ in ("onprem", "edge"):
        place = say(f"where.{one.class_}")
    else:
        place = phrases.short(one.provider_name or one.provider)
    return say("with_country", place=place, country=one.country) if one.country else place


def _full(one: Contender, say: Say) -> str:
    return f"{_name(one)}, {_where(one, say)}"


def _to_win(one: ToWin, say: Say) -> str:
    names = {"name": _name(one.option), "where": _where(one.option, say), "cost": say.money.usd(one.option.usd_per_mtok_output)}
    if abs(one.throughput_factor - 1.0) < _TIE:
        return say("sens.towin.tie", **names)
    if one.price_needed is None or one.price is None or one.price_change is None:
        text = say("sens.towin.no_price", **names)
    else:
        write = say.money.hourly if one.price_unit == "USD/h" else say.money.usd
        text = say(
            "sens.towin.price",
            **names,
            needed=write(one.price_needed),
            price=write(one.price),
            unit=one.price_unit.replace("USD", say.money.code),
            change=numbers.margin(one.price_change),
        )
    if one.option.class_ == "api":
        return text + say("sens.towin.api")
    band = say("sens.towin.inside") if one.within_band else ""
    return text + say("sens.towin.carries", factor=numbers.about(one.throughput_factor), band=band)
