"""Does an option keep what was asked about place, operator, law, attestations and keys? One pure decision, with its reason.

An aid to screening, not legal advice: it reads the facts of the catalog, and what they do not say is unknown, never a yes.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from infra_advisor.facts.attestations import is_of, lapsed_since
from infra_advisor.facts.countries import COUNTRIES
from infra_advisor.facts.geographies import geographies
from infra_advisor.facts.places import Attestation, Provider
from infra_advisor.facts.residency import ANYWHERE, OWN_LEVELS, Residency

Status = Literal["kept", "unknown", "excluded"]
Axis = Literal["residency", "operator", "law", "attestation", "keys"]
STATUSES: tuple[Status, ...] = ("kept", "unknown", "excluded")
"""From best to worst."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Where an option stands and who runs it."""

    own: bool = False
    """Hardware of one's own: place, operator and keys are the buyer's choice."""
    api: bool = False
    country: str | None = None
    """Of the machine, or of the endpoint that a hosted API names; None = not stated."""
    routing: str | None = None
    """Of a hosted API: in-country, in-region, geo, global, provider-choice; None = not stated."""
    scope: str | None = None
    """The routing as its price list prints it: `geo:APAC`, `EU/US`."""
    sites: frozenset[str] = frozenset()
    """Countries in which the operator has regions."""
    operator: Provider | None = None
    home: str | None = None
    """Country of the operator."""


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What is asked, each axis by itself; what is unset asks nothing."""

    residency: Residency = ANYWHERE
    operator_home: Residency = ANYWHERE
    """Countries as in a residency; its level says nothing."""
    laws: tuple[str, ...] = ()
    """Countries whose law must not reach the operator."""
    attestations: tuple[str, ...] = ()
    """Keys of `attestation_key`."""
    customer_keys: bool = False
    day: datetime.date = datetime.date.max
    """On which attestations have to stand."""
    lapse_months: Mapping[str, int] = field(default_factory=dict)

    @property
    def binds(self) -> bool:
        """False where nothing is asked."""
        return self.residency.binds or bool(self.operator_home.places or self.laws or self.attestations or self.customer_keys)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found of one axis."""

    axis: Axis
    status: Status
    why: str
    ask: str = ""
    """What the provider has to be asked."""
    label: str = ""
    """The reason as many options share it."""


def worst(statuses: Iterable[Status]) -> Status:
    """Excluded before unknown before kept."""
    return max(statuses, key=STATUSES.index, default="kept")


def judge(placed: Placed, demand: Demand) -> tuple[Verdict, ...]:
    """A verdict for every axis that asks something, in a fixed order."""
    found = []
    if demand.residency.binds:
        found.append(_residency(placed, demand.residency))
    if demand.operator_home.places:
        found.append(_home(placed, demand.operator_home))
    found += [_law(placed, law) for law in demand.laws]
    found += [_attestation(placed, key, demand) for key in demand.attestations]
    if demand.customer_keys:
        found.append(_keys(placed))
    return tuple(found)


# -- place


@dataclass(frozen=True)
class _Route:
    """The countries in which requests may be processed."""

    kind: Literal["fixed", "choice", "anywhere", "unknown"]
    """fixed: any of them may be used; choice: the operator picks among them, and may say which."""
    countries: frozenset[str] = frozenset()


def _route(placed: Placed) -> _Route:
    here = _Route("fixed", frozenset({placed.country})) if placed.country else _Route("unknown")
    if not placed.api or placed.routing in ("in-country", "in-region"):
        return here
    if placed.routing == "global":
        return _Route("anywhere")
    if placed.routing in ("geo", "provider-choice"):
        named = _named_in(placed.scope or "")
        if placed.routing == "geo":
            return here if placed.country else _Route("fixed", named) if named else _Route("unknown")
        return _Route("choice", named) if named else _Route("unknown")
    return _Route("unknown")


def _named_in(scope: str) -> frozenset[str]:
    """`geo:APAC`, `datazone:EU`, `EU/US` -> countries; empty where a name is not known."""
    found: set[str] = set()
    for name in scope.rpartition(":")[2].upper().split("/"):
        if not (members := geographies().get(name) or ({name} if name in COUNTRIES else set())):
            return frozenset()
        found |= members
    return frozenset(found)


def _residency(placed: Placed, asked: Residency) -> Verdict:
    if placed.own:
        return Verdict(axis="residency", status="kept", why="own hardware: it stands where you put it")
    if asked.level in OWN_LEVELS:
        return Verdict(axis="residency", status="excluded", why=f"{asked.level} admits own hardware only", label=f"not {asked.level}")
    route = _route(placed)
    found = [_stored(placed, route, asked)]
    if asked.level != "storage":
        found.append(_processed(placed, route, asked))
    if asked.level == "domestic-operator":
        found.append(_domestic(placed, asked))
    status = worst(one.status for one in found)
    if status == "kept":  # that it is stored where it is processed goes without saying
        said = [one.why for one in found if len(found) == 1 or not one.why.startswith("stored in ")]
        return Verdict(axis="residency", status="kept", why="; ".join(said))
    return next(one for one in reversed(found) if one.status == status)


def _stored(placed: Placed, route: _Route, asked: Residency) -> Verdict:
    """Data at rest: where the machine stands, or the resource of an API is created."""
    if route.kind in ("fixed", "choice") and (settled := _all_or_none(placed, route, asked, "stored")):
        return settled
    inside = sorted(country for country in placed.sites if asked.admits(country))
    if route.kind in ("fixed", "anywhere") and inside:
        why = f"stored where the resource is created: choose {', '.join(inside)}"
        return Verdict(axis="residency", status="kept", why=why)
    return _not_stated(placed, "ask in which country prompts, outputs and logs are stored")


