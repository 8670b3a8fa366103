"""Electricity and carbon of answers: worked by hand, consistent with one another, unknown with a reason, and ranked by."""

import math

import pytest
from catalogs import frozen_catalog, real_catalog, write

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.parts import HardwareClass
from infra_advisor.advice.recommend import recommend
from infra_advisor.advice.site import Sites
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.workload import Workload

CHAT = Workload(model="8b", users=20)
HARDWARE = ("cloud", "onprem", "edge")


def ranked(catalog: Catalog, rank: str, workload: Workload = CHAT, **limits: object) -> list[Answer]:
    return list(recommend(catalog, workload, Limits(**{"where": HARDWARE, **limits}), rank=rank, top=0).ranked)  # type: ignore[arg-type]


def test_the_figures_multiply_out(frozen: Catalog) -> None:
    """Wall = (accelerators + hosts) x PUE; tokens/J = tokens/s over it; kWh = 1 / (3.6 x tokens/J); carbon = kWh x grid."""
    known = [row for row in ranked(frozen, "energy") if row.energy.power_w]
    assert len(known) > 20
    for row in known:
        energy = row.energy
        assert energy.accelerators_w is not None
        assert energy.host_w is not None
        assert energy.pue is not None
        assert energy.power_w is not None
        assert energy.power_w == pytest.approx((energy.accelerators_w + energy.host_w) * energy.pue)
        assert energy.tokens_per_joule == pytest.approx((row.performance.output_tokens_per_s or 0.0) / energy.power_w)
        assert row.performance.tokens_per_joule == energy.tokens_per_joule
        assert energy.tokens_per_joule is not None
        assert energy.kwh_per_mtok_output == pytest.approx(1.0 / 3.6 / energy.tokens_per_joule)
        assert energy.kwh_per_mtok_output is not None
        assert (energy.kwh_per_mtok_output_low or 0.0) < energy.kwh_per_mtok_output < (energy.kwh_per_mtok_output_high or math.inf)
        if energy.grid_gco2e_per_kwh is None:
            assert (energy.gco2e_per_mtok_output, energy.grid_source) == (None, None)
            assert (energy.carbon_reason or "").startswith("carbon unknown: ")
        else:
            assert energy.gco2e_per_mtok_output == pytest.approx(energy.kwh_per_mtok_output * energy.grid_gco2e_per_kwh)


def test_two_cards_in_a_workstation_by_hand(frozen: Catalog) -> None:
    """4090s at work draw between idle (18 % of 450 W) and 450 W each; their host 70 % of 180 W; an office has no overhead."""
    row = ranked(frozen, "energy", Workload(model="8b", concurrency=1, weights="fp8"), where=("edge",))[0]
    energy = row.energy
    assert (row.offer.id, energy.pue) == ("buy-2x-rtx-4090-box-japan", 1.0)
    assert energy.host_w == pytest.approx(126.0)
    assert 2 * 0.18 * 450 < (energy.accelerators_w or 0.0) <= 2 * 450.0


# -- where it stands


@pytest.mark.parametrize(
    ("class_", "provider", "region", "country", "pue", "grid"),
    [
        ("cloud", "aws", "ap-northeast-1", "JP", 1.15, 539.0),
        ("cloud", "aws", "us-east-1", "US", 1.15, 398.0),
        ("cloud", "sakura", "is1a", "JP", 1.4, 465.0),
        ("cloud", "sakura", "somewhere", "JP", 1.4, 464.8),
        ("cloud", "crusoe", "various", None, 1.4, None),
        ("onprem", "purchase", None, "JP", 1.4, 464.8),
        ("edge", "purchase", None, "JP", 1.0, 464.8),
        ("edge", "purchase", None, None, 1.0, None),
        ("cloud", "crusoe", "various", "IS", 1.4, None),
    ],
)
def test_the_site_of_an_option(
    frozen: Catalog, class_: HardwareClass, provider: str, region: str | None, country: str | None, pue: float, grid: float | None
) -> None:
    """The region's own grid, else the mean of the country, else unknown; the provider's own PUE, else the assumption."""
    site = Sites(frozen).of(class_, provider, region, country)
    assert (site.pue, site.grid_gco2e_per_kwh) == (pue, grid)
    assert (site.carbon_reason is None) == (grid is not None)
    assert ("assumption" in site.pue_source) == (pue != 1.15)


