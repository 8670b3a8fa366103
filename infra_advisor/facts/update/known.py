"""The catalog as the adapters see it."""

from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.differences import in_force
from infra_advisor.facts.market import Offer
from infra_advisor.facts.update.feed import Known


def known(catalog: Catalog) -> Known:
    """What is in force on the day of the catalog. Raises CatalogError."""
    day = catalog.as_of.isoformat()
    offers: dict[tuple[str, str, str], Offer] = {}
    for offer in in_force("offers", catalog.offers, day).values():
        key = (offer.node, offer.region, offer.price_kind)
        if key not in offers or offers[key].from_ < offer.from_:
            offers[key] = offer
    return Known(
        day=day,
        nodes={(node.provider, node.instance_type): node for node in catalog.nodes.values()},
        offers=offers,
        regions={place: region.country for place, region in catalog.regions.items()},
        api_offers={(line.provider, line.api_model): line for line in in_force("api_prices", catalog.api_prices, day).values()},
    )
