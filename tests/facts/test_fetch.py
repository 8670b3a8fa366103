"""Fetching, with a stand-in for the network: limits of size and time, and what a person is told of a failure."""

import gzip
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
import urllib3

from infra_advisor.facts.update import aws
from infra_advisor.facts.update import fetch as fetching
from infra_advisor.facts.update.feed import Known, Request
from infra_advisor.facts.update.fetch import UnreachableError, fetch
from infra_advisor.facts.update.gather import gather


class Answer:
    """An answer of urllib3, as far as we look at it."""

    def __init__(self, *chunks: bytes | Exception, status: int = 200, led_to: str | None = None) -> None:
        self.chunks, self.status, self.closed = chunks, status, False
        self.headers = {} if led_to is None else {"Location": led_to}

    def stream(self, amount: int, decode_content: bool) -> Iterator[bytes]:
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    def close(self) -> None:
        self.closed = True


class Pool:
    """Gives one answer, or fails, and keeps what was asked."""

    def __init__(self, outcome: Answer | Exception) -> None:
        self.outcome, self.asked = outcome, dict[str, Any]()

    def __call__(self, url: str) -> "Pool":
        return self

    def request(self, method: str, url: str, **named: Any) -> Answer:
        self.asked = {"method": method, "url": url, **named}
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


ASKED = Request(url="https://a.example/x", limit_bytes=10)


def test_the_answer_comes_in_chunks_and_the_connection_is_closed() -> None:
    pool = Pool(Answer(b"12345", b"67890"))
    assert list(fetch(ASKED, pool)) == [b"12345", b"67890"]
    assert isinstance(pool.outcome, Answer)
    assert pool.outcome.closed
    assert (pool.asked["method"], pool.asked["body"]) == ("GET", None)
    assert pool.asked["timeout"].connect_timeout <= 3
    assert pool.asked["retries"].connect == 1


def test_a_question_is_posted_as_json() -> None:
    pool = Pool(Answer(b"{}"))
    list(fetch(Request(url="https://a.example/x", body=b"{}", headers={"X-Asked-By": "us"}), pool))
    assert pool.asked["method"] == "POST"
    assert pool.asked["headers"]["Content-Type"] == "application/json"
    assert pool.asked["headers"]["X-Asked-By"] == "us"


def test_an_answer_beyond_the_limit_is_cut_off_and_refused() -> None:
    answer = Answer(b"12345", b"678901", b"never read")
    with pytest.raises(ValueError, match="more than 10 bytes"):
        list(fetch(ASKED, Pool(answer)))
    assert answer.closed


def test_an_answer_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "WHOLE_S", -1.0)
    with pytest.raises(UnreachableError, match="took longer"):
        list(fetch(ASKED, Pool(Answer(b"1"))))


@pytest.mark.parametrize("status", [204, 304, 403, 404, 500])
def test_another_status_than_200_is_named(status: int) -> None:
    with pytest.raises(UnreachableError, match=str(status)):
        list(fetch(ASKED, Pool(Answer(b"x", status=status))))


@pytest.mark.parametrize("url", ["http://a.example/", "file:///etc/passwd", "ftp://a.example/"])
def test_only_https_is_fetched(url: str) -> None:
    with pytest.raises(ValueError, match="only https"):
        list(fetch(Request(url=url), Pool(Answer(b"x"))))


ELSEWHERE = [
    "http://a.example/",
    "https://b.example/",
    "//b.example/x",
    "https://a.example:8443/",
    "file:///etc/passwd",
    "ftp://a.example/",
]


@pytest.mark.parametrize("location", [*ELSEWHERE, "", None])
def test_a_redirect_to_another_place_is_not_followed(location: str | None) -> None:
    """Another scheme, host or port; nobody there is asked anything."""
    pool = Pool(Answer(b"x", status=302, led_to=location))
    with pytest.raises(UnreachableError, match="redirected to another place"):
        list(fetch(ASKED, pool))
    assert pool.asked["url"] == ASKED.url
    assert pool.asked["redirect"] is False


def test_a_redirect_in_a_circle_ends() -> None:
    with pytest.raises(UnreachableError, match="redirected more than 3 times"):
        list(fetch(ASKED, Pool(Answer(b"x", status=301, led_to="/x"))))


POOL = urllib3.connectionpool.HTTPSConnectionPool("a.example")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (urllib3.exceptions.ConnectTimeoutError(POOL, "timed out"), "did not answer in time"),
        (urllib3.exceptions.ReadTimeoutError(POOL, "/", "timed out"), "did not answer in time"),
        (urllib3.exceptions.ProtocolError("Connection broken", ConnectionResetError()), "ProtocolError: .*Connection broken"),
        (ConnectionResetError("reset by peer"), "reset by peer"),
        (
            urllib3.exceptions.MaxRetryError(POOL, "/", urllib3.exceptions.NameResolutionError("a.example", POOL, OSError())),
            "name cannot be",
        ),
    ],
)
def test_a_failure_is_told_in_words(error: Exception, message: str) -> None:
    with pytest.raises(UnreachableError, match=message):
        list(fetch(ASKED, Pool(error)))
    with pytest.raises(UnreachableError, match=message):
        list(fetch(ASKED, Pool(Answer(b"12", error))))


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    through = fetching._pool("https://a.example/")
    assert isinstance(through, urllib3.ProxyManager)
    assert through.proxy is not None
    assert through.proxy.host == "proxy.example"
    assert not isinstance(fetching._pool("https://inside.example/"), urllib3.ProxyManager)


