"""Fetching, with a stand-in for the network: limits of size and time, and what a person is told of a failure."""

import gzip
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
import urllib3
from urllib3.util.retry import RequestHistory

from infra_advisor.facts.update import fetch as fetching
from infra_advisor.facts.update.feed import Request
from infra_advisor.facts.update.fetch import UnreachableError, fetch


class Answer:
    """An answer of urllib3, as far as we look at it."""

    def __init__(self, *chunks: bytes | Exception, status: int = 200, led_to: str | None = None) -> None:
        self.chunks, self.status, self.closed = chunks, status, False
        self.retries = urllib3.Retry(history=(RequestHistory("GET", "/x", None, 302, led_to),))

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


@pytest.mark.parametrize("status", [204, 301, 403, 404, 500])
def test_another_status_than_200_is_named(status: int) -> None:
    with pytest.raises(UnreachableError, match=str(status)):
        list(fetch(ASKED, Pool(Answer(b"x", status=status))))


@pytest.mark.parametrize("url", ["http://a.example/", "file:///etc/passwd", "ftp://a.example/"])
def test_only_https_is_fetched(url: str) -> None:
    with pytest.raises(ValueError, match="only https"):
        list(fetch(Request(url=url), Pool(Answer(b"x"))))
    with pytest.raises(UnreachableError, match="redirected away"):
        list(fetch(ASKED, Pool(Answer(b"x", led_to=url))))


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
        else:
            self._send(200, gzip.compress(b"price " * 1000), **{"Content-Encoding": "gzip"})

    def _send(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

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
    server = ThreadingHTTPServer(("127.0.0.1", 0), Source)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    found = Here(server.server_port)
    yield found
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


@pytest.mark.parametrize(("path", "message"), [("/down", "500"), ("/cut", "IncompleteRead|ProtocolError")])
def test_a_source_that_is_down_or_stops_half_way(here: Here, path: str, message: str) -> None:
    with pytest.raises(UnreachableError, match=message):
        list(fetch(asked(path), here))


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(UnreachableError, match="no connection"):
            list(fetch(asked("/"), Here(taken.getsockname()[1])))
