"""Hosted APIs as a class of their own: priced per token, their speed unknown unless somebody measured it."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from infra_advisor.advice.answer import Answer, Bound, Cost, Energy, HardwarePart, OfferPart, Performance, Predicted, SoftwarePart
from infra_advisor.advice.build import source_title
from infra_advisor.advice.charges import FINEST, Charge, Driver, Tariff, Use, total
from infra_advisor.advice.costing import THREE_YEARS, cost_at, unknown_cost
from infra_advisor.advice.freshness import price_age_limit_d, price_confidence
from infra_advisor.advice.option import age_d, only_with
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.placing import UNKNOWN_MARK, Judged, Placing
from infra_advisor.advice.question import Understood
from infra_advisor.errors import CatalogError, UsageError
from infra_advisor.facts.api_offers import ApiOffer, read_api_offers
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.formats import parse_format
from infra_advisor.facts.market import price_on, rates_on

ENERGY_UNKNOWN = "energy unknown: what runs behind the endpoint is not published"
SPEED_UNKNOWN = "speed unknown: hardware, batch and queue behind the endpoint are not published"


def hosted_answers(catalog: Catalog, understood: Understood, excluded: Counter[str]) -> tuple[list[Answer], list[Answer]]:
    """(rankable, unranked) answers for the endpoints that serve the model. `rank` is still None."""
    limits = understood.limits
    if "api" not in limits.where or limits.owned is not None or limits.vendor.keep or limits.accelerator.keep:
        return [], []
    rankable: list[Answer] = []
    unranked: list[Answer] = []
    placing = Placing(catalog, limits)
    for offer in _offers(catalog, understood, excluded):
        if not limits.provider.admits(offer.operator, offer.provider):
            excluded["provider not chosen"] += 1
            continue
        if offer.retired_on(catalog.as_of.isoformat()):
            excluded["API model withdrawn"] += 1
            continue
        if offer.flag and (mark := offer.flag if offer.flag in ("stale", "outlier") else "unverified") not in limits.include:
            excluded[only_with(mark)] += 1
            continue
        if offer.max_input_tokens is not None and understood.workload.input_tokens > offer.max_input_tokens:
            excluded["prompt longer than the API takes"] += 1
            continue
        if limits.max_price_age_d is not None and age_d(offer.seen, catalog.as_of) > limits.max_price_age_d:
            excluded[f"price older than {limits.max_price_age_d:g} days"] += 1
            continue
        judged = placing.api(offer.operator, offer.hosting_country, offer.residency_class, offer.region_scope, offer.operator_home_country)
        if judged.label:
            excluded[judged.label] += 1
            continue
        answer = _answer(catalog, understood, offer, judged)
        why = _why_unranked(answer, offer, understood, judged.unknown)
        (unranked if why else rankable).append(answer.model_copy(update={"reason": why}) if why else answer)
    return rankable, unranked


def _why_unranked(answer: Answer, offer: ApiOffer, understood: Understood, unknown: str | None) -> str | None:
    limits, workload = understood.limits, understood.workload
    if workload.weights not in ("auto", *(offer.variant or "").split()) or workload.kv != "auto":
        return "weight and cache formats are not published"
    if answer.cost.usd_per_mtok_output is None:
        return "no list price for prompt and output tokens"
    if limits.vendor.drop or limits.accelerator.drop:
        return "hardware unknown: what runs behind the endpoint is not published"
    if limits.portable:
        return "engine unknown: whether a second one serves the same weights is not published"
    if unknown and not limits.allow_unknown:
        return unknown
    if limits.ttft_s or limits.tpot_s or limits.throughput_tokens_per_s:
        return SPEED_UNKNOWN
    if limits.budget_usd_per_month and answer.cost.usd_per_month is None:
        return "monthly cost unknown: no load in tokens is given"
    if limits.budget_usd_per_month and answer.cost.usd_per_month and answer.cost.usd_per_month > limits.budget_usd_per_month:
        return f"over the budget: {answer.cost.usd_per_month:,.0f} USD per month"
    return None


def _offers(catalog: Catalog, understood: Understood, excluded: Counter[str]) -> Iterator[ApiOffer]:
    """The lines in force on the day, one per endpoint."""
    problems: list[str] = []
    lines: dict[str, dict[str, ApiOffer]] = {}
    for path in catalog.table_path("api_prices"):
        for offer in read_api_offers(path, understood.resolved.model.id, problems):
            lines.setdefault(offer.id, {})[offer.from_] = offer
    if problems:
        raise CatalogError(problems)
    for dated in lines.values():
        if in_force := price_on(list(dated.values()), catalog.as_of.isoformat()):
            yield in_force
        else:
            excluded["no API price on that day yet"] += 1


def _why_no_month(rate: float | None, known: bool) -> str | None:
    if not known:
        return "no list price for prompt and output tokens"
    return "no request rate is known: give --rate or --tokens-per-day" if rate is None else None


def _stored_as(offer: ApiOffer) -> str:
    """The weight format in the API's name, where that is what its variant means."""
    try:
        return parse_format(offer.variant).id if offer.variant else "not published"
    except UsageError:
        return "not published"


