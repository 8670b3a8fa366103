"""Certificates and registrations by name: which spellings mean the same, and which still stand on a day."""

import calendar
import datetime
import re
from collections.abc import Iterable, Mapping, Sequence

from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.places import Attestation, Provider, ResidencyRule

_SEVERAL = re.compile(r"\s+and\s+|,\s*|[()]|\bwith\b")
"""What joins several certificates in one printed name."""


def attestation_key(name: str) -> str:
    """`ISO 27017`, `iso-27017` -> `iso27017`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def is_of(attestation: Attestation, key: str) -> bool:
    """True where the printed name says `key`, or something more precise: `SOC 2 Type II` is a `soc2`."""
    return any(re.match(rf"{re.escape(key)}(?!\d)", attestation_key(part)) for part in _SEVERAL.split(attestation.name))


def known_attestations(providers: Iterable[Provider]) -> tuple[str, ...]:
    """Every key that some provider of the catalog states or is said to have."""
    parts = {attestation_key(part) for one in providers for held in one.attestations for part in _SEVERAL.split(held.name)}
    return tuple(sorted(parts - {""}))


def check_attestation_names(keys: Sequence[str], providers: Iterable[Provider]) -> None:
    """Refuse a name that nothing in the catalog matches. Raises UsageError."""
    providers = tuple(providers)
    known = known_attestations(providers)
    for key in keys:
        if not any(is_of(held, key) for one in providers for held in one.attestations):
            raise UsageError(f"--attestation: {key!r} is unknown; the catalog has {', '.join(known)}.{did_you_mean(key, known)}")


def lapse_months(rules: Iterable[ResidencyRule]) -> Mapping[str, int]:
    """Key of an attestation -> months after which one of that name, as dated, no longer stands."""
    return {attestation_key(rule.name): rule.lapses_after_months for rule in rules if rule.lapses_after_months}


def lapsed_since(attestation: Attestation, months: int | None) -> datetime.date | None:
    """Last day on which it stood, as far as its dates tell; None where they tell nothing.

    A month stands for its last day, so that nothing lapses too early.
    """
    if attestation.valid_until:
        return datetime.date.fromisoformat(attestation.valid_until)
    if not (months and attestation.date and (found := re.fullmatch(r"(\d{4})-(\d{2})(?:-(\d{2}))?", attestation.date))):
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3]) if found[3] else 31
    later = year * 12 + month - 1 + months
    year, month = later // 12, later % 12 + 1
    return datetime.date(year, month, min(day, calendar.monthrange(year, month)[1]))
