"""Parts of an answer whose machines stand at the buyer's: what the site must offer, and what must be carried in. Null means unknown."""

from typing import Literal

from infra_advisor.advice.parts import Part


class CircuitNeed(Part):
    """One kind of circuit, and how many of it feed one machine."""

    countries: tuple[str, ...]
    circuit: str
    phases: Literal[1, 3]
    office: bool
    """Ends in ordinary outlets."""
    carries_w: float
    """For hours: volts x amperes (x sqrt 3) x the continuous share."""
    per_machine: int


class SiteNeeds(Part):
    """Power, cooling and space of the machines, by rated power: the most they may take, not the usual draw that the cost counts."""

    machines: int
    rated_power_w: float | None
    """Of one machine."""
    rated_power_basis: str | None = None
    rated_power_reason: str | None = None
    fleet_power_w: float | None
    """All machines; as heat it is what the room must get rid of."""
    heat_btu_per_h: float | None
    country: str | None
    continuous_share: float
    """Of the rating of a breaker that a load of hours may take. [1]"""
    circuits: tuple[CircuitNeed, ...] = ()
    circuits_reason: str | None = None
    one_office_circuit: bool | None = None
    """One machine runs on one circuit of an ordinary office."""
    three_phase: bool | None = None
    """No circuit of one phase carries a machine alone."""
    rack_power_limit_w: float
    racks: int | None = None
    racks_reason: str | None = None
    form_factor: str | None = None
    """Of the accelerator or device."""
    noise: str | None = None
    noise_reason: str | None = None


class CarryItem(Part):
    """One thing to bring along."""

    kind: Literal["weights", "tokenizer", "container-image", "engine", "driver", "operating-system", "model-licence", "engine-licence"]
    name: str
    bytes: float | None
    bytes_reason: str | None = None
    note: str | None = None


class CarryIn(Part):
    """What a site without a network must be brought, and whether the engine runs there at all."""

    online: Literal["offline", "online", "unknown"]
    """Needs of the engine once it is there."""
    online_reason: str
    items: tuple[CarryItem, ...]
    known_bytes: float
    """Of the items whose size is known: the least that has to be carried."""
    unknown: int
    """Items of more than a few megabytes whose size is not known."""
