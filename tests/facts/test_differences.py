"""What differs between two states of the facts."""

from decimal import Decimal
from pathlib import Path

from catalogs import frozen_catalog, frozen_copy, replace, write

from infra_advisor.facts.differences import Change, differences

HEADER = "id,node,provider,region,country,price_kind,currency,per_h,from,seen,source\n"


def test_a_catalog_does_not_differ_from_itself() -> None:
    assert differences(frozen_catalog(), frozen_catalog()) == []


def test_prices_in_force_are_compared_and_earlier_lines_are_not(tmp_path: Path) -> None:
    """3.99 -> 4.389 is a tenth more; the line of 2026-12-01 is not in force yet."""
    line = "runpod-h100-sxm-secure-any,runpod-h100-sxm-secure,runpod,any,,on-demand,USD,{},{},{},quote\n"
    write(tmp_path, {"offers.csv": HEADER + line.format("4.389", "2026-11-20", "2026-11-20") + line.format(9, "2026-12-01", "2026-12-01")})
    (change,) = differences(frozen_catalog(), frozen_catalog(tmp_path / "offers.csv"))
    expected = Change("offers", "runpod-h100-sxm-secure-any", "per_h", "changed", Decimal("3.99"), Decimal("4.389"), "USD")
    assert (change, change.share) == (expected, Decimal("0.1"))


def test_rates_go_by_currency_and_what_only_one_side_has_is_new_or_gone(tmp_path: Path) -> None:
    rows = "id,currency,day,per_usd,source\njpy-new,JPY,2026-11-20,150,quote\npln-new,PLN,2026-11-20,3.6,quote\n"
    write(tmp_path, {"exchange_rates.csv": rows})
    old, new = frozen_catalog(), frozen_catalog(tmp_path / "exchange_rates.csv")
    forth = {(one.what, one.id, one.old, one.new) for one in differences(old, new)}
    back = {(one.what, one.id, one.old, one.new) for one in differences(new, old)}
    assert forth == {("changed", "JPY", Decimal("157.25027"), 150), ("new", "PLN", None, Decimal("3.6"))}
    assert back == {("changed", "JPY", 150, Decimal("157.25027")), ("gone", "PLN", Decimal("3.6"), None)}


def test_a_price_in_another_currency_has_no_share(tmp_path: Path) -> None:
    line = "runpod-h100-sxm-secure-any,runpod-h100-sxm-secure,runpod,any,,on-demand,JPY,600,2026-11-20,2026-11-20,quote\n"
    write(tmp_path, {"offers.csv": HEADER + line})
    (change,) = differences(frozen_catalog(), frozen_catalog(tmp_path / "offers.csv"))
    assert (change.old, change.new, change.unit, change.share) == ("3.99 USD", 600, "JPY", None)


def test_curated_facts_as_they_are_written(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "mine.yaml": 'sources: {q: {title: quote, seen: "2026-11-02"}}\n'
            "chips: [{id: l4, memory_bandwidth: {is: 290 GB/s, source: q}}, {id: inferentia2, hide: true}]\n"
        },
    )
    found = {(one.where, one.id, one.figure, one.what, one.old, one.new) for one in differences(frozen_catalog(), frozen_catalog(tmp_path))}
    assert found == {
        ("chips", "l4", "memory_bandwidth", "changed", "300 GB/s", "290 GB/s"),
        ("chips", "inferentia2", "", "gone", None, None),
    }


def test_whole_catalogs_are_compared(tmp_path: Path) -> None:
    copy = frozen_copy(tmp_path)
    replace(copy / "offers.csv", "15.92", "17.91")
    (copy / "engines" / "vllm.yaml").rename(copy / "engines" / "vllm2.yaml")
    replace(copy / "engines" / "vllm2.yaml", "id: vllm\n", "id: vllm2\n")
    found = [(one.id, one.what) for one in differences(frozen_catalog(), frozen_catalog(base=copy))]
    assert found == [("digitalocean-gpu-mi300x8-1536gb-any", "changed"), ("vllm", "gone"), ("vllm2", "new")]
