"""Rows of a source against the lines in force: still the same, changed, new, gone, or not to be believed."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from infra_advisor.facts import market_checks
from infra_advisor.facts.api_offers import ApiOffer
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.differences import FIGURES, Change, in_force, key_of, line_changes, start_of
from infra_advisor.facts.files import explain
from infra_advisor.facts.market import ExchangeRate, Offer, rates_on, same_price
from infra_advisor.facts.update.feed import Rows, source_id

RECORDS: Mapping[str, type[Any]] = {"exchange_rates": ExchangeRate, "offers": Offer, "api_prices": ApiOffer}
"""Tables that sources fill; rates first, for the prices are judged in USD."""
KEPT = {
    "offers": ("use", "minimum", "minimum_spend", "country"),
    "api_prices": ("operator", "model", "variant", "region_scope", "hosting_country", "residency_class", "operator_home_country", "chip"),
    "exchange_rates": (),
}
"""What the catalog knows of an offer and no price list changes."""
_UNSAFE = re.compile(r"^\s*[=+@-]|[\x00-\x1f\x7f]")
"""A cell that a spreadsheet would run, or that no cell holds."""


@dataclass
class Judged:
    """What to write, and what to show for it."""

    rows: dict[str, list[Any]] = field(default_factory=lambda: {table: [] for table in RECORDS})
    changes: list[Change] = field(default_factory=list)
    confirmed: Counter[str] = field(default_factory=Counter)
    """Source -> prices read unchanged."""
    skipped: dict[str, Counter[str]] = field(default_factory=dict)
    """Source -> reason -> records passed over."""


def judge(catalog: Catalog, found: Mapping[str, Rows], partial: Collection[str] = ()) -> Judged:
    """Judge the rows of every source, as of the day of the catalog; what an earlier source gave, a later one does not replace.

    `partial` names sources whose silence about an offer says nothing.
    """
    judged = Judged()
    day = catalog.as_of.isoformat()
    for table in RECORDS:
        held = in_force(table, getattr(catalog, table), day)
        given: set[str] = set()
        for source, rows in found.items():
            delivered = _judge(catalog, table, source, getattr(rows, table), held, given, judged)
            if delivered and table != "exchange_rates" and source not in partial:
                judged.changes += _gone(table, source, held, delivered | given)
            given |= delivered
    for source, rows in found.items():
        judged.skipped.setdefault(source, Counter()).update(rows.skipped)
    return judged


def _judge(
    catalog: Catalog, table: str, source: str, rows: Iterable[Any], held: Mapping[str, Any], given: Collection[str], judged: Judged
) -> set[str]:
    """Sort the rows of one source; the keys it gave a row for."""
    day = catalog.as_of.isoformat()
    skipped = judged.skipped.setdefault(source, Counter())
    doubtful: dict[str, tuple[Any, str]] = {}
    fresh: dict[str, Any] = {}
    delivered: set[str] = set()
    for raw in rows:
        key = key_of(table, raw)
        if key in delivered or key in given:
            skipped["appears twice" if key in delivered else "given by a more direct source"] += 1
            continue
        delivered.add(key)
        line = held.get(key)
        if table == "exchange_rates" and line is not None and raw.day < line.day:
            skipped["older than the rate in force"] += 1
            continue
        if table != "exchange_rates" and line is not None and raw.seen < line.seen:
            skipped["older than the line in force"] += 1
            continue
        try:
            row = RECORDS[table].model_validate(_merged(table, raw, line))
        except ValidationError as error:
            doubtful[key] = raw, explain(error)[0]
            continue
        if line is not None and _same(table, line, raw):
            judged.confirmed[source] += 1
            if table != "exchange_rates":
                judged.rows[table].append(_confirmed(line, raw))
            continue
        if table != "exchange_rates" and line is not None and line.from_ == raw.seen and raw.source not in line.source.split():
            skipped["already changed on that day, by another source"] += 1
            continue
        if reason := _doubt(table, row, line, day):
            doubtful[key] = row, reason
        else:
            fresh[key] = row
    for key, reason in _checked(catalog, table, fresh.values(), judged):
        if key in fresh:
            doubtful[key] = fresh.pop(key), reason
    for key, row in fresh.items():
        judged.rows[table].append(row)
        judged.changes += line_changes(table, held.get(key), row)
    judged.changes += [_quarantined(table, row, held.get(key), reason) for key, (row, reason) in doubtful.items()]
    return delivered


def _gone(table: str, source: str, held: Mapping[str, Any], delivered: Collection[str]) -> Iterator[Change]:
    """What the source gave in an earlier update and does not give now. Its line stays in force and grows old."""
    for key, line in held.items():
        if key not in delivered and source_id(source) in line.source.split():
            yield Change(table, key, "", "gone", reason=f"no usable price any more; last seen {line.seen}")


def _confirmed(line: Any, raw: Any) -> Any:
    """The line in force, seen once more."""
    flag = None if line.flag == "stale" else line.flag
    return line.model_copy(update={"seen": raw.seen, "source": _both(line.source, raw.source), "flag": flag})


def _both(older: str, newer: str) -> str:
    """Ids of sources, blank between, none twice."""
    return " ".join(dict.fromkeys([*older.split(), newer]))


def _merged(table: str, raw: Any, line: Any) -> dict[str, Any]:
    """The row as it would be written: with what the catalog knows besides, starting where it comes into force."""
    fields: dict[str, Any] = {key: value for key, value in raw.model_dump(by_alias=True).items() if value is not None}
    if line is None:
        return fields
    fields |= {key: value for key in KEPT[table] if (value := getattr(line, key)) is not None}
    if table == "exchange_rates":
        return fields
    if fields["from"] <= line.from_ <= fields["seen"]:  # a list that dates its price before the line in force shows it today nonetheless
        fields["from"] = fields["seen"]
    if line.flag == "outlier":
        fields["flag"] = line.flag
    if table == "offers":
        if raw.tax_included is None and line.tax_included is not None:
            fields["tax_included"] = line.tax_included
        if raw.currency == line.currency and _as_before(line.per_h, raw.per_h):  # all else holds as long as the list price does
            old = {key: value for key, value in line.model_dump(by_alias=True).items() if value is not None and key != "flag"}
            same = {name: old[name] for name in FIGURES[table] if name in old and _as_before(old[name], fields.get(name))}
            fields = old | fields | same
            if any(name in old and getattr(raw, name) is None for name in FIGURES[table]):
                fields["source"] = _both(line.source, raw.source)
    return fields


def _as_before(old: Any, new: Any) -> bool:
    """True for the same figure, but for rounding."""
    return bool(same_price(old, new) if isinstance(old, Decimal) and isinstance(new, Decimal) else old == new)


def _same(table: str, line: Any, raw: Any) -> bool:
    """True where the source shows the prices of the line in force; what it does not show does not count."""
    if table == "exchange_rates":
        return bool(line.day == raw.day and line.per_usd == raw.per_usd)
    shown = [name for name in FIGURES[table] if getattr(raw, name) is not None]
    return raw.currency == line.currency and bool(shown) and all(_as_before(getattr(line, name), getattr(raw, name)) for name in shown)


def _doubt(table: str, row: Any, line: Any, day: str) -> str | None:
    """Why the row is not to be believed, of itself and against the line in force."""
    held = set() if line is None else set(line.model_dump().values())
    if " " in row.id or any(_UNSAFE.search(text) for text in row.model_dump().values() if isinstance(text, str) and text not in held):
        return "an id or text that no price list holds"
    if (start := start_of(row)) > day:
        return f"dated {start}, after today"
    if line is None:
        low, high = market_checks.PER_USD
        beyond = table == "exchange_rates" and not low <= row.per_usd <= high
        return f"{row.per_usd:f} per USD is outside {low:f} to {high:f}" if beyond else None
    if table == "exchange_rates":
        if start == line.day:
            return f"another rate than the one in force for {line.day}"
        change = abs(row.per_usd / line.per_usd - 1)
        return f"changes by {change:.0%} since {line.day}" if change > market_checks.RATE_CHANGE else None
    if table == "offers" and row.node != line.node:
        return f"the id belongs to {line.node}"
    if start < line.from_:
        return f"dated {start}, before the line in force of {line.from_}"
    if row.currency != line.currency:
        return f"in {row.currency}; the line in force is in {line.currency}"
    for figure in FIGURES[table]:
        old, new = getattr(line, figure), getattr(row, figure)
        if isinstance(old, Decimal) and isinstance(new, Decimal):
            jump = max(old, new) / min(old, new)
            if jump > market_checks.PRICE_JUMP:
                return f"{figure} {'rises' if new > old else 'falls'} {jump:.1f} times against {line.from_}"
    return None


def _checked(catalog: Catalog, table: str, rows: Iterable[Any], judged: Judged) -> Iterator[tuple[str, str]]:
    """(key, problem) of the rows that the checks of the catalog would refuse."""
    rows, day = list(rows), catalog.as_of.isoformat()
    if table == "exchange_rates" or not rows:
        return
    rates = [*catalog.exchange_rates, *judged.rows["exchange_rates"]]
    if table == "offers":
        problems = market_checks.check_offers(rows, catalog.nodes.values(), catalog.regions.values(), catalog.providers, rates, day)
    else:
        problems = market_checks.check_api_offers(rows, catalog.providers, catalog.model_ids, day)
        problems += market_checks.check_token_prices(rows, rates_on(rates, day))
    for problem in problems:
        name, _, reason = problem.partition(": ")
        yield name.rpartition(" ")[2], reason


def _quarantined(table: str, row: Any, line: Any, reason: str) -> Change:
    """The first figure that differs, with the reason."""
    figures = [name for name in FIGURES[table] if getattr(row, name, None) is not None]
    moved = [name for name in figures if line is not None and getattr(line, name) != getattr(row, name)]
    figure = next(iter([*moved, *figures]), "")
    old = getattr(line, figure, None) if figure else None
    unit = "" if table == "exchange_rates" else row.currency
    return Change(table, key_of(table, row), figure, "quarantined", old, getattr(row, figure, None) if figure else None, unit, reason)
