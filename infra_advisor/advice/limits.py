"""The limits an answer must keep, as asked."""

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from infra_advisor.errors import UsageError, did_you_mean
from infra_advisor.facts.residency import OWN_LEVELS, Residency, read_places, read_residency_text

if TYPE_CHECKING:
    from infra_advisor.advice.parts import CurrencyPart

MOST_TOKENS_PER_S = 1e12
MOST_SPARE = 64
MOST_HEADROOM = 0.9
MOST_OWNED = 64
"""Accelerators of one owned machine."""

Statistic = Literal["mean", "p50", "p95", "p99"]
STATISTICS = ("mean", "p50", "p95", "p99")

Commercial = Literal["yes", "conditional"]
COMMERCIAL = ("yes", "conditional")
"""Commercial use of the model: without any condition, or also under conditions, which are shown."""

CLASSES = ("cloud", "onprem", "edge", "api")
OWN_CLASSES = ("onprem", "edge")
KEYS = ("customer",)
DOUBTFUL = (
    "spot",
    "marketplace",
    "stale",
    "outlier",
    "unverified",
    "launch-price",
    "capacity-block",
    "restricted",
    "batch-only",
    "announced",
    "export-risk",
)
"""Kinds of offer that rank only when asked for."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Names to keep and names to leave out; empty `keep` keeps everything not left out."""

    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    def admits(self, *names: str) -> bool:
        """True when none of the names is dropped and, where a keep list exists, one of them is on it."""
        return not any(name in self.drop for name in names) and (not self.keep or any(name in self.keep for name in names))


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Targets and constraints. Everything unset is no limit: defaults never reject the question."""

    ttft_s: float | None = None
    tpot_s: float | None = None
    throughput_tokens_per_s: float | None = None
    """Least output tokens/s of the whole deployment."""
    statistic: Statistic = "p95"
    """What the time targets apply to, over all requests."""
    spare: int = 0
    """Machines beyond those the load needs, for when one fails (N+1 = 1)."""
    headroom: float = 0.0
    """Share of the capacity within the targets that a stated load leaves free. [1]"""
    residency: str | None = None
    """Where the data must be processed: ISO 3166-1 alpha-2 countries and geographies, `!` before one that is left out, and the level after
    a colon where it is not processing: `JP`, `EU,!DE:storage`, `on-prem`."""
    operator_home: tuple[str, ...] = ()
    """Countries and geographies, spelled likewise, in which the operator must be at home."""
    no_foreign_law: tuple[str, ...] = ()
    """Laws that must not reach the operator: a country, or the name of a law of the catalog."""
    attestation: tuple[str, ...] = ()
    """What the operator must hold: iso27017, ismap, soc2."""
    keys: str | None = None
    """`customer`: the customer alone can hold the keys of what is stored."""
    allow_unknown: bool = False
    """What these five, or `commercial`, ask and the facts do not say does not exclude, but is marked."""
    where: tuple[str, ...] = CLASSES
    vendor: Choice = Choice()
    provider: Choice = Choice()
    accelerator: Choice = Choice()
    budget_usd_per_month: float | None = None
    budget_rate: "CurrencyPart | None" = None
    """How the budget became USD, where it was given in another currency; for the reader of the answer."""
    max_price_age_d: float | None = None
    include: tuple[str, ...] = ()
    commercial: Commercial | None = None
    """The licence of the model must allow commercial use; None = not asked."""
    portable: bool = False
    """Two independent engines load the weights on the chip, and two providers or chip vendors offer what serves them."""
    owned: str | None = None
    """A device already bought: only power and hosting are charged, and nothing else is considered."""

    def __post_init__(self) -> None:
        for name in ("ttft_s", "tpot_s", "throughput_tokens_per_s", "budget_usd_per_month", "max_price_age_d"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise UsageError(f"{name} is {value}; a limit must be finite and above zero")
        if self.throughput_tokens_per_s is not None and self.throughput_tokens_per_s > MOST_TOKENS_PER_S:
            raise UsageError(f"throughput is {self.throughput_tokens_per_s:g} tokens/s; accepted: up to {MOST_TOKENS_PER_S:g}")
        self._check_places()
        for label, values, known in (("--where", self.where, CLASSES), ("--include", self.include, DOUBTFUL)):
            for value in values:
                if value not in known:
                    raise UsageError(f"{label}: {value!r} is unknown; accepted: {', '.join(known)}.{did_you_mean(value, known)}")
        if self.commercial is not None and self.commercial not in COMMERCIAL:
            near = did_you_mean(self.commercial, COMMERCIAL)
            raise UsageError(f"--commercial: {self.commercial!r} is unknown; accepted: {', '.join(COMMERCIAL)}.{near}")
        if self.statistic not in STATISTICS:
            raise UsageError(f"--at: {self.statistic!r} is unknown; accepted: {', '.join(STATISTICS)}")
        if not 0 <= self.spare <= MOST_SPARE:
            raise UsageError(f"--spare {self.spare}: accepted: 0 to {MOST_SPARE} machines")
        if not 0.0 <= self.headroom <= MOST_HEADROOM:
            raise UsageError(f"--headroom {self.headroom:g}: a share of the capacity from 0 to {MOST_HEADROOM:.0%}, such as 20%")

    def _check_places(self) -> None:
        """Bring what was asked about place, operator, law, attestations and keys into one spelling. Raises UsageError."""
        spelled: dict[str, object] = {}
        if self.residency is not None:
            try:
                spelled["residency"] = read_residency_text(self.residency).text
            except UsageError as error:
                raise UsageError(f"--residency: {error}") from None
        if self.operator_home:
            try:
                spelled["operator_home"] = read_places(self.operator_home)
            except UsageError as error:
                raise UsageError(f"--operator-home: {error}") from None
        for name in ("no_foreign_law", "attestation"):
            spelled[name] = tuple(dict.fromkeys(re.sub(r"[^a-z0-9]", "", one.lower()) for one in getattr(self, name)))
            if "" in spelled[name]:  # type: ignore[operator]
                raise UsageError(f"--{name.replace('_', '-')}: {', '.join(getattr(self, name))!r} names nothing")
        for name, value in spelled.items():
            object.__setattr__(self, name, value)
        if self.keys is not None and self.keys not in KEYS:
            raise UsageError(f"--keys: {self.keys!r} is unknown; accepted: {', '.join(KEYS)}")
        level = self.placing.level
        if level in OWN_LEVELS and not any(one in OWN_CLASSES for one in self.where):
            only = ",".join(OWN_CLASSES)
            raise UsageError(
                f"--residency {self.residency} and --where {','.join(self.where)} contradict each other: {level} admits own hardware only; "
                f"accepted: --where {only}, or a level up to domestic-operator"
            )

    @property
    def placing(self) -> Residency:
        """The residency as it is judged."""
        return read_residency_text(self.residency) if self.residency else Residency()

    @property
    def country(self) -> str | None:
        """Country of the buyer's own site, as far as the residency tells: the only one that it names."""
        return self.placing.country
