"""Engines that can stand in for each other, and `--portable`: what two of them load, and two sellers or makers of chips offer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from infra_advisor.advice.rows import Row
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.engines import Engine, Support, engine_runs_on, formats_for
from infra_advisor.facts.models import LanguageModel
from infra_advisor.search.candidates import serves
from infra_advisor.search.fleet import Fleets

LEAST = 2
WANTED = f"{LEAST} engines and {LEAST} providers or vendors"


def engines_for(engines: Iterable[Engine], model: LanguageModel, chip: Chip, weights: str) -> list[tuple[Engine, Support]]:
    """Engines that load this format of the model on the chip, and how they run there."""
    return [
        (engine, support)
        for engine in engines
        if serves(engine, model)
        and (support := engine_runs_on(engine, chip))
        and any(found.format == weights for found in formats_for(engine, chip))
    ]


def independent(usable: Iterable[tuple[Engine, Support]]) -> list[Engine]:
    """Those to rely on when another is dropped: not experimental, and not the same arithmetic under another name."""
    return [engine for engine, support in usable if engine.wraps is None and support.status != "experimental"]


@dataclass(frozen=True)
class Portability:
    """Which fleets can be moved, and why others cannot."""

    admits: Callable[[int], bool]
    """By place."""
    has_engines: Callable[[int], bool]
    """Two independent engines, wherever else the weights may run."""
    why_not: Callable[[int], str]


def portability(
    catalog: Catalog, model: LanguageModel, found: Fleets, fitting: Iterable[Row], admitted: Mapping[str, Engine]
) -> Portability:
    """Judge every place: two independent engines load its weights on its chip, and among the rows that fit, those with the same weights
    and as many engines come from two providers or from two vendors of chips."""

    @cache
    def engines(chip: str, weights: str) -> tuple[str, ...]:
        usable = engines_for(admitted.values(), model, catalog.chips[chip], weights)
        return tuple(engine.name for engine in independent(usable))

    def key(place: int) -> tuple[str, str]:
        candidate = found.candidates[place]
        return candidate.platform.chip, candidate.weights.format.id

    sellers: dict[str, set[str]] = {}
    makers: dict[str, set[str]] = {}
    for row in fitting:
        chip, weights = key(row.place)
        if len(engines(chip, weights)) >= LEAST:
            sellers.setdefault(weights, set()).add(row.priced.provider)
            makers.setdefault(weights, set()).add(catalog.chips[chip].vendor)

    def has_engines(place: int) -> bool:
        return len(engines(*key(place))) >= LEAST

    def admits(place: int) -> bool:
        _, weights = key(place)
        sources = max(len(sellers.get(weights, ())), len(makers.get(weights, ())))
        return sources >= LEAST and has_engines(place)

    def why_not(place: int) -> str:
        chip, weights = key(place)
        names = engines(chip, weights)
        if len(names) < LEAST:
            return f"1 engine ({names[0]})" if names else "no engine beyond experimental support"
        return f"{len(sellers.get(weights, ()))} provider and {len(makers.get(weights, ()))} vendor for {weights}"

    return Portability(admits, has_engines, why_not)
