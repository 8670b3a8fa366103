"""Circuits, heat and racks of machines of one's own, by hand: what a breaker carries for hours, and how many of them feed a machine."""

import math
from pathlib import Path

import pytest
from catalogs import frozen_catalog, real_catalog, write
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.recommend import recommend
from infra_advisor.advice.site_needs import Sited, carries_w, circuits_for, office_warning, with_needs
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.circuits import Circuit
from infra_advisor.search.workload import Workload

OFFICE = Circuit(name="100 V 15 A", volts=100, amperes=15, office=True)


@pytest.mark.parametrize(
    ("volts", "amperes", "phases", "carries", "needed"),
    [
        (100, 15, 1, 1200.0, 9),  # 100 x 15 x 0.8; 10,200 / 1,200 = 8.5
        (100, 20, 1, 1600.0, 7),  # 10,200 / 1,600 = 6.4
        (200, 20, 1, 3200.0, 4),  # 10,200 / 3,200 = 3.2
        (200, 30, 1, 4800.0, 3),  # 10,200 / 4,800 = 2.1
        (120, 20, 1, 1920.0, 6),  # the 1,920 VA that the table of the source prints; 10,200 / 1,920 = 5.3
        (208, 30, 3, 8646.0, 2),  # 208 x 30 x 1.732 x 0.8, likewise printed; 10,200 / 8,646 = 1.2
        (208, 60, 3, 17292.0, 1),
    ],
)
def test_an_h100_server_of_10_2_kw(volts: float, amperes: float, phases: int, carries: float, needed: int) -> None:
    circuit = Circuit.model_validate({"name": "one", "volts": volts, "amperes": amperes, "phases": phases})
    assert carries_w(circuit, 0.8) == pytest.approx(carries, abs=1.0)
    assert circuits_for(10_200, circuit, 0.8) == needed


def test_a_machine_of_exactly_what_one_carries_needs_one() -> None:
    assert (circuits_for(1200.0, OFFICE, 0.8), circuits_for(1200.1, OFFICE, 0.8)) == (1, 2)


@given(st.floats(1, 1e6), st.floats(1, 1e6))
def test_more_power_never_needs_fewer_and_they_carry_it(one_w: float, other_w: float) -> None:
    less, more = sorted((one_w, other_w))
    assert circuits_for(less, OFFICE, 0.8) <= circuits_for(more, OFFICE, 0.8)
    assert circuits_for(more, OFFICE, 0.8) * carries_w(OFFICE, 0.8) >= more * (1 - 1e-6)


def best(catalog: Catalog, chip: str, country: str | None, where: str = "onprem") -> Answer:
    """The best machine of that chip to buy, with its needs."""
    limits = Limits(where=(where,), accelerator=Choice(keep=(chip,)), residency=country)
    record = recommend(catalog, Workload(model="8b", users=5), limits, top=1, site_needs=True)
    return record.ranked[0]


def test_the_stated_power_of_a_server_decides_and_not_its_usual_draw() -> None:
    """8x H100 is sold as 10.2 kW: 10,200 x 3.412 = 34,804 BTU/h, and above the 8 kW of a usual rack."""
    answer = best(real_catalog(), "h100-sxm", "JP")
    needs = answer.site_needs
    assert needs is not None
    assert answer.energy.power_w is not None
    assert needs.rated_power_w == 10_200.0 > answer.energy.power_w
    assert needs.heat_btu_per_h == pytest.approx(34_804, abs=1)
    assert {one.circuit: one.per_machine for one in needs.circuits}["100 V 15 A"] == 9
    assert (needs.one_office_circuit, needs.three_phase, needs.racks) == (False, True, None)
    assert "more than the 8 kW" in (needs.racks_reason or "")


def test_the_country_decides_which_circuits() -> None:
    japan, america = (best(real_catalog(), "rtx-4090", country, "edge").site_needs for country in ("JP", "US"))
    assert japan is not None
    assert america is not None
    assert japan.rated_power_w == america.rated_power_w
    assert [one.circuit for one in japan.circuits if one.office] == ["100 V 15 A", "100 V 20 A"]
    assert [one.circuit for one in america.circuits if one.office] == ["120 V 15 A", "120 V 20 A"]


