"""Formats and the rates their products run at: by hand for known pairs, and over every chip and engine of the catalog."""

from collections.abc import Iterator
from functools import cache

import pytest
from catalogs import real_catalog as catalog

from infra_advisor.errors import UsageError
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.engines import Engine, engine_runs_on, formats_for
from infra_advisor.facts.formats import Formats, bundled_formats
from infra_advisor.facts.models import LanguageModel
from infra_advisor.search.precision import (
    NOMINAL_FLOP_PER_BYTE,
    Peaks,
    WeightChoice,
    cache_choice,
    check_format_names,
    peak_rates,
    weight_choices,
)

DENSE, MIXTURE, NATIVE_FP8, NATIVE_FP4 = "llama-3.3-70b-instruct", "qwen3-30b-a3b-instruct-2507", "deepseek-r1-0528", "gpt-oss-120b"
MODELS = (DENSE, MIXTURE, NATIVE_FP8, NATIVE_FP4)
SIXTEEN = ("bf16", "fp16")


def formats() -> Formats:
    return bundled_formats()


def model(name: str) -> LanguageModel:
    return catalog().model(name)


def level(name: str) -> int:
    return formats().weight(name).level


def choices(asked: str, chip: str, engine: str = "vllm", name: str = DENSE) -> list[WeightChoice]:
    return weight_choices(asked, model(name), catalog().engines[engine], catalog().chips[chip], formats())


def names(asked: str, chip: str, engine: str = "vllm", name: str = DENSE) -> list[str]:
    return [choice.format.id for choice in choices(asked, chip, engine, name)]


def peaks(chip: str, choice: WeightChoice) -> Peaks:
    found = peak_rates(catalog().chips[chip], choice.format, emulated=choice.emulated)
    assert found is not None
    return found


@cache
def running() -> tuple[tuple[Engine, Chip], ...]:
    """Every engine on every chip it runs on."""
    engines, chips = catalog().engines.values(), catalog().chips.values()
    return tuple((engine, chip) for engine in engines for chip in chips if engine_runs_on(engine, chip))


def chosen(asked: str, of: tuple[str, ...] = MODELS) -> Iterator[tuple[LanguageModel, Engine, Chip, list[WeightChoice]]]:
    for name in of:
        for engine, chip in running():
            yield model(name), engine, chip, weight_choices(asked, model(name), engine, chip, formats())


def about(model: LanguageModel, engine: Engine, chip: Chip) -> str:
    return f"{model.id} under {engine.id} on {chip.id}"


# -- known pairs


def test_auto_takes_the_checkpoint_and_eight_bits() -> None:
    """A bf16 checkpoint: as it is, and fp8 where the chip multiplies it. Ampere has no fp8 unit but an int8 one."""
    assert names("auto", "h100-sxm") == ["bf16", "fp8"]
    assert names("auto", "a100-sxm-80gb") == ["bf16", "int8"]
    assert names("auto", "rtx-4090", "llama.cpp") == ["bf16", "gguf-q8_0"]
    assert names("auto", "m4-max-40c", "mlx-lm")[1:] == ["mlx-8bit"]


def test_auto_keeps_checkpoints_of_eight_or_four_bits_as_they_are() -> None:
    assert names("auto", "h200-sxm", name=NATIVE_FP8) == ["fp8"]
    assert names("auto", "h100-sxm", name=NATIVE_FP4) == ["mxfp4-experts"]
    assert names("auto", "rtx-4090", "llama.cpp", NATIVE_FP4) == ["gguf-mxfp4"]


def test_four_bits_native_before_widened() -> None:
    """Blackwell multiplies nvfp4; Hopper widens any four bits, so a weight-only scheme is taken."""
    assert names("4bit", "b200-sxm") == ["nvfp4"]
    assert not choices("4bit", "b200-sxm")[0].emulated
    assert names("4bit", "h100-sxm") == ["int4-awq-g128"]
    assert names("4bit", "rtx-4090", "llama.cpp") == ["gguf-q4_k_m"]
    assert names("4bit", "m4-max-40c", "mlx-lm") == ["mlx-4bit"]
    assert names("4bit", "rtx-4090", "exllamav3") == ["exl3-4.0bpw"]


