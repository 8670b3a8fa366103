"""The catalog as of a day: every collection and table, read when first needed, checked, and merged over the layers."""

import datetime
import os
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra_advisor.errors import CatalogError, UsageError, did_you_mean
from infra_advisor.facts.files import read_yaml
from infra_advisor.facts.layers import Layer, bundled_and, fingerprint, merged_entries
from infra_advisor.facts.provenance import has_own_source
from infra_advisor.facts.reader import Reader
from infra_advisor.paths import catalog_dir

if TYPE_CHECKING:
    from infra_advisor.facts.api_offers import ApiOffer
    from infra_advisor.facts.chips import Alias, Chip
    from infra_advisor.facts.circuits import Circuits
    from infra_advisor.facts.deploy import Deploy
    from infra_advisor.facts.deviations import Deviation
    from infra_advisor.facts.engines import Engine
    from infra_advisor.facts.formats import Formats
    from infra_advisor.facts.licences import LicenceTerms
    from infra_advisor.facts.market import ExchangeRate, Node, Offer
    from infra_advisor.facts.models import LanguageModel
    from infra_advisor.facts.places import Provider, Region, Residency
    from infra_advisor.facts.profiles import Profile
    from infra_advisor.facts.purchases import Assumption, HostingFigure, Purchase

LAYERS_VARIABLE = "INFRA_ADVISOR_CATALOG"


def load(as_of: str | datetime.date | None = None, layers: Sequence[Path | str] = ()) -> "Catalog":
    """The catalog as of a day (default: today), with the user's layers on top of the bundled facts.

    Layers named in the environment variable INFRA_ADVISOR_CATALOG (a path list) come below `layers`; later wins.
    Raises CatalogError where a layer cannot be read, UsageError for an impossible day. Contents are checked when first used.
    """
    named = [Path(part) for part in os.environ.get(LAYERS_VARIABLE, "").split(os.pathsep) if part]
    return Catalog(bundled_and([*named, *map(Path, layers)], catalog_dir()), _day(as_of))


def _day(as_of: str | datetime.date | None) -> datetime.date:
    if as_of is None:
        return datetime.date.today()
    if isinstance(as_of, datetime.date):
        return as_of
    try:
        return datetime.date.fromisoformat(as_of)
    except ValueError as error:
        raise UsageError(f"{as_of!r} is not a day; write it as 2026-11-22") from error


def _record(module: str, name: str) -> Any:
    return getattr(import_module(f"infra_advisor.facts.{module}"), name)


