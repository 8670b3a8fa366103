"""`advisor compare`: parse, call, show."""

from typing import Annotated

import typer

from infra_advisor.cli.asked import Asked, command_line
from infra_advisor.cli.options import CATALOG, EXPLAIN, FILE, MONEY, PAYMENT, QUESTION, SIZING, SPREAD, WORKLOAD_FILE, Command, asks
from infra_advisor.errors import EXIT_NOTHING_FITS, EXIT_OK, UsageError

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


@app.command(cls=Command)
@asks(*QUESTION, *PAYMENT, *SPREAD, *SIZING, *EXPLAIN, *MONEY, *FILE, *CATALOG, *WORKLOAD_FILE)
def compare(
    asked: Asked, names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Chips or devices: h100 l4 inferentia2.")]
) -> None:
    """Put chips or devices side by side: data sheet and prices, and with --model the best deployment of each.

    advisor compare h100 l4 inferentia2 --model 8b --ttft 500ms
    """
    target = asked.target()
    if "model" not in asked.values and (
        given := [f"--{option.key}" for option in (*QUESTION, *PAYMENT, *SPREAD, *SIZING) if option.key in asked.values]
    ):
        raise UsageError(f"{', '.join(given)}: nothing to size without --model; add it, or compare data sheets without this")
    workload, limits = (asked.workload(), asked.limits()) if asked.get("model") else (None, None)
    currency = asked.currency()

    from infra_advisor.advice.compare import compare as side_by_side
    from infra_advisor.present import show

    answer = side_by_side(asked.catalog(), names, workload, limits, traffic=asked.traffic(), payment=asked.payment())
    show(answer, asked.format, target=target, currency=currency, explain=asked.get("explain", False), command=command_line())
    raise typer.Exit(EXIT_OK if answer.status == "ok" else EXIT_NOTHING_FITS)
