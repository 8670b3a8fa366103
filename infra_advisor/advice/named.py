"""Hardware that was named: the offer or chip meant, and the deployment on it that does best."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.near import speed_excess
from infra_advisor.advice.option import Priced, class_of, for_named
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.priced import priced_options
from infra_advisor.advice.question import Understood, understand
from infra_advisor.advice.rows import Row, rows
from infra_advisor.advice.searching import search
from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.physics.transformer import expert_parallel_problem, tensor_parallel_problem
from infra_advisor.search.candidates import Candidate
from infra_advisor.search.fleet import Fleets
from infra_advisor.search.platforms import Platform, platform_of_box
from infra_advisor.search.traffic import Traffic
from infra_advisor.search.workload import Workload

MOST_COUNT = 512
ANY_PRICE = Payment(commit="auto")
COMMITTED = ("-reserved-1y", "-reserved-3y")
"""How the names of offers end that are paid for a term."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Which deployments are meant; None = whatever does best."""

    engine: str | None = None
    tp: int | None = None
    pp: int | None = None
    ep: int | None = None
    dp: int | None = None

    def admits(self, candidate: Candidate, count: int | None) -> bool:
        """True for a deployment of this shape on `count` accelerators."""
        layout = candidate.layout
        wanted = ((count, layout.chips), (self.tp, layout.tp), (self.pp, layout.pp), (self.ep, layout.ep), (self.dp, layout.dp))
        return all(asked in (None, found) for asked, found in wanted) and self.engine in (None, candidate.engine.id)


@dataclass(frozen=True)
class Named:
    """The deployments that were meant, each as one replica that carries the whole load, and the best of them."""

    understood: Understood
    found: Fleets
    row: Row | None
    """None where nothing fits or runs."""
    excluded: Counter[str]

    @property
    def why_none(self) -> str:
        """Why there is no row."""
        if self.found.unfit:
            return "does not fit in memory: more accelerators, fewer bits (--weights 4bit, --kv fp8) or shorter lengths would help"
        if self.excluded:
            return "no such deployment: " + "; ".join(f"{why} ({count})" for why, count in self.excluded.most_common(3))
        return "no such deployment: the layout needs more accelerators than any machine of this kind holds"


def named(
    catalog: Catalog,
    target: str,
    workload: Workload,
    limits: Limits,
    shape: Shape,
    traffic: Traffic | None = None,
    payment: Payment | None = None,
) -> Named:
    """One replica on an offer (id or instance type) or on `CHIP[:COUNT]`, carrying the whole load.

    Without a layout the cheapest that meets the targets is taken, else the one that comes closest.
    Raises UsageError for unknown names and impossible layouts.
    """
    payment = payment or Payment()
    name, chip, count = _target(catalog, target, limits)
    limits = replace(limits, accelerator=Choice(keep=(chip.id,)))
    understood = understand(catalog, workload, limits, traffic, payment)
    _check(catalog, understood, shape)
    excluded: Counter[str] = Counter()
    options = _options(catalog, limits, payment, name, chip, count, excluded)
    found = search(catalog, understood, options, excluded, lambda candidate: shape.admits(candidate, count), one_replica=True)
    return Named(understood, found, _best(found, options, understood), excluded)


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
        for option in priced_options(
            catalog, for_named(limits), ANY_PRICE, Counter()
        ):  # as answers name it: a size of an offer, a machine to buy
            if option.id == name.lower():
                return option.id, catalog.chips[option.platform.chip], asked
        types = {node.instance_type.lower() for node in catalog.nodes.values()}
        if "Did you mean" in str(error) or not (near := did_you_mean(name.lower(), types)):
            raise
        raise UsageError(f"{name!r} is neither an offer, an instance type nor a chip.{near}") from error
    if chip.host_of:
        return None, catalog.chips[chip.host_of], asked or chip.host_count
    return None, chip, asked


def _check(catalog: Catalog, understood: Understood, asked: Shape) -> None:
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


def _options(
    catalog: Catalog, limits: Limits, payment: Payment, name: str | None, chip: Chip, count: int | None, excluded: Counter[str]
) -> list[Priced]:
    """Machines to run it on: the offer named, else whatever holds the chip, else one without a price."""
    if name is not None and name.endswith(COMMITTED):
        payment = ANY_PRICE
    options = [option for option in priced_options(catalog, for_named(limits), payment, excluded) if option.outside is None]
    if name is not None:
        named = [
            option for option in options if name in (option.id, catalog_node(option)) or option.instance_type.lower().split(" x")[0] == name
        ]
        return named or options
    fitting = [option for option in options if count is None or option.platform.chips >= count or option.platform.most_chips >= count]
    if fitting and any(option.tariff is not None for option in fitting):
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
            tariff=None,
            notes=("no price in the catalog for this",),
        )
    ]


def catalog_node(option: Priced) -> str:
    """Id under which an offer's node is known to people: provider and instance type."""
    return f"{option.provider}-{option.instance_type}".lower()


def _best(found: Fleets, options: Sequence[Priced], understood: Understood) -> Row | None:
    """Cheapest that meets the targets; else nearest to them, then cheapest. Doubtful prices come last, unpriced rows by speed."""
    places: dict[Platform, list[int]] = {}
    for place, candidate in enumerate(found.candidates):
        places.setdefault(candidate.platform, []).append(place)
    every = rows(found, options, places, "cost", understood.spending)

    def order(row: Row) -> tuple[object, ...]:
        place = row.place
        speed = (not bool(found.kept[place]), bool(found.over[place]), max(speed_excess(found, place, understood.limits), 1.0))
        return (*speed, len(row.priced.marks), row.usd_per_mtok_output or float("inf"), float(found.tpot_s[place]), row.key)

    return min(every, key=order) if every else None
