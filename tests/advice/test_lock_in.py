"""Lock-in on the mini catalog: what independence costs, what leaving costs, and what can be moved at all, by hand."""

import json
from pathlib import Path

import pytest
from catalogs import FROZEN, frozen_catalog, frozen_copy, replace, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra_advisor.advice.answer import Answer, Recommendation
from infra_advisor.advice.check import check
from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.lock_in import LIST, weight_file
from infra_advisor.advice.lock_in_parts import Alternative, LockIn
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.portable import WANTED
from infra_advisor.advice.recommend import recommend
from infra_advisor.advice.saved import saved
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.workload import Workload

CHAT = Workload(model="70b", users=20)
SMALL = Workload(model="8b", concurrency=4)
FP8 = Workload(model="70b", users=20, weights="fp8")
HOURS = 730


@pytest.fixture(autouse=True)
def closed_form_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Money does not depend on what simulation settles."""
    monkeypatch.setattr("infra_advisor.advice.finalists.MOST_FINALISTS", 0)


@pytest.fixture(scope="module")
def two_engines(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The mini catalog with a second engine that does all that vLLM does."""
    text = (FROZEN / "engines" / "vllm.yaml").read_text(encoding="utf-8").replace("id: vllm\nname: vLLM", "id: sglang\nname: SGLang")
    sources = ", ".join(f'{name}: {{title: "test", seen: "2026-11-01"}}' for name in ("vllm-code", "vllm-docs", "aiconfigurator"))
    return frozen_catalog(write(tmp_path_factory.mktemp("layer"), {"engines/sglang.yaml": f"{text}sources: {{{sources}}}\n"}))


def tied(answer: Answer) -> LockIn:
    assert answer.lock_in is not None
    return answer.lock_in


def offer(found: Recommendation, name: str) -> Answer:
    return next(row for row in found.ranked if row.offer.id.startswith(name))


def cost(answer: Answer) -> float:
    assert answer.cost.usd_per_mtok_output is not None
    return answer.cost.usd_per_mtok_output


# -- the price of independence


@pytest.mark.parametrize("rank", ["cost", "ttft", "throughput"])
@pytest.mark.parametrize("limits", [Limits(), Limits(ttft_s=1.0), Limits(where=("cloud", "onprem"))])
def test_alternatives_are_the_first_of_another_kind_in_the_ranking(frozen: Catalog, limits: Limits, rank: str) -> None:
    """Read off the whole list: the first row of another vendor or provider, its cost over this one's, less one."""
    found = recommend(frozen, CHAT, limits, rank=rank, top=0)
    hardware = {answer.id: answer for answer in found.ranked}
    for answer in found.ranked[:LIST]:
        lock = tied(answer)
        others = [other for other in found.ranked if other.offer.provider != answer.offer.provider]
        assert lock.another_provider.option == (others[0].id if others else None)
        if answer.hardware.class_ == "api":
            assert (lock.another_vendor.option, lock.weights, lock.engines) == (None, None, ())
            continue
        makers = [one for one in found.ranked if one.hardware.class_ != "api" and one.hardware.vendor != answer.hardware.vendor]
        assert lock.another_vendor.option == (makers[0].id if makers else None)
        for one in (lock.another_vendor, lock.another_provider, lock.without_commitment):
            if one.option is not None:
                share = cost(hardware[one.option]) / cost(answer) - 1.0
                assert one.more_share == pytest.approx(share, abs=1e-4)
                assert one.more_usd_per_mtok_output == pytest.approx(share * cost(answer), rel=1e-3, abs=1e-3)


def test_ranked_by_cost_nothing_is_cheaper_than_the_first(frozen: Catalog) -> None:
    first = tied(recommend(frozen, CHAT, Limits(where=("cloud", "onprem"))).ranked[0])
    for one in (first.another_vendor, first.another_provider, first.without_commitment, *first.vendors, *first.providers):
        assert one.more_share is not None
        assert one.more_share >= 0.0
    assert first.another_vendor == first.vendors[0]
    assert first.another_provider == first.providers[0]


