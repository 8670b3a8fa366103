"""Lock-in of one answer: a line for the table page, and the whole table for --explain and memos."""

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.lock_in_parts import Alternative, EngineChoice, LockIn
from infra_advisor.present import numbers, phrases
from infra_advisor.present.blocks import Block, Bullets, Column, Grid, Heading, Para, Words
from infra_advisor.present.words import Words as Say

THREE = ("another_vendor", "another_provider", "without_commitment")


def line(answer: Answer, say: Say) -> list[Block]:
    """`Independence: another chip vendor +18 % (...), another provider +4 % (...), without commitment +35 % (...).`"""
    tied = answer.lock_in
    if tied is None:
        return []
    parts = [_priced(answer, tied, name, say) for name in THREE]
    if tied.exit.usd:
        parts.append(say("lock_in.leaving", months=tied.exit.after_months, usd=say.money.monthly(tied.exit.usd)))
    return [Para(("; ".join(parts) + ".",), lead=say("lock_in.lead"))]


def _priced(answer: Answer, tied: LockIn, name: str, say: Say) -> str:
    other: Alternative = getattr(tied, name)
    if other.option is None:
        return say("lock_in.none", what=say(f"lock_in.{name}"), reason=other.reason)
    if other.option == answer.id:
        return say("lock_in.already")
    return say("lock_in.priced", what=say(f"lock_in.{name}"), more=_more(other, say), option=_option(other, say))


def table(answer: Answer, say: Say) -> list[Block]:
    """What leaving costs, who could take over, and what keeps one."""
    tied = answer.lock_in
    if tied is None:
        return []
    rows = [_row(say(f"lock_in.{name}"), other, say) for name in THREE if (other := getattr(tied, name)).option not in (None, answer.id)]
    rows += [_row(say("lock_in.vendor", name=other.vendor), other, say) for other in tied.vendors[1:]]
    rows += [_row(say("lock_in.provider", name=other.provider_name or other.provider), other, say) for other in tied.providers[1:]]
    columns = (
        Column(say("lock_in.col.instead"), wrap=True),
        Column(say("lock_in.col.option"), wrap=True),
        Column(say("col.usd_mtok"), "right"),
        Column(say("lock_in.col.more_mtok"), "right", drop=1),
        Column(say("lock_in.col.more_month"), "right", drop=2),
        Column(say("lock_in.col.more"), "right"),
        Column(say("lock_in.col.id"), drop=3),
    )
    without = [_priced(answer, tied, name, say) for name in THREE if getattr(tied, name).option in (None, answer.id)]
    facts = [*(f"{one[:1].upper()}{one[1:]}." for one in without), *_shortened(tied, say), *_facts(tied, say)]
    title = Heading(say("lock_in.title", **phrases.option(say, answer)))
    return [title, *([Grid(columns, tuple(rows))] if rows else []), Bullets(tuple(facts))]


def _row(what: str, other: Alternative, say: Say) -> tuple[Words, ...]:
    return (
        what,
        _option(other, say),
        say.money.usd(other.usd_per_mtok_output),
        say.money.usd(other.more_usd_per_mtok_output),
        say.money.monthly(other.more_usd_per_month),
        _more(other, say),
        other.option or "",
    )


def _more(other: Alternative, say: Say) -> str:
    return say("lock_in.unpriced") if other.more_share is None else numbers.margin(other.more_share)


def _option(other: Alternative, say: Say) -> str:
    hosted = other.class_ == "api"
    where = (
        say(f"where.{other.class_}") if other.class_ in ("onprem", "edge") else phrases.short(other.provider_name or other.provider or "")
    )
    name = phrases.short(other.accelerator_name or "")
    hardware = say("hardware.api") if hosted else say("hardware", count=other.accelerators_total, name=name)
    return say("lock_in.option", hardware=hardware, where=where)


def _shortened(tied: LockIn, say: Say) -> list[str]:
    """How many stand behind the lists that were cut."""
    lists = (("vendors", tied.vendors, tied.vendors_total), ("providers", tied.providers, tied.providers_total))
    return [
        say("lock_in.others", total=total, what=say(f"lock_in.others.{name}"), shown=len(shown))
        for name, shown, total in lists
        if total > len(shown)
    ]


def _facts(tied: LockIn, say: Say) -> list[str]:
    found = [_engines(tied, say), _weights(tied, say), _commitment(tied, say)]
    if tied.concentration:
        things = [say(f"lock_in.{one.kind}", subject=one.subject) + (f" ({one.note})" if one.note else "") for one in tied.concentration]
        found.append(say("lock_in.hangs", things="; ".join(things)))
    return found


def _engines(tied: LockIn, say: Say) -> str:
    if tied.engines_independent is None:
        return say("lock_in.engines.api")
    if not tied.engines:
        return say("lock_in.engines.none")
    return say("lock_in.engines", names="; ".join(_engine(one, say) for one in tied.engines), count=tied.engines_independent)


def _engine(one: EngineChoice, say: Say) -> str:
    details = [
        say("lock_in.open" if one.open_source else "lock_in.closed", licence=one.licence),
        say("lock_in.openai" if one.openai_compatible else "lock_in.own_api"),
        say("lock_in.image", image=one.container_image) if one.container_image else say("lock_in.no_image"),
        *([say("lock_in.compiled", what=one.compiled)] if one.compiled else []),
        *([say("lock_in.wraps", engine=say.name("engine", one.wraps))] if one.wraps else []),
        *([say(f"lock_in.status.{one.status}")] if one.status != "supported" else []),
    ]
    return say("lock_in.engine", name=one.name, details=", ".join(details))


def _weights(tied: LockIn, say: Say) -> str:
    file = tied.weights
    if file is None:
        return say("lock_in.weights.unknown")
    native, widened = (", ".join(names) or say("lock_in.nobody") for names in (file.native, file.widened))
    return say("lock_in.weights", format=file.format, kind=say(f"lock_in.file.{file.kind}"), native=native, widened=widened)


def _commitment(tied: LockIn, say: Say) -> str:
    if tied.exit.within_month_usd:
        return say("lock_in.commitment.month", most=say.money.monthly(tied.exit.within_month_usd))
    if not tied.exit.usd_at_start:
        return say("lock_in.commitment.none", kind=tied.commitment)
    start, left = say.money.monthly(tied.exit.usd_at_start), say.money.monthly(tied.exit.usd)
    return say("lock_in.commitment", kind=tied.commitment, start=start, left=left, months=tied.exit.after_months)
