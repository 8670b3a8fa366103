"""One request of a trace, and the count of what was not taken as it stands."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

BLOCK_TOKENS = 512
"""Prompt tokens of one block of a Mooncake trace. [tokens]"""
LONGEST_REQUEST_TOKENS = 16_777_216
"""No prompt and no answer is longer; a row that says so is a fault of the file. The same limit as of a stated workload. [tokens]"""

NO_INPUT = "no input tokens"
NO_OUTPUT = "no output tokens"
NOT_A_COUNT = "a length that is no whole number of tokens"
ABSURD_LENGTH = f"a length above {LONGEST_REQUEST_TOKENS:,} tokens"
OVER_CONTEXT = "longer than the model's context"
CUT_OFF = "truncated last line"
OUT_OF_ORDER = "arrives before the row above it"


class Arrival(NamedTuple):
    """One request as it reaches the service."""

    arrival_s: float
    """After the first request of the trace, speed-up applied; never less than that of the request before. [s]"""
    input_tokens: int
    """Prompt, at least 1. [tokens]"""
    output_tokens: int
    """Answer, at least 1. [tokens]"""
    blocks: tuple[int, ...] | None
    """Ids of the prompt's leading blocks of BLOCK_TOKENS, the last one possibly partial; requests share the prompt as far as their
    leading ids agree. None where the trace does not say."""


@dataclass
class Tally:
    """Counted while a trace is read. Every row was yielded or is in `skipped` under one reason; `clamped` rows were yielded."""

    rows: int = 0
    """Rows of data seen, blank lines not counted."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Rows left out, by reason."""
    clamped: Counter[str] = field(default_factory=Counter)
    """Rows changed, by reason."""
