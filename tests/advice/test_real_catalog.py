"""Questions that people ask, put to the whole catalog: whatever it holds, no answer may break a limit or fail to add up."""

import itertools
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

import pytest
from catalogs import DAY
from catalogs import real_catalog as catalog

from infra_advisor.advice.answer import Answer, NearMiss, Predicted, Recommendation
from infra_advisor.advice.charges import CENT
from infra_advisor.advice.estimate import estimate
from infra_advisor.advice.limits import DOUBTFUL, Choice, Limits
from infra_advisor.advice.recommend import recommend
from infra_advisor.search.workload import Workload
from infra_advisor.units import parse_quantity

QUESTIONS: Mapping[str, tuple[Workload, Limits]] = {
    "70b-500ms": (Workload(model="70b"), Limits(ttft_s=0.5)),
    "70b-20-users": (Workload(model="70b", users=20), Limits(ttft_s=0.5)),
    "70b-japan": (Workload(model="70b", users=20), Limits(ttft_s=0.5, residency="JP")),
    "8b-edge": (Workload(model="8b", concurrency=1), Limits(tpot_s=1 / 20, where=("edge",))),
    "deepseek-r1": (Workload(model="deepseek-r1", users=20), Limits(tpot_s=1 / 50)),
    "1b-edge": (Workload(model="1b", concurrency=1), Limits(where=("edge",))),
    "qwen3-32b-3000-usd": (Workload(model="qwen3-32b", users=20), Limits(budget_usd_per_month=3000)),
    "gpt-oss-120b": (Workload(model="gpt-oss-120b"), Limits()),
    "rate": (Workload(model="70b", request_rate_per_s=1.9), Limits(ttft_s=0.5, tpot_s=0.04, statistic="p95", where=("cloud",))),
    "tokens-per-day": (Workload(model="8b", tokens_per_day=50e6), Limits(where=("cloud", "api"), residency="US")),
    "throughput": (
        Workload(model="qwen3-30b-a3b", input_tokens=2000, output_tokens=500),
        Limits(throughput_tokens_per_s=2000, where=("cloud", "onprem")),
    ),
    "owned": (Workload(model="8b", concurrency=2), Limits(owned="dgx-spark", ttft_s=2)),
    "spot": (Workload(model="70b", concurrency=40), Limits(tpot_s=0.05, include=("spot", "stale", "marketplace"), where=("cloud",))),
    "4-bit": (Workload(model="70b", concurrency=1, weights="4bit"), Limits(where=("edge",))),
    "nothing": (
        Workload(model="deepseek-r1", users=20),
        Limits(ttft_s=0.2, residency="JP", where=("edge", "onprem"), budget_usd_per_month=2000),
    ),
}


IN_FULL = "70b-20-users"


@cache
def answer(name: str) -> Recommendation:
    """One row per decision; of one question every row."""
    return recommend(catalog(), *QUESTIONS[name], top=0, merge="offer" if name == IN_FULL else "decision")


def machines(found: Recommendation) -> list[Answer]:
    """What is rented or bought, ranked or not: everything that is predicted."""
    return [row for row in (*found.ranked, *found.unranked, *found.near_misses) if row.hardware.class_ != "api"]


every_question = pytest.mark.parametrize("name", QUESTIONS)


# -- no limit is broken


@every_question
def test_what_is_ranked_keeps_every_limit(name: str) -> None:
    """Known figures, each within its limit at the statistic asked for; p95 of speed counts, not only its mean."""
    limits = QUESTIONS[name][1]
    for row in answer(name).ranked:
        ttft, tpot = (getattr(part, limits.statistic) for part in (row.performance.ttft_s, row.performance.tpot_s))
        assert limits.ttft_s is None or ttft <= limits.ttft_s, row.id
        assert limits.tpot_s is None or tpot <= limits.tpot_s, row.id
        if limits.throughput_tokens_per_s is not None:
            assert row.performance.output_tokens_per_s is not None
            assert row.performance.output_tokens_per_s >= limits.throughput_tokens_per_s * 0.999, row.id
        if limits.budget_usd_per_month is not None:
            assert row.cost.usd_per_month is not None
            assert row.cost.usd_per_month <= limits.budget_usd_per_month, row.id
        if limits.residency is not None:
            assert row.offer.country == limits.residency, row.id
        assert row.hardware.class_ in limits.where or limits.owned is not None
        assert all(margin.met for margin in row.headroom), row.id
        stated = (limits.ttft_s, limits.tpot_s, limits.throughput_tokens_per_s, limits.budget_usd_per_month)
        assert len(row.headroom) >= sum(limit is not None for limit in stated)


