"""What all adapters share: prices, days, ids and later lines."""

from decimal import Decimal

import pytest
from catalogs import bundled_table
from feeds import DAY, known, node, offer
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.facts.market import Offer
from infra_advisor.facts.update.making import LARGEST_PER_H, Quotes, Unusable, day_of, later_line, money, offer_id
from infra_advisor.facts.update.reading import LONGEST_LINE, csv_records, json_object, lines_of, records_at, whole

H100 = node("hyperstack", "H100")
LINE = offer("hyperstack-H100", "CANADA-1", "2.5", spot_per_h="2", reserved_1y_per_h="1.75", size_ratio=1.1, note="seen on a page")


def changed(**prices: str) -> Offer:
    return later_line(LINE, {name: Decimal(price) for name, price in prices.items()}, source="a-feed", seen=DAY, since=None)  # type: ignore[misc]


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
    assert 0 < price <= LARGEST_PER_H


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


# -- later lines


def test_the_same_price_refreshes_the_day_only() -> None:
    """2.5 again, and 2.501, which is 0.04 % off: rounding."""
    for price in ("2.5", "2.501"):
        assert changed(per_h=price) == LINE.model_copy(update={"seen": DAY, "source": "an-older-source a-feed"})


def test_a_new_price_leaves_the_others_unknown() -> None:
    """2.51 is 0.4 % above 2.5. Spot and reserved prices were quoted beside the old one."""
    line = changed(per_h="2.51")
    assert (line.id, line.from_, line.seen, line.source) == (LINE.id, DAY, DAY, "a-feed")
    assert (line.per_h, line.spot_per_h, line.reserved_1y_per_h, line.size_ratio, line.note) == (Decimal("2.51"), None, None, None, None)


def test_a_new_spot_price_keeps_the_others_and_their_source() -> None:
    line = changed(per_h="2.5", spot_per_h="1.5")
    assert (line.from_, line.per_h, line.spot_per_h, line.reserved_1y_per_h) == (DAY, Decimal("2.5"), Decimal("1.5"), Decimal("1.75"))
    assert (line.source, line.note, line.size_ratio) == ("an-older-source a-feed", LINE.note, 1.1)


def test_the_day_of_the_source_counts_between_the_old_line_and_the_reading() -> None:
    def start(since: str | None) -> str:
        return later_line(LINE, {"per_h": Decimal(3)}, source="a-feed", seen=DAY, since=since).from_

    assert [start(since) for since in ("2026-10-01", "2026-07-20", "2026-01-01", "2027-01-01", None)] == ["2026-10-01", DAY, DAY, DAY, DAY]


def test_a_line_is_never_rewritten() -> None:
    with pytest.raises(Unusable, match="older than the line"):
        later_line(LINE, {"per_h": Decimal(3)}, source="a-feed", seen="2026-07-19", since=None)
    with pytest.raises(Unusable, match="already changed on that day"):
        later_line(LINE, {"per_h": Decimal(3)}, source="a-feed", seen="2026-07-20", since=None)


@pytest.mark.parametrize(("flag", "same", "other"), [("stale", None, None), ("outlier", "outlier", None), (None, None, None)])
def test_flags_of_age_end_with_a_reading_and_flags_of_a_price_with_the_price(flag: str, same: str, other: str) -> None:
    line = LINE.model_copy(update={"flag": flag})
    flags = [later_line(line, {"per_h": Decimal(price)}, source="a-feed", seen=DAY, since=None).flag for price in ("2.5", "9")]
    assert flags == [same, other]


# -- gathering


def test_zones_give_one_line_with_the_lowest_spot_price() -> None:
    quotes = Quotes(known([H100], [LINE]), "a-feed")
    for spot in ("1.9", "1.7", "1.8"):
        quotes.add(H100, "CANADA-1", "per_h", "2.6")
        quotes.add(H100, "CANADA-1", "spot_per_h", spot)
    (row,) = quotes.finished().offers
    assert (row.per_h, row.spot_per_h) == (Decimal("2.6"), Decimal("1.7"))


