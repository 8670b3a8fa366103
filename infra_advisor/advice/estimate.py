"""One deployment in full: what it can carry, how it does at a load, and how that changes over a sweep."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from infra_advisor.advice.answer import EstimateAnswer, MemoryPart, SweepPoint
from infra_advisor.advice.build import answers, performance_of
from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.near import speed_excess, violations
from infra_advisor.advice.option import Priced, class_of, for_named
from infra_advisor.advice.priced import priced_options
from infra_advisor.advice.question import Understood, limits_part, stamp, understand, workload_part
from infra_advisor.advice.recommend import search
from infra_advisor.advice.rows import Row, rows
from infra_advisor.advice.warnings import warnings
from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.physics.cost import usd_per_mtok
from infra_advisor.physics.transformer import expert_parallel_problem, tensor_parallel_problem
from infra_advisor.search.breakdown import breakdowns, memory_use, with_lengths
from infra_advisor.search.candidates import Candidate
from infra_advisor.search.fleet import Fleets, alone
from infra_advisor.search.platforms import platform_of_box
from infra_advisor.search.workload import Workload

SWEEPS = ("concurrency", "users", "request_rate_per_s", "input_tokens", "output_tokens")
LENGTHS = ("input_tokens", "output_tokens")
MOST_SWEEP_POINTS = 200
MOST_COUNT = 512


@dataclass(frozen=True)
class _Asked:
    """Which deployments the request admits."""

    count: int | None
    engine: str | None
    tp: int | None
    pp: int | None
    ep: int | None
    dp: int | None

    def admits(self, candidate: Candidate) -> bool:
        layout = candidate.layout
        wanted = ((self.count, layout.chips), (self.tp, layout.tp), (self.pp, layout.pp), (self.ep, layout.ep), (self.dp, layout.dp))
        return all(asked in (None, found) for asked, found in wanted) and self.engine in (None, candidate.engine.id)


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
) -> EstimateAnswer:
    """One replica on an offer (id or instance type) or on `CHIP[:COUNT]`, carrying the whole load.

    Without a layout the cheapest that meets the targets is taken, else the one that comes closest. `sweep`: a load or
    length of the workload, and its values. Raises UsageError for unknown names and impossible layouts; "does not fit" is an answer.
    """
    limits = limits or Limits()
    name, chip, count = _target(catalog, target, limits)
    limits = replace(limits, accelerator=Choice(keep=(chip.id,)))
    understood = understand(catalog, workload, limits)
    asked = _Asked(count, engine, tp, pp, ep, dp)
    _check(catalog, understood, asked)
    excluded: Counter[str] = Counter()
    options = _options(catalog, limits, name, chip, count, excluded)
    found = search(catalog, understood, options, excluded, asked.admits, one_replica=True)
    row = _best(found, options, limits)
    if row is None:
        return _unfit(catalog, understood, found, excluded)
    answer = answers(catalog, found, [row], limits, ranks=[None], labels=[()], behind={}, statistic=limits.statistic)[0]
    broken = violations(answer, limits, limits.statistic, outside=None, narrower=False)
    over = bool(found.over[row.place])
    reason = "saturated: the load is more than one replica can carry; add replicas or lower the load" if over else None
    return EstimateAnswer(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        workload=workload_part(understood),
        limits=limits_part(limits),
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


def _target(catalog: Catalog, target: str, limits: Limits) -> tuple[str | None, Chip, int | None]:
    """(offer, node or instance type; chip; count). Raises UsageError."""
    name, colon, count = target.strip().partition(":")
    if not name:
        raise UsageError("name an offer, an instance type or a chip, such as h100-sxm:2; `advisor catalog list chips` names all")
    if colon and not (count.isdigit() and 1 <= int(count) <= MOST_COUNT):
        raise UsageError(f"{target!r}: write OFFER or CHIP:COUNT with a count from 1 to {MOST_COUNT}")
    catalog.preload(("chips", "aliases", "nodes", "offers"))
    asked = int(count) if count else None
    for offer in catalog.offers:
        node = catalog.nodes.get(offer.node)
        if node is not None and name.lower() in (offer.id, node.id, node.instance_type.lower()) and node.chip in catalog.chips:
            return name.lower(), catalog.chips[node.chip], asked
    try:
        chip = catalog.chip(name)
    except UsageError as error:
        for option in priced_options(catalog, for_named(limits), Counter()):  # as answers name it: a size of an offer, a machine to buy
            if option.id == name.lower():
                return option.id, catalog.chips[option.platform.chip], asked
        types = {node.instance_type.lower() for node in catalog.nodes.values()}
        if "Did you mean" in str(error) or not (near := did_you_mean(name.lower(), types)):
            raise
        raise UsageError(f"{name!r} is neither an offer, an instance type nor a chip.{near}") from error
    if chip.host_of:
        return None, catalog.chips[chip.host_of], asked or chip.host_count
    return None, chip, asked


def _check(catalog: Catalog, understood: Understood, asked: _Asked) -> None:
    shape = understood.question.shape
    if asked.engine is not None and asked.engine not in catalog.engines:
        raise UsageError(f"unknown engine {asked.engine!r}.{did_you_mean(asked.engine, catalog.engines)}")
    if asked.tp and (problem := tensor_parallel_problem(shape, asked.tp)):
        raise UsageError(f"--tp {asked.tp}: {problem}; try another degree")
    if asked.ep and (problem := expert_parallel_problem(shape, asked.ep)):
        raise UsageError(f"--ep {asked.ep}: {problem}; try another degree")
    for label, value in (("--tp", asked.tp), ("--pp", asked.pp), ("--ep", asked.ep), ("--dp", asked.dp)):
        if value is not None and value < 1:
            raise UsageError(f"{label} {value}: must be 1 or more")
    if asked.pp and asked.pp > shape.layer_count:
        raise UsageError(f"--pp {asked.pp}: the model has {shape.layer_count} layers")


def _options(catalog: Catalog, limits: Limits, name: str | None, chip: Chip, count: int | None, excluded: Counter[str]) -> list[Priced]:
    """Machines to run it on: the offer named, else whatever holds the chip, else one without a price."""
    options = [option for option in priced_options(catalog, for_named(limits), excluded) if option.outside is None]
    if name is not None:
        named = [
            option for option in options if name in (option.id, catalog_node(option)) or option.instance_type.lower().split(" x")[0] == name
        ]
        return named or options
    fitting = [option for option in options if count is None or option.platform.chips >= count or option.platform.most_chips >= count]
    if fitting and any(option.usd_per_h is not None for option in fitting):
        return fitting
    chips = count or 1
    return [
        Priced(
            id=f"unpriced-{chip.id}-x{chips}",
            class_=class_of(chip),
            platform=platform_of_box(chip, chips, board=chip.market != "datacenter"),
            provider="unpriced",
            instance_type=f"{chips}x {chip.name}",
            region=None,
            country=None,
            price_kind="unknown",
            usd_per_h=None,
            notes=("no price in the catalog for this",),
            board_w=chip.power.value if chip.power else None,
        )
    ]


def catalog_node(option: Priced) -> str:
    """Id under which an offer's node is known to people: provider and instance type."""
    return f"{option.provider}-{option.instance_type}".lower()


