"""Traces of requests: what each format means, which rows are left out or changed, and what broken files are refused for."""

import gzip
import json
import math
import tracemalloc
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra_advisor.errors import UsageError
from infra_advisor.facts.traces import BLOCK_TOKENS, FORMATS, LONGEST_REQUEST_TOKENS, Arrival, Tally, mean_lengths, read_trace
from infra_advisor.facts.traces.lines import LONGEST_LINE_BYTES
from infra_advisor.search import workload

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
BURSTGPT = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
PLAIN = "arrival_s,input_tokens,output_tokens\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Puts a trace into a file whose name tells nothing."""

    def put(content: str | bytes) -> Path:
        path = tmp_path / "trace"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


Write = Callable[[str | bytes], Path]


def plain(*rows: str) -> str:
    return PLAIN + "".join(f"{row}\n" for row in rows)


def request(timestamp: object = 0, input_length: object = 600, output_length: object = 5, **more: object) -> str:
    return json.dumps({"timestamp": timestamp, "input_length": input_length, "output_length": output_length} | more)


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        list(read_trace(path))
    return str(caught.value)


def counted(path: Path, longest_request_tokens: int | None = None) -> tuple[list[float], Tally]:
    tally = Tally()
    return [arrival.arrival_s for arrival in read_trace(path, longest_request_tokens=longest_request_tokens, tally=tally)], tally


# -- what each format means


def test_azure_dates(write: Write) -> None:
    """18:15:46.68059 to 18:15:50.995169 is 4.314579 s; to half past midnight of the next day 5 h 44 min 13.31941 s + 30 min."""
    path = write(AZURE + "2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n2023-11-17 00:30:00.0000000,7,8\n")
    assert list(read_trace(path)) == [
        (0.0, 374, 44, None),
        (pytest.approx(4.314579, abs=1e-9), 396, 109, None),
        (pytest.approx(22453.31941, abs=1e-9), 7, 8, None),
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2024-05-10 00:00:59.5+00:00", "2024-05-10 00:01:01+00:00"),
        ("2024-05-10T00:00:59.5Z", "2024-05-10T00:01:01Z"),
        ("2024-05-10T00:00:59.500000+00:00", "2024-05-10T00:01:01.000000000+00:00"),
        ("2024-02-29 23:59:59.5", "2024-03-01 00:00:01"),
        ("2023-12-31 23:59:59.5", "2024-01-01 00:00:01"),
        (" 2024-05-10 00:00:59.5 ", " 2024-05-10 00:01:01 "),
        ("2024-05-10 00:00:01 ", "2024-05-10 00:00:02.5 "),
    ],
)
def test_later_azure_releases_and_turns_of_the_day(write: Write, first: str, second: str) -> None:
    assert [arrival.arrival_s for arrival in read_trace(write(f"{AZURE}{first},1,1\n{second},1,1\n"))] == [0.0, 1.5]


def test_dates_keep_a_tenth_of_a_microsecond(write: Write) -> None:
    path = write(AZURE + "2023-11-16 18:15:46.6805900,1,1\n2023-11-16 18:15:46.6805901,1,1\n")
    assert [arrival.arrival_s for arrival in read_trace(path)] == [0.0, pytest.approx(1e-7, rel=1e-3)]


def test_mooncake_milliseconds_and_blocks(write: Write) -> None:
    """600 tokens are a full block of 512 and a partial one."""
    path = write("\n".join([request(500, 600, 5, hash_ids=[7, 8]), request(2000, 1, 2, hash_ids=None, turn=3), request(2000.5, 512, 1)]))
    assert list(read_trace(path)) == [(0.0, 600, 5, (7, 8)), (1.5, 1, 2, None), (pytest.approx(1.5005), 512, 1, None)]
    assert BLOCK_TOKENS == 512


