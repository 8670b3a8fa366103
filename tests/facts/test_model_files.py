"""A model from a local file: config.json gives the same counts as the catalog, a GGUF file the layers and the real size."""

import json
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gguf_files as gguf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra_advisor.errors import UsageError
from infra_advisor.facts.gguf import read_gguf
from infra_advisor.facts.gguf_header import read_header
from infra_advisor.facts.hf_config import LARGEST_CONFIG_BYTES, model_from_config, native_format
from infra_advisor.facts.model_names import resolve_model
from infra_advisor.facts.models import LanguageModel, read_model
from infra_advisor.paths import catalog_dir

CONFIGS = Path(__file__).parents[1] / "data" / "configs"
MTP = "multi-token-prediction layers"

MORE: dict[str, dict[str, Any]] = {
    "gemma-2-9b-it": {
        "model_type": "gemma2",
        "hidden_size": 3584,
        "head_dim": 256,
        "intermediate_size": 14336,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "num_hidden_layers": 42,
        "sliding_window": 4096,
        "max_position_embeddings": 8192,
        "vocab_size": 256000,
        "torch_dtype": "bfloat16",
    },
    "qwen2.5-7b-instruct": {
        "model_type": "qwen2",
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "num_hidden_layers": 28,
        "vocab_size": 152064,
        "use_sliding_window": False,
        "sliding_window": 131072,
        "max_window_layers": 28,
        "max_position_embeddings": 32768,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    },
    "qwen3-8b": {
        "model_type": "qwen3",
        "hidden_size": 4096,
        "head_dim": 128,
        "intermediate_size": 12288,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "num_hidden_layers": 36,
        "vocab_size": 151936,
        "tie_word_embeddings": False,
        "max_position_embeddings": 40960,
        "torch_dtype": "bfloat16",
    },
    "qwen3-next-80b-a3b-instruct": {
        "model_type": "qwen3_next",
        "hidden_size": 2048,
        "head_dim": 256,
        "intermediate_size": 5120,
        "num_attention_heads": 16,
        "num_key_value_heads": 2,
        "num_hidden_layers": 48,
        "vocab_size": 151936,
        "full_attention_interval": 4,
        "linear_num_key_heads": 16,
        "linear_num_value_heads": 32,
        "linear_key_head_dim": 128,
        "linear_value_head_dim": 128,
        "linear_conv_kernel_dim": 4,
        "num_experts": 512,
        "num_experts_per_tok": 10,
        "moe_intermediate_size": 512,
        "shared_expert_intermediate_size": 512,
        "decoder_sparse_step": 1,
        "mlp_only_layers": [],
        "max_position_embeddings": 262144,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    },
    "mixtral-8x7b-instruct-v0.1": {
        "model_type": "mixtral",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "num_hidden_layers": 32,
        "vocab_size": 32000,
        "num_local_experts": 8,
        "num_experts_per_tok": 2,
        "sliding_window": None,
        "max_position_embeddings": 32768,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    },
    "mistral-7b-v0.1": {
        "model_type": "mistral",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "num_hidden_layers": 32,
        "vocab_size": 32000,
        "sliding_window": 4096,
        "max_position_embeddings": 32768,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    },
    "phi-4": {
        "model_type": "phi3",
        "hidden_size": 5120,
        "intermediate_size": 17920,
        "num_attention_heads": 40,
        "num_key_value_heads": 10,
        "num_hidden_layers": 40,
        "vocab_size": 100352,
        "sliding_window": None,
        "max_position_embeddings": 16384,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    },
    "olmo-2-1124-7b-instruct": {
        "model_type": "olmo2",
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "num_hidden_layers": 32,
        "vocab_size": 100352,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    },
    "glm-4.5-air": {
        "model_type": "glm4_moe",
        "hidden_size": 4096,
        "intermediate_size": 10944,
        "moe_intermediate_size": 1408,
        "num_attention_heads": 96,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "num_hidden_layers": 46,
        "vocab_size": 151552,
        "n_routed_experts": 128,
        "n_shared_experts": 1,
        "num_experts_per_tok": 8,
        "first_k_dense_replace": 1,
        "attention_bias": True,
        "use_qk_norm": False,
        "num_nextn_predict_layers": 1,
        "max_position_embeddings": 131072,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    },
    "granite-4.0-h-tiny": {
        "model_type": "granitemoehybrid",
        "hidden_size": 1536,
        "intermediate_size": 512,
        "shared_intermediate_size": 1024,
        "num_attention_heads": 12,
        "num_key_value_heads": 4,
        "num_hidden_layers": 40,
        "vocab_size": 100352,
        "num_local_experts": 64,
        "num_experts_per_tok": 6,
        "mamba_n_heads": 48,
        "mamba_d_head": 64,
        "mamba_d_state": 128,
        "mamba_n_groups": 1,
        "mamba_d_conv": 4,
        "layer_types": (["mamba"] * 9 + ["attention"]) * 4,
        "max_position_embeddings": 131072,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
    },
    "phi-2": {
        "model_type": "phi",
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "num_hidden_layers": 32,
        "vocab_size": 51200,
        "max_position_embeddings": 2048,
        "tie_word_embeddings": False,
        "torch_dtype": "float16",
    },
    "opt-6.7b": {
        "model_type": "opt",
        "hidden_size": 4096,
        "ffn_dim": 16384,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "vocab_size": 50272,
        "max_position_embeddings": 2048,
        "torch_dtype": "float16",
    },
    "c4ai-command-r-v01": {
        "model_type": "cohere",
        "hidden_size": 8192,
        "intermediate_size": 22528,
        "num_attention_heads": 64,
        "num_key_value_heads": 64,
        "num_hidden_layers": 40,
        "vocab_size": 256000,
        "max_position_embeddings": 131072,
        "torch_dtype": "float16",
    },
    "deepseek-v2-lite-chat": {
        "model_type": "deepseek_v2",
        "hidden_size": 2048,
        "intermediate_size": 10944,
        "moe_intermediate_size": 1408,
        "first_k_dense_replace": 1,
        "moe_layer_freq": 1,
        "kv_lora_rank": 512,
        "q_lora_rank": None,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "v_head_dim": 128,
        "n_routed_experts": 64,
        "n_shared_experts": 2,
        "num_experts_per_tok": 6,
        "num_attention_heads": 16,
        "num_hidden_layers": 27,
        "vocab_size": 102400,
        "max_position_embeddings": 163840,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    },
    "minimax-m2.5": {
        "model_type": "minimax_m2",
        "hidden_size": 3072,
        "intermediate_size": 1536,
        "num_attention_heads": 48,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "num_hidden_layers": 62,
        "vocab_size": 200064,
        "num_local_experts": 256,
        "num_experts_per_tok": 8,
        "use_qk_norm": True,
        "use_routing_bias": True,
        "max_position_embeddings": 196608,
        "tie_word_embeddings": False,
        "dtype": "bfloat16",
    },
    "granite-3.3-8b-instruct": {
        "model_type": "granite",
        "hidden_size": 4096,
        "intermediate_size": 12800,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "num_hidden_layers": 40,
        "vocab_size": 49159,
        "max_position_embeddings": 131072,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
    },
}
"""Configurations of further families, as their checkpoints state them."""


