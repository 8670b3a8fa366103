"""What a machine of one's own asks of the place where it stands: circuits, cooling, racks. By rated power, never by the usual draw."""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.onsite import OWN
from infra_advisor.advice.onsite_parts import CircuitNeed, SiteNeeds
from infra_advisor.advice.ownership import host_power, rated_power_w
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.circuits import Circuit
from infra_advisor.facts.purchases import PurchaseOption, purchase_options
from infra_advisor.units import BTU_PER_H

CONTINUOUS, RACK = "circuit_continuous_share", "rack_power_limit_w"


def carries_w(circuit: Circuit, share: float) -> float:
    """Load that a circuit may carry for hours: volts x amperes, x sqrt(3) of three phases, x the share; power factor taken as 1. [W]"""
    return circuit.volts * circuit.amperes * (math.sqrt(3.0) if circuit.phases == 3 else 1.0) * share


def circuits_for(machine_w: float, circuit: Circuit, share: float) -> int:
    """How many such circuits feed one machine whose load can be divided among its power supplies."""
    return math.ceil(machine_w / carries_w(circuit, share) - 1e-9)


class Sited:
    """Needs of the machines of one catalog; the prices that state a power are read once."""

    def __init__(self, catalog: Catalog, country: str | None) -> None:
        self._catalog, self._country = catalog, country
        self._share = float(catalog.assumptions[CONTINUOUS].value)

    @cached_property
    def _bought(self) -> dict[str, PurchaseOption]:
        return {f"buy-{one.id}": one for one in purchase_options(self._catalog.purchases, self._catalog.as_of.isoformat(), self._country)}

    def of(self, answer: Answer) -> SiteNeeds | None:
        """The needs of the machines of one answer; None where they stand elsewhere."""
        if answer.hardware.class_ not in OWN or not answer.hardware.instances:
            return None
        chip = self._catalog.chips[answer.hardware.accelerator]
        machines = answer.hardware.instances
        machine_w, basis = self._rated(answer, chip)
        found = tuple(self._circuits(machine_w)) if machine_w is not None else ()
        racks, why_no_racks = (
            self._racks(machine_w, machines) if answer.hardware.class_ == "onprem" else (None, "none: it stands in an office")
        )
        fleet_w = None if machine_w is None else machine_w * machines
        alone = [need for need in found if need.office and need.per_machine == 1]
        return SiteNeeds(
            machines=machines,
            rated_power_w=machine_w,
            rated_power_basis=basis,
            rated_power_reason=None if machine_w is not None else f"no power figure of {chip.name} in the catalog",
            fleet_power_w=fleet_w,
            heat_btu_per_h=None if fleet_w is None else fleet_w / BTU_PER_H,
            country=self._country,
            continuous_share=self._share,
            circuits=found,
            circuits_reason=self._why_no_circuits(machine_w, found),
            one_office_circuit=bool(alone) if any(need.office for need in found) and self._country else None,
            three_phase=all(need.phases == 3 or need.per_machine > 1 for need in found) if found and self._country else None,
            rack_power_limit_w=float(self._catalog.assumptions[RACK].value),
            racks=racks,
            racks_reason=why_no_racks,
            form_factor=chip.form_factor,
            noise=chip.noise,
            noise_reason=None if chip.noise else "not in the catalog; ask the seller",
        )

    def _rated(self, answer: Answer, chip: Chip) -> tuple[float | None, str | None]:
        """(W of one machine, in words where it is from)."""
        given, server = self._catalog.assumptions, answer.hardware.class_ == "onprem"
        chips = round(answer.hardware.accelerators_billed / answer.hardware.instances)
        option = self._bought.get(answer.offer.id)
        stated_w = option.system_power_w if option else None
        machine_w = rated_power_w(chip, chips, given, server=server, system_power_w=stated_w)
        if machine_w is None:
            return None, None
        if stated_w and option:
            return machine_w, f"stated for {option.item}"
        assert chip.power is not None
        recalled = ", unchecked" if chip.power.from_memory else ""
        words = f"{chips} x {chip.power.value:g} W of {chip.name}{recalled}"
        name, count = host_power(chip, chips, server=server)
        if name is None:
            return machine_w, words
        return machine_w, f"{words} + {count * float(given[name].value):g} W of its host (assumption {name})"

    def _circuits(self, machine_w: float) -> Iterator[CircuitNeed]:
        """Of the country, or of every country the catalog has where none is stated."""
        for group in self._catalog.circuits.values():
            if self._country is not None and self._country not in group.countries:
                continue
            for circuit in group.circuits:
                yield CircuitNeed(
                    countries=group.countries if self._country is None else (self._country,),
                    circuit=circuit.name,
                    phases=circuit.phases,
                    office=circuit.office,
                    carries_w=carries_w(circuit, self._share),
                    per_machine=circuits_for(machine_w, circuit, self._share),
                )

    def _why_no_circuits(self, machine_w: float | None, found: Sequence[CircuitNeed]) -> str | None:
        if machine_w is None:
            return "unknown with the power"
        if not found:
            return f"the catalog has no circuits of {self._country}" if self._country else "the catalog has no circuits"
        return None if self._country else "the country is not stated (--residency): circuits of every country the catalog has"

    def _racks(self, machine_w: float | None, machines: int) -> tuple[int | None, str | None]:
        limit_w = float(self._catalog.assumptions[RACK].value)
        if machine_w is None:
            return None, "unknown with the power"
        if not (fit := math.floor(limit_w / machine_w + 1e-9)):
            return (
                None,
                f"one machine takes {machine_w / 1e3:.1f} kW, more than the {limit_w / 1e3:g} kW of a usual rack: ask for a dense one",
            )
        return math.ceil(machines / fit), None


def with_needs(catalog: Catalog, answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """The answers, each with what its own machines ask of their site."""
    sites: dict[str | None, Sited] = {}
    found = []
    for answer in answers:
        if answer.hardware.class_ in OWN:
            site = sites.setdefault(answer.offer.country, Sited(catalog, answer.offer.country))
            answer = answer.model_copy(update={"site_needs": site.of(answer)})
        found.append(answer)
    return tuple(found)


def office_warning(catalog: Catalog, winner: Answer) -> Iterator[str]:
    """Where a desktop or edge machine is more than one office circuit can feed; silent where that is not sure."""
    if winner.hardware.class_ != "edge":
        return
    needs = winner.site_needs or Sited(catalog, winner.offer.country).of(winner)
    offices = [need for need in needs.circuits if need.office] if needs else []
    if needs is None or needs.rated_power_w is None or not offices or any(need.per_machine == 1 for need in offices):
        return
    best = max(offices, key=lambda need: need.carries_w)
    yield (
        f"One machine of the first answer is rated at {needs.rated_power_w:,.0f} W, more than one office circuit carries "
        f"({best.circuit}: {best.carries_w:,.0f} W at {needs.continuous_share:.0%}): it needs {best.per_machine} of them or a stronger one."
    )
