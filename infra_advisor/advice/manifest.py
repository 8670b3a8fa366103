"""A saved answer as files that deploy it. The answer may come from anybody: nothing of it reaches a file unchecked or unquoted."""

from pathlib import Path

from infra_advisor.advice import manifest_scripts as scripts
from infra_advisor.advice.answer import Answer
from infra_advisor.advice.deployment import IMAGE, Deployment, deployment, one_line
from infra_advisor.advice.launch import MODEL, ROOM
from infra_advisor.advice.manifest_cloud import dstack, skypilot
from infra_advisor.advice.manifest_compose import MODELS, compose
from infra_advisor.advice.manifest_kubernetes import HF_SECRET, kubernetes
from infra_advisor.advice.manifests import KINDS, Kind, Manifest, ManifestFile
from infra_advisor.advice.saved import Saved, saved, saved_text
from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.catalog import Catalog

FILES: dict[Kind, str] = {
    "compose": "compose.yaml", "kubernetes": "kubernetes.yaml", "skypilot": "skypilot.yaml", "dstack": "service.dstack.yml",
    "command": "serve.sh", "smoke": "smoke.sh", "client": "client.py",
}  # fmt: skip
ALL = "all"
MOST_SERVICES = 64
OPEN = "the server asks for no key: keep it inside a trusted network, or put a gateway with authentication in front"


def manifest(catalog: Catalog, document: Path | str, *, number: int = 1, kind: str = ALL, text: str | None = None) -> Manifest:
    """The files for one answer of a saved recommendation.

    `number`: its place in the ranking, from 1. `kind`: one of KINDS, or all that are possible. `text`: the document itself where it does
    not come from a file; `document` then only names it. Raises UsageError for a document that is none, and for a kind that is impossible.
    """
    if kind != ALL and kind not in KINDS:
        raise UsageError(f"--kind {kind!r}: accepted: {', '.join((*KINDS, ALL))}.{did_you_mean(kind, (*KINDS, ALL))}")
    then = saved(document, number) if text is None else saved_text(text, str(document), number)
    if then.winner is None:
        raise UsageError(f"{document}: nothing fitted the question: there is no answer to deploy; see its near misses")
    if then.winner.hardware.class_ == "api":
        return _of_api(then, then.winner, number, kind)
    if then.workload is None:
        raise UsageError(f"{document}: does not say for which load (no `workload`): it was changed or cut")
    made = deployment(catalog, then.winner, then.workload, then.asked.traffic, then.stamp.as_of)
    written: dict[Kind, str] = {}
    left_out: dict[str, str] = {}
    for one in KINDS:
        if (why := _impossible(catalog, made, one)) is not None:
            left_out[one] = why
        elif kind in (ALL, one):
            written[one] = _write(catalog, made, one)  # type: ignore[index, arg-type]
    if kind != ALL and kind in left_out:
        others = [one for one in KINDS if one not in left_out]
        raise UsageError(f"--kind {kind}: {left_out[kind]}; possible for this answer: {', '.join(others)}")
    written["smoke"] = scripts.smoke_script(made)
    hardware = then.winner.hardware
    return Manifest(
        saved=then.stamp,
        answer=then.winner.id,
        number=number,
        model=made.model_name,
        hardware=f"{hardware.accelerators_per_replica} x {hardware.accelerator_name}, {hardware.replicas} replicas",
        engine=made.engine.name,
        engine_version=made.engine.version,
        image=made.image,
        files=tuple(ManifestFile(name=FILES[one], kind=one, text=text) for one, text in written.items()),
        left_out=left_out if kind == ALL else {},
        must_set=tuple(_must_set(made, [*written])),
        notes=tuple(_notes(made, [*written])),
        warnings=tuple(_warnings(made)),
    )


def _of_api(then: Saved, answer: Answer, number: int, kind: str) -> Manifest:
    if kind not in (ALL, "command"):
        raise UsageError(f"--kind {kind}: a hosted API is called, not deployed; possible: command, {ALL}")
    name = answer.offer.instance_type
    texts: dict[Kind, str] = {"client": scripts.api_client(name), "smoke": scripts.api_smoke_script(name)}
    return Manifest(
        saved=then.stamp,
        answer=answer.id,
        number=number,
        model=one_line(then.workload.model_name if then.workload else name),
        hardware="hosted API",
        files=tuple(ManifestFile(name=FILES[one], kind=one, text=text) for one, text in texts.items()),
        must_set=(
            "BASE_URL: the catalog does not hold the addresses of APIs",
            "MODEL: the provider's name of the model",
            "API_KEY: your key",
        ),
        notes=(
            f"the price list calls the model {one_line(name)}",
            "both files speak to an OpenAI-compatible API; check that the provider has one",
        ),
    )


