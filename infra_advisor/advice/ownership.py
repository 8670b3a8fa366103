"""What owning a machine costs, charge by charge, and how bare cards become machines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from infra_advisor.advice.charges import Charge, Tariff
from infra_advisor.errors import CatalogError, UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.market import rates_on
from infra_advisor.facts.purchases import Assumption, HostingFigure, Metric, PurchaseOption, default_figure
from infra_advisor.physics.cost import MONTHS_PER_YEAR, capital_usd_per_month, write_off_usd_per_month

LEAST_CAPITAL_RATE = 1e-6
"""Per year. The annuity formula needs a rate above zero; what is less than this is none."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine to buy."""

    chips: int
    price_usd: Decimal
    """Of the accelerators, or of the whole where it is sold as one."""
    host_usd: Decimal = Decimal(0)
    """Of the host around bare cards."""
    item: str
    notes: tuple[str, ...] = ()

    @property
    def total_usd(self) -> float:
        """Price of the machine. [USD]"""
        return float(self.price_usd + self.host_usd)


def owned_tariff(
    catalog: Catalog, chip: Chip, machine: Machine, *, class_: str, country: str | None, system_power_w: float | None, paid: bool = False
) -> Tariff:
    """Write-off, capital, operations, electricity, space and network of one machine.

    Servers stand in colocation; everything else in the buyer's own room, where only power is counted. Servers and workstations are kept
    by staff. `paid`: bought before, so that hardware costs nothing more.
    """
    given = catalog.assumptions
    server = class_ == "onprem"
    kept_by_staff = server or chip.market == "workstation"
    share = _value(given, "operations_per_year" if kept_by_staff else "edge_operations_per_year")
    fixed = [*_hardware(given, machine, server=server, paid=paid)]
    if paid or not share:
        fixed.append(
            Charge(name="operations", unit="machine-months", note="the machine is paid for" if paid else "nobody is paid to keep it")
        )
    else:
        note = f"{share:.0%} of the price a year: people, spares, repair"
        fixed.append(_monthly("operations", machine.total_usd * share / MONTHS_PER_YEAR, note))
    rated_w = rated_power_w(chip, machine.chips, given, server=server, system_power_w=system_power_w)
    space = _space(catalog, rated_w, country) if server else Charge(name="space", unit="kW-months", note="stands in the buyer's own room")
    fixed.append(space)
    running = [*_power(catalog, rated_w, country, server=server), *_included(given, server=server)]
    return Tariff(charges=(*fixed, _spare(fixed), *running), pays_power=rated_w is not None)


def _hardware(given: Mapping[str, Assumption], machine: Machine, *, server: bool, paid: bool) -> Iterator[Charge]:
    if paid:
        for name in ("hardware", "host", "resale", "cost of capital"):
            yield Charge(name=name, unit="machine-months", note="the machine is paid for")
        return
    years = _value(given, "amortisation_datacenter_years" if server else "amortisation_edge_years")
    rate = _value(given, "cost_of_capital_per_year")
    price_usd, host_usd = float(machine.price_usd), float(machine.host_usd)
    residual_usd = machine.total_usd * _value(given, "residual_share")
    over = f"over {years * MONTHS_PER_YEAR:g} months"
    yield _monthly("hardware", write_off_usd_per_month(price_usd=price_usd, years=years), f"{_usd(price_usd)} {over}")
    if host_usd:
        yield _monthly("host", write_off_usd_per_month(price_usd=host_usd, years=years), f"{_usd(host_usd)} {over}")
    else:
        yield Charge(name="host", unit="machine-months", note="in the price of the machine")
    if residual_usd:
        back = write_off_usd_per_month(price_usd=residual_usd, years=years)
        yield _monthly("resale", -back, f"{_usd(residual_usd)} come back {over}")
    else:
        yield Charge(name="resale", unit="machine-months", note="nothing is counted on")
    if rate < LEAST_CAPITAL_RATE:
        yield Charge(name="cost of capital", unit="machine-months", note="none is counted")
        return
    capital = capital_usd_per_month(price_usd=machine.total_usd, residual_usd=residual_usd, years=years, capital_rate=rate)
    yield _monthly("cost of capital", capital, f"{rate:.1%} a year on {_usd(machine.total_usd)}, paid off in {years:g} years")


def _usd(amount: float) -> str:
    """To the cent, so that a price in another currency can be told from it."""
    return f"{amount:,.2f}".removesuffix(".00") + " USD"


def _monthly(name: str, usd: float, note: str) -> Charge:
    return Charge(name=name, unit="machine-months", usd=usd, driver="machines", note=note)


def _spare(fixed: list[Charge]) -> Charge:
    """A machine that stands by costs all that does not depend on use."""
    usd = sum(charge.usd * charge.each for charge in fixed)
    note = "all of the lines above for a machine that stands by"
    return Charge(name="spare machines", unit="machine-months", usd=usd, driver="spare_machines", note=note, none_used="none asked for")


def _space(catalog: Catalog, rated_w: float | None, country: str | None) -> Charge:
    if rated_w is None:
        return Charge(name="space", unit="kW-months", note="unknown, left out: no power figure of this machine")
    usd, said = _hosting_usd(catalog, "colocation", "colocation_usd_per_kw_month", country)
    return Charge(
        name="space", unit="kW-months", usd=usd, driver="machines", each=rated_w / 1000.0, note=f"colocation by rated power: {said}"
    )