def test_months_are_compared_where_the_load_is_stated(frozen: Catalog) -> None:
    """With users the months serve the same people; without a load each machine is priced at its own."""
    limits = Limits(where=("cloud",))
    stated, unstated = recommend(frozen, CHAT, limits), recommend(frozen, Workload(model="70b"), limits)
    first, other = stated.ranked[0], tied(stated.ranked[0]).another_vendor
    assert other.usd_per_month is not None
    assert first.cost.usd_per_month is not None
    assert other.more_usd_per_month == pytest.approx(other.usd_per_month - first.cost.usd_per_month, abs=0.01)
    assert tied(unstated.ranked[0]).another_vendor.more_usd_per_month is None


@pytest.mark.parametrize("commit", ["1y", "auto"])
def test_without_commitment_is_the_price_by_the_hour(frozen: Catalog, commit: str) -> None:
    """Four L4 for a year at 2.99564 USD/h, by the hour at 4.6016: (4.6016 - 2.99564) x 730 x machines more a month."""
    limits = Limits(provider=Choice(keep=("aws",)), accelerator=Choice(keep=("l4",)))
    found = recommend(frozen, SMALL, limits, payment=Payment(commit=commit), top=0)  # type: ignore[arg-type]
    answer = offer(found, "aws-g6.12xlarge-us-east-1-reserved-1y" if commit == "1y" else "aws-g6.12xlarge-us-east-1-reserved-3y")
    other = tied(answer).without_commitment
    assert other.option is not None
    assert "reserved" not in other.option
    one = next(row for row in recommend(frozen, SMALL, limits, top=0).ranked if row.id == other.option)
    assert other.usd_per_month == pytest.approx(one.cost.usd_per_month, abs=0.01)
    if other.option.startswith("aws-g6.12xlarge") and commit == "1y":
        assert other.more_usd_per_month == pytest.approx((4.6016 - 2.99564) * HOURS * answer.hardware.instances, abs=0.02)


def test_what_is_paid_by_the_hour_is_its_own_alternative(frozen: Catalog) -> None:
    answer = recommend(frozen, CHAT, Limits(where=("cloud",))).ranked[0]
    assert tied(answer).without_commitment.option == answer.id
    assert tied(answer).without_commitment.more_share == 0.0


def test_one_option_has_no_alternative_and_says_why(frozen: Catalog) -> None:
    limits = Limits(provider=Choice(keep=("crusoe",)), accelerator=Choice(keep=("mi300x",)))
    lock = tied(recommend(frozen, CHAT, limits).ranked[0])
    assert (lock.another_vendor.option, lock.another_vendor.reason) == (None, "the question names its hardware")
    assert (lock.another_provider.option, lock.another_provider.reason) == (None, "the question names its provider")
    assert (lock.vendors_total, lock.providers_total) == (0, 0)


def test_only_the_first_answers_are_worked_out(frozen: Catalog) -> None:
    found = recommend(frozen, SMALL, Limits(), top=0)
    assert len(found.ranked) > LIST
    assert [answer.lock_in is not None for answer in found.ranked] == [True] * LIST + [False] * (len(found.ranked) - LIST)
    assert not any(miss.lock_in for miss in (*found.near_misses, *found.unranked))


# -- leaving


def test_a_server_is_written_off_evenly_less_its_resale(frozen: Catalog) -> None:
    """285,000 USD over 36 months: after 12 two thirds are left, 190,000; with 20 % resale 285,000 x 0.8 x 2/3 = 152,000."""
    limits = Limits(where=("onprem",))
    for payment, at_start, left in ((Payment(), 285_000, 190_000), (Payment(assume={"residual_share": 0.2}), 228_000, 152_000)):
        way_out = tied(offer(recommend(frozen, CHAT, limits, payment=payment, top=0), "buy-8x-h100-sxm-hgx-server")).exit
        assert (way_out.usd_at_start, way_out.usd, way_out.months_committed) == (pytest.approx(at_start), pytest.approx(left), 36)


def test_a_term_is_paid_to_its_end(frozen: Catalog) -> None:
    """2.99564 USD/h x 730 h x 12 months on the first day; after 5 months 7/12 of it."""
    limits = Limits(provider=Choice(keep=("aws",)), accelerator=Choice(keep=("l4",)))
    found = recommend(frozen, SMALL, limits, payment=Payment(commit="1y"), top=0, exit_after_months=5)
    answer = offer(found, "aws-g6.12xlarge-us-east-1")
    year = 2.99564 * HOURS * 12 * answer.hardware.instances
    assert (tied(answer).exit.usd_at_start, tied(answer).exit.usd) == (pytest.approx(year), pytest.approx(year * 7 / 12))
    assert tied(answer).commitment == "for a term"


