"""Recorded request traces, read as a stream: when each request arrived and how long it was. Recognised by content, never by name."""

from infra_advisor.facts.traces.arrivals import BLOCK_TOKENS, LONGEST_REQUEST_TOKENS, Arrival, Tally
from infra_advisor.facts.traces.formats import FORMATS
from infra_advisor.facts.traces.read import read_trace
from infra_advisor.facts.traces.summary import TraceSummary, mean_lengths

__all__ = ["BLOCK_TOKENS", "FORMATS", "LONGEST_REQUEST_TOKENS", "Arrival", "Tally", "TraceSummary", "mean_lengths", "read_trace"]
