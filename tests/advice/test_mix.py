"""Two kinds of hardware: against every split and every pair of fleets, by the sums that must hold, and where there is nothing to gain.

The mini catalog, with L4 machines at 0.05 USD an hour: they read a short prompt in time, not a long one. An H100 reads any, at 3.99 USD.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from catalogs import frozen_catalog, write
from hypothesis import given, settings
from hypothesis import strategies as st

from infra_advisor.advice.answer import Answer, MixPart, Recommendation
from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.mix import CUTS
from infra_advisor.advice.named import Shape
from infra_advisor.advice.recommend import recommend
from infra_advisor.advice.simulate import Serving, simulate
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.traffic import Lengths, Slice, Traffic
from infra_advisor.search.workload import Workload

SPREAD = Lengths("lognormal", sigma=0.8)
COLUMNS = "id,node,provider,region,country,price_kind,currency,per_h,from,seen,source"
CHEAP = "aws-g6.xlarge-ap-northeast-1,aws-g6.xlarge,aws,ap-northeast-1,JP,on-demand,USD,0.05,2026-11-10,2026-11-10,our-quote"
DEAR = "crusoe-mi300x-various,crusoe-mi300x,crusoe,various,,on-demand,USD,400,2026-11-10,2026-11-10,our-quote"
RENTED = Limits(ttft_s=0.35, tpot_s=0.04, where=("cloud",), accelerator=Choice(keep=("l4", "h100-sxm")))
CHATS = Workload(model="8b", request_rate_per_s=60, input_tokens=1000, output_tokens=300)
NO_MIX = (None, ())


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("layer"), {"offers.csv": f"{COLUMNS}\n{CHEAP}\n"})


@pytest.fixture(scope="module")
def catalog(layer: Path) -> Catalog:
    return frozen_catalog(layer)


def mixed(catalog: Catalog, workload: Workload, limits: Limits, lengths: Lengths | None = SPREAD, **more: Any) -> Recommendation:
    return recommend(catalog, workload, limits, traffic=Traffic(lengths=lengths), mix=True, **more)


def mix_of(answer: Recommendation) -> MixPart:
    assert answer.mix is not None
    return answer.mix


def usd(answer: Answer) -> float:
    assert answer.cost.usd_per_month is not None
    return answer.cost.usd_per_month


@pytest.fixture(scope="module")
def chats(catalog: Catalog) -> Recommendation:
    """60 chats a second: a mix wins."""
    return mixed(catalog, CHATS, RENTED, top=1)


@pytest.fixture
def closed_form_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What simulation settles takes its time; sums and splits do not depend on it."""
    for module in ("finalists", "mix"):
        monkeypatch.setattr(f"infra_advisor.advice.{module}.MOST_FINALISTS", 0)


screened = pytest.mark.usefixtures("closed_form_alone")


# -- a mix that wins


def test_cheap_cards_for_short_prompts_and_dear_ones_for_long_ones(chats: Recommendation) -> None:
    """By a third and more; either kind serves all too, but the cheap one not in time, so the winner alone is the dear one."""
    mix = mix_of(chats)
    short, long = mix.sides
    assert mix.worth_it
    assert mix.reason is None
    assert mix.saving is not None
    assert mix.saving > 0.3
    assert (short.answer.hardware.accelerator, long.answer.hardware.accelerator) == ("l4", "h100-sxm")
    assert chats.ranked[0].hardware.accelerator == "h100-sxm"
    assert (short.over_tokens, long.up_to_tokens) == (0, None)
    assert short.up_to_tokens == long.over_tokens


