"""What any believable chip satisfies: bands per device class, a ladder of rates, links and references that make sense.

The schema refuses what cannot be read; these checks refuse what can be read and is absurd, such as a sparse rate in a dense
field. A ratio outside the usual ladder is accepted where the fact itself carries a note that says why.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from infra_advisor.errors import did_you_mean
from infra_advisor.facts.chips import Alias, Chip
from infra_advisor.facts.fact import Fact
from infra_advisor.units import GB, GIB, parse_quantity

Range = tuple[str, str]


class Bands(NamedTuple):
    """Lowest and highest believable value of one device class; wide enough for the next two generations."""

    bandwidth: Range
    capacity: Range
    rate: Range
    power: Range


BANDS: Mapping[str, Bands] = {
    "datacenter-gpu": Bands(("200 GB/s", "40 TB/s"), ("12 GB", "1 TB"), ("4 TFLOP/s", "80 PFLOP/s"), ("40 W", "3 kW")),
    "nvidia-card": Bands(("80 GB/s", "4 TB/s"), ("2 GB", "192 GB"), ("3 TFLOP/s", "6 PFLOP/s"), ("30 W", "800 W")),
    "amd-card": Bands(("80 GB/s", "4 TB/s"), ("2 GB", "192 GB"), ("3 TFLOP/s", "4 PFLOP/s"), ("40 W", "800 W")),
    "intel-card": Bands(("80 GB/s", "2 TB/s"), ("2 GB", "192 GB"), ("3 TFLOP/s", "2 PFLOP/s"), ("20 W", "800 W")),
    "inference-chip": Bands(("40 GB/s", "40 TB/s"), ("4 GB", "1 TB"), ("20 TFLOP/s", "80 PFLOP/s"), ("30 W", "3 kW")),
    "hosted-only": Bands(("1 TB/s", "50000 TB/s"), ("100 MB", "1 TB"), ("50 TFLOP/s", "200 PFLOP/s"), ("100 W", "40 kW")),
    "apple": Bands(("50 GB/s", "3 TB/s"), ("8 GB", "1 TB"), ("1 TFLOP/s", "600 TFLOP/s"), ("5 W", "600 W")),
    "apu-amd": Bands(("40 GB/s", "600 GB/s"), ("8 GB", "256 GB"), ("2 TFLOP/s", "300 TFLOP/s"), ("10 W", "250 W")),
    "nvidia-spark": Bands(("100 GB/s", "800 GB/s"), ("16 GB", "256 GB"), ("15 TFLOP/s", "2 PFLOP/s"), ("30 W", "400 W")),
    "jetson": Bands(("30 GB/s", "600 GB/s"), ("4 GB", "256 GB"), ("1 TFLOP/s", "2.5 PFLOP/s"), ("5 W", "200 W")),
    "igpu-intel": Bands(("30 GB/s", "400 GB/s"), ("4 GB", "256 GB"), ("1 TFLOP/s", "400 TFLOP/s"), ("5 W", "200 W")),
    "gpu-phone": Bands(("20 GB/s", "200 GB/s"), ("4 GB", "32 GB"), ("500 GFLOP/s", "50 TFLOP/s"), ("1 W", "30 W")),
    "npu-phone": Bands(("20 GB/s", "200 GB/s"), ("4 GB", "32 GB"), ("1 TFLOP/s", "300 TFLOP/s"), ("1 W", "30 W")),
    "npu-pc": Bands(("40 GB/s", "400 GB/s"), ("8 GB", "256 GB"), ("1 TFLOP/s", "300 TFLOP/s"), ("5 W", "120 W")),
    "npu-embedded": Bands(("4 GB/s", "150 GB/s"), ("500 MB", "64 GB"), ("200 GFLOP/s", "300 TFLOP/s"), ("500 mW", "60 W")),
    "cpu-server": Bands(("50 GB/s", "3 TB/s"), ("16 GB", "8 TB"), ("500 GFLOP/s", "2 PFLOP/s"), ("50 W", "1 kW")),
    "cpu-client": Bands(("5 GB/s", "400 GB/s"), ("1 GB", "512 GB"), ("50 GFLOP/s", "100 TFLOP/s"), ("3 W", "400 W")),
    "cpu-apple": Bands(("50 GB/s", "3 TB/s"), ("8 GB", "1 TB"), ("100 GFLOP/s", "100 TFLOP/s"), ("5 W", "600 W")),
    "cpu-sbc": Bands(("2 GB/s", "150 GB/s"), ("500 MB", "64 GB"), ("10 GFLOP/s", "20 TFLOP/s"), ("1 W", "60 W")),
    "cpu-phone": Bands(("5 GB/s", "200 GB/s"), ("2 GB", "32 GB"), ("50 GFLOP/s", "20 TFLOP/s"), ("1 W", "30 W")),
    "cpu-embedded": Bands(("10 GB/s", "600 GB/s"), ("2 GB", "256 GB"), ("50 GFLOP/s", "50 TFLOP/s"), ("3 W", "200 W")),
    "hybrid-host": Bands(("50 GB/s", "3 TB/s"), ("16 GB", "8 TB"), ("500 GFLOP/s", "10 PFLOP/s"), ("100 W", "4 kW")),
}

_16_BIT = ("bf16", "fp16")
LADDER: Mapping[str, tuple[tuple[str, ...], float, float]] = {
    "fp32": (_16_BIT, 0.0, 1.05),
    "tf32": (_16_BIT, 0.0, 1.05),
    "fp16": (("bf16",), 0.9, 1.1),
    "fp16_acc16": (_16_BIT, 0.9, 2.5),
    "fp8": (_16_BIT, 0.9, 2.5),
    "bfp8": (_16_BIT, 0.9, 2.5),
    "cfp8": (_16_BIT, 0.9, 2.5),
    "fp8_acc16": (("fp16_acc16", *_16_BIT), 0.9, 2.5),
    "int8": (("fp16_acc16", *_16_BIT), 0.9, 2.5),
    "int4": (("int8",), 0.9, 2.5),
    "fp4": (("fp8_acc16", "fp8"), 0.9, 2.5),
}
"""Precision -> (rates it is compared with: the fastest of these counts, lowest ratio, highest ratio)."""

FASTEST_LINK_BYTES_PER_S = 5e12
LARGEST_BRIDGED_DOMAIN = 4
REPORTED_TOLERANCE = 0.10
FORMATS = frozenset(
    {
        "fp32", "tf32", "bf16", "fp16", "fp8", "fp6", "fp4", "nvfp4", "mxfp8", "mxfp6", "mxfp4", "mxint8", "mxint4",
        "bfp8", "bfp4", "cfp8", "int16", "int8", "int4", "int2",
    }
)  # fmt: skip
FORMAT_LIMITS = frozenset({"weight", "kv", "storage"})


def check_chips(chips: Iterable[Chip]) -> list[str]:
    """Every absurd value of every chip, one line each: which chip and field, what is wrong, what is believable."""
    known = list(chips)
    ids = {chip.id for chip in known}
    boxes = {chip.id for chip in known if chip.kind == "host"}
    problems = [f"chips/{name}: the id appears {times} times" for name, times in Counter(chip.id for chip in known).items() if times > 1]
    for chip in known:
        found = [*_outside_bands(chip), *_off_the_ladder(chip), *_odd_memory(chip), *_odd_link(chip), *_odd_words(chip)]
        problems += [f"chips/{chip.id}: {problem}" for problem in [*found, *_dangling(chip, ids, boxes)]]
    return problems


def check_aliases(aliases: Mapping[str, Alias], chips: Iterable[Chip]) -> list[str]:
    """Every alias that means nothing, hides an id, or repeats its own target."""
    ids = {chip.id for chip in chips}
    problems = []
    for name, alias in aliases.items():
        if name in ids:
            problems.append(f"aliases/{name}: is itself the id of a chip")
        if name != name.lower() or " " in name:
            problems.append(f"aliases/{name}: write it in lower case, with - for blanks")
        if alias.id in alias.alternatives:
            problems.append(f"aliases/{name}: lists {alias.id} as an alternative to itself")
        for target in (alias.id, *alias.alternatives):
            if target not in ids:
                problems.append(f"aliases/{name}: there is no chip {target}.{did_you_mean(target, ids)}")
    return problems


@cache
def _limits(device_class: str) -> Mapping[str, tuple[float, float]]:
    units = {"bandwidth": "bandwidth", "capacity": "size", "rate": "compute", "power": "power"}
    bands = BANDS[device_class]._asdict()
    return {kind: (parse_quantity(bands[kind][0], unit), parse_quantity(bands[kind][1], unit)) for kind, unit in units.items()}


def _outside_bands(chip: Chip) -> Iterator[str]:
    bands, limits = BANDS[chip.device_class], _limits(chip.device_class)
    measured: list[tuple[str, Fact | None, str]] = [
        ("memory_bandwidth", chip.memory_bandwidth, "bandwidth"),
        ("memory_capacity", chip.memory_capacity, "capacity"),
        ("power", chip.power, "power"),
    ]
    measured += [(f"compute.{precision}", rate, "rate") for precision, rate in chip.compute.items()]
    for field, fact, kind in measured:
        low, high = limits[kind]
        if fact and not low <= fact.value <= high:
            believable = " to ".join(getattr(bands, kind))
            yield f"{field} {fact.printed} is outside {believable}, the band of class {chip.device_class}"


def _off_the_ladder(chip: Chip) -> Iterator[str]:
    rates: Mapping[str, Fact] = {str(precision): rate for precision, rate in chip.compute.items()}
    for precision, (bases, low, high) in LADDER.items():
        rate = rates.get(precision)
        base = max((name for name in bases if name in rates), key=lambda name: rates[name].value, default=None)
        if rate is None or base is None or rate.note:
            continue
        ratio = rate.value / rates[base].value
        if ratio > high:
            yield (
                f"compute.{precision} {rate.printed} is {ratio:.2g} times {base} ({rates[base].printed}); more than {high:g} suggests "
                "a sparse rate: state the dense one, or say why in the note of the rate"
            )
        elif ratio < low:
            yield f"compute.{precision} {rate.printed} is {ratio:.2g} times {base} ({rates[base].printed}); say why in the note of the rate"


def _odd_memory(chip: Chip) -> Iterator[str]:
    label, reported, usable = chip.memory_capacity, chip.memory_reported, chip.usable_memory
    if label and reported and abs(reported.value / label.value - 1) > REPORTED_TOLERANCE:
        yield f"memory_reported {reported.printed} is more than 10 % from the label {label.printed}"
    if usable and not chip.unified_memory:
        yield "usable_memory belongs to a unified pool; set unified_memory or use memory_reported"
    if label and usable and usable.value > label.value / GB * GIB:
        yield f"usable_memory {usable.printed} exceeds the pool of {label.printed}"


def _odd_link(chip: Chip) -> Iterator[str]:
    link = chip.link
    if link is None:
        return
    if link.bandwidth.value > FASTEST_LINK_BYTES_PER_S:
        yield f"link.bandwidth {link.bandwidth.printed} exceeds 5 TB/s per direction; does it count both directions or a whole rack?"
    if link.pair_bandwidth and link.pair_bandwidth.value > link.bandwidth.value:
        yield f"link.pair_bandwidth {link.pair_bandwidth.printed} exceeds the sum of all links {link.bandwidth.printed}"
    if link.bridge != (link.topology == "bridge"):
        yield "link.bridge and link.topology disagree on whether a bridge is needed"
    if link.bridge and link.domain > LARGEST_BRIDGED_DOMAIN:
        yield f"link.domain {link.domain}: a bridge joins at most {LARGEST_BRIDGED_DOMAIN} cards"


def _odd_words(chip: Chip) -> Iterator[str]:
    for name in chip.formats:
        base, _, limit = name.partition("-")
        if base not in FORMATS or (limit and limit not in FORMAT_LIMITS):
            yield f"formats: unknown {name!r}.{did_you_mean(base, FORMATS)}"
    if chip.status in ("announced", "cancelled") and chip.acquire:
        yield f"status {chip.status} contradicts acquire {', '.join(chip.acquire)}"
    known = {*Chip.model_fields, "topology", "domain"}
    for field in {*chip.text_sources, *chip.text_disputed} - known:
        yield f"text_sources: there is no field {field}.{did_you_mean(field, known)}"


def _dangling(chip: Chip, ids: Collection[str], boxes: Collection[str]) -> Iterator[str]:
    if (chip.kind == "host") != (chip.host_of is not None):
        yield "kind host and host_of go together"
    if (chip.host_of is None) != (chip.host_count is None):
        yield "host_of and host_count go together"
    if chip.host_of in boxes:
        yield f"host_of {chip.host_of} is itself a box"
    for field, target in (("host_of", chip.host_of), ("part_of", chip.part_of)):
        if target is not None and target not in ids:
            yield f"{field}: there is no chip {target}.{did_you_mean(target, ids)}"
