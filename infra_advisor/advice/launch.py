"""The command that starts an engine's server for an answer, from the documented options in the catalog."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra_advisor.advice.parts import SoftwarePart, WorkloadPart
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.engines import Engine
from infra_advisor.facts.launch import Role

ROOM = 64
"""Tokens of context beyond the longest request."""
MODEL = "\0model"
"""Stands in a command for a checkpoint that only the user can name. No name that is let through holds a NUL."""
MOST_PARALLEL = 4096
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
_ROUNDED_FROM, _ROUNDED_TO = 32, 8


@dataclass(frozen=True)
class Command:
    """A server, ready to be quoted for a shell, a compose file or a pod."""

    words: tuple[str, ...]
    in_container: tuple[str, ...]
    """The same where the image has the program at another place."""
    variables: Mapping[str, str]
    then: tuple[str, ...]
    """What loads the model once the server answers."""
    notes: tuple[str, ...]

    @property
    def asks_for_model(self) -> bool:
        """True where the user must name the checkpoint."""
        return MODEL in (*self.words, *self.then)


def context_tokens(longest: float) -> int:
    """Context for the longest request that was planned for, prompt and output together. [tokens]"""
    return math.ceil(longest) + ROOM


def native_format(catalog: Catalog, workload: WorkloadPart) -> str | None:
    """The format the model is published in; None where the catalog does not hold it (a model read from a file)."""
    return catalog.model(workload.model).native_format if workload.model in catalog.model_ids else None


def checkpoint(workload: WorkloadPart, weights: str, native: str | None, made: Mapping[str, str]) -> tuple[str, str | None]:
    """The model to load, or MODEL with the reason why the user must name it. `made`: formats the engine makes from a 16-bit checkpoint."""
    hf_id = workload.hf_id
    if hf_id is None:
        return MODEL, "the catalog knows no repository of this model"
    if not _REPOSITORY.fullmatch(hf_id):
        return MODEL, "the name of its repository is not one that Hugging Face allows"
    if native is None:
        return MODEL, "the format it is published in is not known"
    if weights == native or weights in made:
        return hf_id, None
    return MODEL, f"it is published as {native}, and {weights} is another checkpoint"


def command(
    engine: Engine,
    software: SoftwarePart,
    *,
    model: str,
    context: int,
    sequences: int | None = None,
    port: int = 8000,
    host: str | None = None,
    name: str | None = None,
    native: str | None = None,
    chip: str | None = None,
) -> Command | None:
    """The server of one replica; None where the catalog does not say how it is started.

    `sequences`: most in one batch of the replica. `native`: format the model is published in, which its checkpoint then states by itself.
    """
    launch = engine.launch
    if launch is None:
        return None
    ranks = software.tp * launch.ranks_per_chip.get(chip or "", 1) * (software.dp if launch.tensor_counts_data else 1)
    wanted: dict[Role, str | None] = {"tensor": str(ranks)}
    if software.pp > 1:
        wanted["pipeline"] = str(software.pp)
    if software.dp > 1:
        wanted["data"] = str(software.dp)
        if launch.tensor_counts_data:
            wanted["data_attention"] = None
    if software.ep > 1:
        wanted |= {"expert_flag": None} if "expert_flag" in launch.options else {"expert_size": str(software.ep)}
    if model != MODEL and software.weights != native and (made := launch.quantize.get(software.weights)):
        wanted["quantize"] = made
    if cache := launch.kv_values.get(software.kv):
        wanted["kv"] = cache
        if "kv_values" in launch.options:
            wanted["kv_values"] = cache
    wanted["context"] = str(context)
    if sequences is not None:
        one = sequences if launch.tensor_counts_data else max(sequences // software.dp, 1)
        wanted["sequences"] = str(one)
        if launch.context_is_shared:
            wanted["context"] = str(context * one)
    if host is not None:
        wanted["host"] = host if "host" in launch.options else f"{host}:{port}"
    wanted["port"] = str(port)
    if name is not None:
        wanted["name"] = name
    options = [word for role, value in wanted.items() for word in _option(launch.options.get(role), value)]
    after = ([launch.model] if launch.model else []) + [model] if launch.model is not None else []
    rest = (*after, *options, *launch.always)
    return Command(
        (*launch.command, *rest),
        (*(launch.in_container or launch.command), *rest),
        {launch.variables[role]: value for role, value in wanted.items() if role in launch.variables and value is not None},
        (*launch.then, model) if launch.then else (),
        tuple(_left_out(engine, wanted, software)),
    )


def _option(option: str | None, value: str | None) -> list[str]:
    return [] if option is None else [option] if value is None else [option, value]


def _left_out(engine: Engine, wanted: Mapping[Role, str | None], software: SoftwarePart) -> list[str]:
    """What the answer asks for and no documented option says."""
    launch = engine.launch
    assert launch is not None
    known = {*launch.options, *launch.variables}
    said = {
        "tensor": f"tensor parallelism {software.tp}", "pipeline": f"pipeline parallelism {software.pp}",
        "data": f"data parallelism {software.dp}", "expert_size": f"expert parallelism {software.ep}",
        "context": "the longest context", "sequences": "the largest batch", "data_attention": "attention by data parallelism",
    }  # fmt: skip
    found = [
        f"{engine.name}: no documented option for {text}: left out" for role, text in said.items() if role in wanted and role not in known
    ]
    if software.tp == 1 and found and found[0].endswith("tensor parallelism 1: left out"):
        del found[0]
    if software.kv not in ("bf16", "fp16", *launch.kv_values):
        found.append(f"{engine.name}: no documented option for a {software.kv} cache: left out")
    return found


def rounded_down(sequences: float) -> int:
    """A batch limit from a prediction: whole, and from 32 on a multiple of 8, so that the figure claims no more than it knows."""
    whole = max(int(sequences), 1)
    return whole if whole < _ROUNDED_FROM else whole - whole % _ROUNDED_TO
