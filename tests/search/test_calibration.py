"""The parameter file: physically possible, complete for every device the catalog has, and refused with all its problems at once."""

import copy
from typing import Any

import pytest
from catalogs import real_catalog as catalog
from catalogs import real_parameters as parameters

from infra_advisor.errors import CatalogError
from infra_advisor.facts.engines import engine_runs_on
from infra_advisor.search.calibration import EngineFactors, Family, Selector, read_parameters

# (engine kind, device class) without efficiencies, on purpose: nothing is predicted there.
LEFT_OUT: set[tuple[str, str]] = set()
# Classes that no engine in the catalog runs on: their speed is known from their operators alone.
WITHOUT_ENGINE = {"hosted-only"}


def raw() -> dict[str, Any]:
    return copy.deepcopy(dict(catalog().parameters))


def families() -> list[tuple[str, Family]]:
    """As written, and as they are for mixtures."""
    return [
        *parameters().families.items(),
        *((f"{name} (mixtures)", family.for_experts()) for name, family in parameters().families.items()),
    ]


SHARES = [name for name in Family.model_fields if name.endswith("_share")]


def test_shares_are_shares() -> None:
    """More than all of a data-sheet rate is impossible, whatever a fit says."""
    assert len(SHARES) >= 7
    for name, family in families():
        for share in SHARES:
            assert 0 < getattr(family, share) <= 1, f"{name}: {share}"
        assert family.sharpness >= 1, name
    assert 0 < parameters().defaults.stall_share <= 1


def test_times_are_times() -> None:
    """No negative time, nor one that no machine of any kind needs."""
    for name, family in families():
        for field in Family.model_fields:
            if field.endswith("_s"):
                assert 0 <= getattr(family, field) < 0.2, f"{name}: {field}"
        assert family.most_sequences >= 1


def test_bands_hold_the_prediction() -> None:
    for name, family in families():
        for band in (family.band_tpot, family.band_ttft, family.band_throughput):
            assert 0 < band[0] <= 1 <= band[1], name


def test_values_for_mixtures_replace_only_what_they_name() -> None:
    """All else is that of the family."""
    for name, family in parameters().families.items():
        for field, value in family.for_experts().model_dump().items():
            if field not in family.moe and field != "moe":
                assert value == family.model_dump()[field], f"{name}: {field}"


def running() -> set[tuple[str, str]]:
    """(engine kind, device class) of every chip that some engine runs on."""
    found: set[tuple[str, str]] = set()
    for chip in catalog().chips.values():
        for engine in catalog().engines.values():
            if not engine.wraps and engine_runs_on(engine, chip):
                found.add((engine.kind, chip.device_class))
    return found


def test_every_device_and_engine_finds_efficiencies() -> None:
    missing = set()
    for chip in catalog().chips.values():
        for engine in catalog().engines.values():
            if engine.wraps or not engine_runs_on(engine, chip):
                continue
            found = parameters().family(engine_kind=engine.kind, vendor=chip.vendor, device_class=chip.device_class, kind=chip.kind)
            if found is None:
                missing.add((engine.kind, chip.device_class))
    assert missing == LEFT_OUT


def test_classes_without_an_engine_are_known() -> None:
    assert {chip.device_class for chip in catalog().chips.values()} - {device for _, device in running()} == WITHOUT_ENGINE


def test_every_family_is_used() -> None:
    """A family that no device selects is a slip in its rule, or stands behind one that takes all."""
    used = set()
    for chip in catalog().chips.values():
        for engine in catalog().engines.values():
            if engine_runs_on(engine, chip):
                found = parameters().family(engine_kind=engine.kind, vendor=chip.vendor, device_class=chip.device_class, kind=chip.kind)
                used |= {found[0]} if found else set()
    assert used == set(parameters().families)


def test_engine_factors_name_engines() -> None:
    assert set(parameters().engines) <= set(catalog().engines)
    for name, factors in parameters().engines.items():
        assert factors.step > 0, name
        assert factors.prefill_layer > 0, name
    assert (EngineFactors().step, EngineFactors().prefill_layer) == (1.0, 1.0)


