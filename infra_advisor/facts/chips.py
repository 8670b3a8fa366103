"""Chips and devices: what a data sheet says about one accelerator, processor or box.

One record type for everything that computes, from a rack GPU to a phone. Rates are dense, links count one direction, and
no field can hold a sparse figure or both directions of a link together.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from infra_advisor.facts.fact import Bandwidth, Compute, Fact, Power, Record, Size, Source
from infra_advisor.units import GB, GIB

Kind = Literal["gpu", "inference-chip", "soc", "npu", "cpu", "host"]
Market = Literal["datacenter", "workstation", "consumer", "edge"]
Status = Literal["available", "announced", "ramping", "cancelled", "end-of-life"]
Acquisition = Literal["rent", "buy", "hosted-api"]
Precision = Literal[
    "fp32", "tf32", "bf16", "fp16", "fp16_acc16", "fp8", "fp8_acc16", "bfp8", "cfp8", "int8", "int4", "fp4"
]  # fmt: skip
Topology = Literal["switch", "mesh", "ring", "torus", "bridge"]
DeviceClass = Literal[
    "datacenter-gpu", "nvidia-card", "amd-card", "intel-card", "inference-chip", "hosted-only",
    "apple", "apu-amd", "nvidia-spark", "jetson", "igpu-intel", "gpu-phone", "npu-phone", "npu-pc", "npu-embedded",
    "cpu-server", "cpu-client", "cpu-apple", "cpu-sbc", "cpu-phone", "cpu-embedded", "hybrid-host",
]  # fmt: skip

SourceIds = Annotated[tuple[str, ...], BeforeValidator(lambda raw: (raw,) if isinstance(raw, str) else raw)]

USABLE_GIB_PER_LABELLED_GB = 0.93
USABLE_SHARE_OF_UNIFIED = 0.75


class Link(Record):
    """The link that joins chips of one scale-up domain, faster than PCIe through the host."""

    name: str
    bandwidth: Bandwidth
    """Per chip and per direction, all links summed."""
    pair_bandwidth: Bandwidth | None = None
    """Per direction between two chips, where a pair sees less than the sum."""
    domain: int = Field(gt=1)
    """Chips in one domain, counted as entries of this catalog."""
    bridge: bool = False
    """True where the link needs an optional bridge that a host may lack."""
    topology: Topology | None = None
    direction_stated: bool = True
    """False where the source does not say whether its figure counts one direction or both."""


class Chip(Record):
    """One accelerator, processor or device. Optional fields are None where unknown, never 0."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    name: str
    vendor: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    kind: Kind
    market: Market
    device_class: DeviceClass
    """The class whose performance parameters apply."""
    architecture: str | None = None
    compute_capability: str | None = None
    """CUDA compute capability, or the gfx target of an AMD GPU."""
    status: Status
    status_note: str | None = None
    acquire: tuple[Acquisition, ...]
    """How one gets it; empty where it cannot be had."""
    export_risk: bool = False
    """True where export control can stop a purchase or its support outside China."""
    form_factor: str | None = None
    noise: str | None = None
    """As its maker states it, with the load it is heard at."""
    os: str | None = None
    launched: str | None = None
    """Year, month or half year, as far as known."""

    memory_capacity: Size | None = None
    """Vendor label; the largest configuration where several are sold."""
    memory_reported: Size | None = None
    """As the driver reports it."""
    usable_memory: Size | None = None
    """Share of a unified pool that the accelerator may take."""
    memory_type: str | None = None
    memory_bandwidth: Bandwidth | None = None
    """Theoretical peak."""
    unified_memory: bool = False
    """True where the operating system lives in the same memory."""
    on_chip_memory: Size | None = None
    """SRAM, or the last cache level of a GPU."""
    second_memory: Size | None = None
    """A slower tier behind the main memory."""

    compute: Mapping[Precision, Compute] = {}
    """Dense rates. fp16, bf16 and fp8 accumulate in fp32; `_acc16` accumulates in fp16. fp32 is the vector rate."""
    link: Link | None = None
    host_link: Bandwidth | None = None
    """PCIe, raw, per direction."""
    cpu_link: Bandwidth | None = None
    """Coherent link to a CPU on the same module, per direction."""

    power: Power | None = None
    """Board or module; the highest mode where it has several."""
    power_modes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    """Number formats the matrix units multiply; a suffix says what a format is limited to (`int8-weight`)."""
    chips_per_card: int = Field(default=1, ge=1)
    """Devices that software sees behind one entry; figures are their sum."""
    part_of: str | None = None
    """Id of the package this is one part of."""
    host_of: str | None = None
    """Kind `host` only: id of the accelerator the box holds, `host_count` times."""
    host_count: int | None = Field(default=None, ge=1)

    text_sources: Mapping[str, SourceIds] = {}
    """Sources of the fields that hold words or counts: field -> source ids. `link` means its name or that there is none, `domain` and
    `topology` those of the link."""
    text_disputed: Mapping[str, Mapping[str, str]] = {}
    """Field -> source id -> what that source says instead."""
    note: str | None = None
    sources: Mapping[str, Source] = {}
    """Sources of an entry that stands outside the bundled catalog."""

    @property
    def memory_bytes(self) -> float | None:
        """Memory that the driver offers, before any engine reserve. [bytes]

        What the driver reports; else the stated share of a unified pool; else 75 % of the label of a unified pool; else
        0.93 GiB per labelled GB (a label of n GiB counts as n GB: vendors use the two alike). None where no size is known.
        """
        if known := self.memory_reported or self.usable_memory:
            return known.value
        label = self.memory_capacity
        if label is None:
            return None
        if self.unified_memory:
            return USABLE_SHARE_OF_UNIFIED * label.value
        return USABLE_GIB_PER_LABELLED_GB * (label.value if label.printed.endswith("iB") else label.value / GB * GIB)

    @property
    def bandwidth_bytes_per_s(self) -> float | None:
        """Theoretical peak of the main memory. [bytes/s]"""
        return self.memory_bandwidth.value if self.memory_bandwidth else None

    @property
    def facts(self) -> Mapping[str, Fact]:
        """Every sourced quantity by its path in the record, as `memory_bandwidth`, `compute.bf16`, `link.bandwidth`."""
        parts: list[tuple[str, Any]] = [(name, getattr(self, name)) for name in type(self).model_fields]
        parts += [(f"compute.{precision}", rate) for precision, rate in self.compute.items()]
        if self.link:
            parts += [("link.bandwidth", self.link.bandwidth), ("link.pair_bandwidth", self.link.pair_bandwidth)]
        return {path: fact for path, fact in parts if isinstance(fact, Fact)}


class Alias(Record):
    """A short name people type for a chip or device."""

    id: str
    """The chip it is taken to mean."""
    alternatives: tuple[str, ...] = ()
    """Other chips the same word can mean."""
    note: str | None = None


def load_chip_record(raw: object) -> Chip:
    """The chip of one parsed YAML document. Raises pydantic's ValidationError with every problem."""
    return Chip.model_validate(raw)
