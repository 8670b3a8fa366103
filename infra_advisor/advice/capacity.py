"""How much one deployment carries within its targets, how latency rises with load, and what a month of a moving load costs."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from infra_advisor.advice.answer import Assumption
from infra_advisor.advice.build import answers
from infra_advisor.advice.capacities import CapacityAnswer, LoadPart, PlanPart, ProfilePart
from infra_advisor.advice.charges import total
from infra_advisor.advice.cost_parts import CostLine
from infra_advisor.advice.freshness import age_warning
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.named import Named, Shape, named
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.question import limits_part, payment_part, stamp, workload_part
from infra_advisor.advice.rows import Row
from infra_advisor.advice.simulate import Serving, fleet_of, times_of
from infra_advisor.advice.spending import Spending, use_of_machines
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.profiles import HOURS_PER_WEEK, week_of
from infra_advisor.physics.cost import TOKENS_PER_MTOK
from infra_advisor.physics.transformer import weight_bytes
from infra_advisor.search.capacity import Ask, LoadPoint, curve, largest_load
from infra_advisor.search.fleet import replicas_per_machine
from infra_advisor.search.schedule import Plan, Service, plans
from infra_advisor.search.solve import Load, rate_of, users_of
from infra_advisor.search.sources import of_load
from infra_advisor.search.traffic import Draws, Traffic
from infra_advisor.search.workload import Workload
from infra_advisor.simulator.run import Source
from infra_advisor.units import HOURS_PER_MONTH

REQUESTS, REQUESTS_PER_IN_FLIGHT = 3000, 20
"""Of one run, unless the question says otherwise: the larger number, so that the warm-up lasts longer than a request."""
LEAST_REQUESTS = 100
"""Fewer say nothing of a percentile."""
MOST_REPLICAS = 64
"""That are run in one fleet."""
MOST_USERS, MOST_RATE_PER_S = 1e6, 1e6
LEAST_RATE_PER_S = 1e-4
MOST_COLD_START_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Moving:
    """A load that moves through the week."""

    profile: str
    """Name of a profile of the catalog, or a CSV file of hour,load."""
    cold_start_s: float | None = None
    """None = from the catalog's assumptions and the size of the weights."""

    def __post_init__(self) -> None:
        if self.cold_start_s is not None and not 0.0 <= self.cold_start_s <= MOST_COLD_START_S:
            raise UsageError(f"--cold-start {self.cold_start_s:g} s: accepted: 0 to {MOST_COLD_START_S:g} s")


