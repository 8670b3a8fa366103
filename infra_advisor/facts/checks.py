"""`catalog check`: everything is read and held against everything else; each problem names its file.

Whatever cannot be read is reported and left out of the comparison, so that one bad file does not hide the state of the rest.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from infra_advisor.errors import CatalogError, did_you_mean
from infra_advisor.facts import market_checks
from infra_advisor.facts.api_offers import ApiOffer, HostedSpeed, QualityScore
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chip_checks import check_aliases, check_chips
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.circuits import circuit_problems
from infra_advisor.facts.deploy import check_deploy
from infra_advisor.facts.engine_checks import check_engines
from infra_advisor.facts.evidence import evidence_files, read_evidence
from infra_advisor.facts.evidence_checks import check_measurements
from infra_advisor.facts.evidence_exceptions import unexplained
from infra_advisor.facts.evidence_sources import read_evidence_sources, undefined_sources
from infra_advisor.facts.fact import FROM_MEMORY, Source
from infra_advisor.facts.files import explain, read_rows
from infra_advisor.facts.geographies import read_geographies
from infra_advisor.facts.licences import licence_problems
from infra_advisor.facts.market import ExchangeRate, Node, Offer
from infra_advisor.facts.model_names import read_aliases, read_measured_names
from infra_advisor.facts.models import LanguageModel, model_problems
from infra_advisor.facts.places import Region
from infra_advisor.facts.purchases import HostingFigure, Purchase, TcoReference

READ = (
    "chips", "aliases", "engines", "providers", "assumptions", "profiles", "licences", "circuits", "parameters", "power",
    "deviations", "formats", "model_ids", "nodes", "offers", "api_prices", "regions", "exchange_rates", "purchases", "hosting", "version",
    "residency", "deploy",
)  # fmt: skip
"""Parts of the catalog that are read one by one."""

TABLES: Mapping[str, tuple[type[BaseModel], str, str]] = {
    "offers": (Offer, "offer", "offers"),
    "nodes": (Node, "node", "nodes"),
    "regions": (Region, "region", "places"),
    "exchange_rates": (ExchangeRate, "exchange rate", "hosting"),
    "purchase": (Purchase, "purchase", "purchase"),
    "tco_references": (TcoReference, "TCO reference", "purchase"),
    "hosting": (HostingFigure, "hosting figure", "hosting"),
    "api_prices": (ApiOffer, "API price", "api_prices"),
    "quality": (QualityScore, "score", "quality"),
    "hosted_speeds": (HostedSpeed, "speed", "hosted_speeds"),
}
"""Table -> record of a row, what its problems call one, and the file that holds its sources."""

SOURCE_FILES = ("chips", "models", "engines", "places", "offers", "nodes", "purchase", "hosting", "api_prices", "quality", "hosted_speeds")
_ENTRY = re.compile(r"(chips|engines|aliases|models)/([^:]+): (.*)", re.DOTALL)
_NAMED = re.compile(r"(provider|assumption|licence) (\S+?): (.*)", re.DOTALL)


def check_catalog(catalog: Catalog) -> list[str]:
    """Every problem of every file, one line each with the file; empty where all is well. Raises nothing for bad contents."""
    problems: list[str] = []
    readable = {name for name in READ if _reads(catalog, name, problems)}
    for needed, check in _CHECKS:
        if not set(needed) <= readable:
            continue
        try:
            problems += _with_files(catalog, check(catalog))
        except CatalogError as error:
            problems += error.problems
    return list(dict.fromkeys(problems))


def _reads(catalog: Catalog, name: str, problems: list[str]) -> bool:
    try:
        catalog.preload((name,))
    except CatalogError as error:
        problems += error.problems
        return False
    return True


# -- curated files


def _chips(catalog: Catalog) -> Iterator[str]:
    yield from check_chips(catalog.chips.values())
    shared = catalog.sources("chips")
    for chip in catalog.chips.values():
        for place, source in sorted(_sources_of(chip)):
            if source not in shared and source not in chip.sources and source != FROM_MEMORY:
                yield f"chips/{chip.id}: {place} unknown source {source}.{did_you_mean(source, shared)}"


def _sources_of(chip: Chip) -> set[tuple[str, str]]:
    """(place, source id) of every fact and word."""
    facts = {(place, source) for place, fact in chip.facts.items() for source in (*fact.source, *fact.disputed)}
    words = {("text_sources", source) for sources in chip.text_sources.values() for source in sources}
    return facts | words | {("text_disputed", source) for others in chip.text_disputed.values() for source in others}


def _engines(catalog: Catalog) -> Iterator[str]:
    known = catalog.engines.values()
    sources = {*catalog.sources("engines"), *(source for engine in known for source in engine.sources)}
    yield from check_engines(known, list(catalog.chips), catalog.formats.weights, sources)
    ordered = catalog.parameters.get("engine_order", ())
    yield from (
        f"parameters: engine_order: unknown engine {name}.{did_you_mean(name, catalog.engines)}"
        for name in ordered
        if name not in catalog.engines
    )


def _power(catalog: Catalog) -> Iterator[str]:
    measured = catalog.power.get("chips") or {}
    yield from (
        f"power.yaml: chips: {name} is no chip.{did_you_mean(name, catalog.chips)}" for name in measured if name not in catalog.chips
    )


def _models(catalog: Catalog) -> Iterator[str]:
    sources = catalog.sources("models")
    formats = catalog.formats.weights
    found: list[LanguageModel] = []
    for name in catalog.model_ids:
        try:
            found.append(catalog.model(name))
        except CatalogError as error:
            yield from error.problems
    for model in found:
        yield from (f"models/{problem}" for problem in model_problems(model, sources))
        if model.native_format not in formats:
            yield f"models/{model.id}: native_format: there is no {model.native_format}.{did_you_mean(model.native_format, formats)}"
    for hf_id, count in Counter(model.hf_id for model in found if model.hf_id).items():
        if count > 1:
            yield f"models: {count} entries have the hf_id {hf_id}"


def _evidence(catalog: Catalog) -> Iterator[str]:
    """Every measured point is readable, sourced, and within what physics allows unless an exception says why."""
    paths = evidence_files(catalog.path)
    if not paths:
        return
    problems: list[str] = []
    rows = read_evidence(paths, problems)
    sources = read_evidence_sources(catalog.path, problems)
    yield from problems
    found = [*undefined_sources(rows, sources), *unexplained(check_measurements(rows, catalog), rows)]
    yield from (f"evidence: {row}: {why}" for row, why in found)


def _model_names(catalog: Catalog) -> Iterator[str]:
    try:
        aliases, measured = read_aliases(catalog.path), read_measured_names(catalog.path)
    except CatalogError as error:
        yield from error.problems
        return
    meant = [
        (catalog.path / "model_aliases.yaml", typed, target) for part in (aliases.sizes, aliases.names) for typed, target in part.items()
    ]
    meant += [(catalog.path / "model_names.csv", typed, target) for typed, (target, _) in measured.items() if target is not None]
    for path, typed, target in meant:
        if target not in catalog.model_ids:
            yield f"{path}: {typed}: there is no model {target}.{did_you_mean(target, catalog.model_ids)}"


# -- tables


def _market(catalog: Catalog) -> Iterator[str]:
    day = _last_day(catalog)
    regions, rates = catalog.regions.values(), catalog.exchange_rates
    yield from market_checks.check_nodes(list(catalog.nodes.values()), list(catalog.chips), catalog.providers)
    yield from market_checks.check_offers(catalog.offers, catalog.nodes.values(), regions, catalog.providers, rates, day)
    yield from market_checks.check_purchases(catalog.purchases, list(catalog.chips), rates, day)
    yield from market_checks.check_hosting(catalog.hosting, rates, day)
    for figure in catalog.hosting:
        owner, colon, _ = (figure.place or "").partition(":")
        if colon and owner not in catalog.providers:
            yield f"hosting figure {figure.id}: place: {owner} is no provider.{did_you_mean(owner, catalog.providers)}"


def _places(catalog: Catalog) -> Iterator[str]:
    known = {*catalog.sources("places"), FROM_MEMORY}
    yield from market_checks.check_places(list(catalog.regions.values()), catalog.providers)
    yield from market_checks.check_place_sources(catalog.providers.values(), catalog.residency, known)
    if (path := catalog.path / "geographies.yaml").is_file():
        try:
            yield from market_checks.check_sources("geography", read_geographies(path).values(), known)
        except CatalogError as error:
            yield from error.problems


def _profiles(catalog: Catalog) -> Iterator[str]:
    known = {*catalog.sources("hosting"), FROM_MEMORY}
    for name, profile in catalog.profiles.items():
        yield from (f"profile {name}: unknown source {source}" for source in profile.source if source not in known)


def _licences(catalog: Catalog) -> Iterator[str]:
    return licence_problems(catalog.licences, catalog.model_ids, {*catalog.sources("models"), FROM_MEMORY})


def _circuits(catalog: Catalog) -> Iterator[str]:
    return circuit_problems(catalog.circuits, {*catalog.sources("hosting"), FROM_MEMORY})


def _assumptions(catalog: Catalog) -> Iterator[str]:
    yield from market_checks.check_assumptions(catalog.assumptions, {*catalog.sources("hosting"), FROM_MEMORY})


def _api_prices(catalog: Catalog) -> Iterator[str]:
    yield from market_checks.check_api_offers(catalog.api_prices, catalog.providers, catalog.model_ids, _last_day(catalog))


def _references(catalog: Catalog) -> Iterator[str]:
    """Chips and models that the remaining tables name."""
    problems: list[str] = []
    for table in ("api_prices", "quality", "hosted_speeds", "tco_references"):
        kind = TABLES[table][1]
        for row in _rows(catalog, table, problems):
            chip, model = getattr(row, "chip", None), getattr(row, "model", None)
            if chip is not None and chip not in catalog.chips:
                yield f"{kind} {row.id}: unknown accelerator {chip}.{did_you_mean(chip, catalog.chips)}"
            if model is not None and model not in catalog.model_ids:
                yield f"{kind} {row.id}: unknown model {model}.{did_you_mean(model, catalog.model_ids)}"
    yield from problems


def _sources(catalog: Catalog) -> Iterator[str]:
    """Sources have a title and a day, and the rows of the bundled tables name known ones; a user's row may name its source in words."""
    for name in SOURCE_FILES:
        for source, raw in catalog.sources(name).items():
            try:
                Source.model_validate(raw)
            except ValidationError as error:
                yield from (f"{catalog.path / 'sources' / name}.yaml: {source}: {line}" for line in explain(error))
    for table, (record, kind, file) in TABLES.items():
        known = {*catalog.sources(file), FROM_MEMORY}
        for path in catalog.table_path(table):
            if path.is_relative_to(catalog.path):
                yield from market_checks.check_sources(kind, read_rows(path, record, []), known)