def test_rent_by_the_month_costs_the_month_begun(tmp_path: Path) -> None:
    """730 USD a month: 1 USD/h x 730 h for leaving inside it, nothing at its end."""
    titles = "id,node,provider,region,country,price_kind,currency,per_h,from,seen,source"
    row = "bymonth,aws-g6.xlarge,aws,us-east-1,US,monthly,USD,1,2026-11-01,2026-11-01,skypilot-aws"
    catalog = frozen_catalog(write(tmp_path, {"offers.csv": f"{titles}\n{row}\n"}))
    answer = offer(recommend(catalog, Workload(model="8b", concurrency=1), Limits(where=("cloud",)), top=0), "bymonth")
    way_out = tied(answer).exit
    assert (way_out.usd, way_out.within_month_usd) == (0.0, pytest.approx(HOURS * answer.hardware.instances))
    assert tied(answer).commitment == "by the month"


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(months=st.lists(st.integers(0, 40), min_size=2, max_size=2).map(sorted), commit=st.sampled_from(["1y", "3y", "auto"]))
def test_leaving_costs_less_with_every_month_and_nothing_at_the_end(frozen: Catalog, months: list[int], commit: str) -> None:
    def exits(after: int) -> dict[str, float]:
        found = recommend(frozen, SMALL, Limits(), payment=Payment(commit=commit), exit_after_months=after)  # type: ignore[arg-type]
        return {row.id: tied(row).exit.usd for row in found.ranked}

    sooner, later = exits(months[0]), exits(months[1])
    assert all(later[name] <= usd for name, usd in sooner.items())
    assert not any(exits(36).values())


def test_what_is_owned_or_paid_per_token_is_left_for_nothing(frozen: Catalog) -> None:
    found = recommend(frozen, Workload(model="70b", concurrency=8), Limits(owned="h100:8"))
    lock = tied(found.ranked[0])
    assert (lock.commitment, lock.exit.usd, lock.exit.usd_at_start) == ("owned", 0.0, 0.0)
    assert lock.another_provider.option is None
    assert lock.without_commitment.option == found.ranked[0].id
    api = recommend(frozen, Workload(model="70b", request_rate_per_s=0.1), Limits(where=("api",))).ranked[0]
    lock = tied(api)
    assert (lock.commitment, lock.exit.usd, lock.engines_independent) == ("per token", 0.0, None)
    assert lock.another_vendor.reason == "what runs behind the API is not published"
    assert lock.another_provider.class_ == "api"


@pytest.mark.parametrize("months", [-1, 121])
def test_a_month_out_of_reach_is_refused(frozen: Catalog, months: int) -> None:
    with pytest.raises(UsageError, match="--exit-after"):
        recommend(frozen, CHAT, Limits(), exit_after_months=months)


# -- engines, weights, concentration


def test_engines_are_those_that_load_the_format_on_the_chip(frozen: Catalog, two_engines: Catalog) -> None:
    limits = Limits(accelerator=Choice(keep=("mi300x",)))
    one, two = (tied(recommend(catalog, CHAT, limits).ranked[0]) for catalog in (frozen, two_engines))
    assert [(engine.id, engine.openai_compatible, engine.licence) for engine in one.engines] == [("vllm", True, "Apache-2.0")]
    assert ({engine.id for engine in two.engines}, two.engines_independent) == ({"sglang", "vllm"}, 2)


def test_weights_go_where_some_engine_loads_them(frozen: Catalog) -> None:
    """fp8 has units on the H100 and the MI300X; GGUF runs on whatever llama.cpp runs on."""
    fp8, gguf = weight_file(frozen, "fp8"), weight_file(frozen, "gguf-q4_k_m")
    assert fp8 is not None
    assert gguf is not None
    assert {"amd", "nvidia"} <= set(fp8.native)
    assert "apple" not in fp8.native
    assert (fp8.kind, gguf.kind) == ("safetensors", "gguf")
    assert {"amd", "apple", "nvidia"} <= set(gguf.native)
    assert weight_file(frozen, "not published") is None


