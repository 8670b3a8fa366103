"""Measured points: reading tables of any quality, the bundled ones, their checks, and what they may be used for."""

import csv
import datetime
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.evidence import (
    COLUMNS,
    DEVICE_CLASSES,
    EvidenceTable,
    Measurement,
    evidence_files,
    parse_evidence,
    read_evidence,
    read_evidence_table,
)
from infra_advisor.facts.evidence_checks import check_measurements, contradictions, repeats
from infra_advisor.facts.evidence_exceptions import EXCEPTIONS, unexplained
from infra_advisor.facts.evidence_sources import EvidenceSource, citation, read_evidence_sources, undefined_sources
from infra_advisor.facts.evidence_use import coverage, first_day, usable_for_fit, usable_ttft_for_fit
from infra_advisor.paths import catalog_dir

ROOT = Path(__file__).resolve().parents[2]
FILE = Path("mine.csv")
FINE = Measurement(
    row_id="a", chip="h100-sxm", chips=1.0, model_arch="llama-3.1-8b-instruct", weight_dtype="bf16", spec_decode="0", tpot_s_mean=0.01
)


def read(text: str) -> tuple[EvidenceTable, list[str]]:
    problems: list[str] = []
    table = parse_evidence(text, FILE, problems)
    return table, [*problems, *table.problems()]


def only(text: str) -> Measurement:
    table, problems = read(text)
    assert not problems
    (row,) = table.rows
    return row


# -- reading


def test_times_are_milliseconds_in_files_and_seconds_inside() -> None:
    row = only("chip,ttft_ms_mean,tpot_ms_p99,output_tps,flags,disagg,suspect\nl4,82.5,9.25,424,output-derived|no-warm-up,0,1\n")
    assert (row.ttft_s_mean, row.tpot_s_p99, row.output_tps) == (0.0825, 0.00925, 424.0)
    assert (row.flags, row.disagg, row.suspect) == (("output-derived", "no-warm-up"), False, True)


def test_empty_cells_and_missing_columns_are_unknown() -> None:
    row = only("chip,tp,ttft_ms_mean,suspect\nl4,,,\n")
    assert row == Measurement(chip="l4")


def test_columns_may_come_in_any_order_and_cells_may_hold_line_breaks() -> None:
    table, problems = read('notes,chip\n"two\nlines",l4\n"a, b",t4\n')
    assert not problems
    assert [(row.chip, row.notes) for row in table.rows] == [("l4", "two\nlines"), ("t4", "a, b")]
    assert list(table.lines) == [3, 4]


def test_rate_without_limit_is_no_rate() -> None:
    table, problems = read("request_rate_qps\ninf\n2.5\n")
    assert not problems
    assert [row.request_rate_qps for row in table.rows] == [None, 2.5]


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("ttft_ms_mean", "-3", "negative"),
        ("ttft_ms_mean", "nan", "not finite"),
        ("tpot_ms_mean", "inf", "not finite"),
        ("tpot_ms_mean", "12 ms", "milliseconds without a unit"),
        ("output_tps", "fast", "not a number"),
        ("tp", "0", "more than 0"),
        ("mode", "closedloop", "Did you mean closed-loop"),
        ("suspect", "maybe", "neither 0 nor 1"),
        ("spec_decode", "2", "none of 0, 1, unknown"),
    ],
)
def test_bad_cell_costs_its_value_and_never_its_row(column: str, cell: str, said: str) -> None:
    table, problems = read(f"chip,{column}\nl4,\nt4,{cell}\n")
    assert [row.chip for row in table.rows] == ["l4", "t4"]
    assert table.rows[1] == Measurement(chip="t4")
    (problem,) = problems
    assert problem.startswith(f"mine.csv:3: {column}: ")
    assert said in problem
    assert list(table.faults) == [1]


def test_row_of_another_width_keeps_its_place() -> None:
    table, problems = read("chip,tp\nl4,1\nt4\na10,2\n")
    assert [row.chip for row in table.rows] == ["l4", None, "a10"]
    assert problems == ["mine.csv:3: 1 cells, the header has 2"]
    assert table.cells[1] == ["t4"]


