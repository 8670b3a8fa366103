"""English."""

from collections.abc import Mapping

from infra_advisor.present.words.en import capacity, check, cost, freshness, money, pages, recommend, records, simulate, update, validate

PARTS = (
    capacity.TEXTS, check.TEXTS, cost.TEXTS, freshness.TEXTS, money.TEXTS, records.TEXTS, recommend.TEXTS, pages.TEXTS, validate.TEXTS,
    simulate.TEXTS, update.TEXTS,
)  # fmt: skip
"""No key stands in two of them."""

TEXTS: Mapping[str, str] = {key: text for part in PARTS for key, text in part.items()}