def capacity(
    catalog: Catalog,
    target: str,
    workload: Workload,
    limits: Limits | None = None,
    *,
    traffic: Traffic | None = None,
    serving: Serving | None = None,
    shape: Shape | None = None,
    moving: Moving | None = None,
    payment: Payment | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> CapacityAnswer:
    """The largest load of a deployment on an offer or on `CHIP[:COUNT]`, in users (who think as the workload says) or in requests/s.

    Users, unless the workload states a rate. A stated load is the peak of `moving`. Where its layout was left open, the deployment that
    makes the cheapest tokens within the targets is taken. Raises UsageError for unknown names, impossible layouts, profiles that cannot
    be read, and loads that cannot be scaled.
    """
    limits, traffic, serving, payment = limits or Limits(), traffic or Traffic(), serving or Serving(), payment or Payment()
    catalog = catalog.assuming(payment.assume)
    if traffic.trace is not None or traffic.burst is not None or workload.concurrency is not None:
        raise UsageError("capacity looks for the load itself: state --users or --rate as the peak of a --profile, or neither")
    if limits.throughput_tokens_per_s is not None:
        raise UsageError("capacity finds the throughput at the largest load: leave out --throughput")
    if traffic.requests is not None and traffic.requests < LEAST_REQUESTS:
        raise UsageError(f"--requests {traffic.requests}: capacity needs {LEAST_REQUESTS} or more in a run for its percentiles")
    if serving.replicas + serving.prefill_replicas > MOST_REPLICAS:
        raise UsageError(f"capacity runs at most {MOST_REPLICAS} replicas: a larger fleet carries a multiple of what they do")
    week = week_of(moving.profile, catalog.profiles) if moving else None
    meant = named(catalog, target, workload.with_changes(**dict.fromkeys(workload.loads_given)), limits, shape or Shape(), traffic, payment)
    in_users = workload.request_rate_per_s is None and workload.tokens_per_day is None
    if meant.row is None:
        return _answer(catalog, meant, serving, in_users, status="does_not_fit", reason=meant.why_none)
    ask = _ask(catalog, meant, traffic, serving, in_users)
    limit = largest_load(ask, _guess(meant, serving, in_users), progress)
    if limit is None:
        alone = ask.at(ask.least)
        reason = f"misses its targets with {'one user' if in_users else 'next to no load'}"
        points: tuple[LoadPart, ...] = (_load(alone, meant),)
        return _answer(catalog, meant, serving, in_users, status="misses_targets", reason=reason, points=points)
    points = tuple(_load(point, meant) for point in curve(ask, limit.load, progress))
    answer = _answer(catalog, meant, serving, in_users, status="ok", limit=_load(ask.at(limit.load), meant), points=points)
    if limit.load >= ask.most:
        said = f"the search ends at {ask.most:,.0f} {'users' if in_users else 'requests/s'}: it may carry more"
        answer = answer.model_copy(update={"warnings": (*answer.warnings, said)})
    if week is None or moving is None:
        return answer
    peak = workload.users or workload.rate_per_s or limit.load
    return _with_month(catalog, meant, serving, answer, moving, week, peak)


def _ask(catalog: Catalog, meant: Named, traffic: Traffic, serving: Serving, in_users: bool) -> Ask:
    workload = meant.understood.workload
    in_flight = _in_flight(meant) * (serving.replicas + serving.prefill_replicas)
    requests = traffic.requests or max(REQUESTS, math.ceil(REQUESTS_PER_IN_FLIGHT * in_flight))
    assert meant.row is not None
    request_s = float(meant.found.solved.served.request_s(meant.found.timing.output_tokens)[meant.row.place])

    def load_of(load: float) -> tuple[Source, bool]:
        lengths = traffic.lengths_for(in_step=False)
        draws = Draws(traffic.seed, lengths, workload.input_tokens, workload.output_tokens, meant.understood.longest_tokens)
        asked = Load(users=load, think_s=workload.think_s) if in_users else Load(request_rate_per_s=load)
        return of_load(draws, asked, requests, request_s)

    return Ask(
        fleet=fleet_of(catalog, meant, traffic, serving, None),
        load_of=load_of,
        targets=meant.understood.targets,
        requests=requests,
        whole=in_users,
        least=1.0 if in_users else LEAST_RATE_PER_S,
        most=MOST_USERS if in_users else MOST_RATE_PER_S,
        think_s=workload.think_s if in_users else 0.0,
    )


def _in_flight(meant: Named) -> float:
    """The closed form's limit of one replica."""
    assert meant.row is not None
    return max(float(meant.found.solved.limit[meant.row.place]), 1.0)


def _guess(meant: Named, serving: Serving, in_users: bool) -> float:
    """The closed form's limit."""
    assert meant.row is not None
    place, found = meant.row.place, meant.found
    top, out = found.solved.served_at_limit, found.timing.output_tokens
    if found.solved.limit[place] <= 0.0:
        return 1.0
    each = users_of(top, out, meant.understood.workload.think_s) if in_users else rate_of(top, out)
    return float(each[place]) * serving.replicas


def _load(point: LoadPoint, meant: Named) -> LoadPart:
    run, output = point.run, meant.understood.workload.output_tokens
    rate = run.output_tokens_per_s / output
    return LoadPart(
        load=point.load,
        request_rate_per_s=rate,
        concurrency=rate * (run.e2e_s.mean or 0.0),
        ttft_s=times_of(run.ttft_s),
        tpot_s=times_of(run.tpot_s),
        output_tokens_per_s=run.output_tokens_per_s,
        goodput_per_s=run.goodput_per_s,
        holds=point.holds,
        saturated=run.saturated,
    )


def _answer(
    catalog: Catalog,
    meant: Named,
    serving: Serving,
    in_users: bool,
    *,
    status: str,
    reason: str | None = None,
    limit: LoadPart | None = None,
    points: tuple[LoadPart, ...] = (),
) -> CapacityAnswer:
    understood, row = meant.understood, meant.row
    shown = answers(catalog, understood, meant.found, [row], ranks=[None], labels=[()], behind={}) if row is not None else [None]
    return CapacityAnswer(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        workload=workload_part(understood),
        limits=limits_part(understood.limits),
        payment=payment_part(understood.payment),
        assumptions=tuple(one for one in understood.assumptions if one.name not in ("load", "utilisation")),
        status=status,  # type: ignore[arg-type]
        reason=reason,
        answer=shown[0],
        replicas=serving.replicas,
        prefill_replicas=serving.prefill_replicas,
        think_s=understood.workload.think_s,
        unit="users" if in_users else "requests_per_s",
        limit=limit,
        curve=points,
        warnings=tuple(age_warning([answer for answer in shown if answer])),
    )


def _with_month(
    catalog: Catalog, meant: Named, serving: Serving, answer: CapacityAnswer, moving: Moving, week: tuple[float, ...], peak: float
) -> CapacityAnswer:
    row, limit = meant.row, answer.limit
    assert row is not None
    assert limit is not None
    cold_start_s, said = _cold_start(catalog, meant, moving)
    place = row.place
    candidate = meant.found.candidates[place]
    per_machine = int(replicas_per_machine([candidate], meant.found.timing_at(place))[0])
    limits = meant.understood.limits
    service = Service(
        week=week,
        peak=peak,
        replica_limit=limit.load / serving.replicas * (1.0 - limits.headroom),
        rate_per_load=limit.request_rate_per_s / limit.load if answer.unit == "users" else 1.0,
        replicas_per_machine=per_machine,
        machines_per_replica=max(candidate.layout.chips / candidate.platform.chips, 1.0),
        prefill_share=serving.prefill_replicas / serving.replicas,
        spare=limits.spare,
        cold_start_s=cold_start_s,
        idle_s=float(catalog.assumptions["scale_to_zero_idle_s"].value),
    )
    requests = sum(week) * peak * service.rate_per_load * 3600.0 * HOURS_PER_MONTH / HOURS_PER_WEEK
    shown: list[PlanPart] = []
    for plan in plans(service):
        fixed_usd = shown[0].usd_per_month if shown else None
        shown.append(_plan(plan, row, meant.understood.spending, requests * meant.understood.workload.output_tokens, fixed_usd))
    return answer.model_copy(
        update={
            "profile": ProfilePart(
                name=moving.profile, peak=peak, week=week, mean_share=sum(week) / len(week), requests_per_month=requests
            ),
            "cold_start_s": cold_start_s,
            "plans": tuple(shown),
            "assumptions": (*answer.assumptions, *said),
            "warnings": (*answer.warnings, *_dear(shown, limits)),
        }
    )


def _dear(shown: Sequence[PlanPart], limits: Limits) -> Iterator[str]:
    """Fleets over the budget."""
    budget = limits.budget_usd_per_month
    dear = [plan.name for plan in shown if budget is not None and (plan.usd_per_month or 0.0) > budget]
    if dear:
        yield f"over the budget of {budget:,.0f} USD a month: {', '.join(dear)}"


def _cold_start(catalog: Catalog, meant: Named, moving: Moving) -> tuple[float, list[Assumption]]:
    """Until a stopped machine answers: [s], and what that rests on."""
    idle = catalog.assumptions["scale_to_zero_idle_s"]
    waits = Assumption(
        name="scale_to_zero_idle_s",
        value=float(idle.value),
        origin="catalog",
        note="; ".join(filter(None, (idle.note, ", ".join(idle.source)))),
    )
    if moving.cold_start_s is not None:
        return moving.cold_start_s, [Assumption(name="cold_start_s", value=moving.cold_start_s, origin="input"), waits]
    assert meant.row is not None
    bits = meant.found.candidates[meant.row.place].weights.format.by_part
    weights = weight_bytes(meant.understood.question.shape, bits).total
    given = {
        name: float(catalog.assumptions[name].value) for name in ("cold_start_machine_s", "cold_start_engine_s", "weights_load_bytes_per_s")
    }
    loading_s = weights / given["weights_load_bytes_per_s"]
    total_s = given["cold_start_machine_s"] + loading_s + given["cold_start_engine_s"]
    note = (
        f"machine {given['cold_start_machine_s']:.0f} s, {weights / 1e9:.0f} GB of weights at "
        f"{given['weights_load_bytes_per_s'] / 1e9:g} GB/s {loading_s:.0f} s, engine {given['cold_start_engine_s']:.0f} s"
    )
    return total_s, [Assumption(name="cold_start_s", value=total_s, origin="catalog", note=note), waits]


def _plan(plan: Plan, row: Row, spending: Spending, output_tokens: float, fixed_usd: float | None) -> PlanPart:
    """A week of machine hours as a month of money."""
    months = HOURS_PER_MONTH / HOURS_PER_WEEK
    priced = row.priced
    usd = reason = None
    lines: tuple[CostLine, ...] = ()
    if priced.tariff is None:
        reason = "; ".join(priced.notes) or "no price"
    else:
        use = use_of_machines(
            row.use,
            spending,
            machines=plan.most_machines,
            running_h=plan.on_hours * months,
            idle_h=plan.idle_hours * months,
            units=plan.most_machines / row.use.machines,
            output_mtok=output_tokens / TOKENS_PER_MTOK,
        )
        lines = priced.tariff.lines(use)
        usd = float(total(lines))
    return PlanPart(
        name=plan.name,  # type: ignore[arg-type]
        machines=plan.most_machines,
        machine_hours_per_month=plan.on_hours * months,
        usd_per_month=usd,
        usd_per_month_reason=reason,
        usd_per_mtok_output=None if usd is None or output_tokens <= 0.0 else usd / output_tokens * TOKENS_PER_MTOK,
        lines=lines,
        saving=None if usd is None or not fixed_usd else 1.0 - usd / fixed_usd,
        late_share=plan.late_share,
    )
