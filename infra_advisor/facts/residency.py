"""Where data may be processed, as one writes it: `jp`, `jp,de`, `eu:domestic-operator`, `!us`, `on-prem`."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.countries import COUNTRIES
from infra_advisor.facts.geographies import countries_of, geographies

LEVELS = ("any", "storage", "geo", "processing", "domestic-operator", "on-prem", "air-gapped")
"""From loose to strict: each asks for all that the ones before it ask for."""
LEVEL_IDS = {
    "any": "any",
    "storage": "storage-in-country",
    "geo": "processing-in-geo",
    "processing": "processing-in-country",
    "domestic-operator": "in-country-domestic-operator",
    "on-prem": "on-prem",
    "air-gapped": "air-gapped",
}
"""Level as one writes it -> its id in the catalog, which has the meaning."""
DEFAULT_LEVEL = "processing"
OWN_LEVELS = ("on-prem", "air-gapped")
"""Levels that only own hardware keeps."""
PLACELESS = ("any", *OWN_LEVELS)
"""Levels that say something without a country."""
_MISTAKEN = {"UK": "GB", "EN": "GB", "JA": "JP", "KO": "KR"}


@dataclass(frozen=True, kw_only=True)
class Residency:
    """Countries and geographies to keep and to leave out, in upper case, and how much has to stay there."""

    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    level: str = DEFAULT_LEVEL

    @property
    def country(self) -> str | None:
        """The country, where there is exactly one to choose from."""
        return self.keep[0] if len(self.keep) == 1 and self.keep[0] in COUNTRIES else None

    @property
    def binds(self) -> bool:
        """False where nothing is asked."""
        return self.level != "any" and bool(self.keep or self.drop or self.level in OWN_LEVELS)

    @property
    def cut_off(self) -> bool:
        """True where nothing may need a network."""
        return self.level == "air-gapped"

    @property
    def places(self) -> str:
        """`JP`, `EU,!DE`; empty without any."""
        return ",".join((*self.keep, *(f"!{name}" for name in self.drop)))

    @property
    def text(self) -> str:
        """As one writes it: `JP`, `EU,!DE:storage`, `on-prem`."""
        return self.places if self.places and self.level == DEFAULT_LEVEL else ":".join(filter(None, (self.places, self.level)))

    def admits(self, country: str) -> bool:
        """True for a country in which everything may lie."""
        return country not in countries_of(self.drop) and (not self.keep or country in countries_of(self.keep))

    def admits_in_geo(self, country: str) -> bool:
        """True for a country in the same geography as one to keep; a geography that was named is not widened."""
        if country in countries_of(self.drop):
            return False
        around = [members for members in geographies().values() if any(name in members for name in self.keep)]
        return self.admits(country) or any(country in members for members in around)


ANYWHERE = Residency()
"""Asks nothing."""


def read_residency_text(raw: str) -> Residency:
    """`jp`, `jp,de:storage`, `eu,!de`, `on-prem` -> what is asked. Raises UsageError."""
    levels: list[str] = []
    keep: list[str] = []
    drop: list[str] = []
    for written in raw.split(","):
        name, colon, level = (part.strip() for part in written.partition(":"))
        if name.lower() in PLACELESS and not colon:
            name, colon, level = "", ":", name
        if colon:
            levels.append(_level(level))
        if name:
            (drop if name[0] in "!-" else keep).append(place(name.lstrip("!-").strip()))
        elif not colon:
            raise UsageError(f"{raw!r} names no country; write jp, jp,de, eu, !us or jp:storage")
    if len(set(levels)) > 1:
        raise UsageError(f"{raw!r}: {' and '.join(dict.fromkeys(levels))} contradict each other; give one level: {', '.join(LEVELS)}")
    level = levels[0] if levels else DEFAULT_LEVEL
    found = Residency(keep=tuple(dict.fromkeys(keep)), drop=tuple(dict.fromkeys(drop)), level=level)
    if not found.places and level not in PLACELESS:
        raise UsageError(f"{raw!r}: {level} needs a country: jp:{level}")
    if found.keep and not countries_of(found.keep) - countries_of(found.drop):
        raise UsageError(f"{raw!r}: every country is left out again")
    return found


def read_places(names: Sequence[str]) -> tuple[str, ...]:
    """Countries and geographies, each perhaps left out with ! or -, as they are kept: `JP`, `EU`, `!US`. Raises UsageError."""
    found = read_residency_text(",".join(names))
    if found.level != DEFAULT_LEVEL:
        raise UsageError(f"{','.join(names)!r}: takes countries, no level")
    return tuple(found.places.split(","))


def place(name: str) -> str:
    """The country or geography of a name, in upper case. Raises UsageError."""
    code = _MISTAKEN.get(name.upper(), name.upper())
    if code in COUNTRIES or code in geographies():
        return code
    known = [group.lower() for group in geographies()]
    groups = f", or one of {', '.join(known)}" if known else ""
    near = did_you_mean(name.lower(), [*LEVELS, *known])
    raise UsageError(f"{name!r} is not a country; give its two-letter code, such as jp, us or de{groups}.{near}")


def _level(name: str) -> str:
    level = name.lower()
    if level not in LEVELS:
        raise UsageError(f"{name!r} is not a level of residency; accepted: {', '.join(LEVELS)}.{did_you_mean(level, LEVELS)}")
    return level
