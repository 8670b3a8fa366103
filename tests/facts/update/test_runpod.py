"""RunPod's GPU types: two clouds with a price each, and what is passed over or refused."""

import json
from decimal import Decimal

import pytest
from feeds import DAY, answer, check_rows, in_chunks, known, node, offer, refused, survives_anything

from infra_advisor.facts.update.runpod import FEED, adapt, requests

TYPES = answer("runpod.json")
NODES = [node("runpod", f"{gpu} {cloud}") for gpu in ("H100 SXM", "H200", "A100 PCIe") for cloud in ("secure", "community")]
H100_SECURE, H100_COMMUNITY, H200_SECURE = NODES[0], NODES[1], NODES[2]
LINES = [
    offer(H100_SECURE.id, "any", "3.99"),
    offer(H100_COMMUNITY.id, "community-host", "2.69", price_kind="marketplace"),
    offer(H200_SECURE.id, "any", "4.05"),
]
CATALOG = known(NODES, LINES, {("runpod", "any"): None, ("runpod", "community-host"): None})


def with_h100(**cells: object) -> bytes:
    document = json.loads(TYPES)
    document["data"]["gpuTypes"][0] |= cells
    return json.dumps(document).encode()


def test_rows_by_hand() -> None:
    """Secure H100 fell from 3.99 to 3.49; community is 2.69 as before, with a spot price of 1.5; H200 SXM is the catalog's H200."""
    rows = adapt(in_chunks(TYPES), CATALOG)
    check_rows(FEED, rows, CATALOG)
    secure, community, h200 = rows.offers
    assert (secure.id, secure.per_h, secure.spot_per_h, secure.from_) == (LINES[0].id, Decimal("3.49"), Decimal("1.75"), DAY)
    assert (community.id, community.per_h, community.spot_per_h) == (LINES[1].id, Decimal("2.69"), Decimal("1.5"))
    assert (h200.id, h200.per_h) == (LINES[2].id, Decimal("4.05"))


def test_what_a_cloud_does_not_have_is_no_record() -> None:
    """A100 PCIe stands with null and 0; H200 has no community cloud. RTX 4090 and H200 NVL, in two clouds each, are not in this catalog."""
    assert adapt(in_chunks(TYPES), CATALOG).skipped == {"instance type not in the catalog": 4}


@pytest.mark.parametrize("price", [-3.49, 1e9, "=3.49", "NaN", "free", [3.49], True])
def test_a_bad_price_is_passed_over_and_counted(price: object) -> None:
    rows = adapt(in_chunks(with_h100(securePrice=price, secureSpotPrice=None)), CATALOG)
    assert sum(count for reason, count in rows.skipped.items() if reason.startswith("price is")) == 1
    assert H100_SECURE.id not in {row.node for row in rows.offers}


def test_an_answer_of_another_shape_is_refused() -> None:
    refused(FEED, b"<!DOCTYPE html>", CATALOG, "JSON")
    refused(FEED, TYPES[:-20], CATALOG, "JSON")
    refused(FEED, b'{"data": null}', CATALOG, "data.gpuTypes")
    renamed = TYPES.replace(b"securePrice", b"priceSecure")
    refused(FEED, renamed, CATALOG, "securePrice")
    with pytest.raises(ValueError, match=r"the API refused the question: .*Cannot query field"):
        adapt(in_chunks(b'{"errors": [{"message": "Cannot query field"}], "data": null}'), CATALOG)


def test_one_question() -> None:
    (request,) = requests(CATALOG)
    assert "securePrice" in json.loads(request.body or b"")["query"]


def test_any_bytes_give_valid_rows_or_a_refusal() -> None:
    survives_anything(FEED, TYPES, CATALOG)
