"""The command as a whole: help, errors, other commands, and a process that behaves in a shell."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from present import samples

import infra_advisor
from infra_advisor.advice.payment import Payment
from infra_advisor.cli.app import COMMANDS
from infra_advisor.cli.options import RANKS, SECTIONS
from infra_advisor.errors import CatalogError
from infra_advisor.search.traffic import Traffic

from .conftest import Engine, Run

ROOT = Path(__file__).parents[2]


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a shell line with `advisor` meaning this checkout."""
    advisor = f"{sys.executable} -m infra_advisor"
    clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "PYTHONIOENCODING", "LC_ALL", "LANG")}
    return subprocess.run(
        ["bash", "-c", command.replace("advisor ", f"{advisor} ")], cwd=ROOT, env=clean | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True, text=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip


def test_alone_it_prints_help_with_the_examples_first(run: Run) -> None:
    result = run()
    assert result.status == 0
    lines = [line.strip() for line in result.out.splitlines()]
    assert lines.index("advisor recommend --model 70b --ttft 500ms") < lines.index("Commands:")
    assert result.out == run("--help").out
    assert all(name in result.out for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.status == 0
    assert result.out.startswith(f"Usage: advisor {command}")
    assert max(len(line) for line in result.out.splitlines()) <= 160


def test_the_help_of_recommend_names_every_option(run: Run) -> None:
    out = run("recommend", "--help").out
    for section, options in SECTIONS.items():
        if section not in ("Update", "Check", "Deployment", "Traffic", "Fleet", "Manifest"):
            for option in options:
                assert all(spelling in out for spelling in option.spellings)


def test_rules_are_those_of_the_engine() -> None:
    from infra_advisor.advice import rows

    assert RANKS == rows.RANKS


def test_version(run: Run) -> None:
    assert run("--version").out == f"advisor {infra_advisor.__version__}\n"


@pytest.mark.parametrize("wrong", ["recomend", "Recommend", "x"])
def test_unknown_commands_get_near_names(run: Run, wrong: str) -> None:
    result = run(wrong)
    assert result.status == 2
    assert "the commands are recommend, compare" in result.err


def test_a_catalog_error_lists_its_problems_and_exits_with_3(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise CatalogError([f"chips.yaml: problem {number} \x1b[31m" for number in range(80)])

    monkeypatch.setattr("infra_advisor.facts.catalog.load", refuse)
    result = run("recommend", "--model", "70b")
    assert result.status == 3
    assert result.err.splitlines()[0] == "error: chips.yaml: problem 0 "
    assert "problem 49" in result.err
    assert "... and 30 more" in result.err
    assert "\x1b" not in result.err


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from infra_advisor.cli.app import main

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("infra_advisor.facts.catalog.load", fail)
    with pytest.raises(ZeroDivisionError):
        main(["recommend", "--model", "70b"])


def test_an_interrupt_ends_with_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("infra_advisor.facts.catalog.load", interrupt)
    assert run("recommend", "--model", "70b").status == 130


def test_compare_without_a_model_asks_no_workload(run: Run, engine: Engine) -> None:
    result = run("compare", "h100", "l4", "inferentia2")
    assert result.status == 0
    assert engine.asked[0][0][1:] == (["h100", "l4", "inferentia2"], None, None)
    assert "* best of the row" in result.out


def test_compare_where_nothing_meets_the_limits_ends_with_4(run: Run, engine: Engine) -> None:
    engine.comparison = samples.comparison(status="nothing_fits")
    assert run("compare", "l4", "--model", "70b", "--ttft", "1ms").status == 4
    assert engine.limits.ttft_s == pytest.approx(0.001)


def test_compare_needs_names(run: Run) -> None:
    assert run("compare").status == 2


@pytest.mark.parametrize(("status", "code"), [("ok", 0), ("misses_targets", 4), ("does_not_fit", 4)])
def test_estimate_ends_with_whether_it_holds(run: Run, engine: Engine, status: str, code: int) -> None:
    engine.estimated = samples.estimate(status=status, reason="too small")
    arguments = "estimate h100-sxm:2 --model 70b --engine vllm --tp 2 --sweep concurrency=1..4"
    assert run(*arguments.split()).status == code
    assert engine.asked[0][0][1] == "h100-sxm:2"
    assert engine.asked[0][1] == {
        "engine": "vllm",
        "tp": 2,
        "pp": None,
        "ep": None,
        "dp": None,
        "sweep": ("concurrency", [1.0, 2.0, 4.0]),
        "traffic": Traffic(),
        "payment": Payment(),
    }


@pytest.mark.parametrize("name", ["recommend", "compare", "estimate"])
def test_schema_is_json_schema(run: Run, name: str) -> None:
    document = json.loads(run("schema", name).out)
    assert document["properties"]["schema"]["const"] == f"infra_advisor/{name}/1"


def test_schema_of_something_else_is_refused(run: Run) -> None:
    assert "'recomend' is unknown" in run("schema", "recomend").err


def test_the_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['advisor', '--help']\n"
        "from infra_advisor.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'pydantic', 'yaml', 'rich'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == "[]\n"


def test_the_package_imports_nothing() -> None:
    code = "import sys, infra_advisor; print(sorted({'numpy', 'pydantic', 'yaml', 'rich', 'typer'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout == "[]\n"


def test_the_public_names_lead_to_the_functions() -> None:
    assert infra_advisor.Workload(model="70b").input_tokens == 1000
    assert infra_advisor.Limits(ttft_s=0.5).ttft_s == 0.5
    assert all(getattr(infra_advisor, name) for name in infra_advisor.__all__)
    with pytest.raises(AttributeError, match="nothing_like_this"):
        _ = infra_advisor.nothing_like_this


@pytest.mark.slow
@pytest.mark.parametrize("command", ["advisor catalog list offers", "advisor --help", "advisor schema recommend"])
def test_a_reader_that_leaves_early_is_no_error(command: str) -> None:
    done = shell(f"set -o pipefail; {command} | head -n 1")
    assert done.stderr == ""
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.slow
def test_a_closed_or_full_stdout_is_told() -> None:
    closed = shell("advisor catalog path >&-")
    assert closed.returncode == 2
    assert closed.stderr == "error: standard output is closed; write to a file with -o FILE\n"
    full = shell("advisor catalog list offers >/dev/full")
    assert full.returncode == 2
    assert full.stderr == "error: cannot write to standard output: No space left on device\n"


@pytest.mark.slow
def test_no_locale_gets_ascii() -> None:
    done = shell("advisor catalog list providers sakura", PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "sakura" in done.stdout
