"""Fetching, with a stand-in for the network: limits of size and time, and what a person is told of a failure."""

from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from infra_advisor.facts.update import fetch as fetching
from infra_advisor.facts.update.feed import Request
from infra_advisor.facts.update.fetch import UnreachableError, fetch


class Answer:
    """An answer of urllib3, as far as we look at it."""

    def __init__(self, *chunks: bytes | Exception, status: int = 200, url: str = "https://a.example/x") -> None:
        self.chunks, self.status, self.url, self.closed = chunks, status, url, False

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
        list(fetch(ASKED, Pool(Answer(b"x", url=url))))


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
