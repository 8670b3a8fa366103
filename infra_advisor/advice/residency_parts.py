"""How an option stands to what was asked about place, operator, law, attestations and keys."""

from typing import Literal

from infra_advisor.advice.parts import Part


class AxisPart(Part):
    """What was found of one of the things asked about place, operator, law, attestations and keys."""

    axis: Literal["residency", "operator", "law", "attestation", "keys"]
    status: Literal["kept", "unknown", "excluded"]
    why: str
    ask: str = ""
    """What the provider has to be asked; empty where nothing is open."""


class AttestationPart(Part):
    """A certificate or registration as somebody states it."""

    name: str
    status: str
    """confirmed, stated, reported, third-party-score; in-progress, recalled, keyword-probe and reference are only leads."""
    scope: str | None
    date: str | None
    """As printed; null = not recorded."""
    lapsed: str | None = None
    """Last day on which it stood, where that is past."""
    source: str
    seen: str | None = None
    """Day on which the source was last seen to say so; null = from memory."""


class ResidencyPart(Part):
    """How an option stands to what was asked about place, operator, law, attestations and keys: a screening aid, not legal advice."""

    status: Literal["kept", "unknown", "excluded"]
    """The worst of the axes. kept: nothing that the catalog holds speaks against it, under the conditions of the axes."""
    level: str
    country: str | None
    """Of the machine or endpoint; null = not stated, or own hardware without a stated place."""
    routing: str | None = None
    """Of a hosted API: in-country, in-region, geo, global, provider-choice; null = not stated, or no API."""
    scope: str | None = None
    """The routing as the price list prints it."""
    operator: str | None
    """Null for own hardware."""
    operator_home: str | None
    us_cloud_act_exposed: bool | None
    """Null = mixed or unknown; of own hardware false."""
    attestations: tuple[AttestationPart, ...] = ()
    axes: tuple[AxisPart, ...]
    source: str | None = None
    """Of home country and exposure."""
    note: str = ""
