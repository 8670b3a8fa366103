"""What a rented machine costs, charge by charge."""

from collections.abc import Mapping

from infra_advisor.advice.charges import Charge, Tariff
from infra_advisor.facts.places import Provider
from infra_advisor.facts.purchases import Assumption


def rented_tariff(
    given: Mapping[str, Assumption], usd_per_h: float, *, provider: Provider | None, by_month: bool, minimum_usd: float = 0.0
) -> Tariff:
    """Instance hours, storage of the weights, egress, load balancer and support. `by_month`: paid whether it runs or not."""
    in_price = "in the price of the instance"
    charges = [
        Charge(name="instances", unit="machine-hours", usd=usd_per_h, driver="machine_hours"),
        Charge(name="spare machines", unit="machine-hours", usd=usd_per_h, driver="spare_machine_hours", none_used="none asked for"),
        Charge(
            name="idle hours", unit="machine-hours", usd=usd_per_h, driver="idle_machine_hours", note="paid while nothing runs",
            none_used="it runs all the time",
        )
        if by_month
        else Charge(name="idle hours", unit="machine-hours", note="paid by the hour: none while nothing runs"),
        Charge(name="host", unit="machine-hours", note=in_price),
        Charge(
            name="storage of weights", unit="GB-months", usd=_value(given, "weights_storage_usd_per_gb_month"), driver="stored_gb",
            note="one copy for each machine",
        ),
        _egress(given, provider),
        Charge(
            name="load balancer", unit="balancer-months", usd=_value(given, "load_balancer_usd_per_month"), driver="balancers",
            none_used="one machine needs none",
        ),
        Charge(name="power, cooling and space", unit="kWh", note=in_price),
        Charge(name="operations", unit="machine-months", note="the provider keeps the machines; who runs the software is counted nowhere"),
    ]  # fmt: skip
    support = _value(given, "support_share_of_bill")
    if not support:
        charges.append(Charge(name="support", unit="USD of the bill", note="the basic plan"))
    return Tariff(charges=tuple(charges), support_share=support, minimum_usd=minimum_usd)


def _egress(given: Mapping[str, Assumption], provider: Provider | None) -> Charge:
    known = provider.egress_usd_per_gb if provider else None
    if known == 0:
        return Charge(name="egress", unit="GB", note="the provider charges none")
    usd = _value(given, "egress_hyperscaler_usd_per_gb") if known is None else known
    note = "answers streamed to the users" if known is not None else "answers streamed to the users, at the list price of hyperscalers"
    return Charge(name="egress", unit="GB", usd=usd, driver="egress_gb", note=note)


def _value(given: Mapping[str, Assumption], name: str) -> float:
    return float(given[name].value)
