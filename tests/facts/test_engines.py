"""Engines: what runs where, in which format, stated by hand from the engines' documentation and checked on small stand-in chips."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.engine_checks import check_engines
from infra_advisor.facts.engines import Engine, default_limits, engine_has, engine_runs_on, formats_for, kv_formats_for
from infra_advisor.facts.files import read_yaml

CATALOG = Path(__file__).parents[2] / "catalog"
FILES = sorted((CATALOG / "engines").glob("*.yaml"))


def raw_engine(name: str) -> dict[str, Any]:
    problems: list[str] = []
    raw = read_yaml(CATALOG / "engines" / f"{name}.yaml", problems)
    assert problems == []
    assert isinstance(raw, dict)
    return raw


ENGINES = {path.stem: Engine.model_validate(raw_engine(path.stem)) for path in FILES}


@dataclass(frozen=True)
class StandIn:
    """The facts about a chip that rules look at."""

    id: str
    vendor: str | None
    device_class: str
    kind: str = "gpu"
    architecture: str | None = None
    compute_capability: str | None = None
    compute: Mapping[str, float] = field(default_factory=dict)


def nvidia(chip: str, capability: str, device_class: str = "datacenter-gpu") -> StandIn:
    return StandIn(chip, "nvidia", device_class, compute_capability=capability)


T4 = nvidia("t4", "7.5")
V100 = nvidia("v100-sxm2-32gb", "7.0")
A100 = nvidia("a100-sxm-80gb", "8.0")
L4 = nvidia("l4", "8.9")
H100 = nvidia("h100-sxm", "9.0")
B200 = nvidia("b200-sxm", "10.0")
RTX_5090 = nvidia("rtx-5090", "12.0", "nvidia-card")
GB10 = nvidia("gb10", "12.1", "nvidia-spark")
MI300X = StandIn("mi300x", "amd", "datacenter-gpu", architecture="CDNA3", compute_capability="gfx942")
MI355X = StandIn("mi355x", "amd", "datacenter-gpu", architecture="CDNA4", compute_capability="gfx950")
RX_7600 = StandIn("rx-7600", "amd", "amd-card", architecture="RDNA3")
ARC = StandIn("arc-b580", "intel", "intel-card", architecture="Xe2")
M4 = StandIn("m4-max-40c", "apple", "apple", kind="soc")
XEON = StandIn("xeon-6980p", "intel", "cpu-server", kind="cpu")
PI = StandIn("raspberry-pi-5-cpu", "broadcom", "cpu-sbc", kind="cpu")
INF2 = StandIn("inferentia2", "aws", "inference-chip", kind="inference-chip")
TRN2 = StandIn("trainium2", "aws", "inference-chip", kind="inference-chip")
TRN3 = StandIn("trainium3", "aws", "inference-chip", kind="inference-chip")
V6E = StandIn("tpu-v6e", "google", "inference-chip", kind="inference-chip")
V7 = StandIn("tpu-v7", "google", "inference-chip", kind="inference-chip")
GROQ = StandIn("groq-lpu-v1", "groq", "hosted-only", kind="inference-chip")
RK3588 = StandIn("rk3588-npu", "rockchip", "npu-embedded", kind="npu")
RK3576 = StandIn("rk3576-npu", "rockchip", "npu-embedded", kind="npu")


def running_on(chip: StandIn) -> set[str]:
    return {name for name, engine in ENGINES.items() if engine_runs_on(engine, chip)}


def weights(engine: str, chip: StandIn) -> dict[str, bool]:
    """Format -> emulated."""
    return dict(formats_for(ENGINES[engine], chip))


def caches(engine: str, chip: StandIn) -> dict[str, bool]:
    return dict(kv_formats_for(ENGINES[engine], chip))


def changed(**parts: Any) -> Engine:
    return Engine.model_validate(raw_engine("mlx-lm") | parts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_is_one_engine_of_its_own_name(path: Path) -> None:
    assert ENGINES[path.stem].id == path.stem


def test_every_reference_resolves() -> None:
    chips = {path.stem for path in (CATALOG / "chips").glob("*.yaml")}
    formats = read_yaml(CATALOG / "formats.yaml", [])
    sources = read_yaml(CATALOG / "sources" / "engines.yaml", [])
    assert check_engines(ENGINES.values(), chips, formats["weights"], sources) == []
    assert {name for engine in ENGINES.values() for rule in engine.kv_formats for name in rule.formats} <= set(formats["kv"])


@pytest.mark.parametrize("key", ["colour", "weight_format"])
def test_unknown_keys_are_refused(key: str) -> None:
    with pytest.raises(ValidationError, match=key):
        changed(**{key: "x"})


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("kind", "cloud"),
        ("runs_on", []),
        ("runs_on", [{"device_classes": ["apple"], "status": "perhaps", "source": "memory"}]),
        ("runs_on", [{"device_classes": ["apple"], "status": "supported"}]),
        ("runs_on", [{"compute_capability_min": 8.9, "status": "supported", "source": "memory"}]),
        ("runs_on", [{"compute_capability_min": "sm_89", "status": "supported", "source": "memory"}]),
        ("runs_on", [{"device_classes": ["apple"], "status": "supported", "lacks": ["speed"], "source": "memory"}]),
        ("kv_formats", [{"formats": ["fp7"], "source": "memory"}]),
        ("memory", {"reserve_per_device": {"is": "0.4", "source": "judgement"}}),
        ("memory", {"reserve_per_device": {"is": "0.4 GiB", "source": "judgement"}, "utilisation": {"is": 1.2, "source": "memory"}}),
        ("defaults", {"max_sequences": 0, "source": "memory"}),
        ("defaults", {"max_sequences": 4, "tiers": [{"memory_at_least": "70", "max_sequences": 8}], "source": "memory"}),
    ],
)
def test_bad_values_are_refused(part: str, value: object) -> None:
    with pytest.raises(ValidationError):
        changed(**{part: value})


class TestWhatRunsWhere:
    def test_llama_cpp_runs_on_apple_and_not_on_tpus(self) -> None:
        """Its back ends are Metal, CUDA, HIP, SYCL, Vulkan, CPU and others; none drives a TPU."""
        assert "llama.cpp" in running_on(M4)
        assert "llama.cpp" not in running_on(V6E) | running_on(INF2) | running_on(GROQ)

    def test_llama_cpp_runs_on_every_processor(self) -> None:
        assert {"llama.cpp", "ollama"} <= running_on(PI)
        assert "llama.cpp" in running_on(XEON)

    def test_mlx_is_for_apple_alone(self) -> None:
        assert [chip.id for chip in (M4, H100, MI300X, XEON, V6E, INF2, PI) if "mlx-lm" in running_on(chip)] == ["m4-max-40c"]

    def test_tpus_have_only_their_two_engines(self) -> None:
        assert running_on(V6E) == running_on(V7) == {"vllm-tpu", "sglang-jax"}

    def test_inferentia2_has_only_neuron_engines_and_not_the_new_plug_in(self) -> None:
        """The vLLM Neuron plug-in of SDK 2.33 names Trn2 and Trn3; NxD Inference names Inf2, Trn1 and Trn2."""
        assert running_on(INF2) == {"nxd-inference", "optimum-neuron"}
        assert running_on(TRN2) == {"nxd-inference", "optimum-neuron", "vllm-neuron"}
        assert running_on(TRN3) == {"vllm-neuron"}

    def test_hosted_chips_run_nothing_one_could_install(self) -> None:
        assert running_on(GROQ) == set()

    def test_current_vllm_starts_at_turing(self) -> None:
        """Its installation page asks for compute capability 7.5; Volta (7.0) went out."""
        assert "vllm" in running_on(T4)
        assert "vllm" not in running_on(V100)
        assert "llama.cpp" in running_on(V100)

    def test_tensorrt_llm_is_for_nvidia_from_ampere_on(self) -> None:
        assert "tensorrt-llm" in running_on(A100) & running_on(H100) & running_on(B200)
        assert "tensorrt-llm" not in running_on(T4) | running_on(MI300X) | running_on(M4)

    def test_an_exception_stands_before_the_rule_it_excepts_from(self) -> None:
        """vLLM lists gfx1100, gfx1101, gfx1200 and gfx1201; the RX 7600 is gfx1102, though RDNA3 like the others."""
        assert "vllm" not in running_on(RX_7600)
        assert "vllm" in running_on(StandIn("rx-7900-xtx", "amd", "amd-card", architecture="RDNA3"))

    def test_support_tells_status_missing_features_and_doubt(self) -> None:
        spark = engine_runs_on(ENGINES["tensorrt-llm"], GB10)
        assert spark is not None
        assert spark.status == "experimental"
        assert "beta" in (spark.note or "")
        assert not spark.from_memory

        arc, hopper = engine_runs_on(ENGINES["vllm"], ARC), engine_runs_on(ENGINES["vllm"], H100)
        assert arc is not None
        assert hopper is not None
        assert engine_has(ENGINES["vllm"], "cuda_graphs", hopper)
        assert not engine_has(ENGINES["vllm"], "cuda_graphs", arc)
        assert engine_has(ENGINES["vllm"], "prefix_cache", arc)

    def test_a_chip_without_a_compute_capability_meets_no_bound_on_it(self) -> None:
        assert "tensorrt-llm" not in running_on(StandIn("rubin-cpx", "nvidia", "datacenter-gpu", architecture="Rubin"))
        assert weights("vllm", MI300X)["fp8"] is False  # by architecture: "gfx942" is no number to compare


class TestWeightFormats:
    def test_fp8_multiplies_from_ada_on_and_is_widened_on_ampere(self) -> None:
        """fp8 units came with compute capability 8.9; before, vLLM's Marlin kernels keep fp8 weights and multiply in 16 bits."""
        assert {chip.id: weights("vllm", chip)["fp8"] for chip in (T4, A100, L4, H100, B200)} == {
            "t4": True, "a100-sxm-80gb": True, "l4": False, "h100-sxm": False, "b200-sxm": False,
        }  # fmt: skip

    def test_tensorrt_llm_has_no_fp8_weights_on_ampere(self) -> None:
        assert "fp8" not in weights("tensorrt-llm", A100)
        assert weights("tensorrt-llm", L4)["fp8"] is False

    @pytest.mark.parametrize("engine", ["vllm", "sglang"])
    def test_nvfp4_multiplies_on_blackwell_alone(self, engine: str) -> None:
        assert [weights(engine, chip)["nvfp4"] for chip in (A100, H100, B200, RTX_5090, GB10)] == [True, True, False, False, False]
        assert "nvfp4" not in weights(engine, MI300X)

    @pytest.mark.parametrize("engine", ["vllm", "sglang", "tensorrt-llm"])
    def test_gpt_oss_is_widened_on_hopper(self, engine: str) -> None:
        """No fp4 units before Blackwell: Triton or Marlin kernels multiply mxfp4 weights in 16 bits."""
        assert weights(engine, H100)["mxfp4-experts"] is True
        assert weights(engine, B200)["mxfp4-experts"] is False

    def test_mxfp4_on_amd_multiplies_from_cdna4_on(self) -> None:
        assert weights("vllm", MI300X)["mxfp4"] is True
        assert weights("vllm", MI355X)["mxfp4"] is False

    def test_int8_products_end_with_hopper_in_vllm(self) -> None:
        """Its INT8 page: not supported on compute capability 10.0 and later."""
        assert weights("vllm", H100)["int8"] is False
        assert "int8" not in weights("vllm", B200)
        assert weights("vllm", B200)["int8-w8a16"] is False

    def test_turing_has_no_bf16(self) -> None:
        assert {"fp16", "bf16"} & set(weights("vllm", T4)) == {"fp16"}

    def test_gguf_is_for_the_llama_cpp_family(self) -> None:
        assert "gguf-q4_k_m" in weights("llama.cpp", M4)
        assert "gguf-q4_k_m" in weights("ollama", PI)
        assert not any(name.startswith("gguf") for name in weights("vllm", H100))

    def test_mlx_formats_are_for_apple(self) -> None:
        assert {"mlx-4bit", "mlx-8bit", "bf16"} <= set(weights("mlx-lm", M4))
        assert "mlx-4bit" in weights("vllm", M4)
        assert "mlx-4bit" not in weights("vllm", H100)

    def test_only_tpu_v7_multiplies_fp8(self) -> None:
        assert weights("vllm-tpu", V7)["fp8"] is False
        assert weights("vllm-tpu", V6E)["fp8"] is True
        assert weights("vllm-tpu", V6E)["int8"] is False
        assert "int8" not in weights("vllm-tpu", V7)

    def test_neuron_formats_differ_by_chip(self) -> None:
        """vLLM Neuron: static fp8 on Trn2, mxfp4 (gpt-oss) on Trn3, neither elsewhere."""
        assert set(weights("vllm-neuron", TRN2)) == {"bf16", "fp8"}
        assert set(weights("vllm-neuron", TRN3)) == {"bf16", "mxfp4", "mxfp4-experts"}

    def test_rk3588_has_eight_bits_only(self) -> None:
        assert set(weights("rkllm", RK3588)) == {"int8"}
        assert set(weights("rkllm", RK3576)) == {"int8", "int4-gptq-g128"}

    def test_nothing_where_the_engine_does_not_run(self) -> None:
        assert weights("mlx-lm", H100) == {}
        assert caches("mlx-lm", H100) == {}

    def test_the_first_rule_that_matches_decides(self) -> None:
        engine = changed(
            weight_formats=[
                {"formats": ["fp8"], "requires": [{"rate": "fp8"}], "source": "memory"},
                {"formats": ["fp8", "bf16"], "emulated": True, "source": "memory"},
            ]
        )
        with_units = StandIn("m9", "apple", "apple", kind="soc", compute={"fp8": 1e15})
        assert dict(formats_for(engine, with_units)) == {"fp8": False, "bf16": True}
        assert dict(formats_for(engine, M4)) == {"fp8": True, "bf16": True}


