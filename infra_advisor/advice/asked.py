"""The whole question of a recommendation as plain data, so that it can be asked again, and back."""

from dataclasses import asdict, is_dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from infra_advisor import __version__
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.parts import CurrencyPart, Part
from infra_advisor.advice.payment import Payment
from infra_advisor.search.traffic import Traffic
from infra_advisor.search.workload import Workload


class Asked(Part):
    """What a saved document says was asked. A field it does not have takes its default; one that is not known here is refused, because
    without it the question would be another."""

    version: str
    """Of the program that answered."""
    workload: Workload
    limits: Limits
    traffic: Traffic = Traffic()
    payment: Payment = Payment()
    rank: str = "cost"
    top: Annotated[int, Field(ge=0)] = 10
    merge: Literal["offer", "decision"] = "offer"
    plan: bool = False
    mix: bool = False
    exit_after_months: Annotated[int, Field(ge=0)] = 12


Asked.model_rebuild(_types_namespace={"CurrencyPart": CurrencyPart})  # Limits name it without loading it: the command line starts sooner


def echo(**asked: Any) -> dict[str, Any]:
    """The question in the fields of `Asked`; dataclasses become mappings."""
    plain = {name: asdict(value) if is_dataclass(value) and not isinstance(value, type) else value for name, value in asked.items()}
    return {"version": __version__, **plain}
