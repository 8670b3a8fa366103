"""Groups of countries by name: the EU, the EEA, what routing profiles call Asia-Pacific."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from infra_advisor.errors import CatalogError
from infra_advisor.facts.countries import COUNTRIES

if TYPE_CHECKING:
    from infra_advisor.facts.geography import Geography


def geographies() -> Mapping[str, frozenset[str]]:
    """Name in upper case -> its countries, of the bundled catalog. Raises CatalogError."""
    from infra_advisor.paths import catalog_dir

    return _members(catalog_dir() / "geographies.yaml")


@cache
def _members(path: Path) -> Mapping[str, frozenset[str]]:
    return {name.upper(): frozenset(one.countries) for name, one in read_geographies(path).items()} if path.is_file() else {}


def read_geographies(path: Path) -> "Mapping[str, Geography]":
    """The file of geographies. Raises CatalogError with every problem."""
    from pydantic import ValidationError

    from infra_advisor.facts.files import explain, read_yaml
    from infra_advisor.facts.geography import Geography

    problems: list[str] = []
    document = read_yaml(path, problems)
    found = {}
    for name, raw in (document if isinstance(document, Mapping) else {}).items():
        try:
            found[str(name)] = Geography.model_validate(raw)
        except ValidationError as error:
            problems += [f"{path}: {name}: {line}" for line in explain(error)]
    if problems or not found:
        raise CatalogError(problems or [f"{path}: names no geography"])
    return found


def countries_of(names: Iterable[str]) -> frozenset[str]:
    """Countries and geographies, in upper case, as countries. KeyError for a name that is neither."""
    return frozenset(country for name in names for country in ((name,) if name in COUNTRIES else geographies()[name]))
