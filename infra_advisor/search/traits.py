"""What a deployment has in common with others: the groups by which efficiencies deviate and by which evidence is near or far."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache

from infra_advisor.facts.chips import Chip
from infra_advisor.facts.formats import WeightFormat
from infra_advisor.facts.models import LanguageModel
from infra_advisor.physics.transformer import Transformer

Traits = Mapping[str, str]

GROUPS: Mapping[str, str] = {
    "engine": "engine",
    "engine_era": "engine, and the time at which it was measured",
    "chip": "chip",
    "chip_engine": "chip and engine",
    "chip_kind": "chip, dense models and mixtures apart",
    "architecture": "architecture of the chip",
    "architecture_width": "architecture of the chip and width of the weights",
    "vendor": "vendor of the chip",
    "device_class": "class of device",
    "model": "model (by its layers)",
    "model_engine": "model and engine",
    "model_format": "model and weight format",
    "mixer": "kinds of attention or state layers",
    "kind": "dense models and mixtures apart",
    "format": "weight format",
    "width": "width of the weights, dense models and mixtures apart",
    "mode": "way of loading",
    "source": "who measured",
    "pair": "chip and model",
    "combination": "chip, model, engine and format",
}
"""Group -> what its members share."""

NOW = "now"
_ERAS = (("2025-01", "2024"), ("2025-07", "2025"))
"""Software before a month stands apart; what is measured later, or undated, is of now."""


def traits_of(chip: Chip, model: LanguageModel, engine: str, weights: WeightFormat) -> dict[str, str]:
    """The groups of a deployment of today's software under a steady load; `mode` and `source` are those of no measurement."""
    kind, layers = "moe" if model.is_mixture else "dense", layers_name(model.architecture)
    wide = f"{width_class(weights)}/{kind}"
    architecture = chip.architecture or chip.id
    return {
        "engine": engine,
        "engine_era": f"{engine}@{NOW}",
        "chip": chip.id,
        "chip_engine": f"{chip.id}/{engine}",
        "chip_kind": f"{chip.id}/{kind}",
        "architecture": architecture,
        "architecture_width": f"{architecture}/{wide}",
        "vendor": chip.vendor,
        "device_class": chip.device_class,
        "model": layers,
        "model_engine": f"{layers}/{engine}",
        "model_format": f"{layers}/{weights.id}",
        "mixer": mixer_kinds(model.architecture),
        "kind": kind,
        "format": weights.id,
        "width": wide,
        "mode": "closed-loop",
        "source": "",
        "pair": f"{chip.id}/{layers}",
        "combination": f"{chip.id}/{layers}/{engine}/{weights.id}",
    }


@lru_cache(maxsize=4096)
def layers_name(shape: Transformer) -> str:
    """`8192x80-3f9c2e`: width, layers and a digest of all there is to count. Models of equal layers are one model to the physics."""
    told = repr((shape.layers, shape.hidden, shape.vocab, shape.tied))
    return f"{shape.hidden}x{shape.layer_count}-{hashlib.blake2s(told.encode(), digest_size=3).hexdigest()}"


def era_of(day: str | None) -> str:
    """The time of the software that a measurement of this day ran."""
    return next((era for before, era in _ERAS if day and day[:7] < before), NOW)


def width_class(weights: WeightFormat) -> str:
    """16, 8 or 4: bits of the weights that dominate the reading."""
    if weights.bits >= 16 and weights.experts is None:
        return "16"
    return "8" if weights.level == 8 else "4"


@lru_cache(maxsize=4096)
def mixer_kinds(shape: Transformer) -> str:
    """The kinds of layers that mix tokens: `attn`, `attn+window`, `mla+indexer`, `attn+gdn` ..."""
    kinds = set()
    for group in shape.layers:
        mixer = group.mixer
        kind = "window" if mixer.kind == "attn" and mixer.window else mixer.kind
        indexer = getattr(mixer, "indexer", None)
        kinds.add(f"{kind}+indexer" if indexer is not None and mixer.kind in ("mla", "attn") else kind)
    return "+".join(sorted(kinds - {"none"}))
