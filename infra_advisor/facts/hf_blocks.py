"""What the families of Hugging Face configurations share: the parts of a layer, and the list of layers being made."""

from dataclasses import dataclass, field
from typing import Literal

from infra_advisor.facts.hf_fields import Fields
from infra_advisor.physics.feedforward import DenseFfn
from infra_advisor.physics.mixers import Attention
from infra_advisor.physics.transformer import AnyFfn, AnyMixer

Bias = Literal["qkv", "qkv+o"]
Norm = Literal["head", "full"]


@dataclass
class Architecture:
    """What a family makes of a configuration."""

    hidden: int
    tied: bool
    groups: dict[tuple[AnyMixer, AnyFfn, int], int] = field(default_factory=dict)
    """(mixer, feed-forward block, norm vectors) -> layers."""
    extra: list[tuple[str, int, int]] = field(default_factory=list)
    """(what, elements, elements every token uses)."""

    def add(self, mixer: AnyMixer, ffn: AnyFfn, norms: int = 2) -> None:
        """One more layer."""
        key = (mixer, ffn, norms)
        self.groups[key] = self.groups.get(key, 0) + 1

    def add_extra(self, what: str, count: int, active: int = 0) -> None:
        """Weights beside the layers."""
        if count:
            self.extra.append((what, count, active))


def start(fields: Fields, *, tied: bool = False) -> Architecture:
    return Architecture(hidden=fields.hidden, tied=fields.flag("tie_word_embeddings", tied))


def attention(
    fields: Fields,
    *,
    bias: Bias | None = None,
    qk_norm: Norm | None = None,
    window: int | None = None,
    sinks: bool = False,
    gate: bool = False,
) -> Attention:
    return Attention(
        q_heads=fields.q_heads,
        kv_heads=fields.kv_heads,
        head_dim=fields.head_dim,
        bias=bias,
        qk_norm=qk_norm,
        window=window,
        sinks=sinks,
        out_gate="in_q" if gate else None,
    )


def window_of(fields: Fields) -> int | None:
    """The sliding window where it is shorter than the context."""
    window = fields.optional("sliding_window", most=2**31)
    longest = fields.optional("max_position_embeddings", most=2**31)
    return window if window and (longest is None or window < longest) else None


def layer_window(fields: Fields, layer: int, otherwise: bool) -> int | None:
    """The window of a layer by `layer_types`, else by the family's rule."""
    types = fields.texts("layer_types", fields.layers)
    return window_of(fields) if (("sliding" in types[layer] or "chunked" in types[layer]) if types else otherwise) else None


def dense(fields: Fields, *, gated: bool = True, bias: bool = False, inter: int | None = None) -> DenseFfn:
    return DenseFfn(inter=inter or fields.count("intermediate_size", "ffn_dim", "n_inner"), gated=gated, bias=bias)
