"""Catalogs for tests: the bundled one, the frozen mini catalog, which prices never touch, and copies of that to plant errors in.

`frozen_catalog()` has six chips, ten offers and four kinds of models; paths given to it are layers on top.
"""

import datetime
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from infra_advisor.facts.catalog import Catalog, load
from infra_advisor.facts.files import read_rows
from infra_advisor.facts.layers import bundled_and
from infra_advisor.search.calibration import Parameters, read_parameters

FROZEN = Path(__file__).resolve().parent / "frozen"
BUNDLED = Path(__file__).resolve().parents[1] / "catalog"
DAY = datetime.date(2026, 11, 22)
Record = TypeVar("Record", bound=BaseModel)


@cache
def real_catalog() -> Catalog:
    """The bundled catalog as of the day of its newest facts. Reads change nothing, so all tests share it."""
    return load(DAY)


@cache
def real_parameters() -> Parameters:
    """The bundled efficiencies."""
    return read_parameters(real_catalog().parameters, real_catalog().deviations)


def bundled_table(name: str, record: type[Record]) -> list[Record]:
    """Every row of a bundled CSV file, which must have no problem."""
    problems: list[str] = []
    rows = list(read_rows(BUNDLED / f"{name}.csv", record, problems))
    assert problems == []
    return rows


def frozen_catalog(*layers: Path, base: Path = FROZEN, day: datetime.date = DAY) -> Catalog:
    """The mini catalog, or a copy of it at `base`, with layers on top."""
    return Catalog(bundled_and(layers, base), day)


def frozen_copy(folder: Path) -> Path:
    """A copy to change, inside `folder`."""
    return Path(shutil.copytree(FROZEN, folder / "catalog"))


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Files by relative path; the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def replace(path: Path, old: str, new: str) -> None:
    """Change the one place where `old` stands in a file."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")
