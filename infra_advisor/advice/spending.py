"""How much of everything a fleet uses in a month: machine hours, electricity, storage and traffic."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from infra_advisor.advice.charges import Use
from infra_advisor.advice.payment import Payment
from infra_advisor.facts.catalog import Catalog
from infra_advisor.physics.cost import TOKENS_PER_MTOK
from infra_advisor.physics.transformer import Transformer, weight_bytes
from infra_advisor.search.fleet import Fleets
from infra_advisor.units import GB, HOURS_PER_MONTH

Point = Literal["load", "limit", "saturation"]
SECONDS_PER_HOUR = 3600.0
KW = 1000.0


@dataclass(frozen=True)
class Spending:
    """What turns speed into use."""

    shape: Transformer
    hours: float
    """Of service in a month."""
    egress_gb_per_token: float

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
    """Use of every fleet among `fleets`; it does not depend on prices."""

    def __init__(self, fleets: Fleets, spending: Spending) -> None:
        self._spending, self._fleets = spending, fleets
        self._chips = [one.platform.chips for one in fleets.candidates]
        replica_chips, machines = fleets.timing.d.chips.tolist(), fleets.machines.tolist()
        each = [max(wanted / held, 1.0) for wanted, held in zip(replica_chips, self._chips, strict=True)]
        """Machines that one replica spans."""
        self._spare = [fleets.spare * span for span in each]
        self._working = [count - spare for count, spare in zip(machines, self._spare, strict=True)]
        self._units = [count / span for count, span in zip(self._working, each, strict=True)]
        self.tokens_per_s: list[float] = fleets.output_tokens_per_s.tolist()
        self._drawn_w: list[float] = fleets.power.machines_w.tolist()
        """Unknown where the chip has no power fact: then no tariff has a price for it."""
        sizes: Mapping[str, float] = {
            one.weights.format.id: weight_bytes(spending.shape, one.weights.format.by_part).total / GB for one in fleets.candidates
        }
        self._stored_gb = [sizes[one.weights.format.id] for one in fleets.candidates]

    def use(self, place: int, point: Point = "load") -> Use:
        """Of the fleet at a place in a month, at its load, at the limit of its targets or at saturation."""
        spending, working, spare = self._spending, self._working[place], self._spare[place]
        machines, hours = working + spare, spending.hours
        tokens_per_s, drawn_w = self._at(point)
        watts = drawn_w[place]
        return Use(
            machines=working,
            spare_machines=spare,
            machine_hours=working * hours,
            spare_machine_hours=spare * hours,
            idle_machine_hours=machines * (HOURS_PER_MONTH - hours),
            kwh=0.0 if math.isnan(watts) else watts / KW * hours,
            stored_gb=self._stored_gb[place] * machines,
            egress_gb=tokens_per_s[place] * SECONDS_PER_HOUR * hours * spending.egress_gb_per_token,
            balancers=1.0 if self._units[place] > 1.0 else 0.0,
            sites=1.0,
        )

    def _at(self, point: Point) -> tuple[Sequence[float], Sequence[float]]:
        """(output tokens/s, power of all machines [W]) by place."""
        fleets = self._fleets
        if point == "load":
            return self.tokens_per_s, self._drawn_w
        if point == "limit":
            return fleets.limit_tokens_per_s, fleets.power_at_limit.machines_w  # type: ignore[return-value]
        return fleets.full_tokens_per_s, fleets.power_when_full.machines_w  # type: ignore[return-value]
