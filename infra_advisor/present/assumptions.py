"""What an answer takes for granted, in plain words and each once."""

import re
from collections.abc import Iterable

from infra_advisor.advice.answer import Assumption, CatalogStamp
from infra_advisor.present import numbers, phrases
from infra_advisor.present.blocks import Para
from infra_advisor.present.words import Words

_SHARES = ("_share", "_per_year")
_READ_IN_A_WAY = ("model", "request_rate_per_s", "statistic")
"""What was given, but had to be interpreted."""
_PER_KWH = re.compile(r"_[a-z]{3}_per_kwh$")
_UNITS = ("_usd_per_h", "_usd_per_month", "_bytes_per_s", "_per_s", "_bytes", "_tokens", "_years", "_usd", "_s", "_d", "_w")


def assumption(say: Words, assumed: Assumption, *, in_full: bool = True) -> str:
    """`think time 20 s`, with its note; where room is short, facts of the catalog keep only the part of it that holds a unit."""
    note = assumed.note or ""
    value = say.money.stated(assumed.name, assumed.value)
    if (note.startswith("share") or assumed.name.endswith(_SHARES)) and isinstance(assumed.value, float):
        value = numbers.percent(assumed.value)
    brief = note.partition(";")[0]
    if (words := say.name("assume", assumed.name)) != assumed.name.replace("_", " "):
        return words.format(value=value, note=brief or value, currency=say.money.code)
    shown = note if in_full else "" if assumed.origin == "catalog" else brief
    return say("assumption.note" if shown else "assumption", name=quantity(say, assumed.name), value=value, note=shown)


def basis(say: Words, assumed: Assumption) -> str:
    """What an assumption rests on, as far as its own words do not say it."""
    note = assumed.note or ""
    if say.name("assume", assumed.name) == assumed.name.replace("_", " "):
        return ""
    return note.rpartition("; ")[2] if assumed.origin == "catalog" else note.partition("; ")[2]


def assumed(assumptions: Iterable[Assumption], own: Iterable[str], say: Words) -> list[Para]:
    """Every default once; what was given, and how the load was set, stands in the question. `own`: those of one answer."""
    texts = [
        assumption(say, one, in_full=False)
        for one in assumptions
        if one.name != "load" and (one.origin != "input" or (one.note and one.name in _READ_IN_A_WAY))
    ]
    both = (("assumed", "; ".join(texts)), ("also", "; ".join(own)))
    return [Para((say.money.stated_sentence(text),), lead=say(key)) for key, text in both if text]


def quantity(say: Words, name: str) -> str:
    """How a named figure is called: its own words, those of the limit of that name, or the name without its unit."""
    for group in ("name", "limit"):
        if (words := say.name(group, name)) != name.replace("_", " "):
            return words
    name = _PER_KWH.sub("", name)
    unit = next((unit for unit in _UNITS if name.endswith(unit)), "")
    return name.removesuffix(unit).replace("_", " ")


def stamp(catalog: CatalogStamp, as_of: str, say: Words) -> str:
    """Which facts an answer rests on, the reader's own among them, and at which rate its amounts were converted."""
    layers = [say("catalog.layers", layers=", ".join(catalog.layers))] if catalog.layers else []
    return " ".join((say("catalog", version=catalog.version, as_of=as_of, hash=catalog.hash), *layers, *converted(say)))


def converted(say: Words) -> list[str]:
    """The rate of the page's currency, and what its amounts leave out; nothing in USD."""
    read = say.money.rate
    if read is None:
        return []
    tax = read.consumption_tax_share
    untaxed = [say("without_tax", share=numbers.percent(tax))] if tax is not None else []
    return [say("converted", rate=phrases.rate(say, say.money)), *untaxed]
