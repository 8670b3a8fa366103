"""One machine type at one price, and the choices and doubts that keep it out of the ranking."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from infra_advisor.advice.charges import Tariff
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.parts import HardwareClass
from infra_advisor.advice.residency_parts import ResidencyPart
from infra_advisor.advice.site import Site
from infra_advisor.facts.chips import Chip
from infra_advisor.search.platforms import Platform


@dataclass(frozen=True)
class Priced:
    """One machine type at one price. `tariff` is None where the price is unknown: then it is listed, never ranked."""

    id: str
    class_: HardwareClass
    platform: Platform
    provider: str
    instance_type: str
    region: str | None
    country: str | None
    price_kind: str
    tariff: Tariff | None = field(compare=False)
    usd_per_h: float | None = None
    """Rent of one machine; for what is owned, what it costs whether it serves or not. [USD/h]"""
    currency: str | None = None
    """In which the price is asked."""
    price_date: str | None = None
    price_age_d: int | None = None
    source: str | None = None
    marks: tuple[str, ...] = ()
    purchase_usd: float | None = None
    notes: tuple[str, ...] = ()
    outside: str | None = None
    """Country, where the offer lies outside the residency asked for: a near miss at best."""
    unknown: str | None = None
    """What the facts do not say of place, operator, law, attestations or keys, where that was asked: listed, never ranked."""
    residency: ResidencyPart | None = field(default=None, compare=False)
    """How it stands to what was asked about these; None where nothing was."""
    site: Site | None = field(default=None, compare=False)
    """Overhead and grid of where it stands."""
    term_months: int = 0
    """For which one pays whether it runs or not; 0 = by the hour, or bought."""

    @property
    def owned(self) -> bool:
        """Bought, now or before."""
        return self.purchase_usd is not None

    @property
    def family(self) -> str:
        """Instance family: sizes of one family differ in count and in the CPUs around the accelerators."""
        return self.instance_type.split(".")[0] if self.provider == "aws" else self.platform.chip


ASKED_BY_NAME = ("launch-price", "stale", "unverified", "capacity-block", "announced", "export-risk")
"""Doubts that do not hide hardware somebody asks for by name; they are shown as marks."""


def for_named(limits: Limits) -> Limits:
    """The limits for hardware that was named."""
    return replace(limits, include=tuple(dict.fromkeys((*limits.include, *ASKED_BY_NAME))))


def class_of(chip: Chip) -> HardwareClass:
    """Where a machine with this chip stands once it is bought: data centre parts on-premises, all else at the edge."""
    return "onprem" if chip.market == "datacenter" else "edge"


def unwanted(chip: Chip, provider: str, class_: str, limits: Limits) -> str | None:
    """Why the choice of place, vendor, provider or accelerator leaves this out; None where it does not."""
    if class_ not in limits.where:
        return f"{class_} is not in --where"
    if not limits.vendor.admits(chip.vendor):
        return "vendor not chosen"
    if not limits.provider.admits(provider):
        return "provider not chosen"
    if not limits.accelerator.admits(chip.id):
        return "accelerator not chosen"
    if not chip.acquire:
        return "cannot be rented or bought"
    return None


def chip_marks(chip: Chip) -> Iterator[str]:
    """Doubts about the chip itself, whoever offers it."""
    if chip.status in ("announced", "cancelled"):
        yield "announced"
    if chip.export_risk:
        yield "export-risk"


def only_with(mark: str) -> str:
    """The reason for leaving out an offer that carries a doubt."""
    return f"{mark}: only with --include {mark}"


def age_d(seen: str, today: datetime.date) -> int:
    """Days since a price was last seen; 0 where it was seen on a later day than the one asked about."""
    return max((today - datetime.date.fromisoformat(seen)).days, 0)
