"""Words of `catalog check --older-than`."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "age.title.one": "1 price was last read longer ago than {limit}, as of {day}",
    "age.title.many": "{number} prices were last read longer ago than {limit}, as of {day}",
    "age.usual": "is usual for its seller",
    "age.days": "{days} days",
    "age.col.where": "in",
    "age.col.provider": "seller",
    "age.col.kind": "kind",
    "age.col.older": "older",
    "age.col.lines": "of",
    "age.col.limit_d": "limit [d]",
    "age.col.oldest": "oldest read",
}
