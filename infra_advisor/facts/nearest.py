"""A compact index of measured points, from which answers cite the nearest: a few points of every series, sorted by chip.

The table is made by calibration. Only the lines of one chip or one model are ever taken apart, so that an answer costs little.
"""

import csv
import io
import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from infra_advisor.errors import CatalogError
from infra_advisor.facts.files import read_text

FILE = "nearest.csv"
KEYS = 6
"""Columns by which lines form a group; they come first, and none of their cells holds a comma or a quote."""
CENTRE_INPUT_TOKENS, CENTRE_OUTPUT_TOKENS = 1000.0, 300.0
"""Beside the lowest and the highest load of a series, the points nearest to these lengths are kept."""


class MeasuredPoint(NamedTuple):
    """One citable point, in the order of the columns of the table. Loads and rates of the whole deployment; None = not stated."""

    chip: str
    model_arch: str
    """Catalog model of the same layer shapes."""
    known_as: str
    """Engine under whose name calibration keeps its efficiencies."""
    weight_dtype: str
    """Id of the weight format in the catalog."""
    mixture: bool
    """The model's tokens choose among experts."""
    active_parameters: float
    """Of the model, per generated token."""
    chips: float
    """Accelerators."""
    replicas: float
    """Copies of the model that share the load."""
    input_tokens: float | None
    output_tokens: float | None
    concurrency: float | None
    request_rate_qps: float | None
    """Arrivals. [requests/s]"""
    mode: str | None
    ttft_ms: float | None
    """Time to the first token. [ms]"""
    tpot_ms: float | None
    """Time per further token. [ms]"""
    output_tps: float | None
    """Generated tokens. [tokens/s]"""
    prefill_tps: float | None
    """Prompt tokens. [tokens/s]"""
    engine: str | None
    """As the source names it."""
    engine_version: str | None
    date: str | None
    """Day, month, year, or a span of them."""
    source_id: str
    source: str | None
    """Part of the source."""
    row_id: str


COLUMNS = MeasuredPoint._fields
_NUMBERS = tuple(COLUMNS.index(name) for name in (*COLUMNS[8:12], *COLUMNS[13:17]))


class Group:
    """Points of one chip, model, engine and format; their lines are taken apart when they are first looked at."""

    def __init__(self, path: Path, key: Sequence[str], lines: Sequence[str]) -> None:
        self.chip, self.model_arch, self.known_as, self.weight_dtype = key[:4]
        self.mixture, self.active_parameters = key[4] == "1", float(key[5])
        self._path, self._lines = path, lines
        self._points: Sequence[MeasuredPoint] | None = None

    @property
    def points(self) -> Sequence[MeasuredPoint]:
        """All of them. Raises CatalogError where a line cannot be read."""
        if self._points is None:
            try:
                self._points = [_parsed(cells) for cells in csv.reader(self._lines, strict=True)]
            except (ValueError, csv.Error) as error:
                raise CatalogError([f"{self._path}: {self.chip}, {self.model_arch}: {error}"]) from error
        return self._points


class NearestIndex:
    """The index: sorted lines, until somebody asks for a chip or a model."""

    def __init__(self, path: Path, lines: Sequence[str]) -> None:
        self._path, self._lines = path, lines
        self._of_chip: dict[str, Sequence[Group]] = {}
        self._of_model: dict[str, Sequence[Group]] = {}

    def of_chip(self, chip: str) -> Sequence[Group]:
        """What was measured on a chip, of any model."""
        if chip not in self._of_chip:
            start, end = (bisect_left(self._lines, f"{chip}{after}") for after in ",-")  # a comma sorts before all that ids hold
            self._of_chip[chip] = self._groups(self._lines[start:end])
        return self._of_chip[chip]

    def of_model(self, model: str) -> Sequence[Group]:
        """What was measured of a model, on any chip."""
        if model not in self._of_model:
            cell = f",{model},"
            found = self._groups([line for line in self._lines if cell in line])
            self._of_model[model] = [group for group in found if group.model_arch == model]
        return self._of_model[model]

    def _groups(self, lines: Sequence[str]) -> list[Group]:
        try:
            return [Group(self._path, key, list(own)) for key, own in groupby(lines, key=lambda line: line.split(",", KEYS)[:KEYS])]
        except (ValueError, IndexError) as error:
            raise CatalogError([f"{self._path}: {error}"]) from error


def read_index(path: Path, problems: list[str]) -> NearestIndex:
    """The index of a file; an empty one where there is none. What cannot be read is a line in `problems`."""
    if not path.is_file():
        return NearestIndex(path, ())
    stat = path.stat()
    index, found = _read(path, stat.st_mtime_ns, stat.st_size)
    problems += found
    return index


