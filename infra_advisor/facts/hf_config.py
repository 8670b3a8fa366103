"""Read the config.json of a Hugging Face checkpoint into a model: bounded, and with every refusal explained."""

import datetime
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.fact import Source
from infra_advisor.facts.files import explain
from infra_advisor.facts.hf_blocks import Architecture
from infra_advisor.facts.hf_families import FAMILIES
from infra_advisor.facts.hf_fields import Fields
from infra_advisor.facts.models import LanguageModel

LARGEST_CONFIG_BYTES = 4 * 2**20
TEXT_PARTS = ("text_config", "llm_config", "language_config", "thinker_config")
"""Keys under which multimodal configurations hold their language part."""
DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32", "half": "fp16", "auto": "bf16"}
KNOWN_METHODS = "fp8, awq, gptq, autoround (4 or 8 bits), mxfp4, modelopt, compressed-tensors, bitsandbytes"
FROM_FILE = "file"


def model_from_config(path: Path) -> LanguageModel:
    """The model that a local config.json describes. Vision and audio parts are not counted.

    Raises UsageError where the file cannot be read, is not such a configuration, lacks something, or is absurd.
    """
    return model_of(read_config(path), path)


def read_config(path: Path) -> Mapping[str, Any]:
    """The JSON object in the file. Raises UsageError."""
    try:
        if not path.is_file():
            _refuse(path, "not a regular file; give the config.json of a Hugging Face checkpoint")
        if (size := path.stat().st_size) > LARGEST_CONFIG_BYTES:
            _refuse(path, f"{size:,} bytes; a config.json holds at most {LARGEST_CONFIG_BYTES:,}")
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
    except UsageError:
        raise
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 (byte {error.start}); a config.json is UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}: not JSON ({error.msg}); is the file complete?") from error
    except RecursionError as error:
        raise UsageError(f"{path}: nested too deeply for a config.json") from error
    except ValueError as error:
        raise UsageError(f"{path}: not a usable config.json ({error})") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    if not isinstance(raw, Mapping):
        raise UsageError(f"{path}: holds a {type(raw).__name__}, not the object of a config.json")
    return raw


def model_of(raw: Mapping[str, Any], path: Path) -> LanguageModel:
    """The model of a configuration already read; `path` names it in messages. Raises UsageError."""
    text = dict(raw)
    for _ in TEXT_PARTS:
        inner = next((text[part] for part in TEXT_PARTS if isinstance(text.get(part), Mapping)), None)
        if inner is None:
            break
        text = {**{key: value for key, value in text.items() if key not in TEXT_PARTS}, **inner}
    kind = text.get("model_type")
    if not isinstance(kind, str):
        _refuse(path, "has no model_type; give the config.json of a transformer checkpoint (not a tokenizer's or an adapter's)")
    family = FAMILIES.get(kind)
    if family is None:
        _refuse(path, f"unknown architecture {kind[:80]!r}.{did_you_mean(kind[:80], FAMILIES)} Known: {', '.join(sorted(FAMILIES))}")
    fields = Fields(text, path)
    return build(family(fields), fields, path=path, kind=kind, native=native_format(text, path))


def build(made: Architecture, fields: Fields, *, path: Path, kind: str, native: str, name: str | None = None) -> LanguageModel:
    """The record of a model read from a local file. Raises UsageError where the layers are not believable."""
    own = path.resolve().parent.name if path.stem == "config" else path.stem
    label = name or str(fields.raw.get("_name_or_path") or "").strip("/").rsplit("/", 1)[-1] or own
    seen = datetime.date.fromtimestamp(path.stat().st_mtime).isoformat() if path.exists() else datetime.date.today().isoformat()
    record: dict[str, Any] = {
        "id": _slug(label, kind),
        "family": kind,
        "developer": "local file",
        "licence": {"name": "not stated", "commercial": "unverified"},
        "parameters": {"total": 1, "source": (FROM_FILE,), "note": "counted from the layers"},
        "hidden_size": made.hidden,
        "vocab_size": fields.count("vocab_size", most=2**24),
        "tied_embeddings": made.tied,
        "max_context": fields.optional("max_position_embeddings", "seq_length", "n_positions", most=2**31),
        "native_format": native,
        "layers": [{"n": n, "mixer": mixer, "ffn": ffn, "norms": norms} for (mixer, ffn, norms), n in made.groups.items()],
        "extra_params": [{"what": what, "count": count, "active": active} for what, count, active in made.extra],
        "source": (FROM_FILE,),
        "sources": {FROM_FILE: Source(title=str(path), seen=seen)},
    }
    try:
        draft = LanguageModel.model_validate(record)
        record["parameters"] = {**record["parameters"], "total": int(draft.architecture.parameters)}
        return LanguageModel.model_validate(record)
    except ValidationError as error:
        _refuse(path, "; ".join(explain(error)[:3]))


