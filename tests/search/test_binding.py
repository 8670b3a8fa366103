"""Data-sheet rates joined to efficiencies: the scale on which deviations add up, and rates that never exceed the data sheet."""

import math
from collections import Counter

import numpy as np
import pytest
from catalogs import frozen_catalog
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.search.binding import Efficiencies, Hardware, achieve, from_scale
from infra_advisor.search.calibration import read_parameters
from infra_advisor.search.candidates import Question, candidates, deployments
from infra_advisor.search.platforms import platform_of_node
from infra_advisor.search.scale import EFFICIENCIES, FACTORS, LEAST_SHARPNESS, SHARES, to_scale

EVERY_SHARE = pytest.mark.parametrize("name", sorted(SHARES))
NO_SHARE = sorted(set(EFFICIENCIES) - SHARES)


def back(name: str, scaled: float) -> float:
    return float(from_scale(name, np.array([scaled]))[0])


def test_the_scale_by_hand() -> None:
    """logit 0.8 = ln 4; ln 0.001 = -6.907755; sharpness 1.5 is ln 0.5 above 1; a factor of 1 is 0."""
    assert to_scale("linear_memory_share", 0.8) == pytest.approx(math.log(4))
    assert to_scale("step_s", 0.001) == pytest.approx(-6.907755)
    assert to_scale("sharpness", 1.5) == pytest.approx(math.log(0.5))
    assert [to_scale(name, 1.0) for name in FACTORS] == [0.0, 0.0]


@given(name=st.sampled_from(sorted(SHARES)), share=st.floats(1e-9, 1 - 1e-9))
def test_shares_come_back(name: str, share: float) -> None:
    assert back(name, to_scale(name, share)) == pytest.approx(share, rel=1e-9)


@given(name=st.sampled_from(NO_SHARE), value=st.floats(1e-12, 1e6))
def test_times_and_numbers_come_back(name: str, value: float) -> None:
    value += LEAST_SHARPNESS * (name == "sharpness")
    assert back(name, to_scale(name, value)) == pytest.approx(value, rel=1e-9)


@given(name=st.sampled_from(EFFICIENCIES), scaled=st.floats(-25, 25))
def test_places_on_the_scale_come_back(name: str, scaled: float) -> None:
    """Within what a float near 1 resolves: e^-25 = 1.4e-11 of a share or of sharpness keeps five digits."""
    assert to_scale(name, back(name, scaled)) == pytest.approx(scaled, rel=1e-4, abs=1e-4)


@given(name=st.sampled_from(EFFICIENCIES), scaled=st.floats(-35, 35), further=st.floats(0, 5))
def test_wherever_it_leads_the_value_is_possible(name: str, scaled: float, further: float) -> None:
    """Shares lie in (0, 1), times above 0, sharpness not below 1; further along is never less."""
    value = back(name, scaled)
    assert 0 < value < (1 if name in SHARES else math.inf)
    if name == "sharpness":
        assert value >= LEAST_SHARPNESS
    assert back(name, scaled + further) >= value


def test_a_share_is_of_the_peak_it_names() -> None:
    """Rates by hand: every peak and every share a number of its own, so that no two can be mixed up."""
    peaks = {"bytes_per_s": 3e12, "linear_flop_per_s": 1e15, "expert_flop_per_s": 2e15, "wide_flop_per_s": 5e14}
    links = {"link_bytes_per_s": 4e11, "stage_link_bytes_per_s": 5e10, "hop_factor": 2.0, "stage_hop_factor": 4.0}
    other = {name: float(number) for number, name in enumerate(Hardware.__dataclass_fields__, 7)}
    hardware = Hardware(**{name: np.array([value]) for name, value in (other | peaks | links).items()})
    shares = {name: 0.9 - number / 20 for number, name in enumerate(sorted(SHARES))}
    values = {name: np.array([shares.get(name, number * 1e-3)]) for number, name in enumerate(EFFICIENCIES, 3)}
    found = achieve(hardware, Efficiencies(**values))
    expected = {
        "peak_bytes_per_s": 3e12,
        "linear_bytes_per_s": 3e12 * shares["linear_memory_share"],
        "expert_bytes_per_s": 3e12 * shares["expert_memory_share"],
        "kv_bytes_per_s": 3e12 * shares["kv_memory_share"],
        "linear_flop_per_s": 1e15 * shares["linear_compute_share"],
        "expert_flop_per_s": 2e15 * shares["expert_compute_share"],
        "score_flop_per_s": 5e14 * shares["score_compute_share"],
        "link_bytes_per_s": 4e11 * shares["link_share"],
        "stage_link_bytes_per_s": 5e10 * shares["link_share"],
        "hop_s": 2 * values["hop_s"][0],
        "stage_hop_s": 4 * values["hop_s"][0],
    }
    assert {name: getattr(found, name)[0] for name in expected} == pytest.approx(expected)
    for name in (set(vars(found)) & set(other)) - set(expected):
        assert getattr(found, name)[0] == other[name], name
    for name in (set(vars(found)) & set(values)) - set(expected):
        assert getattr(found, name)[0] == values[name][0], name


def test_rows_are_taken_together() -> None:
    columns = {name: np.arange(4.0) + number for number, name in enumerate(Hardware.__dataclass_fields__)}
    taken = Hardware(**columns).take(np.array([3, 1, 1]))
    assert len(taken) == 3
    for name, column in columns.items():
        assert list(getattr(taken, name)) == [column[3], column[1], column[1]]


@pytest.mark.parametrize("model", ["llama-3.1-8b-instruct", "qwen3-30b-a3b-instruct-2507", "deepseek-r1-0528"])
def test_nothing_in_the_catalog_achieves_more_than_its_data_sheet(model: str) -> None:
    """Every deployment on every node: memory below the chip's bandwidth, products below the peak of their precision."""
    catalog = frozen_catalog()
    record = catalog.model(model)
    question = Question(record, record.shape(), catalog.formats, read_parameters(catalog.parameters, catalog.deviations), "auto", "auto")
    platforms = [platform_of_node(node, catalog.chips[node.chip], int(node.chips)) for node in catalog.nodes.values()]
    found = candidates(dict.fromkeys(platforms), catalog.chips, catalog.engines, question, Counter())
    achieved = deployments(found, catalog.chips, question.parameters)
    assert len(achieved) == len(found) > 20
    for place, candidate in enumerate(found):
        chip, peaks = catalog.chips[candidate.platform.chip], candidate.software.peaks
        assert achieved.peak_bytes_per_s[place] == chip.bandwidth_bytes_per_s
        for part in ("linear", "expert", "kv"):
            assert 0 < getattr(achieved, f"{part}_bytes_per_s")[place] < achieved.peak_bytes_per_s[place]
        for part, peak in (("linear", peaks.linear), ("expert", peaks.experts), ("score", peaks.scores)):
            assert 0 < getattr(achieved, f"{part}_flop_per_s")[place] < peak
