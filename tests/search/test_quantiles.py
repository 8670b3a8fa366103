"""Means and quantiles of streams: exact while short, in bins when long, never more memory."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra_advisor.search import quantiles
from infra_advisor.search.quantiles import Times

SHARES = (0.5, 0.9, 0.95, 0.99)


def filled(values: "list[float] | np.ndarray") -> Times:
    times = Times()
    for value in values:
        times.add(float(value))
    return times


def test_nothing_has_no_mean_and_no_quantile() -> None:
    assert Times().mean_s is None
    assert Times().quantile_s(0.5) is None
    assert Times().count == 0


def test_quantiles_of_eleven_values() -> None:
    """0, 0.1 ... 1.0 s: the p50 is the sixth, the p95 lies half-way between the tenth and the eleventh, in whatever order they come."""
    times = filled([0.3, 1.0, 0.0, 0.7, 0.1, 0.9, 0.2, 0.8, 0.5, 0.4, 0.6])
    assert times.mean_s == pytest.approx(0.5)
    assert [times.quantile_s(share) for share in (0.0, 0.5, 0.95, 1.0)] == pytest.approx([0.0, 0.5, 0.95, 1.0])


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(1e-6, 1e5), min_size=1, max_size=200), st.floats(0, 1))
def test_short_streams_are_exact(values: list[float], share: float) -> None:
    times = filled(values)
    assert times.quantile_s(share) == float(np.quantile(values, share))
    assert times.mean_s == pytest.approx(sum(values) / len(values))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams are long from 500 values on, so that tests are short."""
    monkeypatch.setattr(quantiles, "EXACT_UP_TO", 500)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("length", [500, 501, 999, 20_000])
@pytest.mark.parametrize("spread", [0.01, 1.0, 3.0])
def test_long_streams_are_right_to_a_fifth_of_a_per_cent(length: int, spread: float) -> None:
    """A bin is 0.2 % wide and its middle is told, so 0.1 %, and what lies between two neighbours; the mean stays exact."""
    values = np.random.Generator(np.random.PCG64(7)).lognormal(math.log(0.2), spread, length)
    times = filled(values)
    for share in SHARES:
        low, high = (float(np.quantile(values, share, method=method)) for method in ("lower", "higher"))
        found = times.quantile_s(share)
        assert found is not None
        assert low * 0.998 <= found <= high * 1.002
    assert times.mean_s == pytest.approx(float(np.mean(values)), rel=1e-12)
    assert times.count == length


@pytest.mark.usefixtures("small")
def test_a_question_in_between_changes_nothing() -> None:
    asked, plain = Times(), Times()
    for number in range(2000):
        asked.add(0.001 * (1 + number % 700))
        plain.add(0.001 * (1 + number % 700))
        if number % 300 == 0:
            asked.quantile_s(0.9)
    for share in SHARES:
        assert asked.quantile_s(share) == plain.quantile_s(share)


@pytest.mark.usefixtures("small")
def test_equal_and_tiny_times_in_a_long_stream() -> None:
    """All alike: every quantile is that time. Below 0.1 us all count as 0.1 us."""
    alike = filled([0.25] * 3000)
    assert [alike.quantile_s(share) for share in (0.0, 0.5, 1.0)] == pytest.approx([0.25] * 3, rel=2e-3)
    assert filled([0.0] * 3000).quantile_s(0.99) == pytest.approx(1e-7, rel=2e-3)


@pytest.mark.usefixtures("small")
def test_memory_does_not_grow_with_the_stream() -> None:
    """Times from 1 ms to 1,000 s are six decades: ln(10^6) / ln(1.002) = 6,915 bins at most, however many times come."""
    times = filled(np.geomspace(1e-3, 1e3, 60_000))
    assert len(times._values) < 500
    assert 6000 < len(times._bins) <= 6916
    assert sum(times._bins.values()) + len(times._values) == 60_000
