"""Weight and cache formats: bits by part, the rate they run at, and the spellings that mean them."""

from pathlib import Path

import pytest

from infra_advisor.errors import CatalogError, UsageError
from infra_advisor.facts.formats import bundled_formats, parse_format, parse_kv_format, read_formats
from infra_advisor.physics.transformer import FormatBits


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [
        ("fp8_e4m3", "fp8"),
        ("FP8-Dynamic", "fp8"),
        ("fp8 dynamic", "fp8"),
        ("float8", "fp8"),
        ("W8A8", "int8"),
        ("int8_w8a16", "int8-w8a16"),
        ("GPTQ-Int8", "int8-w8a16"),
        ("awq", "int4-awq-g128"),
        ("awq_int4", "int4-awq-g128"),
        ("int4", "int4-awq-g128"),
        ("w4a16", "int4-awq-g128"),
        ("gptq-int4", "int4-gptq-g128"),
        ("int4 autoround", "int4-gptq-g128"),
        ("Q4_K_M", "gguf-q4_k_m"),
        ("gguf-q4_k", "gguf-q4_k_m"),
        ("UD-Q4_K_XL", "gguf-q4_k_xl"),
        ("gguf-q3_k_p", "gguf-q3_k_xl"),
        ("IQ3_XXS", "gguf-iq3_xxs"),
        ("q8", "gguf-q8_0"),
        ("MXFP4_MOE", "gguf-mxfp4"),
        ("mlx-4bit", "mlx-4bit"),
        ("mlx-4bit-dwq", "mlx-4bit"),
        ("mlx-mxfp4", "mlx-mxfp4"),
        ("NVFP4", "nvfp4"),
        ("fp4", "nvfp4"),
        ("modelopt-fp4", "nvfp4"),
        ("bfloat16", "bf16"),
        ("F16", "fp16"),
        ("bfp8/bfp4", "bfp8-bfp4"),
        ("exl2-2.5bpw", "exl2-2.5bpw"),
    ],
)
def test_spellings(spelled: str, meant: str) -> None:
    assert parse_format(spelled).id == meant


@pytest.mark.parametrize("text", ["", "banana", "q9_k", "exl2-99bpw", "avq2", "mq4-awq", "apex-mtp-i-mini", "awq-gptq", "4.5"])
def test_unknown_format_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"unknown weight format .* Examples: bf16"):
        parse_format(text)


def test_unknown_format_names_what_is_near() -> None:
    with pytest.raises(UsageError, match="Did you mean nvfp4"):
        parse_format("nvfp44")


def test_ids_and_spellings_are_unambiguous() -> None:
    """Every id means itself; no two formats claim one spelling."""
    known = bundled_formats()
    for name, found in known.weights.items():
        assert known.weight(name) is found
    claimed = [spelled.lower().replace("_", "-") for found in known.weights.values() for spelled in (found.id, *found.spelled)]
    assert {spelled for spelled in claimed if claimed.count(spelled) > 1} == set()


def test_a_class_means_all_its_formats() -> None:
    meant = {found.id for found in bundled_formats().weights_meant("4bit")}
    assert {"nvfp4", "mxfp4-experts", "int4-awq-g128", "gguf-q4_k_m", "mlx-4bit"} <= meant
    assert {"fp8", "int8", "gguf-q8_0", "bf16"} & meant == set()
    assert [found.id for found in bundled_formats().weights_meant("int4")] == ["int4-awq-g128"]
    with pytest.raises(UsageError, match="no weight format has 7 bits; classes: 32bit, 16bit, 8bit"):
        bundled_formats().weights_meant("7-bit")


def test_bits_by_part() -> None:
    assert parse_format("fp8").by_part == FormatBits(linear=8.002, experts=8.002, embedding=16, head=16)
    assert parse_format("mxfp4-experts").by_part == FormatBits(linear=16, experts=4.25, embedding=16, head=16)
    assert parse_format("q4_k_m").by_part == FormatBits(linear=4.894, experts=4.894, embedding=4.894, head=4.894)
    assert parse_format("fp32").by_part == FormatBits(linear=32, experts=32, embedding=32, head=32)
    assert parse_format("exl2-3.0bpw").by_part == FormatBits(linear=3, experts=3, embedding=16, head=6)