def test_without_a_country_all_are_listed_and_nothing_is_claimed() -> None:
    needs = best(real_catalog(), "rtx-4090", None, "edge").site_needs
    assert needs is not None
    assert {"JP", "US", "DE"} <= {country for one in needs.circuits for country in one.countries}
    assert needs.one_office_circuit is None
    assert "--residency" in (needs.circuits_reason or "")


def test_a_country_without_circuits_is_unknown() -> None:
    needs = best(real_catalog(), "rtx-4090", "SG", "edge").site_needs
    assert needs is not None
    assert needs.circuits == ()
    assert needs.one_office_circuit is None
    assert needs.circuits_reason == "the catalog has no circuits of SG"


def test_a_layer_adds_circuits_and_noise(tmp_path: Path) -> None:
    own = {
        "mine.yaml": """
sources: {survey: {title: our building, seen: 2026-11-20}}
circuits: {sg: {countries: [SG], circuits: [{name: 230 V 13 A, volts: 230, amperes: 13, office: true}], source: survey}}
chips: [{id: rtx-4090, noise: 40 dBA under load, text_sources: {noise: survey}}]
"""
    }
    needs = best(frozen_catalog(write(tmp_path, own)), "rtx-4090", "SG", "edge").site_needs
    assert needs is not None
    assert [(one.circuit, round(one.carries_w)) for one in needs.circuits] == [("230 V 13 A", 2392)]  # 230 x 13 x 0.8
    assert (needs.noise, needs.noise_reason) == ("40 dBA under load", None)


def test_a_chip_without_power_stays_unknown() -> None:
    catalog = frozen_catalog()
    answer = best(catalog, "rtx-4090", "JP", "edge")
    catalog.__dict__["chips"] = {**catalog.chips, "rtx-4090": catalog.chips["rtx-4090"].model_copy(update={"power": None})}
    needs = Sited(catalog, "JP").of(answer.model_copy(update={"site_needs": None}))
    assert needs is not None
    assert (needs.rated_power_w, needs.fleet_power_w, needs.heat_btu_per_h, needs.racks, needs.circuits) == (None, None, None, None, ())
    assert needs.rated_power_reason
    assert needs.one_office_circuit is None
    assert list(office_warning(catalog, answer.model_copy(update={"site_needs": needs}))) == []


def test_a_desktop_too_strong_for_an_outlet_is_told() -> None:
    """Four RTX 4090 of 450 W and 300 W of host: 2,100 W, two outlets of 1,200 W."""
    catalog = frozen_catalog()
    answer = best(catalog, "rtx-4090", "JP", "edge")
    four = answer.model_copy(
        update={
            "site_needs": None,
            "hardware": answer.hardware.model_copy(update={"instances": 1, "accelerators_total": 4, "accelerators_billed": 4.0}),
            "offer": answer.offer.model_copy(update={"id": "buy-rtx-4090-x4"}),
        }
    )
    (told,) = office_warning(catalog, four)
    assert "2,100 W" in told
    assert "it needs 2 of them" in told
    assert list(office_warning(catalog, answer)) == []


def test_rented_machines_have_no_site() -> None:
    record = recommend(frozen_catalog(), Workload(model="8b", users=5), Limits(where=("cloud",)), top=1)
    assert with_needs(frozen_catalog(), record.ranked)[0].site_needs is None


def test_racks_hold_whole_machines() -> None:
    """Frozen: 8x L4 are 8 x 72 + 1,500 = 2,076 W; floor(8,000 / 2,076) = 3 a rack, so 7 machines take 3."""
    catalog = frozen_catalog()
    answer = best(catalog, "l4", "JP")
    seven = answer.model_copy(update={"hardware": answer.hardware.model_copy(update={"instances": 7, "accelerators_billed": 56.0})})
    needs = Sited(catalog, "JP").of(seven)
    assert needs is not None
    assert needs.rated_power_w == 2076.0
    assert needs.racks == math.ceil(7 / 3)
