"""Several models as one: every count is a column with one position per operating point, so that one pass of arithmetic times them all.

Whatever one model has more of than another (kinds of layers, of experts, of states) is filled up with parts that hold nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from infra_advisor.physics.elementwise import Number
from infra_advisor.physics.feedforward import RoutedExperts
from infra_advisor.physics.mixers import State, Stream
from infra_advisor.physics.transformer import Transformer, Weights

Column = NDArray[np.float64]
Index = NDArray[np.intp]

NO_LIMIT = 1e15
"""Stands for a window or selection that a model does not have: longer than any context."""
_EMPTY_STREAM = Stream(stored=0.0, read=0.0)
_EMPTY_EXPERTS = RoutedExperts(experts=1, top_k=1, elements=0, projections=0, width=0)
_EMPTY_STATE = State()

Kind = TypeVar("Kind")


class Shape(Protocol):
    """What counting the work of a pass needs of a model; numbers, or columns where there are many models."""

    @property
    def weights(self) -> Weights:
        """Elements by part."""
        ...

    @property
    def projections(self) -> Number: ...
    @property
    def hidden(self) -> Number: ...
    @property
    def vocab(self) -> Number: ...
    @property
    def tied(self) -> Number: ...
    @property
    def prefill_share(self) -> Number: ...
    @property
    def routed_experts(self) -> tuple[tuple[Number, RoutedExperts], ...]: ...
    @property
    def streams(self) -> tuple[tuple[Number, Stream], ...]: ...
    @property
    def states(self) -> tuple[tuple[Number, State], ...]: ...
    @property
    def layer_count(self) -> Number: ...
    @property
    def block_count(self) -> Number: ...
    @property
    def moe_layer_count(self) -> Number: ...


@dataclass(frozen=True)
class StackedShape:
    """The shapes of many operating points; see `Shape`. All columns have one length."""

    weights: Weights
    projections: Column
    hidden: Column
    vocab: Column
    tied: Column
    prefill_share: Column
    routed_experts: tuple[tuple[Column, RoutedExperts], ...]
    streams: tuple[tuple[Column, Stream], ...]
    states: tuple[tuple[Column, State], ...]
    layer_count: Column
    block_count: Column
    moe_layer_count: Column

    def take(self, index: Index) -> "StackedShape":
        """The shapes at some positions."""
        return StackedShape(
            weights=_taken(self.weights, index),
            routed_experts=tuple((layers[index], _taken(part, index)) for layers, part in self.routed_experts),
            streams=tuple((layers[index], _taken(part, index)) for layers, part in self.streams),
            states=tuple((layers[index], _taken(part, index)) for layers, part in self.states),
            **{name: getattr(self, name)[index] for name in _PLAIN},
        )


_PLAIN = ("projections", "hidden", "vocab", "tied", "prefill_share", "layer_count", "block_count", "moe_layer_count")


def stack(shapes: Sequence[Transformer]) -> StackedShape:
    """The shapes one after another, one position each; `take` then spreads them over operating points."""
    return StackedShape(
        weights=_joined([shape.weights for shape in shapes]),
        routed_experts=_slots(shapes, lambda shape: shape.routed_experts, _EMPTY_EXPERTS),
        streams=_slots(shapes, lambda shape: shape.streams, _EMPTY_STREAM),
        states=_slots(shapes, lambda shape: shape.states, _EMPTY_STATE),
        **{name: np.array([float(getattr(shape, name)) for shape in shapes]) for name in _PLAIN},
    )


def _slots(
    shapes: Sequence[Transformer], parts_of: Callable[[Transformer], tuple[tuple[int, Kind], ...]], empty: Kind
) -> tuple[tuple[Column, Kind], ...]:
    """Part k of every shape, for each k that any shape has."""
    found = [parts_of(shape) for shape in shapes]
    most = max((len(parts) for parts in found), default=0)
    slots = []
    for k in range(most):
        here = [parts[k] if k < len(parts) else (0, empty) for parts in found]
        slots.append((np.array([float(layers) for layers, _ in here]), _joined([part for _, part in here])))
    return tuple(slots)


def _joined(parts: Sequence[Kind]) -> Kind:
    """One record whose fields are columns of the parts' fields; None means no limit."""
    columns = {name: np.array([_figure(getattr(part, name)) for part in parts]) for name in vars(parts[0])}
    return type(parts[0])(**columns)


def _taken(part: Kind, index: Index) -> Kind:
    return type(part)(**{name: column[index] for name, column in vars(part).items()})


def _figure(value: float | None) -> float:
    return NO_LIMIT if value is None else float(value)
