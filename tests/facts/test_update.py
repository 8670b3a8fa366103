"""An update: what is believed, what is written, and what stays as it was whatever happens."""

import datetime
import errno
import io
import os
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from catalogs import BUNDLED, DAY, FROZEN, frozen_catalog, write

from infra_advisor.errors import CatalogError, UsageError
from infra_advisor.facts.api_offers import ApiOffer
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.checks import check_catalog
from infra_advisor.facts.market import ExchangeRate, Offer, price_on
from infra_advisor.facts.update import gather as gathering
from infra_advisor.facts.update import layer, sources, update
from infra_advisor.facts.update.feed import Feed, Known, Request, Rows
from infra_advisor.facts.update.fetch import UnreachableError
from infra_advisor.facts.update.judge import Judged, judge
from infra_advisor.facts.update.lock import STALE_S, locked

TODAY = datetime.date(2026, 11, 23)
READ = {"from": "2026-11-23", "seen": "2026-11-23", "source": "aws-feed"}
P5 = "aws-p5.48xlarge-us-east-1"
G6 = "aws-g6.12xlarge-us-east-1"
Run = Callable[..., update.Updated]
LLAMA = "deepinfra-meta-llama-llama-3.3-70b-instruct"


def offer(name: str = P5, **fields: object) -> Offer:
    """A line of the mini catalog as a source would show it today: list price only."""
    lines = [one for one in frozen_catalog().offers if one.id == name]
    kept = {key: getattr(lines[-1], key) for key in ("id", "node", "provider", "region", "country", "price_kind", "currency")}
    return Offer.model_validate({**kept, "per_h": lines[-1].per_h, **READ, **fields})


def token_price(**fields: object) -> ApiOffer:
    line = next(one for one in frozen_catalog().api_prices if one.id == LLAMA)
    return ApiOffer.model_validate({**line.model_dump(by_alias=True), **READ, **fields})


def rate(per_usd: str, day: str = "2026-11-20", currency: str = "JPY") -> ExchangeRate:
    return ExchangeRate(id=f"{currency.lower()}-{day}", currency=currency, day=day, per_usd=Decimal(per_usd), source="ecb-feed")


def judged(rows: Rows | dict[str, Rows], catalog: Catalog | None = None) -> Judged:
    return judge(catalog or frozen_catalog(day=TODAY), rows if isinstance(rows, dict) else {"aws": rows})


def quarantined(found: Judged) -> list[str]:
    return [change.reason for change in found.changes if change.what == "quarantined"]


# -- what is believed


def test_an_unchanged_price_is_seen_again_and_keeps_its_day_and_its_other_terms() -> None:
    found = judged(Rows(offers=[offer()]))
    (row,) = found.rows["offers"]
    line = price_on([one for one in frozen_catalog().offers if one.id == P5], "2026-11-23")
    assert line is not None
    assert row == line.model_copy(update={"seen": "2026-11-23", "source": f"{line.source} aws-feed"})
    assert (found.changes, found.confirmed["aws"]) == ([], 1)


def test_a_changed_price_is_a_later_line_without_the_terms_of_the_old_one() -> None:
    """55.04 -> 49.536 USD/h is a tenth less; what spot and reservation cost now is not known."""
    found = judged(Rows(offers=[offer(per_h="49.536")]))
    (row,) = found.rows["offers"]
    assert (row.from_, row.seen, row.per_h, row.spot_per_h, row.source) == ("2026-11-23", "2026-11-23", Decimal("49.536"), None, "aws-feed")
    shares = {change.figure: (change.what, change.share) for change in found.changes}
    assert shares == {"per_h": ("changed", Decimal("-0.1")), "spot_per_h": ("gone", None), "reserved_3y_per_h": ("gone", None)}


def test_a_changed_spot_price_leaves_the_rest_of_the_line() -> None:
    (row,) = judged(Rows(offers=[offer(per_h="55.0401", spot_per_h="21")])).rows["offers"]
    line = next(one for one in frozen_catalog().offers if one.id == P5)
    changed = {"spot_per_h": Decimal(21), "from_": "2026-11-23", "seen": "2026-11-23", "source": f"{line.source} aws-feed"}
    assert row == line.model_copy(update={**changed, "date_precision": "day"})


