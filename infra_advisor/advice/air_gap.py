"""Serving without a network: which engines can, and what has to be carried in for an answer."""

from collections.abc import Iterator, Sequence
from typing import Literal

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.onsite import OWN
from infra_advisor.advice.onsite_parts import CarryIn, CarryItem
from infra_advisor.advice.residency_parts import ResidencyPart
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.engines import Engine
from infra_advisor.facts.formats import Formats
from infra_advisor.facts.jurisdiction import Status, worst
from infra_advisor.facts.model_names import ResolvedModel
from infra_advisor.physics.transformer import weight_bytes

Online = Literal["offline", "online", "unknown"]
SMALL = "a few megabytes at most, not counted"
_STATUS: dict[Online, Status] = {"offline": "kept", "unknown": "unknown", "online": "excluded"}
DRIVERS_INSIDE = ("macOS",)
"""Operating systems that bring the driver of their accelerator."""


def online_needs(engine: Engine) -> tuple[Online, str]:
    """(offline | online | unknown, why): whether the engine serves where there is no network. Unknown is never offline."""
    known = engine.network
    if known is None:
        return "unknown", f"{engine.name}: the catalog does not say whether it asks for a licence or a service online"
    if known.licence_check == "to-run":
        return "online", f"{engine.name} checks its licence over the network while it runs"
    if known.control_plane == "cloud":
        return "online", f"{engine.name} is steered by a service in the cloud"
    remark = f"; {known.note}" if known.note else ""
    if known.licence_check is None or known.control_plane is None:
        missing = "a licence check" if known.licence_check is None else "a control plane"
        return "unknown", f"{engine.name}: not known whether {missing} needs the network{remark}"
    off = f"; {known.switch_off}" if known.switch_off else ""
    first = "; it asks for an account or a licence when it is installed" if known.licence_check == "to-install" else ""
    return "offline", f"{engine.name} needs no network to serve{first}{remark}{off}"


def runs_cut_off(catalog: Catalog, class_: str, engine: str) -> tuple[Online, str]:
    """(offline | online | unknown, why) of an option by its class and engine: nothing rented is ever cut off."""
    if class_ == "api":
        return "online", "a hosted API is reached over the network"
    if class_ not in OWN:
        return "online", "a rented machine is started and reached through the control plane of its cloud"
    return online_needs(catalog.engines[engine])


def with_engine(catalog: Catalog, placed: ResidencyPart, class_: str, engine: str) -> ResidencyPart:
    """How an option stands to `air-gapped`, with its engine judged too."""
    online, why = runs_cut_off(catalog, class_, engine)
    found = _STATUS[online]
    ask = "ask the maker of the engine whether it serves without a network" if online == "unknown" else ""
    axes = tuple(
        axis.model_copy(update={"status": worst((axis.status, found)), "why": f"{axis.why}; {why}", "ask": ask or axis.ask})
        if axis.axis == "residency"
        else axis
        for axis in placed.axes
    )
    return placed.model_copy(update={"status": worst(axis.status for axis in axes), "axes": axes})


def carry_in(catalog: Catalog, answer: Answer, resolved: ResolvedModel) -> CarryIn | None:
    """The list of what must be brought to the machines of one answer; None where they are not the buyer's own."""
    if answer.hardware.class_ not in OWN:
        return None
    engine, chip = catalog.engines[answer.software.engine], catalog.chips[answer.hardware.accelerator]
    online, why = online_needs(engine)
    items = tuple(_items(catalog.formats, answer, resolved, engine, chip))
    known = [item.bytes for item in items if item.bytes is not None]
    unknown = sum(item.bytes is None and item.bytes_reason != SMALL for item in items)
    return CarryIn(online=online, online_reason=why, items=items, known_bytes=sum(known), unknown=unknown)


def with_carry_in(catalog: Catalog, answers: Sequence[Answer], resolved: ResolvedModel) -> tuple[Answer, ...]:
    """The answers, each with what its own machines must be brought."""
    return tuple(answer.model_copy(update={"carry_in": carry_in(catalog, answer, resolved)}) for answer in answers)


def weight_file_bytes(formats: Formats, resolved: ResolvedModel, name: str) -> float:
    """Size of one copy of the weights in a format: of the local file where it is one, else parameters x bits. [bytes]"""
    if resolved.weight_bytes is not None and resolved.weights == name:
        return float(resolved.weight_bytes)
    return float(weight_bytes(resolved.model.shape(), formats.weight(name).by_part).total)


def _items(formats: Formats, answer: Answer, resolved: ResolvedModel, engine: Engine, chip: Chip) -> Iterator[CarryItem]:
    model, weights = resolved.model, answer.software.weights
    size = weight_file_bytes(formats, resolved, weights)
    made = (
        None if weights == model.native_format or resolved.weights == weights else f"published as {model.native_format}: convert it first"
    )
    yield CarryItem(kind="weights", name=f"{model.name}, {weights}", bytes=size, note=made)
    yield CarryItem(kind="tokenizer", name="tokenizer, configuration and chat template", bytes=None, bytes_reason=SMALL)
    if engine.container_image:
        reason = "size not in the catalog; images of engines are gigabytes"
        yield CarryItem(kind="container-image", name=engine.container_image, bytes=None, bytes_reason=reason)
    else:
        reason = "size not in the catalog"
        note = "no container image is known: packages with all they depend on"
        yield CarryItem(kind="engine", name=f"{engine.name} {engine.version}", bytes=None, bytes_reason=reason, note=note)
    if chip.kind != "cpu" and chip.os not in DRIVERS_INSIDE:
        driver = f"driver and runtime of {chip.name} ({chip.vendor})"
        yield CarryItem(kind="driver", name=driver, bytes=None, bytes_reason="size not in the catalog")
    system = chip.os or "operating system with its packages"
    yield CarryItem(kind="operating-system", name=system, bytes=None, bytes_reason="size not in the catalog")
    yield CarryItem(kind="engine-licence", name=f"{engine.name}: {engine.licence}", bytes=None, bytes_reason=SMALL)
    said = {"yes": "commercial use allowed", "conditional": "commercial use under conditions", "no": "no commercial use"}
    status = said.get(model.licence.commercial, "commercial use unverified: read it")
    yield CarryItem(kind="model-licence", name=f"{model.name}: {model.licence.name}", bytes=None, bytes_reason=SMALL, note=status)
