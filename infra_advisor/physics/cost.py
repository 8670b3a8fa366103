"""Money per hour of what is owned, and money per token of what runs."""

from infra_advisor.physics.elementwise import Number

HOURS_PER_YEAR = 8760.0
MONTHS_PER_YEAR = 12.0
TOKENS_PER_MTOK = 1e6


def annuity_share(*, years: Number, capital_rate: Number) -> Number:
    """Part of a price to be paid each year so that price and interest are paid off after `years`. [1/year]

    r / (1 - (1+r)^-n); `capital_rate` above zero.
    """
    return capital_rate / (1.0 - (1.0 + capital_rate) ** (-years))


def write_off_usd_per_month(*, price_usd: Number, years: Number) -> Number:
    """The price in equal parts over the months of its life. [USD/month]"""
    return price_usd / (years * MONTHS_PER_YEAR)


def capital_usd_per_month(*, price_usd: Number, residual_usd: Number, years: Number, capital_rate: Number) -> Number:
    """What tying up the money costs beyond the write-off, level over the life. [USD/month]

    The annuity of the price less the present value of the resale, minus the write-off of price less resale; `capital_rate` above zero.
    """
    owed_usd = price_usd - residual_usd * (1.0 + capital_rate) ** (-years)
    payment_usd = owed_usd * annuity_share(years=years, capital_rate=capital_rate) / MONTHS_PER_YEAR
    return payment_usd - write_off_usd_per_month(price_usd=price_usd - residual_usd, years=years)


def usd_per_mtok(*, usd_per_h: Number, tokens_per_s: Number) -> Number:
    """Cost of a million tokens at a throughput. [USD/Mtok]"""
    return usd_per_h / (tokens_per_s * 3600.0) * TOKENS_PER_MTOK
