"""What every file of a manifest is made from: the server's command, its image, the machines, and names that are safe anywhere."""

import math
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.launch import MODEL, Command, checkpoint, command, context_tokens, native_format, rounded_down
from infra_advisor.advice.parts import HardwarePart, SoftwarePart, WorkloadPart
from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.deploy import Accelerators
from infra_advisor.facts.engines import Engine
from infra_advisor.facts.launch import Launch
from infra_advisor.search.traffic import Traffic

PORT = 8000
ANYWHERE = "0.0.0.0"
LONGEST_NAME = 50
MOST_SEQUENCES = 65_536
MOST_PARALLEL = 4096
IMAGE_GB, MOST_DISK_GB = 100, 10_000
IMAGE = "IMAGE"
"""Stands for an image the user must name; no registry accepts it, so that nothing else is pulled by mistake."""


@dataclass(frozen=True)
class Deployment:
    """One answer, ready to be written as files."""

    answer: Answer
    model_name: str
    name: str
    """RFC 1035 label: of services, pods and containers."""
    engine: Engine
    chip: Chip | None
    reached: Accelerators | None
    image: str | None
    model: str
    """Repository, or MODEL."""
    context: int
    sequences: int | None
    native: str | None
    as_of: str
    why_model: str | None
    """Why the user must name the checkpoint."""
    disk_gb: int
    """Room for the checkpoint at 16 bits and for the image. [GB]"""

    @property
    def launch(self) -> Launch:
        """How the server is started; engines without are refused before."""
        assert self.engine.launch is not None
        return self.engine.launch

    @property
    def port(self) -> int:
        """Where the server listens: where it can be told, the common port."""
        return PORT if "port" in self.launch.options else self.launch.listens_at

    @property
    def health(self) -> str:
        return self.launch.health

    @property
    def per_replica(self) -> int:
        return self.answer.hardware.accelerators_per_replica

    @property
    def per_machine(self) -> int:
        """Accelerators of one machine."""
        return self.answer.hardware.accelerators_total // self.answer.hardware.instances

    @property
    def replicas_per_machine(self) -> int:
        """0 where one replica spans machines."""
        return min(self.per_machine // self.per_replica, self.answer.hardware.replicas)

    @property
    def served_name(self) -> str | None:
        """The name the API knows the model by; None where it is that of the checkpoint."""
        return self.name if "name" in self.launch.options else None

    def server(self, port: int | None = None, *, host: str = ANYWHERE) -> Command:
        """The command of one replica."""
        found = command(
            self.engine,
            self.answer.software,
            model=self.model,
            context=self.context,
            sequences=self.sequences,
            port=port or self.port,
            host=host,
            name=self.served_name,
            native=self.native,
            chip=self.answer.hardware.accelerator,
        )
        assert found is not None  # an engine without a command is refused before
        return found


def deployment(catalog: Catalog, answer: Answer, workload: WorkloadPart, traffic: Traffic, as_of: str) -> Deployment:
    """`traffic`: how lengths spread. Raises UsageError for an engine or figures that nothing can be started from."""
    _check(answer.software, answer.hardware)
    engine = catalog.engines.get(answer.software.engine)
    if engine is None:
        near = did_you_mean(answer.software.engine, catalog.engines)
        raise UsageError(f"the catalog has no engine {one_line(answer.software.engine)!r}.{near}")
    if engine.launch is None:
        where = f"; its documentation: {engine.docs or engine.repository}" if engine.docs or engine.repository else ""
        raise UsageError(f"the catalog does not say how the server of {engine.name} is started{where}. Take another answer: SAVED.json#2")
    chip = catalog.chips.get(answer.hardware.accelerator)
    native = native_format(catalog, workload)
    model, why = checkpoint(workload, answer.software.weights, native, engine.launch.quantize)
    if engine.launch.model is None:
        model, why = MODEL, f"{engine.name} has names of its own for models"
    most = answer.performance.max_concurrency
    sequences = None if not most or most < 0 else rounded_down(min(most / answer.hardware.replicas, MOST_SEQUENCES))
    longest = traffic.lengths_for(in_step=workload.concurrency is not None).longest(workload.input_tokens, workload.output_tokens)
    context = context_tokens(longest)
    if workload.model in catalog.model_ids:
        context = min(context, catalog.model(workload.model).max_context or context)
    if not 0 < context <= 2**31:
        raise UsageError(f"a context of {context:,} tokens is none a server takes")
    return Deployment(
        answer, one_line(workload.model_name), dns_name(workload.model), engine, chip, catalog.deploy.reached(chip),
        engine.launch.image_for(chip, engine.container_image), model, context, sequences, native, one_line(as_of), why,
        IMAGE_GB + math.ceil(min(max(2 * workload.parameters_total / 1e9, 0), MOST_DISK_GB)),
    )  # fmt: skip


def _check(software: SoftwarePart, hardware: HardwarePart) -> None:
    figures = {
        **{name: getattr(software, name) for name in ("tp", "pp", "ep", "dp")},
        **{name: getattr(hardware, name) for name in ("accelerators_per_replica", "replicas", "accelerators_total", "instances")},
    }
    for name, value in figures.items():
        if not 1 <= value <= MOST_PARALLEL:
            raise UsageError(f"the saved answer has {name} = {value}; accepted: 1 to {MOST_PARALLEL}")


def dns_name(text: str) -> str:
    """A label of letters, digits and hyphens that begins with a letter (RFC 1035), from any text."""
    found = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    found = found if found[:1].isalpha() else f"llm-{found}".rstrip("-")
    return found[:LONGEST_NAME].rstrip("-")


def one_line(text: str) -> str:
    """Text from outside, for a comment: printable ASCII on one line."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)[:200]


def shell(words: Sequence[str]) -> str:
    """A command for a shell; the model that the user names comes from the environment."""
    return " ".join('"$MODEL_PATH"' if word == MODEL else shlex.quote(word) for word in words)


def heading(made: Deployment) -> str:
    """What the file is, as comment lines."""
    hardware, software = made.answer.hardware, made.answer.software
    layout = f"tp {software.tp}, pp {software.pp}, ep {software.ep}, dp {software.dp}"
    return (
        f"# {made.model_name} ({one_line(software.weights)}, cache {one_line(software.kv)}) on {made.per_replica} x "
        f"{one_line(hardware.accelerator_name)} per replica\n"
        f"# {made.engine.name} {made.engine.version}; {layout}; {hardware.replicas} replica{'s' if hardware.replicas > 1 else ''}\n"
        f"# Written by advisor manifest from a recommendation of {made.as_of}. It holds no secrets.\n"
    )
