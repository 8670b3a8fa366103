"""How much of everything a fleet uses in a month: machine hours, electricity, storage and traffic."""

import math
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
    """Use of each fleet among `fleets`; it does not depend on prices."""

    def __init__(self, fleets: Fleets, spending: Spending) -> None:
        self._spending, self._fleets = spending, fleets
        self._weights_gb: dict[str, float] = {}
        """By weight format, each computed once."""

    def use(self, place: int, point: Point = "load") -> Use:
        """Of the fleet at a place in a month, at its load, at the limit of its targets or at saturation."""
        fleets, spending, hours = self._fleets, self._spending, self._spending.hours
        span = max(float(fleets.timing.d.chips[place]) / fleets.candidates[place].platform.chips, 1.0)  # machines of one replica
        spare = fleets.spare * span
        working = float(fleets.machines[place]) - spare
        tokens_per_s, watts = self._at(point, place)
        return Use(
            machines=working,
            spare_machines=spare,
            machine_hours=working * hours,
            spare_machine_hours=spare * hours,
            idle_machine_hours=(working + spare) * (HOURS_PER_MONTH - hours),
            kwh=0.0 if math.isnan(watts) else watts / KW * hours,  # unknown without a power fact: then no tariff has a price for it
            stored_gb=self._stored_gb(place) * (working + spare),
            egress_gb=tokens_per_s * SECONDS_PER_HOUR * hours * spending.egress_gb_per_token,
            balancers=1.0 if working / span > 1.0 else 0.0,
            sites=1.0,
        )

    def _stored_gb(self, place: int) -> float:
        """Weights on one machine."""
        weights = self._fleets.candidates[place].weights.format
        if weights.id not in self._weights_gb:
            self._weights_gb[weights.id] = weight_bytes(self._spending.shape, weights.by_part).total / GB
        return self._weights_gb[weights.id]

    def _at(self, point: Point, place: int) -> tuple[float, float]:
        """(output tokens/s, power of all machines [W])."""
        fleets = self._fleets
        if point == "load":
            tokens_per_s, power = fleets.output_tokens_per_s, fleets.power
        elif point == "limit":
            tokens_per_s, power = fleets.limit_tokens_per_s, fleets.power_at_limit
        else:
            tokens_per_s, power = fleets.full_tokens_per_s, fleets.power_when_full
        return float(tokens_per_s[place]), float(power.machines_w[place])