@every_question
def test_what_is_ranked_has_a_price_with_day_and_source(name: str) -> None:
    for row in answer(name).ranked:
        assert row.cost.usd_per_mtok_output is not None, row.id
        assert row.cost.usd_per_mtok_output > 0
        assert row.offer.price_date is not None
        assert row.offer.price_date <= DAY.isoformat()
        assert row.offer.price_age_d is not None
        assert row.offer.price_age_d >= 0
        assert row.offer.source
        if row.hardware.class_ != "api":
            assert row.offer.usd_per_h is not None
            assert row.offer.usd_per_h > 0 or row.offer.provider == "owned"


@every_question
def test_doubtful_offers_rank_only_when_asked_for(name: str) -> None:
    include = QUESTIONS[name][1].include
    for row in answer(name).ranked:
        assert {mark for mark in row.offer.marks if mark in DOUBTFUL} <= set(include), row.id
    if include:
        assert any(row.offer.marks for row in answer(name).ranked)


@every_question
def test_weights_have_eight_bits_unless_asked_or_native(name: str) -> None:
    asked = QUESTIONS[name][0].weights
    found = answer(name)
    formats = catalog().formats
    native = formats.weight(catalog().model(found.workload.model).native_format).level
    for row in (*found.ranked, *found.unranked):
        if row.hardware.class_ != "api":
            level = formats.weight(row.software.weights).level
            assert level == 4 if asked == "4bit" else level >= 8 or level == native, row.id


@every_question
def test_weights_and_cache_fit(name: str) -> None:
    """A lower bound made here: bits of all weights over the accelerators of a replica, within the labelled memory."""
    found = answer(name)
    model = catalog().model(found.workload.model)
    for row in machines(found):
        bits = catalog().formats.weight(row.software.weights)
        least_bits = min(bits.bits, bits.experts or bits.bits)
        label = catalog().chips[row.hardware.accelerator].memory_capacity
        assert label is not None
        assert model.architecture.parameters * least_bits / 8 < label.value * 1.08 * row.hardware.accelerators_per_replica, row.id


# -- what does not fit


@every_question
def test_status_and_counts(name: str) -> None:
    found = answer(name)
    assert (found.status == "ok") == bool(found.ranked)
    assert found.ranked_total == len(found.ranked)
    assert [row.rank for row in found.ranked] == list(range(1, len(found.ranked) + 1))
    assert len({row.id for row in found.ranked}) == len(found.ranked)
    for reason, count in found.excluded.items():
        assert reason
        assert type(count) is int
        assert count > 0
    assert found.considered["offers"] > 0


def test_only_the_impossible_question_has_no_answer() -> None:
    assert [name for name in QUESTIONS if answer(name).status == "nothing_fits"] == ["nothing"]


def test_when_nothing_fits_the_way_out_is_named() -> None:
    found = answer("nothing")
    assert found.ranked == ()
    assert found.near_misses
    assert found.relaxations or all(len(miss.violations) > 1 for miss in found.near_misses)


@every_question
def test_what_is_not_ranked_says_why(name: str) -> None:
    for row in answer(name).unranked:
        assert row.reason, row.id
        assert row.rank is None


def broken(miss: NearMiss) -> dict[str, object]:
    """Limit -> what stands against it."""
    return {violation.limit: violation.predicted for violation in miss.violations}


@every_question
def test_a_near_miss_breaks_what_it_says(name: str) -> None:
    limits = QUESTIONS[name][1]
    for miss in answer(name).near_misses:
        assert miss.violations, miss.id
        statistic = limits.statistic
        expected = {
            "ttft": (limits.ttft_s, getattr(miss.performance.ttft_s, statistic)),
            "tpot": (limits.tpot_s, getattr(miss.performance.tpot_s, statistic)),
            "budget": (limits.budget_usd_per_month, miss.cost.usd_per_month),
        }
        really = {limit: value for limit, (allowed, value) in expected.items() if allowed is not None and value > allowed}
        if limits.residency is not None and miss.offer.country != limits.residency:
            really["residency"] = miss.offer.country
        said = {limit: value for limit, value in broken(miss).items() if limit not in ("weights", "throughput")}
        assert said == really, miss.id
        if "weights" in broken(miss):
            assert catalog().formats.weight(miss.software.weights).level == 4
        assert miss.rank is None


