"""Answers for people and programs: `show` prints, `render` only writes a text."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra_advisor.present.output import render as render
    from infra_advisor.present.output import show as show

__all__ = ["render", "show"]


def __getattr__(name: str) -> Any:
    """Load the renderers only when something is shown: an error message needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("infra_advisor.present.output"), name)
