"""The answer of `recommend` as a document to attach to a decision: recommendation first, inputs apart from findings."""

from infra_advisor.advice.answer import Answer, Recommendation
from infra_advisor.present import assumptions, energy, left_out, lock_in, numbers, phrases, placed, prices, recommend
from infra_advisor.present.bill import bill_of, points_grid
from infra_advisor.present.blocks import Block, Bullets, Code, Column, Grid, Heading, Page, Para, Text, Words
from infra_advisor.present.details import detail_grid
from infra_advisor.present.explain import cited, explain_blocks, terms_of
from infra_advisor.present.money import USD
from infra_advisor.present.onprem import licence_blocks, onprem_blocks, stopped
from infra_advisor.present.words import Words as Say

_TIE = 0.01


def memo(record: Recommendation, say: Say, *, explain: bool = False, command: str = "") -> Page:
    """The whole document. `command`: what reproduces it."""
    blocks: list[Block] = [Heading(say("memo.title", model=record.workload.model_name), 1)]
    blocks += _recommendation(record, say)
    blocks += [Para(tuple(rate)) for rate in [assumptions.converted(say)] if rate]
    blocks += _requirements(record, say)
    if record.ranked:
        points = points_grid(record.ranked[0].cost, say)
        blocks += [
            Heading(say("memo.options")),
            Para((recommend.ranked_title(record, say) + ".", say("memo.estimated"))),
            _options(record, say),
            Para((say("details.title") + ":",)),
            detail_grid(record.ranked, record.limits, say),
        ]
        blocks += recommend.legend(record, say)
        blocks += _why(record, say) + _binds(record.ranked[0], say)
        blocks += [*bill_of(record.ranked[0], say), *([Heading(say("bill.points")), *points] if points else [])]
        blocks += onprem_blocks(record.ranked[0], say)
        blocks += lock_in.table(record.ranked[0], say)
        if not explain:
            blocks += placed.blocks(record.ranked[0], say)
        else:
            blocks += explain_blocks(record.ranked[0], record.workload, say)
    blocks += _near_misses(record, say) + _unranked(record, say) + _assumptions(record, say) + _sources(record, say)
    return Page((*blocks, *_reproduce(record, say, command)))


def _recommendation(record: Recommendation, say: Say) -> list[Block]:
    blocks: list[Block] = [Heading(say("memo.recommendation"))]
    if record.licence is not None and record.licence.reason:
        return [*blocks, *stopped(record.licence, say), *licence_blocks(record, say)]
    if not record.ranked:
        blocks.append(Para((Text(say("nothing_fits"), "strong"), say("memo.nothing"))))
        return blocks + ([Bullets(tuple(recommend.relaxations(record, say)))] if record.relaxations else [])
    winner = record.ranked[0]
    words = say(
        "memo.confidence", confidence=say(f"confidence.{winner.grade}"), grade=winner.grade, words=say(f"grade.{winner.grade}")
    )  # fmt: skip
    figures = phrases.figures(say, winner, record.limits.statistic)
    trust = recommend.trust(record, say)
    blocks += [
        Para((Text(recommend.winner_sentence(record, say), "strong"), figures)),
        *energy.figures(record.rank_by, winner, say),
        Para((*(trust if winner.hardware.class_ == "api" else (words, *trust[1:])), *prices.doubt(say, winner))),
    ]
    if winner.offer.marks:
        blocks.append(Para((say("price_marks", marks=", ".join(winner.offer.marks)),)))
    blocks += licence_blocks(record, say)
    return blocks + [Para((say.money.sentence(warning),), lead=say("warning")) for warning in record.warnings]


def _requirements(record: Recommendation, say: Say) -> list[Block]:
    rows: list[tuple[Words, ...]] = [
        (say("req.model"), phrases.model(say, record.workload)),
        (say("req.lengths"), phrases.lengths(say, record.workload)),
        (say("req.load"), phrases.load(say, record.workload)),
        (say("req.formats"), phrases.formats(say, record.workload)),
        *((say("req.limit"), phrase) for phrase in phrases.limits(say, record.limits) or [say("limits.none")]),
        *((say("req.payment"), phrase) for phrase in (phrases.payment(say, record.payment) if record.payment else ())),
    ]
    return [Heading(say("memo.requirements")), Grid((Column(say("col.requirement")), Column(say("col.value"))), tuple(rows))]


def _options(record: Recommendation, say: Say) -> Grid:
    electric = ("kwh_mtok", "co2_mtok") if record.rank_by in energy.RULES else ()
    titles = ("rank", "hardware", "where", "run", "ttft", "tpot", "usd_h", "usd_mtok", *electric, "usd_mtok_band", "grade", "price")
    right = {"rank", "ttft", "tpot", "usd_h", "usd_mtok", "usd_mtok_band", *electric}
    columns = [Column(say(f"col.{title}"), "right" if title in right else "left") for title in titles]
    statistic = record.limits.statistic
    rows = tuple(
        (
            str(answer.rank or ""),
            Text(phrases.hardware(say, answer), "strong" if answer.rank == 1 else "plain"),
            phrases.where(say, answer, region=True),
            phrases.running(say, answer),
            numbers.duration(phrases.at(answer.performance.ttft_s, statistic)),
            numbers.duration(phrases.at(answer.performance.tpot_s, statistic)),
            say.money.hourly(answer.cost.usd_per_h),
            phrases.cost_per_mtok(say, answer),
            *energy.cells(record.rank_by, answer),
            phrases.cost_band(say, answer) or "",
            phrases.grade(say, answer),
            prices.dated(say, answer),
        )
        for answer in record.ranked
    )
    return Grid(tuple(columns), rows)


