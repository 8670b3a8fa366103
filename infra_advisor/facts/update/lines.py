"""A price read -> a line of offers.csv, under the id that the catalog already gives that offer."""

from decimal import Decimal

from infra_advisor.facts.market import Node, Offer, PriceKind
from infra_advisor.facts.update.feed import Known


def offer_line(
    known: Known,
    node: Node,
    region: str,
    price_kind: PriceKind,
    per_h: Decimal,
    *,
    currency: str = "USD",
    tax_included: bool | None = None,
    source: str,
) -> Offer:
    """One line as of `known.day`; `per_h` in `currency` for the whole instance. Raises ValueError where it is no offer."""
    line = known.offers.get((node.id, region, price_kind))
    suffix = "" if price_kind == "on-demand" else f"-{price_kind}"
    fields = {
        "id": line.id if line else f"{node.id}-{region}{suffix}",
        "node": node.id,
        "provider": node.provider,
        "region": region,
        "country": known.regions.get((node.provider, region)),
        "price_kind": price_kind,
        "currency": currency,
        "per_h": per_h,
        "from": known.day,
        "seen": known.day,
        "tax_included": tax_included,
        "source": source,
    }
    return Offer.model_validate(fields)
