"""Efficiencies: physically possible whatever deviates, complete for every device the catalog has, and refused with all problems at once."""

import copy
import itertools
import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from catalogs import frozen_catalog
from catalogs import real_catalog as catalog
from catalogs import real_parameters as parameters
from hypothesis import given, settings
from hypothesis import strategies as st

from infra_advisor.errors import CatalogError
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.deviations import Deviation
from infra_advisor.facts.engines import Engine, engine_runs_on, formats_for
from infra_advisor.search.binding import Efficiencies, from_scaled
from infra_advisor.search.calibration import (
    FITTED,
    GRADES,
    MEASURED_HOW,
    Bands,
    Family,
    Parameters,
    Selector,
    read_parameters,
)
from infra_advisor.search.scale import EFFICIENCIES, FACTORS, LEAST_SHARPNESS, SHARES, to_scale
from infra_advisor.search.traits import GROUPS, Traits, layers_name, traits_of

# (engine kind, device class) without efficiencies, on purpose: nothing is predicted there.
LEFT_OUT: set[tuple[str, str]] = set()
# Classes that no engine in the catalog runs on: their speed is known from their operators alone.
WITHOUT_ENGINE = {"hosted-only"}
MODES = ("closed-loop", "open-loop", "static-batch", "offline")
LAYERS_8B = "4096x32-8030e4"
"""Name of the layers of Llama-3.1-8B."""
MODELS = ("llama-3.3-70b-instruct", "llama-3.1-8b-instruct", "qwen3-30b-a3b-instruct-2507", "deepseek-r1-0528", "gpt-oss-120b")
PLACE = {name: number for number, name in enumerate(EFFICIENCIES)}


def running() -> Iterator[tuple[Engine, Chip]]:
    """Every engine on every chip it runs on."""
    for chip in catalog().chips.values():
        for engine in catalog().engines.values():
            if not engine.wraps and engine_runs_on(engine, chip):
                yield engine, chip


def family_of(engine: Engine, chip: Chip, mode: str = "closed-loop") -> tuple[str, Family] | None:
    return parameters().family(engine_kind=engine.kind, vendor=chip.vendor, device_class=chip.device_class, kind=chip.kind, mode=mode)


@cache
def every_deployment() -> tuple[list[tuple[str, Traits]], Efficiencies]:
    """(family, traits) of models of all kinds on every chip under every engine, in every format it loads, with the efficiencies."""
    found = []
    for (engine, chip), name in itertools.product(running(), MODELS):
        selected = family_of(engine, chip)
        if selected is None:
            continue
        for loaded in formats_for(engine, chip):
            weights = catalog().formats.weight(loaded.format)
            found.append((selected[0], traits_of(chip, catalog().model(name), engine.id, weights)))
    return found, parameters().efficiencies(found)


# -- what no fit may exceed


def test_values_of_families_are_possible() -> None:
    """More than all of a data-sheet rate is impossible, whatever a fit says; so is a negative time, or one that no machine needs."""
    assert len(SHARES) >= 9
    for name, family in parameters().families.items():
        for key, value in family.values.items():
            assert 0 < value < math.inf, f"{name}: {key}"
            if key in SHARES:
                assert value < 1, f"{name}: {key}"
            if key.endswith("_s"):
                assert value < 0.2, f"{name}: {key}"
        assert family.values["sharpness"] > LEAST_SHARPNESS, name


def test_efficiencies_stay_possible_after_all_deviations() -> None:
    """Of every chip under every engine in every format, for models of all kinds, measured or not."""
    asked, found = every_deployment()
    assert len(asked) > 5000
    for name in EFFICIENCIES:
        column = getattr(found, name)
        assert column.shape == (len(asked),)
        assert np.all(np.isfinite(column) & (column > 0)), name
        if name in SHARES:
            assert np.all(column < 1), name
        if name.endswith("_s"):
            assert np.all(column < 1.0), name
    assert np.all(found.sharpness > LEAST_SHARPNESS)
    for name in FACTORS:  # a correction is no model of its own
        assert np.all((getattr(found, name) > 0.1) & (getattr(found, name) < 10)), name


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(sorted(GROUPS)), st.sampled_from(EFFICIENCIES), st.floats(-8, 8)), min_size=1, max_size=4))
def test_no_deviation_leaves_the_physical_bounds(offsets: list[tuple[str, str, float]]) -> None:
    """Larger ones than any fit finds, all on one deployment: shares stay in (0, 1), times above 0, sharpness above 1.

    Four of 8 add up to 32 on the scale: 1 - e^-36 is the last share below 1 that a float holds.
    """
    deviations = [Deviation("apple", group, "here", name, offset, 1) for group, name, offset in offsets]
    changed = read_parameters(raw(), deviations)
    found = changed.efficiencies([("apple", dict.fromkeys(GROUPS, "here"))])
    for name in EFFICIENCIES:
        value = float(getattr(found, name)[0])
        assert 0 < value < (1 if name in SHARES else math.inf), name
    assert found.sharpness[0] > LEAST_SHARPNESS


