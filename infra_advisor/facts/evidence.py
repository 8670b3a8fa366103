"""Measured operating points: the record of one, and a fast reader of evidence tables, the catalog's and a user's.

A table is CSV with the columns of `COLUMNS` in any order, any of them missing, an empty cell where nothing is known. A cell
that cannot be read never costs its row: the field stays None and the fault is kept with the row.
"""

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from infra_advisor.errors import did_you_mean
from infra_advisor.facts.files import read_text

MODES = ("static-batch", "closed-loop", "open-loop", "offline")
TTFT_DEFINITIONS = ("no-load", "closed-loop", "open-loop", "burst", "static-batch")
TPS_DEFINITIONS = ("output", "total", "decode-only")
SPECULATION = ("0", "1", "unknown")
DEVICE_CLASSES = ("datacenter-gpu", "inference-chip", "edge", "cpu")
UNKNOWN_MODEL = "unknown"

MOST_ROWS = 1_000_000
LONGEST_CELL = 80


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measured operating point. Times in seconds, rates in tokens per second; None = not stated.

    Loads, lengths and rates are those of the whole deployment; `chips` counts accelerators as they are bought.
    """

    row_id: str | None = None
    series_id: str | None = None
    """Rows of one series differ in lengths, load, depth or engine version only."""
    source_id: str | None = None
    source_row: str | None = None
    source: str | None = None
    """Part of the source, or its title in a user's file."""
    source_ref: str | None = None
    measured_date: str | None = None
    """Day, month, year, or a span of them."""
    chip: str | None = None
    device_class: str | None = None
    chips: float | None = None
    instance: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    model: str | None = None
    """As the source names it."""
    model_arch: str | None = None
    """Catalog model of the same layer shapes."""
    weight_dtype: str | None = None
    kv_dtype: str | None = None
    tp: float | None = None
    pp: float | None = None
    ep: float | None = None
    dp: float | None = None
    disagg: bool | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    concurrency: float | None = None
    request_rate_qps: float | None = None
    """None also where the source says `inf`: no limit on the rate."""
    mode: str | None = None
    ttft_s_mean: float | None = None
    ttft_s_p50: float | None = None
    ttft_s_p95: float | None = None
    ttft_s_p99: float | None = None
    tpot_s_mean: float | None = None
    tpot_s_p50: float | None = None
    tpot_s_p99: float | None = None
    output_tps: float | None = None
    total_tps: float | None = None
    """Prompt and generated tokens."""
    prefill_tps: float | None = None
    decode_tps_user: float | None = None
    power_w: float | None = None
    ttft_definition: str | None = None
    tps_definition: str | None = None
    spec_decode: str | None = None
    """0, 1 or unknown."""
    suspect: bool | None = None
    flags: tuple[str, ...] = ()
    notes: str | None = None

    @property
    def ttft_s(self) -> float | None:
        """The mean, or the median where only that is given. [s]"""
        return self.ttft_s_mean if self.ttft_s_mean is not None else self.ttft_s_p50

    @property
    def tpot_s(self) -> float | None:
        """The mean, or the median, or what the decode rate of one user means. [s]"""
        if self.tpot_s_mean is not None:
            return self.tpot_s_mean
        if self.tpot_s_p50 is not None:
            return self.tpot_s_p50
        return 1.0 / self.decode_tps_user if self.decode_tps_user else None

    @property
    def has_figures(self) -> bool:
        """True where anything was measured."""
        measured = (self.ttft_s, self.tpot_s, self.ttft_s_p99, self.tpot_s_p99, self.output_tps, self.total_tps, self.prefill_tps)
        return any(figure is not None for figure in measured)


def column_of(name: str) -> str:
    """The column that holds a field: times are milliseconds in files."""
    return name.replace("_s_", "_ms_") if name.startswith(("ttft_s_", "tpot_s_")) else name


COLUMNS = tuple(column_of(item.name) for item in fields(Measurement))

