"""`advisor capacity`: parse, call, show."""

from typing import Annotated, Any

import typer

from infra_advisor.cli.asked import Asked
from infra_advisor.cli.options import (
    CATALOG,
    DEPLOYMENT,
    FILE,
    FLEET,
    MONEY,
    MONTH,
    PAYMENT,
    QUESTION,
    SIZING,
    SPREAD,
    TRAFFIC,
    WORKLOAD_FILE,
    Command,
    asks,
)
from infra_advisor.errors import EXIT_NOTHING_FITS, EXIT_OK, UsageError

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)

LAYOUT = tuple(option for option in DEPLOYMENT if option.key != "sweep")
RUN = tuple(option for option in TRAFFIC if option.key in ("requests", "seed", "prefix-share"))


@app.command(cls=Command)
@asks(*LAYOUT, *QUESTION, *PAYMENT, *SPREAD, *RUN, *FLEET, *SIZING, *MONTH, *MONEY, *FILE, *CATALOG, *WORKLOAD_FILE)
def capacity(
    asked: Asked,
    target: Annotated[
        str,
        typer.Argument(
            metavar="OFFER_OR_CHIP[:COUNT]", help="An offer, instance type, chip or device; COUNT accelerators make one replica."
        ),
    ],
) -> None:
    """The largest load of one deployment within its targets, latency by load, and what a month of a moving load costs.

    advisor capacity h100:2 --model 70b --ttft 500ms
    advisor capacity h100:2 --model 70b --ttft 500ms --users 200 --profile office-jp

    The load is counted in users, or in requests/s where --rate is given. -o curve.svg draws the curve. Exit status 4: no load is within
    the targets.
    """
    file, workload, limits, traffic = asked.target(), asked.workload(), asked.limits(), asked.traffic()
    currency = asked.currency()

    from infra_advisor.advice.capacity import Moving
    from infra_advisor.advice.capacity import capacity as largest
    from infra_advisor.advice.named import Shape
    from infra_advisor.advice.simulate import Serving
    from infra_advisor.present import show
    from infra_advisor.present.bar import Bar

    if "cold-start" in asked.values and "profile" not in asked.values:
        raise UsageError("--cold-start belongs to --profile: without a load that moves nothing is stopped")
    moving = Moving(profile=asked["profile"], cold_start_s=asked.get("cold-start")) if "profile" in asked.values else None
    shape = Shape(**{option.parameter: asked.get(option.key) for option in LAYOUT})
    serving = Serving(**{option.parameter: asked[option.key] for option in FLEET if option.key in asked.values})
    with Bar() as bar:
        how: dict[str, Any] = {"traffic": traffic, "serving": serving, "shape": shape, "moving": moving, "payment": asked.payment()}
        answer = largest(asked.catalog(), target, workload, limits, **how, progress=bar)
    show(answer, asked.format, target=file, currency=currency)
    raise typer.Exit(EXIT_OK if answer.status == "ok" else EXIT_NOTHING_FITS)