def test_unknown_columns_are_kept_and_named() -> None:
    table, problems = read("chip,ttft_mean_ms,ticket\nl4,5,OPS-7\n")
    assert table.unknown_columns == ("ttft_mean_ms", "ticket")
    assert table.cells[0] == ["l4", "5", "OPS-7"]
    assert problems[0].startswith("mine.csv: unknown column 'ttft_mean_ms'. Did you mean ttft_ms_mean")
    assert [problem for problem in table.problems(own_columns=True) if "ticket" in problem] == []
    assert len(table.problems(own_columns=True)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no header"),
        ("\n\n", "no header"),
        ("name,price\na,1\n", "none of the columns"),
        ("chip,chip\nl4,l4\n", "'chip' appears twice"),
        ('chip,notes\nl4,"open\n', "the rest is not read"),
    ],
)
def test_file_that_is_no_table(text: str, said: str) -> None:
    _, problems = read(text)
    assert len(problems) == 1
    assert said in problems[0]


def test_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    problems: list[str] = []
    assert read_evidence([tmp_path / "none.csv", tmp_path], problems) == []
    assert [problem.split(": ")[1] for problem in problems] == ["not a regular file"] * 2


def test_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes(b"\xef\xbb\xbfchip,tp\r\nl4,1\r\n")
    problems: list[str] = []
    assert read_evidence([path], problems) == [Measurement(chip="l4", tp=1.0)]
    assert not problems


def test_time_per_token_falls_back_to_median_and_rate() -> None:
    assert Measurement(tpot_s_mean=0.02, tpot_s_p50=0.01, decode_tps_user=200.0).tpot_s == 0.02
    assert Measurement(tpot_s_p50=0.01, decode_tps_user=200.0).tpot_s == 0.01
    assert Measurement(decode_tps_user=200.0).tpot_s == 0.005
    assert Measurement(decode_tps_user=0.0).tpot_s is None


# -- the bundled evidence


@pytest.fixture(scope="module")
def rows() -> list[Measurement]:
    problems: list[str] = []
    found = read_evidence(evidence_files(catalog_dir()), problems)
    assert not problems
    return found


@pytest.fixture(scope="module")
def sources() -> dict[str, EvidenceSource]:
    problems: list[str] = []
    found = read_evidence_sources(catalog_dir(), problems)
    assert not problems
    return found


def test_bundled_evidence_is_complete(rows: list[Measurement]) -> None:
    assert len(rows) == 12241
    assert len({row.row_id for row in rows}) == 12241
    assert Counter(row.device_class for row in rows) == {"datacenter-gpu": 8848, "edge": 2738, "inference-chip": 491, "cpu": 164}
    assert sum(bool(row.suspect) for row in rows) == 248
    assert {row.device_class for row in rows} == set(DEVICE_CLASSES)


