"""Near misses: the options that break a limit by least, and the smallest change of the question that would admit them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infra_advisor.advice.answer import Answer, NearMiss, Relaxation, Violation
from infra_advisor.advice.limits import MOST_OWNED, Limits
from infra_advisor.advice.portable import WANTED
from infra_advisor.advice.rows import Row
from infra_advisor.search.fleet import Fleets

ROUND_UP = 1.0 + 1e-9


@dataclass(frozen=True)
class Miss:
    """A row that breaks limits, and how far the worst lies off (1.3 = 30 % over)."""

    row: Row
    worst: float


def speed_excess(fleets: Fleets, place: int, limits: Limits) -> float:
    """Largest ratio of predicted to allowed over the speed limits; 1 or less where all are met."""
    ratios = [1.0]
    if limits.ttft_s is not None:
        ratios.append(float(fleets.ttft_s[place]) / limits.ttft_s)
    if limits.tpot_s is not None:
        ratios.append(float(fleets.tpot_s[place]) / limits.tpot_s)
    if limits.throughput_tokens_per_s is not None:
        ratios.append(limits.throughput_tokens_per_s / float(fleets.output_tokens_per_s[place]))
    return max(ratios)


def closest(misses: Iterable[Miss], fleets: Fleets, most: int) -> list[Row]:
    """The nearest misses, one per accelerator, nearest first; price decides between equals."""
    best: dict[str, Miss] = {}
    for miss in misses:
        chip = fleets.candidates[miss.row.place].platform.chip
        if chip not in best or (miss.worst, miss.row.key) < (best[chip].worst, best[chip].row.key):
            best[chip] = miss
    return [miss.row for miss in sorted(best.values(), key=lambda miss: (miss.worst, miss.row.key))[:most]]


def time_violations(
    ttft_s: float | None, tpot_s: float | None, limits: Limits, screened: tuple[float, float] = (0.0, 0.0)
) -> list[Violation]:
    """The time targets that are broken. `screened`: (TTFT, TPOT) of the closed form, which a relaxed target must admit too. [s]"""
    found = []
    for name, allowed, reached, at_least in (("ttft", limits.ttft_s, ttft_s, screened[0]), ("tpot", limits.tpot_s, tpot_s, screened[1])):
        if allowed is not None and reached is not None and reached > allowed * ROUND_UP:
            relax = f"--{name} {_up_ms(max(reached, at_least))}"
            found.append(Violation(limit=name, allowed=allowed, predicted=reached, relax=relax))
    return found


def violations(
    answer: Answer,
    limits: Limits,
    statistic: str,
    *,
    outside: str | None,
    narrower: bool,
    locked: str | None = None,
    screened: tuple[float, float] = (0.0, 0.0),
) -> list[Violation]:
    """Every limit the answer breaks, with the option that would admit it; `narrower`: its weights have fewer bits than `auto` takes;
    `locked`: what keeps it from being portable."""
    ttft, tpot = getattr(answer.performance.ttft_s, statistic), getattr(answer.performance.tpot_s, statistic)
    found = time_violations(ttft, tpot, limits, screened)
    wanted, reached = limits.throughput_tokens_per_s, answer.performance.output_tokens_per_s
    if wanted is not None and reached is not None and reached < wanted * (1.0 - 1e-6):
        found.append(Violation(limit="throughput", allowed=wanted, predicted=reached, relax=f"--throughput {int(reached)}"))
    budget, month = limits.budget_usd_per_month, answer.cost.usd_per_month
    if budget is not None and month is not None and month > budget * ROUND_UP:
        found.append(Violation(limit="budget", allowed=budget, predicted=month, relax=f"--budget {int(month) + 1}/month"))
    if outside is not None and limits.residency is not None:
        found.append(
            Violation(limit="residency", allowed=limits.residency, predicted=outside, relax=f"--residency {outside.lower()}, or none")
        )
    if locked is not None:
        found.append(Violation(limit="portable", allowed=WANTED, predicted=locked, relax="--portable left out"))
    if limits.owned is not None and answer.hardware.instances > 1:
        needed = f"{answer.hardware.accelerator}:{answer.hardware.accelerators_billed:.0f}"
        relax = f"--owned {needed}" if answer.hardware.accelerators_billed <= MOST_OWNED else "a smaller load"
        found.append(Violation(limit="owned", allowed=limits.owned, predicted=needed, relax=relax))
    if narrower:
        found.append(Violation(limit="weights", allowed="8 bits or native", predicted=answer.software.weights, relax="--weights 4bit"))
    return found


def _up_ms(seconds: float) -> str:
    """The smallest round duration that admits the prediction: two to three digits, rounded up."""
    milliseconds = seconds * 1e3
    step = 10.0 ** max(len(str(int(milliseconds))) - 3, 0) if milliseconds >= 100 else 1.0 if milliseconds >= 10 else 0.1
    whole = int(milliseconds / step) + 1
    return f"{whole * step:g}ms"


def relaxations(misses: Sequence[NearMiss]) -> list[Relaxation]:
    """For each limit, the least relaxation that admits a near miss which breaks only that limit."""
    best: dict[str, tuple[tuple[float, float], str, Relaxation]] = {}
    for miss in misses:
        if len(miss.violations) != 1:
            continue
        (broken,) = miss.violations
        if broken.limit == "portable":  # it is kept or dropped, not widened: the ways out say so
            continue
        if isinstance(broken.predicted, float) and isinstance(broken.allowed, float):
            off = max(broken.predicted / broken.allowed, broken.allowed / broken.predicted)
            needed: float | str = broken.predicted
        else:
            off, needed = miss.cost.usd_per_mtok_output or float("inf"), str(broken.predicted)
        text = f"{broken.relax} admits {miss.hardware.accelerators_total}x {miss.hardware.accelerator_name} ({miss.offer.provider})"
        relaxation = Relaxation(limit=broken.limit, allowed=broken.allowed, needed=needed, answer=miss.id, text=text)
        known, cost = best.get(broken.limit), miss.cost.usd_per_mtok_output or float("inf")
        if known is not None and known[1] == broken.relax:
            off = known[0][0]  # one change admits both: the cheaper is named
        if known is None or (off, cost) < known[0]:
            best[broken.limit] = ((off, cost), broken.relax, relaxation)
    return [relaxation for _, _, relaxation in best.values()]
