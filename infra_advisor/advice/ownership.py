"""What owning a machine costs per hour, line by line, and how bare cards become machines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.market import rates_on
from infra_advisor.facts.purchases import Assumption, HostingFigure, PurchaseOption, default_figure
from infra_advisor.physics.cost import HOURS_PER_YEAR, hosting_usd_per_h, owned_usd_per_h, power_usd_per_h


@dataclass(frozen=True)
class Ownership:
    """Hourly cost of an owned machine and its parts; they add up."""

    hardware_usd_per_h: float
    operations_usd_per_h: float
    power_usd_per_h: float
    hosting_usd_per_h: float
    power_w: float | None
    """Drawn while serving; None where no power fact is known, and then power costs are left out and said so."""
    lines: tuple[str, ...]

    @property
    def usd_per_h(self) -> float:
        """All parts."""
        return self.hardware_usd_per_h + self.operations_usd_per_h + self.power_usd_per_h + self.hosting_usd_per_h


def owned_cost(
    catalog: Catalog, chip: Chip, chips: int, price_usd: float, *, class_: str, country: str | None, system_power_w: float | None
) -> Ownership:
    """Annuity, operations, electricity and rack space of one machine. [USD/h]

    Servers stand in colocation; everything else in the buyer's own room, where only power is counted. Servers and workstations
    are kept by staff.
    """
    given = catalog.assumptions
    server = class_ == "onprem"
    years = _value(given, "amortisation_datacenter_years" if server else "amortisation_edge_years")
    rate = _value(given, "cost_of_capital_per_year")
    hardware = owned_usd_per_h(price_usd=price_usd, residual_share=0.0, years=years, capital_rate=rate) if price_usd else 0.0
    kept_by_staff = server or chip.market == "workstation"
    operations_share = _value(given, "operations_per_year" if kept_by_staff else "edge_operations_per_year")
    operations = price_usd * operations_share / HOURS_PER_YEAR
    lines = []
    if price_usd:
        lines.append(f"hardware {price_usd:,.0f} USD over {years:g} years at {rate:.0%} = {hardware:.3f} USD/h")
        if operations:
            lines.append(f"operations {operations_share:.0%} of the price a year = {operations:.3f} USD/h")
    rated_w = system_power_w or _rated_w(chip, chips, given, server=server)
    if rated_w is None:
        lines.append("power: unknown, left out")
        return Ownership(hardware, operations, 0.0, 0.0, None, tuple(lines))
    drawn_w = rated_w * _value(given, "power_draw_share")
    overhead = _value(given, "colocation_pue" if server else "edge_pue")
    electricity = default_figure(catalog.hosting, "electricity", country)
    per_kwh = _usd(catalog, electricity)
    power = power_usd_per_h(power_w=drawn_w, facility_overhead=overhead, usd_per_kwh=per_kwh)
    lines.append(f"power {drawn_w:,.0f} W x {overhead:g} (PUE) x {per_kwh:.3f} USD/kWh = {power:.3f} USD/h")
    hosting = 0.0
    if server:
        space = default_figure(catalog.hosting, "colocation", country)
        per_kw_month = _usd(catalog, space)
        hosting = hosting_usd_per_h(rated_w=rated_w, usd_per_kw_month=per_kw_month, hours_per_month=_value(given, "hours_per_month"))
        lines.append(f"colocation {rated_w / 1000:.2f} kW x {per_kw_month:,.0f} USD/kW-month = {hosting:.3f} USD/h")
    return Ownership(hardware, operations, power, hosting, drawn_w, tuple(lines))


def machines_of(
    option: PurchaseOption, chip: Chip, price_usd: Decimal, given: Mapping[str, Assumption]
) -> Iterator[tuple[int, Decimal, str, tuple[str, ...]]]:
    """(accelerators, price in USD, item, notes) of the machines one purchase makes: itself, or bare cards in stated hosts.

    Boards that need their own baseboard (SXM, OAM) are not sold singly: they come in servers.
    """
    if option.includes_host or option.category in ("edge", "desktop"):
        yield option.chips, price_usd, option.item, ()
        return
    baseboard = (chip.form_factor or "").upper().startswith(("SXM", "OAM", "SUPERCHIP"))
    if baseboard or (chip.link is not None and not chip.link.bridge and chip.market == "datacenter"):
        return
    host = "host_pc_usd" if chip.market == "consumer" else "workstation_host_1_card_usd"
    hosts = [(1, host), (2, "workstation_host_2_cards_usd"), (4, "workstation_host_4_cards_usd")]
    if chip.market == "datacenter":
        hosts.append((8, "server_host_8_cards_usd"))
    for cards, name in hosts:
        note = f"host of {given[name].value:,} USD assumed ({name})"
        yield cards, price_usd * cards / option.chips + given[name].value, f"{cards}x {chip.name} in a host", (note,)


def _rated_w(chip: Chip, chips: int, given: Mapping[str, Assumption], *, server: bool) -> float | None:
    if chip.power is None:
        return None
    board_w = chip.power.value * chips
    if chip.market == "edge" or chip.unified_memory:
        return board_w
    if server and chip.link is not None and not chip.link.bridge:
        return board_w + chips * _value(given, "hgx_host_power_w_per_chip")
    if chips >= 8:
        return board_w + _value(given, "server_host_8_cards_power_w")
    if chip.market == "consumer" and chips == 1:
        return board_w + _value(given, "host_pc_power_w")
    return board_w + _value(
        given, {1: "workstation_host_1_card_power_w", 2: "workstation_host_2_cards_power_w"}.get(chips, "workstation_host_4_cards_power_w")
    )


def _value(given: Mapping[str, Assumption], name: str) -> float:
    return float(given[name].value)


def _usd(catalog: Catalog, figure: HostingFigure | None) -> float:
    if figure is None:
        return 0.0
    rates = rates_on(catalog.exchange_rates, catalog.as_of.isoformat())
    return float(figure.value / rates[figure.currency or "USD"])
