"""Electricity and carbon of answers: columns where they decide, and the arithmetic of one answer in sentences."""

from collections.abc import Sequence

from infra_advisor.advice.answer import Answer, Energy
from infra_advisor.present import numbers
from infra_advisor.present.blocks import Block, Bullets, Column, Heading, Para, Words
from infra_advisor.present.words import Words as Say

RULES = ("energy", "carbon")
"""Rules that rank by it."""


def columns(rank_by: str, say: Say) -> tuple[Column, ...]:
    """Columns of the short table; none unless the rule asks for them. What the table is sorted by always stays."""
    if rank_by not in RULES:
        return ()
    kept = {"energy": (0, 3), "carbon": (3, 0)}[rank_by]
    return tuple(Column(say(f"col.{name}"), "right", drop=drop) for name, drop in zip(("kwh_mtok", "co2_mtok"), kept, strict=True))


def cells(rank_by: str, answer: Answer) -> tuple[Words, ...]:
    """The cells under those columns."""
    return pair(answer.energy) if rank_by in RULES else ()


def figures(rank_by: str, answer: Answer, say: Say) -> list[Block]:
    """What the first answer was chosen for, where it is that."""
    kwh, co2 = pair(answer.energy)
    if rank_by not in RULES or kwh == numbers.UNKNOWN:
        return []
    low, high = (numbers.significant(end, 2) for end in (answer.energy.kwh_per_mtok_output_low, answer.energy.kwh_per_mtok_output_high))
    return [Para((say("energy.figures", kwh=kwh, co2=co2, low=low, high=high),))]


def unknown_rows(rank_by: str, answers: Sequence[Answer], say: Say) -> list[Block]:
    """Which rows have no figure to be ranked by, and why."""
    why: dict[str, list[str]] = {}
    for answer in answers if rank_by in RULES else ():
        energy = answer.energy
        figure = energy.kwh_per_mtok_output if rank_by == "energy" else energy.gco2e_per_mtok_output
        if figure is None:
            why.setdefault(energy.reason or energy.carbon_reason or numbers.UNKNOWN, []).append(str(answer.rank))
    items = [say("energy.row", ranks=", ".join(ranks), reason=reason) for reason, ranks in why.items()]
    return [Para(("; ".join(items) + ".",), lead=say("energy.rows"))] if items else []


def pair(energy: Energy) -> tuple[Words, Words]:
    """kWh and gCO2e per million output tokens."""
    return numbers.significant(energy.kwh_per_mtok_output, 2), numbers.significant(energy.gco2e_per_mtok_output, 2)


def band(energy: Energy) -> str | None:
    """`0.17-0.55`: the 90 % band of the electricity."""
    low, high = energy.kwh_per_mtok_output_low, energy.kwh_per_mtok_output_high
    return None if low is None or high is None else f"{numbers.significant(low, 2)}-{numbers.significant(high, 2)}"


def blocks(answer: Answer, say: Say) -> list[Block]:
    """The arithmetic, each step a line that multiplies out."""
    items = sentences(answer, say)
    return [Heading(say("energy.title")), Bullets(tuple(items))] if items else []


def sentences(answer: Answer, say: Say) -> list[str]:
    """Power, electricity, carbon; or why they are unknown."""
    energy = answer.energy
    if energy.kwh_per_mtok_output is None:
        return [_sentence(energy.reason, say)] if energy.reason else []
    write = numbers.significant
    kwh = write(energy.kwh_per_mtok_output)
    power = write(energy.power_w)
    found = [
        say(
            "energy.wall", accelerators=write(energy.accelerators_w), hosts=write(energy.host_w), pue=numbers.exact(energy.pue),
            source=energy.pue_source, power=power,
        ),
        say(
            "energy.tokens", speed=numbers.rate(answer.performance.output_tokens_per_s), power=power, joule=write(energy.tokens_per_joule),
            kwh=kwh, low=write(energy.kwh_per_mtok_output_low, 2), high=write(energy.kwh_per_mtok_output_high, 2),
        ),
    ]  # fmt: skip
    if energy.gco2e_per_mtok_output is not None:
        grid, co2 = numbers.exact(energy.grid_gco2e_per_kwh), write(energy.gco2e_per_mtok_output)
        found.append(say("energy.carbon", kwh=kwh, grid=grid, source=energy.grid_source, co2=co2))
    elif energy.carbon_reason:
        found.append(_sentence(energy.carbon_reason, say))
    if energy.provider_gco2e_per_kwh is not None:
        found.append(say("energy.provider", own=numbers.exact(energy.provider_gco2e_per_kwh)))
    return found if energy.power_measured else [*found, say("energy.assumed")]


def _sentence(reason: str, say: Say) -> str:
    return say("energy.unknown", reason=reason[:1].upper() + reason[1:])