def test_burstgpt_columns_by_name(write: Write) -> None:
    path = write(BURSTGPT + "5,ChatGPT,472,18,490,Conversation log\n45.5,GPT-4,1087,230,1317,API log\n")
    assert list(read_trace(path)) == [(0.0, 472, 18, None), (40.5, 1087, 230, None)]
    path = write(
        "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
        "19440110.0,1722ac82,43,GPT-4,906,446,1352,Conversation log\n19440161.0,,2,ChatGPT,36,29,65,API log\n"
    )
    assert list(read_trace(path)) == [(0.0, 906, 446, None), (51.0, 36, 29, None)]


def test_plain_columns_in_any_order(write: Write) -> None:
    assert list(read_trace(write("output_tokens,arrival_s,input_tokens\n3,10,2\n5,12.25,4\n"))) == [(0.0, 2, 3, None), (2.25, 4, 5, None)]


def test_an_arrival_has_names(write: Write) -> None:
    (arrival,) = read_trace(write(plain("1,2,3")))
    assert arrival == Arrival(arrival_s=0.0, input_tokens=2, output_tokens=3, blocks=None)


@pytest.mark.parametrize(
    "content",
    [
        plain("1,2,3", "2,4,5").encode(),
        plain("1,2,3", "2,4,5").encode().removesuffix(b"\n"),
        plain("1,2,3", "2,4,5").replace("\n", "\r\n").encode(),
        plain("1,2,3", "2,4,5").encode("utf-8-sig"),
        b"\n" + plain("1,2,3", "", "  ", "2,4,5", "").encode(),
        b'"arrival_s","input_tokens", output_tokens \n"1","2","3"\n 2 , 4 , 5 \n',
        b"arrival_s,input_tokens,output_tokens\n1.0,2.0,3.\n2e0,+4,5.00\n",
    ],
)
def test_ways_to_write_the_same(write: Write, content: bytes) -> None:
    tally = Tally()
    assert list(read_trace(write(content), tally=tally)) == [(0.0, 2, 3, None), (1.0, 4, 5, None)]
    assert tally == Tally(rows=2)


def test_path_as_text(write: Write) -> None:
    assert len(list(read_trace(str(write(plain("1,2,3")))))) == 1


def test_all_at_once(write: Write) -> None:
    assert [arrival.arrival_s for arrival in read_trace(write(plain("9,2,3", "9,2,3")))] == [0.0, 0.0]


# -- speed


def test_speed_divides_the_times(write: Write) -> None:
    path = write(plain("10,2,3", "13,2,3"))
    assert [arrival.arrival_s for arrival in read_trace(path, speed=2.0)] == [0.0, 1.5]
    assert [arrival.arrival_s for arrival in read_trace(path, speed=0.25)] == [0.0, 12.0]


@pytest.mark.parametrize("speed", [0.0, -1.0, math.nan, math.inf, 1e-300])
def test_speed_is_checked_before_the_file_is_read(tmp_path: Path, speed: float) -> None:
    with pytest.raises(UsageError, match=r"speed is .*; accepted: a finite number above 0"):
        read_trace(tmp_path / "missing", speed=speed)


# -- rows left out


@pytest.mark.parametrize(
    ("lengths", "reason"),
    [
        ("0,5", "no input tokens"),
        ("-3,5", "a length that is no whole number of tokens"),
        ("5,-3", "a length that is no whole number of tokens"),
        ("5,0", "no output tokens"),
        ("0,0", "no output tokens"),
        ("5.5,5", "a length that is no whole number of tokens"),
        ("5,many", "a length that is no whole number of tokens"),
        ("5,", "a length that is no whole number of tokens"),
        ("nan,5", "a length that is no whole number of tokens"),
        ("1_0,5", "a length that is no whole number of tokens"),
        ("16777217,5", "a length above 16,777,216 tokens"),
        ("5,16777217", "a length above 16,777,216 tokens"),
        ("9" * 5000 + ",5", "a length above 16,777,216 tokens"),
    ],
)
def test_lengths_that_are_none(write: Write, lengths: str, reason: str) -> None:
    """The row left out is as if it was not there: the first arrival is that of the row below."""
    times, tally = counted(write(plain(f"1,{lengths}", "7,2,3", f"8,{lengths}", "9,2,3")))
    assert times == [0.0, 2.0]
    assert (tally.rows, tally.skipped, tally.clamped) == (4, {reason: 2}, {})


