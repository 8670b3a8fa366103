"""The fields of a local model file, read with bounds: a missing or absurd value is refused by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra_advisor.errors import UsageError

MOST = 2**20
"""No width or count of a layer is larger."""
MOST_LAYERS = 1000


@dataclass(frozen=True)
class Fields:
    """Named values of one file. Several names of one field are tried in turn."""

    raw: Mapping[str, Any]
    path: Path

    def optional(self, *names: str, most: int = MOST, least: int = 1) -> int | None:
        """The count under the first name that is there; None where none is. Raises UsageError for anything but a believable count."""
        for name in names:
            value = self.raw.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise UsageError(f"{self.path}: {name} is {str(value)[:40]!r}; expected a whole number from {least} to {most:,}")
            return value
        return None

    def count(self, *names: str, most: int = MOST, least: int = 1) -> int:
        """As `optional`, but one of the names must be there."""
        value = self.optional(*names, most=most, least=least)
        if value is None:
            raise UsageError(f"{self.path}: needs {' or '.join(names)}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A truth value. Raises UsageError for anything else."""
        value = self.raw.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise UsageError(f"{self.path}: {name} is {str(value)[:40]!r}; expected true or false")
        return value

    def texts(self, name: str, length: int) -> list[str] | None:
        """A list of as many texts as there are layers; None where it is not there. Raises UsageError."""
        value = self.raw.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) < length or not all(isinstance(item, str) for item in value):
            raise UsageError(f"{self.path}: {name} must be a list of {length} texts, one per layer")
        return value[:length]

    def numbers(self, name: str) -> list[int]:
        """A list of whole numbers, empty where it is not there. Raises UsageError."""
        value = self.raw.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > MOST_LAYERS or not all(isinstance(item, int) for item in value):
            raise UsageError(f"{self.path}: {name} must be a list of whole numbers")
        return value

    @property
    def hidden(self) -> int:
        """Width of the model."""
        return self.count("hidden_size", "n_embd", "d_model")

    @property
    def layers(self) -> int:
        """Number of layers."""
        return self.count("num_hidden_layers", "n_layer", "num_layers", most=MOST_LAYERS)

    @property
    def q_heads(self) -> int:
        """Query heads."""
        return self.count("num_attention_heads", "n_head")

    @property
    def kv_heads(self) -> int:
        """Key-value heads, each shared by as many query heads; as many where none are stated. Raises UsageError where that is not whole."""
        kv_heads = self.optional("num_key_value_heads") or self.q_heads
        if kv_heads < self.q_heads and self.q_heads % kv_heads:
            raise UsageError(f"{self.path}: {self.q_heads} query heads do not divide by {kv_heads} key-value heads")
        return kv_heads

    @property
    def head_dim(self) -> int:
        """Width of a head: as stated, else hidden size over heads. Raises UsageError where that is not whole."""
        if stated := self.optional("head_dim", "attention_head_dim"):
            return stated
        if self.hidden % self.q_heads:
            raise UsageError(f"{self.path}: hidden_size {self.hidden} does not divide by {self.q_heads} heads, and head_dim is not stated")
        return self.hidden // self.q_heads