def test_a_pue_of_one_country_goes_before_that_of_the_provider() -> None:
    sites = Sites(real_catalog())
    assert sites.of("cloud", "azure", "northeurope", "IE").pue == 1.18
    assert sites.of("cloud", "azure", "japaneast", "JP").pue == 1.16


def test_the_provider_s_own_figure_of_its_grid_is_shown_and_not_used() -> None:
    site = Sites(real_catalog()).of("cloud", "gcp", "us-central1", "US")
    assert site.provider_gco2e_per_kwh is not None
    assert site.grid_gco2e_per_kwh not in (None, site.provider_gco2e_per_kwh)


# -- unknown


def test_a_chip_without_a_power_fact_has_no_energy(frozen: Catalog) -> None:
    row = next(row for row in ranked(frozen, "energy") if row.hardware.accelerator == "inferentia2")
    assert (row.energy.kwh_per_mtok_output, row.energy.power_w, row.performance.tokens_per_joule) == (None, None, None)
    assert row.reason == row.energy.reason == "energy unknown: the catalog has no power of inferentia2"


def test_nobody_knows_the_energy_of_a_hosted_api(frozen: Catalog) -> None:
    found = recommend(frozen, Workload(model="70b", users=20), Limits(where=("api",)), rank="energy", top=0)
    assert found.ranked
    for row in found.ranked:
        assert row.energy.kwh_per_mtok_output is None
        assert "not published" in (row.energy.reason or "")
        assert row.reason == row.energy.reason


# -- ranking


@pytest.mark.parametrize("rank", ["energy", "carbon"])
@pytest.mark.parametrize("residency", [None, "JP"])
def test_the_least_stands_first_and_the_unknown_last(frozen: Catalog, rank: str, residency: str | None) -> None:
    rows = ranked(frozen, rank, residency=residency)
    name = {"energy": "kwh_per_mtok_output", "carbon": "gco2e_per_mtok_output"}[rank]
    figures = [getattr(row.energy, name) for row in rows]
    values = [math.inf if figure is None else figure for figure in figures]
    assert values == sorted(values)
    assert math.isfinite(values[0])
    for row, figure in zip(rows, figures, strict=True):
        assert bool(row.reason) == (figure is None)


def test_the_order_does_not_hang_on_the_order_of_the_offers(frozen: Catalog) -> None:
    first, again = (ranked(catalog, "carbon") for catalog in (frozen, frozen_catalog()))
    assert [row.id for row in first] == [row.id for row in again]
    assert len({row.id for row in first}) == len(first)


def test_carbon_moves_the_work_to_the_cleaner_grid(frozen: Catalog) -> None:
    """The same machine of one provider: 398 g/kWh in Virginia, 539 in Tokyo."""
    rows = ranked(frozen, "carbon", provider=Choice(keep=("aws",)))
    places: dict[str, list[str | None]] = {}
    for row in rows:
        places.setdefault(f"{row.offer.instance_type}/{row.software.engine}/{row.software.weights}", []).append(row.offer.region)
    both = [regions for regions in places.values() if len(regions) == 2]
    assert both
    assert all(regions == ["us-east-1", "ap-northeast-1"] for regions in both)


def test_a_layer_may_say_how_idle_accelerators_are(frozen: Catalog, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Half a request in flight: half of the time the accelerators idle, now at 30 % instead of 18 % of their rated power."""
    layer = write(
        tmp_path,
        {"own.yaml": "sources: {own: {title: own meter, seen: 2026-11-01}}\nassumptions: {power_idle_share: {value: 0.3, source: own}}"},
    )
    asked = Limits(where=("cloud",), accelerator=Choice(keep=("l4",)))
    before, after = (
        {row.id: row.energy for row in recommend(catalog, Workload(model="8b", concurrency=0.5), asked, rank="energy", top=0).ranked}
        for catalog in (frozen, frozen_catalog(layer / "own.yaml"))
    )
    assert before.keys() == after.keys()
    for name, energy in before.items():
        other = after[name]
        assert (other.power_w or 0.0) > (energy.power_w or math.inf)
