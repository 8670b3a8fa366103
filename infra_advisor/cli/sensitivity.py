"""`advisor sensitivity`: parse, call, show."""

from typing import Annotated

import typer

from infra_advisor.cli.asked import Asked
from infra_advisor.cli.options import CATALOG, FILE, MONEY, PAYMENT, QUESTION, SIZING, SPREAD, WORKLOAD_FILE, Command, asks
from infra_advisor.errors import EXIT_NOTHING_FITS, EXIT_OK

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


@app.command(cls=Command)
@asks(*QUESTION, *PAYMENT, *SPREAD, *SIZING, *MONEY, *FILE, *CATALOG, *WORKLOAD_FILE)
def sensitivity(
    asked: Asked,
    option: Annotated[
        str | None,
        typer.Option("--option", metavar="NAME", help="Also what this offer, chip or provider needs to win.", show_default=False),
    ] = None,
) -> None:
    """What would change the answer: each input moved alone until another option wins, and what the others need to win.

    advisor sensitivity --model 70b --ttft 500ms --users 100

    Exit status 4: nothing meets the limits.
    """
    target, workload, limits, currency = asked.target(), asked.workload(), asked.limits(), asked.currency()

    from infra_advisor.advice.sensitivity import sensitivity as vary
    from infra_advisor.present import show
    from infra_advisor.present.bar import Bar

    with Bar() as bar:
        answer = vary(asked.catalog(), workload, limits, traffic=asked.traffic(), payment=asked.payment(), option=option, progress=bar)
    show(answer, asked.format, target=target, currency=currency)
    raise typer.Exit(EXIT_OK if answer.status == "ok" else EXIT_NOTHING_FITS)
