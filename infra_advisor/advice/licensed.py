"""Recommendations for a model that may not, or not for sure, be used as asked: the reason, and no other model instead."""

from infra_advisor.advice.answer import Answer, Recommendation
from infra_advisor.advice.licence import licence_part, licence_warnings
from infra_advisor.advice.licence_parts import LicencePart
from infra_advisor.advice.question import Understood, limits_part, payment_part, stamp, workload_part
from infra_advisor.facts.catalog import Catalog

UNKNOWN_MARK = "licence-unknown"
"""Of an answer that --allow-unknown admits."""


def licence_of(catalog: Catalog, understood: Understood) -> LicencePart | None:
    """The licence of the model in question; None where commercial use was not asked about."""
    wanted = understood.limits.commercial
    return None if wanted is None else licence_part(catalog, understood.resolved.model, wanted)


def refused(catalog: Catalog, understood: Understood, licence: LicencePart, rank: str) -> Recommendation:
    """The answer where the licence does not allow it: nothing is searched."""
    return Recommendation(
        as_of=catalog.as_of.isoformat(),
        catalog=stamp(catalog),
        workload=workload_part(understood),
        limits=limits_part(understood.limits),
        payment=payment_part(understood.payment),
        rank_by=rank,
        assumptions=understood.assumptions,
        status="nothing_fits",
        ranked=(),
        unranked=(),
        near_misses=(),
        excluded={},
        licence=licence,
    )


def under(record: Recommendation, licence: LicencePart, *, admit_unknown: bool) -> Recommendation:
    """The record under a licence that allows the use, with its conditions, or that is unknown: then nothing is ranked, all is listed.

    `admit_unknown`: or all is ranked all the same, with a mark and a warning.
    """
    if licence.verdict == "unknown" and admit_unknown:
        reason = licence.reason or ""
        said = (f"{reason[:1].upper()}{reason[1:]}.", *licence_warnings(licence, hosted=_hosted(record)))
        return record.model_copy(
            update={
                "licence": licence.model_copy(update={"reason": None}),
                "ranked": tuple(_marked(answer) for answer in record.ranked),
                "warnings": (*(said if record.ranked else ()), *record.warnings),
            }
        )
    if licence.verdict != "unknown":
        said = tuple(licence_warnings(licence, hosted=_hosted(record))) if record.ranked else ()
        return record.model_copy(update={"licence": licence, "warnings": (*said, *record.warnings)})
    listed = tuple(_listed(answer, licence) for answer in record.ranked)
    return record.model_copy(
        update={
            "licence": licence,
            "status": "nothing_fits",
            "ranked": (),
            "ranked_total": 0,
            "unranked": (*listed, *record.unranked),
            "considered": {**record.considered, "unranked": record.considered.get("unranked", 0) + len(listed)},
            "near_misses": (),
            "relaxations": (),
            "warnings": (),
        }
    )


def _hosted(record: Recommendation) -> bool:
    return any(answer.hardware.class_ == "api" for answer in record.ranked)


def _marked(answer: Answer) -> Answer:
    offer = answer.offer
    return answer.model_copy(update={"offer": offer.model_copy(update={"marks": (*offer.marks, UNKNOWN_MARK)})})


def _listed(answer: Answer, licence: LicencePart) -> Answer:
    return answer.model_copy(update={"rank": None, "labels": (), "reason": f"licence unknown: read {licence.read}"})
