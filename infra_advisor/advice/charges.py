"""What is paid for, and how much of it a fleet uses in a month: the two halves that every bill is the product of."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from infra_advisor.advice.cost_parts import CostLine
from infra_advisor.units import HOURS_PER_MONTH

Driver = Literal[
    "machines",
    "spare_machines",
    "machine_hours",
    "spare_machine_hours",
    "idle_machine_hours",
    "kwh",
    "stored_gb",
    "egress_gb",
    "balancers",
    "sites",
    "input_mtok",
    "cached_mtok",
    "output_mtok",
    "thinking_mtok",
]
CENT = Decimal("0.01")
FINEST = Decimal("0.000001")
"""Of a quantity and of a unit price, as a bill shows them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """What a fleet uses in a month. Hours are summed over machines."""

    machines: float = 0.0
    """Kept for the load, by the month."""
    spare_machines: float = 0.0
    machine_hours: float = 0.0
    """In which machines kept for the load run."""
    spare_machine_hours: float = 0.0
    idle_machine_hours: float = 0.0
    """In which machines, spare ones included, stand still."""
    kwh: float = 0.0
    """At the machines, before cooling and losses."""
    stored_gb: float = 0.0
    egress_gb: float = 0.0
    balancers: float = 0.0
    sites: float = 0.0
    input_mtok: float = 0.0
    """Prompt tokens that no cache holds."""
    cached_mtok: float = 0.0
    output_mtok: float = 0.0
    """Without thinking."""
    thinking_mtok: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """One line of a price list, applied to one machine or one unit of use."""

    name: str
    unit: str
    usd: float = 0.0
    """Per unit. [USD]"""
    driver: Driver | None = None
    """None = nothing is charged, for the reason in `note`."""
    each: float = 1.0
    """Units for each unit of the driver: 10.2 kW for a machine."""
    note: str | None = None
    """What the price rests on, or why there is none."""
    none_used: str | None = None
    """Why the quantity is zero, where it is."""

    def quantity(self, use: Use) -> float:
        """Units in the month."""
        return 0.0 if self.driver is None else float(getattr(use, self.driver)) * self.each


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """All that one kind of machine, or of hosted API, costs."""

    charges: tuple[Charge, ...]
    support_share: float = 0.0
    """Of everything else on the bill of a provider. [1]"""
    minimum_usd: float = 0.0
    """Smallest purchase; what a month does not use of it is paid all the same."""
    pays_power: bool = False

    @property
    def standing_usd_per_h(self) -> float:
        """What one machine costs whether it serves or not. [USD/h]"""
        return sum(charge.usd * charge.each for charge in self.charges if charge.driver == "machines") / HOURS_PER_MONTH

    def month_usd(self, use: Use) -> float:
        """The bill of a month, unrounded. [USD]"""
        used = sum(charge.usd * charge.quantity(use) for charge in self.charges if charge.usd)
        return max(used * (1.0 + self.support_share), self.minimum_usd)

    def lines(self, use: Use, to: Decimal = CENT) -> tuple[CostLine, ...]:
        """The bill of a month: each amount is its quantity times its unit price, to the cent."""
        found = [_line(charge, charge.quantity(use), to) for charge in self.charges]
        if self.support_share:
            note = f"{100.0 * self.support_share:g} % of the lines above"
            found.append(_product("support", total(found), "USD of the bill", Decimal(str(self.support_share)), note, to))
        if missing := max(Decimal(str(self.minimum_usd)) - total(found), Decimal(0)):
            note = f"the smallest purchase is {self.minimum_usd:,.2f} USD"
            found.append(_product("minimum purchase", Decimal(1), "top-up", missing, note, to))
        return tuple(found)


def _line(charge: Charge, quantity: float, to: Decimal) -> CostLine:
    note = charge.note if quantity or charge.driver is None else charge.none_used or charge.note
    return _product(charge.name, Decimal(str(quantity)), charge.unit, Decimal(str(charge.usd)), note, to)


def _product(name: str, quantity: Decimal, unit: str, price: Decimal, note: str | None, to: Decimal) -> CostLine:
    quantity, price = quantity.quantize(FINEST, ROUND_HALF_UP), price.quantize(FINEST, ROUND_HALF_UP)
    amount = (quantity * price).quantize(to, ROUND_HALF_UP)
    return CostLine(name=name, quantity=float(quantity), unit=unit, unit_price_usd=float(price), amount_usd=float(amount), note=note)


def total(lines: Iterable[CostLine]) -> Decimal:
    """Sum of the amounts, exact. [USD]"""
    return sum((Decimal(str(line.amount_usd)) for line in lines), Decimal(0))