_NUMBERS = frozenset((
    "chips", "tp", "pp", "ep", "dp", "input_tokens", "output_tokens", "concurrency", "request_rate_qps",
    "output_tps", "total_tps", "prefill_tps", "decode_tps_user", "power_w",
))  # fmt: skip
_MILLISECONDS = frozenset(column for column in COLUMNS if "_ms_" in column)
_WORDS: Mapping[str, Sequence[str]] = {
    "mode": MODES,
    "ttft_definition": TTFT_DEFINITIONS,
    "tps_definition": TPS_DEFINITIONS,
    "spec_decode": SPECULATION,
    "device_class": DEVICE_CLASSES,
}
_YES_NO = frozenset(("disagg", "suspect"))
_NOT_ZERO = frozenset(("chips", "tp", "pp", "ep", "dp", "concurrency"))


@dataclass(frozen=True)
class EvidenceTable:
    """A table as read: what stood in it, and what was understood, row by row in order."""

    path: Path
    header: tuple[str, ...] = ()
    cells: Sequence[Sequence[str]] = ()
    """As written, one sequence per row."""
    lines: Sequence[int] = ()
    """Line of the file at which each row ends."""
    rows: Sequence[Measurement] = ()
    faults: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    """Position of a row -> column -> what is wrong with its cell; the column is empty where the whole row is."""

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        """Columns that mean nothing here."""
        return tuple(name for name in self.header if name not in COLUMNS)

    def problems(self, *, own_columns: bool = False) -> list[str]:
        """One line per fault, with file and line. `own_columns`: unknown columns are the user's, save times in another unit."""
        unknown = [name for name in self.unknown_columns if not own_columns or name.lower().startswith(("ttft", "tpot"))]
        found = [f"{self.path}: unknown column {name!r}.{did_you_mean(name, COLUMNS)}" for name in unknown]
        for position, faults in sorted(self.faults.items()):
            place = f"{self.path}:{self.lines[position]}"
            found += [f"{place}: {column}: {fault}" if column else f"{place}: {fault}" for column, fault in faults.items()]
        return found


def evidence_files(catalog_path: Path) -> list[Path]:
    """The evidence tables of a catalog folder."""
    return sorted((catalog_path / "evidence").glob("*.csv"))


def read_evidence(paths: Iterable[Path], problems: list[str]) -> list[Measurement]:
    """The rows of several tables. Faults and unknown columns are added to `problems`; a bad cell is None, its row stays."""
    found: list[Measurement] = []
    for path in paths:
        table = read_evidence_table(path, problems)
        problems += table.problems()
        found += table.rows
    return found


def read_evidence_table(path: Path, problems: list[str]) -> EvidenceTable:
    """One table with its cells and faults. Only what makes the file unreadable as a whole is added to `problems`."""
    text = read_text(path, problems)
    return EvidenceTable(path) if text is None else parse_evidence(text, path, problems)