def test_a_named_format_is_taken_or_nothing_is() -> None:
    assert names("gguf-q4_k_m", "rtx-4090", "llama.cpp") == ["gguf-q4_k_m"]
    assert names("fp8", "h100-sxm") == ["fp8"]
    assert names("nvfp4", "rtx-4090", "llama.cpp") == []
    assert names("q4_k_m", "inferentia2", "nxd-inference") == []


def test_four_bit_checkpoints_of_mixtures_shrink_experts_only() -> None:
    """Their attention stays at 16 bits, or at fp8 where the original was fp8."""
    assert names("nvfp4", "b200-sxm", name=MIXTURE) == ["nvfp4-experts"]
    assert names("nvfp4", "b200-sxm", name=NATIVE_FP8) == ["nvfp4-experts-fp8"]
    assert names("nvfp4", "b200-sxm", name=DENSE) == ["nvfp4"]


def test_rates_of_an_h100() -> None:
    """989 and 1,979 TFLOP/s dense; scores run at 16 bits either way."""
    wide, eight = choices("auto", "h100-sxm")
    assert peaks("h100-sxm", wide) == (989e12, 989e12, 989e12, None)
    assert peaks("h100-sxm", eight) == (1979e12, 1979e12, 989e12, None)


def test_formats_without_a_unit_run_at_16_bits() -> None:
    """fp8 weights on an A100 and four bits on an H100 are fewer bytes, not faster products: 312 and 989 TFLOP/s."""
    (emulated,) = choices("fp8", "a100-sxm-80gb")
    assert emulated.emulated
    assert peaks("a100-sxm-80gb", emulated).linear == 312e12
    (four,) = choices("4bit", "h100-sxm")
    assert peaks("h100-sxm", four).linear == 989e12


def test_a_format_that_is_widened_gains_nothing_from_its_unit() -> None:
    """Where an engine widens fp8 to 16 bits, the H100 multiplies at 989 TFLOP/s, not at 1,979."""
    h100, fp8 = catalog().chips["h100-sxm"], formats().weights["fp8"]
    assert peak_rates(h100, fp8, emulated=True) == (989e12, 989e12, 989e12, None)


def test_experts_and_the_rest_run_at_rates_of_their_own() -> None:
    """nvfp4 experts on a B200: 9,000 TFLOP/s in the experts, 2,250 in the 16-bit rest."""
    (choice,) = choices("nvfp4", "b200-sxm", name=MIXTURE)
    assert peaks("b200-sxm", choice) == (2250e12, 9000e12, 2250e12, None)


def test_a_chip_without_a_published_rate_takes_a_nominal_one_and_says_so() -> None:
    """A phone NPU: bandwidth x 100 FLOP per byte, of which calibration says what its class achieves. Without a bandwidth there is none."""
    npu = catalog().chips["snapdragon-8-elite-npu"]
    assert not set(SIXTEEN) & set(npu.compute)
    assert npu.bandwidth_bytes_per_s is not None
    int4 = formats().weights["int4-gptq-g128"]
    found = peak_rates(npu, int4)
    assert found is not None
    assert NOMINAL_FLOP_PER_BYTE == 100
    assert found[:3] == (npu.bandwidth_bytes_per_s * 100,) * 3
    assert found.borrowed is not None
    assert peak_rates(npu.model_copy(update={"memory_bandwidth": None}), int4) is None


def test_fp32_weights_have_no_rate_on_matrix_units() -> None:
    """A chip without an fp32 rate cannot multiply 32-bit weights; no other rate stands in."""
    chip = catalog().chips["h100-sxm"]
    without = chip.model_copy(update={"compute": {name: rate for name, rate in chip.compute.items() if name != "fp32"}})
    fp32 = formats().weights["fp32"]
    stated = peak_rates(chip, fp32)
    assert ("fp32" in chip.compute) == (stated is not None)
    assert stated is None or stated.linear == chip.compute["fp32"].value
    assert peak_rates(without, fp32) is None


def test_the_cache_keeps_16_bits_unless_asked() -> None:
    h100, vllm = catalog().chips["h100-sxm"], catalog().engines["vllm"]
    kept, asked, synonym = (cache_choice(name, vllm, h100, formats()) for name in ("auto", "fp8", "fp16"))
    assert kept is not None
    assert kept.bits == 16
    assert asked is not None
    assert asked.bits == 8
    assert synonym is not None
    assert synonym.bits == 16
    assert cache_choice("q4_0", vllm, h100, formats()) is None


