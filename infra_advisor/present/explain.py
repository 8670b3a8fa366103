"""Where the time of one answer goes: named terms that visibly add up, with their bound and arithmetic."""

import math
from collections.abc import Sequence

from infra_advisor.advice.answer import Answer, Evidence, Recommendation, Term, WorkloadPart
from infra_advisor.present import energy, numbers, phrases, placed
from infra_advisor.present.blocks import Block, Bullets, Code, Column, Grid, Heading, Para, Text, Words
from infra_advisor.present.words import Words as Say

_PHASES = ("prefill", "decode")
_DIGITS = 4
"""Significant digits of the total, so that a term of one percent still shows."""


def explain_blocks(answer: Answer, workload: WorkloadPart, say: Say) -> list[Block]:
    """One table per phase, then the measurements nearest to the predicted point."""
    title = say("explain.winner", **phrases.option(say, answer))
    blocks: list[Block] = [Heading(title)]
    for phase in _PHASES:
        if terms := terms_of(answer, phase):
            total_s = sum(term.seconds for term in terms)
            total = numbers.duration(total_s, _DIGITS)
            lead = say(f"explain.{phase}", tokens=numbers.whole(workload.input_tokens), total=total)
            blocks += [Para((), lead=lead), terms_grid(terms, say)]
    if len(blocks) == 1:
        blocks.append(Para((answer.performance.speed_reason or say("explain.none"),)))
    return [*blocks, *energy.blocks(answer, say), *placed.blocks(answer, say), *evidence_blocks(answer, say)]


def terms_of(answer: Answer, phase: str) -> list[Term]:
    """The terms of one phase in the order of the record."""
    return [term for term in answer.terms if term.phase == phase]


def terms_grid(terms: Sequence[Term], say: Say) -> Grid:
    """Rows that add up to the last one, to the digit that is shown."""
    total_s = sum(term.seconds for term in terms)
    unit_s, unit = next(((size, name) for size, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")) if total_s >= size), (1e-6, "us"))
    decimals = max(_DIGITS - 1 - math.floor(math.log10(total_s / unit_s)), 0) if total_s > 0 else 0
    shown = numbers.that_add_up([term.seconds / unit_s for term in terms], decimals)
    rows: list[tuple[Words, ...]] = [
        (
            term.name,
            f"{value:,.{decimals}f} {unit}",
            numbers.percent(term.seconds / total_s) if total_s > 0 else "",
            phrases.bound(say, term.bound),
            term.detail or "",
        )
        for term, value in zip(terms, shown, strict=True)
    ]
    rows.append((Text(say("total"), "strong"), Text(f"{sum(shown):,.{decimals}f} {unit}", "strong"), "100 %", "", ""))
    columns = (
        Column(say("col.term")),
        Column(say("col.time"), "right"),
        Column(say("col.share"), "right", drop=1),
        Column(say("col.bound"), drop=1),
        Column(say("col.arithmetic"), drop=0, wrap=True),
    )
    return Grid(columns, tuple(rows), total=True)


def evidence_blocks(answer: Answer, say: Say) -> list[Block]:
    """The nearest measurements, if there are any."""
    if not answer.evidence:
        return []
    return [Heading(say("evidence.title")), Bullets(tuple(cited(point, say) for point in answer.evidence))]


def nearest_evidence(answer: Answer, say: Say) -> list[Block]:
    """The one nearest measurement as a line, if there is any."""
    return [Para((cited(point, say) + ".",), lead=say("evidence.nearest")) for point in answer.evidence[:1]]


def nearest_of_each(answers: Sequence[Answer], say: Say) -> list[Block]:
    """The nearest measurement of every answer, as a list."""
    items = tuple(cited(point, say) for answer in answers for point in answer.evidence[:1])
    return [Heading(say("evidence.title")), Bullets(tuple(dict.fromkeys(items)))] if items else []


def cited(point: Evidence, say: Say) -> str:
    """What was measured, by whom and when."""
    return say("evidence", text=point.text, source=point.source, date=point.date or say("evidence.undated"))


def plan_blocks(record: Recommendation, say: Say) -> list[Block]:
    """The runs that would settle the decision: commands to copy, and the lines that decide."""
    if record.plan is None or not record.plan.runs:
        return []
    answers = {answer.id: answer for answer in record.ranked}
    blocks: list[Block] = [Heading(say("plan.title")), Para((say("plan.why"),))]
    for run in record.plan.runs:
        passes = [say("plan.pass", line=line) for line in run.passes]
        said = "; ".join([", ".join(phrases.option(say, answers[run.answer]).values()), *passes, *([run.note] if run.note else [])])
        blocks += [Para((said + ".",), lead=say("plan.run")), Code((*run.serve, *run.measure))]
    return [*blocks, Para((), lead=say("plan.then")), Code(tuple(line for run in record.plan.runs for line in run.fold_in))]
