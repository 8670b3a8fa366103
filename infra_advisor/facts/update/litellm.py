"""Token prices from litellm's public table: USD per token by model name as its users write it."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from infra_advisor.facts.api_offers import ApiOffer
from infra_advisor.facts.update.feed import Feed, Known, Request, Rows, source_id
from infra_advisor.facts.update.making import price_or_none
from infra_advisor.facts.update.reading import json_object

URL = "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
PRICES: Mapping[str, str] = {
    "input_per_mtok": "input_cost_per_token",
    "cached_input_per_mtok": "cache_read_input_token_cost",
    "cache_write_per_mtok": "cache_creation_input_token_cost",
    "output_per_mtok": "output_cost_per_token",
    "batch_input_per_mtok": "input_cost_per_token_batches",
    "batch_output_per_mtok": "output_cost_per_token_batches",
    "priority_input_per_mtok": "input_cost_per_token_priority",
    "priority_output_per_mtok": "output_cost_per_token_priority",
}
MEGA = Decimal(1_000_000)
_ABOVE = re.compile(r"input_cost_per_token_above_(\d{1,5}k)_tokens", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def adapt(chunks: Iterable[bytes], known: Known) -> Rows:
    """Lines of the models that the catalog knows at that provider. Raises ValueError where the document is another one."""
    document = json_object(chunks)
    if not any(_priced(entry) for entry in document.values()):
        raise ValueError("expected model names with litellm_provider and input_cost_per_token")
    rows = Rows()
    for name, entry in document.items():
        line = known.api_offers.get((str(entry.get("litellm_provider")), name)) if isinstance(entry, dict) else None
        if line is None:
            rows.skipped["model not in the catalog"] += 1
            continue
        prices = {field: price * MEGA for field, key in PRICES.items() if (price := price_or_none(entry.get(key))) is not None}
        if not {"input_per_mtok", "output_per_mtok"} & prices.keys():
            rows.skipped["no price above zero per token"] += 1
            continue
        try:
            rows.api_prices.append(_line(line, prices, entry, known.day))
        except ValidationError:
            rows.skipped["price beyond what a token costs"] += 1
    return rows


def _line(line: ApiOffer, prices: Mapping[str, Decimal], entry: Mapping[str, Any], day: str) -> ApiOffer:
    kept = line.model_dump(
        by_alias=True, exclude={*PRICES, "from_", "date_precision", "seen", "source", "note", "long_context", "batch_discount"}
    )
    retired = entry.get("deprecation_date")
    if isinstance(retired, str) and _DAY.fullmatch(retired):
        kept["deprecation_date"] = retired
    if {"input_per_mtok", "batch_input_per_mtok"} <= prices.keys():
        kept["batch_discount"] = round(1 - float(prices["batch_input_per_mtok"] / prices["input_per_mtok"]), 4)
    dated = {"from": day, "seen": day, "source": source_id("litellm")}
    return ApiOffer.model_validate({**kept, **prices, "long_context": _long(entry), **dated})


def _priced(entry: Any) -> bool:
    return isinstance(entry, dict) and "litellm_provider" in entry and price_or_none(entry.get("input_cost_per_token")) is not None


def _long(entry: Mapping[str, Any]) -> str | None:
    """`>272k: in 8.0 out 30.0`, as the catalog prints prices above a prompt length."""
    for key in entry:
        if match := _ABOVE.fullmatch(key):
            above = f"above_{match[1]}_tokens"
            costs = [price_or_none(entry.get(f"{way}_cost_per_token_{above}")) for way in ("input", "output")]
            if costs[0] is not None and costs[1] is not None:
                return f">{match[1]}: in {float(costs[0] * MEGA)} out {float(costs[1] * MEGA)}"
    return None


FEED = Feed(
    name="litellm",
    title="litellm, model_prices_and_context_window.json",
    requests=lambda known: [Request(url=URL, limit_bytes=20_000_000)],
    adapt=adapt,
)
