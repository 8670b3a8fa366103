"""The page of a simulated run: the verdict first, percentiles as they are, nothing wider than the screen; and the bar while it runs."""

import csv
import io
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from catalogs import frozen_catalog
from own_runs import own_trace
from rich.cells import cell_len

from infra_advisor.advice.limits import Limits
from infra_advisor.advice.simulate import Serving, simulate
from infra_advisor.advice.simulated import RequestsPart, SamplePart, SimulateAnswer, TimePart, TracePart
from infra_advisor.present import bar, render
from infra_advisor.present.bar import Bar
from infra_advisor.present.screen import Screen
from infra_advisor.search.traffic import Lengths, Traffic
from infra_advisor.search.workload import Workload

TIMES = TimePart(mean=0.2, p50=0.18, p90=0.25, p95=0.3042, p99=1.5)
TOKENS = TimePart(mean=0.02, p50=0.02, p90=0.021, p95=0.0224, p99=0.025)
WHOLE = TimePart(mean=6.2, p50=6.1, p90=6.5, p95=7.0, p99=75.0)
NOTHING = TimePart(mean=None, p50=None, p90=None, p95=None, p99=None)
TRACE = TracePart(
    path="requests.csv", speed=2.0, requests=12_345, span_s=7200.0, mean_input_tokens=940.0, mean_output_tokens=209.0,
    skipped={"longer than the model's context": 1234, "no output tokens": 5}, clamped={"arrives before the row above it": 7},
)  # fmt: skip


@cache
def ran(**asked: Any) -> SimulateAnswer:
    """A short run of two H100 on the mini catalog."""
    workload = Workload(model="70b", users=asked.get("users", 20.0))
    limits = Limits(ttft_s=asked.get("ttft_s"), tpot_s=asked.get("tpot_s"))
    serving = Serving(replicas=asked.get("replicas", 1), prefill_replicas=asked.get("prefill", 0))
    return simulate(frozen_catalog(), asked.get("target", "h100:2"), workload, limits, traffic=Traffic(requests=200), serving=serving)


def record(**changes: Any) -> SimulateAnswer:
    """A run with round figures."""
    usual: dict[str, Any] = {
        "ttft_s": TIMES, "tpot_s": TOKENS, "e2e_s": WHOLE, "goodput_per_s": 0.75, "good_share": 0.98, "output_tokens_per_s": 230.4,
        "utilisation": 0.912, "mean_running": 4.56, "usd_per_mtok_output": 9.6,
        "requests": RequestsPart(arrived=12_345, finished=12_300, rejected=45, in_flight=0, counted=11_111, preempted=0),
    }  # fmt: skip
    return ran(ttft_s=0.5).model_copy(update=usual | changes)


def trace_record() -> SimulateAnswer:
    return record(trace=TRACE, warnings=("1,001 of 12,345 requests were longer than the model's context, and cut to it",))


RECORDS = {
    "ok": record,
    "a real run": lambda: ran(ttft_s=0.5),
    "no limits": ran,
    "missed": lambda: ran(ttft_s=0.1, tpot_s=0.01),
    "saturated": lambda: record(status="saturated", reason="more requests come than are served: add replicas, or lower the load"),
    "refused some": lambda: record(status="misses_targets", reason="some requests do not fit into the cache"),
    "apart": lambda: ran(users=40.0, replicas=2, prefill=1, ttft_s=0.5),
    "trace": trace_record,
    "one token": lambda: record(tpot_s=NOTHING),
    "no samples": lambda: record(samples=()),
    "thrown out": lambda: record(requests=RequestsPart(arrived=9, finished=9, rejected=0, in_flight=0, counted=9, preempted=1234)),
    "misfit": lambda: ran(target="l4:1"),
}
each_record = pytest.mark.parametrize("name", RECORDS)


def words(shown: SimulateAnswer, width: int = 100) -> str:
    return " ".join(render(shown, "table", screen=Screen(width)).split())


# -- screens


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 160])
@each_record
def test_no_line_is_wider_than_the_screen(name: str, width: int) -> None:
    for line in render(RECORDS[name](), "table", screen=Screen(width)).splitlines():
        assert cell_len(line) <= width, line


