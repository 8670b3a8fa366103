"""llama-bench in its formats json, jsonl, csv and md: prompt processing (pp) and generation (tg) are separate tests.

Tests with the same settings are paired in order, as one measurement with a prefill rate and a decode rate. One sequence, no
tokenizer, sampler or HTTP time; generation starts behind `n_depth` tokens, from an empty context where that is 0.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple

from infra_advisor.facts.evidence import Measurement
from infra_advisor.facts.results.figures import Place, text

LLAMA_BENCH = "llama-bench"
_SETTINGS = (
    "build_commit", "model_filename", "model_type", "gpu_info", "cpu_info", "backends", "n_threads", "type_k", "type_v", "n_gpu_layers",
    "n_cpu_moe", "split_mode", "flash_attn", "n_batch", "n_ubatch", "devices", "tensor_split", "n_depth", "no_kv_offload",
    "backend", "ngl", "threads", "fa", "sm", "ts", "dev", "model",
)  # fmt: skip
_QUANT = re.compile(
    r"(?i)(?<![a-z0-9])((?:ud-)?(?:iq\d_(?:xxs|xs|s|m|nl)|q\d_k_(?:xxl|xl|l|m|s)|q\d_[01k]|mxfp4(?:[-_ ]moe)?|bf16|f16|f32))(?![a-z0-9_])"
)
_NAMED = re.compile(r"(?i)\b(iq\d_\w+|q\d_k)\s*-\s*(?:(small|medium|large)|[\d.]+ bpw)")
_MD_TEST = re.compile(r"(pp|tg)\s*(\d+)(?:\s*\+\s*tg\s*(\d+))?(?:\s*@\s*d\s*(\d+))?")
_MD_RATE = re.compile(r"\s*([\d.]+)(?:\s*(?:±|\+/-)\s*[\d.]+)?\s*")


class Test(NamedTuple):
    """One line of llama-bench."""

    record: Mapping[str, Any]
    place: Place
    prompt: int
    generated: int
    depth: int
    rate: float


def is_llama_bench(record: Mapping[str, Any]) -> bool:
    """A test of llama-bench, from JSON or a CSV row."""
    return "avg_ts" in record and "n_prompt" in record and "n_gen" in record


def read_llama_bench(records: Iterable[tuple[Mapping[str, Any], Place]]) -> Iterator[Measurement]:
    """The measurements of a whole file."""
    tests: dict[tuple[str, ...], tuple[list[Test], list[Test]]] = {}
    mixed: list[Test] = []
    for record, place in records:
        prompt, generated, depth = (place.figure(record, key) or 0.0 for key in ("n_prompt", "n_gen", "n_depth"))
        rate = place.figure(record, "avg_ts", positive=True)
        if rate is None:
            if record.get("avg_ts") is None:
                place.problem("avg_ts is missing")
            continue
        if not prompt and not generated:
            place.problem("neither n_prompt nor n_gen is set")
            continue
        test = Test(record, place, int(prompt), int(generated), int(depth), rate)
        if prompt and generated:
            mixed.append(test)
            continue
        key = tuple(str(record.get(name)) for name in _SETTINGS)
        tests.setdefault(key, ([], []))[1 if generated else 0].append(test)
    for prompts, generations in tests.values():
        for first, second in zip_longest(prompts, generations):
            yield from _paired(first, second)
    yield from map(_whole, mixed)


def _paired(prompt: Test | None, generation: Test | None) -> Iterator[Measurement]:
    test = prompt or generation
    if test is None:
        return
    held = test.depth + (prompt.prompt if prompt else 0)
    told = [f"depth={test.depth}"]
    told += [f"pp={prompt.prompt}"] if prompt else []
    told += [f"tg={generation.generated}"] if generation else []
    yield Measurement(
        input_tokens=float(held) if held else None,
        output_tokens=float(generation.generated) if generation else None,
        prefill_tps=prompt.rate if prompt else None,
        decode_tps_user=generation.rate if generation else None,
        tps_definition="decode-only",
        **_setting(test, told),
    )


def _whole(test: Test) -> Measurement:
    """A prompt and its answer timed together: all tokens over all time."""
    return Measurement(
        input_tokens=float(test.prompt + test.depth),
        output_tokens=float(test.generated),
        total_tps=test.rate,
        output_tps=test.rate * test.generated / (test.prompt + test.generated),
        tps_definition="total",
        **_setting(test, [f"depth={test.depth}", f"pg={test.prompt},{test.generated}"]),
    )


def _setting(test: Test, told: list[str]) -> dict[str, Any]:
    record = test.record
    file, kind = text(record, "model_filename"), text(record, "model_type", "model")
    name = re.split(r"[/\\]", file)[-1].removesuffix(".gguf") if file else kind
    build, number = text(record, "build_commit"), text(record, "build_number")
    device = text(record, "gpu_info") or text(record, "cpu_info")
    backend = text(record, "backends", "backend")
    told = [*told, *(f"{what}={value}" for what, value in (("device", device), ("backend", backend), ("type", kind)) if value)]
    keys, values = text(record, "type_k"), text(record, "type_v")
    on_host = (test.place.figure(record, "n_cpu_moe") or 0.0) > 0.0 or record.get("no_kv_offload") in (True, 1, "1", "true")
    return {
        "source_id": LLAMA_BENCH,
        "measured_date": (text(record, "test_time") or "")[:10] or None,
        "engine": "llama.cpp",
        "engine_version": f"b{number}" if number else build,
        "model": name,
        "weight_dtype": quant_of(file or "") or quant_of(kind or ""),
        "kv_dtype": (keys if keys == values else f"{keys}/{values}") if keys and values else None,
        "concurrency": 1.0,
        "mode": "static-batch",
        "spec_decode": "0",
        "flags": ("host-offload",) if on_host else (),
        "notes": "; ".join(told),
    }


def quant_of(name: str) -> str | None:
    """gguf-q4_k_m of `Qwen2.5-7B-Instruct-Q4_K_M.gguf` or of `qwen2 7B Q4_K - Medium`; None where the name carries no format."""
    if match := _NAMED.search(name):
        size = {"small": "_s", "medium": "_m", "large": "_l"}.get((match[2] or "").lower(), "")
        return f"gguf-{match[1].lower()}{size}"
    match = _QUANT.search(name.removesuffix(".gguf"))
    return "gguf-" + re.sub(r"^ud-|[-_ ]moe$", "", match[1].lower()) if match else None


def is_markdown(lines: list[str]) -> bool:
    """A table whose header names tests and tokens per second."""
    return any(line.lstrip().startswith("|") and {"test", "t/s"} <= {cell.strip() for cell in line.split("|")} for line in lines)


def markdown_records(lines: list[str], path: str, problems: list[str]) -> Iterator[tuple[dict[str, Any], Place]]:
    """The rows of the tables in a text as records with the keys of the other formats."""
    header: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.lstrip().startswith("|"):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if {"test", "t/s"} <= set(cells):
            header = cells
            continue
        if not header or all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            continue
        place = Place(f"{path}:{number}", problems)
        record: dict[str, Any] = dict(zip(header, cells, strict=False))
        test, rate = _MD_TEST.fullmatch(record.get("test", "")), _MD_RATE.fullmatch(record.get("t/s", ""))
        if len(cells) != len(header) or not test or not rate:
            place.problem("not a row of llama-bench: expected a test such as `pp512`, `tg128 @ d4096`, and a rate such as `131.42 ± 0.59`")
            continue
        count = int(test[2])
        both = test[1] == "pp" and test[3]
        record |= {
            "n_prompt": count if test[1] == "pp" else 0,
            "n_gen": int(test[3]) if both else count if test[1] == "tg" else 0,
            "n_depth": int(test[4] or 0),
            "avg_ts": rate[1],
        }
        yield record, place
