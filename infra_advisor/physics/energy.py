"""Power drawn while serving, and what a token costs in energy."""

from infra_advisor.physics.elementwise import Number


def serving_power_w(
    *,
    board_w: Number,  # rated power of one accelerator [W]
    accelerators: Number,  # [1]
    draw_share: Number,  # of the rated power drawn while serving [1]
    host_share: Number,  # host, fans and network, per watt of accelerator [1]
) -> Number:
    """Electric power of the machine at its plug while it serves. [W]"""
    return board_w * accelerators * draw_share * (1.0 + host_share)


def tokens_per_joule(*, output_tokens_per_s: Number, power_w: Number, facility_overhead: Number) -> Number:
    """Output tokens for each joule taken from the grid; `facility_overhead` is the PUE. [tokens/J]"""
    return output_tokens_per_s / (power_w * facility_overhead)