@pytest.mark.parametrize(("weights", "kv"), [("fp88", "auto"), ("auto", "fp88"), ("7bit", "auto")])
def test_names_that_mean_nothing_are_refused(weights: str, kv: str) -> None:
    with pytest.raises(UsageError):
        check_format_names(weights, kv, formats())


@pytest.mark.parametrize(("weights", "kv"), [("auto", "auto"), ("4bit", "fp8"), ("Q4_K_M", "q8_0"), ("awq", "bf16")])
def test_usual_names_are_accepted(weights: str, kv: str) -> None:
    check_format_names(weights, kv, formats())


# -- every chip and engine of the catalog


def test_auto_never_goes_below_eight_bits_but_to_the_checkpoint() -> None:
    """Four bits only where the checkpoint itself has four."""
    wrong = [
        f"{about(found, engine, chip)}: {choice.format.id}"
        for found, engine, chip, options in chosen("auto")
        for choice in options
        if choice.format.level < min(8, formats().weights[found.native_format].level)
    ]
    assert wrong == []


def test_auto_finds_something_wherever_eight_bits_or_the_checkpoint_load() -> None:
    for found, engine, chip, options in chosen("auto"):
        loads = {level(each.format) for each in formats_for(engine, chip)}
        assert options or loads.isdisjoint({8, 16}), about(found, engine, chip)


@pytest.mark.parametrize("bits", [16, 8, 4])
def test_a_class_finds_something_wherever_one_of_it_loads(bits: int) -> None:
    for found, engine, chip, options in chosen(f"{bits}bit"):
        loads = {level(each.format) for each in formats_for(engine, chip)}
        assert bool(options) == (bits in loads), about(found, engine, chip)


@pytest.mark.parametrize("asked", ["auto", "8bit", "4bit", "16bit"])
def test_what_is_chosen_is_what_the_engine_loads_there(asked: str) -> None:
    for found, engine, chip, options in chosen(asked):
        loads = {each.format: each.emulated for each in formats_for(engine, chip)}
        published = {
            formats().published_as(formats().weight(name), mixture=found.is_mixture, native=found.native_format).id for name in loads
        }
        assert {choice.format.id for choice in options} <= published, about(found, engine, chip)
        if asked != "auto":
            assert len(options) <= 1, about(found, engine, chip)
            assert all(choice.format.level == int(asked.removesuffix("bit")) for choice in options), about(found, engine, chip)


def test_no_product_runs_at_fp8_on_a_chip_without_it() -> None:
    """Nor at fp4, int8 or any rate that the data sheet does not state: then 16 bits. Scores always do."""
    checked = 0
    for asked in ("auto", "fp8", "4bit"):
        for found, engine, chip, options in chosen(asked):
            stated = {name: rate.value for name, rate in chip.compute.items()}
            if not set(SIXTEEN) & set(stated):
                continue
            for choice in options:
                got = peak_rates(chip, choice.format, emulated=choice.emulated)
                if got is None:
                    continue
                checked += 1
                need = {choice.format.rate, choice.format.linear_rate} - {None}
                allowed = {stated[name] for name in (*SIXTEEN, *(need if not choice.emulated else ())) if name in stated}
                assert {got.linear, got.experts} <= allowed, about(found, engine, chip)
                assert got.scores in {stated[name] for name in SIXTEEN if name in stated}, about(found, engine, chip)
                assert got.borrowed is None, about(found, engine, chip)
    assert checked > 5000


def test_the_four_bit_class_takes_what_the_chip_multiplies_first() -> None:
    """A widened scheme only where no other of the class loads, or where the checkpoint itself is of that class."""
    wrong = []
    for found, engine, chip, options in chosen("4bit"):
        if formats().weights[found.native_format].level == 4:
            continue
        loads = [each for each in formats_for(engine, chip) if level(each.format) == 4]
        if options and options[0].emulated and not all(each.emulated for each in loads):
            wrong.append(about(found, engine, chip))
        if any(each.format == "nvfp4" and not each.emulated for each in loads):
            assert options[0].format.rate == "fp4", about(found, engine, chip)
    assert wrong == []


def test_the_eight_bit_class_takes_what_the_chip_multiplies_first() -> None:
    for found, engine, chip, options in chosen("8bit", (DENSE, MIXTURE)):
        loads = [each for each in formats_for(engine, chip) if level(each.format) == 8]
        if options and options[0].emulated:
            assert all(each.emulated for each in loads if each.format != "fp8-experts"), about(found, engine, chip)
