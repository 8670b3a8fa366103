"""An answer as a SkyPilot task or a dstack service."""

import re
from typing import Any

from infra_advisor.advice.deployment import IMAGE, Deployment, heading, shell
from infra_advisor.advice.yaml_text import yaml_text
from infra_advisor.facts.catalog import Catalog

_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


def skypilot(catalog: Catalog, made: Deployment) -> str:
    """One task over all machines; each starts its replicas, on ports that follow one another."""
    names, offer = catalog.deploy.skypilot, made.answer.offer
    chip = made.answer.hardware.accelerator
    name = names.accelerators[chip]
    cloud = names.clouds[offer.provider]
    region = offer.region if offer.provider in names.regions and offer.region and _REGION.fullmatch(offer.region) else None
    ports = [made.port + place for place in range(made.replicas_per_machine)]
    resources: dict[str, Any] = {
        "infra": f"{cloud}/{region}" if region else cloud,
        "accelerators": f"{name}-{made.per_machine}" if chip in names.in_name else f"{name}:{made.per_machine}",
        "image_id": f"docker:{made.image or IMAGE}",
        "disk_size": made.disk_gb,
    }
    if "spot" in offer.marks or offer.price_kind == "spot":
        resources["use_spot"] = True
    document: dict[str, Any] = {"name": made.name, "num_nodes": made.answer.hardware.instances, "resources": resources}
    if made.server().asks_for_model:
        document["envs"] = {"MODEL_PATH": None}
    document |= {"secrets": {"HF_TOKEN": None}, "run": _run(made, ports)}
    return heading(made) + yaml_text([document])


def _run(made: Deployment, ports: list[int]) -> str:
    lines = ["set -eu"]
    for place, port in enumerate(ports):
        server = made.server(port, host="127.0.0.1")  # the machine has a public address
        settings = {**server.variables}
        if made.per_machine > made.per_replica and made.reached is not None and made.reached.visible:
            first = place * made.per_replica
            settings[made.reached.visible] = ",".join(str(number) for number in range(first, first + made.per_replica))
        before = [f"{name}={shell([value])}" for name, value in settings.items()]
        lines.append(" ".join([*before, shell(server.in_container), "&"]))
        if server.then:
            lines.append(f"until {shell(server.then)}; do sleep 5; done")
    return "\n".join([*lines, "wait -n  # one server that stops ends the task", ""])


def dstack(catalog: Catalog, made: Deployment) -> str:
    """A service with the replicas of the answer, each on as many accelerators as it needs."""
    names, server = catalog.deploy.dstack, made.server()
    settings = " ".join(f"{name}={shell([value])}" for name, value in server.variables.items())
    document: dict[str, Any] = {
        "type": "service",
        "name": made.name,
        "image": made.image or IMAGE,
        "env": ["HF_TOKEN", *(["MODEL_PATH"] if server.asks_for_model else [])],
        "commands": [f"{settings} {shell(server.in_container)}".strip()],
        "port": made.port,
        "replicas": made.answer.hardware.replicas,
        "backends": [names.backends[made.answer.offer.provider]],
        "resources": {"gpu": {"name": names.gpus[made.answer.hardware.accelerator], "count": made.per_replica}},
    }
    if made.served_name:
        document["model"] = made.served_name
    return heading(made) + yaml_text([document])
