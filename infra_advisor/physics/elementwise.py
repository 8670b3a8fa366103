"""Arithmetic that works on a float, on a numpy array, and on a number that carries its dimension.

Physics is written with + - * / ** and these functions only, so one formula serves one question and a whole catalog.
"""

from typing import Any, TypeAlias

import numpy as np

MOST_EXPONENT = 700.0

Number: TypeAlias = Any
"""A float, or a numpy array of floats; physics functions return what they were given."""


def maximum(a: Number, b: Number) -> Number:
    """The larger of the two, element by element."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.maximum(a, b)
    return a if a >= b else b


def minimum(a: Number, b: Number) -> Number:
    """The smaller of the two, element by element."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.minimum(a, b)
    return a if a <= b else b


def smooth_maximum(a: Number, b: Number, sharpness: Number) -> Number:
    """(a^q + b^q)^(1/q): q = 1 is the sum (no overlap), a large q the maximum (full overlap).

    Written on the ratio, so that units survive and nothing overflows. In arrays both may be zero: the result is.
    """
    high, low = maximum(a, b), minimum(a, b)
    ratio = np.divide(low, high, out=np.zeros_like(high), where=high > 0.0) if isinstance(high, np.ndarray) else low / high
    return high * (1.0 + ratio**sharpness) ** (1.0 / sharpness)


def ceil(value: Number) -> Number:
    """The next whole number not below, for pure numbers."""
    return np.ceil(value) if isinstance(value, np.ndarray) else float(np.ceil(value))


def floor(value: Number) -> Number:
    """The whole number not above, for pure numbers."""
    return np.floor(value) if isinstance(value, np.ndarray) else float(np.floor(value))


def log2(value: Number) -> Number:
    """Binary logarithm of a pure number."""
    return np.log2(value) if isinstance(value, np.ndarray) else float(np.log2(value))


def log(value: Number) -> Number:
    """Natural logarithm of a pure number."""
    return np.log(value) if isinstance(value, np.ndarray) else float(np.log(value))


def exp(value: Number) -> Number:
    """e to a pure number, at most e^700: beyond, floats end."""
    return np.exp(np.minimum(value, MOST_EXPONENT)) if isinstance(value, np.ndarray) else float(np.exp(min(value, MOST_EXPONENT)))


def where(condition: Number, if_true: Number, if_false: Number) -> Number:
    """`if_true` where the condition holds, else `if_false`; both are evaluated."""
    if isinstance(condition, np.ndarray):
        return np.where(condition, if_true, if_false)
    return if_true if condition else if_false
