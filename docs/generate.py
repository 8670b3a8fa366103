"""Write the reference pages from the program itself, or check that they are current.

    python docs/generate.py            # write docs/reference and docs/schema
    python docs/generate.py --check    # exit 5 and name the pages that differ

The pages: the commands, the accuracy, the catalog with every fact's source and day, the formulas, the JSON Schemas.
"""

import argparse
import ast
import importlib
import json
import pkgutil
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
GENERATED = (DOCS / "reference", DOCS / "schema")
EXIT_CHECK_FAILED = 5

sys.path[:0] = [str(DOCS), str(ROOT)]

from cost_page import cost_page  # noqa: E402

from accuracy_page import accuracy_page  # noqa: E402
from catalog_pages import catalog_index, collection_page, collections  # noqa: E402
from markdown_text import NOTICE, cell, code, table  # noqa: E402

# Document name -> the record it is made of, as module:class.
SCHEMAS = {
    "recommend": "infra_advisor.advice.answer:Recommendation",
    "compare": "infra_advisor.advice.answer:Comparison",
    "estimate": "infra_advisor.advice.answer:EstimateAnswer",
    "capacity": "infra_advisor.advice.capacities:CapacityAnswer",
    "breakeven": "infra_advisor.advice.breakevens:BreakevenAnswer",
    "check": "infra_advisor.advice.checks:CheckAnswer",
    "places": "infra_advisor.advice.place_parts:PlacesAnswer",
    "manifest": "infra_advisor.advice.manifests:Manifest",
    "sensitivity": "infra_advisor.advice.sensitivities:SensitivityAnswer",
    "simulate": "infra_advisor.advice.simulated:SimulateAnswer",
    "validate": "infra_advisor.advice.validation:Validation",
}

EXIT_STATUS = """## Exit status

| status | meaning |
|---|---|
| 0 | an answer was printed |
| 1 | a bug: an error escaped, with its traceback |
| 2 | the question cannot be answered as asked: unknown name, quantity without unit, contradictory limits, unwritable output |
| 3 | the catalog or an overlay cannot be used; every problem is listed |
| 4 | nothing fits; the near misses are the answer |
| 5 | a check found something beyond its line: a decision that no longer stands (`check`), drift (`validate`, `calibrate --check`) |
| 6 | `catalog update` could not read a source: it is named, its prices stay as they were, and those of the other sources are written |
"""

HIDDEN_OPTIONS = {"--help", "--install-completion", "--show-completion"}


def pages() -> dict[Path, str]:
    """Every generated page: path -> text."""
    catalog = ROOT / "catalog"
    made = {DOCS / "reference" / "cli.md": cli_page(), DOCS / "reference" / "formulas.md": formulas_page()}
    made[DOCS / "reference" / "accuracy.md"] = accuracy_page(ROOT)
    made[DOCS / "reference" / "costs.md"] = cost_page(ROOT)
    made[DOCS / "reference" / "catalog.md"] = catalog_index(catalog)
    for name, entries in collections(catalog).items():
        made[DOCS / "reference" / "catalog" / f"{name}.md"] = collection_page(catalog, name, entries)
    for name in SCHEMAS:
        made[DOCS / "schema" / f"{name}.json"] = schema_page(name)
    return made


# --- commands ---------------------------------------------------------------------------------------------------------


