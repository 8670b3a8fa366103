"""Continuous batching in closed form: what one request sees when others are in flight."""

from collections.abc import Callable
from dataclasses import dataclass

from infra_advisor.physics.elementwise import Number, log, maximum, minimum, where


@dataclass(frozen=True)
class Served:
    """Steady state of one replica at one load. All of one shape: float or array."""

    tpot_s: Number
    """Mean time per output token after the first [s]."""
    ttft_s: Number
    """Mean time to the first token, queue included [s]."""
    running: Number
    """Mean sequences that decode together."""
    step_s: Number
    """One decode step at that batch, without prefill in between [s]."""
    queue_s: Number
    """Part of the TTFT spent behind other prompts [s]."""
    admission_s: Number
    """Part of the TTFT spent waiting for room in the batch [s]; above zero the replica is saturated."""
    prefill_load: Number
    """Share of time the replica spends on prompts [1]."""
    in_flight: Number
    """Requests in flight at this replica [requests]."""

    def request_s(self, output_tokens: Number) -> Number:
        """Mean time from sending a request to its last token. [s]"""
        return self.ttft_s + (output_tokens - 1.0) * self.tpot_s

    def output_tokens_per_s(self, output_tokens: Number) -> Number:
        """Output tokens/s of the replica, by Little's law: in flight x output / time of a request. [tokens/s]"""
        return self.in_flight * output_tokens / self.request_s(output_tokens)


def serve(
    *,
    in_flight: Number,  # requests at this replica: queued, prefilling and decoding
    most_running: Number,  # sequences that memory and the engine allow at once
    output_tokens: Number,  # of one request [tokens]
    decode_step_s: Callable[[Number], Number],  # batch -> time of one step [s]
    prompt_alone_s: Number,  # prefill of one prompt on an idle replica [s]
    prompt_share_s: Number,  # time per prompt when prompts share passes, on all ranks and stages at once [s]
    prompt_stall_s: Number,  # by which the prefill of another prompt delays a running sequence [s]
    frontend_s: Number,  # network-free request handling and tokenising [s]
    queue_weight: Number,  # scale of the prefill queue: 0.5 for Poisson arrivals into a single server (M/D/1) [1]
    rank_wait_steps: Number,  # decode steps a prompt waits for other attention-parallel ranks [1]
    never_met: Number = 1.0,  # requests in flight that a new one cannot meet: itself in a closed load (1), none of open arrivals (0)
) -> Served:
    """Steady state of a replica that batches continuously, with `in_flight` requests always present. [s]

    Decode is slowed by the prefill of others; the running batch excludes time spent in prefill; a prompt waits for the prompts before it,
    for half a running step, and for a place in the batch when all are taken.
    The wait W behind other prompts obeys two laws at once, with prefill load rho = throughput x prefill time s of one prompt: the
    single-server queue W = w s rho / (1 - rho), and Little's law rho = n s / (cycle + W). Eliminating rho: W^2 + (cycle - n s) W = w n s^2.
    Ignores the burst at the start of a benchmark and the spread of lengths.
    Source: own derivation; Little's law; Pollaczek-Khinchine for the queue.
    """
    batch = minimum(in_flight, most_running)
    running = batch
    for _ in range(3):
        step_s = decode_step_s(maximum(running, 1.0))
        tpot_s = step_s + prompt_stall_s * maximum(running - 1.0, 0.0) / output_tokens
        running = batch * output_tokens * tpot_s / (output_tokens * tpot_s + prompt_alone_s)
    others = minimum(maximum(in_flight - never_met, 0.0), 1.0)
    cycle_s = output_tokens * tpot_s + prompt_alone_s
    ahead_s = batch * prompt_share_s
    behind_s = ahead_s - cycle_s
    wait_s = maximum(behind_s + (behind_s**2 + 4.0 * queue_weight * others * ahead_s * prompt_share_s) ** 0.5, 0.0) / 2.0
    queue_s = wait_s + others * (0.5 + rank_wait_steps) * step_s
    admission_s = maximum(in_flight / most_running - 1.0, 0.0) * (cycle_s + wait_s)
    return Served(
        tpot_s=tpot_s,
        ttft_s=frontend_s + prompt_alone_s + queue_s + admission_s,
        running=running,
        step_s=step_s,
        queue_s=queue_s,
        admission_s=admission_s,
        prefill_load=minimum(ahead_s / (cycle_s + wait_s), 1.0),
        in_flight=in_flight,
    )


def waiting_quantile_s(*, mean_wait_s: Number, busy_share: Number, quantile: Number) -> Number:
    """Quantile of a wait that is zero with probability 1 - busy share and exponential otherwise. [s]

    P(wait > t) = rho exp(-rho t / mean), the exact law of M/M/1 and the usual heavy-traffic tail of single-server queues.
    Zero where the busy share lies below 1 - quantile.
    """
    busy = maximum(busy_share, 1e-9)
    return where(busy > 1.0 - quantile, mean_wait_s / busy * log(maximum(busy / (1.0 - quantile), 1.0)), 0.0 * mean_wait_s)
