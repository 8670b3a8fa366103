"""A fact: one value as its source prints it, with the source, the dispute and the doubt kept beside it."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from infra_advisor.units import KINDS, parse_quantity

FROM_MEMORY = "memory"


class Record(BaseModel):
    """Base of every catalog record: frozen, unknown keys refused, no NaN or infinity."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=False, populate_by_name=True, defer_build=True
    )


class Source(Record):
    """Where a fact was read."""

    title: str
    ref: str | None = None
    seen: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    """Day on which the source was last seen to say so."""


class Fact(Record):
    """One sourced value in base units.

    `is` in YAML holds the quantity as printed ("3.35 TB/s"); `value` is that in base units (3.35e12).
    """

    value: float
    printed: str
    source: tuple[str, ...]
    """Ids of sources that agree; the id `memory` marks an unchecked recollection."""
    disputed: Mapping[str, str] = {}
    """Source id -> the value that source prints instead."""
    note: str | None = None

    @property
    def from_memory(self) -> bool:
        """True where nothing but recollection supports the value."""
        return all(source == FROM_MEMORY for source in self.source)


def _read_fact(kind: str) -> Any:
    def read(raw: object) -> object:
        if not isinstance(raw, Mapping):
            return raw
        if "is" not in raw or not raw.get("source"):
            raise ValueError("a fact needs `is` (the value with its unit) and `source` (an id from `sources`)")
        source = raw["source"]
        fact = {"value": parse_quantity(raw["is"], kind), "printed": raw["is"]}
        fact |= {"source": (source,) if isinstance(source, str) else tuple(source)}
        return fact | {key: item for key, item in raw.items() if key not in ("is", "source")}

    return BeforeValidator(read)


def _as_written(kind: str) -> WithJsonSchema:
    """The notation of a fact in YAML, for editors."""
    ids = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
    properties = {
        "is": {"type": "string", "description": f"number and unit: {', '.join(KINDS[kind])}"},
        "source": ids,
        "disputed": {"type": "object", "additionalProperties": {"type": "string"}},
        "note": {"type": "string"},
    }
    return WithJsonSchema({"type": "object", "properties": properties, "required": ["is", "source"], "additionalProperties": False})


Size = Annotated[Fact, _read_fact("size"), _as_written("size")]
Bandwidth = Annotated[Fact, _read_fact("bandwidth"), _as_written("bandwidth")]
Compute = Annotated[Fact, _read_fact("compute"), _as_written("compute")]
Power = Annotated[Fact, _read_fact("power"), _as_written("power")]
Duration = Annotated[Fact, _read_fact("time"), _as_written("time")]
