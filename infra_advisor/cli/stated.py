"""What result files do not hold: the hardware and software of a run, stated on the command line."""

from typing import Annotated

import typer

Chip = Annotated[str | None, typer.Option("--chip", metavar="NAME", help="The accelerator, where the file does not name it.")]
Chips = Annotated[int | None, typer.Option("--chips", metavar="N", help="Accelerators of the whole deployment, likewise.")]
Model = Annotated[str | None, typer.Option("--model", "-m", metavar="NAME", help="The model, likewise.")]
Engine = Annotated[str | None, typer.Option("--engine", metavar="NAME", help="The engine, likewise.")]
Weights = Annotated[str | None, typer.Option("--weights", metavar="FORMAT", help="The weight format, likewise.")]
Tp = Annotated[int | None, typer.Option("--tp", metavar="N", help="Tensor parallelism, likewise.")]


def stated(
    chip: str | None, chips: int | None, model: str | None, engine: str | None, weights: str | None, tp: int | None
) -> dict[str, object]:
    """What was given, under the names of evidence columns."""
    given = {"chip": chip, "chips": chips, "model_arch": model, "engine": engine, "weight_dtype": weights, "tp": tp}
    return {name: float(value) if isinstance(value, int) else value for name, value in given.items() if value is not None}
