"""The least that each way to pay costs at any load: all fleets, sized in whole machines, at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra_advisor.advice.charges import Tariff, Use
from infra_advisor.advice.option import Priced
from infra_advisor.advice.spending import KW, SECONDS_PER_HOUR, Spending, Usage
from infra_advisor.search.fleet import Fleets, replicas_per_machine
from infra_advisor.search.platforms import Platform
from infra_advisor.units import HOURS_PER_MONTH

Column = NDArray[np.float64]
_UNITS = ("machines", "spare_machines", "machine_hours", "spare_machine_hours", "idle_machine_hours", "kwh", "stored_gb", "egress_gb",
          "balancers", "sites")  # fmt: skip


@dataclass(frozen=True)
class Envelope:
    """Pairs of a price and a deployment; one position of the arrays for each."""

    priced: list[Priced]
    places: NDArray[np.intp]
    replica_tokens_per_s: Column
    """Of one replica at the highest load within the targets, less the headroom asked for."""
    replicas_per_machine: Column
    machines_each: Column
    """Machines that one replica spans."""
    idle_kw: Column
    """Of one machine without a request."""
    busy_kw: Column
    """Of one machine at the highest load within the targets."""
    stored_gb: Column
    prices: dict[str, Column]
    """USD for one unit of each kind of use."""
    support: Column
    minimum_usd: Column
    spare: int
    spending: Spending

    def working(self, tokens_per_s: float) -> Column:
        """Machines that carry so many output tokens/s."""
        replicas = np.maximum(np.ceil(tokens_per_s / self.replica_tokens_per_s - 1e-9), 1.0)
        return np.asarray(np.ceil(replicas / self.replicas_per_machine) * self.machines_each)

    def usd_per_month(self, tokens_per_s: float) -> Column:
        """Bill of each pair at that load."""
        hours, working = self.spending.hours, self.working(tokens_per_s)
        spare = self.spare * self.machines_each
        everyone = working + spare
        busy = tokens_per_s / (working / self.machines_each * self.replicas_per_machine * self.replica_tokens_per_s)
        use: dict[str, Column | float] = {
            "machines": working,
            "spare_machines": spare,
            "machine_hours": working * hours,
            "spare_machine_hours": spare * hours,
            "idle_machine_hours": everyone * (HOURS_PER_MONTH - hours),
            "kwh": (everyone * self.idle_kw + working * (self.busy_kw - self.idle_kw) * busy) * hours,
            "stored_gb": everyone * self.stored_gb,
            "egress_gb": tokens_per_s * SECONDS_PER_HOUR * hours * self.spending.egress_gb_per_token,
            "balancers": (working > self.machines_each).astype(float),
            "sites": 1.0,
        }
        usd = np.zeros(len(working))
        for name, amount in use.items():
            usd = usd + self.prices[name] * amount
        return np.asarray(np.maximum(usd * (1.0 + self.support), self.minimum_usd))

    def least(self, tokens_per_s: float) -> tuple[float, int]:
        """(bill of the cheapest pair, its position)."""
        usd = self.usd_per_month(tokens_per_s)
        place = int(np.argmin(usd))
        return float(usd[place]), place

    def utilisation(self, tokens_per_s: float, position: int) -> float:
        """Share of its capacity within the targets that a pair uses at that load."""
        machines = self.working(tokens_per_s)[position] / self.machines_each[position]
        return float(tokens_per_s / (machines * self.replicas_per_machine[position] * self.replica_tokens_per_s[position]))


def envelope(fleets: Fleets, options: Sequence[Priced], spending: Spending, *, headroom: float) -> Envelope | None:
    """Every option on every deployment of its platform that can meet the targets; None where there is none.

    Power rises in a line from idle to that at the limit. It is 0 where it is not known: there no tariff has a price for it.
    """
    on: dict[Platform, list[int]] = {}
    for place, able in enumerate((fleets.solved.limit > 0.0) & ~fleets.over):
        if able:
            on.setdefault(fleets.candidates[place].platform, []).append(place)
    pairs = [(priced, place) for priced in options if priced.tariff is not None for place in on.get(priced.platform, ())]
    if not pairs:
        return None
    priced, places = [one for one, _ in pairs], np.array([place for _, place in pairs], dtype=np.intp)
    tariffs = [_tariff(one) for one in priced]
    unit: dict[int, dict[str, float]] = {}
    for tariff in tariffs:
        if id(tariff) not in unit:
            unit[id(tariff)] = {name: _unit_price(tariff, name) for name in _UNITS}
    chips = np.array([one.platform.chips for one in priced], dtype=float)
    machines = fleets.machines[places]
    each = np.maximum(fleets.timing.d.chips[places] / chips, 1.0)
    spare, idle_kw = fleets.spare * each, fleets.power.idle_w[places] / machines / KW
    usage = Usage(fleets, spending)
    stored = np.array([usage.use(place).stored_gb for place in places]) / machines
    return Envelope(
        priced=priced,
        places=places,
        replica_tokens_per_s=(fleets.limit_tokens_per_s / fleets.replicas)[places] * (1.0 - headroom),
        replicas_per_machine=replicas_per_machine(fleets.candidates, fleets.timing)[places],
        machines_each=each,
        idle_kw=np.nan_to_num(idle_kw),
        busy_kw=np.nan_to_num((fleets.power_at_limit.machines_w[places] / KW - spare * idle_kw) / (machines - spare)),
        stored_gb=stored,
        prices={name: np.array([unit[id(tariff)][name] for tariff in tariffs]) for name in _UNITS},
        support=np.array([tariff.support_share for tariff in tariffs]),
        minimum_usd=np.array([tariff.minimum_usd for tariff in tariffs]),
        spare=fleets.spare,
        spending=spending,
    )


def _tariff(priced: Priced) -> Tariff:
    assert priced.tariff is not None
    return priced.tariff


def _unit_price(tariff: Tariff, name: str) -> float:
    """USD for one unit of a kind of use. A bill is linear in what is used, up to support and the smallest purchase."""
    one = Use(**{name: 1.0})
    return sum(charge.usd * charge.quantity(one) for charge in tariff.charges if charge.usd and charge.driver == name)