def parse_evidence(text: str, path: Path, problems: list[str]) -> EvidenceTable:
    """The table in `text`; `path` names it in problems."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    cells: list[list[str]] = []
    lines: list[int] = []
    header: list[str] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        for row in reader:
            if not row:
                continue
            if len(cells) == MOST_ROWS:
                problems.append(f"{path}:{reader.line_num}: more than {MOST_ROWS:,} rows; the rest is not read")
                break
            cells.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        problems.append(f"{path}:{reader.line_num}: {error}; the rest is not read")
    if problem := _header_problem(header):
        problems.append(f"{path}: {problem}")
        return EvidenceTable(path)
    faults: dict[int, dict[str, str]] = {}
    even = [row if len(row) == len(header) else [""] * len(header) for row in cells]
    for position, row in enumerate(cells):
        if len(row) != len(header):
            faults[position] = {"": f"{len(row)} cells, the header has {len(header)}"}
    columns = dict(zip(header, zip(*even, strict=True) if even else [()] * len(header), strict=True))
    empty: list[None] = [None] * len(cells)
    parsed = [
        _column(name, columns[name], faults) if name in columns else ([()] * len(cells) if name == "flags" else empty) for name in COLUMNS
    ]
    return EvidenceTable(path, tuple(header), cells, lines, list(map(Measurement, *parsed)), faults)


def _header_problem(header: Sequence[str]) -> str | None:
    if not any(header):
        return f"no header; an evidence table begins with column names such as {', '.join(COLUMNS[7:10])}"
    if twice := sorted({name for name in header if header.count(name) > 1}):
        return f"column {twice[0]!r} appears twice"
    if not set(header) & set(COLUMNS):
        return f"none of the columns of an evidence table; known: {', '.join(COLUMNS)}"
    return None


def _column(name: str, cells: Sequence[str], faults: dict[int, dict[str, str]]) -> Sequence[object]:
    """The values of one column, parsed at once; cell by cell only where one of them is bad."""
    if name in _NUMBERS or name in _MILLISECONDS:
        scale = 1e3 if name in _MILLISECONDS else 1.0
        try:
            numbers = [float(cell) / scale if cell else None for cell in cells]
        except ValueError:
            pass
        else:
            stated = [number for number in numbers if number is not None]
            if not stated or (min(stated) >= 0.0 and math.isfinite(sum(stated)) and (min(stated) > 0.0 or name not in _NOT_ZERO)):
                return numbers
        return [_each(_number, name, cell, position, faults) for position, cell in enumerate(cells)]
    if name in _WORDS:
        known = {"": None, **{word: word for word in _WORDS[name]}}
        return [known[cell] if cell in known else _each(_word, name, cell, position, faults) for position, cell in enumerate(cells)]
    if name in _YES_NO:
        answers = {"": None, "0": False, "1": True}
        return [answers[cell] if cell in answers else _each(_yes_no, name, cell, position, faults) for position, cell in enumerate(cells)]
    if name == "flags":
        return [tuple(cell.split("|")) if cell else () for cell in cells]
    return [cell or None for cell in cells]


def _each(parse: Callable[[str, str], object], name: str, cell: str, position: int, faults: dict[int, dict[str, str]]) -> object:
    try:
        return parse(name, cell)
    except ValueError as error:
        faults.setdefault(position, {})[name] = str(error)
        return None


def _number(name: str, cell: str) -> float | None:
    cell = cell.strip()
    if not cell or (name == "request_rate_qps" and cell.lower() in ("inf", "infinity")):
        return None
    shown = cell[:LONGEST_CELL]
    try:
        number = float(cell)
    except ValueError:
        unit = "milliseconds" if name in _MILLISECONDS else "digits"
        raise ValueError(f"{shown!r} is not a number; write {unit} without a unit") from None
    return checked_number(name, number, shown) / (1e3 if name in _MILLISECONDS else 1.0)


def checked_number(name: str, number: float, shown: object) -> float:
    """The number, or ValueError where it is no finite quantity of at least 0 (of more than 0 for counts of parallel things)."""
    if not math.isfinite(number):
        raise ValueError(f"{shown} is not finite; leave the cell empty where the value is unknown")
    if number < 0.0:
        raise ValueError(f"{shown} is negative")
    if number == 0.0 and name in _NOT_ZERO:
        raise ValueError("must be more than 0")
    return number


def _word(name: str, cell: str) -> str | None:
    word = cell.strip().lower()
    if word in ("", *_WORDS[name]):
        return word or None
    raise ValueError(f"{cell[:LONGEST_CELL]!r} is none of {', '.join(_WORDS[name])}.{did_you_mean(word, _WORDS[name])}")


def _yes_no(name: str, cell: str) -> bool | None:
    word = cell.strip().lower()
    if word in ("", "0", "1", "true", "false", "yes", "no"):
        return word in ("1", "true", "yes") if word else None
    raise ValueError(f"{cell[:LONGEST_CELL]!r} is neither 0 nor 1")
