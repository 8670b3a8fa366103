"""What was asked about place, operator, law, attestations and keys, in words."""

from infra_advisor.advice.parts import LimitsPart
from infra_advisor.present.words import Words

_AXES = ("operator_home", "no_foreign_law", "attestation")


def asked(say: Words, limits: LimitsPart) -> list[str]:
    """What was asked, one phrase each."""
    found = [residency(say, limits.residency)] if limits.residency and limits.residency != "any" else []
    found += [say(f"place.{name}", names=", ".join(names).upper()) for name in _AXES if (names := getattr(limits, name))]
    if limits.keys:
        found.append(say("place.keys", keys=limits.keys))
    return found + ([say("place.allow_unknown")] if limits.allow_unknown else [])


def residency(say: Words, text: str) -> str:
    """`JP` -> `data processed in JP`; `on-prem` -> `on own hardware`."""
    if ":" not in text:
        return say(f"residency.{text}") if text.islower() else say("residency", country=text)
    places, _, level = text.partition(":")
    return say(f"residency.{level}.in" if level in ("on-prem", "air-gapped") else f"residency.{level}", places=places)
