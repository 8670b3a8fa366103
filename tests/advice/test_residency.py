"""Place, operator, law, attestations and keys in the ranking: kept, unknown and excluded, on the mini catalog and the bundled one."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest
from catalogs import frozen_catalog, write

from infra_advisor.advice.answer import Answer, Recommendation
from infra_advisor.advice.asked import Asked, echo
from infra_advisor.advice.check import check
from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.places import places
from infra_advisor.advice.placing import NOTE, Placing
from infra_advisor.advice.recommend import recommend
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.workload import Workload

CHAT = Workload(model="8b", concurrency=4)
"""Everything of the mini catalog can serve it."""


def by_offer(listed: tuple[Answer, ...]) -> dict[str, Answer]:
    return {answer.offer.id: answer for answer in listed}


def ask(catalog: Catalog, **limits: object) -> Recommendation:
    return recommend(catalog, CHAT, Limits(**limits), top=0)  # type: ignore[arg-type]


def test_one_country_is_what_it_always_was(frozen: Catalog) -> None:
    for text in ("JP", "jp", "jp:processing"):
        limits = Limits(residency=text)
        assert (limits.residency, limits.country) == ("JP", "JP")
    found = ask(frozen, residency="JP")
    assert {answer.offer.country for answer in found.ranked} == {"JP"}
    assert found.excluded["outside JP"] > 0
    assert all(
        answer.reason and answer.reason.startswith("residency unknown: ") for answer in found.unranked if answer.offer.country is None
    )


def test_nothing_is_said_where_nothing_is_asked(frozen: Catalog) -> None:
    found = ask(frozen)
    assert all(answer.residency is None for answer in (*found.ranked, *found.unranked, *found.near_misses))
    assert "residency" not in found.ranked[0].model_dump()


def test_each_answer_says_why_it_is_kept(frozen: Catalog) -> None:
    for answer in ask(frozen, residency="JP", no_foreign_law=("us",), allow_unknown=True).ranked:
        found = answer.residency
        assert found is not None
        assert [axis.axis for axis in found.axes] == ["residency", "law"]
        assert all(axis.why for axis in found.axes)
        assert found.note == NOTE
        assert (found.status == "unknown") == ("residency-unknown" in answer.offer.marks)


def test_the_region_is_japanese_and_the_operator_is_not(frozen: Catalog) -> None:
    """Amazon's machines in Tokyo keep the residency, and not the operator's home or law; Sakura's keep all."""
    cloud = ("cloud",)
    providers = lambda found: {answer.offer.provider for answer in found.ranked}  # noqa: E731
    assert {"aws", "sakura"} <= providers(ask(frozen, residency="JP", where=cloud))
    for axis in ({"operator_home": ("jp",)}, {"no_foreign_law": ("us",)}, {"residency": "JP:domestic-operator"}):
        found = ask(frozen, **{"residency": "JP", "where": cloud, **axis})
        assert providers(found) == {"sakura"}
    assert ask(frozen, residency="JP", where=cloud, operator_home=("jp",)).excluded["operator not of JP"] > 0
    assert ask(frozen, residency="JP", where=cloud, no_foreign_law=("us",)).excluded["operator under US law (CLOUD Act)"] > 0


def test_own_hardware_keeps_every_level(frozen: Catalog) -> None:
    for level in ("storage", "geo", "processing", "domestic-operator", "on-prem"):
        own = [one for one in ask(frozen, residency=f"JP:{level}", keys="customer").ranked if one.hardware.class_ in ("onprem", "edge")]
        assert own
        assert {one.residency.status for one in own if one.residency} == {"kept"}
    assert {one.hardware.class_ for one in ask(frozen, residency="on-prem").ranked} <= {"onprem", "edge"}


def test_what_is_unknown_stands_apart_and_is_admitted_with_a_mark(frozen: Catalog) -> None:
    strict, lenient = (ask(frozen, residency="JP", where=("cloud",), allow_unknown=allowed) for allowed in (False, True))
    apart, admitted = by_offer(strict.unranked), by_offer(lenient.ranked)
    assert apart["crusoe-mi300x-various"].reason == "residency unknown: the price list names no country"
    assert "crusoe-mi300x-various" not in by_offer(strict.ranked)
    assert "residency-unknown" in admitted["crusoe-mi300x-various"].offer.marks
    assert set(by_offer(strict.ranked)) <= set(admitted)
    assert all("residency-unknown" not in answer.offer.marks for answer in strict.ranked)


def test_an_attestation_that_is_not_recorded_is_asked_for(frozen: Catalog, tmp_path: Path) -> None:
    """Sakura with a lapsed ISMAP of 2021, then with a current one."""
    text = "providers:\n  sakura:\n    attestations:\n    - {{name: ISMAP, status: stated, source: memory, {when}}}\n"
    wanted = {"residency": "JP", "where": ("cloud",), "attestation": ("ISMAP",)}
    lapsed = frozen_catalog(write(tmp_path / "a", {"own.yaml": text.format(when="valid_until: '2023-04-30'")}) / "own.yaml")
    found = ask(lapsed, **wanted)
    assert not any(answer.offer.provider == "sakura" for answer in found.ranked)
    (reason, *_) = [answer.reason for answer in found.unranked if answer.offer.provider == "sakura"]
    assert reason is not None
    assert reason.startswith("attestation unknown: ISMAP of unknown date has lapsed since 2023-04-30; ask for the current ismap document")
    standing = frozen_catalog(write(tmp_path / "b", {"own.yaml": text.format(when="valid_until: '2027-01-31'")}) / "own.yaml")
    (answer, *_) = [answer for answer in ask(standing, **wanted).ranked if answer.offer.provider == "sakura"]
    assert answer.residency is not None
    assert "check the register" in answer.residency.axes[1].why
    assert [(one.name, one.lapsed) for one in answer.residency.attestations] == [("ISMAP", None)]


