"""The page of `places`: what is kept, what is unknown and what to ask, what is excluded and why."""

from collections.abc import Sequence

from infra_advisor.advice.place_parts import PlacePart, PlacesAnswer
from infra_advisor.present import assumptions, place_phrases, placed
from infra_advisor.present.blocks import Block, Column, Grid, Heading, Page, Para, Text
from infra_advisor.present.words import Words as Say

_NAMES = 5
"""Regions, accelerators or countries that are named before the rest is counted."""


def page(record: PlacesAnswer, say: Say) -> Page:
    """Verdict first, then the three groups."""
    phrases = place_phrases.asked(say, record.limits) or [say("places.nothing_asked")]
    blocks: list[Block] = []
    if record.status == "nothing_fits":
        best = next((one for one in record.dropped if one.kept), None)
        way = say("places.drop", option=best.option, kept=best.kept) if best else say("places.drop.none")
        blocks.append(Para((Text(say("places.none"), "bad"), Text(way, "strong"))))
    blocks += [Para(("; ".join(phrases),), lead=say("places.asked")), Para((record.note,))]
    for status in ("kept", "unknown", "excluded"):
        if group := [one for one in record.places if one.residency.status == status]:
            blocks += _group(group, status, say)
    return Page((*blocks, Para((Text(assumptions.stamp(record.catalog, record.as_of, say), "dim"),))))


def _group(places: Sequence[PlacePart], status: str, say: Say) -> list[Block]:
    together: dict[tuple[str, ...], list[PlacePart]] = {}
    for one in places:
        together.setdefault(_likeness(one, status), []).append(one)
    columns = (
        Column(say("places.col.provider"), wrap=True),
        Column(say("places.col.where"), wrap=True),
        Column(say("places.col.offer"), wrap=True, drop=1),
        Column(say("places.col.why"), wrap=True),
    )
    rows = tuple((group[0].provider_name, _where(group, say), _offer(group, say), _why(group, status, say)) for group in together.values())
    count = say("places.counts", regions=f"{len(places):,}", lines=f"{len(rows):,}")
    return [Heading(say(f"places.{status}", count=count)), Grid(columns, rows)]


def _likeness(one: PlacePart, status: str) -> tuple[str, ...]:
    """Regions of one operator with the same reason stand on one line, though they lie in different countries."""
    shown = [axis for axis in one.residency.axes if axis.status == status]
    reasons = (axis.axis if one.kind == "region" and axis.axis == "residency" else axis.why for axis in shown)
    return (one.kind, one.provider, one.region or "" if one.kind == "api" else "", *reasons)


def _where(group: Sequence[PlacePart], say: Say) -> str:
    first = group[0]
    if first.kind == "own":
        return say("places.own")
    if first.kind == "api":
        return say("places.api", scope=first.region) if first.region else say("places.api.unstated")
    return _few([one.region or say("places.operator") for one in group], say)


def _offer(group: Sequence[PlacePart], say: Say) -> str:
    if group[0].models is not None:
        return say.counted("places.models", group[0].models)
    return _few(sorted({chip for one in group for chip in one.accelerators}), say)


def _why(group: Sequence[PlacePart], status: str, say: Say) -> str:
    """The reasons of the status; of what is kept, all that was found."""
    first = group[0]
    found = first.residency.model_copy(update={"axes": tuple(axis for axis in first.residency.axes if axis.status == status)})
    countries = sorted({one.residency.country or "?" for one in group})
    if first.kind == "region" and len(countries) > 1:
        spread = say("places.spread", countries=_few(countries, say))
        axes = tuple(axis.model_copy(update={"why": spread}) if axis.axis == "residency" else axis for axis in found.axes)
        found = found.model_copy(update={"axes": axes})
    return "; ".join(text.partition(f" {say(f'place.status.{status}')}: ")[2] or text for text in placed.lines(found, say))


def _few(names: Sequence[str], say: Say) -> str:
    names = list(dict.fromkeys(names))
    shown = ", ".join(names[:_NAMES])
    return say("places.more", names=shown, count=f"{len(names) - _NAMES:,}") if len(names) > _NAMES + 1 else ", ".join(names)