def test_corrections_of_whole_times_need_both_chip_and_model_measured() -> None:
    """Elsewhere TTFT and TPOT are those of physics, times what the way of measuring alone says: without it both factors are 1."""
    asked = [(family, {group: traits[group] for group in traits if group not in MEASURED_HOW}) for family, traits in every_deployment()[0]]
    found = parameters().efficiencies(asked)
    counted = 0
    for place, (family, traits) in enumerate(asked):
        known = parameters().known[family]
        if (traits["chip"] in known.chips and traits["model"] in known.models) or traits["combination"] in known.combinations:
            counted += 1
        else:
            assert (found.ttft_factor[place], found.tpot_factor[place]) == (1.0, 1.0), traits
    assert 0 < counted < len(asked)


def inside(inner: tuple[float, float], outer: tuple[float, float]) -> bool:
    return outer[0] <= inner[0] <= inner[1] <= outer[1]


@pytest.mark.parametrize("which", ["real", "frozen"])
def test_bands_hold_the_prediction_and_widen_with_what_was_never_measured(which: str) -> None:
    """Nothing unseen lies in a new combination, that in a new chip and in a new model, and those in both."""
    of = parameters() if which == "real" else frozen()
    steps = [("none", "combination"), ("combination", "chip"), ("combination", "model"), ("chip", "both"), ("model", "both")]
    for name, family in of.families.items():
        assert set(family.bands) == set(GRADES)
        for unseen, bands in family.bands.items():
            for quantity in Bands.model_fields:
                low, high = getattr(bands, quantity)
                assert 0 < low <= 1 <= high < 100, f"{name}: {unseen}: {quantity}"
        for narrow, wide in steps:
            for quantity in Bands.model_fields:
                near, far = (getattr(family.bands[key], quantity) for key in (narrow, wide))  # type: ignore[index]
                assert inside(near, far), f"{name}: {quantity}: {narrow} {near} is not inside {wide} {far}"


# -- complete for the catalog


def test_every_device_and_engine_finds_efficiencies() -> None:
    missing = {(engine.kind, chip.device_class) for engine, chip in running() if family_of(engine, chip) is None}
    assert missing == LEFT_OUT


def test_classes_without_an_engine_are_known() -> None:
    served = {chip.device_class for _, chip in running()}
    assert {chip.device_class for chip in catalog().chips.values()} - served == WITHOUT_ENGINE


def test_every_family_is_used() -> None:
    """A family that no device selects is a slip in its rule, or stands behind one that takes all."""
    used = {found[0] for engine, chip in running() for mode in MODES if (found := family_of(engine, chip, mode))}
    assert used == set(parameters().families)


def test_every_way_of_loading_finds_efficiencies() -> None:
    """A batch that starts and ends together is not a server that is never empty, yet is measured on the same devices."""
    for engine, chip in running():
        for mode in MODES:
            assert (engine.kind, chip.device_class) in LEFT_OUT or family_of(engine, chip, mode), (chip.id, mode)


def test_the_order_names_engines() -> None:
    assert set(parameters().engine_order) <= set(catalog().engines)
    assert len(set(parameters().engine_order.values())) == len(parameters().engine_order)
    assert parameters().order("vllm") < parameters().order("an engine of which nobody heard")


def test_every_class_runs_at_least_one_sequence() -> None:
    assert {*parameters().most_sequences} <= {chip.device_class for chip in catalog().chips.values()} | {"other"}
    for chip in catalog().chips.values():
        assert parameters().sequences(chip.device_class) >= 1, chip.device_class
    assert parameters().sequences("never heard of") == parameters().most_sequences["other"]


