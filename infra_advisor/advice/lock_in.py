"""What each of the first answers ties its buyer to, and the price of independence, from what is already ranked."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from infra_advisor.advice.alternatives import Market, Way, alternative, market, way_of_api, way_of_row
from infra_advisor.advice.answer import Answer
from infra_advisor.advice.finalists import Finalists, payable
from infra_advisor.advice.lock_in_parts import Alternative, CommitmentKind, Concentration, EngineChoice, Exit, FileKind, LockIn, WeightFile
from infra_advisor.advice.option import Priced
from infra_advisor.advice.portable import engines_for, independent
from infra_advisor.advice.question import Understood
from infra_advisor.advice.ranked import api_key
from infra_advisor.advice.rented import rented
from infra_advisor.advice.rows import Row, rows, score
from infra_advisor.advice.searching import certain_of, engines_of
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.engines import Engine, formats_for
from infra_advisor.facts.formats import WeightFormat
from infra_advisor.units import HOURS_PER_MONTH

LIST = 10
"""Answers it is worked out for."""
FEW = 5
"""Vendors and providers that are named."""
DEFAULT_EXIT_AFTER = 12
MOST_EXIT_AFTER = 120
MONTHS_PER_YEAR = 12


def check_exit_after(months: int) -> None:
    """Raise UsageError for a month beyond ten years."""
    if not 0 <= months <= MOST_EXIT_AFTER:
        raise UsageError(f"--exit-after {months}: accepted: 0 to {MOST_EXIT_AFTER} months")


def with_lock_in(
    catalog: Catalog,
    understood: Understood,
    chosen: Finalists,
    hosted: Sequence[Answer],
    ranked: Sequence[Answer],
    rank: str,
    exit_after_months: int,
    unbound: Sequence[Row] = (),
) -> list[Answer]:
    """The answers, the first few with `lock_in`.

    `hosted`: all APIs within the limits. `unbound`: rows at prices without commitment, where those of the question have one.
    """
    keys = [(api_key(answer, rank), answer) for answer in hosted]
    seen = market(catalog, chosen.found, payable(chosen.fitting, understood.limits), keys)
    for row in payable(unbound, understood.limits):
        seen.take_free(way_of_row(catalog, row))
    vendors = _VendorsByFormat(catalog)
    first = [
        answer.model_copy(update={"lock_in": _lock_in(catalog, understood, seen, vendors, answer, rank, exit_after_months)})
        for answer in ranked[:LIST]
    ]
    return [*first, *ranked[LIST:]]


def rows_without_commitment(catalog: Catalog, understood: Understood, chosen: Finalists, rank: str) -> list[Row]:
    """The fleets that fit, rented at the prices without a term: a question about a commitment has priced them at those with one."""
    limits = understood.limits
    hourly = rented(catalog, limits, replace(understood.payment, commit="none"), Counter()) if "cloud" in limits.where else ()
    options = certain_of([option for option in hourly if option.platform in chosen.kept and option.term_months == 0])
    kept = chosen.kept
    if limits.budget_usd_per_month is None:  # then the best fleet of a platform is so at any price
        figure = score(chosen.found, rank)
        kept = {platform: [min(places, key=figure.__getitem__)] for platform, places in kept.items()}
    return rows(chosen.found, options, kept, rank, understood.spending)


def _lock_in(
    catalog: Catalog, understood: Understood, seen: Market, vendors: "_VendorsByFormat", answer: Answer, rank: str, after: int
) -> LockIn:
    hosted = answer.hardware.class_ == "api"
    row = None if hosted else seen.rows[f"{answer.offer.id}/{answer.software.engine}/{answer.software.weights}"]
    mine = way_of_row(catalog, row) if row else way_of_api(catalog, answer, api_key(answer, rank))
    priced = row.priced if row else None
    chip = catalog.chips[priced.platform.chip] if priced else None
    engines = engines_of(catalog, understood.limits, Counter()).values()
    usable = engines_for(engines, understood.resolved.model, chip, answer.software.weights) if chip else []

    def instead(way: Way | None, why_none: str) -> Alternative:
        return alternative(catalog, seen.found, mine, way, why_none, load_stated=understood.load.stated)

    makers = _others(seen.by_vendor, mine.vendor)
    sellers = _others(seen.by_provider, mine.provider)
    limits = understood.limits
    none = "nothing else is within the same limits"
    chosen_chips = limits.vendor.keep or limits.accelerator.keep or limits.owned
    no_vendor = "the question names its hardware" if chosen_chips else none
    no_seller = "the question names its provider" if limits.provider.keep or limits.owned else none
    another_vendor = instead(makers[0] if makers else None, no_vendor)
    if mine.vendor is None:
        another_vendor = Alternative(option=None, reason="what runs behind the API is not published")
    return LockIn(
        engines=tuple(
            EngineChoice(
                id=engine.id,
                name=engine.name,
                open_source=engine.open_source,
                licence=engine.licence,
                openai_compatible="openai-compatible" in engine.api,
                container_image=engine.container_image,
                status=support.status,
                compiled=engine.compiled.value if engine.compiled else None,
                wraps=engine.wraps,
            )
            for engine, support in usable
        ),
        engines_independent=len(independent(usable)) if chip else None,
        weights=vendors.of(answer.software.weights),
        commitment=_commitment(priced),
        exit=exit_of(catalog, row, after),
        another_vendor=another_vendor,
        another_provider=instead(sellers[0] if sellers else None, no_seller),
        without_commitment=instead(
            mine if mine.free or _paid_for(priced) else seen.free, "nothing within the same limits is paid as it is used"
        ),
        vendors=tuple(instead(way, none) for way in makers[:FEW]) if mine.vendor else (),
        vendors_total=len(makers) if mine.vendor else 0,
        providers=tuple(instead(way, none) for way in sellers[:FEW]),
        providers_total=len(sellers),
        concentration=tuple(concentration(catalog, seen, priced, chip)) if priced and chip else (),
    )


def _others(best: Mapping[str, Way], mine: str | None) -> list[Way]:
    return sorted((way for name, way in best.items() if name != mine), key=lambda way: way.key)


def _paid_for(priced: Priced | None) -> bool:
    return priced is not None and priced.purchase_usd == 0.0


def _commitment(priced: Priced | None) -> CommitmentKind:
    if priced is None:
        return "per token"
    if priced.owned:
        return "bought" if priced.purchase_usd else "owned"
    if priced.term_months == 0:
        return "by the hour"
    return "by the month" if priced.term_months == 1 else "for a term"


def exit_of(catalog: Catalog, row: Row | None, after_months: int) -> Exit:
    """What leaving after so many months costs. `row`: None for a hosted API, which costs nothing to leave.

    Rent for a term: its remaining months x hourly price x machines x 730 h; by the month, the month begun. Bought: price - resale at the
    end of its use, written off evenly over it; a machine sold earlier brings that resale value, no more. Fees for leaving early, data
    transfer and the work of moving are counted nowhere.
    """
    priced = row.priced if row else None
    if row is None or priced is None:
        return Exit(after_months=after_months, usd=0.0, usd_at_start=0.0, months_committed=0)
    machines = row.use.machines + row.use.spare_machines
    if priced.owned:
        given = catalog.assumptions
        years = given["amortisation_datacenter_years" if priced.class_ == "onprem" else "amortisation_edge_years"]
        months = float(years.value) * MONTHS_PER_YEAR
        at_start = (priced.purchase_usd or 0.0) * machines * (1.0 - float(given["residual_share"].value))
    else:
        months = float(priced.term_months)
        at_start = months * (priced.usd_per_h or 0.0) * HOURS_PER_MONTH * machines
    left = max(1.0 - after_months / months, 0.0) if months else 0.0
    return Exit(
        after_months=after_months,
        usd=at_start * left,
        within_month_usd=at_start if priced.term_months == 1 else 0.0,
        usd_at_start=at_start,
        months_committed=round(months) if at_start else 0,
    )


def concentration(catalog: Catalog, seen: Market, priced: Priced, chip: Chip) -> Iterator[Concentration]:
    """What everything hangs on: one region or one seller within the limits, a chip that is not freely sold or no longer made."""
    if priced.class_ == "cloud":
        regions = seen.regions.get((priced.provider, chip.id), set())
        if len(regions) == 1 and priced.region is not None and priced.country is not None:  # "any" is no region
            yield Concentration(kind="single-region", subject=priced.region)
        if len(seen.sellers.get(chip.id, ())) == 1:
            named = catalog.providers.get(priced.provider)
            yield Concentration(kind="single-supplier", subject=named.name if named else priced.provider)
    if chip.status != "available":
        yield Concentration(kind=chip.status, subject=chip.name, note=chip.status_note)
    if chip.acquire == ("rent",):
        yield Concentration(kind="rent-only", subject=chip.name, note=chip.status_note if chip.status == "available" else None)


class _VendorsByFormat:
    """Whose chips load a weight format, looked up once for each format."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._found: dict[str, WeightFile | None] = {}

    def of(self, weights: str) -> WeightFile | None:
        """None for a format that is not in the catalog: that of an API, not published."""
        if weights not in self._found:
            self._found[weights] = weight_file(self._catalog, weights)
        return self._found[weights]


