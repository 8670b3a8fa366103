"""`advisor manifest`: parse, call, write."""

import sys
from typing import Annotated

import typer

from infra_advisor.cli.asked import Asked
from infra_advisor.cli.manifest_options import MANIFEST
from infra_advisor.cli.options import CATALOG, FILE, Command, asks
from infra_advisor.errors import EXIT_OK, UsageError

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)

FORMAT = tuple(option for option in FILE if option.key == "format")
STDIN = "-"


@app.command(cls=Command)
@asks(*MANIFEST, *FORMAT, *CATALOG)
def manifest(
    asked: Asked,
    saved: Annotated[
        str, typer.Argument(metavar="[SAVED.json[#N]]", help="What advisor recommend wrote with -o SAVED.json; N is the answer's place.")
    ] = "",
) -> None:
    """Ready-to-run files that deploy an answer: container image, launch command, probes, smoke test.

    advisor manifest decision.json -o deploy
    advisor manifest decision.json#2 --kind kubernetes
    """
    where, number = _which(saved or asked.get("from-file", ""), asked.get("rank-number"))
    if saved and asked.get("from-file"):
        raise UsageError(f"{saved} and --from {asked['from-file']} name two recommendations: give one")
    if asked.format not in ("table", "json"):
        raise UsageError(f"--format {asked.format}: the files are written as they are, or in one JSON document: table, json")
    if asked.format == "json" and asked.get("output-dir"):
        raise UsageError("--format json prints one document; -o DIR writes files: give one of them")
    text = None
    if where == STDIN:
        where, text = "standard input", _standard_input()

    from infra_advisor.advice.manifest import manifest as of_answer
    from infra_advisor.present import manifest as page

    record = of_answer(asked.catalog(), where, number=number, kind=asked.get("kind", "all"), text=text)
    if asked.format == "json":
        from infra_advisor.present import show

        show(record, "json")
    elif directory := asked.get("output-dir"):
        page.write_directory(record, directory, force=asked.get("force", False))
    else:
        page.show(record)
    raise typer.Exit(EXIT_OK)


def _which(given: str, number: int | None) -> tuple[str, int]:
    """The document, and which of its answers."""
    path, mark, after = given.rpartition("#")
    if mark and after.isascii() and after.isdigit():
        if number is not None and number != int(after):
            raise UsageError(f"{given} and --rank-number {number} name two answers: give one")
        given, number = path, int(after)
    if not given:
        raise UsageError("which recommendation? Name the file that advisor recommend -o SAVED.json wrote, or - for standard input")
    return given, 1 if number is None else number


def _standard_input() -> str:
    from infra_advisor.advice.saved import LARGEST_FILE_BYTES

    try:
        return sys.stdin.read(LARGEST_FILE_BYTES + 1) if sys.stdin else ""
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input: not UTF-8 (byte {error.start})") from error
