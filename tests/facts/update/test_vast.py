"""Asks of Vast.ai: the median of enough good ones, and what is passed over or refused."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from feeds import DAY, answer, check_rows, in_chunks, known, node, offer, refused, survives_anything

from infra_advisor.facts.update.vast import FEED, adapt, requests

ASKS = answer("vast.json")
RTX = node("vast", "1x RTX_4090", "rtx-4090")
A100, A100_MEDIAN = node("vast", "1x A100_SXM4", "a100-sxm-80gb"), node("vast", "1x A100 SXM4 (median)", "a100-sxm-80gb")
H200 = node("vast", "8x H200", "h200-sxm", 8)
AVERAGE = node("vast", "provider average")
MARKET = {"price_kind": "marketplace"}
LINES = [
    offer(RTX.id, "Germany", "0.4", **MARKET),
    offer(A100_MEDIAN.id, "various", "1.7043", id="vast-1x-a100-sxm4-median-various-marketplace", flag="outlier", **MARKET),
]
CATALOG = known([RTX, A100_MEDIAN, A100, H200, AVERAGE], LINES, {("vast", "various"): None})


def with_asks(change: Callable[[list[dict[str, Any]]], object]) -> bytes:
    document = json.loads(ASKS)
    change(document["offers"])
    return json.dumps(document).encode()


def test_medians_by_hand() -> None:
    """RTX 4090: 0.30 0.36 0.40 0.44 0.52 has 0.40 in its middle. A100 80 GB: 1.2 to 1.7 in steps of 0.1, so (1.4 + 1.5) / 2 = 1.45."""
    rows = adapt(in_chunks(ASKS), CATALOG)
    check_rows(FEED, rows, CATALOG)
    rtx, a100 = sorted(rows.offers, key=lambda row: row.per_h or 0)
    assert (rtx.id, rtx.per_h, rtx.from_, rtx.price_kind) == ("vast-1x RTX_4090-various-marketplace", Decimal("0.4"), DAY, "marketplace")
    assert (a100.id, a100.node, a100.per_h, a100.flag) == (LINES[1].id, A100_MEDIAN.id, Decimal("1.45"), None)
    assert {row.source for row in rows.offers} == {"vast-feed"}


def test_every_ask_that_does_not_count_is_counted() -> None:
    """Four asks for 8 H200 are too few; an A100 with 40 GB is another card."""
    assert adapt(in_chunks(ASKS), CATALOG).skipped == {
        "machine not verified": 1,
        "machine not rentable": 1,
        "interruptible": 1,
        "machine not reliable": 1,
        "instance type not in the catalog": 1,
        "another memory size": 1,
        "fewer than 5 asks": 4,
    }


@pytest.mark.parametrize("price", [None, "-1", -1, 0, 1e9, "=1+1", "NaN", [0.4]])
def test_a_bad_price_leaves_too_few_asks(price: object) -> None:
    rows = adapt(in_chunks(with_asks(lambda asks: asks[0].update(dph_total=price))), CATALOG)
    assert sum(count for reason, count in rows.skipped.items() if reason.startswith("price is")) == 1
    assert rows.skipped["fewer than 5 asks"] == 4 + 4
    assert [row.node for row in rows.offers] == [A100_MEDIAN.id]


def test_a_machine_that_somebody_rents_does_not_count() -> None:
    rows = adapt(in_chunks(with_asks(lambda asks: asks[0].update(rented=True))), CATALOG)
    assert rows.skipped["machine not rentable"] == 2


def test_the_older_field_for_verified_machines_counts_too() -> None:
    def older(asks: list[dict[str, Any]]) -> None:
        for ask in asks:
            ask["verified"] = ask.pop("verification") == "verified"

    assert adapt(in_chunks(with_asks(older)), CATALOG) == adapt(in_chunks(ASKS), CATALOG)


def test_an_answer_of_another_shape_is_refused() -> None:
    refused(FEED, b"<html>Just a moment...</html>", CATALOG, "JSON")
    refused(FEED, ASKS[:-20], CATALOG, "JSON")
    refused(FEED, b'{"success": false, "msg": "rate limit"}', CATALOG, "offers", "msg")
    refused(FEED, b'{"offers": {"id": 1}}', CATALOG, "list of objects at offers")
    refused(FEED, with_asks(lambda asks: asks[3].pop("dph_total")), CATALOG, "dph_total")


def test_one_search_per_gpu_and_count() -> None:
    """Underscores of the catalog are blanks in the API; a median and a machine of the same GPU are one search."""
    bodies = [json.loads(request.body or b"") for request in requests(CATALOG)]
    assert [(body["gpu_name"]["eq"], body["num_gpus"]["eq"]) for body in bodies] == [("A100 SXM4", 1), ("H200", 8), ("RTX 4090", 1)]
    assert all(body["verified"] == {"eq": True} for body in bodies)


def test_any_bytes_give_valid_rows_or_a_refusal() -> None:
    survives_anything(FEED, ASKS, CATALOG)
