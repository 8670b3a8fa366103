"""From an understood question to fleets: every platform among the options predicted once."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from infra_advisor.advice.limits import Limits
from infra_advisor.advice.option import Priced
from infra_advisor.advice.question import Understood
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.engines import Engine
from infra_advisor.search.candidates import Candidate
from infra_advisor.search.fleet import Fleets, fleets
from infra_advisor.search.solve import QUANTILES


def search(
    catalog: Catalog,
    understood: Understood,
    options: Sequence[Priced],
    excluded: Counter[str],
    accept: Callable[[Candidate], bool] | None = None,
    one_replica: bool = False,
    engines: Mapping[str, Engine] | None = None,
) -> Fleets:
    """Predict every platform among the options once. `engines`: instead of all that the limits admit."""
    if engines is None:
        engines = engines_of(catalog, understood.limits, excluded)
    platforms = dict.fromkeys(option.platform for option in options)
    return fleets(
        platforms,
        catalog.chips,
        engines,
        understood.question,
        understood.targets,
        understood.load,
        input_tokens=understood.workload.input_tokens,
        output_tokens=understood.workload.output_tokens,
        utilisation=understood.utilisation,
        speculation=understood.workload.speculation,
        tails=tails_of(understood),
        dropped=excluded,
        accept=accept,
        one_replica=one_replica,
        headroom=understood.limits.headroom,
        spare=understood.limits.spare,
    )


def engines_of(catalog: Catalog, limits: Limits, excluded: Counter[str]) -> Mapping[str, Engine]:
    """Engines that the limits admit: where nothing may need a network, those that serve without one."""
    if not limits.placing.cut_off:
        return catalog.engines
    from infra_advisor.advice.cut_off import engines_cut_off

    return engines_cut_off(catalog, limits, excluded)


def tails_of(understood: Understood) -> dict[str, float]:
    """Quantile -> prompt tokens at it, where requests differ in length."""
    lengths = understood.traffic.lengths_for(in_step=understood.load.in_flight is not None)
    if not lengths.spread:
        return {}
    return {name: lengths.prompt_at(quantile, understood.workload.input_tokens) for name, quantile in QUANTILES.items()}


def certain_of(options: Sequence[Priced]) -> list[Priced]:
    """Those that have a price and lie, for sure, where the limits say."""
    return [one for one in options if one.outside is None and one.tariff is not None and one.unknown is None]
