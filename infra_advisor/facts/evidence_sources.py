"""Where measured points were read, what their figures count, and what bias to expect."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, ValidationError, model_validator

from infra_advisor.facts.evidence import Measurement
from infra_advisor.facts.fact import Record
from infra_advisor.facts.files import explain, read_yaml

Day = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")


class Part(Record):
    """An edition, suite or page of a source."""

    title: str
    ref: str
    seen: str = Day


class EvidenceSource(Record):
    """One collection of measurements."""

    title: str
    ref: str | None = None
    """Begins the reference of every row; None where the parts have their own."""
    seen: str = Day
    counts: str
    """What the figures count."""
    load: str
    """How the load was made."""
    bias: str
    each_row: tuple[str, ...] = ()
    """What the source says of every one of its rows."""
    parts: Mapping[str, Part] = {}

    @model_validator(mode="after")
    def _referenced(self) -> "EvidenceSource":
        if (self.ref is None) == (not self.parts):
            raise ValueError("give either `ref` or `parts`")
        return self


class Citation(NamedTuple):
    """Where one row was read."""

    title: str
    ref: str
    seen: str | None


def read_evidence_sources(catalog_path: Path, problems: list[str]) -> dict[str, EvidenceSource]:
    """The sources of a catalog's evidence by id; problems name file and source."""
    path = catalog_path / "sources" / "evidence.yaml"
    document = read_yaml(path, problems)
    found: dict[str, EvidenceSource] = {}
    if not isinstance(document, Mapping):
        if document is not None:
            problems.append(f"{path}: must be a mapping of source id to title and reference")
        return found
    for name, raw in document.items():
        try:
            found[str(name)] = EvidenceSource.model_validate(raw)
        except ValidationError as error:
            problems += [f"{path}: {name}: {line}" for line in explain(error)]
    return found


def citation(row: Measurement, sources: Mapping[str, EvidenceSource]) -> Citation:
    """Title and full reference of a row; what the row itself says where its source is not among `sources`."""
    source = sources.get(row.source_id or "")
    if source is None:
        return Citation(row.source or row.source_id or "unnamed source", row.source_ref or "", None)
    part = source.parts.get(row.source or "")
    begins = part.ref if part else source.ref or ""
    return Citation(part.title if part else source.title, begins + (row.source_ref or ""), part.seen if part else source.seen)


def undefined_sources(rows: list[Measurement], sources: Mapping[str, EvidenceSource]) -> list[tuple[str, str]]:
    """(row id, why) of rows whose source or part is not described."""
    found = []
    for row in rows:
        source = sources.get(row.source_id or "")
        if source is None:
            found.append((row.row_id or "?", f"unknown source {row.source_id}"))
        elif (row.source or "") not in (source.parts or ("",)):
            found.append((row.row_id or "?", f"source {row.source_id} has no part {row.source}"))
    return found
