"""What tests of price adapters share: a small known catalog, stored answers, and the properties that every adapter must have."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.facts.market import Node, Offer
from infra_advisor.facts.update.feed import Feed, Known, Rows, source_id

DAY = "2026-11-23"
FEEDS = Path(__file__).resolve().parent / "fixtures" / "feeds"


def node(provider: str, instance_type: str, chip: str = "h100-sxm", chips: float = 1) -> Node:
    """A node with the id that the test finds easiest to read: provider and type."""
    return Node(
        id=f"{provider}-{instance_type}", provider=provider, instance_type=instance_type, chip=chip, chips=chips,
        source="memory", seen="2026-01-01",
    )  # fmt: skip


def offer(node_id: str, region: str, per_h: str | None, **cells: object) -> Offer:
    """A line of 2026-07-20 in force; `cells` replace or add to it."""
    provider = node_id.split("-")[0]
    line: dict[str, object] = {"id": f"{node_id}-{region}", "node": node_id, "provider": provider, "region": region, "per_h": per_h}
    line |= {"price_kind": "on-demand", "currency": "USD", "from": "2026-07-20", "seen": "2026-07-20", "source": "an-older-source"}
    return Offer.model_validate(line | cells)


def known(nodes: Iterable[Node], offers: Iterable[Offer] = (), regions: dict[tuple[str, str], str | None] | None = None) -> Known:
    """A catalog on DAY with these nodes and lines in force; regions of the offers are known too."""
    lines = list(offers)
    places = {(line.provider, line.region): line.country for line in lines} | (regions or {})
    return Known(
        day=DAY,
        nodes={(one.provider, one.instance_type): one for one in nodes},
        offers={(line.node, line.region, line.price_kind): line for line in lines},
        regions=places,
    )


def answer(name: str) -> bytes:
    """A stored answer."""
    return (FEEDS / name).read_bytes()


def in_chunks(text: bytes, size: int = 1000) -> Iterator[bytes]:
    """The text as it comes over a network, in pieces that end anywhere."""
    for start in range(0, len(text), size):
        yield text[start : start + size]


def check_rows(feed: Feed, rows: Rows, catalog: Known) -> None:
    """What every row must be: a valid line of a known node in a known region, from this source, and not dated in the future."""
    for row in rows.offers:
        assert Offer.model_validate(row.model_dump(by_alias=True)) == row
        assert row.source == source_id(feed.name)
        assert row.node in {one.id for one in catalog.nodes.values()}
        assert catalog.regions[row.provider, row.region] == row.country
        assert row.from_ <= row.seen <= catalog.day
        line = catalog.offers.get((row.node, row.region, row.price_kind))
        if line is not None:
            assert row.id == line.id
    ids = [(row.id, row.from_) for row in rows.offers]
    assert len(ids) == len(set(ids))


def check_survives(feed: Feed, text: bytes, catalog: Known) -> None:
    """Whatever the bytes are, an adapter yields valid rows or a ValueError."""
    try:
        rows = feed.adapt(in_chunks(text, 37), catalog)
    except ValueError:
        return
    check_rows(feed, rows, catalog)


def survives_anything(feed: Feed, text: bytes, catalog: Known) -> None:
    """`check_survives` for random bytes, for `text` cut off anywhere, and for `text` with random bytes in its middle."""

    @given(st.binary(max_size=400))
    def random_bytes(noise: bytes) -> None:
        check_survives(feed, noise, catalog)

    @given(st.integers(0, len(text) - 1), st.integers(0, 40), st.binary(max_size=12))
    def damaged(start: int, length: int, noise: bytes) -> None:
        check_survives(feed, text[:start] + noise + text[start + length :], catalog)

    random_bytes()
    damaged()


def refused(feed: Feed, text: bytes, catalog: Known, *expected: str) -> None:
    """The whole answer is refused, and the message says what was expected."""
    with pytest.raises(ValueError, match="expected") as caught:
        feed.adapt(in_chunks(text), catalog)
    for part in expected:
        assert part in str(caught.value)
