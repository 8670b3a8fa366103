"""Air-gapped: the engine is judged beside the place, because one that asks for something online does not serve there."""

from collections import Counter
from collections.abc import Mapping, Sequence

from infra_advisor.advice.air_gap import Online, online_needs, runs_cut_off
from infra_advisor.advice.answer import Answer
from infra_advisor.advice.build import answers
from infra_advisor.advice.finalists import enough
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.option import Priced
from infra_advisor.advice.question import Understood
from infra_advisor.advice.rows import best_places, in_order, merged, within_budget
from infra_advisor.advice.searching import search
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.engines import Engine

ONLINE = "engine needs the network to serve"


def engines_cut_off(catalog: Catalog, limits: Limits, excluded: Counter[str]) -> Mapping[str, Engine]:
    """Engines that serve without a network; with --allow-unknown also those of which it is not known. Others are counted."""
    needs = {name: online_needs(engine)[0] for name, engine in catalog.engines.items()}
    if online := sum(one == "online" for one in needs.values()):
        excluded[ONLINE] += online
    admitted: tuple[Online, ...] = ("offline", "unknown") if limits.allow_unknown else ("offline",)
    return {name: engine for name, engine in catalog.engines.items() if needs[name] in admitted}


def undecided(catalog: Catalog, understood: Understood, options: Sequence[Priced], rank: str, merge: str) -> list[Answer]:
    """What would keep every limit with an engine of which it is not known whether it serves without a network: listed, never ranked."""
    if understood.limits.allow_unknown:
        return []
    open_ = {name: engine for name, engine in catalog.engines.items() if runs_cut_off(catalog, "onprem", name)[0] == "unknown"}
    found = search(catalog, understood, options, Counter(), engines=open_)
    places = best_places(found, rank, lambda place: enough(found, place, understood.limits))
    ordered = in_order(found, options, places, rank, understood.spending)
    listed, _ = merged((row for row in ordered if within_budget(row, understood.limits)), found, merge)
    blank: list[tuple[str, ...]] = [()] * len(listed)
    return answers(catalog, understood, found, listed, ranks=[None] * len(listed), labels=blank, behind={})
