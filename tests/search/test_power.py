"""Electric power of fleets: the curve against its evidence, hosts and idle accelerators by hand, and laws over the whole mini catalog."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from catalogs import frozen_catalog, real_catalog, real_parameters
from numpy.typing import NDArray

from infra_advisor.advice.calibration import power_regenerated, stale
from infra_advisor.errors import CatalogError, UsageError
from infra_advisor.facts.evidence import Measurement, evidence_files, read_evidence
from infra_advisor.search.busy import busy
from infra_advisor.search.calibration import read_parameters
from infra_advisor.search.candidates import Question
from infra_advisor.search.fleet import Fleets, fleets
from infra_advisor.search.platforms import Platform, platform_of_box
from infra_advisor.search.power import ChipPower, PowerModel, read_power
from infra_advisor.search.power_fit import Measured, left_out, measured_power, why_not
from infra_advisor.search.solve import Load, Targets

CATALOG = frozen_catalog()
GIVEN = {name: float(one.value) for name, one in CATALOG.assumptions.items()}
MODEL = read_power(CATALOG.power, GIVEN)


def chip_power(chip: str, model: PowerModel = MODEL) -> ChipPower:
    found = real_catalog().chips[chip]
    assert found.power is not None
    return ChipPower(model, found, found.power.value)


def fleet(
    load: Load, *, platforms: list[Platform] | None = None, spare: int = 0, one_replica: bool = False, power: PowerModel | None = MODEL
) -> Fleets:
    found = CATALOG.model("llama-3.1-8b-instruct")
    question = Question(
        found, found.shape(), CATALOG.formats, read_parameters(CATALOG.parameters, CATALOG.deviations), "bf16", "auto", power=power
    )
    servers = [platform_of_box(CATALOG.chips[chip], count, board=False) for chip in ("h100-sxm", "mi300x") for count in (1, 8)]
    cards = [platform_of_box(CATALOG.chips[chip], count, board=True) for chip in ("l4", "rtx-4090") for count in (1, 4)]
    boxes = [platform_of_box(CATALOG.chips["m4-max-40c"], 1, board=True)]
    return fleets(
        platforms or [*servers, *cards, *boxes], CATALOG.chips, CATALOG.engines, question, Targets(), load,
        input_tokens=1000, output_tokens=300, utilisation=0.5, dropped=Counter(), spare=spare, one_replica=one_replica,
    )  # fmt: skip


# -- the curve and its evidence


@pytest.fixture(scope="module")
def evidence() -> Measured:
    rows = read_evidence(evidence_files(real_catalog().path), [])
    return measured_power(real_catalog(), real_parameters(), rows)


def test_the_committed_curve_is_what_the_evidence_makes() -> None:
    assert stale(real_catalog(), power_regenerated(real_catalog())) == {"power.yaml": []}


def test_the_curve_beats_one_share_for_all_where_it_did_not_see_the_chip_or_model(evidence: Measured) -> None:
    """In the middle, in the tail and in the mean; by how much stands in power.yaml."""
    for names in (evidence.chips, evidence.models):
        curve, constant = (np.abs(errors) for errors in left_out(evidence, names))
        for figure in (np.median, np.mean, lambda sizes: np.percentile(sizes, 90)):
            assert figure(curve) < figure(constant)


def test_nine_in_ten_measurements_lie_in_the_band(evidence: Measured) -> None:
    low, high = read_power(real_catalog().power, GIVEN).curve.band
    errors, _ = left_out(evidence, evidence.chips)
    assert np.mean((np.exp(errors) >= low) & (np.exp(errors) <= high)) >= 0.85


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (Measurement(source_id="ml-energy"), "no power"),
        (Measurement(source_id="geerlingguy", power_w=300.0), "wall"),
        (Measurement(source_id="fastflowlm", power_w=2.0), "blocks"),
        (Measurement(source_id="ml-energy", source_row="mlenergy-video-chat-3", power_w=500.0), "pictures"),
        (Measurement(source_id="ml-energy", power_w=500.0, suspect=True), "consistency"),
    ],
)
def test_power_of_something_else_does_not_teach(row: Measurement, reason: str) -> None:
    assert reason in (why_not(row) or "")


def test_a_module_rated_with_its_processor_does_not_teach(evidence: Measured) -> None:
    """GH200: 1,000 W are those of CPU and GPU, what was read is the GPU alone."""
    assert "gh200-96gb" not in evidence.chips
    assert {"h100-sxm", "b200-sxm", "a100-sxm-40gb"} <= set(evidence.chips)


def test_the_page_prints_the_figures_of_the_curve() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "energy.md").read_text(encoding="utf-8")
    curve = read_power(real_catalog().power, GIVEN).curve
    assert f"`{curve.serving_level:.4f} + {curve.kernel_gain:.4f} x kernels + {curve.compute_gain:.4f} x sqrt(computing)`" in page
    assert f"{curve.rows} points" in page
    for name, errors in curve.errors.items():
        figures = (errors.median, errors.p90, errors.constant_median, errors.constant_p90)
        assert f"| each {name} | " + " | ".join(f"{100 * one:.1f} %" for one in figures) + " |" in page
    assert f"({100 * curve.band[0] - 100:.0f} % to +{100 * curve.band[1] - 100:.0f} %)" in page


def test_without_measurements_there_is_no_curve() -> None:
    with pytest.raises(UsageError, match="no measurements of power"):
        power_regenerated(CATALOG)


def test_a_broken_curve_says_what_is_wrong() -> None:
    with pytest.raises(CatalogError, match=r"power: serving_level: .*less than 1"):
        read_power({**CATALOG.power, "serving_level": 1.5}, GIVEN)
    with pytest.raises(CatalogError, match=r"power_idle_share is missing"):
        read_power(CATALOG.power, {})


# -- machines


@pytest.mark.parametrize(
    ("chip", "chips", "host_w"),
    [
        ("h100-sxm", 8, 0.7 * 0.82 * 700 * 8),
        ("h100-sxm", 1, 0.7 * 0.82 * 700),
        ("l4", 2, 0.7 * 1500 / 4),
        ("rtx-4090", 1, 0.7 * 80),
        ("rtx-4090", 2, 0.7 * 180),
        ("rtx-4090", 3, 0.7 * 300),
        ("rtx-4090", 16, 0.7 * 1500 * 2),
        ("rtx-pro-6000-ws", 1, 0.7 * 120),
        ("gb10", 2, 0.0),
        ("jetson-agx-orin-64gb", 1, 0.0),
    ],
)
def test_what_the_host_draws(chip: str, chips: int, host_w: float) -> None:
    """70 % of what hosts are rated at; nothing where the power of the chip is that of the box."""
    assert chip_power(chip).host_w(chips) == pytest.approx(host_w)


def test_chips_of_a_class_that_was_not_measured_have_a_wider_band() -> None:
    measured, assumed = chip_power("h100-sxm"), chip_power("gb10")
    assert (measured.measured, assumed.measured) == (True, False)
    assert assumed.band[0] < measured.band[0] < 1.0 < measured.band[1] < assumed.band[1]


def test_spare_machines_idle() -> None:
    """Four 4090 in a host, one machine at work with one spare: 4 x 18 % x 450 W more, and one host more."""
    box = [platform_of_box(CATALOG.chips["rtx-4090"], 4, board=True)]
    without, with_one = (fleet(Load(in_flight=8.0), platforms=box, spare=spare) for spare in (0, 1))
    assert with_one.power.machines_w - without.power.machines_w == pytest.approx(4 * 0.18 * 450 + 0.7 * 300)
    assert with_one.power.accelerators_w == pytest.approx(without.power.accelerators_w)


# -- laws over every deployment of the mini catalog


def known(found: Fleets) -> NDArray[np.bool_]:
    return np.array([candidate.software.power is not None for candidate in found.candidates])


def test_power_is_known_exactly_where_the_chip_has_a_power_fact() -> None:
    found = fleet(Load(in_flight=8.0))
    assert {"m4-max-40c"} == {candidate.platform.chip for candidate in found.candidates if candidate.software.power is None}
    for column in (found.power.accelerators_w, found.power.unused_w, found.power.host_w, found.power.idle_w, found.power.machines_w):
        assert (np.isfinite(column) == known(found)).all()


@pytest.mark.parametrize("load", [Load(in_flight=1.0), Load(in_flight=200.0), Load(request_rate_per_s=0.05), Load(request_rate_per_s=30.0)])
def test_working_accelerators_draw_between_idle_and_rated(load: Load) -> None:
    found = fleet(load)
    here = known(found)
    rated_w = np.array([candidate.software.power.rated_w for candidate in found.candidates if candidate.software.power])
    each_w = found.power.accelerators_w[here] / found.draw_chips[here]
    assert (each_w >= MODEL.idle_level * rated_w * (1 - 1e-9)).all()
    assert (each_w <= rated_w * (1 + 1e-9)).all()
    assert (found.power.machines_w[here] >= found.power.idle_w[here] * (1 - 1e-9)).all()


def test_shares_of_time_are_shares() -> None:
    found = fleet(Load(in_flight=64.0))
    of = busy(found.timing, found.solved.served, open_arrivals=False)
    for column in (of.serving, of.kernels, of.computing):
        assert ((column >= 0.0) & (column <= 1.0)).all()
    assert (of.serving == 1.0).all()


def test_hardly_any_requests_leave_a_fleet_idle() -> None:
    """One request in 1,000 s, done in seconds: within 2 % of a fleet without requests."""
    found = fleet(Load(request_rate_per_s=0.001))
    here = known(found)
    assert found.power.machines_w[here] == pytest.approx(found.power.idle_w[here], rel=0.02)


@pytest.mark.parametrize("more", [2.0, 4.0, 16.0])
def test_more_requests_on_one_replica_cost_less_energy_a_token(more: float) -> None:
    """While memory binds: the weights are read once for all of them."""
    few, many = (fleet(Load(in_flight=count), one_replica=True) for count in (1.0, more))
    here = known(few) & (many.solved.in_flight <= many.timing.memory.most_running)
    assert here.sum() > 10
    joules = [found.power.accelerators_w / found.output_tokens_per_s for found in (few, many)]
    assert (joules[1][here] < joules[0][here]).all()


def test_a_fleet_nobody_asks_the_power_of_has_none() -> None:
    assert np.isnan(fleet(Load(in_flight=1.0), power=None).power.machines_w).all()