@pytest.mark.parametrize("width", [60, 80, 120])
@each_record
def test_ascii_terminals_get_ascii(name: str, width: int) -> None:
    text = render(RECORDS[name](), "table", screen=Screen(width, unicode=False))
    assert text.isascii()
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= width


@each_record
def test_every_width_tells_the_same_figures(name: str) -> None:
    """Of the run; a narrow screen breaks lines, never numbers. Charts aside, whose axes have room for fewer marks."""

    def figures(width: int) -> list[str]:
        text = re.split(r"Requests without a first token, over", words(RECORDS[name](), width))[0]
        return re.findall(r"\d[\d.,]*", text.replace("-\n", "-"))

    assert sorted(figures(60)) == sorted(figures(80)) == sorted(figures(120))
    assert len(figures(80)) >= 3


# -- words


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("ok", "2x H100 SXM5 80GB, vLLM fp8 tp2, 1 replica, meets every target at this load."),
        ("no limits", "2x H100 SXM5 80GB, vLLM fp8 tp2, 1 replica, at this load."),
        ("missed", "2x H100 SXM5 80GB, vLLM fp8 tp2, 1 replica, misses a target: TTFT 1"),
        ("saturated", "2x H100 SXM5 80GB, vLLM fp8 tp2, 1 replica, is saturated: more requests come than are served"),
        ("refused some", "2x H100 SXM5 80GB, vLLM fp8 tp2, 1 replica, refuses 45 of 12,345 requests: they do not fit into its cache."),
        ("apart", "2 replicas of 2x H100 SXM5 80GB that decode and 1 that prefill, vLLM fp8 tp2, meets every target"),
        ("misfit", "No simulation: does not fit in memory: more accelerators, fewer bits"),
    ],
)
def test_the_verdict_comes_first(name: str, begins: str) -> None:
    assert words(RECORDS[name]()).startswith(begins)


def test_times_stand_by_percentile() -> None:
    text = render(record(), "table", screen=Screen(100))
    assert "Times over 11,111 requests" in text
    by_title = {line.split("  ")[0]: line.split() for line in text.splitlines() if line.startswith(("TTFT", "TPOT", "whole"))}
    assert " ".join(by_title["TTFT"]) == "TTFT 200 ms 180 ms 250 ms 304 ms 1.50 s"
    assert " ".join(by_title["TPOT"]) == "TPOT 20.0 ms 20.0 ms 21.0 ms 22.4 ms 25.0 ms"
    assert " ".join(by_title["whole request"]) == "whole request 6.20 s 6.10 s 6.50 s 7.00 s 75.0 s"


def test_figures_of_the_run() -> None:
    text = words(record())
    assert "12,345 arrived, 12,300 finished, 45 refused, 0 left in flight" in text
    assert "0.75 requests/s (98 % met every target)" in text
    assert "230 tokens/s" in text
    assert "4.56 requests a replica" in text
    assert "9.60 USD per million output tokens" in text
    assert "thrown out" not in text
    assert "1,234 times: the cache was full" in words(RECORDS["thrown out"]())


def test_without_targets_no_share_of_good_requests_is_shown() -> None:
    assert "(no target was given)" in words(ran())
    assert "met every target)" not in words(ran())


def test_a_trace_is_told_with_what_was_left_out() -> None:
    text = words(trace_record(), 120)
    assert "12,345 requests of requests.csv at 2 times its speed, in 2.00 h, mean 940 tokens in, 209 out" in text
    assert "Left out of the trace: 1,234 (longer than the model's context), 5 (no output tokens)." in text
    assert "Changed in the trace: 7 (arrives before the row above it)." in text
    assert "Note: 1,001 of 12,345 requests were longer than the model's context, and cut to it" in text


def test_answers_of_one_token_have_an_unknown_pace_not_zero() -> None:
    line = next(line for line in render(RECORDS["one token"](), "table", screen=Screen(100)).splitlines() if line.startswith("TPOT"))
    assert line.split() == ["TPOT", *["?"] * 5]


