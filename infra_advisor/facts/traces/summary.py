"""What a trace asks for on average."""

from dataclasses import dataclass
from pathlib import Path

from infra_advisor.facts.traces.arrivals import Tally
from infra_advisor.facts.traces.read import read_trace


@dataclass(frozen=True)
class TraceSummary:
    """The requests of one trace, of which there is at least one."""

    requests: int
    span_s: float
    """From the first arrival to the last. [s]"""
    mean_input_tokens: float
    """Per request. [tokens]"""
    mean_output_tokens: float
    """Per request. [tokens]"""
    mean_rate_per_s: float | None
    """One over the mean gap between arrivals; None where all arrive at once. [requests/s]"""
    longest_tokens: int
    """Prompt and answer of the longest request. [tokens]"""
    has_blocks: bool
    """At least one request tells the blocks of its prompt."""
    tally: Tally
    """What was left out or changed."""


def mean_lengths(path: Path | str, *, speed: float = 1.0, longest_request_tokens: int | None = None) -> TraceSummary:
    """Read a trace once, keeping no request. Rules and errors are those of `read_trace`."""
    tally = Tally()
    requests = input_tokens = output_tokens = longest = 0
    span_s = 0.0
    has_blocks = False
    for arrival in read_trace(path, speed=speed, longest_request_tokens=longest_request_tokens, tally=tally):
        requests += 1
        span_s = arrival.arrival_s
        input_tokens += arrival.input_tokens
        output_tokens += arrival.output_tokens
        longest = max(longest, arrival.input_tokens + arrival.output_tokens)
        has_blocks = has_blocks or arrival.blocks is not None
    return TraceSummary(
        requests=requests,
        span_s=span_s,
        mean_input_tokens=input_tokens / requests,
        mean_output_tokens=output_tokens / requests,
        mean_rate_per_s=(requests - 1) / span_s if span_s > 0.0 else None,
        longest_tokens=longest,
        has_blocks=has_blocks,
        tally=tally,
    )
