"""What all adapters share: prices, days, ids and the shape of answers."""

from decimal import Decimal

import pytest
from catalogs import bundled_table
from feeds import known, node, offer
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.facts.market import Offer
from infra_advisor.facts.update.making import LARGEST_PER_H, Quotes, Unusable, day_of, money, offer_id
from infra_advisor.facts.update.reading import LONGEST_LINE, csv_records, json_object, lines_of, records_at

H100 = node("hyperstack", "H100")
LINE = offer("hyperstack-H100", "CANADA-1", "2.5")


# -- prices and days


@pytest.mark.parametrize(("cell", "price"), [("2.50", "2.5"), (" 3 ", "3"), (7, "7"), (Decimal("0.1250"), "0.125"), ("1.2e-1", "0.12")])
def test_prices_as_sources_write_them(cell: object, price: str) -> None:
    assert money(cell) == Decimal(price)


NO_PRICES: list[object] = [None, "", "free", "NaN", "Infinity", "-1", "+1", "1,5", "$2", "=2+3", "@SUM(1)", "\u0661", "1_0"]
NO_PRICES += ["0", "0.00", "10001", "1e9", "1" * 5000, True, [], {}]


@pytest.mark.parametrize("cell", NO_PRICES)
def test_everything_else_is_unusable(cell: object) -> None:
    with pytest.raises(Unusable, match="price is"):
        money(cell)


@given(st.text() | st.integers() | st.decimals() | st.floats() | st.none() | st.lists(st.integers()))
def test_money_is_positive_and_bounded_or_unusable(cell: object) -> None:
    try:
        price = money(cell)
    except Unusable:
        return
    assert 0 < price <= LARGEST_PER_H["USD"]


def test_days_at_the_start_of_stamps() -> None:
    assert day_of("2026-11-01T00:00:00Z") == "2026-11-01" == day_of("2026-11-01")
    assert [day_of(stamp) for stamp in ("2026-13-01", "01/11/2026", "20261101", "", None, 20261101)] == [None] * 6


# -- ids


def test_ids_of_new_offers_follow_the_catalog() -> None:
    """Each line of the catalog has the id that its node, region and price kind would give a new one, or one that begins so."""
    for line in bundled_table("offers", Offer):
        assert line.id.startswith(offer_id(line.node, line.region, line.price_kind))
    assert offer_id("vast-1x-h100", "New York", "marketplace") == "vast-1x-h100-new-york-marketplace"
    assert offer_id("hyperstack-l40", "CANADA-1", "on-demand") == "hyperstack-l40-canada-1"


# -- gathering


def test_zones_give_one_line_with_the_lowest_spot_price() -> None:
    quotes = Quotes(known([H100], [LINE]), "a")
    for spot in ("1.9", "1.7", "1.8"):
        quotes.add(H100, "CANADA-1", "per_h", "2.6")
        quotes.add(H100, "CANADA-1", "spot_per_h", spot)
    (row,) = quotes.finished().offers
    assert (row.per_h, row.spot_per_h) == (Decimal("2.6"), Decimal("1.7"))


def test_list_prices_of_zones_may_differ_by_rounding_only() -> None:
    """2.6 and 2.60001 are one price; 2.6 and 2.7 are two, of which none can be the list price."""
    for second, offers in (("2.60001", 1), ("2.7", 0)):
        quotes = Quotes(known([H100], [LINE]), "a")
        quotes.add(H100, "CANADA-1", "per_h", "2.6")
        quotes.add(H100, "CANADA-1", "per_h", second)
        assert len(quotes.finished().offers) == offers


def test_a_spot_price_alone_continues_only_an_offer_that_has_no_other() -> None:
    spot_only = offer("hyperstack-H100", "US-1", None, spot_per_h="1", price_kind="spot-only", id="hyperstack-H100-us-1-spot-only")
    quotes = Quotes(known([H100], [LINE, spot_only]), "a")
    quotes.add(H100, "CANADA-1", "spot_per_h", "1.5")
    quotes.add(H100, "US-1", "spot_per_h", "1.5")
    rows = quotes.finished()
    assert [(row.id, row.spot_per_h) for row in rows.offers] == [(spot_only.id, Decimal("1.5"))]
    assert rows.skipped == {"no on-demand price": 1}


def test_a_price_for_a_term_is_divided_by_its_hours() -> None:
    """350,400 for a year of 8,760 hours is 40 an hour, though 350,400 itself would be absurd."""
    quotes = Quotes(known([H100], [LINE]), "a")
    quotes.add(H100, "CANADA-1", "per_h", "60")
    quotes.add(H100, "CANADA-1", "reserved_1y_per_h", "350400", hours=8_760)
    (row,) = quotes.finished().offers
    assert row.reserved_1y_per_h == 40


# -- reading


def test_lines_survive_any_cut_between_chunks() -> None:
    text = "a,ü\nb,\U0001f600\r\nc".encode()
    for size in range(1, len(text) + 1):
        chunks = [text[start : start + size] for start in range(0, len(text), size)]
        assert list(lines_of(chunks)) == ["a,ü\n", "b,\U0001f600\r\n", "c"]


def test_what_is_no_text_of_bounded_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="expected text in UTF-8"):
        list(lines_of([b"a,b\n\xff\xfe"]))
    with pytest.raises(ValueError, match="expected text in UTF-8"):
        list(lines_of(["ü".encode()[:1]]))
    with pytest.raises(ValueError, match="expected lines"):
        list(lines_of([b"x" * (LONGEST_LINE + 1)]))


@pytest.mark.parametrize("text", ["", "a\n1\n", "a,b,a\n1,2,3\n", "a,b\n", "a,b\n1\n", "a,b\n1,2,3\n", 'a,b\n1,"2\n', "<html>\n"])
def test_csv_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected CSV with the columns a, b"):
        list(csv_records(text.splitlines(keepends=True), ["a", "b"]))


NO_JSON = [
    b"",
    b"<!DOCTYPE html>",
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b"[1]",
    b"\xff",
    b"[" * 100_000,
    b'{"a": 1',
    b'{"a": ' + b"1" * 31 + b"}",
]


@pytest.mark.parametrize("text", NO_JSON)
def test_json_of_another_shape_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        json_object([text])


def test_json_keeps_decimals_and_lists_are_checked() -> None:
    found = json_object([b'{"data": {"rows": [{"price": 0.1}]}}'])
    assert records_at(found, "data", "rows", holding=["price"]) == [{"price": Decimal("0.1")}]
    for path in (["rows"], ["data"], ["data", "rows", "price"]):
        with pytest.raises(ValueError, match="expected a list of objects at"):
            records_at(found, *path)
    with pytest.raises(ValueError, match=r"expected region in each of data\.rows; keys read: price"):
        records_at(found, "data", "rows", holding=["region"])
