"""What an answer ties its buyer to, and what it costs to be free: the parts of `lock_in` in an answer."""

from typing import Literal

from pydantic import Field

from infra_advisor.advice.parts import HardwareClass, Part

CommitmentKind = Literal["by the hour", "by the month", "for a term", "bought", "owned", "per token"]
FileKind = Literal["gguf", "mlx", "block floating point", "safetensors"]
ConcentrationKind = Literal["single-region", "single-supplier", "ramping", "announced", "rent-only", "end-of-life", "cancelled"]


class EngineChoice(Part):
    """An engine that loads these weights on this chip, by the rules of the catalog."""

    id: str
    name: str
    open_source: bool
    licence: str
    openai_compatible: bool
    container_image: str | None
    """null: the catalog knows none, which does not mean that there is none."""
    status: Literal["supported", "experimental", "vendor-fork"]
    compiled: str | None = None
    """What it turns the checkpoint into for its chips; null: the catalog does not say that it does."""
    wraps: str | None = None
    """Engine that does the arithmetic: not independent of it."""


class WeightFile(Part):
    """How far the weights can be taken elsewhere."""

    format: str
    kind: FileKind
    native: tuple[str, ...]
    """Vendors with a chip that loads this format as it is, under some engine of the catalog."""
    widened: tuple[str, ...]
    """Further vendors whose chips have no unit for it: values are widened to 16 bits first."""


class Alternative(Part):
    """The best option from elsewhere that keeps the same limits, and how much more it costs than the answer; below zero: less."""

    option: str | None
    """Its id; null: there is none, or it cannot be told, for the `reason`."""
    reason: str | None = None
    class_: HardwareClass | None = Field(alias="class", default=None)
    provider: str | None = None
    provider_name: str | None = None
    vendor: str | None = None
    """Of its chip; null where what runs behind an API is not published."""
    accelerator: str | None = None
    accelerator_name: str | None = None
    accelerators_total: int = 0
    usd_per_mtok_output: float | None = None
    usd_per_month: float | None = None
    more_usd_per_mtok_output: float | None = None
    more_usd_per_month: float | None = None
    """null where no load is stated: then the months are not of the same tokens."""
    more_share: float | None = None
    """Of the cost per million output tokens. [1]"""
    simulated: bool = False
    """Its times come from a simulation; false = from the closed form, or they are unknown (API)."""


class Exit(Part):
    """What is still to be paid when leaving after so many whole months."""

    after_months: int
    usd: float
    within_month_usd: float = 0.0
    """On top, at most, for leaving inside a month that is paid to its end."""
    usd_at_start: float
    """The same on the first day: what is committed."""
    months_committed: int
    """From the first day until nothing is left to pay; 0 = never anything."""


class Concentration(Part):
    """One thing that everything hangs on."""

    kind: ConcentrationKind
    subject: str
    note: str | None = None
    """What the catalog says of it."""


class LockIn(Part):
    """What leaving takes. Facts and prices side by side, no score."""

    engines: tuple[EngineChoice, ...]
    """That can serve the model in this format on this chip; none known for a hosted API."""
    engines_independent: int | None
    """Of those, ones that are supported and do their own arithmetic; null for a hosted API."""
    weights: WeightFile | None
    """null where the format behind an API is not published."""
    commitment: CommitmentKind
    exit: Exit
    another_vendor: Alternative
    another_provider: Alternative
    without_commitment: Alternative
    vendors: tuple[Alternative, ...]
    """The best option of each further chip vendor, best first, the first few."""
    vendors_total: int
    providers: tuple[Alternative, ...]
    """The best option of each further provider, best first, the first few."""
    providers_total: int
    concentration: tuple[Concentration, ...] = ()
