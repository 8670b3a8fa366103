"""Time that accelerators of one replica spend waiting for one another."""

from infra_advisor.physics.elementwise import Number, log2


def all_reduce_s(
    *,
    message_bytes: Number,  # size of the reduced tensor on every rank [bytes]
    ranks: Number,  # accelerators that take part [1]
    link_bytes_per_s: Number,  # achievable, one direction, per accelerator [bytes/s]
    hop_s: Number,  # latency of one exchange [s]
) -> Number:
    """One all-reduce: ring volume at the link rate plus a tree of latencies. [s]

    2 (g-1)/g S/beta + log2(g) alpha; zero for one rank. Decode messages are small, so the second part decides.
    Source: NCCL performance notes (bus bandwidth); tree latency of recursive doubling.
    """
    return 2.0 * (ranks - 1.0) / ranks * message_bytes / link_bytes_per_s + log2(ranks) * hop_s


def remote_ranks(*, ranks: Number, experts_per_token: Number) -> Number:
    """Distinct other ranks that hold at least one of a token's experts, expected under uniform routing. [1]

    (ep-1) (1 - (1 - 1/ep)^k).
    """
    return (ranks - 1.0) * (1.0 - (1.0 - 1.0 / ranks) ** experts_per_token)


def all_to_all_s(
    *,
    tokens_per_rank: Number,  # [tokens]
    token_bytes: Number,  # dispatched and combined, both ways together, per token and remote rank [bytes/token]
    ranks: Number,  # expert-parallel group [1]
    experts_per_token: Number,  # [1]
    link_bytes_per_s: Number,  # achievable, one direction [bytes/s]
    hop_s: Number,  # [s]
) -> Number:
    """Dispatch and combine of one mixture-of-experts layer. [s]

    Each token travels once to every distinct remote rank that holds one of its experts, and back. Zero for one rank.
    """
    volume_bytes = tokens_per_rank * token_bytes * remote_ranks(ranks=ranks, experts_per_token=experts_per_token)
    return volume_bytes / link_bytes_per_s + 2.0 * log2(ranks) * hop_s


def pipeline_hops_s(
    *,
    message_bytes: Number,  # activations handed to the next stage [bytes]
    stages: Number,  # pipeline stages [1]
    link_bytes_per_s: Number,  # achievable, one direction [bytes/s]
    hop_s: Number,  # [s]
) -> Number:
    """All hand-overs of one pass through a pipeline: stages - 1 of them. [s]"""
    return (stages - 1.0) * (message_bytes / link_bytes_per_s + hop_s)
