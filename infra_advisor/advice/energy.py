"""Energy and carbon of an answer: power at the wall, electricity and carbon per million output tokens, with their band."""

import math

from infra_advisor.advice.parts import Assumption, Energy
from infra_advisor.advice.rows import Row
from infra_advisor.advice.site import Site
from infra_advisor.facts.catalog import Catalog
from infra_advisor.physics.energy import gco2e_per_mtok, kwh_per_mtok, tokens_per_joule, wall_power_w
from infra_advisor.search.calibration import Bands
from infra_advisor.search.conformal import combined
from infra_advisor.search.fleet import Fleets
from infra_advisor.search.power import read_power

STATED = ("power_idle_share", "server_host_power_share", "power_draw_share")
"""Assumptions that are stated where the ranking rests on power."""


def energy_of(fleets: Fleets, row: Row, site: Site, bands: Bands) -> Energy:
    """Of one row's fleet at its load. `bands`: of the throughput that the power is divided by."""
    place, power = row.place, fleets.candidates[row.place].software.power
    stands = Energy.model_validate(vars(site))
    if power is None:
        chip = fleets.candidates[place].platform.chip
        return stands.model_copy(update={"reason": f"energy unknown: the catalog has no power of {chip}"})
    working, unused, host = (float(column[place]) for column in (fleets.power.accelerators_w, fleets.power.unused_w, fleets.power.host_w))
    drawn_w = float(wall_power_w(accelerators_w=working + unused, host_w=host, facility_overhead=site.pue))
    per_joule = float(tokens_per_joule(output_tokens_per_s=float(fleets.output_tokens_per_s[place]), power_w=drawn_w))
    kwh = float(kwh_per_mtok(tokens_per_joule=per_joule))
    machines_w = working + unused + host
    off = tuple((working * factor + unused + host) / machines_w for factor in power.band)
    low, high = combined((off[0], off[1]), (1.0 / bands.throughput[1], 1.0 / bands.throughput[0]))
    grid = site.grid_gco2e_per_kwh
    figures = Energy(
        power_w=drawn_w,
        accelerators_w=working + unused,
        host_w=host,
        power_measured=power.measured,
        tokens_per_joule=per_joule,
        kwh_per_mtok_output=kwh,
        kwh_per_mtok_output_low=kwh * low,
        kwh_per_mtok_output_high=kwh * high,
        gco2e_per_mtok_output=None if grid is None else float(gco2e_per_mtok(kwh_per_mtok=kwh, gco2e_per_kwh=grid)),
    )
    return stands.model_copy(update=figures.model_dump(exclude_unset=True))


def power_assumptions(catalog: Catalog) -> list[Assumption]:
    """What electricity rests on: the fitted curve with its error, and the shares beside it."""
    curve = read_power(catalog.power, {name: float(one.value) for name, one in catalog.assumptions.items()}).curve
    off = curve.errors["chip"]
    note = (
        f"power of accelerators by how busy they are, fitted to {curve.rows:,} measurements: "
        f"off by {off.median * 100:.0f} % in the middle and {off.p90 * 100:.0f} % in one of ten on a chip it did not see"
    )
    found = [Assumption(name="power_curve", value=curve.rows, origin="catalog", note=note)]
    for name in STATED:
        given = catalog.assumptions[name]
        note = f"{given.unit}; source {', '.join(given.source)}"
        found.append(Assumption(name=name, value=float(given.value), origin="catalog", note=note))
    return found


def ranks_last(row: Row) -> bool:
    """True where the figure that the rows are ordered by is unknown."""
    return math.isinf(row.key[0])
