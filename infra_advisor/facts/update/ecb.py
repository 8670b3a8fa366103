"""Reference rates of the European Central Bank: one day, units of each currency per euro."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from infra_advisor.facts.market import ExchangeRate
from infra_advisor.facts.update.feed import Feed, Known, Request, Rows, source_id
from infra_advisor.facts.update.reading import LONGEST_NUMBER, text_of

CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
DIGITS = Decimal("0.00001")
_CURRENCY = re.compile(r"[A-Z]{3}")
_RATE = re.compile(r"\d+(\.\d+)?", re.ASCII)


def adapt(chunks: Iterable[bytes], known: Known) -> Rows:
    """Rates per USD, crossed by the euro. Raises ValueError where the document is another one or has no rate of the dollar."""
    text = text_of(chunks)
    if "<!" in text:  # the document has no declarations: no entities, nothing to expand
        raise ValueError("the document declares entities or is a web page; expected the plain XML of the reference rates")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"not XML: {error}") from error
    days = [cube for cube in root.iter(CUBE) if "time" in cube.attrib]
    if len(days) != 1:
        raise ValueError(f"{len(days)} days of rates; expected one <Cube time=...>")
    rows = Rows()
    per_eur = {"EUR": Decimal(1)}
    for cube in days[0].iter(CUBE):
        if cube is days[0]:
            continue
        currency, rate = cube.get("currency", ""), _rate(cube.get("rate", ""))
        if not _CURRENCY.fullmatch(currency):
            rows.skipped["not a currency"] += 1
        elif rate is None:
            rows.skipped["rate is not a number above zero"] += 1
        elif currency in per_eur:
            rows.skipped["currency appears twice"] += 1
        else:
            per_eur[currency] = rate
    if "USD" not in per_eur:
        raise ValueError("no rate of the US dollar")
    day = days[0].attrib["time"]
    rows.exchange_rates = [_line(currency, day, rate, per_eur["USD"]) for currency, rate in sorted(per_eur.items()) if currency != "USD"]
    return rows


def _rate(text: str) -> Decimal | None:
    if len(text) > LONGEST_NUMBER or not _RATE.fullmatch(text):
        return None
    return Decimal(text) or None


def _line(currency: str, day: str, per_eur: Decimal, usd_per_eur: Decimal) -> ExchangeRate:
    try:
        per_usd = (per_eur / usd_per_eur).quantize(DIGITS)
    except InvalidOperation as error:
        raise ValueError(f"a rate of {currency} that no currency has: {per_eur}") from error
    note = None if currency == "EUR" else f"cross of EUR reference rates: EUR/USD {usd_per_eur}, EUR/{currency} {per_eur}"
    return ExchangeRate(id=f"{currency.lower()}-{day}", currency=currency, day=day, per_usd=per_usd, source=source_id("ecb"), note=note)


FEED = Feed(
    name="ecb",
    title="Euro foreign exchange reference rates of the European Central Bank",
    requests=lambda known: [Request(url="https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml", limit_bytes=1_000_000)],
    adapt=adapt,
)
