"""The answer of `compare`: one column per chip, the best of each row marked."""

from collections import Counter
from collections.abc import Callable, Sequence

from infra_advisor.advice.answer import ChipColumn, Comparison, Predicted
from infra_advisor.present import assumptions, numbers, phrases, prices
from infra_advisor.present.blocks import Block, Bullets, Column, Grid, Heading, Page, Para, Text, Words
from infra_advisor.present.details import binding, in_flight
from infra_advisor.present.explain import explain_blocks, nearest_of_each
from infra_advisor.present.recommend import question
from infra_advisor.present.words import Words as Say

_COUNTRIES = 8
_LONGEST_LIST = 12


def page(record: Comparison, say: Say, *, explain: bool = False) -> Page:
    """What each chip is, what it costs, and the best it can do for the workload."""
    blocks: list[Block] = []
    if record.workload and record.limits:
        if record.status == "nothing_fits":
            blocks.append(Para((Text(say("compare.none"), "bad"),)))
        blocks += question(record.workload, phrases.without_named(record.limits), say, record.payment)
    blocks += [Para((say.money.sentence(warning),), lead=say("warning")) for warning in record.warnings]
    title = say("compare.title.model", model=record.workload.model_name) if record.workload else say("compare.title")
    columns = (Column(""), *(Column(phrases.short(column.name)) for column in record.columns))
    blocks += [Heading(title), Grid(columns, tuple(_rows(record, say)), parts=True), Para((Text(say("compare.best"), "dim"),))]
    blocks += _reasons(record, say) + _prices(record, say)
    blocks += nearest_of_each([column.answer for column in record.columns if column.answer], say)
    if explain and record.workload:
        blocks += [block for column in record.columns if column.answer for block in explain_blocks(column.answer, record.workload, say)]
    blocks += assumptions.assumed(record.assumptions, (), say)
    return Page((*blocks, Para((Text(assumptions.stamp(record.catalog, record.as_of, say), "dim"),))))


def _rows(record: Comparison, say: Say) -> list[tuple[Words, ...]]:
    rows = [_row(record, "", say("row.vendor"), lambda column: column.vendor)]
    if record.workload:
        rows += _answer_rows(record, say)
    known = (name for column in record.columns for name, value in column.facts.items() if value is not None)
    for name in sorted(dict.fromkeys(known), key=list(record.columns[0].facts).index):
        rows.append(_row(record, name, _title(name, say), _fact(name, say)))
    rows.append(_row(record, "engines", say("row.engines"), lambda column: _listed([say.name("engine", name) for name in column.engines])))
    rows.append(_row(record, "formats", say("row.formats"), lambda column: _listed(column.formats)))
    return rows


def _answer_rows(record: Comparison, say: Say) -> list[tuple[Words, ...]]:
    statistic = record.limits.statistic if record.limits else "mean"

    def fits(column: ChipColumn) -> Words:
        if column.answer is None or column.violations:
            return Text(say("no"), "bad")
        return Text(say("yes"), "good")

    cells: tuple[tuple[str, str, Callable[[ChipColumn], Words]], ...] = (
        ("", "fits", fits),
        ("", "hardware", lambda column: _of(column, lambda a: phrases.hardware(say, a))),
        ("", "where", lambda column: _of(column, lambda a: phrases.where(say, a))),
        ("", "run", lambda column: _of(column, lambda a: phrases.running(say, a))),
        ("ttft_s", "ttft", lambda column: _of(column, lambda a: numbers.duration(phrases.at(a.performance.ttft_s, statistic)))),
        ("tpot_s", "tpot", lambda column: _of(column, lambda a: numbers.duration(phrases.at(a.performance.tpot_s, statistic)))),
        ("", "ttft_band", lambda column: _of(column, lambda a: _band(a.performance.ttft_s))),
        ("", "tpot_band", lambda column: _of(column, lambda a: _band(a.performance.tpot_s))),
        ("speed", "user_speed", lambda column: _of(column, lambda a: numbers.rate(a.performance.output_tokens_per_s_per_user))),
        ("output_tokens_per_s", "speed", lambda column: _of(column, lambda a: numbers.rate(a.performance.output_tokens_per_s))),
        ("", "in_flight", lambda column: _of(column, lambda a: in_flight(say, a))),
        ("usd_per_h", "usd_h", lambda column: _of(column, lambda a: say.money.hourly(a.cost.usd_per_h))),
        ("usd_per_month", "usd_month", lambda column: _of(column, lambda a: say.money.monthly(a.cost.usd_per_month))),
        ("usd_per_mtok_output", "usd_mtok", lambda column: _of(column, lambda a: say.money.usd(a.cost.usd_per_mtok_output))),
        ("", "usd_mtok_band", lambda column: _of(column, lambda a: phrases.cost_band(say, a) or numbers.UNKNOWN)),
        ("", "usd_mtok_total", lambda column: _of(column, lambda a: say.money.usd(a.cost.usd_per_mtok_total))),
        ("", "bound", lambda column: _of(column, lambda a: binding(say, a))),
        ("", "grade", lambda column: phrases.grade(say, column.answer) if column.answer else "-"),
        ("", "price", lambda column: _of(column, lambda a: f"{prices.kind(say, a)} {prices.date(say, a)}")),
    )
    return [_row(record, name, say(f"row.{key}"), cell) for name, key, cell in cells]


