"""The table below the short one, and the sentences around both: nothing that was asked for is only in JSON."""

import re

import pytest
from present import samples
from rich.cells import cell_len

from infra_advisor.advice.answer import Answer, Assumption, Headroom, LimitsPart, Recommendation, Relaxation
from infra_advisor.present import assumptions, render
from infra_advisor.present.details import detail_grid
from infra_advisor.present.screen import Screen
from infra_advisor.present.words import words

SAY = words()


def page(record: Recommendation, width: int, *, explain: bool = False) -> str:
    return render(record, "table", screen=Screen(width), explain=explain)


def flat(text: str) -> str:
    return " ".join(text.split())


def cells(record: Recommendation, limits: LimitsPart = samples.LIMITS) -> list[dict[str, str]]:
    """The rows of the second table by column title."""
    grid = detail_grid(record.ranked, limits, SAY)
    titles = [column.title for column in grid.columns]
    return [
        dict(zip(titles, (cell if isinstance(cell, str) else cell.text for cell in row), strict=True)) for row in grid.rows
    ]  # fmt: skip


def test_the_second_table_has_what_the_first_has_no_room_for() -> None:
    """Margins are 1 - 212 / 500 = 57.6 % and 1 - 21.4 / 33.3 = 35.8 %."""
    first = cells(samples.recommendation())[0]
    assert first == {
        "#": "1",
        "label": "cheapest",
        "tok/s per user": "46.7",
        "tok/s in all": "282",
        "in flight of at most": "6.2 of 48",
        "USD a month": "7,271",
        "USD/Mtok in + out": "2.26",
        "USD/Mtok at limit": "1.52",
        "USD/Mtok full": "0.88",
        "bound: prefill / decode": "compute/memory",
        "TTFT margin": "+58 %",
        "TPOT margin": "+36 %",
        "region": "asia-northeast-1",
        "price kind": "on-demand",
        "price age": "12 d",
        "price seen": "2026-11-10",
    }


def test_only_limits_that_were_set_have_a_margin() -> None:
    limits = samples.LIMITS.model_copy(update={"ttft_s": None, "tpot_s": None, "budget_usd_per_month": 5000.0})
    room = Headroom(limit="budget", allowed=5000.0, predicted=6120.0, margin=1 - 6120 / 5000, met=False)
    row = cells(samples.recommendation(ranked=(samples.answer(headroom=(room,)),)), limits)[0]
    assert "TTFT margin" not in row
    assert row["budget margin"] == "-22 %"


def test_energy_has_a_column_where_it_is_known() -> None:
    speed = samples.answer().performance.model_copy(update={"tokens_per_joule": 0.271})
    assert cells(samples.recommendation(ranked=(samples.answer(performance=speed),)))[0]["tok per joule"] == "0.27"
    assert "tok per joule" not in cells(samples.recommendation())[0]


@pytest.mark.parametrize(
    ("now", "most", "text"),
    [(6.24, 48.0, "6.2 of 48"), (9216.0, 18_432.0, "9,220 of 18.4k"), (0.045, None, "0.045 of ?"), (None, None, "?")],
)
def test_requests_in_flight(now: float | None, most: float | None, text: str) -> None:
    speed = samples.answer().performance.model_copy(update={"concurrency": now, "max_concurrency": most})
    assert cells(samples.recommendation(ranked=(samples.answer(performance=speed),)))[0]["in flight of at most"] == text


@pytest.mark.parametrize(("width", "explain", "shown"), [(80, False, False), (99, False, False), (100, False, True), (80, True, True)])
def test_details_stand_where_there_is_room_or_when_asked_for(width: int, explain: bool, shown: bool) -> None:
    text = page(samples.recommendation(), width, explain=explain)
    assert ("The same rows in detail" in text) == shown
    assert ("as does a screen of 100 columns" in flat(text)) == (not shown)


def test_labels_are_told_at_every_width() -> None:
    for width in (30, 40, 60, 80, 100, 120, 160):
        text = flat(page(samples.recommendation(), width))
        assert "cheapest" in text.split("Ranked by")[1], width
        assert re.search(r"best .*on-", text), width  # on a line of its own, or wrapped


@pytest.mark.parametrize("width", [100, 120, 160])
def test_titles_of_two_lines_stand_on_the_rule(width: int) -> None:
    lines = page(samples.recommendation(), width).splitlines()
    below = lines[lines.index("The same rows in detail") + 1 :]
    assert below[1].split()[:2] == ["#", "label"]
    assert set(below[2]) == {"─"}
    assert cell_len(below[2]) <= width


def test_a_page_for_eighty_columns_is_short() -> None:
    """Ten rows with their headline, question, near misses and hints."""
    ranked = tuple(samples.answer(rank=place) for place in range(1, 11))
    text = page(samples.recommendation(ranked=ranked), 80)
    assert len(text.splitlines()) <= 60


