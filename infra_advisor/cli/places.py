"""`advisor places`: parse, call, show."""

import typer

from infra_advisor.cli.asked import Asked
from infra_advisor.cli.options import CATALOG, FILE, NAMED, Command, asks
from infra_advisor.cli.place_options import PLACE
from infra_advisor.errors import EXIT_NOTHING_FITS, EXIT_OK

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)

OUTPUT = tuple(option for option in FILE if option.key != "output")


@app.command(cls=Command)
@asks(*PLACE, *NAMED, *OUTPUT, *CATALOG)
def places(asked: Asked) -> None:
    """Which providers, regions and API routes keep a residency, which do not and why, and what nobody recorded.

    advisor places --residency jp --no-foreign-law us

    A screening aid, not legal advice. Exit status 4: nothing is kept; the answer says which constraint to drop.
    """
    target, limits = asked.target(), asked.limits()

    from infra_advisor.advice.places import places as judge_all
    from infra_advisor.present import show

    answer = judge_all(asked.catalog(), limits)
    show(answer, asked.format, target=target)
    raise typer.Exit(EXIT_OK if answer.status == "ok" else EXIT_NOTHING_FITS)
