"""The decision about place, operator, law, attestations and keys: truth tables by hand, and laws that hold for every option."""

import datetime
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.facts.attestations import attestation_key, is_of, lapsed_since
from infra_advisor.facts.jurisdiction import STATUSES, Demand, Placed, judge, worst
from infra_advisor.facts.places import Attestation, Provider
from infra_advisor.facts.residency import LEVELS, Residency, read_residency_text

DAY = datetime.date(2026, 11, 22)


def provider(home: str | None, exposed: bool | None, *held: Attestation, keys: bool | None = None) -> Provider:
    return Provider(
        id="x",
        name="X",
        kind="cloud",
        home_country=home,
        us_cloud_act_exposed=exposed,
        source="memory",
        attestations=held,
        customer_keys=keys,
    )


JAPANESE, AMERICAN, MIXED, NOBODY = provider("JP", False), provider("US", True), provider("JP", None), provider(None, None)


def machine(country: str | None, operator: Provider = JAPANESE) -> Placed:
    return Placed(country=country, operator=operator, home=operator.home_country, sites=frozenset({country} if country else ()))


def route(routing: str | None, scope: str | None = None, country: str | None = None, operator: Provider = AMERICAN) -> Placed:
    """A route of an API whose operator has regions in Japan and the US."""
    sites = frozenset({"JP", "US"})
    return Placed(api=True, country=country, routing=routing, scope=scope, operator=operator, home=operator.home_country, sites=sites)


OWN = Placed(own=True)
OPTIONS = {
    "own": OWN,
    "tokyo of a Japanese operator": machine("JP"),
    "tokyo of a US operator": machine("JP", AMERICAN),
    "tokyo of a mixed operator": machine("JP", MIXED),
    "tokyo of nobody known": machine("JP", NOBODY),
    "sydney": machine("AU", AMERICAN),
    "dallas": machine("US", AMERICAN),
    "somewhere": machine(None),
    "in-region JP": route("in-region", "ap-northeast-1", "JP"),
    "in-country JP": route("in-country", "JP", "JP", JAPANESE),
    "jp. profile": route("geo", "geo:JP", "JP"),
    "apac. profile": route("geo", "geo:APAC"),
    "eu. profile": route("geo", "geo:EU"),
    "geo of no known name": route("geo", "geo:MARS"),
    "global": route("global", "global"),
    "choice EU/US": route("provider-choice", "EU/US"),
    "choice APAC": route("provider-choice", "APAC"),
    "not stated": route(None),
}
K, U, X = "kept", "unknown", "excluded"
JP_TABLE = {  # by level: storage, geo, processing, domestic-operator, on-prem, air-gapped
    "own": (K, K, K, K, K, K),
    "tokyo of a Japanese operator": (K, K, K, K, X, X),
    "tokyo of a US operator": (K, K, K, X, X, X),
    "tokyo of a mixed operator": (K, K, K, U, X, X),
    "tokyo of nobody known": (K, K, K, U, X, X),
    "sydney": (X, X, X, X, X, X),
    "dallas": (X, X, X, X, X, X),
    "somewhere": (U, U, U, U, X, X),
    "in-region JP": (K, K, K, X, X, X),
    "in-country JP": (K, K, K, K, X, X),
    "jp. profile": (K, K, K, X, X, X),
    "apac. profile": (K, K, X, X, X, X),
    "eu. profile": (X, X, X, X, X, X),
    "geo of no known name": (U, U, U, X, X, X),
    "global": (K, X, X, X, X, X),
    "choice EU/US": (X, X, X, X, X, X),
    "choice APAC": (U, U, U, X, X, X),
    "not stated": (U, U, U, X, X, X),
}


def status(placed: Placed, text: str) -> str:
    return worst(one.status for one in judge(placed, Demand(residency=read_residency_text(text))))


