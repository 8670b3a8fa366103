"""SkyPilot's lists: which cloud a list is of, what a list kept by hand may change, and what is refused."""

from decimal import Decimal

import pytest
from feeds import DAY, answer, check_rows, in_chunks, known, node, offer, refused, survives_anything

from infra_advisor.facts.update.skypilot import FEED, adapt, requests

VERDA, LAMBDA = answer("skypilot.csv"), answer("skypilot-lambda.csv")
B300, B200, H200 = node("verda", "1B300.30V"), node("verda", "8B200.240V", chips=8), node("verda", "1H200.141S.44V")
V100, A6000 = node("lambda", "gpu_8x_v100_n", chips=8), node("lambda", "gpu_1x_a6000")
BY_HAND = {"source": "skypilot-lambda lambda-pricing", "country": "US"}
LINES = [
    offer(B300.id, "FIN-03", "6.5", spot_per_h="2.3"),
    offer(B200.id, "FIN-03", None, spot_per_h="12", price_kind="spot-only", id=f"{B200.id}-fin-03-spot-only"),
    offer(H200.id, "FIN-03", "3.39", flag="stale"),
    offer(V100.id, "us-any", "6.32", flag="stale", **BY_HAND),
    offer(A6000.id, "us-any", "1.09", flag="stale", **BY_HAND),
]
CATALOG = known([B300, B200, H200, V100, A6000], LINES, {("verda", "FIN-02"): "FI"})


def test_a_collected_list_changes_confirms_and_adds() -> None:
    """B300: 6.99 and 2.447; 8 B200: spot only, 13.69; H200: 3.39 as before in FIN-03, new in FIN-02. V100 is in no catalog."""
    rows = adapt(in_chunks(VERDA), CATALOG)
    check_rows(FEED, rows, CATALOG)
    b300, b200, new, old = rows.offers
    assert (b300.id, b300.per_h, b300.spot_per_h, b300.from_) == (LINES[0].id, Decimal("6.99"), Decimal("2.447"), DAY)
    assert (b200.id, b200.per_h, b200.spot_per_h) == (LINES[1].id, None, Decimal("13.69"))
    assert (new.id, new.per_h, new.country, new.flag) == ("verda-1H200.141S.44V-fin-02", Decimal("3.39"), "FI", None)
    assert (old.id, old.per_h, old.flag, old.seen) == (LINES[2].id, Decimal("3.39"), None, DAY)
    assert rows.skipped == {"instance type not in the catalog": 1}


def test_a_list_kept_by_hand_confirms_nothing() -> None:
    """V100 still stands at 6.32, which proves nothing. A6000: 1.29 after 1.09. Lambda's US regions are one place; Europe is none."""
    rows = adapt(in_chunks(LAMBDA), CATALOG)
    check_rows(FEED, rows, CATALOG)
    (a6000,) = rows.offers
    assert (a6000.id, a6000.per_h, a6000.from_, a6000.flag) == (LINES[4].id, Decimal("1.29"), DAY, "unverified")
    assert a6000.source == "skypilot-feed"
    assert rows.skipped == {"region not in the catalog": 1, "unchanged in a list kept by hand": 1}


def test_a_list_kept_by_hand_does_not_touch_what_was_read_elsewhere() -> None:
    elsewhere = known([A6000], [LINES[4].model_copy(update={"source": "lambda-pricing"})])
    rows = adapt(in_chunks(LAMBDA), elsewhere)
    assert rows.offers == []
    assert rows.skipped["last read elsewhere"] == 1


def test_a_name_that_two_clouds_use_is_nobodys() -> None:
    twice = known([B300, node("lambda", "1B300.30V")], LINES[:1])
    rows = adapt(in_chunks(VERDA), twice)
    assert rows.offers == []
    assert rows.skipped == {"instance type not in the catalog": 5}


@pytest.mark.parametrize("cell", ["NaN", "-6.99", "=6.99", "99999999", "0", "1e-9", "six"])
def test_a_bad_price_is_passed_over_and_counted(cell: str) -> None:
    rows = adapt(in_chunks(VERDA.replace(b"FIN-03,6.99,", f"FIN-03,{cell},".encode())), CATALOG)
    assert sum(count for reason, count in rows.skipped.items() if reason.startswith("price is")) == 1
    assert B300.id not in {row.node for row in rows.offers}


def test_a_list_of_another_shape_is_refused() -> None:
    refused(FEED, b"404: Not Found", CATALOG, "InstanceType", "404")
    refused(FEED, b"<html>\n<body>\n</html>\n", CATALOG, "InstanceType")
    refused(FEED, VERDA.replace(b",Price,", b",USD,"), CATALOG, "missing or doubled: Price")
    refused(FEED, VERDA[:-40], CATALOG, "cut off")
    refused(FEED, VERDA.splitlines(keepends=True)[0], CATALOG, "no row")


def test_one_list_per_cloud_of_the_catalog() -> None:
    assert [request.url.rsplit("/", 2)[-2] for request in requests(CATALOG)] == ["lambda", "verda"]


def test_any_bytes_give_valid_rows_or_a_refusal() -> None:
    survives_anything(FEED, VERDA, CATALOG)
    survives_anything(FEED, LAMBDA, CATALOG)
