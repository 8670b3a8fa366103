"""One file read from disk: what is refused, and that every problem names file and place."""

import os
import time
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from infra_advisor.facts import files
from infra_advisor.facts.fact import Record
from infra_advisor.facts.files import explain, read_rows, read_text, read_yaml


class Price(Record):
    id: str
    usd: Annotated[float, Field(gt=0)] | None = None
    from_: Annotated[str | None, Field(alias="from")] = None


def yaml_of(path: Path, text: str | bytes) -> tuple[object, list[str]]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    problems: list[str] = []
    return read_yaml(path, problems), problems


def rows_of(path: Path, text: str) -> tuple[list[Price], list[str]]:
    path.write_text(text, encoding="utf-8")
    problems: list[str] = []
    return list(read_rows(path, Price, problems)), problems


# -- any file


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    """A pipe without a writer would be waited for until the end of time."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "missing", Path("/dev/null")):
        problems: list[str] = []
        assert read_text(path, problems) is None
        assert problems == [f"{path}: not a regular file"]


def test_an_unreadable_file_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1", encoding="utf-8")

    def denied(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    problems: list[str] = []
    assert read_text(path, problems) is None
    assert problems == [f"{path}: Permission denied"]


def test_a_file_is_utf_8_with_or_without_a_mark(tmp_path: Path) -> None:
    assert yaml_of(tmp_path / "a.yaml", "\ufeffname: 札幌".encode()) == ({"name": "札幌"}, [])
    document, problems = yaml_of(tmp_path / "a.yaml", "name: 札幌".encode("shift_jis"))
    assert document is None
    assert problems == [f"{tmp_path / 'a.yaml'}: not UTF-8 (byte 6); save it as UTF-8"]


def test_a_file_has_an_upper_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST_FILE_BYTES", 5)
    assert yaml_of(tmp_path / "a.yaml", "abc: 1") == (None, [f"{tmp_path / 'a.yaml'}: 6 bytes; a catalog file holds at most 5"])


# -- YAML


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("a: 1\nb: 2\na: 3", 3, "the key 'a' appears twice"),
        ("chips:\n- id: x\n  power: {is: 1 W, is: 2 W}", 3, "the key 'is' appears twice"),
        ("a: &x [1]\nb: *x", 2, "aliases"),
        ("a: {b: [*x]}", 1, "alias"),
        ("a: !!python/object/apply:os.system [ls]", 1, "tag"),
        ("a: 1\n---\nb: 2", 2, "document"),
        ("a: [1", 2, "did not find expected"),
        ("\n\n{a: 1, : }}", 3, ""),
        ("a: " + "[" * 100_000, 1, "deep"),
        ("\n".join(f"{' ' * depth}a:" for depth in range(500)), 41, "deep"),
        ("? [a]\n: 1", 1, "key"),
        ("a: \x07", 1, ""),
    ],
    ids=[
        "key-twice",
        "nested-key-twice",
        "alias",
        "alias-inside",
        "tag",
        "two-documents",
        "unclosed",
        "syntax",
        "deep-flow",
        "deep-block",
        "list-key",
        "bell",
    ],
)
def test_yaml_refuses(tmp_path: Path, text: str, line: int, complaint: str) -> None:
    path = tmp_path / "a.yaml"
    document, problems = yaml_of(path, text)
    assert document is None
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:{line}: " if complaint else f"{path}")
    assert complaint in problems[0]


def test_a_bomb_of_aliases_is_refused_at_once(tmp_path: Path) -> None:
    """Nine levels of nine references each would be 3.9e8 entries."""
    levels = "\n".join(f"{chr(98 + k)}: &{chr(98 + k)} [{', '.join([f'*{chr(97 + k)}'] * 9)}]" for k in range(9))
    started = time.perf_counter()
    document, problems = yaml_of(tmp_path / "a.yaml", f"a: &a [x]\n{levels}\n")
    assert document is None
    assert "aliases" in problems[0]
    assert time.perf_counter() - started < 1.0


def test_a_number_of_endless_digits_is_a_problem(tmp_path: Path) -> None:
    document, problems = yaml_of(tmp_path / "a.yaml", "a: " + "9" * 10_000)
    assert document is None
    assert len(problems) == 1
    assert "digits" in problems[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-22", "2026-11-22"),
        ("2026-99-99", "2026-99-99"),
        ("NO", "NO"),
        ("1:30", "1:30"),
        ("0x10", "0x10"),
        ("true", True),
        ("12", 12),
        ("1.5e3", 1500.0),
        ("", None),
        ("'12'", "12"),
        ("C#", "C#"),
        ("1_000", "1_000"),
    ],
)
def test_a_plain_word_stays_a_word(tmp_path: Path, text: str, value: object) -> None:
    """Norway is not false, a version is no sexagesimal number, a day is a day as written."""
    document, problems = yaml_of(tmp_path / "a.yaml", f"a: {text}")
    assert problems == []
    assert document == {"a": value}
    assert isinstance(document, dict)
    assert type(document["a"]) is type(value)


def test_an_ampersand_or_star_in_words_is_no_alias(tmp_path: Path) -> None:
    assert yaml_of(tmp_path / "a.yaml", "a: R&D *fast*\nb: 'x *y'") == ({"a": "R&D *fast*", "b": "x *y"}, [])


# -- CSV


def test_empty_cells_are_unknown_and_aliases_name_columns(tmp_path: Path) -> None:
    rows, problems = rows_of(tmp_path / "a.csv", 'id,usd,from\na,1.5,2026-01-01\n"b,c",,\n')
    assert problems == []
    assert rows == [Price.model_validate({"id": "a", "usd": 1.5, "from": "2026-01-01"}), Price(id="b,c")]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("id,price\na,1\n", [": unknown columns price; known: id, usd, from"]),
        ("id,id\na,b\n", [": a column appears twice; columns: id, usd, from"]),
        ("", [": no header; columns: id, usd, from"]),
        ("id,usd\na,1,2\nb\n", [":2: 3 cells, the header has 2", ":3: 1 cells, the header has 2"]),
        ("id,usd\na,-1\nb,x\nc,nan\n", [":2: usd: Input should be greater than 0", ":3: usd: Input should be a valid number", ":4: usd: "]),
        ("usd\n1\n", [":2: id: Field required"]),
        ('id,usd\n"a,1\n', [":2: unexpected end of data"]),
        ('id,usd\n"a"b,1\n', [":2: ',' expected after '\"'"]),
    ],
    ids=["unknown-column", "column-twice", "empty", "cells", "values", "missing-column", "open-quote", "quote-inside"],
)
def test_csv_names_every_problem_with_its_line(tmp_path: Path, text: str, problems: list[str]) -> None:
    path = tmp_path / "a.csv"
    rows, found = rows_of(path, text)
    assert rows == []
    assert len(found) == len(problems)
    for line, expected in zip(found, problems, strict=True):
        assert line.startswith(f"{path}{expected}")


def test_a_bad_row_does_not_hide_the_good_ones(tmp_path: Path) -> None:
    rows, problems = rows_of(tmp_path / "a.csv", "id,usd\na,1\nb,0\n\nc,2\n")
    assert [row.id for row in rows] == ["a", "c"]
    assert problems == [f"{tmp_path / 'a.csv'}:3: usd: Input should be greater than 0"]


def test_a_table_ends_somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_ROWS", 3)
    rows, problems = rows_of(tmp_path / "a.csv", "id\na\nb\nc\nd\ne\n")
    assert [row.id for row in rows] == ["a", "b", "c"]
    assert problems == [f"{tmp_path / 'a.csv'}:5: more than 3 rows; the rest is not read"]


def test_a_table_of_another_kind_is_not_complained_about_forever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_PROBLEMS", 2)
    _, problems = rows_of(tmp_path / "a.csv", "id,usd\n" + "a,0\n" * 50)
    assert len(problems) == 3
    assert problems[-1] == f"{tmp_path / 'a.csv'}:4: 2 problems so far; the rest is not read"


def test_explain_says_where_and_what() -> None:
    with pytest.raises(ValidationError) as caught:
        Price.model_validate({"usd": -1, "colour": "red"})
    assert explain(caught.value) == ["id: Field required", "usd: Input should be greater than 0", "colour: Extra inputs are not permitted"]
