"""What `advisor catalog check --older-than` lists."""

from infra_advisor.errors import UsageError
from infra_advisor.facts.ages import aged_prices
from infra_advisor.facts.catalog import Catalog
from infra_advisor.present.listing import Listing
from infra_advisor.present.numbers import exact
from infra_advisor.present.words import words
from infra_advisor.units import parse_quantity

USUAL = "usual"
KEYS = ("where", "provider", "kind", "older", "lines", "limit_d", "oldest")


def age_or_usual(raw: str) -> float | None:
    """`90d` -> 90.0; `usual` -> None: the age that is usual for the seller. Raises UsageError."""
    if raw.strip().lower() == USUAL:
        return None
    try:
        return parse_quantity(raw, "age")
    except UsageError as error:
        raise UsageError(f"{error}, or the word {USUAL}") from None


def age_list(catalog: Catalog, limit_d: float | None) -> Listing:
    """Old prices by seller; empty where there is none."""
    say = words()
    found = aged_prices(catalog, limit_d)
    rows = tuple((one.table, one.provider, one.kind, one.older, one.lines, one.limit_d, one.oldest) for one in found)
    older = sum(one.older for one in found)
    limit = say("age.usual") if limit_d is None else say("age.days", days=exact(limit_d))
    return Listing(
        title=say.counted("age.title", older, limit=limit, day=catalog.as_of.isoformat()),
        keys=KEYS,
        titles=tuple(say(f"age.col.{key}") for key in KEYS),
        rows=rows,
        shown=tuple(tuple(f"{cell:,.0f}" if isinstance(cell, int | float) else cell for cell in row) for row in rows),
        right=frozenset({"older", "lines", "limit_d"}),
        drops=(1, 0, 0, 0, 2, 3, 0),
    )
