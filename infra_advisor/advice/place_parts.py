"""The answer of `places`: who keeps what is asked about place, operator, law, attestations and keys."""

from typing import Literal

from pydantic import Field

from infra_advisor.advice.parts import CatalogStamp, IfAsked, LimitsPart, Part
from infra_advisor.advice.residency_parts import ResidencyPart


class PlacePart(Part):
    """A region of a provider, a route of a hosted API, an operator without a listed region, or own hardware."""

    kind: Literal["region", "api", "operator", "own"]
    provider: str
    provider_name: str
    region: str | None
    accelerators: tuple[str, ...] = ()
    """Ids of those with a price line there; of own hardware, of all that can be bought."""
    models: int | None = None
    """Of an API: how many model names are sold on this route."""
    residency: ResidencyPart


class DropPart(Part):
    """One of the things asked, and what there would be without it."""

    option: str
    kept: int
    """Places that would then be kept."""


class PlacesAnswer(Part):
    """The whole answer of `places`."""

    schema_: Literal["infra_advisor/places/1"] = Field(alias="schema", default="infra_advisor/places/1")
    as_of: str
    catalog: CatalogStamp
    limits: LimitsPart
    status: Literal["ok", "nothing_fits"]
    """nothing_fits: no place is kept, nor admitted as unknown."""
    places: tuple[PlacePart, ...]
    """Kept, then unknown, then excluded; `residency` says why."""
    dropped: tuple[DropPart, ...] = ()
    """Where nothing is kept: each thing asked, left out alone; the one that brings back most first."""
    note: str
    currency: IfAsked = None
    """No amount stands here; every document has the field."""
