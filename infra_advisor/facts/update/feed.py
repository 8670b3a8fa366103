"""What a price source yields and how it is asked: the common shape of all adapters."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from infra_advisor.facts.api_offers import ApiOffer
from infra_advisor.facts.market import ExchangeRate, Node, Offer


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the catalog already holds, by which an adapter recognises what it reads."""

    day: str
    """ISO day on which the bytes were read: `seen`, and `from` where the source does not date its prices."""
    nodes: Mapping[tuple[str, str], Node]
    """(provider, instance type as the provider writes it) -> node."""
    offers: Mapping[tuple[str, str, str], Offer]
    """(node, region, price kind) -> the line in force; its id is kept, so that the new price is a later line of the same offer."""
    regions: Mapping[tuple[str, str], str | None]
    """(provider, region id) -> country."""
    api_offers: Mapping[tuple[str, str], ApiOffer] = field(default_factory=dict)
    """(provider, API model) -> the line in force."""


@dataclass
class Rows:
    """Rows of the catalog's tables, and how many records were passed over, by reason."""

    offers: list[Offer] = field(default_factory=list)
    api_prices: list[ApiOffer] = field(default_factory=list)
    exchange_rates: list[ExchangeRate] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    """Reason -> records: `instance type not in the catalog`, `price is not a number`, ..."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One thing to fetch."""

    url: str
    body: bytes | None = None
    """Sent by POST as JSON; None = GET."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What the source asks for beyond the usual ones."""
    limit_bytes: int = 50_000_000
    """Longer answers are cut off and refused."""


def source_id(feed: str) -> str:
    """Id under which rows name the source that they were read from."""
    return f"{feed}-feed"


@dataclass(frozen=True, kw_only=True)
class Feed:
    """One source of prices."""

    name: str
    """As `--source` takes it."""
    title: str
    requests: Callable[[Known], Iterable[Request]]
    adapt: Callable[[Iterable[bytes], Known], Rows]
    """Chunks of one answer -> rows. Pure. Raises ValueError where the answer has not the expected shape."""
    next_request: Callable[[bytes], Request | None] | None = None
    """For sources in pages: a whole answer -> the request for the next page."""
    silent_means_gone: bool = True
    """False where a price that is missing says nothing: the source shows what is free today, or the adapter leaves out the unchanged."""
