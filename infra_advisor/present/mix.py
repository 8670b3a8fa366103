"""Two kinds of hardware instead of one, as sentences."""

from infra_advisor.advice.answer import MixSide, Recommendation
from infra_advisor.present import numbers, phrases
from infra_advisor.present.blocks import Block, Bullets, Heading, Para, Text
from infra_advisor.present.words import Words as Say


def mixed(record: Recommendation, say: Say) -> list[Block]:
    """What a mix costs against one kind, and which requests go where; nothing where it was not asked for."""
    mix = record.mix
    if mix is None:
        return []
    costs = {"cost": say.money.monthly(mix.usd_per_month), "single": say.money.monthly(mix.single_usd_per_month)}
    if not mix.sides:
        return [Heading(say("mix.title")), Para((say("mix.none", reason=mix.reason),))]
    if not mix.worth_it:
        verdict = Text(say("mix.not_worth", reason=mix.reason, **costs))
    elif mix.saving is None:
        verdict = Text(say("mix.only", cost=costs["cost"]), "good")
    else:
        verdict = Text(say("mix.worth", saving=numbers.percent(mix.saving), **costs), "good")
    items = tuple(_side(side, record, say) for side in mix.sides)
    return [Heading(say("mix.title")), Para((verdict,)), Bullets(items)]


def _side(side: MixSide, record: Recommendation, say: Say) -> str:
    answer, statistic = side.answer, record.limits.statistic
    return say(
        "mix.side.short" if side.up_to_tokens is not None else "mix.side.long",
        over=numbers.whole(side.over_tokens),
        up_to=numbers.whole(side.up_to_tokens),
        share=numbers.percent(side.share),
        mean=numbers.whole(side.mean_input_tokens),
        ttft=phrases.latency(say, answer.performance.ttft_s, statistic),
        tpot=phrases.latency(say, answer.performance.tpot_s, statistic),
        monthly=say.money.monthly(answer.cost.usd_per_month),
        **phrases.option(say, answer),
    )
