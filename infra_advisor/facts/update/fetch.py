"""The only module that opens a socket: one HTTPS answer, in chunks, within limits of time and size."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from infra_advisor.facts.update.feed import Request

if TYPE_CHECKING:
    import urllib3

CONNECT_S = 3.0
READ_S = 20.0
WHOLE_S = 1_800.0
"""Longest time that one answer may take to arrive: some price lists have hundreds of megabytes."""
CHUNK_BYTES = 1 << 16
MOST_REDIRECTS = 3
TRY_AGAIN = (429, 500, 502, 503, 504)
REDIRECTS = (301, 302, 303, 307, 308)
Pool = Callable[[str], Any]


class UnreachableError(Exception):
    """The source did not answer, or not with a document. The message says how."""


def fetch(request: Request, pool: "Pool | None" = None) -> Iterator[bytes]:
    """The answer in chunks, decompressed. Raises UnreachableError, also in the middle, and ValueError where it is too long."""
    import urllib3

    if not request.url.startswith("https://"):
        raise ValueError(f"{request.url}: only https is fetched")
    retries = urllib3.Retry(
        total=3, connect=1, read=1, status=2, backoff_factor=0.5, status_forcelist=TRY_AGAIN,
        allowed_methods=None, respect_retry_after_header=False,
    )  # fmt: skip
    headers = {"User-Agent": "infra-advisor", "Accept-Encoding": "gzip", **request.headers}
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    began = time.monotonic()
    try:
        url, ask = request.url, (pool or _pool)(request.url)
        for _ in range(MOST_REDIRECTS + 1):
            answer = ask.request(
                "GET" if request.body is None else "POST",
                url,
                body=request.body,
                headers=headers,
                retries=retries,
                redirect=False,
                timeout=urllib3.Timeout(connect=CONNECT_S, read=READ_S),
                preload_content=False,
            )
            try:
                if answer.status not in REDIRECTS:
                    yield from _chunks(request, answer, began)
                    return
                url = _led_to(url, answer.headers.get("Location", ""))
            finally:
                answer.close()
        raise UnreachableError(f"redirected more than {MOST_REDIRECTS} times")
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise UnreachableError(_reason(error)) from error


def _led_to(url: str, location: str) -> str:
    """Where a redirect leads. Nobody is asked there who is not the source itself: a machine inside the reader's network, a file."""
    found = urljoin(url, location)
    if not location or urlsplit(found)[:2] != urlsplit(url)[:2]:
        raise UnreachableError(f"was redirected to another place: {location[:100] or 'nowhere'}")
    return found


def _chunks(request: Request, answer: "urllib3.BaseHTTPResponse", began: float) -> Iterator[bytes]:
    if answer.status != 200:
        raise UnreachableError(f"answered with HTTP status {answer.status}")
    read = 0
    for chunk in answer.stream(CHUNK_BYTES, decode_content=True):
        read += len(chunk)
        if read > request.limit_bytes:
            raise ValueError(f"more than {request.limit_bytes:,} bytes")
        if time.monotonic() - began > WHOLE_S:
            raise UnreachableError(f"took longer than {WHOLE_S:g} s")
        yield chunk


def _pool(url: str) -> Any:
    """Through the proxy that the environment names, if any."""
    from urllib.request import getproxies, proxy_bypass

    import urllib3

    proxy = getproxies().get("https")
    if proxy and not proxy_bypass(urlsplit(url).hostname or ""):
        return urllib3.ProxyManager(proxy)
    return urllib3.PoolManager()


def _reason(error: Exception) -> str:
    """What a person understands of it: the innermost cause, without addresses of objects."""
    import urllib3

    if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        error = error.reason
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return "its name cannot be resolved"
    if isinstance(error, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ProxyError):
        return "no connection"
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "did not answer in time"
    return f"{type(error).__name__}: {error}"[:200]
