"""From the question as asked to what the search needs: the model, the load of the fleet, the targets, and what was taken for granted."""

from dataclasses import dataclass

from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.parts import Assumption, CatalogStamp, LimitsPart, PaymentPart, WorkloadPart
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.placing import demand_of
from infra_advisor.advice.spending import Spending, spending_of
from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.formats import Formats
from infra_advisor.facts.market import rates_on
from infra_advisor.facts.model_names import ResolvedModel, resolve_model
from infra_advisor.physics.transformer import weight_bytes
from infra_advisor.search.calibration import read_parameters
from infra_advisor.search.candidates import Question
from infra_advisor.search.power import read_power
from infra_advisor.search.precision import check_format_names
from infra_advisor.search.solve import Load, Targets
from infra_advisor.search.traffic import Traffic
from infra_advisor.search.workload import DEFAULT_INPUT_TOKENS, DEFAULT_OUTPUT_TOKENS, DEFAULT_THINK_S, Workload
from infra_advisor.units import HOURS_PER_MONTH

SHORTEST_REQUEST_S = 1e-6
LONGEST_UNKNOWN_TOKENS = 1e9

NEEDED = (
    "chips",
    "engines",
    "nodes",
    "offers",
    "purchases",
    "hosting",
    "assumptions",
    "exchange_rates",
    "aliases",
    "providers",
    "parameters",
    "power",
    "regions",
    "formats",
)
"""Collections a recommendation reads; loaded together so that all their problems are reported at once."""


@dataclass(frozen=True)
class Understood:
    """The question, ready for the search."""

    workload: Workload
    limits: Limits
    resolved: ResolvedModel
    question: Question
    load: Load
    targets: Targets
    utilisation: float
    traffic: Traffic
    longest_tokens: float
    """The model's context; a billion where it is not known."""
    payment: Payment
    spending: Spending
    assumptions: tuple[Assumption, ...]


def understand(
    catalog: Catalog, workload: Workload, limits: Limits, traffic: Traffic | None = None, payment: Payment | None = None
) -> Understood:
    """Resolve names and turn the load into one of the three forms the search knows. Raises UsageError, CatalogError."""
    traffic, payment = traffic or Traffic(), payment or Payment()
    catalog.preload(NEEDED)
    resolved = resolve_model(workload.model, catalog)
    formats = catalog.formats
    weights = resolved.weights if workload.weights == "auto" and resolved.weights else workload.weights
    check_format_names(weights, workload.kv, formats)
    longest = resolved.model.max_context
    if longest is not None and workload.tokens_per_request > longest:
        asked = f"{workload.input_tokens:,} prompt + {workload.output_tokens:,} output tokens"
        raise UsageError(f"{asked} exceed the context of {resolved.model.name} ({longest:,}); shorten them or choose another model")
    check_names(catalog, limits)
    demand_of(catalog, limits)
    load, said = _load(workload, limits, payment)
    _check_throughput(workload, limits, load)
    utilisation = float(catalog.assumptions["utilisation_default"].value)
    targets = Targets(limits.ttft_s, limits.tpot_s, _longest_request(workload, limits), limits.statistic)
    parameters = read_parameters(catalog.parameters, catalog.deviations)
    speculative = workload.speculation is not None
    power = read_power(catalog.power, {name: float(given.value) for name, given in catalog.assumptions.items()})
    question = Question(
        resolved.model, resolved.model.shape(), _as_stored(formats, resolved), parameters, weights, workload.kv, speculative, power
    )
    given = [*_stated(workload, resolved, weights), *said]
    if not load.stated:
        note = f"no load given: priced at {utilisation:.0%} of the highest load within the targets"
        given.append(Assumption(name="load", value=utilisation, origin="default", note=note))
    given.append(_lengths(load, traffic))
    if drafts := workload.speculation:
        note = f"{drafts.draft_tokens} drafted tokens, {drafts.acceptance:.0%} kept: {drafts.tokens_per_step:.2f} tokens a step"
        note += "; the acceptance is yours, no measurement with drafts is fitted"
        given.append(Assumption(name="speculation", value=drafts.tokens_per_step, origin="input", note=note))
    steady = "a service that runs on: queues in steady state, not the burst at the start of a benchmark"
    given.append(Assumption(name="arrivals", value="steady", origin="default", note=steady))
    given.append(Assumption(name="efficiencies", value=parameters.defaults.note, origin="catalog"))
    longest_tokens = float(longest or LONGEST_UNKNOWN_TOKENS)
    spending = spending_of(catalog, question.shape, payment)
    return Understood(
        workload, limits, resolved, question, load, targets, utilisation, traffic, longest_tokens, payment, spending, tuple(given)
    )