def native_format(config: Mapping[str, Any], path: Path) -> str:
    """Id of the format the checkpoint is stored in, from quantization_config or the dtype. Raises UsageError."""
    quantised = config.get("quantization_config") or config.get("compression_config")
    if isinstance(quantised, Mapping):
        return _quantised(quantised, path)
    dtype = str(config.get("torch_dtype") or config.get("dtype") or "bfloat16").removeprefix("torch.")
    if dtype not in DTYPES:
        _refuse(path, f"dtype {dtype[:40]!r} is not known; known: {', '.join(DTYPES)}")
    return DTYPES[dtype]


def _quantised(config: Mapping[str, Any], path: Path) -> str:
    method = str(config.get("quant_method") or config.get("quant_algo") or "").lower()
    bits = config.get("bits") or config.get("w_bit")
    if method in ("awq", "gptq", "auto-round", "auto_round", "autoround"):
        if bits == 8:
            return "int8-w8a16"
        if bits in (None, 4):
            return "int4-awq-g128" if method == "awq" else "int4-gptq-g128"
    elif method in ("fp8", "fbgemm_fp8"):
        return "fp8"
    elif method == "mxfp4":
        return "mxfp4-experts"
    elif method == "bitsandbytes":
        return "int4-nf4" if config.get("load_in_4bit") else "int8-w8a16"
    elif method.startswith("modelopt") or method in ("nvfp4", "w4a16_awq"):
        algorithm = str(config.get("quant_algo") or method).lower()
        for word, name in (("nvfp4", "nvfp4"), ("fp4", "nvfp4"), ("fp8", "fp8"), ("awq", "int4-awq-g128"), ("int8", "int8")):
            if word in algorithm:
                return name
    elif method in ("compressed-tensors", "sparseml") and (packed := _compressed(config)):
        return packed
    _refuse(
        path,
        f"quantization_config: method {method[:40]!r} with {str(bits or 'unstated')[:20]} bits is not known; known: {KNOWN_METHODS}. "
        "Remove the block and use --weights to choose the format",
    )


def _compressed(config: Mapping[str, Any]) -> str | None:
    groups = config.get("config_groups")
    group = next(iter(groups.values()), None) if isinstance(groups, Mapping) else None
    weights = group.get("weights") if isinstance(group, Mapping) else None
    if not isinstance(group, Mapping) or not isinstance(weights, Mapping):
        return None
    kind, bits, size = weights.get("type"), weights.get("num_bits"), weights.get("group_size")
    if kind == "float":
        return {8: "fp8", 4: "nvfp4" if size == 16 else "mxfp4"}.get(bits if isinstance(bits, int) else 0)
    if bits == 8:
        return "int8" if group.get("input_activations") else "int8-w8a16"
    if bits == 4:
        kept = json.dumps(config.get("ignore") or [])
        return "int4-g32-experts" if size == 32 and "attn" in kept else "int4-gptq-g128"
    return None


def _slug(label: str, kind: str) -> str:
    slug = re.sub(r"[^a-z0-9._-]+", "-", label.lower()).strip("-._")[:80]
    return slug or re.sub(r"[^a-z0-9._-]+", "-", kind.lower()).strip("-._") or "local-model"


def _refuse(path: Path, why: str) -> NoReturn:
    raise UsageError(f"{path}: {why}")