@pytest.mark.parametrize("path", evidence_files(catalog_dir()), ids=lambda path: path.stem)
def test_tables_share_one_header_and_are_sorted(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as stream:
        text = stream.read()
    assert "\r" not in text
    header, *cells = list(csv.reader(text.splitlines()))
    assert tuple(header) == COLUMNS
    problems: list[str] = []
    table = read_evidence_table(path, problems)
    keys = [
        (
            row.source_id, row.chip, row.model, row.engine or "", row.weight_dtype or "", row.series_id,
            -1.0 if row.input_tokens is None else row.input_tokens, -1.0 if row.output_tokens is None else row.output_tokens,
            -1.0 if row.concurrency is None else row.concurrency, row.row_id,
        )
        for row in table.rows
    ]  # fmt: skip
    assert keys == sorted(keys)
    assert len(cells) == len(keys)


def test_every_source_is_described(rows: list[Measurement], sources: dict[str, EvidenceSource]) -> None:
    assert undefined_sources(rows, sources) == []
    assert {row.source_id for row in rows} == set(sources)
    unused = {(name, part) for name, source in sources.items() for part in source.parts} - {(row.source_id, row.source) for row in rows}
    assert not unused


def test_citation_is_the_full_reference(rows: list[Measurement], sources: dict[str, EvidenceSource]) -> None:
    row = next(row for row in rows if row.row_id == "c17587b1530051")
    cited = citation(row, sources)
    assert cited.title == "MLPerf Inference v6.0 closed"
    assert cited.ref == "gbeezybez/inference_results_v6.0:closed/Intel/results/1-node-4x-BMG-B50/llama3_1-8b/Offline@2026-05-10"
    assert citation(Measurement(source="our test", source_ref="ticket 7"), sources) == ("our test", "ticket 7", None)


def test_mlperf_rows_name_what_their_licence_asks_for(rows: list[Measurement]) -> None:
    mlperf = [row for row in rows if row.source_id == "mlperf-inference"]
    assert len(mlperf) == 471
    assert all(row.source in ("v4.1", "v5.1", "v5.1-summary", "v6.0", "v6.1") for row in mlperf)
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert "MLCommons" in notice
    assert "no MLPerf results" in notice


def test_bundled_evidence_passes_the_physics(rows: list[Measurement], real: Catalog) -> None:
    found = check_measurements(rows, real)
    assert unexplained(found, rows) == []
    # No exception outlives its reason.
    fired = {(row, why) for row, why in found}
    stale = [
        (known.finding, row)
        for known in EXCEPTIONS
        for row in known.rows
        if not any(r == row and w.startswith(known.finding) for r, w in fired)
    ]
    assert not stale


def test_checks_do_not_load_numpy() -> None:
    """`catalog check` predicts nothing and must start fast."""
    program = "import sys, infra_advisor.facts.evidence_checks, infra_advisor.facts.results; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False).returncode == 0


# -- checks


def why(row: Measurement, real: Catalog) -> list[str]:
    return [reason for _, reason in check_measurements([row], real)]


def measured(**figures: object) -> Measurement:
    base = {
        "row_id": "a",
        "chip": "h100-sxm",
        "chips": 1.0,
        "model_arch": "llama-3.1-8b-instruct",
        "weight_dtype": "bf16",
        "spec_decode": "0",
    }
    return Measurement(**{**base, **figures})  # type: ignore[arg-type]


def test_decode_cannot_outrun_the_memory(real: Catalog) -> None:
    """8.03e9 weights less an embedding of 128,256 x 4,096 = 7.505e9, at 2 bytes: 15.01 GB; over 3.35 TB/s 4.48 ms, over 1.08 4.15 ms."""
    assert why(measured(tpot_s_mean=0.0042), real) == []
    (reason,) = why(measured(tpot_s_mean=0.002), real)
    assert reason == "decode above the bandwidth bound by 2.07x"
    assert why(measured(tpot_s_mean=0.0022, chips=2.0), real) == []


def test_static_batch_cannot_outrun_the_memory(real: Catalog) -> None:
    """Eight sequences per step of at least 4.15 ms: at most 1,928 tokens/s."""
    assert why(measured(concurrency=8.0, mode="static-batch", output_tps=1900.0), real) == []
    (reason,) = why(measured(concurrency=8.0, mode="static-batch", output_tps=3856.0), real)
    assert reason.startswith("throughput of the batch above the bandwidth bound by 2.0")


def test_prefill_cannot_outrun_the_arithmetic(real: Catalog) -> None:
    """2 x 7.505e9 FLOP a token at 1,979 TFLOP/s x 1.08: 142,000 tokens/s, so that 10,000 tokens take 70 ms."""
    assert why(measured(input_tokens=10_000.0, ttft_s_mean=0.071, ttft_definition="no-load"), real) == []
    (reason,) = why(measured(input_tokens=10_000.0, ttft_s_mean=0.035, ttft_definition="no-load"), real)
    assert reason.startswith("prefill within TTFT above the arithmetic bound by 2.0")
    (reason,) = why(measured(prefill_tps=285_000.0), real)
    assert reason.startswith("prefill above the arithmetic bound by 2.0")


def test_weights_must_fit_unless_offload_is_marked(real: Catalog) -> None:
    """16.06 GB of weights on a card of 12 GB (12.9e9 bytes as GiB): 1.25 x."""
    (reason,) = why(measured(chip="rtx-3060-12gb", tpot_s_mean=1.0), real)
    assert reason == "weights take 1.25 x the memory of 1 chips"
    assert why(measured(chip="rtx-3060-12gb", tpot_s_mean=1.0, flags=("host-offload",)), real) == []


def test_speculation_may_beat_the_bounds(real: Catalog) -> None:
    assert why(measured(tpot_s_mean=0.002, spec_decode="1"), real) == []


def test_unstated_format_has_no_bound(real: Catalog) -> None:
    assert why(measured(tpot_s_mean=0.002, weight_dtype=None), real) == []


def test_names_must_resolve(real: Catalog) -> None:
    (reason,) = why(measured(chip="h100-sx"), real)
    assert reason.startswith("unknown chip h100-sx. Did you mean h100-sxm")
    (reason,) = why(measured(model_arch="llama-3.1-8b-instrukt"), real)
    assert reason.startswith("unknown model llama-3.1-8b-instrukt. Did you mean llama-3.1-8b-instruct")
    assert why(measured(model_arch="unknown"), real) == []


def test_suspect_rows_are_not_reported_again(real: Catalog) -> None:
    assert why(measured(tpot_s_mean=0.0001, suspect=True), real) == []


def test_throughput_above_concurrency_over_tpot() -> None:
    """Ten sequences at 10 ms a token make 1,000 tokens/s."""
    assert list(contradictions(Measurement(concurrency=10.0, tpot_s_mean=0.01, output_tps=1110.0))) == []
    assert list(contradictions(Measurement(concurrency=10.0, tpot_s_mean=0.01, output_tps=1300.0))) == [
        "throughput above concurrency/TPOT by 1.30x"
    ]
    assert list(contradictions(Measurement(concurrency=10.0, tpot_s_p50=0.01, output_tps=1300.0))) == []


def test_littles_law() -> None:
    """101 tokens in 1 + 100 x 0.01 = 2 s; at 505 tokens/s that is 5 requests a second, hence 10 requests inside."""
    steady = {"mode": "closed-loop", "output_tokens": 101.0, "ttft_s_mean": 1.0, "tpot_s_mean": 0.01, "output_tps": 505.0}
    assert list(contradictions(Measurement(**steady, concurrency=10.0))) == []  # type: ignore[arg-type]
    (reason,) = contradictions(Measurement(**steady, concurrency=100.0))  # type: ignore[arg-type]
    assert reason == "Little's law: rate x latency is 10 requests, 100 stated"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (Measurement(ttft_s_p50=0.0), "ttft_s_p50 is zero"),
        (Measurement(ttft_s_p50=0.2, ttft_s_p99=0.1), "TTFT percentiles fall"),
        (Measurement(tpot_s_p50=0.02, tpot_s_p99=0.01), "TPOT percentiles fall"),
        (Measurement(output_tps=200.0, total_tps=100.0), "total throughput below output throughput"),
        (Measurement(tpot_s_mean=0.01, decode_tps_user=300.0), "decode rate of one user is 3.00 x 1/TPOT"),
    ],
)
def test_figures_that_cannot_all_be_right(row: Measurement, said: str) -> None:
    (reason,) = contradictions(row)
    assert reason.startswith(said)


