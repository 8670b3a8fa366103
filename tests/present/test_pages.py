"""What a person sees: the decision first, nothing wider than the screen, the same facts at every width."""

import re

import pytest
from present import samples
from rich.cells import cell_len

from infra_advisor.advice.answer import Answer, Comparison, EstimateAnswer, Predicted, Recommendation
from infra_advisor.present import render
from infra_advisor.present.screen import Screen

RECORDS = {
    "recommend": samples.recommendation(), "nothing": samples.nothing(), "compare": samples.comparison(), "estimate": samples.estimate(),
    "plain compare": samples.comparison(workload=None, limits=None),
    "misfit": samples.estimate(status="does_not_fit", answer=None, reason="weights alone need 141 GB of 77 GB", memory=None, sweep=()),
}  # fmt: skip


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 120, 160])
@pytest.mark.parametrize("name", RECORDS)
def test_no_line_is_wider_than_the_screen(name: str, width: int) -> None:
    for line in render(RECORDS[name], "table", screen=Screen(width), explain=True).splitlines():
        assert cell_len(line) <= width, line


@pytest.mark.parametrize("name", RECORDS)
def test_without_colour_there_is_no_escape(name: str) -> None:
    assert "\x1b" not in render(RECORDS[name], "table", screen=Screen(80))


def test_colour_only_repeats_what_the_words_say() -> None:
    coloured = render(RECORDS["estimate"], "table", screen=Screen(80, color=True))
    assert "\x1b[" in coloured
    bare = "\n".join(line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines())
    assert bare.strip() == render(RECORDS["estimate"], "table", screen=Screen(80)).strip()


@pytest.mark.parametrize("name", RECORDS)
def test_ascii_terminals_get_ascii(name: str) -> None:
    text = render(RECORDS[name], "table", screen=Screen(80, unicode=False), explain=True)
    assert text.isascii()


def test_the_recommendation_comes_first_with_its_figures_and_grade() -> None:
    first = " ".join(render(RECORDS["recommend"], "table", screen=Screen(80)).split("\n\n")[0].split())
    assert first == (
        "2x H100 SXM (of 8), Lambda (JP), running vLLM fp8 tp2, is the cheapest option that meets every limit. "
        "TTFT 212 ms, TPOT 21.4 ms (46.7 tokens/s per user), 9.81 USD per million output tokens, 9.96 USD/h, 7,271 USD/month. "
        "Grade D, nothing like it was measured: measure before buying. "
        "90 % band: TTFT 170–290 ms, TPOT 17–28 ms, 7.90–12.90 USD/Mtok."
    )


def test_wider_screens_show_more_columns_and_never_other_numbers() -> None:
    narrow, wide = (render(RECORDS["recommend"], "table", screen=Screen(width)) for width in (80, 140))
    assert "90 % band" not in narrow.split("Ranked")[1].splitlines()[1]
    assert "90 % band" in wide.split("Ranked")[1].splitlines()[1]
    for figure in ("212 ms", "21.4 ms", "9.81", "11.03"):
        assert figure in narrow
        assert figure in wide


def test_forty_columns_become_a_list() -> None:
    text = render(RECORDS["recommend"], "table", screen=Screen(40)).partition("Bill of a month")[0]
    assert "───" not in text
    assert "1 2x H100 SXM (of 8)" in text
    assert "11.03" in text


def test_full_width_characters_align() -> None:
    """The column after a Japanese name starts in the same cell in every row."""
    part = samples.offer(provider_name="さくらインターネット", country="JP")
    record = samples.recommendation(ranked=(samples.answer(), samples.answer(rank=2, offer=part)))
    rows = [line for line in render(record, "table", screen=Screen(120)).splitlines() if re.match(r"[12]  2x H100", line)]
    assert len(rows) == 2
    starts = {cell_len(row[: row.index("vLLM fp8 tp2")]) for row in rows}
    assert len(starts) == 1


def test_nothing_fits_says_what_binds_and_what_would_help_first() -> None:
    text = " ".join(render(RECORDS["nothing"], "table", screen=Screen(80)).split())
    assert text.startswith(
        "Nothing meets every limit. What binds: TTFT. The cheapest way out of each: - TTFT: 500 ms was asked, 612 ms is needed. "
        "With --ttft 620ms this fits: 2x H100 SXM (of 8), Lambda (JP), vLLM fp8 tp2, at 9.81 USD/Mtok and 7,271 USD/month."
    )