@pytest.mark.parametrize("name", OPTIONS)
def test_every_routing_at_every_level_for_japan(name: str) -> None:
    found = tuple(status(OPTIONS[name], f"jp:{level}") for level in LEVELS[1:])
    assert found == JP_TABLE[name]
    assert status(OPTIONS[name], "jp:any") == K
    assert set(OPTIONS) == set(JP_TABLE)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("eu. profile", "eu", K),  # all 27 countries of the route are members
        ("eu. profile", "eea", K),
        ("eu. profile", "de", X),  # it may leave Germany
        ("eu. profile", "eu,!hu", X),  # and Hungary is one of them
        ("apac. profile", "apac", K),
        ("sydney", "apac", K),
        ("sydney", "jp,au", K),
        ("global", "!us", X),  # anywhere includes the US
        ("dallas", "!us", X),
        ("sydney", "!us", K),
        ("somewhere", "!us", U),
        ("choice EU/US", "eu", U),  # ask whether it can be fixed to the EU
        ("choice EU/US", "eu,us", K),
        ("tokyo of a US operator", "us,jp:domestic-operator", K),
    ],
)
def test_lists_geographies_and_exclusions(name: str, text: str, expected: str) -> None:
    assert status(OPTIONS[name], text) == expected


@pytest.mark.parametrize(
    ("name", "home", "law_us", "law_cn"),
    [
        ("own", K, K, K),
        ("tokyo of a Japanese operator", K, K, U),
        ("tokyo of a US operator", X, X, U),  # the region is Japanese, the operator is not
        ("tokyo of a mixed operator", K, U, U),
        ("tokyo of nobody known", U, U, U),
        ("jp. profile", X, X, U),
    ],
)
def test_operator_and_law_are_apart_from_the_place(name: str, home: str, law_us: str, law_cn: str) -> None:
    placed = OPTIONS[name]
    verdicts = judge(placed, Demand(operator_home=Residency(keep=("JP",)), laws=("US", "CN")))
    assert [(one.axis, one.status) for one in verdicts] == [("operator", home), ("law", law_us), ("law", law_cn)]


def test_an_operator_at_home_under_a_law_is_reached_by_it() -> None:
    (verdict,) = judge(machine("JP", provider("CN", False)), Demand(laws=("CN",)))
    assert verdict.status == "excluded"
    assert "the law of CN" in verdict.why


def held(**fields: Any) -> Attestation:
    return Attestation(**{"name": "ISMAP", "status": "stated", "source": "memory", **fields})


@pytest.mark.parametrize(
    ("held_", "expected", "why"),
    [
        ((held(),), K, "ISMAP stated, date not recorded, scope not recorded (source memory); check the register"),
        ((held(status="recalled"),), U, "only a lead (recalled)"),
        ((held(status="keyword-probe"),), U, "only a lead"),
        ((held(status="in-progress"),), U, "only a lead"),
        ((held(status="reference"),), U, "only a lead"),
        ((), U, "no ismap of the operator is recorded"),
        ((held(date="2021-12"),), U, "has lapsed since 2023-04-30"),  # December 2021 + 16 months
        ((held(date="2025-07-23"),), K, "2025-07-23"),  # + 16 months = 2026-11-23, a day later than asked about
        ((held(date="2025-07-21"),), U, "lapsed since 2026-11-21"),
        ((held(valid_until="2026-11-21"),), U, "lapsed since 2026-11-21"),
        ((held(valid_until="2026-11-22"),), K, "stated"),
        ((held(date="2021-12"), held(status="confirmed", scope="Tokyo")), K, "confirmed, date not recorded, scope Tokyo"),
    ],
)
def test_attestations_count_when_stated_and_standing(held_: tuple[Attestation, ...], expected: str, why: str) -> None:
    demand = Demand(attestations=("ismap",), day=DAY, lapse_months={"ismap": 16})
    (verdict,) = judge(machine("JP", provider("JP", False, *held_)), demand)
    assert verdict.status == expected
    assert why in verdict.why
    assert bool(verdict.ask) == (expected == U)