def test_the_sums_hold(chats: Recommendation) -> None:
    """Shares make 1, rates the 60 a second, means 1,000 tokens (each rounded to a whole one), costs the cost of both."""
    mix = mix_of(chats)
    short, long = mix.sides
    assert short.share + long.share == pytest.approx(1.0, abs=1e-12)
    assert short.request_rate_per_s + long.request_rate_per_s == pytest.approx(60.0, rel=1e-12)
    for side in mix.sides:
        assert side.request_rate_per_s == pytest.approx(60.0 * side.share, rel=1e-12)
        assert side.answer.performance.request_rate_per_s == pytest.approx(side.request_rate_per_s, rel=0.01)
        assert side.over_tokens < side.mean_input_tokens < (side.up_to_tokens or math.inf)
    assert short.share * short.mean_input_tokens + long.share * long.mean_input_tokens == pytest.approx(1000, abs=0.5)
    assert mix.usd_per_month == pytest.approx(usd(short.answer) + usd(long.answer))
    assert mix.single_usd_per_month == usd(chats.ranked[0])
    assert mix.saving == pytest.approx(1 - mix.usd_per_month / mix.single_usd_per_month)


def test_machines_times_prices(chats: Recommendation) -> None:
    """L4 machines at 0.05 and H100s at 3.99 USD an hour, 730 hours."""
    for side, usd_per_h in zip(mix_of(chats).sides, (0.05, 3.99), strict=True):
        instances = next(line for line in side.answer.cost.lines if line.name == "instances")
        assert instances.amount_usd == pytest.approx(side.answer.hardware.accelerators_billed * usd_per_h * 730, abs=0.01)


def test_each_side_keeps_the_targets(catalog: Catalog, chats: Recommendation) -> None:
    """By its own simulation; and when its fleet is run again, ten times as long, on its part of the prompts."""
    for side in mix_of(chats).sides:
        answer, speed = side.answer, side.answer.performance
        assert speed.simulated_requests is not None
        assert 0.1 < (speed.ttft_s.p95 or math.inf) <= 0.35
        assert (speed.tpot_s.p95 or math.inf) <= 0.04
        sliced = replace(SPREAD, prompts=Slice(1000.0, side.over_tokens, side.up_to_tokens or math.inf))
        again = simulate(
            catalog,
            answer.offer.id,
            CHATS.with_changes(request_rate_per_s=side.request_rate_per_s, input_tokens=int(side.mean_input_tokens)),
            RENTED,
            traffic=Traffic(lengths=sliced, requests=6000),
            serving=Serving(replicas=answer.hardware.replicas),
            shape=Shape(engine=answer.software.engine, tp=answer.software.tp, pp=answer.software.pp),
        )
        assert (again.ttft_s.p95 or math.inf) < 0.35 * 1.1
        assert (again.tpot_s.p95 or math.inf) < 0.04 * 1.1


# -- every split, every pair


def every_pair(catalog: Catalog, workload: Workload, limits: Limits, lengths: Lengths) -> Iterator[tuple[float, tuple[float, str, str]]]:
    """(cost, (split, first accelerator, second)) of each split and each pair of fleets of two kinds, by 2 x 5 recommendations."""
    rate, stated = workload.request_rate_per_s or 0, workload.input_tokens
    for cut in CUTS:
        at = max(round(stated * lengths.share_at(cut) / 50) * 50, 50)
        sides = []
        for over, up_to in ((0.0, float(at)), (float(at), math.inf)):
            share = lengths.share_of(over, up_to, stated)
            part = workload.with_changes(request_rate_per_s=rate * share, input_tokens=round(lengths.mean_between(over, up_to, stated)))
            traffic = Traffic(lengths=replace(lengths, prompts=Slice(float(stated), over, up_to)))
            sides.append([row for row in recommend(catalog, part, limits, traffic=traffic, top=0).ranked if row.hardware.class_ != "api"])
        for first, second in itertools.product(*sides):
            if first.hardware.accelerator != second.hardware.accelerator:
                yield usd(first) + usd(second), (float(at), first.hardware.accelerator, second.hardware.accelerator)


ANY = Limits(ttft_s=0.6, where=("cloud", "onprem", "edge"))


