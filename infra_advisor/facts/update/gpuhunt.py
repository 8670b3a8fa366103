"""The published catalogs of gpuhunt: one small zip per provider with a CSV, collected hourly from the providers' own APIs.

The shortest way to spot prices of AWS, and to providers that show prices only to their customers.
Docs: https://github.com/dstackai/gpuhunt (src/gpuhunt/_internal/storage.py, .github/scripts/publish_catalog.sh)
"""

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from datetime import date
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from infra_advisor.facts.update.feed import Feed, Known, Request, Rows
from infra_advisor.facts.update.making import Quotes, catalog_region
from infra_advisor.facts.update.reading import csv_records, lines_of

TITLE = "gpuhunt catalogs v3, collected from the providers' APIs"
URL = "https://dstack-gpu-pricing.s3.eu-west-1.amazonaws.com/v3"
PROVIDERS = {"aws": "aws", "azure": "azure", "gcp": "gcp", "lambdalabs": "lambda", "nebius": "nebius", "oci": "oci", "verda": "verda"}
"""Name in gpuhunt -> ours. Its RunPod lines are per pod and data centre, which our catalog does not know."""
LIMIT_BYTES = 50_000_000
LARGEST_FILE = 200_000_000
"""Unpacked. AWS has about 30 MB; a zip can claim or hide far more."""
COLUMNS = ("instance_name", "location", "price", "gpu_count", "spot")
FIRST_DAY = "2023-01-01"
"""Before it gpuhunt did not exist: such a day in a zip means that its clock was not set."""
BROKEN = (BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
"""What the standard library raises for a damaged or encrypted zip."""
NOT_ON_DEMAND = re.compile(r"-preview|-calendar-mode|-cluster")
ZONE = re.compile(r"(?P<region>[a-z]+-[a-z]+[0-9]+)-[a-z]")


def requests(known: Known) -> Iterator[Request]:
    """The newest catalog of every provider that our catalog has nodes of."""
    sold = {provider for provider, _ in known.nodes}
    for name, provider in PROVIDERS.items():
        if provider in sold:
            yield Request(url=f"{URL}/{name}/latest/catalog.zip", limit_bytes=LIMIT_BYTES)


def adapt(chunks: Iterable[bytes], known: Known) -> Rows:
    """Prices of the catalog's nodes, as of the day on which the file was collected. ValueError for anything but such a zip."""
    try:
        archive = ZipFile(BytesIO(b"".join(chunks)))
    except BROKEN as error:
        raise ValueError(f"expected a zip ({error})") from error
    # Only exact names are read, and nothing is unpacked to disk: paths inside the zip lead nowhere.
    names = [name for name in PROVIDERS if f"{name}.csv" in archive.namelist()]
    if not names:
        read = ", ".join(archive.namelist()[:5])[:200] or "an empty zip"
        raise ValueError(f"expected one of {', '.join(PROVIDERS)} with .csv in the zip, read {read}")
    rows = Rows()
    for name in names:
        found = _of_provider(archive, name, known)
        rows.offers += found.offers
        rows.skipped.update(found.skipped)
    return rows


def _of_provider(archive: ZipFile, name: str, known: Known) -> Rows:
    provider, entry = PROVIDERS[name], archive.getinfo(f"{name}.csv")
    try:
        collected = date(*entry.date_time[:3]).isoformat()
    except ValueError as error:
        raise ValueError(f"expected the day on which {name}.csv was collected, read {entry.date_time}") from error
    if collected < FIRST_DAY:
        raise ValueError(f"{name}.csv bears the day {collected}, before there was gpuhunt")
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ValueError(f"expected {name}.csv stored or deflated")
    quotes = Quotes(known, "gpuhunt", seen=collected)
    for record in csv_records(lines_of(_unpacked(archive, entry.filename)), COLUMNS):
        if record["gpu_count"] in ("", "0") or NOT_ON_DEMAND.search(record.get("flags", "")):
            continue
        if record["spot"] not in ("True", "False"):
            quotes.skip("neither on-demand nor spot")
            continue
        node = known.nodes.get((provider, record["instance_name"].replace(" ", "_") if provider == "nebius" else record["instance_name"]))
        zone = ZONE.fullmatch(record["location"]) if provider == "gcp" else None
        region = zone["region"] if zone else catalog_region(provider, record["location"])
        quotes.add(node, region, "spot_per_h" if record["spot"] == "True" else "per_h", record["price"])
    return quotes.finished()


def _unpacked(archive: ZipFile, name: str) -> Iterator[bytes]:
    """The bytes of a member, counted as they come: the size in the zip's directory can lie."""
    size = 0
    try:
        with archive.open(name) as member:
            while size <= LARGEST_FILE and (chunk := member.read(1 << 16)):
                size += len(chunk)
                yield chunk
    except BROKEN as error:
        raise ValueError(f"expected a whole {name} in the zip ({error})") from error
    if size > LARGEST_FILE:
        raise ValueError(f"{name} unpacks to more than {LARGEST_FILE:,} bytes")


FEED = Feed(name="gpuhunt", title=TITLE, requests=requests, adapt=adapt, silent_means_gone=False)
