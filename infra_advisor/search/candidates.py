"""Every deployment of one model that a platform, an engine and a format allow, as columns ready to be timed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from infra_advisor.facts.chips import Chip
from infra_advisor.facts.engines import Engine, Support, default_limits, engine_runs_on
from infra_advisor.facts.formats import Formats, KvFormat
from infra_advisor.facts.models import LanguageModel
from infra_advisor.physics.transformer import Transformer
from infra_advisor.search.calibration import EngineFactors, Family, Parameters
from infra_advisor.search.layouts import Layout, layouts
from infra_advisor.search.platforms import NETWORK_HOP_FACTOR, Platform
from infra_advisor.search.points import Deployments
from infra_advisor.search.precision import Rates, WeightChoice, cache_choice, compute_rates, weight_choices

LAYOUT_COLUMNS = 8
"""Columns of `Deployments` that the layout decides; they come first."""
DEFAULT_TOKEN_BUDGET = 2048
LARGEST_ENGINE_SHARE = 0.95
"""Taken where an engine states no share of its own: none ever gets all memory."""


@dataclass(frozen=True)
class Candidate:
    """One way to run the model on one platform."""

    platform: Platform
    engine: Engine
    weights: WeightChoice
    kv: KvFormat
    layout: Layout
    family: Family
    family_name: str
    rates: Rates
    grade: str
    order: int = 50
    """Place of the engine among those predicted alike."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """What the candidates are for."""

    model: LanguageModel
    shape: Transformer
    formats: Formats
    parameters: Parameters
    weights: str
    kv: str


def candidates(
    platforms: Iterable[Platform], chips: Mapping[str, Chip], engines: Mapping[str, Engine], question: Question, dropped: Counter[str]
) -> list[Candidate]:
    """All candidates of the platforms; why others were dropped is counted in `dropped`."""
    found: list[Candidate] = []
    shelf: dict[str, list[tuple[Engine, WeightChoice, KvFormat, Family, str, Rates, tuple[str, ...]]]] = {}
    layout_shelf: dict[tuple[object, ...], list[Layout]] = {}
    for platform in platforms:
        if platform.chip not in shelf:
            shelf[platform.chip] = list(_software(chips[platform.chip], engines.values(), question, dropped))
        for engine, choice, kv, family, name, rates, notes in shelf[platform.chip]:
            key = (platform.chips, platform.domain, platform.network_bytes_per_s, platform.most_chips, platform.link_bytes_per_s, engine.id)
            if key not in layout_shelf:
                layout_shelf[key] = list(dict.fromkeys(layouts(platform, engine, question.shape)))
            for layout in layout_shelf[key]:
                grade = "D" if rates.borrowed or engine.kind == "vendor-npu" else family.grade
                order = factors.order if (factors := question.parameters.engines.get(engine.id)) else 50
                found.append(Candidate(platform, engine, choice, kv, layout, family, name, rates, grade, order, notes))
    return found


def _software(
    chip: Chip, engines: Iterable[Engine], question: Question, dropped: Counter[str]
) -> Iterable[tuple[Engine, WeightChoice, KvFormat, Family, str, Rates, tuple[str, ...]]]:
    if chip.bandwidth_bytes_per_s is None or chip.memory_bytes is None:
        dropped["no memory bandwidth or size in the catalog"] += 1
        return
    mixture = bool(question.shape.routed_experts)
    usable = _usable(chip, engines, question.model)
    for engine, support in usable:
        selected = question.parameters.family(engine_kind=engine.kind, vendor=chip.vendor, device_class=chip.device_class, kind=chip.kind)
        if selected is None:
            dropped["no efficiencies for this class of device"] += 1
            continue
        name, family = selected
        family = family.for_experts() if mixture else family
        kv = cache_choice(question.kv, engine, chip, question.formats)
        if kv is None:
            dropped[f"engine cannot hold a {question.kv} cache on this chip"] += 1
            continue
        choices = weight_choices(question.weights, question.model, engine, chip, question.formats)
        if not choices:
            dropped[f"engine cannot load {'a suitable format' if question.weights == 'auto' else question.weights} on this chip"] += 1
        for choice in choices:
            rates = compute_rates(chip, choice, family, has_experts=mixture)
            if rates is None:
                dropped["chip has no rate for the format"] += 1
                continue
            notes = tuple(note for note in (rates.borrowed, support.note if support.status != "supported" else None) if note)
            if support.status != "supported":
                notes = (f"{engine.name} support is {support.status}", *notes)
            yield engine, choice, kv, family, name, rates, notes
    if not usable:
        dropped["no engine in the catalog serves this model on this chip"] += 1


def _usable(chip: Chip, engines: Iterable[Engine], model: LanguageModel) -> list[tuple[Engine, Support]]:
    """Engines worth considering.

    Experimental ones, and those without a standard API, only where nothing else runs; desktop engines not on parts that servers run on.
    """
    runs = [
        (engine, support) for engine in engines if not engine.wraps and _serves(engine, model) and (support := engine_runs_on(engine, chip))
    ]
    firm = [(engine, support) for engine, support in runs if support.status != "experimental"] or runs
    firm = [(engine, support) for engine, support in firm if "openai-compatible" in engine.api] or firm
    serving = [(engine, support) for engine, support in firm if engine.kind == "serving"]
    return serving if serving and chip.market == "datacenter" else firm


def _serves(engine: Engine, model: LanguageModel) -> bool:
    kinds, shape = engine.model_kinds, model.architecture
    if shape.routed_experts and not kinds.moe:
        return False
    if shape.states and not kinds.hybrid_linear:
        return False
    latent = any(group.mixer.kind in ("mla", "csa") for group in shape.layers)
    return kinds.mla or not latent


def deployments(found: list[Candidate], chips: Mapping[str, Chip], parameters: Parameters) -> Deployments:
    """The candidates as columns. [base units]"""
    shelf: dict[tuple[object, ...], tuple[float, ...]] = {}
    table = []
    for candidate in found:
        chip = chips[candidate.platform.chip]
        key = (chip.id, candidate.engine.id, candidate.weights.format.id, candidate.platform.memory_bytes)
        if key not in shelf:
            shelf[key] = _software_columns(candidate, chip, parameters)
        table.append(_layout_columns(candidate, chip) + shelf[key])
    names = list(Deployments.__dataclass_fields__)
    columns = np.array(table, dtype=float).reshape(len(table), len(names)).T.copy()
    return Deployments(**dict(zip(names, columns, strict=True)))


def _layout_columns(c: Candidate, chip: Chip) -> tuple[float, ...]:
    """The columns of `Deployments` up to stage_hop_s: how the model is cut, and what joins the parts."""
    family, layout, platform = c.family, c.layout, c.platform
    if layout.chips == 1:
        return 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0
    host = chip.host_link.value if chip.host_link else None
    link_bytes_per_s, hop_factor = platform.link_for(max(layout.tp, layout.dp), host) or (1.0, 1.0)
    if layout.chips > platform.chips:
        stage_bytes_per_s, stage_factor = platform.network_bytes_per_s or 1.0, NETWORK_HOP_FACTOR
    else:
        stage_bytes_per_s, stage_factor = platform.link_for(min(layout.tp * layout.pp, platform.chips), host) or (1.0, 1.0)
    return (
        layout.tp,
        layout.pp,
        layout.ep,
        layout.dp,
        link_bytes_per_s * family.link_share,
        family.hop_s * hop_factor,
        stage_bytes_per_s * family.link_share,
        family.hop_s * stage_factor,
    )


def _software_columns(c: Candidate, chip: Chip, parameters: Parameters) -> tuple[float, ...]:
    """The remaining columns: what the chip, the engine and the format decide."""
    family, engine = c.family, c.engine
    factors = parameters.engines.get(engine.id) or EngineFactors()
    memory_bytes = c.platform.memory_bytes or chip.memory_bytes or 0.0
    bandwidth = chip.bandwidth_bytes_per_s or 1.0
    limits = default_limits(engine, chip.id, memory_bytes)
    serving = engine.kind == "serving"
    bits = c.weights.format.by_part
    share = engine.memory.utilisation.value if engine.memory.utilisation else LARGEST_ENGINE_SHARE
    columns: dict[str, float] = {
        "fill_pipeline": float(engine.parallelism.pipeline),
        "memory_bytes": memory_bytes,
        "reserve_bytes": engine.memory.reserve_per_device.value,
        "engine_share": min(share, 0.99),
        "linear_bytes_per_s": bandwidth * family.linear_memory_share,
        "expert_bytes_per_s": bandwidth * family.expert_memory_share,
        "kv_bytes_per_s": bandwidth * family.kv_memory_share,
        "linear_flop_per_s": c.rates.linear,
        "expert_flop_per_s": c.rates.experts,
        "score_flop_per_s": c.rates.scores,
        "sharpness": family.sharpness,
        "step_s": family.step_s * factors.step,
        "layer_s": family.layer_s,
        "sequence_s": family.sequence_s,
        "prefill_layer_s": family.prefill_layer_s * factors.prefill_layer,
        "frontend_s": family.frontend_s,
        "most_sequences": min(family.most_sequences, limits.max_sequences or family.most_sequences) if serving else family.most_sequences,
        "tokens_per_pass": limits.token_budget or DEFAULT_TOKEN_BUDGET,
        "linear_bits": bits.linear,
        "expert_bits": bits.experts,
        "embedding_bits": bits.embedding,
        "head_bits": bits.head,
        "kv_bits": c.kv.bits,
    }
    return tuple(columns[name] for name in list(Deployments.__dataclass_fields__)[LAYOUT_COLUMNS:])