@screened
@pytest.mark.parametrize(
    ("workload", "limits", "lengths"),
    [
        (CHATS.with_changes(output_tokens=50), replace(RENTED, spare=1, headroom=0.2), SPREAD),
        (Workload(model="8b", request_rate_per_s=20, input_tokens=4000), ANY, Lengths("uniform", least_share=0.1, most_share=1.9)),
        (Workload(model="70b", request_rate_per_s=3, input_tokens=2000), replace(ANY, ttft_s=2.0, tpot_s=0.06), SPREAD),
    ],
)
def test_the_winner_is_the_cheapest_of_all_pairs(catalog: Catalog, workload: Workload, limits: Limits, lengths: Lengths) -> None:
    mix = mix_of(mixed(catalog, workload, limits, lengths))
    cost, (at, first, second) = min(every_pair(catalog, workload, limits, lengths))
    assert mix.usd_per_month == pytest.approx(cost, rel=1e-9)
    short, long = mix.sides
    assert (short.up_to_tokens, short.answer.hardware.accelerator, long.answer.hardware.accelerator) == (at, first, second)


# -- where there is nothing to gain


@screened
def test_at_list_prices_one_kind_is_cheaper(frozen: Catalog) -> None:
    """At 1.17 USD an hour the L4 is no bargain. What was found is shown all the same, with its cost."""
    mix = mix_of(mixed(frozen, CHATS, RENTED))
    assert not mix.worth_it
    assert mix.reason == "the best two kinds of hardware save no more than 5%"
    assert len(mix.sides) == 2
    assert (mix.usd_per_month or 0) > 0.95 * (mix.single_usd_per_month or math.inf)


@screened
def test_one_kind_alone_cannot_be_mixed(frozen: Catalog) -> None:
    limits = replace(RENTED, accelerator=Choice(keep=("h100",)))
    mix = mix_of(mixed(frozen, CHATS, limits))
    assert (mix.worth_it, mix.reason) == (False, "no two kinds of hardware meet every limit, each for its part")
    assert (mix.usd_per_month, mix.sides) == NO_MIX
    assert mix.single_usd_per_month is not None


@screened
def test_what_is_owned_is_of_one_kind(frozen: Catalog) -> None:
    mix = mix_of(mixed(frozen, Workload(model="8b", users=5), Limits(owned="rtx-4090")))
    assert (mix.usd_per_month, mix.sides) == NO_MIX


@screened
def test_two_sellers_of_one_chip_are_no_mix(frozen: Catalog) -> None:
    """H100s at RunPod and at Sakura are one kind; with MI300X beside them, at a price that puts every seller before it, it is in."""
    limits = Limits(ttft_s=0.5, where=("cloud",), accelerator=Choice(keep=("h100-sxm", "mi300x")))
    mix = mix_of(mixed(frozen, CHATS.with_changes(output_tokens=50), limits))
    assert {side.answer.hardware.accelerator for side in mix.sides} == {"h100-sxm", "mi300x"}


def test_fleets_of_a_dear_kind_are_simulated_too(tmp_path: Path) -> None:
    """An MI300X at 400 USD an hour stands behind three sellers of H100s, and is one of the two kinds: both have been run."""
    dear = frozen_catalog(write(tmp_path, {"offers.csv": f"{COLUMNS}\n{DEAR}\n"}))
    limits = Limits(ttft_s=0.35, where=("cloud",), accelerator=Choice(keep=("h100-sxm", "mi300x")))
    mix = mix_of(mixed(dear, CHATS.with_changes(output_tokens=100), limits, top=1))
    assert {side.answer.hardware.accelerator for side in mix.sides} == {"h100-sxm", "mi300x"}
    assert all(side.answer.performance.simulated_requests for side in mix.sides)


@screened
@pytest.mark.parametrize(
    ("workload", "lengths"),
    [
        (Workload(model="8b", request_rate_per_s=10, input_tokens=2), SPREAD),
        (Workload(model="8b", request_rate_per_s=10), Lengths("lognormal", sigma=0.0001)),
        (Workload(model="8b", request_rate_per_s=10), Lengths("uniform", least_share=0.9999, most_share=1.0)),
    ],
    ids=["two-tokens", "narrow-lognormal", "narrow-uniform"],
)
def test_prompts_that_hardly_differ_are_not_split(frozen: Catalog, workload: Workload, lengths: Lengths) -> None:
    """A split that leaves one prompt in a million on one side would be searched for for ever."""
    mix = mix_of(mixed(frozen, workload, Limits(ttft_s=0.5, where=("cloud",)), lengths))
    assert (mix.worth_it, mix.reason) == (False, "prompts differ by too few tokens to be split")
    assert (mix.usd_per_month, mix.sides) == NO_MIX
    assert mix.single_usd_per_month is not None


