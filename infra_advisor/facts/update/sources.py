"""The sources of fresh prices by name; each adapter is loaded only when it is asked for."""

from collections.abc import Sequence
from importlib import import_module

from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.update.feed import Feed

NAMES = ("ecb", "litellm", "sakura", "oci", "aws", "azure", "gcp", "vast", "runpod", "gpuhunt", "skypilot")
"""Where two of them price the same offer, the one named first counts: price lists of the providers before collections of others."""
ALL = "all"


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The sources asked for, in the order of NAMES; none or `all` means every one. Raises UsageError with near names."""
    for name in names:
        if name not in (*NAMES, ALL):
            accepted = (*NAMES, ALL)
            raise UsageError(f"there is no source {name!r}; accepted: {', '.join(accepted)}.{did_you_mean(name, accepted)}")
    return NAMES if not names or ALL in names else tuple(name for name in NAMES if name in names)


def feed(name: str) -> Feed:
    """The feed of a source."""
    found: Feed = import_module(f"{__package__}.{name}").FEED
    return found
