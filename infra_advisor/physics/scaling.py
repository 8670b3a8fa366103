"""Machines that come and go with the load: how long they run, and who waits for one to start."""

from dataclasses import dataclass

from infra_advisor.physics.elementwise import Number, exp


@dataclass(frozen=True)
class OnOff:
    """One machine that stops when nobody has asked for a while and starts again at the next request."""

    on_share: Number
    """Share of the time it is paid for: starting, or up. [1]"""
    late_share: Number
    """Share of the requests that wait for it to start. [1]"""
    starts_per_s: Number
    """[1/s]"""


def on_off(*, requests_per_s: Number, idle_s: Number, start_s: Number) -> OnOff:
    """A machine that stops after `idle_s` without a request, under Poisson arrivals; `start_s`: from the first request until it answers.

    It is off until the next arrival, 1/r on average; then it starts; then it is up until a gap is longer than the wait w, which takes
    (e^(rw) - 1)/r on average. Late are the request that woke it and those that come while it starts. The time requests themselves take
    is left out: it is short beside the wait.
    Source: own derivation, alternating renewal process.
    """
    starting, gaps = requests_per_s * start_s, exp(requests_per_s * idle_s)
    arrivals = starting + gaps  # of a cycle: one wakes it, then those that come while it starts and while it is up
    return OnOff(
        on_share=(arrivals - 1.0) / arrivals,
        late_share=(1.0 + starting) / arrivals,
        starts_per_s=requests_per_s / arrivals,
    )
