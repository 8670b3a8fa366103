"""The document of `sensitivity`: what would change the winner, and what another option needs to win."""

from typing import Literal

from pydantic import Field

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.parts import Assumption, CatalogStamp, IfAsked, LimitsPart, Part, PaymentPart, WorkloadPart


class Contender(Part):
    """One decision and its cost."""

    id: str
    """Offer."""
    class_: str = Field(alias="class")
    provider: str
    provider_name: str | None = None
    accelerator: str
    accelerator_name: str
    country: str | None
    usd_per_mtok_output: float


class Swing(Part):
    """One input, moved alone over its range."""

    input: str
    unit: str
    base: float | str
    low: float | str
    high: float | str
    usd_per_mtok_at_low: float | None
    """Cost of today's winner; null where it no longer meets the limits."""
    usd_per_mtok_at_high: float | None
    winner_at_low: Contender | None
    winner_at_high: Contender | None
    """Null where nothing meets the limits."""
    flips_at: float | str | None
    """Value nearest to the base at which another option wins; null = nowhere in the range."""
    flips_to: Contender | None = None
    reason: str | None = None
    """Why the winner changes or cannot be varied, in words."""


class ToWin(Part):
    """What must be true for another option to win, each alone."""

    option: Contender
    price: float | None
    """Its price now. [`price_unit`]"""
    price_unit: Literal["USD/h", "USD", "USD/Mtok"]
    price_needed: float | None
    """Null = not at any price."""
    price_change: float | None
    """Of its price. [1]"""
    throughput_factor: float
    """It would have to carry so many times as much on the same machines."""
    within_band: bool | None
    """Whether that lies inside the band of its predicted throughput."""


class SensitivityAnswer(Part):
    """The whole answer of `sensitivity`."""

    schema_: Literal["infra_advisor/sensitivity/1"] = Field(alias="schema", default="infra_advisor/sensitivity/1")
    as_of: str
    catalog: CatalogStamp
    workload: WorkloadPart
    limits: LimitsPart
    payment: PaymentPart
    assumptions: tuple[Assumption, ...]
    status: Literal["ok", "nothing_fits"]
    winner: Answer | None
    runner_up: Contender | None = None
    inputs: tuple[Swing, ...] = ()
    """The widest swing first."""
    to_win: tuple[ToWin, ...] = ()
    currency: IfAsked = None
    warnings: tuple[str, ...] = ()