@pytest.mark.parametrize(("per_h", "confirmed"), [("55.0674", 1), ("55.0676", 0)])
def test_rounding_is_no_change(per_h: str, confirmed: int) -> None:
    """A difference of 0.05 % of 55.04 is 0.02752: 55.06752 is the edge."""
    found = judged(Rows(offers=[offer(per_h=per_h)]))
    assert found.confirmed["aws"] == confirmed
    (row,) = found.rows["offers"]
    assert row.per_h == (Decimal("55.04") if confirmed else Decimal(per_h))


def test_a_reading_older_than_the_line_in_force_changes_nothing() -> None:
    """The line was last read on 2026-11-09."""
    found = judged(Rows(offers=[offer(per_h="60", **{"from": "2026-11-08", "seen": "2026-11-08"})]))
    assert (found.rows["offers"], found.changes) == ([], [])
    assert found.skipped["aws"] == {"older than the line in force": 1}


@pytest.mark.parametrize(
    ("flag", "same", "other"),
    [("stale", None, None), ("unverified", "unverified", None), ("outlier", "outlier", "outlier"), (None, None, None)],
)
def test_what_becomes_of_a_mark(tmp_path: Path, flag: str | None, same: str | None, other: str | None) -> None:
    """Age ends with a reading. An outlier stays one until a person has looked: the next price may be as odd as the last."""
    lines = ["id,node,provider,region,country,price_kind,currency,per_h,from,seen,flag,source"]
    lines.append(f"{P5},aws-p5.48xlarge,aws,us-east-1,US,on-demand,USD,55.04,2026-11-10,2026-11-10,{flag or ''},quote")
    write(tmp_path, {"offers.csv": "\n".join(lines), "sources.yaml": 'sources: {quote: {title: q, seen: "2026-11-10"}}'})
    found = []
    for per_h in ("55.04", "50"):
        (row,) = judged(Rows(offers=[offer(per_h=per_h)]), frozen_catalog(tmp_path, day=TODAY)).rows["offers"]
        found.append(row.flag)
    assert found == [same, other]


def test_what_no_price_list_says_stays_with_the_offer() -> None:
    """The container service is for batch work and sold per task; a new price does not make it a server."""
    (row,) = judged(Rows(offers=[offer("sakura-dok-h100-80gb-ishikari-serverless", per_h=900)])).rows["offers"]
    assert (row.use, row.minimum, row.tax_included) == ("batch-only", "60 s per task", True)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"per_h": "165.2"}, "rises 3.0 times"),
        ({"per_h": "18.34"}, "falls 3.0 times"),
        ({"per_h": "60", "from": "2026-11-24", "seen": "2026-11-24"}, "dated 2026-11-24, after today"),
        ({"per_h": "60", "currency": "JPY"}, "in JPY"),
        ({"per_h": "60", "node": "aws-g6.12xlarge"}, "belongs to aws-p5.48xlarge"),
        ({"per_h": "50", "spot_per_h": "61"}, "spot 61 is above on-demand 50"),
        ({"per_h": "60", "note": "=HYPERLINK(1)"}, "text that no price list holds"),
        ({"per_h": "60", "note": "a\nb"}, "text that no price list holds"),
    ],
)
def test_a_price_beyond_belief_is_shown_and_not_written(fields: dict[str, object], reason: str) -> None:
    """55.04 USD/h x 3 = 165.12; a third of it is 18.347."""
    found = judged(Rows(offers=[offer(**fields), offer(G6)]))
    assert [row.id for row in found.rows["offers"]] == [G6]
    assert len(quarantined(found)) == 1
    assert reason in quarantined(found)[0]


@pytest.mark.parametrize("per_h", ["165.1", "18.35"])
def test_a_jump_within_the_line_is_written(per_h: str) -> None:
    assert not quarantined(judged(Rows(offers=[offer(per_h=per_h)])))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"id": "new-one", "per_h": "400"}, "outside 0.01 to 40"),
        ({"id": "new-one", "per_h": "0.05"}, "outside 0.01 to 40"),
        ({"id": "new-one", "region": "../../etc"}, "has no region"),
        ({"id": "new-one", "provider": "runpod"}, "belongs to aws"),
        ({"id": "new one"}, "text that no price list holds"),
        ({"id": "=cmd"}, "text that no price list holds"),
        ({"id": "new-one", "currency": "XYZ"}, "no exchange rate"),
    ],
)
def test_a_new_offer_must_hold_by_itself(fields: dict[str, object], reason: str) -> None:
    """Eight chips: 400 USD/h is 50 per chip, 0.05 is 0.006."""
    found = judged(Rows(offers=[offer(**fields)]))
    assert found.rows["offers"] == []
    assert reason in quarantined(found)[0]


