"""Which regions, API routes and operators keep what is asked about place, operator, law, attestations and keys."""

from collections.abc import Iterator
from dataclasses import replace

from infra_advisor.advice.limits import Limits
from infra_advisor.advice.place_parts import DropPart, PlacePart, PlacesAnswer
from infra_advisor.advice.placing import NOTE, Judged, Placing, without_each
from infra_advisor.advice.question import canonical_accelerators, check_names, limits_part, stamp
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.jurisdiction import STATUSES
from infra_advisor.facts.residency import OWN_LEVELS

OWN = "purchase"


def places(catalog: Catalog, limits: Limits) -> PlacesAnswer:
    """Every place of the catalog with its verdict. Of the limits, place, operator, law, attestations, keys, provider and accelerator count.

    Raises UsageError and CatalogError; that nothing is kept is an answer.
    """
    limits = replace(limits, accelerator=canonical_accelerators(catalog, limits.accelerator))
    check_names(catalog, limits)
    found = sorted(
        _places(catalog, limits), key=lambda one: (STATUSES.index(one.residency.status), one.kind, one.provider, one.region or "")
    )
    admitted = ("kept", "unknown") if limits.allow_unknown else ("kept",)
    fits = any(one.residency.status in admitted for one in found)
    return PlacesAnswer(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        limits=limits_part(limits),
        status="ok" if fits else "nothing_fits",
        places=tuple(found),
        dropped=() if fits else tuple(_dropped(catalog, limits)),
        note=NOTE,
    )


def _order(one: PlacePart) -> tuple[int, str, str, str]:
    return STATUSES.index(one.residency.status), one.kind, one.provider, one.region or ""


def _dropped(catalog: Catalog, limits: Limits) -> list[DropPart]:
    found = []
    for _, option, value, freed in without_each(limits):
        kept = sum(one.residency.status == "kept" for one in _places(catalog, freed))
        found.append(DropPart(option=f"{option} {value}", kept=kept))
    return sorted(found, key=lambda one: -one.kept)


def _places(catalog: Catalog, limits: Limits) -> Iterator[PlacePart]:
    placing = Placing(catalog, limits, always=True)
    chips: dict[tuple[str, str], set[str]] = {}
    for offer in catalog.offers:
        if node := catalog.nodes.get(offer.node):
            chips.setdefault((offer.provider, offer.region), set()).add(node.chip)
    named: set[str] = set()
    for region in catalog.regions.values():
        named.add(region.provider)
        offered = chips.get((region.provider, region.id), set())
        if limits.provider.admits(region.provider) and _wanted(offered, limits):
            yield _place(catalog, "region", region.provider, region.id, placing.machine(region.provider, region.country), offered)
    routes: dict[tuple[str, str | None, str | None, str | None], tuple[str | None, set[str]]] = {}
    day = catalog.as_of.isoformat()
    for line in catalog.api_prices:
        named.add(line.operator)
        if line.from_ <= day and not line.retired_on(day) and limits.provider.admits(line.operator, line.provider):
            key = (line.operator, line.hosting_country, line.residency_class, line.region_scope)
            routes.setdefault(key, (line.operator_home_country, set()))[1].add(line.api_model)
    if not (limits.accelerator.keep or limits.accelerator.drop):
        for (operator, country, routing, scope), (home, models) in routes.items():
            judged = placing.api(operator, country, routing, scope, home)
            yield _place(catalog, "api", operator, scope or routing, judged, models=len(models))
        for provider in catalog.providers.values():
            if provider.id not in named and limits.provider.admits(provider.id):
                judged = placing.machine(provider.id, "JP" if provider.sites_in_japan else None)
                yield _place(catalog, "operator", provider.id, ", ".join(provider.sites_in_japan) or None, judged)
    if limits.placing.level in OWN_LEVELS and limits.provider.admits(OWN):
        bought = {purchase.chip for purchase in catalog.purchases if limits.accelerator.admits(purchase.chip)}
        yield _place(catalog, "own", OWN, None, placing.own(), bought)


def _wanted(offered: set[str], limits: Limits) -> bool:
    """Without a choice of accelerators, regions without a captured price are listed too."""
    chosen = limits.accelerator.keep or limits.accelerator.drop
    return not chosen or any(limits.accelerator.admits(chip) for chip in offered)


def _place(
    catalog: Catalog, kind: str, provider: str, region: str | None, judged: Judged, chips: set[str] | None = None, models: int | None = None
) -> PlacePart:
    known = catalog.providers.get(provider)
    return PlacePart(
        kind=kind,  # type: ignore[arg-type]
        provider=provider,
        provider_name=known.name if known else provider,
        region=region,
        accelerators=tuple(sorted(chips or ())),
        models=models,
        residency=judged.part,  # type: ignore[arg-type]
    )
