"""JSON Schema of the files a user may lay over the bundled catalog, for editors that complete and check while one types."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from infra_advisor.facts.chips import Alias, Chip
from infra_advisor.facts.circuits import Circuits
from infra_advisor.facts.engines import Engine
from infra_advisor.facts.fact import Source
from infra_advisor.facts.licences import LicenceTerms
from infra_advisor.facts.models import LanguageModel
from infra_advisor.facts.places import Provider
from infra_advisor.facts.profiles import Profile
from infra_advisor.facts.purchases import Assumption

LISTED: dict[str, type[BaseModel]] = {"chips": Chip, "models": LanguageModel, "engines": Engine, "providers": Provider}
KEYED: dict[str, type[BaseModel]] = {
    "aliases": Alias, "assumptions": Assumption, "circuits": Circuits, "licences": LicenceTerms, "profiles": Profile, "sources": Source,
}  # fmt: skip


def overlay_schema() -> dict[str, Any]:
    """One document for YAML overlays: collections at the top, entries with an `id` and any facts to add or replace."""
    records = [*LISTED.values(), *KEYED.values()]
    references, definitions = models_json_schema([(record, "validation") for record in records], title="infra_advisor overlay")
    entries = definitions["$defs"]
    for record in LISTED.values():
        entry = entries[record.__name__]
        entry["required"] = ["id"]
        entry["properties"]["hide"] = {"type": "boolean", "description": "leave this entry out of every answer"}
        entry["properties"].setdefault("sources", {"type": "object", "additionalProperties": {"$ref": "#/$defs/Source"}})
    named = {record: references[record, "validation"] for record in records}
    properties: dict[str, Any] = {name: {"type": "array", "items": named[record]} for name, record in LISTED.items()}
    properties |= {name: {"type": "object", "additionalProperties": named[record]} for name, record in KEYED.items()}
    properties["parameters"] = {"type": "object", "description": "families, engines and defaults as in the bundled parameters.yaml"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "infra_advisor overlay",
        "description": "Entries merge by id and fact by fact over the bundled catalog; tables are CSV files named after them.",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "$defs": entries,
    }