def _answer(catalog: Catalog, understood: Understood, offer: ApiOffer, judged: Judged) -> Answer:
    workload, rate = understood.workload, understood.load.request_rate_per_s
    cost = _cost(catalog, understood, offer)
    provider = catalog.providers.get(offer.operator)
    seen_d, believed_d = age_d(offer.seen, catalog.as_of), price_age_limit_d(catalog, "api", offer.operator)
    marks: tuple[str, ...] = (offer.flag,) if offer.flag else ()
    if judged.unknown and understood.limits.allow_unknown:
        marks = (*marks, UNKNOWN_MARK)
    return Answer(
        rank=None,
        id=f"api-{offer.id}",
        offer=OfferPart(
            id=offer.id,
            provider=offer.operator,
            provider_name=provider.name if provider else None,
            instance_type=offer.api_model,
            region=offer.region_scope,
            country=offer.hosting_country,
            price_kind="per token",
            usd_per_h=None,
            currency=offer.currency,
            price_date=offer.seen,
            price_age_d=seen_d,
            price_age_limit_d=believed_d,
            price_confidence=price_confidence(priced=cost.usd_per_mtok_output is not None, age_d=seen_d, limit_d=believed_d, marks=marks),
            source=source_title(catalog, "api", offer.source),
            source_id=offer.source,
            marks=marks,
        ),
        hardware=HardwarePart(
            class_="api",
            accelerator=offer.chip or "not published",
            accelerator_name=offer.chip or "not published",
            vendor=offer.operator,
            accelerators_per_replica=0,
            replicas=0,
            accelerators_total=0,
            instances=0,
            accelerators_billed=0.0,
        ),
        software=SoftwarePart(engine="hosted", weights=_stored_as(offer), kv="not published"),
        performance=Performance(
            concurrency=understood.load.in_flight,
            request_rate_per_s=rate,
            ttft_s=Predicted(mean=None),
            tpot_s=Predicted(mean=None),
            output_tokens_per_s=None if rate is None else rate * workload.output_tokens,
            replica_output_tokens_per_s=None,
            output_tokens_per_s_per_user=None,
            max_concurrency=None,
            speed_reason=SPEED_UNKNOWN,
        ),
        bound=Bound(prefill=None, decode=None),
        cost=cost,
        energy=Energy(reason=ENERGY_UNKNOWN),
        grade="D",
        residency=judged.part,
    )


def _cost(catalog: Catalog, understood: Understood, offer: ApiOffer) -> Cost:
    """The month at the load, or where none is known in tokens, a million output tokens."""
    tariff, rate = api_tariff(catalog, understood, offer), understood.load.request_rate_per_s
    if tariff is None:
        return unknown_cost(None).model_copy(update={"usd_per_month_reason": _why_no_month(rate, False)})
    workload, spending = understood.workload, understood.spending
    one = tokens_used(understood, 1.0)
    if rate is None:
        lines = tariff.lines(one, FINEST)
        per_mtok = float(total(lines))
        return Cost(
            usd_per_h=None,
            usd_per_month=None,
            usd_per_month_reason=_why_no_month(rate, True),
            usd_per_mtok_output=per_mtok,
            usd_per_mtok_total=per_mtok * workload.output_tokens / workload.tokens_per_request,
            usd_per_mtok_output_at_limit=None,
            utilisation=None,
            usd_initial=0.0,
            lines=lines,
            lines_per="mtok_output",
        )
    tokens_per_s = rate * workload.output_tokens
    lines = tariff.lines(tokens_used(understood, spending.mtok_per_month(tokens_per_s)))
    at = cost_at(understood, "load", lines, tokens_per_s, understood.load.users, None, tariff.month_usd(one))
    return Cost(
        usd_per_h=at.usd_per_month / spending.hours,
        usd_per_month=at.usd_per_month,
        usd_per_mtok_output=at.usd_per_mtok_output,
        usd_per_mtok_total=at.usd_per_mtok_total,
        usd_per_mtok_output_at_limit=None,
        utilisation=None,
        hours_per_month=spending.hours,
        usd_initial=0.0,
        usd_three_years=at.usd_per_month * THREE_YEARS,
        points=(at,),
        lines=lines,
    )