@lru_cache(maxsize=4)
def _read(path: Path, changed_ns: int, size_bytes: int) -> tuple[NearestIndex, Sequence[str]]:
    """Kept until the file changes: every table of an answer asks anew."""
    problems: list[str] = []
    header, *lines = (read_text(path, problems) or "").splitlines() or [""]
    if not problems and header != ",".join(COLUMNS):
        problems.append(f"{path}: the columns must be {', '.join(COLUMNS)}")
    return NearestIndex(path, () if problems else lines), problems


def _parsed(cells: Sequence[str]) -> MeasuredPoint:
    if len(cells) != len(COLUMNS):
        raise ValueError(f"{len(cells)} cells; the header has {len(COLUMNS)}")
    values: list[object] = [cell or None for cell in cells]
    values[4:8] = [cells[4] == "1", float(cells[5]), float(cells[6]), float(cells[7])]
    for place in _NUMBERS:
        values[place] = float(cells[place]) if cells[place] else None
    return MeasuredPoint(*values)  # type: ignore[arg-type]


# -- making it


def written(points: Iterable[MeasuredPoint]) -> str:
    """The table as text: the same for the same points in any order."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for _, series in groupby(sorted(points, key=lambda point: (_series(point), point.row_id)), key=_series):
        for point in chosen(list(series)):
            cells = [_cell(value) for value in point]
            if strange := [cell for cell in cells[:KEYS] if set(cell) & set(',"\n')]:
                raise ValueError(f"{point.row_id}: {strange[0]!r} cannot be a key of the index")
            writer.writerow(cells)
    return out.getvalue()


def _series(point: MeasuredPoint) -> tuple[object, ...]:
    """What points of one series share: chip, model, engine, format and layout."""
    return tuple(point[:8])


def chosen(series: Sequence[MeasuredPoint]) -> list[MeasuredPoint]:
    """The at most four points of one series that are kept, by load: the lowest load, the highest, and two nearest to usual lengths.

    The first of those two adds what the others lack, a first token or a rate of generation. Among equals a load in the middle goes
    before others, then the newest.
    """
    loads = [load for point in series if (load := _load(point))]
    middle = math.sqrt(min(loads) * max(loads)) if loads else None
    kept: list[MeasuredPoint] = []

    def usual(point: MeasuredPoint) -> tuple[object, ...]:
        lengths = _doublings(point.input_tokens, CENTRE_INPUT_TOKENS) + _doublings(point.output_tokens, CENTRE_OUTPUT_TOKENS)
        return round(lengths, 3), round(_doublings(_load(point), middle), 3), -_day(point.date), point.row_id

    def lowest(point: MeasuredPoint) -> tuple[object, ...]:
        return _load(point) or math.inf, *usual(point)

    def highest(point: MeasuredPoint) -> tuple[object, ...]:
        return -(_load(point) or 0.0), *usual(point)

    def lacking(point: MeasuredPoint) -> tuple[object, ...]:
        return -len(_told(point).difference(*map(_told, kept))), *usual(point)

    for order in (lowest, highest, lacking, usual):
        left = [point for point in series if point not in kept]
        if left:
            kept.append(min(left, key=order))
    return sorted(kept, key=lambda point: (_load(point) or math.inf, point.input_tokens or 0.0, point.output_tokens or 0.0, point.row_id))


def _load(point: MeasuredPoint) -> float | None:
    """Requests in flight, or arrivals where those are what the source varied."""
    return point.concurrency or point.request_rate_qps


def _told(point: MeasuredPoint) -> set[str]:
    """Whether a point says something of the first token, and of those that follow."""
    first = {"first"} if point.ttft_ms is not None or point.prefill_tps is not None else set()
    return first | ({"each"} if point.tpot_ms is not None or point.output_tps is not None else set())


def _doublings(value: float | None, centre: float | None) -> float:
    """How often one must be doubled to make the other; four times where one is unknown."""
    return abs(math.log2(max(value, 1.0) / centre)) if value is not None and centre else 4.0


def _day(date: str | None) -> int:
    """Of dates as sources write them (day, month, year, span): the later the larger."""
    year, month, day = ([*(date or "").split("..")[0].split("-"), "0", "0"])[:3]
    return int(year or 0) * 10_000 + (int(month) * 100 + int(day) if len(month) < 3 else 0)


def _cell(value: object) -> str:
    """Four digits say enough of a figure; whole numbers stay whole."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return str(int(value))
    assert isinstance(value, float | int)
    short = f"{value:.4g}"
    return f"{value:.0f}" if "e" in short and value < 1e7 else short.replace("e+0", "e")