# -- limits on both together


@screened
def test_a_budget_is_for_both(catalog: Catalog) -> None:
    """Between the cost of the mix and that of one kind: the mix is the only way. Below both: it is told what it would cost."""
    free = mix_of(mixed(catalog, CHATS, RENTED))
    cost, alone = free.usd_per_month or 0, free.single_usd_per_month or 0
    only = mixed(catalog, CHATS, replace(RENTED, budget_usd_per_month=(cost + alone) / 2))
    mix = mix_of(only)
    assert only.status == "nothing_fits"
    assert mix.worth_it
    assert mix.usd_per_month == pytest.approx(cost)
    assert mix.single_usd_per_month is mix.saving is mix.reason is None
    over = mix_of(mixed(catalog, CHATS, replace(RENTED, budget_usd_per_month=cost * 0.99)))
    assert (over.worth_it, over.reason) == (False, "it is over the budget")
    assert over.usd_per_month == pytest.approx(cost)


@screened
def test_throughput_is_asked_of_both_together(catalog: Catalog) -> None:
    """60 answers a second of 300 tokens make 18,000 tokens/s; neither side alone makes them."""
    with_, without = (mix_of(mixed(catalog, CHATS, replace(RENTED, throughput_tokens_per_s=wanted))) for wanted in (18_000, None))
    assert with_.usd_per_month == without.usd_per_month
    assert [side.answer.id for side in with_.sides] == [side.answer.id for side in without.sides]


@screened
def test_each_fleet_has_its_spare_machine(catalog: Catalog) -> None:
    """One L4 machine and one H100 more, each with its copy of the weights."""
    plain, spare = (mix_of(mixed(catalog, CHATS, replace(RENTED, spare=number))) for number in (0, 1))
    stored = [
        line.amount_usd for mix in (plain, spare) for side in mix.sides for line in side.answer.cost.lines if line.unit == "GB-months"
    ]
    copies = sum(stored[2:]) - sum(stored[:2])
    assert 0 < copies < 2
    assert spare.usd_per_month == pytest.approx((plain.usd_per_month or 0) + 730 * (0.05 + 3.99) + copies)


# -- whatever else was asked


@screened
def test_the_order_and_length_of_the_list_do_not_matter(frozen: Catalog) -> None:
    """The mix is compared with the cheapest fleet, not with the first of another order, nor with none where an API takes the only row."""
    workload, limits = Workload(model="70b", request_rate_per_s=1), Limits(where=("cloud", "api"))
    best, first, quickest = (mixed(frozen, workload, limits, **more) for more in ({"top": 0}, {"top": 1}, {"rank": "ttft"}))
    assert first.ranked[0].hardware.class_ == "api"
    assert usd(quickest.ranked[0]) > (mix_of(best).single_usd_per_month or 0)
    for answer in (first, quickest):
        assert mix_of(answer).usd_per_month == mix_of(best).usd_per_month
        assert mix_of(answer).single_usd_per_month == pytest.approx(mix_of(best).single_usd_per_month)


@screened
@pytest.mark.parametrize("load", [{"users": 800.0}, {"tokens_per_day": 4e9}, {"concurrency": 120.0}])
def test_any_load_is_shared_out(catalog: Catalog, load: dict[str, float]) -> None:
    """Users ask as often as the fleet that serves them alone lets them: users / (think + request). Tokens a day are requests/s."""
    workload = Workload(model="8b", input_tokens=1000, output_tokens=100, **load)  # type: ignore[arg-type]
    answer = mixed(catalog, workload, replace(RENTED, ttft_s=0.5))
    sides = mix_of(answer).sides
    rate = workload.rate_per_s or answer.ranked[0].performance.request_rate_per_s
    assert len(sides) == 2
    assert sum(side.request_rate_per_s for side in sides) == pytest.approx(rate, rel=1e-9)


