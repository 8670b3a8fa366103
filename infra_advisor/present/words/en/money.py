"""Words of amounts in another currency than USD. In every text, {currency} is the code of the page's currency."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "rate": "{code} at {per_usd} per USD ({source}; {day}, {age} days old)",
    "converted": "Amounts in {rate}.",
    "without_tax": "Japanese consumption tax of {share} is taken out of list prices that say they include it; an invoice from Japan adds "
    "it.",
    "budget.converted": "{value} (given as {given}: {rate})",
    "row.bytes_per_money": "bandwidth per {currency}",
}
