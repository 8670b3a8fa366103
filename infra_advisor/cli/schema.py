"""`advisor schema`: the JSON Schema of an answer."""

from importlib import import_module
from typing import Annotated

import typer

from infra_advisor.cli.quantities import one_of

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)

DOCUMENTS = {
    "recommend": "answer:Recommendation",
    "compare": "answer:Comparison",
    "estimate": "answer:EstimateAnswer",
    "breakeven": "breakevens:BreakevenAnswer",
    "capacity": "capacities:CapacityAnswer",
    "check": "checks:CheckAnswer",
    "places": "place_parts:PlacesAnswer",
    "manifest": "manifests:Manifest",
    "sensitivity": "sensitivities:SensitivityAnswer",
    "simulate": "simulated:SimulateAnswer",
    "validate": "validation:Validation",
}
"""Command -> module of the answers and record."""


@app.command()
def schema(command: Annotated[str, typer.Argument(metavar="COMMAND", help=f"One of {', '.join(DOCUMENTS)}.")]) -> None:
    """Print the JSON Schema of what a command answers with --format json."""
    name = one_of(tuple(DOCUMENTS))(command)

    from infra_advisor.advice.answer import json_schema
    from infra_advisor.present.output import show_document

    module, record = DOCUMENTS[name].split(":")
    show_document(json_schema(getattr(import_module(f"infra_advisor.advice.{module}"), record)))
