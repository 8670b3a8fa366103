"""Electric power of fleets: what each chip draws when it is so busy, what its host draws, and the sum over the machines.

Power of accelerators follows a curve fitted to measurements (`catalog/power.yaml`, see `power_fit`); that of an idle accelerator and of
hosts rests on stated assumptions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, ValidationError, model_validator

from infra_advisor.errors import CatalogError
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.fact import Record
from infra_advisor.facts.files import explain
from infra_advisor.physics.energy import accelerator_draw_w
from infra_advisor.search.busy import Busy, busy
from infra_advisor.search.calibration import Band
from infra_advisor.search.conformal import combined
from infra_advisor.search.deployments import Column

if TYPE_CHECKING:
    from infra_advisor.physics.serving import Served
    from infra_advisor.search.fleet import Fleets

HOSTS = {
    1: "workstation_host_1_card_power_w",
    2: "workstation_host_2_cards_power_w",
    4: "workstation_host_4_cards_power_w",
    8: "server_host_8_cards_power_w",
}
"""Most cards in a host -> the assumption that states its rated power."""
USED = ("power_idle_share", "power_draw_share", "server_host_power_share", "host_pc_power_w", *HOSTS.values())
"""Assumptions that power rests on."""


class Errors(Record):
    """Of predicted over measured power, in log, where chips or models were left out of the fit."""

    median: float = Field(ge=0)
    p90: float = Field(ge=0)
    constant_median: float = Field(ge=0)
    """Of one constant share, fitted likewise."""
    constant_p90: float = Field(ge=0)


class PowerCurve(Record):
    """How much of its rated power an accelerator draws; see `physics.energy.accelerator_draw_w`."""

    source: str
    rows: int = Field(ge=1)
    chips: Mapping[str, int]
    """Chip -> measured points."""
    device_classes: tuple[str, ...]
    """Classes of which a chip was measured."""
    serving_level: float = Field(gt=0, lt=1)
    kernel_gain: float = Field(ge=0, le=1)
    compute_gain: float = Field(ge=0, le=1)
    band: Band
    """90 % band as factors on the prediction, for a chip or a model that was not measured."""
    errors: Mapping[str, Errors]
    """What was left out (chip, model) -> errors."""

    @model_validator(mode="after")
    def _contains_the_prediction(self) -> "PowerCurve":
        if not 0.0 < self.band[0] <= 1.0 <= self.band[1]:
            raise ValueError("band must run from a factor below 1 to one above")
        return self


@dataclass(frozen=True)
class PowerModel:
    """The fitted curve and the assumptions beside it."""

    curve: PowerCurve
    given: Mapping[str, float]
    """Assumption -> value, for every name in `USED`."""

    @property
    def idle_level(self) -> float:
        """Power with a model loaded and no request, of the rated power; never above that while serving."""
        return min(self.given["power_idle_share"], self.curve.serving_level)

    def draw_w(self, rated_w: Column, of: Busy) -> Column:
        """Power of one accelerator of each deployment. [W]"""
        drawn: Column = accelerator_draw_w(
            rated_w=rated_w,
            serving_share=of.serving,
            kernel_share=of.kernels,
            compute_share=of.computing,
            idle_level=self.idle_level,
            serving_level=self.curve.serving_level,
            kernel_gain=self.curve.kernel_gain,
            compute_gain=self.curve.compute_gain,
        )
        return drawn


@dataclass(frozen=True, eq=False)
class ChipPower:
    """What a chip and the host around it draw. Only for chips with a power fact."""

    model: PowerModel
    chip: Chip
    rated_w: float

    @property
    def measured(self) -> bool:
        """Power of a chip of its class was measured."""
        return self.chip.device_class in self.model.curve.device_classes

    @property
    def band(self) -> tuple[float, float]:
        """90 % band as factors on the predicted power of the accelerators; as if off twice where no chip of the class was measured."""
        band = self.model.curve.band
        return band if self.measured else combined(band, band)

    @property
    def idle_w(self) -> float:
        """One accelerator with a model loaded and no request. [W]"""
        return self.rated_w * self.model.idle_level

    def host_w(self, chips: int) -> float:
        """What everything but the accelerators draws in a machine of `chips`, whatever the load. [W]

        0 where the power of the chip is that of the whole box.
        """
        given, chip = self.model.given, self.chip
        if chip.market == "edge" or chip.unified_memory:
            return 0.0
        if chip.market == "datacenter":  # in servers, of which a rented machine may be a part
            joined = chip.link is not None and not chip.link.bridge
            each_w = given["server_host_power_share"] * self.rated_w if joined else given["server_host_8_cards_power_w"] / 8.0
            rated_w = each_w * chips
        elif chip.market == "consumer" and chips == 1:
            rated_w = given["host_pc_power_w"]
        else:
            cards = next((most for most in HOSTS if chips <= most), max(HOSTS))
            rated_w = given[HOSTS[cards]] * max(chips / cards, 1.0)
        return given["power_draw_share"] * rated_w


@dataclass(frozen=True)
class FleetPower:
    """Electric power of every fleet before the overhead of its site; one position per place, nan where unknown. [W]"""

    accelerators_w: Column
    """Accelerators that work, at the load."""
    unused_w: Column
    """Other accelerators of the same machines, spare machines included: idle with a model loaded."""
    host_w: Column
    """Hosts of all machines."""
    idle_w: Column
    """The whole fleet without any request, hosts included."""

    @cached_property
    def machines_w(self) -> Column:
        """All machines of the fleet, at the load."""
        return self.accelerators_w + self.unused_w + self.host_w


def fleet_power_w(fleets: "Fleets", served: "Served | None" = None) -> FleetPower:
    """Electric power of each fleet at its load, or at another; multiply by the PUE of the site for what it takes from the grid."""
    powers = [candidate.software.power for candidate in fleets.candidates]
    model = next((power.model for power in powers if power), None)
    if model is None:
        unknown = np.full(len(powers), np.nan)
        return FleetPower(unknown, unknown, unknown, unknown)
    chips = [candidate.platform.chips for candidate in fleets.candidates]
    hosts = {(power, count): power.host_w(count) if power else np.nan for power, count in set(zip(powers, chips, strict=True))}
    rated_w = np.array([power.rated_w if power else np.nan for power in powers])
    host_w = fleets.machines * np.array([hosts[pair] for pair in zip(powers, chips, strict=True)])
    in_machines = fleets.machines * np.array(chips, dtype=float)
    each_w = model.draw_w(rated_w, busy(fleets.timing, served or fleets.solved.served, open_arrivals=fleets.open_arrivals))
    idle_w = rated_w * model.idle_level
    return FleetPower(
        accelerators_w=fleets.draw_chips * each_w,
        unused_w=np.maximum(in_machines - fleets.draw_chips, 0.0) * idle_w,
        host_w=host_w,
        idle_w=in_machines * idle_w + host_w,
    )


def read_power(raw: Mapping[str, Any], given: Mapping[str, float]) -> PowerModel:
    """The checked model. `given`: values of the assumptions. Raises CatalogError with every problem."""
    if missing := [name for name in USED if name not in given]:
        raise CatalogError([f"assumptions: {name} is missing" for name in missing])
    try:
        return PowerModel(PowerCurve.model_validate(raw), {name: given[name] for name in USED})
    except ValidationError as error:
        raise CatalogError([f"power: {line}" for line in explain(error)]) from error
