"""The dated rate by which amounts in another currency than USD are read and shown."""

from infra_advisor.advice.option import age_d
from infra_advisor.advice.parts import CurrencyPart
from infra_advisor.errors import UsageError, near_names
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.market import newest_rates

BASE = "USD"
BELIEVED_D = 30
"""Days for which a rate is believed; an older one is marked. The yen of the catalog moved by 2.5 % in 19 days of September 2026."""


def rate_of(catalog: Catalog, code: str, option: str = "--currency") -> CurrencyPart | None:
    """The newest rate of a currency not after the catalog's day; None for USD. Raises UsageError naming the option."""
    if code == BASE:
        return None
    rate = newest_rates(catalog.exchange_rates, catalog.as_of.isoformat()).get(code)
    if rate is None:
        raise UsageError(f"{option}: {_why_none(catalog, code)}")
    age = age_d(rate.day, catalog.as_of)
    source = catalog.sources("hosting").get(rate.source, {})
    return CurrencyPart(
        code=code,
        per_usd=float(rate.per_usd),
        day=rate.day,
        age_d=age,
        source=str(source.get("title", rate.source)),
        source_id=rate.source,
        marks=("stale",) if age > BELIEVED_D else (),
        consumption_tax_share=float(catalog.assumptions["consumption_tax_jp_share"].value) if code == "JPY" else None,
    )


def _why_none(catalog: Catalog, code: str) -> str:
    days = [rate.day for rate in catalog.exchange_rates if rate.currency == code]
    if days:
        known = f"no rate of {code} is known on {catalog.as_of}, the first is of {min(days)}"
        return f"{known}; take a later --as-of, or add a dated rate to exchange_rates.csv of your own layer (--catalog)"
    codes = sorted({BASE, *(rate.currency for rate in catalog.exchange_rates)})
    near = [name.upper() for name in near_names(code, [known.lower() for known in codes])]
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    add = "add a dated rate to exchange_rates.csv of your own layer (--catalog)"
    return f"no rate of {code!r} is in the catalog; accepted: {', '.join(codes)}, or {add}.{hint}"
