"""Every deployment of one model that a platform, an engine and a format allow, as columns ready to be timed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from infra_advisor.facts.chips import Chip
from infra_advisor.facts.engines import Engine, Support, default_limits, engine_has, engine_runs_on
from infra_advisor.facts.formats import Formats, KvFormat
from infra_advisor.facts.models import LanguageModel
from infra_advisor.physics.transformer import Transformer
from infra_advisor.search.binding import Hardware, achieve
from infra_advisor.search.calibration import GRADES, Bands, Parameters, Unseen
from infra_advisor.search.deployments import Deployments
from infra_advisor.search.layouts import Layout, layouts
from infra_advisor.search.platforms import NETWORK_HOP_FACTOR, Platform
from infra_advisor.search.power import ChipPower, PowerModel
from infra_advisor.search.precision import Peaks, WeightChoice, cache_choice, peak_rates, weight_choices
from infra_advisor.search.traits import Traits, traits_of

LAYOUT_COLUMNS = 8
"""Columns of `Hardware` that the layout decides; they come first."""
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
    software: "Software"

    @property
    def grade(self) -> str:
        """How near the evidence is: A to D."""
        return self.software.grade

    @property
    def order(self) -> int:
        """Place of the engine among those predicted alike."""
        return self.software.order

    @property
    def bands(self) -> Bands:
        """90 % bands as factors on the prediction."""
        return self.software.bands_by_unseen[self.software.unseen]

    @property
    def notes(self) -> tuple[str, ...]:
        """What this choice takes for granted."""
        return self.software.notes


@dataclass(frozen=True, eq=False)
class Software:
    """What a chip, an engine and a format decide together, whatever the machine around them."""

    engine: Engine
    choice: WeightChoice
    kv: KvFormat
    family: str
    peaks: Peaks
    traits: Traits
    unseen: Unseen
    """What of it was never measured."""
    grade: str
    order: int
    bands_by_unseen: Mapping[Unseen, Bands]
    """90 % bands as factors on the prediction, by what was never measured."""
    notes: tuple[str, ...] = ()
    power: ChipPower | None = None
    """None where the catalog has no power fact of the chip, or nobody asks."""


@dataclass(frozen=True)
class Question:
    """What the candidates are for."""

    model: LanguageModel
    shape: Transformer
    formats: Formats
    parameters: Parameters
    weights: str
    kv: str
    speculative: bool = False
    """Only engines that check drafted tokens."""
    power: PowerModel | None = None


def candidates(
    platforms: Iterable[Platform], chips: Mapping[str, Chip], engines: Mapping[str, Engine], question: Question, dropped: Counter[str]
) -> list[Candidate]:
    """All candidates of the platforms; why others were dropped is counted in `dropped`."""
    found: list[Candidate] = []
    shelf: dict[str, list[Software]] = {}
    layout_shelf: dict[tuple[object, ...], list[Layout]] = {}
    for platform in platforms:
        if platform.chip not in shelf:
            shelf[platform.chip] = list(_software(chips[platform.chip], engines.values(), question, dropped))
        for software in shelf[platform.chip]:
            engine = software.engine
            key = (platform.chips, platform.domain, platform.network_bytes_per_s, platform.most_chips, platform.link_bytes_per_s, engine.id)
            if key not in layout_shelf:
                layout_shelf[key] = list(dict.fromkeys(layouts(platform, engine, question.shape)))
            for layout in layout_shelf[key]:
                found.append(Candidate(platform, engine, software.choice, software.kv, layout, software))
    return found


def _software(chip: Chip, engines: Iterable[Engine], question: Question, dropped: Counter[str]) -> Iterable[Software]:
    if chip.bandwidth_bytes_per_s is None or chip.memory_bytes is None:
        dropped["no memory bandwidth or size in the catalog"] += 1
        return
    parameters = question.parameters
    power = ChipPower(question.power, chip, chip.power.value) if question.power and chip.power else None
    usable = _usable(chip, engines, question.model)
    for engine, support in usable:
        selected = parameters.family(engine_kind=engine.kind, vendor=chip.vendor, device_class=chip.device_class, kind=chip.kind)
        if selected is None:
            dropped["no efficiencies for this class of device"] += 1
            continue
        name, family = selected
        if question.speculative and not engine_has(engine, "speculative_decoding", support):
            dropped["engine has no speculative decoding on this chip"] += 1
            continue
        kv = cache_choice(question.kv, engine, chip, question.formats)
        if kv is None:
            dropped[f"engine cannot hold a {question.kv} cache on this chip"] += 1
            continue
        choices = weight_choices(question.weights, question.model, engine, chip, question.formats)
        if not choices:
            dropped[f"engine cannot load {'a suitable format' if question.weights == 'auto' else question.weights} on this chip"] += 1
        for choice in choices:
            peaks = peak_rates(chip, choice.format, emulated=choice.emulated)
            if peaks is None:
                dropped["chip has no rate for the format"] += 1
                continue
            notes = tuple(note for note in (peaks.borrowed, support.note if support.status != "supported" else None) if note)
            if support.status != "supported":
                notes = (f"{engine.name} support is {support.status}", *notes)
            traits = traits_of(chip, question.model, engine.id, choice.format)
            unseen = "both" if question.speculative else parameters.unseen(name, traits)  # no measurement of it is fitted
            yield Software(
                engine, choice, kv, name, peaks, traits, unseen, GRADES[unseen], parameters.order(engine.id), family.bands, notes, power
            )
    if not usable:
        dropped["no engine in the catalog serves this model on this chip"] += 1


def _usable(chip: Chip, engines: Iterable[Engine], model: LanguageModel) -> list[tuple[Engine, Support]]:
    """Engines worth considering.

    Experimental ones, and those without a standard API, only where nothing else runs; desktop engines not on parts that servers run on.
    """
    runs = [
        (engine, support) for engine in engines if not engine.wraps and serves(engine, model) and (support := engine_runs_on(engine, chip))
    ]
    firm = [(engine, support) for engine, support in runs if support.status != "experimental"] or runs
    firm = [(engine, support) for engine, support in firm if "openai-compatible" in engine.api] or firm
    serving = [(engine, support) for engine, support in firm if engine.kind == "serving"]
    return serving if serving and chip.market == "datacenter" else firm


def serves(engine: Engine, model: LanguageModel) -> bool:
    """True where the engine knows every kind of layer of the model."""
    kinds, shape = engine.model_kinds, model.architecture
    if shape.routed_experts and not kinds.moe:
        return False
    if shape.states and not kinds.hybrid_linear:
        return False
    latent = any(group.mixer.kind in ("mla", "csa") for group in shape.layers)
    return kinds.mla or not latent


def deployments(found: list[Candidate], chips: Mapping[str, Chip], parameters: Parameters) -> Deployments:
    """The candidates as columns. [base units]"""
    shelf: dict[tuple[int, float | None], tuple[float, ...]] = {}
    table = []
    kinds: dict[int, int] = {}
    kind_of = []
    for candidate in found:
        chip, software = chips[candidate.platform.chip], candidate.software
        key = (id(software), candidate.platform.memory_bytes)
        if key not in shelf:
            shelf[key] = _software_columns(candidate, chip, parameters)
        table.append(_layout_columns(candidate, chip) + shelf[key])
        kind_of.append(kinds.setdefault(id(software), len(kinds)))
    names = list(Hardware.__dataclass_fields__)
    columns = np.array(table, dtype=float).reshape(len(table), len(names)).T.copy()
    each = {id(candidate.software): candidate.software for candidate in found}
    efficiencies = parameters.efficiencies([(software.family, software.traits) for software in each.values()])
    return achieve(Hardware(**dict(zip(names, columns, strict=True))), efficiencies.take(np.array(kind_of, dtype=np.intp)))


def _layout_columns(c: Candidate, chip: Chip) -> tuple[float, ...]:
    """The columns of `Hardware` up to stage_hop_factor: how the model is cut, and what joins the parts."""
    layout, platform = c.layout, c.platform
    if layout.chips == 1:
        return 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0
    host = chip.host_link.value if chip.host_link else None
    link_bytes_per_s, hop_factor = platform.link_for(max(layout.tp, layout.dp), host) or (1.0, 1.0)
    if layout.chips > platform.chips:
        stage_bytes_per_s, stage_factor = platform.network_bytes_per_s or 1.0, NETWORK_HOP_FACTOR
    else:
        stage_bytes_per_s, stage_factor = platform.link_for(min(layout.tp * layout.pp, platform.chips), host) or (1.0, 1.0)
    return layout.tp, layout.pp, layout.ep, layout.dp, link_bytes_per_s, hop_factor, stage_bytes_per_s, stage_factor


def _software_columns(c: Candidate, chip: Chip, parameters: Parameters) -> tuple[float, ...]:
    """The remaining columns: what the chip, the engine and the format decide."""
    engine, peaks = c.engine, c.software.peaks
    memory_bytes = c.platform.memory_bytes or chip.memory_bytes or 0.0
    limits = default_limits(engine, chip.id, memory_bytes)
    sequences = parameters.sequences(chip.device_class)
    bits = c.weights.format.by_part
    share = engine.memory.utilisation.value if engine.memory.utilisation else LARGEST_ENGINE_SHARE
    columns: dict[str, float] = {
        "fill_pipeline": float(engine.parallelism.pipeline),
        "memory_bytes": memory_bytes,
        "reserve_bytes": engine.memory.reserve_per_device.value,
        "engine_share": min(share, 0.99),
        "bytes_per_s": chip.bandwidth_bytes_per_s or 1.0,
        "linear_flop_per_s": peaks.linear,
        "expert_flop_per_s": peaks.experts,
        "wide_flop_per_s": peaks.scores,
        "most_sequences": min(sequences, limits.max_sequences or sequences) if engine.kind == "serving" else sequences,
        "tokens_per_pass": limits.token_budget or DEFAULT_TOKEN_BUDGET,
        "linear_bits": bits.linear,
        "expert_bits": bits.experts,
        "embedding_bits": bits.embedding,
        "head_bits": bits.head,
        "kv_bits": c.kv.bits,
    }
    return tuple(columns[name] for name in list(Hardware.__dataclass_fields__)[LAYOUT_COLUMNS:])
