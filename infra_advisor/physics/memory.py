"""What fits into one accelerator, before anything is timed."""

from infra_advisor.physics.elementwise import Number, floor, maximum


def usable_bytes(*, memory_bytes: Number, reserve_bytes: Number, engine_share: Number) -> Number:
    """Memory an engine may fill with weights, activations and KV cache. [bytes]

    The engine's share (below 1: an engine never gets all of it) of what the driver reports, less a fixed reserve for context and graphs.
    """
    return memory_bytes * engine_share - reserve_bytes


def activation_bytes(*, tokens_per_pass: Number, widest_row: Number, element_bytes: Number) -> Number:
    """Working buffers of one pass: two of the widest activation rows for every token in it. [bytes]

    Source: own derivation; engines report within a factor of two of this.
    """
    return 2.0 * tokens_per_pass * widest_row * element_bytes


def most_sequences(
    *,
    pool_bytes: Number,  # left for KV cache and state on one rank [bytes]
    sequence_bytes: Number,  # KV and fixed state of one sequence on one rank, at the tokens it holds [bytes]
) -> Number:
    """Whole sequences whose KV cache and state fit at once on one rank; zero where not even one does. [1]"""
    return maximum(floor(pool_bytes / sequence_bytes), 0.0)


def typical_tokens_held(*, input_tokens: Number, output_tokens: Number) -> Number:
    """Tokens a running sequence keeps in the cache, averaged over a batch in steady state. [tokens]

    Input plus three quarters of the output: blocks are granted ahead and finished sequences leave late.
    """
    return input_tokens + 0.75 * output_tokens