def _rows(catalog: Catalog, table: str, problems: list[str]) -> list[Any]:
    return [row for path in catalog.table_path(table) for row in read_rows(path, TABLES[table][0], problems)]


def _last_day(catalog: Catalog) -> str:
    """No date lies after it: the day asked for, or that of the newest facts."""
    return max(catalog.as_of.isoformat(), catalog.version)


# -- where a problem stands


def _with_files(catalog: Catalog, problems: Iterable[str]) -> Iterator[str]:
    """The problems with the file that each stands in; in a table also the line."""
    for problem in problems:
        if match := _ENTRY.fullmatch(problem):
            yield _of_entry(catalog, match[1], match[2], match[3])
        elif match := _NAMED.fullmatch(problem):
            yield _of_entry(catalog, f"{match[1]}s", match[2], match[3])
        else:
            yield next((found for table in TABLES if (found := _of_row(catalog, table, problem))), problem)


def _of_entry(catalog: Catalog, collection: str, name: str, problem: str) -> str:
    try:
        file = catalog.entry(collection, name).file_of(problem.split(" ", 1)[0].rstrip(":"))
    except (KeyError, CatalogError):
        file = collection
    return f"{file}: {name}: {problem}"


def _of_row(catalog: Catalog, table: str, problem: str) -> str | None:
    match = re.match(rf"{TABLES[table][1]} (\S+?)(?::? )", problem)
    if not match:
        return None
    lines = _lines(tuple(catalog.table_path(table)))
    return f"{lines.get(match[1].rsplit('/', 1)[-1], catalog.path / f'{table}.csv')}: {problem}"


