"""Money per hour of what is owned, and money per token of what runs."""

from infra_advisor.physics.elementwise import Number

HOURS_PER_YEAR = 8760.0
TOKENS_PER_MTOK = 1e6


def annuity_share(*, years: Number, capital_rate: Number) -> Number:
    """Part of a price to be paid each year so that price and interest are paid off after `years`. [1/year]

    r / (1 - (1+r)^-n); `capital_rate` above zero.
    """
    return capital_rate / (1.0 - (1.0 + capital_rate) ** (-years))


def owned_usd_per_h(*, price_usd: Number, residual_share: Number, years: Number, capital_rate: Number) -> Number:
    """Hourly cost of owning hardware, used or idle: the annuity of the price less the present value of what it sells for. [USD/h]"""
    residual_now_usd = price_usd * residual_share * (1.0 + capital_rate) ** (-years)
    return (price_usd - residual_now_usd) * annuity_share(years=years, capital_rate=capital_rate) / HOURS_PER_YEAR


def power_usd_per_h(*, power_w: Number, facility_overhead: Number, usd_per_kwh: Number) -> Number:
    """Electricity of the machine and its share of cooling; `facility_overhead` is the PUE. [USD/h]"""
    return power_w / 1000.0 * facility_overhead * usd_per_kwh


def hosting_usd_per_h(*, rated_w: Number, usd_per_kw_month: Number, hours_per_month: Number) -> Number:
    """Colocation, billed by rated power whether used or not. [USD/h]"""
    return rated_w / 1000.0 * usd_per_kw_month / hours_per_month


def usd_per_mtok(*, usd_per_h: Number, tokens_per_s: Number) -> Number:
    """Cost of a million tokens at a throughput. [USD/Mtok]"""
    return usd_per_h / (tokens_per_s * 3600.0) * TOKENS_PER_MTOK
