"""One deployment in full: what it can carry, how it does at a load, and how that changes over a sweep."""

from collections.abc import Sequence
from dataclasses import replace

from infra_advisor.advice.answer import EstimateAnswer, MemoryPart, SweepPoint
from infra_advisor.advice.build import answers, performance_of
from infra_advisor.advice.energy import energy_of
from infra_advisor.advice.finalists import settled
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.named import Named, Shape, named
from infra_advisor.advice.near import violations
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.question import Understood, limits_part, payment_part, stamp, understand, workload_part
from infra_advisor.advice.rows import Row
from infra_advisor.advice.site import Sites
from infra_advisor.advice.spending import Usage
from infra_advisor.advice.warnings import warnings
from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.breakdown import breakdowns, memory_use, with_lengths
from infra_advisor.search.fleet import Fleets, alone
from infra_advisor.search.traffic import Traffic
from infra_advisor.search.workload import Workload

SWEEPS = ("concurrency", "users", "request_rate_per_s", "input_tokens", "output_tokens")
LENGTHS = ("input_tokens", "output_tokens")
MOST_SWEEP_POINTS = 200


def estimate(
    catalog: Catalog,
    target: str,
    workload: Workload,
    limits: Limits | None = None,
    *,
    engine: str | None = None,
    tp: int | None = None,
    pp: int | None = None,
    ep: int | None = None,
    dp: int | None = None,
    sweep: tuple[str, Sequence[float]] | None = None,
    traffic: Traffic | None = None,
    payment: Payment | None = None,
) -> EstimateAnswer:
    """One replica on an offer (id or instance type) or on `CHIP[:COUNT]`, carrying the whole load.

    Without a layout the cheapest that meets the targets is taken, else the one that comes closest. `sweep`: a load or
    length of the workload, and its values; its points are closed form. Raises UsageError for unknown names and impossible layouts;
    "does not fit" is an answer.
    """
    limits, payment = limits or Limits(), payment or Payment()
    catalog = catalog.assuming(payment.assume)
    meant = named(catalog, target, workload, limits, Shape(engine=engine, tp=tp, pp=pp, ep=ep, dp=dp), traffic, payment)
    understood, row = meant.understood, meant.row
    limits = understood.limits
    if row is None:
        return _unfit(catalog, meant)
    found = settled(catalog, understood, meant.found, [row.place], fixed_size=True)
    answer = answers(catalog, understood, found, [row], ranks=[None], labels=[()], behind={})[0]
    broken = violations(answer, limits, limits.statistic, outside=None, narrower=False)
    over = answer.performance.saturated and understood.load.stated
    reason = "saturated: the load is more than one replica can carry; add replicas or lower the load" if over else None
    return EstimateAnswer(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        workload=workload_part(understood),
        limits=limits_part(limits),
        payment=payment_part(understood.payment),
        assumptions=understood.assumptions,
        status="misses_targets" if broken or over else "ok",
        reason=reason,
        answer=answer,
        violations=tuple(broken),
        memory=_memory(found, row.place),
        sweep_over=sweep[0] if sweep else None,
        sweep=tuple(_sweep(catalog, understood, found, row, sweep)) if sweep else (),
        warnings=tuple(warnings(catalog, [answer], limits, load_stated=True)),
    )


def _memory(found: Fleets, place: int) -> MemoryPart:
    use = memory_use(found, place)
    return MemoryPart(
        total=use.total,
        usable=use.total - use.kept_back,
        reserve=use.kept_back,
        weights=use.weights,
        activations=use.activations,
        kv_pool=use.pool,
        kv_per_sequence=use.per_sequence,
        max_sequences=use.most_running,
    )


def _unfit(catalog: Catalog, meant: Named) -> EstimateAnswer:
    understood = meant.understood
    return EstimateAnswer(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        workload=workload_part(understood),
        limits=limits_part(understood.limits),
        payment=payment_part(understood.payment),
        assumptions=understood.assumptions,
        status="does_not_fit",
        reason=meant.why_none,
        answer=None,
        memory=None,
    )


def _sweep(catalog: Catalog, understood: Understood, found: Fleets, row: Row, sweep: tuple[str, Sequence[float]]) -> list[SweepPoint]:
    over, values = sweep
    if over not in SWEEPS:
        raise UsageError(f"--sweep: {over!r} is unknown; accepted: {', '.join(SWEEPS)}.{did_you_mean(over, SWEEPS)}")
    if not 1 <= len(values) <= MOST_SWEEP_POINTS:
        raise UsageError(f"--sweep: {len(values)} values; accepted: 1 to {MOST_SWEEP_POINTS}")
    points, sites = [], Sites(catalog)
    for value in values:
        changes: dict[str, object] = (
            {} if over in LENGTHS else {"users": None, "concurrency": None, "request_rate_per_s": None, "tokens_per_day": None}
        )
        changes[over] = int(value) if over in LENGTHS else value
        changed = understand(catalog, understood.workload.with_changes(**changes), understood.limits, payment=understood.payment)
        lengths = changed.workload
        timing = with_lengths(found, row.place, input_tokens=lengths.input_tokens, output_tokens=lengths.output_tokens)
        if not bool(timing.memory.fits[0]):
            points.append(SweepPoint(value=value, fits=False, performance=None, usd_per_mtok_output=None))
            continue
        fleet = alone(found, row.place, timing, changed.load, utilisation=changed.utilisation)
        here, site = replace(row, place=0), sites.of(row.priced.class_, row.priced.provider, row.priced.region, row.priced.country)
        energy = energy_of(fleet, here, site, fleet.candidates[0].bands)
        performance = performance_of(fleet, here, breakdowns(fleet, [0])[0], tokens_per_joule=energy.tokens_per_joule)
        tokens = performance.output_tokens_per_s
        cost = None
        if row.priced.tariff is not None and tokens:
            usage = Usage(fleet, changed.spending)
            cost = row.priced.tariff.month_usd(usage.use(0)) / changed.spending.mtok_per_month(tokens)
        points.append(SweepPoint(value=value, fits=True, performance=performance, usd_per_mtok_output=cost))
    return points
