"""Time and memory of the commands as a user meets them: whole processes, cold, beside an empty Python.

    python benchmarks/run.py [--runs 15] [--json FILE]

Only the standard library, so that it runs under any interpreter that has the package.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EMPTY = "python -c pass"

# Budgets of the project: seconds, ratio to an empty Python, bytes, points per second; None where none is set.
COMMANDS: dict[str, tuple[list[str], dict[str, float]]] = {
    "advisor --help": (["--help"], {"ratio": 10}),
    "advisor catalog list chips": (["catalog", "list", "chips"], {}),
    "advisor recommend --model 70b --ttft 500ms": (
        ["recommend", "--model", "70b", "--ttft", "500ms"],
        {"wall_s": 0.6, "peak_bytes": 120e6},
    ),
}
POINTS_BUDGET_PER_S = 100_000.0
EXPECTED_STATUS = (0, 4)

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


def points_per_s(runs: int) -> float | None:
    """Median rate of the search, or None where the package does not offer the hook."""
    import subprocess

    program = POINTS.replace("{runs}", str(runs))
    done = subprocess.run([sys.executable, "-c", program], env=environment(), stdout=subprocess.PIPE, text=True, check=True)
    rates = json.loads(done.stdout)
    return None if rates is None else median(rates)


def median(values: Sequence[float]) -> float:
    """The middle value; the mean of the two middle ones of an even number."""
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def run(runs: int) -> dict[str, object]:
    """Every figure. The commands take turns, so that a slow moment of the machine meets all of them."""
    commands = {EMPTY: [sys.executable, "-c", "pass"]} | {name: [*advisor(), *words] for name, (words, _) in COMMANDS.items()}
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
    rate = points_per_s(max(3, runs // 3))
    points = {"points_per_s": rate, "budget": POINTS_BUDGET_PER_S, "within_budget": rate is not None and rate >= POINTS_BUDGET_PER_S}
    return {
        "runs": runs,
        "python": sys.version.split()[0],
        "platform": sys.platform,
        "cpus": os.cpu_count(),
        "commands": rows,
        "search": points,
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
    lines.append(
        f"{result['runs']} cold processes each, interleaved; Python {result['python']} on {result['platform']}, {result['cpus']} CPUs"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=15, help="processes per command (default 15)")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    arguments = parser.parse_args()
    result = run(max(1, arguments.runs))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(table(result))


if __name__ == "__main__":
    main()
