"""Accelerators side by side: the data sheet, the market, and the best deployment of each for a workload."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from infra_advisor.advice.answer import Answer, ChipColumn, Comparison, Violation
from infra_advisor.advice.build import answers
from infra_advisor.advice.finalists import settled
from infra_advisor.advice.freshness import age_warning
from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.near import speed_excess, violations
from infra_advisor.advice.near_misses import slow_answers
from infra_advisor.advice.option import Priced, for_named
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.priced import priced_options
from infra_advisor.advice.question import NEEDED, Understood, limits_part, payment_part, stamp, understand, workload_part
from infra_advisor.advice.rows import Row, best_places, rows, within_budget
from infra_advisor.advice.searching import search
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.engines import engine_runs_on, formats_for
from infra_advisor.physics.roofline import ridge_flop_per_byte
from infra_advisor.search.fleet import Fleets
from infra_advisor.search.traffic import Traffic
from infra_advisor.search.workload import Workload

MOST_COLUMNS = 8
MOST_TRIES = 4
"""Deployments of one chip that are simulated before the closed form must do."""
HIGHER = (
    "memory_bytes",
    "memory_bytes_per_s",
    "bf16_flop_per_s",
    "fp8_flop_per_s",
    "int8_flop_per_s",
    "fp4_flop_per_s",
    "link_bytes_per_s",
    "bytes_per_usd",
    "output_tokens_per_s",
    "speed",
)
LOWER = ("power_w", "usd_per_h_low", "ttft_s", "tpot_s", "usd_per_month", "usd_per_mtok_output")


def compare(
    catalog: Catalog,
    names: Sequence[str],
    workload: Workload | None = None,
    limits: Limits | None = None,
    *,
    traffic: Traffic | None = None,
    payment: Payment | None = None,
) -> Comparison:
    """Columns for the named accelerators or devices, with the best deployment of each where a workload is given.

    Raises UsageError for unknown or too many names.
    """
    if not 1 <= len(names) <= MOST_COLUMNS:
        raise UsageError(f"compare takes 1 to {MOST_COLUMNS} accelerators, not {len(names)}")
    limits, payment = limits or Limits(), payment or Payment()
    catalog = catalog.assuming(payment.assume)
    catalog.preload(NEEDED)
    chips = list({chip.id: chip for chip in (_plain(catalog, catalog.chip(name)) for name in names)}.values())
    limits = replace(limits, accelerator=Choice(keep=tuple(chip.id for chip in chips)))
    excluded: Counter[str] = Counter()
    options = priced_options(catalog, for_named(limits), payment, excluded)
    understood = understand(catalog, workload, limits, traffic, payment) if workload is not None else None
    deployed = _deployed(catalog, understood, options, chips) if understood else {}
    columns = tuple(_column(catalog, chip, options, deployed.get(chip.id)) for chip in chips)
    misses = understood is not None and not any(column.answer and not column.violations for column in columns)
    return Comparison(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        workload=workload_part(understood) if understood else None,
        limits=limits_part(limits) if understood else None,
        payment=payment_part(payment) if understood else None,
        assumptions=understood.assumptions if understood else (),
        status="nothing_fits" if misses else "ok",
        columns=columns,
        best=_best(columns),
        warnings=tuple(age_warning([column.answer for column in columns if column.answer])),
    )


def _plain(catalog: Catalog, chip: Chip) -> Chip:
    return catalog.chips[chip.host_of] if chip.host_of else chip


def _column(
    catalog: Catalog, chip: Chip, options: Sequence[Priced], deployed: tuple[Answer | None, tuple[Violation, ...], str | None] | None
) -> ChipColumn:
    per_chip = [
        (option.usd_per_h / option.platform.chips, option.country or "?")
        for option in options
        if option.platform.chip == chip.id and option.class_ == "cloud" and option.usd_per_h and not option.marks
    ]
    spans: dict[str, tuple[float, float]] = {}
    for price, country in per_chip:
        low, high = spans.get(country, (price, price))
        spans[country] = (min(low, price), max(high, price))
    lowest = min((price for price, _ in per_chip), default=None)
    rate = {name: chip.compute[name].value if name in chip.compute else None for name in ("bf16", "fp16", "fp8", "int8", "fp4")}
    bandwidth = chip.bandwidth_bytes_per_s
    wide = rate["bf16"] or rate["fp16"]
    facts: dict[str, float | str | None] = {
        "memory_bytes": chip.memory_capacity.value if chip.memory_capacity else None,
        "memory_bytes_per_s": bandwidth,
        "bf16_flop_per_s": wide,
        "fp8_flop_per_s": rate["fp8"],
        "int8_flop_per_s": rate["int8"],
        "fp4_flop_per_s": rate["fp4"],
        "link_bytes_per_s": chip.link.bandwidth.value if chip.link else None,
        "link_name": chip.link.name if chip.link else None,
        "link_domain": chip.link.domain if chip.link else None,
        "power_w": chip.power.value if chip.power else None,
        "flop_per_byte": ridge_flop_per_byte(flop_per_s=wide, bytes_per_s=bandwidth) if wide and bandwidth else None,
        "usd_per_h_low": lowest,
        "usd_per_h_high": max((price for price, _ in per_chip), default=None),
        "bytes_per_usd": bandwidth * 3600.0 / lowest if bandwidth and lowest else None,
        "status": chip.status,
    }
    answer, broken, reason = deployed or (None, (), None)
    runs = [engine for engine in catalog.engines.values() if engine_runs_on(engine, chip)]
    formats = sorted({_family_of(found.format) for engine in runs for found in formats_for(engine, chip) if not found.emulated})
    return ChipColumn(
        id=chip.id,
        name=chip.name,
        vendor=chip.vendor,
        facts=facts,
        prices=dict(sorted(spans.items())),
        engines=tuple(engine.id for engine in runs),
        formats=tuple(formats),
        answer=answer,
        reason=reason,
        violations=broken,
    )


def _family_of(name: str) -> str:
    """Formats of one file family under one name: a chip that loads one GGUF loads all."""
    return next((family for family in ("gguf", "exl3", "exl2") if name.startswith(family)), name)


def _deployed(
    catalog: Catalog, understood: Understood, options: Sequence[Priced], chips: Sequence[Chip]
) -> dict[str, tuple[Answer | None, tuple[Violation, ...], str | None]]:
    """Chip -> its best deployment, the limits that one breaks, and why there is none."""
    limits = understood.limits
    inside = [option for option in options if option.outside is None]
    dropped: Counter[str] = Counter()
    found = search(catalog, understood, inside, dropped)
    result: dict[str, tuple[Answer | None, tuple[Violation, ...], str | None]] = {}
    for chip in chips:
        mine = [option for option in inside if option.platform.chip == chip.id]
        found, row = _settled_row(catalog, understood, found, mine)
        if row is not None:
            answer = answers(catalog, understood, found, [row], ranks=[None], labels=[()], behind={})[0]
            result[chip.id] = (answer, tuple(violations(answer, limits, limits.statistic, outside=None, narrower=False)), answer.reason)
            continue
        result[chip.id] = _nearest(catalog, understood, found, mine, dropped)
    return result


def _settled_row(catalog: Catalog, understood: Understood, found: Fleets, options: Sequence[Priced]) -> tuple[Fleets, Row | None]:
    """The best row of one chip, once simulation has confirmed it; None where none meets the speed targets."""
    limits = understood.limits
    budget = limits.budget_usd_per_month is not None
    mine = {option.platform for option in options}
    for tries_left in range(MOST_TRIES, -1, -1):
        kept = [bool(fits) and one.platform in mine for fits, one in zip(found.kept, found.candidates, strict=True)]
        every = rows(found, options, best_places(found, "cost", kept.__getitem__, of_each_size=budget), "cost", understood.spending)
        if not every:
            return found, None
        affordable = [row for row in every if within_budget(row, limits)]
        row = min(affordable or every, key=lambda row: (row.usd_per_mtok_output is None, len(row.priced.marks), row.key))
        if row.place in found.simulated or not tries_left:
            return found, row
        found = settled(catalog, understood, found, [row.place])
    return found, None


def _nearest(
    catalog: Catalog, understood: Understood, found: Fleets, options: Sequence[Priced], dropped: Counter[str]
) -> tuple[Answer | None, tuple[Violation, ...], str | None]:
    limits = understood.limits
    excess = [speed_excess(found, place, limits) for place in range(len(found.candidates))]
    slow: list[Row] = rows(
        found, options, best_places(found, "near", lambda place: not found.kept[place], figure=excess), "cost", understood.spending
    )
    if slow:
        row = min(slow, key=lambda row: (excess[row.place], row.key))
        if near := slow_answers(catalog, understood, found, [row], at_any_price=True):
            return near[0], near[0].violations, None
    if any(option.platform in found.unfit for option in options):
        return None, (), "does not fit in memory"
    if not options:
        return None, (), "cannot be rented or bought within the limits"
    return None, (), next(iter(dropped), "no deployment")


def _best(columns: Sequence[ChipColumn]) -> dict[str, tuple[str, ...]]:
    """Row -> the columns that lead it; rows with fewer than two known values have no best."""
    found = {}
    for row in (*HIGHER, *LOWER):
        values = {column.id: value for column in columns if isinstance(value := _value(column, row), float) and value > 0}
        if len(values) > 1:
            lead = max(values.values()) if row in HIGHER else min(values.values())
            found[row] = tuple(name for name, value in values.items() if value == lead)
    return found


def _value(column: ChipColumn, row: str) -> float | str | None:
    if row in column.facts:
        return column.facts[row]
    answer = column.answer
    if answer is None:
        return None
    performance, cost = answer.performance, answer.cost
    return {
        "ttft_s": performance.ttft_s.mean,
        "tpot_s": performance.tpot_s.mean,
        "speed": performance.output_tokens_per_s_per_user,
        "output_tokens_per_s": performance.output_tokens_per_s,
        "usd_per_month": cost.usd_per_month,
        "usd_per_mtok_output": cost.usd_per_mtok_output,
    }[row]