def test_a_hosted_route_is_judged_by_its_routing(real: Catalog) -> None:
    judge = Placing(real, Limits(residency="JP"))
    assert judge.api("aws", "JP", "geo", "geo:JP").status == "kept"
    apac = judge.api("aws", None, "geo", "geo:APAC")
    assert apac.status == "excluded"
    assert apac.part is not None
    assert apac.part.axes[0].why == "geo:APAC may process in AU, IN, KR, SG"
    assert judge.api("azure", None, None, None).unknown == "residency unknown: processing is not stated"


@pytest.mark.parametrize(
    ("limits", "dropped"),
    [
        ({"residency": "NZ:domestic-operator"}, {"residency"}),
        ({"residency": "JP", "operator_home": ("de",)}, {"operator_home"}),
        ({"residency": "JP", "operator_home": ("jp",), "keys": "customer"}, {"keys"}),
    ],
)
def test_what_shuts_everything_out_is_named(frozen: Catalog, limits: dict[str, object], dropped: set[str]) -> None:
    found = ask(frozen, **limits, where=("cloud",))
    assert found.status == "nothing_fits"
    ways = {way.limit: way.text for way in found.relaxations}
    assert dropped <= set(ways)
    assert all(ways[name].startswith("without --") for name in dropped)


def test_the_question_survives_being_saved(frozen: Catalog, tmp_path: Path) -> None:
    limits = Limits(
        residency="jp,de:storage",
        operator_home=("jp", "!us"),
        no_foreign_law=("US",),
        attestation=("ISO 27017",),
        keys="customer",
        allow_unknown=True,
    )
    assert limits.attestation == ("iso27017",)
    asked = Asked.model_validate(json.loads(json.dumps(echo(workload=CHAT, limits=limits))))
    assert asked.limits == limits
    found = recommend(frozen, CHAT, Limits(residency="JP", no_foreign_law=("us",), where=("cloud",)))
    path = tmp_path / "saved.json"
    path.write_text(found.model_dump_json())
    assert check(frozen, path).status == "stands"


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"residency": "air-gapped", "where": ("cloud", "api")}, "--residency air-gapped and --where cloud,api contradict each other"),
        ({"keys": "mine"}, "accepted: customer"),
        ({"attestation": ("!!",)}, "--attestation: '!!' names nothing"),
    ],
)
def test_contradictions_are_refused(limits: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as error:
        Limits(**limits)  # type: ignore[arg-type]
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"no_foreign_law": ("fisc",)}, "'fisc' is neither a country nor a law that does; accepted: a country such as us or cloudact"),
        ({"no_foreign_law": ("ismap",)}, "ISMAP does not follow the operator abroad"),
        ({"attestation": ("ismapp",)}, "'ismapp' is unknown; the catalog has"),
    ],
)
def test_laws_and_attestations_are_those_of_the_catalog(real: Catalog, limits: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as error:
        places(real, Limits(**limits))  # type: ignore[arg-type]
    assert message in str(error.value)
    assert places(real, Limits(no_foreign_law=("CLOUD Act",))).limits.no_foreign_law == ("cloudact",)


# -- the whole catalog


@pytest.mark.parametrize("level", ["storage", "geo", "processing", "domestic-operator"])
@pytest.mark.parametrize("country", ["jp", "eu", "us"])
def test_every_provider_and_region_is_classified(real: Catalog, country: str, level: str) -> None:
    found = places(real, Limits(residency=f"{country}:{level}", no_foreign_law=("us",), attestation=("soc2",), keys="customer"))
    assert {(one.provider, one.region) for one in found.places if one.kind == "region"} == set(real.regions)
    assert {one.provider for one in found.places} == {one.id for one in real.providers.values()}
    for one in found.places:
        assert len(one.residency.axes) == 4
        assert all(axis.why and bool(axis.ask) == (axis.status == "unknown") for axis in one.residency.axes)


def test_a_stricter_level_never_admits_more_of_the_catalog(real: Catalog) -> None:
    kept: list[set[tuple[str, str, str | None, str | None, str | None]]] = []
    for level in ("any", "storage", "geo", "processing", "domestic-operator"):
        found = places(real, Limits(residency=f"jp:{level}"))
        key = lambda one: (one.kind, one.provider, one.region, one.residency.country, one.residency.routing)  # noqa: E731
        kept.append({key(one) for one in found.places if one.residency.status == "kept"})
    assert all(strict < loose for loose, strict in itertools.pairwise(kept))


def test_dropping_one_constraint_is_counted(real: Catalog) -> None:
    limits = Limits(residency="NZ", operator_home=("jp",), provider=Choice(drop=("purchase",)))
    found = places(real, limits)
    assert found.status == "nothing_fits"
    counts = [one.kept for one in found.dropped]
    assert counts == sorted(counts, reverse=True)
    for one in found.dropped:
        freed = replace(limits, residency=None) if one.option == "--residency NZ" else replace(limits, operator_home=())
        assert one.kept == sum(place.residency.status == "kept" for place in places(real, freed).places)
        assert one.kept > 0


def test_places_can_be_narrowed(real: Catalog) -> None:
    found = places(real, Limits(residency="JP", provider=Choice(keep=("aws", "sakura")), accelerator=Choice(keep=("h100-sxm",))))
    assert {one.provider for one in found.places} == {"aws", "sakura"}
    assert all("h100-sxm" in one.accelerators for one in found.places)
    own = places(real, Limits(residency="jp:air-gapped"))
    assert [one.kind for one in own.places if one.residency.status == "kept"] == ["own"]
