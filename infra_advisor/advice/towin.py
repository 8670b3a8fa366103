"""What must be true for an option that does not win to win: its price, or how much it carries."""

from collections.abc import Iterator

from infra_advisor.advice.rows import Row
from infra_advisor.advice.sensitivities import Contender, Swing, ToWin
from infra_advisor.advice.varied import Ranking
from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.catalog import Catalog

SHOWN = 5
PRICE_RANGE = (0.5, 2.0)
BY_PRICE = ("instances", "spare machines", "idle hours", "hardware", "host", "resale", "cost of capital", "operations")
"""Lines that are proportional to the price of a machine. Of what is owned, a spare machine also pays for its space."""


def named_contender(catalog: Catalog, base: Ranking, name: str) -> Contender:
    """The cheapest contender that is an offer, accelerator or provider of that name. Raises UsageError with near names."""
    wanted = name.strip().lower()
    for one in base.contenders:
        if wanted in (one.id.lower(), one.provider.lower(), one.accelerator.lower()):
            return one
    try:
        chip = catalog.chip(name).id
    except UsageError:
        known = {name for one in base.contenders for name in (one.id, one.provider, one.accelerator)}
        said = f"--option: nothing called {name!r} meets the limits.{did_you_mean(wanted, known)}"
        raise UsageError(f"{said} `advisor compare {name}` shows what it would need") from None
    for one in base.contenders:
        if one.accelerator == chip:
            return one
    raise UsageError(f"--option {name}: it does not meet the limits at any price; `advisor compare {chip}` with the same question says why")


def to_win(catalog: Catalog, base: Ranking, wanted: Contender | None) -> Iterator[ToWin]:
    """The next few contenders, the named one first."""
    winner = base.winner
    assert winner is not None
    others = [one for one in base.contenders[1:] if one is not wanted][:SHOWN]
    for one in ([wanted] if wanted is not None and wanted is not winner else []) + others:
        yield _of_api(base, one, winner) if one.class_ == "api" else _of_machines(base, one, winner)


def _of_api(base: Ranking, one: Contender, winner: Contender) -> ToWin:
    factor = winner.usd_per_mtok_output / one.usd_per_mtok_output
    return ToWin(
        option=one,
        price=one.usd_per_mtok_output,
        price_unit="USD/Mtok",
        price_needed=winner.usd_per_mtok_output,
        price_change=factor - 1.0,
        throughput_factor=1.0 / factor,
        within_band=None,
    )


def _of_machines(base: Ranking, one: Contender, winner: Contender) -> ToWin:
    row = _row(base, one)
    priced, month = row.priced, row.usd_per_month or 0.0
    goal = month * winner.usd_per_mtok_output / one.usd_per_mtok_output
    driven = _by_price(row)
    factor = 1.0 - (month - goal) / driven if driven > 0.0 else 0.0
    price = priced.purchase_usd if priced.owned else priced.usd_per_h
    needed = one.usd_per_mtok_output / winner.usd_per_mtok_output
    return ToWin(
        option=one,
        price=price,
        price_unit="USD" if priced.owned else "USD/h",
        price_needed=None if factor <= 0.0 or price is None else price * factor,
        price_change=None if factor <= 0.0 else factor - 1.0,
        throughput_factor=needed,
        within_band=needed <= _band(base, row)[1],
    )


def own_swings(base: Ranking) -> Iterator[Swing]:
    """The price of the winner and what it carries: both move its cost alone, so the values that cost it the lead follow at once."""
    winner = base.winner
    assert winner is not None
    runner = base.contenders[1] if len(base.contenders) > 1 else None
    cost = winner.usd_per_mtok_output
    least = runner.usd_per_mtok_output if runner else None
    share, price, unit = 1.0, cost, "USD/Mtok"
    if winner.class_ != "api":
        row = _row(base, winner)
        share = _by_price(row) / (row.usd_per_month or 1.0)
        owned = row.priced.owned
        price, unit = (row.priced.purchase_usd or 0.0, "USD") if owned else (row.priced.usd_per_h or 0.0, "USD/h")
    low, high = PRICE_RANGE

    def at(factor: float) -> float:
        return cost * (1.0 - share + share * factor)

    lost = None if least is None or share <= 0.0 else (least / cost - 1.0 + share) / share
    yield _closed("price", unit, price, (low, high), (at(low), at(high)), lost, winner, runner)
    if winner.class_ != "api":
        slow, fast = _band(base, _row(base, winner))
        factors = (slow, fast)
        behind = None if least is None else cost / least
        yield _closed("throughput", "of the prediction", 1.0, factors, (cost / slow, cost / fast), behind, winner, runner)


def _closed(
    name: str,
    unit: str,
    base: float,
    factors: tuple[float, float],
    costs: tuple[float, float],
    lost: float | None,
    winner: Contender,
    runner: Contender | None,
) -> Swing:
    """A swing whose turning point is known as a factor on the base; beyond the range it is none."""
    low, high = factors
    inside = lost if lost is not None and low <= lost <= high else None
    behind = [runner if runner is not None and runner.usd_per_mtok_output < cost else winner for cost in costs]
    return Swing(
        input=name,
        unit=unit,
        base=base,
        low=base * low,
        high=base * high,
        usd_per_mtok_at_low=costs[0],
        usd_per_mtok_at_high=costs[1],
        winner_at_low=behind[0],
        winner_at_high=behind[1],
        flips_at=None if inside is None else base * inside,
        flips_to=None if inside is None else runner,
    )


def _row(base: Ranking, one: Contender) -> Row:
    return next(row for row in base.rows if row.priced.id == one.id)


def _by_price(row: Row) -> float:
    """What follows the price of the machine, of the month. [USD]"""
    tariff = row.priced.tariff
    assert tariff is not None
    driven = sum(charge.usd * charge.quantity(row.use) for charge in tariff.charges if charge.name in BY_PRICE)
    return driven * (1.0 + tariff.support_share)


def _band(base: Ranking, row: Row) -> tuple[float, float]:
    return base.found.candidates[row.place].bands.throughput