class Catalog(Reader):
    """Facts with their sources, frozen as of a day. Collections are read lazily and cached; reads change nothing."""

    def __init__(self, layers: Sequence[Layer], as_of: datetime.date) -> None:
        super().__init__(layers)
        self.as_of = as_of
        self._models: dict[str, LanguageModel] = {}

    @cached_property
    def version(self) -> str:
        """Day of the newest facts in the bundled catalog."""
        problems: list[str] = []
        document = read_yaml(self.path / "catalog.yaml", problems)
        if problems or not isinstance(document, Mapping) or "version" not in document:
            raise CatalogError(problems or [f"{self.path / 'catalog.yaml'}: needs a `version`"])
        return str(document["version"])

    @cached_property
    def hash(self) -> str:
        """Changes when any fact of any layer does."""
        return fingerprint(self._layers)

    # -- curated collections

    @cached_property
    def chips(self) -> Mapping[str, "Chip"]:
        """Chips and devices by id."""
        return self._collection("chips", _record("chips", "Chip"))

    @cached_property
    def engines(self) -> Mapping[str, "Engine"]:
        """Inference engines by id."""
        return self._collection("engines", _record("engines", "Engine"))

    @cached_property
    def providers(self) -> Mapping[str, "Provider"]:
        """Operators of clouds and of hosted APIs by id."""
        return self._collection("providers", _record("places", "Provider"))

    @cached_property
    def aliases(self) -> Mapping[str, "Alias"]:
        """Short names of chips and devices."""
        return self._checked(self._mapping("aliases"), _record("chips", "Alias"), "aliases")

    @cached_property
    def assumptions(self) -> Mapping[str, "Assumption"]:
        """Judgement defaults by name."""
        entries = self._mapping("assumptions")
        unsourced = [entry for entry in entries.values() if not has_own_source(entry)]
        self._report([f"{entry.file_of('value')}: {entry.id}: state the `source` of the value" for entry in unsourced])
        return self._checked(entries, _record("purchases", "Assumption"), "assumptions")

    def assuming(self, values: Mapping[str, float]) -> "Catalog":
        """The same catalog with some assumptions replaced. Raises UsageError for names that are none."""
        if not values:
            return self
        module = import_module("infra_advisor.facts.purchases")
        known = {**self.assumptions, **dict.fromkeys(module.ASSUMED_ON_REQUEST)}
        replaced = dict(self.assumptions)
        for name, value in values.items():
            if name not in known:
                raise UsageError(
                    f"--assume: {name!r} is no assumption; `advisor catalog list assumptions` names them.{did_you_mean(name, known)}"
                )
            replaced[name] = module.assumed(name, value, self.assumptions.get(name))
        other = copy(self)
        other.__dict__["assumptions"] = replaced
        return other

    def at_rate(self, currency: str, per_usd: float) -> "Catalog":
        """The same catalog with another exchange rate from its day on, in units of the currency for one USD."""
        from decimal import Decimal

        day = self.as_of.isoformat()
        kept = [rate for rate in self.exchange_rates if rate.currency != currency or rate.day > day]
        newest = max((rate for rate in self.exchange_rates if rate.currency == currency and rate.day <= day), key=lambda rate: rate.day)
        other = copy(self)
        other.__dict__["exchange_rates"] = [*kept, newest.model_copy(update={"per_usd": Decimal(str(per_usd))})]
        return other

    @cached_property
    def profiles(self) -> Mapping[str, "Profile"]:
        """Weekly load profiles by name."""
        return self._checked(self._mapping("profiles"), _record("profiles", "Profile"), "profiles")

    @cached_property
    def licences(self) -> Mapping[str, "LicenceTerms"]:
        """Terms of model licences by the name that models use."""
        return self._checked(self._mapping("licences"), _record("licences", "LicenceTerms"), "licences")

    @cached_property
    def circuits(self) -> Mapping[str, "Circuits"]:
        """Electric circuits by group of countries."""
        return self._checked(self._mapping("circuits"), _record("circuits", "Circuits"), "circuits")

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """The parameter file as written; the search floor checks and reads it."""
        return {name: entry.raw for name, entry in self._mapping("parameters").items()}

    @cached_property
    def power(self) -> Mapping[str, Any]:
        """The curve of electric power as written; the search floor checks and reads it."""
        problems: list[str] = []
        document = read_yaml(self.path / "power.yaml", problems)
        self._report(problems)
        return document if isinstance(document, Mapping) else {}

    @cached_property
    def deploy(self) -> "Deploy":
        """Names of accelerators and clouds in orchestrators. Raises CatalogError."""
        problems: list[str] = []
        found: Deploy | None = import_module("infra_advisor.facts.deploy").read_deploy(self.path / "deploy.yaml", problems)
        if found is None:
            raise CatalogError(problems)
        return found

    @cached_property
    def deviations(self) -> "Sequence[Deviation]":
        """Deviations from the families of the parameters, of every layer in order."""
        from infra_advisor.facts.deviations import read_deviations

        problems: list[str] = []
        tables = [path for layer in self._layers if (path := layer.table("deviations"))]
        found = [one for path in tables for one in read_deviations(path, problems)]
        self._report(problems)
        return found

    @cached_property
    def formats(self) -> "Formats":
        """Weight and cache formats."""
        raw = {name: entry.raw for name, entry in self._mapping("formats").items()}
        raw["sources"] = {**self.sources("formats"), **raw.get("sources", {})}
        module = import_module("infra_advisor.facts.formats")
        formats: Formats
        try:
            formats = module.checked_formats(raw, self.path / "formats.yaml")
        except CatalogError as error:
            self._report(list(error.problems))
            formats = module.Formats({}, {}, {})
        return formats

    @cached_property
    def model_ids(self) -> tuple[str, ...]:
        """Ids of all models, without reading one."""
        ids = {path.stem for layer in self._layers if layer.bundled for path in layer.files("models")}
        problems: list[str] = []
        overlaid = merged_entries([layer for layer in self._layers if not layer.bundled], "models", problems)
        self._report(problems)
        return tuple(sorted((ids | overlaid.keys()) - {name for name, entry in overlaid.items() if entry.hidden}))

    def model(self, name: str) -> "LanguageModel":
        """The model of that exact id. Raises UsageError with near names."""
        if name not in self._models:
            if name not in self.model_ids:
                raise UsageError(f"unknown model {name!r}.{did_you_mean(name, self.model_ids)}")
            problems: list[str] = []
            entries = merged_entries(self._layers, "models", problems, only=name)
            found = self._validate({name: entries[name]} if name in entries else {}, _record("models", "LanguageModel"), "models", problems)
            self._report(problems)
            self._models[name] = found[name]
        return self._models[name]

    # -- bulk tables

    @cached_property
    def offers(self) -> Sequence["Offer"]:
        """Price lines of rented nodes."""
        return self._table("offers", _record("market", "Offer"))

    @cached_property
    def nodes(self) -> Mapping[str, "Node"]:
        """Instance types by id."""
        rows: Sequence[Node] = self._table("nodes", _record("market", "Node"))
        return {row.id: row for row in rows}

    @cached_property
    def exchange_rates(self) -> Sequence["ExchangeRate"]:
        """Dated rates of currencies."""
        return self._table("exchange_rates", _record("market", "ExchangeRate"))

    @cached_property
    def api_prices(self) -> Sequence["ApiOffer"]:
        """Every price line of hosted APIs; a question about one model reads those of that model only."""
        return self._table("api_prices", _record("api_offers", "ApiOffer"))

    @cached_property
    def regions(self) -> Mapping[tuple[str, str], "Region"]:
        """Regions by (provider, region id)."""
        rows: Sequence[Region] = self._table("regions", _record("places", "Region"))
        return {(row.provider, row.id): row for row in rows}

    @cached_property
    def residency(self) -> "Residency":
        """Levels of residency and the rules behind them."""
        module = import_module("infra_advisor.facts.places")
        problems: list[str] = []
        found: Residency | None = module.read_residency(self.path / "residency.yaml", problems)
        self._report(problems)
        return found or module.Residency(levels=(), axes=(), rules=())

    @cached_property
    def purchases(self) -> Sequence["Purchase"]:
        """Price lines of what is bought."""
        return self._table("purchase", _record("purchases", "Purchase"))

    @cached_property
    def hosting(self) -> Sequence["HostingFigure"]:
        """Electricity, colocation, PUE and grid figures by country."""
        return self._table("hosting", _record("purchases", "HostingFigure"))

    # -- looking things up

    def chip(self, name: str) -> "Chip":
        """The chip of an id, alias, or unique prefix. Raises UsageError with near or competing names."""
        from infra_advisor.facts.chip_names import find_chip

        return find_chip(name, self.chips, self.aliases)