@pytest.mark.parametrize("length", [-1, 5.5, "5", None, True, [5], math.nan, math.inf])
def test_lengths_in_json_that_are_none(write: Write, length: object) -> None:
    times, tally = counted(write("\n".join([request(0), request(1, length), request(2, 600, length), request(3)])))
    assert times == [0.0, 0.003]
    assert tally.skipped == {"a length that is no whole number of tokens": 2}


def test_longest_lengths_are_read(write: Write) -> None:
    (arrival,) = read_trace(write(plain("1,16777216,16777216")))
    assert (arrival.input_tokens, arrival.output_tokens) == (16_777_216, 16_777_216)
    assert LONGEST_REQUEST_TOKENS == 16_777_216 == workload.LONGEST_REQUEST_TOKENS


def test_failed_requests_of_burstgpt(write: Write) -> None:
    times, tally = counted(write(BURSTGPT + "5,ChatGPT,472,0,472,API log\n9,ChatGPT,472,18,490,API log\n"))
    assert (times, tally.skipped) == ([0.0], {"no output tokens": 1})


def test_requests_longer_than_the_context(write: Write) -> None:
    """60 + 40 fit into 100, 61 + 40 do not."""
    path = write(plain("1,61,40", "2,60,40"))
    times, tally = counted(path, longest_request_tokens=100)
    assert (times, tally.skipped) == ([0.0], {"longer than the model's context": 1})
    assert counted(path) == ([0.0, 1.0], Tally(rows=2))


def test_tally_grows_while_the_trace_is_read(write: Write) -> None:
    tally = Tally()
    arrivals = read_trace(write(plain("1,2,3", "2,2,0", "3,2,3", "4,2,3")), tally=tally)
    assert tally == Tally()
    next(arrivals)
    assert (tally.rows, tally.skipped.total()) == (1, 0)
    next(arrivals)
    assert (tally.rows, tally.skipped.total()) == (3, 1)


# -- order of time


def test_a_row_before_the_one_above_is_clamped(write: Write) -> None:
    """Also the second such row is judged by the latest time so far."""
    times, tally = counted(write(plain("10,2,3", "20,2,3", "15,2,3", "17,2,3", "21,2,3")))
    assert times == [0.0, 10.0, 10.0, 10.0, 11.0]
    assert (tally.rows, tally.skipped, tally.clamped) == (5, {}, {"arrives before the row above it": 2})


def test_rows_left_out_do_not_clamp(write: Write) -> None:
    times, tally = counted(write(plain("10,2,3", "20,2,0", "15,2,3")))
    assert (times, tally.clamped) == ([0.0, 5.0], {})


def test_a_step_back_of_an_hour(write: Write) -> None:
    assert counted(write(plain("5000,2,3", "1400,2,3")))[0] == [0.0, 0.0]
    path = write(plain("5000,2,3", "1399,2,3"))
    assert refusal(path) == f"{path}:3: arrives 3,601 s before the row above it; sort the file by time"


def test_a_step_back_is_measured_before_the_speed_up(write: Write) -> None:
    with pytest.raises(UsageError, match="sort the file by time"):
        list(read_trace(write(plain("5000,2,3", "1399,2,3")), speed=100.0))


def with_late_rows(rows: int, late: set[int]) -> str:
    """One row a second; those in `late`, counted from 1, are two seconds late."""
    return plain(*(f"{row - 2 if row in late else row},2,3" for row in range(1, rows + 1)))


def test_few_rows_may_hold_ten_late_ones(write: Write) -> None:
    late = set(range(10, 110, 10))
    assert counted(write(with_late_rows(999, late)))[1].clamped.total() == 10
    path = write(with_late_rows(999, late | {999}))
    assert f"{path}:1000: 11 of the 999 rows so far arrive before the row above them" in refusal(path)
    assert "sort the file by time" in refusal(path)


