"""Every option judged by what was asked about place, operator, law, attestations and keys."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from infra_advisor.advice.limits import Limits
from infra_advisor.advice.residency_parts import AttestationPart, AxisPart, ResidencyPart
from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.attestations import attestation_key, check_attestation_names, lapse_months, lapsed_since
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.countries import COUNTRIES
from infra_advisor.facts.jurisdiction import Demand, Placed, Status, Verdict, judge, worst
from infra_advisor.facts.residency import read_residency_text

NOTE = "A screening aid, not legal advice: check the register of each attestation, and the contract."
UNKNOWN_MARK = "residency-unknown"
"""Of an option that --allow-unknown admits."""


def demand_of(catalog: Catalog, limits: Limits) -> Demand:
    """What is asked, with the names of laws and attestations found in the catalog. Raises UsageError."""
    home = read_residency_text(",".join(limits.operator_home)) if limits.operator_home else Demand().operator_home
    if limits.attestation:
        check_attestation_names(limits.attestation, catalog.providers.values())
    return Demand(
        residency=limits.placing,
        operator_home=home,
        laws=tuple(dict.fromkeys(_law(catalog, name) for name in limits.no_foreign_law)),
        attestations=limits.attestation,
        customer_keys=limits.keys == "customer",
        day=catalog.as_of,
        lapse_months=lapse_months(catalog.residency.rules) if limits.attestation else {},
    )


def _law(catalog: Catalog, name: str) -> str:
    """`us`, `cloudact` -> `US`."""
    if name.upper() in COUNTRIES:
        return name.upper()
    laws = {attestation_key(rule.name): rule.where for rule in catalog.residency.rules if rule.reaches_operators}
    if name not in laws:
        others = next((rule.name for rule in catalog.residency.rules if attestation_key(rule.name) == name), None)
        why = f"{others} does not follow the operator abroad" if others else f"{name!r} is neither a country nor a law that does"
        accepted = " or ".join(["a country such as us", *laws])
        raise UsageError(f"--no-foreign-law: {why}; accepted: {accepted}.{did_you_mean(name, laws)}")
    return laws[name]


def without_each(limits: Limits) -> Iterator[tuple[str, str, str, Limits]]:
    """(limit, option, its value, the limits without it) for each thing asked about place, operator, law, attestations and keys."""
    if limits.placing.binds:
        country = f"{limits.country}:any" if limits.country else None  # still where own hardware stands
        yield "residency", "--residency", limits.residency or "", replace(limits, residency=country)
    if home := limits.operator_home:
        yield "operator_home", "--operator-home", ",".join(home).lower(), replace(limits, operator_home=())
    if laws := limits.no_foreign_law:
        yield "no_foreign_law", "--no-foreign-law", ",".join(laws), replace(limits, no_foreign_law=())
    if names := limits.attestation:
        yield "attestation", "--attestation", ",".join(names), replace(limits, attestation=())
    if limits.keys:
        yield "keys", "--keys", limits.keys, replace(limits, keys=None)


@dataclass(frozen=True)
class Judged:
    """An option with its verdicts."""

    placed: Placed
    verdicts: tuple[Verdict, ...]
    part: ResidencyPart | None
    """None where nothing was asked."""

    @property
    def status(self) -> Status:
        """The worst of the verdicts."""
        return worst(one.status for one in self.verdicts)

    @property
    def label(self) -> str | None:
        """Why it is excluded, as many options share it."""
        return next((one.label for one in self.verdicts if one.status == "excluded"), None)

    @property
    def outside(self) -> str | None:
        """Country of a machine that lies elsewhere and keeps all else that is asked: a near miss."""
        place = next((one for one in self.verdicts if one.axis == "residency" and one.status == "excluded"), None)
        others = worst(one.status for one in self.verdicts if one is not place)
        if place is None or others != "kept" or not place.label.startswith("outside"):
            return None
        return self.placed.country

    @property
    def unknown(self) -> str | None:
        """What is not known; None where it is known, or excluded anyway."""
        if self.status != "unknown":
            return None
        open_ = [one for one in self.verdicts if one.status == "unknown"]
        return "; ".join(f"{one.axis} unknown: {one.why}" + (f"; {one.ask}" if one.axis != "residency" else "") for one in open_)


def open_questions(part: ResidencyPart) -> str:
    """What is not known of an option, in one line."""
    return "; ".join(f"{one.axis} unknown: {one.why}; {one.ask}" for one in part.axes if one.status == "unknown")


class Placing:
    """The judge of one question; what stands at one place under one operator is judged once."""

    def __init__(self, catalog: Catalog, limits: Limits, *, always: bool = False) -> None:
        """`always`: describe options also where nothing is asked of them."""
        self._catalog, self._limits = catalog, limits
        self.demand = demand_of(catalog, limits)
        self._found: dict[tuple[object, ...], Judged] = {}
        self._sites: dict[str, set[str]] = {}
        self._describes = always or self.demand.binds
        if self._describes:
            for region in catalog.regions.values():
                if region.country:
                    self._sites.setdefault(region.provider, set()).add(region.country)

    def own(self) -> Judged:
        """Hardware of one's own."""
        return self._judged(Placed(own=True, country=self._limits.country))

    def machine(self, provider: str, country: str | None) -> Judged:
        """A rented machine."""
        return self._judged(replace(self._under(provider), country=country))

    def api(self, operator: str, country: str | None, routing: str | None, scope: str | None, home: str | None = None) -> Judged:
        """A route of a hosted API. `home`: of the operator, as the price list says it."""
        under = self._under(operator)
        return self._judged(replace(under, api=True, country=country, routing=routing, scope=scope, home=under.home or home))

    def _under(self, name: str) -> Placed:
        provider = self._catalog.providers.get(name)
        home = provider.home_country if provider else None
        return Placed(operator=provider, home=home, sites=frozenset(self._sites.get(name, ())))

    def _judged(self, placed: Placed) -> Judged:
        name = placed.operator.id if placed.operator else None
        key = (name, placed.own, placed.api, placed.country, placed.routing, placed.scope, placed.home)
        if key not in self._found:
            verdicts = judge(placed, self.demand)
            self._found[key] = Judged(placed, verdicts, self._part(placed, verdicts) if self._describes else None)
        return self._found[key]

    def _part(self, placed: Placed, verdicts: Sequence[Verdict]) -> ResidencyPart:
        provider = placed.operator
        rules = lapse_months(self._catalog.residency.rules)
        sources = self._catalog.sources("places")
        held = []
        for one in provider.attestations if provider else ():
            end = lapsed_since(one, rules.get(attestation_key(one.name)))
            lapsed = end.isoformat() if end and end < self._catalog.as_of else None
            seen = sources.get(one.source, {}).get("seen")
            held.append(
                AttestationPart(
                    name=one.name,
                    status=one.status,
                    scope=one.scope,
                    date=one.date,
                    lapsed=lapsed,
                    source=one.source,
                    seen=str(seen) if seen else None,
                )
            )
        return ResidencyPart(
            status=worst(one.status for one in verdicts),
            level=self.demand.residency.level,
            country=placed.country,
            routing=placed.routing,
            scope=placed.scope,
            operator=provider.id if provider else None,
            operator_home=placed.home,
            us_cloud_act_exposed=False if placed.own else provider.us_cloud_act_exposed if provider else None,
            attestations=tuple(held),
            axes=tuple(AxisPart(axis=one.axis, status=one.status, why=one.why, ask=one.ask) for one in verdicts),
            source=provider.source if provider else None,
            note=NOTE,
        )
