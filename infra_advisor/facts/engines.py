"""Inference engines: which chips they run on, in which formats, with which parallelism, features and defaults."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from infra_advisor.facts.engine_rules import ChipFacts, Feature, Ids, KvFormats, RunsOn, SourceIds, WeightFormats
from infra_advisor.facts.fact import FROM_MEMORY, Record, Size, Source
from infra_advisor.facts.launch import Launch
from infra_advisor.units import parse_quantity


def _size_bytes(raw: object) -> object:
    return parse_quantity(raw, "size") if isinstance(raw, str) else raw


class Parallelism(Record):
    """Ways an engine splits one model; `layer_split` hands whole layers to cards that then take turns (no speed-up)."""

    tensor: bool
    pipeline: bool
    expert: bool
    data_attention: bool
    multi_node: bool
    layer_split: bool
    pads_heads: bool = False
    """Heads that do not divide are padded, so any number of ranks will do."""
    note: str | None = None
    source: SourceIds


class Features(Record):
    """What the engine can do where nothing in `lacks` of the matching chip rule says otherwise.

    `cuda_graphs`: decode runs from a captured or ahead-of-time compiled graph. `piecewise_prefill_capture`: so does prefill.
    `hybrid_kv_manager`: windowed layers keep only their window, state layers only their state.
    """

    continuous_batching: bool
    chunked_prefill: bool
    prefix_cache: bool
    cuda_graphs: bool
    piecewise_prefill_capture: bool
    speculative_decoding: bool
    disaggregation: bool
    lora: bool
    structured_output: bool
    hybrid_kv_manager: bool
    note: str | None = None
    source: SourceIds


class ModelKinds(Record):
    dense: bool
    moe: bool
    mla: bool
    hybrid_linear: bool
    windowed: bool
    note: str | None = None
    source: SourceIds


class Utilisation(Record):
    """Share of device memory the engine takes for weights, cache and activations unless told otherwise. [1]"""

    value: float = Field(alias="is", gt=0, le=1)
    note: str | None = None
    source: SourceIds


class Memory(Record):
    reserve_per_device: Size
    utilisation: Utilisation | None = None


class MemoryTier(Record):
    """Defaults that replace the engine's smallest ones on devices with at least this much memory."""

    memory_at_least_bytes: Annotated[float, BeforeValidator(_size_bytes)] = Field(alias="memory_at_least")
    except_chips: Ids = ()
    max_sequences: int | None = Field(default=None, gt=0)
    token_budget: int | None = Field(default=None, gt=0)


class DefaultLimits(NamedTuple):
    max_sequences: int | None
    """Sequences in one batch."""
    token_budget: int | None
    """Tokens in one step, which caps a prefill chunk."""


class Defaults(Record):
    """What the scheduler does when no option is given; the tiers are read largest first.

    `cache_full`: preempt = requests are admitted as long as their prompts fit, and the newest is thrown out when the cache is full;
    wait = a request is admitted only when its longest answer fits too.
    """

    cache_full: Literal["preempt", "wait"] = "preempt"
    max_sequences: int | None = Field(default=None, gt=0)
    token_budget: int | None = Field(default=None, gt=0)
    tiers: tuple[MemoryTier, ...] = ()
    note: str | None = None
    source: SourceIds


class Network(Record):
    """What the engine asks of the outside once its files are there; None = not known, which is not no."""

    licence_check: Literal["none", "to-install", "to-run"] | None = None
    """Of a licence or an account, over the network."""
    control_plane: Literal["none", "cloud"] | None = None
    """Whether a service outside starts or steers it."""
    switch_off: str | None = None
    """What calls home by default, and how that is stopped."""
    note: str | None = None
    source: SourceIds


class Compiled(Record):
    """What a checkpoint is turned into before this engine serves it: made for its chips, of no use elsewhere."""

    value: str = Field(alias="is")
    source: SourceIds


