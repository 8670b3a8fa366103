"""The answer of `validate`: how many rows, and the errors by group."""

from infra_advisor.advice.validation import Errors, Validation
from infra_advisor.present.blocks import Block, Bullets, Column, Grid, Heading, Page, Para, Text, Words
from infra_advisor.present.words import Words as Say

MOST_REASONS = 8
COLUMNS = (("figure", 0), ("rows", 0), ("median", 0), ("p90", 0), ("bias", 1), ("coverage", 0), ("width", 2), ("tau", 3))
"""Title and how early a column goes where the width does not suffice."""
PLAIN_ABOVE = 10.0
"""Percent from which decimals say nothing."""


def page(record: Validation, say: Say) -> Page:
    """Counts, then one table per group."""
    blocks: list[Block] = [Para((_verdict(record, say),))]
    if record.refused:
        items: list[Words] = [
            say("validate.refused", rows=f"{count:,}", reason=reason) for reason, count in list(record.refused.items())[:MOST_REASONS]
        ]
        rest = list(record.refused.values())[MOST_REASONS:]
        if rest:
            items.append(say("validate.refused.more", rows=f"{sum(rest):,}"))
        blocks += [Heading(say("validate.refused.title")), Bullets(tuple(items))]
    if record.problems:
        blocks += [Heading(say("validate.problems")), Bullets(tuple(record.problems[:MOST_REASONS]))]
    groups = list(dict.fromkeys(line.group for line in record.errors))
    columns = (Column("", wrap=True), *(_column(name, drop, say) for name, drop in COLUMNS))
    for group in groups:
        rows = [_row(line, say) for line in record.errors if line.group == group]
        blocks += [Heading(say(f"validate.by.{group}")), Grid(columns, tuple(rows))]
    if record.errors:
        blocks.append(Para((Text(say("validate.legend"), "dim"),)))
    return Page(tuple(blocks))


def _column(name: str, drop: int, say: Say) -> Column:
    return Column(say(f"validate.col.{name}"), "left" if name == "figure" else "right", drop=drop)


def _verdict(record: Validation, say: Say) -> Words:
    if record.scheme:
        return say("validate.scheme", rows=f"{record.scored:,}", scheme=say(f"validate.scheme.{record.scheme}"))
    counts = {
        "rows": f"{record.rows:,}",
        "predicted": f"{record.predicted:,}",
        "scored": f"{record.scored:,}",
        "suspect": f"{record.suspect:,}",
    }
    told = say("validate.counts", **counts)
    if record.status == "drift" and record.fail_over is not None:
        return Text(told + " " + say("validate.drift", limit=_percent(record.fail_over)), "bad")
    return told


def _row(line: Errors, say: Say) -> tuple[Words, ...]:
    return (
        say.name("validate.class", line.member) if line.group == "class" else line.member,
        say(f"validate.figure.{line.figure}"),
        f"{line.rows:,}",
        _percent(line.median),
        _percent(line.p90),
        f"x{line.bias:.2f}",
        "" if line.coverage is None else _percent(line.coverage),
        "" if line.width is None else f"x{line.width:.2f}",
        "" if line.tau is None else f"{line.tau:.2f}",
    )


def _percent(share: float) -> str:
    value = 100.0 * share
    return f"{value:,.0f} %" if value >= PLAIN_ABOVE else f"{value:.1f} %"
