"""What a careful reader of an answer should be told in words."""

from collections.abc import Iterator, Sequence

from infra_advisor.advice.answer import Answer
from infra_advisor.facts.catalog import Catalog

AGE_ASSUMPTION = {"hyperscaler": "price_age_cloud_days", "marketplace": "price_age_marketplace_days", "neocloud": "price_age_neocloud_days"}


def warnings(catalog: Catalog, ranked: Sequence[Answer]) -> Iterator[str]:
    """About the winner: how sure its speed is, how old its price is, and whether the runner-up can be told apart."""
    if not ranked:
        return
    winner = ranked[0]
    if winner.grade == "D" and winner.performance.ttft_s.mean is not None:
        yield "The first answer rests on the data sheet and class averages (grade D): measure before buying."
    elif winner.grade == "C":
        yield "Speeds are predicted from other devices of the class (grade C), not measured on this one: run a benchmark before signing."
    allowed = price_age_limit_d(catalog, winner)
    age = winner.offer.price_age_d
    if allowed is not None and age is not None and age > allowed:
        seen = f"The price of the first answer was last seen {age} days ago ({winner.offer.price_date})"
        yield f"{seen}; prices of this kind are believed for {allowed:.0f} days."


def price_age_limit_d(catalog: Catalog, answer: Answer) -> float | None:
    """Days for which a price of this kind is believed, by kind of seller."""
    if answer.hardware.class_ == "api":
        name = "price_age_api_days"
    elif answer.hardware.class_ in ("onprem", "edge"):
        name = "price_age_purchase_days"
    else:
        provider = catalog.providers.get(answer.offer.provider)
        name = AGE_ASSUMPTION.get(provider.kind if provider else "", "price_age_cloud_days")
    return float(catalog.assumptions[name].value)