class Engine(Record):
    """One inference engine at one version."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    name: str
    kind: Literal["serving", "local", "vendor-npu"]
    version: str
    version_date: str | None = Field(default=None, pattern=r"^\d{4}(-\d{2}){0,2}$")
    licence: str
    """SPDX expression, or `proprietary`."""
    open_source: bool
    repository: str | None = None
    docs: str | None = None
    api: tuple[Literal["openai-compatible", "native", "none"], ...]
    container_image: str | None = None
    compiled: Compiled | None = None
    """None: it serves the checkpoint as published, or nobody looked it up."""
    wraps: str | None = None
    """Id of the engine that does the arithmetic."""
    source: SourceIds
    """Of version, licence, interface and image."""
    network: Network | None = None
    runs_on: tuple[RunsOn, ...] = Field(min_length=1)
    weight_formats: tuple[WeightFormats, ...] = Field(min_length=1)
    kv_formats: tuple[KvFormats, ...] = Field(min_length=1)
    parallelism: Parallelism
    features: Features
    defaults: Defaults
    memory: Memory
    model_kinds: ModelKinds
    launch: Launch | None = None
    notes: str | None = None
    sources: Mapping[str, Source] = {}
    """Sources of an entry that stands outside the bundled catalog."""

    @property
    def default_max_sequences(self) -> int | None:
        return self.defaults.max_sequences

    @property
    def default_token_budget(self) -> int | None:
        return self.defaults.token_budget


class Support(NamedTuple):
    status: Literal["supported", "experimental", "vendor-fork"]
    note: str | None
    lacks: frozenset[str]
    """Features the engine has elsewhere but not here."""
    source: tuple[str, ...]

    @property
    def from_memory(self) -> bool:
        """True where nothing but recollection supports the claim."""
        return all(source == FROM_MEMORY for source in self.source)


class FormatSupport(NamedTuple):
    format: str
    emulated: bool
    """True where values are widened before the arithmetic: fewer bytes, rate of 16 bits."""


def engine_runs_on(engine: Engine, chip: ChipFacts) -> Support | None:
    """How the engine runs on the chip, or None where it does not."""
    for rule in engine.runs_on:
        if rule.matches(chip):
            if rule.status == "unsupported":
                return None
            return Support(rule.status, rule.note, frozenset(rule.lacks), rule.source)
    return None


def engine_has(engine: Engine, feature: Feature, support: Support) -> bool:
    """True where the engine offers the feature on a chip with that support."""
    return bool(getattr(engine.features, feature)) and feature not in support.lacks


def formats_for(engine: Engine, chip: ChipFacts) -> list[FormatSupport]:
    """Weight formats that work on the chip, in the order of the engine's rules; empty where the engine does not run."""
    return _formats(engine, chip, engine.weight_formats)


def kv_formats_for(engine: Engine, chip: ChipFacts) -> list[FormatSupport]:
    """Key-value cache formats that work on the chip; empty where the engine does not run."""
    return _formats(engine, chip, engine.kv_formats)


def default_limits(engine: Engine, chip_id: str, memory_bytes: float) -> DefaultLimits:
    """Largest batch and token budget the engine starts with on a device with that much memory [bytes]."""
    for tier in engine.defaults.tiers:
        if memory_bytes >= tier.memory_at_least_bytes and chip_id not in tier.except_chips:
            return DefaultLimits(tier.max_sequences or engine.defaults.max_sequences, tier.token_budget or engine.defaults.token_budget)
    return DefaultLimits(engine.defaults.max_sequences, engine.defaults.token_budget)


def _formats(engine: Engine, chip: ChipFacts, rules: Iterable[WeightFormats | KvFormats]) -> list[FormatSupport]:
    if engine_runs_on(engine, chip) is None:
        return []
    found: dict[str, FormatSupport] = {}
    for rule in rules:
        if rule.matches(chip):
            for name in rule.formats:
                found.setdefault(name, FormatSupport(name, rule.emulated))
    return list(found.values())