@cache
def _lines(paths: tuple[Path, ...]) -> Mapping[str, str]:
    """Id of a row -> file and line; the last file wins."""
    found: dict[str, str] = {}
    for path in paths:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            column = next(reader).index("id")
            found |= {cells[column]: f"{path}:{reader.line_num}" for cells in reader if len(cells) > column}
    return found


_CHECKS: tuple[tuple[tuple[str, ...], Callable[[Catalog], Iterator[str]]], ...] = (
    (("chips",), _chips),
    (("chips", "aliases"), lambda catalog: iter(check_aliases(catalog.aliases, catalog.chips.values()))),
    (("chips", "engines", "formats", "parameters"), _engines),
    (("chips", "power"), _power),
    (("chips", "providers", "deploy"), lambda catalog: check_deploy(catalog.deploy, catalog.chips, catalog.providers)),
    (("model_ids", "formats"), _models),
    (("model_ids",), _model_names),
    (("chips", "providers", "nodes", "offers", "api_prices", "regions", "exchange_rates", "purchases", "hosting", "version"), _market),
    (("providers", "regions", "residency"), _places),
    (("assumptions",), _assumptions),
    (("profiles",), _profiles),
    (("licences", "model_ids"), _licences),
    (("circuits",), _circuits),
    (("providers", "model_ids", "version", "api_prices"), _api_prices),
    (("chips", "model_ids"), _references),
    (("chips", "model_ids", "formats"), _evidence),
    ((), _sources),
)
"""What must have been read -> the check."""