def _impossible(catalog: Catalog, made: Deployment, kind: str) -> str | None:
    """Why there can be no file of that kind."""
    if kind == "command":
        return None
    offer, chip = made.answer.offer, made.answer.hardware.accelerator
    if made.replicas_per_machine < 1:
        return f"a replica of {made.per_replica} accelerators spans machines of {made.per_machine}: start {made.engine.name} on all of them"
    if made.chip is None or made.chip.device_class == "apple":
        return "no container reaches this accelerator"
    if kind in ("compose", "skypilot") and _crowded(made, kind):
        return "how several replicas share the accelerators of one machine is not known"
    if kind == "compose":
        if made.replicas_per_machine > MOST_SERVICES:
            return f"{made.replicas_per_machine} servers on one machine are too many for a compose file"
        return None if made.reached or made.image else "no container is known to reach this accelerator"
    if kind == "kubernetes":
        return None if made.reached else "no Kubernetes resource is known for this accelerator"
    if made.answer.hardware.class_ != "cloud":
        return "the hardware is your own, not rented"
    names = catalog.deploy.skypilot.accelerators if kind == "skypilot" else catalog.deploy.dstack.gpus
    clouds = catalog.deploy.skypilot.clouds if kind == "skypilot" else catalog.deploy.dstack.backends
    if offer.provider not in clouds:
        return f"{one_line(offer.provider)} is no cloud that it is known to reach"
    if chip not in names:
        return "its name of this accelerator is not known"
    return None


def _crowded(made: Deployment, kind: str) -> bool:
    """True where several replicas would each take every accelerator of their machine."""
    if made.replicas_per_machine == 1 or made.reached is None:
        return made.replicas_per_machine > 1
    return made.reached.visible is None and (kind == "skypilot" or made.reached.access not in ("nvidia", "numbered"))


def _write(catalog: Catalog, made: Deployment, kind: Kind) -> str:
    match kind:
        case "compose":
            return compose(made)
        case "kubernetes":
            return kubernetes(made)
        case "skypilot":
            return skypilot(catalog, made)
        case "dstack":
            return dstack(catalog, made)
        case _:
            return scripts.serve_script(made)


def _must_set(made: Deployment, kinds: list[Kind]) -> list[str]:
    found = []
    if made.model == MODEL:
        found.append(f"MODEL_PATH: the checkpoint; {made.why_model}. No repository is guessed")
        if "compose" in kinds:
            found.append(f"MODEL_DIR (compose): folder of checkpoints, mounted at {MODELS}; default ./models")
        if "kubernetes" in kinds:
            found.append(f"ConfigMap {made.name}-model, key path: MODEL_PATH")
            if not made.server().then:
                found.append(f"PersistentVolumeClaim {made.name}-models: the checkpoints, mounted at {MODELS}")
    if made.image is None and {"compose", "kubernetes", "skypilot", "dstack"} & {*kinds}:
        found.append(f"{IMAGE}: no container image of {made.engine.name} is known for this accelerator")
    if made.model != MODEL or not made.server().then:
        found.append("HF_TOKEN: a Hugging Face token where the repository asks for one; read from the environment, written nowhere")
    if "kubernetes" in kinds:
        found.append(f"Secret {HF_SECRET['name']}, key {HF_SECRET['key']}: the token; the pod waits until it exists")
    return found


def _notes(made: Deployment, kinds: list[Kind]) -> list[str]:
    answer, launch = made.answer, made.launch
    found = [f"longest request: {made.context:,} tokens, as asked and {ROOM} more; longer ones are refused"]
    if made.sequences is not None:
        found.append(f"largest batch: {made.sequences} requests per replica, what the prediction allows within the targets, rounded down")
    else:
        found.append("largest batch: the engine's default, since the answer names no highest concurrency")
    found += made.server().notes
    if launch.note:
        found.append(f"{made.engine.name}: {launch.note}")
    if made.reached is not None and made.reached.note and "kubernetes" in kinds:
        found.append(made.reached.note)
    if answer.hardware.instances > 1:
        found.append(f"{answer.hardware.instances} machines: run the compose file or the script on each, with a load balancer in front")
    elif answer.hardware.replicas > 1:
        found.append(f"{answer.hardware.replicas} replicas: spread the requests over their ports; the Kubernetes service does")
    if "kubernetes" in kinds:
        found.append("the pods cache weights in an emptyDir: a claim of your own saves the download after a restart")
    if "skypilot" in kinds:
        found.append(f"SkyPilot: no port is opened; reach the server with ssh -L {made.port}:127.0.0.1:{made.port} {made.name}")
    if "dstack" in kinds and made.per_machine > made.per_replica:
        found.append(f"dstack rents {made.per_replica} accelerators per replica; the price is of machines with {made.per_machine}")
    if made.server().then and "compose" in kinds:
        service = made.name if made.replicas_per_machine == 1 else f"{made.name}-0"  # they share the volume
        found.append(f'load the model once a container runs: docker compose exec {service} {" ".join(launch.then)} "$MODEL_PATH"')
    return found


def _warnings(made: Deployment) -> list[str]:
    from infra_advisor.facts.engines import engine_runs_on

    found = [OPEN]
    if made.chip is None:
        found.append("the catalog does not know this accelerator: how a container reaches it is left out")
    elif (support := engine_runs_on(made.engine, made.chip)) is None:
        found.append(f"today's catalog says that {made.engine.name} does not run on {made.chip.name}")
    elif support.status != "supported":
        found.append(f"{made.engine.name} on {made.chip.name}: {support.status}" + (f" ({support.note})" if support.note else ""))
    return found
