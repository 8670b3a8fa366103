"""The answer of `recommend` on a screen: the decision first, the rest in the order in which it is doubted."""

from infra_advisor.advice.answer import Answer, LimitsPart, NearMiss, PaymentPart, Recommendation, WorkloadPart
from infra_advisor.present import assumptions, energy, lock_in, numbers, phrases, placed, prices
from infra_advisor.present.bill import bill_of, paid, points_grid
from infra_advisor.present.blocks import Block, Bullets, Column, Grid, Heading, Page, Para, Text, Words
from infra_advisor.present.details import WIDE, detail_grid
from infra_advisor.present.explain import explain_blocks, nearest_evidence, plan_blocks
from infra_advisor.present.left_out import left_out, unranked
from infra_advisor.present.mix import mixed
from infra_advisor.present.onprem import licence_blocks, onprem_blocks, stopped
from infra_advisor.present.words import Words as Say

_SHOWN_MISSES = 3
_ANY = "any"
"""What a choice needs to be for something to fit: none at all."""


def brief(record: Recommendation, say: Say, *, explain: bool = False, width: int = WIDE) -> Page:
    """The page that the terminal shows. `width`: of the screen, which decides whether there is room for the details."""
    detailed = explain or width >= WIDE
    blocks: list[Block] = [*headline(record, say), *question(record.workload, record.limits, say, record.payment)]
    blocks += licence_blocks(record, say)
    blocks += [Para((say.money.sentence(warning),), lead=say("warning")) for warning in record.warnings]
    if record.ranked:
        blocks += [Heading(ranked_title(record, say)), ranked_grid(record, say)]
        if detailed:
            blocks += [Heading(say("details.title")), detail_grid(record.ranked, record.limits, say)]
        else:
            blocks += labelled(record, say)
        blocks += legend(record, say, detailed=detailed)
        winner = record.ranked[0]
        blocks += lock_in.table(winner, say) if explain else lock_in.line(winner, say)
        blocks += bill_of(winner, say, free=explain)
        if explain and (points := points_grid(winner.cost, say)):
            blocks += [Heading(say("bill.points")), *points]
        blocks += explain_blocks(winner, record.workload, say) if explain else nearest_evidence(winner, say)
        blocks += onprem_blocks(winner, say)
    blocks += plan_blocks(record, say)
    blocks += near_misses(record, say)
    blocks += unranked(record, say)
    blocks += mixed(record, say)
    blocks += left_out(record, say)
    blocks += assumptions.assumed(record.assumptions, record.ranked[0].assumptions if record.ranked else (), say)
    blocks += hints(record, say, explain=explain, detailed=detailed)
    return Page((*blocks, Para((Text(assumptions.stamp(record.catalog, record.as_of, say), "dim"),))))


def headline(record: Recommendation, say: Say) -> list[Block]:
    """The winner with its figures and how far to trust them; or what stands in the way."""
    if not record.ranked:
        return nothing_fits(record, say)
    winner = record.ranked[0]
    parts = [*trust(record, say)]
    parts += prices.doubt(say, winner)
    if winner.offer.marks:
        parts.append(Text(say("price_marks", marks=", ".join(winner.offer.marks)), "warn"))
    return [
        Para((Text(winner_sentence(record, say), "strong"),)),
        Para((phrases.figures(say, winner, record.limits.statistic),)),
        *energy.figures(record.rank_by, winner, say),
        Para(tuple(parts)),
        *placed.short(winner, say),
    ]


def trust(record: Recommendation, say: Say) -> list[Words]:
    """How far the winner's figures can be trusted; of a hosted API, whose speed nobody predicts, what stands first among hardware."""
    winner = record.ranked[0]
    if winner.hardware.class_ != "api":
        return [phrases.confidence(say, winner), phrases.bands(say, winner, record.limits.statistic)]
    first = next((answer for answer in record.ranked if answer.hardware.class_ != "api"), None)
    if first is None:
        return [say("api.listed")]
    names = phrases.option(say, first)
    return [say("api.listed"), say("api.hardware", **names, rank=first.rank, cost=phrases.cost_per_mtok(say, first))]