def test_a_near_miss_shows_that_it_misses() -> None:
    """500.4 ms must not read as 500 ms against a limit of 500 ms."""
    close = samples.near_miss().violations[0].model_copy(update={"predicted": 0.5004})
    miss = samples.near_miss().model_copy(update={"violations": (close,)})
    assert "TTFT 500.4 ms, limit 500 ms" in " ".join(
        render(samples.recommendation(near_misses=(miss,)), "table", screen=Screen(100)).split()
    )


def test_doubtful_prices_are_marked_in_words() -> None:
    assert "200 d ! stale" in render(RECORDS["recommend"], "table", screen=Screen(120))


def test_a_percentile_that_was_not_computed_is_named_as_the_mean() -> None:
    limits = samples.LIMITS.model_copy(update={"statistic": "p95"})
    text = render(samples.recommendation(limits=limits), "table", screen=Screen(160))
    assert "TTFT mean" in text
    assert "90 % band of the mean: TTFT 170–290 ms" in text
    assert "TTFT 212 ms (mean)" in text
    speed = samples.answer().performance.model_copy(update={"ttft_s": Predicted(mean=0.2, p95=0.4)})
    text = render(samples.recommendation(limits=limits, ranked=(samples.answer(performance=speed),)), "table", screen=Screen(120))
    assert "TTFT p95" in text
    assert "TTFT 400 ms (p95)" in text


def test_terms_add_up_as_printed() -> None:
    text = render(RECORDS["recommend"], "table", screen=Screen(120), explain=True)
    decode = text.split("Each further token")[1].split("Near misses")[0]
    shown = [float(figure) for figure in re.findall(r"(\d+\.\d+) ms +[\d.]+ %", decode)]
    assert shown[-1] == pytest.approx(sum(shown[:-1]), abs=1e-9)
    assert shown[-1] == 21.4  # 18.0 + 1.0 + 2.4 ms
    assert "70.6 GB / 3.92 TB/s" in decode


def test_unknown_speed_is_a_question_mark_not_a_zero() -> None:
    speed = samples.slow().model_copy(update={"ttft_s": Predicted(mean=None), "output_tokens_per_s": None})
    row = next(
        line
        for line in render(samples.recommendation(ranked=(samples.answer(performance=speed),)), "table", screen=Screen(120)).splitlines()
        if line.startswith("1  ")
    )
    assert "?" in row
    assert " 0 " not in row


def test_compare_marks_the_best_of_each_row_in_words() -> None:
    lines = render(RECORDS["compare"], "table", screen=Screen(100)).splitlines()
    assert "3.35 TB/s *" in next(line for line in lines if line.startswith("memory bandwidth"))
    assert "* best of the row" in lines


def test_compare_says_why_not() -> None:
    text = render(RECORDS["compare"], "table", screen=Screen(100))
    assert "- L4: TTFT 612 ms, limit 500 ms" in text
    assert "- Inferentia2: no engine offers fp8" in text


def test_compare_splits_what_does_not_fit_and_repeats_the_titles() -> None:
    lines = render(RECORDS["plain compare"], "table", screen=Screen(40)).splitlines()
    assert sum(line.startswith("memory bandwidth") for line in lines) == 3


def test_estimate_shows_the_sweep_with_a_chart() -> None:
    text = render(RECORDS["estimate"], "table", screen=Screen(80))
    assert "does not fit" in text
    assert "TPOT by concurrency" in text
    assert "█" in text


def test_an_estimate_that_misses_says_by_how_much() -> None:
    record = samples.estimate(status="misses_targets", violations=samples.near_miss().violations)
    assert "fits but misses: TTFT 612 ms, limit 500 ms" in " ".join(render(record, "table", screen=Screen(80)).split())


def test_an_estimate_that_does_not_fit_says_why() -> None:
    assert render(RECORDS["misfit"], "table", screen=Screen(80)).startswith("It does not fit: weights alone need 141 GB of 77 GB.")


@pytest.mark.parametrize("record_type", [Recommendation, Comparison, EstimateAnswer])
def test_samples_cover_every_document(record_type: type[Answer]) -> None:
    assert any(isinstance(record, record_type) for record in RECORDS.values())
