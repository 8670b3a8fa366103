"""The cost defaults an answer rests on, stated once."""

from collections.abc import Sequence
from typing import Literal

from infra_advisor.advice.answer import Assumption
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.option import Priced
from infra_advisor.advice.payment import Payment
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.purchases import STATED, default_figure
from infra_advisor.units import HOURS_PER_MONTH

OWNED_DEFAULTS = (
    "amortisation_datacenter_years",
    "amortisation_edge_years",
    "cost_of_capital_per_year",
    "residual_share",
    "operations_per_year",
    "onprem_network_usd_per_month",
)
POWER_DEFAULTS = ("power_idle_share", "power_draw_share", "colocation_pue")
RENTED_DEFAULTS = (
    "weights_storage_usd_per_gb_month",
    "egress_hyperscaler_usd_per_gb",
    "egress_bytes_per_output_token",
    "load_balancer_usd_per_month",
    "support_share_of_bill",
)
COMMITTED = {
    "1y": "rented machines at their price for one year, paid whether they run or not",
    "3y": "rented machines at their price for three years, paid whether they run or not",
    "auto": "rented machines at the cheapest of their prices, on demand or for a term",
}


def cost_assumptions(catalog: Catalog, options: Sequence[Priced], limits: Limits, payment: Payment) -> list[Assumption]:
    """Defaults behind the prices of these options, only those that were used, and all that the question states instead."""
    found = []
    if any(option.owned and option.tariff for option in options):
        bought = OWNED_DEFAULTS if any(option.purchase_usd for option in options) else ()
        found += [_stated(catalog, name) for name in (*bought, *POWER_DEFAULTS)]
        for name in ("electricity_usd_per_kwh", "colocation_usd_per_kw_month"):
            if name in catalog.assumptions:
                found.append(_stated(catalog, name))
        power = default_figure(catalog.hosting, "electricity", limits.country)
        if power is not None and "electricity_usd_per_kwh" not in catalog.assumptions:
            note = f"{power.place or power.country or 'world'}; source {power.source}"
            name = f"electricity_{(power.currency or 'usd').lower()}_per_kwh"
            found.append(Assumption(name=name, value=float(power.value), origin="catalog", note=note))
    if any(option.class_ == "cloud" for option in options):
        found += [_stated(catalog, name) for name in RENTED_DEFAULTS]
    hours = payment.hours_per_month
    always = hours == HOURS_PER_MONTH
    note = "rented and owned machines run all the time" if always else "the service runs so long; what is paid by the hour stops"
    found.append(Assumption(name="hours_per_month", value=hours, origin="catalog" if always else "input", note=note))
    if payment.commit != "none":
        found.append(Assumption(name="commit", value=payment.commit, origin="input", note=COMMITTED[payment.commit]))
    if any(option.class_ == "cloud" and option.country == "JP" for option in options):
        found.append(_stated(catalog, "consumption_tax_jp_share", "taken out of prices that include it"))
    listed = {one.name for one in found}
    return [*found, *(_stated(catalog, name) for name in payment.assume if name not in listed)]


def _stated(catalog: Catalog, name: str, note: str | None = None) -> Assumption:
    given = catalog.assumptions[name]
    origin: Literal["input", "catalog"] = "input" if STATED in given.source else "catalog"
    note = note or f"{given.unit}; source {', '.join(given.source)}"
    return Assumption(name=name, value=float(given.value), origin=origin, note=note)
