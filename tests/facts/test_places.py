"""Regions, operators and residency: worked facts, invariants and planted errors."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infra_advisor.facts.fact import Source
from infra_advisor.facts.files import read_rows, read_yaml
from infra_advisor.facts.market import Offer
from infra_advisor.facts.market_checks import check_place_sources, check_places, check_sources
from infra_advisor.facts.places import AGE_ASSUMPTION, Provider, Region, read_residency

CATALOG = Path(__file__).resolve().parents[2] / "catalog"


def read(name: str) -> Any:
    problems: list[str] = []
    document = read_yaml(CATALOG / name, problems)
    assert problems == []
    return document


def regions() -> list[Region]:
    problems: list[str] = []
    rows = list(read_rows(CATALOG / "regions.csv", Region, problems))
    assert problems == []
    return rows


REGIONS = {(region.provider, region.id): region for region in regions()}
PROVIDERS = {name: Provider.model_validate({"id": name, **raw}) for name, raw in read("providers.yaml").items()}
SOURCES = {name: Source.model_validate(raw) for name, raw in read("sources/places.yaml").items()}


def test_tokyo_and_osaka_lie_in_different_grids() -> None:
    """Eastern Japan burns more gas and coal than Kansai: 539 against 366 gCO2e/kWh in 2024."""
    tokyo, osaka = REGIONS["aws", "ap-northeast-1"], REGIONS["aws", "ap-northeast-3"]
    assert (tokyo.country, tokyo.grid_zone, tokyo.carbon_g_per_kwh, tokyo.carbon_year) == ("JP", "JP-TK", 539, 2024)
    assert (osaka.country, osaka.grid_zone, osaka.carbon_g_per_kwh) == ("JP", "JP-KN", 366)


def test_the_same_region_name_belongs_to_two_providers() -> None:
    assert {provider for provider, region in REGIONS if region == "us-central1"} >= {"gcp"}
    assert len(REGIONS) == len(regions())


def test_operators_and_their_law() -> None:
    assert (PROVIDERS["aws"].kind, PROVIDERS["aws"].home_country, PROVIDERS["aws"].us_cloud_act_exposed) == ("hyperscaler", "US", True)
    assert (PROVIDERS["sakura"].home_country, PROVIDERS["sakura"].us_cloud_act_exposed) == ("JP", False)
    assert PROVIDERS["ovhcloud"].us_cloud_act_exposed is None
    assert PROVIDERS["abci"].kind == "public-research"


def test_an_attestation_keeps_scope_and_status() -> None:
    """Sakura's ISMAP page names its scope; AWS only states the name; recollections are leads."""
    sakura = [attestation for attestation in PROVIDERS["sakura"].attestations if attestation.name == "ISMAP"]
    confirmed = [attestation for attestation in sakura if attestation.status == "confirmed"]
    assert confirmed[0].scope == "Tokyo zones 1-2, Ishikari zones 1-2"
    assert not confirmed[0].is_lead
    recalled = [attestation for provider in PROVIDERS.values() for attestation in provider.attestations if attestation.status == "recalled"]
    assert recalled
    assert all(attestation.is_lead and attestation.source == "memory" for attestation in recalled)


def test_several_price_lists_belong_to_one_operator() -> None:
    assert {"bedrock", "bedrock_converse", "bedrock_mantle"} <= set(PROVIDERS["aws"].price_list_ids)
    assert "vertex_ai-qwen_models" in PROVIDERS["gcp"].price_list_ids
    assert PROVIDERS["aws"].sells_api
    assert not PROVIDERS["vast"].sells_api


def test_every_kind_has_an_age_limit_that_exists() -> None:
    assumptions = read("assumptions.yaml")
    assert {provider.kind for provider in PROVIDERS.values()} <= set(AGE_ASSUMPTION)
    assert set(AGE_ASSUMPTION.values()) <= set(assumptions)
    days = {kind: int(assumptions[name]["value"]) for kind, name in AGE_ASSUMPTION.items()}
    assert (days["hyperscaler"], days["neocloud"], days["marketplace"], days["api"]) == (90, 30, 1, 30)


def test_residency_levels_run_from_loose_to_strict() -> None:
    problems: list[str] = []
    residency = read_residency(CATALOG / "residency.yaml", problems)
    assert problems == []
    assert residency is not None
    assert [level.id for level in residency.levels] == [
        "any",
        "storage-in-country",
        "processing-in-geo",
        "processing-in-country",
        "in-country-domestic-operator",
        "on-prem",
        "air-gapped",
    ]
    assert {"ISMAP", "CLOUD Act"} <= {rule.name for rule in residency.rules}
    assert check_place_sources(PROVIDERS.values(), residency, SOURCES) == []


def test_an_unreadable_residency_file_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "residency.yaml"
    path.write_text("levels: [{id: lax, meaning: none}]\naxes: []\nrules: []\n", encoding="utf-8")
    problems: list[str] = []
    assert read_residency(path, problems) is None
    assert len(problems) == 1
    assert "levels.0.id" in problems[0]


def test_the_tables_pass_their_checks() -> None:
    assert check_places(list(REGIONS.values()), PROVIDERS) == []
    assert check_sources("region", REGIONS.values(), SOURCES) == []


def test_every_offer_stands_in_a_known_place() -> None:
    problems: list[str] = []
    places = {(offer.provider, offer.region) for offer in read_rows(CATALOG / "offers.csv", Offer, problems)}
    assert problems == []
    assert places <= set(REGIONS)


def test_check_places_catches() -> None:
    tokyo = REGIONS["aws", "ap-northeast-1"]
    lost = tokyo.model_copy(update={"provider": "awz"})
    nowhere = tokyo.model_copy(update={"country": None})
    assert any("unknown provider awz. Did you mean aws" in problem for problem in check_places([lost], PROVIDERS))
    assert any("carbon without a country" in problem for problem in check_places([nowhere], PROVIDERS))
    assert any("appears 2 times" in problem for problem in check_places([tokyo, tokyo], PROVIDERS))
    twice = PROVIDERS | {"copy": PROVIDERS["aws"].model_copy(update={"id": "copy"})}
    assert any("price list key bedrock appears 2 times" in problem for problem in check_places([], twice))


@pytest.mark.parametrize(
    "change", [{"kind": "hyper"}, {"home_country": "Japan"}, {"certifications": []}, {"us_cloud_act_exposed": "maybe"}]
)
def test_bad_providers_are_refused(change: dict[str, object]) -> None:
    raw: dict[str, object] = {"id": "x", "name": "X", "kind": "cloud", "source": "memory"}
    Provider.model_validate(raw)
    with pytest.raises(ValidationError):
        Provider.model_validate(raw | change)