@screened
def test_prompts_beyond_the_context_are_cut(frozen: Catalog) -> None:
    """Prompts of 60,000 tokens, widely spread: a part of them would be longer than the 131,072 that the model takes."""
    workload = Workload(model="8b", request_rate_per_s=0.5, input_tokens=60_000)
    mix = mix_of(mixed(frozen, workload, Limits(where=("cloud",)), Lengths("lognormal", sigma=1.5)))
    assert len(mix.sides) == 2
    assert all(side.mean_input_tokens + 300 <= 131_072 for side in mix.sides)


def test_the_seed_reaches_both_sides(frozen: Catalog) -> None:
    """Other random numbers, other percentiles."""
    workload, limits = CHATS.with_changes(request_rate_per_s=3, output_tokens=50), replace(RENTED, ttft_s=0.5, tpot_s=None)
    traffic = [Traffic(lengths=SPREAD, seed=seed) for seed in (1, 2)]
    first, second = (mix_of(recommend(frozen, workload, limits, traffic=one, mix=True, top=1)).sides for one in traffic)
    assert len(first) == 2
    for one, other in zip(first, second, strict=True):
        assert one.answer.performance.ttft_s.p95 != other.answer.performance.ttft_s.p95


@screened
def test_questions_that_cannot_be_split(frozen: Catalog) -> None:
    for lengths in (None, Lengths(), Lengths("uniform", least_share=1.0, most_share=1.0)):
        with pytest.raises(UsageError, match="state how they differ, such as --lengths lognormal"):
            mixed(frozen, CHATS, RENTED, lengths)
    with pytest.raises(UsageError, match="--mix needs a load"):
        mixed(frozen, Workload(model="8b"), RENTED)


# -- on the page

ASKED = (
    "recommend --model 8b --rate 60/s --input 1000 --output 300 --ttft 350ms --tpot 40ms --where cloud --accelerator l4,h100 "
    "--lengths lognormal:0.8"
)


@screened
def test_the_page_tells_both_fleets(advisor: Callable[[str], Any], layer: Path, catalog: Catalog) -> None:
    """What both cost and save, and who is sent where."""
    mix = mix_of(mixed(catalog, CHATS, RENTED))
    short, long = mix.sides
    done = advisor(f"{ASKED} --mix --catalog {layer}")
    assert (done.status, done.err) == (0, "")
    text = " ".join(done.out.split())
    assert f"Two kinds of hardware {mix.usd_per_month:,.0f} USD a month for two kinds, {100 * (mix.saving or 0):.0f} % less" in text
    assert f"than the {mix.single_usd_per_month:,.0f} of one kind." in text
    assert f"- Prompts up to {short.up_to_tokens:,.0f} tokens ({100 * short.share:.0f} % of the requests, " in text
    assert f"{short.mean_input_tokens:,.0f} on average): {short.answer.hardware.accelerators_total}x L4, " in text
    assert f"- Prompts over {long.over_tokens:,.0f} tokens ({100 * long.share:.0f} % of the requests, " in text
    assert f"{long.mean_input_tokens:,.0f} on average): {long.answer.hardware.accelerators_total}x H100 SXM5 80GB, " in text


@screened
def test_the_page_tells_why_not(advisor: Callable[[str], Any]) -> None:
    text = " ".join(advisor(f"{ASKED} --mix").out.split())
    assert "Two kinds instead of one: the best two kinds of hardware save no more than 5% (" in text
    text = " ".join(advisor(f"{ASKED.replace('l4,h100', 'h100')} --mix").out.split())
    assert "No mix: no two kinds of hardware meet every limit, each for its part." in text
    assert "Two kinds" not in advisor(ASKED).out


@screened
def test_the_command_refuses_what_cannot_be_split(advisor: Callable[[str], Any]) -> None:
    for asked in (ASKED.replace(" --lengths lognormal:0.8", ""), ASKED.replace(" --rate 60/s", "")):
        done = advisor(f"{asked} --mix")
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith("error: --mix ")


