"""How an engine's server is started: its command, the documented spelling of its options, its images."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from infra_advisor.facts.engine_rules import ChipFacts, ChipRule, SourceIds
from infra_advisor.facts.fact import Record

Role = Literal[
    "tensor", "pipeline", "data", "data_attention", "expert_size", "expert_flag", "quantize", "kv", "kv_values", "context", "sequences",
    "host", "port", "name",
]  # fmt: skip
"""What an option is for. `data_attention` and `expert_flag` take no value; `kv_values` is the option of
the values where `kv` is that of the keys alone; `name` is the name the API knows the model by."""


class Image(ChipRule):
    """The container image for some chips. An engine that lists any has none for the chips it does not list."""

    image: str
    note: str | None = None
    source: SourceIds


class Launch(Record):
    """The command of the server. A role without an entry has no documented option: nothing is passed, and a note says so."""

    command: tuple[str, ...] = Field(min_length=1)
    in_container: tuple[str, ...] = ()
    """The command in the image, where it is not on the path there."""
    model: str | None = ""
    """Option before the model; "" = the model stands after the command; null = it is named to `then`."""
    then: tuple[str, ...] = ()
    """Command that loads the model once the server runs; the model follows."""
    options: Mapping[Role, str] = {}
    variables: Mapping[Role, str] = {}
    """Environment variables where there is no option."""
    always: tuple[str, ...] = ()
    kv_values: Mapping[str, str] = {}
    """Cache format -> value of the `kv` option; a format that is absent is what the engine takes by itself, or cannot be named."""
    quantize: Mapping[str, str] = {}
    """Weight format -> value of the `quantize` option that makes it from a 16-bit checkpoint while loading."""
    context_is_shared: bool = False
    """The context option counts the tokens of all sequences together."""
    tensor_counts_data: bool = False
    """The tensor option counts the accelerators of all data-parallel ranks."""
    ranks_per_chip: Mapping[str, int] = {}
    """Chips that the tensor option counts as more than one device."""
    listens_at: int = Field(default=8000, gt=0, lt=65536)
    health: str = "/health"
    images: tuple[Image, ...] = ()
    note: str | None = None
    source: SourceIds

    def image_for(self, chip: ChipFacts | None, plain: str | None) -> str | None:
        """The image for a chip, `plain` where the engine has but one; None where none is known for the chip."""
        if not self.images:
            return plain
        return None if chip is None else next((one.image for one in self.images if one.matches(chip)), None)
