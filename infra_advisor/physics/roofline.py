"""The roofline: moving bytes against computing, joined by a smooth maximum."""

from infra_advisor.physics.elementwise import Number, minimum, smooth_maximum


def roofline_s(
    *,
    moved_bytes: Number,  # read and written once in the pass [bytes]
    flop: Number,  # multiply-accumulates counted twice [FLOP]
    bytes_per_s: Number,  # achievable, not data-sheet [bytes/s]
    flop_per_s: Number,  # achievable, dense, at the precision computed in [FLOP/s]
    sharpness: Number,  # 1 = moving and computing never overlap, large = they always do
) -> Number:
    """Time of one group of operations on one accelerator. [s]

    Between the larger of the two times and their sum. Counts neither launches nor collectives: those are terms of their own.
    Source: scaling-book, roofline.md, "Where Does the Time Go?".
    """
    return smooth_maximum(moved_bytes / bytes_per_s, flop / flop_per_s, sharpness)


def compute_fill(*, rows: Number, half_rows: Number, least: Number) -> Number:
    """Share of the achievable compute rate that a matrix product of `rows` rows reaches. [1]

    rows / (rows + half_rows) + least, never above 1: thin products leave matrix units idle. The time, rows / fill, still rises with rows.
    """
    return minimum(rows / (rows + half_rows) + least, 1.0)


def ridge_flop_per_byte(*, flop_per_s: Number, bytes_per_s: Number) -> Number:
    """Arithmetic intensity above which a pass is bound by compute. [FLOP/byte]"""
    return flop_per_s / bytes_per_s