def _best(found: Fleets, options: Sequence[Priced], limits: Limits) -> Row | None:
    """Cheapest that meets the targets; else nearest to them, then cheapest. Doubtful prices come last, unpriced rows by speed."""
    places: dict[object, list[int]] = {}
    for place, candidate in enumerate(found.candidates):
        places.setdefault(candidate.platform, []).append(place)
    every = rows(found, options, places, "cost")  # type: ignore[arg-type]

    def order(row: Row) -> tuple[object, ...]:
        place = row.place
        speed = (not bool(found.kept[place]), bool(found.over[place]), max(speed_excess(found, place, limits), 1.0))
        return (*speed, len(row.priced.marks), row.usd_per_mtok_output or float("inf"), float(found.tpot_s[place]), row.key)

    return min(every, key=order) if every else None


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


def _unfit(catalog: Catalog, understood: Understood, found: Fleets, excluded: Counter[str]) -> EstimateAnswer:
    if found.unfit:
        reason = "does not fit in memory: more accelerators, fewer bits (--weights 4bit, --kv fp8) or shorter lengths would help"
    elif excluded:
        reason = "no such deployment: " + "; ".join(f"{why} ({count})" for why, count in excluded.most_common(3))
    else:
        reason = "no such deployment: the layout needs more accelerators than any machine of this kind holds"
    return EstimateAnswer(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        workload=workload_part(understood),
        limits=limits_part(understood.limits),
        assumptions=understood.assumptions,
        status="does_not_fit",
        reason=reason,
        answer=None,
        memory=None,
    )


def _sweep(catalog: Catalog, understood: Understood, found: Fleets, row: Row, sweep: tuple[str, Sequence[float]]) -> list[SweepPoint]:
    over, values = sweep
    if over not in SWEEPS:
        raise UsageError(f"--sweep: {over!r} is unknown; accepted: {', '.join(SWEEPS)}.{did_you_mean(over, SWEEPS)}")
    if not 1 <= len(values) <= MOST_SWEEP_POINTS:
        raise UsageError(f"--sweep: {len(values)} values; accepted: 1 to {MOST_SWEEP_POINTS}")
    points = []
    for value in values:
        changes: dict[str, object] = (
            {} if over in LENGTHS else {"users": None, "concurrency": None, "request_rate_per_s": None, "tokens_per_day": None}
        )
        changes[over] = int(value) if over in LENGTHS else value
        changed = understand(catalog, understood.workload.with_changes(**changes), understood.limits)
        lengths = changed.workload
        timing = with_lengths(found, row.place, input_tokens=lengths.input_tokens, output_tokens=lengths.output_tokens)
        if not bool(timing.memory.fits[0]):
            points.append(SweepPoint(value=value, fits=False, performance=None, usd_per_mtok_output=None))
            continue
        fleet = alone(found, row.place, timing, changed.load, utilisation=changed.utilisation)
        performance = performance_of(fleet, replace(row, place=0), breakdowns(fleet, [0])[0])
        tokens = performance.output_tokens_per_s
        cost = None if row.usd_per_h is None or not tokens else usd_per_mtok(usd_per_h=row.usd_per_h, tokens_per_s=tokens)
        points.append(SweepPoint(value=value, fits=True, performance=performance, usd_per_mtok_output=cost))
    return points
