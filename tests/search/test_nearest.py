"""Nearest measurements: distances worked by hand, what is never returned, and an index that is as the evidence makes it."""

import math
from functools import cache
from pathlib import Path

import pytest
from catalogs import BUNDLED, real_catalog

from infra_advisor.facts.evidence import evidence_files, read_evidence
from infra_advisor.facts.nearest import FILE, Group, MeasuredPoint, NearestIndex, read_index, written
from infra_advisor.search.nearest import (
    FARTHEST,
    Near,
    Neighbourhood,
    Point,
    chip_distance,
    format_distance,
    index_text,
    load_distance,
    model_distance,
)

ROW = MeasuredPoint(
    chip="h100-sxm", model_arch="llama-3.1-8b-instruct", known_as="vllm", weight_dtype="fp8", mixture=False, active_parameters=8e9,
    chips=1.0, replicas=1.0, input_tokens=1000.0, output_tokens=250.0, concurrency=8.0, request_rate_qps=None, mode="closed-loop",
    ttft_ms=70.0, tpot_ms=6.3, output_tps=None, prefill_tps=None, engine="vllm", engine_version=None, date=None,
    source_id="s", source=None, row_id="a",
)  # fmt: skip


def point(**changes: object) -> Point:
    here = Point(
        chip=real_catalog().chips["h100-sxm"], model="llama-3.1-8b-instruct", mixture=False, active_parameters=8e9, engine="vllm",
        weights=real_catalog().formats.weights["fp8"], accelerators=1.0, input_tokens=1000.0, output_tokens=250.0, in_flight=8.0,
    )  # fmt: skip
    return here._replace(**changes)  # type: ignore[arg-type]


def around(*rows: MeasuredPoint) -> Neighbourhood:
    index = NearestIndex(Path(FILE), written(rows).splitlines()[1:])
    return Neighbourhood(index, real_catalog().chips, real_catalog().formats)


def distance(row: MeasuredPoint, to: Point | None = None) -> float:
    (near,) = around(row).nearest(to or point())
    return near.distance


# -- worked distances


@pytest.mark.parametrize(
    ("other", "apart"),
    [("h100-sxm", 0.0), ("h100-pcie", 1.0), ("a100-sxm-80gb", 2.0), ("rtx-4090", 3.0), ("mi300x", 3.0), ("m2-ultra-76c", 4.0)],
)
def test_chips(other: str, apart: float) -> None:
    """Itself; its architecture; its vendor; its vendor in another class; another vendor; another vendor in another class."""
    chips = real_catalog().chips
    assert chip_distance(chips["h100-sxm"], chips[other]) == chip_distance(chips[other], chips["h100-sxm"]) == apart


def test_chips_without_an_architecture_share_none() -> None:
    chips = real_catalog().chips
    assert chips["tpu-v5e"].architecture is chips["tpu-v6e"].architecture is None
    assert chip_distance(chips["tpu-v5e"], chips["tpu-v6e"]) == 2.0


@pytest.mark.parametrize(
    ("model", "mixture", "active", "apart"),
    [
        ("llama-3.1-8b-instruct", False, 8e9, 0.0),
        ("b", False, 8e9, 0.0),
        ("b", True, 8e9, 2.0),
        ("b", False, 2e9, 2.0),
        ("b", False, 16e9, 1.5),
        ("b", True, 4e9, 2.5),
    ],
)
def test_models(model: str, mixture: bool, active: float, apart: float) -> None:
    """1 for another one, half a step per doubling, 1 more for the other kind; the same layers under another name are the same."""
    group = Group(Path(FILE), ("h100-sxm", model, "vllm", "fp8", str(int(mixture)), str(active)), ())
    assert model_distance(point(), group) == pytest.approx(apart)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("fp8", "fp8", 0.0),
        ("bf16", "fp16", 0.0),
        ("fp8", "int8", 0.25),
        ("nvfp4", "int4-awq-g128", 0.25),
        ("fp8", "bf16", 0.5),
        ("fp8", "nvfp4", 0.5),
    ],
)
def test_formats(one: str, other: str, apart: float) -> None:
    weights = real_catalog().formats.weights
    assert format_distance(weights[one], weights[other]) == format_distance(weights[other], weights[one]) == apart


@pytest.mark.parametrize(
    ("changes", "apart"),
    [
        ({}, 0.0),
        ({"input_tokens": 4000.0}, 0.5),
        ({"output_tokens": 125.0}, 0.25),
        ({"concurrency": 64.0}, 0.75),
        ({"concurrency": None}, 0.5),
        ({"input_tokens": None, "output_tokens": None}, 1.0),
        ({"chips": 4.0}, 0.5),
        ({"chips": 4.0, "replicas": 4.0, "concurrency": 32.0}, 0.0),
        ({"input_tokens": 0.0}, 0.25 * math.log2(1000)),
    ],
)
def test_lengths_and_loads(changes: dict[str, float | None], apart: float) -> None:
    """A quarter per doubling, per replica; what is not stated is two doublings off."""
    row = ROW._replace(**changes)  # type: ignore[arg-type]
    assert load_distance(point(), row) == pytest.approx(apart)
    assert distance(row) == pytest.approx(apart, abs=1e-9)


