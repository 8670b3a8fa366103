"""What a careful reader of an answer should be told in words."""

from collections.abc import Iterator, Sequence

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.freshness import age_warning
from infra_advisor.advice.limits import Limits
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.engines import engine_runs_on


def warnings(catalog: Catalog, ranked: Sequence[Answer], limits: Limits, *, load_stated: bool) -> Iterator[str]:
    """About the winner: how well it is known, what it is too close to, limits inside its error band, what an unstated load hides,
    stock, facts nobody checked; and how many of the prices are old."""
    if not ranked:
        return
    winner = ranked[0]
    if not load_stated and winner.performance.max_concurrency:
        most = f"{winner.performance.max_concurrency:,.0f} requests in flight"
        yield f"No load was given, which favours large machines: the first answer carries up to {most}. Size it with --users or --rate."
    which = "the first answer" if len(ranked) > 1 else "this answer"
    doubt = GRADE_DOUBTS.get(winner.grade) if winner.hardware.class_ != "api" else None
    if doubt:
        yield f"Grade {winner.grade}: {doubt}; measure {which} before you sign (--plan-benchmark)."
    if len(ranked) > 1 and too_close(winner, ranked[1]):
        yield "Too close to call: the cost bands of the first two answers overlap; run the benchmark that --plan-benchmark prints."
    if unsure := tuple(within_the_band(winner, limits)):
        yield f"The error band of {which} reaches past the limit of {' and '.join(unsure)}: measure before you sign."
    yield from age_warning(ranked)
    if "spot" in winner.offer.marks:
        yield f"Spot: the machine of {which} can be taken away at any moment and its price is a snapshot; no promise can rest on it."
    provider = catalog.providers.get(winner.offer.provider)
    if winner.hardware.class_ == "cloud" and provider is not None and provider.lists_every_region:
        yield f"{provider.name} lists every machine in every region: ask whether {which} can be had where you need it."
    if recalled := tuple(recollections(catalog, winner)):
        yield f"Unchecked recollection behind {which}: {', '.join(recalled)}. Verify it before you decide."


GRADE_DOUBTS = {
    "C": "either the chip or the model was never measured with such an engine",
    "D": "nothing like it was measured (neither the chip nor the model with such an engine, or no speculative decoding)",
}


def too_close(first: Answer, second: Answer) -> bool:
    """True where the 90 % bands of their costs overlap."""
    high, low = first.cost.usd_per_mtok_output_high, second.cost.usd_per_mtok_output_low
    return high is not None and low is not None and low <= high


def within_the_band(answer: Answer, limits: Limits) -> Iterator[str]:
    """Latencies whose prediction keeps the limit, but not at the far end of the error band."""
    speed, statistic = answer.performance, limits.statistic
    for name, latency, allowed in (("TTFT", speed.ttft_s, limits.ttft_s), ("TPOT", speed.tpot_s, limits.tpot_s)):
        predicted = getattr(latency, statistic)
        if allowed is None or predicted is None or not latency.mean or latency.high is None:
            continue
        if predicted <= allowed < predicted * latency.high / latency.mean:
            yield name


def recollections(catalog: Catalog, answer: Answer) -> Iterator[str]:
    """What decides fit, speed or cost of an answer and has no source but recollection."""
    chip = catalog.chips.get(answer.hardware.accelerator)
    if chip is None:
        return
    capacity = chip.memory_reported or chip.memory_capacity
    bought = answer.hardware.class_ in ("onprem", "edge")
    decisive = {"memory size": capacity, "memory bandwidth": chip.memory_bandwidth, "power": chip.power if bought else None}
    for name, fact in decisive.items():
        if fact is not None and fact.from_memory:
            yield f"{name} of {chip.name} ({fact.printed})"
    engine = catalog.engines.get(answer.software.engine)
    support = engine_runs_on(engine, chip) if engine else None
    if engine and support and support.from_memory:
        yield f"{engine.name} on {chip.name}"
