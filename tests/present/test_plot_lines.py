"""Lines in characters: inside the width, at the right height, whatever the values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.present.blocks import Lines, Series
from infra_advisor.present.plot_lines import HEIGHT, draw_lines


def lines(*values: tuple[float, ...], title: str = "USD", names: str = "abcd") -> Lines:
    series = tuple(Series(names[place], f"way {names[place]}", y) for place, y in enumerate(values))
    return Lines(title, tuple(f"{n}M" for n in range(1, len(values[0]) + 1)), series, lambda value: f"{value:g}")


def frame(drawn: list[str]) -> list[str]:
    """What stands right of the scale."""
    rows = drawn[1 : HEIGHT + 1]
    start = rows[0].index("│") + 1
    return [row[start:] for row in rows]


@pytest.mark.parametrize("width", [1, 5, 10, 20, 60, 72, 100, 300])
@pytest.mark.parametrize("blocks", [True, False])
def test_it_stays_inside_the_width(width: int, blocks: bool) -> None:
    drawn = draw_lines(lines((1.0, 10.0, 123_456.0), (5.0, 5.0, 5.0), title="USD – a month"), width=width, blocks=blocks)
    assert all(len(line) <= width for line in drawn)
    assert blocks or "".join(drawn).isascii()
    assert len(drawn) in (1, HEIGHT + 4)
    assert len(drawn) == HEIGHT + 4 or width < 12


def test_a_power_law_is_a_straight_line() -> None:
    """From 1 to 10^11 in twelve rows, and twelve columns for twelve decades: one row for each."""
    rows = frame(draw_lines(lines(tuple(10.0**n for n in range(12))), width=len("1e+11") + 2 + 12))
    assert [row.index("a") for row in rows] == list(range(11, -1, -1))


def test_ends_are_labelled_and_lines_are_named() -> None:
    drawn = draw_lines(lines((2.0, 30.0), (4.0, 5.0)), width=60)
    assert drawn[1].startswith("30 │")
    assert drawn[HEIGHT].startswith(" 2 │")
    assert drawn[-1].strip() == "a way a   b way b"
    assert drawn[-2].split() == ["1M", "2M"]


def test_where_lines_meet_a_star_stands() -> None:
    rows = frame(draw_lines(lines((1.0, 100.0), (100.0, 1.0)), width=40))
    assert sum("*" in row for row in rows) >= 1
    assert rows[0][0] == "b"
    assert rows[0].rstrip()[-1] == "a"


def test_one_point_or_nothing_is_only_a_title() -> None:
    assert draw_lines(lines((3.0,)), width=40) == ["USD"]
    assert draw_lines(lines((0.0, 0.0)), width=40) == ["USD"]


def test_equal_values_lie_on_one_row() -> None:
    rows = frame(draw_lines(lines((7.0, 7.0, 7.0)), width=40))
    assert [bool(row) for row in rows] == [False] * (HEIGHT - 1) + [True]


def test_what_is_not_above_zero_leaves_a_gap() -> None:
    """Of four places two are zero: the line runs between the others only."""
    rows = frame(draw_lines(lines((0.0, 0.0, 1.0, 10.0)), width=60))
    first = min(row.index("a") for row in rows if "a" in row)
    assert first == pytest.approx(max(map(len, rows)) * 2 / 3, abs=1)


@given(
    values=st.lists(st.tuples(st.floats(-1e6, 1e15), st.floats(0, 1e15)), min_size=1, max_size=30),
    width=st.integers(0, 120),
    blocks=st.booleans(),
)
def test_no_values_crash(values: list[tuple[float, float]], width: int, blocks: bool) -> None:
    one, other = zip(*values, strict=True)
    drawn = draw_lines(lines(one, other), width=width, blocks=blocks)
    assert all(len(line) <= width for line in drawn)
