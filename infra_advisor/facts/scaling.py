"""A model of a size for which there is no near reference: the nearest one with layers and widths scaled."""

import dataclasses
from typing import TypeVar

from infra_advisor.facts.models import LanguageModel, Layers, Parameters
from infra_advisor.physics.feedforward import DenseFfn, MoeFfn, NoFfn, ParallelFfn
from infra_advisor.physics.mixers import Attention
from infra_advisor.physics.transformer import AnyFfn, AnyMixer

Block = TypeVar("Block", bound=DenseFfn | MoeFfn)

HEAD_STEP = 8
INNER_STEP, NARROW_INNER_STEP, NARROW_INNER = 64, 8, 4096


def scaled(model: LanguageModel, total: float) -> LanguageModel:
    """The model with layers, width and inner width changed so that its weights add up to `total` (to within 1 %).

    Plain attention models grow in width and depth alike, by whole groups of eight heads; others in depth only, because
    their widths hang together. The inner width takes up what rounding leaves. Parts beside the layers are dropped.
    """
    factor = total / model.architecture.parameters
    widths = _width_factor(model, factor)
    depth = factor / widths**2
    groups = [_grown(group, depth, widths) for group in model.layers]
    hidden = round(model.hidden_size * widths)
    attempt = _with(model, groups, hidden)
    without = _with(model, [group.model_copy(update={"ffn": _inner(group.ffn, 0.0)}) for group in groups], hidden)
    fixed = without.architecture.parameters
    stretch = (total - fixed) / max(1.0, attempt.architecture.parameters - fixed)
    if stretch > 0:
        attempt = _with(model, [group.model_copy(update={"ffn": _inner(group.ffn, stretch)}) for group in groups], hidden)
    return attempt


def _grown(group: Layers, depth: float, widths: float) -> Layers:
    return Layers(n=max(1, round(group.n * depth)), mixer=_wider(group, widths), ffn=_inner(group.ffn, widths), norms=group.norms)


def _width_factor(model: LanguageModel, factor: float) -> float:
    heads = {group.mixer.q_heads for group in model.layers if isinstance(group.mixer, Attention)}
    plain = all(isinstance(group.mixer, Attention) and isinstance(group.ffn, DenseFfn) for group in model.layers)
    if not plain or len(heads) != 1:
        return 1.0
    (count,) = heads
    groups = max(group.mixer.kv_heads for group in model.layers if isinstance(group.mixer, Attention))
    if count % HEAD_STEP or HEAD_STEP % groups or model.hidden_size % count:
        return 1.0
    wider: int = round(count * factor ** (1 / 3) / HEAD_STEP) * HEAD_STEP
    return max(HEAD_STEP, wider) / count


def _wider(group: Layers, factor: float) -> AnyMixer:
    if factor == 1.0 or not isinstance(group.mixer, Attention):
        return group.mixer
    return dataclasses.replace(group.mixer, q_heads=round(group.mixer.q_heads * factor))


def _inner(ffn: AnyFfn, factor: float) -> AnyFfn:
    """The block with its inner width times `factor`, rounded; 0 gives the narrowest one, to measure what the rest holds."""
    if isinstance(ffn, ParallelFfn):
        return dataclasses.replace(ffn, parts=tuple(_narrower(part, factor) for part in ffn.parts))
    return ffn if isinstance(ffn, NoFfn) else _narrower(ffn, factor)


def _narrower(block: Block, factor: float) -> Block:
    step = INNER_STEP if block.inter >= NARROW_INNER else NARROW_INNER_STEP
    return dataclasses.replace(block, inter=max(1, round(block.inter * factor / step) * step))


def _with(model: LanguageModel, groups: list[Layers], hidden: int) -> LanguageModel:
    fields = {name: getattr(model, name) for name in LanguageModel.model_fields}
    fields |= {"layers": tuple(groups), "hidden_size": hidden, "extra_params": (), "hf_id": None, "base_model": model.hf_id, "note": None}
    fields |= {"published_kv_bytes_per_token": None, "source": ("computed",), "source_note": None, "doubt": "guessed"}
    draft = LanguageModel.model_validate(fields)
    total = int(draft.architecture.parameters)
    size = f"{total / 1e9:.0f}b" if total >= 1e11 else f"{total / 1e9:.3g}b"
    counts = Parameters(total=total, source=("computed",), note="scaled")
    return LanguageModel.model_validate({**fields, "id": f"{model.id}-scaled-{size}", "parameters": counts})