def test_kinds_of_offer_that_need_the_option_are_told_once() -> None:
    excluded = {
        "launch-price: only with --include launch-price": 155,
        "does not fit in memory": 147,
        "spot: only with --include spot": 12,
        "a": 9,
        "b": 8,
        "c": 7,
        "d": 6,
    }
    text = flat(page(samples.recommendation(excluded=excluded), 120))
    assert (
        "Left out: launch-price (155), spot (12): only with --include; does not fit in memory (147); a (9); b (8); other reasons (13)."
        in text
    )


def test_what_cannot_be_ranked_is_a_sentence() -> None:
    def lacking(count: int, reason: str) -> tuple[Answer, ...]:
        return tuple(samples.answer(rank=None, id=f"{reason}{number}", reason=reason) for number in range(count))

    unranked = (
        *lacking(10, "speed unknown: nobody publishes it"),
        *lacking(3, "no price on that day yet; minimum: 10 points"),
        *lacking(1, ""),
    )
    text = flat(page(samples.recommendation(unranked=unranked, considered={"offers": 9, "unranked": 36}), 120))
    assert (
        "Not ranked: 36 options. Of the first 14, 10 with unknown speed (nobody publishes it), 3 with no price on that day yet "
        "and 1 with no reason given." in text
    )
    assert "Searched: 9 offers." in text
    text = flat(page(samples.recommendation(considered={"unranked": 2}), 120))
    assert "Not ranked: 2 options: 2 with unknown speed." in text


def test_a_choice_that_shuts_everything_out_is_named_without_any_target() -> None:
    way = Relaxation(limit="where", allowed="edge", needed="any", answer="x", text="without --where: 2x L4 (Lambda) fits")
    limits = LimitsPart(where=("edge",))
    record = samples.recommendation(status="nothing_fits", ranked=(), near_misses=(), relaxations=(way,), limits=limits)
    assert flat(page(record, 120)).startswith(
        "Nothing meets every limit. What binds: class. The cheapest way out of each: "
        "- class: edge was asked. Without --where: 2x L4 (Lambda) fits."
    )


def test_limits_that_bind_together_are_told_so() -> None:
    miss = samples.near_miss()
    dear = miss.violations[0].model_copy(update={"limit": "budget", "allowed": 50.0, "predicted": 7270.8, "relax": "--budget 7271/month"})
    miss = miss.model_copy(update={"violations": (*miss.violations, dear)})
    text = flat(page(samples.recommendation(status="nothing_fits", ranked=(), near_misses=(miss,)), 120))
    assert text.startswith(
        "Nothing meets every limit. What binds: TTFT and monthly cost, together: no change of one alone admits anything."
    )
    assert "Fits with --ttft 620ms and --budget 7271/month." in text


def test_a_way_out_that_was_told_is_not_told_again() -> None:
    assert "Near misses" not in page(samples.nothing(), 120)
    assert "Near misses" in page(samples.recommendation(), 120)


@pytest.mark.parametrize(
    ("limit", "allowed", "predicted", "text"),
    [
        ("weights", "8 bits or native", "nvfp4", "its weights are nvfp4, 8 bits or native was asked"),
        ("residency", "JP", "US", "its data are processed in US, JP was asked"),
    ],
)
def test_broken_limits_that_are_no_numbers_are_sentences(limit: str, allowed: str, predicted: str, text: str) -> None:
    broken = samples.near_miss().violations[0].model_copy(update={"limit": limit, "allowed": allowed, "predicted": predicted})
    miss = samples.near_miss().model_copy(update={"violations": (broken,)})
    assert text in flat(page(samples.recommendation(near_misses=(miss,)), 120))


@pytest.mark.parametrize(
    ("name", "value", "note", "text"),
    [
        ("electricity_usd_per_kwh", 0.161, "world average, business; source x", "electricity 0.161 USD/kWh"),
        ("electricity_jpy_per_kwh", 24.0, "Japan; source x", "electricity 24 JPY/kWh"),
        ("amortisation_datacenter_years", 3.0, "year; source judgement", "servers written off over 3 years"),
        ("cost_of_capital_per_year", 0.05, "share of the purchase price; source x", "capital costs 5 % of the purchase price a year"),
        ("consumption_tax_jp_share", 0.1, "taken out of prices", "Japanese consumption tax of 10 % taken out"),
        ("hours_per_month", 730.0, "always on", "730 hours to the month"),
        ("weights", "auto", "8 bits; fewer only when asked for", "weights: 8 bits"),
        ("something_new_s", 2.0, "why", "something new 2 s"),
    ],
)
def test_assumptions_are_plain_words(name: str, value: float | str, note: str, text: str) -> None:
    assumed = Assumption(name=name, value=value, origin="catalog", note=note)
    assert assumptions.assumption(SAY, assumed, in_full=False) == text
    in_full = f"{assumptions.assumption(SAY, assumed)} {assumptions.basis(SAY, assumed)}"
    assert note.rpartition("; ")[2] in in_full, "where it comes from"