def test_parts_add_up() -> None:
    """SGLang instead of vLLM, bf16 instead of fp8, twice the prompt, on another chip of the architecture: 0.5 + 0.5 + 0.25 + 1."""
    row = ROW._replace(chip="h100-pcie", known_as="sglang", weight_dtype="bf16", input_tokens=2000.0)
    assert distance(row) == pytest.approx(2.25)


# -- what is returned


def test_another_chip_and_another_model_say_nothing() -> None:
    assert around(ROW._replace(chip="h100-pcie", model_arch="b")).nearest(point()) == []


def test_what_is_too_far_is_not_returned() -> None:
    far = ROW._replace(chip="m2-ultra-76c", known_as="mlx-lm", weight_dtype="mlx-4bit")
    assert distance(far) == FARTHEST
    assert around(far._replace(concurrency=4.0)).nearest(point()) == []


def test_a_chip_that_a_layer_hides_is_passed_over() -> None:
    index = NearestIndex(Path(FILE), written([ROW._replace(chip="h100-pcie")]).splitlines()[1:])
    assert Neighbourhood(index, {}, real_catalog().formats).nearest(point()) == []


def test_row_ids_decide_between_equals() -> None:
    rows = [ROW._replace(row_id=name, output_tps=number) for name, number in (("c", 1.0), ("a", 2.0), ("b", 3.0), ("d", 4.0))]
    equal = [ROW._replace(row_id="0", chips=2.0), *rows]
    assert [near.row.row_id for near in around(*equal).nearest(point(), 5)] == ["a", "b", "c", "d", "0"]
    twins = [ROW._replace(row_id="z", known_as="sglang"), ROW._replace(row_id="y", known_as="tensorrt-llm")]
    assert [near.row.row_id for near in around(*twins).nearest(point(), 1)] == ["y"]


@cache
def real_index() -> Neighbourhood:
    problems: list[str] = []
    index = read_index(BUNDLED / FILE, problems)
    assert problems == []
    return Neighbourhood(index, real_catalog().chips, real_catalog().formats)


@pytest.mark.parametrize("chip", ["h100-sxm", "mi300x", "l4", "m2-ultra-76c", "rtx-5090", "tpu-v7", "jetson-agx-thor-128gb"])
@pytest.mark.parametrize(
    ("name", "format_name", "engine"),
    [
        ("llama-3.3-70b-instruct", "fp8", "vllm"),
        ("gpt-oss-120b", "mxfp4-experts", "sglang"),
        ("llama-3.1-8b-instruct", "gguf-q4_k_m", "llama.cpp"),
    ],
)
def test_the_nearest_of_all_points_are_found(chip: str, name: str, format_name: str, engine: str) -> None:
    """The same as looking at every point of the index; each of the same chip or the same model. Chips measured and not."""
    model = real_catalog().model(name)
    here = point(
        chip=real_catalog().chips[chip], model=name, mixture=model.is_mixture, active_parameters=model.architecture.active_parameters,
        engine=engine, weights=real_catalog().formats.weights[format_name],
    )  # fmt: skip
    index, found = read_index(BUNDLED / FILE, []), real_index().nearest(here)
    every: list[Near] = []
    for other in real_catalog().chips.values():
        for group in index.of_chip(other.id):
            if other.id != here.chip.id and group.model_arch != here.model:
                continue
            before = chip_distance(here.chip, other) + model_distance(here, group) + (0.5 if group.known_as != here.engine else 0.0)
            before += format_distance(here.weights, real_catalog().formats.weight_by_rule(group.weight_dtype))
            every += [Near(before + load_distance(here, row), row) for row in group.points]
    every.sort(key=lambda near: (round(near.distance, 9), near.row.row_id))
    best = [near for near in every if near.distance <= FARTHEST][:3]
    assert [near.row.row_id for near in found] == [near.row.row_id for near in best]
    assert all(near.row.chip == here.chip.id or near.row.model_arch == here.model for near in found)
    assert real_index().nearest(here) == found


def test_what_was_measured_is_near_itself() -> None:
    """A point with the inputs of a row of the index finds something at no distance."""
    index = read_index(BUNDLED / FILE, [])
    for group in index.of_chip("h100-sxm")[:40]:
        for row in group.points:
            here = Point(
                chip=real_catalog().chips["h100-sxm"], model=row.model_arch, mixture=row.mixture, active_parameters=row.active_parameters,
                engine=row.known_as, weights=real_catalog().formats.weight_by_rule(row.weight_dtype), accelerators=row.chips / row.replicas,
                input_tokens=row.input_tokens or 1.0, output_tokens=row.output_tokens or 1.0,
                in_flight=(row.concurrency or 1.0) / row.replicas,
            )  # fmt: skip
            unstated = sum(value is None for value in (row.input_tokens, row.output_tokens, row.concurrency))
            assert real_index().nearest(here)[0].distance <= 0.5 * unstated + 1e-9


# -- the bundled index


def test_the_bundled_index_is_as_the_evidence_makes_it() -> None:
    problems: list[str] = []
    rows = read_evidence(evidence_files(BUNDLED), problems)
    assert problems == []
    fresh = index_text(real_catalog(), reversed(rows))
    assert (BUNDLED / FILE).read_text(encoding="utf-8") == fresh, "stale: `advisor calibrate` makes it anew"