def cli_page() -> str:
    import typer.main

    from infra_advisor.cli.app import app

    sections = [section for path, command in commands(typer.main.get_command(app), "advisor") for section in command_section(path, command)]
    return NOTICE + "# Commands\n\n" + "\n".join(sections) + "\n" + EXIT_STATUS


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The command and all below it, with the words that call them."""
    yield path, command
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():  # commands are loaded when asked for
        child = command.get_command(None, name)
        if not child.hidden:
            yield from commands(child, f"{path} {name}")


def command_section(path: str, command: Any) -> Iterator[str]:
    shown = [
        parameter for parameter in command.params if not getattr(parameter, "hidden", False) and not HIDDEN_OPTIONS & set(parameter.opts)
    ]
    arguments = [parameter for parameter in shown if parameter.param_type_name == "argument"]
    options = [parameter for parameter in shown if parameter.param_type_name == "option"]
    words = [
        f"{path}",
        *map(argument_word, arguments),
        *(["[OPTIONS]"] if options else []),
        *(["COMMAND"] if hasattr(command, "commands") else []),
    ]
    yield f"## {path}\n\n```\n{' '.join(words)}\n```\n"
    if command.help:
        yield command.help.split("\f")[0].strip() + "\n"
    if described := [(argument_word(parameter), parameter) for parameter in arguments if getattr(parameter, "help", None)]:
        yield table(("argument", "meaning"), [(code(word), cell(parameter.help)) for word, parameter in described])
    if options:
        yield table(("option", "default", "meaning"), [option_row(parameter) for parameter in options])
    if getattr(command, "epilog", None):
        yield command.epilog.strip() + "\n"


def argument_word(parameter: Any) -> str:
    word = (parameter.metavar or parameter.name).upper() + ("..." if parameter.nargs == -1 else "")
    return word if parameter.required else f"[{word}]"


def option_row(parameter: Any) -> tuple[str, str, str]:
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    value = "" if parameter.is_flag else f" {parameter.metavar or choices(parameter.default) or parameter.name.upper()}"
    notes = [parameter.help or ""]
    if parameter.multiple:
        notes.append("May be given more than once.")
    if parameter.envvar:
        notes.append(f"Environment: {parameter.envvar if isinstance(parameter.envvar, str) else ', '.join(parameter.envvar)}.")
    return code(names + value), default_text(parameter), cell(" ".join(filter(None, notes)))


def choices(default: object) -> str:
    return "|".join(str(member.value) for member in type(default)) if isinstance(default, Enum) else ""


def default_text(parameter: Any) -> str:
    if isinstance(parameter.show_default, str):
        return cell(parameter.show_default)
    default = parameter.default
    if default is None or default is False or callable(default) or default in ((), []):
        return ""
    return code(str(default.value if isinstance(default, Enum) else default))


# --- formulas and schemas ---------------------------------------------------------------------------------------------


def formulas_page() -> str:
    from infra_advisor import physics

    text = NOTICE + "# Formulas\n\nThe public functions of `infra_advisor.physics`. Base units: s, bytes, FLOP, tokens, W, USD.\n"
    for module in sorted(found.name for found in pkgutil.iter_modules(physics.__path__)):
        text += "\n" + module_section(Path(physics.__path__[0]) / f"{module}.py", module)
    return text


def module_section(path: Path, name: str) -> str:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    text = f"## {name}\n\n{ast.get_docstring(tree) or ''}\n"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            # The header as written: its comments state what each argument is and its unit.
            lines = source.splitlines()[node.lineno - 1 : node.body[0].lineno - 1]
            if isinstance(node, ast.ClassDef):
                lines = source.splitlines()[node.lineno - 1 : node.end_lineno]
            header = "\n".join(lines).rstrip()
            docstring = ast.get_docstring(node)
            explained = f"\n{docstring}\n" if docstring and isinstance(node, ast.FunctionDef) else ""
            text += f"\n### {name}.{node.name}\n\n```python\n{header}\n```\n{explained}"
    return text


def schema_page(name: str) -> str:
    module, record = SCHEMAS[name].split(":")
    answer = importlib.import_module("infra_advisor.advice.answer")
    json_schema: Callable[[Any], dict[str, Any]] = answer.json_schema
    return json.dumps(json_schema(getattr(importlib.import_module(module), record)), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the reference pages, or check that they are current.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 5 when a page is not current")
    check = parser.parse_args().check
    made = pages()
    there = {path for folder in GENERATED for path in folder.rglob("*") if path.is_file()}
    stale = sorted(there - set(made)) + sorted(
        path for path, text in made.items() if path not in there or path.read_text(encoding="utf-8") != text
    )
    if check:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not current; run: python docs/generate.py")
        return EXIT_CHECK_FAILED if stale else 0
    for path in there - set(made):
        path.unlink()
    for path in stale:
        if path in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[path], encoding="utf-8", newline="\n")
            print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