# -- the slices of a distribution

KINDS = st.one_of(
    st.builds(Lengths, st.just("lognormal"), sigma=st.sampled_from([0.1, 0.5, 0.8, 1.2])),
    st.builds(lambda low, wide: Lengths("uniform", least_share=low, most_share=low + wide), st.floats(0.05, 1), st.floats(0.1, 3)),
)
MIDDLES = (np.arange(20_000) + 0.5) / 20_000


@settings(max_examples=15, deadline=None)
@given(kind=KINDS, stated=st.sampled_from([50.0, 1000.0, 30_000.0]), cuts=st.tuples(st.floats(0.02, 0.6), st.floats(0.65, 0.98)))
def test_shares_and_means_of_slices_are_integrals(kind: Lengths, stated: float, cuts: tuple[float, float]) -> None:
    """Midpoints of 20,000 equal parts of all requests; three slices make the whole."""
    every = np.array([stated * kind.share_at(float(quantile)) for quantile in MIDDLES])
    low, high = (stated * kind.share_at(cut) for cut in cuts)
    total = mean = 0.0
    for over, up_to in ((0.0, low), (low, high), (high, math.inf)):
        inside = every[(every > over) & (every <= up_to)]
        share = kind.share_of(over, up_to, stated)
        assert share == pytest.approx(len(inside) / len(every), abs=1e-4)
        assert kind.mean_between(over, up_to, stated) == pytest.approx(np.mean(inside), rel=0.01)
        total, mean = total + share, mean + share * kind.mean_between(over, up_to, stated)
        part = replace(kind, prompts=Slice(stated, over, up_to))
        for quantile in (0.05, 0.5, 0.95):
            assert part.prompt_at(quantile, 123.0) == pytest.approx(np.quantile(inside, quantile), rel=0.01)
    assert total == pytest.approx(1.0, abs=1e-9)
    assert mean == pytest.approx(stated * kind.mean_share, rel=1e-6)
    assert kind.prompt_at(0.5, stated) == pytest.approx(np.median(every), rel=0.01)


@pytest.mark.parametrize("bounds", [(0.0, 700.0), (700.0, 2500.0), (2500.0, math.inf)])
@pytest.mark.parametrize("kind", [SPREAD, Lengths("uniform", least_share=0.2, most_share=4.0)], ids=["lognormal", "uniform"])
def test_prompts_of_a_slice_are_drawn_from_it(kind: Lengths, bounds: tuple[float, float]) -> None:
    """Whole tokens between the bounds, with its mean and median: 40,000 draws, known to 1 %."""
    over, up_to = bounds
    part = replace(kind, prompts=Slice(1000.0, over, up_to))
    drawn = part.draw_prompts(np.random.default_rng(3), 55.0, 40_000)
    assert len(drawn) == 40_000
    assert np.all(drawn > over)
    assert np.all(drawn <= up_to)
    assert np.all(drawn == np.rint(drawn))
    assert np.mean(drawn) == pytest.approx(kind.mean_between(over, up_to, 1000.0), rel=0.015)
    assert np.median(drawn) == pytest.approx(part.prompt_at(0.5, 55.0), rel=0.015)


def test_slices_by_hand() -> None:
    """Uniform from 500 to 1,500 tokens: 250 of 1,000 lie above 1,250, on average at 1,375; half of them below that."""
    kind = Lengths("uniform", least_share=0.5, most_share=1.5)
    assert kind.share_of(1250.0, math.inf, 1000.0) == pytest.approx(0.25)
    assert kind.mean_between(1250.0, math.inf, 1000.0) == pytest.approx(1375.0)
    assert replace(kind, prompts=Slice(1000.0, 1250.0, math.inf)).prompt_at(0.5, 1.0) == pytest.approx(1375.0)
    assert kind.share_of(0.0, 400.0, 1000.0) == 0.0
    assert kind.share_of(1600.0, math.inf, 1000.0) == 0.0
    assert kind.share_of(0.0, 1e9, 1000.0) == 1.0