def test_many_rows_may_hold_one_percent_of_late_ones(write: Write) -> None:
    """Every hundredth row is late, 19 of the first 1,949: with the next, 20 of 1,950 are more than 19.5."""
    late = set(range(100, 2001, 100))
    assert counted(write(with_late_rows(2000, late)))[1].clamped.total() == 20
    path = write(with_late_rows(2000, late | {1950}))
    assert f"{path}:1951: 20 of the 1,950 rows so far" in refusal(path)


# -- times that are none


@pytest.mark.parametrize("time", ["", "soon", "nan", "inf", "-inf", "1e13", "2023-11-16 18:15:46.68"])
@pytest.mark.parametrize("header", [PLAIN, "Timestamp,Request tokens,Response tokens\n"])
def test_seconds_that_are_none(write: Write, header: str, time: str) -> None:
    path = write(f"{header}1,2,3\n{time},2,3\n")
    column = header.split(",")[0]
    assert refusal(path).startswith(f"{path}:3: {column} is {time!r}; accepted: seconds as a ")


@pytest.mark.parametrize(
    "time",
    [
        "", "soon", "5.0", "1700158546", "nan", "2023-11-16", "2023-11-16 18:15", "16.11.2023 18:15:46", "2023-11-16T18:15:46.68",
        "2023-11-16 18:15:46.68Z", "2023-11-16 18:15:46.68+00:00", "2023-11-16 18:16:46.68Z", "2023-11-16 18:15:60", "2023-11-16 18:60:00",
        "2023-11-16 24:00:00", "2023-02-30 18:15:46", "2023-11-16 18:15:nan", "2023-11-16 18:15:1e1", "2023-11-16 18:15:-1",
        "2023-11-16 18:15:46.6.8", "2023-11-16 18:15:",
    ],
)  # fmt: skip
def test_dates_that_are_none(write: Write, time: str) -> None:
    """Also a date as good as any, written otherwise than the first: two recorders' files were joined."""
    path = write(f"{AZURE}2023-11-16 18:15:46.68,2,3\n{time},2,3\n")
    accepted = "accepted: a date and a time of day written as in the first row, 2023-11-16 18:15:46.68"
    assert refusal(path) == f"{path}:3: TIMESTAMP is {time!r}; {accepted}"


@pytest.mark.parametrize("time", ["2023-11-16T18:15:47", "2023-11-16T18:15:47+00:00", "2023-11-16 18:15:47Z", "2023-11-16T18:16:47"])
def test_dates_without_the_zone_of_the_first(write: Write, time: str) -> None:
    path = write(f"{AZURE}2023-11-16T18:15:46Z,2,3\n{time},2,3\n")
    assert refusal(path).startswith(f"{path}:3: TIMESTAMP is {time!r}; ")


def test_first_row_without_a_date(write: Write) -> None:
    path = write(f"{AZURE}5.0,2,3\n")
    assert refusal(path).startswith(f"{path}:2: TIMESTAMP is '5.0'; accepted: a date and a time of day such as 2023-11-16 18:15:46.68")


@pytest.mark.parametrize("timestamp", [None, "0", True, [0], math.nan, math.inf, -math.inf, 10**400, "2023-11-16 18:15:46"])
def test_milliseconds_that_are_none(write: Write, timestamp: object) -> None:
    path = write(f"{request(0)}\n{request(timestamp)}\n")
    assert refusal(path).startswith(f"{path}:2: timestamp is ")
    assert "accepted: milliseconds as a finite number" in refusal(path)


def test_a_time_is_read_also_where_the_row_is_left_out(write: Write) -> None:
    path = write(plain("1,2,3", "soon,2,0"))
    assert refusal(path).startswith(f"{path}:3: arrival_s is 'soon'")


# -- rows that are none


@pytest.mark.parametrize(("row", "cells"), [("1", 1), ("1,2", 2), ("1,2,3,4", 4), ("1,2,3,", 4)])
def test_too_few_and_too_many_cells(write: Write, row: str, cells: int) -> None:
    path = write(plain("1,2,3", row, "1,2,3"))
    assert refusal(path) == f"{path}:3: has {cells} cells; the header has 3: arrival_s,input_tokens,output_tokens"


