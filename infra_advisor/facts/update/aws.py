"""EC2 list prices from the AWS price list, one CSV of hundreds of megabytes per region, read line by line.

Docs: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from infra_advisor.facts.update.feed import Feed, Known, Request, Rows
from infra_advisor.facts.update.making import Price, Quotes, day_of, regions_of
from infra_advisor.facts.update.reading import csv_records, lines_of

TITLE = "AWS price list of EC2: Linux, shared tenancy; reserved = standard class, no upfront payment"
URL = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonEC2/current/{region}/index.csv"
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
LIMIT_BYTES = 3_000_000_000
METADATA_LINES = 5
COLUMNS = (
    "TermType", "EffectiveDate", "Unit", "PricePerUnit", "Currency", "LeaseContractLength", "PurchaseOption", "OfferingClass",
    "Instance Type", "Instance Family", "Tenancy", "Operating System", "Pre Installed S/W", "CapacityStatus", "Region Code",
)  # fmt: skip
PLAIN = {"Tenancy": "Shared", "Operating System": "Linux", "CapacityStatus": "Used"}
TERMS: Mapping[tuple[str, ...], Price] = {
    ("1yr", "No Upfront", "standard"): "reserved_1y_per_h",
    ("3yr", "No Upfront", "standard"): "reserved_3y_per_h",
}


def requests(known: Known) -> Iterator[Request]:
    """One file per region in which the catalog has an offer of AWS; places that are no region of EC2 have none."""
    for region in regions_of(known, "aws"):
        if REGION.fullmatch(region):
            yield Request(url=URL.format(region=region), limit_bytes=LIMIT_BYTES)


def adapt(chunks: Iterable[bytes], known: Known) -> Rows:
    """Prices of the catalog's instance types; memory does not grow with the file. ValueError where it is no price list of EC2."""
    lines = lines_of(chunks)
    metadata = list(islice(lines, METADATA_LINES))
    if not any("AmazonEC2" in line for line in metadata if "OfferCode" in line):
        read = metadata[0][:40] if metadata else "nothing"
        raise ValueError(f"expected five lines about the price list of AmazonEC2, then CSV; read {read!r}")
    quotes = Quotes(known, "aws")
    for record in csv_records(lines, COLUMNS):
        name = _price(record)
        if name is None:
            continue
        node = known.nodes.get(("aws", record["Instance Type"]))
        if node is None and not _has_accelerator(record):
            continue
        if record["Currency"] != "USD":
            quotes.skip("currency is not USD")
        elif record["Unit"] != "Hrs":
            quotes.skip("price is not per hour")
        else:
            quotes.add(node, record["Region Code"], name, record["PricePerUnit"], since=day_of(record["EffectiveDate"]))
    return quotes.finished()


def _price(record: Mapping[str, str]) -> Price | None:
    """Which price of a plain Linux instance a row states; None for everything else in the list."""
    if any(record[column] != value for column, value in PLAIN.items()) or record["Pre Installed S/W"] not in ("", "NA"):
        return None
    if record.get("MarketOption", "") not in ("", "OnDemand"):
        return None
    if record["TermType"] == "OnDemand":
        return "per_h"
    if record["TermType"] != "Reserved":
        return None
    return TERMS.get((record["LeaseContractLength"], record["PurchaseOption"], record["OfferingClass"]))


def _has_accelerator(record: Mapping[str, str]) -> bool:
    return "GPU" in record["Instance Family"] or "Machine Learning" in record["Instance Family"]


FEED = Feed(name="aws", title=TITLE, requests=requests, adapt=adapt)