def test_deviations_are_of_groups_and_members_that_exist() -> None:
    """A slip in a name would change nothing, without a word."""
    for one in catalog().deviations:
        assert one.group in GROUPS, one
        assert one.rows >= 0, one
        assert math.isfinite(one.offset), one
    members = {group: {one.member for one in catalog().deviations if one.group == group} for group in GROUPS}
    assert members["chip"]
    assert members["chip"] <= set(catalog().chips)
    assert members["model"] <= {layers_name(catalog().model(name).architecture) for name in catalog().model_ids}
    assert members["device_class"] <= {chip.device_class for chip in catalog().chips.values()}
    assert members["vendor"] <= {chip.vendor for chip in catalog().chips.values()}


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        (("serving", "nvidia", "datacenter-gpu", "gpu"), "serving-nvidia"),
        (("serving", "amd", "datacenter-gpu", "gpu"), "serving-amd"),
        (("local", "nvidia", "datacenter-gpu", "gpu"), "local-datacenter"),
        (("serving", "nvidia", "nvidia-card", "gpu"), "serving-card"),
        (("serving", "aws", "inference-chip", "inference-chip"), "inference-chip"),
        (("serving", "tenstorrent", "inference-chip", "inference-chip"), "inference-chip"),
        (("local", "apple", "apple", "soc"), "local"),
        (("serving", "nobody", "unheard-of", "gpu"), None),
    ],
)
def test_the_first_rule_that_holds_decides(about: tuple[str, str, str, str], expected: str | None) -> None:
    engine_kind, vendor, device_class, kind = about
    found = parameters().family(engine_kind=engine_kind, vendor=vendor, device_class=device_class, kind=kind)
    assert (found[0] if found else None) == expected


def test_a_family_speaks_only_of_its_ways_of_loading() -> None:
    """On the same H100 a static batch is another family than a closed loop, where one is known; else none."""
    h100 = {"engine_kind": "serving", "vendor": "nvidia", "device_class": "datacenter-gpu", "kind": "gpu"}
    names = {mode: found[0] for mode in MODES if (found := parameters().family(**h100, mode=mode))}
    assert names["closed-loop"] == names["open-loop"] == "serving-nvidia"
    assert names["static-batch"] == names["offline"] == "batch-datacenter"
    assert frozen().family(**h100, mode="static-batch") is None


def test_every_stated_key_must_hold() -> None:
    rule = Selector(engine_kind="serving", vendors=("nvidia",))
    about = {"engine_kind": "serving", "vendor": "nvidia", "device_class": "jetson", "kind": "soc"}
    assert rule.holds(**about)
    assert not rule.holds(**(about | {"vendor": "amd"}))
    assert not rule.holds(**(about | {"engine_kind": "local"}))
    assert Selector().holds(**about)


# -- what was measured, and what deviates: of the mini catalog, by hand


def raw() -> dict[str, Any]:
    """The parameter file of the mini catalog."""
    return copy.deepcopy(dict(frozen_catalog().parameters))


@cache
def frozen() -> Parameters:
    return read_parameters(raw(), frozen_catalog().deviations)


def traits(chip: str, model: str, engine: str = "vllm", weights: str = "fp8", **more: str) -> dict[str, str]:
    """Groups of a deployment that has nothing else in common with others."""
    return {"engine": engine, "chip": chip, "model": model, "combination": f"{chip}/{model}/{engine}/{weights}", **more}


@pytest.mark.parametrize(
    ("family", "deployment", "unseen", "grade"),
    [
        ("serving-nvidia", traits("h100-sxm", LAYERS_8B), "none", "A"),
        ("serving-nvidia", traits("h100-sxm", LAYERS_8B, weights="bf16"), "combination", "B"),
        ("serving-nvidia", traits("l4", LAYERS_8B), "combination", "B"),
        ("serving-nvidia", traits("h100-sxm", "llama-3.3-70b-instruct"), "model", "C"),
        ("serving-nvidia", traits("b200-sxm", LAYERS_8B), "chip", "C"),
        ("serving-nvidia", traits("b200-sxm", "llama-3.3-70b-instruct"), "both", "D"),
        ("serving-amd", traits("mi300x", LAYERS_8B), "model", "C"),
        ("neuron", traits("inferentia2", LAYERS_8B), "both", "D"),
        ("local-nvidia", traits("h100-sxm", LAYERS_8B), "both", "D"),
    ],
)
def test_the_grade_says_what_was_never_measured(family: str, deployment: Traits, unseen: str, grade: str) -> None:
    """Within one family: what was measured under serving engines says nothing of desktop ones."""
    found = frozen().unseen(family, deployment)
    assert (found, GRADES[found]) == (unseen, grade)