def test_line_numbers_count_blank_lines(write: Write) -> None:
    path = write(plain("1,2,3", "", "", "1,2"))
    assert refusal(path).startswith(f"{path}:5: has 2 cells")


@pytest.mark.parametrize("end", ["2", "2,4", "2,", '2,"4'])
def test_last_line_without_its_end_is_cut_off(write: Write, end: str) -> None:
    times, tally = counted(write(PLAIN + "1,2,3\n" + end))
    assert (times, tally.rows, tally.skipped) == ([0.0], 2, {"truncated last line": 1})


@pytest.mark.parametrize("end", ["2,4\n", "2,4,5,6", '2,"4\n'])
def test_last_line_that_is_not_cut_off_but_wrong(write: Write, end: str) -> None:
    path = write(PLAIN + "1,2,3\n" + end)
    assert refusal(path).startswith(f"{path}:3: ")


@pytest.mark.parametrize("after", ["", "\n", "\n\n"])
def test_last_line_of_json_is_cut_off_anywhere(write: Write, after: str) -> None:
    whole = request(1500, 600, 5, hash_ids=[1000001, 1000002])
    for length in range(1, len(whole)):
        times, tally = counted(write(f"{request(0)}\n{whole[:length]}{after}"))
        assert (times, tally.rows, tally.skipped) == ([0.0], 2, {"truncated last line": 1})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (request()[:40], "not JSON: "),
        ('{"timestamp": 0, oops}', "not JSON: "),
        ("[1, 2]", "'[1, 2]' is no JSON object"),
        ("hello", "'hello' is no JSON object"),
        (request() + request(), "stands behind the object"),
        ('{"timestamp": 0, "input_length": 1, "output_lenght": 1}', "no output_length in the object; a request has timestamp, input"),
        ('{"timestamp": 1' + "0" * 5000 + "}", "not readable as JSON"),
        ('{"a": ' + "[" * 100_000, "not "),
    ],
)
def test_json_that_is_no_request(write: Write, row: str, said: str) -> None:
    path = write(f"{request()}\n{row}\n{request()}\n")
    assert refusal(path).startswith(f"{path}:2: ")
    assert said in refusal(path)


def test_json_with_a_wrong_last_line(write: Write) -> None:
    """Cut off is only what does not end as an object ends."""
    path = write(f'{request()}\n{{"timestamp": 0, oops}}')
    assert refusal(path).startswith(f"{path}:2: not JSON")


def test_missing_key_names_the_nearest(write: Write) -> None:
    path = write(f'{request()}\n{{"timestamp": 0, "input_length": 1, "output_lenght": 1}}')
    assert "'output_lenght' stands there. Did you mean output_length?" in refusal(path)


@pytest.mark.parametrize("ids", [5, "1", {"1": 2}, [1.0], ["1"], [True], [None], [[1]], [1, 2.5]])
def test_blocks_that_are_none(write: Write, ids: object) -> None:
    path = write(f"{request()}\n{request(hash_ids=ids)}\n")
    assert refusal(path).startswith(f"{path}:2: hash_ids is ")
    assert "accepted: a list of integers" in refusal(path)


def test_more_blocks_than_the_prompt_has(write: Write) -> None:
    """1,024 tokens are two blocks; 1,025 are three. Fewer ids than blocks are the leading ones."""
    path = write(
        "\n".join([request(0, 1024, 5, hash_ids=[1, 2]), request(0, 1025, 5, hash_ids=[1, 2, 3]), request(0, 1025, 5, hash_ids=[])])
    )
    assert [arrival.blocks for arrival in read_trace(path)] == [(1, 2), (1, 2, 3), ()]
    path = write(request(0, 1024, 5, hash_ids=[1, 2, 3]))
    assert refusal(path).startswith(f"{path}:1: hash_ids holds 3 blocks for 1,024 tokens; accepted: blocks of 512 tokens")


# -- files that are none


