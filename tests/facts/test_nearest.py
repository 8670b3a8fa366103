"""The index of measured points: what is kept of a series, the same text for the same points, and a bundled file that tells the truth."""

import dataclasses
import itertools
import random
from collections import Counter
from pathlib import Path

import pytest
from catalogs import BUNDLED, real_catalog

from infra_advisor.errors import CatalogError
from infra_advisor.facts.evidence import Measurement, evidence_files, read_evidence
from infra_advisor.facts.evidence_use import usable_for_fit
from infra_advisor.facts.nearest import COLUMNS, FILE, KEYS, MeasuredPoint, chosen, read_index, written

FINE = MeasuredPoint(
    chip="h100-sxm", model_arch="llama-3.1-8b-instruct", known_as="vllm", weight_dtype="fp8", mixture=False, active_parameters=7.5e9,
    chips=2.0, replicas=1.0, input_tokens=1024.0, output_tokens=256.0, concurrency=8.0, request_rate_qps=None, mode="closed-loop",
    ttft_ms=70.25, tpot_ms=6.3, output_tps=1234.0, prefill_tps=None, engine="vllm", engine_version="0.18.0", date="2026-03-27",
    source_id="inferencex", source=None, row_id="a",
)  # fmt: skip


def read(folder: Path, text: str) -> list[MeasuredPoint]:
    path = folder / FILE
    path.write_text(text, encoding="utf-8", newline="\n")
    problems: list[str] = []
    index = read_index(path, problems)
    assert problems == []
    return [point for group in index.of_chip("h100-sxm") for point in group.points]


def evidence() -> dict[str, Measurement]:
    problems: list[str] = []
    rows = read_evidence(evidence_files(BUNDLED), problems)
    assert problems == []
    return {row.row_id: row for row in rows if row.row_id}


def bundled() -> list[MeasuredPoint]:
    index = read_index(BUNDLED / FILE, [])
    return [point for chip in real_catalog().chips for group in index.of_chip(chip) for point in group.points]