def test_a_list_that_dates_its_price_before_the_line_in_force_counts_from_the_day_it_is_read() -> None:
    """The list says since 2026-01-01, the line in force since 2026-07-20: a line of January would never be used."""
    (row,) = judged(Rows(offers=[offer(per_h="50", **{"from": "2026-01-01"})])).rows["offers"]
    assert row.from_ == "2026-11-23"


def test_what_a_more_direct_source_gave_is_not_replaced() -> None:
    found = judged({"aws": Rows(offers=[offer(per_h="50"), offer(per_h="51")]), "skypilot": Rows(offers=[offer(per_h="54")])})
    assert [row.per_h for row in found.rows["offers"]] == [50]
    assert found.skipped == {"aws": {"appears twice": 1}, "skypilot": {"given by a more direct source": 1}}


def test_what_a_more_direct_source_gives_is_not_gone_from_the_other(run: Run, tmp_path: Path) -> None:
    """A line that gpuhunt gave once; today both show it."""
    run(tmp_path, {"gpuhunt": Rows(offers=[offer(per_h="50", source="gpuhunt-feed"), offer(G6, source="gpuhunt-feed")])})
    both = {"aws": Rows(offers=[offer(per_h="50")]), "gpuhunt": Rows(offers=[offer(G6, source="gpuhunt-feed")])}
    assert run(tmp_path, both).judged.changes == []


def test_of_two_sources_of_one_price_the_first_is_written(run: Run, tmp_path: Path) -> None:
    """Both say that the offer costs something else from today: same id, same day. One line, from the provider's own list."""
    assert sources.chosen(["gpuhunt", "aws"]) == ("aws", "gpuhunt")
    found = {"aws": Rows(offers=[offer(per_h="50")]), "gpuhunt": Rows(offers=[offer(per_h="49", source="gpuhunt-feed")])}
    run(tmp_path, found)
    (row,) = [one for one in frozen_catalog(tmp_path, day=TODAY).offers if one.id == P5 and one.from_ == "2026-11-23"]
    assert (row.per_h, row.source) == (50, "aws-feed")
    later = run(tmp_path, {"gpuhunt": found["gpuhunt"]})
    assert later.judged.skipped["gpuhunt"] == {"already changed on that day, by another source": 1}
    assert later.written == ()


def test_a_source_may_change_its_mind_within_a_day(run: Run, tmp_path: Path) -> None:
    """A list that dates its price to 2026-11-01: its second price of today takes the place of the first."""
    for per_h in ("50", "51"):
        run(tmp_path, {"aws": Rows(offers=[offer(per_h=per_h, **{"from": "2026-11-01"})])})
    lines = [one for one in frozen_catalog(tmp_path, day=TODAY).offers if one.id == P5]
    assert [(one.from_, one.per_h) for one in lines] == [
        ("2026-07-20", Decimal("55.04")), ("2026-11-01", 50), ("2026-11-23", 51),
    ]  # fmt: skip
    run(tmp_path, {"aws": Rows(offers=[offer(per_h="52", **{"from": "2026-11-01"})])})
    lines = [one for one in frozen_catalog(tmp_path, day=TODAY).offers if one.id == P5]
    assert [(one.from_, one.per_h) for one in lines][2:] == [("2026-11-23", 52)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"input_per_mtok": "0.7"}, "rises 3.0 times"),
        ({"input_per_mtok": "0.1", "cached_input_per_mtok": "0.2"}, "above the list price"),
        ({"batch_input_per_mtok": "0.0001"}, "outside 0.001 to 1,000"),
        ({"currency": "JPY"}, "in JPY"),
    ],
)
def test_token_prices_are_judged_too(fields: dict[str, object], reason: str) -> None:
    found = judged(Rows(api_prices=[token_price(**fields)]))
    assert found.rows["api_prices"] == []
    assert reason in quarantined(found)[0]


