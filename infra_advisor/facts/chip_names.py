"""From what a person types to a chip: an id, an alias, or the beginning of one id."""

from collections.abc import Mapping

from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.chips import Alias, Chip

MOST_LISTED = 8


def find_chip(name: str, chips: Mapping[str, Chip], aliases: Mapping[str, Alias]) -> Chip:
    """The chip of an id, alias, or unique beginning. Raises UsageError with near or competing names."""
    wanted = name.strip().lower().replace(" ", "-").replace("_", "-")
    if wanted in chips:
        return chips[wanted]
    if wanted in aliases and (meant := aliases[wanted].id) in chips:
        return chips[meant]
    starts = sorted(chip for chip in chips if chip.startswith(wanted)) if wanted else []
    if len(starts) == 1:
        return chips[starts[0]]
    if starts:
        raise UsageError(f"{name!r} may mean {', '.join(starts[:MOST_LISTED])}; give one of them")
    known = [*chips, *(alias for alias, target in aliases.items() if target.id in chips)]
    raise UsageError(f"unknown accelerator {name!r}.{did_you_mean(wanted, known)} `advisor catalog list chips` names all")