# -- reading and writing


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Also commas in free text, and what the source does not state."""
    other = FINE._replace(
        row_id="b", engine="nim, patched", source="v6.0 closed", mixture=True, input_tokens=None, concurrency=None, date=None
    )
    assert read(tmp_path, written([FINE, other])) == [FINE, other]


def test_order_does_not_matter() -> None:
    points = [FINE._replace(row_id=f"r{k}", concurrency=float(2**k), chip=chip) for k in range(8) for chip in ("h100-sxm", "a100", "l4")]
    mixed = points.copy()
    random.Random(1).shuffle(mixed)
    assert written(points) == written(mixed)


def test_four_digits_and_whole_numbers() -> None:
    (line,) = written([FINE._replace(ttft_ms=70.2468, input_tokens=131072.0, output_tps=0.51234)]).splitlines()[1:]
    cells = dict(zip(COLUMNS, line.split(","), strict=True))
    assert (cells["ttft_ms"], cells["input_tokens"], cells["output_tps"]) == ("70.25", "131072", "0.5123")


def test_a_key_that_would_need_quotes_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be a key"):
        written([FINE._replace(known_as="vllm, patched")])


def test_no_file_is_an_empty_index(tmp_path: Path) -> None:
    problems: list[str] = []
    index = read_index(tmp_path / FILE, problems)
    assert (index.of_chip("h100-sxm"), index.of_model("llama-3.1-8b-instruct"), problems) == ([], [], [])


def test_another_table_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_text("id,node\n1,2\n", encoding="utf-8")
    problems: list[str] = []
    assert read_index(path, problems).of_chip("id") == []
    assert [problem.split(": ")[0] for problem in problems] == [str(path)]


@pytest.mark.parametrize(("old", "new"), [("1024", "many"), (",a\n", ",a,b\n"), ("7.5e9", "big")])
def test_a_bad_line_names_the_file(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(CatalogError, match=FILE):
        read(tmp_path, written([FINE]).replace(old, new))


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    assert len(read(tmp_path, written([FINE]))) == 1
    assert len(read(tmp_path, written([FINE, FINE._replace(row_id="b", concurrency=1.0)]))) == 2


def test_a_model_is_found_on_every_chip_and_a_chip_with_every_model(tmp_path: Path) -> None:
    """Names that begin or end alike are kept apart."""
    names = [("h100-sxm", "m"), ("h100-sxm-64gb", "m"), ("h100-sxm", "m-2"), ("l4", "2-m")]
    path = tmp_path / FILE
    path.write_text(written(FINE._replace(chip=chip, model_arch=model) for chip, model in names), encoding="utf-8", newline="\n")
    index = read_index(path, [])
    assert {(group.chip, group.model_arch) for group in index.of_chip("h100-sxm")} == {("h100-sxm", "m"), ("h100-sxm", "m-2")}
    assert {(group.chip, group.model_arch) for group in index.of_model("m")} == {("h100-sxm", "m"), ("h100-sxm-64gb", "m")}


# -- what is kept of a series


def test_the_ends_and_the_usual_lengths_are_kept() -> None:
    """1, 2, 4 ... 128 in flight at 8,000 in, and 16 and 64 in flight at 1,000 in: the ends, and both of the usual length."""
    long = [FINE._replace(row_id=f"l{k}", input_tokens=8000.0, concurrency=float(2**k)) for k in range(8)]
    usual = [FINE._replace(row_id=f"u{k}", input_tokens=1000.0, concurrency=k) for k in (16.0, 64.0)]
    assert [(point.input_tokens, point.concurrency) for point in chosen([*long, *usual])] == [
        (8000.0, 1.0), (1000.0, 16.0), (1000.0, 64.0), (8000.0, 128.0),
    ]  # fmt: skip


def test_the_newest_of_equals_is_kept() -> None:
    dates = ("2024", "2025-11", "2026-03-27", "2025-2026", "2024-11..2025-12", None)
    series = [FINE._replace(row_id=f"r{k}", date=date) for k, date in enumerate(dates)]
    assert {point.date for point in chosen(series)} == {"2026-03-27", "2025-11", "2025-2026", "2024-11..2025-12"}


def test_prompt_and_generation_are_both_told() -> None:
    """Tests that time the two apart: the prompt is kept although its lengths are less usual."""
    generation = [FINE._replace(row_id=f"g{k}", ttft_ms=None, output_tokens=300.0 + k) for k in range(6)]
    prompt = FINE._replace(
        row_id="p", input_tokens=512.0, output_tokens=None, tpot_ms=None, output_tps=None, ttft_ms=None, prefill_tps=900.0
    )
    assert prompt in chosen([*generation, prompt])


def test_arrivals_are_a_load_where_nothing_is_in_flight() -> None:
    series = [FINE._replace(row_id=f"r{rate}", concurrency=None, request_rate_qps=float(rate)) for rate in (1, 2, 4, 8, 16, 32)]
    kept = [point.request_rate_qps for point in chosen(series)]
    assert (kept[0], kept[-1], len(kept)) == (1.0, 32.0, 4)


# -- the bundled index


def test_every_point_stands_in_the_evidence_and_may_be_used() -> None:
    rows, points = evidence(), bundled()
    assert len(points) > 2000
    assert len({point.row_id for point in points}) == len(points)
    for point in points:
        row = rows[point.row_id]
        assert usable_for_fit(row) is None
        assert (point.chip, point.engine, point.date, point.source_id, point.chips) == (
            row.chip, row.engine, row.measured_date, row.source_id, row.chips,
        )  # fmt: skip
        for figure, told in ((point.tpot_ms, row.tpot_s and row.tpot_s * 1e3), (point.output_tps, row.output_tps)):
            assert (figure is None) == (told is None)
            assert figure is None or told is None or figure == pytest.approx(told, rel=1e-3)


def test_a_series_has_few_points_and_each_says_something() -> None:
    points = bundled()
    assert max(Counter(tuple(point[:8]) for point in points).values()) <= 4
    assert all(any(figure is not None for figure in (p.ttft_ms, p.tpot_ms, p.output_tps, p.prefill_tps)) for p in points)


def test_the_file_is_sorted_and_small() -> None:
    """Chips are found by bisection, groups by neighbouring lines; the whole file is read for every answer."""
    path = BUNDLED / FILE
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    chips, keys = [line.split(",")[0] for line in lines], [tuple(line.split(",", KEYS)[:KEYS]) for line in lines]
    assert [f"{chip}," for chip in chips] == sorted(f"{chip}," for chip in chips)
    assert len([key for key, _ in itertools.groupby(keys)]) == len(set(keys))
    assert path.stat().st_size < 800_000
    assert len(bundled()) == len(lines)


def test_the_measurement_behind_has_every_field_that_is_copied() -> None:
    """Names of the table are those of evidence tables, save for what is computed."""
    computed = {"known_as", "mixture", "active_parameters", "replicas", "ttft_ms", "tpot_ms", "date"}
    assert set(COLUMNS) - computed <= {field.name for field in dataclasses.fields(Measurement)}
