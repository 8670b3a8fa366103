"""How a residency is written: what is read, what is refused and with which hint; the geographies behind the names."""

from pathlib import Path

import pytest
from catalogs import BUNDLED, write
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.errors import CatalogError, UsageError
from infra_advisor.facts.geographies import geographies, read_geographies
from infra_advisor.facts.places import read_residency
from infra_advisor.facts.residency import LEVEL_IDS, LEVELS, Residency, read_places, read_residency_text


@pytest.mark.parametrize(
    ("written", "text", "country"),
    [
        ("jp", "JP", "JP"),
        ("JP", "JP", "JP"),
        (" uk ", "GB", "GB"),
        ("jp:processing", "JP", "JP"),
        ("jp:storage", "JP:storage", "JP"),
        ("jp,de", "JP,DE", None),
        ("jp,de:storage", "JP,DE:storage", None),
        ("jp:storage,de:storage", "JP,DE:storage", None),
        ("eu,!de", "EU,!DE", None),
        ("eu,-hu:Domestic-Operator", "EU,!HU:domestic-operator", None),
        ("!us", "!US", None),
        ("apac", "APAC", None),
        ("on-prem", "on-prem", None),
        ("jp:on-prem", "JP:on-prem", "JP"),
        ("air-gapped", "air-gapped", None),
        ("any", "any", None),
        ("jp:any", "JP:any", "JP"),
    ],
)
def test_what_is_read(written: str, text: str, country: str | None) -> None:
    found = read_residency_text(written)
    assert (found.text, found.country) == (text, country)
    assert read_residency_text(found.text) == found


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("japan", "'japan' is not a country; give its two-letter code, such as jp, us or de, or one of eu, eea, asean, nordics, apac."),
        ("zz", "'zz' is not a country"),
        ("apacc", "Did you mean apac"),
        ("on-perm", "Did you mean on-prem"),
        (
            "jp:local",
            "'local' is not a level of residency; accepted: any, storage, geo, processing, domestic-operator",
        ),
        ("jp:proccessing", "Did you mean processing"),
        ("jp:storage,de:geo", "storage and geo contradict each other; give one level"),
        ("jp:air-gapped,on-prem", "air-gapped and on-prem contradict"),
        (":storage", "storage needs a country: jp:storage"),
        ("", "names no country"),
        ("jp,", "names no country"),
        ("jp,!jp", "every country is left out again"),
        ("eu,!eea", "every country is left out again"),
        ("!", "'' is not a country"),
    ],
)
def test_what_is_refused(written: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        read_residency_text(written)
    assert message in str(error.value)


def test_places_take_no_level() -> None:
    assert read_places(("jp", "!us")) == ("JP", "!US")
    with pytest.raises(UsageError, match="takes countries, no level"):
        read_places(("jp:storage",))


@given(
    st.lists(st.sampled_from(("JP", "US", "DE", "EU")), max_size=3, unique=True),
    st.lists(st.sampled_from(("SG", "AU")), max_size=2, unique=True),
    st.sampled_from(LEVELS),
)
def test_text_and_value_are_one(keep: list[str], drop: list[str], level: str) -> None:
    asked = Residency(keep=tuple(keep), drop=tuple(drop), level=level)
    if keep or level in ("any", "on-prem", "air-gapped"):
        assert read_residency_text(asked.text) == asked


def test_levels_are_those_of_the_catalog_in_its_order() -> None:
    problems: list[str] = []
    catalog = read_residency(BUNDLED / "residency.yaml", problems)
    assert problems == []
    assert catalog is not None
    assert tuple(LEVEL_IDS[level] for level in LEVELS) == tuple(level.id for level in catalog.levels)


def test_geographies() -> None:
    groups = geographies()
    assert len(groups["EU"]) == 27
    assert groups["EEA"] - groups["EU"] == {"IS", "LI", "NO"}
    assert "GB" not in groups["EEA"]
    assert "JP" in groups["APAC"]
    entries = read_geographies(BUNDLED / "geographies.yaml")
    assert {name for name, one in entries.items() if one.basis == "judgement"} == {"apac"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("eu: {name: EU, countries: [DE, ZZ], basis: treaty, source: memory, seen: '2026-11-22'}", "ZZ: not a country"),
        ("eu: {name: EU, countries: [DE, DE], basis: treaty, source: memory, seen: '2026-11-22'}", "listed twice"),
        ("eu: {name: EU, countries: [DE, FR], basis: guess, source: memory, seen: '2026-11-22'}", "basis"),
        ("eu: {name: EU, countries: [DE, FR], basis: treaty, seen: '2026-11-22'}", "source"),
        ("[]", "names no geography"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, {"geographies.yaml": text}) / "geographies.yaml"
    with pytest.raises(CatalogError) as error:
        read_geographies(path)
    assert message in str(error.value)