@pytest.mark.parametrize(
    "first",
    ["hello", "0,12,5", "a,b,c", "[1]", '{"prompt": "x"}', "arrival_s;input_tokens;output_tokens", 'arrival_s,"input', "Timestamp,Model"],
)
def test_unknown_first_line_lists_the_formats(write: Write, first: str) -> None:
    path = write(f"{first}\n1,2,3\n")
    assert refusal(path).startswith(f"{path}:1: ")
    for known in (AZURE, BURSTGPT, PLAIN, '{"timestamp": ms, "input_length": n, "output_length": n, "hash_ids": [...]}'):
        assert known.strip() in refusal(path)
    assert len(FORMATS) == 4


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("arival_s,input_tokens,output_tokens", "unknown column 'arival_s'. Did you mean arrival_s? plain CSV without arrival_s."),
        ("arrival_s,input_tokens,output_tokens,session", "unknown column 'session'."),
        ("arrival_s,input_tokens", "plain CSV without output_tokens."),
        ("arrival_s,input_tokens,output_tokens,arrival_s", "the column arrival_s stands there twice."),
        ("TIMESTAMP,ContextTokens,GeneratedToken", "unknown column 'GeneratedToken'. Did you mean GeneratedTokens?"),
        ("Timestamp,Model,Request tokens,Respons tokens", "Did you mean Response tokens"),
        ("arival", "'arival' is no header of a trace. Did you mean arrival_s?"),
        ('{"timestamp": 0, "input_lenght": 1, "output_length": 1}', "'input_lenght' stands there. Did you mean input_length?"),
    ],
)
def test_header_with_a_fault(write: Write, header: str, said: str) -> None:
    path = write(f"{header}\n1,2,3\n")
    assert said in refusal(path)


@pytest.mark.parametrize("content", ["", "\n \n", b"\xef\xbb\xbf"])
def test_empty(write: Write, content: str | bytes) -> None:
    path = write(content)
    assert refusal(path).startswith(f"{path}: is empty. Accepted: Azure")


def test_header_alone(write: Write) -> None:
    for header in (AZURE, BURSTGPT, PLAIN, PLAIN.strip()):
        path = write(header)
        assert refusal(path) == f"{path}: holds no request that can be used; nothing stands below the header"


def test_no_row_that_can_be_used(write: Write) -> None:
    path = write(plain("1,2,0", "1,2,0", "1,0,2"))
    assert refusal(path) == f"{path}: holds no request that can be used; rows left out: 2 x no output tokens, 1 x no input tokens"
    path = write('{"timestamp": 0, "inp')
    assert "1 x truncated last line" in refusal(path)


def test_not_there_and_no_file(tmp_path: Path) -> None:
    assert f"{tmp_path / 'missing'}: No such file or directory" in refusal(tmp_path / "missing")
    assert f"{tmp_path}: Is a directory" in refusal(tmp_path)


def test_packed(write: Write) -> None:
    path = write(gzip.compress(plain("1,2,3").encode()))
    assert refusal(path) == f"{path}: is packed (gzip); unpack it first"
    assert "is packed (zip); unpack it first" in refusal(write(b"PK\x03\x04" + bytes(100)))


@pytest.mark.parametrize(
    ("content", "line"), [(b"\xff\xfe" + PLAIN.encode("utf-16-le"), 1), (b"\x80\x81", 1), (plain("1,2,3").encode() + b"2,2,3\xfc\n", 3)]
)
def test_not_utf_8(write: Write, content: bytes, line: int) -> None:
    path = write(content)
    assert refusal(path).startswith(f"{path}:{line}: not UTF-8")


def test_a_file_without_line_ends_is_not_loaded(write: Write) -> None:
    path = write(PLAIN.encode() + b"1" * (LONGEST_LINE_BYTES + 1))
    assert refusal(path).startswith(f"{path}:2: a line of more than 4,194,304 bytes")


# -- a stream


def test_nothing_is_read_ahead(write: Write) -> None:
    path = write(plain(*(f"{row},2,3" for row in range(99_999)), "broken", "100000,2,3"))
    arrivals = read_trace(path)
    assert [arrival.arrival_s for arrival in islice(arrivals, 3)] == [0.0, 1.0, 2.0]
    with pytest.raises(UsageError, match=":100001: has 1 cells"):
        list(arrivals)


