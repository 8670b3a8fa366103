"""What is added to answers whose machines stand at the buyer's, as far as it was asked for."""

from infra_advisor.advice.answer import Recommendation
from infra_advisor.facts.catalog import Catalog

OWN = ("onprem", "edge")
"""Classes whose machines stand at the buyer's."""


def on_site(catalog: Catalog, record: Recommendation, model: str, *, site_needs: bool, carry_in: bool) -> Recommendation:
    """The record with the needs of its sites and the lists of what to bring; a winner too strong for an office is always told.

    `model`: as asked for.
    """
    ranked = record.ranked
    if not any(answer.hardware.class_ in OWN for answer in ranked):
        return record
    from infra_advisor.advice.site_needs import office_warning, with_needs

    if site_needs:
        ranked = with_needs(catalog, ranked)
    if carry_in:
        from infra_advisor.advice.air_gap import with_carry_in
        from infra_advisor.facts.model_names import resolve_model

        ranked = with_carry_in(catalog, ranked, resolve_model(model, catalog))
    said = tuple(office_warning(catalog, ranked[0]))
    return record.model_copy(update={"ranked": ranked, "warnings": (*record.warnings, *said)})
