"""`advisor catalog update` and `advisor catalog diff`: what is said, where, and the exit status."""

import datetime
import errno
import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from catalogs import real_catalog

from infra_advisor.cli import catalog_update
from infra_advisor.facts.update import gather
from infra_advisor.facts.update.feed import Request
from infra_advisor.facts.update.fetch import UnreachableError
from infra_advisor.facts.update.update import update

from .conftest import Run

FEEDS = Path(__file__).resolve().parents[1] / "fixtures" / "feeds"
ANSWERS = {"sakura.ad.jp": "sakura.json", "oracle.com": "oci.json", "githubusercontent.com": "litellm.json"}
OURS = ("update", "--source", "sakura,oci", "--source", "litellm,ecb")


@cache
def today() -> datetime.date:
    catalog = real_catalog()
    seen = max([catalog.version, *(line.seen for line in (*catalog.offers, *catalog.api_prices))])
    return datetime.date.fromisoformat(seen) + datetime.timedelta(days=1)


def ecb() -> bytes:
    """The stored rates moved to today, at 1.1 USD and 172.7 JPY per euro: 157 JPY per USD."""
    text = (FEEDS / "ecb.xml").read_text().replace("2024-06-28", today().isoformat()).replace("1.0705", "1.1").replace("171.94", "172.7")
    return text.replace("7.7748", "7.3").encode()


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The sources answer with what is stored, but for those named; the clock stands a day after the newest price of the catalog."""

    def begin(*broken: str) -> None:
        def fetch(request: Request) -> Iterator[bytes]:
            if any(name in request.url for name in broken):
                raise UnreachableError("no connection")
            names = [name for host, name in ANSWERS.items() if host in request.url]
            yield (FEEDS / names[0]).read_bytes() if names else ecb()

        def run(*arguments: Any, **named: Any) -> Any:
            return update(*arguments, **{**named, "today": today(), "fetch": fetch})

        monkeypatch.setattr("infra_advisor.facts.update.update.update", run)

    return begin


def changes(text: str) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for row in json.loads(text):
        key = (row["change"], row["where"])
        found[key] = found.get(key, 0) + 1
    return found


def test_an_update_shows_what_changed_and_says_how_to_use_it(run: Run, online: Callable[..., None], tmp_path: Path) -> None:
    online()
    layer = tmp_path / "layer"
    done = run("catalog", *OURS, "--into", str(layer), "--format", "json")
    assert done.status == 0
    assert ("changed", "exchange_rates") in changes(done.out)
    assert {path.name for path in layer.iterdir()} == {"offers.csv", "api_prices.csv", "exchange_rates.csv", "fresh-prices.yaml"}
    assert "3 records passed over (2 not priced by the GPU-hour; 1 shape not in the catalog)" in done.err
    assert f"INFRA_ADVISOR_CATALOG={layer}" in done.err
    checked = run("catalog", "check", "--catalog", str(layer), "--as-of", today().isoformat())
    assert checked.status == 0, checked.out


def test_the_update_is_what_the_difference_of_the_layers_is(run: Run, online: Callable[..., None], tmp_path: Path) -> None:
    online()
    shown = run("catalog", *OURS, "--into", str(tmp_path), "--format", "json")
    diff = run("catalog", "diff", "bundled", str(tmp_path), "--as-of", today().isoformat(), "--format", "json")
    assert diff.status == 0
    assert changes(diff.out) == {key: count for key, count in changes(shown.out).items() if key[0] != "quarantined"}


def test_a_dry_run_writes_nothing(run: Run, online: Callable[..., None], tmp_path: Path) -> None:
    online()
    done = run("catalog", *OURS, "--into", str(tmp_path / "layer"), "--dry-run", "--format", "csv")
    assert done.out.startswith("change,where,id,figure,old,new,unit,change_share")
    assert "nothing was written" in done.err
    assert list(tmp_path.iterdir()) == []


def test_one_unreachable_source_is_named_and_the_others_are_written(run: Run, online: Callable[..., None], tmp_path: Path) -> None:
    online("oracle.com")
    done = run("catalog", *OURS, "--into", str(tmp_path))
    assert done.status == 6
    assert "oci: nothing taken: no connection" in done.err
    assert "could not read: oci" in done.err
    assert (tmp_path / "offers.csv").is_file()


def test_without_a_network_each_source_is_named_and_nothing_changes(run: Run, online: Callable[..., None], tmp_path: Path) -> None:
    online("")
    done = run("catalog", *OURS, "--into", str(tmp_path / "layer"))
    assert (done.status, done.out) == (6, "")
    assert all(f"{name}: nothing taken: no connection" in done.err for name in ("sakura", "oci", "litellm", "ecb"))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_named(run: Run, online: Callable[..., None], tmp_path: Path) -> None:
    online()
    (tmp_path / "file").touch()
    done = run("catalog", *OURS, "--into", str(tmp_path / "file" / "layer"))
    assert done.status == 2
    assert "as it was, or complete" in done.err
    assert run("catalog", *OURS, "--into", str(tmp_path / "file")).status == 2


def test_a_directory_that_only_others_may_write_to_is_named(
    run: Run, online: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests may run as a user who may write anywhere, so the system's answer is made up."""
    online()

    def refuse(*arguments: Any, **named: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / ".update.lock"))

    monkeypatch.setattr(os, "open", refuse)
    done = run("catalog", *OURS, "--into", str(tmp_path))
    monkeypatch.undo()
    assert done.status == 2
    assert f"cannot write to {tmp_path}: Permission denied" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_in_words(run: Run, online: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    online()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = run("catalog", *OURS, "--into", str(tmp_path / "layer"))
    assert done.status == 2
    assert "No space left on device; every file there is as it was, or complete" in done.err
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_ends_with_a_word_and_130(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("infra_advisor.facts.update.update.gather", interrupted)
    done = run("catalog", "update", "--into", str(tmp_path / "layer"))
    assert done.status == 130
    assert "interrupted: every file in" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".update.lock").write_text("4711 0")
    done = run("catalog", "update", "--into", str(tmp_path))
    assert done.status == 2
    assert "another update of" in done.err
    assert "process 4711" in done.err


def test_the_default_place_is_where_programs_keep_data(run: Run, online: Callable[..., None], tmp_path: Path, monkeypatch: Any) -> None:
    online()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    run("catalog", "update", "--source", "ecb")
    assert (tmp_path / "infra-advisor" / "fresh-prices" / "exchange_rates.csv").is_file()
    assert run("catalog", "list", "offers", "oci", "--format", "json").out  # no other command looks there


def test_an_unknown_source_is_refused_before_anything_is_asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "gather", None)
    done = run("catalog", "update", "--source", "ebc")
    assert done.status == 2
    assert "ecb" in done.err


def test_the_clock_is_that_of_the_machine(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(date=SimpleNamespace(today=lambda: datetime.date(2026, 1, 2)))
    monkeypatch.setattr(catalog_update, "datetime", clock)
    done = run("catalog", "update", "--source", "ecb")
    assert done.status == 2
    assert "clock says 2026-01-02" in done.err


def test_a_diff_of_facts_is_readable(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        'sources: {q: {title: quote, seen: "2026-11-02"}}\nchips: [{id: h100-sxm, memory_bandwidth: {is: 3.4 TB/s, source: q}}]\n'
    )
    done = run("catalog", "diff", "bundled", str(mine))
    assert done.status == 0
    assert "1 changed" in done.out
    assert "3.35 TB/s" in done.out
    assert "3.4 TB/s" in done.out
    assert "No differences" in run("catalog", "diff", "bundled", "bundled").out
    assert run("catalog", "diff", "bundled", str(tmp_path / "nowhere")).status == 3