def test_names_of_attestations() -> None:
    both = held(name="ISO 27017 and Privacy Mark (with ISO 27001)")
    assert [is_of(both, key) for key in ("iso27017", "iso27001", "privacymark", "iso2701")] == [True, True, True, False]
    assert is_of(held(name="SOC 2 Type II"), "soc2")
    assert not is_of(held(name="SOC 2"), "soc1")
    assert attestation_key("ISO-27017") == "iso27017"
    assert lapsed_since(held(date="2024-10-31"), 16) == datetime.date(2026, 2, 28)  # no 31 February


@pytest.mark.parametrize(("keys", "expected"), [(True, K), (False, X), (None, U)])
def test_keys(keys: bool | None, expected: str) -> None:
    assert [one.status for one in judge(machine("JP", provider("JP", False, keys=keys)), Demand(customer_keys=True))] == [expected]
    assert [one.status for one in judge(OWN, Demand(customer_keys=True))] == [K]


# -- laws


countries = st.sampled_from(("JP", "US", "DE", "FR", "NO", "SG", "AU"))
scopes = st.sampled_from((None, "global", "geo:APAC", "geo:EU", "datazone:US", "geo:JP", "EU/US", "geo:MARS"))
operators = st.builds(provider, st.none() | countries, st.none() | st.booleans())
placements = st.builds(
    lambda own, api, country, routing, scope, sites, operator: Placed(
        own=own, api=api, country=country, routing=routing, scope=scope, sites=sites, operator=operator, home=operator.home_country
    ),
    st.booleans(),
    st.booleans(),
    st.none() | countries,
    st.sampled_from((None, "in-country", "in-region", "geo", "global", "provider-choice")),
    scopes,
    st.frozensets(countries, max_size=3),
    operators,
)
names = st.lists(countries | st.sampled_from(("EU", "EEA", "APAC")), max_size=3, unique=True).map(tuple)


@given(placements, names, names)
def test_a_stricter_level_never_admits_more(placed: Placed, keep: tuple[str, ...], drop: tuple[str, ...]) -> None:
    found = []
    for level in LEVELS:
        demand = Demand(residency=Residency(keep=keep, drop=drop, level=level))
        found.append(STATUSES.index(worst(one.status for one in judge(placed, demand))))
    assert found == sorted(found)


@given(placements, names, countries)
def test_leaving_out_one_more_country_never_admits_more(placed: Placed, keep: tuple[str, ...], dropped: str) -> None:
    for level in LEVELS:
        loose, strict = (
            STATUSES.index(worst(one.status for one in judge(placed, Demand(residency=Residency(keep=keep, drop=drop, level=level)))))
            for drop in ((), (dropped,))
        )
        assert loose <= strict


@given(placements, st.sets(st.sampled_from(range(4))), st.sets(st.sampled_from(range(4))))
def test_asking_more_never_admits_more(placed: Placed, some: set[int], more: set[int]) -> None:
    def demand(asked: set[int]) -> Demand:
        return Demand(
            residency=Residency(keep=("JP",)) if 0 in asked else Residency(),
            operator_home=Residency(keep=("JP",)) if 1 in asked else Residency(),
            laws=("US",) if 2 in asked else (),
            attestations=("ismap",) if 3 in asked else (),
        )

    few, many = (worst(one.status for one in judge(placed, demand(asked))) for asked in (some, some | more))
    assert STATUSES.index(few) <= STATUSES.index(many)


@given(placements, names)
def test_every_verdict_says_why_and_the_open_ones_what_to_ask(placed: Placed, keep: tuple[str, ...]) -> None:
    for level in LEVELS:
        for one in judge(placed, Demand(residency=Residency(keep=keep, level=level), laws=("US",), customer_keys=True)):
            assert one.why
            assert bool(one.ask) == (one.status == "unknown")
            assert bool(one.label) == (one.status == "excluded")


def test_all_pairs_of_options_and_levels_are_decided() -> None:
    assert all(status(placed, f"jp:{level}") in STATUSES for placed, level in itertools.product(OPTIONS.values(), LEVELS))
