"""Requests one by one through a deployment that was named: percentiles, goodput, queues."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from infra_advisor.advice.answer import Violation
from infra_advisor.advice.build import answers
from infra_advisor.advice.coming import Coming, coming_requests, load_per_replica, trace_summary, whole_load
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.named import Named, Shape, named
from infra_advisor.advice.near import time_violations
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.question import Understood, limits_part, payment_part, stamp, understand, workload_part
from infra_advisor.advice.simulated import FleetPart, RequestsPart, SamplePart, SimulateAnswer, TimePart, TracePart
from infra_advisor.advice.spending import use_of_machines
from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.traces import BLOCK_TOKENS, TraceSummary
from infra_advisor.search.laws import engines, scheduling_of
from infra_advisor.search.outcome import Simulated, Statistics, within
from infra_advisor.search.simulate import ROUTERS, Fleet
from infra_advisor.search.simulate import simulate as run
from infra_advisor.search.traffic import Traffic
from infra_advisor.search.workload import Workload
from infra_advisor.simulator.request import Request
from infra_advisor.units import HOURS_PER_MONTH

MOST_REPLICAS = 4096


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How many replicas serve, and how requests are dealt out to them."""

    replicas: int = 1
    router: str = "least-loaded"
    prefill_replicas: int = 0
    """Replicas that only prefill, beside `replicas` that then only decode."""

    def __post_init__(self) -> None:
        if not 1 <= self.replicas <= MOST_REPLICAS:
            raise UsageError(f"--replicas {self.replicas}: accepted: 1 to {MOST_REPLICAS:,}")
        if not 0 <= self.prefill_replicas <= MOST_REPLICAS:
            raise UsageError(f"--prefill-replicas {self.prefill_replicas}: accepted: 0 to {MOST_REPLICAS:,}")
        if self.router not in ROUTERS:
            raise UsageError(f"--router: {self.router!r} is unknown; accepted: {', '.join(ROUTERS)}.{did_you_mean(self.router, ROUTERS)}")


