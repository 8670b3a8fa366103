"""Time and memory of the commands as a user meets them: whole processes, cold, beside an empty Python.

    python benchmarks/run.py [--runs 15] [--json FILE]

Only the standard library, so that it runs under any interpreter that has the package.
"""

import argparse
import csv
import datetime
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EMPTY = "python -c pass"
TRACE = "TRACE"
"""Stands for the file of a synthetic trace."""

# Budgets of the project: seconds, ratio to an empty Python, bytes, points per second; None where none is set.
COMMANDS: dict[str, tuple[list[str], dict[str, float]]] = {
    "advisor --help": (["--help"], {"ratio": 10}),
    "advisor catalog list chips": (["catalog", "list", "chips"], {}),
    "advisor recommend --model 70b --ttft 500ms": (
        ["recommend", "--model", "70b", "--ttft", "500ms"],
        {"wall_s": 1.0, "peak_bytes": 120e6},
    ),
    "advisor recommend ... --users 200": (["recommend", "--model", "70b", "--ttft", "500ms", "--users", "200"], {"wall_s": 1.0}),
    "advisor simulate h100:4 --trace, an hour": (["simulate", "h100:4", "--model", "70b", "--trace", TRACE], {"wall_s": 1.0}),
}
POINTS_BUDGET_PER_S = 100_000.0
REQUEST_BUDGET_S = 20e-6
EXPECTED_STATUS = (0, 4)

# An hour of conversations: about the statistics of the Azure LLM inference trace of 2023.
REQUESTS, SPAN_S, MINUTES = 19_366, 3_501.0, 58
MEDIAN_PROMPT, PROMPT_SPREAD, MEDIAN_ANSWER, ANSWER_SPREAD = 1020.0, 0.5, 129.0, 0.99
"""Of lognormals with means of 1,155 and 211 tokens; spreads are of the logarithm."""
BURSTS = 22.0
"""Shape of the gamma that moves the rate from one minute to the next: 16 times the variance of a steady rate in a minute's requests."""

# benchmark_points() evaluates a fixed set of operating points through the search and returns how many there were.
POINTS = """
import json, sys, time
import infra_advisor.search as search
if not hasattr(search, "benchmark_points"):
    print("null"); sys.exit()
search.benchmark_points()
rates = []
for _ in range({runs}):
    start = time.perf_counter()
    points = search.benchmark_points()
    rates.append(points / (time.perf_counter() - start))
print(json.dumps(rates))
"""

# The run of the requests alone, read from the file as they come; how the deployment was chosen and the answer is made up is left out.
REPLAY = """
import json, sys, time
from pathlib import Path
import infra_advisor
import infra_advisor.advice.simulate as module
taken, inner = [], module.run
def timed(*arguments, **named):
    start = time.perf_counter()
    done = inner(*arguments, **named)
    taken.append((time.perf_counter() - start) / done.arrived)
    return done
module.run = timed
catalog, traffic = infra_advisor.load(), infra_advisor.Traffic(trace=Path(sys.argv[1]))
for _ in range({runs} + 1):
    infra_advisor.simulate(catalog, "h100:4", infra_advisor.Workload(model="70b"), traffic=traffic)
print(json.dumps(taken[1:]))
"""


def write_trace(path: Path) -> None:
    """A trace of one hour, always the same."""
    draw = random.Random(1)
    weights = [draw.gammavariate(BURSTS, 1.0) for _ in range(MINUTES)]
    at_s = sorted((minute + draw.random()) * SPAN_S / MINUTES for minute in draw.choices(range(MINUTES), weights, k=REQUESTS))
    begin = datetime.datetime(2023, 11, 16, 18, 15, 46)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("TIMESTAMP", "ContextTokens", "GeneratedTokens"))
        for at in at_s:
            prompt, answer = MEDIAN_PROMPT * draw.lognormvariate(0, PROMPT_SPREAD), MEDIAN_ANSWER * draw.lognormvariate(0, ANSWER_SPREAD)
            moment = (begin + datetime.timedelta(seconds=at)).isoformat(" ", timespec="microseconds")
            writer.writerow((moment, max(round(prompt), 1), max(round(answer), 1)))


def advisor() -> list[str]:
    """The installed command of this interpreter, or the module where only a checkout is there."""
    command = Path(sys.executable).with_name("advisor")
    return [str(command)] if command.exists() else [sys.executable, "-m", "infra_advisor"]


