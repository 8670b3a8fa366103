"""A language model as the catalog holds it: what it is, what it may be used for, and its layers."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from infra_advisor.facts.fact import FROM_MEMORY, Record, Source
from infra_advisor.facts.files import explain, read_yaml
from infra_advisor.physics.transformer import AnyFfn, AnyMixer, LayerGroup, Transformer, kv_bytes_per_token

Sources = tuple[str, ...]
Count = Annotated[int, Field(gt=0, le=10**14)]

LARGEST_FIELD = 2**24
"""No width, head count or window of a layer is larger: a bound against absurd input, not a fact."""
TOLERANCE = 0.01
"""Layers must explain the published parameter count to within this share."""


class Licence(Record):
    """A hint, not legal advice: the text was read only where the note says so."""

    name: str
    commercial: Literal["yes", "conditional", "no", "unverified"]
    note: str | None = None


class Parameters(Record):
    """Published counts."""

    total: Count
    source: Annotated[Sources, Field(min_length=1)]
    note: str | None = None
    active: Count | None = None
    """Per generated token, as published; often rounded."""
    active_prefill: Count | None = None
    """Per prompt token, where it differs."""
    active_source: Sources = ()

    @model_validator(mode="after")
    def _ordered(self) -> "Parameters":
        if self.active is not None and self.active > self.total:
            raise ValueError("active is more than total")
        if self.active is not None and not self.active_source:
            raise ValueError("active needs active_source")
        if self.active_prefill is not None and (self.active is None or self.active_prefill > self.active):
            raise ValueError("active_prefill needs an active count that is not smaller")
        return self


class ExtraParameters(Record):
    """Weights outside the layers: vision parts, prediction layers, looked-up tables."""

    what: str
    count: Count
    active: int = Field(default=0, ge=0)
    """Of these, used for every token."""


class Layers(Record):
    """`n` identical layers."""

    n: int = Field(gt=0, le=1000)
    mixer: Annotated[AnyMixer, Field(discriminator="kind")]
    ffn: Annotated[AnyFfn, Field(discriminator="kind")]
    norms: int = Field(default=2, ge=0, le=16)

    @model_validator(mode="after")
    def _believable(self) -> "Layers":
        for block in _blocks(self.mixer, self.ffn):
            for name, value in vars(block).items():
                lowest = 0 if name in ("shared_inter", "qk_nope_dim", "qk_rope_dim") else 1
                if type(value) is int and not lowest <= value <= LARGEST_FIELD:
                    raise ValueError(f"{name}: {value} is not between {lowest} and {LARGEST_FIELD:,}")
            top_k, experts = getattr(block, "top_k", None), getattr(block, "experts", None)
            if top_k and experts and top_k > experts:
                raise ValueError(f"top_k: {top_k} of {experts} experts")
            heads, groups = getattr(block, "q_heads", None), getattr(block, "kv_heads", None)
            if heads and groups and groups > heads:
                raise ValueError(f"kv_heads: {groups}, more than {heads} query heads")
        return self


class LanguageModel(Record):
    """One checkpoint of a language model."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=100)
    hf_id: str | None = Field(default=None, max_length=200)
    family: str
    developer: str
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    modality: Literal["text", "text+image", "text+image+audio"] = "text"
    released: str | None = Field(default=None, pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")
    licence: Licence
    parameters: Parameters
    hidden_size: int = Field(gt=0, le=2**20)
    vocab_size: int = Field(gt=0, le=2**24)
    tied_embeddings: bool
    max_context: int | None = Field(default=None, gt=0)
    native_format: str
    """Id in formats.yaml of the weights as first published: full quality."""
    layers: Annotated[tuple[Layers, ...], Field(max_length=200)]
    extra_params: tuple[ExtraParameters, ...] = ()
    base_model: str | None = None
    published_kv_bytes_per_token: float | None = Field(default=None, gt=0)
    """As its developers print it, at their own KV format."""
    source: Annotated[Sources, Field(min_length=1)]
    """Where the layers were read."""
    source_note: str | None = None
    doubt: Literal["guessed", "memory"] | None = None
    """guessed: the layers are an estimate and do not explain the published count. memory: unchecked recollection."""
    note: str | None = None
    sources: Mapping[str, Source] = {}
    """Sources of an entry that stands outside the bundled catalog."""

    @field_validator("source", mode="before")
    @classmethod
    def _listed(cls, raw: object) -> object:
        return (raw,) if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _has_layers(self) -> "LanguageModel":
        if not self.layers:
            raise ValueError("layers: a model needs at least one group of layers")
        return self

    @property
    def name(self) -> str:
        """As people write it."""
        return self.hf_id.rsplit("/", 1)[-1] if self.hf_id else self.id

    @property
    def from_memory(self) -> bool:
        """True where part of the layers rests on recollection, confirmed by the parameter count or not."""
        return FROM_MEMORY in self.source

    @property
    def is_mixture(self) -> bool:
        """True where tokens choose among experts."""
        return bool(self.architecture.routed_experts)

    @cached_property
    def architecture(self) -> Transformer:
        """The layers and the parts beside them, as counted."""
        return self._transformer(extra=sum(part.count for part in self.extra_params))

    def shape(self) -> Transformer:
        """The architecture with the parts beside the layers set so that all weights add up to the published total.

        What the layer list does not explain (a fraction of a percent, save for guesses) lies in memory but is not computed with.
        """
        return self._published

    @cached_property
    def _published(self) -> Transformer:
        counted = self.architecture
        return dataclasses.replace(counted, extra=counted.extra + self.parameters.total - int(counted.parameters))

    def _transformer(self, *, extra: int) -> Transformer:
        counts = self.parameters
        share = counts.active_prefill / counts.active if counts.active_prefill and counts.active else 1.0
        return Transformer(
            layers=tuple(LayerGroup(group.n, group.mixer, group.ffn, group.norms) for group in self.layers),
            hidden=self.hidden_size,
            vocab=self.vocab_size,
            tied=self.tied_embeddings,
            extra=extra,
            extra_active=sum(part.active for part in self.extra_params),
            prefill_share=share,
        )

    def kv_bytes_per_token(self, kv_bits: float) -> float:
        """Growth of the cache per token of context, windows apart. [bytes]"""
        return kv_bytes_per_token(self.architecture, kv_bits)


def read_model(path: Path, problems: list[str]) -> LanguageModel | None:
    """The model of one catalog file, or None with every problem noted."""
    raw = read_yaml(path, problems)
    if raw is None:
        return None
    try:
        return LanguageModel.model_validate(raw)
    except ValidationError as error:
        problems += [f"{path}: {line}" for line in explain(error)]
        return None


def model_problems(model: LanguageModel, known_sources: Collection[str]) -> Iterator[str]:
    """What the record type alone cannot see: undefined sources, layers that do not explain the published count."""
    known = {*known_sources, *model.sources}
    used = {*model.source, *model.parameters.source, *model.parameters.active_source}
    yield from (f"{model.id}: source {source!r} is not defined" for source in sorted(used - known))
    error = model.architecture.parameters / model.parameters.total - 1
    if abs(error) > TOLERANCE and model.doubt != "guessed":
        counted = f"{model.architecture.parameters:,.0f}"
        yield f"{model.id}: the layers make {counted} parameters, {error:+.1%} off the published {model.parameters.total:,}"


def _blocks(mixer: AnyMixer, ffn: AnyFfn) -> Iterator[object]:
    for block in (mixer, ffn):
        yield block
        yield from getattr(block, "parts", ())
        if indexer := getattr(block, "indexer", None):
            yield indexer
