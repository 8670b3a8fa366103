"""Reading layers of catalog files into checked records, every problem collected with its file."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from infra_advisor.errors import CatalogError
from infra_advisor.facts.files import explain, read_rows, read_yaml
from infra_advisor.facts.layers import MAPPINGS, Entry, Layer, merged_entries, merged_mapping
from infra_advisor.facts.provenance import undefined_sources

SOURCES_OF = {"providers": "places", "assumptions": "hosting", "profiles": "hosting", "circuits": "hosting", "licences": "models"}
"""Collections whose sources stand in a file of another name."""

Rec = TypeVar("Rec", bound=BaseModel)


class Reader:
    """Layers of files, read lazily; problems are raised at once, or together where `preload` gathers them."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = tuple(layers)
        self._entries: dict[str, dict[str, Entry]] = {}
        self._sources: dict[str, Mapping[str, Mapping[str, Any]]] = {}
        self._problems: list[str] | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        """The user's layers, lowest first."""
        return tuple(layer.name for layer in self._layers if not layer.bundled)

    @property
    def path(self) -> Path:
        """Folder of the bundled facts."""
        return self._layers[0].path

    def table_path(self, name: str) -> list[Path]:
        """The files of a table over the layers, lowest first."""
        return [path for layer in self._layers if (path := layer.table(name))]

    def entry(self, collection: str, name: str) -> Entry:
        """A curated entry as written, with the file each value came from. KeyError where there is none."""
        if collection == "models":
            problems: list[str] = []
            found = merged_entries(self._layers, "models", problems, only=name)
            self._report(problems)
            return found[name]
        return (self._mapping(collection) if collection in MAPPINGS else self._raw(collection))[name]

    def entries(self, collection: str) -> Mapping[str, Entry]:
        """All entries of a curated collection as written, by id. Raises CatalogError."""
        return self._raw(collection)

    def sources(self, collection: str) -> Mapping[str, Mapping[str, Any]]:
        """Title, reference and day last seen of every source of a collection."""
        if collection in self._sources:
            return self._sources[collection]
        problems: list[str] = []
        found: dict[str, Mapping[str, Any]] = {}
        for layer in self._layers:
            path = layer.path / "sources" / f"{collection}.yaml"
            if path.is_file():
                document = read_yaml(path, problems)
                found |= document if isinstance(document, Mapping) else {}
            for path, loose in layer.mixed(problems):
                sources = loose.get("sources") or {}
                if isinstance(sources, Mapping):
                    found |= sources
                else:
                    problems.append(f"{path}: sources must be a mapping of id to title and day seen")
        self._report(problems)
        self._sources[collection] = found
        return found

    def preload(self, names: Iterable[str]) -> None:
        """Read several collections or tables now, so that all their problems are reported together. Raises CatalogError."""
        self._problems = []
        try:
            for name in names:
                getattr(self, name)
            found = self._problems
        finally:
            self._problems = None
        if found:
            for name in names:
                self.__dict__.pop(name, None)
            raise CatalogError(list(dict.fromkeys(found)))

    def _report(self, problems: list[str]) -> None:
        if problems and self._problems is not None:
            self._problems += problems
        elif problems:
            raise CatalogError(problems)

    def _raw(self, collection: str) -> dict[str, Entry]:
        if collection not in self._entries:
            problems: list[str] = []
            entries = merged_entries(self._layers, collection, problems)
            self._report(problems)
            if problems:
                return entries
            self._entries[collection] = entries
        return self._entries[collection]

    def _mapping(self, name: str) -> dict[str, Entry]:
        problems: list[str] = []
        merged = merged_mapping(self._layers, name, problems)
        self._report(problems)
        return merged

    def _collection(self, name: str, record: type[Rec]) -> dict[str, Rec]:
        return self._checked(self._raw(name), record, name)

    def _checked(self, entries: Mapping[str, Entry], record: type[Rec], name: str) -> dict[str, Rec]:
        problems: list[str] = []
        found = self._validate(entries, record, name, problems)
        self._report(problems)
        return found

    def _validate(self, entries: Mapping[str, Entry], record: type[Rec], collection: str, problems: list[str]) -> dict[str, Rec]:
        found: dict[str, Rec] = {}
        for name in sorted(entries):
            entry = entries[name]
            if entry.hidden:
                continue
            try:
                found[name] = record.model_validate({key: value for key, value in entry.raw.items() if key != "hide"})
            except ValidationError as error:
                problems += [f"{entry.file_of(line.split(': ', 1)[0])}: {name}: {line}" for line in explain(error)]
            if overlaid := entry.changed_outside(self.path):
                problems += undefined_sources(entry, overlaid, self.sources(SOURCES_OF.get(collection, collection)))
        return found

    def _table(self, name: str, record: type[Rec]) -> list[Rec]:
        problems: list[str] = []
        rows: dict[tuple[Any, ...], Rec] = {}
        for path in self.table_path(name):
            here: dict[tuple[Any, ...], Rec] = {}
            for row in read_rows(path, record, problems):
                key = (getattr(row, "id", None), getattr(row, "provider", None), getattr(row, "from_", None))
                if key in here:
                    problems.append(f"{path}: {' '.join(str(part) for part in key if part)} appears twice")
                here[key] = row
            rows |= here
        self._report(problems)
        return list(rows.values())
