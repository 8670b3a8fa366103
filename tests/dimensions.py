"""A number that carries its dimension, so that a test sees what a float hides: bytes added to bytes/s.

    from dimensions import BYTE, S
    step = decode_step_s(weight_bytes=30e9 * BYTE, memory_bytes_per_s=3e12 * BYTE / S, ...)
    assert amount(step, S) == pytest.approx(0.01)

A plain number has no dimension, except zero, which has every dimension: it may be added to and compared with anything.
Watts and seconds are independent, so that energy is W * S.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

Plain = int | float


class DimensionError(TypeError):
    """Two quantities do not go together."""


Powers = Mapping[str, Fraction]


def _merged(left: Powers, right: Powers, sign: int) -> Powers:
    sums = {unit: left.get(unit, Fraction(0)) + sign * right.get(unit, Fraction(0)) for unit in {*left, *right}}
    return {unit: power for unit, power in sorted(sums.items()) if power}


@dataclass(frozen=True, eq=False)
class Quantity:
    """A float times a product of base units raised to powers."""

    value: float
    powers: Powers

    def __repr__(self) -> str:
        return f"{self.value:g} {_text(self.powers)}"

    def _same(self, other: object, doing: str) -> float:
        """The value of `other` in the dimension of self."""
        right = _read(other)
        if right is None:
            raise DimensionError(f"cannot {doing} {self!r} and {other!r}")
        if right.powers == self.powers or (not isinstance(other, Quantity) and right.value == 0):
            return right.value
        raise DimensionError(f"cannot {doing} {_text(self.powers)} and {_text(right.powers)}")

    def _sum(self, other: object, sign: int) -> "Quantity":
        return Quantity(self.value + sign * self._same(other, "add"), self.powers)

    def __add__(self, other: object) -> "Quantity":
        return self._sum(other, 1)

    __radd__ = __add__

    def __sub__(self, other: object) -> "Quantity":
        return self._sum(other, -1)

    def __rsub__(self, other: object) -> "Quantity":
        return (-self)._sum(other, 1)

    def __mul__(self, other: object) -> "Quantity":
        right = _read(other)
        return NotImplemented if right is None else Quantity(self.value * right.value, _merged(self.powers, right.powers, 1))

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> "Quantity":
        right = _read(other)
        return NotImplemented if right is None else Quantity(self.value / right.value, _merged(self.powers, right.powers, -1))

    def __rtruediv__(self, other: object) -> "Quantity":
        left = _read(other)
        return NotImplemented if left is None else Quantity(left.value / self.value, _merged(left.powers, self.powers, -1))

    def __pow__(self, exponent: object) -> "Quantity":
        power = _pure(exponent, "an exponent")
        # A third and its like must cancel exactly when the root is raised again.
        exact = Fraction(power).limit_denominator(1000)
        return Quantity(self.value**power, {unit: own * exact for unit, own in self.powers.items() if exact})

    def __rpow__(self, base: object) -> "Quantity":
        return Quantity(_pure(base, "a base") ** _pure(self, "an exponent"), {})

    def __neg__(self) -> "Quantity":
        return Quantity(-self.value, self.powers)

    def __pos__(self) -> "Quantity":
        return self

    def __abs__(self) -> "Quantity":
        return Quantity(abs(self.value), self.powers)

    def __lt__(self, other: object) -> bool:
        return self.value < self._same(other, "compare")

    def __le__(self, other: object) -> bool:
        return self.value <= self._same(other, "compare")

    def __gt__(self, other: object) -> bool:
        return self.value > self._same(other, "compare")

    def __ge__(self, other: object) -> bool:
        return self.value >= self._same(other, "compare")

    def __eq__(self, other: object) -> bool:
        return self.value == self._same(other, "compare")

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self.value)

    def __float__(self) -> float:
        return _pure(self, "a plain float")

    # numpy calls these by name on an object that is no array.
    def ceil(self) -> "Quantity":
        return Quantity(math.ceil(_pure(self, "the argument of ceil")), {})

    def floor(self) -> "Quantity":
        return Quantity(math.floor(_pure(self, "the argument of floor")), {})

    def log(self) -> "Quantity":
        return Quantity(math.log(_pure(self, "the argument of a logarithm")), {})

    def log2(self) -> "Quantity":
        return Quantity(math.log2(_pure(self, "the argument of a logarithm")), {})

    def exp(self) -> "Quantity":
        return Quantity(math.exp(_pure(self, "the argument of exp")), {})

    def sqrt(self) -> "Quantity":
        return self**0.5


def _read(number: object) -> Quantity | None:
    if isinstance(number, Quantity):
        return number
    if isinstance(number, Plain) and not isinstance(number, bool):
        return Quantity(float(number), {})
    return None


def _pure(number: object, role: str) -> float:
    quantity = _read(number)
    if quantity is None or quantity.powers:
        raise DimensionError(f"{number!r} cannot be {role}: it has a dimension or is no number")
    return quantity.value


def _text(powers: Powers) -> str:
    return " ".join(unit if power == 1 else f"{unit}^{power}" for unit, power in powers.items()) or "(pure number)"


def amount(quantity: object, unit: Quantity | Plain) -> float:
    """How many `unit` the quantity is; raises DimensionError where it is of another dimension. `unit=1` asks for a pure number."""
    read, wanted = _read(quantity), _read(unit)
    if read is None or wanted is None or read.powers != wanted.powers:
        raise DimensionError(f"{quantity!r} is not measured in {unit!r}")
    return read.value / wanted.value


S = Quantity(1.0, {"s": Fraction(1)})
BYTE = Quantity(1.0, {"byte": Fraction(1)})
FLOP = Quantity(1.0, {"flop": Fraction(1)})
TOKEN = Quantity(1.0, {"token": Fraction(1)})
REQUEST = Quantity(1.0, {"request": Fraction(1)})
USD = Quantity(1.0, {"usd": Fraction(1)})
W = Quantity(1.0, {"w": Fraction(1)})
