"""English."""

from collections.abc import Mapping

from infra_advisor.present.words.en import ages, capacity, cost, entries, pages, recommend, records, simulate, update, validate

PARTS = (
    ages.TEXTS, capacity.TEXTS, cost.TEXTS, entries.TEXTS, records.TEXTS, recommend.TEXTS,
    pages.TEXTS, validate.TEXTS, simulate.TEXTS, update.TEXTS,
)  # fmt: skip
"""No key stands in two of them."""

TEXTS: Mapping[str, str] = {key: text for part in PARTS for key, text in part.items()}
