"""From rows to answers: every figure, term, band and margin of the fleets that are shown."""

import math
from collections.abc import Sequence

from infra_advisor.advice.answer import Answer, Bound, Cost, HardwarePart, Headroom, OfferPart, Performance, Predicted, SoftwarePart, Term
from infra_advisor.advice.costing import cost_of
from infra_advisor.advice.energy import energy_of, ranks_last
from infra_advisor.advice.evidence import Citations, known_from_near
from infra_advisor.advice.freshness import price_age_limit_d, price_confidence
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.option import Priced
from infra_advisor.advice.placing import UNKNOWN_MARK, open_questions
from infra_advisor.advice.question import Understood
from infra_advisor.advice.rows import Row
from infra_advisor.advice.site import Sites
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.breakdown import Breakdown, Share, breakdowns
from infra_advisor.search.calibration import GRADES, Bands
from infra_advisor.search.candidates import Candidate
from infra_advisor.search.fleet import Fleets
from infra_advisor.units import GB

LABELS = {
    "frontend": "request handling",
    "queue": "queue",
    "stall": "prefill of others",
    "weights": "weights",
    "experts": "routed experts",
    "attention": "attention and KV cache",
    "collectives": "collectives",
    "pipeline": "pipeline hops",
    "launches": "kernel launches",
    "engine": "engine step",
    "drafts": "drafted tokens",
    "dispatch": "layer dispatch",
}


def terms_of(shares: Sequence[Share]) -> list[Term]:
    """Shares of a time as terms with the arithmetic in words."""
    return [
        Term(phase=share.phase, name=LABELS[share.name], seconds=share.seconds, bound=share.kind, detail=_arithmetic(share))
        for share in shares
    ]


def _arithmetic(share: Share) -> str | None:
    if share.moved_bytes is None or share.flop is None or not share.moving_s:
        return None
    rate = share.moved_bytes / share.moving_s / 1e12
    words = f"moving {share.moved_bytes / GB:.4g} GB at {rate:.3g} TB/s: {share.moving_s * 1e3:.4g} ms"
    if share.computing_s:
        rate = share.flop / share.computing_s / 1e12
        words += f"; computing {share.flop / 1e12:.3g} TFLOP at {rate:.4g} TFLOP/s: {share.computing_s * 1e3:.4g} ms"
    return words


def binding(terms: Sequence[Term]) -> str | None:
    """What takes most of the time, by kind."""
    share: dict[str, float] = {}
    for term in terms:
        share[term.bound] = share.get(term.bound, 0.0) + term.seconds
    return max(share, key=lambda kind: share[kind]) if share else None


def answers(
    catalog: Catalog,
    understood: Understood,
    fleets: Fleets,
    rows: Sequence[Row],
    *,
    ranks: Sequence[int | None],
    labels: Sequence[tuple[str, ...]],
    behind: dict[str, int],
) -> list[Answer]:
    """Answers of the rows, in their order."""
    if not rows:
        return []
    found, citations, sites = breakdowns(fleets, [row.place for row in rows]), Citations(catalog, fleets), Sites(catalog)
    return [
        _answer(catalog, understood, fleets, row, ranks[k], labels[k], behind.get(row.id, 0), found[k], citations, sites)
        for k, row in enumerate(rows)
    ]


def _answer(
    catalog: Catalog,
    understood: Understood,
    fleets: Fleets,
    row: Row,
    rank: int | None,
    labels: tuple[str, ...],
    behind: int,
    parts: Breakdown,
    citations: Citations,
    sites: Sites,
) -> Answer:
    candidate, priced, place = fleets.candidates[row.place], row.priced, row.place
    chip = catalog.chips[candidate.platform.chip]
    layout = candidate.layout
    replicas = round(float(fleets.replicas[place]))
    machines = round(float(fleets.machines[place]))
    provider = catalog.providers.get(priced.provider)
    evidence = citations.of(place)
    unseen = known_from_near(candidate.software.unseen, evidence)
    bands = candidate.software.bands_by_unseen[unseen]
    site = sites.of(priced.class_, priced.provider, priced.region, priced.country)
    energy = energy_of(fleets, row, site, bands)
    performance = performance_of(fleets, row, parts, bands, tokens_per_joule=energy.tokens_per_joule)
    ttft_terms, tpot_terms = terms_of(parts.first_token), terms_of(parts.each_token)
    cost = cost_of(understood, fleets, row, bands)
    reason = None
    if priced.tariff is None:
        reason = "; ".join(priced.notes) or "no price"
    elif ranks_last(row):
        reason = energy.reason or energy.carbon_reason
    residency, marks = priced.residency, priced.marks
    if residency is not None and understood.limits.placing.cut_off:
        from infra_advisor.advice.air_gap import with_engine

        residency = with_engine(catalog, residency, priced.class_, candidate.engine.id)
    if residency is not None and residency.status == "unknown" and priced.unknown is None:
        if understood.limits.allow_unknown:
            marks = tuple(dict.fromkeys((*marks, UNKNOWN_MARK)))
        else:
            reason = reason or open_questions(residency)
    reason = reason or priced.unknown
    believed_d = price_age_limit_d(catalog, priced.class_, priced.provider, priced.marks)
    return Answer(
        rank=rank,
        id=answer_id(priced, candidate),
        labels=labels,
        offer=OfferPart(
            id=priced.id,
            provider=priced.provider,
            provider_name=provider.name if provider else None,
            instance_type=priced.instance_type,
            region=priced.region,
            country=priced.country,
            price_kind=priced.price_kind,
            usd_per_h=priced.usd_per_h,
            currency=priced.currency,
            price_date=priced.price_date,
            price_age_d=priced.price_age_d,
            price_age_limit_d=believed_d,
            price_confidence=price_confidence(
                priced=priced.tariff is not None, age_d=priced.price_age_d, limit_d=believed_d, marks=priced.marks
            ),
            source=source_title(catalog, priced.class_, priced.source),
            source_id=priced.source,
            marks=marks,
            purchase_usd=priced.purchase_usd,
            other_regions=behind,
        ),
        hardware=HardwarePart(
            class_=priced.class_,
            accelerator=chip.id,
            accelerator_name=chip.name,
            vendor=chip.vendor,
            accelerators_per_replica=layout.chips,
            replicas=replicas,
            accelerators_total=layout.chips * replicas,
            instances=machines,
            accelerators_billed=float(machines * candidate.platform.chips),
        ),
        software=SoftwarePart(
            engine=candidate.engine.id,
            weights=candidate.weights.format.id,
            kv=candidate.kv.id,
            tp=layout.tp,
            pp=layout.pp,
            ep=layout.ep,
            dp=layout.dp,
        ),
        performance=performance,
        bound=Bound(prefill=binding(ttft_terms), decode=binding(tpot_terms)),
        terms=(*ttft_terms, *tpot_terms),
        cost=cost,
        energy=energy,
        headroom=tuple(headroom(understood.limits, performance, cost)),
        grade=GRADES[unseen],
        reason=reason,
        residency=residency,
        evidence=evidence,
        assumptions=(
            *candidate.notes,
            *(priced.notes if priced.tariff is not None else ()),
            *_bridge_note(candidate.platform.link_bytes_per_s, layout.tp, layout.pp),
        ),
    )


