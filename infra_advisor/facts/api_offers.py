"""Hosted APIs: token prices of a model at an operator, with what is said about where it runs.

The table is long and a question concerns one model, so `read_api_offers` checks only the lines of that model;
`catalog check` reads the whole file with `read_rows`.
"""

import csv
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from infra_advisor.facts.fact import Record
from infra_advisor.facts.files import explain, read_text
from infra_advisor.facts.market import Country, Currency, DatePrecision, Day

TokenPrice = Annotated[Decimal, Field(gt=0, lt=10_000)]
"""Per million tokens."""
ResidencyClass = Literal["geo", "in-region", "in-country", "global", "provider-choice"]


class ApiOffer(Record):
    """Price line of one model name at one operator, per million tokens, before tax."""

    id: str
    provider: str
    """Key of the price list; several keys may belong to one operator."""
    operator: str
    api_model: str
    """Model name as the API takes it."""
    model: str | None = None
    """Id in the model catalog where the names agree beyond doubt."""
    variant: str | None = None
    """Service tier or precision in the API's name: fast, turbo, fp8, nvfp4, ..."""
    currency: Currency = "USD"
    input_per_mtok: TokenPrice | None = None
    cached_input_per_mtok: TokenPrice | None = None
    cache_write_per_mtok: TokenPrice | None = None
    output_per_mtok: TokenPrice | None = None
    batch_input_per_mtok: TokenPrice | None = None
    batch_output_per_mtok: TokenPrice | None = None
    batch_discount: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share taken off the list price for batch work."""
    priority_input_per_mtok: TokenPrice | None = None
    priority_output_per_mtok: TokenPrice | None = None
    long_context: str | None = None
    """Prices above a prompt length, as printed."""
    max_input_tokens: Annotated[int, Field(gt=0)] | None = None
    region_scope: str | None = None
    """Where the price holds or requests are processed, as printed."""
    hosting_country: Country | None = None
    residency_class: ResidencyClass | None = None
    """Where requests are processed; None = the operator does not say."""
    operator_home_country: Country | None = None
    deprecation_date: Day | None = None
    from_: Annotated[Day, Field(alias="from")]
    date_precision: DatePrecision = "day"
    seen: Day
    flag: Literal["stale", "outlier", "unverified", "tier", "alias"] | None = None
    """tier = price class of unnamed models; alias = name that moves to newer models."""
    chip: str | None = None
    """Accelerator behind the endpoint where the operator serves on its own chips."""
    source: str
    note: str | None = None

    def retired_on(self, day: str) -> bool:
        """True from the day on which the operator withdraws the model."""
        return self.deprecation_date is not None and self.deprecation_date <= day


def read_api_offers(path: Path, model_id: str, problems: list[str]) -> list[ApiOffer]:
    """The lines of one catalog model, sorted by id; other lines are not checked. Problems carry file and line."""
    text = read_text(path, problems)
    if text is None:
        return []
    lines = text.splitlines()
    header = next(csv.reader(lines[:1]), [])
    if "model" not in header:
        problems.append(f"{path}: no column `model`")
        return []
    column = header.index("model")
    offers = []
    for number, line in enumerate(lines[1:], start=2):
        if model_id not in line:
            continue
        cells = next(csv.reader([line]))
        if len(cells) <= column or cells[column] != model_id:
            continue
        try:
            offers.append(ApiOffer.model_validate({name: cell for name, cell in zip(header, cells, strict=False) if cell}))
        except ValidationError as error:
            problems += [f"{path}:{number}: {problem}" for problem in explain(error)]
    return sorted(offers, key=lambda offer: offer.id)


class QualityScore(Record):
    """One public score of a model; comparable only inside one `benchmark`."""

    id: str
    hf_id: str
    model: str | None = None
    """Id in the model catalog; None for models without known shapes."""
    metric: str
    value: Annotated[float, Field(ge=0)]
    scale: Literal["0-1", "0-100", "elo-like"]
    reasoning: Literal["on", "on-medium", "off"] | None = None
    """Reasoning raises scores and output length alike."""
    benchmark: str
    model_date: Day | None = None
    seen: Day
    source: str


class HostedSpeed(Record):
    """A published speed of a hosted endpoint or a vendor's claim: for display, never for calibration."""

    id: str
    chip: str
    operator: str | None = None
    instance: str
    engine: str
    hf_id: str
    model: str | None = None
    input_tokens: Annotated[int, Field(gt=0)] | None = None
    output_tokens: Annotated[int, Field(gt=0)] | None = None
    concurrency: Annotated[int, Field(gt=0)] | None = None
    output_tokens_per_s: Annotated[float, Field(gt=0)] | None = None
    """All users together."""
    tokens_per_s_per_user: Annotated[float, Field(gt=0)] | None = None
    basis: Literal["vendor", "third-party", "projection"]
    from_: Annotated[Day, Field(alias="from")]
    date_precision: DatePrecision = "day"
    seen: Day
    source: str
    note: str | None = None
