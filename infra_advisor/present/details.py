"""The second table of an answer: what the first has no room for, one row per option under the same number."""

from collections.abc import Sequence

from infra_advisor.advice.answer import Answer, LimitsPart
from infra_advisor.present import energy, numbers, phrases, prices
from infra_advisor.present.blocks import Column, Grid, Text, Tone, Words
from infra_advisor.present.words import Words as Say

WIDE = 100
"""Columns of a screen from which on the table stands below the first one unasked."""
_MARGINS = (
    ("ttft_s", "col.margin.ttft"),
    ("tpot_s", "col.margin.tpot"),
    ("throughput_tokens_per_s", "col.margin.throughput"),
    ("budget_usd_per_month", "col.margin.budget"),
)


def detail_grid(answers: Sequence[Answer], limits: LimitsPart, say: Say) -> Grid:
    """Labels, speeds, load, money, what binds, the margin to each limit that was set, and the price."""
    asked = [(name, title) for name, title in _MARGINS if getattr(limits, name) is not None]
    electric = any(answer.performance.tokens_per_joule is not None for answer in answers)
    columns = (
        Column(say("col.rank"), "right"),
        Column(say("col.labels"), wrap=True),
        Column(say("col.user_speed"), "right"),
        Column(say("col.speed"), "right"),
        Column(say("col.in_flight"), "right"),
        Column(say("col.usd_month"), "right"),
        Column(say("col.usd_mtok_total"), "right", drop=3),
        Column(say("col.usd_mtok_limit"), "right", drop=1),
        Column(say("col.usd_mtok_full"), "right", drop=1),
        Column(say("col.binds"), drop=2),
        *(Column(say(title), "right") for _, title in asked),
        *([Column(say(f"col.{name}"), "right", drop=4) for name in ("energy", "kwh_mtok", "co2_mtok")] if electric else []),
        Column(say("col.region"), drop=5),
        Column(say("col.price_kind"), drop=3),
        Column(say("col.price_age"), "right", drop=1),
        Column(say("col.price_seen"), drop=4),
    )
    return Grid(columns, tuple(_row(answer, [name for name, _ in asked], say, electric=electric) for answer in answers), tight=True)


def _row(answer: Answer, asked: Sequence[str], say: Say, *, electric: bool) -> tuple[Words, ...]:
    speed, cost = answer.performance, answer.cost
    return (
        str(answer.rank or ""),
        phrases.labels(say, answer),
        numbers.rate(speed.output_tokens_per_s_per_user),
        numbers.rate(speed.output_tokens_per_s),
        in_flight(say, answer),
        say.money.monthly(cost.usd_per_month),
        say.money.usd(cost.usd_per_mtok_total),
        say.money.usd(cost.usd_per_mtok_output_at_limit),
        say.money.usd(cost.usd_per_mtok_output_at_saturation),
        binding(say, answer),
        *(_margin(answer, name) for name in asked),
        *([numbers.significant(speed.tokens_per_joule, 2), *energy.pair(answer.energy)] if electric else []),
        answer.offer.region or "",
        Text(prices.kind(say, answer), "warn" if answer.offer.marks else "plain"),
        prices.starred(say, answer),
        answer.offer.price_date or numbers.UNKNOWN,
    )


def in_flight(say: Say, answer: Answer) -> str:
    """Requests in flight at the load and at most: `6.2 of 48`."""
    speed = answer.performance
    if speed.concurrency is None and speed.max_concurrency is None:
        return numbers.UNKNOWN
    return say("in_flight", now=_few(speed.concurrency), most=_few(speed.max_concurrency))


def _few(value: float | None) -> str:
    """Two digits below a hundred, three above: enough to compare two fleets."""
    return numbers.count(value) if value is not None and value >= 10_000 else numbers.about(value, 2 if (value or 0.0) < 100 else 3)


def binding(say: Say, answer: Answer) -> str:
    """What binds prefill and decode, in one word each: `compute / memory`."""
    prefill, decode = (say.name("binds", word) if word else numbers.UNKNOWN for word in (answer.bound.prefill, answer.bound.decode))
    return say("binds.both", prefill=prefill, decode=decode) if answer.bound.prefill or answer.bound.decode else numbers.UNKNOWN


def _margin(answer: Answer, name: str) -> Text:
    room = next((room for room in answer.headroom if phrases.field(room.limit) == name), None)
    tones: dict[bool | None, Tone] = {True: "good", False: "bad", None: "warn"}
    return Text(numbers.margin(room.margin), tones[room.met]) if room else Text(numbers.UNKNOWN, "warn")
