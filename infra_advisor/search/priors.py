"""What calibration believes before it sees a measurement: families, starting values, how far a value may move, and what may deviate."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from infra_advisor.facts.fact import Record
from infra_advisor.search.calibration import Bands, Selector
from infra_advisor.search.defaults import Defaults
from infra_advisor.search.scale import EFFICIENCIES, FACTORS
from infra_advisor.search.traits import GROUPS


class Deviating(Record):
    """Efficiencies that may deviate by a group."""

    of: tuple[str, ...]
    by: str
    width: float = Field(gt=0, le=5)
    """One standard deviation, on the scale on which deviations add up."""

    @model_validator(mode="after")
    def _known(self) -> "Deviating":
        if self.by not in GROUPS:
            raise ValueError(f"{self.by} is no group; known: {', '.join(GROUPS)}")
        if unknown := [name for name in self.of if name not in EFFICIENCIES]:
            raise ValueError(f"{', '.join(unknown)}: no efficiency")
        return self


class FamilyPrior(Record):
    """Where the fit of one family starts, and how much it may learn."""

    selects: tuple[Selector, ...]
    modes: tuple[str, ...] = ("closed-loop", "open-loop")
    fit_modes: tuple[str, ...] = ("closed-loop",)
    parent: str | None = None
    """Family whose fitted values and deviations this one starts from."""
    values: Mapping[str, float] = {}
    """Starting values; those of the parent hold where none is given."""
    width: float = Field(gt=0, le=5)
    """One standard deviation of every base value, on the scale on which deviations add up."""
    weight: float = Field(default=1.0, gt=0, le=1)
    """Of the evidence against the prior: rows of one source err together, so they count for less than their number."""
    deviations: tuple[Deviating, ...] = ()
    corrections: Mapping[str, float] = {}
    """Group -> width of its correction of whole times, in log; fitted last, to what the physics leaves over."""
    unmeasured_bands: Bands
    """Where there is too little evidence to calibrate a band."""
    source: str

    @model_validator(mode="after")
    def _sound(self) -> "FamilyPrior":
        if self.parent is None and (missing := [name for name in EFFICIENCIES if name not in FACTORS and name not in self.values]):
            raise ValueError(f"values: {', '.join(missing)} missing, and there is no parent")
        if unknown := [group for group in self.corrections if group not in GROUPS]:
            raise ValueError(f"corrections: {', '.join(unknown)}: no group")
        return self


class Priors(Record):
    """The whole file of priors."""

    kind: Literal["infra_advisor/priors/1"]
    defaults: Defaults
    most_sequences: Mapping[str, int]
    engine_order: Mapping[str, int] = {}
    length_shares: Mapping[str, float]
    """Source of measurements -> mean of its drawn lengths over the stated one."""
    left_out: Mapping[str, str]
    """Series of measurements (a beginning) -> why they are not fitted."""
    sets: Mapping[str, tuple[Deviating, ...]] = {}
    """Deviations that several families share."""
    correction_sets: Mapping[str, Mapping[str, float]] = {}
    families: Mapping[str, FamilyPrior]

    @model_validator(mode="before")
    @classmethod
    def _sets_named(cls, raw: Any) -> Any:
        """`deviations: serving` stands for the set of that name."""
        families = {}
        for name, family in raw.get("families", {}).items():
            written = dict(family)
            for key, sets in (("deviations", "sets"), ("corrections", "correction_sets")):
                if isinstance(written.get(key), str):
                    known = raw.get(sets, {})
                    if written[key] not in known:
                        raise ValueError(f"{name}: {key}: no set {written[key]!r}; known: {', '.join(known)}")
                    written[key] = known[written[key]]
            families[name] = written
        return {**raw, "families": families}

    @model_validator(mode="after")
    def _parents_first(self) -> "Priors":
        seen: set[str] = set()
        for name, family in self.families.items():
            if family.parent is not None and family.parent not in seen:
                raise ValueError(f"{name}: its parent {family.parent} must stand before it")
            seen.add(name)
        return self
