"""Oracle's public price list: one USD price per GPU-hour, the same in every commercial region."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from infra_advisor.facts.market import Node
from infra_advisor.facts.update.feed import Feed, Known, Request, Rows
from infra_advisor.facts.update.lines import offer_line
from infra_advisor.facts.update.read import json_of, price_of

URL = "https://apexapps.oracle.com/pls/apex/cetools/api/v1/products/?currencyCode=USD"
_PRODUCT = re.compile(r"(?:OCI|Oracle Cloud Infrastructure)?[ -]*Compute *- GPU - ([\w -]+)")
_SHAPE = re.compile(r"(?:BM|VM)\.GPU\.([\w-]+)\.\d+", re.ASCII)
SHAPE_NAMES: Mapping[str, str] = {"RTXPRO6000": "RTXPRO"}
"""Chip as the price list names it -> as the shapes do, where they differ. E3, E4 and H100T name no shape of the catalog."""


def adapt(chunks: Iterable[bytes], known: Known) -> Rows:
    """Prices of known shapes, in the regions where the catalog lists them. Raises ValueError where the document is another one."""
    document = json_of(chunks)
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list) or not items:
        raise ValueError("expected items with partNumber, metricName and prices")
    shapes: dict[str, list[Node]] = defaultdict(list)
    for (provider, name), node in known.nodes.items():
        if provider == "oci" and (match := _SHAPE.fullmatch(name)):
            shapes[_plain(match[1])].append(node)
    regions = defaultdict(set)
    for node_id, region, kind in known.offers:
        if kind == "on-demand":
            regions[node_id].add(region)
    rows = Rows()
    for item in items:
        reason = "not a product" if not isinstance(item, dict) else _read(item, shapes, regions, known, rows)
        if reason:
            rows.skipped[reason] += 1
    return rows


def _read(
    item: Mapping[str, Any], shapes: Mapping[str, list[Node]], regions: Mapping[str, set[str]], known: Known, rows: Rows
) -> str | None:
    """Add the lines of a product; the reason where there are none."""
    if item.get("metricName") != "GPU Per Hour" or item.get("serviceCategory") != "Compute - GPU":
        return "not priced by the GPU-hour"
    match = _PRODUCT.fullmatch(str(item.get("displayName")))
    chip = _plain(match[1]) if match else ""
    nodes = shapes.get(SHAPE_NAMES.get(chip, chip), [])
    if not nodes:
        return "shape not in the catalog"
    price = _usd(item)
    if price is None:
        return "no pay-as-you-go price in USD"
    try:
        for node in nodes:
            per_h = price * Decimal(str(node.chips))
            places = sorted(regions.get(node.id, ()))
            rows.offers += [offer_line(known, node, place, "on-demand", per_h, source="oci") for place in places]
    except ValidationError:
        return "price beyond what an instance costs"
    return None


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
    return price_of(found[0]) if len(found) == 1 else None


def _plain(name: str) -> str:
    return re.sub(r"[ -]", "", name).upper()


FEED = Feed(
    name="oci",
    title="Oracle Cloud price list (cost estimator products)",
    requests=lambda known: [Request(url=URL, limit_bytes=30_000_000)],
    adapt=adapt,
)
