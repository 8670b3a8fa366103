"""What a careful reader of an answer should be told in words."""

from collections.abc import Iterator, Sequence

from infra_advisor.advice.answer import Answer
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.places import AGE_ASSUMPTION


def warnings(catalog: Catalog, ranked: Sequence[Answer], *, load_stated: bool) -> Iterator[str]:
    """About the winner: what an unstated load hides, how old its price is, and whether it can be had."""
    if not ranked:
        return
    winner = ranked[0]
    if not load_stated and winner.performance.max_concurrency:
        most = f"{winner.performance.max_concurrency:,.0f} requests in flight"
        yield f"No load was given, which favours large machines: the first answer carries up to {most}. Size it with --users or --rate."
    allowed = price_age_limit_d(catalog, winner)
    age = winner.offer.price_age_d
    which = "the first answer" if len(ranked) > 1 else "this answer"
    if allowed is not None and age is not None and age > allowed:
        seen = f"The price of {which} was last seen {age} days ago ({winner.offer.price_date})"
        yield f"{seen}; prices of this kind are believed for {allowed:.0f} days."
    provider = catalog.providers.get(winner.offer.provider)
    if winner.hardware.class_ == "cloud" and provider is not None and provider.lists_every_region:
        yield f"{provider.name} lists every machine in every region: ask whether {which} can be had where you need it."


def price_age_limit_d(catalog: Catalog, answer: Answer) -> float | None:
    """Days for which a price of this kind is believed, by kind of seller."""
    if answer.hardware.class_ == "api":
        name = "price_age_api_days"
    elif answer.hardware.class_ in ("onprem", "edge"):
        name = "price_age_purchase_days"
    else:
        provider = catalog.providers.get(answer.offer.provider)
        name = AGE_ASSUMPTION.get(provider.kind if provider else "cloud", "price_age_cloud_days")
    return float(catalog.assumptions[name].value)