@pytest.mark.parametrize(("status", "kind"), [("ramping", "ramping"), ("end-of-life", "end-of-life")])
def test_a_chip_that_is_not_freely_sold_is_named(tmp_path: Path, status: str, kind: str) -> None:
    folder = frozen_copy(tmp_path)
    replace(folder / "chips" / "mi300x.yaml", "status: available", f"status: {status}\nstatus_note: by allocation")
    found = recommend(frozen_catalog(base=folder), CHAT, Limits(accelerator=Choice(keep=("mi300x",))))
    said = {one.kind: one for one in tied(found.ranked[0]).concentration}
    assert (said[kind].subject, said[kind].note) == ("Instinct MI300X", "by allocation")  # type: ignore[index]
    assert said["single-supplier"].subject == "Crusoe"
    assert "single-region" not in said  # its price list names no country


def test_one_region_is_named_and_two_are_not(frozen: Catalog) -> None:
    for country, kinds in (("JP", {"single-region", "single-supplier"}), (None, {"single-supplier"})):
        limits = Limits(residency=country, provider=Choice(keep=("aws",)), accelerator=Choice(keep=("h100-sxm",)))
        answer = recommend(frozen, CHAT, limits).ranked[0]
        assert {one.kind for one in tied(answer).concentration} == kinds


# -- only what is portable


def test_nothing_is_portable_with_one_engine(frozen: Catalog) -> None:
    """On every chip of the mini catalog fp8 is loaded by one engine only."""
    found = recommend(frozen, FP8, Limits(portable=True))
    assert (found.status, found.limits.portable) == ("nothing_fits", True)
    broken = [violation for miss in found.near_misses for violation in miss.violations if violation.limit == "portable"]
    assert broken
    assert {one.predicted for one in broken} <= {"1 engine (vLLM)", "1 engine (NxD Inference with vLLM)"}
    assert any(way.limit == "portable" and way.allowed == WANTED for way in found.relaxations)
    assert any(reason.startswith("not portable") for reason in found.excluded)


def test_an_api_does_not_say_what_else_could_serve_it(frozen: Catalog) -> None:
    found = recommend(frozen, Workload(model="70b", request_rate_per_s=0.1), Limits(where=("api",), portable=True))
    assert not found.ranked
    assert found.unranked
    assert all("engine unknown" in (answer.reason or "") for answer in found.unranked)


@pytest.mark.parametrize("workload", [CHAT, SMALL])
def test_what_is_portable_has_two_engines_and_two_sources(two_engines: Catalog, workload: Workload) -> None:
    found = recommend(two_engines, workload, Limits(portable=True), top=0)
    assert found.ranked
    places: dict[str, set[tuple[str, str]]] = {}
    for answer in found.ranked:
        places.setdefault(answer.software.weights, set()).add((answer.offer.provider, answer.hardware.vendor))
    for answer in found.ranked:
        sellers, makers = ({place[k] for place in places[answer.software.weights]} for k in (0, 1))
        assert max(len(sellers), len(makers)) >= 2
    assert all((tied(answer).engines_independent or 0) >= 2 for answer in found.ranked[:LIST])
    free = {answer.id for answer in recommend(two_engines, workload, Limits(), top=0).ranked}
    assert {answer.id for answer in found.ranked} <= free


def test_one_provider_is_not_enough(two_engines: Catalog) -> None:
    """Two engines, but one seller of one vendor's chip: crusoe and its MI300X."""
    limits = Limits(portable=True, provider=Choice(keep=("crusoe",)))
    found = recommend(two_engines, CHAT, limits)
    assert not found.ranked
    broken = {violation.predicted for miss in found.near_misses for violation in miss.violations}
    assert any("1 provider and 1 vendor" in str(text) for text in broken)


def test_a_saved_question_is_asked_with_it_again(two_engines: Catalog) -> None:
    found = recommend(two_engines, CHAT, Limits(portable=True), exit_after_months=7)
    again = saved(found)
    assert (again.asked.limits.portable, again.asked.exit_after_months) == (True, 7)
    assert check(two_engines, found).status == "stands"
    assert json.loads(found.model_dump_json())["ranked"][0]["lock_in"]["exit"]["after_months"] == 7


def test_what_was_portable_and_is_no_longer_breaks_the_limit(frozen: Catalog, two_engines: Catalog) -> None:
    found = recommend(two_engines, FP8, Limits(portable=True))
    now = check(frozen, found)
    assert now.status == "breaks_limit"
    assert [one.limit for one in now.violations] == ["portable"]


def test_an_alternative_without_a_price_has_no_share() -> None:
    assert Alternative(option=None, reason="none").more_share is None