def test_devices_that_compute_without_a_published_rate_have_a_class_figure() -> None:
    """No bf16 or fp16 rate: the class says how many FLOP go with a byte of bandwidth, or nothing is predicted."""
    for chip in catalog().chips.values():
        for engine in catalog().engines.values():
            if chip.device_class.startswith(("npu", "cpu", "gpu-phone")) and engine_runs_on(engine, chip):
                found = parameters().family(engine_kind=engine.kind, vendor=chip.vendor, device_class=chip.device_class, kind=chip.kind)
                assert found is not None
                assert found[1].flop_per_byte is not None, chip.id


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        (("serving", "nvidia", "datacenter-gpu", "gpu"), "serving-nvidia"),
        (("local", "nvidia", "datacenter-gpu", "gpu"), "local-nvidia"),
        (("serving", "aws", "inference-chip", "inference-chip"), "neuron"),
        (("serving", "google", "inference-chip", "inference-chip"), "tpu"),
        (("serving", "intel", "inference-chip", "inference-chip"), "gaudi"),
        (("serving", "tenstorrent", "inference-chip", "inference-chip"), "other-chip"),
        (("local", "apple", "apple", "soc"), "apple"),
        (("serving", "nobody", "unheard-of", "gpu"), None),
    ],
)
def test_the_first_rule_that_holds_decides(about: tuple[str, str, str, str], expected: str | None) -> None:
    engine_kind, vendor, device_class, kind = about
    found = parameters().family(engine_kind=engine_kind, vendor=vendor, device_class=device_class, kind=kind)
    assert (found[0] if found else None) == expected


def test_every_stated_key_must_hold() -> None:
    rule = Selector(engine_kind="serving", vendors=("nvidia",))
    about = {"engine_kind": "serving", "vendor": "nvidia", "device_class": "jetson", "kind": "soc"}
    assert rule.holds(**about)
    assert not rule.holds(**(about | {"vendor": "amd"}))
    assert not rule.holds(**(about | {"engine_kind": "local"}))
    assert Selector().holds(**about)


WRONG: list[tuple[str, Any, str]] = [
    ("linear_memory_share", 1.29, "linear_memory_share"),
    ("score_compute_share", 0, "score_compute_share"),
    ("sharpness", 0.69, "sharpness"),
    ("band_ttft", [1.1, 2.0], "band_ttft"),
    ("band_tpot", [0.5, 0.9], "band_tpot"),
    ("hop_s", "-1 us", "hop_s"),
    ("step_s", "5 GB", "step_s"),
    ("most_sequences", 0, "most_sequences"),
    ("grade", "E", "grade"),
    ("launch_s", "1 us", "launch_s"),
    ("moe", {"linear_memory_share": 1.5}, "linear_memory_share"),
    ("moe", {"linear_memory_sahre": 0.5}, "linear_memory_sahre"),
]


@pytest.mark.parametrize(("key", "value", "named"), WRONG, ids=[f"{key} {value}" for key, value, _ in WRONG])
def test_impossible_parameters_are_refused(key: str, value: Any, named: str) -> None:
    changed = raw()
    changed["families"]["apple"][key] = value
    with pytest.raises(CatalogError) as caught:
        read_parameters(changed)
    assert "families.apple" in str(caught.value)
    assert named in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    changed = raw()
    changed["families"]["apple"]["link_share"] = 2
    changed["families"]["jetson"]["sharpness"] = 0
    changed["defaults"]["stall_share"] = 7
    del changed["families"]["neuron"]["hop_s"]
    with pytest.raises(CatalogError) as caught:
        read_parameters(changed)
    assert [part in str(caught.value) for part in ("apple.link_share", "jetson.sharpness", "defaults.stall_share", "neuron.hop_s")] == [
        True
    ] * 4


def test_times_carry_their_unit() -> None:
    """`45 us` and `0.5 ms` as printed; a plain number is seconds."""
    changed = raw()
    changed["families"]["apple"] |= {"hop_s": "45 us", "step_s": "0.5 ms", "frontend_s": 0.02}
    found = read_parameters(changed).families["apple"]
    assert found.hop_s == pytest.approx(45e-6)
    assert found.step_s == pytest.approx(0.5e-3)
    assert found.frontend_s == 0.02