def winner_sentence(record: Recommendation, say: Say) -> str:
    """`2x H100 SXM, Lambda US, running vllm fp8 tp2, is the cheapest option that meets every limit.`"""
    winner = record.ranked[0]
    key = "winner" if phrases.has_targets(record.limits) else "winner.no_limits"
    if winner.hardware.class_ == "api":
        key = "winner.api"
    return say(
        key,
        **phrases.option(say, winner),
        best=say.name("best", record.rank_by),
    )


def nothing_fits(record: Recommendation, say: Say) -> list[Block]:
    """Which limit binds, and the cheapest relaxation of each."""
    if record.licence is not None and record.licence.reason:
        return stopped(record.licence, say)
    if not phrases.has_targets(record.limits) and not record.relaxations:
        return [Para((Text(say("nothing_ranked"), "bad"),))]
    alone = [way.limit for way in record.relaxations]
    together = [broken.limit for miss in record.near_misses[:1] for broken in miss.violations]
    limits = list(dict.fromkeys(phrases.limit(say, name) for name in alone or together))
    parts: list[Words] = [Text(say("nothing_fits"), "bad")]
    if limits:
        names = phrases.listed(say, limits)
        parts.append(Text(say("binds" if alone or len(limits) == 1 else "binds.together", limits=names), "strong"))
    blocks: list[Block] = [Para(tuple(parts))]
    if record.relaxations:
        blocks += [Para((), lead=say("relax")), Bullets(tuple(relaxations(record, say)))]
    return blocks


def relaxations(record: Recommendation, say: Say) -> list[str]:
    """One sentence for each limit that could give way."""
    misses = {miss.id: miss for miss in record.near_misses}
    return [
        say(
            "relaxation" if way.needed != _ANY else "relaxation.any",
            limit=phrases.limit(say, way.limit),
            allowed=say.money.stated(phrases.field(way.limit), way.allowed),
            needed=say.money.by_name(phrases.field(way.limit), way.needed),
            text=_admitted(misses[way.answer], say) if way.answer in misses else say.money.option(way.text[:1].upper() + way.text[1:]),
        )
        for way in record.relaxations
    ]


def _admitted(miss: NearMiss, say: Say) -> str:
    """What the change of the question would bring."""
    return say(
        "relaxation.admits",
        relax=phrases.relaxing(say, miss.violations),
        **phrases.option(say, miss),
        cost=phrases.cost_per_mtok(say, miss),
        monthly=say.money.monthly(miss.cost.usd_per_month),
    )


def question(workload: WorkloadPart, limits: LimitsPart, say: Say, payment: PaymentPart | None = None) -> list[Block]:
    """The question as it was understood."""
    asked = "; ".join((phrases.model(say, workload), phrases.lengths(say, workload), phrases.load(say, workload)))
    set_limits = "; ".join(phrases.limits(say, limits)) or say("limits.none")
    return [Para((asked,), lead=say("for")), Para((set_limits,), lead=say("limits")), *paid(payment, say)]


def ranked_title(record: Recommendation, say: Say) -> str:
    """What the table is sorted by and how much of it is shown."""
    rule, shown = say.name("rank", record.rank_by), len(record.ranked)
    if record.ranked_total > shown:
        return say("ranked.title", rule=rule, shown=shown, total=f"{record.ranked_total:,}")
    return say("ranked.title.all", rule=rule)


def ranked_grid(record: Recommendation, say: Say) -> Grid:
    """The short table; columns that matter less go first where the screen is narrow."""
    statistic = record.limits.statistic
    ttft = phrases.latency_title(say, say("col.ttft"), [answer.performance.ttft_s for answer in record.ranked], statistic)
    tpot = phrases.latency_title(say, say("col.tpot"), [answer.performance.tpot_s for answer in record.ranked], statistic)
    columns = (
        Column(say("col.rank"), "right"),
        Column(say("col.hardware"), wrap=True),
        Column(say("col.where"), wrap=True),
        Column(say("col.run"), drop=1),
        Column(ttft, "right"),
        Column(tpot, "right"),
        Column(say("col.usd_h"), "right", drop=3),
        Column(say("col.usd_mtok"), "right"),
        *energy.columns(record.rank_by, say),
        Column(say("col.usd_mtok_band"), "right", drop=4),
        Column(say("col.grade")),
        Column(say("col.price"), drop=2),
    )
    return Grid(columns, tuple(_row(answer, statistic, record.rank_by, say) for answer in record.ranked))


