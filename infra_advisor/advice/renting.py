"""What a rented machine costs, charge by charge."""

from collections.abc import Iterator, Mapping

from infra_advisor.advice.charges import Charge, Tariff
from infra_advisor.facts.places import Provider
from infra_advisor.facts.purchases import Assumption

IN_PRICE = "in the price of the instance"


class Rents:
    """The tariffs of all providers. Machines of one provider differ in the price of an hour only: its other charges are made once."""

    def __init__(self, given: Mapping[str, Assumption], providers: Mapping[str, Provider]) -> None:
        self._given, self._providers = given, providers
        self._support_share = _value(given, "support_share_of_bill")
        self._others: dict[str, tuple[Charge, ...]] = {}

    def tariff(self, provider: str, usd_per_h: float, *, by_month: bool, minimum_usd: float = 0.0) -> Tariff:
        """Instance hours, storage of the weights, egress, load balancer and support. `by_month`: paid whether it runs or not."""
        hours = (
            Charge(name="instances", unit="machine-hours", usd=usd_per_h, driver="machine_hours"),
            Charge(name="spare machines", unit="machine-hours", usd=usd_per_h, driver="spare_machine_hours", none_used="none asked for"),
            Charge(
                name="idle hours", unit="machine-hours", usd=usd_per_h, driver="idle_machine_hours", note="paid while nothing runs",
                none_used="it runs all the time",
            )
            if by_month
            else Charge(name="idle hours", unit="machine-hours", note="paid by the hour: none while nothing runs"),
        )  # fmt: skip
        if provider not in self._others:
            self._others[provider] = tuple(self._of_provider(self._providers.get(provider)))
        return Tariff(charges=hours + self._others[provider], support_share=self._support_share, minimum_usd=minimum_usd)

    def _of_provider(self, provider: Provider | None) -> Iterator[Charge]:
        given = self._given
        yield Charge(name="host", unit="machine-hours", note=IN_PRICE)
        yield Charge(
            name="storage of weights", unit="GB-months", usd=_value(given, "weights_storage_usd_per_gb_month"), driver="stored_gb",
            note="one copy for each machine",
        )  # fmt: skip
        yield _egress(given, provider)
        yield Charge(
            name="load balancer", unit="balancer-months", usd=_value(given, "load_balancer_usd_per_month"), driver="balancers",
            none_used="one machine needs none",
        )  # fmt: skip
        yield Charge(name="power, cooling and space", unit="kWh", note=IN_PRICE)
        note = "the provider keeps the machines; who runs the software is counted nowhere"
        yield Charge(name="operations", unit="machine-months", note=note)
        if not self._support_share:
            yield Charge(name="support", unit="USD of the bill", note="the basic plan")


def _egress(given: Mapping[str, Assumption], provider: Provider | None) -> Charge:
    known = provider.egress_usd_per_gb if provider else None
    if known == 0:
        return Charge(name="egress", unit="GB", note="the provider charges none")
    usd = _value(given, "egress_hyperscaler_usd_per_gb") if known is None else known
    note = "answers streamed to the users" if known is not None else "answers streamed to the users, at the list price of hyperscalers"
    return Charge(name="egress", unit="GB", usd=usd, driver="egress_gb", note=note)


def _value(given: Mapping[str, Assumption], name: str) -> float:
    return float(given[name].value)
