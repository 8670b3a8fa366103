"""From a file to measurements: the format is told by what stands in the file, and a broken file costs no more than its broken part."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from infra_advisor.facts.evidence import Measurement, parse_evidence
from infra_advisor.facts.results.aiperf import is_aiperf, read_aiperf
from infra_advisor.facts.results.figures import Place
from infra_advisor.facts.results.guidellm import is_guidellm, read_guidellm
from infra_advisor.facts.results.llama_bench import is_llama_bench, is_markdown, markdown_records, read_llama_bench
from infra_advisor.facts.results.serving import is_sglang, is_vllm, read_serving

FORMATS = (
    "vllm bench serve --save-result (JSON)", "SGLang bench_serving (JSON lines)", "GuideLLM (JSON)", "AIPerf or GenAI-Perf export (JSON)",
    "llama-bench -o json, jsonl, csv or md", "the columns of an evidence table (CSV)",
)  # fmt: skip
LARGEST_FILE_BYTES = 256 * 2**20
"""Reports with every request in them reach a hundred megabytes."""
MOST_PROBLEMS = 200


def read_results(path: Path, problems: list[str]) -> list[Measurement]:
    """What a result file measured, in its order. Facts that the format does not hold (chip, tp ...) are None: state them by hand.

    Never raises for contents: whatever cannot be read is a line in `problems` with file and line, the rest is returned.
    """
    found: list[str] = []
    text = _text(path, found)
    rows = [] if text is None else _read(text, path, found)
    if not rows and not found:
        found.append(f"{path}: holds no results")
    problems += found[:MOST_PROBLEMS]
    if len(found) > MOST_PROBLEMS:
        problems.append(f"{path}: {len(found) - MOST_PROBLEMS:,} more problems")
    return rows


def _text(path: Path, problems: list[str]) -> str | None:
    try:
        if not path.is_file():
            problems.append(f"{path}: not a regular file")
        elif (size := path.stat().st_size) > LARGEST_FILE_BYTES:
            problems.append(f"{path}: {size:,} bytes; a result file holds at most {LARGEST_FILE_BYTES:,}; save it without single requests")
        elif not (text := path.read_text(encoding="utf-8-sig")).strip():
            problems.append(f"{path}: is empty")
        else:
            return text
    except UnicodeDecodeError as error:
        problems.append(f"{path}: not UTF-8 (byte {error.start})")
    except OSError as error:
        problems.append(f"{path}: {error.strerror or error}")
    return None


def _read(text: str, path: Path, problems: list[str]) -> list[Measurement]:
    if text.lstrip()[0] in "{[":
        return _numbered(_from_records(_json_records(text, path, problems)), path)
    lines = text.splitlines()
    if is_markdown(lines):
        return _numbered(read_llama_bench(markdown_records(lines, str(path), problems)), path)
    header = lines[next(number for number, line in enumerate(lines) if line.strip())]
    if "avg_ts" in header and "n_prompt" in header:
        return _numbered(read_llama_bench(_csv_records(text, path, problems)), path)
    if "," not in header:
        problems.append(f"{path}:1: {_unknown()}")
        return []
    table = parse_evidence(text, path, problems)
    problems += table.problems(own_columns=True)
    return list(table.rows)


def _unknown() -> str:
    return f"no known format; read are: {'; '.join(FORMATS)}"


Located = tuple[Any, Place]


def _json_records(text: str, path: Path, problems: list[str]) -> list[Located]:
    """The document, or its elements where it is a list, or one per line."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        lines = text.splitlines()
        if not _one_per_line(lines):
            problems.append(f"{path}:{error.lineno}: not JSON: {error.msg} (column {error.colno}); is the file cut off?")
            return []
        return [item for number, line in enumerate(lines, 1) if line.strip() for item in _line(line, Place(f"{path}:{number}", problems))]
    except (ValueError, RecursionError) as error:
        problems.append(f"{path}: not readable as JSON: {error}")
        return []
    if isinstance(document, list):
        return [(item, Place(f"{path}: [{position}]", problems)) for position, item in enumerate(document)]
    return [(document, Place(str(path), problems))]


def _one_per_line(lines: list[str]) -> bool:
    """True where most lines look like an object of their own."""
    stated = [line.strip() for line in lines if line.strip()]
    return 2 * sum(line.startswith("{") and line.endswith("}") for line in stated) >= len(stated)


def _line(line: str, place: Place) -> list[Located]:
    try:
        return [(json.loads(line), place)]
    except json.JSONDecodeError as error:
        place.problem(f"not JSON: {error.msg} (column {error.colno}); is the line cut off?")
    except (ValueError, RecursionError) as error:
        place.problem(f"not readable as JSON: {error}")
    return []


def _csv_records(text: str, path: Path, problems: list[str]) -> Iterable[Located]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for record in reader:
            if None in record or None in record.values():
                problems.append(f"{path}:{reader.line_num}: not as many cells as the header has")
            else:
                yield record, Place(f"{path}:{reader.line_num}", problems)
    except csv.Error as error:
        problems.append(f"{path}:{reader.line_num}: {error}; the rest is not read")


def _from_records(records: list[Located]) -> Iterable[Measurement]:
    rows: list[Measurement | None] = []
    tests: list[Located] = []
    unknown: list[Place] = []
    for record, place in records:
        if not isinstance(record, Mapping):
            unknown.append(place)
        elif is_llama_bench(record):
            tests.append((record, place))
        elif is_guidellm(record):
            rows += read_guidellm(record, place)
        elif is_aiperf(record):
            rows.append(read_aiperf(record, place))
        elif is_sglang(record) or is_vllm(record):
            rows.append(read_serving(record, place))
        else:
            unknown.append(place)
    rows += read_llama_bench(tests)
    if unknown:
        unknown[0].problem(_unknown() if len(unknown) == len(records) else "not a result of a known format")
        for place in unknown[1:] if len(unknown) < len(records) else ():
            place.problem("not a result of a known format")
    return (row for row in rows if row is not None)


def _numbered(rows: Iterable[Measurement], path: Path) -> list[Measurement]:
    """Rows with ids that name the file and the position in it."""
    return [replace(row, row_id=f"{path.name}#{position}") for position, row in enumerate(rows, 1)]