def _lengths(load: Load, traffic: Traffic) -> Assumption:
    """How far requests differ from the stated lengths."""
    lengths = traffic.lengths_for(in_step=load.in_flight is not None)
    if lengths.kind == "lognormal":
        note = f"lengths spread about the stated means: lognormal, {lengths.sigma:g} on the logarithm"
    elif lengths.spread:
        note = f"lengths from {lengths.least_share:.0%} to {lengths.most_share:.0%} of the stated ones, evenly"
    else:
        note = "every request has the stated lengths; --lengths lognormal spreads them, and raises p95"
    return Assumption(name="lengths", value=lengths.kind, origin="input" if traffic.lengths else "default", note=note)


def _as_stored(formats: Formats, resolved: ResolvedModel) -> Formats:
    """The formats, with the bits of a local file's format scaled to the size the file really has."""
    if resolved.weight_bytes is None or resolved.weights is None:
        return formats
    named = formats.weight(resolved.weights)
    ratio = resolved.weight_bytes / weight_bytes(resolved.model.shape(), named.by_part).total
    parts = named.by_part
    scaled = {
        "bits": parts.linear * ratio,
        "experts": parts.experts * ratio,
        "embedding": parts.embedding * ratio,
        "head": parts.head * ratio,
    }
    return Formats({**formats.weights, named.id: named.model_copy(update=scaled)}, formats.kv, formats.sources)


def _load(workload: Workload, limits: Limits, payment: Payment) -> tuple[Load, list[Assumption]]:
    if workload.users is not None:
        note = "each user waits for the answer, thinks, and asks again"
        said = Assumption(
            name="think_s", value=workload.think_s, origin="default" if workload.think_s == DEFAULT_THINK_S else "input", note=note
        )
        return Load(users=workload.users, think_s=workload.think_s), [said]
    if workload.concurrency is not None:
        return Load(in_flight=workload.concurrency), []
    if workload.request_rate_per_s is not None:
        return Load(request_rate_per_s=workload.request_rate_per_s), []
    if workload.tokens_per_day is not None:
        rate = workload.rate_per_s
        assert rate is not None
        rate *= HOURS_PER_MONTH / payment.hours_per_month
        over = "24 hours" if payment.hours_per_month == HOURS_PER_MONTH else f"the {payment.hours_per_month:g} hours of a month"
        note = f"tokens per day count prompt and output, spread evenly over {over}; use --rate for a peak"
        return Load(request_rate_per_s=rate), [Assumption(name="request_rate_per_s", value=rate, origin="input", note=note)]
    if limits.throughput_tokens_per_s is not None:
        rate = limits.throughput_tokens_per_s / workload.output_tokens
        note = "no load given: the throughput asked for is the load"
        return Load(request_rate_per_s=rate), [Assumption(name="request_rate_per_s", value=rate, origin="default", note=note)]
    return Load(), []


def _check_throughput(workload: Workload, limits: Limits, load: Load) -> None:
    """Refuse a load that cannot make the tokens asked for, whatever serves it."""
    wanted, rate = limits.throughput_tokens_per_s, load.request_rate_per_s
    if wanted is not None and rate is not None and rate * workload.output_tokens < wanted * (1.0 - 1e-9):
        raise UsageError(
            f"{rate:.4g} requests/s of {workload.output_tokens:,} output tokens make {rate * workload.output_tokens:,.4g} tokens/s, "
            f"less than --throughput {wanted:g}: state one of the two"
        )


def _longest_request(workload: Workload, limits: Limits) -> float | None:
    """Mean request time at which a fixed number of requesters yields the throughput asked for (Little's law). [s]"""
    wanted = limits.throughput_tokens_per_s
    if wanted is None:
        return None
    if workload.concurrency is not None:
        return workload.concurrency * workload.output_tokens / wanted
    if workload.users is not None:
        return max(workload.users * workload.output_tokens / wanted - workload.think_s, SHORTEST_REQUEST_S)
    return None


def _stated(workload: Workload, resolved: ResolvedModel, weights: str) -> list[Assumption]:
    found = []
    if resolved.stated:
        found.append(Assumption(name="model", value=resolved.model.id, origin="input", note=resolved.stated))
    if resolved.model.doubt:
        note = "layers are an estimate: do not size memory by them" if resolved.model.doubt == "guessed" else "layers rest on recollection"
        found.append(Assumption(name="model_doubt", value=resolved.model.doubt, origin="catalog", note=note))
    for name, value, default in (
        ("input_tokens", workload.input_tokens, DEFAULT_INPUT_TOKENS),
        ("output_tokens", workload.output_tokens, DEFAULT_OUTPUT_TOKENS),
    ):
        if value == default:
            found.append(Assumption(name=name, value=value, origin="default"))
    if workload.reasoning_tokens:
        note = "part of the output: written and paid for like the rest; TTFT ends with the first of them, not of the answer"
        found.append(Assumption(name="reasoning_tokens", value=workload.reasoning_tokens, origin="default", note=note))
    if weights == "auto":
        found.append(
            Assumption(
                name="weights", value="auto", origin="default", note="the checkpoint's own format or 8 bits; fewer only when asked for"
            )
        )
    if workload.kv == "auto":
        found.append(Assumption(name="kv", value="auto", origin="default", note="16 bits"))
    return found


