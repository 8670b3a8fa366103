"""Machines of one's own on a page: what their site must offer, what must be carried in, and what the licence of the model allows."""

from infra_advisor.advice.answer import Answer, CarryIn, LicencePart, Recommendation, SiteNeeds
from infra_advisor.advice.licence_parts import amount
from infra_advisor.present import numbers
from infra_advisor.present.blocks import Block, Column, Grid, Heading, Para, Text, Words
from infra_advisor.present.words import Words as Say
from infra_advisor.units import GB


def licence_blocks(record: Recommendation, say: Say) -> list[Block]:
    """The licence of the model, where commercial use was asked about: status, conditions, how they are known, where to read.

    Of a model that is ranked under conditions, these stand in a warning already.
    """
    licence = record.licence
    if licence is None:
        return []
    parts: list[Words] = [Text(say(f"licence.{licence.verdict}", name=licence.name), "strong")]
    warned = licence.verdict == "conditional" and bool(record.ranked)
    parts += [] if warned else _conditions(licence, say)
    parts += [say(f"licence.known.{how}", sources="; ".join(licence.sources)) for how in licence.known_by]
    parts += [] if warned else [say("licence.read", read=licence.read)]
    return [Para((*parts, say("licence.aid")), lead=say("licence"))]


def _conditions(licence: LicencePart, say: Say) -> list[Words]:
    parts: list[Words] = [say("licence.above", amount=amount(one.counted, one.above), then=one.then) for one in licence.thresholds]
    parts += [say("licence.not_for", places=", ".join(licence.not_for))] if licence.not_for else []
    parts += [say("licence.sentence", text=duty[:1].upper() + duty[1:]) for duty in (*licence.duties, *licence.remarks)]
    if licence.note and not parts:
        parts.append(say("licence.sentence", text=licence.note[:1].upper() + licence.note[1:]))
    return parts


def stopped(licence: LicencePart, say: Say) -> list[Block]:
    """Instead of a first answer: why the licence lets nothing be ranked."""
    key = "licence.nothing.unknown" if licence.verdict == "unknown" else "licence.nothing"
    parts: list[Words] = [Text(say(key, reason=licence.reason), "bad")]
    if licence.verdict == "unknown":
        parts.append(say("licence.listed"))
    else:
        parts.append(say("licence.relax") if licence.commercial == "conditional" else say("licence.other"))
    return [Para(tuple(parts))]


def onprem_blocks(answer: Answer, say: Say) -> list[Block]:
    """Site and list of what to bring, as far as the answer has them."""
    blocks = site_blocks(answer.site_needs, say) if answer.site_needs else []
    return [*blocks, *carry_blocks(answer.carry_in, say)] if answer.carry_in else blocks


def site_blocks(needs: SiteNeeds, say: Say) -> list[Block]:
    """Power, heat, circuits, racks, noise."""
    blocks: list[Block] = [Heading(say("site.title"))]
    if needs.rated_power_w is None or needs.fleet_power_w is None or needs.heat_btu_per_h is None:
        blocks.append(Para((say("site.power.unknown", reason=needs.rated_power_reason),)))
    else:
        machines = say.counted("site.machines", needs.machines)
        fleet = _power(needs.fleet_power_w)
        power = say("site.power", machine=_power(needs.rated_power_w), fleet=fleet, machines=machines, basis=needs.rated_power_basis)
        blocks.append(Para((power, say("site.heat", heat=fleet, btu=f"{needs.heat_btu_per_h:,.0f}"))))
    if needs.circuits:
        remark = [say("site.remark", reason=needs.circuits_reason[:1].upper() + needs.circuits_reason[1:])] if needs.circuits_reason else []
        blocks += [Para((*remark, say("site.rule", share=numbers.percent(needs.continuous_share)))), _circuits(needs, say)]
    elif needs.rated_power_w is not None:
        blocks.append(Para((say("site.no_circuits", reason=needs.circuits_reason),)))
    return [*blocks, Para(tuple(_place(needs, say)))]


def _place(needs: SiteNeeds, say: Say) -> list[Words]:
    parts: list[Words] = []
    if needs.one_office_circuit is not None:
        parts.append(say("site.office.yes") if needs.one_office_circuit else Text(say("site.office.no"), "warn"))
    if needs.three_phase:
        parts.append(Text(say("site.three_phase"), "warn"))
    if needs.racks is not None:
        parts.append(say.counted("site.racks", needs.racks, limit=_power(needs.rack_power_limit_w)))
    elif needs.racks_reason:
        parts.append(say("site.racks.unknown", reason=needs.racks_reason))
    parts.append(say("site.form", form=needs.form_factor) if needs.form_factor else say("site.form.unknown"))
    parts.append(say("site.noise", noise=needs.noise) if needs.noise else say("site.noise.unknown", reason=needs.noise_reason))
    return parts


def _circuits(needs: SiteNeeds, say: Say) -> Grid:
    columns = (
        Column(say("col.circuit")),
        Column(say("col.countries"), wrap=True),
        Column(say("col.carries"), "right"),
        Column(say("col.per_machine"), "right"),
    )
    rows: tuple[tuple[Words, ...], ...] = tuple(
        (
            say("site.circuit.office", name=one.circuit) if one.office else one.circuit,
            ", ".join(one.countries),
            _power(one.carries_w),
            Text(str(one.per_machine), "strong" if one.per_machine == 1 else "plain"),
        )
        for one in needs.circuits
    )
    return Grid(columns, rows)


def carry_blocks(carried: CarryIn, say: Say) -> list[Block]:
    """Whether the engine runs without a network, and the list."""
    columns = (
        Column(say("col.carry")),
        Column(say("col.what"), wrap=True),
        Column(say("col.carry_size"), "right"),
        Column(say("col.remark"), wrap=True),
    )
    rows: tuple[tuple[Words, ...], ...] = tuple(
        (
            say.name("carry.kind", item.kind),
            item.name,
            numbers.UNKNOWN if item.bytes is None else _size(item.bytes),
            "; ".join(filter(None, (item.bytes_reason, item.note))),
        )
        for item in carried.items
    )
    status = Text(say(f"carry.online.{carried.online}"), "good" if carried.online == "offline" else "warn")
    total = say("carry.sum", size=_size(carried.known_bytes), unknown=say.counted("carry.sum.items", carried.unknown))
    lead = say("site.remark", reason=f"{status.text}: {carried.online_reason}")
    return [Heading(say("carry.title")), Para((Text(lead, status.tone),)), Grid(columns, rows), Para((total,))]


def _power(watts: float) -> str:
    """`850 W`, `10.2 kW`."""
    return f"{watts:,.0f} W" if watts < 1000 else f"{watts / 1e3:,.2f}".rstrip("0").rstrip(".") + " kW"


def _size(count: float) -> str:
    return f"{count / GB:,.1f} GB"
