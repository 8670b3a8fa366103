"""The public price list of Sakura Cloud: one document per zone, yen with consumption tax."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from infra_advisor.facts.update.feed import Feed, Known, Request, Rows
from infra_advisor.facts.update.lines import offer_line
from infra_advisor.facts.update.read import json_of, price_of
from infra_advisor.units import HOURS_PER_MONTH

URL = "https://secure.sakura.ad.jp/cloud/zone/{zone}/api/cloud/1.1/public/price.json"
_ZONE = re.compile(r"[a-z]{2}\d[a-z]", re.ASCII)
YEN_TENTH = Decimal("0.1")


def requests(known: Known) -> list[Request]:
    """One per zone that the catalog knows."""
    zones = sorted(region for provider, region in known.regions if provider == "sakura" and _ZONE.fullmatch(region))
    asked = {"X-Requested-With": "XMLHttpRequest"}
    return [Request(url=URL.format(zone=zone), headers=asked, limit_bytes=5_000_000) for zone in zones]


def adapt(chunks: Iterable[bytes], known: Known) -> Rows:
    """Hourly prices of known plans, and monthly ones over the hours of a month. Raises ValueError where the document is another one."""
    document = json_of(chunks)
    classes = document.get("ServiceClasses") if isinstance(document, dict) else None
    if isinstance(classes, dict):
        classes = list(classes.values())
    if not isinstance(classes, list) or not classes:
        raise ValueError("expected ServiceClasses with their prices")
    rows = Rows()
    for plan in classes:
        if reason := _read(plan, known, rows):
            rows.skipped[reason] += 1
    return rows


def _read(plan: Any, known: Known, rows: Rows) -> str | None:
    """Add the prices of a plan; the reason where it has none for us."""
    if not isinstance(plan, dict) or not isinstance(plan.get("Price"), dict) or not isinstance(plan.get("DisplayName"), str):
        return "no plan with a price"
    node = known.nodes.get(("sakura", plan["DisplayName"].split(" ")[-1]))
    if node is None:
        return "plan not in the catalog"
    if plan.get("ServiceCharge") != "cloud/uptime" or plan.get("IsPublic") is not True:
        return "not a public price by uptime"
    price, zone = plan["Price"], plan["Price"].get("Zone")
    if not isinstance(zone, str) or ("sakura", zone) not in known.regions:
        return "zone not in the catalog"
    hourly, monthly = price_of(price.get("Hourly")), price_of(price.get("Monthly"))
    if hourly is None:
        return "price is not a number above zero"
    try:
        rows.offers.append(offer_line(known, node, zone, "on-demand", hourly, currency="JPY", tax_included=True, source="sakura"))
        if monthly is not None:
            per_h = (monthly / Decimal(HOURS_PER_MONTH)).quantize(YEN_TENTH)
            rows.offers.append(offer_line(known, node, zone, "monthly", per_h, currency="JPY", tax_included=True, source="sakura"))
    except (ValidationError, ArithmeticError):
        return "price beyond what an instance costs"
    return None


FEED = Feed(name="sakura", title="Sakura Cloud, public/price.json of each zone", requests=requests, adapt=adapt)