def tokens_used(understood: Understood, output_mtok: float) -> Use:
    """What a hosted API meters when it writes so many output tokens, thinking included. [Mtok]"""
    workload, cached = understood.workload, understood.payment.cached_share
    read = output_mtok * workload.input_tokens / workload.output_tokens
    thinking = output_mtok * workload.reasoning_tokens / workload.output_tokens
    return Use(input_mtok=read * (1.0 - cached), cached_mtok=read * cached, output_mtok=output_mtok - thinking, thinking_mtok=thinking)


def api_tariff(catalog: Catalog, understood: Understood, offer: ApiOffer) -> Tariff | None:
    """The token prices that the question would pay; None where prompt or output has no list price."""
    per_usd = rates_on(catalog.exchange_rates, catalog.as_of.isoformat()).get(offer.currency)
    if offer.input_per_mtok is None or offer.output_per_mtok is None or per_usd is None:
        return None
    prompt, cached, output, notes = _prices(offer, understood.payment)
    list_price = f"list price{f' in {offer.currency}' if offer.currency != 'USD' else ''}"
    none_thought = "no thinking asked for (--reasoning-tokens)"
    included = "in the price of the tokens"
    meters: tuple[tuple[str, Driver, Decimal, str, str | None], ...] = (
        ("input tokens", "input_mtok", prompt, notes[0] or list_price, None),
        ("cached input tokens", "cached_mtok", cached, notes[1] or list_price, "no share of the prompts is cached (--cached-share)"),
        ("output tokens", "output_mtok", output, notes[0] or list_price, None),
        ("thinking tokens", "thinking_mtok", output, "billed as output", none_thought),
    )
    charges = [
        Charge(name=name, unit="Mtok", usd=float(price / per_usd), driver=driver, note=note, none_used=none)
        for name, driver, price, note, none in meters
    ]
    for name, unit in (("machines", "machine-hours"), ("storage of weights", "GB-months"), ("power, cooling and space", "kWh")):
        charges.append(Charge(name=name, unit=unit, note=included))
    charges.append(Charge(name="egress", unit="GB", note=included))
    charges.append(Charge(name="support", unit="USD of the bill", note="the basic plan"))
    return Tariff(charges=tuple(charges))


def _prices(offer: ApiOffer, payment: Payment) -> tuple[Decimal, Decimal, Decimal, tuple[str | None, str | None]]:
    """(prompt, cached prompt, output) per million tokens in the currency of the list, and remarks on the first and the second."""
    assert offer.input_per_mtok is not None
    assert offer.output_per_mtok is not None
    prompt, output, note = offer.input_per_mtok, offer.output_per_mtok, None
    if payment.batch:
        if offer.batch_input_per_mtok is not None and offer.batch_output_per_mtok is not None:
            prompt, output, note = offer.batch_input_per_mtok, offer.batch_output_per_mtok, "batch price"
        elif offer.batch_discount is not None:
            left = 1 - Decimal(str(offer.batch_discount))
            prompt, output, note = prompt * left, output * left, f"list price less {offer.batch_discount:.0%} for batch work"
        else:
            note = "list price: this API has no batch price"
    cached, cached_note = offer.cached_input_per_mtok, None
    if cached is None or cached > prompt:
        cached, cached_note = prompt, "as fresh input: no lower price for cached tokens is listed"
    return prompt, cached, output, (note, cached_note)
