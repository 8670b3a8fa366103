"""The ranked ways to serve the workload, reduced to what independence asks: who sells it, whose chip it is, for how long, at what cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.build import answer_id
from infra_advisor.advice.lock_in_parts import Alternative
from infra_advisor.advice.parts import HardwareClass
from infra_advisor.advice.rows import Row
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.fleet import Fleets

Key = tuple[float, str, int, str]
PER_TOKEN: HardwareClass = "api"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to serve the workload within the limits."""

    key: Key
    """Order under the rule of the question; smaller is better."""
    provider: str
    vendor: str | None
    """None where what runs behind an API is not published."""
    chip: str | None
    free: bool
    """Neither a term nor a purchase."""
    usd_per_mtok: float | None
    usd_per_month: float | None
    entry: Row | Answer


def way_of_row(catalog: Catalog, row: Row) -> Way:
    """A fleet at one price."""
    priced, chip = row.priced, row.priced.platform.chip
    free = priced.term_months == 0 and not priced.owned
    return Way(row.key, priced.provider, catalog.chips[chip].vendor, chip, free, row.usd_per_mtok_output, row.usd_per_month, row)


def way_of_api(catalog: Catalog, answer: Answer, key: Key) -> Way:
    """A hosted API, which is paid as it is used."""
    chip = catalog.chips.get(answer.hardware.accelerator)
    cost = answer.cost
    vendor, name = (chip.vendor, chip.id) if chip else (None, None)
    return Way(key, answer.offer.provider, vendor, name, True, cost.usd_per_mtok_output, cost.usd_per_month, answer)


@dataclass
class Market:
    """The best way of each vendor and provider, and how widely each chip is sold, over everything that keeps the limits."""

    found: Fleets
    by_vendor: dict[str, Way] = field(default_factory=dict)
    by_provider: dict[str, Way] = field(default_factory=dict)
    free: Way | None = None
    """The best without commitment."""
    regions: dict[tuple[str, str], set[str | None]] = field(default_factory=dict)
    """(provider, chip) -> regions in which it can be rented; None for a price that names none."""
    sellers: dict[str, set[str]] = field(default_factory=dict)
    """Chip -> who rents it out or sells it."""
    rows: dict[str, Row] = field(default_factory=dict)
    """Row id -> the first of that id."""

    def take(self, way: Way) -> None:
        """Remember a way where it is the best of its kind."""
        for best, name in ((self.by_vendor, way.vendor), (self.by_provider, way.provider)):
            if name is not None and (name not in best or way.key < best[name].key):
                best[name] = way
        self.take_free(way)

    def take_free(self, way: Way) -> None:
        """Remember a way as the best without commitment, where it is that."""
        if way.free and (self.free is None or way.key < self.free.key):
            self.free = way


def market(catalog: Catalog, found: Fleets, fitting: Iterable[Row], hosted: Sequence[tuple[Key, Answer]]) -> Market:
    """`fitting`: rows within every limit, in order; `hosted`: APIs within every limit, with their place in that order."""
    seen = Market(found)
    chips = catalog.chips
    for row in fitting:
        priced, chip = row.priced, row.priced.platform.chip
        provider, vendor = priced.provider, chips[chip].vendor
        seen.rows.setdefault(row.id, row)
        seen.regions.setdefault((provider, chip), set()).add(priced.region)
        seen.sellers.setdefault(chip, set()).add(provider)
        unbound = priced.term_months == 0 and not priced.owned
        if vendor not in seen.by_vendor or provider not in seen.by_provider or (unbound and seen.free is None):
            seen.take(way_of_row(catalog, row))
    for key, answer in hosted:
        seen.take(way_of_api(catalog, answer, key))
    return seen


def alternative(catalog: Catalog, found: Fleets, mine: Way, other: Way | None, why_none: str, *, load_stated: bool) -> Alternative:
    """What the other costs more than mine; `why_none`: said where there is no other."""
    if other is None:
        return Alternative(option=None, reason=why_none)
    row = other.entry if isinstance(other.entry, Row) else None
    more = None if other.usd_per_mtok is None or mine.usd_per_mtok is None else other.usd_per_mtok - mine.usd_per_mtok
    month = None
    if load_stated and other.usd_per_month is not None and mine.usd_per_month is not None:
        month = other.usd_per_month - mine.usd_per_month
    provider = catalog.providers.get(other.provider)
    return Alternative(
        option=answer_id(row.priced, found.candidates[row.place]) if row else other.entry.id,
        class_=row.priced.class_ if row else PER_TOKEN,
        provider=other.provider,
        provider_name=provider.name if provider else None,
        vendor=other.vendor,
        accelerator=other.chip,
        accelerator_name=catalog.chips[other.chip].name if other.chip else None,
        accelerators_total=found.candidates[row.place].layout.chips * round(float(found.replicas[row.place])) if row else 0,
        usd_per_mtok_output=other.usd_per_mtok,
        usd_per_month=other.usd_per_month,
        more_usd_per_mtok_output=more,
        more_usd_per_month=month,
        more_share=more / mine.usd_per_mtok if more is not None and mine.usd_per_mtok else None,
        simulated=row is not None and row.place in found.simulated,
    )
