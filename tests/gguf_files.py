"""Write small GGUF files for tests: a real header in front of a sparse body of the right length."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

Key = int | float | bool | str | Sequence["Key"]
F32, F16, Q4_K, Q6_K, Q8_0 = 0, 1, 12, 14, 8
BLOCK = {F32: (1, 4), F16: (1, 2), Q4_K: (256, 144), Q6_K: (256, 210), Q8_0: (32, 34)}

Tensors = Mapping[str, tuple[tuple[int, ...], int]]
"""Name -> (shape, type)."""


def text(value: str) -> bytes:
    """A length and the bytes."""
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def typed(value: Key) -> tuple[int, bytes]:
    """(type, bytes) of a value."""
    if isinstance(value, bool):
        return 7, struct.pack("<?", value)
    if isinstance(value, int):
        return 4, struct.pack("<I", value)
    if isinstance(value, float):
        return 6, struct.pack("<f", value)
    if isinstance(value, str):
        return 8, text(value)
    items = [typed(item) for item in value]
    return 9, struct.pack("<IQ", items[0][0] if items else 4, len(items)) + b"".join(raw for _, raw in items)


def header(keys: Mapping[str, Key], tensors: Tensors, *, version: int = 3) -> tuple[bytes, int]:
    """(header padded to the data, bytes of data)."""
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(keys))
    for name, value in keys.items():
        kind, raw = typed(value)
        out += text(name) + struct.pack("<I", kind) + raw
    offset = 0
    for name, (shape, kind) in tensors.items():
        out += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", n) for n in shape) + struct.pack("<IQ", kind, offset)
        offset += -(-tensor_bytes(shape, kind) // 32) * 32
    return out + bytes(-len(out) % 32), offset


def tensor_bytes(shape: Sequence[int], kind: int) -> int:
    """Bytes of one tensor."""
    elements = 1
    for n in shape:
        elements *= n
    values, size = BLOCK[kind]
    return elements // values * size


def write(path: Path, keys: Mapping[str, Key], tensors: Tensors, *, version: int = 3) -> int:
    """Write the file with a hole for its data; returns the bytes of all tensors."""
    head, body = header(keys, tensors, version=version)
    with path.open("wb") as stream:
        stream.write(head)
        stream.truncate(len(head) + body)
    return sum(tensor_bytes(shape, kind) for shape, kind in tensors.values())


def llama_keys(
    *, layers: int, hidden: int, inter: int, heads: int, kv_heads: int, vocab: int, architecture: str = "llama", file_type: int = 15
) -> dict[str, Key]:
    """The keys llama.cpp writes for a Llama."""
    return {
        "general.architecture": architecture,
        "general.name": "Tiny Llama",
        "general.file_type": file_type,
        f"{architecture}.block_count": layers,
        f"{architecture}.context_length": 8192,
        f"{architecture}.embedding_length": hidden,
        f"{architecture}.feed_forward_length": inter,
        f"{architecture}.attention.head_count": heads,
        f"{architecture}.attention.head_count_kv": kv_heads,
        f"{architecture}.vocab_size": vocab,
        f"{architecture}.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": ["a", "b", "c"],
    }


def llama_tensors(
    *, layers: int, hidden: int, inter: int, heads: int, kv_heads: int, vocab: int, kind: int = Q4_K
) -> dict[str, tuple[tuple[int, ...], int]]:
    """The tensors of a Llama with an untied head."""
    kv = hidden // heads * kv_heads
    tensors: dict[str, tuple[tuple[int, ...], int]] = {
        "token_embd.weight": ((hidden, vocab), kind),
        "output.weight": ((hidden, vocab), kind),
        "output_norm.weight": ((hidden,), F32),
    }
    for layer in range(layers):
        for name, shape in {
            "attn_q": (hidden, hidden), "attn_k": (hidden, kv), "attn_v": (hidden, kv), "attn_output": (hidden, hidden),
            "ffn_gate": (hidden, inter), "ffn_up": (hidden, inter), "ffn_down": (inter, hidden),
        }.items():  # fmt: skip
            tensors[f"blk.{layer}.{name}.weight"] = (shape, kind)
        for name in ("attn_norm", "ffn_norm"):
            tensors[f"blk.{layer}.{name}.weight"] = ((hidden,), F32)
    return tensors