def _power(catalog: Catalog, rated_w: float | None, country: str | None, *, server: bool) -> Iterator[Charge]:
    if rated_w is None:
        yield Charge(name="power", unit="kWh", note="unknown, left out: no power figure of this machine")
        yield Charge(name="cooling and losses", unit="kWh", note="unknown, left out: no power figure of this machine")
        return
    usd, said = _hosting_usd(catalog, "electricity", "electricity_usd_per_kwh", country)
    yield Charge(name="power", unit="kWh", usd=usd, driver="kwh", note=said)
    overhead = _value(catalog.assumptions, "colocation_pue" if server else "edge_pue") - 1.0
    if overhead > 0.0:
        note = f"PUE {overhead + 1.0:g}"
        yield Charge(name="cooling and losses", unit="kWh", usd=usd, driver="kwh", each=overhead, note=note)
    else:
        yield Charge(name="cooling and losses", unit="kWh", note="not counted in an own room: PUE 1")


def _included(given: Mapping[str, Assumption], *, server: bool) -> Iterator[Charge]:
    network = _value(given, "onprem_network_usd_per_month")
    if server and network:
        yield Charge(name="network", unit="site-months", usd=network, driver="sites", note="line to the site; traffic is in it")
    else:
        yield Charge(name="network", unit="site-months", note="shares the line that is there")
    for name, unit, note in (
        ("idle hours", "machine-hours", "what is owned costs the same whether it serves or not: in the lines above"),
        ("storage of weights", "GB-months", "on the machine's own disks"),
        ("egress", "GB", "in the line of the site"),
        ("load balancer", "balancer-months", "runs on the machines"),
        ("support", "USD of the bill", "in the operations"),
    ):
        yield Charge(name=name, unit=unit, note=note)


def machines_of(option: PurchaseOption, chip: Chip, price_usd: Decimal, given: Mapping[str, Assumption]) -> Iterator[Machine]:
    """The machines one purchase makes: itself, or bare cards in stated hosts.

    Boards that need their own baseboard (SXM, OAM) are not sold singly: they come in servers.
    """
    if option.includes_host or option.category in ("edge", "desktop"):
        yield Machine(chips=option.chips, price_usd=price_usd, item=option.item)
        return
    baseboard = (chip.form_factor or "").upper().startswith(("SXM", "OAM", "SUPERCHIP"))
    if baseboard or (chip.link is not None and not chip.link.bridge and chip.market == "datacenter"):
        return
    host = "host_pc_usd" if chip.market == "consumer" else "workstation_host_1_card_usd"
    hosts = [(1, host), (2, "workstation_host_2_cards_usd"), (4, "workstation_host_4_cards_usd")]
    if chip.market == "datacenter":
        hosts.append((8, "server_host_8_cards_usd"))
    for cards, name in hosts:
        yield Machine(
            chips=cards,
            price_usd=price_usd * cards / option.chips,
            host_usd=given[name].value,
            item=f"{cards}x {chip.name} in a host",
            notes=(f"host of {given[name].value:,} USD assumed ({name})",),
        )


def rated_power_w(chip: Chip, chips: int, given: Mapping[str, Assumption], *, server: bool, system_power_w: float | None) -> float | None:
    """Rated power of one machine: as its seller states it, else of its accelerators and the host around them; None = unknown. [W]"""
    if system_power_w:
        return system_power_w
    if chip.power is None:
        return None
    name, count = host_power(chip, chips, server=server)
    return chip.power.value * chips + (count * _value(given, name) if name else 0.0)


def host_power(chip: Chip, chips: int, *, server: bool) -> tuple[str | None, int]:
    """(assumption, how many times): rated power of the machine beside its accelerators; no name where theirs is that of the whole."""
    if chip.market == "edge" or chip.unified_memory:
        return None, 0
    if server and chip.link is not None and not chip.link.bridge:
        return "hgx_host_power_w_per_chip", chips
    if chips >= 8:
        return "server_host_8_cards_power_w", 1
    if chip.market == "consumer" and chips == 1:
        return "host_pc_power_w", 1
    by_cards = {1: "workstation_host_1_card_power_w", 2: "workstation_host_2_cards_power_w"}
    return by_cards.get(chips, "workstation_host_4_cards_power_w"), 1


def _value(given: Mapping[str, Assumption], name: str) -> float:
    return float(given[name].value)


def _hosting_usd(catalog: Catalog, metric: Metric, assumed: str, country: str | None) -> tuple[float, str]:
    """(price in USD, where it comes from): what the question assumes, else the default of the country."""
    if (given := catalog.assumptions.get(assumed)) is not None:
        return float(given.value), f"{given.value} {given.unit}, as assumed"
    figure = default_figure(catalog.hosting, metric, country)
    if figure is None:
        raise CatalogError([f"hosting: no default price of {metric}; give one line without a country, or --assume {assumed}=..."])
    return hosting_usd(
        catalog, figure
    ), f"{figure.place or figure.country or 'world'}, {figure.value} {figure.currency or 'USD'} {figure.unit}"


def hosting_usd(catalog: Catalog, figure: HostingFigure) -> float:
    """A price of power or space in USD on the day. [USD per unit of the figure]"""
    rates = rates_on(catalog.exchange_rates, catalog.as_of.isoformat())
    currency = figure.currency or "USD"
    if currency not in rates:
        raise UsageError(f"no exchange rate for {currency} on {catalog.as_of}, in which {figure.id} is priced; choose a later --as-of")
    return float(figure.value / rates[currency])
