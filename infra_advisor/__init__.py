"""Which hardware should run a language model, how fast, and at what cost: the commands of `advisor` as functions.

    from infra_advisor import Limits, Workload, load, recommend

    answer = recommend(load(), Workload(model="70b"), Limits(ttft_s=0.5))

Nothing is imported until it is used: `import infra_advisor` costs no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra_advisor.advice.breakeven import breakeven as breakeven
    from infra_advisor.advice.capacity import Moving as Moving
    from infra_advisor.advice.capacity import capacity as capacity
    from infra_advisor.advice.check import check as check
    from infra_advisor.advice.compare import compare as compare
    from infra_advisor.advice.estimate import estimate as estimate
    from infra_advisor.advice.limits import Choice as Choice
    from infra_advisor.advice.limits import Limits as Limits
    from infra_advisor.advice.manifest import manifest as manifest
    from infra_advisor.advice.named import Shape as Shape
    from infra_advisor.advice.payment import Payment as Payment
    from infra_advisor.advice.recommend import recommend as recommend
    from infra_advisor.advice.sensitivity import sensitivity as sensitivity
    from infra_advisor.advice.simulate import Serving as Serving
    from infra_advisor.advice.simulate import simulate as simulate
    from infra_advisor.advice.validation import validate as validate
    from infra_advisor.errors import AdvisorError as AdvisorError
    from infra_advisor.errors import CatalogError as CatalogError
    from infra_advisor.errors import UsageError as UsageError
    from infra_advisor.facts.catalog import load as load
    from infra_advisor.search.traffic import Lengths as Lengths
    from infra_advisor.search.traffic import Traffic as Traffic
    from infra_advisor.search.workload import Workload as Workload

__version__ = "0.1.0"

_HOMES = {
    "AdvisorError": "errors",
    "CatalogError": "errors",
    "Choice": "advice.limits",
    "Lengths": "search.traffic",
    "Limits": "advice.limits",
    "Moving": "advice.capacity",
    "Payment": "advice.payment",
    "Serving": "advice.simulate",
    "Shape": "advice.named",
    "Traffic": "search.traffic",
    "UsageError": "errors",
    "Workload": "search.workload",
    "breakeven": "advice.breakeven",
    "capacity": "advice.capacity",
    "check": "advice.check",
    "compare": "advice.compare",
    "estimate": "advice.estimate",
    "load": "facts.catalog",
    "manifest": "advice.manifest",
    "recommend": "advice.recommend",
    "sensitivity": "advice.sensitivity",
    "simulate": "advice.simulate",
    "validate": "advice.validation",
}
__all__ = [
    "AdvisorError", "CatalogError", "Choice", "Lengths", "Limits", "Moving", "Payment", "Serving", "Shape", "Traffic",
    "UsageError", "Workload", "breakeven", "capacity", "check", "compare", "estimate", "load", "manifest", "recommend", "sensitivity",
    "simulate", "validate",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
