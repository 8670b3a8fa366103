"""Hosted APIs as a class of their own: priced per token, their speed unknown unless somebody measured it."""

from collections import Counter
from collections.abc import Iterator

from infra_advisor.advice.answer import Answer, Bound, Cost, Energy, HardwarePart, OfferPart, Performance, Predicted, SoftwarePart
from infra_advisor.advice.build import source_title
from infra_advisor.advice.option import age_d, only_with
from infra_advisor.advice.question import Understood
from infra_advisor.errors import CatalogError, UsageError
from infra_advisor.facts.api_offers import ApiOffer, read_api_offers
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.formats import parse_format
from infra_advisor.facts.market import price_on, rates_on
from infra_advisor.units import HOURS_PER_MONTH

IN_COUNTRY = ("in-country", "in-region")
ENERGY_UNKNOWN = "energy unknown: what runs behind the endpoint is not published"
SPEED_UNKNOWN = "speed unknown: hardware, batch and queue behind the endpoint are not published"


def hosted_answers(catalog: Catalog, understood: Understood, excluded: Counter[str]) -> tuple[list[Answer], list[Answer]]:
    """(rankable, unranked) answers for the endpoints that serve the model. `rank` is still None."""
    limits = understood.limits
    if "api" not in limits.where or limits.owned is not None or limits.vendor.keep or limits.accelerator.keep:
        return [], []
    rankable: list[Answer] = []
    unranked: list[Answer] = []
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
        known_country = offer.hosting_country if offer.residency_class in IN_COUNTRY else None
        if limits.residency and known_country is not None and known_country != limits.residency:
            excluded[f"outside {limits.residency}"] += 1
            continue
        answer = _answer(catalog, understood, offer)
        why = _why_unranked(answer, offer, understood, known_country)
        (unranked if why else rankable).append(answer.model_copy(update={"reason": why}) if why else answer)
    return rankable, unranked


def _why_unranked(answer: Answer, offer: ApiOffer, understood: Understood, country: str | None) -> str | None:
    limits, workload = understood.limits, understood.workload
    if workload.weights not in ("auto", *(offer.variant or "").split()) or workload.kv != "auto":
        return "weight and cache formats are not published"
    if answer.cost.usd_per_mtok_output is None:
        return "no list price for prompt and output tokens"
    if limits.vendor.drop or limits.accelerator.drop:
        return "hardware unknown: what runs behind the endpoint is not published"
    if limits.residency and country is None:
        return f"residency unknown: processing is {offer.residency_class or 'not stated'}"
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


def _why_no_month(rate: float | None, usd_per_mtok: float | None) -> str | None:
    if usd_per_mtok is None:
        return "no list price for prompt and output tokens"
    return "no request rate is known: give --rate or --tokens-per-day" if rate is None else None


def _stored_as(offer: ApiOffer) -> str:
    """The weight format in the API's name, where that is what its variant means."""
    try:
        return parse_format(offer.variant).id if offer.variant else "not published"
    except UsageError:
        return "not published"


def _answer(catalog: Catalog, understood: Understood, offer: ApiOffer) -> Answer:
    workload = understood.workload
    rates = rates_on(catalog.exchange_rates, catalog.as_of.isoformat())
    per_usd = rates.get(offer.currency)
    output = per_total = None
    if offer.input_per_mtok is not None and offer.output_per_mtok is not None and per_usd is not None:
        prompt_usd, output_usd = float(offer.input_per_mtok / per_usd), float(offer.output_per_mtok / per_usd)
        per_request = prompt_usd * workload.input_tokens + output_usd * workload.output_tokens
        output, per_total = per_request / workload.output_tokens, per_request / workload.tokens_per_request
    rate = understood.load.request_rate_per_s
    usd_per_h = None if rate is None or output is None else output * rate * workload.output_tokens * 3600.0 / 1e6
    provider = catalog.providers.get(offer.operator)
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
            price_date=offer.seen,
            price_age_d=age_d(offer.seen, catalog.as_of),
            source=source_title(catalog, "api", offer.source),
            source_id=offer.source,
            marks=(offer.flag,) if offer.flag else (),
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
        cost=Cost(
            usd_per_h=usd_per_h,
            usd_per_month=None if usd_per_h is None else usd_per_h * HOURS_PER_MONTH,
            usd_per_month_reason=_why_no_month(rate, output),
            usd_per_mtok_output=output,
            usd_per_mtok_total=per_total,
            usd_per_mtok_output_at_limit=None,
            utilisation=None,
            lines=(f"prompt {offer.input_per_mtok} + output {offer.output_per_mtok} {offer.currency} per million tokens",),
        ),
        energy=Energy(reason=ENERGY_UNKNOWN),
        grade="D",
    )
