"""Mooncake's JSON lines: one request per line, times in milliseconds, the prompt as ids of blocks of 512 tokens.

Equal leading ids of two requests are a shared beginning of their prompts.
"""

import json
from collections.abc import Mapping
from typing import Any

from infra_advisor.errors import did_you_mean
from infra_advisor.facts.traces.arrivals import BLOCK_TOKENS
from infra_advisor.facts.traces.rows import FARTHEST_S, NO_WHOLE_NUMBER, IncompleteRow, MalformedRow, Row, shown

KEYS = ("timestamp", "input_length", "output_length")
"""Of every request; `hash_ids` may be absent, others are not looked at."""

_MS_PER_S = 1e3
_FARTHEST_MS = FARTHEST_S * _MS_PER_S
_INTEGERS = frozenset({int})
_decode = json.JSONDecoder().raw_decode


def parse_mooncake(line: str) -> Row:
    """One request. Raises MalformedRow, and IncompleteRow where the object is not closed."""
    record = _record(line.strip())
    try:
        timestamp, input_length, output_length = record["timestamp"], record["input_length"], record["output_length"]
    except KeyError:
        raise MalformedRow(missing_keys(record)) from None
    input_tokens = _tokens(input_length)
    return _seconds(timestamp), input_tokens, _tokens(output_length), _blocks(record.get("hash_ids"), input_tokens)


def missing_keys(record: Mapping[str, object]) -> str:
    """What a request lacks, and which of its keys is perhaps meant; empty where it lacks nothing."""
    missing = [key for key in KEYS if key not in record]
    if not missing:
        return ""
    near = (f" {shown(key)} stands there.{hint}" for key in record if key not in KEYS and (hint := did_you_mean(key, missing)))
    return f"no {', '.join(missing)} in the object; a request has {', '.join(KEYS)}.{next(near, '')}"


def _record(text: str) -> dict[str, Any]:
    if not text.startswith("{"):
        raise MalformedRow(f"{shown(text)} is no JSON object; accepted: one object per line")
    record: dict[str, Any]
    try:
        record, end = _decode(text)
    except json.JSONDecodeError as error:
        kind = MalformedRow if text.endswith("}") else IncompleteRow
        raise kind(f"not JSON: {error.msg} (column {error.colno}); accepted: one object per line") from None
    except (ValueError, RecursionError) as error:  # a number with more digits than Python reads, or lists without end
        raise MalformedRow(f"not readable as JSON: {error}") from None
    if end != len(text):
        raise MalformedRow(f"{shown(text[end:])} stands behind the object; accepted: one object per line")
    return record


def _seconds(timestamp: Any) -> float:
    """Of a timestamp in milliseconds. A comparison is false for nan, and takes integers that no float can hold."""
    if type(timestamp) not in (int, float) or not -_FARTHEST_MS <= timestamp <= _FARTHEST_MS:
        raise MalformedRow(f"timestamp is {shown(timestamp)}; accepted: milliseconds as a finite number of at most {_FARTHEST_MS:g}")
    return float(timestamp / _MS_PER_S)


def _tokens(length: object) -> int:
    if type(length) is int:
        return length
    return int(length) if isinstance(length, float) and length.is_integer() else NO_WHOLE_NUMBER


def _blocks(ids: object, input_tokens: int) -> tuple[int, ...] | None:
    if ids is None:
        return None
    # By type, not with isinstance(): true and false are no ids.
    if not isinstance(ids, list) or not _INTEGERS.issuperset(map(type, ids)):
        raise MalformedRow(f"hash_ids is {shown(ids)}; accepted: a list of integers, or none at all")
    # Traces of smaller blocks, some with times in seconds, look alike; read as this format, all their figures would be wrong.
    if input_tokens > 0 and (len(ids) - 1) * BLOCK_TOKENS >= input_tokens:
        raise MalformedRow(
            f"hash_ids holds {len(ids):,} blocks for {input_tokens:,} tokens; accepted: blocks of {BLOCK_TOKENS} tokens. "
            "For a trace of other blocks, take hash_ids out and see that timestamp is in milliseconds"
        )
    return tuple(ids)
