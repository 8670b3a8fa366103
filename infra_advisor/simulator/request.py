"""One request on its way through a run, and what became of it."""

import math
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Request:
    """Lengths and times of one request. Times are on the clock of the run [s]; nan where the moment has not come."""

    arrival_s: float
    input_tokens: int
    output_tokens: int
    blocks: tuple[int, ...] | None = None
    """Ids of the blocks of its prompt, in order; equal leading ids are a shared prefix. None = unknown."""
    sender: int = 0
    """Who waits for the answer, where a source sends the next request only then."""
    first_token_s: float = math.nan
    finish_s: float = math.nan
    factor: float = 1.0
    """Measured over simulated time to the first token, for the hardware that serves it. [1]"""
    outside_s: float = 0.0
    """Spent outside the engine before the first token: request handling, a pipeline's other stages, transfer of the cache. [s]"""
    replica: int = -1
    cached_tokens: int = 0
    """Of the prompt, found in the prefix cache."""
    preemptions: int = 0
    rejected: bool = False
    """Never ran: it does not fit into the cache even alone."""

    # -- of the replica that runs it
    depth: int = 0
    """Prompt tokens already in the cache."""
    todo: int = 0
    """Prompt tokens still to be prefilled."""
    left: float = 0.0
    """Output tokens still to come after the next one."""
    prompt_bytes: float = 0.0
    """Of the cache, for its whole prompt."""
    held_bytes: float = 0.0
    """Of the cache, when its decode began. Grows from there with each token."""
    joined: float = 0.0
    """The replica's token clock when its decode began."""
    context: float = 0.0
    """Tokens it attended to when its decode began."""
    place: int = -1
    """Order of admission; -1 while it does not decode."""

    @property
    def ttft_s(self) -> float:
        """From arrival to the first token, inside the engine and outside. [s]"""
        return self.factor * (self.first_token_s - self.arrival_s + self.outside_s)

    @property
    def e2e_s(self) -> float:
        """From arrival to the last token. [s]"""
        return self.ttft_s + self.finish_s - self.first_token_s

    @property
    def tpot_s(self) -> float:
        """Mean time per output token after the first; nan for an answer of one token. [s]"""
        return (self.finish_s - self.first_token_s) / (self.output_tokens - 1) if self.output_tokens > 1 else math.nan