def test_deviations_add_up_on_the_scale() -> None:
    """By hand: share 0.85 = logit 1.734601; +0.2 of the chip and -0.5 of the engine give 1.434601, 0.807617.

    A time of 50 us and +0.1 gives 50 e^0.1 = 55.2585 us; sharpness 1.16 and -0.3 gives 1 + 0.16 e^-0.3 = 1.118531.
    """
    deviations = [
        Deviation("serving-amd", "chip", "mi300x", "linear_memory_share", 0.2, 3),
        Deviation("serving-amd", "engine", "vllm", "linear_memory_share", -0.5, 3),
        Deviation("serving-amd", "model", "m", "layer_s", 0.1, 3),
        Deviation("serving-amd", "chip", "mi300x", "sharpness", -0.3, 3),
        Deviation("serving-amd", "chip", "another", "linear_memory_share", 3.0, 3),
        Deviation("serving-nvidia", "chip", "mi300x", "linear_memory_share", 3.0, 3),
    ]
    found = read_parameters(raw(), deviations).efficiencies(
        [("serving-amd", traits("mi300x", "m")), ("serving-amd", traits("x", "y", "z"))]
    )
    assert found.linear_memory_share == pytest.approx([0.807617, 0.85], rel=1e-6)
    assert found.layer_s == pytest.approx([55.2585e-6, 50e-6], rel=1e-6)
    assert found.sharpness == pytest.approx([1.118531, 1.16], rel=1e-6)
    assert list(found.kv_memory_share) == pytest.approx([0.75, 0.75], rel=1e-12)


def test_whole_times_are_corrected_only_where_chip_and_model_are_known() -> None:
    """e^0.4 = 1.491825 of the chip holds for the known model alone; that of how a point was measured holds everywhere.

    A combination that was measured itself needs nothing else.
    """
    deviations = [
        Deviation("serving-amd", "chip", "mi300x", "ttft_factor", 0.4, 3),
        Deviation("serving-amd", "chip", "mi300x", "linear_memory_share", 0.2, 3),
        Deviation("serving-amd", "model", "known", "layer_s", 0.1, 3),
        Deviation("serving-amd", "engine", "vllm", "tpot_factor", 0.4, 3),
        Deviation("serving-amd", "source", "a lab", "ttft_factor", -0.2, 3),
        Deviation("serving-amd", "mode", "open-loop", "tpot_factor", 0.3, 3),
    ]
    one = read_parameters(raw(), deviations)
    deployments = [traits("mi300x", "known"), traits("mi300x", "new"), traits("new", "known"), traits("new", "new")]
    found = one.efficiencies([("serving-amd", each) for each in deployments])
    corrected = math.exp(0.4)
    assert found.ttft_factor == pytest.approx([corrected, 1, 1, 1])
    assert found.tpot_factor == pytest.approx([corrected, 1, 1, 1])
    share = 1 / (1 + math.exp(-(to_scale("linear_memory_share", 0.85) + 0.2)))
    assert found.linear_memory_share == pytest.approx([share, share, 0.85, 0.85])
    itself = Deviation("serving-amd", "combination", traits("new", "new")["combination"], "ttft_factor", -0.1, 3)
    found = read_parameters(raw(), [*deviations, itself]).efficiencies([("serving-amd", each) for each in deployments])
    assert found.ttft_factor == pytest.approx([corrected, 1, 1, math.exp(-0.1)])
    assert found.tpot_factor == pytest.approx([corrected, 1, 1, corrected]), "the engine's, which is known"
    measured = [{**each, "source": "a lab", "mode": "open-loop"} for each in deployments]
    found = one.efficiencies([("serving-amd", each) for each in measured])
    assert found.ttft_factor == pytest.approx(np.exp([0.4 - 0.2, -0.2, -0.2, -0.2]))
    assert found.tpot_factor == pytest.approx(np.exp([0.4 + 0.3, 0.3, 0.3, 0.3]))


def test_several_deployments_are_bound_as_each_alone() -> None:
    """Position by position, the values of a table are those of a table of one, and those on the scale taken back."""
    deployments = [
        ("serving-nvidia", traits("h100-sxm", LAYERS_8B)),
        ("apple", traits("m4-max-40c", "x", "llama.cpp", kind="moe")),
        ("neuron", traits("inferentia2", "x", "nxd-inference")),
    ]
    together = frozen().efficiencies(deployments)
    scaled = from_scaled(np.array([frozen().scaled(*each) for each in deployments]))
    for place, each in enumerate(deployments):
        alone = frozen().efficiencies([each])
        for name in EFFICIENCIES:
            assert getattr(together, name)[place] == getattr(alone, name)[0] == getattr(scaled, name)[place], name
    assert together.step_s[1] == pytest.approx(5.8e-3, rel=1e-4), "3.1 ms, for mixtures e^0.6265 as much"
    taken = together.take(np.array([2, 0, 2]))
    assert list(taken.step_s) == [together.step_s[place] for place in (2, 0, 2)]
    assert len(frozen().efficiencies([]).step_s) == 0


