"""`advisor calibrate`: the parameters made again from the evidence, or a user's own measurements folded in."""

import os
from collections.abc import Mapping
from typing import Annotated

import typer

from infra_advisor.cli.asked import Asked
from infra_advisor.cli.options import CATALOG, Command, asks
from infra_advisor.cli.stated import Chip, Chips, Engine, Model, Tp, Weights, stated
from infra_advisor.errors import EXIT_CHECK_FAILED, EXIT_OK, UsageError

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)

LAYER = "deviations.csv"
MOST_SHOWN = 3


@app.command(cls=Command)
@asks(*CATALOG)
def calibrate(
    asked: Asked,
    check: Annotated[bool, typer.Option("--check", help="Only compare with the committed files; exit with 5 where they differ.")] = False,
    power: Annotated[bool, typer.Option("--power", help="Only the curve of electric power: seconds instead of minutes.")] = False,
    own: Annotated[
        list[str] | None, typer.Option("--with", metavar="FILE", help="Your own measurements: write a layer that folds them in.")
    ] = None,
    chip: Chip = None,
    chips: Chips = None,
    model: Model = None,
    engine: Engine = None,
    weights: Weights = None,
    tp: Tp = None,
    output_file: Annotated[
        str, typer.Option("--output-file", "-o", metavar="FILE", help="With --with: the layer to write, a file named deviations.csv.")
    ] = LAYER,
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", help="Processes; default one per processor.")] = 0,
) -> None:
    """Make the parameters again from the evidence, or fold your own measurements into a layer.

    advisor calibrate --check
    advisor calibrate --power --check
    advisor calibrate --with my_bench.json --chip h100-sxm --chips 2 --tp 2 --weights fp8
    """
    given = stated(chip, chips, model, engine, weights, tp)
    if own and check:
        raise UsageError("--check and --with exclude each other")
    if own and power:
        raise UsageError("--power and --with exclude each other")
    if given and not own:
        raise UsageError("--chip, --chips, --model, --engine, --weights and --tp describe the file given with --with")
    if own:
        _fold_in(asked, own, given, output_file)
        raise typer.Exit(EXIT_OK)
    raise typer.Exit(_regenerate(asked, check, power, jobs or os.cpu_count() or 1))


def _fold_in(asked: Asked, files: list[str], given: Mapping[str, object], output_file: str) -> None:
    from infra_advisor.advice.calibration import fold_in
    from infra_advisor.present.files import target
    from infra_advisor.present.output import show_text
    from infra_advisor.present.say import tell
    from infra_advisor.present.words import words

    file = target(output_file)
    if file.path.name != LAYER:
        raise UsageError(f"{output_file}: a layer of deviations must be a file named {LAYER}")
    layer = fold_in(asked.catalog(), files, given)
    say = words()
    for reason in layer.left_out:
        tell(say("calibrate.left_out", reason=reason))
    file.write(layer.text)
    for one in layer.own:
        ttft = "" if one.ttft_factor is None else say("calibrate.own.ttft", factor=f"{one.ttft_factor:.2f}")
        show_text(say("calibrate.own", combination=one.combination, points=one.points))
        show_text(say("calibrate.own.factors", tpot=f"{one.tpot_factor:.2f}", ttft=ttft))
    show_text(say("calibrate.use", path=output_file))


def _regenerate(asked: Asked, check: bool, power: bool, processes: int) -> int:
    from infra_advisor.advice.calibration import power_regenerated, regenerated, stale
    from infra_advisor.cli.progress import tell_progress
    from infra_advisor.present.files import target
    from infra_advisor.present.output import show_text
    from infra_advisor.present.words import words

    catalog, say = asked.catalog(), words()
    texts = power_regenerated(catalog) if power else regenerated(catalog, tell_progress, processes=processes)
    if not check:
        for name, text in texts.items():
            target(str(catalog.path / name)).write(text)
            show_text(say("calibrate.wrote", path=name))
        return EXIT_OK
    found = stale(catalog, texts)
    for name, lines in found.items():
        for line in lines[:MOST_SHOWN]:
            show_text(say("calibrate.stale", path=name, what=line))
        if not lines:
            show_text(say("calibrate.fresh", path=name))
    return EXIT_CHECK_FAILED if any(found.values()) else EXIT_OK
