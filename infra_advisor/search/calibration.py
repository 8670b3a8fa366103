"""Which efficiencies hold for a deployment, how far they may be off, and what was measured that says so.

A family of hardware and engines has base values; groups of deployments (an engine, a chip, a kind of model ...) deviate from them, and
deviations add up on a scale on which no share can leave (0, 1) and no time can become negative. What was never measured has none.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Protocol

from pydantic import Field, ValidationError, model_validator

from infra_advisor.errors import CatalogError
from infra_advisor.facts.deviations import Deviation
from infra_advisor.facts.fact import Record
from infra_advisor.facts.files import explain
from infra_advisor.search.defaults import Defaults
from infra_advisor.search.scale import EFFICIENCIES, FACTORS, FITTED, to_scale
from infra_advisor.search.traits import GROUPS, Traits

if TYPE_CHECKING:
    from infra_advisor.search.binding import Efficiencies

Band = Annotated[tuple[float, float], Field(description="lowest and highest factor on the prediction")]
Unseen = Literal["none", "combination", "chip", "model", "both"]
Grade = Literal["A", "B", "C", "D"]
GRADES: Mapping[Unseen, Grade] = {"none": "A", "combination": "B", "chip": "C", "model": "C", "both": "D"}
"""What was never measured -> grade: A this combination of chip, model, engine and format was; B both chip and model were; D neither."""
MEASURED_HOW = ("mode", "source")
"""Groups that say how a point was measured, not what."""


class Selector(Record):
    """A rule that names devices; every stated key must hold."""

    engine_kind: str | None = None
    vendors: tuple[str, ...] = ()
    device_classes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def holds(self, *, engine_kind: str, vendor: str, device_class: str, kind: str) -> bool:
        """True when the device and engine satisfy every stated key."""
        return (
            self.engine_kind in (None, engine_kind)
            and (not self.vendors or vendor in self.vendors)
            and (not self.device_classes or device_class in self.device_classes)
            and (not self.kinds or kind in self.kinds)
        )


class Bands(Record):
    """90 % bands as factors on a prediction."""

    tpot: Band
    ttft: Band
    throughput: Band

    @model_validator(mode="after")
    def _contain_the_prediction(self) -> "Bands":
        for name in ("tpot", "ttft", "throughput"):
            low, high = getattr(self, name)
            if not 0 < low <= 1 <= high:
                raise ValueError(f"{name} must run from a factor below 1 to one above")
        return self


class Family(Record):
    """Efficiencies of one class of hardware under one kind of engine."""

    selects: tuple[Selector, ...]
    modes: tuple[str, ...] = ("closed-loop", "open-loop")
    """Ways of loading it speaks of."""
    source: str
    rows: int = Field(default=0, ge=0)
    """Measured points that were fitted; 0 = the values are judgement."""
    values: Mapping[str, float]
    bands: Mapping[Unseen, Bands]

    @model_validator(mode="after")
    def _complete(self) -> "Family":
        if missing := [name for name in FITTED if name not in self.values]:
            raise ValueError(f"values: {', '.join(missing)} missing")
        for name, value in self.values.items():
            if name not in FITTED:
                raise ValueError(f"values: {name} is no efficiency")
            if not value > (1.0 if name == "sharpness" else 0.0) or (name.endswith("_share") and value >= 1.0):
                raise ValueError(f"values: {name} {value:g} is outside its physical bounds")
        if missing_bands := [unseen for unseen in GRADES if unseen not in self.bands]:
            raise ValueError(f"bands: {', '.join(missing_bands)} missing")
        return self

    @cached_property
    def scaled(self) -> tuple[float, ...]:
        """Base values on the scale on which deviations add up, in the order of `EFFICIENCIES`."""
        return tuple(to_scale(name, self.values[name]) if name in self.values else 0.0 for name in EFFICIENCIES)


class Selects(Protocol):
    """What says for which hardware, engines and ways of loading it speaks."""

    @property
    def selects(self) -> tuple[Selector, ...]:
        """Rules, of which one must hold."""

    @property
    def modes(self) -> tuple[str, ...]:
        """Ways of loading."""


def selected(families: Mapping[str, Selects], *, engine_kind: str, vendor: str, device_class: str, kind: str, mode: str) -> str | None:
    """Name of the first family whose rules hold, or None."""
    for name, family in families.items():
        if mode in family.modes and any(
            rule.holds(engine_kind=engine_kind, vendor=vendor, device_class=device_class, kind=kind) for rule in family.selects
        ):
            return name
    return None


class Known(NamedTuple):
    """What was measured within one family."""

    chips: frozenset[str]
    models: frozenset[str]
    combinations: frozenset[str]


class Parameters(Record):
    """The whole parameter file, with the deviations that stand beside it."""

    defaults: Defaults
    families: Mapping[str, Family]
    most_sequences: Mapping[str, Annotated[int, Field(ge=1)]]
    """Class of device -> sequences one replica runs at once where the engine does not say less; `other` for the rest."""
    engine_order: Mapping[str, int] = {}
    """Among engines that are predicted alike the lowest wins."""
    length_shares: Mapping[str, float] = {}
    """Source of measurements -> mean of its drawn lengths over the stated one."""
    deviations: tuple[Any, ...] = ()

    @model_validator(mode="after")
    def _has_a_rest(self) -> "Parameters":
        if "other" not in self.most_sequences:
            raise ValueError("most_sequences: `other` is missing")
        return self

    def family(
        self, *, engine_kind: str, vendor: str, device_class: str, kind: str, mode: str = "closed-loop"
    ) -> tuple[str, Family] | None:
        """Name and values of the first family whose rules hold, or None: then nothing can be predicted."""
        name = selected(self.families, engine_kind=engine_kind, vendor=vendor, device_class=device_class, kind=kind, mode=mode)
        return (name, self.families[name]) if name else None

    def order(self, engine: str) -> int:
        """Place of an engine among those predicted alike."""
        return self.engine_order.get(engine, len(self.engine_order) + 1)

    def sequences(self, device_class: str) -> int:
        """Most sequences at once by class of device."""
        return self.most_sequences.get(device_class, self.most_sequences["other"])

    @cached_property
    def _offsets(self) -> Mapping[tuple[str, str, str], Mapping[int, float]]:
        """(family, group, member) -> place of an efficiency -> offset."""
        place = {name: number for number, name in enumerate(EFFICIENCIES)}
        found: dict[tuple[str, str, str], dict[int, float]] = {}
        for one in self.deviations:
            row = found.setdefault((one.family, one.group, one.member), {})
            row[place[one.parameter]] = row.get(place[one.parameter], 0.0) + one.offset
        return found

    @cached_property
    def known(self) -> Mapping[str, Known]:
        """What was measured, by family."""
        members: dict[str, dict[str, set[str]]] = {name: {"chip": set(), "model": set(), "combination": set()} for name in self.families}
        for family, group, member in self._offsets:
            if family in members and group in members[family]:
                members[family][group].add(member)
        return {name: Known(*(frozenset(of[group]) for group in ("chip", "model", "combination"))) for name, of in members.items()}

    def unseen(self, family: str, traits: Traits) -> Unseen:
        """What of a deployment was never measured."""
        known = self.known[family]
        if traits["combination"] in known.combinations:
            return "none"
        chip, model = traits["chip"] in known.chips, traits["model"] in known.models
        if chip and model:
            return "combination"
        return "model" if chip else "chip" if model else "both"

    def scaled(self, family: str, traits: Traits) -> list[float]:
        """Efficiencies of one deployment on the scale of deviations; corrections of whole times only where chip and model were measured."""
        total = list(self.families[family].scaled)
        known = self.known[family]
        inside = (traits["chip"] in known.chips and traits["model"] in known.models) or traits["combination"] in known.combinations
        for group, member in traits.items():
            for place, offset in self._offsets.get((family, group, member), {}).items():
                if inside or place not in _FACTOR_PLACES or group in MEASURED_HOW:
                    total[place] += offset
        return total

    def efficiencies(self, deployments: Sequence[tuple[str, Traits]]) -> "Efficiencies":
        """The efficiencies of (family, traits), one position each."""
        import numpy as np

        from infra_advisor.search.binding import from_scaled

        return from_scaled(np.array([self.scaled(family, traits) for family, traits in deployments]).reshape(-1, len(EFFICIENCIES)))


_FACTOR_PLACES = frozenset(EFFICIENCIES.index(name) for name in FACTORS)


def read_parameters(raw: Mapping[str, Any], deviations: Sequence[Deviation] = ()) -> Parameters:
    """Checked parameters. Raises CatalogError with every problem."""
    try:
        found = Parameters.model_validate({**raw, "deviations": tuple(deviations)})
    except ValidationError as error:
        raise CatalogError([f"parameters: {line}" for line in explain(error)]) from error
    problems = []
    for one in deviations:
        if one.family not in found.families:
            problems.append(f"deviations: {one.family} is no family of the parameters")
        if one.group not in GROUPS:
            problems.append(f"deviations: {one.group} is no group")
        if one.parameter not in EFFICIENCIES:
            problems.append(f"deviations: {one.parameter} is no efficiency")
    if problems:
        raise CatalogError(sorted(set(problems)))
    return found
