"""How one answer stands to what was asked about place, operator, law, attestations and keys. Never a bare yes."""

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.residency_parts import AttestationPart, ResidencyPart
from infra_advisor.present import phrases
from infra_advisor.present.blocks import Block, Bullets, Heading, Para
from infra_advisor.present.words import Words as Say


def lines(found: ResidencyPart, say: Say) -> list[str]:
    """One sentence per axis: status, why, and what to ask."""
    return [
        say(
            "place.axis_ask" if axis.ask else "place.axis_line",
            axis=say(f"place.axis.{axis.axis}"),
            status=say(f"place.status.{axis.status}"),
            why=axis.why,
            ask=axis.ask,
        )
        for axis in found.axes
    ]


def blocks(answer: Answer, say: Say) -> list[Block]:
    """The section of one answer; none where nothing was asked."""
    found = answer.residency
    if found is None:
        return []
    items = lines(found, say)
    if found.attestations:
        items.append(say("place.attested", names=", ".join(_attested(one, say) for one in found.attestations)))
    return [Heading(say("place.title", **phrases.option(say, answer))), Bullets(tuple(items)), Para((found.note,))]


def short(answer: Answer, say: Say) -> list[Block]:
    """The same in a few words, for the head of a page."""
    found = answer.residency
    return [Para(("; ".join(lines(found, say)) + ".", found.note), lead=say("place.lead"))] if found and found.axes else []


def _attested(one: AttestationPart, say: Say) -> str:
    date = f", {one.date}" if one.date else say("place.undated")
    date += say("place.seen", day=one.seen) if one.seen else ""
    lapsed = say("place.lapsed", day=one.lapsed) if one.lapsed else ""
    return say("place.attested.one", name=one.name, status=one.status, date=date, lapsed=lapsed, source=one.source)
