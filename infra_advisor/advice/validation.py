"""The answer of `validate`: how far predictions lie from measurements."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from infra_advisor.advice.parts import CatalogStamp, Part
from infra_advisor.advice.question import stamp
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.calibration import read_parameters
from infra_advisor.search.prediction import Predictions, predict_rows
from infra_advisor.search.scores import Score
from infra_advisor.search.validate import ErrorLine, Read, errors_by, read_file, scored, with_stated


class Errors(Part):
    """Errors of one figure over one group of rows; shares, not percent."""

    group: str
    member: str
    figure: str
    rows: int
    median: float
    """Median of |predicted / measured - 1|."""
    p90: float
    bias: float
    """Median of predicted / measured."""
    coverage: float | None = None
    """Share of the measurements inside their 90 % band."""
    width: float | None = None
    """Median of sqrt(high / low) of the bands."""
    tau: float | None = None
    """Kendall tau of throughput inside models."""


class Validation(Part):
    """The whole answer of `validate`."""

    schema_: Literal["infra_advisor/validate/1"] = Field(alias="schema", default="infra_advisor/validate/1")
    as_of: str
    catalog: CatalogStamp
    scheme: str | None = None
    """What was left out of the fit: chip, model or series; null where the shipped parameters predicted."""
    files: tuple[str, ...] = ()
    rows: int
    predicted: int
    scored: int
    """Rows whose errors count: not suspect, no speculation, whole weights on the device."""
    refused: dict[str, int] = Field(default_factory=dict)
    """Reason -> rows without a prediction."""
    suspect: int = 0
    """Rows whose measured figures contradict each other: predicted, not scored."""
    problems: tuple[str, ...] = ()
    status: Literal["ok", "drift"] = "ok"
    fail_over: float | None = None
    """Largest median error allowed, as a share."""
    errors: tuple[Errors, ...] = ()


def validate(
    catalog: Catalog, files: Sequence[Path | str], *, by: Sequence[str] = ("class", "grade"), fail_over: float | None = None
) -> Validation:
    """Predictions of the shipped parameters against files of measurements. Raises UsageError where a file cannot be read."""
    return checked(catalog, *predicted_files(catalog, files), by=by, fail_over=fail_over)


def predicted_files(
    catalog: Catalog, files: Sequence[Path | str], stated: Mapping[str, object] | None = None
) -> tuple[list[Read], Predictions, list[str]]:
    """(what was read, its predictions, problems). `stated`: facts that result files do not hold (chip, tp ...).

    Raises UsageError where a file cannot be read at all.
    """
    problems: list[str] = []
    read = [read_file(Path(file), problems) for file in files]
    rows = [with_stated(row, stated or {}) for one in read for row in one.rows]
    faults: dict[int, dict[str, str]] = {}
    start = 0
    for one in read:
        faults |= {start + place: found for place, found in one.faults.items()}
        start += len(one.rows)
    parameters = read_parameters(catalog.parameters, catalog.deviations)
    return read, predict_rows(catalog, parameters, rows, faults), problems


def checked(
    catalog: Catalog,
    read: Sequence[Read],
    found: Predictions,
    problems: Sequence[str],
    *,
    by: Sequence[str] = ("class", "grade"),
    fail_over: float | None = None,
) -> Validation:
    """The predictions of some files, scored."""
    lines = lines_of(errors_by(catalog, found, by))
    worst = max((line.median for line in lines if line.group == "all"), default=0.0)
    refused = Counter(reason for reason in found.refused if reason is not None)
    return Validation(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        files=tuple(str(one.path) for one in read),
        rows=len(found.rows),
        predicted=sum(reason is None for reason in found.refused),
        scored=int(scored(found).sum()),
        refused=dict(refused.most_common()),
        suspect=sum(reason is not None for reason in found.suspect),
        problems=tuple(problems),
        status="drift" if fail_over is not None and worst > fail_over else "ok",
        fail_over=fail_over,
        errors=tuple(lines),
    )


def lines_of(lines: Iterable[ErrorLine]) -> list[Errors]:
    """As records."""
    return [errors(line.group, line.member, line.metric, line.score, line.tau) for line in lines]


def errors(group: str, member: str, figure: str, score: Score, tau: float | None) -> Errors:
    """One line of the error table."""
    return Errors(
        group=group,
        member=member,
        figure=figure,
        rows=score.rows,
        median=score.median,
        p90=score.p90,
        bias=score.bias,
        coverage=score.coverage,
        width=score.width,
        tau=tau,
    )
