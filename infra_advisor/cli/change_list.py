"""Changes of facts as a list: what was, what is, and by how much."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from infra_advisor.facts.differences import Change, What
from infra_advisor.present.listing import Listing
from infra_advisor.present.words import words

KEYS = ("change", "where", "id", "figure", "old", "new", "unit", "change_share", "reason")
DROPS = (0, 2, 0, 1, 0, 0, 1, 0, 0)
ORDER: tuple[What, ...] = ("quarantined", "changed", "new", "gone")


def change_list(changes: Sequence[Change]) -> Listing:
    """What needs eyes first comes first; figures are exact."""
    say = words()
    ordered = sorted(changes, key=lambda change: (ORDER.index(change.what), change.where, change.id))
    counts = Counter(change.what for change in changes)
    told = ", ".join(say(f"change.{what}", number=f"{counts[what]:,}") for what in ORDER if counts[what])
    columns = [key for key in KEYS if key != "reason" or any(change.reason for change in changes)]
    kept = [KEYS.index(key) for key in columns]
    rows = [_row(change) for change in ordered]
    shown = [_shown(change) for change in ordered]
    return Listing(
        title=told or say("change.none"),
        keys=tuple(columns),
        titles=tuple(say(f"change.col.{key}") for key in columns),
        rows=tuple(tuple(row[index] for index in kept) for row in rows),
        shown=tuple(tuple(row[index] for index in kept) for row in shown),
        right=frozenset({"old", "new", "change_share"}),
        drops=tuple(DROPS[index] for index in kept),
    )


def _row(change: Change) -> tuple[str | float | None, ...]:
    share = change.share
    figures = (_value(change.old), _value(change.new))
    by = None if share is None else round(float(share), 6)
    return (change.what, change.where, change.id, change.figure, *figures, change.unit, by, change.reason)


def _shown(change: Change) -> tuple[str, ...]:
    share = change.share
    by = "" if share is None else f"{share:+.1%}"
    return (change.what, change.where, change.id, change.figure, _text(change.old), _text(change.new), change.unit, by, change.reason)


def _value(value: Decimal | str | None) -> str | float | None:
    return float(value) if isinstance(value, Decimal) else value


def _text(value: Decimal | str | None) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value or ""
