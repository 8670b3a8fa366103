"""Weight and key-value cache formats: bits per part, class, arithmetic, and the many ways people spell them."""

import functools
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from infra_advisor.errors import CatalogError, UsageError, did_you_mean
from infra_advisor.facts.fact import Record, Source
from infra_advisor.facts.files import explain, read_yaml
from infra_advisor.paths import catalog_dir
from infra_advisor.physics.transformer import FormatBits

Family = Literal["float", "int", "gguf", "mlx", "exl"]
Part = Literal["linear", "experts"]
Bits = Annotated[float, Field(gt=0, le=64)]
Texts = Annotated[tuple[str, ...], BeforeValidator(lambda raw: (raw,) if isinstance(raw, str) else raw)]

SIXTEEN_BITS = ("bf16", "fp16")
WHOLE_FILE: tuple[Family, ...] = ("gguf", "mlx")
"""Families whose files quantise embedding and head like the rest."""
EXAMPLES = "bf16, fp8, int4, nvfp4, q4_k_m, mlx-4bit, 4bit"
LEVEL = re.compile(r"(\d+)[-_ ]?bits?")


class WeightFormat(Record):
    """How a checkpoint stores its weights."""

    id: str
    bits: Bits
    """Per weight of mixers, dense blocks, routers and shared experts."""
    experts: Bits | None = None
    """Per weight of routed experts, where they differ."""
    embedding: Bits | None = None
    head: Bits | None = None
    level: int = Field(ge=1, le=32)
    """The class people mean by "8bit" or "4bit"."""
    family: Family
    rate: str | None = None
    """Precision of the products where the chip has units for it; None: widened to 16 bits."""
    unit: str | None = None
    """The units that must be there for `rate`, where they are of another precision."""
    linear_rate: str | None = None
    """`rate` of all but the experts, where it differs."""
    on_mixtures: str | None = None
    """The format that checkpoints of mixtures published under this name really have."""
    spelled: Texts = ()
    source: Texts = ()
    note: str | None = None

    @functools.cached_property
    def by_part(self) -> FormatBits:
        """Bits per weight by part."""
        tables = self.bits if self.family in WHOLE_FILE else max(16.0, self.bits)
        embedding = self.embedding or tables
        return FormatBits(linear=self.bits, experts=self.experts or self.bits, embedding=embedding, head=self.head or embedding)

    @property
    def experts_only(self) -> bool:
        """True where nothing but routed experts is shrunk: on a dense model this is plain 16 bits."""
        return self.experts is not None and self.bits >= 16

    def precision(self, units: Collection[str], part: Part = "linear") -> str | None:
        """The rate of the chip that products of this part run at, given the precisions the chip has units for.

        None where the chip can multiply neither the format nor 16 bits: a missing rate is never replaced by another.
        """
        rate, unit = (self.linear_rate, None) if part == "linear" and self.linear_rate else (self.rate, self.unit)
        if part == "linear" and self.experts_only:
            rate, unit = None, None
        if rate and rate in units and (unit or rate) in units:
            return rate
        if self.bits > 16:
            return None
        return next((wide for wide in sorted(SIXTEEN_BITS, key=lambda wide: wide != self.rate) if wide in units), None)


class KvFormat(Record):
    """How a cache stores keys and values."""

    id: str
    bits: Bits
    family: Family
    spelled: Texts = ()
    source: Texts = ()
    note: str | None = None


