"""The answer of `check`: the verdict, what moved, and what ranks before the old first."""

from infra_advisor.advice.checks import Ahead, CheckAnswer, Moved
from infra_advisor.present import assumptions, numbers, phrases
from infra_advisor.present.blocks import Block, Column, Grid, Heading, Page, Para, Text, Words
from infra_advisor.present.recommend import question
from infra_advisor.present.words import Words as Say

_SHOWN_AHEAD = 5
_PER_USD = "_per_usd"


def page(record: CheckAnswer, say: Say) -> Page:
    """Verdict, question, figures then and now, what is ahead."""
    blocks: list[Block] = [Para((Text(_verdict(record, say), "strong" if record.status == "stands" else "bad"),))]
    if record.first and record.now != record.first:
        first = record.first
        monthly = say.money.monthly(first.cost.usd_per_month)
        blocks.append(Para((say("check.first", **phrases.option(say, first), cost=phrases.cost_per_mtok(say, first), monthly=monthly),)))
    blocks += question(record.workload, record.limits, say, record.payment)
    blocks += [Para((say.money.sentence(warning),), lead=say("warning")) for warning in record.warnings]
    blocks += _moved(record, say) + _ahead(record, say)
    saved = record.saved
    then = say("check.saved", as_of=saved.as_of, version=saved.version, catalog=saved.catalog.version, hash=saved.catalog.hash)
    return Page((*blocks, Para((Text(then, "dim"), Text(assumptions.stamp(record.catalog, record.as_of, say), "dim")))))


def _verdict(record: CheckAnswer, say: Say) -> str:
    if record.then is None:
        return say("check.stands.nothing" if record.status == "stands" else "check.now_fits")
    names = phrases.option(say, record.now or record.then)
    if record.status in ("gone", "breaks_limit"):
        return say(f"check.{record.status}", **names, why=phrases.violations(say, record.violations) or record.reason or numbers.UNKNOWN)
    if record.status == "stands" and not record.behind:
        return say("check.stands", **names)
    if record.behind is None:
        return say("check.overtaken.unknown", **names, rule=say.name("rank", record.rank_by))
    return say(
        "check.stands.near" if record.status == "stands" else "check.overtaken",
        **names,
        behind=numbers.percent(record.behind),
        rule=say.name("rank", record.rank_by),
        tolerance=numbers.percent(record.tolerance),
    )


def _moved(record: CheckAnswer, say: Say) -> list[Block]:
    if not record.moved:
        return []
    columns = (
        Column(say("col.quantity")),
        Column(say("check.col.then"), "right"),
        Column(say("check.col.now"), "right"),
        Column(say("check.col.change"), "right"),
    )
    return [Heading(say("check.moved")), Grid(columns, tuple(_row(one, record.limits.statistic, say) for one in record.moved))]


def _row(one: Moved, statistic: str, say: Say) -> tuple[Words, ...]:
    if one.name.endswith(_PER_USD):
        title = say("check.per_usd", currency=one.name.removesuffix(_PER_USD).upper())
    else:
        title = say(f"check.{one.name}", statistic=statistic)
    change = "" if one.change is None else numbers.margin(one.change) if abs(one.change) >= 5e-4 else "="
    if one.change is None and one.then == one.now:
        change = "="
    return title, _value(one.name, one.then, say), _value(one.name, one.now, say), change


def _value(name: str, value: float | str | None, say: Say) -> str:
    if name.endswith(_PER_USD) and isinstance(value, float):
        return numbers.exact(value)
    return numbers.about(value) if name == "max_concurrency" and isinstance(value, float) else say.money.by_name(name, value)


def _ahead(record: CheckAnswer, say: Say) -> list[Block]:
    if not record.ahead:
        return []
    columns = (
        Column(say("col.hardware"), wrap=True),
        Column(say("col.where"), wrap=True),
        Column(say("col.run"), drop=1),
        Column(say("col.usd_mtok"), "right"),
        Column(say("col.grade"), drop=2),
        Column(say("check.col.behind"), "right"),
    )
    shown = record.ahead[:_SHOWN_AHEAD]
    blocks: list[Block] = [Heading(say("check.ahead")), Grid(columns, tuple(_one_ahead(one, say) for one in shown))]
    rest = len(record.ahead) - len(shown)
    return [*blocks, Para((Text(say("check.more", count=f"{rest:,}"), "dim"),))] if rest else blocks


def _one_ahead(one: Ahead, say: Say) -> tuple[Words, ...]:
    answer = one.answer
    return (
        phrases.hardware(say, answer),
        phrases.where(say, answer),
        phrases.running(say, answer),
        phrases.cost_per_mtok(say, answer),
        phrases.grade(say, answer),
        numbers.percent(one.behind),
    )
