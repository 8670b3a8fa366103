"""Checks of the engine records against the rest of the catalog."""

import re
from collections.abc import Collection, Iterable, Iterator

from infra_advisor.errors import did_you_mean
from infra_advisor.facts.engine_rules import ChipRule
from infra_advisor.facts.engines import Engine

_ANY_RATE = re.compile(r"exl[23]-\d+\.\d+bpw")
"""Weight formats that exist at any number of bits, so that no table lists them."""


def check_engines(
    engines: Iterable[Engine], chip_ids: Collection[str], format_ids: Collection[str], source_ids: Collection[str] | None = None
) -> list[str]:
    """Problems across files: chips, weight formats, wrapped engines and sources that no other file defines, and idle rules."""
    engines = list(engines)
    ids = [engine.id for engine in engines]
    problems = [f"engines: the id {name} appears twice" for name in sorted({name for name in ids if ids.count(name) > 1})]
    for engine in engines:
        problems += [f"engines/{engine.id}: {problem}" for problem in _problems(engine, ids, chip_ids, format_ids, source_ids)]
    return problems


def _problems(
    engine: Engine, ids: Collection[str], chip_ids: Collection[str], format_ids: Collection[str], source_ids: Collection[str] | None
) -> Iterator[str]:
    if engine.wraps is not None and engine.wraps not in ids:
        yield f"wraps the unknown engine {engine.wraps}.{did_you_mean(engine.wraps, ids)}"
    for place, rule in enumerate(engine.runs_on):
        if rule.states_nothing:
            yield f"runs_on.{place}: states no chips"
    for name in sorted({chip for rule in _chip_rules(engine) for chip in rule.chips} | _excepted(engine) | _named_chips(engine)):
        if name not in chip_ids:
            yield f"unknown chip {name}.{did_you_mean(name, chip_ids)}"
    made = set(engine.launch.quantize) if engine.launch is not None else set()
    for name in sorted({name for rule in engine.weight_formats for name in rule.formats} | made):
        if name not in format_ids and not _ANY_RATE.fullmatch(name):
            yield f"unknown weight format {name}.{did_you_mean(name, format_ids)}"
    sizes = [tier.memory_at_least_bytes for tier in engine.defaults.tiers]
    if sizes != sorted(sizes, reverse=True):
        yield "defaults.tiers: write the largest memory first"
    if source_ids is not None:
        for name in sorted(set(_sources(engine)) - set(source_ids)):
            yield f"unknown source {name}.{did_you_mean(name, source_ids)}"


def _chip_rules(engine: Engine) -> Iterator[ChipRule]:
    yield from engine.runs_on
    for rule in (*engine.weight_formats, *engine.kv_formats):
        yield from rule.requires
    if engine.launch is not None:
        yield from engine.launch.images


def _excepted(engine: Engine) -> set[str]:
    return {chip for tier in engine.defaults.tiers for chip in tier.except_chips}


def _named_chips(engine: Engine) -> set[str]:
    return set(engine.launch.ranks_per_chip) if engine.launch is not None else set()


def _sources(engine: Engine) -> Iterator[str]:
    yield from engine.source
    if engine.network is not None:
        yield from engine.network.source
    if engine.compiled is not None:
        yield from engine.compiled.source
    for part in (engine.parallelism, engine.features, engine.defaults, engine.model_kinds, engine.memory.reserve_per_device):
        yield from part.source
    for place in engine.runs_on:
        yield from place.source
    for rule in (*engine.weight_formats, *engine.kv_formats):
        yield from rule.source
    if engine.memory.utilisation is not None:
        yield from engine.memory.utilisation.source
    if engine.launch is not None:
        yield from engine.launch.source
        for image in engine.launch.images:
            yield from image.source
