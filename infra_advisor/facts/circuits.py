"""Electric circuits that buildings offer, by country."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from infra_advisor.facts.engine_rules import SourceIds
from infra_advisor.facts.fact import Record
from infra_advisor.facts.market import Country


class Circuit(Record):
    """One branch circuit behind a breaker of its own."""

    name: str
    volts: Annotated[float, Field(gt=0, le=1000)]
    """Between the conductors; of three phases, between two of them."""
    amperes: Annotated[float, Field(gt=0, le=1000)]
    """At which the breaker is rated."""
    phases: Literal[1, 3] = 1
    office: bool = False
    """Ends in the outlets of an ordinary office; any other is laid by an electrician."""


class Circuits(Record):
    """The circuits of some countries, weakest first."""

    countries: tuple[Country, ...] = Field(min_length=1)
    circuits: tuple[Circuit, ...] = Field(min_length=1)
    source: SourceIds
    note: str | None = None


def circuit_problems(known: Mapping[str, Circuits], source_ids: Iterable[str]) -> Iterator[str]:
    """Undefined sources, and countries that stand twice."""
    sources = set(source_ids)
    seen: dict[str, str] = {}
    for name, circuits in known.items():
        yield from (f"circuits {name}: unknown source {source}" for source in circuits.source if source not in sources)
        for country in circuits.countries:
            if country in seen:
                yield f"circuits {name}: {country} stands in {seen[country]} too"
            seen[country] = name
