"""`advisor check`: parse, call, show."""

from typing import Annotated

import typer

from infra_advisor.cli.asked import Asked
from infra_advisor.cli.options import CATALOG, FILE, MONEY, Command, asks
from infra_advisor.cli.quantities import share
from infra_advisor.errors import EXIT_CHECK_FAILED, EXIT_OK

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)

OUTPUT = tuple(option for option in FILE if option.key != "output")


@app.command(cls=Command)
@asks(*MONEY, *OUTPUT, *CATALOG)
def check(
    asked: Asked,
    saved: Annotated[str, typer.Argument(metavar="SAVED.json", help="What advisor recommend wrote with -o SAVED.json or --format json.")],
    tolerance: Annotated[
        str, typer.Option("--tolerance", metavar="SHARE", help="By how much the old first may fall short of today's first: 5%, 0.05.")
    ] = "5%",
) -> None:
    """Ask a saved recommendation again: does the decision still stand, and what moved?

    advisor check decision.json --tolerance 10%

    Exit status 5: overtaken by more than the tolerance, breaks a limit, gone, or something fits where nothing did.
    """
    allowed, target, currency = share(tolerance), asked.target(), asked.currency()

    from infra_advisor.advice.check import check as ask_again
    from infra_advisor.present import show

    answer = ask_again(asked.catalog(), saved, tolerance=allowed)
    show(answer, asked.format, target=target, currency=currency)
    raise typer.Exit(EXIT_OK if answer.status == "stands" else EXIT_CHECK_FAILED)