def weight_file(catalog: Catalog, weights: str) -> WeightFile | None:
    """Vendors with a chip that some engine loads the format on; only chips that can be rented or bought count."""
    known = catalog.formats.weights.get(weights)
    if known is None:
        return None
    engines = [engine for engine in catalog.engines.values() if any(weights in rule.formats for rule in engine.weight_formats)]
    how: dict[str, bool] = {}
    for chip in catalog.chips.values():
        if chip.acquire and chip.kind != "host" and not how.get(chip.vendor):
            for native in _loads(engines, chip, weights):
                how[chip.vendor] = how.get(chip.vendor, False) or native
    native_of, widened = ([vendor for vendor in sorted(how) if how[vendor] is kind] for kind in (True, False))
    return WeightFile(format=weights, kind=_file_kind(known), native=tuple(native_of), widened=tuple(widened))


def _loads(engines: Sequence[Engine], chip: Chip, weights: str) -> Iterator[bool]:
    """For each engine that loads the format there: whether the chip takes it as it is."""
    for engine in engines:
        for found in formats_for(engine, chip):
            if found.format == weights:
                yield not found.emulated


def _file_kind(known: WeightFormat) -> FileKind:
    if known.rate == "bfp8":
        return "block floating point"
    return known.family if known.family in ("gguf", "mlx") else "safetensors"
