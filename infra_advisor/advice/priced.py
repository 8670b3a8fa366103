"""Everything the limits allow one to rent, buy or use, each as machines of one platform at a price per hour."""

from collections import Counter
from dataclasses import replace

from infra_advisor.advice.bought import bought, owned
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.option import Priced
from infra_advisor.advice.rented import rented
from infra_advisor.advice.site import Sites
from infra_advisor.facts.catalog import Catalog


def priced_options(catalog: Catalog, limits: Limits, excluded: Counter[str]) -> list[Priced]:
    """Everything the limits allow, priced or not; what they exclude is counted by reason."""
    sites = Sites(catalog)
    return [replace(one, site=sites.of(one.class_, one.provider, one.region, one.country)) for one in _options(catalog, limits, excluded)]


def _options(catalog: Catalog, limits: Limits, excluded: Counter[str]) -> list[Priced]:
    if limits.owned is not None:
        return [owned(catalog, limits)]
    found: list[Priced] = []
    if "cloud" in limits.where:
        found += rented(catalog, limits, excluded)
    if "onprem" in limits.where or "edge" in limits.where:
        found += bought(catalog, limits, excluded)
    return found
