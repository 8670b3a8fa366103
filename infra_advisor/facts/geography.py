"""One group of countries, as its file holds it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from infra_advisor.facts.countries import COUNTRIES
from infra_advisor.facts.fact import Record
from infra_advisor.facts.market import Country, Day


def _are_countries(codes: tuple[str, ...]) -> tuple[str, ...]:
    if wrong := [code for code in codes if code not in COUNTRIES]:
        raise ValueError(f"{', '.join(wrong)}: not a country of ISO 3166-1")
    if len(set(codes)) < len(codes):
        raise ValueError("a country is listed twice")
    return codes


class Geography(Record):
    """A named group of countries."""

    name: str
    countries: Annotated[tuple[Country, ...], Field(min_length=2), AfterValidator(_are_countries)]
    basis: Literal["treaty", "judgement"]
    """treaty: membership is a matter of record; judgement: a reading of what vendors call so."""
    source: str
    seen: Day
    note: str | None = None
