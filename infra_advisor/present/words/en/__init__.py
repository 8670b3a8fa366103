"""English."""

from collections.abc import Mapping

from infra_advisor.present.words.en import (
    breakeven,
    capacity,
    check,
    cost,
    energy,
    freshness,
    money,
    pages,
    recommend,
    records,
    sensitivity,
    simulate,
    update,
    validate,
)

PARTS = (
    breakeven.TEXTS, capacity.TEXTS, check.TEXTS, cost.TEXTS, energy.TEXTS, freshness.TEXTS, money.TEXTS, pages.TEXTS, recommend.TEXTS,
    records.TEXTS, sensitivity.TEXTS, simulate.TEXTS, update.TEXTS, validate.TEXTS,
)  # fmt: skip
"""No key stands in two of them."""

TEXTS: Mapping[str, str] = {key: text for part in PARTS for key, text in part.items()}
