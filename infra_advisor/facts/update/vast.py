"""The marketplace Vast.ai: the median of the asks for one GPU and count, since a single ask is one host's wish.

Docs: https://docs.vast.ai/api-reference/search/search-offers
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from statistics import median
from typing import Any

from infra_advisor.facts.market import Node
from infra_advisor.facts.update.feed import Feed, Known, Request, Rows
from infra_advisor.facts.update.making import Quotes, Unusable, money
from infra_advisor.facts.update.reading import json_object, records_at, text_at

TITLE = "Vast.ai: median of the on-demand asks of verified, rentable machines, all places together"
URL = "https://console.vast.ai/api/v0/bundles/"
LIMIT_BYTES = 20_000_000
FEWEST_ASKS = 5
LEAST_RELIABILITY = Decimal("0.9")
SMALLEST_PART, LARGEST_PART = Decimal("0.85") * 1024, Decimal("1.15") * 1024
"""MiB read for a GB of the name."""
ANYWHERE = "various"
NAME = re.compile(r"(?P<count>[0-9]+)x (?P<gpu>.+?)( \(median\))?")
MEMORY = re.compile(r"-(?P<gb>[0-9]+)gb")


def requests(known: Known) -> Iterator[Request]:
    """One search per GPU and count of the catalog: an answer is capped, and a search for all would return a sample."""
    types = (NAME.fullmatch(name) for provider, name in known.nodes if provider == "vast")
    for gpu, count in sorted({(_spelled(found["gpu"]), int(found["count"])) for found in types if found}):
        wanted = {"gpu_name": {"eq": gpu}, "num_gpus": {"eq": count}, "verified": {"eq": True}, "rentable": {"eq": True}}
        yield Request(url=URL, body=json.dumps({**wanted, "type": "on-demand", "limit": 1000}).encode(), limit_bytes=LIMIT_BYTES)


def adapt(chunks: Iterable[bytes], known: Known) -> Rows:
    """One line per GPU and count with at least five asks. ValueError where the answer is no list of asks."""
    asks: dict[Node, list[Decimal]] = defaultdict(list)
    nodes = _nodes(known)
    quotes = Quotes(known, "vast")
    for ask in records_at(json_object(chunks), "offers", holding=("gpu_name", "num_gpus", "gpu_ram", "dph_total", "rentable")):
        try:
            node = nodes.get((text_at(ask, "gpu_name"), str(ask["num_gpus"])))
            if node is None:
                raise Unusable("instance type not in the catalog")
            _check(ask, node)
            asks[node].append(money(ask["dph_total"]))
        except Unusable as reason:
            quotes.skip(str(reason))
    for node, prices in asks.items():
        if len(prices) < FEWEST_ASKS:
            quotes.skip(f"fewer than {FEWEST_ASKS} asks", len(prices))
        else:
            quotes.add(node, ANYWHERE, "per_h", round(median(prices), 4), kind="marketplace")
    return quotes.finished()


def _nodes(known: Known) -> dict[tuple[str, str], Node]:
    """(GPU, count) as the API writes them -> node; the one that is named a median goes before a single machine's."""
    nodes: dict[tuple[str, str], Node] = {}
    for (provider, name), node in sorted(known.nodes.items(), key=lambda entry: entry[0][1].endswith("(median)")):
        if provider == "vast" and (found := NAME.fullmatch(name)):
            nodes[_spelled(found["gpu"]), found["count"]] = node
    return nodes


def _spelled(gpu: str) -> str:
    return gpu.replace("_", " ")


def _check(ask: Mapping[str, Any], node: Node) -> None:
    """Unusable for an ask that says little about what a verified machine costs, or that is for another memory size of the GPU."""
    if ask.get("verification") != "verified" and ask.get("verified") is not True:
        raise Unusable("machine not verified")
    if ask["rentable"] is not True or ask.get("rented") is True:
        raise Unusable("machine not rentable")
    if ask.get("is_bid") is True:
        raise Unusable("interruptible")
    reliability = ask.get("reliability2")
    if isinstance(reliability, int | Decimal) and reliability < LEAST_RELIABILITY:
        raise Unusable("machine not reliable")
    memory, found = ask["gpu_ram"], MEMORY.search(node.chip)
    # The API counts MiB and reports a little less than the data sheet; 40 and 80 GB bear the same name.
    if found and not (isinstance(memory, int | Decimal) and SMALLEST_PART * int(found["gb"]) < memory < LARGEST_PART * int(found["gb"])):
        raise Unusable("another memory size")


FEED = Feed(name="vast", title=TITLE, requests=requests, adapt=adapt, silent_means_gone=False)
