"""Price lists of smaller clouds from SkyPilot's catalog, one CSV per cloud. Most are kept by hand, so they confirm no price.

Docs: https://github.com/skypilot-org/skypilot-catalog (catalogs/v8)
"""

from collections.abc import Iterable, Iterator, Mapping

from infra_advisor.facts.market import Node
from infra_advisor.facts.update.feed import Feed, Known, Request, Rows
from infra_advisor.facts.update.making import Quotes, catalog_region
from infra_advisor.facts.update.reading import csv_records, lines_of

SOURCE: Mapping[str, str] = {
    "id": "skypilot-catalog",
    "title": "SkyPilot catalog v8 (the lists of Lambda, Nebius and Hyperstack are kept by hand, the one of Verda is collected)",
    "ref": "https://raw.githubusercontent.com/skypilot-org/skypilot-catalog/master/catalogs/v8",
}
COLLECTED = {"lambda": False, "nebius": False, "hyperstack": False, "verda": True}
"""Cloud -> whether a job collects its list daily.

Left out: clouds with a feed of their own, Seeweb, whose prices are headed USD and billed in EUR, and Paperspace, not in v8."""
COLUMNS = ("InstanceType", "AcceleratorName", "Price", "SpotPrice", "Region")
LIMIT_BYTES = 20_000_000


def requests(known: Known) -> Iterator[Request]:
    """The list of every cloud that the catalog has nodes of."""
    sold = {provider for provider, _ in known.nodes}
    for cloud in COLLECTED:
        if cloud in sold:
            yield Request(url=f"{SOURCE['ref']}/{cloud}/vms.csv", limit_bytes=LIMIT_BYTES)


def adapt(chunks: Iterable[bytes], known: Known) -> Rows:
    """Prices of the catalog's nodes; the cloud shows in the names of its instance types. ValueError for another format."""
    source = SOURCE["id"]
    nodes = _nodes(known)
    of_cloud = {collected: Quotes(known, source, confirms=collected) for collected in (True, False)}
    for record in csv_records(lines_of(chunks, source), source, COLUMNS):
        if not record["AcceleratorName"]:
            continue
        node = nodes.get(record["InstanceType"])
        quotes = of_cloud[COLLECTED[node.provider] if node else False]
        region = catalog_region(node.provider, record["Region"]) if node else ""
        if record["Price"] or node is None:
            quotes.add(node, region, "per_h", record["Price"])
        if record["SpotPrice"] and node is not None:
            quotes.add(node, region, "spot_per_h", record["SpotPrice"])
    rows = of_cloud[True].finished()
    by_hand = of_cloud[False].finished()
    return Rows(offers=rows.offers + by_hand.offers, skipped=rows.skipped + by_hand.skipped)


def _nodes(known: Known) -> dict[str, Node]:
    """Instance type -> node of one of the clouds, where only one of them uses the name."""
    nodes: dict[str, Node] = {}
    shared: set[str] = set()
    for (provider, name), node in known.nodes.items():
        if provider in COLLECTED:
            shared |= {name} & nodes.keys()
            nodes[name] = node
    return {name: node for name, node in nodes.items() if name not in shared}


FEED = Feed(name="skypilot", title=SOURCE["title"], requests=requests, adapt=adapt)
