"""Where things run and who runs them: regions, operators with their jurisdiction and attestations, residency levels and rules."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from infra_advisor.facts.fact import Record
from infra_advisor.facts.files import explain, read_yaml
from infra_advisor.facts.market import Country, Day

ProviderKind = Literal["hyperscaler", "cloud", "neocloud", "marketplace", "serverless", "api", "public-research"]
AttestationStatus = Literal["confirmed", "stated", "reported", "keyword-probe", "in-progress", "third-party-score", "reference", "recalled"]
LEADS: frozenset[str] = frozenset({"keyword-probe", "recalled", "in-progress", "reference"})
"""Statuses that are a hint where to look, not an attestation."""

ResidencyLevelId = Literal[
    "any", "storage-in-country", "processing-in-geo", "processing-in-country", "in-country-domestic-operator", "on-prem", "air-gapped"
]

AGE_ASSUMPTION: Mapping[str, str] = {
    "hyperscaler": "price_age_cloud_days",
    "cloud": "price_age_cloud_days",
    "public-research": "price_age_cloud_days",
    "neocloud": "price_age_neocloud_days",
    "serverless": "price_age_neocloud_days",
    "marketplace": "price_age_marketplace_days",
    "api": "price_age_api_days",
}
"""Provider kind -> name of the assumption that says how old its prices may be."""


class Region(Record):
    """A place where a provider runs machines; (provider, id) is the key, ids alone repeat."""

    id: str
    provider: str
    name: str | None = None
    city: str | None = None
    country: Country | None = None
    """None where the price list names no place."""
    grid_zone: str | None = None
    """Electricity Maps zone."""
    carbon_g_per_kwh: Annotated[float, Field(gt=0, le=1500)] | None = None
    """Lifecycle average of the zone over `carbon_year` [gCO2e/kWh]."""
    carbon_year: Annotated[int, Field(ge=2015, le=2030)] | None = None
    provider_carbon_g_per_kwh: Annotated[float, Field(ge=0, le=1500)] | None = None
    """The provider's own figure, another method."""
    source: str
    seen: Day
    note: str | None = None


class Attestation(Record):
    """A certificate or registration as somebody states it. It covers a named scope and lapses: print the date, point to the register."""

    name: str
    status: AttestationStatus
    source: str
    scope: str | None = None
    date: str | None = None
    """As printed: a day, or a month."""
    valid_until: Day | None = None
    """Last day, where the certificate prints one."""

    @property
    def is_lead(self) -> bool:
        return self.status in LEADS


class Provider(Record):
    """Who operates, under whose law. A screening aid, not legal advice."""

    id: str
    name: str
    kind: ProviderKind
    home_country: Country | None = None
    parent: str | None = None
    us_cloud_act_exposed: bool | None = None
    """True: US operator or US-controlled. False: no US control known. None: mixed or unknown."""
    source: str
    """Of home country, parent and exposure."""
    sites_in_japan: tuple[str, ...] = ()
    price_list_ids: tuple[str, ...] = ()
    """Keys under which API price lists name this operator."""
    lists_every_region: bool = False
    """Its price list names every machine in every region: listed is not available."""
    egress_usd_per_gb: Annotated[float, Field(ge=0, le=1)] | None = None
    """Traffic to the internet, by the source of its price list; None = not known."""
    attestations: tuple[Attestation, ...] = ()
    customer_keys: bool | None = None
    """True: the customer alone can hold the keys of what is stored. None = nobody looked it up."""
    note: str | None = None

    @property
    def sells_api(self) -> bool:
        return self.kind == "api" or bool(self.price_list_ids)


class ResidencyLevel(Record):
    """One level; the list runs from loose to strict."""

    id: ResidencyLevelId
    meaning: str
    example: str | None = None


class ResidencyRule(Record):
    """A law or guideline that buyers name."""

    name: str
    where: str
    applies_to: str
    asks: str
    source: str
    lapses_after_months: Annotated[int, Field(gt=0, le=120)] | None = None
    """An attestation of this name, dated longer ago than this, no longer stands."""
    reaches_operators: bool = False
    """The law follows the operator into every country: a choice of region does not avoid it."""


class Residency(Record):
    """Levels from loose to strict, the axes behind them, and rules by place."""

    levels: tuple[ResidencyLevel, ...]
    axes: tuple[str, ...]
    rules: tuple[ResidencyRule, ...]


def read_residency(path: Path, problems: list[str]) -> Residency | None:
    """The residency file, or None with problems noted."""
    raw = read_yaml(path, problems)
    if raw is None:
        return None
    try:
        return Residency.model_validate(raw)
    except ValidationError as error:
        problems += [f"{path}: {line}" for line in explain(error)]
        return None