def relaxed(workload: Workload, limits: Limits, miss: NearMiss) -> tuple[Workload, Limits]:
    """The question with every relaxation of the miss applied, read from the option it proposes."""
    for violation in miss.violations:
        match = re.fullmatch(r"--([a-z]+) ([^,]+)(?:, or none)?", violation.relax)
        assert match, violation.relax
        option, value = match[1], match[2]
        if option in ("ttft", "tpot"):
            limits = replace(limits, **{f"{option}_s": parse_quantity(value, "time")})
        elif option == "budget":
            limits = replace(limits, budget_usd_per_month=float(value.removesuffix("/month")))
        elif option == "residency":
            limits = replace(limits, residency=value.upper())
        elif option == "throughput":
            limits = replace(limits, throughput_tokens_per_s=float(value))
        else:
            assert option == "weights"
            workload = replace(workload, weights=value)
    return workload, limits


@every_question
def test_the_proposed_change_admits_the_near_miss(name: str) -> None:
    """Asked again with the proposed option (of that seller's accelerator only), it is ranked at the same place."""
    for miss in answer(name).near_misses:
        workload, limits = relaxed(*QUESTIONS[name], miss)
        narrow = replace(limits, accelerator=Choice(keep=(miss.hardware.accelerator,)), provider=Choice(keep=(miss.offer.provider,)))
        again = recommend(catalog(), workload, narrow, top=0)
        wanted = (miss.hardware.class_, miss.offer.provider, miss.offer.region, miss.hardware.accelerator)
        admitted = {(row.hardware.class_, row.offer.provider, row.offer.region, row.hardware.accelerator) for row in again.ranked}
        assert wanted in admitted, (miss.id, [violation.relax for violation in miss.violations])


@every_question
def test_a_relaxation_points_at_a_near_miss_that_breaks_it_alone(name: str) -> None:
    found = answer(name)
    misses = {miss.id: miss for miss in found.near_misses}
    for relaxation in found.relaxations:
        assert [violation.limit for violation in misses[relaxation.answer].violations] == [relaxation.limit]
        assert relaxation.text.startswith(misses[relaxation.answer].violations[0].relax)
    assert {relaxation.limit for relaxation in found.relaxations} == {
        miss.violations[0].limit for miss in found.near_misses if len(miss.violations) == 1
    }


# -- figures multiply out


@every_question
def test_cost_times_tokens_is_the_bill(name: str) -> None:
    """USD/Mtok x tokens/s x 3600 / 1e6 = USD/h; a month has 730 hours; prompt and output tokens share one bill.

    Each line of a bill is rounded to a cent, which the price per token of an API is not: half a cent a month for each line.
    """
    workload = QUESTIONS[name][0]
    for row in (*answer(name).ranked, *machines(answer(name))):
        cost, rate = row.cost, row.performance.output_tokens_per_s
        if cost.usd_per_h is None or rate is None or cost.usd_per_mtok_output is None:
            continue
        bill = pytest.approx(cost.usd_per_h, abs=0.005 * len(cost.lines) / 730 if row.hardware.class_ == "api" else None)
        assert cost.usd_per_mtok_output * rate * 3600 / 1e6 == bill
        assert cost.usd_per_month == pytest.approx(cost.usd_per_h * 730)
        for line in cost.lines:
            assert line.amount_usd == float((Decimal(str(line.quantity)) * Decimal(str(line.unit_price_usd))).quantize(CENT, ROUND_HALF_UP))
            assert line.amount_usd or line.note, line
        assert sum((Decimal(str(line.amount_usd)) for line in cost.lines), Decimal(0)) == Decimal(str(cost.usd_per_month))
        assert cost.usd_per_mtok_total is not None
        both = rate * (workload.input_tokens + workload.output_tokens) / workload.output_tokens
        assert cost.usd_per_mtok_total * both * 3600 / 1e6 == bill
        if row.hardware.class_ != "api" and row.offer.usd_per_h is not None:
            if row.hardware.class_ == "cloud":
                hours = sum(line.quantity for line in cost.lines if line.unit == "machine-hours" and line.unit_price_usd)
                assert hours == pytest.approx(row.hardware.instances * 730)
                assert all(
                    line.unit_price_usd == pytest.approx(row.offer.usd_per_h, abs=1e-6) for line in cost.lines if line.name == "instances"
                )
            low, high = cost.usd_per_mtok_output_low, cost.usd_per_mtok_output_high
            assert low is not None
            assert high is not None
            assert low <= cost.usd_per_mtok_output <= high


