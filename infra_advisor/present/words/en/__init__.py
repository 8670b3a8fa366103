"""English."""

from collections.abc import Mapping

from infra_advisor.present.words.en import (
    ages,
    breakeven,
    capacity,
    check,
    cost,
    energy,
    entries,
    freshness,
    manifest,
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
    ages.TEXTS, breakeven.TEXTS, capacity.TEXTS, check.TEXTS, cost.TEXTS, energy.TEXTS, entries.TEXTS, freshness.TEXTS,
    manifest.TEXTS, money.TEXTS, pages.TEXTS, recommend.TEXTS, records.TEXTS, sensitivity.TEXTS, simulate.TEXTS, update.TEXTS,
    validate.TEXTS,
)  # fmt: skip
"""No key stands in two of them."""

TEXTS: Mapping[str, str] = {key: text for part in PARTS for key, text in part.items()}
