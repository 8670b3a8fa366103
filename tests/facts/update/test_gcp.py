"""The price table of Google Cloud: rows by region and machine type, and what is refused."""

import json
from decimal import Decimal

import pytest
from feeds import DAY, answer, check_rows, in_chunks, known, node, offer, refused, survives_anything

from infra_advisor.facts.update.gcp import FEED, adapt, requests

TABLE = answer("gcp.json")
A3, A4, G2 = node("gcp", "a3-highgpu-8g", chips=8), node("gcp", "a4-highgpu-8g", "b200-sxm", 8), node("gcp", "g2-standard-4", "l4")
A4_SPOT = offer(A4.id, "us-central1", None, spot_per_h="39.632", price_kind="spot-only", id=f"{A4.id}-us-central1-spot-only")
LINES = [
    offer(A3.id, "us-central1", "88.49", spot_per_h="50.6095", reserved_1y_per_h="61.3837"),
    offer(G2.id, "us-central1", "0.7068", spot_per_h="0.3973"),
    A4_SPOT,
]
CATALOG = known([A3, A4, G2], LINES)


def with_price(price: object) -> bytes:
    document = json.loads(TABLE)
    document["prices"]["us-central1"]["on_demand"]["a3-highgpu-8g"] = price
    return json.dumps(document).encode()


def test_rows_by_hand() -> None:
    """a3 fell to 70.50; g2 is 0.706832255; a4 is new on demand."""
    rows = adapt(in_chunks(TABLE), CATALOG)
    check_rows(FEED, rows, CATALOG)
    a3, g2, a4 = (next(row for row in rows.offers if row.node == one.id) for one in (A3, G2, A4))
    assert (a3.per_h, a3.spot_per_h, a3.reserved_1y_per_h, a3.from_) == (Decimal("70.5"), 41, None, DAY)
    assert (g2.id, g2.per_h) == (LINES[1].id, Decimal("0.706832"))
    assert (a4.id, a4.price_kind, a4.per_h) == ("gcp-a4-highgpu-8g-us-central1", "on-demand", Decimal("120.25"))
    assert len(rows.offers) == 3


def test_machines_without_accelerators_are_not_counted() -> None:
    """n2 and m3 have none; g4-standard-999 is nobody's; the moon is no region."""
    assert adapt(in_chunks(TABLE), CATALOG).skipped == {"instance type not in the catalog": 1, "region not in the catalog": 1}


@pytest.mark.parametrize(
    ("price", "reason"), [(-1, "negative"), (0, "zero"), (1e9, "absurdly large"), ("=1", "not a number"), (None, "not a number")]
)
def test_a_bad_price_is_passed_over_and_counted(price: object, reason: str) -> None:
    rows = adapt(in_chunks(with_price(price)), CATALOG)
    assert rows.skipped[f"price is {reason}"] == 1
    assert A3.id not in {row.node for row in rows.offers}


def test_a_table_of_another_shape_is_refused() -> None:
    refused(FEED, b"<html>404</html>", CATALOG, "JSON")
    refused(FEED, TABLE[:-30], CATALOG, "JSON")
    refused(FEED, b'{"regions": {}}', CATALOG, "regions under `prices`")
    refused(FEED, b'{"prices": {"us-central1": {"ondemand": {}}}}', CATALOG, "on_demand", "us-central1")
    refused(FEED, b'{"prices": {"us-central1": {"on_demand": {}, "spot": [1]}}}', CATALOG, "spot")
    refused(FEED, with_price(float("nan")), CATALOG, "JSON")


def test_one_question() -> None:
    assert [request.url.rsplit("/", 1)[-1] for request in requests(CATALOG)] == ["initial-prices.json"]


def test_any_bytes_give_valid_rows_or_a_refusal() -> None:
    survives_anything(FEED, TABLE, CATALOG)
