"""`advisor estimate`: parse, call, show."""

from typing import Annotated

import typer

from infra_advisor.cli.asked import Asked, command_line
from infra_advisor.cli.options import CATALOG, DEPLOYMENT, FILE, MONEY, PAYMENT, QUESTION, SPREAD, WORKLOAD_FILE, Command, asks
from infra_advisor.errors import EXIT_NOTHING_FITS, EXIT_OK

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


@app.command(cls=Command)
@asks(*DEPLOYMENT, *QUESTION, *PAYMENT, *SPREAD, *MONEY, *FILE, *CATALOG, *WORKLOAD_FILE)
def estimate(
    asked: Asked,
    target: Annotated[
        str,
        typer.Argument(
            metavar="OFFER_OR_CHIP[:COUNT]", help="An offer, instance type, chip or device; COUNT accelerators run one replica."
        ),
    ],
) -> None:
    """One deployment in full: speed, memory, cost and where the time goes, and a sweep over one input.

    advisor estimate h100-sxm:2 --model 70b --concurrency 16 --sweep concurrency=1..256
    """
    file, workload, limits, currency = asked.target(), asked.workload(), asked.limits(), asked.currency()

    from infra_advisor.advice.estimate import estimate as of_one
    from infra_advisor.present import show

    shape = {name: asked.get(name) for name in ("engine", "tp", "pp", "ep", "dp", "sweep")}
    answer = of_one(asked.catalog(), target, workload, limits, traffic=asked.traffic(), payment=asked.payment(), **shape)
    show(answer, asked.format, target=file, currency=currency, command=command_line())
    raise typer.Exit(EXIT_OK if answer.status == "ok" else EXIT_NOTHING_FITS)