def _processed(placed: Placed, route: _Route, asked: Residency) -> Verdict:
    if route.kind == "anywhere":
        why = "routed globally: requests may be processed in any country"
        return Verdict(axis="residency", status="excluded", why=why, label=_outside(asked))
    if route.kind in ("fixed", "choice"):
        wide = asked.level == "geo"
        if settled := _all_or_none(placed, route, asked, "processed", wide=wide):
            return settled
        if route.kind == "fixed":
            abroad = sorted(country for country in route.countries if not (asked.admits_in_geo if wide else asked.admits)(country))
            why = f"{placed.scope} may process in {_few(abroad)}"
            return Verdict(axis="residency", status="excluded", why=why, label=_outside(asked))
    return _not_stated(placed, "ask in which countries requests are processed, and whether that can be fixed")


def _all_or_none(placed: Placed, route: _Route, asked: Residency, done: str, *, wide: bool = False) -> Verdict | None:
    """Settled where all countries of the route are admitted, or none is."""
    admitted = {country for country in route.countries if (asked.admits_in_geo if wide else asked.admits)(country)}
    where = _few(sorted(route.countries))
    if admitted == route.countries:
        return Verdict(axis="residency", status="kept", why=f"{done} in {where}")
    if not admitted:
        return Verdict(axis="residency", status="excluded", why=f"{done} in {where}", label=_outside(asked))
    return None


def _domestic(placed: Placed, asked: Residency) -> Verdict:
    """The operator is at home there and is not controlled from abroad, as far as that is known: of US control only."""
    home = _home(placed, asked, axis="residency")
    if home.status != "kept" or asked.admits("US"):
        return home
    law = _law(placed, "US", axis="residency")
    return home if law.status == "kept" else law


def _not_stated(placed: Placed, ask: str) -> Verdict:
    why = f"processing is {placed.routing or 'not stated'}" if placed.api else "the price list names no country"
    return Verdict(axis="residency", status="unknown", why=why, ask=ask if placed.api else "ask in which country the machine stands")


def _outside(asked: Residency) -> str:
    return f"outside {asked.text}"


def _few(countries: list[str]) -> str:
    return ", ".join(countries) if len(countries) <= 6 else f"{', '.join(countries[:5])} and {len(countries) - 5} more countries"


# -- operator


def _home(placed: Placed, asked: Residency, axis: Axis = "operator") -> Verdict:
    if placed.own:
        return Verdict(axis=axis, status="kept", why="own hardware: the operator is you")
    if placed.home is None:
        ask = "ask for the home country of the operator and of its ultimate parent"
        return Verdict(axis=axis, status="unknown", why="the home country of the operator is not recorded", ask=ask)
    if asked.admits(placed.home):
        return Verdict(axis=axis, status="kept", why=f"operator at home in {placed.home}")
    label = f"operator not of {asked.places}"
    return Verdict(axis=axis, status="excluded", why=f"operator at home in {placed.home}", label=label)


def _law(placed: Placed, law: str, axis: Axis = "law") -> Verdict:
    """Of the law of the US the catalog knows whom it reaches; of others, only that it reaches operators at home there."""
    called = "US law (CLOUD Act)" if law == "US" else f"the law of {law}"
    if placed.own:
        return Verdict(axis=axis, status="kept", why="own hardware: no operator stands between")
    exposed = placed.operator.us_cloud_act_exposed if placed.operator and law == "US" else None
    if exposed or placed.home == law:
        why = f"operator reached by {called} wherever the data lie"
        return Verdict(axis=axis, status="excluded", why=why, label=f"operator under {called}")
    if exposed is False:
        return Verdict(axis=axis, status="kept", why="no US control of the operator is known")
    ask = f"ask whether the operator, a parent or a subsidiary is under {called}"
    return Verdict(axis=axis, status="unknown", why=f"whether {called} reaches the operator is not recorded", ask=ask)


def _attestation(placed: Placed, key: str, demand: Demand) -> Verdict:
    if placed.own:
        return Verdict(axis="attestation", status="kept", why=f"own hardware: {key} is yours to obtain")
    named = [one for one in (placed.operator.attestations if placed.operator else ()) if is_of(one, key)]
    ended = {one: lapsed_since(one, demand.lapse_months.get(key)) for one in named}
    standing = [one for one in named if not one.is_lead and ((end := ended[one]) is None or end >= demand.day)]
    if standing:
        return Verdict(axis="attestation", status="kept", why=f"{_told(standing[0])}; check the register")
    ask = f"ask for the current {key} document, its scope and its dates"
    over = [one for one in named if not one.is_lead]
    if over:
        why = f"{over[0].name} of {over[0].date or 'unknown date'} has lapsed since {ended[over[0]]}"
    elif named:
        why = f"{named[0].name} is only a lead ({named[0].status})"
    else:
        why = f"no {key} of the operator is recorded"
    return Verdict(axis="attestation", status="unknown", why=why, ask=ask)


def _told(one: Attestation) -> str:
    scope = f", scope {one.scope}" if one.scope else ", scope not recorded"
    return f"{one.name} {one.status}{f' {one.date}' if one.date else ', date not recorded'}{scope} (source {one.source})"


def _keys(placed: Placed) -> Verdict:
    if placed.own:
        return Verdict(axis="keys", status="kept", why="own hardware: the keys are yours")
    held = placed.operator.customer_keys if placed.operator else None
    if held is None:
        ask = "ask who can use the keys of stored data, and whether you alone can hold them"
        return Verdict(axis="keys", status="unknown", why="key custody is not recorded", ask=ask)
    if held:
        return Verdict(axis="keys", status="kept", why="the customer alone can hold the keys of stored data")
    return Verdict(axis="keys", status="excluded", why="the operator holds the keys", label="keys not held by the customer")
