"""The price list of EC2: which of its rows count, in how much memory, and what is refused."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from feeds import DAY, answer, check_rows, in_chunks, known, node, offer, refused, survives_anything

from infra_advisor.facts.update.aws import FEED, adapt, requests

LIST = answer("aws.csv")
P5, G6, INF2 = node("aws", "p5.48xlarge", chips=8), node("aws", "g6.xlarge", "l4"), node("aws", "inf2.xlarge", "inferentia2")
LINES = [
    offer("aws-p5.48xlarge", "us-east-1", "55.04", spot_per_h="20.784", reserved_3y_per_h="23.776", size_ratio=1, note="spot of September"),
    offer("aws-g6.xlarge", "us-east-1", "0.8048", reserved_1y_per_h="0.52392", reserved_3y_per_h="0.3694", flag="stale"),
]
CATALOG = known([P5, G6, INF2], LINES)


def changed(old: str, new: str) -> bytes:
    text = LIST.decode()
    assert old in text
    return text.replace(old, new).encode()


def test_a_changed_price_is_a_later_line_of_the_same_offer() -> None:
    """p5: 50.00 on demand, 33.50 and 21.25 for 1 and 3 years of standard class without upfront payment, from the list's own day."""
    rows = adapt(in_chunks(LIST), CATALOG)
    check_rows(FEED, rows, CATALOG)
    p5 = next(row for row in rows.offers if row.node == P5.id)
    assert (p5.per_h, p5.reserved_1y_per_h, p5.reserved_3y_per_h) == (Decimal(50), Decimal("33.5"), Decimal("21.25"))
    assert (p5.id, p5.from_, p5.seen, p5.source) == (LINES[0].id, "2026-11-01", DAY, "aws-feed")
    assert (p5.spot_per_h, p5.note, p5.size_ratio) == (None, None, None)


def test_prices_are_rounded_to_a_millionth() -> None:
    g6 = next(row for row in adapt(in_chunks(LIST), CATALOG).offers if row.node == G6.id)
    assert (g6.id, g6.per_h, g6.reserved_1y_per_h, g6.reserved_3y_per_h) == (
        LINES[1].id, Decimal("0.8048"), Decimal("0.52392"), Decimal("0.3694"),
    )  # fmt: skip


def test_a_known_node_without_an_offer_gets_one() -> None:
    rows = adapt(in_chunks(LIST), CATALOG)
    new = next(row for row in rows.offers if row.node == INF2.id)
    assert (new.id, new.per_h, new.from_) == ("aws-inf2.xlarge-us-east-1", Decimal("0.7582"), "2026-11-01")
    assert len(rows.offers) == 3


def test_other_records_are_counted_where_they_are_accelerators() -> None:
    """g99 is unknown, the local zone is no region of the catalog; m7i, Windows, dedicated and capacity blocks are not our subject."""
    assert adapt(in_chunks(LIST), CATALOG).skipped == {"instance type not in the catalog": 1, "region not in the catalog": 1}


def test_a_list_dated_after_today_counts_from_today() -> None:
    rows = adapt(in_chunks(changed("2026-11-01", "2026-12-01")), CATALOG)
    assert {row.from_ for row in rows.offers if row.node != G6.id} == {DAY}


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("NaN", "price is not a number"),
        ("inf", "price is not a number"),
        ("-50.0", "price is negative"),
        ("=cmd|' /C calc'!A0", "price is not a number"),
        ("50,000", "price is not a number"),
        ("0.0000000000", "price is zero"),
        ("99999999", "price is absurdly large"),
        ("1e30", "price is absurdly large"),
    ],
)
def test_a_bad_price_is_passed_over_and_counted(cell: str, reason: str) -> None:
    rows = adapt(in_chunks(changed('"50.0000000000"', f'"{cell}"')), CATALOG)
    assert rows.skipped[reason] == 1
    assert P5.id not in {row.node for row in rows.offers}


def test_two_list_prices_contradict_each_other() -> None:
    """The dedicated row, 55.00, read as a shared one beside 50.00."""
    rows = adapt(in_chunks(changed('"Dedicated"', '"Shared"')), CATALOG)
    assert rows.skipped["several prices for one instance type"] == 2
    assert rows.skipped["no on-demand price"] == 1
    assert P5.id not in {row.node for row in rows.offers}


def test_another_currency_or_unit_is_passed_over() -> None:
    assert adapt(in_chunks(changed('"USD"', '"CNY"')), CATALOG).offers == []
    rows = adapt(in_chunks(changed('"Hrs","50.0000000000"', '"Sec","50.0000000000"')), CATALOG)
    assert rows.skipped["price is not per hour"] == 1


def test_the_whole_list_is_refused_where_it_is_something_else() -> None:
    refused(FEED, b"<html><body>Service unavailable</body></html>", CATALOG, "AmazonEC2", "<html>")
    refused(FEED, changed('"AmazonEC2"\n', '"AmazonRDS"\n'), CATALOG, "AmazonEC2")
    refused(FEED, changed('"PricePerUnit"', '"Price"'), CATALOG, "PricePerUnit")
    refused(FEED, LIST[:-100], CATALOG, "cut off")
    refused(FEED, LIST[: LIST.index(b'"SKU"')], CATALOG, "missing")
    refused(FEED, b"", CATALOG, "nothing")


def test_memory_does_not_grow_with_the_list() -> None:
    """Of 50,000 rows none is asked for before the one ahead of it was looked at, so no more than one is ever held."""
    text = LIST.decode()
    head, rest = text[: text.index('"EXAMPLE')], text[text.index('"EXAMPLE') :]
    cpu = next(line for line in rest.splitlines() if "m7i.large" in line) + "\n"
    asked = 0
    furthest = 0

    def stream() -> Iterator[bytes]:
        nonlocal asked
        yield head.encode()
        for _ in range(50_000):
            asked += 1
            yield cpu.encode()
        yield rest.encode()

    class Watching(dict[tuple[str, str], object]):
        def get(self, key: tuple[str, str], default: object = None) -> object:  # type: ignore[override]
            nonlocal furthest, looked
            looked += 1
            furthest = max(furthest, asked - looked)
            return super().get(key, default)

    looked = 0
    watched = known([P5, G6, INF2], LINES)
    object.__setattr__(watched, "nodes", Watching(watched.nodes))
    rows = adapt(stream(), watched)
    assert asked == 50_000
    assert furthest <= 1
    assert len(rows.offers) == 3


def test_an_endless_line_is_refused() -> None:
    def stream() -> Iterator[bytes]:
        for _ in range(2_000):
            yield b"x" * 1_000

    with pytest.raises(ValueError, match="expected lines of text"):
        adapt(stream(), CATALOG)


def test_one_file_per_region_of_the_catalog() -> None:
    catalog = known([P5], [*LINES, offer("aws-p5.48xlarge", "us-dallas-local-zone", "60"), offer("gcp-x", "us-central1", "3")])
    assert [request.url for request in requests(catalog)] == [
        "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonEC2/current/us-east-1/index.csv"
    ]


def test_any_bytes_give_valid_rows_or_a_refusal() -> None:
    survives_anything(FEED, LIST, CATALOG)
