"""How much of everything a fleet uses in a month: machine hours, electricity, storage and traffic."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra_advisor.advice.charges import Use
from infra_advisor.advice.option import Priced
from infra_advisor.advice.payment import Payment
from infra_advisor.facts.catalog import Catalog
from infra_advisor.physics.cost import TOKENS_PER_MTOK
from infra_advisor.physics.transformer import Transformer, weight_bytes
from infra_advisor.search.fleet import Fleets
from infra_advisor.units import GB, HOURS_PER_MONTH

SECONDS_PER_HOUR = 3600.0
KW = 1000.0


@dataclass(frozen=True)
class Spending:
    """What turns speed into use."""

    shape: Transformer
    hours: float
    """Of service in a month."""
    egress_gb_per_token: float
    draw_share: float
    """Of the rated power that a serving machine draws. [1]"""

    def mtok_per_month(self, tokens_per_s: float) -> float:
        """Tokens of a month at that rate. [Mtok]"""
        return tokens_per_s * SECONDS_PER_HOUR * self.hours / TOKENS_PER_MTOK


def spending_of(catalog: Catalog, shape: Transformer, payment: Payment) -> Spending:
    """The catalog's assumptions for a model."""
    given = catalog.assumptions
    return Spending(
        shape=shape,
        hours=payment.hours_per_month,
        egress_gb_per_token=float(given["egress_bytes_per_output_token"].value) / GB,
        draw_share=float(given["power_draw_share"].value),
    )


def use_of_machines(
    one: Use, spending: Spending, *, machines: float, running_h: float, idle_h: float, units: float, output_mtok: float
) -> Use:
    """Use of so many machines alike that run for so many hours together, from the use of `one` fleet of them. Hours are of the month."""
    known = one.machines + one.spare_machines
    return Use(
        machines=machines,
        machine_hours=running_h,
        idle_machine_hours=idle_h,
        kwh=one.kwh / one.machine_hours * running_h,
        stored_gb=one.stored_gb / known * machines,
        egress_gb=output_mtok * TOKENS_PER_MTOK * spending.egress_gb_per_token,
        balancers=1.0 if units > 1.0 else 0.0,
        sites=1.0,
    )


class Usage:
    """Use of every fleet among `fleets`, on machines at any price."""

    def __init__(self, fleets: Fleets, spending: Spending) -> None:
        self._spending = spending
        self._chips = [one.platform.chips for one in fleets.candidates]
        replica_chips, machines = fleets.timing.d.chips.tolist(), fleets.machines.tolist()
        each = [max(wanted / held, 1.0) for wanted, held in zip(replica_chips, self._chips, strict=True)]
        """Machines that one replica spans."""
        self._spare = [fleets.spare * span for span in each]
        self._working = [count - spare for count, spare in zip(machines, self._spare, strict=True)]
        self._units = [count / span for count, span in zip(self._working, each, strict=True)]
        self.tokens_per_s: list[float] = fleets.output_tokens_per_s.tolist()
        sizes: Mapping[str, float] = {
            one.weights.format.id: weight_bytes(spending.shape, one.weights.format.by_part).total / GB for one in fleets.candidates
        }
        self._stored_gb = [sizes[one.weights.format.id] for one in fleets.candidates]

    def use(self, priced: Priced, place: int, tokens_per_s: float | None = None) -> Use:
        """Of the fleet at a place on these machines in a month, at its load or at another rate of output. [tokens/s]"""
        spending, working, spare = self._spending, self._working[place], self._spare[place]
        machines, hours = working + spare, spending.hours
        rate = self.tokens_per_s[place] if tokens_per_s is None else tokens_per_s
        tariff = priced.tariff
        rated_w = 0.0 if tariff is None or tariff.board_w is None else tariff.board_w * self._chips[place] + tariff.host_w
        return Use(
            machines=working,
            spare_machines=spare,
            machine_hours=working * hours,
            spare_machine_hours=spare * hours,
            idle_machine_hours=machines * (HOURS_PER_MONTH - hours),
            kwh=working * rated_w * spending.draw_share / KW * hours,
            stored_gb=self._stored_gb[place] * machines,
            egress_gb=rate * SECONDS_PER_HOUR * hours * spending.egress_gb_per_token,
            balancers=1.0 if self._units[place] > 1.0 else 0.0,
            sites=1.0,
        )