def _row(answer: Answer, statistic: str, rank_by: str, say: Say) -> tuple[Words, ...]:
    speed, cost = answer.performance, answer.cost
    first = answer.rank == 1
    return (
        str(answer.rank or ""),
        Text(phrases.hardware(say, answer), "strong" if first else "plain"),
        phrases.where(say, answer),
        phrases.running(say, answer),
        numbers.duration(phrases.at(speed.ttft_s, statistic)),
        numbers.duration(phrases.at(speed.tpot_s, statistic)),
        say.money.hourly(cost.usd_per_h),
        Text(say.money.usd(cost.usd_per_mtok_output), "strong" if first else "plain"),
        *energy.cells(rank_by, answer),
        phrases.cost_band(say, answer) or "",
        phrases.grade(say, answer),
        prices.age(say, answer),
    )


def labelled(record: Recommendation, say: Say) -> list[Block]:
    """Which rows are the cheapest, the fastest and the best of their class, where no table has room for it."""
    items = [say("labels.item", rank=answer.rank, labels=phrases.labels(say, answer)) for answer in record.ranked if answer.labels]
    return [Para(("; ".join(items),), lead=say("labels"))] if items else []


def legend(record: Recommendation, say: Say, *, detailed: bool = True) -> list[Block]:
    """What the short titles mean, as far as they are not plain."""
    grades = sorted({answer.grade for answer in record.ranked})
    parts = [
        say("legend"),
        *([say("legend.details")] if detailed else []),
        *([say("legend.energy")] if record.rank_by in energy.RULES else []),
        *_simulated(record, say),
        *(say("legend.grade", grade=letter, words=say(f"grade.{letter}")) for letter in grades),
    ]
    if any(answer.offer.marks for answer in record.ranked):
        parts.append(say("legend.marks"))
    if any(prices.is_aged(answer) for answer in record.ranked):
        parts.append(say("legend.aged.starred" if detailed else "legend.aged"))
    return [*energy.unknown_rows(record.rank_by, record.ranked, say), Para(tuple(Text(part, "dim") for part in parts))]


def _simulated(record: Recommendation, say: Say) -> list[str]:
    """What the times rest on."""
    predicted = [answer.performance for answer in record.ranked if answer.performance.ttft_s.mean is not None]
    run = [speed.simulated_requests for speed in predicted if speed.simulated_requests]
    if not run:
        return []
    requests = numbers.about(float(max(run)), 1)
    if len(run) == len(predicted):
        return [say("legend.simulated", requests=requests)]
    return [say("legend.simulated.part", requests=requests, rows=len(run))]


def near_misses(record: Recommendation, say: Say) -> list[Block]:
    """The closest options that break a limit, by how much, and what would admit them."""
    told = {way.answer for way in record.relaxations} if not record.ranked else set()
    misses = [miss for miss in record.near_misses if miss.id not in told][:_SHOWN_MISSES]
    if not misses:
        return []
    items = [
        say(
            "near.item",
            **phrases.option(say, miss),
            cost=phrases.cost_per_mtok(say, miss),
            violations=phrases.violations(say, miss.violations),
            relax=phrases.relaxing(say, miss.violations),
        )
        for miss in misses
    ]
    return [Heading(say("near.title")), Bullets(tuple(items))]


def hints(record: Recommendation, say: Say, *, explain: bool, detailed: bool) -> list[Block]:
    """What one would ask next."""
    if record.licence is not None and record.licence.reason:
        return []
    if not record.ranked:
        return [Para((say("next.near" if phrases.has_targets(record.limits) else "next.include"),), lead=say("next"))]
    winner = record.ranked[0]
    steps = [] if explain else [say("next.explain" if detailed else "next.details", width=WIDE)]
    steps.append(say("next.memo"))
    if winner.hardware.class_ != "api":
        steps.append(say("next.estimate", offer=winner.offer.id))
    if record.ranked_total > len(record.ranked):
        steps.append(say("next.all", total=f"{record.ranked_total:,}"))
    return [Para(tuple(steps), lead=say("next"))]