def test_the_chart_shows_the_peak_of_each_slice() -> None:
    """600 s of nothing but one moment at which 90 wait: one column of full height, the axis up to 90."""
    samples = tuple(SamplePart(at_s=float(at_s), waiting=90 if at_s == 300 else 0, running=5, cache_share=0.5) for at_s in range(0, 601, 5))
    text = render(record(samples=samples), "table", screen=Screen(100))
    chart = text.split("Requests without a first token, over 10.0 min")[1].split("Requests that decode")[0]
    lines = [line for line in chart.splitlines() if "│" in line]
    assert lines[0].strip().startswith("90 │")
    marks = [line.split("│")[1].strip() for line in lines]
    assert len(marks[0]) == 1
    assert marks[1:] == ["█"] * 7
    assert len({len(line.rstrip()) for line in lines}) == 1


def test_a_run_of_a_moment_has_no_chart() -> None:
    for samples in ((), ran().samples[:1], tuple(one.model_copy(update={"at_s": 5.0}) for one in ran().samples[:4])):
        assert "over" not in words(record(samples=samples)).split("Run ")[1].split("Assumed")[0]


# -- other formats


@each_record
def test_csv_has_one_row(name: str) -> None:
    shown = RECORDS[name]()
    (row,) = csv.DictReader(io.StringIO(render(shown, "csv")))
    assert row["status"] == shown.status
    assert row["ttft_s_p95"] == ("" if shown.ttft_s.p95 is None else repr(shown.ttft_s.p95))
    assert row["requests_rejected"] == str(shown.requests.rejected)
    assert row.get("accelerator") == (None if shown.answer is None else "h100-sxm")


@each_record
def test_markdown_has_the_page(name: str) -> None:
    shown = RECORDS[name]()
    text = render(shown, "markdown")
    assert "\x1b" not in text
    assert ("| TTFT |" in text) == (shown.answer is not None)
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.rstrip().endswith("|")


def test_a_real_trace_is_rendered(tmp_path: Path) -> None:
    """From a file to the page: requests, span and mean lengths are those of the file, (20 x 4,000 + 180 x 600) / 200 = 940 tokens."""
    path = tmp_path / "own.csv"
    path.write_text(own_trace(), encoding="utf-8")
    shown = simulate(frozen_catalog(), "h100:2", Workload(model="70b"), traffic=Traffic(trace=path))
    assert f"200 requests of {path} in 99.5 s, mean 940 tokens in, 209 out" in words(shown, 160)
    assert "lengths" not in {one.name for one in shown.assumptions}


def test_what_a_run_takes_for_granted_is_said() -> None:
    """Equal lengths unless they are stated, the pause of users, and the statistic that targets are judged at."""
    text = words(ran(ttft_s=0.5))
    assert "20 s to think between answers" in text
    assert "lengths fixed (every request has the stated lengths)" in text
    assert "times judged at the p95" in text
    spread = Traffic(requests=50, lengths=Lengths("lognormal"))
    shown = simulate(frozen_catalog(), "h100:2", Workload(model="70b", request_rate_per_s=1.0), traffic=spread)
    assert "lengths fixed" not in words(shown)
    assert shown.fleet.lengths == "lognormal"


# -- the bar


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("terminal", "patience_s", "shown"), [(True, 0.0, True), (True, 60.0, False), (False, 0.0, False)])
def test_a_bar_only_on_a_terminal_and_only_when_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, patience_s: float, shown: bool
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(bar, "PATIENCE_S", patience_s)
    monkeypatch.setenv("TERM", "xterm")
    with Bar() as told:
        for done in (1, 50, 100):
            told(done, 100)
    assert bool(stream.getvalue()) == shown


def test_a_bar_is_gone_when_the_run_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor is back, and the error is the run's own."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(bar, "PATIENCE_S", 0.0)
    monkeypatch.setenv("TERM", "xterm")

    def fail() -> None:
        with Bar() as told:
            told(1, 2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert stream.getvalue().rfind("\x1b[?25h") > stream.getvalue().rfind("\x1b[?25l") >= 0


def test_no_stderr_at_all_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setattr(bar, "PATIENCE_S", 0.0)
    with Bar() as told:
        told(1, 2)
    assert told._progress is None