@every_question
def test_the_fleet_is_its_replicas(name: str) -> None:
    for row in machines(answer(name)):
        hardware, speed, software = row.hardware, row.performance, row.software
        assert hardware.accelerators_per_replica == software.tp * software.pp * software.dp
        assert hardware.accelerators_total == hardware.accelerators_per_replica * hardware.replicas
        assert hardware.accelerators_billed >= hardware.accelerators_total
        assert hardware.accelerators_billed % hardware.instances == 0
        assert hardware.replicas >= 1
        assert speed.output_tokens_per_s is not None
        assert speed.replica_output_tokens_per_s is not None
        assert speed.output_tokens_per_s == pytest.approx(speed.replica_output_tokens_per_s * hardware.replicas)
        assert speed.tpot_s.mean is not None
        assert speed.output_tokens_per_s_per_user == pytest.approx(1 / speed.tpot_s.mean)


@every_question
def test_load_rate_and_latency_agree_by_littles_law(name: str) -> None:
    """In flight = rate x (TTFT + (output - 1) x TPOT); a user's cycle is a request and a pause; tokens a day count both kinds."""
    workload = QUESTIONS[name][0]
    for row in machines(answer(name)):
        speed = row.performance
        assert speed.ttft_s.mean is not None
        assert speed.tpot_s.mean is not None
        assert speed.request_rate_per_s is not None
        request_s = speed.ttft_s.mean + (workload.output_tokens - 1) * speed.tpot_s.mean
        assert speed.concurrency == pytest.approx(speed.request_rate_per_s * request_s, rel=1e-6), row.id
        assert speed.output_tokens_per_s == pytest.approx(speed.request_rate_per_s * workload.output_tokens)
        if workload.concurrency is not None:
            assert speed.concurrency == pytest.approx(workload.concurrency)
        if workload.request_rate_per_s is not None:
            assert speed.request_rate_per_s == pytest.approx(workload.request_rate_per_s, rel=0.01)
        if workload.tokens_per_day is not None:
            tokens_per_s = speed.request_rate_per_s * (workload.input_tokens + workload.output_tokens)
            assert tokens_per_s * 86_400 == pytest.approx(workload.tokens_per_day, rel=0.01)
        if workload.users is not None:
            assert workload.users / (workload.think_s + request_s) == pytest.approx(speed.request_rate_per_s, rel=0.01), row.id


@every_question
def test_the_terms_add_up(name: str) -> None:
    for row in machines(answer(name)):
        for phase, predicted in (("prefill", row.performance.ttft_s), ("decode", row.performance.tpot_s)):
            terms = [term for term in row.terms if term.phase == phase]
            assert all(term.seconds > 0 or term.bound == "queue" for term in terms)
            assert math.fsum(term.seconds for term in terms) == pytest.approx(predicted.mean, rel=1e-6), (row.id, phase)
            by_bound: dict[str, float] = {}
            for term in terms:
                by_bound[term.bound] = by_bound.get(term.bound, 0.0) + term.seconds
            assert getattr(row.bound, phase) == max(by_bound, key=lambda kind: by_bound[kind])


@every_question
def test_bands_hold_the_prediction(name: str) -> None:
    for row in machines(answer(name)):
        for predicted in (row.performance.ttft_s, row.performance.tpot_s):
            assert isinstance(predicted, Predicted)
            assert predicted.low is not None
            assert predicted.high is not None
            assert predicted.mean is not None
            assert 0 < predicted.low <= predicted.mean <= predicted.high
            assert predicted.p50 is not None
            assert predicted.p95 is not None
            assert predicted.p50 <= predicted.p95
        assert row.grade in "ABCD"


@every_question
def test_the_load_stays_within_what_the_fleet_can_carry(name: str) -> None:
    for row in answer(name).ranked:
        if row.hardware.class_ == "api":
            continue
        speed = row.performance
        assert not speed.saturated, row.id
        assert speed.max_concurrency is not None
        assert speed.concurrency is not None
        assert speed.concurrency <= speed.max_concurrency * 1.001, row.id
        assert row.cost.utilisation is not None
        assert 0 < row.cost.utilisation <= 1.01, row.id
        assert row.cost.usd_per_mtok_output_at_limit is not None
        assert row.cost.usd_per_mtok_output is not None
        load, limit = row.cost.points[:2]
        assert limit.usd_per_mtok_output == row.cost.usd_per_mtok_output_at_limit
        assert limit.usd_per_mtok_output * limit.output_tokens_per_s * 3600 * 730 / 1e6 == pytest.approx(limit.usd_per_month)
        assert limit.usd_per_month >= load.usd_per_month * 0.98  # the same machines, with more traffic


