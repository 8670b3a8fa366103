"""`advisor catalog`: look into the facts."""

from typing import Annotated

import typer

from infra_advisor.cli.asked import Asked
from infra_advisor.cli.catalog_diff import diff
from infra_advisor.cli.catalog_update import update
from infra_advisor.cli.fresh_options import CHECK
from infra_advisor.cli.options import CATALOG, FILE, Command, asks
from infra_advisor.errors import EXIT_CATALOG, EXIT_CHECK_FAILED, EXIT_OK, CatalogError

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Look into the facts: list, show, check, diff, update, schema, path.",
)
KINDS = "chips, nodes, offers, models, engines, providers or assumptions."
OUTPUT = tuple(option for option in FILE if option.key != "output")


@app.callback(invoke_without_command=True)
def catalog(context: typer.Context) -> None:
    """Look into the facts."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(cls=Command, name="list")
@asks(*OUTPUT, *CATALOG)
def list_entries(
    asked: Asked,
    kind: Annotated[
        str | None,
        typer.Argument(metavar="KIND", help=KINDS, show_default=False),
    ] = None,
    pattern: Annotated[
        list[str] | None, typer.Argument(metavar="FILTER", help="Words that an entry must contain.", show_default=False)
    ] = None,
) -> None:
    """List the entries of a kind, or how many there are of each.

    advisor catalog list chips h100
    """
    target = asked.target()
    from infra_advisor.cli.entries import listing, overview
    from infra_advisor.present import show

    facts = asked.catalog()
    show(listing(facts, kind, " ".join(pattern or ())) if kind else overview(facts), asked.format, target=target)


@app.command(cls=Command, name="show")
@asks(*OUTPUT, *CATALOG)
def show_entry(
    asked: Asked, name: Annotated[str, typer.Argument(metavar="ID", help="A chip, model, engine, provider, node or offer.")]
) -> None:
    """Every fact of one entry with source, date, dispute and file.

    advisor catalog show h100-sxm
    """
    target = asked.target()
    from infra_advisor.cli.fact_sheet import fact_sheet
    from infra_advisor.present import show

    show(fact_sheet(asked.catalog(), name), asked.format, target=target)


@app.command(cls=Command)
@asks(*CHECK, *CATALOG)
def check(asked: Asked) -> None:
    """Read and cross-check everything; list every problem. Exit status 3 where there is one.

    advisor catalog check --older-than 90d
    """
    from infra_advisor.cli.ages import USUAL, age_list, age_or_usual
    from infra_advisor.facts.checks import check_catalog
    from infra_advisor.present.output import show_text
    from infra_advisor.search.calibration import read_parameters

    limit_d = age_or_usual(asked.get("older-than", USUAL))
    facts = asked.catalog()
    problems = check_catalog(facts)
    try:
        read_parameters(facts.parameters, facts.deviations)
    except CatalogError as error:
        problems += error.problems
    for problem in problems:
        show_text(problem)
    show_text(f"{len(problems):,} problems" if problems else f"catalog {facts.version}: no problems")
    status = EXIT_CATALOG if problems else EXIT_OK
    if not problems and (asked.get("older-than") or asked.get("strict")):
        from infra_advisor.present import show

        aged = age_list(facts, limit_d)
        show(aged)
        if aged.rows and asked.get("strict"):
            status = EXIT_CHECK_FAILED
    raise typer.Exit(status)


@app.command(cls=Command)
def schema() -> None:
    """JSON Schema of your own catalog files, for editors."""
    from infra_advisor.facts.overlay_schema import overlay_schema
    from infra_advisor.present.output import show_document

    show_document(overlay_schema())


@app.command(cls=Command)
def path() -> None:
    """Where the bundled catalog lies."""
    from infra_advisor.paths import catalog_dir
    from infra_advisor.present.output import show_text

    show_text(str(catalog_dir()))


app.command(cls=Command)(diff)
app.command(cls=Command)(update)
