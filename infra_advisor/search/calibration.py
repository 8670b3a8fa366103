"""Which efficiencies hold for a device and an engine, with their grade, their band and where they come from."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from infra_advisor.errors import CatalogError
from infra_advisor.facts.fact import Record
from infra_advisor.facts.files import explain
from infra_advisor.units import parse_quantity

Share = Annotated[float, Field(gt=0, le=1)]
Seconds = Annotated[float, BeforeValidator(lambda raw: parse_quantity(raw, "time") if isinstance(raw, str) else raw), Field(ge=0, le=10)]
Band = Annotated[tuple[float, float], Field(description="lowest and highest factor on the prediction")]


class Selector(Record):
    """A rule that names devices; every stated key must hold."""

    engine_kind: str | None = None
    vendors: tuple[str, ...] = ()
    device_classes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def holds(self, *, engine_kind: str, vendor: str, device_class: str, kind: str) -> bool:
        """True when the device and engine satisfy every stated key."""
        return (
            self.engine_kind in (None, engine_kind)
            and (not self.vendors or vendor in self.vendors)
            and (not self.device_classes or device_class in self.device_classes)
            and (not self.kinds or kind in self.kinds)
        )


class Family(Record):
    """Efficiencies of one class of hardware under one kind of engine."""

    selects: tuple[Selector, ...]
    grade: Literal["A", "B", "C", "D"]
    source: str
    linear_memory_share: Share
    kv_memory_share: Share
    expert_memory_share: Share = 0.5
    linear_compute_share: Share
    expert_compute_share: Share = 0.1
    score_compute_share: Share
    sharpness: float = Field(ge=1, le=50)
    step_s: Seconds
    layer_s: Seconds = 0.0
    sequence_s: Seconds = 0.0
    hop_s: Seconds
    link_share: Share
    prefill_layer_s: Seconds = 0.0
    frontend_s: Seconds
    most_sequences: int = Field(ge=1)
    flop_per_byte: float | None = Field(default=None, gt=0)
    use_flop_per_byte: bool = False
    """The class figure replaces a published peak rate, which says little about these devices."""
    moe: Mapping[str, Any] = {}
    band_tpot: Band
    band_ttft: Band
    band_throughput: Band

    @model_validator(mode="after")
    def _bands_contain_the_prediction(self) -> "Family":
        for name in ("band_tpot", "band_ttft", "band_throughput"):
            low, high = getattr(self, name)
            if not 0 < low <= 1 <= high:
                raise ValueError(f"{name} must run from a factor below 1 to one above")
        return self

    @model_validator(mode="after")
    def _mixture_values_hold_too(self) -> "Family":
        self.for_experts()
        return self

    def for_experts(self) -> "Family":
        """The values that hold for mixture-of-experts models."""
        return Family.model_validate(self.model_dump() | dict(self.moe) | {"moe": {}}) if self.moe else self


class Defaults(Record):
    """Figures that hold for every family."""

    note: str
    stall_share: Share
    queue_weight_closed: float
    queue_weight_open: float
    rank_wait_steps: float
    expert_imbalance_per_doubling: float
    fill_half_rows: float
    fill_least: float
    expert_fill_half_rows: float
    expert_fill_least: float
    tpot_p95_over_mean: float
    activation_bytes_per_element: float


class EngineFactors(Record):
    """An engine's host times as multiples of its family's."""

    step: float = Field(default=1.0, gt=0)
    prefill_layer: float = Field(default=1.0, gt=0)
    order: int = 50
    """Breaks ties between engines that are predicted alike; widely used ones first."""


class Parameters(Record):
    """The whole parameter file."""

    defaults: Defaults
    families: Mapping[str, Family]
    engines: Mapping[str, EngineFactors] = {}

    def family(self, *, engine_kind: str, vendor: str, device_class: str, kind: str) -> tuple[str, Family] | None:
        """Name and values of the first family whose rules hold, or None: then nothing can be predicted."""
        for name, family in self.families.items():
            if any(rule.holds(engine_kind=engine_kind, vendor=vendor, device_class=device_class, kind=kind) for rule in family.selects):
                return name, family
        return None


def read_parameters(raw: Mapping[str, Any]) -> Parameters:
    """Checked parameters. Raises CatalogError with every problem."""
    try:
        return Parameters.model_validate(raw)
    except ValidationError as error:
        raise CatalogError([f"parameters: {line}" for line in explain(error)]) from error
