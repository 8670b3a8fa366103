"""The chart keeps its frame, its order and its gaps."""

import pytest

from infra_advisor.present.blocks import Chart
from infra_advisor.present.plot import HEIGHT, draw


def chart(*values: float | None, limit: float | None = None) -> Chart:
    texts = tuple("?" if value is None else f"{value:g} ms" for value in values)
    return Chart("TPOT", tuple(str(2**n) for n in range(len(values))), values, texts, limit, "" if limit is None else f"{limit:g} ms")


def heights(lines: list[str], column: int) -> int:
    """Rows of the frame in which the column is marked."""
    return sum(line[column : column + 1] not in ("", " ", "╌", "-") for line in lines[1 : HEIGHT + 1])


@pytest.mark.parametrize("width", [20, 30, 80])
@pytest.mark.parametrize("blocks", [True, False])
def test_it_stays_inside_the_width(width: int, blocks: bool) -> None:
    lines = draw(chart(*range(1, 40), limit=20), width=width, blocks=blocks)
    assert all(len(line) <= width for line in lines)
    assert len(lines) == HEIGHT + 3
    assert blocks or "".join(lines).isascii()


def test_higher_values_make_higher_columns() -> None:
    lines = draw(chart(1.0, 4.0, 8.0), width=40, blocks=True)
    start = lines[1].index("│") + 1
    found = [heights(lines, start + 6 * n) for n in range(3)]
    assert found == [1, 4, 8]  # of eight rows: 1/8, 4/8 and all


def test_the_largest_value_and_the_limit_are_labelled() -> None:
    text = "\n".join(draw(chart(10.0, 30.0, limit=20.0), width=40))
    assert "30 ms │" in text
    assert "20 ms │" in text


def test_an_unknown_value_leaves_a_gap() -> None:
    assert "?" in draw(chart(1.0, None, 2.0), width=40)[HEIGHT]


def test_a_value_that_dwarfs_all_others_is_cut_and_marked() -> None:
    lines = draw(chart(1.0, 2.0, 100.0), width=40)
    assert "▲" in lines[1]
    assert "100 ms" in lines[1]
    assert heights(lines, lines[1].index("│") + 7) == 3  # 2 of a cut top of 6: a third of eight rows


def test_nothing_known_is_only_a_title() -> None:
    assert draw(chart(None, None), width=40) == ["TPOT"]