def _why(record: Recommendation, say: Say) -> list[Block]:
    winner = record.ranked[0]
    parts: list[Words] = [winner.reason or say("memo.why.meets", rule=say.name("rank", record.rank_by))]
    if len(record.ranked) > 1:
        parts += _against(winner, record.ranked[1], say)
    headroom = [
        say("headroom", limit=phrases.limit(say, room.limit), margin=numbers.percent(room.margin))
        for room in winner.headroom
        if room.margin is not None
    ]
    if headroom:
        parts.append(say("memo.why.headroom", headroom=", ".join(headroom)))
    return [Heading(say("memo.why")), Para(tuple(parts))]


def _against(winner: Answer, second: Answer, say: Say) -> list[Words]:
    """How the winner stands against the runner-up, where both costs are known and the winner is not the dearer one."""
    mine, other = winner.cost, second.cost
    runner_up = ", ".join((phrases.hardware(say, second), phrases.where(say, second), phrases.running(say, second)))
    parts: list[Words] = []
    if mine.usd_per_mtok_output and other.usd_per_mtok_output:
        saved = 1 - mine.usd_per_mtok_output / other.usd_per_mtok_output
        if abs(saved) <= _TIE:
            parts.append(say("memo.why.tie", runner_up=runner_up))
        elif saved > 0:
            parts.append(say("memo.why.margin", percent=numbers.percent(saved), runner_up=runner_up))
    high, low = mine.usd_per_mtok_output_high, other.usd_per_mtok_output_low
    if high is not None and low is not None and high > low:
        parts.append(say("memo.why.overlap"))
    return parts


def _binds(winner: Answer, say: Say) -> list[Block]:
    """The largest term of each phase, in one plain paragraph with its arithmetic."""
    sentences = []
    for phase in ("prefill", "decode"):
        if terms := terms_of(winner, phase):
            total_s = sum(term.seconds for term in terms)
            largest = max(terms, key=lambda term: term.seconds)
            sentences.append(
                say(
                    "memo.binds.phase",
                    phase=say(f"phase.{phase}"),
                    total=numbers.duration(total_s),
                    seconds=numbers.duration(largest.seconds),
                    share=numbers.percent(largest.seconds / total_s if total_s else None),
                    term=largest.name,
                    bound=phrases.bound(say, largest.bound),
                    detail=f" ({largest.detail})" if largest.detail else "",
                )
            )
    return [Heading(say("memo.binds")), Para(tuple(sentences) or (say("memo.binds.unknown"),))]


def _near_misses(record: Recommendation, say: Say) -> list[Block]:
    if not record.near_misses:
        return []
    columns = tuple(Column(say(f"col.{title}")) for title in ("option", "run", "usd_mtok", "violations", "relax", "grade"))
    rows = tuple(
        (
            f"{phrases.hardware(say, miss)}, {phrases.where(say, miss)}",
            phrases.running(say, miss),
            phrases.cost_per_mtok(say, miss),
            phrases.violations(say, miss.violations),
            phrases.relaxing(say, miss.violations),
            phrases.grade(say, miss),
        )
        for miss in record.near_misses
    )
    return [Heading(say("memo.near")), Grid(columns, rows)]


def _unranked(record: Recommendation, say: Say) -> list[Block]:
    blocks = [*left_out.unranked(record, say), *left_out.left_out(record, say, most=None)]
    return [Heading(say("memo.excluded")), *blocks] if blocks else []


def _assumptions(record: Recommendation, say: Say) -> list[Block]:
    rows = tuple(
        (say.money.stated_sentence(assumptions.assumption(say, one)), say(f"origin.{one.origin}"), assumptions.basis(say, one))
        for one in record.assumptions
    )
    blocks: list[Block] = [Heading(say("memo.assumptions"))]
    if rows:
        blocks.append(Grid((Column(say("col.assumption")), Column(say("col.origin")), Column(say("col.basis"))), rows))
    own = tuple(map(say.money.stated_sentence, record.ranked[0].assumptions)) if record.ranked else ()
    return blocks + ([Para((), lead=say("also")), Bullets(own)] if own else []) if rows or own else []


def _sources(record: Recommendation, say: Say) -> list[Block]:
    """Where each price of the table and each measurement was read, and when."""
    items = [
        say(
            "memo.source.price",
            rank=answer.rank,
            offer=answer.offer.id,
            kind=prices.kind(say, answer),
            source=answer.offer.source or numbers.UNKNOWN,
            date=answer.offer.price_date or numbers.UNKNOWN,
        )
        for answer in record.ranked
    ]
    items += [cited(point, say) for answer in record.ranked[:1] for point in answer.evidence]
    return [Heading(say("memo.sources")), Bullets(tuple(items))] if items else []


def _reproduce(record: Recommendation, say: Say, command: str) -> list[Block]:
    return [
        Heading(say("memo.reproduce")),
        *([Code((command,))] if command else []),
        Para((assumptions.stamp(record.catalog, record.as_of, say.with_money(USD)),)),
    ]
