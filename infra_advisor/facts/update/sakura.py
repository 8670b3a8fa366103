"""The public price list of Sakura Cloud: one document per zone, yen with consumption tax."""

import re
from collections.abc import Iterable, Mapping

from infra_advisor.facts.update.feed import Feed, Known, Request, Rows
from infra_advisor.facts.update.making import Quotes
from infra_advisor.facts.update.reading import json_object, text_at
from infra_advisor.units import HOURS_PER_MONTH

URL = "https://secure.sakura.ad.jp/cloud/zone/{zone}/api/cloud/1.1/public/price.json"
_ZONE = re.compile(r"[a-z]{2}\d[a-z]", re.ASCII)


def requests(known: Known) -> list[Request]:
    """One per zone that the catalog knows."""
    zones = sorted(region for provider, region in known.regions if provider == "sakura" and _ZONE.fullmatch(region))
    asked = {"X-Requested-With": "XMLHttpRequest"}
    return [Request(url=URL.format(zone=zone), headers=asked, limit_bytes=5_000_000) for zone in zones]


def adapt(chunks: Iterable[bytes], known: Known) -> Rows:
    """Hourly prices of known plans, and monthly ones over the hours of a month. Raises ValueError where the document is another one."""
    classes = json_object(chunks).get("ServiceClasses")
    if isinstance(classes, Mapping):
        classes = list(classes.values())
    if not isinstance(classes, list) or not classes:
        raise ValueError("expected ServiceClasses with their prices")
    quotes = Quotes(known, "sakura", currency="JPY", tax_included=True)
    for plan in classes:
        if not isinstance(plan, Mapping) or not isinstance(plan.get("Price"), Mapping):
            quotes.skip("no plan with a price")
            continue
        node = known.nodes.get(("sakura", text_at(plan, "DisplayName").split(" ")[-1]))
        if node is not None and (plan.get("ServiceCharge") != "cloud/uptime" or plan.get("IsPublic") is not True):
            quotes.skip("not a public price by uptime")
            continue
        price, zone = plan["Price"], text_at(plan["Price"], "Zone")
        quotes.add(node, zone, "per_h", price.get("Hourly"))
        if node is not None and price.get("Monthly"):
            quotes.add(node, zone, "per_h", price["Monthly"], hours=int(HOURS_PER_MONTH), kind="monthly")
    return quotes.finished()


FEED = Feed(name="sakura", title="Sakura Cloud, public/price.json of each zone", requests=requests, adapt=adapt)
