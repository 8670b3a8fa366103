"""English."""

from collections.abc import Mapping

from infra_advisor.present.words.en import capacity, money, pages, recommend, records, simulate, validate

PARTS = (capacity.TEXTS, money.TEXTS, records.TEXTS, recommend.TEXTS, pages.TEXTS, validate.TEXTS, simulate.TEXTS)
"""No key stands in two of them."""

TEXTS: Mapping[str, str] = {key: text for part in PARTS for key, text in part.items()}
