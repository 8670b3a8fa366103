"""Saved answers to deploy, and the schemas of the programs that read the files."""

import json
import subprocess
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator, Draft202012Validator

DATA = Path(__file__).parent / "data"
ANSWERS = ("h100-vllm-tp2", "edge-llama-cpp", "tpu", "api")


def path_of(name: str) -> Path:
    return DATA / "answers" / f"{name}.json"


@cache
def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def answer(name: str, **changes: dict[str, Any]) -> dict[str, Any]:
    """A saved recommendation with parts of its first answer changed: software={"tp": 4}; `workload` and `question` are of the document."""
    document = deepcopy(_read(path_of(name)))
    for part, values in changes.items():
        (document if part in ("workload", "question") else document["ranked"][0])[part].update(values)
    return document


def check_compose(text: str) -> dict[str, Any]:
    """The document, valid by the Compose Specification."""
    document: dict[str, Any] = yaml.safe_load(text)
    Draft7Validator(_read(DATA / "schemas" / "compose-spec.json")).validate(document)
    return document


def check_kubernetes(text: str) -> list[dict[str, Any]]:
    """Deployment and Service, valid by the strict schemas of Kubernetes."""
    schema = _read(DATA / "schemas" / "kubernetes-1.37.json")
    documents: list[dict[str, Any]] = list(yaml.safe_load_all(text))
    for document in documents:
        Draft202012Validator(schema["kinds"][document["kind"]] | {"$defs": schema["$defs"]}).validate(document)
    return documents


def check_skypilot(text: str) -> dict[str, Any]:
    """The task, valid by SkyPilot's own schemas."""
    schema = _read(DATA / "schemas" / "skypilot-0.14.1.json")
    document: dict[str, Any] = yaml.safe_load(text)
    Draft202012Validator(schema["task"]).validate(document)
    Draft202012Validator(schema["resources"]).validate(document["resources"])
    return document


def check_shell(text: str) -> None:
    """bash parses it."""
    done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
