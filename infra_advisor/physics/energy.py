"""Power drawn while serving, and what a token costs in energy and carbon."""

from infra_advisor.physics.elementwise import Number, exp, minimum

JOULES_PER_KWH = 3.6e6
TOKENS_PER_MTOK = 1e6


def accelerator_draw_w(
    *,
    rated_w: Number,  # of one accelerator, as its data sheet states it [W]
    serving_share: Number,  # of the time in which at least one request is there [1]
    kernel_share: Number,  # of the serving time in which kernels move or compute; the rest waits for the host and for links [1]
    compute_share: Number,  # of the serving time that matrix units would need at the rate they achieve [1]
    idle_level: Number,  # power with a model loaded and no request, of the rated power [1]
    serving_level: Number,  # power while serving with no kernel running, likewise; at least the idle level [1]
    kernel_gain: Number,  # added by kernels that run all the time [1]
    compute_gain: Number,  # added by matrix units that work all the time [1]
) -> Number:
    """Mean electric power of one accelerator. [W]

    Idle level, and for the serving share of the time, instead: serving level + kernel gain x kernel share + compute gain x
    sqrt(compute share), never above the rated power. The root says that the first tiles of work cost most: clocks and voltages rise
    at once. Counts the board, not its host. Source: own form; levels and gains are fitted to published measurements.
    """
    serving = minimum(serving_level + kernel_gain * kernel_share + compute_gain * compute_share**0.5, 1.0)
    return rated_w * (idle_level + serving_share * (serving - idle_level))


def serving_share(*, in_flight: Number) -> Number:
    """Share of the time in which at least one request is there, where they arrive by themselves. [1]

    1 - exp(-n) with n in flight on average: exact for Poisson arrivals that do not queue; a queue keeps a replica idle a little longer.
    """
    return 1.0 - exp(-in_flight)


def wall_power_w(
    *,
    accelerators_w: Number,  # all accelerators of the machines, those without work included [W]
    host_w: Number,  # processors, memory, network and fans around them [W]
    facility_overhead: Number,  # PUE: power of the site over that of its machines [1]
) -> Number:
    """Power taken from the grid. [W]"""
    return (accelerators_w + host_w) * facility_overhead


def tokens_per_joule(*, output_tokens_per_s: Number, power_w: Number) -> Number:
    """Output tokens for each joule. [tokens/J]"""
    return output_tokens_per_s / power_w


def kwh_per_mtok(*, tokens_per_joule: Number) -> Number:
    """Electricity of a million tokens. [kWh per 1e6 tokens]"""
    return TOKENS_PER_MTOK / JOULES_PER_KWH / tokens_per_joule


def gco2e_per_mtok(*, kwh_per_mtok: Number, gco2e_per_kwh: Number) -> Number:
    """Carbon of a million tokens: electricity x intensity of the grid, nothing else. [gCO2e per 1e6 tokens]"""
    return kwh_per_mtok * gco2e_per_kwh
