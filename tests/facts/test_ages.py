"""Which prices in force were last read too long ago."""

import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from catalogs import frozen_catalog, real_catalog, write

from infra_advisor.facts.ages import aged_prices, usual_age_d
from infra_advisor.facts.differences import in_force

DAY = datetime.date(2026, 11, 22)
HEADER = "id,node,provider,region,country,price_kind,currency,per_h,from,seen,source"


def test_a_line_is_old_the_day_after_its_limit() -> None:
    """Of each seller the lines that were read more than the limit before the day; at the limit itself a line is not old."""
    catalog = frozen_catalog(day=DAY)
    lines = [line for line in in_force("offers", catalog.offers, "2026-11-22").values() if line.provider == "aws"]
    age_d = max((DAY - datetime.date.fromisoformat(line.seen)).days for line in lines)
    older = {(one.table, one.provider): one for one in aged_prices(catalog, age_d - 1)}["offers", "aws"]
    assert 0 < older.older <= older.lines == sum(line.price_kind == older.kind for line in lines)
    assert older.oldest == min(line.seen for line in lines)
    assert ("offers", "aws") not in {(one.table, one.provider) for one in aged_prices(catalog, age_d)}


def test_a_newer_line_of_the_same_offer_counts_alone(tmp_path: Path) -> None:
    name = "aws-p5.48xlarge-us-east-1"
    rows = f"{HEADER}\n{name},aws-p5.48xlarge,aws,us-east-1,US,on-demand,USD,50,2026-11-22,2026-11-22,q\n"
    write(tmp_path, {"offers.csv": rows, "s.yaml": 'sources: {q: {title: q, seen: "2026-11-22"}}'})

    def older(*layers: Path) -> int:
        return sum(one.older for one in aged_prices(frozen_catalog(*layers, day=DAY), 0) if one.table == "offers")

    assert older(tmp_path) == older() - 1


@pytest.mark.parametrize(
    ("table", "provider", "days"),
    [("offers", "aws", 90), ("offers", "runpod", 30), ("offers", "nobody", 90), ("api_prices", "deepinfra", 30), ("purchase", "board", 90)],
)
def test_what_is_usual_goes_by_the_kind_of_seller(table: str, provider: str, days: int) -> None:
    assert usual_age_d(frozen_catalog(day=DAY), table, provider) == days


def test_a_price_that_a_market_makes_is_believed_for_a_day() -> None:
    """Whoever shows it: a spot price of AWS is as short-lived as an ask of Vast.ai."""
    assert usual_age_d(frozen_catalog(day=DAY), "offers", "aws", moving=True) == 1
    limits = {one.kind: one.limit_d for one in aged_prices(real_catalog()) if one.provider == "aws"}
    assert (limits["on-demand"], limits["spot-only"]) == (90, 1)


def test_another_assumption_is_another_limit() -> None:
    catalog = frozen_catalog(day=DAY)
    strict = catalog.assuming({"price_age_cloud_days": 0})
    assert strict.assumptions["price_age_cloud_days"].value == Decimal(0)
    limits = {one.limit_d for one in aged_prices(strict) if (one.table, one.provider) == ("offers", "aws")}
    assert limits == {0}
