"""The main question: which hardware should run this model, how fast, at what cost."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from infra_advisor.advice.answer import Answer, Assumption, Recommendation
from infra_advisor.advice.asked import echo
from infra_advisor.advice.build import answers
from infra_advisor.advice.costs import cost_assumptions
from infra_advisor.advice.energy import power_assumptions
from infra_advisor.advice.finalists import among, finalists, locked_in
from infra_advisor.advice.hosted import hosted_answers
from infra_advisor.advice.licensed import licence_of, refused, under
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.lock_in import DEFAULT_EXIT_AFTER, check_exit_after, rows_without_commitment, with_lock_in
from infra_advisor.advice.near import relaxations
from infra_advisor.advice.near_misses import misses, near_misses
from infra_advisor.advice.onsite import on_site
from infra_advisor.advice.option import Priced
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.portable import WANTED
from infra_advisor.advice.priced import priced_options
from infra_advisor.advice.question import Understood, canonical_accelerators, limits_part, payment_part, stamp, understand, workload_part
from infra_advisor.advice.ranked import ranked_answers
from infra_advisor.advice.rows import BALANCED_WEIGHTS, ELECTRIC, check_rank, in_order, merged, within_budget
from infra_advisor.advice.searching import certain_of, search
from infra_advisor.advice.warnings import warnings
from infra_advisor.advice.ways_out import ways_out
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.traffic import Traffic
from infra_advisor.search.workload import Workload

LOCKED = 2
"""Near misses that are not portable."""
LARGEST_WITHOUT_LOAD = 16
"""Accelerators of the largest machine considered where no load is stated."""


def recommend(
    catalog: Catalog,
    workload: Workload,
    limits: Limits,
    *,
    traffic: Traffic | None = None,
    payment: Payment | None = None,
    rank: str = "cost",
    top: int = 10,
    merge: str = "offer",
    plan: bool = False,
    mix: bool = False,
    site_needs: bool = False,
    carry_in: bool = False,
    exit_after_months: int = DEFAULT_EXIT_AFTER,
    progress: Callable[[int, int], None] | None = None,
) -> Recommendation:
    """Ranked ways to run the workload within the limits, with what nearly fits and what was left out.

    `rank`: cost (per million output tokens), ttft, speed, throughput, energy, carbon (both per output token) or balanced.
    `top`: rows at most, 0 = all. `merge`: "offer" keeps one row per provider, region, instance family, engine and format; "decision" one
    per class, provider and accelerator. `plan`: also the runs that would settle the decision. `mix`: also the best two kinds of hardware,
    one for short prompts and one for long ones. `site_needs`, `carry_in`: also what machines of one's own ask of their site, and what must
    be brought there. `exit_after_months`: when leaving is priced in `lock_in`. `progress`: told how much of that is done.
    Raises UsageError and CatalogError; "nothing fits" is an answer.
    """
    payment = payment or Payment()
    catalog = catalog.assuming(payment.assume)
    if mix:
        from infra_advisor.advice.mix import check_mix, with_mix

        check_mix(workload, traffic)
    check_exit_after(exit_after_months)
    answer = _answer(catalog, workload, limits, traffic, payment, rank, top, merge, exit_after_months=exit_after_months)
    options = {"rank": rank, "top": top, "merge": merge, "plan": plan, "mix": mix, "exit_after_months": exit_after_months}
    asked = echo(workload=workload, limits=limits, traffic=traffic or Traffic(), payment=payment, **options)
    answer = answer.model_copy(update={"question": asked})
    if answer.licence is not None and answer.licence.reason:
        return answer
    answer = on_site(catalog, answer, workload.model, site_needs=site_needs, carry_in=carry_in or limits.placing.cut_off)
    if mix:
        answer = with_mix(catalog, answer, workload, limits, traffic, payment, progress)
    if answer.ranked and plan:
        from infra_advisor.advice.benchmark import plan as plan_of
        from infra_advisor.advice.launch import native_format

        runs = plan_of(answer.ranked, answer.workload, answer.limits, catalog.engines, native_format(catalog, answer.workload))
        return answer.model_copy(update={"plan": runs})
    if answer.ranked:
        return answer
    known = {way.limit for way in answer.relaxations}
    found = ways_out(limits, payment, lambda freed, paid: _answer(catalog, workload, freed, traffic, paid, rank, 1, merge), known)
    return answer.model_copy(update={"relaxations": (*answer.relaxations, *found)})


def of_one_offer(
    catalog: Catalog,
    workload: Workload,
    limits: Limits,
    class_: str,
    offer: str,
    *,
    traffic: Traffic | None = None,
    payment: Payment | None = None,
    rank: str = "cost",
) -> Recommendation:
    """The same question with one offer (its id) to choose from: the best that can be made of it, or why it cannot serve."""
    payment = payment or Payment()
    return _answer(catalog.assuming(payment.assume), workload, limits, traffic, payment, rank, 1, "offer", only=(class_, offer))


def _answer(
    catalog: Catalog,
    workload: Workload,
    limits: Limits,
    traffic: Traffic | None,
    payment: Payment,
    rank: str,
    top: int,
    merge: str,
    only: tuple[str, str] | None = None,
    exit_after_months: int | None = None,
) -> Recommendation:
    check_rank(rank)
    catalog.preload(("chips", "aliases"))
    limits = replace(limits, accelerator=canonical_accelerators(catalog, limits.accelerator))
    understood = understand(catalog, workload, limits, traffic, payment)
    licence = licence_of(catalog, understood)
    if licence is not None and licence.verdict == "refused":
        return refused(catalog, understood, licence, rank)
    excluded: Counter[str] = Counter()
    options = market = priced_options(catalog, limits, payment, excluded)
    if only:
        options = [option for option in options if (option.class_, option.id) == only]
        excluded.clear()
    options = _of_a_size(options, understood, excluded)
    if not only or not limits.portable:  # whether one offer is portable depends on all others
        market = options
    found = search(catalog, understood, market, Counter() if market is not options else excluded)
    certain = certain_of(options)
    doubtful = [option for option in options if option.outside is None and (option.tariff is None or option.unknown)]
    chosen = finalists(catalog, understood, found, certain_of(market), rank=rank, top=top, merge=merge)
    if market is not options:
        chosen = among(chosen, certain, limits, merge)
    found, kept, fitting, distinct, behind = chosen.found, chosen.kept, chosen.fitting, chosen.distinct, chosen.behind
    api_ranked, api_unranked = hosted_answers(catalog, understood, Counter() if only else excluded)
    if only:
        api_ranked, api_unranked = ([one for one in listed if ("api", one.offer.id) == only] for listed in (api_ranked, api_unranked))
    ranked = ranked_answers(catalog, understood, found, distinct, behind, api_ranked, rank, top)
    if exit_after_months is not None:
        unbound = rows_without_commitment(catalog, understood, chosen, rank) if payment.commit in ("1y", "3y") else []
        ranked = with_lock_in(catalog, understood, chosen, api_ranked, ranked, rank, exit_after_months, unbound)
    dear = [row for row in fitting if not within_budget(row, limits)]
    near = near_misses(
        catalog, understood, found, options, certain, dear, kept, rank, distinct[0].usd_per_month if distinct else None, chosen.portability
    )
    if chosen.portability:
        locked = locked_in(understood, chosen, certain, rank)
        excluded[f"not portable: fewer than {WANTED}"] += len({row.priced.id for row in locked})
        near += misses(catalog, understood, found, merged(locked, found, "decision")[0][:LOCKED], portability=chosen.portability)
    listed, _ = merged(in_order(found, doubtful, kept, rank, understood.spending), found, merge)
    shown = listed if top == 0 else listed[:top]
    blank: list[tuple[str, ...]] = [()] * len(shown)
    unranked = answers(catalog, understood, found, shown, ranks=[None] * len(shown), labels=blank, behind={})
    engine_unknown: list[Answer] = []
    if limits.placing.cut_off:
        from infra_advisor.advice.cut_off import undecided

        engine_unknown = undecided(catalog, understood, certain, rank, merge)
        unranked += engine_unknown if top == 0 else engine_unknown[:top]
    record = Recommendation(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        workload=workload_part(understood),
        limits=limits_part(limits),
        payment=payment_part(payment),
        rank_by=rank,
        assumptions=(*understood.assumptions, *_assumed(catalog, options, limits, payment, rank)),
        status="ok" if ranked else "nothing_fits",
        ranked=tuple(ranked),
        ranked_total=len(distinct) + len(api_ranked),
        unranked=tuple([*api_unranked, *unranked] if top == 0 else [*api_unranked[:top], *unranked]),
        near_misses=tuple(near),
        relaxations=tuple(relaxations(near)),
        excluded=dict(sorted(excluded.items(), key=lambda item: (-item[1], item[0]))),
        considered={"offers": len(options), "deployments": found.points, "unranked": len(api_unranked) + len(listed) + len(engine_unknown)},
        warnings=tuple(warnings(catalog, ranked, limits, load_stated=understood.load.stated)),
    )
    return record if licence is None else under(record, licence, admit_unknown=limits.allow_unknown)


def _of_a_size(options: list[Priced], understood: Understood, excluded: Counter[str]) -> list[Priced]:
    """The options, without racks where neither a load nor an accelerator was named: per token a full rack is always cheap."""
    if understood.load.stated or understood.limits.owned or understood.limits.accelerator.keep:
        return options
    kept = [option for option in options if option.platform.chips <= LARGEST_WITHOUT_LOAD]
    if len(kept) < len(options):
        excluded[f"more than {LARGEST_WITHOUT_LOAD} accelerators, and no load was given"] += len(options) - len(kept)
    return kept


def _assumed(catalog: Catalog, options: Sequence[Priced], limits: Limits, payment: Payment, rank: str) -> list[Assumption]:
    """What the rule and the prices rest on, each once."""
    power = power_assumptions(catalog) if rank in ELECTRIC else []
    said = {one.name: one for one in (*_rule(rank), *cost_assumptions(catalog, options, limits, payment), *power)}
    return list(said.values())


def _rule(rank: str) -> tuple[Assumption, ...]:
    if rank != "balanced":
        return ()
    weights = ", ".join(f"{name} {weight:g}" for name, weight in BALANCED_WEIGHTS.items())
    return (Assumption(name="balanced_weights", value=weights, origin="default", note="exponents of a product; the smallest ranks first"),)