@every_question
def test_a_first_answer_says_which_facts_are_recollections(name: str) -> None:
    found = answer(name)
    if not found.ranked or found.ranked[0].hardware.class_ == "api":
        return
    chip = catalog().chips[found.ranked[0].hardware.accelerator]
    noted = [note for note in found.warnings if "recollection behind" in note]
    for label, fact in (("memory size", chip.memory_reported or chip.memory_capacity), ("memory bandwidth", chip.memory_bandwidth)):
        assert fact is not None
        recalled = set(fact.source) == {"memory"}
        assert any(f"{label} of {chip.name} ({fact.printed})" in note for note in noted) == recalled


@every_question
def test_a_limit_inside_the_error_band_is_said(name: str) -> None:
    """At p95 the band of the mean is scaled: high / mean x p95."""
    found, limits = answer(name), QUESTIONS[name][1]
    if not found.ranked or found.ranked[0].hardware.class_ == "api":
        return
    speed = found.ranked[0].performance
    said = " ".join(note for note in found.warnings if "error band" in note)
    for title, latency, allowed in (("TTFT", speed.ttft_s, limits.ttft_s), ("TPOT", speed.tpot_s, limits.tpot_s)):
        worst = getattr(latency, limits.statistic) * latency.high / latency.mean
        assert (title in said) == (allowed is not None and worst > allowed)


def test_the_note_on_recollections_appears_where_it_must_and_only_there() -> None:
    edge = recommend(catalog(), Workload(model="8b", users=1), Limits(tpot_s=1 / 20, where=("edge",)))
    assert edge.ranked[0].hardware.accelerator == "ryzen-ai-max-385"
    assert any("memory size of AMD Ryzen AI Max 385" in note for note in edge.warnings)
    assert not any("recollection behind" in note for note in answer("70b-500ms").warnings)


@every_question
def test_a_hosted_api_never_carries_a_speed(name: str) -> None:
    for row in (*answer(name).ranked, *answer(name).unranked):
        if row.hardware.class_ == "api":
            speed = row.performance
            assert speed.ttft_s == speed.tpot_s == Predicted(mean=None)
            assert speed.output_tokens_per_s_per_user is None
            assert speed.max_concurrency is None
            assert speed.speed_reason
            assert row.terms == ()
            assert row.evidence == ()


def test_hosted_apis_are_among_the_answers() -> None:
    """Priced per token where no speed is asked for, set aside where one is."""
    classes = {name: {row.hardware.class_ for row in answer(name).ranked} for name in QUESTIONS}
    assert "api" in classes["gpt-oss-120b"]
    assert classes["8b-edge"] == classes["1b-edge"] == {"edge"}
    assert "api" not in classes["70b-500ms"]
    assert any(row.hardware.class_ == "api" and "speed unknown" in (row.reason or "") for row in answer("70b-500ms").unranked)


@every_question
def test_the_order_is_that_of_cost(name: str) -> None:
    costs = [row.cost.usd_per_mtok_output for row in answer(name).ranked]
    assert costs == sorted(costs)  # type: ignore[type-var]


@every_question
def test_a_decision_stands_once(name: str) -> None:
    """One row per class, seller and accelerator; in the full table one per seller, place, family, engine and format."""
    seen = set()
    for row in answer(name).ranked:
        decision: tuple[object, ...] = (row.hardware.class_, row.offer.provider, row.hardware.accelerator)
        if row.hardware.class_ == "api":
            decision = (row.offer.id,)
        elif name == IN_FULL:
            family = row.offer.instance_type.split(".")[0] if row.offer.provider == "aws" else row.hardware.accelerator
            decision = (row.hardware.class_, row.offer.provider, row.offer.region, family, row.software.engine, row.software.weights)
        assert decision not in seen, row.id
        seen.add(decision)


@every_question
def test_labels_point_at_the_extremes(name: str) -> None:
    found = answer(name)
    labelled = {label: row for row in found.ranked for label in row.labels}
    hardware = [row for row in found.ranked if row.hardware.class_ != "api"]
    if not found.ranked:
        return
    assert labelled["cheapest"].cost.usd_per_mtok_output == min(row.cost.usd_per_mtok_output or math.inf for row in found.ranked)
    if hardware:
        statistic = QUESTIONS[name][1].statistic
        for label, figure in (("quickest first token", "ttft_s"), ("fastest", "tpot_s")):
            values = [getattr(getattr(row.performance, figure), statistic) for row in hardware]
            assert getattr(getattr(labelled[label].performance, figure), statistic) == min(values)
    for label, row in labelled.items():
        if label.startswith("best "):
            assert row == next(other for other in found.ranked if other.hardware.class_ == label.removeprefix("best "))