def test_repeated_measurements_and_ids(real: Catalog) -> None:
    one = measured(row_id="1", ttft_s_mean=0.1, tpot_s_mean=0.01)
    again = measured(row_id="2", ttft_s_mean=0.1, tpot_s_mean=0.01)
    other = measured(row_id="3", ttft_s_mean=0.1, tpot_s_mean=0.011)
    assert repeats([one, other, again]) == {"2": "1"}
    assert ("2", "same figures as 1") in check_measurements([one, other, again], real)
    assert ("1", "row id appears twice") in check_measurements([one, measured(row_id="1", tpot_s_mean=0.02)], real)


# -- use


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"suspect": True}, "consistency check"),
        ({"spec_decode": "1"}, "speculative decoding"),
        ({"spec_decode": "unknown"}, "not ruled out"),
        ({"flags": ("self-reported", "ci-target")}, "expectation"),
        ({"flags": ("host-offload",)}, "host memory"),
        ({"chips": None}, "number of accelerators"),
        ({"model_arch": "unknown"}, "layers"),
        ({"chip": None}, "accelerator is not stated"),
        ({"instance": "SambaNova hosted"}, "hosted endpoint"),
        ({"tpot_s_mean": None}, "nothing was measured"),
        ({"row_id": "ec3569fc49a830"}, "partial offload"),
    ],
)
def test_rows_that_stay_out_of_fits(change: dict[str, object], said: str) -> None:
    fields = {name: getattr(FINE, name) for name in FINE.__dataclass_fields__}
    assert usable_for_fit(FINE) is None
    assert said in (usable_for_fit(Measurement(**{**fields, **change})) or "")


