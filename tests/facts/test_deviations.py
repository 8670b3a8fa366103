"""The table of deviations: read as written, and every bad row a problem with its file and line."""

from pathlib import Path

import pytest
from catalogs import FROZEN, frozen_catalog, frozen_copy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra_advisor.facts.deviations import COLUMNS, Deviation, read_deviations, written

HEADER = "family,group,member,parameter,offset,rows"
GOOD = "serving-nvidia,chip,h100-sxm,layer_s,-0.0513,20"


def read(path: Path, *lines: str) -> tuple[list[Deviation], list[str]]:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    problems: list[str] = []
    return read_deviations(path, problems), problems


def test_rows_are_read_as_written(tmp_path: Path) -> None:
    found, problems = read(tmp_path / "deviations.csv", HEADER, GOOD, '"a","b,c",d,e,1e-3,0')
    assert problems == []
    assert found == [
        Deviation("serving-nvidia", "chip", "h100-sxm", "layer_s", -0.0513, 20),
        Deviation("a", "b,c", "d", "e", 0.001, 0),
    ]


@pytest.mark.parametrize(
    "row",
    [
        "serving-nvidia,chip,h100-sxm,layer_s,-0.0513",
        "serving-nvidia,chip,h100-sxm,layer_s,-0.0513,20,extra",
        "serving-nvidia,chip,h100-sxm,layer_s,fast,20",
        "serving-nvidia,chip,h100-sxm,layer_s,-0.0513,many",
        "serving-nvidia,chip,h100-sxm,layer_s,-0.0513,2.5",
        "serving-nvidia,chip,h100-sxm,layer_s,,20",
        "serving-nvidia,chip,h100-sxm,layer_s,nan,20",
        "serving-nvidia,chip,h100-sxm,layer_s,inf,20",
        "serving-nvidia,chip,h100-sxm,layer_s,-inf,20",
        "serving-nvidia,chip,h100-sxm,layer_s,-0.0513,-1",
        '"serving-nvidia,chip,h100-sxm,layer_s,-0.0513,20',
    ],
    ids=[
        "short", "long", "offset", "rows", "fraction", "empty", "nan", "inf", "minus inf", "negative rows", "open quote",
    ],
)  # fmt: skip
def test_a_bad_row_is_a_problem_with_file_and_line(tmp_path: Path, row: str) -> None:
    """On line 3, after the header and a good row; the good one is still read."""
    path = tmp_path / "deviations.csv"
    found, problems = read(path, HEADER, GOOD, row)
    assert [problem.partition(": ")[0] for problem in problems] == [f"{path}:3"]
    assert found == [Deviation("serving-nvidia", "chip", "h100-sxm", "layer_s", -0.0513, 20)]


def test_every_bad_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "deviations.csv"
    found, problems = read(path, HEADER, "a,b", GOOD, "a,b,c,d,e,f")
    assert len(found) == 1
    assert [problem.partition(": ")[0] for problem in problems] == [f"{path}:2", f"{path}:4"]


@pytest.mark.parametrize("header", ["family,group,member,parameter,offset", "family,group,member,parameter,rows,offset", "id", GOOD])
def test_other_columns_are_refused(tmp_path: Path, header: str) -> None:
    path = tmp_path / "deviations.csv"
    assert read(path, header, GOOD) == ([], [f"{path}: the columns must be {', '.join(COLUMNS)}"])


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    for name, content in (("empty.csv", b""), ("sjis.csv", "家族".encode("shift_jis"))):
        (tmp_path / name).write_bytes(content)
        problems: list[str] = []
        assert read_deviations(tmp_path / name, problems) == []
        assert [problem.startswith(f"{tmp_path / name}: ") for problem in problems] == [True]
    problems = []
    assert read_deviations(tmp_path / "missing.csv", problems) == []
    assert problems == [f"{tmp_path / 'missing.csv'}: not a regular file"]


NAMES = st.text("abcXYZ019-./@+ ,\"'", min_size=1, max_size=12)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(
        st.builds(Deviation, NAMES, NAMES, NAMES, NAMES, st.integers(-99999, 99999).map(lambda n: n / 10_000), st.integers(0, 9999))
    )
)
def test_what_is_written_is_read(tmp_path: Path, rows: list[Deviation]) -> None:
    """Sorted by names, offsets to four decimals; writing it again changes nothing."""
    path = tmp_path / "deviations.csv"
    path.write_text(written(rows), encoding="utf-8")
    problems: list[str] = []
    found = read_deviations(path, problems)
    assert problems == []
    assert sorted(found) == sorted(rows)
    assert [one[:4] for one in found] == sorted(one[:4] for one in rows)
    assert written(found) == path.read_text(encoding="utf-8")


def test_the_catalog_reads_the_table_and_none_is_no_deviation(tmp_path: Path) -> None:
    problems: list[str] = []
    assert list(frozen_catalog().deviations) == read_deviations(FROZEN / "deviations.csv", problems) != []
    assert problems == []
    base = frozen_copy(tmp_path)
    (base / "deviations.csv").unlink()
    assert list(frozen_catalog(base=base).deviations) == []


def test_the_tables_of_this_repository_are_as_the_program_writes_them() -> None:
    text = (FROZEN / "deviations.csv").read_text(encoding="utf-8")
    assert text == written(frozen_catalog().deviations)
