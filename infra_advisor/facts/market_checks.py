"""Checks across the market tables: each takes records and returns one line per problem, all of them at once."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal

from infra_advisor.errors import did_you_mean
from infra_advisor.facts.api_offers import ApiOffer
from infra_advisor.facts.market import ExchangeRate, Node, Offer, rates_on
from infra_advisor.facts.places import Provider, Region, Residency
from infra_advisor.facts.purchases import Assumption, HostingFigure, Metric, Purchase

CHIP_HOUR_USD = (Decimal("0.01"), Decimal(40))
"""Believable price of one accelerator-hour; offers flagged `outlier` are let through."""
TOKEN_USD_PER_MTOK = (Decimal("0.001"), Decimal(1_000))
"""Believable price of a million tokens, of any kind and model; lines flagged `outlier` are let through."""
PER_USD = (Decimal("0.0001"), Decimal(1_000_000))
"""Believable units of a currency per USD."""
PRICE_JUMP = Decimal(3)
"""A price that a list multiplies or divides by more than this at once is rather misread than changed."""
RATE_CHANGE = Decimal("0.3")
"""Likewise the share by which an exchange rate changes between two readings."""
SMALLEST_WHOLE_CHIP_SHARE = 0.05
SPOT_TOLERANCE = Decimal("1.05")
RESERVED_TOLERANCE = Decimal("1.001")
PRICE_USD: Mapping[str, tuple[int, int]] = {
    "board": (500, 150_000),
    "workstation-card": (100, 30_000),
    "consumer-card": (50, 10_000),
    "edge": (20, 15_000),
    "desktop": (300, 30_000),
    "workstation": (1_000, 100_000),
    "server": (5_000, 1_500_000),
    "rack": (500_000, 10_000_000),
    "server-lease": (10_000, 1_500_000),
    "capex-estimate": (1_000, 300_000),
}
"""Believable price of the whole item, per category."""
FIGURE_BAND: Mapping[tuple[Metric, str], tuple[float, float]] = {
    ("electricity", "per kWh"): (0.01, 1.0),
    ("electricity-levy", "per kWh"): (0.001, 0.5),
    ("pue", "ratio"): (1.0, 3.0),
    ("colocation", "per kW-month"): (20, 1_500),
    ("colocation-rack", "per month"): (20, 20_000),
    ("grid-carbon", "gCO2e/kWh"): (1, 1_500),
}
"""Money bands are USD."""


def check_offers(
    offers: Sequence[Offer],
    nodes: Iterable[Node],
    regions: Iterable[Region],
    provider_ids: Collection[str],
    rates: Iterable[ExchangeRate],
    day: str,
) -> list[str]:
    """Lines unique, node, place, provider and currency known, prices in band, spot and reserved below on-demand, no date after `day`."""
    known_nodes = {node.id: node for node in nodes}
    places = {(region.provider, region.id): region for region in regions}
    per_usd = rates_on(list(rates), day)
    problems = _repeated("offer", (f"{offer.id} from {offer.from_}" for offer in offers))
    node_of: dict[str, str] = {}
    for offer in offers:
        where = f"offer {offer.id}"
        node = known_nodes.get(offer.node)
        if node is None:
            problems.append(f"{where}: unknown node {offer.node}.{did_you_mean(offer.node, known_nodes)}")
        elif node.provider != offer.provider:
            problems.append(f"{where}: node {offer.node} belongs to {node.provider}, not {offer.provider}")
        if node_of.setdefault(offer.id, offer.node) != offer.node:
            problems.append(f"{where}: its lines name different nodes")
        if offer.provider not in provider_ids:
            problems.append(f"{where}: unknown provider {offer.provider}.{did_you_mean(offer.provider, provider_ids)}")
        place = places.get((offer.provider, offer.region))
        if place is None:
            problems.append(f"{where}: {offer.provider} has no region {offer.region}")
        elif place.country != offer.country:
            problems.append(f"{where}: country {offer.country}, but region {offer.region} is in {place.country}")
        if offer.currency not in per_usd:
            problems.append(f"{where}: no exchange rate for {offer.currency} on {day}")
        elif node is not None:
            problems += _price_problems(where, offer, node.chips, per_usd[offer.currency])
        problems += _date_problems(where, offer.from_, offer.seen, day)
    return problems


def _price_problems(where: str, offer: Offer, chips: float, per_usd: Decimal) -> list[str]:
    problems = []
    prices = [price for price in (offer.per_h, offer.spot_per_h, offer.reserved_1y_per_h, offer.reserved_3y_per_h) if price is not None]
    if not prices:
        return [f"{where}: no price at all"]
    low, high = CHIP_HOUR_USD
    for price in prices:
        per_chip_usd = price / per_usd / Decimal(str(chips))
        if offer.flag != "outlier" and not low <= per_chip_usd <= high:
            problems.append(
                f"{where}: {per_chip_usd:.3f} USD per accelerator-hour is outside {low} to {high}; flag it outlier if it is true"
            )
    if offer.per_h is not None:
        if offer.spot_per_h is not None and offer.spot_per_h > offer.per_h * SPOT_TOLERANCE:
            problems.append(f"{where}: spot {offer.spot_per_h} is above on-demand {offer.per_h}")
        for term, reserved in (("1 year", offer.reserved_1y_per_h), ("3 years", offer.reserved_3y_per_h)):
            if reserved is not None and reserved > offer.per_h * RESERVED_TOLERANCE:
                problems.append(f"{where}: reserved for {term} {reserved} is above on-demand {offer.per_h}")
    return problems


def check_nodes(nodes: Sequence[Node], chip_ids: Collection[str], provider_ids: Collection[str]) -> list[str]:
    """Ids unique, chip and provider known, sizes in order, and no multi-instance replica without a documented link."""
    problems = _repeated("node", (node.id for node in nodes))
    for node in nodes:
        where = f"node {node.id}"
        if node.chip not in chip_ids:
            problems.append(f"{where}: unknown accelerator {node.chip}.{did_you_mean(node.chip, chip_ids)}")
        if node.provider not in provider_ids:
            problems.append(f"{where}: unknown provider {node.provider}.{did_you_mean(node.provider, provider_ids)}")
        if node.chips < SMALLEST_WHOLE_CHIP_SHARE or (node.chips > 1 and node.chips != int(node.chips)):
            problems.append(f"{where}: {node.chips} accelerators is neither a whole number nor a share of one card")
        if list(node.sizes) != sorted(set(node.sizes)) or any(size % node.chips for size in node.sizes):
            problems.append(f"{where}: sizes {node.sizes} must ascend and be multiples of {node.chips:g}")
        domain_known = node.fabric == "ici" or node.scale_up_chips > node.chips or node.max_chips == node.chips
        if node.scalable and node.nic_gbit_per_s is None and not domain_known:
            problems.append(f"{where}: scalable needs a documented network or a scale-up domain beyond the instance")
        largest = max(node.rentable_chips)
        if node.scale_up_chips > max(1, largest) and not node.scalable:
            problems.append(f"{where}: {node.scale_up_chips} accelerators in one fabric, but at most {largest:g} can be rented together")
    return problems


def check_places(regions: Sequence[Region], providers: Mapping[str, Provider]) -> list[str]:
    """(provider, region) unique, providers known, price-list keys owned once."""
    problems = _repeated("region", (f"{region.provider}/{region.id}" for region in regions))
    for region in regions:
        if region.provider not in providers:
            problems.append(f"region {region.id}: unknown provider {region.provider}.{did_you_mean(region.provider, providers)}")
        if region.carbon_g_per_kwh is not None and region.country is None:
            problems.append(f"region {region.provider}/{region.id}: carbon without a country")
    problems += _repeated("price list key", (key for provider in providers.values() for key in provider.price_list_ids))
    return problems


def check_purchases(purchases: Sequence[Purchase], chip_ids: Collection[str], rates: Iterable[ExchangeRate], day: str) -> list[str]:
    """Ids unique, chip and currency known, prices in the band of their category, no date after `day`."""
    per_usd = rates_on(list(rates), day)
    problems = _repeated("purchase", (line.id for line in purchases))
    for line in purchases:
        where = f"purchase {line.id}"
        if line.chip not in chip_ids:
            problems.append(f"{where}: unknown accelerator {line.chip}.{did_you_mean(line.chip, chip_ids)}")
        if line.currency not in per_usd:
            problems.append(f"{where}: no exchange rate for {line.currency} on {day}")
        elif line.price is not None:
            low, high = PRICE_USD[line.category]
            price_usd = line.price / per_usd[line.currency]
            if not low <= price_usd <= high:
                problems.append(f"{where}: {price_usd:,.0f} USD is outside {low:,} to {high:,} for a {line.category}")
        if line.device_power_w and line.system_power_w and line.system_power_w < line.device_power_w:
            problems.append(f"{where}: the system draws {line.system_power_w:g} W, less than its device with {line.device_power_w:g} W")
        problems += _date_problems(where, line.from_, line.seen, day)
    return problems


def check_hosting(figures: Sequence[HostingFigure], rates: Iterable[ExchangeRate], day: str) -> list[str]:
    """Ids unique, money with a known currency, values in band, at most one default per metric and country."""
    per_usd = rates_on(list(rates), day)
    problems = _repeated("hosting figure", (figure.id for figure in figures))
    defaults = (f"{figure.metric} in {figure.country or 'any country'}" for figure in figures if figure.default)
    problems += _repeated("default of", defaults)
    for figure in figures:
        where = f"hosting figure {figure.id}"
        band = FIGURE_BAND.get((figure.metric, figure.unit))
        if figure.currency is not None and figure.currency not in per_usd:
            problems.append(f"{where}: no exchange rate for {figure.currency} on {day}")
        elif band is not None:
            value = float(figure.value / (per_usd[figure.currency] if figure.currency else 1))
            if not band[0] <= value <= band[1]:
                problems.append(f"{where}: {value:g} is outside {band[0]:g} to {band[1]:g}")
        problems += _date_problems(where, figure.from_ or figure.seen, figure.seen, day)
    return problems


def check_api_offers(offers: Sequence[ApiOffer], providers: Mapping[str, Provider], model_ids: Collection[str], day: str) -> list[str]:
    """(id, from) unique, operator owns the price-list key, model known, cached and batch input not above list."""
    operator_of = {key: provider.id for provider in providers.values() for key in provider.price_list_ids}
    problems = _repeated("API price", (f"{offer.id} from {offer.from_}" for offer in offers))
    for offer in offers:
        where = f"API price {offer.id}"
        if operator_of.get(offer.provider) != offer.operator:
            problems.append(f"{where}: {offer.provider} is no price list of {offer.operator}")
        if offer.model is not None and offer.model not in model_ids:
            problems.append(f"{where}: unknown model {offer.model}.{did_you_mean(offer.model, model_ids)}")
        list_price = offer.input_per_mtok
        for name in ("cached_input_per_mtok", "batch_input_per_mtok"):
            price = getattr(offer, name)
            if list_price is not None and price is not None and price > list_price and offer.flag is None:
                problems.append(f"{where}: {name} {price} is above the list price {list_price}")
        problems += _date_problems(where, offer.from_, offer.seen, day)
    return problems


def check_token_prices(offers: Iterable[ApiOffer], per_usd: Mapping[str, Decimal]) -> list[str]:
    """Prices of tokens in band; `per_usd` from `rates_on`."""
    problems = []
    low, high = TOKEN_USD_PER_MTOK
    for offer in offers:
        if offer.currency not in per_usd:
            problems.append(f"API price {offer.id}: no exchange rate for {offer.currency}")
        elif offer.flag != "outlier":
            prices = {name: value for name, value in offer if name.endswith("_per_mtok") and value is not None}
            wrong = [(name, usd) for name, value in prices.items() if not low <= (usd := value / per_usd[offer.currency]) <= high]
            problems += [f"API price {offer.id}: {name} {usd:f} USD is outside {low} to {high:,}" for name, usd in wrong]
    return problems


def check_sources(kind: str, records: Iterable[object], source_ids: Collection[str]) -> list[str]:
    """Each `source` (one id, several with blanks between, or a tuple) names known sources."""
    problems = []
    for record in records:
        named = getattr(record, "source", ())
        for source in named.split() if isinstance(named, str) else named:
            if source not in source_ids:
                name = getattr(record, "id", getattr(record, "name", ""))
                problems.append(f"{kind} {name}: unknown source {source}.{did_you_mean(source, source_ids)}")
    return problems


def check_place_sources(providers: Iterable[Provider], residency: Residency, source_ids: Collection[str]) -> list[str]:
    """Sources of providers, of their attestations and of residency rules are known."""
    problems = check_sources("residency rule", residency.rules, source_ids)
    for provider in providers:
        problems += check_sources("provider", [provider], source_ids)
        problems += check_sources(f"attestation of {provider.id}", provider.attestations, source_ids)
    return problems


def check_assumptions(assumptions: Mapping[str, Assumption], source_ids: Collection[str]) -> list[str]:
    """Shares lie between 0 and 1 and sources are known."""
    problems = []
    for name, assumption in assumptions.items():
        if assumption.unit.startswith("share") and not 0 <= assumption.value <= 1:
            problems.append(f"assumption {name}: a share lies between 0 and 1, not {assumption.value}")
        problems += [f"assumption {name}: unknown source {source}" for source in assumption.source if source not in source_ids]
    return problems


def _date_problems(where: str, start: str, seen: str, day: str) -> list[str]:
    problems = [f"{where}: {name} {date} is after {day}" for name, date in (("from", start), ("seen", seen)) if date > day]
    if seen < start:
        problems.append(f"{where}: seen {seen} before it starts on {start}")
    return problems


def _repeated(kind: str, names: Iterable[str]) -> list[str]:
    return [f"{kind} {name} appears {count} times" for name, count in Counter(names).items() if count > 1]