def test_bits_follow_from_the_block() -> None:
    """AWQ: 4 + (16 + 4)/128; mxfp4: 4 + 8/32; nvfp4: 4 + 8/16; int4 by 32: 4 + 16/32; mlx: n + 32/64; fp8 by 128 x 128: 8 + 32/16384."""
    assert parse_format("awq").bits == pytest.approx(4 + 20 / 128, abs=1e-3)
    assert parse_format("mxfp4").bits == 4 + 8 / 32
    assert parse_format("nvfp4").bits == 4 + 8 / 16
    assert parse_format("int4-g32-experts").experts == 4 + 16 / 32
    assert parse_format("mlx-4bit").bits == 4 + 32 / 64
    assert parse_format("fp8").bits == pytest.approx(8 + 32 / 128**2, abs=1e-3)


def test_the_rate_is_that_of_units_the_chip_has() -> None:
    hopper, blackwell, ampere, turing = (
        {"bf16", "fp16", "fp8", "int8"},
        {"bf16", "fp16", "fp8", "fp4"},
        {"bf16", "fp16", "int8"},
        {"fp16", "int8"},
    )
    assert [parse_format("fp8").precision(units) for units in (hopper, blackwell, ampere, turing)] == ["fp8", "fp8", "bf16", "fp16"]
    assert [parse_format("nvfp4").precision(units) for units in (hopper, blackwell)] == ["bf16", "fp4"]
    assert [parse_format("int8").precision(units) for units in (hopper, blackwell)] == ["int8", "bf16"]
    assert [parse_format("int4").precision(units) for units in (hopper, blackwell)] == ["bf16", "bf16"]
    mixed = parse_format("mxfp4-experts")  # fp8 arithmetic where the chip has fp4 units, as Blackwell; 16 bits before
    assert [mixed.precision(units, "experts") for units in (hopper, blackwell)] == ["bf16", "fp8"]
    assert [mixed.precision(units, "linear") for units in (hopper, blackwell)] == ["bf16", "bf16"]
    assert parse_format("nvfp4-experts-fp8").precision(hopper, "linear") == "fp8"


def test_a_missing_rate_is_never_replaced() -> None:
    assert parse_format("bf16").precision({"int8"}) is None
    assert parse_format("fp32").precision({"bf16"}) is None


def test_what_checkpoints_of_mixtures_really_hold() -> None:
    known = bundled_formats()
    nvfp4 = known.weight("nvfp4")
    assert known.published_as(nvfp4, mixture=False, native="bf16").id == "nvfp4"
    assert known.published_as(nvfp4, mixture=True, native="bf16").id == "nvfp4-experts"
    assert known.published_as(nvfp4, mixture=True, native="fp8").id == "nvfp4-experts-fp8"
    assert known.published_as(known.weight("fp8"), mixture=True, native="bf16").id == "fp8"


@pytest.mark.parametrize(
    ("spelled", "meant", "bits"),
    [
        ("bf16", "bf16", 16),
        ("F16", "fp16", 16),
        ("fp8_e5m2", "fp8", 8),
        ("Q4_0", "q4_0", 4.5),
        ("q8", "q8_0", 8.5),
        ("int8_per_token_head", "int8", 8),
        ("K:turbo3_tcq / V:turbo2_tcq", "turbo3/turbo2", 2.75),
        ("q8_0/turbo4 (asymmetric)", "q8_0/turbo4", 6.375),
        ("fp8/fp8", "fp8", 8),
    ],
)
def test_cache_formats(spelled: str, meant: str, bits: float) -> None:
    found = parse_kv_format(spelled)
    assert (found.id, found.bits) == (meant, bits)


@pytest.mark.parametrize("text", ["auto", "", "fp7", "fp8/fp8/fp8", "/"])
def test_unknown_cache_format_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="unknown cache format"):
        parse_kv_format(text)


def test_every_problem_of_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "formats.yaml"
    path.write_text(
        "sources:\n  a: {title: A, seen: '2026-01-01'}\n"
        "weights:\n  w1: {bits: 0, level: 4, family: int, source: a}\n  w2: {bits: 4, level: 4, family: int, source: b}\n"
        "kv:\n  k1: {bits: 8, family: float, colour: 1, source: a}\n",
        encoding="utf-8",
    )
    with pytest.raises(CatalogError) as caught:
        read_formats(path)
    found = "\n".join(caught.value.problems)
    assert "w1: bits: Input should be greater than 0" in found
    assert "w2: source 'b' is not defined" in found
    assert "k1: colour: Extra inputs" in found
