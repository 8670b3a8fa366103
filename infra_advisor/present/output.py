"""The only place that prints: a record in, text on stdout or in a file out."""

import sys
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from infra_advisor.advice.answer import Comparison, EstimateAnswer, Recommendation
from infra_advisor.advice.parts import CurrencyPart, Part
from infra_advisor.present.blocks import Page
from infra_advisor.present.files import Target
from infra_advisor.present.listing import Listing
from infra_advisor.present.money import money_in, options_in_usd
from infra_advisor.present.say import tell, write
from infra_advisor.present.screen import Screen, can_write_unicode, screen_of
from infra_advisor.present.text import clean
from infra_advisor.present.words import Words, words

FORMATS = ("table", "json", "markdown", "csv")

_RARER = {
    "BreakevenAnswer": ("breakeven", "breakeven"),
    "CapacityAnswer": ("capacity", "capacity"),
    "CheckAnswer": ("check", "check"),
    "PlacesAnswer": ("places", "places"),
    "SensitivityAnswer": ("sensitivity", "sensitivity"),
    "SimulateAnswer": ("simulate", "simulation"),
    "Validation": ("validate", "validation"),
}
"""Records of the commands kept apart -> the module of their page and the function of their CSV."""

Shown = Recommendation | Comparison | EstimateAnswer | Listing | Part


def render(
    record: Shown,
    form: str,
    *,
    screen: Screen | None = None,
    explain: bool = False,
    command: str = "",
    language: str = "en",
    currency: CurrencyPart | None = None,
) -> str:
    """The record in one of the FORMATS. Each renderer is imported only when it is asked for: start-up time is felt.

    `currency`: what pages write amounts in, None = USD. JSON and CSV keep USD; JSON then also states the rate.
    """
    screen = screen or Screen()
    if form == "json":
        from infra_advisor.present import json_out

        if isinstance(record, Part) and currency is not None:
            return options_in_usd(json_out.render(record.model_copy(update={"currency": currency}), unicode=screen.unicode))
        return json_out.render(record if isinstance(record, BaseModel) else record.documents(), unicode=screen.unicode)
    if form == "csv":
        return _csv(record)
    say = words(language).with_money(money_in(currency))
    if form == "svg":
        from infra_advisor.present import pictures

        return pictures.capacity_svg(record, say)  # type: ignore[arg-type]
    match record:
        case Recommendation() if form == "markdown":
            from infra_advisor.present.memo import memo

            page = memo(record, say, explain=explain, command=command)
        case Recommendation():
            from infra_advisor.present.recommend import brief

            page = brief(record, say, explain=explain, width=screen.width)
        case Comparison():
            from infra_advisor.present import compare

            page = compare.page(record, say, explain=explain)
        case EstimateAnswer():
            from infra_advisor.present import estimate

            page = estimate.page(record, say)
        case Listing():
            page = record.page()
        case Part():
            page = _rarer(record, say)
    if form == "markdown":
        from infra_advisor.present import markdown

        return markdown.render(page)
    from infra_advisor.present import table

    return table.render(page, screen)


def _rarer(record: Part, say: Words) -> Page:
    """Pages of the commands whose records are kept apart, so that no other command loads what simulates, fits and validates."""
    module, _ = _RARER[type(record).__name__]
    made: Page = import_module(f"infra_advisor.present.{module}").page(record, say)
    return made


def _csv(record: Shown) -> str:
    from infra_advisor.present import csv_out

    match record:
        case Recommendation():
            return csv_out.recommendation(record)
        case Comparison():
            return csv_out.comparison(record)
        case EstimateAnswer():
            return csv_out.estimate(record)
        case Listing():
            return csv_out.table(record.keys, record.rows)
        case _:
            made: str = getattr(csv_out, _RARER[type(record).__name__][1])(record)
            return made


def show(
    record: Shown,
    form: str = "table",
    *,
    target: Target | None = None,
    explain: bool = False,
    command: str = "",
    language: str = "en",
    currency: CurrencyPart | None = None,
) -> None:
    """Print the record, or write it to a file and say so on stderr. Raises UsageError where it cannot be delivered."""
    if target is None:
        screen = screen_of(sys.stdout) if sys.stdout else Screen()
        write(render(record, form, screen=screen, explain=explain, command=command, language=language, currency=currency))
        return
    text = render(record, form, explain=explain, command=command, language=language, currency=currency)
    target.write(text)
    tell(words(language)("wrote", path=target.asked, format=form, lines=f"{text.count(chr(10)):,}"))


def show_document(document: dict[str, Any]) -> None:
    """Print one JSON document that is not an answer: a schema."""
    from infra_advisor.present import json_out

    write(json_out.render(document, unicode=sys.stdout is not None and can_write_unicode(sys.stdout)))


def show_text(text: str) -> None:
    """Print one line of plain text: a path."""
    write(f"{clean(text)}\n")
