"""The cost defaults an answer rests on, stated once."""

from collections.abc import Sequence

from infra_advisor.advice.answer import Assumption
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.option import Priced
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.purchases import default_figure

OWNED_DEFAULTS = (
    "amortisation_datacenter_years",
    "amortisation_edge_years",
    "cost_of_capital_per_year",
    "operations_per_year",
    "power_draw_share",
    "colocation_pue",
)
POWER_DEFAULTS = ("power_draw_share", "colocation_pue")


def cost_assumptions(catalog: Catalog, options: Sequence[Priced], limits: Limits) -> list[Assumption]:
    """Defaults behind the prices of these options: only those that were used."""
    found = []
    if any(option.ownership is not None for option in options):
        for name in OWNED_DEFAULTS if any(option.purchase_usd for option in options) else POWER_DEFAULTS:
            given = catalog.assumptions[name]
            found.append(_stated(catalog, name, f"{given.unit}; source {', '.join(given.source)}"))
        power = default_figure(catalog.hosting, "electricity", limits.residency)
        if power is not None:
            note = f"{power.place or power.country or 'world'}; source {power.source}"
            name = f"electricity_{(power.currency or 'usd').lower()}_per_kwh"
            found.append(Assumption(name=name, value=float(power.value), origin="catalog", note=note))
    found.append(_stated(catalog, "hours_per_month", "rented and owned machines run all the time"))
    if any(option.class_ == "cloud" and option.country == "JP" for option in options):
        found.append(_stated(catalog, "consumption_tax_jp_share", "taken out of prices that include it"))
    return found


def _stated(catalog: Catalog, name: str, note: str) -> Assumption:
    return Assumption(name=name, value=float(catalog.assumptions[name].value), origin="catalog", note=note)