def measure(command: Sequence[str]) -> tuple[float, float]:
    """Wall time [s] and peak resident memory [bytes] of one process."""
    # A file, not a pipe: nobody waits for a reader. os.wait4 gives the usage of this child alone.
    log = os.open(os.devnull, os.O_RDWR)
    try:
        start = time.perf_counter()
        actions = [(os.POSIX_SPAWN_DUP2, log, 0), (os.POSIX_SPAWN_DUP2, log, 1)]
        child = os.posix_spawn(command[0], list(command), environment(), file_actions=actions)
        _, status, usage = os.wait4(child, 0)
        wall_s = time.perf_counter() - start
    finally:
        os.close(log)
    if (code := os.waitstatus_to_exitcode(status)) not in EXPECTED_STATUS:
        sys.exit(f"{' '.join(command)} ended with {code}")
    return wall_s, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def environment() -> dict[str, str]:
    """That of the caller, with the checkout importable and a fixed terminal width."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "120"}


def median_within(program: str, runs: int, *arguments: str) -> float | None:
    """Median of what a program measures inside its process, or None where the package does not offer it."""
    command = [sys.executable, "-c", program.replace("{runs}", str(runs)), *arguments]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
    values = json.loads(done.stdout)
    return None if values is None else median(values)


def median(values: Sequence[float]) -> float:
    """The middle value; the mean of the two middle ones of an even number."""
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def run(runs: int, trace: Path) -> dict[str, object]:
    """Every figure. The commands take turns, so that a slow moment of the machine meets all of them."""
    write_trace(trace)
    commands = {EMPTY: [sys.executable, "-c", "pass"]}
    for name, (words, _) in COMMANDS.items():
        commands[name] = [*advisor(), *(str(trace) if word == TRACE else word for word in words)]
    for command in commands.values():
        measure(command)  # fills the file cache and writes the .pyc files
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            samples[name].append(measure(command))
    empty_s = median([wall_s for wall_s, _ in samples[EMPTY]])
    rows = {}
    for name, measured in samples.items():
        wall_s, peak_bytes = median([wall_s for wall_s, _ in measured]), median([peak for _, peak in measured])
        row: dict[str, object] = {"wall_s": wall_s, "wall_s_best": min(measured)[0], "ratio": wall_s / empty_s, "peak_bytes": peak_bytes}
        budget = COMMANDS[name][1] if name in COMMANDS else {}
        figures = {"wall_s": wall_s, "ratio": wall_s / empty_s, "peak_bytes": peak_bytes}
        rows[name] = row | {"budget": budget, "within_budget": all(figures[key] <= most for key, most in budget.items())}
    rate = median_within(POINTS, max(3, runs // 3))
    request_s = median_within(REPLAY, max(3, runs // 3), str(trace))
    points = {"points_per_s": rate, "budget": POINTS_BUDGET_PER_S, "within_budget": rate is not None and rate >= POINTS_BUDGET_PER_S}
    return {
        "runs": runs,
        "python": sys.version.split()[0],
        "platform": sys.platform,
        "cpus": os.cpu_count(),
        "commands": rows,
        "search": points,
        "simulation": {
            "requests": REQUESTS,
            "request_s": request_s,
            "budget": REQUEST_BUDGET_S,
            "within_budget": request_s is not None and request_s <= REQUEST_BUDGET_S,
        },
    }


def table(result: dict[str, object]) -> str:
    """The figures as text."""
    lines = [f"{'command':44} {'median':>9} {'best':>9} {'x empty':>8} {'peak':>9}  budget"]
    for name, row in result["commands"].items():  # type: ignore[attr-defined]
        budget = row["budget"]
        shown = ", ".join(
            text.format(budget[key] / scale)
            for key, scale, text in (("wall_s", 1e-3, "{:.0f} ms"), ("ratio", 1, "{:g} x"), ("peak_bytes", 1e6, "{:.0f} MB"))
            if key in budget
        )
        verdict = "" if not shown else f"{shown}: {'kept' if row['within_budget'] else 'BROKEN'}"
        figures = f"{row['wall_s'] * 1e3:6.0f} ms {row['wall_s_best'] * 1e3:6.0f} ms {row['ratio']:7.1f}x {row['peak_bytes'] / 1e6:6.0f} MB"
        lines.append(f"{name:44} {figures}  {verdict}")
    search: dict[str, float] = result["search"]  # type: ignore[assignment]
    rate = search["points_per_s"]
    verdict = f"{POINTS_BUDGET_PER_S:,.0f}: {'kept' if search['within_budget'] else 'BROKEN'}"
    lines.append(f"operating points per second: {'not available' if rate is None else f'{rate:,.0f} (budget {verdict})'}")
    simulation: dict[str, float] = result["simulation"]  # type: ignore[assignment]
    verdict = f"{REQUEST_BUDGET_S * 1e6:.0f}: {'kept' if simulation['within_budget'] else 'BROKEN'}"
    lines.append(f"microseconds per simulated request, {REQUESTS:,} of them: {simulation['request_s'] * 1e6:.1f} (budget {verdict})")
    lines.append(
        f"{result['runs']} cold processes each, interleaved; Python {result['python']} on {result['platform']}, {result['cpus']} CPUs"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=15, help="processes per command (default 15)")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(max(1, arguments.runs), Path(folder) / "trace.csv")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(table(result))


if __name__ == "__main__":
    main()
