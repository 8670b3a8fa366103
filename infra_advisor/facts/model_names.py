"""From what a person types to a model: a size, an alias, a Hugging Face id, a beginning of an id, or a local file."""

import csv
import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from infra_advisor.errors import CatalogError, UsageError, did_you_mean
from infra_advisor.facts.files import read_text, read_yaml
from infra_advisor.facts.models import LanguageModel
from infra_advisor.units import GB

NEAR_SIZE = 0.08
"""A size within this share of a listed one is read as that one; any other is scaled from the nearest."""
SMALLEST_B, LARGEST_B = 0.05, 4000.0
MOST_LISTED = 8
LONGEST_NAME = 1024

_SIZE = re.compile(r"(\d{1,5}(?:\.\d{1,4})?)\s*-?(m|b|t)")
_TO_BILLIONS = {"m": 1e-3, "b": 1.0, "t": 1e3}


class Models(Protocol):
    """Where models are looked up; the catalog is one."""

    @property
    def path(self) -> Path:
        """Folder that holds model_aliases.yaml and model_names.csv."""
        ...

    @property
    def model_ids(self) -> tuple[str, ...]:
        """Every id."""
        ...

    def model(self, name: str) -> LanguageModel:
        """The model of an id."""
        ...


@dataclass(frozen=True)
class ResolvedModel:
    """The model meant, and what must be said about how the name was read."""

    model: LanguageModel
    stated: str | None = None
    """A sentence for the list of assumptions; None where the name is the model's own."""
    weights: str | None = None
    """Weight format that the name or file carries."""
    weight_bytes: int | None = None
    """Size of the weights where a local file tells it."""


@dataclass(frozen=True)
class Aliases:
    """Sizes and names that people type, each to an id."""

    sizes: Mapping[str, str]
    names: Mapping[str, str]

    @functools.cached_property
    def by_billions(self) -> tuple[tuple[float, str], ...]:
        """(billions of parameters, id), smallest first."""
        return tuple(sorted((_billions(size), name) for size, name in self.sizes.items()))


def resolve_model(text: str, catalog: Models) -> ResolvedModel:
    """The model meant by a size (`70b`), an alias, a Hugging Face id, an id or the beginning of one, or a local file.

    A local file is a Hugging Face config.json (or the folder that holds it) or a .gguf file.
    Raises UsageError with near names, with all candidates where a beginning is ambiguous, or with what a file lacks.
    """
    text = text.strip()
    if len(text) > LONGEST_NAME:
        raise UsageError(f"a model name has at most {LONGEST_NAME} characters; this one has {len(text):,}")
    if not text.strip("/. "):
        raise UsageError("a model is needed: a size such as 70b, a name such as llama-3.3-70b, or a local config.json or .gguf file")
    if path := _local(text):
        return _from_file(path)
    aliases = read_aliases(catalog.path)
    plain = _plain(text)
    if match := _SIZE.fullmatch(plain):
        return _of_size(text, float(match[1]) * _TO_BILLIONS[match[2]], aliases, catalog)
    if found := _exact(text, aliases, catalog):
        return found
    known = read_measured_names(catalog.path)
    if measured := known.get(text.lower()):
        name, how = measured
        if name in catalog.model_ids:
            model = catalog.model(name)
            return ResolvedModel(model, f"{text} has the layers of {model.name} ({how.replace('-', ' ')})", weights=_format_at_end(text))
    if found := _with_format(text, aliases, catalog):
        return found
    if found := _beginning(text, catalog):
        return found
    if measured:
        raise UsageError(
            f"{text[:80]!r} appears in measurements, but its layers are not known; give its config.json, or a model of known shape"
        )
    near = did_you_mean(plain.strip("/").rsplit("/", 1)[-1][:80], [*catalog.model_ids, *aliases.names, *aliases.sizes])
    raise UsageError(f"unknown model {text[:80]!r}.{near} `advisor catalog list models` names all")


@functools.cache
def read_aliases(folder: Path) -> Aliases:
    """Sizes and aliases of a catalog folder. Raises CatalogError."""
    path = folder / "model_aliases.yaml"
    problems: list[str] = []
    raw = read_yaml(path, problems)
    if not problems and not (isinstance(raw, Mapping) and isinstance(raw.get("sizes"), Mapping) and isinstance(raw.get("names"), Mapping)):
        problems.append(f"{path}: needs the mappings sizes and names")
    if problems:
        raise CatalogError(problems)
    problems += [f"{path}: sizes: {size!r} is not a size such as 70b or 1t" for size in raw["sizes"] if not _SIZE.fullmatch(str(size))]
    entries = [entry for part in (raw["sizes"], raw["names"]) for entry in part.items()]
    problems += [f"{path}: {name}: {target!r} is not a model id" for name, target in entries if not isinstance(target, str)]
    if problems:
        raise CatalogError(problems)
    names = {_plain(str(name)): target for name, target in raw["names"].items()}
    return Aliases({str(size): name for size, name in raw["sizes"].items()}, names)


