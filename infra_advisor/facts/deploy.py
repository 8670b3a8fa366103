"""How orchestrators name accelerators and clouds, and how a container reaches an accelerator."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from infra_advisor.errors import did_you_mean
from infra_advisor.facts.engine_rules import ChipFacts, ChipRule, Ids, SourceIds
from infra_advisor.facts.fact import Record, Source
from infra_advisor.facts.files import explain, read_yaml


class Accelerators(ChipRule):
    """Chips that are reached in the same way."""

    kubernetes: str
    """Name of the resource; one per accelerator."""
    access: Literal["nvidia", "devices", "numbered", "privileged", "runtime"]
    """Of a container: reserved by driver; device files, all or one per accelerator; a privileged container; a runtime of the vendor."""
    devices: Ids = ()
    groups: Ids = ()
    runtime: str | None = None
    visible: str | None = None
    """Variable that leaves a process some of the accelerators, as numbers from 0; None = none is known."""
    note: str | None = None
    source: SourceIds


class SkyPilot(Record):
    """Catalog id -> name in SkyPilot."""

    clouds: Mapping[str, str]
    accelerators: Mapping[str, str]
    in_name: Ids = ()
    """Chips whose number is part of the name: tpu-v6e-8."""
    regions: Ids = ()
    """Providers whose regions go by the same names as in the catalog."""
    source: SourceIds


class Dstack(Record):
    """Catalog id -> name in dstack."""

    backends: Mapping[str, str]
    gpus: Mapping[str, str]
    source: SourceIds


class Deploy(Record):
    """The whole file."""

    sources: Mapping[str, Source]
    accelerators: tuple[Accelerators, ...]
    skypilot: SkyPilot
    dstack: Dstack

    def reached(self, chip: ChipFacts | None) -> Accelerators | None:
        """How the chip is reached; None where no rule names it."""
        return None if chip is None else next((rule for rule in self.accelerators if rule.matches(chip)), None)


def read_deploy(path: Path, problems: list[str]) -> Deploy | None:
    """The file, or None with its problems noted."""
    document = read_yaml(path, problems)
    try:
        return None if document is None else Deploy.model_validate(document)
    except ValidationError as error:
        problems += [f"{path}: {line}" for line in explain(error)]
        return None


def check_deploy(deploy: Deploy, chips: Mapping[str, object], providers: Mapping[str, object]) -> Iterator[str]:
    """Chips, providers and sources that nothing defines."""
    named = {chip for rule in deploy.accelerators for chip in rule.chips} | {*deploy.skypilot.accelerators, *deploy.dstack.gpus}
    for name in sorted(named - chips.keys()):
        yield f"deploy.yaml: unknown chip {name}.{did_you_mean(name, chips)}"
    for name in sorted({*deploy.skypilot.clouds, *deploy.dstack.backends} - providers.keys()):
        yield f"deploy.yaml: unknown provider {name}.{did_you_mean(name, providers)}"
    used = {source for rule in deploy.accelerators for source in rule.source} | {*deploy.skypilot.source, *deploy.dstack.source}
    for name in sorted(used - deploy.sources.keys()):
        yield f"deploy.yaml: unknown source {name}.{did_you_mean(name, deploy.sources)}"