class Formats:
    """All formats, found by id or by any usual spelling."""

    def __init__(self, weights: Mapping[str, WeightFormat], kv: Mapping[str, KvFormat], sources: Mapping[str, Source]) -> None:
        self.weights = weights
        self.kv = kv
        self.sources = sources
        self._spelled = {_plain(name): found for found in weights.values() for name in (found.id, *found.spelled)}
        self._kv_spelled = {_plain(name): found for found in kv.values() for name in (found.id, *found.spelled)}

    def weight(self, text: str) -> WeightFormat:
        """The one format meant. Raises UsageError with near names."""
        name = _plain(text)
        if found := self._spelled.get(name):
            return found
        for rule in _RULES:
            spelled = rule(name)
            if isinstance(spelled, WeightFormat):
                return spelled
            if spelled and (found := self._spelled.get(spelled)):
                return found
        raise UsageError(f"unknown weight format {text[:80]!r}.{did_you_mean(name[:80], self.weights)} Examples: {EXAMPLES}")

    def weight_by_rule(self, text: str) -> WeightFormat:
        """The format meant, or one made from the bits and group that its name tells. Raises UsageError where it tells neither."""
        try:
            return self.weight(text)
        except UsageError:
            if made := _from_bits(_plain(text)):
                return made
            raise

    def weights_meant(self, text: str) -> tuple[WeightFormat, ...]:
        """The format meant, or every format of a class such as `4bit`. Raises UsageError with near names."""
        match = LEVEL.fullmatch(text.strip().lower())
        if not match:
            return (self.weight(text),)
        level = int(match[1])
        if found := tuple(known for known in self.weights.values() if known.level == level):
            return found
        levels = ", ".join(f"{known}bit" for known in sorted({known.level for known in self.weights.values()}, reverse=True))
        raise UsageError(f"no weight format has {level} bits; classes: {levels}")

    def cache(self, text: str) -> KvFormat:
        """The cache format meant; `a/b` is one format for keys and one for values, of the mean width. Raises UsageError."""
        sides = [re.sub(r"^[kv]:", "", side.strip()) for side in re.sub(r"\(.*\)", "", text.lower()).split("/")]
        found = [self._kv_spelled.get(_plain(side)) for side in sides]
        known = [side for side in found if side]
        if not known or len(known) < len(found) or len(found) > 2:
            raise UsageError(f"unknown cache format {text[:80]!r}.{did_you_mean(_plain(text[:80]), self.kv)} Known: {', '.join(self.kv)}")
        first, last = known[0], known[-1]
        if first.id == last.id:
            return first
        return KvFormat(id=f"{first.id}/{last.id}", bits=(first.bits + last.bits) / 2, family=first.family, source=first.source)

    def published_as(self, found: WeightFormat, *, mixture: bool, native: str) -> WeightFormat:
        """The format a checkpoint called `found` really has for this model.

        Checkpoints of mixtures named nvfp4 or mxfp4 shrink routed experts only; where the original was fp8, the rest stays fp8.
        """
        if not mixture or found.on_mixtures is None:
            return found
        kept = f"{found.on_mixtures}-{native}"
        return self.weights.get(kept) or self.weights[found.on_mixtures]


def read_formats(path: Path) -> Formats:
    """The formats of a catalog file. Raises CatalogError with every problem."""
    problems: list[str] = []
    raw = read_yaml(path, problems)
    if problems:
        raise CatalogError(problems)
    return checked_formats(raw, path)


def checked_formats(raw: object, path: Path) -> Formats:
    """The formats of a parsed document; `path` names it in problems. Raises CatalogError with every problem."""
    problems: list[str] = []
    if not (isinstance(raw, Mapping) and all(isinstance(raw.get(key), Mapping) for key in ("sources", "weights", "kv"))):
        raise CatalogError([f"{path}: needs the mappings sources, weights and kv"])
    sources = _records(path, raw["sources"], Source, problems)
    weights = _records(path, raw["weights"], WeightFormat, problems)
    kv = _records(path, raw["kv"], KvFormat, problems)
    for found in (*weights.values(), *kv.values()):
        problems += [f"{path}: {found.id}: source {source!r} is not defined" for source in found.source if source not in sources]
        if not found.source:
            problems.append(f"{path}: {found.id}: needs a source")
    if problems:
        raise CatalogError(problems)
    return Formats(weights, kv, sources)


@functools.cache
def bundled_formats() -> Formats:
    """The formats of the bundled catalog."""
    return read_formats(catalog_dir() / "formats.yaml")


def parse_format(text: str) -> WeightFormat:
    """The weight format meant by any usual spelling. Raises UsageError with near names."""
    return bundled_formats().weight(text)


def parse_kv_format(text: str) -> KvFormat:
    """The cache format meant by any usual spelling. Raises UsageError with near names."""
    return bundled_formats().cache(text)


