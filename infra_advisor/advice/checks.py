"""The answer of `check`: a saved recommendation against today's catalog."""

from typing import Literal

from pydantic import Field

from infra_advisor.advice.answer import Answer, Part, Violation
from infra_advisor.advice.parts import CatalogStamp, IfAsked, LimitsPart, PaymentPart, WorkloadPart

Verdict = Literal["stands", "overtaken", "breaks_limit", "gone", "now_fits"]


class SavedStamp(Part):
    """What the saved document says of itself."""

    file: str | None
    version: str
    """Of the program that answered."""
    as_of: str
    catalog: CatalogStamp
    """Its layers are told for information; none of them is opened."""
    status: Literal["ok", "nothing_fits"]


class Moved(Part):
    """One figure of the first answer, then and now. Base units; the unit ends the name."""

    name: str
    then: float | str | None
    now: float | str | None
    change: float | None = None
    """now / then - 1, where both are numbers. [1]"""


class Ahead(Part):
    """Something that ranks before what was first."""

    answer: Answer
    behind: float | None
    """By how much the old first falls short of it in the figure ranked by: 0.12 = 12 % dearer, slower ... [1]"""


class CheckAnswer(Part):
    """The whole answer of `check`."""

    schema_: Literal["infra_advisor/check/1"] = Field(alias="schema", default="infra_advisor/check/1")
    as_of: str
    catalog: CatalogStamp
    saved: SavedStamp
    workload: WorkloadPart
    limits: LimitsPart
    payment: PaymentPart | None = None
    rank_by: str
    tolerance: float
    """Share by which the old first may fall short of today's first in the figure ranked by. [1]"""
    status: Verdict
    """stands: still first, or within the tolerance of it (or still nothing fits); overtaken: something is better by more than that;
    breaks_limit: it no longer keeps every limit; gone: no longer offered, or without a price; now_fits: nothing did."""
    reason: str | None = None
    """Why it is gone, or cannot be ranked."""
    then: Answer | None
    """First answer of the saved document; null where nothing fitted."""
    now: Answer | None
    """The best that can be made of the same offer today; null where it is gone. Its rank is null where it is not among the rows shown."""
    first: Answer | None
    """First answer today; null where nothing fits."""
    behind: float | None = None
    """By how much the old first falls short of today's. [1]"""
    violations: tuple[Violation, ...] = ()
    """Limits that the old first breaks today."""
    ahead: tuple[Ahead, ...] = ()
    """The offers that rank before it, each as it is best run, best first."""
    moved: tuple[Moved, ...] = ()
    warnings: tuple[str, ...] = ()
    currency: IfAsked = None
    """The currency that pages are written in (--currency); the figures here stay in USD."""
