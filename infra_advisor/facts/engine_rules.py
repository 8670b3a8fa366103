"""Rules by which an engine says where it runs and what it loads there.

Rules are read from the top and the first match wins, so an exception stands above the rule it excepts from. Nothing here depends on
the chip record: any object with `ChipFacts` will do.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, Protocol

from pydantic import BeforeValidator, Field

from infra_advisor.facts.fact import Record

KvFormat = Literal["fp32", "bf16", "fp16", "fp8", "int8", "int4", "nvfp4", "bfp8", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]
Feature = Literal[
    "continuous_batching",
    "chunked_prefill",
    "prefix_cache",
    "cuda_graphs",
    "piecewise_prefill_capture",
    "speculative_decoding",
    "disaggregation",
    "lora",
    "structured_output",
    "hybrid_kv_manager",
]
Version = Annotated[str, Field(pattern=r"^\d+\.\d+$")]


def _tuple_of_one(raw: object) -> object:
    return (raw,) if isinstance(raw, str) else raw


Ids = Annotated[tuple[str, ...], BeforeValidator(_tuple_of_one)]
SourceIds = Annotated[Ids, Field(min_length=1)]


class ChipFacts(Protocol):
    """What a rule may look at. `compute` is keyed by precision; unknown texts are None."""

    @property
    def id(self) -> str: ...
    @property
    def vendor(self) -> str | None: ...
    @property
    def device_class(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def architecture(self) -> str | None: ...
    @property
    def compute_capability(self) -> str | None: ...
    @property
    def compute(self) -> Mapping[Any, Any]: ...


class ChipRule(Record):
    """Chips that meet every condition stated; a condition left out is met by all, an unknown fact meets none.

    `compute_capability_below` is exclusive; `rate` asks that the chip has a matrix rate of that precision.
    """

    chips: Ids = ()
    vendors: Ids = ()
    device_classes: Ids = ()
    kinds: Ids = ()
    architectures: Ids = ()
    compute_capability_min: Version | None = None
    compute_capability_below: Version | None = None
    rate: str | None = None

    def matches(self, chip: ChipFacts) -> bool:
        """True where the chip meets every stated condition."""
        if self.chips and chip.id not in self.chips:
            return False
        if self.vendors and chip.vendor not in self.vendors:
            return False
        if self.device_classes and chip.device_class not in self.device_classes:
            return False
        if self.kinds and chip.kind not in self.kinds:
            return False
        if self.architectures and chip.architecture not in self.architectures:
            return False
        if self.rate is not None and self.rate not in chip.compute:
            return False
        return self._within_capability(chip.compute_capability)

    def _within_capability(self, capability: str | None) -> bool:
        if self.compute_capability_min is None and self.compute_capability_below is None:
            return True
        if capability is None or not capability[:1].isdigit():
            return False
        found = _version(capability)
        if self.compute_capability_min is not None and found < _version(self.compute_capability_min):
            return False
        return self.compute_capability_below is None or found < _version(self.compute_capability_below)

    @property
    def states_nothing(self) -> bool:
        """True where every chip would match."""
        return not self.model_fields_set & set(ChipRule.model_fields)


class RunsOn(ChipRule):
    """Chips an engine runs on, or with status `unsupported` does not although a later rule says so."""

    status: Literal["supported", "experimental", "vendor-fork", "unsupported"]
    lacks: tuple[Feature, ...] = ()
    """Features of the engine that are missing on these chips."""
    note: str | None = None
    source: SourceIds


class FormatRule(Record):
    """Formats that work where one of `requires` matches; with no `requires`, wherever the engine runs.

    `emulated`: the chip has no unit for the format, so values are widened before the arithmetic: the bytes shrink, the rate is
    that of 16 bits. Schemes that are weight-only by design (AWQ, GPTQ, GGUF, MLX) compute in 16 bits anyway and are not marked.
    """

    requires: tuple[ChipRule, ...] = ()
    emulated: bool = False
    note: str | None = None
    source: SourceIds

    def matches(self, chip: ChipFacts) -> bool:
        """True where the formats of this rule work on the chip."""
        return not self.requires or any(rule.matches(chip) for rule in self.requires)


class WeightFormats(FormatRule):
    formats: Ids


class KvFormats(FormatRule):
    formats: Annotated[tuple[KvFormat, ...], BeforeValidator(_tuple_of_one)]


@cache
def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
