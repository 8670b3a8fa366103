"""From a GGUF file to a model: its layers, the format of its weights, and their size as stored."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.formats import bundled_formats
from infra_advisor.facts.gguf_header import GgufHeader, Long, Tensor, Value, read_header
from infra_advisor.facts.hf_config import build
from infra_advisor.facts.hf_families import FAMILIES
from infra_advisor.facts.hf_fields import Fields
from infra_advisor.facts.models import LanguageModel

MOST_PARTS = 999
UNEXPLAINED = 0.02
"""Share of the weights that the layers may leave unexplained."""

_SAME_NAME = (
    "falcon",
    "gemma",
    "gemma2",
    "gemma3",
    "glm4",
    "granite",
    "internlm2",
    "llama",
    "olmo2",
    "phi3",
    "qwen2",
    "qwen3",
    "seed_oss",
    "smollm3",
)
ARCHITECTURES: Mapping[str, str] = {
    **{name: name for name in _SAME_NAME},
    "command-r": "cohere",
    "cohere2": "cohere2",
    "deepseek2": "deepseek_v3",
    "glm4moe": "glm4_moe",
    "gpt-oss": "gpt_oss",
    "gptneox": "gpt_neox",
    "minimax-m2": "minimax_m2",
    "phi2": "phi",
    "qwen2moe": "qwen2_moe",
    "qwen3moe": "qwen3_moe",
    "qwen3next": "qwen3_next",
    "starcoder2": "starcoder2",
}
"""general.architecture -> the family of configurations with the same layers."""

_FIELDS: Mapping[str, str] = {
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.kv_lora_rank": "kv_lora_rank",
    "attention.q_lora_rank": "q_lora_rank",
    "attention.sliding_window": "sliding_window",
    "block_count": "num_hidden_layers",
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "expert_feed_forward_length": "moe_intermediate_size",
    "expert_shared_count": "n_shared_experts",
    "expert_shared_feed_forward_length": "shared_expert_intermediate_size",
    "expert_used_count": "num_experts_per_tok",
    "feed_forward_length": "intermediate_size",
    "full_attention_interval": "full_attention_interval",
    "leading_dense_block_count": "first_k_dense_replace",
    "rope.dimension_count": "qk_rope_head_dim",
    "ssm.conv_kernel": "linear_conv_kernel_dim",
    "ssm.group_count": "linear_num_key_heads",
    "ssm.state_size": "linear_key_head_dim",
    "ssm.time_step_rank": "linear_num_value_heads",
    "vocab_size": "vocab_size",
}
_FILE_TYPES: Mapping[int, str] = {
    0: "f32", 1: "f16", 2: "q4_0", 3: "q4_1", 7: "q8_0", 8: "q5_0", 9: "q5_1", 10: "q2_k", 11: "q3_k_s", 12: "q3_k_m", 13: "q3_k_l",
    14: "q4_k_s", 15: "q4_k_m", 16: "q5_k_s", 17: "q5_k_m", 18: "q6_k", 19: "iq2_xxs", 20: "iq2_xs", 21: "q2_k_s", 22: "iq3_xs",
    23: "iq3_xxs", 24: "iq1_s", 25: "iq4_nl", 26: "iq3_s", 27: "iq3_m", 28: "iq2_s", 29: "iq2_m", 30: "iq4_xs", 31: "iq1_m",
    32: "bf16", 36: "tq1_0", 37: "tq2_0", 38: "mxfp4",
}  # fmt: skip
"""general.file_type -> name of the format."""
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")


@dataclass(frozen=True)
class GgufModel:
    """A model in a GGUF file or in its parts."""

    model: LanguageModel
    weights: str
    """Id of the weight format nearest to what the file holds."""
    weight_bytes: int
    """All tensors as stored."""


def read_gguf(path: Path) -> GgufModel:
    """The model in a local .gguf file; of a split one, any part with the others beside it.

    Raises UsageError where the file is not GGUF, contradicts itself, is cut off, or holds an architecture that is not known.
    """
    headers = [read_header(part) for part in _parts(path)]
    main = headers[0]
    tensors = [tensor for header in headers for tensor in header.tensors]
    if not tensors:
        _refuse(path, "holds no tensors; a vocabulary or an empty file is not a model")
    name = _text(main.keys.get("general.architecture"))
    family = ARCHITECTURES.get(name)
    if family is None:
        known = sorted(ARCHITECTURES)
        _refuse(path, f"unknown architecture {name[:80]!r}.{did_you_mean(name[:80], known)} Known: {', '.join(known)}")
    stored = sum(tensor.bytes or 0 for tensor in tensors)
    elements = sum(tensor.elements for tensor in tensors)
    weights = _weights(_integer(main.keys.get("general.file_type")), 8 * stored / elements)
    raw = _config(main, name, family, tensors)
    fields = Fields(raw, path)
    made = FAMILIES[raw["model_type"]](fields)
    label = _text(main.keys.get("general.name")) or path.stem
    model = build(made, fields, path=path, kind=raw["model_type"], native=weights, name=label)
    explained = (model.architecture.parameters - model.architecture.weights.extra) / elements
    if abs(explained - 1) > UNEXPLAINED:
        size = f"{elements / 1e9:.2f} billion weights"
        _refuse(path, f"its header describes {explained:.0%} of the {size} in it; the layers are not understood")
    return GgufModel(model, weights, stored)


def _parts(path: Path) -> list[Path]:
    match = _SHARD.search(path.name)
    if not match:
        return [path]
    stem, count = path.name[: match.start()], min(int(match[2]), MOST_PARTS)
    parts = [path.with_name(f"{stem}-{number:05d}-of-{match[2]}.gguf") for number in range(1, count + 1)]
    if missing := [part.name for part in parts if not part.is_file()]:
        _refuse(path, f"is one part of {len(parts)}; missing beside it: {', '.join(missing[:3])}")
    return parts


def _config(header: GgufHeader, name: str, family: str, tensors: list[Tensor]) -> dict[str, Any]:
    """The header in the words of a Hugging Face configuration."""
    keys = {key.removeprefix(f"{name}."): value for key, value in header.keys.items() if key.startswith(f"{name}.")}
    raw: dict[str, Any] = {field: _largest(keys[key]) for key, field in _FIELDS.items() if key in keys and _largest(keys[key]) is not None}
    names = {tensor.name for tensor in tensors}
    raw["tie_word_embeddings"] = "output.weight" not in names
    raw["model_type"] = family
    if tokens := header.keys.get("tokenizer.ggml.tokens"):
        raw.setdefault("vocab_size", tokens.length if isinstance(tokens, Long) else len(tokens) if isinstance(tokens, list) else None)
    if table := next((tensor for tensor in tensors if tensor.name == "token_embd.weight"), None):
        raw["vocab_size"] = table.shape[-1]
    if experts := _integer(keys.get("expert_count")):
        raw |= {"num_local_experts": experts, "num_experts": experts, "n_routed_experts": experts}
        if family == "llama":
            raw["model_type"] = "mixtral"
    biased = any(name.endswith("attn_q.bias") or name.endswith("attn_qkv.bias") for name in names)
    raw["attention_bias"] = biased
    raw["attention_out_bias"] = any(name.endswith("attn_output.bias") for name in names)
    raw["use_qk_norm"] = any(name.endswith("attn_q_norm.weight") for name in names)
    prediction = _integer(keys.get("nextn_predict_layers")) or 0
    raw["num_hidden_layers"] = (raw.get("num_hidden_layers") or 0) - prediction or None
    if family == "deepseek_v3":
        whole = _integer(keys.get("attention.key_length_mla")) or _integer(keys.get("attention.key_length")) or 0
        raw["qk_nope_head_dim"] = whole - (raw.get("qk_rope_head_dim") or 0)
        raw["v_head_dim"] = _integer(keys.get("attention.value_length_mla")) or _integer(keys.get("attention.value_length"))
    if family == "qwen3_next":
        raw["linear_value_head_dim"] = raw.get("linear_key_head_dim")
    if family == "falcon":
        raw["new_decoder_architecture"] = (raw.get("num_key_value_heads") or 1) > 1
        raw["num_kv_heads"] = raw.get("num_key_value_heads")
    return raw


def _weights(file_type: int | None, bits: float) -> str:
    """The format the header names, or the one whose bits per weight are nearest to those of the file."""
    known = bundled_formats().weights
    stated = f"gguf-{_FILE_TYPES.get(file_type if file_type is not None else -1, '-')}"
    if stated in known and abs(known[stated].bits / bits - 1) < 0.2:
        return stated
    return min((found for found in known.values() if found.family == "gguf"), key=lambda found: abs(found.bits - bits)).id


def _largest(value: Value) -> int | None:
    """A count, or the largest of a list with one per layer."""
    if isinstance(value, list):
        return max((item for item in map(_integer, value) if item is not None), default=None)
    return _integer(value)


def _integer(value: Value | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else ""


def _refuse(path: Path, why: str) -> NoReturn:
    raise UsageError(f"{path}: {why}")