class TestCaches:
    def test_fp8_cache(self) -> None:
        assert caches("vllm", H100)["fp8"] is False
        assert caches("vllm", A100)["fp8"] is True
        assert "fp8" not in caches("vllm", T4)

    def test_llama_cpp_quantises_the_cache_its_own_way(self) -> None:
        assert {"fp16", "q8_0", "q4_0"} <= set(caches("llama.cpp", M4))
        assert "fp8" not in caches("llama.cpp", H100)

    @pytest.mark.parametrize("engine", ENGINES.values(), ids=lambda engine: engine.id)
    def test_every_engine_has_a_cache_without_conditions(self, engine: Engine) -> None:
        assert any(not rule.requires for rule in engine.kv_formats)


class TestDefaults:
    def test_vllm_limits_follow_memory(self) -> None:
        """Its API server: 256 sequences and 2,048 tokens; 1,024 and 8,192 from 70 GiB; 1,024 and 16,384 from 160 GiB."""
        vllm = ENGINES["vllm"]
        assert default_limits(vllm, "l4", 22.5 * 2**30) == (256, 2048)
        assert default_limits(vllm, "h100-sxm", 79.6 * 2**30) == (1024, 8192)
        assert default_limits(vllm, "b200-sxm", 178.4 * 2**30) == (1024, 16384)

    def test_vllm_keeps_the_a100_and_the_spark_on_the_small_limits(self) -> None:
        assert default_limits(ENGINES["vllm"], "a100-sxm-80gb", 79.3 * 2**30) == (256, 2048)
        assert default_limits(ENGINES["vllm"], "gb10", 119 * 2**30) == (256, 2048)

    def test_a_tier_may_change_one_limit_only(self) -> None:
        """SGLang sizes the prefill chunk by memory; the number of sequences follows from its cache pool everywhere."""
        assert default_limits(ENGINES["sglang"], "l4", 22.5 * 2**30) == (2048, 4096)
        assert default_limits(ENGINES["sglang"], "t4", 15 * 2**30) == (2048, 2048)

    def test_serving_engines_reserve_gigabytes_and_local_ones_little(self) -> None:
        """An 8B model at 4.9 bits (4.9 GB = 4.56 GiB) goes on an 8 GB card (8 x 0.93 = 7.44 GiB): the rest, 2.88 GiB, must do."""
        left_bytes = (7.44 - 4.56) * 2**30
        assert ENGINES["llama.cpp"].memory.reserve_per_device.value < left_bytes < ENGINES["vllm"].memory.reserve_per_device.value
        assert ENGINES["vllm"].memory.reserve_per_device.value == 3.5 * 2**30
        assert ENGINES["vllm"].memory.utilisation is not None
        assert ENGINES["vllm"].memory.utilisation.value == 0.92

    @pytest.mark.parametrize("engine", ENGINES.values(), ids=lambda engine: engine.id)
    def test_reserves_are_plausible(self, engine: Engine) -> None:
        assert 0.3 * 2**30 <= engine.memory.reserve_per_device.value <= 4 * 2**30


