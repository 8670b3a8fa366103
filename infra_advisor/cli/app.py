"""`advisor`: finds the command, and turns our errors into a message and an exit status."""

import atexit
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from infra_advisor.errors import AdvisorError

COMMANDS: Mapping[str, str] = {
    "recommend": "Rank the hardware that can serve a model within your limits, with its cost.",
    "compare": "Put chips or devices side by side, alone or for a workload.",
    "estimate": "One deployment in full: speed, memory, cost, and a sweep over the load.",
    "breakeven": "Rent, buy or call an API: the best of each, and where they cross.",
    "sensitivity": "What would change the answer, and what the others need to win.",
    "simulate": "Requests one by one through a deployment: percentiles, goodput, queues.",
    "capacity": "The largest load of a deployment within its targets, and what a month costs.",
    "places": "Which providers, regions and API routes keep a residency, and why others do not.",
    "check": "Ask a saved recommendation again: does the decision still stand?",
    "manifest": "Files that deploy an answer: compose, Kubernetes, SkyPilot, dstack, scripts.",
    "validate": "Predictions against measurements: the error table, yours or ours.",
    "calibrate": "Make the parameters from the evidence, or fold in your own runs.",
    "catalog": "Look into the facts: list, show, check, diff, update, schema, path.",
    "schema": "Print the JSON Schema of a command's answer.",
}
"""Name -> one line; `cli/NAME.py` holds the command as `app`."""

HELP = """\
Which hardware should run this language model, how fast will it be, and what
does it cost? Offline, from facts with source and date.

Examples:

  advisor recommend --model 70b --ttft 500ms
  advisor compare h100 l4 inferentia2
  advisor recommend --model 70b --ttft 500ms --format markdown -o memo.md"""
STATUSES = """\
Exit status: 0 answered, 2 wrong usage, 3 catalog error, 4 nothing fits, 5 check failed,
6 a source of prices could not be read."""


class _Group(TyperGroup):
    """Loads a command when it is called for, and prints its help without loading any: start-up time is felt at every call."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(import_module(f"infra_advisor.cli.{cmd_name}").app)
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        from infra_advisor.errors import UsageError, did_you_mean

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = did_you_mean(args[0], COMMANDS)
            raise UsageError(f"there is no command {args[0]!r}; the commands are {', '.join(COMMANDS)}.{near}")
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(f"Usage: {ctx.command_path} COMMAND [OPTIONS]\n\n{HELP}\n")
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        with formatter.section("Options"):
            formatter.write_dl([("--version", "Print the version."), ("--help", "Help, also for each command: advisor recommend --help.")])
        formatter.write(f"\n{STATUSES}\n")


app = typer.Typer(name="advisor", cls=_Group, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


def _version(wanted: bool) -> None:
    if wanted:
        from infra_advisor import __version__

        typer.echo(f"advisor {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def advisor(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Find hardware for language model inference."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit. A bug keeps its traceback and exits with 1."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # element by element needs no BLAS; starting its threads only costs time
    gc.disable()  # a command lives for a second and keeps nearly all it makes: collecting costs time and frees nothing,
    atexit.register(gc.freeze)  # at the end of the process too
    try:
        typer.main.get_command(app)(args=None if arguments is None else list(arguments), prog_name="advisor")
    except AdvisorError as error:
        from infra_advisor.cli.complain import complain

        sys.exit(complain(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        from infra_advisor.cli.complain import quietly

        sys.exit(quietly())
    except OSError as error:
        if error.filename is not None:  # a file is named: not a stream that fails, but a bug
            raise
        from infra_advisor.cli.complain import unwritable

        sys.exit(unwritable(error))
    finally:
        gc.enable()