def test_list_prices_of_zones_may_differ_by_rounding_only() -> None:
    """2.6 and 2.60001 are one price; 2.6 and 2.7 are two, of which none can be the list price."""
    for second, offers in (("2.60001", 1), ("2.7", 0)):
        quotes = Quotes(known([H100], [LINE]), "a-feed")
        quotes.add(H100, "CANADA-1", "per_h", "2.6")
        quotes.add(H100, "CANADA-1", "per_h", second)
        assert len(quotes.finished().offers) == offers


def test_a_spot_price_alone_continues_only_an_offer_that_has_no_other() -> None:
    spot_only = offer("hyperstack-H100", "US-1", None, spot_per_h="1", price_kind="spot-only", id="hyperstack-H100-us-1-spot-only")
    quotes = Quotes(known([H100], [LINE, spot_only]), "a-feed")
    quotes.add(H100, "CANADA-1", "spot_per_h", "1.5")
    quotes.add(H100, "US-1", "spot_per_h", "1.5")
    rows = quotes.finished()
    assert [(row.id, row.spot_per_h) for row in rows.offers] == [(spot_only.id, Decimal("1.5"))]
    assert rows.skipped == {"no on-demand price": 1}


def test_a_list_price_in_another_currency_is_not_replaced() -> None:
    quotes = Quotes(known([H100], [LINE.model_copy(update={"currency": "CAD"})]), "a-feed")
    quotes.add(H100, "CANADA-1", "per_h", "3")
    assert quotes.finished().skipped == {"currency differs from the line in force": 1}


def test_a_price_for_a_term_is_divided_by_its_hours() -> None:
    """350,400 for a year of 8,760 hours is 40 an hour, though 350,400 itself would be absurd."""
    quotes = Quotes(known([H100], [LINE]), "a-feed")
    quotes.add(H100, "CANADA-1", "per_h", "60")
    quotes.add(H100, "CANADA-1", "reserved_1y_per_h", "350400", hours=8_760)
    (row,) = quotes.finished().offers
    assert row.reserved_1y_per_h == 40


# -- reading


def test_lines_survive_any_cut_between_chunks() -> None:
    text = "a,ü\nb,\U0001f600\r\nc".encode()
    for size in range(1, len(text) + 1):
        chunks = [text[start : start + size] for start in range(0, len(text), size)]
        assert list(lines_of(chunks, "s")) == ["a,ü\n", "b,\U0001f600\r\n", "c"]


def test_what_is_no_text_of_bounded_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="s: expected text in UTF-8"):
        list(lines_of([b"a,b\n\xff\xfe"], "s"))
    with pytest.raises(ValueError, match="s: expected text in UTF-8"):
        list(lines_of(["ü".encode()[:1]], "s"))
    with pytest.raises(ValueError, match="s: expected lines"):
        list(lines_of([b"x" * (LONGEST_LINE + 1)], "s"))
    with pytest.raises(ValueError, match="longer than 5 bytes"):
        whole([b"abc", b"def"], "s", 5)


@pytest.mark.parametrize("text", ["", "a\n1\n", "a,b,a\n1,2,3\n", "a,b\n", "a,b\n1\n", "a,b\n1,2,3\n", 'a,b\n1,"2\n', "<html>\n"])
def test_csv_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="s: expected CSV with the columns a, b"):
        list(csv_records(text.splitlines(keepends=True), "s", ["a", "b"]))


@pytest.mark.parametrize("text", [b"", b"<!DOCTYPE html>", b'{"a": NaN}', b'{"a": Infinity}', b"[1]", b"\xff", b"[" * 100_000, b'{"a": 1'])
def test_json_of_another_shape_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="s: expected"):
        json_object(text, "s")


def test_json_keeps_decimals_and_lists_are_checked() -> None:
    found = json_object(b'{"data": {"rows": [{"price": 0.1}]}}', "s")
    assert records_at(found, ["data", "rows"], "s") == [{"price": Decimal("0.1")}]
    for path in (["rows"], ["data"], ["data", "rows", "price"]):
        with pytest.raises(ValueError, match="s: expected a list of objects at"):
            records_at(found, path, "s")