def test_flags_that_cost_weight_or_ttft_only() -> None:
    assert usable_for_fit(measured(tpot_s_mean=0.01, flags=("self-reported", "vendor-claim", "output-derived", "no-warm-up"))) is None
    assert usable_ttft_for_fit(measured(ttft_s_mean=0.1)) is None
    assert "warm up" in (usable_ttft_for_fit(measured(ttft_s_mean=0.1, flags=("no-warm-up",))) or "")
    assert "queue" in (usable_ttft_for_fit(measured(ttft_s_mean=0.1, flags=("saturated",))) or "")
    assert "at once" in (usable_ttft_for_fit(measured(ttft_s_mean=0.1, ttft_definition="burst")) or "")
    assert usable_ttft_for_fit(measured()) == "no TTFT"
    assert usable_ttft_for_fit(measured(row_id="a66195a9e7b427", ttft_s_mean=0.0005)) is not None


@pytest.mark.parametrize(
    ("stated", "day"),
    [
        ("2026-04-03", datetime.date(2026, 4, 3)),
        ("2026-04", datetime.date(2026, 4, 1)),
        ("2024", datetime.date(2024, 1, 1)),
        ("2025-2026", datetime.date(2025, 1, 1)),
        ("2024-11..2025-12", datetime.date(2024, 11, 1)),
        ("2026-13", None),
        ("soon", None),
    ],
)
def test_day_from_which_a_row_may_date(stated: str, day: datetime.date | None) -> None:
    assert first_day(stated) == day


def test_coverage_counts_one_chip() -> None:
    rows = [
        measured(row_id="1", engine="vllm", tpot_s_mean=0.01, measured_date="2026-03"),
        measured(row_id="2", engine="vllm", ttft_s_mean=0.1, output_tps=5.0, measured_date="2025", model_arch="gpt-oss-20b"),
        measured(row_id="3", engine="sglang", tpot_s_mean=0.01, suspect=True),
        measured(row_id="4", chip="l4", tpot_s_mean=0.01),
    ]
    found = coverage(rows, "h100-sxm", datetime.date(2026, 3, 11))
    assert (found.rows, found.usable, found.with_ttft, found.with_tpot, found.with_throughput) == (3, 2, 1, 2, 1)
    assert (found.engines, found.models) == (("vllm", "sglang"), ("llama-3.1-8b-instruct", "gpt-oss-20b"))
    assert (found.newest, found.oldest, found.age_days) == ("2026-03", "2025", 10)
    assert coverage(rows, "t4", datetime.date(2026, 3, 11)).age_days is None


def test_coverage_of_a_bundled_chip(rows: list[Measurement]) -> None:
    found = coverage(rows, "h100-sxm", datetime.date(2026, 11, 22))
    assert found.rows == 1965
    assert found.with_ttft == 850
    assert 0 < found.usable < found.rows
