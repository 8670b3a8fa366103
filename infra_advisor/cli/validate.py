"""`advisor validate`: predictions against measurements."""

import csv
import os
from pathlib import Path
from typing import Annotated

import typer

from infra_advisor.cli.asked import Asked
from infra_advisor.cli.options import CATALOG, FILE, Command, asks
from infra_advisor.cli.stated import Chip, Chips, Engine, Model, Tp, Weights, stated
from infra_advisor.errors import EXIT_CHECK_FAILED, EXIT_OK, UsageError

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)

OUTPUT = tuple(option for option in FILE if option.key != "output")
LARGEST_PERCENT = 1e4


@app.command(cls=Command)
@asks(*OUTPUT, *CATALOG)
def validate(
    asked: Asked,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE...]", help="Measurements: an evidence table or a benchmark's result; default the catalog's evidence."
        ),
    ] = None,
    cv: Annotated[
        str | None, typer.Option("--cv", metavar="SCHEME", help="Leave chip, model, series or point out of the fit, predict it, score it.")
    ] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="GROUPS", help="Tables by class, grade, chip, engine, model, source; comma-separated.")
    ] = "class,grade",
    rows: Annotated[str | None, typer.Option("--rows", metavar="OUT.csv", help="Write every row with its predictions.")] = None,
    fail_over: Annotated[
        float | None, typer.Option("--fail-over", metavar="PERCENT", help="Exit with 5 where a median error over all rows is larger.")
    ] = None,
    chip: Chip = None,
    chips: Chips = None,
    model: Model = None,
    engine: Engine = None,
    weights: Weights = None,
    tp: Tp = None,
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", help="Processes for --cv; default one per processor.")] = 0,
) -> None:
    """Predictions against measurements: errors by class, chip, engine, model and grade.

    Reads evidence tables (CSV) and the results of vllm bench serve, SGLang bench_serving, GuideLLM, AIPerf and llama-bench.

    advisor validate my_bench.json --chip h100-sxm --chips 2 --tp 2 --weights fp8 --rows predictions.csv
    advisor validate --cv chip
    """
    from infra_advisor.search.validate import GROUPS

    groups = [name.strip() for name in by.split(",") if name.strip()]
    if unknown := [name for name in groups if name not in GROUPS]:
        raise UsageError(f"--by {unknown[0]!r} is unknown; accepted: {', '.join(GROUPS)}")
    if fail_over is not None and not 0 < fail_over <= LARGEST_PERCENT:
        raise UsageError(f"--fail-over {fail_over:g}: accepted: percent above 0")
    if cv is not None and (files or rows):
        raise UsageError("--cv scores the catalog's own evidence; it takes neither files nor --rows")
    target = asked.target()
    catalog = asked.catalog()
    from infra_advisor.present import show

    if cv is not None:
        from infra_advisor.advice.cross_validation import cross_validation
        from infra_advisor.cli.progress import tell_progress

        answer = cross_validation(catalog, cv, tell_progress, by=groups, fail_over=_share(fail_over), processes=jobs or os.cpu_count() or 1)
    else:
        from infra_advisor.advice.validation import checked, predicted_files
        from infra_advisor.facts.evidence import evidence_files

        given = list(files or []) or [str(path) for path in evidence_files(catalog.path)]
        read, found, problems = predicted_files(catalog, given, stated(chip, chips, model, engine, weights, tp))
        if rows:
            _write_rows(rows, read, found)
        answer = checked(catalog, read, found, problems, by=groups, fail_over=_share(fail_over))
    show(answer, asked.format, target=target)
    raise typer.Exit(EXIT_CHECK_FAILED if answer.status == "drift" else EXIT_OK)


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100.0


def _write_rows(asked: str, read: list, found: object) -> None:  # type: ignore[type-arg]
    import io

    from infra_advisor.present.files import target
    from infra_advisor.search.validate import rows_out

    file = target(asked)
    header, table = rows_out(read, found)  # type: ignore[arg-type]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(table)
    file.write(out.getvalue())
    from infra_advisor.present.say import tell

    tell(f"wrote {len(table):,} rows to {Path(asked)}")