def _band(predicted: Predicted) -> str:
    return numbers.span(predicted.low, predicted.high, lambda value: numbers.duration(value, 2)) or numbers.UNKNOWN


def _title(name: str, say: Say) -> str:
    return say("row.bytes_per_money") if name == "bytes_per_usd" and say.money.rate else say.name("name", name)


def _fact(name: str, say: Say) -> Callable[[ChipColumn], Words]:
    return lambda column: say.money.by_name(name, column.facts.get(name))


def _of(column: ChipColumn, write: Callable[..., str]) -> str:
    return write(column.answer) if column.answer else "-"


def _row(record: Comparison, name: str, title: str, cell: Callable[[ChipColumn], Words]) -> tuple[Words, ...]:
    """One row; the best cells carry a star, because colour alone tells nothing in a pipe."""
    best = record.best.get(name, ()) if name else ()
    cells: list[Words] = []
    for column in record.columns:
        words = cell(column)
        if column.id in best:
            words = Text(f"{words if isinstance(words, str) else words.text} *", "strong")
        cells.append(words)
    return (title, *cells)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LONGEST_LIST])
    return f"{shown} +{len(names) - _LONGEST_LIST}" if len(names) > _LONGEST_LIST else shown or "-"


def _prices(record: Comparison, say: Say) -> list[Block]:
    """On-demand price span per country: the one asked for, then those with most of the chips, then the cheapest."""
    offered = Counter(country for column in record.columns for country in column.prices)
    if not offered:
        return []
    lowest = {column.id: min(low for low, _ in column.prices.values()) for column in record.columns if column.prices}

    def order(country: str) -> tuple[bool, int, float, str]:
        over = [column.prices[country][0] / lowest[column.id] for column in record.columns if country in column.prices]
        asked = record.limits is not None and record.limits.residency == country
        return not asked, -offered[country], sum(over) / len(over), country

    countries = sorted(offered, key=order)[:_COUNTRIES]
    rows: list[tuple[Words, ...]] = []
    for country in countries:
        spans = [column.prices.get(country) for column in record.columns]
        rows.append((country, *((numbers.span(*span, say.money.usd) or "-") if span else "-" for span in spans)))
    columns = (Column(say("col.country")), *(Column(phrases.short(column.name), "right") for column in record.columns))
    blocks: list[Block] = [Heading(say("compare.prices")), Grid(columns, tuple(rows), parts=True)]
    rest = len(offered) - len(countries)
    return [*blocks, Para((Text(say.counted("compare.more_countries", rest), "dim"),))] if rest else blocks


def _reasons(record: Comparison, say: Say) -> list[Block]:
    items = []
    for column in record.columns:
        if column.violations:
            items.append(f"{column.name}: {phrases.violations(say, column.violations)}")
        elif column.answer is None and column.reason:
            items.append(f"{column.name}: {column.reason}")
    return [Heading(say("row.reason").capitalize()), Bullets(tuple(items))] if items else []
