"""Words of electricity and carbon."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "rank.carbon": "carbon per million output tokens",
    "best.carbon": "option with the least carbon",
    "col.kwh_mtok": "kWh/Mtok",
    "col.co2_mtok": "gCO2e/Mtok",
    "q.power": "power at the wall",
    "q.electricity": "electricity per million output tokens",
    "q.carbon": "carbon per million output tokens",
    "energy.title": "Electricity and carbon",
    "energy.watts": "{value} W",
    "energy.kwh": "{value} kWh",
    "energy.co2": "{value} gCO2e",
    "energy.wall": "Power at the wall: (accelerators {accelerators} W + hosts {hosts} W) x {pue} (PUE: {source}) = {power} W.",
    "energy.tokens": "Electricity: {speed} tokens/s / {power} W = {joule} tokens/J, {kwh} kWh per million output tokens "
    "(90 % band {low} to {high}).",
    "energy.carbon": "Carbon: {kwh} kWh x {grid} gCO2e/kWh ({source}) = {co2} gCO2e per million output tokens.",
    "energy.provider": "The provider itself states {own} gCO2e/kWh, by another method.",
    "energy.assumed": "No chip of this class has a published power measurement: the curve of the others is taken.",
    "energy.unknown": "{reason}.",
    "energy.figures": "{kwh} kWh and {co2} gCO2e per million output tokens (electricity: 90 % band {low} to {high} kWh).",
    "energy.rows": "Unknown:",
    "energy.row": "{ranks}: {reason}",
    "legend.energy": "kWh/Mtok and gCO2e/Mtok: per million output tokens, at the wall of the site, hosts, unused accelerators and PUE "
    "included; the making of the hardware is not.",
    "assume.power_curve": "{note}",
    "assume.power_idle_share": "accelerators without a request draw {value} of their rated power",
    "assume.server_host_power_share": "hosts of servers are rated at {value} of their accelerators",
}
