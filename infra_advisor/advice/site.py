"""Where a machine stands, as far as its electricity goes: the overhead of the site and the carbon of its grid."""

from dataclasses import dataclass

from infra_advisor.advice.parts import HardwareClass
from infra_advisor.facts.catalog import Catalog


@dataclass(frozen=True)
class Site:
    """Overhead and grid of one site."""

    pue: float
    pue_source: str
    grid_gco2e_per_kwh: float | None
    grid_source: str | None
    provider_gco2e_per_kwh: float | None = None
    """The provider's own figure, by another method: shown, never used."""
    carbon_reason: str | None = None
    """Why the grid is not known."""


class Sites:
    """The sites of a catalog, each looked up once."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._grids = {one.country: one for one in catalog.hosting if one.metric == "grid-carbon" and one.default}
        self._overheads = {
            (provider, one.country): one
            for one in catalog.hosting
            if one.metric == "pue" and (provider := (one.place or "").partition(":")[0]) in catalog.providers
        }
        self._found: dict[tuple[str, str, str | None, str | None], Site] = {}

    def of(self, class_: HardwareClass, provider: str, region: str | None, country: str | None) -> Site:
        """The site of one option, rented or owned."""
        key = (class_, provider, region, country)
        if key not in self._found:
            self._found[key] = Site(*self._overhead(class_, provider, country), *self._grid(class_, provider, region, country))
        return self._found[key]

    def _overhead(self, class_: HardwareClass, provider: str, country: str | None) -> tuple[float, str]:
        """(PUE, where it is from): the provider's own in that country, its mean, or the assumption for such sites."""
        if figure := self._overheads.get((provider, country)) or self._overheads.get((provider, None)):
            return float(figure.value), f"{(figure.place or provider).replace(':', ' ', 1)}; {figure.source}"
        name = "edge_pue" if class_ == "edge" else "colocation_pue"
        given = self._catalog.assumptions[name]
        return float(given.value), f"assumption {name}; {', '.join(given.source)}"

    def _grid(
        self, class_: HardwareClass, provider: str, region_id: str | None, country: str | None
    ) -> tuple[float | None, str | None, float | None, str | None]:
        """(gCO2e/kWh, where it is from, the provider's own figure, why it is unknown): of the region, else of the country."""
        region = self._catalog.regions.get((provider, region_id or ""))
        own = region.provider_carbon_g_per_kwh if region else None
        if region is not None and region.carbon_g_per_kwh is not None:
            where = ", ".join(word for word in (region.grid_zone, str(region.carbon_year or "")) if word)
            return region.carbon_g_per_kwh, f"grid of {region.id} ({where}); {region.source}", own, None
        if country is None:
            why = "the price list names no country" if class_ == "cloud" else "where it stands is not stated; give --residency"
            return None, None, own, f"carbon unknown: {why}"
        figure = self._grids.get(country)
        if figure is None:
            return None, None, own, f"carbon unknown: the catalog has no grid of {country}"
        year = f", {figure.from_[:4]}" if figure.from_ else ""
        return float(figure.value), f"mean of {country}{year}; {figure.source}", own, None
