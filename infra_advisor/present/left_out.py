"""What an answer does not rank, and what it was never going to: each with the reason."""

from collections import Counter

from infra_advisor.advice.answer import Recommendation
from infra_advisor.present import numbers, phrases
from infra_advisor.present.blocks import Block, Bullets, Para
from infra_advisor.present.words import Words as Say

_SHOWN_REASONS = 3
_SHOWN_UNRANKED = 5
_SHOWN_EXCLUDED = 3
_INCLUDE = ": only with --include "
"""Stands between the kind of a doubtful offer and the option that would admit it."""
_UNKNOWN = " unknown"


def unranked(record: Recommendation, say: Say) -> list[Block]:
    """How much could not be ranked, and what it lacks."""
    if not record.unranked:
        return []
    lacking = Counter(_lack(answer.reason, say) for answer in record.unranked).most_common()
    texts = [say("unranked.group", lack=lack, count=f"{count:,}") for lack, count in lacking[:_SHOWN_REASONS]]
    total, listed = record.considered.get("unranked", len(record.unranked)), len(record.unranked)
    lack = phrases.listed(say, texts)
    if total <= listed:
        text = say.counted("unranked.text", total, lacking=lack)
    else:
        text = say("unranked.text.part", total=f"{total:,}", listed=f"{listed:,}", lacking=lack)
    blocks: list[Block] = [Para((text,), lead=say("unranked"))]
    timed = [answer for answer in record.unranked if answer.performance.ttft_s.mean is not None]
    if timed and not record.ranked:  # what keeps the targets, but for a price or a country: all the answer there is
        statistic = record.limits.statistic
        items = [
            say(
                "unranked.item",
                **phrases.option(say, answer),
                ttft=numbers.duration(phrases.at(answer.performance.ttft_s, statistic)),
                tpot=numbers.duration(phrases.at(answer.performance.tpot_s, statistic)),
                grade=answer.grade,
                lack=_lack(answer.reason, say),
            )
            for answer in timed[:_SHOWN_UNRANKED]
        ]
        blocks.append(Bullets(tuple(items)))
    return blocks


def _lack(reason: str | None, say: Say) -> str:
    """`speed unknown: nobody publishes it` -> `unknown speed (nobody publishes it)`."""
    reason = say.money.sentence(reason or say("unranked.no_reason"))
    head, _, rest = reason.partition(": ")
    if head.endswith(_UNKNOWN):
        what = say("unranked.unknown", what=head.removesuffix(_UNKNOWN))
        return say("unranked.because", what=what, why=rest) if rest else what
    return reason.partition(";")[0]


def left_out(record: Recommendation, say: Say, most: int | None = _SHOWN_EXCLUDED) -> list[Block]:
    """Counts of what was excluded and why, and of what was searched."""
    blocks: list[Block] = []
    counted = sorted((item for item in record.excluded.items() if item[1]), key=lambda item: -item[1])
    doubtful = [(reason.partition(_INCLUDE)[0], count) for reason, count in counted if _INCLUDE in reason]
    others = [item for item in counted if _INCLUDE not in item[0]]
    texts = [say("excluded.item", reason=reason, count=f"{count:,}") for reason, count in others[:most]]
    if most and (rest := sum(count for _, count in others[most:])):
        texts.append(say("excluded.item", reason=say("excluded.rest"), count=f"{rest:,}"))
    if doubtful:
        kinds = ", ".join(say("excluded.item", reason=kind, count=f"{count:,}") for kind, count in doubtful)
        group = say("excluded.include", kinds=kinds)
        most_doubtful = sum(count for _, count in doubtful)
        texts.insert(0 if not others or most_doubtful >= others[0][1] else 1, group)
    if texts:
        blocks.append(Para(("; ".join(texts) + ".",), lead=say("excluded")))
    searched = [say("considered.item", what=what, count=f"{count:,}") for what, count in record.considered.items() if what != "unranked"]
    if searched:
        blocks.append(Para((phrases.listed(say, searched) + ".",), lead=say("considered")))
    return blocks
