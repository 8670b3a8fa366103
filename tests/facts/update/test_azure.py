"""Azure retail prices: which meters count, prices of a term, pages, and what is refused."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from feeds import DAY, answer, check_rows, in_chunks, known, node, offer, refused, survives_anything

from infra_advisor.facts.update.azure import FEED, adapt, next_request, requests
from infra_advisor.facts.update.feed import Rows

PAGE = answer("azure.json")
ND, T4 = node("azure", "Standard_ND96isr_H100_v5", chips=8), node("azure", "Standard_NC4as_T4_v3", "t4")
LINES = [offer(ND.id, "eastus", "98.32"), offer(T4.id, "eastus", "0.526")]
CATALOG = known([ND, T4], LINES)


def page(change: Callable[[list[dict[str, Any]]], object]) -> bytes:
    """The stored page with a change to its items."""
    document = json.loads(PAGE)
    change(document["Items"])
    return json.dumps(document).encode()


def adapted(change: Callable[[list[dict[str, Any]]], object]) -> Rows:
    rows = adapt(in_chunks(page(change)), CATALOG)
    check_rows(FEED, rows, CATALOG)
    return rows


def test_one_size_has_four_prices() -> None:
    """525,600 for a year of 8,760 h is 60 an hour; 1,051,200 for three years, 26,280 h, is 40."""
    rows = adapt(in_chunks(PAGE), CATALOG)
    check_rows(FEED, rows, CATALOG)
    nd, t4 = rows.offers
    assert (nd.per_h, nd.spot_per_h, nd.reserved_1y_per_h, nd.reserved_3y_per_h) == (90, 30, 60, 40)
    assert (nd.id, nd.from_, nd.seen, nd.source) == (LINES[0].id, "2026-11-01", DAY, "azure-feed")
    assert (t4.id, t4.per_h, t4.spot_per_h) == (LINES[1].id, Decimal("0.526"), None)


def test_other_meters_are_no_records_of_ours() -> None:
    """Windows, low priority, dev/test, cloud services and five years are left out; of D2s, without a GPU, nothing is said."""
    assert adapt(in_chunks(PAGE), CATALOG).skipped == {"instance type not in the catalog": 1}


def test_only_a_reservation_has_a_price_for_a_term() -> None:
    nd = adapted(lambda items: items[4].update(type="SavingsPlan")).offers[0]
    assert (nd.reserved_1y_per_h, nd.reserved_3y_per_h) == (None, 40)


def test_a_spot_price_without_its_list_price_is_no_offer() -> None:
    """Where a size falls on two pages, the page without the on-demand price must not erase that."""
    rows = adapted(lambda items: items.pop(0))
    assert [row.node for row in rows.offers] == [T4.id]
    assert rows.skipped["no on-demand price"] == 1


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("currencyCode", "EUR", "currency is not USD"),
        ("unitOfMeasure", "1/Month", "price is not per hour"),
        ("retailPrice", -90.0, "price is negative"),
        ("retailPrice", 0.0, "price is zero"),
        ("retailPrice", 1e12, "price is absurdly large"),
        ("retailPrice", None, "price is not a number"),
        ("retailPrice", "=cmd|' /C calc'!A0", "price is not a number"),
        ("armRegionName", "../../etc", "region not in the catalog"),
        ("armRegionName", ["eastus"], "region not in the catalog"),
    ],
)
def test_a_bad_item_is_passed_over_and_counted(key: str, value: object, reason: str) -> None:
    rows = adapted(lambda items: items[0].update({key: value}))
    assert rows.skipped[reason] == 1
    assert [row.node for row in rows.offers] == [T4.id]


def test_a_page_of_another_shape_is_refused() -> None:
    refused(FEED, b"<html>Too many requests</html>", CATALOG, "JSON", "<html>")
    refused(FEED, PAGE[:-50], CATALOG, "JSON")
    refused(FEED, b'{"error": "throttled"}', CATALOG, "Items", "error")
    refused(FEED, page(lambda items: items[0].pop("retailPrice")), CATALOG, "retailPrice")
    refused(FEED, PAGE.replace(b'"retailPrice": 90.0', b'"retailPrice": NaN'), CATALOG, "JSON")


def test_the_page_link_is_followed_within_the_api_only() -> None:
    following = next_request(PAGE)
    assert following is not None
    assert following.url.startswith("https://prices.azure.com/api/retail/prices?")
    assert following.url.endswith("$skip=1000")
    assert next_request(b'{"Items": [], "NextPageLink": null}') is None
    for link in ("https://example.com/", "http://prices.azure.com/", "https://prices.azure.com.example.com/", "file:///etc/passwd"):
        with pytest.raises(ValueError, match=r"expected the next page at https://prices\.azure\.com/"):
            next_request(json.dumps({"NextPageLink": link}).encode())


def test_one_question_per_region_of_the_catalog() -> None:
    (request,) = requests(CATALOG)
    assert "serviceName%20eq%20%27Virtual%20Machines%27%20and%20armRegionName%20eq%20%27eastus%27" in request.url
    assert request.body is None


def test_any_bytes_give_valid_rows_or_a_refusal() -> None:
    survives_anything(FEED, PAGE, CATALOG)
