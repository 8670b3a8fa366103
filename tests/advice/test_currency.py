"""The dated rates of the mini catalog: JPY from 2026-05-08 on, 157.25027 on 2026-10-30; EUR on 2026-10-30 only."""

import datetime
from pathlib import Path

import pytest
from catalogs import frozen_catalog, write

from infra_advisor.advice.currency import BELIEVED_D, rate_of
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog


def at(day: str, *layers: Path) -> Catalog:
    return frozen_catalog(*layers, day=datetime.date.fromisoformat(day))


@pytest.mark.parametrize(
    ("day", "per_usd", "read", "age_d"),
    [
        ("2026-11-22", 157.25027, "2026-10-30", 23),  # 1 day of October, 22 of November
        ("2026-10-30", 157.25027, "2026-10-30", 0),
        ("2026-10-29", 153.594, "2026-09-10", 49),  # 20 of September, 29 of October
        ("2026-05-08", 156.76388, "2026-05-08", 0),
    ],
)
def test_the_newest_rate_not_after_the_day(day: str, per_usd: float, read: str, age_d: int) -> None:
    rate = rate_of(at(day), "JPY")
    assert rate is not None
    assert (rate.per_usd, rate.day, rate.age_d) == (per_usd, read, age_d)
    assert rate.marks == (("stale",) if age_d > BELIEVED_D else ())
    assert rate.consumption_tax_share == 0.1


def test_the_source_is_named() -> None:
    rate = rate_of(at("2026-11-22"), "EUR")
    assert rate is not None
    assert rate.source.startswith("ECB euro reference rates of 2026-10-30")
    assert (rate.source_id, rate.consumption_tax_share) == ("ecb-2026-10", None)


def test_the_dollar_needs_no_rate() -> None:
    assert rate_of(at("2020-01-01"), "USD") is None


def test_a_currency_without_rate_on_the_day() -> None:
    with pytest.raises(
        UsageError, match=r"--currency: no rate of EUR is known on 2026-10-29, the first is of 2026-10-30; take a later --as-of"
    ):
        rate_of(at("2026-10-29"), "EUR")


def test_an_unknown_currency() -> None:
    with pytest.raises(UsageError, match=r"--budget: no rate of 'JYP' is in the catalog; accepted: EUR, JPY, USD, .* Did you mean JPY\?"):
        rate_of(at("2026-11-22"), "JYP", "--budget")


def test_a_layer_adds_a_rate(tmp_path: Path) -> None:
    line = "id,currency,day,per_usd,source,note\nbrl-2026-11-20,BRL,2026-11-20,5.4,ours,\n"
    sources = "ours: {title: 'Rate of our bank', seen: '2026-11-20'}\n"
    layer = write(tmp_path, {"exchange_rates.csv": line, "sources/hosting.yaml": sources})
    rate = rate_of(at("2026-11-22", layer), "BRL")
    assert rate is not None
    assert (rate.per_usd, rate.source, rate.age_d) == (5.4, "Rate of our bank", 2)
