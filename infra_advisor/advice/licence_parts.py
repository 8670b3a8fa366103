"""What an answer says of the licence of its model."""

from typing import Literal

from infra_advisor.advice.parts import Part
from infra_advisor.facts.licences import Counted

Verdict = Literal["allowed", "conditional", "refused", "unknown"]


class ThresholdPart(Part):
    """A size of the licensee above which the licence asks for more."""

    counted: Counted
    above: float
    """Users, or USD."""
    then: str


class LicencePart(Part):
    """The licence of the model against what was asked."""

    name: str
    commercial: Literal["yes", "conditional", "no", "unverified"]
    """Commercial use, as the catalog has it."""
    verdict: Verdict
    """Of the question. refused ranks nothing, and so does unknown unless it is admitted."""
    reason: str | None = None
    """Why nothing is ranked."""
    note: str | None = None
    thresholds: tuple[ThresholdPart, ...] = ()
    duties: tuple[str, ...] = ()
    not_for: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    """Of the catalog on these terms."""
    known_by: tuple[Literal["text", "quoted", "hint"], ...] = ()
    """How the terms are known; empty where the catalog has but the status."""
    sources: tuple[str, ...] = ()
    read: str
    """Where to read the text."""

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions in words; those of the catalog's terms, else its remark."""
        found = [f"above {amount(one.counted, one.above)}: {one.then}" for one in self.thresholds]
        found += [f"not for {', '.join(self.not_for)}"] if self.not_for else []
        found += [*self.duties, *self.remarks]
        return tuple(found) or ((self.note,) if self.note else ())


def amount(counted: Counted, above: float) -> str:
    """`700 million monthly users`, `20 million USD of yearly revenue`."""
    size = f"{above / 1e6:g} million" if above >= 1e6 else f"{above:,.0f}"
    return {
        "monthly-users": f"{size} monthly users",
        "monthly-revenue-usd": f"{size} USD of monthly revenue",
        "yearly-revenue-usd": f"{size} USD of yearly revenue",
    }[counted]