def _records(path: Path, raw: Mapping[str, Any], record: type[Any], problems: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in raw.items():
        entry = dict(value) if isinstance(value, Mapping) else {"value": value}
        if "id" in record.model_fields:
            entry["id"] = name
        try:
            found[name] = record.model_validate(entry)
        except ValidationError as error:
            problems += [f"{path}: {name}: {line}" for line in explain(error)]
    return found


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", "-", text.strip().lower())


_GGUF = re.compile(r"(?:gguf-)?(?:ud-|i1-)?((?:iq|tq|q)\d(?:-\w+)*|bf16|f16|mxfp4(?=-moe))(?:-moe)?")
_GGUF_SHORT = {
    "q8": "q8-0",
    "q6": "q6-k",
    "q5": "q5-k-m",
    "q5-k": "q5-k-m",
    "q4": "q4-k-m",
    "q4-k": "q4-k-m",
    "q3": "q3-k-m",
    "q3-k": "q3-k-m",
    "q2": "q2-k",
}
_MLX = re.compile(r"mlx-(?:int|q)?(\d)(?:-?bit)?(?:-.*)?")
_EXL = re.compile(r"exl([23])-(\d{1,2}(?:\.\d{1,3})?)(?:-?bpw)?")
_WORDS: tuple[tuple[str, str], ...] = (
    ("nvfp4", "nvfp4"),
    ("mxfp4", "mxfp4"),
    ("fp8", "fp8"),
    ("w8a8", "int8"),
    ("w4a16", "int4-awq-g128"),
    ("awq", "int4-awq-g128"),
    ("gptq", "int4-gptq-g128"),
    ("autoround", "int4-gptq-g128"),
)


def _gguf(name: str) -> str | None:
    """`UD-Q4_K_XL`, `gguf-q4_k`, `IQ3_XXS`; the `_P` mixtures of some publishers are near the `_XL` ones."""
    match = _GGUF.fullmatch(name)
    if not match:
        return None
    inner = _GGUF_SHORT.get(match[1], match[1])
    return "gguf-" + re.sub(r"-k-p$", "-k-xl", inner)


def _mlx(name: str) -> str | None:
    match = _MLX.fullmatch(name)
    return f"mlx-{match[1]}bit" if match else None


def _exl(name: str) -> WeightFormat | None:
    """ExLlama files state their own mean; the head is kept at 6 bits, the embedding at 16."""
    match = _EXL.fullmatch(name)
    if not match or not 1.5 <= (bits := float(match[2])) <= 8:
        return None
    return WeightFormat(
        id=f"exl{match[1]}-{match[2]}bpw", bits=bits, head=6.0, embedding=16.0, level=max(2, int(bits)), family="exl", source=("memory",)
    )


def _worded(name: str) -> str | None:
    """A spelling that carries the name of exactly one scheme among other words, such as `fp8-dynamic` or `int8-w8a16`."""
    words = set(name.split("-"))
    if "w8a16" in words:
        return "int8-w8a16"
    if words & {"int8", "8bit"} and words & {"awq", "gptq"}:
        return "int8-w8a16"
    meant = {spelled for word, spelled in _WORDS if word in words}
    return meant.pop() if len(meant) == 1 and not any(re.match(r"mq\d|\d", word) for word in words - {"4bit", "8bit"}) else None


_BITS = re.compile(
    r"(?<![a-z0-9.])(?:w(?P<w>\d{1,2})a\d{1,2}|(?P<b>\d{1,2}(?:\.\d{1,3})?)-?(?:bits?|bpw)|[a-z]{1,6}?(?P<n>[1-8]|16)(?:f\d{1,2})?)(?![a-z0-9.])"
)
_GROUP = re.compile(r"(?<![a-z0-9])(?:g|gs|group)-?(\d{2,4})(?![0-9])")
SCALE_BITS = 16.0
"""Stored beside each group of shrunken weights."""
DEFAULT_GROUP = 64


def _from_bits(name: str) -> WeightFormat | None:
    """A format from the width its name states, `w5a16-g64`, `avq2`, `hqq-3bit`, `q4f16-1`: widened to 16 bits before the arithmetic."""
    match = _BITS.search(re.sub(r"[()+/_]", "-", name))
    if not match:
        return None
    bits = float(next(group for group in match.groups() if group))
    if not 1 <= bits <= 16:
        return None
    group = _GROUP.search(name)
    scales = 0.0 if match["b"] or bits >= 8 else SCALE_BITS / (int(group[1]) if group else DEFAULT_GROUP)
    return WeightFormat(id=name[:60], bits=bits + scales, level=max(1, round(bits)), family="int", source=("memory",))


_RULES: tuple[Callable[[str], str | WeightFormat | None], ...] = (_gguf, _mlx, _exl, _worded)
