"""Oracle's public price list: one USD price per GPU-hour, the same in every commercial region."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from infra_advisor.facts.market import Node
from infra_advisor.facts.update.feed import Feed, Known, Request, Rows
from infra_advisor.facts.update.making import Quotes, price_or_none
from infra_advisor.facts.update.reading import json_object, records_at, text_at

URL = "https://apexapps.oracle.com/pls/apex/cetools/api/v1/products/?currencyCode=USD"
_PRODUCT = re.compile(r"(?:OCI|Oracle Cloud Infrastructure)?[ -]*Compute *- GPU - ([\w -]+)")
_SHAPE = re.compile(r"(?:BM|VM)\.GPU\.([\w-]+)\.\d+", re.ASCII)
SHAPE_NAMES: Mapping[str, str] = {"RTXPRO6000": "RTXPRO"}
"""Chip as the price list names it -> as the shapes do, where they differ. E3, E4 and H100T name no shape of the catalog."""


def adapt(chunks: Iterable[bytes], known: Known) -> Rows:
    """Prices of known shapes, in the regions where the catalog lists them. Raises ValueError where the document is another one."""
    shapes: dict[str, list[Node]] = defaultdict(list)
    for (provider, name), node in known.nodes.items():
        if provider == "oci" and (match := _SHAPE.fullmatch(name)):
            shapes[_plain(match[1])].append(node)
    regions = defaultdict(set)
    for node_id, region, kind in known.offers:
        if kind == "on-demand":
            regions[node_id].add(region)
    quotes = Quotes(known, "oci")
    for item in records_at(json_object(chunks), "items"):
        if item.get("metricName") != "GPU Per Hour" or item.get("serviceCategory") != "Compute - GPU":
            quotes.skip("not priced by the GPU-hour")
            continue
        match = _PRODUCT.fullmatch(text_at(item, "displayName"))
        chip = _plain(match[1]) if match else ""
        nodes, price = shapes.get(SHAPE_NAMES.get(chip, chip), []), _usd(item)
        if not nodes:
            quotes.skip("shape not in the catalog")
        elif price is None:
            quotes.skip("no pay-as-you-go price in USD")
        else:
            for node in nodes:
                for region in sorted(regions.get(node.id, ())):
                    quotes.add(node, region, "per_h", price * Decimal(str(node.chips)))
    return quotes.finished()


def _usd(item: Mapping[str, Any]) -> Decimal | None:
    """The one pay-as-you-go price in USD; None where there is none, or several."""
    currencies = item.get("currencyCodeLocalizations")
    found = [
        price.get("value")
        for currency in (currencies if isinstance(currencies, list) else [])
        if isinstance(currency, dict) and currency.get("currencyCode") == "USD" and isinstance(currency.get("prices"), list)
        for price in currency["prices"]
        if isinstance(price, dict) and price.get("model") == "PAY_AS_YOU_GO"
    ]
    return price_or_none(found[0]) if len(found) == 1 else None


def _plain(name: str) -> str:
    return re.sub(r"[ -]", "", name).upper()


FEED = Feed(
    name="oci",
    title="Oracle Cloud price list (cost estimator products)",
    requests=lambda known: [Request(url=URL, limit_bytes=30_000_000)],
    adapt=adapt,
)