# -- what is refused

WRONG: list[tuple[str, Any, str]] = [
    ("values.linear_memory_share", 1.29, "linear_memory_share 1.29 is outside its physical bounds"),
    ("values.linear_memory_share", 1.0, "linear_memory_share 1 is outside its physical bounds"),
    ("values.score_compute_share", 0, "score_compute_share 0 is outside its physical bounds"),
    ("values.sharpness", 0.69, "sharpness 0.69 is outside its physical bounds"),
    ("values.sharpness", 1.0, "sharpness 1 is outside its physical bounds"),
    ("values.hop_s", -1e-6, "hop_s -1e-06 is outside its physical bounds"),
    ("values.hop_s", math.nan, "hop_s"),
    ("values.hop_s", math.inf, "hop_s"),
    ("values.step_s", "5 GB", "step_s"),
    ("values.launch_s", 1e-6, "launch_s is no efficiency"),
    ("values.ttft_factor", 1.2, "ttft_factor is no efficiency"),
    ("values.queue_weight", None, "queue_weight"),
    ("bands.none.ttft", [1.1, 2.0], "ttft must run from a factor below 1 to one above"),
    ("bands.model.tpot", [0.5, 0.9], "tpot must run from a factor below 1 to one above"),
    ("bands.both.throughput", [0, 2], "throughput must run from a factor below 1 to one above"),
    ("bands.neither", {}, "bands"),
    ("rows", -1, "rows"),
    ("source", None, "source"),
    ("moe", {"linear_memory_share": 0.5}, "moe"),
]


def planted(family: dict[str, Any], path: str, value: Any) -> None:
    *parts, last = path.split(".")
    for part in parts:
        family = family[part]
    family[last] = value


@pytest.mark.parametrize(("key", "value", "named"), WRONG, ids=[f"{key} {value}" for key, value, _ in WRONG])
def test_impossible_parameters_are_refused(key: str, value: Any, named: str) -> None:
    changed = raw()
    planted(changed["families"]["apple"], key, value)
    with pytest.raises(CatalogError) as caught:
        read_parameters(changed)
    assert "families.apple" in str(caught.value)
    assert named in str(caught.value)


@pytest.mark.parametrize("part", ["values", "bands"])
def test_a_family_is_complete(part: str) -> None:
    """Every efficiency that is fitted and every band must be there."""
    names = FITTED if part == "values" else GRADES
    for name in names:
        changed = raw()
        del changed["families"]["apple"][part][name]
        with pytest.raises(CatalogError, match=f"families.apple: {part}: {name} missing"):
            read_parameters(changed)


@pytest.mark.parametrize(("device_class", "most"), [("apple", 0), ("apple", -1)])
def test_a_replica_runs_at_least_one_sequence(device_class: str, most: int) -> None:
    changed = raw()
    changed["most_sequences"][device_class] = most
    with pytest.raises(CatalogError, match="most_sequences"):
        read_parameters(changed)


def test_classes_that_are_not_named_have_a_number_of_sequences() -> None:
    changed = raw()
    del changed["most_sequences"]["other"]
    with pytest.raises(CatalogError, match="most_sequences"):
        read_parameters(changed)


def test_all_problems_are_told_at_once() -> None:
    changed = raw()
    changed["families"]["apple"]["values"]["link_share"] = 2
    changed["families"]["local-amd"]["values"]["sharpness"] = 0
    changed["families"]["serving-amd"]["bands"]["none"]["tpot"] = [2, 3]
    del changed["families"]["neuron"]["values"]["hop_s"]
    del changed["defaults"]["fill_least"]
    with pytest.raises(CatalogError) as caught:
        read_parameters(changed)
    named = ("families.apple", "families.local-amd", "families.serving-amd.bands.none", "families.neuron", "defaults.fill_least")
    assert [part for part in named if part not in str(caught.value)] == []


def test_deviations_of_what_does_not_exist_are_refused() -> None:
    deviations = [
        Deviation("apples", "chip", "l4", "layer_s", 0.1, 3),
        Deviation("apple", "chip", "l4", "layers", 0.1, 3),
        Deviation("apple", "chips", "l4", "layer_s", 0.1, 3),
    ]
    with pytest.raises(CatalogError) as caught:
        read_parameters(raw(), deviations)
    assert "deviations: apples is no family of the parameters" in caught.value.problems
    assert "deviations: layers is no efficiency" in caught.value.problems
    assert any("chips" in problem for problem in caught.value.problems), "a slip in a group would change nothing, without a word"
