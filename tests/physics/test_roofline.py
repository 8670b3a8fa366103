"""The roofline: worked by hand, bounded by its two times, never made slower by faster hardware."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.physics.roofline import compute_fill, ridge_flop_per_byte, roofline_s

FULL_OVERLAP = 1e3
times = st.floats(1e-6, 1e3)
faster = st.floats(1, 1e3)
sharpness = st.floats(1, 50)


def test_decode_step_of_a_published_example() -> None:
    """30 billion int8 weights on 16 TPU v5e; 4 sequences of 8,192 tokens at 100 kB, 819 MB each (scaling-book, inference).

    Moving: (4 x 819e6 + 30e9) / (16 x 8.1e11) = 33.276e9 / 12.96e12 = 2.5676 ms (the book says about 2.5).
    Computing: 2 x 30e9 x 4 / (16 x 1.97e14) = 0.076 ms, hidden behind it.
    """
    step_s = roofline_s(
        moved_bytes=4 * 819e6 + 30e9, flop=2 * 30e9 * 4, bytes_per_s=16 * 8.1e11, flop_per_s=16 * 1.97e14, sharpness=FULL_OVERLAP
    )
    assert step_s == pytest.approx(2.5676e-3, rel=1e-4)


def test_without_overlap_times_add_up() -> None:
    """6e9 / 2e12 = 3 ms to move and 4e12 / 1e15 = 4 ms to compute: 7 ms with q = 1; 5 ms with q = 2 (3-4-5 triangle); 4 ms overlapped."""
    example = {"moved_bytes": 6e9, "flop": 4e12, "bytes_per_s": 2e12, "flop_per_s": 1e15}
    assert roofline_s(**example, sharpness=1.0) == pytest.approx(7e-3)
    assert roofline_s(**example, sharpness=2.0) == pytest.approx(5e-3)
    assert roofline_s(**example, sharpness=FULL_OVERLAP) == pytest.approx(4e-3)


def test_nothing_to_compute_leaves_the_time_to_move() -> None:
    """3e9 bytes at 3e12 bytes/s: 1 ms, and likewise for nothing to move."""
    assert roofline_s(moved_bytes=3e9, flop=0.0, bytes_per_s=3e12, flop_per_s=1e15, sharpness=1.16) == pytest.approx(1e-3)
    assert roofline_s(moved_bytes=0.0, flop=2e12, bytes_per_s=3e12, flop_per_s=1e15, sharpness=1.16) == pytest.approx(2e-3)


@given(moving=times, computing=times, q=sharpness)
def test_lies_between_the_larger_time_and_the_sum(moving: float, computing: float, q: float) -> None:
    """With rates of 1, bytes and FLOP are seconds."""
    found = roofline_s(moved_bytes=moving, flop=computing, bytes_per_s=1.0, flop_per_s=1.0, sharpness=q)
    assert max(moving, computing) * (1 - 1e-9) <= found <= (moving + computing) * (1 + 1e-9)


@pytest.mark.filterwarnings("error")
def test_nothing_to_move_and_nothing_to_compute_takes_no_time() -> None:
    """A model without experts, beside one that has them, at any overlap; the other position is what it is alone: max(3, 4) at q = 50."""
    moved, flop = np.array([0.0, 3.0, 0.0, 5.0]), np.array([0.0, 4.0, 2.0, 0.0])
    for q in (1.0, 1.2, 50.0):
        seconds = roofline_s(moved_bytes=moved, flop=flop, bytes_per_s=np.ones(4), flop_per_s=np.ones(4), sharpness=np.full(4, q))
        both = roofline_s(moved_bytes=3.0, flop=4.0, bytes_per_s=1.0, flop_per_s=1.0, sharpness=q)
        assert seconds.tolist() == pytest.approx([0.0, both, 2.0, 5.0])


@given(moving=times, computing=times, q=sharpness, memory=faster, units=faster)
def test_faster_hardware_is_never_slower(moving: float, computing: float, q: float, memory: float, units: float) -> None:
    slow = roofline_s(moved_bytes=moving, flop=computing, bytes_per_s=1.0, flop_per_s=1.0, sharpness=q)
    for bytes_per_s, flop_per_s in ((memory, 1.0), (1.0, units), (memory, units)):
        fast = roofline_s(moved_bytes=moving, flop=computing, bytes_per_s=bytes_per_s, flop_per_s=flop_per_s, sharpness=q)
        assert fast <= slow * (1 + 1e-9)


@given(moving=times, computing=times, q=sharpness)
def test_more_overlap_is_never_slower(moving: float, computing: float, q: float) -> None:
    work = {"moved_bytes": moving, "flop": computing, "bytes_per_s": 1.0, "flop_per_s": 1.0}
    assert roofline_s(**work, sharpness=2 * q) <= roofline_s(**work, sharpness=q) * (1 + 1e-9)


def test_thin_products_leave_units_idle() -> None:
    """With half saturation at 20 rows and 5 % at least: 20 rows 20/40 + 0.05 = 0.55; 5 rows 5/25 + 0.05 = 0.25; 1000 rows all of it."""
    assert compute_fill(rows=20.0, half_rows=20.0, least=0.05) == pytest.approx(0.55)
    assert compute_fill(rows=5.0, half_rows=20.0, least=0.05) == pytest.approx(0.25)
    assert compute_fill(rows=1000.0, half_rows=20.0, least=0.05) == 1.0


@given(rows=st.floats(1, 1e6), more=st.floats(1, 100), half_rows=st.floats(0.1, 100), least=st.floats(0.001, 0.2))
def test_fill_is_a_share_and_more_rows_take_no_less_time(rows: float, more: float, half_rows: float, least: float) -> None:
    few = compute_fill(rows=rows, half_rows=half_rows, least=least)
    many = compute_fill(rows=rows * more, half_rows=half_rows, least=least)
    assert 0 < few <= many <= 1
    assert rows * more / many >= rows / few * (1 - 1e-9)


def test_ridge_of_a_data_sheet() -> None:
    """H100 SXM: 989e12 FLOP/s over 3.35e12 bytes/s = 295.2 FLOP per byte."""
    assert ridge_flop_per_byte(flop_per_s=989e12, bytes_per_s=3.35e12) == pytest.approx(295.2, rel=1e-3)
