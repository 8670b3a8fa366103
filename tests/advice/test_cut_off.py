"""Where limits meet: air-gapped and engines, unknown licences, and what independence costs under a constraint on place."""

from collections import Counter
from dataclasses import replace

from catalogs import frozen_catalog, real_catalog

from infra_advisor.advice.air_gap import online_needs
from infra_advisor.advice.cut_off import ONLINE, engines_cut_off
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.recommend import recommend
from infra_advisor.facts.engines import Network
from infra_advisor.search.workload import Workload

CUT_OFF = Limits(residency="JP:air-gapped")
CHAT = Workload(model="8b", users=5)


def test_only_engines_known_to_serve_offline_rank_where_there_is_no_network() -> None:
    catalog = real_catalog()
    found = recommend(catalog, CHAT, CUT_OFF, top=0)
    assert found.ranked
    for answer in found.ranked:
        assert online_needs(catalog.engines[answer.software.engine])[0] == "offline"
        assert answer.hardware.class_ in ("onprem", "edge")
        assert answer.residency is not None
        assert answer.residency.status == "kept"
    # Of the rest it is not known: listed with what to ask, and counted.
    assert found.unranked
    for answer in found.unranked:
        if answer.offer.usd_per_h is not None:
            assert online_needs(catalog.engines[answer.software.engine])[0] == "unknown"
            assert answer.reason is not None
            assert "ask the maker of the engine" in answer.reason


def test_the_list_of_what_to_carry_in_comes_by_itself() -> None:
    catalog = real_catalog()
    assert all(answer.carry_in for answer in recommend(catalog, CHAT, CUT_OFF, top=2).ranked)
    assert not any(answer.carry_in for answer in recommend(catalog, CHAT, replace(CUT_OFF, residency="JP:on-prem"), top=2).ranked)


def test_unknown_engines_are_admitted_with_a_mark() -> None:
    """The frozen catalog says of no engine whether it needs the network: nothing ranks, or everything with the mark."""
    catalog = frozen_catalog()
    assert {online_needs(engine)[0] for engine in catalog.engines.values()} == {"unknown"}
    strict = recommend(catalog, CHAT, CUT_OFF)
    assert (strict.status, strict.ranked) == ("nothing_fits", ())
    assert strict.unranked
    allowed = recommend(catalog, CHAT, replace(CUT_OFF, allow_unknown=True))
    assert allowed.ranked
    assert all("residency-unknown" in answer.offer.marks for answer in allowed.ranked)


def test_an_engine_that_asks_its_licence_online_is_out_even_where_unknown_ones_are_admitted() -> None:
    catalog = frozen_catalog()
    asks = Network.model_validate({"licence_check": "to-run", "control_plane": "none", "source": "memory"})
    for allow in (False, True):
        excluded: Counter[str] = Counter()
        changed = dict(catalog.engines) | {"vllm": catalog.engines["vllm"].model_copy(update={"network": asks})}

        class Changed:
            engines = changed

        kept = engines_cut_off(Changed, replace(CUT_OFF, allow_unknown=allow), excluded)  # type: ignore[arg-type]
        assert "vllm" not in kept
        assert ("llama.cpp" in kept) == allow
        assert excluded[ONLINE] == 1


def test_another_provider_keeps_the_constraint_on_place_too() -> None:
    """Without a constraint the cheapest other provider may stand anywhere; with one, whatever takes over is in the country."""
    catalog = real_catalog()
    found = recommend(catalog, CHAT, Limits(residency="JP", where=("cloud",)), top=0, merge="offer")
    in_country = {answer.id for answer in found.ranked}
    others = {
        other.option
        for answer in found.ranked
        if answer.lock_in
        for other in (answer.lock_in.another_provider, answer.lock_in.another_vendor, answer.lock_in.without_commitment)
        if other and other.option
    }
    assert others
    providers = {answer.offer.provider for answer in found.ranked}
    named = {
        other.provider
        for answer in found.ranked
        if answer.lock_in
        for other in (answer.lock_in.another_provider, answer.lock_in.another_vendor)
        if other and other.provider
    }
    assert named <= providers
    assert others <= in_country


def test_an_unverified_licence_is_admitted_with_a_mark_and_a_warning() -> None:
    catalog = real_catalog()
    name = next(one for one in catalog.model_ids if catalog.model(one).licence.commercial == "unverified")
    asked = Workload(model=name, users=2)
    strict = recommend(catalog, asked, Limits(commercial="yes", where=("onprem",)))
    assert strict.ranked == ()
    assert strict.licence is not None
    assert strict.licence.reason
    allowed = recommend(catalog, asked, Limits(commercial="yes", where=("onprem",), allow_unknown=True))
    assert allowed.ranked
    assert all("licence-unknown" in answer.offer.marks for answer in allowed.ranked)
    assert allowed.licence is not None
    assert (allowed.licence.verdict, allowed.licence.reason) == ("unknown", None)
    assert any("unverified" in warning for warning in allowed.warnings)
