"""All sources at once, each by itself: one that is broken or silent does not hold back the others."""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from infra_advisor.facts.update.feed import Feed, Known, Request, Rows
from infra_advisor.facts.update.fetch import UnreachableError, fetch

FIRST_ANSWER_S = 10.0
"""Where no source has sent a byte by then, there is no network."""
SILENCE_S = 60.0
"""Longest time without a byte from a source that others have shown to be reachable."""
MOST_PAGES = 300
TOLD_EVERY_BYTES = 20_000_000

Fetch = Callable[[Request], Iterator[bytes]]
Tell = Callable[[str, Mapping[str, str]], None]


@dataclass
class Gathered:
    """Rows by source, and what was wrong with the sources that gave none."""

    rows: dict[str, Rows] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass
class _Heard:
    """What came from one source so far."""

    last_s: float
    bytes: int = 0


def gather(feeds: Sequence[Feed], known: Known, tell: Tell, fetch: Fetch = fetch) -> Gathered:
    """Ask every source. `tell` is given the key of a sentence and its values, always from this thread."""
    began = time.monotonic()
    heard = {feed.name: _Heard(began) for feed in feeds}
    ended: queue.SimpleQueue[tuple[str, Rows | str]] = queue.SimpleQueue()

    def work(feed: Feed) -> None:
        try:
            ended.put((feed.name, _read(feed, known, fetch, heard[feed.name])))
        except (UnreachableError, ValueError) as error:
            ended.put((feed.name, str(error)))
        except Exception as error:  # a bug in one adapter is that source's failure
            ended.put((feed.name, f"{type(error).__name__}: {error}"))

    for feed in feeds:
        # A daemon: an interrupt ends the program although a resolver or a socket still hangs.
        threading.Thread(target=work, args=(feed,), daemon=True).start()
    found, waiting, told = Gathered(), {feed.name for feed in feeds}, dict.fromkeys(heard, 0)
    while waiting:
        try:
            name, outcome = ended.get(timeout=0.1)
        except queue.Empty:
            for name in sorted(waiting):
                if heard[name].bytes - told[name] > TOLD_EVERY_BYTES:
                    told[name] = heard[name].bytes
                    tell("update.reading", {"source": name, "megabytes": f"{told[name] / 1e6:,.0f}"})
            for name in _silent(waiting, heard, began):
                waiting.remove(name)
                found.failed[name] = "did not answer in time"
                tell("update.failed", {"source": name, "reason": found.failed[name]})
            continue
        if name not in waiting:
            continue
        waiting.remove(name)
        if isinstance(outcome, str):
            found.failed[name] = outcome
            tell("update.failed", {"source": name, "reason": outcome})
        else:
            found.rows[name] = outcome
            tell("update.read", {"source": name, "kilobytes": f"{heard[name].bytes / 1e3:,.0f}"})
    return found


def _silent(waiting: Iterable[str], heard: Mapping[str, _Heard], began: float) -> list[str]:
    """Sources that nobody need wait for any longer."""
    now = time.monotonic()
    if now - began > FIRST_ANSWER_S and not any(one.bytes for one in heard.values()):
        return list(waiting)
    return [name for name in waiting if now - heard[name].last_s > SILENCE_S]


def _read(feed: Feed, known: Known, fetch: Fetch, heard: _Heard) -> Rows:
    found = Rows()
    for first in feed.requests(known):
        request: Request | None = first
        for _ in range(MOST_PAGES):
            if request is None:
                break
            asked = _short(request.url)
            try:
                request = _read_page(feed, request, known, fetch, heard, found)
            except UnreachableError as error:
                raise UnreachableError(f"{error} ({asked})") from error
            except ValueError as error:
                raise ValueError(f"{error} ({asked})") from error
            if request is not None and urlsplit(request.url)[:2] != urlsplit(first.url)[:2]:
                raise ValueError(f"the next page is at another place: {_short(request.url)}")
        if request is not None:
            raise ValueError(f"more than {MOST_PAGES} pages")
    return found


def _read_page(feed: Feed, request: Request, known: Known, fetch: Fetch, heard: _Heard, found: Rows) -> Request | None:
    """Add the rows of one answer, read as it comes; the request for the next page."""
    chunks = _counted(fetch(request), heard)
    if feed.next_request is None:
        _add(found, feed.adapt(chunks, known))
        return None
    whole = b"".join(chunks)
    _add(found, feed.adapt([whole], known))
    return feed.next_request(whole)


def _short(url: str) -> str:
    return url if len(url) <= 100 else f"{url[:99]}…"


def _counted(chunks: Iterable[bytes], heard: _Heard) -> Iterator[bytes]:
    for chunk in chunks:
        heard.bytes += len(chunk)
        heard.last_s = time.monotonic()
        yield chunk


def _add(found: Rows, rows: Rows) -> None:
    found.offers += rows.offers
    found.api_prices += rows.api_prices
    found.exchange_rates += rows.exchange_rates
    found.skipped.update(rows.skipped)