def test_a_token_price_that_falls_is_a_later_line() -> None:
    (row,) = judged(Rows(api_prices=[token_price(input_per_mtok="0.2")])).rows["api_prices"]
    assert (row.input_per_mtok, row.output_per_mtok, row.from_, row.model) == (
        Decimal("0.2"), Decimal("0.4"), "2026-11-23", "llama-3.3-70b-instruct",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("per_usd", "day", "written", "said"),
    [
        ("150", "2026-11-20", 1, ""),
        ("110.07", "2026-11-20", 0, "changes by 30%"),
        ("204.43", "2026-11-20", 0, "changes by 30%"),
        ("157.25027", "2026-10-30", 0, ""),
        ("150", "2026-10-30", 0, "another rate"),
        ("150", "2026-10-29", 0, ""),
        ("150", "2026-11-24", 0, "after today"),
    ],
)
def test_exchange_rates(per_usd: str, day: str, written: int, said: str) -> None:
    """157.25027 JPY/USD on 2026-10-30; 30 % of it up is 204.425, down 110.075."""
    found = judged(Rows(exchange_rates=[rate(per_usd, day)]))
    assert len(found.rows["exchange_rates"]) == written
    assert len(quarantined(found)) == bool(said)
    assert all(said in reason for reason in quarantined(found))


def test_prices_are_judged_at_the_rates_of_the_same_update() -> None:
    """A currency that only the new rates know."""
    new = offer(id="in-zloty", currency="PLN", per_h="100")
    assert quarantined(judged({"aws": Rows(offers=[new])}))
    assert not quarantined(judged({"ecb": Rows(exchange_rates=[rate("3.6", currency="PLN")]), "aws": Rows(offers=[new])}))


# -- the layer


def feed_of(rows: Callable[[Known], Rows], name: str = "aws") -> Feed:
    return Feed(name=name, title=f"Prices of {name}", requests=lambda known: [Request(url=f"https://{name}.example/")],
                adapt=lambda chunks, known: rows(known) if list(chunks) else Rows())  # fmt: skip


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., update.Updated]:
    """Run an update of the mini catalog from made-up feeds: name -> rows, or the error that fetching ends with."""
    monkeypatch.setattr(update, "catalog_dir", lambda: FROZEN)

    def call(folder: Path, found: dict[str, Rows | Exception], day: datetime.date = TODAY, dry_run: bool = False) -> update.Updated:
        def fetch(request: Request) -> Iterator[bytes]:
            outcome = found[request.url.removeprefix("https://").removesuffix(".example/")]
            yield b"some bytes"
            if isinstance(outcome, Exception):
                raise outcome

        monkeypatch.setattr(update, "feed", lambda name: feed_of(lambda known: _rows(found[name]), name))
        return update.update(list(found), folder, lambda key, values: None, dry_run=dry_run, today=day, fetch=fetch)

    return call


def _rows(outcome: Rows | Exception) -> Rows:
    assert isinstance(outcome, Rows)
    return outcome


def test_a_layer_is_written_that_the_catalog_reads_and_finds_sound(run: Run, tmp_path: Path) -> None:
    found = Rows(offers=[offer(per_h="50"), offer(G6)], api_prices=[token_price(input_per_mtok="0.2")], exchange_rates=[rate("150")])
    done = run(tmp_path / "new" / "layer", {"aws": found})
    assert sorted(path.name for path in done.written) == ["api_prices.csv", "exchange_rates.csv", "fresh-prices.yaml", "offers.csv"]
    catalog = frozen_catalog(tmp_path / "new" / "layer", day=TODAY)
    assert check_catalog(catalog) == check_catalog(frozen_catalog(day=TODAY))
    lines = [one for one in catalog.offers if one.id == P5]
    assert [(one.from_, one.per_h) for one in lines] == [("2026-07-20", Decimal("55.04")), ("2026-11-23", 50)]
    assert catalog.sources("offers")["aws-feed"] == {"title": "Prices of aws", "ref": "https://aws.example/", "seen": "2026-11-23"}


