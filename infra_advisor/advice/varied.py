"""The ranking of one question under changed inputs, over the hardware that was in the running before."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.finalists import finalists
from infra_advisor.advice.hosted import hosted_answers
from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.option import Priced
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.priced import priced_options
from infra_advisor.advice.question import Understood, canonical_accelerators, understand
from infra_advisor.advice.rows import Row
from infra_advisor.advice.searching import certain_of, search
from infra_advisor.advice.sensitivities import Contender
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.fleet import Fleets
from infra_advisor.search.platforms import Platform
from infra_advisor.search.traffic import Traffic
from infra_advisor.search.workload import Workload


@dataclass(frozen=True)
class Asked:
    """Everything a ranking depends on."""

    catalog: Catalog
    workload: Workload
    limits: Limits
    traffic: Traffic
    payment: Payment


@dataclass(frozen=True)
class Ranking:
    """Decisions in order of cost, hardware and hosted APIs apart."""

    asked: Asked
    understood: Understood
    options: list[Priced]
    """Machines that were in the running."""
    found: Fleets
    fitting: list[Row]
    """Every row that meets the limits."""
    rows: list[Row]
    """The first of each class, provider and accelerator."""
    hosted: list[Answer]
    """The first of each operator."""
    contenders: list[Contender]
    """All of them, cheapest first."""

    @property
    def winner(self) -> Contender | None:
        """The cheapest; None where nothing meets the limits."""
        return self.contenders[0] if self.contenders else None

    def cost_of(self, wanted: Contender) -> float | None:
        """Cost of the same decision here; None where it does not meet the limits."""
        return next((one.usd_per_mtok_output for one in self.contenders if same(one, wanted)), None)


def same(one: Contender, other: Contender) -> bool:
    """True for the same decision: class, provider and accelerator; for APIs, the same operator."""
    return (one.class_, one.provider, one.accelerator) == (other.class_, other.provider, other.accelerator)


def ranking(
    asked: Asked, among: Collection[Platform] | None = None, known: Fleets | None = None, *, before: Ranking | None = None, top: int = 1
) -> Ranking:
    """`among`: only machines of these platforms. `known`: fleets of the same workload, simulated before. `top`: rows to settle.

    `before`: a ranking under the same limits, whose options hold here too where neither catalog nor commitment has changed.
    """
    limits = replace(asked.limits, accelerator=canonical_accelerators(asked.catalog, asked.limits.accelerator))
    understood = understand(asked.catalog, asked.workload, limits, asked.traffic, asked.payment)
    excluded: Counter[str] = Counter()
    if before is not None and before.asked.catalog is asked.catalog and before.asked.payment.commit == asked.payment.commit:
        options = before.options
    else:
        mine = limits if among is None else replace(limits, accelerator=Choice(keep=tuple(sorted({one.chip for one in among}))))
        options = certain_of(priced_options(asked.catalog, mine, asked.payment, excluded))
    if among is not None:
        options = [one for one in options if one.platform in among]
    found = known or search(asked.catalog, understood, options, excluded)
    chosen = finalists(asked.catalog, understood, found, options, rank="cost", top=top, merge="decision", classes=False)
    hosted, _ = hosted_answers(asked.catalog, understood, excluded)
    by_operator: dict[str, Answer] = {}
    for one in sorted((one for one in hosted if one.cost.usd_per_mtok_output is not None), key=_api_key):
        by_operator.setdefault(one.offer.provider, one)
    named = [of_row(asked.catalog, row) for row in chosen.distinct] + [_of_api(one) for one in by_operator.values()]
    contenders = sorted(named, key=lambda one: (one.usd_per_mtok_output, one.id))
    return Ranking(asked, understood, options, chosen.found, chosen.fitting, chosen.distinct, list(by_operator.values()), contenders)


def _api_key(answer: Answer) -> tuple[float, str]:
    return answer.cost.usd_per_mtok_output or 0.0, answer.id


def of_row(catalog: Catalog, row: Row) -> Contender:
    """The decision that a row stands for."""
    priced, chip = row.priced, catalog.chips[row.priced.platform.chip]
    provider = catalog.providers.get(priced.provider)
    assert row.usd_per_mtok_output is not None
    return Contender(
        id=priced.id,
        class_=priced.class_,
        provider=priced.provider,
        provider_name=provider.name if provider else None,
        accelerator=chip.id,
        accelerator_name=chip.name,
        country=priced.country,
        usd_per_mtok_output=row.usd_per_mtok_output,
    )


def _of_api(answer: Answer) -> Contender:
    offer = answer.offer
    assert answer.cost.usd_per_mtok_output is not None
    return Contender(
        id=answer.id,
        class_="api",
        provider=offer.provider,
        provider_name=offer.provider_name,
        accelerator="not published",
        accelerator_name="hosted API",
        country=offer.country,
        usd_per_mtok_output=answer.cost.usd_per_mtok_output,
    )
