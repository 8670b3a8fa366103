"""`advisor schema`: the JSON Schema of an answer."""

from typing import Annotated

import typer

from infra_advisor.cli.quantities import one_of

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)

DOCUMENTS = {"recommend": "Recommendation", "compare": "Comparison", "estimate": "EstimateAnswer"}


@app.command()
def schema(command: Annotated[str, typer.Argument(metavar="COMMAND", help=f"One of {', '.join(DOCUMENTS)}.")]) -> None:
    """Print the JSON Schema of what a command answers with --format json."""
    name = one_of(tuple(DOCUMENTS))(command)

    from infra_advisor.advice import answer
    from infra_advisor.present.output import show_document

    show_document(answer.json_schema(getattr(answer, DOCUMENTS[name])))