# -- over a real connection to this machine


class Source(BaseHTTPRequestHandler):
    """Answers packed, after two failures, from another place, or not at all."""

    failures: ClassVar[list[str]] = []
    over: ClassVar[threading.Event] = threading.Event()
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/moved":
            self._send(302, b"", Location="/packed")
        elif self.path == "/shaky" and len(self.failures) < 2:
            self.failures.append(self.path)
            self._send(503, b"later")
        elif self.path == "/down":
            self._send(500, b"never")
        elif self.path == "/cut":
            self._send(200, b"half", length=8)
        elif self.path == "/cut-packed":
            packed = gzip.compress(b"price " * 1000)
            self._send(200, packed[:-12], length=len(packed), **{"Content-Encoding": "gzip"})
        elif self.path == "/cut-chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"4\r\nhalf\r\n")
            self.close_connection = True
        elif self.path == "/slow":
            self.send_response(200)
            self.send_header("Content-Length", "8")
            self.end_headers()
            self.wfile.write(b"half")
            self.over.wait(30)
        elif self.path == "/nowhere":
            self._send(404, b"no such list")
        elif self.path == "/away":
            self._send(302, b"", Location="http://127.0.0.1:1/")
        elif self.path == "/file":
            self._send(302, b"", Location="file:///etc/passwd")
        elif self.path == "/table":
            self._table()
        else:
            self._send(200, gzip.compress(b"price " * 1000), **{"Content-Encoding": "gzip"})

    def _send(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = length is not None

    def _table(self) -> None:
        """A price list of EC2 of 20 MB: five lines ahead, the columns, and rows of nobody's machine."""
        columns = [*aws.COLUMNS, "Filler"]
        row = ",".join(["Reserved", *["x"] * (len(columns) - 2), "y" * 1000]) + "\n"
        head = ('"FormatVersion","v1.0"\n' * 4 + '"OfferCode","AmazonEC2"\n' + ",".join(columns) + "\n").encode()
        block = (row * 1000).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(head) + 20 * len(block)))
        self.end_headers()
        self.wfile.write(head)
        for _ in range(20):
            self.wfile.write(block)

    def log_message(self, *arguments: object) -> None:
        """Nothing on stderr."""


class Here:
    """Connects to this machine whatever host is asked for."""

    def __init__(self, port: int) -> None:
        self.port, self.pool = port, urllib3.PoolManager()

    def __call__(self, url: str) -> "Here":
        return self

    def request(self, method: str, url: str, **named: Any) -> Any:
        return self.pool.request(method, url.replace("https://a.example", f"http://127.0.0.1:{self.port}"), **named)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    monkeypatch.setattr(urllib3.Retry, "get_backoff_time", lambda self: 0)
    Source.failures.clear()
    Source.over.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Source)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    found = Here(server.server_port)
    yield found
    Source.over.set()
    found.pool.clear()
    server.shutdown()
    server.server_close()


def asked(path: str, limit_bytes: int = 6000) -> Request:
    return Request(url=f"https://a.example{path}", limit_bytes=limit_bytes)


@pytest.mark.parametrize("path", ["/packed", "/moved", "/shaky"])
def test_an_answer_is_unpacked_found_and_asked_for_again(here: Here, path: str) -> None:
    assert b"".join(fetch(asked(path), here)) == b"price " * 1000


def test_the_limit_counts_what_is_unpacked(here: Here) -> None:
    """6,000 bytes packed into some thirty."""
    with pytest.raises(ValueError, match="more than 5,999"):
        list(fetch(asked("/packed", 5999), here))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/down", "500"),
        ("/nowhere", "HTTP status 404"),
        ("/cut", "IncompleteRead|ProtocolError"),
        ("/cut-packed", "IncompleteRead|ProtocolError"),
        ("/cut-chunks", "ProtocolError"),
        ("/away", "another place: http://127.0.0.1:1/"),
        ("/file", "another place: file:///etc/passwd"),
    ],
)
def test_a_source_that_is_down_or_stops_half_way(here: Here, path: str, message: str) -> None:
    with pytest.raises(UnreachableError, match=message):
        list(fetch(asked(path), here))


def test_a_source_that_falls_silent_is_given_up(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "READ_S", 0.2)
    with pytest.raises(UnreachableError, match="did not answer in time"):
        list(fetch(asked("/slow"), here))


def test_a_price_list_passes_through_without_being_held(here: Here) -> None:
    """20 MB from the socket to the adapter of AWS in less than 4 MB of memory, of which the stand-in for AWS holds one."""
    known = Known(day="2026-11-23", nodes={}, offers={}, regions={})
    feed = replace(aws.FEED, requests=lambda known: [asked("/table", 10**9)])
    tracemalloc.start()
    try:
        found = gather([feed], known, lambda key, values: None, lambda request: fetch(request, here))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.failed == {}
    assert set(found.rows) == {"aws"}
    assert peak < 4_000_000


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(UnreachableError, match="no connection"):
            list(fetch(asked("/"), Here(taken.getsockname()[1])))
