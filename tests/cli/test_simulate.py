"""`advisor simulate` on the mini catalog: verdicts and statuses, the document and the rows of a run, every trace format, what is refused.

Two H100 in fp8 carry some four requests a second of a 70B model. Runs are short: what is tested is not how close a percentile is.
"""

import csv
import json
import os
import statistics
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from own_runs import own_trace

from infra_advisor.facts.traces import FORMATS

Advisor = Callable[[str], Any]
Answer = Callable[..., dict[str, Any]]

DAY = "--as-of 2026-11-22"
H100 = "h100:2 --model 70b"
QUICK = f"{H100} --requests 400"
TIMES = ("mean", "p50", "p90", "p95", "p99")


@pytest.fixture
def run(advisor: Advisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Advisor:
    """`run("h100 --model 8b --users 5")`, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return lambda question: advisor(f"simulate {question} {DAY}")


@pytest.fixture
def answer(run: Advisor) -> Answer:
    def ask(question: str, status: int = 0) -> dict[str, Any]:
        done = run(f"{question} --format json")
        assert done.status == status, done.err
        assert done.err == ""
        found: dict[str, Any] = json.loads(done.out)
        return found

    return ask


def rows_of(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


# -- verdicts


@pytest.mark.parametrize(
    ("question", "status", "verdict", "told"),
    [
        (f"{QUICK} --users 20 --ttft 500ms", 0, "ok", "meets every target at this load"),
        (f"{QUICK} --users 20", 0, "ok", "1 replica, at this load"),
        (f"{QUICK} --users 20 --replicas 3 --ttft 500ms", 0, "ok", "3 replicas of 2x H100"),
        (f"{QUICK} --users 20 --ttft 100ms", 4, "misses_targets", "misses a target: TTFT 1"),
        (f"{QUICK} --users 20 --tpot 5ms --at mean", 4, "misses_targets", "misses a target: TPOT 1"),
        (f"{QUICK} --concurrency 8 --throughput 5000", 4, "misses_targets", "misses a target: throughput"),
        (f"{QUICK} --users 20 --throughput 5000", 4, "misses_targets", "misses a target: throughput"),
        (f"{H100} --requests 1500 --rate 30/s --ttft 500ms", 4, "saturated", "is saturated: more requests come than are served"),
        (f"{H100} --requests 3000 --concurrency 900", 4, "saturated", "is saturated"),
        ("l4:1 --model 70b --users 1", 4, "does_not_fit", "No simulation: does not fit in memory"),
    ],
)
def test_verdicts(run: Advisor, answer: Answer, question: str, status: int, verdict: str, told: str) -> None:
    """The first words of the page, the status in the document, and the exit status agree."""
    found = answer(question, status)
    assert found["status"] == verdict
    assert found["saturated"] == (verdict == "saturated")
    done = run(question)
    assert done.status == status
    assert told in " ".join(done.out.split())


def test_what_does_not_fit_has_no_figures(answer: Answer) -> None:
    found = answer("l4:1 --model 70b --users 1", 4)
    assert found["answer"] is None
    assert set(found["requests"].values()) == {0}
    assert found["ttft_s"] == dict.fromkeys(TIMES)
    assert [found[name] for name in ("goodput_per_s", "output_tokens_per_s", "utilisation", "usd_per_mtok_output")] == [None] * 4


def test_a_burst_is_no_saturation(answer: Answer) -> None:
    """However many come at once, none come after; whether that is too slow is for the targets to say."""
    found = answer(f"{H100} --burst 500")
    assert found["status"] == "ok"
    assert found["requests"]["counted"] == found["requests"]["arrived"] == 500
    assert answer(f"{H100} --burst 500 --ttft 5s", 4)["status"] == "misses_targets"


def test_a_missed_throughput_is_told_by_littles_law(answer: Answer) -> None:
    """8 in flight for a mean of R seconds make 8 x 300 / R tokens/s."""
    found = answer(f"{QUICK} --concurrency 8 --throughput 5000", 4)
    (broken,) = found["violations"]
    assert (broken["limit"], broken["allowed"]) == ("throughput", 5000)
    assert broken["predicted"] == pytest.approx(8 * 300 / found["e2e_s"]["mean"])
    assert answer(f"{QUICK} --concurrency 8 --throughput {int(broken['predicted'])}")["status"] == "ok"


# -- the document


@pytest.mark.parametrize(
    ("question", "status"),
    [
        (f"{QUICK} --users 20 --ttft 500ms", 0),
        (f"{QUICK} --rate 30/s --replicas 2 --prefill-replicas 1 --ttft 500ms", 4),
        (f"{H100} --burst 30 --output-tokens 1", 0),
        ("l4:1 --model 70b --users 1", 4),
    ],
)
def test_json_is_as_its_schema_says(advisor: Advisor, answer: Answer, question: str, status: int) -> None:
    found = answer(question, status)
    jsonschema.validate(found, json.loads(advisor("schema simulate").out))
    assert found["schema"] == "infra_advisor/simulate/1"
    assert found["as_of"] == "2026-11-22"
    requests = found["requests"]
    assert requests["arrived"] == requests["finished"] + requests["rejected"] + requests["in_flight"]
    for name in ("ttft_s", "tpot_s", "e2e_s"):
        assert set(found[name]) == set(TIMES)
        quantiles = [found[name][share] for share in TIMES[1:]]
        assert quantiles == [None] * 4 or quantiles == sorted(quantiles)


def test_figures_multiply_out(answer: Answer) -> None:
    """Every request makes 300 tokens; what misses no target is good; a million tokens cost what a month of two machines does by its tokens.

    Both rent and disk are those of one machine, twice; a load balancer stands before them; 300 bytes leave for each token at 0.09 USD/GB.
    """
    found = answer(f"{QUICK} --users 20 --ttft 500ms --replicas 2")
    alone = {line["name"]: line["amount_usd"] for line in found["answer"]["cost"]["lines"]}
    tokens = found["output_tokens_per_s"] * 3600 * 730
    month_usd = 2 * (alone["instances"] + alone["storage of weights"]) + 20 + tokens * 300 / 1e9 * 0.09
    assert alone["load balancer"] == 0 < alone["instances"]
    assert found["usd_per_mtok_output"] == pytest.approx(month_usd / tokens * 1e6, abs=0.02 / tokens * 1e6)
    assert found["good_share"] == 1.0
    assert found["goodput_per_s"] == pytest.approx(found["output_tokens_per_s"] / 300)
    assert found["requests"]["counted"] == 360
    assert 0.0 < found["utilisation"] <= 1.0
    assert found["fleet"]["accelerators"] == 4


def test_the_load_is_what_was_asked_for(answer: Answer) -> None:
    """20 users who think 20 s and wait R ask 20 / (20 + R) times a second; 2 requests/s are 600 tokens/s; to the chance of a short run."""
    by_users = answer(f"{H100} --requests 2000 --users 20")
    assert by_users["output_tokens_per_s"] == pytest.approx(20 / (20 + by_users["e2e_s"]["mean"]) * 300, rel=0.06)
    by_rate = answer(f"{H100} --requests 2000 --rate 2/s")
    assert by_rate["output_tokens_per_s"] == pytest.approx(600, rel=0.06)
    by_day = answer(f"{H100} --requests 2000 --tokens-per-day {2 * 1300 * 86_400}")
    assert by_day["output_tokens_per_s"] == by_rate["output_tokens_per_s"]


def test_the_same_seed_is_the_same_answer(run: Advisor) -> None:
    question = f"{QUICK} --users 40 --lengths lognormal --seed 7 --format json"
    assert run(question).out == run(question).out
    assert run(question).out != run(question.replace("--seed 7", "--seed 8")).out


def test_more_than_the_usual_number_of_requests_where_many_are_in_flight(answer: Answer) -> None:
    """A run must outlast its filling. 1,200 in flight on 30 replicas: twelve requests for each, not 10,000 in all."""
    found = answer(f"{H100} --concurrency 1200 --replicas 30")
    assert found["requests"]["arrived"] == pytest.approx(12 * 1200, rel=0.01)
    assert found["output_tokens_per_s"] == pytest.approx(1200 * 300 / found["e2e_s"]["mean"], rel=0.04)
    assert answer(f"{H100} --concurrency 20")["requests"]["arrived"] == 10_000


def test_users_who_never_think_are_requests_in_flight(answer: Answer) -> None:
    """Their answers are alike, those of a fixed number in flight differ by a fifth each way: nearly the same times, and no queue of 20."""
    users, fixed = (answer(f"{H100} --requests 1000 {load}") for load in ("--users 20 --think 0", "--concurrency 20"))
    assert users["ttft_s"]["mean"] == pytest.approx(fixed["ttft_s"]["mean"], rel=0.15)
    assert users["tpot_s"]["mean"] == pytest.approx(fixed["tpot_s"]["mean"], rel=0.02)


def test_prefill_apart_takes_accelerators_and_smooths_answers(answer: Answer) -> None:
    """Four pairs of H100; nobody's prompt holds up an answer, so that all tokens come at the pace of the batch."""
    together, apart = (answer(f"{QUICK} --rate 4/s --replicas {fleet}") for fleet in ("3", "2 --prefill-replicas 1"))
    assert together["fleet"]["accelerators"] == apart["fleet"]["accelerators"] == 6
    spread = [found["tpot_s"]["p99"] / found["tpot_s"]["p50"] for found in (together, apart)]
    assert spread[1] < spread[0]


def test_the_cache_travels_by_the_link_of_each_accelerator(answer: Answer) -> None:
    """80 layers x 2 x 8 heads x 128 x 2 bytes = 327,680 bytes per token, 163,840 on each of two; an offer of one H100 has no network, so
    both move theirs by PCIe at 64 GB/s: 1,000 tokens in 2.56 ms, beyond what a prompt takes alone.
    """
    together, apart = (answer(f"{QUICK} --rate 0.001/s {fleet}") for fleet in ("", "--prefill-replicas 1"))
    assert apart["ttft_s"]["p50"] - together["ttft_s"]["p50"] == pytest.approx(0.00256, rel=0.02)


def test_prompts_cut_to_the_context_are_told(answer: Answer, run: Advisor) -> None:
    """Lengths about 60,000 tokens, a context of 131,072: a sigma of 1 puts the ninetieth percentile at 2.2 times the mean."""
    question = f"{H100} --requests 200 --rate 0.01/s --input 60000 --lengths lognormal:1"
    found = answer(question)
    (warning,) = found["warnings"]
    cut = int(warning.split()[0])
    assert warning == f"{cut} of 200 requests were longer than the model's context, and cut to it"
    assert 10 <= cut <= 40
    assert f"Note: {warning}" in " ".join(run(question).out.split())
    assert answer(f"{QUICK} --users 20")["warnings"] == []


# -- rows


def test_rows_hold_every_request(run: Advisor, answer: Answer) -> None:
    """The times of the document are those of the rows after the warm-up, the first tenth of the arrivals."""
    found = answer(f"{QUICK} --rate 3/s --replicas 2 --rows rows.csv")
    rows = rows_of("rows.csv")
    assert len(rows) == 400 == found["requests"]["arrived"]
    assert {row["status"] for row in rows} == {"finished"}
    assert {row["replica"] for row in rows} == {"0", "1"}
    late = sorted(rows, key=lambda row: float(row["arrival_s"]))[40:]
    for name in ("ttft_s", "tpot_s", "e2e_s"):
        values = [float(row[name]) for row in late]
        assert statistics.fmean(values) == pytest.approx(found[name]["mean"])
        for share, quantile in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
            assert float(np.quantile(values, quantile)) == pytest.approx(found[name][share])
    for row in rows:
        assert float(row["e2e_s"]) == pytest.approx(float(row["ttft_s"]) + 299 * float(row["tpot_s"]))
    assert os.listdir() == ["rows.csv"]


def test_rows_of_answers_of_one_token_and_of_what_is_refused(answer: Answer) -> None:
    """An L4 of 24 GB keeps some 12 GB beside 8-bit weights: at 131,072 bytes per token not 120,300 tokens. One token has no pace."""
    Path("trace.csv").write_text("arrival_s,input_tokens,output_tokens\n0,100,1\n60,100,2\n120,120000,300\n", encoding="utf-8")
    found = answer("l4:1 --model 8b --trace trace.csv --rows rows.csv", 4)
    one, two, refused = rows_of("rows.csv")
    assert (one["status"], one["tpot_s"], one["e2e_s"]) == ("finished", "", one["ttft_s"])
    assert float(two["tpot_s"]) > 0
    assert (refused["status"], refused["ttft_s"], refused["tpot_s"], refused["e2e_s"]) == ("rejected", "", "", "")
    assert found["status"] == "misses_targets"
    assert (found["requests"]["arrived"], found["requests"]["finished"], found["requests"]["rejected"]) == (3, 2, 1)


@pytest.mark.parametrize("error", [RuntimeError("a fault"), KeyboardInterrupt(), MemoryError()])
def test_nothing_half_written_is_left(run: Advisor, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """A run that ends after some rows leaves the file that was there, and nothing beside it."""
    Path("rows.csv").write_text("old", encoding="utf-8")

    def failing(*arguments: Any, each: Callable[[Any], None], **named: Any) -> None:
        from infra_advisor.simulator.request import Request

        for number in range(5000):
            each(Request(float(number), 10, 5, first_token_s=1.0, finish_s=2.0))
        raise error

    monkeypatch.setattr("infra_advisor.advice.simulate.run", failing)
    if isinstance(error, KeyboardInterrupt):
        assert run(f"{QUICK} --users 20 --rows rows.csv").status == 130
    else:
        with pytest.raises(type(error)):
            run(f"{QUICK} --users 20 --rows rows.csv")
    assert os.listdir() == ["rows.csv"]
    assert Path("rows.csv").read_text(encoding="utf-8") == "old"


def test_a_refused_question_leaves_the_old_rows(run: Advisor) -> None:
    Path("rows.csv").write_text("old", encoding="utf-8")
    assert run(f"{H100} --trace nowhere.csv --rows rows.csv").status == 2
    assert run("l4:1 --model 70b --users 1 --rows other.csv").status == 4
    assert sorted(os.listdir()) == ["other.csv", "rows.csv"]
    assert Path("rows.csv").read_text(encoding="utf-8") == "old"
    assert rows_of("other.csv") == []


def test_rows_into_a_pipe_leave_it_a_pipe(run: Advisor) -> None:
    """A device or a pipe is written to, never replaced: /dev/null must not become a file."""
    os.mkfifo("pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_text(encoding="utf-8")))
    reader.start()
    assert run(f"{QUICK} --users 20 --rows pipe").status == 0
    reader.join(10)
    assert len(read[0].splitlines()) == 401
    assert Path("pipe").is_fifo()
    assert os.listdir() == ["pipe"]


def test_rows_keep_the_rights_of_the_file(run: Advisor) -> None:
    Path("rows.csv").write_text("old", encoding="utf-8")
    Path("rows.csv").chmod(0o640)
    assert run(f"{QUICK} --users 20 --rows rows.csv").status == 0
    assert Path("rows.csv").stat().st_mode & 0o777 == 0o640
    assert len(rows_of("rows.csv")) == 400


@pytest.mark.parametrize("name", [".", "missing/rows.csv", "''", "/dev/full"])
def test_rows_that_cannot_be_written(run: Advisor, name: str) -> None:
    before = os.stat("/dev/full").st_rdev
    done = run(f"{H100} --rate 3/s --requests 3000 --rows {name}")
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert os.listdir() == []
    assert os.stat("/dev/full").st_rdev == before


# -- traces


REQUESTS = [(2.5 * number, 600 + 37 * number % 900, 20 + number % 5) for number in range(40)]
"""(seconds, prompt, output), two and a half seconds apart."""


def azure() -> str:
    rows = [f"2023-11-16 18:{15 + int(at_s) // 60:02d}:{at_s % 60:010.7f},{prompt},{output}" for at_s, prompt, output in REQUESTS]
    return "\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *rows])


def burstgpt() -> str:
    rows = [f"{at_s},ChatGPT,{prompt},{output},{prompt + output},API log" for at_s, prompt, output in REQUESTS]
    return "\n".join(["Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type", *rows])


def mooncake(shared: bool = False) -> str:
    """`shared`: all prompts begin with the same block of 512 tokens."""
    rows = []
    for number, (at_s, prompt, output) in enumerate(REQUESTS):
        blocks = {"hash_ids": [0, *range(1000 * number + 1, 1000 * number + -(-prompt // 512))]} if shared else {}
        rows.append(json.dumps({"timestamp": at_s * 1000, "input_length": prompt, "output_length": output} | blocks))
    return "\n".join(rows)


def plain() -> str:
    return "\n".join(["arrival_s,input_tokens,output_tokens", *(f"{at_s},{prompt},{output}" for at_s, prompt, output in REQUESTS)])


def test_every_format_of_the_same_requests_is_the_same_run(answer: Answer) -> None:
    """Azure keeps a tenth of a microsecond, so that a date may move an event by that."""
    written = {"azure": azure, "burstgpt": burstgpt, "mooncake": mooncake, "plain": plain}
    assert len(written) == len(FORMATS)
    found = {}
    for name, text in written.items():
        Path(name).write_text(text(), encoding="utf-8")
        found[name] = answer(f"{H100} --trace {name}")
    one = found["plain"]
    assert one["requests"]["counted"] == one["requests"]["finished"] == 40
    assert one["trace"]["span_s"] == 97.5
    assert one["trace"]["mean_input_tokens"] == pytest.approx(sum(prompt for _, prompt, _ in REQUESTS) / 40)
    for other in found.values():
        for name in ("ttft_s", "tpot_s", "e2e_s"):
            assert list(other[name].values()) == pytest.approx(list(one[name].values()), rel=1e-5)
        assert other["output_tokens_per_s"] == pytest.approx(one["output_tokens_per_s"])


@pytest.mark.parametrize("router", ["least-loaded", "round-robin", "prefix-affine"])
def test_shared_blocks_need_no_prefill(answer: Answer, router: str) -> None:
    """All 39 but the first find the same block of 512; apart they find none."""
    Path("shared").write_text(mooncake(shared=True), encoding="utf-8")
    Path("apart").write_text(mooncake(), encoding="utf-8")
    shared, apart = (answer(f"{H100} --trace {name} --router {router}") for name in ("shared", "apart"))
    whole = sum(prompt for _, prompt, _ in REQUESTS)
    found = sum(min(512, prompt - 1) for _, prompt, _ in REQUESTS[1:])
    assert shared["fleet"]["prefix_hits"] == pytest.approx(found / whole)
    assert apart["fleet"]["prefix_hits"] == 0.0
    assert shared["ttft_s"]["mean"] < 0.8 * apart["ttft_s"]["mean"]


def test_a_trace_played_faster(answer: Answer) -> None:
    """Half the span and twice the rate; the same requests, no sooner answered."""
    Path("own.csv").write_text(own_trace(), encoding="utf-8")
    slow, fast = (answer(f"{H100} --trace own.csv {speed}") for speed in ("", "--trace-speed 2x"))
    assert (slow["trace"]["span_s"], fast["trace"]["span_s"]) == (99.5, 49.75)
    assert fast["trace"]["speed"] == 2.0
    assert fast["output_tokens_per_s"] == pytest.approx(2 * slow["output_tokens_per_s"], rel=0.1)
    for name in ("ttft_s", "tpot_s"):
        assert fast[name]["mean"] > slow[name]["mean"]
    assert slow["requests"]["arrived"] == fast["requests"]["arrived"] == 200


def test_a_trace_all_at_once(answer: Answer) -> None:
    """As a burst of the same lengths: no warm-up, measured until the last answer, and no verdict about a load."""
    rows = "\n".join("7.5,1000,300" for _ in range(60))
    Path("once.csv").write_text(f"arrival_s,input_tokens,output_tokens\n{rows}\n", encoding="utf-8")
    found, burst = answer(f"{H100} --trace once.csv"), answer(f"{H100} --burst 60 --lengths fixed")
    assert found["trace"]["span_s"] == 0.0
    assert found["status"] == "ok"
    assert found["requests"]["counted"] == 60
    assert found["ttft_s"] == burst["ttft_s"]
    assert found["output_tokens_per_s"] == pytest.approx(burst["output_tokens_per_s"])
    last_s = 60 * 300 / found["output_tokens_per_s"]
    assert found["e2e_s"]["p99"] == pytest.approx(last_s, rel=0.05)


def test_what_a_trace_holds_beyond_the_context_is_counted_and_told(run: Advisor, answer: Answer) -> None:
    """131,072 tokens: two rows are longer, one has no answer; the other two run."""
    rows = ("0,1000,10", "1,131072,1", "2,200000,50", "3,100,0", "4,131000,72")
    Path("long.csv").write_text("\n".join(["arrival_s,input_tokens,output_tokens", *rows]), encoding="utf-8")
    found = answer(f"{H100} --trace long.csv")
    assert found["trace"]["skipped"] == {"longer than the model's context": 2, "no output tokens": 1}
    assert found["requests"]["arrived"] == found["requests"]["finished"] == 2
    text = " ".join(run(f"{H100} --trace long.csv").out.split())
    assert "Left out of the trace: 2 (longer than the model's context), 1 (no output tokens)." in text
    Path("none.csv").write_text("arrival_s,input_tokens,output_tokens\n0,200000,5\n", encoding="utf-8")
    assert "1 x longer than the model's context" in run(f"{H100} --trace none.csv").err


def test_a_short_trace_of_long_answers_has_a_throughput(answer: Answer) -> None:
    """Two requests a second apart, 600 tokens in all by the last answer."""
    Path("two.csv").write_text("arrival_s,input_tokens,output_tokens\n0,1000,300\n1,1000,300\n", encoding="utf-8")
    found = answer(f"{H100} --trace two.csv")
    assert found["output_tokens_per_s"] == pytest.approx(600 / (1 + found["e2e_s"]["p99"]), rel=0.05)
    assert found["usd_per_mtok_output"] > 0


# -- formats


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize(
    ("question", "status"),
    [
        (f"{QUICK} --users 20 --ttft 500ms", 0),
        (f"{QUICK} --rate 30/s --replicas 2 --prefill-replicas 1 --ttft 500ms", 4),
        (f"{H100} --trace own.csv --ttft 300ms --speed 40", 4),
        ("l4:1 --model 70b --users 1", 4),
    ],
)
def test_tables_fit_the_screen(run: Advisor, monkeypatch: pytest.MonkeyPatch, columns: int, question: str, status: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    Path("own.csv").write_text(own_trace(), encoding="utf-8")
    done = run(question)
    assert (done.status, done.err) == (status, "")
    assert max(map(len, done.out.splitlines())) <= columns


def test_csv_has_one_row_and_markdown_has_the_page(run: Advisor, answer: Answer) -> None:
    question = f"{QUICK} --users 20 --ttft 500ms"
    document = answer(question)
    (row,) = csv.DictReader(run(f"{question} --format csv").out.splitlines())
    assert row["status"] == "ok"
    assert float(row["ttft_s_p95"]) == document["ttft_s"]["p95"]
    assert float(row["output_tokens_per_s"]) == document["output_tokens_per_s"]
    assert int(row["requests_arrived"]) == 400
    markdown = run(f"{question} --format markdown").out
    assert "| time | mean | p50 | p90 | p95 | p99 |" in markdown
    done = run(f"{question} -o run.json")
    assert done.out == ""
    assert json.loads(Path("run.json").read_text(encoding="utf-8")) == document


# -- extremes


@pytest.mark.parametrize(
    ("question", "statuses"),
    [
        ("--rate 1e-6/s", (0,)),
        ("--rate 1e-9/s --replicas 9", (0,)),
        ("--rate 1e12/s", (4,)),
        ("--users 1e6", (4,)),
        ("--users 1e12", (4,)),
        ("--users 0.5", (0,)),
        ("--concurrency 1e-9", (0,)),
        ("--burst 20000", (0,)),
        ("--concurrency 5000 --at-once", (4,)),
        ("--users 5 --input 1 --output-tokens 1", (0,)),
        ("--rate 0.001/s --input 131000 --output-tokens 72", (0,)),
        ("--rate 2/s --lengths lognormal:3 --input 20000", (0, 4)),
        ("--users 5 --prefix-share 99.9%", (0,)),
        ("--rate 1/s --requests 1", (0,)),
        ("--rate 400/s --replicas 100", (0,)),
        ("--users 3 --draft-tokens 3 --acceptance 70%", (0,)),
    ],
)
def test_extremes_are_answered(run: Advisor, question: str, statuses: tuple[int, ...]) -> None:
    """In seconds, and without a figure that overflowed or divided by nothing."""
    done = run(f"{H100} {question} --format csv")
    assert done.status in statuses, done.err
    assert done.err == ""
    assert not {"nan", "inf", "-inf"} & set(done.out.replace("\r\n", ",").split(","))
    (row,) = csv.DictReader(done.out.splitlines())
    assert int(row["requests_arrived"]) == int(row["requests_finished"]) + int(row["requests_rejected"]) > 0
    assert float(row["output_tokens_per_s"]) > 0


# -- what is refused


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("h100 --users 5", "which model?"),
        ("h100 --model 70b", "how many requests come? State --users, --rate, --concurrency, --tokens-per-day, --burst or --trace FILE"),
        ("h100 --model 70b --users 5 --rate 1/s", "--users and --rate contradict each other"),
        ("h100 --model 70b --users 5 --trace t.csv", "--users and --trace contradict each other"),
        ("h100 --model 70b --burst 5 --trace t.csv", "--trace and --burst contradict each other"),
        ("h100 --model 70b --trace t.csv --lengths fixed", "--trace says how long requests are"),
        ("h100 --model 70b --trace t.csv --requests 5", "--trace says how many requests come"),
        ("h100 --model 70b --burst 50 --requests 5", "--burst says how many requests come"),
        ("h100 --model 70b --users 5 --trace-speed 2", "--trace-speed says how fast a trace is replayed"),
        ("h100 --model 70b --users 5 --at-once", "--at-once sends a fixed number of requests in flight"),
        ("h100 --model 70b --users 5 --router least", "--router: 'least' is unknown; accepted: least-loaded, round-robin, prefix-affine"),
        ("h100 --model 70b --trace nowhere.csv", "nowhere.csv: No such file or directory"),
        ("h100 --model 70b --trace .", "not a regular file"),
        ("h100 --model 70b --trace pipe", "pipe: not a regular file; a trace is read twice"),
        ("h100 --model 70b --trace bad.csv", "bad.csv:1: unknown column 'answer_tokens'. Did you mean output_tokens"),
        ("h100 --model 70b --trace empty.csv", "empty.csv: is empty"),
        ("h100 --model 70b --trace t.csv --trace-speed 0", "--trace-speed: '0' must be above zero"),
        ("h100 --model 70b --users 5 --lengths normal", "'normal' is unknown; accepted: fixed, uniform, lognormal"),
        ("h100 --model 70b --users 5 --lengths uniform:2", "write fixed, uniform:0.8..1.2"),
        ("h100 --model 70b --users 5 --lengths uniform:2..1", "two shares, the smaller first"),
        ("h100 --model 70b --users 5 --lengths lognormal:0", "lies above 0 and up to 3"),
        ("h100 --model 70b --users 5 --lengths lognormal:nan", "lies above 0 and up to 3"),
        ("h100 --model 70b --users 5 --replicas 0", "--replicas: '0' must be above zero"),
        ("h100 --model 70b --users 5 --replicas 5000", "--replicas 5000: accepted: 1 to 4,096"),
        ("h100:2 --model 70b --users 5 --prefill-replicas 5000", "--prefill-replicas 5000: accepted: 0 to 4,096"),
        ("m4-max --model 8b --users 1 --prefill-replicas 1", "no network or host link of Apple M4 Max"),
        ("h100 --model 70b --users 5 --requests 0", "--requests"),
        ("h100 --model 70b --users 5 --requests 1e9", "--requests 1,000,000,000: accepted: 1 to 100,000,000"),
        ("h100:2 --model 70b --concurrency 50 --requests 20", "--concurrency 50: more than the 20 requests of the run"),
        ("h100:2 --model 70b --concurrency 2e6", "--concurrency 2,000,000: accepted: up to 1,000,000"),
        ("h100 --model 70b --burst 1e7", "--burst 10,000,000: accepted: 1 to 1,000,000"),
        ("h100 --model 70b --users 5 --prefix-share 100%", "--prefix-share 1: a share from 0 to below 1"),
        ("h100 --model 70b --users 5 --seed -1", "--seed"),
        ("h100 --model 70b --users 5 --sweep input=1..2", "No such option"),
        ("h100 --model 70b --users 5 --input 200000", "exceed the context of"),
        ("h100:3 --model 70b --users 5 --tp 3", "64 query heads do not divide by 3"),
        ("h1000 --model 70b --users 5", "Did you mean h100"),
        ("'' --model 70b --users 5", "name an offer"),
    ],
)
def test_what_is_refused(run: Advisor, question: str, message: str) -> None:
    """A message and status 2, nothing on stdout and no file."""
    Path("t.csv").write_text(own_trace(), encoding="utf-8")
    Path("bad.csv").write_text("arrival_s,input_tokens,answer_tokens\n1,2,3\n", encoding="utf-8")
    Path("empty.csv").write_text("", encoding="utf-8")
    os.mkfifo("pipe")
    before = sorted(os.listdir())
    done = run(f"{question} --rows rows.csv")
    assert done.status == 2, done.out
    assert done.out == ""
    assert "Traceback" not in done.err
    assert message in done.err
    assert sorted(os.listdir()) == before
