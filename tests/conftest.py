"""Fixtures of all tests: catalogs, and golden files that `pytest --update-golden` rewrites."""

import difflib
import itertools
import json
import math
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from catalogs import DAY, FROZEN, frozen_catalog, real_catalog

from infra_advisor.facts.catalog import LAYERS_VARIABLE, Catalog

GOLDEN = Path(__file__).resolve().parent / "golden"

LONGEST_DIFF = 80

Golden = Callable[[str, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what the commands say now into tests/golden")


@pytest.fixture(scope="session")
def frozen() -> Catalog:
    """The mini catalog. Reads change nothing, so all tests share it."""
    return frozen_catalog()


@pytest.fixture(scope="session")
def real() -> Catalog:
    """The bundled catalog as of the day of its newest facts."""
    return real_catalog()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """`golden(name, text)` fails with a diff where the text is not that of tests/golden/NAME. JSON numbers may differ by rounding."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        expected = path.read_text(encoding="utf-8")
        if path.suffix == ".json" and _alike(json.loads(expected), json.loads(text)):
            return
        diff = difflib.unified_diff(expected.splitlines(), text.splitlines(), f"golden/{name}", "now", lineterm="", n=1)
        if text != expected:
            advice = "if it should change, run pytest --update-golden and give the reason in the commit"
            pytest.fail("\n".join([advice, *itertools.islice(diff, LONGEST_DIFF)]), pytrace=False)

    return compare


def _alike(expected: Any, now: Any) -> bool:
    if isinstance(expected, dict) and isinstance(now, dict):
        return list(expected) == list(now) and all(_alike(expected[key], now[key]) for key in expected)
    if isinstance(expected, list) and isinstance(now, list):
        return len(expected) == len(now) and all(_alike(*pair) for pair in zip(expected, now, strict=True))
    if isinstance(expected, float) and isinstance(now, (int, float)):
        return math.isclose(expected, now, rel_tol=1e-6, abs_tol=1e-12)
    return type(expected) is type(now) and bool(expected == now)


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def advisor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Ended]:
    """`advisor("recommend --model 70b")` runs the command on the mini catalog, as of its own day, in a pipe of 100 columns."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv(LAYERS_VARIABLE, raising=False)
    monkeypatch.setattr("infra_advisor.facts.catalog.catalog_dir", lambda: FROZEN)

    def run(command: str) -> Ended:
        from infra_advisor.cli.app import main

        arguments = shlex.split(command)
        if "--as-of" not in arguments and arguments[0] in ("recommend", "compare", "estimate"):
            arguments += ["--as-of", DAY.isoformat()]
        monkeypatch.setattr("sys.argv", ["advisor", *arguments])
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return Ended(ended.value.code if isinstance(ended.value.code, int) else 0, captured.out, captured.err)

    return run
