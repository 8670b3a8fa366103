"""The floors of the package, read off its source: who may import what, who may print, how long a module may grow."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "infra_advisor"
MODULES = sorted(PACKAGE.rglob("*.py"))

# A module imports its own room and floors further left. Facts build the shapes that physics counts; physics knows no fact, and the
# simulator no physics: it is given the times.
FLOORS = [
    {"errors", "physics", "simulator"}, {"units", "paths"}, {"facts"}, {"search"}, {"advice"}, {"present"}, {"cli"},
    {"__init__", "__main__"},
]  # fmt: skip

LONGEST_MODULE = 320

NETWORK = {
    "aiohttp", "asyncio", "boto3", "botocore", "ftplib", "http", "httpx", "imaplib", "paramiko", "poplib", "requests", "smtplib",
    "socket", "socketserver", "ssl", "urllib", "urllib3", "webbrowser", "websockets", "xmlrpc",
}  # fmt: skip
OPENS_NO_SOCKET = {"urllib.parse", "http.HTTPStatus"}
FETCH = PACKAGE / "facts" / "update" / "fetch.py"

NUMPY_AT_THE_TOP = ("physics/elementwise.py", "physics/stacked.py", "search/", "advice/envelope.py")

Import = tuple[str, int, bool]
"""Dotted name, line, and whether importing the module runs it."""


def imports(path: Path) -> Iterator[Import]:
    """Every import of a module, with relative names made absolute."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    yield from _imports(ast.parse(path.read_text(encoding="utf-8")), package, at_top=True)


def _imports(node: ast.AST, package: tuple[str, ...], at_top: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inside = at_top and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            inside = False
        match child:
            case ast.Import(names=names):
                yield from ((name.name, child.lineno, at_top) for name in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = [*package[: len(package) + 1 - level], *([module] if module else [])] if level else [module or ""]
                yield from ((".".join([*base, name.name]), child.lineno, at_top) for name in names)
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield (name, child.lineno, at_top)
        yield from _imports(child, package, inside)


def rank(room: str) -> int:
    return next(number for number, floor in enumerate(FLOORS) if room in floor)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_every_module_stands_on_a_floor() -> None:
    known = set().union(*FLOORS)
    assert {room_of(path) for path in MODULES} <= known


def test_imports_go_down_only() -> None:
    upward = []
    for path in MODULES:
        own = room_of(path)
        for name, line, _ in imports(path):
            parts = name.split(".")
            if parts[0] != "infra_advisor":
                continue
            # The root stands above everything; only its version is everybody's.
            known = len(parts) > 1 and any(parts[1] in floor for floor in FLOORS)
            target = parts[1] if known else "__init__"
            if target != own and rank(target) >= rank(own) and name != "infra_advisor.__version__":
                upward.append(f"{where(path, line)}: {own} imports {name}")
    assert not upward, "\n".join(upward)


def test_physics_imports_nothing_of_ours() -> None:
    """Also implied by the floors, but said by itself: physics does not even know our errors and units."""
    strangers = [
        f"{where(path, line)}: {name}"
        for path in (PACKAGE / "physics").rglob("*.py")
        for name, line, _ in imports(path)
        if name.startswith("infra_advisor") and not name.startswith("infra_advisor.physics")
    ]
    assert not strangers, "\n".join(strangers)


def test_one_module_may_open_a_socket() -> None:
    callers = [
        f"{where(path, line)}: {name}"
        for path in MODULES
        if path != FETCH
        for name, line, _ in imports(path)
        if name.split(".")[0] in NETWORK and ".".join(name.split(".")[:2]) not in OPENS_NO_SOCKET
    ]
    assert not callers, "\n".join(callers)


def test_numpy_is_imported_late() -> None:
    early = [
        f"{where(path, line)}: {name}"
        for path in MODULES
        if not path.relative_to(PACKAGE).as_posix().startswith(NUMPY_AT_THE_TOP)
        for name, line, at_top in imports(path)
        if at_top and name.split(".")[0] == "numpy"
    ]
    assert not early, "\n".join(early)


def test_only_present_and_cli_print() -> None:
    printers = []
    for path in MODULES:
        if room_of(path) in ("present", "cli"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="print")):
                    printers.append(where(path, node.lineno))
                case ast.Attribute(value=ast.Name(id="sys"), attr="stdout" | "stderr"):
                    printers.append(where(path, node.lineno))
    assert not printers, "\n".join(printers)


def test_modules_stay_short() -> None:
    # Tables of words grow with the sentences; they hold no code.
    own_code = [
        *(path for path in MODULES if path.parent.name != "words"),
        *(ROOT / "benchmarks").glob("*.py"),
        *(ROOT / "docs").glob("*.py"),
    ]
    long = {
        str(path.relative_to(ROOT)): lines
        for path in own_code
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    }
    assert not long


def test_no_file_names_the_machine_it_was_written_on() -> None:
    """Nothing we ship may lean on a folder outside the checkout."""
    # Spelled in pieces, so that this file does not name what it forbids.
    machine = re.compile("|".join((r"(?<![\w.:/-])/" + "work/", r"(?<![\w.:/-])/" + r"tmp/\w", r"\.\./" + "shared")))
    folders = ("infra_advisor", "catalog", "tests", "docs", "benchmarks", ".ci")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    files += [path for path in ROOT.iterdir() if path.is_file()]
    named = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        named += [f"{where(path, text.count(chr(10), 0, hit.start()) + 1)}: {hit[0]}" for hit in machine.finditer(text)]
    assert len(files) > 50
    assert not named, "\n".join(named)


LIGHT_COMMANDS = [
    "--help",
    "--version",
    "recommend --help",
    "compare --help",
    "estimate --help",
    "catalog --help",
    "catalog path",
    "catalog list chips",
    "catalog list offers h100",
    "catalog list models llama",
    "catalog show h100-sxm",
    "catalog show llama-3.3-70b-instruct",
    "catalog schema",
    "catalog check",
    "catalog diff bundled bundled",
    "catalog update --help",
    "schema recommend",
    "schema check",
    "check --help",
]


@pytest.mark.slow
@pytest.mark.parametrize("command", LIGHT_COMMANDS)
def test_commands_that_predict_nothing_do_not_load_numpy(command: str) -> None:
    program = (
        "import runpy, sys\n"
        "sys.argv = ['advisor', *sys.argv[1:]]\n"
        "try:\n"
        "    runpy.run_module('infra_advisor', run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert end.code in (0, None), end.code\n"
        "assert 'numpy' not in sys.modules, 'numpy was imported'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *command.split()], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