def simulate(
    catalog: Catalog,
    target: str,
    workload: Workload,
    limits: Limits | None = None,
    *,
    traffic: Traffic | None = None,
    serving: Serving | None = None,
    shape: Shape | None = None,
    payment: Payment | None = None,
    each: Callable[[Request], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SimulateAnswer:
    """Run requests through replicas of one deployment on an offer or on `CHIP[:COUNT]` (COUNT accelerators make one replica).

    Load: one of the workload's, or the trace or burst of `traffic`. `each`: told of every request as it leaves. `progress`: told how many
    have arrived, of how many. Raises UsageError for unknown names, impossible layouts, unreadable traces and a load stated twice or not
    at all; "does not fit" and "saturated" are answers.
    """
    limits, traffic, serving, payment = limits or Limits(), traffic or Traffic(), serving or Serving(), payment or Payment()
    catalog = catalog.assuming(payment.assume)
    summary = trace_summary(catalog, workload, traffic)
    meant = named(
        catalog, target, load_per_replica(workload, traffic, summary, serving.replicas), limits, shape or Shape(), traffic, payment
    )
    understood = meant.understood
    trace = _trace_part(traffic, summary)
    if meant.row is None:
        return _unfit(catalog, meant, serving, trace)
    asked = understand(catalog, whole_load(workload, traffic, summary), understood.limits, traffic, payment)
    coming = coming_requests(asked, meant, traffic, summary, serving.replicas)
    fleet = fleet_of(catalog, meant, traffic, serving, summary)
    told = (lambda done: progress(done, coming.total)) if progress is not None else None
    steady = summary is None and traffic.burst is None
    outcome = run(
        fleet, coming.source, understood.targets, steady=steady, requests=coming.total, closed=coming.closed, each=each, progress=told
    )
    return _answer(catalog, asked, meant, serving, trace, outcome, _warnings(coming))


def fleet_of(catalog: Catalog, meant: Named, traffic: Traffic, serving: Serving, summary: TraceSummary | None) -> Fleet:
    """The replicas that were meant, ready to run; `summary`: of the trace they are to serve."""
    assert meant.row is not None
    place = meant.row.place
    candidate = meant.found.candidates[place]
    timing = meant.found.timing_at(place)
    chip = catalog.chips[candidate.platform.chip]
    lengths = traffic.lengths_for(in_step=meant.understood.workload.concurrency is not None)
    longest = lengths.longest(float(timing.input_tokens), float(timing.output_tokens))
    if summary is not None:
        longest = float(summary.longest_tokens)
    blocks = BLOCK_TOKENS if summary is not None and summary.has_blocks else 0
    (engine,) = engines(
        timing,
        [scheduling_of(candidate, chip)],
        longest_tokens=min(longest, meant.understood.longest_tokens),
        shared_share=traffic.prefix_share,
        block_tokens=blocks,
    )
    link = candidate.platform.network_bytes_per_s or (chip.host_link.value if chip.host_link else None)
    if serving.prefill_replicas and link is None:
        raise UsageError(f"--prefill-replicas: no network or host link of {chip.name} is in the catalog, so the cache cannot move")
    return Fleet(
        engine=engine,
        replicas=serving.replicas,
        router=serving.router,
        prefill_replicas=serving.prefill_replicas,
        link_bytes_per_s=link or 0.0,
    )


def _answer(
    catalog: Catalog,
    understood: Understood,
    meant: Named,
    serving: Serving,
    trace: TracePart | None,
    outcome: Simulated,
    warnings: tuple[str, ...],
) -> SimulateAnswer:
    row, limits = meant.row, understood.limits
    assert row is not None
    (answer,) = answers(catalog, meant.understood, meant.found, [row], ranks=[None], labels=[()], behind={})
    everyone = serving.replicas + serving.prefill_replicas
    tokens = outcome.output_tokens_per_s
    cost = None
    if row.priced.tariff is not None and tokens > 0:
        spending = understood.spending
        machines, mtok = row.use.machines * everyone, spending.mtok_per_month(tokens)
        use = use_of_machines(
            row.use,
            spending,
            machines=machines,
            running_h=machines * spending.hours,
            idle_h=machines * (HOURS_PER_MONTH - spending.hours),
            units=everyone,
            output_mtok=mtok,
        )
        cost = row.priced.tariff.month_usd(use) / mtok
    broken = _violations(outcome, understood)
    status: Literal["ok", "misses_targets", "saturated"] = "ok"
    if outcome.saturated:
        status = "saturated"
    elif broken or not within(understood.targets, outcome):
        status = "misses_targets"
    reason = {
        "saturated": "more requests come than are served: add replicas, or lower the load",
        "misses_targets": "some requests do not fit into the cache" if outcome.rejected and not broken else None,
    }.get(status)
    return SimulateAnswer(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        workload=workload_part(understood),
        limits=limits_part(limits),
        payment=payment_part(understood.payment),
        assumptions=tuple(one for one in understood.assumptions if one.name not in _replaced(understood.traffic)),
        status=status,
        reason=reason,
        answer=answer,
        fleet=_fleet_part(serving, understood, answer.hardware.accelerators_per_replica, outcome, trace),
        trace=trace,
        requests=RequestsPart(
            arrived=outcome.arrived,
            finished=outcome.finished,
            rejected=outcome.rejected,
            in_flight=outcome.in_flight,
            counted=outcome.counted,
            preempted=outcome.preempted,
        ),
        ttft_s=times_of(outcome.ttft_s),
        tpot_s=times_of(outcome.tpot_s),
        e2e_s=times_of(outcome.e2e_s),
        goodput_per_s=outcome.goodput_per_s,
        good_share=outcome.good / outcome.counted if outcome.counted else None,
        output_tokens_per_s=tokens,
        utilisation=outcome.utilisation,
        mean_running=outcome.mean_running,
        saturated=outcome.saturated,
        usd_per_mtok_output=cost,
        violations=tuple(broken),
        samples=tuple(SamplePart(**vars(sample)) for sample in outcome.samples),
        warnings=warnings,
    )


def _warnings(coming: Coming) -> tuple[str, ...]:
    cut = coming.draws.clamped if coming.draws else 0
    return (f"{cut:,} of {coming.total:,} requests were longer than the model's context, and cut to it",) if cut else ()


def _replaced(traffic: Traffic) -> tuple[str, ...]:
    """Assumptions that a trace or a burst makes void."""
    if traffic.trace is not None:
        return ("lengths", "arrivals", "input_tokens", "output_tokens")
    return ("arrivals",) if traffic.burst or traffic.at_once else ()


def _violations(outcome: Simulated, understood: Understood) -> list[Violation]:
    limits, workload = understood.limits, understood.workload
    ttft_s, tpot_s = outcome.at(limits.statistic)
    found = list(time_violations(ttft_s, tpot_s, limits))
    longest_s, request_s, wanted = understood.targets.request_s, outcome.e2e_s.mean, limits.throughput_tokens_per_s
    if longest_s is not None and request_s is not None and wanted is not None and request_s > longest_s:
        senders, pause_s = (workload.concurrency, 0.0) if workload.concurrency else (workload.users or 0.0, workload.think_s)
        reached = senders * workload.output_tokens / (pause_s + request_s)  # Little's law
        found.append(Violation(limit="throughput", allowed=wanted, predicted=reached, relax=f"--throughput {int(reached)}"))
    return found


def times_of(statistics: Statistics) -> TimePart:
    """One time as the answer has it."""
    return TimePart(**vars(statistics))


def _fleet_part(serving: Serving, understood: Understood, chips: int, outcome: Simulated | None, trace: TracePart | None) -> FleetPart:
    traffic = understood.traffic
    lengths = traffic.lengths_for(in_step=understood.workload.concurrency is not None)
    return FleetPart(
        replicas=serving.replicas,
        prefill_replicas=serving.prefill_replicas,
        router=serving.router,
        accelerators=chips * (serving.replicas + serving.prefill_replicas),
        seed=traffic.seed,
        lengths="trace" if trace else lengths.kind,
        prefix_share=traffic.prefix_share,
        prefix_hits=outcome.hit_share if outcome else 0.0,
    )


def _trace_part(traffic: Traffic, summary: TraceSummary | None) -> TracePart | None:
    if summary is None:
        return None
    return TracePart(
        path=str(traffic.trace),
        speed=traffic.trace_speed,
        requests=summary.requests,
        span_s=summary.span_s,
        mean_input_tokens=summary.mean_input_tokens,
        mean_output_tokens=summary.mean_output_tokens,
        skipped=dict(summary.tally.skipped),
        clamped=dict(summary.tally.clamped),
    )


def _unfit(catalog: Catalog, meant: Named, serving: Serving, trace: TracePart | None) -> SimulateAnswer:
    understood = meant.understood
    nothing = TimePart(mean=None, p50=None, p90=None, p95=None, p99=None)
    return SimulateAnswer(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        workload=workload_part(understood),
        limits=limits_part(understood.limits),
        payment=payment_part(understood.payment),
        assumptions=understood.assumptions,
        status="does_not_fit",
        reason=meant.why_none,
        answer=None,
        fleet=_fleet_part(serving, understood, 0, None, trace),
        trace=trace,
        requests=RequestsPart(arrived=0, finished=0, rejected=0, in_flight=0, counted=0, preempted=0),
        ttft_s=nothing,
        tpot_s=nothing,
        e2e_s=nothing,
        goodput_per_s=None,
        good_share=None,
        output_tokens_per_s=None,
        utilisation=None,
        mean_running=None,
        saturated=False,
        usd_per_mtok_output=None,
    )
