"""What the licences of models ask beyond yes and no: thresholds of users and revenue, duties, and where they do not hold."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from infra_advisor.errors import did_you_mean
from infra_advisor.facts.engine_rules import Ids, SourceIds
from infra_advisor.facts.fact import Record

Counted = Literal["monthly-users", "monthly-revenue-usd", "yearly-revenue-usd"]


class Threshold(Record):
    """A size of the licensee above which the licence asks for more."""

    counted: Counted
    above: Annotated[float, Field(gt=0)]
    then: str


class LicenceTerms(Record):
    """The terms of one licence, under its name in the records of models. A screening aid, not legal advice."""

    read: Literal["text", "quoted", "hint"]
    """text: the licence itself was read. quoted: a passage as others print it. hint: the remark of a model table, text not read."""
    url: str | None = None
    """Where the text stands."""
    thresholds: tuple[Threshold, ...] = ()
    duties: tuple[str, ...] = ()
    not_for: tuple[str, ...] = ()
    """Whom it excludes."""
    models: Ids = ()
    """Models it was read for, where licences of one name differ; empty = every model that names it."""
    source: SourceIds
    note: str | None = None


def terms_of(licences: Mapping[str, LicenceTerms], licence: str, model: str) -> tuple[LicenceTerms, ...]:
    """The known terms behind the licence of a model; several names stand with commas between, and all of them hold."""
    named = (licences.get(name.strip()) for name in licence.split(","))
    return tuple(terms for terms in named if terms is not None and (not terms.models or model in terms.models))


def licence_problems(licences: Mapping[str, LicenceTerms], model_ids: Iterable[str], source_ids: Iterable[str]) -> Iterator[str]:
    """Models and sources that no other file defines."""
    models, sources = set(model_ids), set(source_ids)
    for name, terms in licences.items():
        for model in terms.models:
            if model not in models:
                yield f"licence {name}: unknown model {model}.{did_you_mean(model, models)}"
        for source in terms.source:
            if source not in sources:
                yield f"licence {name}: unknown source {source}.{did_you_mean(source, sources)}"