def check_names(catalog: Catalog, limits: Limits) -> None:
    """Refuse vendors, providers and accelerators that the catalog does not know. Raises UsageError."""
    vendors = {chip.vendor for chip in catalog.chips.values()}
    for label, choice, known in (
        ("--vendor", limits.vendor, vendors),
        ("--provider", limits.provider, {*catalog.providers, *(node.provider for node in catalog.nodes.values()), "purchase", "owned"}),
        ("--accelerator", limits.accelerator, set(catalog.chips)),
    ):
        for name in (*choice.keep, *choice.drop):
            if name not in known:
                called = sorted(provider.id for provider in catalog.providers.values() if name and name in provider.name.lower())
                near = f" Did you mean {' or '.join(called[:3])}?" if called and label == "--provider" else did_you_mean(name, known)
                all_of = f"; accepted: {', '.join(sorted(vendors))}." if label == "--vendor" else ""
                raise UsageError(f"{label}: {name!r} is unknown{all_of or '.'}{near}")


def canonical_accelerators(catalog: Catalog, choice: Choice) -> Choice:
    """Accelerator names as chip ids: aliases and unique beginnings are resolved. Raises UsageError."""
    return Choice(keep=tuple(catalog.chip(name).id for name in choice.keep), drop=tuple(catalog.chip(name).id for name in choice.drop))


def stamp(catalog: Catalog) -> CatalogStamp:
    """Which facts an answer rests on."""
    rates = rates_on(catalog.exchange_rates, catalog.as_of.isoformat())
    per_usd = {currency: float(rate) for currency, rate in sorted(rates.items()) if currency != "USD"}
    return CatalogStamp(version=catalog.version, hash=catalog.hash, layers=catalog.layers, exchange_rates=per_usd)


def workload_part(understood: Understood) -> WorkloadPart:
    """The workload as it was understood."""
    workload, model = understood.workload, understood.resolved.model
    return WorkloadPart(
        model=model.id,
        model_name=model.name,
        hf_id=model.hf_id,
        parameters_total=model.architecture.parameters,
        parameters_active=model.architecture.active_parameters,
        input_tokens=workload.input_tokens,
        output_tokens=workload.output_tokens,
        reasoning_tokens=workload.reasoning_tokens,
        weights=understood.question.weights,
        kv=workload.kv,
        draft_tokens=workload.draft_tokens,
        acceptance=workload.acceptance,
        concurrency=workload.concurrency,
        request_rate_per_s=understood.load.request_rate_per_s,
        users=workload.users,
        think_s=workload.think_s if workload.users is not None else None,
        tokens_per_day=workload.tokens_per_day,
        utilisation=None if understood.load.stated else understood.utilisation,
    )


def limits_part(limits: Limits) -> LimitsPart:
    """The limits as they were understood."""
    return LimitsPart(
        statistic=limits.statistic,
        spare=limits.spare,
        headroom=limits.headroom,
        ttft_s=limits.ttft_s,
        tpot_s=limits.tpot_s,
        throughput_tokens_per_s=limits.throughput_tokens_per_s,
        budget_usd_per_month=limits.budget_usd_per_month,
        budget_rate=limits.budget_rate,
        residency=limits.residency,
        where=limits.where,
        vendors=_spelled(limits.vendor),
        providers=_spelled(limits.provider),
        accelerators=_spelled(limits.accelerator),
        include=limits.include,
        max_price_age_d=limits.max_price_age_d,
        portable=limits.portable,
        owned=limits.owned,
        commercial=limits.commercial,
        operator_home=limits.operator_home,
        no_foreign_law=limits.no_foreign_law,
        attestation=limits.attestation,
        keys=limits.keys,
        allow_unknown=limits.allow_unknown,
    )


def payment_part(payment: Payment) -> PaymentPart:
    """The commercial terms as they were understood."""
    return PaymentPart(**{**vars(payment), "assume": dict(payment.assume)})


def _spelled(choice: Choice) -> tuple[str, ...]:
    return (*choice.keep, *(f"!{name}" for name in choice.drop))


def seconds_per_month() -> float:
    """Seconds in the month by which monthly figures are made."""
    return HOURS_PER_MONTH * 3600.0
