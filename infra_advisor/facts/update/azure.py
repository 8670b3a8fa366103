"""Prices of GPU virtual machines from the Azure Retail Prices API, region by region, in pages.

Docs: https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from infra_advisor.facts.update.feed import Feed, Known, Request, Rows
from infra_advisor.facts.update.making import Price, Quotes, day_of, regions_of
from infra_advisor.facts.update.reading import json_object, records_at, text_at

TITLE = "Azure retail prices of virtual machines: Linux; reserved = price of the term / its hours"
URL = "https://prices.azure.com/api/retail/prices?api-version=2023-01-01-preview"
HOST = "https://prices.azure.com/"
ACCELERATED = "Standard_N"
"""All sizes with a GPU start so, and nothing else does."""
LIMIT_BYTES = 20_000_000
HOURS = 8_760
"""Of a year of 365 days, as the API's own calculators divide."""
TERMS: Mapping[str, tuple[Price, int]] = {"1 Year": ("reserved_1y_per_h", HOURS), "3 Years": ("reserved_3y_per_h", 3 * HOURS)}
KEYS = ("armSkuName", "armRegionName", "type", "retailPrice", "currencyCode", "productName")
OTHER_PRODUCTS = ("Windows", "Dedicated", "Cloud Services", "CloudServices")


def requests(known: Known) -> Iterator[Request]:
    """The first page of every region in which the catalog has an offer of Azure."""
    for region in regions_of(known, "azure"):
        condition = f"serviceName eq 'Virtual Machines' and armRegionName eq '{region}' and contains(armSkuName, '{ACCELERATED}')"
        yield Request(url=f"{URL}&$filter={quote(condition)}", limit_bytes=LIMIT_BYTES)


def next_request(answer: bytes) -> Request | None:
    """The next page; None after the last. ValueError where the link leads elsewhere."""
    link = json_object([answer]).get("NextPageLink")
    if not link:
        return None
    url = str(link).replace("https://prices.azure.com:443/", HOST, 1)
    if not url.startswith(HOST):
        raise ValueError(f"expected the next page at {HOST}, read {url[:60]!r}")
    return Request(url=url, limit_bytes=LIMIT_BYTES)


def adapt(chunks: Iterable[bytes], known: Known) -> Rows:
    """Prices of one page. A size whose prices fall on two pages gets the ones that stand with its on-demand price."""
    quotes = Quotes(known, "azure")
    for item in records_at(json_object(chunks), "Items", holding=KEYS):
        size = text_at(item, "armSkuName")
        found = _price(item) if size.startswith(ACCELERATED) else None
        if found is None:
            continue
        name, hours = found
        if item["currencyCode"] != "USD":
            quotes.skip("currency is not USD")
        elif item["type"] == "Consumption" and item.get("unitOfMeasure") != "1 Hour":
            quotes.skip("price is not per hour")
        else:
            node, region = known.nodes.get(("azure", size)), text_at(item, "armRegionName")
            quotes.add(node, region, name, item["retailPrice"], hours=hours, since=day_of(item.get("effectiveStartDate")))
    return quotes.finished()


def _price(item: Mapping[str, Any]) -> tuple[Price, int] | None:
    """Which price of a plain Linux machine an item states, and for how many hours; None for everything else."""
    names = f"{text_at(item, 'meterName')} {text_at(item, 'skuName')}"
    if any(other in text_at(item, "productName") for other in OTHER_PRODUCTS) or "Low Priority" in names:
        return None
    if item["type"] == "Consumption":
        return ("spot_per_h", 1) if "Spot" in names else ("per_h", 1)
    return TERMS.get(text_at(item, "reservationTerm")) if item["type"] == "Reservation" else None


FEED = Feed(name="azure", title=TITLE, requests=requests, adapt=adapt, next_request=next_request)
