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
    lock_in,
    manifest,
    money,
    onprem,
    pages,
    places,
    recommend,
    records,
    sensitivity,
    simulate,
    update,
    validate,
)

PARTS = (
    ages.TEXTS, breakeven.TEXTS, capacity.TEXTS, check.TEXTS, cost.TEXTS, energy.TEXTS, entries.TEXTS, freshness.TEXTS, lock_in.TEXTS,
    manifest.TEXTS, money.TEXTS, onprem.TEXTS, pages.TEXTS, places.TEXTS, recommend.TEXTS, records.TEXTS, sensitivity.TEXTS,
    simulate.TEXTS, update.TEXTS, validate.TEXTS,
)  # fmt: skip
"""No key stands in two of them."""

TEXTS: Mapping[str, str] = {key: text for part in PARTS for key, text in part.items()}
