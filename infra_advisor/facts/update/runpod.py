"""RunPod's price per GPU, secure and community cloud, from its GraphQL API.

Docs: https://graphql-spec.runpod.io (type GpuType)
"""

import json
from collections.abc import Iterable, Iterator

from infra_advisor.facts.market import PriceKind
from infra_advisor.facts.update.feed import Feed, Known, Request, Rows
from infra_advisor.facts.update.making import Quotes
from infra_advisor.facts.update.reading import json_object, records_at, text_at

TITLE = "RunPod GraphQL API, gpuTypes: price of one GPU in an hour"
URL = "https://api.runpod.io/graphql"
LIMIT_BYTES = 5_000_000
QUERY = "{ gpuTypes { id displayName secureCloud communityCloud securePrice communityPrice secureSpotPrice communitySpotPrice } }"
CLOUDS: tuple[tuple[str, str, PriceKind], ...] = (("secure", "any", "on-demand"), ("community", "community-host", "marketplace"))
"""Name in the API's keys and in the catalog's instance types, region of the catalog, kind of price."""
CATALOG_NAME = {"H200 SXM": "H200"}


def requests(known: Known) -> Iterator[Request]:
    """One question for all types."""
    yield Request(url=URL, body=json.dumps({"query": QUERY}).encode(), limit_bytes=LIMIT_BYTES)


def adapt(chunks: Iterable[bytes], known: Known) -> Rows:
    """Prices of the catalog's GPU types. ValueError where the API answers with errors or in another shape."""
    quotes = Quotes(known, "runpod")
    answer = json_object(chunks)
    if answer.get("errors"):
        raise ValueError(f"the API refused the question: {str(answer['errors'])[:200]}")
    for gpu in records_at(answer, "data", "gpuTypes", holding=("displayName", "securePrice", "communityPrice")):
        shown = text_at(gpu, "displayName")
        for cloud, region, kind in CLOUDS:
            # A type that a cloud does not have stands there with null or 0.
            if gpu.get(f"{cloud}Cloud") is False or not gpu[f"{cloud}Price"]:
                continue
            node = known.nodes.get(("runpod", f"{CATALOG_NAME.get(shown, shown)} {cloud}"))
            quotes.add(node, region, "per_h", gpu[f"{cloud}Price"], kind=kind)
            if node is not None and gpu.get(f"{cloud}SpotPrice"):
                quotes.add(node, region, "spot_per_h", gpu[f"{cloud}SpotPrice"], kind=kind)
    return quotes.finished()


FEED = Feed(name="runpod", title=TITLE, requests=requests, adapt=adapt)
