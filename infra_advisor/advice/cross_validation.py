"""`validate --cv`: the error table of predictions by fits that did not see what they predict."""

from collections.abc import Sequence

from infra_advisor.advice.calibration import Progress, accuracy
from infra_advisor.advice.question import stamp
from infra_advisor.advice.validation import Errors, Validation, errors
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.document import Accuracy

FIGURE_OF = {"ttft": "ttft_ms", "tpot": "tpot_ms", "throughput": "output_tps", "prefill": "prefill_tps"}
"""Fitted metric -> the figure that a file of measurements gives."""


def cross_validation(
    catalog: Catalog, scheme: str, progress: Progress, *, by: Sequence[str], fail_over: float | None, processes: int
) -> Validation:
    """Errors by class, and by whatever of `by` the scheme lists. Raises UsageError for an unknown scheme."""
    table, rows = accuracy(catalog, scheme, progress, processes=processes)
    wanted = {"all", *by}
    lines = [_line(one) for one in table if one.group in wanted]
    worst = max((line.median for line in lines if line.group == "class"), default=0.0)
    return Validation(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        scheme=scheme,
        rows=rows,
        predicted=rows,
        scored=rows,
        status="drift" if fail_over is not None and worst > fail_over else "ok",
        fail_over=fail_over,
        errors=tuple(sorted(lines, key=lambda line: ("class", "chip", "model", "engine").index(line.group))),
    )


def _line(one: Accuracy) -> Errors:
    group, member = ("class", one.device_class) if one.group == "all" else (one.group, one.member)
    return errors(group, member, FIGURE_OF[one.metric], one.score, one.tau)