# -- the whole


def test_a_short_table_is_the_head_of_the_long_one() -> None:
    """With the best of each class added behind."""
    long, short = answer("70b-20-users"), recommend(catalog(), *QUESTIONS["70b-20-users"], top=10)
    assert len(short.ranked) == 10
    assert short.ranked_total == long.ranked_total
    by_rank = {row.rank: row for row in long.ranked}
    assert all(row == by_rank[row.rank] for row in short.ranked)
    head = list(itertools.takewhile(lambda pair: pair[0].rank == pair[1], zip(short.ranked, itertools.count(1), strict=False)))
    assert len(head) >= 5
    assert {row.hardware.class_ for row in long.ranked} == {row.hardware.class_ for row in short.ranked}


@pytest.mark.parametrize(
    ("rank", "figure"),
    [
        ("ttft", lambda row: row.performance.ttft_s.p95),
        ("speed", lambda row: row.performance.tpot_s.p95),
        ("throughput", lambda row: -row.performance.output_tokens_per_s),
        ("energy", lambda row: -(row.performance.tokens_per_joule or 0)),
    ],
)
def test_another_rule_gives_another_order(rank: str, figure: object) -> None:
    assert callable(figure)
    found = recommend(catalog(), *QUESTIONS["70b-500ms"], rank=rank, top=30)
    values = [figure(row) for row in found.ranked if row.hardware.class_ != "api"]
    assert values == sorted(values)
    assert found.rank_by == rank


def test_fewer_offers_cost_no_less() -> None:
    anywhere, japan = (
        min(row.cost.usd_per_mtok_output or 0 for row in answer(name).ranked if row.hardware.class_ == "cloud")
        for name in (IN_FULL, "70b-japan")
    )
    assert 0 < anywhere <= japan


@pytest.mark.parametrize(
    ("chip", "published_s"),
    [("a100-sxm-40gb", 2.82), ("a800-sxm-80gb", 2.81), ("h20-141gb", 4.65), ("h200-sxm", 1.17), ("rtx-5090", 3.48), ("rtx-6000-ada", 5.83)],
)
def test_long_prompts_take_about_as_long_as_published(chip: str, published_s: float) -> None:
    """28,650 tokens, Llama-3.1-8B in 16 bits under vLLM, one request at a time: attention is a third of the arithmetic."""
    work = Workload(model="llama-3.1-8b", weights="bf16", concurrency=1, input_tokens=28_650, output_tokens=256)
    found = estimate(catalog(), chip, work, engine="vllm", tp=1, pp=1).answer
    assert found is not None
    assert found.performance.ttft_s.low <= published_s <= found.performance.ttft_s.high


def test_attention_under_serving_engines_is_no_slower_than_under_desktop_ones() -> None:
    """Otherwise long prompts would send servers to a desktop engine."""
    families = catalog().parameters["families"]
    assert families["serving-nvidia"]["values"]["score_compute_share"] >= families["local"]["values"]["score_compute_share"]


def test_a_price_list_that_names_everything_everywhere_is_no_proof_of_stock() -> None:
    work = Workload(model="8b", concurrency=2)
    listed = recommend(catalog(), work, Limits(where=("cloud",), provider=Choice(keep=("oci",))))
    assert any("ask whether" in warning for warning in listed.warnings)
    sold = recommend(catalog(), work, Limits(where=("cloud",), provider=Choice(keep=("gcp",))))
    assert not any("ask whether" in warning for warning in sold.warnings)


def test_prices_known_to_be_superseded_stay_out() -> None:
    """Lambda announced new prices from 2026-11-16; the old ones rank only when asked for."""
    work = Workload(model="8b", concurrency=2)
    limits = Limits(where=("cloud",), provider=Choice(keep=("lambda",)))
    old = {offer.id for offer in catalog().offers if offer.note and "new prices announced" in offer.note}
    assert len(old) == 20
    assert not {row.offer.id for row in recommend(catalog(), work, limits, top=0).ranked} & old
    asked = recommend(catalog(), work, replace(limits, include=("stale",)), top=0, merge="offer")
    assert {row.offer.id for row in asked.ranked} & old
