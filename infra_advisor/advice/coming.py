"""Which requests a simulation runs: from a stated load, a burst, or a trace that is read once for its means and once as it is replayed."""

import math
from dataclasses import dataclass

from infra_advisor.advice.named import Named
from infra_advisor.advice.question import Understood
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.model_names import resolve_model
from infra_advisor.facts.traces import Tally, TraceSummary, mean_lengths, read_trace
from infra_advisor.search.sources import MOST_SENDERS, OpenSource, at_once, burst, of_load
from infra_advisor.search.traffic import DEFAULT_REQUESTS, Draws, Traffic
from infra_advisor.search.workload import LEAST_LOAD, Workload
from infra_advisor.simulator.run import Source

REQUESTS_PER_IN_FLIGHT = 12
"""At least, where their number is left open: the warm-up is a tenth of them, and lasts until the replicas have filled."""
MOST_REQUESTS = 1_000_000
"""Where their number is left open."""


@dataclass(frozen=True)
class Coming:
    """The requests of a run."""

    source: Source
    closed: bool
    """Senders wait for answers."""
    total: int
    draws: Draws | None = None
    """Where their lengths come from; None with a trace."""


def trace_summary(catalog: Catalog, workload: Workload, traffic: Traffic) -> TraceSummary | None:
    """The trace on average, None where the load is stated. Raises UsageError where the load is stated twice or not at all."""
    loads = [*workload.loads_given, *(["trace"] if traffic.trace else []), *(["burst"] if traffic.burst else [])]
    if len(loads) > 1:
        raise UsageError(f"{' and '.join(f'--{name}' for name in loads)} contradict each other: state the load in one way")
    if not loads:
        raise UsageError("how many requests come? State --users, --rate, --concurrency, --tokens-per-day, --burst or --trace FILE")
    if traffic.at_once and workload.concurrency is None:
        raise UsageError("--at-once sends a fixed number of requests in flight at the start: state --concurrency, or use --burst")
    if traffic.trace is None:
        return None
    if traffic.trace.exists() and not traffic.trace.is_file():
        raise UsageError(f"{traffic.trace}: not a regular file; a trace is read twice, so save it to a file first")
    longest = resolve_model(workload.model, catalog).model.max_context
    return mean_lengths(traffic.trace, speed=traffic.trace_speed, longest_request_tokens=longest)


def whole_load(workload: Workload, traffic: Traffic, summary: TraceSummary | None) -> Workload:
    """The workload with the load of a burst, or with the mean lengths and the mean rate of a trace."""
    if traffic.burst:
        return workload.with_changes(concurrency=float(traffic.burst))
    if summary is None:
        return workload
    lengths = {
        "input_tokens": max(round(summary.mean_input_tokens), 1),
        "output_tokens": max(round(summary.mean_output_tokens), 1),
    }
    if summary.mean_rate_per_s is None:
        return workload.with_changes(**lengths, concurrency=float(summary.requests))
    return workload.with_changes(**lengths, request_rate_per_s=summary.mean_rate_per_s)


def load_per_replica(workload: Workload, traffic: Traffic, summary: TraceSummary | None, replicas: int) -> Workload:
    """One replica's part of the load: by it the deployment is chosen where its layout was left open."""
    whole = whole_load(workload, traffic, summary)
    return whole.with_changes(**{name: max(getattr(whole, name) / replicas, LEAST_LOAD) for name in whole.loads_given})


def _usual(meant: Named, replicas: int) -> int:
    """How many requests a run has where that is left open."""
    assert meant.row is not None
    if meant.found.over[meant.row.place]:  # what queues without end is never steady
        filled = round(meant.understood.workload.concurrency or 0.0) * replicas
    else:
        filled = math.ceil(REQUESTS_PER_IN_FLIGHT * float(meant.found.concurrency[meant.row.place]) * replicas)
    return max(DEFAULT_REQUESTS, min(filled, MOST_REQUESTS))


def coming_requests(understood: Understood, meant: Named, traffic: Traffic, summary: TraceSummary | None, replicas: int) -> Coming:
    """The requests themselves; each run needs new ones."""
    workload = understood.workload
    if summary is not None:
        assert traffic.trace is not None
        arrivals = read_trace(
            traffic.trace, speed=traffic.trace_speed, longest_request_tokens=int(understood.longest_tokens), tally=Tally()
        )
        return Coming(OpenSource(arrivals), False, summary.requests)
    assert meant.row is not None
    place = meant.row.place
    request_s = float(meant.found.solved.served.request_s(meant.found.timing.output_tokens)[place])
    requests = traffic.requests or _usual(meant, replicas)
    lengths = traffic.lengths_for(in_step=workload.concurrency is not None)
    draws = Draws(traffic.seed, lengths, workload.input_tokens, workload.output_tokens, understood.longest_tokens)
    if traffic.burst:
        return Coming(burst(draws, traffic.burst), False, traffic.burst, draws)
    count = math.ceil(workload.concurrency or 0.0)
    if count > min(requests, MOST_SENDERS):
        why = f"accepted: up to {MOST_SENDERS:,}" if count > MOST_SENDERS else f"more than the {requests:,} requests of the run"
        raise UsageError(f"--concurrency {count:,}: {why}")
    if traffic.at_once:
        return Coming(at_once(draws, count, requests), True, requests, draws)
    source, closed = of_load(draws, understood.load, requests, request_s)
    return Coming(source, closed, requests, draws)