def test_later_updates_add_lines_and_lose_none(run: Run, tmp_path: Path) -> None:
    """Three days: 50, 50 again, 45. Two lines of ours: the first seen last on the second day, and the one of the third."""
    for day, per_h in ((23, "50"), (24, "50"), (25, "45")):
        text = f"2026-11-{day}"
        run(tmp_path, {"aws": Rows(offers=[offer(per_h=per_h, **{"from": text, "seen": text})])}, datetime.date(2026, 11, day))
    lines = [one for one in frozen_catalog(tmp_path, day=datetime.date(2026, 11, 25)).offers if one.id == P5]
    assert [(one.from_, one.per_h, one.seen) for one in lines] == [
        ("2026-07-20", Decimal("55.04"), "2026-11-09"), ("2026-11-23", 50, "2026-11-24"), ("2026-11-25", 45, "2026-11-25"),
    ]  # fmt: skip


def test_the_same_update_twice_changes_nothing(run: Run, tmp_path: Path) -> None:
    found = Rows(offers=[offer(per_h="50")], exchange_rates=[rate("150")])
    run(tmp_path, {"aws": found})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again = run(tmp_path, {"aws": found})
    assert (again.written, again.judged.changes) == ((), [])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_offer_that_the_source_no_longer_shows_is_said_to_be_gone_and_stays(run: Run, tmp_path: Path) -> None:
    run(tmp_path, {"aws": Rows(offers=[offer(per_h="50"), offer(G6)])})
    done = run(tmp_path, {"aws": Rows(offers=[offer(per_h="50")])})
    assert [(change.what, change.id) for change in done.judged.changes] == [("gone", G6)]
    assert G6 in (tmp_path / "offers.csv").read_text()


def test_silence_of_a_source_that_leaves_out_the_unchanged_says_nothing(run: Run, tmp_path: Path) -> None:
    run(tmp_path, {"aws": Rows(offers=[offer(per_h="50"), offer(G6)])})
    catalog = frozen_catalog(tmp_path, day=TODAY)
    assert judge(catalog, {"aws": Rows(offers=[offer(per_h="50")])}, partial={"aws"}).changes == []


def test_a_broken_source_does_not_hold_back_the_others(run: Run, tmp_path: Path) -> None:
    done = run(
        tmp_path,
        {
            "aws": Rows(offers=[offer(per_h="50")]),
            "gcp": UnreachableError("answered with HTTP status 500"),
            "oci": ValueError("expected items"),
        },
    )
    assert done.gathered.failed == {
        "gcp": "answered with HTTP status 500 (https://gcp.example/)",
        "oci": "expected items (https://oci.example/)",
    }
    assert "50" in (tmp_path / "offers.csv").read_text()
    assert "gcp-feed" not in (tmp_path / "fresh-prices.yaml").read_text()


