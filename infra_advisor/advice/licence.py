"""Whether a model may be used commercially, as far as the catalog knows: a screening aid, not legal advice."""

from collections.abc import Iterator, Mapping

from infra_advisor.advice.licence_parts import LicencePart, ThresholdPart, Verdict
from infra_advisor.advice.limits import Commercial
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.licences import terms_of
from infra_advisor.facts.models import LanguageModel


def verdict_of(commercial: str, wanted: Commercial) -> Verdict:
    """What a status of the catalog means for the question. Unverified is never taken for a yes."""
    if commercial == "unverified":
        return "unknown"
    if commercial == "yes":
        return "allowed"
    return "conditional" if commercial == "conditional" and wanted == "conditional" else "refused"


def licence_part(catalog: Catalog, model: LanguageModel, wanted: Commercial) -> LicencePart:
    """The licence of one model, with the terms the catalog has of it."""
    known = terms_of(catalog.licences, model.licence.name, model.id)
    titles = catalog.sources("models") if known else {}
    named = dict.fromkeys(source for terms in known for source in terms.source)
    thresholds = (one for terms in known for one in terms.thresholds)
    part = LicencePart(
        name=model.licence.name,
        commercial=model.licence.commercial,
        verdict=verdict_of(model.licence.commercial, wanted),
        note=model.licence.note,
        thresholds=tuple(ThresholdPart(counted=one.counted, above=one.above, then=one.then) for one in thresholds),
        duties=tuple(dict.fromkeys(duty for terms in known for duty in terms.duties)),
        not_for=tuple(dict.fromkeys(place for terms in known for place in terms.not_for)),
        remarks=tuple(dict.fromkeys(terms.note for terms in known if terms.note)),
        known_by=tuple(dict.fromkeys(terms.read for terms in known)),
        sources=tuple(_cited(source, titles.get(source, {})) for source in named),
        read=" and ".join(terms.url for terms in known if terms.url) or _beside(model),
    )
    return part.model_copy(update={"reason": _reason(part, model)})


def licence_warnings(part: LicencePart, *, hosted: bool) -> Iterator[str]:
    """What somebody who uses the model commercially should be told. `hosted`: a hosted API is among the answers."""
    if part.verdict == "conditional":
        conditions = "; ".join(part.conditions) or "which, the catalog does not say"
        checked = "" if "hint" not in part.known_by and part.known_by else " These are hints: the text was not read."
        yield f"The licence ({part.name}) allows commercial use under conditions: {conditions}.{checked} Read {part.read}."
    if hosted:
        yield "Hosted APIs: the operator's terms apply beside the licence of the model; read them too."


def _reason(part: LicencePart, model: LanguageModel) -> str | None:
    remark = f" ({part.note})" if part.note else ""
    if part.verdict == "unknown":
        return f"the licence of {model.name} ({part.name}) is unverified{remark}: read {part.read} before you use it commercially"
    if part.verdict != "refused":
        return None
    if part.commercial == "no":
        return f"the licence of {model.name} ({part.name}) does not allow commercial use{remark}"
    return f"the licence of {model.name} ({part.name}) allows commercial use under conditions only{remark}"


def _cited(source: str, raw: Mapping[str, object]) -> str:
    title = str(raw.get("title", source))
    return f"{title}, {raw['seen']}" if "seen" in raw else title


def _beside(model: LanguageModel) -> str:
    return f"https://huggingface.co/{model.hf_id}" if model.hf_id else "the licence file that came with the weights"