def answer_id(priced: Priced, candidate: Candidate) -> str:
    """How an option is called: offer, engine, formats and layout."""
    cut = candidate.layout
    run = f"{candidate.engine.id}/{candidate.weights.format.id}/kv-{candidate.kv.id}"
    return f"{priced.id}/{run}/tp{cut.tp}-pp{cut.pp}-ep{cut.ep}-dp{cut.dp}"


def source_title(catalog: Catalog, class_: str, source: str | None) -> str | None:
    """Title and address of the price list behind an id (several ids stand with blanks between)."""
    if source is None:
        return None
    known = catalog.sources({"cloud": "offers", "api": "api_prices"}.get(class_, "purchase"))
    titles = [str(known[name].get("title", name)) if name in known else name for name in source.split()]
    return "; ".join(titles)


def _bridge_note(link_bytes_per_s: float | None, tp: int, pp: int) -> tuple[str, ...]:
    return ("accelerators talk through the host's PCIe bus",) if link_bytes_per_s is None and tp * pp > 1 else ()


def performance_of(
    fleets: Fleets, row: Row, parts: Breakdown, bands: Bands | None = None, *, tokens_per_joule: float | None = None
) -> Performance:
    """Predicted speed of one row's fleet, with its band (by default that of what was measured of it)."""
    place = row.place
    bands = bands or fleets.candidates[place].bands
    served, solved = fleets.solved.served, fleets.solved
    replicas = float(fleets.replicas[place])
    throughput = float(fleets.output_tokens_per_s[place])
    most = float(solved.limit[place])
    if not fleets.open_arrivals:  # a fixed number of requests is dealt out whole
        most = math.floor(most + 1e-9)
    return Performance(
        concurrency=float(fleets.concurrency[place]),
        request_rate_per_s=throughput / float(fleets.timing.output_tokens),
        ttft_s=_predicted(parts.ttft, bands.ttft),
        tpot_s=_predicted(parts.tpot, bands.tpot),
        output_tokens_per_s=throughput,
        replica_output_tokens_per_s=throughput / replicas,
        output_tokens_per_s_per_user=1.0 / parts.tpot["mean"],
        max_concurrency=most * replicas,
        max_output_tokens_per_s=float(fleets.limit_tokens_per_s[place]),
        saturated=fleets.simulated[place].saturated
        if place in fleets.simulated
        else bool(served.admission_s[place] > 0.0 or fleets.over[place]),
        simulated_requests=parts.simulated,
        tokens_per_joule=tokens_per_joule,
    )


def _predicted(figures: dict[str, float], band: tuple[float, float]) -> Predicted:
    return Predicted(**figures, low=figures["mean"] * band[0], high=figures["mean"] * band[1])


def headroom(limits: Limits, performance: Performance, cost: Cost) -> list[Headroom]:
    """Margin to every limit that was set."""
    found, statistic = [], limits.statistic
    for name, allowed, predicted in (
        ("ttft", limits.ttft_s, getattr(performance.ttft_s, statistic)),
        ("tpot", limits.tpot_s, getattr(performance.tpot_s, statistic)),
        ("budget", limits.budget_usd_per_month, cost.usd_per_month),
    ):
        if allowed is not None:
            margin = None if predicted is None else 1.0 - predicted / allowed
            found.append(
                Headroom(limit=name, allowed=allowed, predicted=predicted, margin=margin, met=None if margin is None else margin >= 0.0)
            )
    wanted, reached = limits.throughput_tokens_per_s, performance.output_tokens_per_s
    if wanted is not None:
        margin = None if reached is None else reached / wanted - 1.0
        found.append(
            Headroom(limit="throughput", allowed=wanted, predicted=reached, margin=margin, met=None if margin is None else margin >= -1e-6)
        )
    return found
