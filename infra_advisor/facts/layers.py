"""Layers of catalog files: the bundled one, and the user's on top of it.

A layer is a directory laid out like the bundled catalog, or one YAML file whose top keys are collections
(`chips: [{id: ..., ...}]`), or one CSV file named after a table (`offers.csv`). Curated entries merge by id, fact by fact;
the later layer wins and every value remembers the file it came from. Table rows are added; a row with the same id and day replaces.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra_advisor.errors import CatalogError, did_you_mean
from infra_advisor.facts.files import read_yaml

COLLECTIONS = ("chips", "models", "engines", "providers")
TABLES = (
    "offers",
    "nodes",
    "purchase",
    "hosting",
    "exchange_rates",
    "api_prices",
    "regions",
    "quality",
    "hosted_speeds",
    "tco_references",
    "deviations",
)
MAPPINGS = ("aliases", "assumptions", "parameters", "profiles", "formats", "licences", "circuits")
YAML = (".yaml", ".yml")
BUNDLED_ONLY = (
    "catalog.yaml", "model_aliases.yaml", "model_names.csv", "residency.yaml", "priors.yaml", "power.yaml", "accuracy.csv", "nearest.csv",
    "geographies.yaml", "deploy.yaml",
)  # fmt: skip
"""Files of a catalog directory that no layer overrides."""
MOST_ENTRIES = 100_000


@dataclass
class Entry:
    """One curated entry as written, merged over the layers."""

    id: str
    raw: dict[str, Any]
    origin: dict[str, str] = field(default_factory=dict)
    """Path of a value inside the entry (`memory_bandwidth`, `compute.bf16`) -> the file that had the last word; latest change last."""

    @property
    def hidden(self) -> bool:
        """Removed from answers by a layer, not from memory."""
        return bool(self.raw.get("hide"))

    def merge(self, raw: Mapping[str, Any], file: str) -> None:
        """Lay `raw` over this entry: facts and scalars replace, mappings of facts merge key by key."""
        for key, value in raw.items():
            present = self.raw.get(key)
            if isinstance(value, Mapping) and isinstance(present, Mapping) and "is" not in value:
                self.raw[key] = _laid(present, value)
                changed = [f"{key}.{name}" for name in value]
            else:
                self.raw[key] = value
                changed = [key]
                if isinstance(present, Mapping):
                    for path in [path for path in self.origin if path.startswith(f"{key}.")]:
                        del self.origin[path]
            for path in changed:
                self.origin.pop(path, None)  # the latest change stands last
                self.origin[path] = file

    def changed_outside(self, folder: Path) -> list[str]:
        """Paths of the values on which a file outside the folder had the last word."""
        inside = f"{folder}{os.sep}"
        return [path for path, file in self.origin.items() if not file.startswith(inside)]

    def file_of(self, place: str) -> str:
        """The file that had the last word on a value (`compute.bf16.value` counts as `compute.bf16`), or on anything here."""
        parts = place.split(".")
        paths = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
        return next((self.origin[path] for path in paths if path in self.origin), next(reversed(self.origin.values()), self.id))


def _laid(present: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """One mapping over another, key by key and level by level; a fact (`is`) replaces the one below it."""
    found = dict(present)
    for key, over in value.items():
        below = found.get(key)
        if isinstance(over, Mapping) and isinstance(below, Mapping) and "is" not in over:
            found[key] = _laid(below, over)
        else:
            found[key] = over
    return found


class Layer:
    """One directory or file of catalog facts."""

    def __init__(self, path: Path, *, bundled: bool = False) -> None:
        if not (path.is_dir() or path.is_file()):
            raise CatalogError(
                [f"{path}: not a regular file or directory; give a catalog directory, a .yaml file or a table such as offers.csv"]
            )
        self.path = path
        self.bundled = bundled
        self.name = "bundled" if bundled else str(path)
        self._documents: dict[Path, Any] = {}
        if not bundled and (problems := list(self._strays())):
            raise CatalogError(problems)

    def files(self, collection: str) -> list[Path]:
        """The YAML files that hold entries of a collection, one or many entries each."""
        if self.path.is_file():
            return []
        singles = [self.path / f"{collection}{suffix}" for suffix in YAML]
        return _yaml_in(self.path / collection) + [single for single in singles if single.is_file()]

    def table(self, name: str) -> Path | None:
        """The CSV file of a table in this layer, where there is one."""
        path = self.path if self.path.is_file() else self.path / f"{name}.csv"
        return path if path.name == f"{name}.csv" and path.is_file() else None

    def mixed(self, problems: list[str]) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Documents with several collections in one file: a single-file layer, and the loose files of an overlay directory."""
        if self.bundled:
            return
        paths = [self.path] if self.path.is_file() else [p for p in _yaml_in(self.path) if p.stem not in (*COLLECTIONS, *MAPPINGS)]
        for path in paths:
            if path.suffix == ".csv":
                continue
            if path not in self._documents:
                found: list[str] = []
                self._documents[path] = (read_yaml(path, found), found)
            document, found = self._documents[path]
            problems += [line for line in found if line not in problems]
            if found:
                continue
            known = (*COLLECTIONS, *MAPPINGS, "sources")
            if not isinstance(document, Mapping):
                problems.append(f"{path}: expected collections at the top ({', '.join(known)})")
                continue
            for key in document:
                if (
                    key not in known
                    and (line := f"{path}: {key!r} is no collection; known: {', '.join(known)}.{did_you_mean(str(key), known)}")
                    not in problems
                ):
                    problems.append(line)
            yield path, dict(document)

    def read(self) -> list[Path]:
        """Every file of facts in this layer."""
        if self.path.is_file():
            return [self.path]
        folders = [self.path, *(self.path / name for name in (*COLLECTIONS, *MAPPINGS, "sources"))]
        return sorted(path for folder in folders if folder.is_dir() for path in folder.iterdir() if path.suffix in (*YAML, ".csv"))

    def _strays(self) -> Iterator[str]:
        """What would be passed over without a word: tables of unknown names, and a directory that holds no facts at all."""
        read = self.read()
        for path in read:
            if not path.is_file():
                yield f"{path}: not a regular file"
            elif path.name in BUNDLED_ONLY:
                yield f"{path}: only the bundled catalog has this file; leave it out"
            elif path.suffix == ".csv" and (path.stem not in TABLES or path.parent not in (self.path, self.path.parent)):
                yield f"{path}: no table of that name here; known: {', '.join(TABLES)}.{did_you_mean(path.stem, TABLES)}"
        if not read:
            yield f"{self.path}: holds no catalog files; expected folders such as chips/, YAML files, or tables such as offers.csv"


