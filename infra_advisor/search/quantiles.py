"""Mean and quantiles of a stream of times in bounded memory."""

import math
from array import array

import numpy as np
from numpy.typing import NDArray

EXACT_UP_TO = 1 << 18
"""Values kept as they are; more are counted in bins."""
BIN_RATIO = 1.002
"""Width of a bin: quantiles of long streams are right to 0.1 %."""
SHORTEST_S = 1e-7


class Times:
    """Times as they come. [s]"""

    def __init__(self) -> None:
        self._values = array("d")
        self._bins: dict[int, int] = {}
        self._sum = 0.0
        self.count = 0

    def add(self, seconds: float) -> None:
        """One more."""
        self.count += 1
        self._sum += seconds
        self._values.append(seconds)
        if len(self._values) >= EXACT_UP_TO:
            self._pack()

    @property
    def mean_s(self) -> float | None:
        """None where there is none."""
        return self._sum / self.count if self.count else None

    def quantile_s(self, share: float) -> float | None:
        """The time that `share` of all do not exceed; between two neighbours in proportion."""
        if not self.count:
            return None
        if not self._bins:
            return _between_neighbours(np.frombuffer(self._values, dtype=float), share)
        self._pack()
        wanted, passed = share * self.count, 0
        for place in sorted(self._bins):
            passed += self._bins[place]
            if passed >= wanted:
                return float(SHORTEST_S * BIN_RATIO ** (place + 0.5))
        raise AssertionError("a quantile lies among the values")

    def _pack(self) -> None:
        values = np.maximum(np.frombuffer(self._values, dtype=float), SHORTEST_S)
        places, counts = np.unique(np.floor(np.log(values / SHORTEST_S) / math.log(BIN_RATIO)).astype(int), return_counts=True)
        for place, count in zip(places.tolist(), counts.tolist(), strict=True):
            self._bins[place] = self._bins.get(place, 0) + count
        self._values = array("d")


def _between_neighbours(values: NDArray[np.float64], share: float) -> float:
    """What `np.quantile` says, without its handling of axes and weights, which takes longer than a run's few hundred values."""
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    ordered = np.partition(values, (below, above))
    low, high, part = float(ordered[below]), float(ordered[above]), place - below
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1.0 - part)  # from the nearer one: it is met exactly
