"""The documentation says what the program does: reference pages are current, commands in the pages run."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from own_runs import ONLINE, SLOW, own_layer, own_runs

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

PAGES = [*ROOT.glob("README.md"), *sorted(DOCS.glob("**/*.md"))]
HAND_WRITTEN = [page for page in PAGES if not page.is_relative_to(DOCS / "reference")]

# An answer, or "nothing fits", which is one too.
GOOD_STATUS = (0, 4)


def generate(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(DOCS / "generate.py"), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        yield from commands(command.get_command(None, name), f"{path} {name}")


@pytest.fixture(scope="module")
def visible() -> dict[str, Any]:
    """Every command that `--help` shows, by the words that call it."""
    import typer.main

    from infra_advisor.cli.app import app

    return {path: command for path, command in commands(typer.main.get_command(app), "advisor") if not command.hidden}


def shell_lines(page: Path) -> list[str]:
    """Lines of fenced blocks that call the program, continued lines joined."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.startswith("advisor ")]


EXAMPLES = [
    pytest.param(line, id=f"{page.name}: {line}")
    for page in HAND_WRITTEN
    for line in dict.fromkeys(shell_lines(page))
    if not line.startswith((*SLOW, *ONLINE))
]


def test_reference_pages_are_current() -> None:
    done = generate("--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_names_what_is_not_current(tmp_path: Path) -> None:
    """On a copy of the checkout: one page changed, one page too many, one page missing; exit 5 and three names."""
    for name in ("catalog", "infra_advisor"):
        (tmp_path / name).symlink_to(ROOT / name)
    copy = Path(shutil.copytree(DOCS, tmp_path / "docs"))
    (copy / "reference" / "cli.md").write_text("changed\n", encoding="utf-8")
    (copy / "reference" / "left-over.md").touch()
    (copy / "schema" / "recommend.json").unlink()
    done = subprocess.run([sys.executable, str(copy / "generate.py"), "--check"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 5, done.stderr
    named = {line.split()[0] for line in done.stdout.splitlines()}
    assert named == {"docs/reference/cli.md", "docs/reference/left-over.md", "docs/schema/recommend.json"}


BUILT_IN = {"--help", "--install-completion", "--show-completion"}


def test_every_command_and_option_is_documented(visible: dict[str, Any]) -> None:
    page = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (advisor[^\n]*)\n(.*?)(?=^## )", page, flags=re.MULTILINE | re.DOTALL))
    assert list(sections) == list(visible)
    assert {"advisor recommend", "advisor check", "advisor catalog list"} <= set(visible)
    missing = []
    for path, command in visible.items():
        for parameter in command.params:
            names = parameter.opts if parameter.param_type_name == "option" else [(parameter.metavar or parameter.name).upper()]
            if not getattr(parameter, "hidden", False):
                missing += [f"{path} {name}" for name in names if name not in sections[path] and name not in BUILT_IN]
    assert missing == []


def test_every_command_and_option_explains_itself(visible: dict[str, Any]) -> None:
    silent = [path for path, command in visible.items() if not command.help]
    silent += [f"{path} {parameter.name}" for path, command in visible.items() for parameter in command.params if not parameter.help]
    assert silent == []


def test_readme_shows_the_program() -> None:
    assert any("recommend --model 70b --ttft 500ms" in line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines())
    assert len(EXAMPLES) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("line", EXAMPLES)
def test_documented_commands_run(line: str, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "advisor"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m infra_advisor "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / "my_bench.json").write_text(own_runs(), encoding="utf-8")
    own_layer(tmp_path)
    environment = {
        **os.environ,
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
    }
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode in GOOD_STATUS, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_resolve(page: Path) -> None:
    targets = re.findall(r"(?<!\\)\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    broken = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert broken == []
