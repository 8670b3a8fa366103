"""`advisor breakeven`: parse, call, show."""

import typer

from infra_advisor.cli.asked import Asked
from infra_advisor.cli.options import CATALOG, FILE, MONEY, PAYMENT, QUESTION, SIZING, SPREAD, WORKLOAD_FILE, Command, asks
from infra_advisor.errors import EXIT_NOTHING_FITS, EXIT_OK

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)

TERMS = tuple(option for option in PAYMENT if option.key != "commit")
ASKED = tuple(option for option in QUESTION if option.key not in ("budget", "owned"))


@app.command(cls=Command)
@asks(*ASKED, *TERMS, *SPREAD, *SIZING, *MONEY, *FILE, *CATALOG, *WORKLOAD_FILE)
def breakeven(asked: Asked) -> None:
    """Rent, commit, buy or call an API: the best of each at your load, and where one becomes cheaper than the other.

    advisor breakeven --model gpt-oss-120b --tokens-per-day 50M --residency jp

    Without a load, 50 million tokens a day are taken. Exit status 4: nothing is within the limits.
    """
    target, workload, limits, currency = asked.target(), asked.workload(), asked.limits(), asked.currency()

    from infra_advisor.advice.breakeven import breakeven as compare
    from infra_advisor.present import show

    answer = compare(asked.catalog(), workload, limits, traffic=asked.traffic(), payment=asked.payment())
    show(answer, asked.format, target=target, currency=currency)
    raise typer.Exit(EXIT_OK if answer.status == "ok" else EXIT_NOTHING_FITS)
