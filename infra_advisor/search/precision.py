"""Which weight and cache formats a question admits on a chip under an engine, and the rate products then run at."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from infra_advisor.errors import UsageError
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.engines import Engine, formats_for, kv_formats_for
from infra_advisor.facts.formats import LEVEL, Formats, KvFormat, WeightFormat
from infra_advisor.facts.models import LanguageModel

AUTO = "auto"
EIGHT_BIT = ("fp8", "int8", "gguf-q8_0", "mlx-8bit", "int8-w8a16", "bfp8")
"""Eight-bit formats in the order in which `auto` tries them."""
FOUR_BIT = (
    "nvfp4",
    "int4-awq-g128",
    "int4-gptq-g128",
    "gguf-q4_k_m",
    "mlx-4bit",
    "int4-g32",
    "exl3-4.0bpw",
    "mxfp4",
    "int4-w4a8",
    "bfp8-bfp4",
)
LOCAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "mxfp4-experts": ("mxfp4-experts", "mxfp4", "gguf-mxfp4", "mlx-mxfp4"),
    "bf16": ("bf16", "fp16", "gguf-bf16", "gguf-f16"),
    "fp16": ("fp16", "bf16", "gguf-f16", "gguf-bf16"),
}
"""Names under which engines carry a native format without loss."""


class WeightChoice(NamedTuple):
    """A format the engine can load on the chip."""

    format: WeightFormat
    emulated: bool
    """Widened to 16 bits before the arithmetic."""


def weight_choices(asked: str, model: LanguageModel, engine: Engine, chip: Chip, formats: Formats) -> list[WeightChoice]:
    """Formats to consider; empty where the engine cannot serve what was asked on this chip.

    `auto`: the checkpoint's own format (full quality) and, above 8 bits, one 8-bit format; never fewer bits than that on its own.
    A class such as `4bit`: the engine's best of that class. Anything else: that format only.
    """
    supported = {found.format: found.emulated for found in formats_for(engine, chip)}
    native = formats.weights[model.native_format]
    if asked == AUTO:
        names = _first(LOCAL_NAMES.get(native.id, (native.id,)), supported)
        if native.level > 8 or not names:
            names += _native_first(EIGHT_BIT, supported)
        if not names:
            names = _first(("bf16", "fp16"), supported)
    elif LEVEL.fullmatch(asked):
        level = formats.weights_meant(asked)[0].level
        ranked = {8: EIGHT_BIT, 4: FOUR_BIT}.get(level, ())
        same = _first(LOCAL_NAMES.get(native.id, (native.id,)), supported) if native.level == level else []
        names = same or _native_first(ranked, supported) or _first([known.id for known in formats.weights_meant(asked)], supported)
    else:
        wanted = formats.published_as(formats.weight(asked), mixture=model.is_mixture, native=model.native_format)
        names = _first((wanted.id, formats.weight(asked).id), supported)
    choices = []
    for name in dict.fromkeys(names):
        published = formats.published_as(formats.weight(name), mixture=model.is_mixture, native=model.native_format)
        choices.append(WeightChoice(published, supported[name]))
    return choices


def four_bit_choice(model: LanguageModel, engine: Engine, chip: Chip, formats: Formats) -> WeightChoice | None:
    """The best 4-bit format the engine offers here, for a near miss that says so."""
    return next(iter(weight_choices("4bit", model, engine, chip, formats)), None)


def cache_choice(asked: str, engine: Engine, chip: Chip, formats: Formats) -> KvFormat | None:
    """The KV format; `auto` keeps 16 bits, or the only one the engine has. None where the engine cannot hold what was asked."""
    supported = [found.format for found in kv_formats_for(engine, chip)]
    if asked == AUTO:
        return next((formats.kv[name] for name in ("bf16", "fp16", *supported) if name in supported), None)
    wanted = formats.cache(asked)
    if wanted.id in supported:
        return wanted
    return next((formats.kv[name] for name in ("bf16", "fp16") if wanted.bits == 16 and name in supported), None)


def check_format_names(weights: str, kv: str, formats: Formats) -> None:
    """Raise UsageError where a format name means nothing."""
    if weights != AUTO:
        formats.weights_meant(weights)
    if kv != AUTO:
        formats.cache(kv)


class Peaks(NamedTuple):
    """Peak rates of one chip that the products of one format run at. [FLOP/s]"""

    linear: float
    experts: float
    scores: float
    borrowed: str | None
    """Set where the chip has no published rate and a nominal one stands in."""


NOMINAL_FLOP_PER_BYTE = 100.0
"""Peak of a chip that publishes none, per byte/s of its memory; what it achieves of that is calibrated by class of device."""


def peak_rates(chip: Chip, weights: WeightFormat, *, emulated: bool = False) -> Peaks | None:
    """Peak rates, or None where the chip has no rate for the format and no memory bandwidth: none is ever taken from another precision.

    `emulated`: the engine widens the format to 16 bits, as it does where the chip cannot multiply it.
    """
    units: Collection[str] = chip.compute.keys()
    wide = next((chip.compute[name].value for name in ("bf16", "fp16") if name in units), None)
    if wide is None:
        if chip.bandwidth_bytes_per_s is None:
            return None
        nominal = NOMINAL_FLOP_PER_BYTE * chip.bandwidth_bytes_per_s
        return Peaks(nominal, nominal, nominal, "prefill rate of its class: no peak rate is published")
    if emulated:
        return Peaks(wide, wide, wide, None)
    linear, experts = weights.precision(units, "linear"), weights.precision(units, "experts")
    if linear is None or experts is None:
        return None
    return Peaks(chip.compute[linear].value, chip.compute[experts].value, wide, None)  # type: ignore[index]


def _first(names: Collection[str], supported: Mapping[str, bool]) -> list[str]:
    return [name for name in names if name in supported][:1]


def _native_first(names: Collection[str], supported: Mapping[str, bool]) -> list[str]:
    """The first that the chip multiplies as it is, else the first it must widen."""
    return _first([name for name in names if supported.get(name) is False], supported) or _first(names, supported)


def unsupported_format(asked: str) -> UsageError:
    """The error for a format that no engine in the catalog can load."""
    return UsageError(f"no engine in the catalog loads {asked!r} weights; `advisor catalog list engines` shows what each loads")