def test_a_dry_run_and_an_update_without_rows_write_nothing(run: Run, tmp_path: Path) -> None:
    done = run(tmp_path / "a", {"aws": Rows(offers=[offer(per_h="50")])}, dry_run=True)
    assert [change.what for change in done.judged.changes].count("changed") == 1
    run(tmp_path / "a", {"aws": Rows()})
    run(tmp_path / "a", {"aws": UnreachableError("no connection")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("when", ["write", "force to disk", "take its place"])
def test_a_full_disk_or_an_interrupt_leaves_whole_files(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """Whatever fails, each file is the old or the new one, the layer can be read, and no half of one lies about."""
    run(tmp_path, {"aws": Rows(offers=[offer(per_h="50")], exchange_rates=[rate("150")])})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    calls = []

    def full(*arguments: Any) -> None:
        calls.append(arguments)
        if when != "take its place":
            raise OSError(28, "No space left on device")
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*arguments)

    name = {"write": "_table_text", "force to disk": "fsync", "take its place": "replace"}[when]
    place: Any = layer if when == "write" else os
    real = getattr(place, name)
    monkeypatch.setattr(place, name, full)
    later = Rows(offers=[offer(per_h="45", **{"from": "2026-11-24", "seen": "2026-11-24"})], exchange_rates=[rate("151", "2026-11-23")])
    with pytest.raises((OSError, KeyboardInterrupt)):
        run(tmp_path, {"aws": later}, datetime.date(2026, 11, 24))
    monkeypatch.undo()
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(after) == set(before)
    if when != "take its place":
        assert after == before
    assert len(frozen_catalog(tmp_path, day=TODAY).offers) >= len(frozen_catalog().offers) + 1


@pytest.mark.parametrize("day", ["2026-11-21", "2001-01-01"])
def test_a_clock_that_is_behind_is_refused(run: Run, tmp_path: Path, day: str) -> None:
    with pytest.raises(UsageError, match=f"clock says {day}, but the catalog holds prices read on 2026-11-22"):
        run(tmp_path, {"aws": Rows(offers=[offer(per_h="50")])}, datetime.date.fromisoformat(day))
    assert list(tmp_path.iterdir()) == []


def test_a_clock_that_fell_behind_the_last_update_is_refused(run: Run, tmp_path: Path) -> None:
    run(tmp_path, {"aws": Rows(offers=[offer(per_h="50")])})
    with pytest.raises(UsageError, match="set the clock"):
        run(tmp_path, {"aws": Rows()}, DAY)


def test_only_a_layer_of_its_own_is_written_to(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="not a directory"):
        run(tmp_path / "file", {"aws": Rows()})
    with pytest.raises(UsageError, match="a whole catalog"):
        run(FROZEN, {"aws": Rows()})
    write(tmp_path, {"layer/offers.csv": "id,per_h\nbroken,1\n"})
    with pytest.raises(CatalogError):
        run(tmp_path / "layer", {"aws": Rows(offers=[offer(per_h="50")])})
    assert (tmp_path / "layer" / "offers.csv").read_text() == "id,per_h\nbroken,1\n"


def test_a_directory_is_updated_by_one_run_at_a_time(run: Run, tmp_path: Path) -> None:
    """While one run is at work, a second is refused; afterwards nothing but the layer is left."""
    with locked(tmp_path, lambda key, values: None):
        with pytest.raises(UsageError, match=rf"another update of .* is running \(process {os.getpid()}\)"):
            run(tmp_path, {"aws": Rows(offers=[offer(per_h="50")])})
        assert [path.name for path in tmp_path.iterdir()] == [".update.lock"]
    run(tmp_path, {"aws": Rows(offers=[offer(per_h="50")])})
    assert {path.name for path in tmp_path.iterdir()} == {"offers.csv", "fresh-prices.yaml"}


def test_a_lock_that_nobody_keeps_is_taken_over_with_a_word(run: Run, tmp_path: Path) -> None:
    lock = tmp_path / ".update.lock"
    lock.write_text("1 2")
    with pytest.raises(UsageError, match="process 1"), locked(tmp_path, lambda key, values: None):
        pytest.fail("the lock is fresh")
    os.utime(lock, (1, lock.stat().st_mtime - STALE_S - 1))
    told: list[str] = []
    with locked(tmp_path, lambda key, values: told.append(key)) as keep:
        os.utime(lock, (1, 1))
        keep()
        assert lock.stat().st_mtime > 1
    assert told == ["update.stale"]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_another_run_took_over_is_left_to_it(tmp_path: Path) -> None:
    with locked(tmp_path, lambda key, values: None):
        (tmp_path / ".update.lock").write_text("another")
    assert (tmp_path / ".update.lock").read_text() == "another"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_what_ends_a_run_halfway_leaves_the_layer_and_no_files_beside_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """The disk is full, or somebody presses Ctrl-C, in the middle of a write."""
    run(tmp_path, {"aws": Rows(offers=[offer(per_h="50")])})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    real = Path.open

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise error

    def opened(path: Path, *arguments: Any, **named: Any) -> Any:
        if path.name.endswith(".part"):
            real(path, "w").close()  # the file is there, and empty
            return Full()
        return real(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(type(error)):
        run(tmp_path, {"aws": Rows(offers=[offer(G6)])})
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_links_are_followed_to_where_they_lead(run: Run, tmp_path: Path) -> None:
    """To a directory: written there. To the bundled catalog or into it: refused. To nowhere: an error, and nothing is made."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    run(tmp_path / "link", {"aws": Rows(offers=[offer(per_h="50")])})
    assert (tmp_path / "real" / "offers.csv").is_file()
    (tmp_path / "bundled").symlink_to(FROZEN)
    (tmp_path / "inside").symlink_to(BUNDLED / "chips")
    for name in ("bundled", "inside"):
        with pytest.raises(UsageError, match="a whole catalog"):
            run(tmp_path / name, {"aws": Rows(offers=[offer(per_h="50")])})
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OSError, match="dangling"):
        run(tmp_path / "dangling", {"aws": Rows(offers=[offer(per_h="50")])})
    assert not (tmp_path / "nowhere").exists()


def test_a_linked_table_is_replaced_and_what_it_led_to_stays(run: Run, tmp_path: Path) -> None:
    run(tmp_path / "layer", {"aws": Rows(offers=[offer(per_h="50")])})
    table = tmp_path / "layer" / "offers.csv"
    elsewhere = tmp_path / "elsewhere.csv"
    table.rename(elsewhere)
    table.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    run(tmp_path / "layer", {"aws": Rows(offers=[offer(G6)])})
    assert not table.is_symlink()
    assert elsewhere.read_bytes() == before


def test_a_directory_with_other_files_is_not_written_to(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError, match="holds files, but no layer"):
        run(tmp_path, {"aws": Rows(offers=[offer(per_h="50")])})
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


# -- all sources at once


def known_nothing() -> Known:
    return Known(day="2026-11-23", nodes={}, offers={}, regions={})


def heard() -> tuple[list[tuple[str, str]], Callable[[str, Any], None]]:
    told: list[tuple[str, str]] = []
    return told, lambda key, values: told.append((key, values["source"]))


def test_pages_are_followed_to_the_last_and_only_at_the_same_place() -> None:
    def feed(next_url: str) -> Feed:
        def follow(whole: bytes) -> Request | None:
            return Request(url=next_url) if whole == b"1" else None

        def adapt(chunks: Any, known: Known) -> Rows:
            rows = Rows()
            rows.skipped[b"".join(chunks).decode()] += 1
            return rows

        return Feed(name="azure", title="x", requests=lambda known: [Request(url="https://a.example/1")], adapt=adapt, next_request=follow)

    def fetch(request: Request) -> Iterator[bytes]:
        yield request.url[-1].encode()

    _, tell = heard()
    assert gathering.gather([feed("https://a.example/2")], known_nothing(), tell, fetch).rows["azure"].skipped == {"1": 1, "2": 1}
    for elsewhere in ("http://a.example/2", "https://b.example/2", "file:///etc/passwd"):
        assert "another place" in gathering.gather([feed(elsewhere)], known_nothing(), tell, fetch).failed["azure"]
    assert "more than" in gathering.gather([feed("https://a.example/1")], known_nothing(), tell, fetch).failed["azure"]


def test_a_bug_in_an_adapter_is_the_failure_of_its_source() -> None:
    def broken(chunks: Any, known: Known) -> Rows:
        raise KeyError("price")

    told, tell = heard()
    fetch: Any = lambda request: iter([b"x"])  # noqa: E731
    feeds = [
        Feed(name="oci", title="x", requests=lambda known: [Request(url="https://a.example/")], adapt=broken),
        feed_of(lambda known: Rows()),
    ]
    found = gathering.gather(feeds, known_nothing(), tell, fetch)
    assert found.failed == {"oci": "KeyError: 'price'"}
    assert set(found.rows) == {"aws"}
    assert sorted(told) == [("update.failed", "oci"), ("update.read", "aws")]


def test_silence_everywhere_ends_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No byte from anyone: the network is down, and nobody waits for the slowest resolver."""
    monkeypatch.setattr(gathering, "FIRST_ANSWER_S", 0.0)
    over = threading.Event()

    def fetch(request: Request) -> Iterator[bytes]:
        over.wait(60)
        yield b""

    _, tell = heard()
    found = gathering.gather([feed_of(lambda known: Rows(), name) for name in ("aws", "gcp")], known_nothing(), tell, fetch)
    over.set()
    assert found.failed == {"aws": "did not answer in time", "gcp": "did not answer in time"}


def test_one_silent_source_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "SILENCE_S", 0.3)
    over = threading.Event()

    def fetch(request: Request) -> Iterator[bytes]:
        if "gcp" in request.url:
            over.wait(60)
        yield b"x"

    _, tell = heard()
    found = gathering.gather([feed_of(lambda known: Rows(), name) for name in ("aws", "gcp")], known_nothing(), tell, fetch)
    over.set()
    assert (set(found.rows), found.failed) == ({"aws"}, {"gcp": "did not answer in time"})
