"""How busy the accelerators of a fleet are: what their power depends on."""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from infra_advisor.physics.energy import serving_share
from infra_advisor.physics.serving import Served
from infra_advisor.search.deployments import Column, Deployments
from infra_advisor.search.points import Timing
from infra_advisor.search.terms import Part, total_s

_RATES = {"weights": "linear_flop_per_s", "experts": "expert_flop_per_s", "attention": "score_flop_per_s"}
"""Part of a pass -> the rate its matrix units achieve when they are full."""


@dataclass(frozen=True)
class Busy:
    """Shares of time of one accelerator; one position per deployment."""

    serving: Column
    """Of all time: at least one request is there."""
    kernels: Column
    """Of the serving time: kernels move or compute."""
    computing: Column
    """Of the serving time: what matrix units would need at the rate they achieve."""


def busy(timing: Timing, served: Served, *, open_arrivals: bool) -> Busy:
    """How busy one accelerator of each deployment is at its load: decode steps and prompts, each for its share of the time."""
    d = timing.d
    context = timing.input_tokens + timing.output_tokens / 2.0
    decode = _shares(timing.decode_terms(np.maximum(served.running, 1.0), context), d)
    prefill = _shares(timing.prefill_terms(d.dp), d)
    serving = serving_share(in_flight=served.in_flight) if open_arrivals else np.minimum(served.in_flight, 1.0)
    prompts = np.clip(served.prefill_load / np.maximum(serving, 1e-9), 0.0, 1.0)
    turns = np.where(d.fill_pipeline > 0, 1.0, 1.0 / d.pp)  # stages that take turns wait for one another
    kernels, computing = (turns * (prompts * p + (1.0 - prompts) * s) for p, s in zip(prefill, decode, strict=True))
    return Busy(np.asarray(serving), kernels, np.minimum(computing, 1.0))


def _shares(terms: dict[str, Part], d: Deployments) -> tuple[Column, Column]:
    """(kernels, computing) as shares of one pass."""
    whole_s = total_s(terms)
    kernels_s = reduce(np.add, (part.seconds for part in terms.values() if part.kind == "roofline"))
    computing_s = reduce(np.add, (part.flop / getattr(d, _RATES[name]) for name, part in terms.items() if part.flop is not None))
    return kernels_s / whole_s, computing_s / whole_s