def _catalog(name: str) -> LanguageModel:
    problems: list[str] = []
    model = read_model(catalog_dir() / "models" / f"{name}.yaml", problems)
    assert problems == []
    assert model is not None
    return model


def _config(tmp_path: Path, raw: object) -> Path:
    path = tmp_path / "config.json"
    path.write_text(raw if isinstance(raw, str) else json.dumps(raw), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.json")), ids=lambda path: path.stem)
def test_configuration_gives_the_counts_of_the_catalog(path: Path) -> None:
    model, known = model_from_config(path), _catalog(path.stem)
    assert model.architecture.layers == known.architecture.layers
    assert model.architecture.active_parameters == known.architecture.active_parameters
    vision = sum(part.count for part in known.extra_params if "vision" in part.what)
    assert model.architecture.parameters == known.architecture.parameters - vision
    assert model.kv_bytes_per_token(16) == known.kv_bytes_per_token(16)
    assert model.native_format == known.native_format
    assert model.max_context == known.max_context
    assert model.parameters.total == model.architecture.parameters
    assert model.licence.commercial == "unverified"
    assert model.sources["file"].title == str(path)


@pytest.mark.parametrize("name", sorted(MORE))
def test_further_families(tmp_path: Path, name: str) -> None:
    model, known = model_from_config(_config(tmp_path, MORE[name])), _catalog(name)
    assert set(model.architecture.layers) == set(known.architecture.layers)
    assert model.architecture.weights.linear == known.architecture.weights.linear
    assert model.architecture.weights.experts == known.architecture.weights.experts
    assert model.architecture.weights.head == known.architecture.weights.head
    assert model.kv_bytes_per_token(8) == known.kv_bytes_per_token(8)


def test_a_prediction_layer_is_counted_as_stored(tmp_path: Path) -> None:
    """GLM-4.5-Air: the 47th layer of the checkpoint, 3,616,573,568 weights."""
    model = model_from_config(_config(tmp_path, MORE["glm-4.5-air"]))
    assert [(part.what, part.count) for part in model.extra_params] == [(MTP, 3_616_573_568)]


LLAMA = json.loads((CONFIGS / "llama-3.1-8b-instruct.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("", "not JSON"),
        ("[]", "holds a list"),
        ('{"model_type": "llama", "hidden_size": 40', "not JSON .* is the file complete"),
        ("[" * 100_000, "nested too deeply|not JSON"),
        ('{"hidden_size": ' + "9" * 5000 + "}", "not a usable config.json"),
        ({}, "has no model_type"),
        ({"model_type": "llamma"}, "unknown architecture 'llamma'. Did you mean llama.* Known: cohere"),
        ({"model_type": "llama"}, "needs hidden_size"),
        (LLAMA | {"hidden_size": "4096"}, "hidden_size is '4096'; expected a whole number from 1 to"),
        (LLAMA | {"hidden_size": -1}, "hidden_size is '-1'"),
        (LLAMA | {"hidden_size": True}, "hidden_size is 'True'"),
        (LLAMA | {"hidden_size": 4097}, "does not divide by 32 heads"),
        (LLAMA | {"num_hidden_layers": 10**6}, "num_hidden_layers is '1000000'; expected a whole number from 1 to 1,000"),
        (LLAMA | {"vocab_size": None}, "needs vocab_size"),
        (LLAMA | {"num_key_value_heads": 64}, "kv_heads: 64, more than 32 query heads"),
        (LLAMA | {"tie_word_embeddings": "yes"}, "tie_word_embeddings is 'yes'; expected true or false"),
        (LLAMA | {"layer_types": ["full_attention"]}, "layer_types must be a list of 32 texts"),
        (LLAMA | {"torch_dtype": "complex64"}, "dtype 'complex64' is not known"),
        (LLAMA | {"quantization_config": {"quant_method": "magic", "bits": 3}}, "method 'magic' with 3 bits is not known; known: fp8"),
    ],
)
def test_configuration_refused(tmp_path: Path, raw: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        model_from_config(_config(tmp_path, raw))


def test_huge_binary_and_missing_configurations_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    with pytest.raises(UsageError, match="not a regular file"):
        model_from_config(path)
    with pytest.raises(UsageError, match="not a regular file"):
        model_from_config(tmp_path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        model_from_config(path)
    with path.open("wb") as stream:
        stream.truncate(LARGEST_CONFIG_BYTES + 1)
    with pytest.raises(UsageError, match="at most 4,194,304"):
        model_from_config(path)


@pytest.mark.parametrize(
    ("quantised", "meant"),
    [
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8"),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "int4-awq-g128"),
        ({"quant_method": "gptq", "bits": 4}, "int4-gptq-g128"),
        ({"quant_method": "gptq", "bits": 8}, "int8-w8a16"),
        ({"quant_method": "mxfp4"}, "mxfp4-experts"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "int4-nf4"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4"),
        ({"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"type": "float", "num_bits": 8}}}}, "fp8"),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"type": "float", "num_bits": 4, "group_size": 16}}}},
            "nvfp4",
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"g": {"weights": {"type": "int", "num_bits": 8}, "input_activations": {}}},
            },
            "int8-w8a16",
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"g": {"weights": {"type": "int", "num_bits": 4, "group_size": 32}}},
                "ignore": ["re:.*self_attn.*", "lm_head"],
            },
            "int4-g32-experts",
        ),
    ],
)
def test_native_format(quantised: dict[str, Any], meant: str) -> None:
    assert native_format({"quantization_config": quantised}, Path("config.json")) == meant


SHAPE = {"layers": 32, "hidden": 4096, "inter": 14336, "heads": 32, "kv_heads": 8, "vocab": 128256}
TINY = {"layers": 2, "hidden": 256, "inter": 512, "heads": 4, "kv_heads": 2, "vocab": 512}


def _gguf(path: Path, shape: dict[str, int], *, version: int = 3, **more: gguf.Key) -> int:
    return gguf.write(path, gguf.llama_keys(**shape) | more, gguf.llama_tensors(**shape), version=version)


@pytest.mark.parametrize("version", [2, 3])
def test_gguf_of_llama(tmp_path: Path, version: int) -> None:
    """Llama-3.1-8B with every matrix at Q4_K: 144 bytes per 256 values, norms at 4 bytes.

    Matrices 8,030,261,248 - 65 x 4096 = 8,029,995,008 x 144/256 + 266,240 x 4 = 4,517,937,152 bytes.
    """
    path = tmp_path / "llama.gguf"
    size = _gguf(path, SHAPE, version=version)
    found, known = read_gguf(path), _catalog("llama-3.1-8b-instruct")
    assert found.model.architecture.layers == known.architecture.layers
    assert found.model.architecture.parameters == known.architecture.parameters
    assert found.weight_bytes == size == 8_029_995_008 * 144 // 256 + 266_240 * 4
    assert found.weights == "gguf-q4_k_m"
    assert found.model.id == "tiny-llama"


def test_gguf_through_the_name(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    size = _gguf(path, TINY)

    class Nothing:
        path = catalog_dir()
        model_ids = ()

        def model(self, name: str) -> LanguageModel:
            raise AssertionError(name)

    found = resolve_model(str(path), Nothing())
    assert (found.weights, found.weight_bytes) == ("gguf-q4_k_m", size)
    assert found.stated is not None
    assert "Tiny Llama" not in found.stated or found.stated.startswith(str(path))


def test_gguf_format_follows_the_bits_where_the_header_lies(tmp_path: Path) -> None:
    """file_type 0 says 32 bits, the tensors have 4.5."""
    path = tmp_path / "m.gguf"
    gguf.write(path, gguf.llama_keys(**TINY, file_type=0), gguf.llama_tensors(**TINY))
    assert read_gguf(path).weights in ("gguf-iq4_xs", "gguf-q4_k_s", "gguf-q4_0")


def test_gguf_mixture(tmp_path: Path) -> None:
    """Two layers of eight experts: 2 (attention 196,608 + router 2,048 + 8 x 3 x 256 x 512 + norms 512) + tables 262,144 + 256."""
    tensors = {name: value for name, value in gguf.llama_tensors(**TINY).items() if "ffn_" not in name or "norm" in name}
    for layer in range(2):
        tensors[f"blk.{layer}.ffn_gate_inp.weight"] = ((256, 8), gguf.F32)
        for name, shape in {"gate": (256, 512, 8), "up": (256, 512, 8), "down": (512, 256, 8)}.items():
            tensors[f"blk.{layer}.ffn_{name}_exps.weight"] = (shape, gguf.Q4_K)
    path = tmp_path / "moe.gguf"
    gguf.write(path, gguf.llama_keys(**TINY) | {"llama.expert_count": 8, "llama.expert_used_count": 2}, tensors)
    model = read_gguf(path).model
    assert model.is_mixture
    assert model.architecture.parameters == 2 * (196_608 + 2_048 + 3_145_728 + 512) + 262_144 + 256


def test_split_gguf(tmp_path: Path) -> None:
    tensors = gguf.llama_tensors(**TINY)
    names = sorted(tensors)
    first, second = tmp_path / "m-00001-of-00002.gguf", tmp_path / "m-00002-of-00002.gguf"
    size = gguf.write(first, gguf.llama_keys(**TINY), {name: tensors[name] for name in names[:9]})
    with pytest.raises(UsageError, match=r"one part of 2; missing beside it: m-00002-of-00002.gguf"):
        read_gguf(first)
    size += gguf.write(second, {"split.no": 1}, {name: tensors[name] for name in names[9:]})
    assert read_gguf(second).weight_bytes == size


def _read_or_refused(read: Callable[[], LanguageModel], named: str) -> None:
    """Either a model or a refusal that names the file; anything else escapes and fails the test."""
    try:
        total = read().parameters.total
    except UsageError as error:
        if named not in str(error):
            raise AssertionError("the refusal does not name the file") from error
    else:
        assert total > 0


def _header(keys: dict[str, gguf.Key] | None = None, tensors: gguf.Tensors | None = None) -> bytes:
    return gguf.header(
        keys if keys is not None else gguf.llama_keys(**TINY), tensors if tensors is not None else gguf.llama_tensors(**TINY)
    )[0]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (lambda: b"", "ends inside its header"),
        (lambda: b"GGML" + bytes(100), "does not begin with GGUF"),
        (lambda: b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1 is not known"),
        (lambda: b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        (lambda: b"GGUF" + struct.pack("<IQQ", 3, 2**63, 0), "claims 9,223,372,036,854,775,808 tensors"),
        (lambda: b"GGUF" + struct.pack("<IQQ", 3, 0, 2**40), "claims .* keys"),
        (lambda: b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**62), "claims"),
        (lambda: b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + gguf.text("k") + struct.pack("<I", 77) + bytes(64), "value of unknown type 77"),
        (lambda: b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + gguf.text("k") + struct.pack("<IIQ", 9, 8, 2**50), "claims .* items of k"),
        (
            lambda: (
                b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + gguf.text("k") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 3 + bytes(64)
            ),
            "nests arrays too deeply",
        ),
        (lambda: b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + 2 * (gguf.text("k") + struct.pack("<II", 4, 1)) + bytes(64), "appears twice"),
        (lambda: _header()[:-200], "ends inside its header|ends at byte"),
        (lambda: _header(), "ends at byte .* is the download complete"),
        (lambda: _header({"general.architecture": "llama", "general.alignment": 0}, {}), "general.alignment is 0"),
        (lambda: _header({"general.architecture": "llama"}, {}), "holds no tensors"),
        (lambda: _header({"general.architecture": "banana"}, {"a": ((32,), 0)}) + bytes(128), "unknown architecture 'banana'"),
        (lambda: _header({"general.architecture": "llama"}, {"a": ((32,), 0)}) + bytes(128), "needs hidden_size"),
        (lambda: _header(tensors={"a": ((32,), 0)}) + bytes(128), "the layers are not understood"),
        (lambda: _header(tensors={"a": ((2**40, 2**40), 0)}), "has the shape"),
    ],
)
def test_lying_gguf_is_refused(tmp_path: Path, raw: Callable[[], bytes], message: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(raw())
    with pytest.raises(UsageError, match=message):
        read_gguf(path)


def test_a_folder_named_gguf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").mkdir()
    with pytest.raises(UsageError, match="not a regular file"):
        read_header(tmp_path / "m.gguf")


@given(position=st.integers(0, 1200), value=st.integers(0, 255))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_wrong_byte_never_crashes(tmp_path: Path, position: int, value: int) -> None:
    """Whatever byte of the header is changed, the file is read or refused."""
    path = tmp_path / "m.gguf"
    _gguf(path, TINY)
    with path.open("r+b") as stream:
        stream.seek(position)
        stream.write(bytes([value]))
    _read_or_refused(lambda: read_gguf(path).model, str(path))


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=5)
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_of_a_field_is_read_or_refused(tmp_path: Path, value: object) -> None:
    for field in (
        "hidden_size",
        "num_key_value_heads",
        "layer_types",
        "sliding_window",
        "tie_word_embeddings",
        "quantization_config",
        "torch_dtype",
        "text_config",
    ):
        path = _config(tmp_path, LLAMA | {field: value})
        _read_or_refused(partial(model_from_config, path), str(path))


def test_a_file_that_names_no_model_is_called_after_itself_or_after_its_directory_as_config_json(tmp_path: Path) -> None:
    text = (CONFIGS / "qwen3-30b-a3b.json").read_text(encoding="utf-8")
    for path, called in ((tmp_path / "my-model.json", "my-model"), (tmp_path / "their-model" / "config.json", "their-model")):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        assert model_from_config(path).id == called
