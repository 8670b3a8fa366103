"""What one replica is: its laws of time and its rules of scheduling."""

from dataclasses import dataclass

from infra_advisor.simulator.laws import CacheLaw, DecodeLaw, PrefillLaw


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Rules of a replica. Requests are served first come, first served."""

    decode: DecodeLaw
    prefill: PrefillLaw
    cache: CacheLaw
    most_running: int
    """Sequences that decode or are in prefill at once."""
    tokens_per_pass: float
    """Tokens an engine puts into one pass, over all attention-parallel ranks."""
    chunked: bool = True
    """Prompts are cut at the token budget, and what runs takes its tokens from it; else a pass holds whole prompts and at least one."""
    continuous: bool = True
    """New requests join while others decode; else a batch is run to its end first."""
    stall_share: float = 1.0
    """Part of a pass by which it delays the sequences that decode: 1 = they stand still. [1]"""
    stages: float = 1.0
    """Pipeline stages that work on different passes at once."""
    rank_wait_steps: float = 0.0
    """Decode steps a prompt waits for the other attention-parallel ranks, where anything decodes. [1]"""
    reserve_output: bool = False
    """A request is admitted only when its whole answer fits into the cache; else the newest is preempted when the cache is full."""
    shared_share: float = 0.0
    """Part of every prompt that all have in common and the cache holds once. [1]"""
    block_tokens: int = 0
    """Of a block of the prefix cache; 0 = there is none."""
    handling_s: float = 0.0
    """Before a request reaches the queue, and with its first token; takes no time of the engine. [s]"""
    handling_each_s: float = 0.0
    """Added to it by each other request in flight. [s]"""
    ttft_factor: float = 1.0
    """Measured over simulated time to the first token. [1]"""
    hands_over: bool = False
    """Prefill only: a request leaves with its first token."""
