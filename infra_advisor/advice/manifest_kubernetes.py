"""An answer as a Kubernetes Deployment and Service."""

from typing import Any

from infra_advisor.advice.deployment import IMAGE, Deployment, heading, shell
from infra_advisor.advice.launch import MODEL
from infra_advisor.advice.manifest_compose import CACHE, MODELS, OLLAMA_CACHE
from infra_advisor.advice.yaml_text import yaml_text

PROBE_S = 10
START_S = 3600
"""Loading weights over a slow network takes its time; only then does a pod count as failed."""
HF_SECRET = {"name": "hf-token", "key": "token"}


def kubernetes(made: Deployment) -> str:
    """Both documents. `$(` in a value is escaped, so that no pod reads it as a variable."""
    documents = [_deployment(made), _service(made)]
    return heading(made) + yaml_text(documents)


def _labels(made: Deployment) -> dict[str, str]:
    return {"app.kubernetes.io/name": made.name, "app.kubernetes.io/component": "inference"}


def _deployment(made: Deployment) -> dict[str, Any]:
    server = made.server()
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 120,
        "containers": [_container(made)],
        "volumes": [{"name": "cache", "emptyDir": {}}, {"name": "shared-memory", "emptyDir": {"medium": "Memory"}}],
    }
    if server.asks_for_model and not server.then:
        pod["volumes"].append({"name": "models", "persistentVolumeClaim": {"claimName": f"{made.name}-models", "readOnly": True}})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": made.name, "labels": _labels(made)},
        "spec": {
            "replicas": made.answer.hardware.replicas,
            "selector": {"matchLabels": _labels(made)},
            "strategy": {"type": "Recreate"},  # a second set of accelerators is seldom free
            "progressDeadlineSeconds": START_S + 600,
            "template": {"metadata": {"labels": _labels(made)}, "spec": pod},
        },
    }


def _container(made: Deployment) -> dict[str, Any]:
    server = made.server()
    start = len(made.launch.in_container or made.launch.command)
    words = [_text(word) for word in server.in_container]
    environment: list[dict[str, Any]] = [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": HF_SECRET}}]
    if server.asks_for_model:
        chosen = {"configMapKeyRef": {"name": f"{made.name}-model", "key": "path"}}
        environment.append({"name": "MODEL_PATH", "valueFrom": chosen})
    environment += [{"name": name, "value": _text(value)} for name, value in server.variables.items()]
    probe = {"httpGet": {"path": made.health, "port": "http"}, "periodSeconds": PROBE_S, "timeoutSeconds": 5}
    container: dict[str, Any] = {
        "name": "server",
        "image": made.image or IMAGE,
        "command": words[:start],
        "args": words[start:],
        "env": environment,
        "ports": [{"name": "http", "containerPort": made.port}],
        "startupProbe": probe | {"failureThreshold": START_S // PROBE_S},
        "readinessProbe": probe | {"failureThreshold": 3},
        "livenessProbe": probe | {"failureThreshold": 6},
        "volumeMounts": [
            {"name": "cache", "mountPath": OLLAMA_CACHE if server.then else CACHE},
            {"name": "shared-memory", "mountPath": "/dev/shm"},
        ],
    }
    if server.asks_for_model and not server.then:
        container["volumeMounts"].append({"name": "models", "mountPath": MODELS, "readOnly": True})
    if server.then:
        container["lifecycle"] = {"postStart": {"exec": {"command": ["/bin/sh", "-c", _after(server.then)]}}}
    if made.reached is not None:
        amount = {made.reached.kubernetes: made.per_replica}
        container["resources"] = {"limits": amount, "requests": amount}
    return container


def _after(words: tuple[str, ...]) -> str:
    return f"until {shell(words)}; do sleep 5; done"


def _service(made: Deployment) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": made.name, "labels": _labels(made)},
        "spec": {"selector": _labels(made), "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    }


def _text(word: str) -> str:
    return "$(MODEL_PATH)" if word == MODEL else word.replace("$(", "$$(")
