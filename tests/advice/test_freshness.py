"""How old a price may be before it is marked, and that the mark changes nothing but what is said."""

import datetime
from pathlib import Path

import pytest
from catalogs import DAY, frozen_catalog, write
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.advice.compare import compare
from infra_advisor.advice.estimate import estimate
from infra_advisor.advice.freshness import price_age_limit_d, price_confidence
from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.recommend import recommend
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.workload import Workload

CHAT = Workload(model="70b", users=20)
HEADER = "id,node,provider,region,country,price_kind,currency,per_h,from,seen,source\n"


def on(offer: str) -> Limits:
    return Limits(provider=Choice(keep=(offer,)), where=("cloud",))


@pytest.mark.parametrize(
    ("class_", "provider", "marks", "days"),
    [
        ("cloud", "aws", (), 90),
        ("cloud", "sakura", (), 90),
        ("cloud", "crusoe", (), 30),
        ("cloud", "crusoe", ("marketplace",), 1),
        ("cloud", "aws", ("spot",), 1),
        ("cloud", "nobody-we-know", (), 90),
        ("onprem", "purchase", (), 90),
        ("edge", "owned", (), 90),
        ("api", "deepinfra", (), 30),
    ],
)
def test_each_kind_of_price_has_its_days(frozen: Catalog, class_: str, provider: str, marks: tuple[str, ...], days: int) -> None:
    assert price_age_limit_d(frozen, class_, provider, marks) == days  # type: ignore[arg-type]


@given(st.integers(0, 10_000), st.floats(1, 1000))
def test_a_price_ages_once_and_stays_aged(age_d: int, limit_d: float) -> None:
    said = price_confidence(priced=True, age_d=age_d, limit_d=limit_d)
    assert said == ("fresh" if age_d <= limit_d else "aged")
    assert price_confidence(priced=True, age_d=age_d, limit_d=limit_d, marks=("stale",)) == "stale"
    assert price_confidence(priced=False, age_d=age_d, limit_d=limit_d) == "unknown"


def test_the_day_on_which_a_price_ages() -> None:
    """Crusoe's price was seen on 2026-09-20; a neocloud's is believed for 30 days: to 2026-10-20."""
    seen = datetime.date(2026, 9, 20)
    said = {}
    for days in (30, 31):
        found = recommend(frozen_catalog(day=seen + datetime.timedelta(days=days)), CHAT, on("crusoe"), top=1)
        offer = found.ranked[0].offer
        assert (offer.price_age_d, offer.price_age_limit_d) == (days, 30.0)
        said[days] = offer.price_confidence
        assert any("Aged prices" in warning for warning in found.warnings) == (offer.price_confidence == "aged")
    assert said == {30: "fresh", 31: "aged"}


def test_an_aged_price_keeps_its_rank_unless_max_age_is_given() -> None:
    old = frozen_catalog(day=DAY.replace(year=2028))
    now = recommend(frozen_catalog(), CHAT, Limits(where=("cloud",)))
    later = recommend(old, CHAT, Limits(where=("cloud",)))
    assert [row.id for row in later.ranked] == [row.id for row in now.ranked]
    assert {row.offer.price_confidence for row in later.ranked} == {"aged"}
    assert all("aged" not in row.offer.marks for row in later.ranked)
    assert recommend(old, CHAT, Limits(where=("cloud",), max_price_age_d=90)).ranked == ()


def test_one_sentence_counts_all_old_prices(frozen: Catalog) -> None:
    found = recommend(frozen, CHAT, Limits(where=("cloud",)), top=0)
    old = [row for row in found.ranked if row.offer.price_confidence == "aged"]
    assert 0 < len(old) < len(found.ranked)
    (said,) = [warning for warning in found.warnings if "Aged prices" in warning]
    assert f"{len(old)} of the {len(found.ranked)} shown" in said
    assert "advisor catalog update" in said


def test_a_market_price_ages_in_a_day_whoever_asks_it(tmp_path: Path) -> None:
    """Two days old: fresh at a neocloud, aged as a marketplace price of the same."""
    line = "mine,runpod-h100-sxm-secure,runpod,any,,{kind},USD,1.00,2026-11-20,2026-11-20,us\n"
    said = {}
    for kind in ("on-demand", "marketplace"):
        layer = write(
            tmp_path / kind,
            {"offers.csv": HEADER + line.format(kind=kind), "sources/offers.yaml": "us: {title: our quote, seen: 2026-11-20}\n"},
        )
        limits = Limits(provider=Choice(keep=("runpod",)), where=("cloud",), include=("marketplace",))
        row = next(row for row in recommend(frozen_catalog(layer), CHAT, limits, top=0).ranked if row.offer.id.startswith("mine"))
        said[kind] = row.offer.price_confidence
    assert said == {"on-demand": "fresh", "marketplace": "aged"}


def test_compare_and_estimate_say_the_same(frozen: Catalog) -> None:
    column = compare(frozen, ["mi300x"], CHAT)
    assert column.columns[0].answer is not None
    assert column.columns[0].answer.offer.price_confidence == "aged"
    assert any("Aged prices" in warning for warning in column.warnings)
    alone = estimate(frozen, "mi300x", CHAT)
    assert alone.answer is not None
    assert alone.answer.offer.price_confidence == "aged"


def test_a_hosted_price_ages_too() -> None:
    """Prices of 2026-11-01 are believed for 30 days: to 2026-12-01."""
    said = {
        day: {row.offer.price_confidence for row in recommend(frozen_catalog(day=day), CHAT, Limits(where=("api",))).ranked}
        for day in (datetime.date(2026, 12, 1), datetime.date(2026, 12, 2))
    }
    assert list(said.values()) == [{"fresh"}, {"aged"}]
