"""The dimension-carrying number refuses what a float would hide, and nothing else."""

import operator
from collections.abc import Callable

import pytest

from dimensions import BYTE, FLOP, TOKEN, USD, DimensionError, Quantity, S, W, amount
from infra_advisor.physics.elementwise import ceil, log2, maximum, minimum, smooth_maximum


def test_division_and_multiplication_combine_dimensions() -> None:
    """6 bytes / (3 bytes/s) = 2 s; 2 s x 5 W = 10 W s; 4 USD / 2 token = 2 USD/token."""
    assert amount(6 * BYTE / (3 * BYTE / S), S) == 2
    assert amount(2 * S * (5 * W), W * S) == 10
    assert amount(4 * USD / (2 * TOKEN), USD / TOKEN) == 2
    assert amount(1 / (4 * S), 1 / S) == 0.25


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge, operator.eq])
def test_bytes_and_bytes_per_second_do_not_mix(operation: Callable[[object, object], object]) -> None:
    with pytest.raises(DimensionError, match="byte"):
        operation(1 * BYTE, 1 * BYTE / S)
    with pytest.raises(DimensionError, match="pure number"):
        operation(1 * BYTE, 1.0)
    with pytest.raises(DimensionError, match="pure number"):
        operation(1.0, 1 * BYTE)


def test_same_dimension_adds_subtracts_and_compares() -> None:
    assert amount(2 * S + 3 * S, S) == 5
    assert amount(2 * S - 3 * S, S) == -1
    assert amount(-(2 * S), S) == -2
    assert amount(abs(-2 * S), S) == 2
    assert 2 * S < 3 * S
    assert 3 * S >= 3 * S
    assert 2 * S == 2 * S
    assert 2 * S != 3 * S


def test_zero_has_every_dimension() -> None:
    """sum() starts from a plain 0, and `x > 0` asks no unit; a zero with a unit keeps it."""
    assert amount(sum([1 * BYTE, 2 * BYTE]), BYTE) == 3
    assert 1 * BYTE > 0
    assert amount(0 - 2 * S, S) == -2
    with pytest.raises(DimensionError):
        0 * BYTE + 1 * S


def test_a_ratio_is_a_pure_number() -> None:
    assert amount(1 + 6 * BYTE / (2 * BYTE), 1) == 4
    assert float(6 * BYTE / (2 * BYTE)) == 3
    assert amount(2 ** (6 * S / (2 * S)), 1) == 8


def test_powers_multiply_dimensions() -> None:
    assert amount((3 * S) ** 2, S * S) == 9
    assert amount(((3 * S) ** 2) ** 0.5, S) == pytest.approx(3)
    assert amount(((8 * S) ** (1 / 3)) ** 3, S) == pytest.approx(8)


@pytest.mark.parametrize(
    "misuse",
    [
        lambda: 2 ** (3 * S),
        lambda: (2 * S) ** (3 * S),
        lambda: float(2 * S),
        lambda: amount(2 * S, BYTE),
        lambda: amount(2.0, S),
        lambda: amount(2 * S, 1),
        lambda: log2(2 * S),
        lambda: ceil(2 * S),
        lambda: 2 * S + "3 s",
        lambda: 2 * S + True,
    ],
)
def test_misuse_raises(misuse: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        misuse()


def test_numpy_functions_accept_pure_quantities() -> None:
    assert float(ceil(5 * BYTE / (2 * BYTE))) == 3
    assert float(log2(8 * BYTE / (1 * BYTE))) == 3


def test_elementwise_functions_keep_the_dimension() -> None:
    """q = 1 is the sum 3 + 4 = 7; q = 2 is sqrt(9 + 16) = 5; the larger of 3 and 4 is 4."""
    short, long = 3 * S, 4 * S
    assert amount(maximum(short, long), S) == 4
    assert amount(minimum(short, long), S) == 3
    assert amount(smooth_maximum(short, long, 1), S) == pytest.approx(7)
    assert amount(smooth_maximum(long, short, 2), S) == pytest.approx(5)
    with pytest.raises(DimensionError):
        smooth_maximum(3 * S, 4 * FLOP, 2)


def test_repr_names_the_dimension() -> None:
    assert repr(3 * BYTE / S) == "3 byte s^-1"
    assert repr(Quantity(3.0, {})) == "3 (pure number)"