def test_memory_does_not_grow_with_the_file(write: Write) -> None:
    """30,000 rows, two megabytes of text and more of objects, in less than 400 kB."""
    path = write("\n".join(request(second, 5000, 5, hash_ids=list(range(second, second + 9))) for second in range(30_000)))
    assert path.stat().st_size > 2_000_000
    tracemalloc.start()
    try:
        summary = mean_lengths(path)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert summary.requests == 30_000
    assert peak_bytes < 400_000


# -- summary


def test_means(write: Write) -> None:
    """Inputs 10, 20 and 60, outputs 1, 2 and 6; three arrivals within 4 s have two gaps of 2 s on average."""
    path = write(plain("10,10,1", "11,5,0", "13,20,2", "14,60,6"))
    summary = mean_lengths(path)
    assert (summary.requests, summary.span_s, summary.mean_input_tokens, summary.mean_output_tokens) == (3, 4.0, 30.0, 3.0)
    assert (summary.mean_rate_per_s, summary.has_blocks) == (0.5, False)
    assert summary.tally.rows == 4
    assert summary.tally.skipped == {"no output tokens": 1}
    faster = mean_lengths(path, speed=4.0, longest_request_tokens=30)
    assert (faster.requests, faster.span_s, faster.mean_input_tokens) == (2, 0.75, 15.0)
    assert faster.mean_rate_per_s == pytest.approx(4 / 3)


def test_means_of_blocks_and_of_a_burst(write: Write) -> None:
    burst = mean_lengths(write("\n".join([request(5), request(5, hash_ids=[1]), request(5)])))
    assert (burst.span_s, burst.mean_rate_per_s, burst.has_blocks) == (0.0, None, True)
    assert mean_lengths(write(request())).has_blocks is False


def test_means_of_nothing(write: Write) -> None:
    with pytest.raises(UsageError, match="holds no request"):
        mean_lengths(write(AZURE))


# -- whatever is written is read back


def as_azure(rows: list[tuple[int, int, int]]) -> str:
    """Ticks of 0.1 ms from half a minute before midnight."""

    def date(tick: int) -> str:
        second, fraction = divmod(tick + 863_700_000, 10_000)
        day, second = divmod(second, 86_400)
        return f"2024-02-{28 + day} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{fraction:04}000"

    return AZURE + "".join(f"{date(tick)},{given},{made}\n" for tick, given, made in rows)


def as_mooncake(rows: list[tuple[int, int, int]]) -> str:
    return "\n".join(request(tick / 10, given, made, hash_ids=[tick] * -(-given // 512)) for tick, given, made in rows)


def as_burstgpt(rows: list[tuple[int, int, int]]) -> str:
    return BURSTGPT + "".join(f"{tick / 1e4},GPT-4,{given},{made},{given + made},API log\n" for tick, given, made in rows)


def as_plain(rows: list[tuple[int, int, int]]) -> str:
    return plain(*(f"{tick / 1e4:.4f},{given},{made}" for tick, given, made in rows))


REQUESTS = st.lists(st.tuples(st.integers(0, 1_000_000), st.integers(1, 100_000), st.integers(1, 100_000)), min_size=1, max_size=30)


@pytest.mark.parametrize("form", [as_azure, as_mooncake, as_burstgpt, as_plain])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=REQUESTS.map(sorted))
def test_written_and_read_back(write: Write, form: Callable[[list[tuple[int, int, int]]], str], rows: list[tuple[int, int, int]]) -> None:
    tally = Tally()
    read = list(read_trace(write(form(rows)), tally=tally))
    assert tally == Tally(rows=len(rows))
    assert [(arrival.input_tokens, arrival.output_tokens) for arrival in read] == [row[1:] for row in rows]
    assert [arrival.arrival_s for arrival in read] == pytest.approx([(tick - rows[0][0]) / 1e4 for tick, *_ in rows], abs=1e-7)
    if form is as_mooncake:
        assert [arrival.blocks for arrival in read] == [(tick,) * -(-given // 512) for tick, given, _ in rows]
