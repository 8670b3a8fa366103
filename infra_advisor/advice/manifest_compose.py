"""An answer as a docker compose file: the replicas of one machine."""

from collections.abc import Mapping
from typing import Any

from infra_advisor.advice.deployment import Deployment, heading
from infra_advisor.advice.launch import MODEL
from infra_advisor.advice.yaml_text import yaml_text

CACHE = "/root/.cache/huggingface"
OLLAMA_CACHE = "/root/.ollama"
MODELS = "/models"
NAME_IT = "${MODEL_PATH:?name the checkpoint: a repository, or a path under /models}"


def compose(made: Deployment) -> str:
    """The file. Every `$` of a value is doubled, so that compose reads none as a variable."""
    count = max(made.replicas_per_machine, 1)
    services = {made.name if count == 1 else f"{made.name}-{place}": _service(made, place) for place in range(count)}
    document = {"name": made.name, "services": services, "volumes": {"cache": {}}}
    return heading(made) + yaml_text([document])


def _service(made: Deployment, place: int) -> dict[str, Any]:
    server = made.server()
    words = [_text(word) for word in server.in_container]
    start = len(made.launch.in_container or made.launch.command)
    service: dict[str, Any] = {
        "image": made.image or "${IMAGE:?name the container image}",
        "entrypoint": words[:start],
        "command": words[start:],
        "environment": {"HF_TOKEN": "${HF_TOKEN:-}", **{name: _text(value) for name, value in server.variables.items()}},
        "ports": [f"127.0.0.1:{made.port + place}:{made.port}"],
        "volumes": [f"cache:{OLLAMA_CACHE if server.then else CACHE}"],
        "healthcheck": {
            "test": ["CMD-SHELL", f"curl -fsS http://127.0.0.1:{made.port}{made.health} > /dev/null"],
            "interval": "10s",
            "timeout": "5s",
            "retries": 6,
            "start_period": "30m",
        },
        "restart": "unless-stopped",
    }
    if server.asks_for_model and not server.then:
        service["volumes"].append(f"${{MODEL_DIR:-./models}}:{MODELS}:ro")
    if made.per_replica > 1:
        service["ipc"] = "host"  # ranks of one replica share memory
    service |= _accelerators(made, place, service["environment"])
    return service


def _accelerators(made: Deployment, place: int, environment: dict[str, str]) -> Mapping[str, Any]:
    """What lets the container reach the accelerators of its replica."""
    reached = made.reached
    if reached is None:
        return {}
    first = place * made.per_replica
    numbers = [str(number) for number in range(first, first + made.per_replica)]
    alone = made.per_machine == made.per_replica
    if reached.access == "nvidia":
        return {
            "deploy": {"resources": {"reservations": {"devices": [{"driver": "nvidia", "device_ids": numbers, "capabilities": ["gpu"]}]}}}
        }
    if reached.visible and not (alone and reached.access != "runtime"):
        environment[reached.visible] = ",".join(numbers)
    if reached.access == "runtime":
        return {"runtime": reached.runtime, "cap_add": ["SYS_NICE"]}
    if reached.access == "privileged":
        return {"privileged": True}
    files = (
        [f"{device}{number}" for device in reached.devices for number in numbers] if reached.access == "numbered" else [*reached.devices]
    )
    groups = {"group_add": [*reached.groups]} if reached.groups else {}
    return {"devices": [f"{file}:{file}" for file in files], **groups}


def _text(word: str) -> str:
    return NAME_IT if word == MODEL else word.replace("$", "$$")
