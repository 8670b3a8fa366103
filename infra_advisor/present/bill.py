"""A bill: what is used, times what a unit costs, and the sum; what costs nothing follows with its reason."""

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.cost_parts import Cost, CostAt, CostLine
from infra_advisor.advice.parts import PaymentPart
from infra_advisor.present import numbers, phrases
from infra_advisor.present.blocks import Block, Column, Grid, Heading, Para, Text, Words
from infra_advisor.present.words import Words as Say

_SHARE_OF_BILL = "USD of the bill"


def paid(payment: PaymentPart | None, say: Say) -> list[Para]:
    """The commercial terms, where any was set."""
    terms = "; ".join(phrases.payment(say, payment)) if payment else ""
    return [Para((terms,), lead=say("paid"))] if terms else []


def bill_of(answer: Answer, say: Say, *, free: bool = True) -> list[Block]:
    """The bill of one answer, under its name."""
    cost, names = answer.cost, phrases.option(say, answer)
    if not (blocks := bill_blocks(cost, say, free=free)):
        return []
    title = say("bill.title" if cost.lines_per == "month" else "bill.title.mtok", **names)
    found: list[Block] = [Heading(title), *blocks]
    if cost.usd_three_years is not None:
        initial, three = say.money.monthly(cost.usd_initial), say.money.monthly(cost.usd_three_years)
        found.append(Para((say("bill.initial" if cost.usd_initial else "bill.three", initial=initial, three=three),)))
    return found


def bill_blocks(cost: Cost, say: Say, *, free: bool = True) -> list[Block]:
    """The lines that cost something, their total, and with `free` why the others do not."""
    paid = [line for line in cost.lines if line.amount_usd]
    if not paid:
        return []
    amounts, total = say.money.amounts([line.amount_usd for line in paid], finest=cost.lines_per != "month")
    rows: list[tuple[Words, ...]] = [_row(line, amount, say) for line, amount in zip(paid, amounts, strict=True)]
    rows.append((Text(say("total"), "strong"), "", "", "", Text(total, "strong"), ""))
    columns = (
        Column(say("bill.col.line"), wrap=True),
        Column(say("bill.col.quantity"), "right"),
        Column(say("bill.col.unit"), drop=1),
        Column(say("bill.col.price"), "right"),
        Column(say(f"bill.col.amount.{cost.lines_per}"), "right"),
        Column(say("bill.col.note"), drop=2, wrap=True),
    )
    blocks: list[Block] = [Grid(columns, tuple(rows), total=True)]
    nothing = [say("bill.free.item", line=say.name("bill", line.name), reason=line.note) for line in cost.lines if not line.amount_usd]
    return [*blocks, Para((say.money.stated_sentence("; ".join(nothing) + "."),), lead=say("bill.free"))] if free and nothing else blocks


def _row(line: CostLine, amount: str, say: Say) -> tuple[Words, ...]:
    share = line.unit == _SHARE_OF_BILL  # then the quantity is the money, and the price a share of it
    return (
        say.name("bill", line.name),
        say.money.amounts([line.quantity])[1] if share else numbers.plain(line.quantity),
        say("bill.unit.share") if share else say.name("unit", line.unit),
        numbers.plain(line.unit_price_usd) if share else say.money.unit_price(line.unit_price_usd),
        amount,
        say.money.stated_sentence(line.note or ""),
    )


def points_grid(cost: Cost, say: Say) -> list[Block]:
    """Cost at the load, at the limit of the targets and at saturation, in every unit one may ask for."""
    if not cost.points:
        return []
    users = any(point.usd_per_user_month is not None for point in cost.points)
    columns = (
        Column(say("bill.col.point")),
        Column(say("bill.col.rate"), "right", drop=1),
        Column(say("bill.col.month"), "right"),
        Column(say("bill.col.output"), "right"),
        Column(say("bill.col.band"), "right", drop=1),
        Column(say("bill.col.total"), "right", drop=2),
        Column(say("bill.col.requests"), "right", drop=2),
        *([Column(say("bill.col.user"), "right", drop=1)] if users else []),
    )
    return [Grid(columns, tuple(_point(point, say, users=users) for point in cost.points))]


def _point(point: CostAt, say: Say, *, users: bool) -> tuple[Words, ...]:
    return (
        say(f"bill.point.{point.point}"),
        numbers.rate(point.output_tokens_per_s),
        say.money.monthly(point.usd_per_month),
        say.money.usd(point.usd_per_mtok_output),
        numbers.span(point.usd_per_mtok_output_low, point.usd_per_mtok_output_high, say.money.usd) or "",
        say.money.usd(point.usd_per_mtok_total),
        say.money.usd(point.usd_per_1000_requests),
        *(["" if point.usd_per_user_month is None else say.money.usd(point.usd_per_user_month)] if users else []),
    )