class TestParallelism:
    def test_local_engines_hand_layers_round_and_serving_engines_do_not(self) -> None:
        assert ENGINES["llama.cpp"].parallelism.layer_split
        assert not ENGINES["llama.cpp"].parallelism.tensor
        for name in ("vllm", "sglang", "tensorrt-llm"):
            assert ENGINES[name].parallelism.tensor
            assert not ENGINES[name].parallelism.layer_split

    @pytest.mark.parametrize("engine", [e for e in ENGINES.values() if e.kind == "vendor-npu"], ids=lambda engine: engine.id)
    def test_small_npus_serve_one_request_on_one_chip(self, engine: Engine) -> None:
        parallelism = engine.parallelism
        assert not any((parallelism.tensor, parallelism.pipeline, parallelism.expert, parallelism.multi_node))
        assert engine.default_max_sequences == 1


class TestChecks:
    CHIPS = ("m4-max-40c", "a100-sxm-80gb")
    FORMATS = ("bf16", "fp16", "mlx-4bit")

    def problems(self, *engines: Engine) -> list[str]:
        return check_engines(engines, self.CHIPS, self.FORMATS, {"memory", "judgement", "mlx-lm-code"})

    def sound(self, **parts: Any) -> Engine:
        return changed(**({"weight_formats": [{"formats": ["bf16", "mlx-4bit"], "source": "memory"}]} | parts))

    def test_a_sound_engine_has_none(self) -> None:
        assert self.problems(self.sound()) == []

    def test_unknown_chip_names_its_neighbour(self) -> None:
        found = self.problems(self.sound(runs_on=[{"chips": ["m4-max-40"], "status": "supported", "source": "memory"}]))
        assert found == ["engines/mlx-lm: unknown chip m4-max-40. Did you mean m4-max-40c?"]

    def test_chips_in_formats_and_tiers_are_looked_at_too(self) -> None:
        weight_formats = [{"formats": ["bf16"], "requires": [{"chips": ["m4-max-40c", "nowhere-1"]}], "source": "memory"}]
        tiers = [{"memory_at_least": "70 GiB", "except_chips": ["nowhere-2"], "max_sequences": 8}]
        found = self.problems(self.sound(weight_formats=weight_formats, defaults={"tiers": tiers, "source": "memory"}))
        assert [line.split(".")[0] for line in found] == [
            "engines/mlx-lm: unknown chip nowhere-1",
            "engines/mlx-lm: unknown chip nowhere-2",
        ]

    def test_unknown_format_and_source(self) -> None:
        found = self.problems(self.sound(weight_formats=[{"formats": ["mlx-4bits"], "source": "hearsay"}]))
        assert found == [
            "engines/mlx-lm: unknown weight format mlx-4bits. Did you mean mlx-4bit?",
            "engines/mlx-lm: unknown source hearsay.",
        ]

    def test_formats_of_any_rate_need_no_table(self) -> None:
        assert self.problems(self.sound(weight_formats=[{"formats": ["exl3-4.0bpw"], "source": "memory"}])) == []

    def test_a_rule_that_states_no_chips(self) -> None:
        found = self.problems(self.sound(runs_on=[{"status": "supported", "source": "memory"}]))
        assert found == ["engines/mlx-lm: runs_on.0: states no chips"]

    def test_tiers_are_written_largest_first(self) -> None:
        tiers = [{"memory_at_least": "70 GiB", "max_sequences": 8}, {"memory_at_least": "160 GiB", "max_sequences": 16}]
        found = self.problems(self.sound(defaults={"tiers": tiers, "source": "memory"}))
        assert found == ["engines/mlx-lm: defaults.tiers: write the largest memory first"]

    def test_wrapped_engine_and_repeated_id(self) -> None:
        found = self.problems(self.sound(), self.sound(wraps="llama"))
        assert found == ["engines: the id mlx-lm appears twice", "engines/mlx-lm: wraps the unknown engine llama."]


def test_a_launch_names_known_chips_formats_and_sources(real: Catalog) -> None:
    """Each wrong name of the launch of an engine is a problem of its own."""
    engine = real.engines["vllm"]
    assert engine.launch is not None
    launch = engine.launch.model_copy(update={"ranks_per_chip": {"h100-sxmm": 2}, "quantize": {"fp9": "fp8"}, "source": ("no-source",)})
    problems = check_engines([engine.model_copy(update={"launch": launch})], real.chips, real.formats.weights, real.sources("engines"))
    assert [problem.split(": ", 1)[1].split(".")[0] for problem in problems] == [
        "unknown chip h100-sxmm", "unknown weight format fp9", "unknown source no-source",
    ]  # fmt: skip