def test_how_a_name_was_read_is_an_assumption_and_what_was_given_is_none() -> None:
    given = (
        Assumption(name="model", value="x", origin="input", note="no reference model near 50b: X scaled to 50 billion"),
        Assumption(name="think_s", value=5.0, origin="input", note="each user waits"),
    )
    text = flat(page(samples.recommendation(assumptions=given), 120))
    assert "Assumed: no reference model near 50b: X scaled to 50 billion" in text
    assert "think" not in text.split("Assumed:")[1]


def hosted() -> Answer:
    """An endpoint with a price and nothing else."""
    answer: Answer = samples.answer()
    unknown = answer.performance.model_copy(
        update={"ttft_s": answer.performance.ttft_s.model_copy(update={"mean": None, "low": None, "high": None})}
    )
    return answer.model_copy(
        update={
            "hardware": answer.hardware.model_copy(update={"class_": "api", "accelerators_total": 0, "accelerators_billed": 0.0}),
            "software": answer.software.model_copy(update={"engine": "hosted", "weights": "not published", "kv": "not published", "tp": 1}),
            "performance": unknown,
        }
    )


def test_a_hosted_winner_claims_no_speed_and_names_the_first_hardware() -> None:
    """9.81 and 11.03 USD/Mtok are the costs of both samples."""
    text = page(samples.recommendation(ranked=(hosted(), samples.second())), 120)
    first = flat(text.split("\n\n")[0])
    assert first == (
        "The hosted API of Lambda (JP) is the cheapest option; no target was given that its speed could miss. "
        "9.81 USD per million output tokens, 9.96 USD/h, 7,271 USD/month. "
        "The price is the listed one; how fast the endpoint answers is not predicted. "
        "First among hardware, at place 2: 2x MI300X, on-prem (JP), SGLang fp8 x2, 11.03 USD/Mtok."
    )
    assert "advisor estimate" not in text
    assert "as hosted" in text
    alone = flat(page(samples.recommendation(ranked=(hosted(),)), 120))
    assert "First among hardware" not in alone


def test_without_a_load_a_hosted_api_has_no_bill() -> None:
    cost = samples.answer().cost.model_copy(update={"usd_per_h": None, "usd_per_month": None})
    text = flat(page(samples.recommendation(ranked=(hosted().model_copy(update={"cost": cost}),)), 120))
    assert "9.81 USD per million output tokens; what a month costs depends on how many requests come (--rate)." in text


def test_compare_labels_memory_and_drops_rows_that_nobody_knows() -> None:
    text = render(samples.comparison(), "table", screen=Screen(120))
    assert re.search(r"^memory +80 GB \* +24 GB +32 GB$", text, re.MULTILINE)
    record = samples.comparison()
    blank = tuple(column.model_copy(update={"facts": {**column.facts, "power_w": None}}) for column in record.columns)
    assert "power" not in render(record.model_copy(update={"columns": blank}), "table", screen=Screen(120))


@pytest.mark.parametrize(
    ("title", "cell"),
    [
        ("USD/Mtok out", "9.81"),
        ("USD/Mtok in \\+ out", "2.26"),
        ("requests in flight", "6.2 of 48"),
        ("prefill / decode bound by", "compute/memory"),
        ("tokens/s per user", "46.7"),
        ("price", "on-demand 2026-11-10"),
    ],
)
def test_compare_gives_the_deployment_in_full(title: str, cell: str) -> None:
    assert re.search(f"^{title} +{cell}  ", render(samples.comparison(), "table", screen=Screen(120)), re.MULTILINE)


def test_compare_shows_the_country_asked_for_first_then_the_cheapest() -> None:
    """JP was asked for; both others have one chip each, and US is the cheapest of that chip."""
    record = samples.comparison()
    prices = {"JP": (9.0, 9.0), "US": (1.99, 6.88), "DE": (2.5, 4.0)}
    column = record.columns[0].model_copy(update={"prices": prices})
    lines = render(record.model_copy(update={"columns": (column,)}), "table", screen=Screen(100)).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("country"))
    assert [line.split()[0] for line in lines[start + 2 : start + 5]] == ["JP", "US", "DE"]


def test_chips_named_in_the_question_are_no_limit() -> None:
    limits = samples.LIMITS.model_copy(update={"accelerators": ("h100-sxm",)})
    for record in (samples.comparison(limits=limits), samples.estimate(limits=limits)):
        assert "accelerators h100-sxm" not in render(record, "table", screen=Screen(120))
    assert "accelerators h100-sxm" in page(samples.recommendation(limits=limits), 120)


def test_an_estimate_that_a_single_request_fails_claims_no_limit_load() -> None:
    speed = samples.answer().performance.model_copy(update={"max_concurrency": 0.0})
    text = render(samples.estimate(answer=samples.answer(performance=speed)), "table", screen=Screen(120))
    assert "most in flight" not in text
    assert "the same at the load limit" not in text
    assert "most in flight" in render(samples.estimate(), "table", screen=Screen(120))


def test_a_misfit_is_one_sentence() -> None:
    record = samples.estimate(
        status="does_not_fit", answer=None, reason="does not fit in memory: fewer bits would help", memory=None, sweep=()
    )
    assert render(record, "table", screen=Screen(120)).startswith("It does not fit in memory: fewer bits would help.")
