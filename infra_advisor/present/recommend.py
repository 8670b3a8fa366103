"""The answer of `recommend` on a screen: the decision first, the rest in the order in which it is doubted."""

from collections import Counter

from infra_advisor.advice.answer import Answer, LimitsPart, Recommendation, WorkloadPart
from infra_advisor.present import numbers, phrases
from infra_advisor.present.blocks import Block, Bullets, Column, Grid, Heading, Page, Para, Text, Words
from infra_advisor.present.explain import explain_blocks
from infra_advisor.present.words import Words as Say

_SHOWN_MISSES = 3
_SHOWN_REASONS = 3
_SHOWN_EXCLUDED = 4


def brief(record: Recommendation, say: Say, *, explain: bool = False) -> Page:
    """The page that the terminal shows."""
    blocks: list[Block] = [*headline(record, say), *question(record.workload, record.limits, say)]
    blocks += [Para((warning,), lead=say("warning")) for warning in record.warnings]
    if record.ranked:
        blocks += [Heading(ranked_title(record, say)), ranked_grid(record, say), *legend(record, say)]
        if explain:
            blocks += explain_blocks(record.ranked[0], record.workload, say)
    blocks += near_misses(record, say)
    blocks += unranked(record, say)
    blocks += left_out(record, say)
    blocks += phrases.assumed(record.assumptions, record.ranked[0].assumptions if record.ranked else (), say)
    blocks += hints(record, say, explain)
    stamp = say("catalog", version=record.catalog.version, as_of=record.as_of, hash=record.catalog.hash)
    return Page((*blocks, Para((Text(stamp, "dim"),))))


def headline(record: Recommendation, say: Say) -> list[Block]:
    """The winner with its figures and how far to trust them; or what stands in the way."""
    if not record.ranked:
        return nothing_fits(record, say)
    winner = record.ranked[0]
    parts: list[Words] = [phrases.confidence(say, winner), phrases.bands(say, winner)]
    if winner.offer.marks:
        parts.append(Text(say("price_marks", marks=", ".join(winner.offer.marks)), "warn"))
    return [
        Para((Text(winner_sentence(record, say), "strong"),)),
        Para((phrases.figures(say, winner, record.limits.statistic),)),
        Para(tuple(parts)),
    ]


def winner_sentence(record: Recommendation, say: Say) -> str:
    """`2x H100 SXM, Lambda US, running vllm fp8 tp2, is the cheapest option that meets every limit.`"""
    winner = record.ranked[0]
    key = "winner" if phrases.has_targets(record.limits) else "winner.no_limits"
    if winner.hardware.class_ == "api":
        key = "winner.api"
    return say(
        key,
        hardware=phrases.hardware(say, winner),
        where=phrases.where(say, winner),
        run=phrases.running(say, winner),
        best=say.name("best", record.rank_by),
    )


def nothing_fits(record: Recommendation, say: Say) -> list[Block]:
    """Which limit binds, and the cheapest relaxation of each."""
    limits = list(dict.fromkeys(phrases.limit(say, way.limit) for way in record.relaxations))
    parts: list[Words] = [Text(say("nothing_fits"), "bad")]
    if limits:
        parts.append(Text(say("binds", limits=", ".join(limits)), "strong"))
    blocks: list[Block] = [Para(tuple(parts))]
    if record.relaxations:
        blocks += [Para((), lead=say("relax")), Bullets(tuple(relaxations(record, say)))]
    return blocks


def relaxations(record: Recommendation, say: Say) -> list[str]:
    """One sentence for each limit that could give way."""
    return [
        say(
            "relaxation",
            limit=phrases.limit(say, way.limit),
            allowed=numbers.stated(phrases.field(way.limit), way.allowed),
            needed=numbers.by_name(phrases.field(way.limit), way.needed),
            text=way.text,
        )
        for way in record.relaxations
    ]


def question(workload: WorkloadPart, limits: LimitsPart, say: Say) -> list[Block]:
    """The question as it was understood."""
    asked = "; ".join((phrases.model(say, workload), phrases.lengths(say, workload), phrases.load(say, workload)))
    set_limits = "; ".join(phrases.limits(say, limits)) or say("limits.none")
    return [Para((asked,), lead=say("for")), Para((set_limits,), lead=say("limits"))]


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
        Column(say("col.region"), drop=8),
        Column(say("col.run"), drop=1),
        Column(ttft, "right"),
        Column(tpot, "right"),
        Column(say("col.speed"), "right", drop=4),
        Column(say("col.usd_h"), "right", drop=3),
        Column(say("col.usd_mtok"), "right"),
        Column(say("col.usd_mtok_band"), "right", drop=6),
        Column(say("col.binds"), drop=5),
        Column(say("col.grade")),
        Column(say("col.price"), drop=2),
        Column(say("col.labels"), drop=7),
    )
    return Grid(columns, tuple(_row(answer, statistic, say) for answer in record.ranked))


