"""`advisor simulate`: parse, call, show."""

from contextlib import ExitStack
from typing import Annotated, Any

import typer

from infra_advisor.cli.asked import Asked
from infra_advisor.cli.options import (
    CATALOG,
    DEPLOYMENT,
    FILE,
    FLEET,
    MONEY,
    PAYMENT,
    QUESTION,
    SPREAD,
    TRAFFIC,
    WORKLOAD_FILE,
    Command,
    asks,
)
from infra_advisor.errors import EXIT_NOTHING_FITS, EXIT_OK

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)

LAYOUT = tuple(option for option in DEPLOYMENT if option.key != "sweep")


@app.command(cls=Command)
@asks(*LAYOUT, *QUESTION, *PAYMENT, *SPREAD, *TRAFFIC, *FLEET, *MONEY, *FILE, *CATALOG, *WORKLOAD_FILE)
def simulate(
    asked: Asked,
    target: Annotated[
        str,
        typer.Argument(
            metavar="OFFER_OR_CHIP[:COUNT]", help="An offer, instance type, chip or device; COUNT accelerators make one replica."
        ),
    ],
    rows: Annotated[str | None, typer.Option("--rows", metavar="OUT.csv", help="Write every request with its times.")] = None,
) -> None:
    """Requests one by one through replicas of one deployment: percentiles, goodput, queues.

    advisor simulate h100:2 --model 70b --users 100 --replicas 2 --ttft 500ms
    advisor simulate h100:4 --model 70b --trace requests.csv --ttft 500ms

    Exit status 4: a target is missed, or more comes than is served.
    """
    file, workload, limits, traffic = asked.target(), asked.workload(), asked.limits(), asked.traffic()
    currency = asked.currency()

    from infra_advisor.advice.named import Shape
    from infra_advisor.advice.simulate import Serving
    from infra_advisor.advice.simulate import simulate as run
    from infra_advisor.present import show
    from infra_advisor.present.bar import Bar
    from infra_advisor.present.rows_file import RequestsFile

    shape = Shape(**{option.parameter: asked.get(option.key) for option in LAYOUT})
    serving = Serving(**{option.parameter: asked[option.key] for option in FLEET if option.key in asked.values})
    with ExitStack() as stack:
        bar = stack.enter_context(Bar())
        each = stack.enter_context(RequestsFile(rows)).write if rows is not None else None
        how: dict[str, Any] = {"traffic": traffic, "serving": serving, "shape": shape, "payment": asked.payment()}
        answer = run(asked.catalog(), target, workload, limits, **how, each=each, progress=bar)
    show(answer, asked.format, target=file, currency=currency)
    raise typer.Exit(EXIT_OK if answer.status == "ok" else EXIT_NOTHING_FITS)