def _yaml_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.y*ml") if path.suffix in YAML)


def bundled_and(layers: Iterable[Path], bundled: Path) -> list[Layer]:
    """The bundled layer with the user's on top. Raises CatalogError where one is neither a file nor a directory."""
    problems: list[str] = []
    found = [Layer(bundled, bundled=True)]
    for path in layers:
        try:
            found.append(Layer(path))
        except CatalogError as error:
            problems += error.problems
    if problems:
        raise CatalogError(problems)
    return found


def merged_entries(layers: Iterable[Layer], collection: str, problems: list[str], only: str | None = None) -> dict[str, Entry]:
    """All entries of a curated collection, merged over the layers, by id; `only` reads the bundled file of one id."""
    entries: dict[str, Entry] = {}
    for layer in layers:
        in_layer: dict[str, str] = {}
        for path, raw in _raw_entries(layer, collection, problems, only):
            name = raw.get("id")
            if not isinstance(name, str) or not name:
                problems.append(f"{path}: an entry of {collection} needs an `id`")
            elif name in in_layer:
                problems.append(f"{path}: the id {name!r} is already taken by {in_layer[name]}")
            else:
                in_layer[name] = str(path)
                entries.setdefault(name, Entry(name, {})).merge(raw, str(path))
    return entries


def _raw_entries(layer: Layer, collection: str, problems: list[str], only: str | None) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in layer.files(collection):
        if only is not None and layer.bundled and path.stem != only:
            continue
        document = read_yaml(path, problems)
        if layer.bundled and path.parent.name == collection and isinstance(document, Mapping):
            if document.get("id") != path.stem:
                problems.append(f"{path}: holds the id {document.get('id')!r}; the file name must be the id")
            yield path, dict(document)
        elif document is not None:
            yield from _listed(path, document, collection, problems)
    for path, document in layer.mixed(problems):
        if collection in document:
            yield from _listed(path, document, collection, problems)


def _listed(path: Path, document: Any, collection: str, problems: list[str]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Entries of a document: one mapping with an id, a list of them, or either under the collection's name with shared sources."""
    sources = document.get("sources") if isinstance(document, Mapping) else None
    if isinstance(document, Mapping) and collection in document:
        document = document[collection]
    if isinstance(document, Mapping):
        document = (
            [document] if "id" in document else [{"id": name, **raw} if isinstance(raw, Mapping) else raw for name, raw in document.items()]
        )
    if not isinstance(document, list):
        problems.append(f"{path}: {collection} must be a list of entries or a mapping of id to entry")
        return
    if len(document) > MOST_ENTRIES:
        problems.append(f"{path}: {len(document):,} entries of {collection}; at most {MOST_ENTRIES:,} are read")
        return
    for raw in document:
        if isinstance(raw, Mapping):
            yield path, ({"sources": sources, **raw} if sources and raw.get("sources") is None and collection != "providers" else dict(raw))
        else:
            problems.append(f"{path}: an entry of {collection} is {type(raw).__name__}; expected a mapping with an `id`")


def merged_mapping(layers: Iterable[Layer], name: str, problems: list[str]) -> dict[str, Entry]:
    """A keyed document (aliases, assumptions, parameters) merged key by key over the layers."""
    entries: dict[str, Entry] = {}
    for layer in layers:
        documents = [(path, read_yaml(path, problems)) for path in layer.files(name)]
        documents += [(path, document[name]) for path, document in layer.mixed(problems) if name in document]
        for path, document in documents:
            if not isinstance(document, Mapping):
                if document is not None:
                    problems.append(f"{path}: {name} must be a mapping")
                continue
            for key, raw in document.items():
                entry = entries.setdefault(str(key), Entry(str(key), {}))
                entry.merge(raw if isinstance(raw, Mapping) else {"value": raw}, str(path))
    return entries


def fingerprint(layers: Iterable[Layer]) -> str:
    """Twelve hex digits that change when any fact of any layer does; evidence counts through the parameters fitted on it."""
    digest = hashlib.sha256()
    for layer in layers:
        paths = (
            [layer.path]
            if layer.path.is_file()
            else sorted(p for p in layer.path.rglob("*") if p.suffix in (".yaml", ".csv") and "evidence" not in p.parts)
        )
        for path in paths:
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
