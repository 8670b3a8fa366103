"""From a file to arrivals: in order of time, from zero, without the rows that are no requests."""

import math
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path

from infra_advisor.errors import UsageError
from infra_advisor.facts.traces import arrivals
from infra_advisor.facts.traces.arrivals import LONGEST_REQUEST_TOKENS, Arrival, Tally
from infra_advisor.facts.traces.formats import accepted, begins_object, parser_for
from infra_advisor.facts.traces.lines import numbered_lines
from infra_advisor.facts.traces.rows import FARTHEST_S, IncompleteRow, MalformedRow, RowParser

MOST_OUT_OF_ORDER = 10
"""Rows, and where 1 % of the rows are more, that share."""
MOST_SHARE_OUT_OF_ORDER = 0.01
LONGEST_STEP_BACK_S = 3600.0
"""Of the file's own clock. Clocks of several recorders differ by less. [s]"""


def read_trace(
    path: Path | str, *, speed: float = 1.0, longest_request_tokens: int | None = None, tally: Tally | None = None
) -> Iterator[Arrival]:
    """The requests of a trace in the order of arrival, one row in memory at a time.

    `speed` 2.0 lets them arrive twice as fast. Requests of more than `longest_request_tokens`, input and output together, are left
    out. Rows left out or changed are counted in `tally` as they are read, which is complete when the iterator ends.

    Raises UsageError at once for `speed`, and while it is iterated where the file cannot be read, is of no known format, is not
    sorted by time, or holds no request.
    """
    # The longest span there is must stay finite when divided.
    if not (speed > 0.0 and math.isfinite(speed) and math.isfinite(2.0 * FARTHEST_S / speed)):
        raise UsageError(f"speed is {speed:g}; accepted: a finite number above 0, such as 2 for twice as fast")
    most_tokens = math.inf if longest_request_tokens is None else longest_request_tokens
    return _arrivals(Path(path), speed, most_tokens, Tally() if tally is None else tally)


def _arrivals(path: Path, speed: float, most_tokens: float, tally: Tally) -> Iterator[Arrival]:
    skipped = tally.skipped
    origin_s = latest_s = -math.inf
    rows = late_rows = 0
    with closing(numbered_lines(path)) as lines:
        parse, numbered = _rows(path, lines)
        for number, line in numbered:
            rows += 1
            tally.rows += 1
            try:
                time_s, input_tokens, output_tokens, blocks = parse(line)
            except MalformedRow as error:
                if not isinstance(error, IncompleteRow) or next(numbered, None) is not None:
                    raise UsageError(f"{path}:{number}: {error}") from None
                skipped[arrivals.CUT_OFF] += 1
                break
            if not (0 < input_tokens <= LONGEST_REQUEST_TOKENS and 0 < output_tokens <= LONGEST_REQUEST_TOKENS):
                skipped[_fault(input_tokens, output_tokens)] += 1
                continue
            if input_tokens + output_tokens > most_tokens:
                skipped[arrivals.OVER_CONTEXT] += 1
                continue
            if time_s < latest_s:
                late_rows += 1
                _check_order(f"{path}:{number}", latest_s - time_s, late_rows, rows)
                tally.clamped[arrivals.OUT_OF_ORDER] += 1
                time_s = latest_s
            elif latest_s == -math.inf:
                origin_s = time_s
            latest_s = time_s
            yield Arrival((time_s - origin_s) / speed, input_tokens, output_tokens, blocks)
    if latest_s == -math.inf:
        raise UsageError(f"{path}: holds no request that can be used; {_why_none(rows, tally)}")


def _rows(path: Path, lines: Iterator[tuple[int, str]]) -> tuple[RowParser, Iterator[tuple[int, str]]]:
    """The parser of the file, and its lines without the header."""
    first = next(lines, None)
    if first is None:
        raise UsageError(f"{path}: is empty. {accepted()}")
    number, line = first
    try:
        parse = parser_for(line)
    except MalformedRow as error:
        raise UsageError(f"{path}:{number}: {error}") from None
    return parse, chain([first], lines) if begins_object(line) else lines


def _fault(input_tokens: int, output_tokens: int) -> str:
    """Why these lengths are not those of an answered request. A request that failed may lack both; its output tells why."""
    if input_tokens < 0 or output_tokens < 0:
        return arrivals.NOT_A_COUNT
    if output_tokens == 0:
        return arrivals.NO_OUTPUT
    return arrivals.NO_INPUT if input_tokens == 0 else arrivals.ABSURD_LENGTH


def _check_order(where: str, step_back_s: float, late_rows: int, rows: int) -> None:
    """Refuse a file that is not sorted. Judged on the rows so far, so that it is told early."""
    if step_back_s > LONGEST_STEP_BACK_S:
        raise UsageError(f"{where}: arrives {step_back_s:,.0f} s before the row above it; sort the file by time")
    if late_rows > max(MOST_OUT_OF_ORDER, MOST_SHARE_OUT_OF_ORDER * rows):
        raise UsageError(
            f"{where}: {late_rows:,} of the {rows:,} rows so far arrive before the row above them; accepted: "
            f"{MOST_OUT_OF_ORDER}, or {MOST_SHARE_OUT_OF_ORDER:.0%} of the rows where that is more; sort the file by time"
        )


def _why_none(rows: int, tally: Tally) -> str:
    if not rows:
        return "nothing stands below the header"
    return f"rows left out: {', '.join(f'{count:,} x {reason}' for reason, count in tally.skipped.most_common())}"
