"""Read the header of a GGUF file without trusting it: every length is checked against what the file can hold.

Layout (versions 2 and 3, little-endian): magic, version, tensor count, key count; keys with typed values; then name, shape,
type and offset of every tensor; then, aligned, the tensor data, which is never read.
"""

import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from infra_advisor.errors import UsageError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
LARGEST_HEADER_BYTES = 64 * 2**20
MOST_KEYS = 65_536
MOST_TENSORS = 262_144
MOST_DIMENSIONS = 4
LONGEST_NAME = 1024
LONGEST_TEXT_KEPT = 65_536
LONGEST_ARRAY_KEPT = 4096
DEEPEST_ARRAY = 2

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_TEXT, _ARRAY = 8, 9
BLOCKS: Mapping[int, tuple[int, int]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36), 10: (256, 84), 11: (256, 110),
    12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50),
    20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8),
    29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip
"""Tensor type -> (values per block, bytes per block)."""


@dataclass(frozen=True)
class Long:
    """An array too long to keep: only its length is known."""

    length: int


Value = str | int | float | bool | list["Value"] | Long


@dataclass(frozen=True)
class Tensor:
    """One tensor as the header lists it."""

    name: str
    shape: tuple[int, ...]
    type: int
    offset: int

    @property
    def elements(self) -> int:
        """Values in it."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int | None:
        """Bytes it takes; None for a type that is not in the table."""
        block = BLOCKS.get(self.type)
        return -(-self.elements // block[0]) * block[1] if block else None


@dataclass(frozen=True)
class GgufHeader:
    """What the header says, checked against the size of the file."""

    path: Path
    file_bytes: int
    keys: Mapping[str, Value]
    tensors: tuple[Tensor, ...]


def read_header(path: Path) -> GgufHeader:
    """The header of a GGUF file. At most 64 MiB are read. Raises UsageError where it is not one, is cut off, or contradicts itself."""
    try:
        if not path.is_file():
            raise UsageError(f"{path}: not a regular file; give a .gguf file")
        with path.open("rb") as stream:
            return _Reader(path, stream).header()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error


class _Reader:
    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self.stream = stream
        self.file_bytes = os.fstat(stream.fileno()).st_size
        self.at = 0

    def header(self) -> GgufHeader:
        if self._bytes(4, "magic") != MAGIC:
            self._refuse("does not begin with GGUF; give a .gguf file as llama.cpp writes it")
        version = self._number("<I", "version")
        if version not in VERSIONS:
            why = "is big-endian" if version in (known << 24 for known in VERSIONS) else "is not known"
            self._refuse(f"GGUF version {version} {why}; versions 2 and 3, little-endian, are read")
        tensors = self._count("<Q", MOST_TENSORS, "tensors", least_bytes=24)
        keys = self._count("<Q", MOST_KEYS, "keys", least_bytes=13)
        found: dict[str, Value] = {}
        for _ in range(keys):
            name = self._name("key")
            if name in found:
                self._refuse(f"the key {name[:80]!r} appears twice")
            found[name] = self._value(int(self._number("<I", "type")), name, 0)
        listed = tuple(self._tensor() for _ in range(tensors))
        self._check(found, listed)
        return GgufHeader(self.path, self.file_bytes, found, listed)

    def _tensor(self) -> Tensor:
        name = self._name("tensor name")
        dimensions = int(self._number("<I", "dimensions"))
        if not 1 <= dimensions <= MOST_DIMENSIONS:
            self._refuse(f"tensor {name[:80]!r} has {dimensions} dimensions; expected 1 to {MOST_DIMENSIONS}")
        shape = tuple(int(self._number("<Q", "shape")) for _ in range(dimensions))
        if min(shape) < 1 or math.prod(shape) > 2**48:
            self._refuse(f"tensor {name[:80]!r} has the shape {shape}")
        return Tensor(name, shape, int(self._number("<I", "type")), int(self._number("<Q", "offset")))

    def _check(self, keys: Mapping[str, Value], tensors: tuple[Tensor, ...]) -> None:
        alignment = keys.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 1 <= alignment <= 2**20:
            self._refuse(f"general.alignment is {alignment!r}")
        start = -(-self.at // alignment) * alignment
        for tensor in tensors:
            end = start + tensor.offset + (tensor.bytes or 0)
            if end > self.file_bytes:
                there = f"ends at byte {end:,}, the file has {self.file_bytes:,}"
                self._refuse(f"tensor {tensor.name[:80]!r} {there}; is the download complete?")

    def _value(self, kind: int, key: str, depth: int) -> Value:
        if kind in _SCALARS:
            return self._number(_SCALARS[kind], key)
        if kind == _TEXT:
            length = self._count("<Q", LARGEST_HEADER_BYTES, f"bytes of {key}", least_bytes=1)
            if length > LONGEST_TEXT_KEPT:
                self._skip(length, key)
                return Long(length)
            return self._bytes(length, key).decode("utf-8", errors="replace")
        if kind != _ARRAY:
            self._refuse(f"the key {key[:80]!r} has a value of unknown type {kind}")
        if depth >= DEEPEST_ARRAY:
            self._refuse(f"the key {key[:80]!r} nests arrays too deeply")
        return self._array(key, depth)

    def _array(self, key: str, depth: int) -> Value:
        kind = int(self._number("<I", key))
        size = struct.calcsize(_SCALARS[kind]) if kind in _SCALARS else 8 if kind == _TEXT else 12
        length = self._count("<Q", LARGEST_HEADER_BYTES, f"items of {key}", least_bytes=size)
        if length <= LONGEST_ARRAY_KEPT:
            return [self._value(kind, key, depth + 1) for _ in range(length)]
        if kind in _SCALARS:
            self._skip(length * size, key)
        else:
            for _ in range(length):
                self._value(kind, key, depth + 1)
        return Long(length)

    def _name(self, what: str) -> str:
        length = self._count("<Q", LONGEST_NAME, f"bytes of a {what}", least_bytes=1)
        return self._bytes(length, what).decode("utf-8", errors="replace")

    def _count(self, form: str, most: int, what: str, *, least_bytes: int) -> int:
        """A length that the rest of the header can hold at `least_bytes` each."""
        count = int(self._number(form, what))
        room = (min(self.file_bytes, LARGEST_HEADER_BYTES) - self.at) // least_bytes
        if count > most or count > room:
            self._refuse(f"claims {count:,} {what[:80]}; at most {min(most, max(0, room)):,} fit in the file or are accepted")
        return count

    def _number(self, form: str, what: str) -> int:
        value: int = struct.unpack(form, self._bytes(struct.calcsize(form), what))[0]
        return value

    def _skip(self, count: int, what: str) -> None:
        self._advance(count, what)
        self.stream.seek(self.at)

    def _bytes(self, count: int, what: str) -> bytes:
        self._advance(count, what)
        data = self.stream.read(count)
        if len(data) < count:
            self._refuse(f"ends inside its header ({what[:80]}); is the download complete?")
        return data

    def _advance(self, count: int, what: str) -> None:
        self.at += count
        if self.at > self.file_bytes:
            self._refuse(f"ends inside its header ({what[:80]}); is the download complete?")
        if self.at > LARGEST_HEADER_BYTES:
            self._refuse(f"has a header of more than {LARGEST_HEADER_BYTES:,} bytes")

    def _refuse(self, why: str) -> NoReturn:
        raise UsageError(f"{self.path}: {why}")
