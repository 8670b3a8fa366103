"""What must be true for an option that does not win to win: its price, or how much it carries."""

from collections.abc import Iterator

from infra_advisor.advice.sensitivities import Contender, ToWin
from infra_advisor.advice.varied import Ranking
from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.calibration import Bands

SHOWN = 5
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
    row = next(row for row in base.rows if row.priced.id == one.id)
    tariff = row.priced.tariff
    assert tariff is not None
    assert row.usd_per_month is not None
    month = row.usd_per_month
    goal = month * winner.usd_per_mtok_output / one.usd_per_mtok_output
    by_price = sum(charge.usd * charge.quantity(row.use) for charge in tariff.charges if charge.name in BY_PRICE)
    by_price *= 1.0 + tariff.support_share
    factor = 1.0 - (month - goal) / by_price if by_price > 0.0 else 0.0
    price = row.priced.purchase_usd if row.priced.owned else row.priced.usd_per_h
    bands: Bands = base.found.candidates[row.place].bands
    needed = one.usd_per_mtok_output / winner.usd_per_mtok_output
    return ToWin(
        option=one,
        price=price,
        price_unit="USD" if row.priced.owned else "USD/h",
        price_needed=None if factor <= 0.0 or price is None else price * factor,
        price_change=None if factor <= 0.0 else factor - 1.0,
        throughput_factor=needed,
        within_band=needed <= bands.throughput[1],
    )