def _row(answer: Answer, statistic: str, say: Say) -> tuple[Words, ...]:
    speed, cost = answer.performance, answer.cost
    first = answer.rank == 1
    return (
        str(answer.rank or ""),
        Text(phrases.hardware(say, answer), "strong" if first else "plain"),
        phrases.where(say, answer),
        answer.offer.region or "",
        phrases.running(say, answer),
        numbers.duration(phrases.at(speed.ttft_s, statistic)),
        numbers.duration(phrases.at(speed.tpot_s, statistic)),
        numbers.rate(speed.output_tokens_per_s),
        numbers.hourly(cost.usd_per_h),
        Text(numbers.usd(cost.usd_per_mtok_output), "strong" if first else "plain"),
        phrases.cost_band(answer) or "",
        answer.bound.decode or numbers.UNKNOWN,
        phrases.grade(say, answer),
        phrases.price(say, answer),
        ", ".join(answer.labels),
    )


def legend(record: Recommendation, say: Say) -> list[Block]:
    """What the short titles mean, as far as they are not plain."""
    grades = sorted({answer.grade for answer in record.ranked})
    parts = [say("legend"), *(say("legend.grade", grade=letter, words=say(f"grade.{letter}")) for letter in grades)]
    if any(answer.offer.marks for answer in record.ranked):
        parts.append(say("legend.marks"))
    return [Para(tuple(Text(part, "dim") for part in parts))]


def near_misses(record: Recommendation, say: Say) -> list[Block]:
    """The closest options that break a limit, by how much, and what would admit them."""
    if not record.near_misses:
        return []
    items = [
        say(
            "near.item",
            hardware=phrases.hardware(say, miss),
            where=phrases.where(say, miss),
            run=phrases.running(say, miss),
            cost=phrases.cost_per_mtok(miss),
            violations=phrases.violations(say, miss.violations),
            relax=", ".join(broken.relax for broken in miss.violations),
        )
        for miss in record.near_misses[:_SHOWN_MISSES]
    ]
    return [Heading(say("near.title")), Bullets(tuple(items))]


def unranked(record: Recommendation, say: Say) -> list[Block]:
    """What could not be ranked, by reason."""
    if not record.unranked:
        return []
    reasons = Counter(answer.reason or numbers.UNKNOWN for answer in record.unranked).most_common()
    texts = [say("unranked.group", reason=reason, count=f"{count:,}") for reason, count in reasons[:_SHOWN_REASONS]]
    if rest := sum(count for _, count in reasons[_SHOWN_REASONS:]):
        texts.append(say.counted("unranked.more", rest))
    return [Para(("; ".join(texts),), lead=say("unranked"))]


def left_out(record: Recommendation, say: Say, most: int | None = _SHOWN_EXCLUDED) -> list[Block]:
    """Counts of what was excluded and why, and of what was searched."""
    blocks: list[Block] = []
    counted = sorted((item for item in record.excluded.items() if item[1]), key=lambda item: -item[1])
    if counted:
        texts = [say("excluded.item", reason=reason, count=f"{count:,}") for reason, count in counted[:most]]
        if most and (rest := sum(count for _, count in counted[most:])):
            texts.append(say.counted("unranked.more", rest))
        blocks.append(Para(("; ".join(texts),), lead=say("excluded")))
    if record.considered:
        texts = [say("considered.item", what=what, count=f"{count:,}") for what, count in record.considered.items()]
        blocks.append(Para((", ".join(texts),), lead=say("considered")))
    return blocks


def hints(record: Recommendation, say: Say, explain: bool) -> list[Block]:
    """What one would ask next."""
    if not record.ranked:
        return [Para((say("next.near"),), lead=say("next"))]
    winner = record.ranked[0]
    steps = [] if explain else [say("next.explain")]
    steps += [say("next.memo"), say("next.estimate", offer=winner.offer.id)]
    if record.ranked_total > len(record.ranked):
        steps.append(say("next.all", total=f"{record.ranked_total:,}"))
    return [Para(tuple(steps), lead=say("next"))]
