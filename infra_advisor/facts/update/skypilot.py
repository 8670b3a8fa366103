"""Price lists of smaller clouds from SkyPilot's catalog, one CSV per cloud. Most are kept by hand, so they confirm no price.

Docs: https://github.com/skypilot-org/skypilot-catalog (catalogs/v8)
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from infra_advisor.facts.market import Node, Offer, same_price
from infra_advisor.facts.update.feed import Feed, Known, Request, Rows
from infra_advisor.facts.update.making import PRICES, Quotes, catalog_region
from infra_advisor.facts.update.reading import csv_records, lines_of

TITLE = "SkyPilot catalog v8 (the lists of Lambda, Nebius and Hyperstack are kept by hand, the one of Verda is collected)"
URL = "https://raw.githubusercontent.com/skypilot-org/skypilot-catalog/master/catalogs/v8"
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
            yield Request(url=f"{URL}/{cloud}/vms.csv", limit_bytes=LIMIT_BYTES)


def adapt(chunks: Iterable[bytes], known: Known) -> Rows:
    """Prices of the catalog's nodes; the cloud shows in the names of its instance types. ValueError for another format."""
    nodes = _nodes(known)
    quotes = Quotes(known, "skypilot")
    for record in csv_records(lines_of(chunks), COLUMNS):
        if not record["AcceleratorName"]:
            continue
        node = nodes.get(record["InstanceType"])
        region = catalog_region(node.provider, record["Region"]) if node else ""
        if record["Price"] or node is None:
            quotes.add(node, region, "per_h", record["Price"])
        if record["SpotPrice"] and node is not None:
            quotes.add(node, region, "spot_per_h", record["SpotPrice"])
    rows = quotes.finished()
    rows.offers = [usable for row in rows.offers if (usable := _of_its_list(row, known, rows))]
    return rows


def _of_its_list(row: Offer, known: Known, rows: Rows) -> Offer | None:
    """The row, marked where its list is kept by hand; None, counted, where such a list shows a price that may long be over.

    It only says something where it was edited: where it differs from the price that was last read from it.
    """
    if COLLECTED[row.provider]:
        return row
    line = known.offers.get((row.node, row.region, row.price_kind))
    if line is not None and not any(source.startswith("skypilot") for source in line.sources):
        rows.skipped["last read elsewhere"] += 1
    elif line is not None and all(_same(getattr(line, name), getattr(row, name)) for name in PRICES):
        rows.skipped["unchanged in a list kept by hand"] += 1
    else:
        return row.model_copy(update={"flag": "unverified"})
    return None


def _same(old: Decimal | None, new: Decimal | None) -> bool:
    return new is None or (old is not None and same_price(old, new))


def _nodes(known: Known) -> dict[str, Node]:
    """Instance type -> node of one of the clouds, where only one of them uses the name."""
    nodes: dict[str, Node] = {}
    shared: set[str] = set()
    for (provider, name), node in known.nodes.items():
        if provider in COLLECTED:
            shared |= {name} & nodes.keys()
            nodes[name] = node
    return {name: node for name, node in nodes.items() if name not in shared}


FEED = Feed(name="skypilot", title=TITLE, requests=requests, adapt=adapt, silent_means_gone=False)
