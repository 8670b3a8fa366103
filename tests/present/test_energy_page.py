"""Electricity and carbon on the page: columns where the rule asks for them, sentences that multiply out, and why a row has none."""

import re

import pytest
from catalogs import DAY, frozen_catalog
from present import samples
from rich.cells import cell_len

from infra_advisor.advice.answer import Energy, Recommendation
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.recommend import recommend
from infra_advisor.present import energy, render
from infra_advisor.present.screen import Screen
from infra_advisor.present.words import words
from infra_advisor.search.workload import Workload

SAY = words()
KNOWN = Energy(
    power_w=8400.0, accelerators_w=3360.0, host_w=2640.0, power_measured=True, tokens_per_joule=0.25, kwh_per_mtok_output=1.0 / 0.9,
    kwh_per_mtok_output_low=0.8, kwh_per_mtok_output_high=1.6, gco2e_per_mtok_output=500.0, grid_gco2e_per_kwh=450.0,
    grid_source="grid of here", pue=1.4, pue_source="its own",
)  # fmt: skip


@pytest.fixture(scope="module", params=["energy", "carbon"])
def found(request: pytest.FixtureRequest) -> Recommendation:
    assert frozen_catalog().as_of == DAY
    return recommend(frozen_catalog(), Workload(model="70b", users=20), Limits(ttft_s=0.6), rank=request.param, top=12)


def page(record: Recommendation, width: int, *, explain: bool = False) -> str:
    return render(record, "table", screen=Screen(width), explain=explain)


@pytest.mark.parametrize("width", [80, 120])
def test_what_the_table_is_sorted_by_stays_in_it(found: Recommendation, width: int) -> None:
    text = page(found, width)
    assert {"energy": "kWh/Mtok", "carbon": "gCO2e/Mtok"}[found.rank_by] in text
    assert max(cell_len(line) for line in text.splitlines()) <= width


def test_no_other_rule_has_the_columns() -> None:
    assert energy.columns("cost", SAY) == ()
    assert "kWh/Mtok" not in page(recommend(frozen_catalog(), Workload(model="70b", users=20), Limits(ttft_s=0.6)), 80)


def test_rows_without_the_figure_say_why(found: Recommendation) -> None:
    """Every row that shows `?` is named with its reason."""
    field = {"energy": "kwh_per_mtok_output", "carbon": "gco2e_per_mtok_output"}[found.rank_by]
    unknown = [row for row in found.ranked if getattr(row.energy, field) is None]
    assert unknown
    told = " ".join(page(found, 120).split())
    for row in unknown:
        assert row.reason
        assert row.reason in told
        assert re.search(rf"Unknown: .*\b{row.rank}\b", told)


def test_the_sentences_multiply_out() -> None:
    """(3,360 + 2,640) x 1.4 = 8,400 W; 2,100 tokens/s over that 0.25 tokens/J; 1.11 kWh x 450 g = 500 g."""
    speed = samples.answer().performance.model_copy(update={"output_tokens_per_s": 2100.0})
    assert energy.sentences(samples.answer(performance=speed, energy=KNOWN), SAY) == [
        "Power at the wall: (accelerators 3,360 W + hosts 2,640 W) x 1.4 (PUE: its own) = 8,400 W.",
        "Electricity: 2,100 tokens/s / 8,400 W = 0.250 tokens/J, 1.11 kWh per million output tokens (90 % band 0.80 to 1.6).",
        "Carbon: 1.11 kWh x 450 gCO2e/kWh (grid of here) = 500 gCO2e per million output tokens.",
    ]


def test_what_is_assumed_or_unknown_is_said() -> None:
    assumed = KNOWN.model_copy(update={"power_measured": False, "provider_gco2e_per_kwh": 300.0})
    assert energy.sentences(samples.answer(energy=assumed), SAY)[-2:] == [
        "The provider itself states 300 gCO2e/kWh, by another method.",
        "No chip of this class has a published power measurement: the curve of the others is taken.",
    ]
    placeless = KNOWN.model_copy(update={"gco2e_per_mtok_output": None, "carbon_reason": "carbon unknown: no country"})
    assert energy.sentences(samples.answer(energy=placeless), SAY)[-1] == "Carbon unknown: no country."
    assert energy.sentences(samples.answer(energy=Energy(reason="energy unknown: no power")), SAY) == ["Energy unknown: no power."]


def test_explain_shows_the_arithmetic(found: Recommendation) -> None:
    text = " ".join(page(found, 100, explain=True).split())
    assert "Electricity and carbon" in text
    assert re.search(r"Power at the wall: \(accelerators [\d,]+ W \+ hosts", text)
