"""Google Cloud prices from the price table of karpenter-provider-gcp: GPU and host summed, on-demand and spot, by region.

Google's own billing catalog asks for a key, and lists GPU, cores and memory apart; this table is made from it weekly and is public.
Docs: https://github.com/cloudpilot-ai/karpenter-provider-gcp/tree/main/pkg/providers/pricing
"""

from collections.abc import Iterable, Iterator, Mapping

from infra_advisor.facts.update.feed import Feed, Known, Request, Rows
from infra_advisor.facts.update.making import Price, Quotes
from infra_advisor.facts.update.reading import json_object

TITLE = "Google Cloud list prices, GPU and host summed, as karpenter-provider-gcp collects them weekly from the billing catalog"
URL = "https://raw.githubusercontent.com/cloudpilot-ai/karpenter-provider-gcp/main/pkg/providers/pricing/initial-prices.json"
LIMIT_BYTES = 20_000_000
FAMILIES = ("a2-", "a3-", "a4-", "a4x-", "g2-", "g4-", "ct")
"""Machine families that have accelerators; the table is mostly others."""
KINDS: Mapping[str, Price] = {"on_demand": "per_h", "spot": "spot_per_h"}


def requests(known: Known) -> Iterator[Request]:
    """One file for all regions."""
    yield Request(url=URL, limit_bytes=LIMIT_BYTES)


def adapt(chunks: Iterable[bytes], known: Known) -> Rows:
    """Prices of the catalog's machine types. ValueError where the table has another shape."""
    quotes = Quotes(known, "gcp")
    regions = json_object(chunks).get("prices")
    if not isinstance(regions, Mapping) or not regions:
        raise ValueError("expected regions under `prices`")
    for region, tables in regions.items():
        if not isinstance(tables, Mapping) or not isinstance(tables.get("on_demand"), Mapping):
            raise ValueError(f"expected a table `on_demand` in region {region[:40]!r}")
        for kind, name in KINDS.items():
            table = tables.get(kind, {})
            if not isinstance(table, Mapping):
                raise ValueError(f"expected machine types under `{kind}` in region {region[:40]!r}")
            for machine_type, price in table.items():
                if machine_type.startswith(FAMILIES):
                    quotes.add(known.nodes.get(("gcp", machine_type)), region, name, price)
    return quotes.finished()


FEED = Feed(name="gcp", title=TITLE, requests=requests, adapt=adapt)
