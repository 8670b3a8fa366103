"""How long ago a price was seen, against how long prices of its kind are believed. An old price still ranks, and is marked."""

from collections.abc import Collection, Iterator, Sequence

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.parts import HardwareClass, PriceConfidence
from infra_advisor.facts.ages import usual_age_d
from infra_advisor.facts.catalog import Catalog

MOVING = ("marketplace", "spot")
"""Marks of prices that move from day to day, whoever asks them."""


def price_age_limit_d(catalog: Catalog, class_: HardwareClass, provider: str, marks: Collection[str] = ()) -> float:
    """Days for which a price is believed: by kind of seller, and for prices that a market makes by that."""
    table = "api_prices" if class_ == "api" else "purchase" if class_ in ("onprem", "edge") else "offers"
    return usual_age_d(catalog, table, provider, moving=any(mark in MOVING for mark in marks))


def price_confidence(*, priced: bool, age_d: int | None, limit_d: float, marks: Collection[str] = ()) -> PriceConfidence:
    """stale: a newer price is known to exist; aged: seen longer ago than `limit_d`; unknown: no price, or nobody knows of when."""
    if not priced or age_d is None:
        return "unknown"
    if "stale" in marks:
        return "stale"
    return "aged" if age_d > limit_d else "fresh"


def age_warning(shown: Sequence[Answer]) -> Iterator[str]:
    """One sentence about all prices shown that are older than their kind is believed; nothing where there are none."""
    old = [answer for answer in shown if answer.offer.price_confidence == "aged"]
    if not old:
        return
    seen = f"seen {shown[0].offer.price_age_d} days ago"
    if len(shown) == 1:
        which = f"that of this answer, {seen}"
    else:
        which = f"{len(old)} of the {len(shown)} shown" + (f", the first ({seen}) among them" if old[0] is shown[0] else "")
    yield f"Aged prices, older than their kind is believed: {which}; advisor catalog update brings newer ones, --max-age drops old ones."