@functools.cache
def read_measured_names(folder: Path) -> Mapping[str, tuple[str | None, str]]:
    """Names under which measurements were published, lower case -> (id of the model with the same layers or None, how it is known).

    Raises CatalogError.
    """
    path = folder / "model_names.csv"
    problems: list[str] = []
    text = read_text(path, problems)
    rows: list[list[str]] = []
    try:
        rows = list(csv.reader(text.splitlines(), strict=True)) if text else []
    except csv.Error as error:
        problems.append(f"{path}: {error}")
    if not problems and (not rows or rows[0] != ["name", "model", "how"]):
        problems.append(f"{path}: the columns must be name, model, how")
    problems += [f"{path}:{line}: {len(row)} cells, expected 3" for line, row in enumerate(rows, 1) if len(row) != 3]
    if problems:
        raise CatalogError(problems)
    return {name.lower(): (model or None, how) for name, model, how in rows[1:]}


def _plain(text: str) -> str:
    return re.sub(r"[\s_:]+", "-", text.strip().lower())


def _billions(size: str) -> float:
    match = _SIZE.fullmatch(size)
    assert match is not None
    return float(match[1]) * _TO_BILLIONS[match[2]]


def _local(text: str) -> Path | None:
    path = Path(text)
    if path.suffix in (".json", ".gguf"):
        return path
    try:
        return path / "config.json" if (path / "config.json").is_file() else None
    except (OSError, ValueError):
        return None


def _from_file(path: Path) -> ResolvedModel:
    if path.suffix == ".gguf":
        from infra_advisor.facts.gguf import read_gguf

        gguf = read_gguf(path)
        stated = f"{path}: {gguf.model.name} in {gguf.weights}, {gguf.weight_bytes / GB:.2f} GB"
        return ResolvedModel(gguf.model, stated, weights=gguf.weights, weight_bytes=gguf.weight_bytes)
    from infra_advisor.facts.hf_config import model_from_config

    model = model_from_config(path)
    return ResolvedModel(model, f"{path}: {model.architecture.parameters / 1e9:.2f} billion parameters by its layers")


def _of_size(text: str, wanted: float, aliases: Aliases, catalog: Models) -> ResolvedModel:
    if not SMALLEST_B <= wanted <= LARGEST_B:
        raise UsageError(f"{text!r}: sizes from {SMALLEST_B:g}b to {LARGEST_B:g}b are accepted")
    nominal, name = min(aliases.by_billions, key=lambda item: max(item[0] / wanted, wanted / item[0]))
    model = catalog.model(name)
    if abs(nominal / wanted - 1) <= NEAR_SIZE:
        return ResolvedModel(model, f"{text} read as {model.name}")
    from infra_advisor.facts.scaling import scaled

    size = scaled(model, wanted * 1e9)
    made = f"{size.parameters.total / 1e9:,.4g} billion parameters ({size.architecture.layer_count} layers, width {size.hidden_size:,})"
    return ResolvedModel(size, f"no reference model near {text}: {model.name} scaled to {made}")


def _exact(text: str, aliases: Aliases, catalog: Models) -> ResolvedModel | None:
    for plain in _variants(text):
        name = plain if plain in catalog.model_ids else aliases.names.get(plain)
        if name is None:
            continue
        model = catalog.model(name)
        own = text.lower() in (model.id, (model.hf_id or "").lower(), model.name.lower())
        return ResolvedModel(model, None if own else f"{text} read as {model.hf_id or model.id}")
    return None


def _variants(text: str) -> Iterator[str]:
    """The name as typed, without its organisation, and both with every separator a hyphen."""
    typed = text.lower()
    for name in (typed, typed.rsplit("/", 1)[-1]):
        yield name
        yield _plain(name)


def _with_format(text: str, aliases: Aliases, catalog: Models) -> ResolvedModel | None:
    """A quantised checkpoint, `Llama-3.3-70B-Instruct-FP8-dynamic`: the model in the format that the end of the name tells."""
    words = _words(text)
    for cut in range(len(words), max(0, len(words) - 4), -1):
        if found := _exact("-".join(words[:cut]), aliases, catalog):
            weights = _format_at_end("-".join(words[cut:]))
            if weights or cut == len(words):
                held = f" in {weights}" if weights else ""
                return ResolvedModel(found.model, f"{text} read as {found.model.name}{held}", weights=weights)
    return None


def _format_at_end(text: str) -> str | None:
    from infra_advisor.facts.formats import parse_format

    words = _words(text)
    for count in (1, 2, 3):
        try:
            return parse_format("-".join(words[-count:])).id
        except UsageError:
            continue
    return None


def _words(text: str) -> list[str]:
    return re.sub(r"[-_.]gguf$", "", text, flags=re.IGNORECASE).replace("_", "-").split("-")


def _beginning(text: str, catalog: Models) -> ResolvedModel | None:
    plain = _plain(text).rsplit("/", 1)[-1]
    starts = sorted((name for name in catalog.model_ids if name.startswith(plain)), key=lambda name: (len(name), name)) if plain else []
    if not starts:
        return None
    if len(starts) == 1:
        model = catalog.model(starts[0])
        return ResolvedModel(model, f"{text} read as {model.name}")
    more = f" and {len(starts) - MOST_LISTED} more" if len(starts) > MOST_LISTED else ""
    raise UsageError(f"{text!r} may mean {', '.join(starts[:MOST_LISTED])}{more}; give one of them")
