"""Profiles of a week: the bundled ones, a user's own table, a layer's, and what each is refused for."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from catalogs import frozen_catalog, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra_advisor.errors import CatalogError, UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.checks import check_catalog
from infra_advisor.facts.profiles import Profile, read_week, week_of

ANY_FILE = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
Put = Callable[[str | bytes], Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Puts a profile into a file."""

    def put(content: str | bytes) -> Path:
        path = tmp_path / "week.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


def table(loads: list[object], header: str = "hour,load", end: str = "\n") -> str:
    return end.join([header, *(f"{hour},{load}" for hour, load in enumerate(loads))]) + end


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_week(path)
    return str(caught.value)


# -- of the catalog


@pytest.mark.parametrize("name", ["24x7", "office-jp", "coding-2024", "conversation-2024"])
def test_bundled_profiles_are_weeks_with_a_peak(real: Catalog, name: str) -> None:
    profile = real.profiles[name]
    assert len(profile.week) == 168
    assert max(profile.week) == 1.0
    assert min(profile.week) >= 0.0
    assert profile.source
    assert week_of(name, real.profiles) == profile.week


def test_what_the_profiles_mean(real: Catalog) -> None:
    """Round the clock is 1 at every hour. The office sleeps: ten at night to seven in the morning, and on Sunday night.

    Its mean: five days of 0.05 + 0.3 + 0.85 + 1 + 1 + 0.6 + 0.9 + 1 + 1 + 0.95 + 0.8 + 0.45 + 0.25 + 0.12 + 0.06 + 0.02 = 9.35,
    two of 8 x 0.02 = 0.16: (46.75 + 0.32) / 168 = 0.2802.
    """
    assert set(real.profiles["24x7"].week) == {1.0}
    office = real.profiles["office-jp"].week
    assert [office[hour] for hour in (0, 6, 10, 23, 24 * 4 + 10, 24 * 5 + 9, 24 * 5 + 10, 167)] == [0, 0, 1, 0, 1, 0, 0.02, 0]
    assert sum(office) / 168 == pytest.approx(0.2802, rel=1e-3)


def test_a_week_begins_on_monday() -> None:
    """Five workdays, then two days of the weekend."""
    workday, weekend = (1.0, *[0.5] * 23), (0.25,) * 24
    week = Profile(workday=workday, weekend=weekend, source="memory").week
    assert [week[day * 24] for day in range(7)] == [1, 1, 1, 1, 1, 0.25, 0.25]
    assert week == workday * 5 + weekend * 2


def test_names_come_before_files(real: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("24x7").write_text(table([*[0] * 23, 1]))
    assert set(week_of("24x7", real.profiles)) == {1.0}
    assert week_of("./24x7", real.profiles)[:24] == (*[0.0] * 23, 1.0)


@pytest.mark.parametrize("name", ["office", "nosuch", "x" * 300, "nul\0", "no/such/file"])
def test_an_unknown_name_is_told_the_known_ones(real: Catalog, name: str) -> None:
    with pytest.raises(UsageError, match=r"accepted: .*24x7.*office-jp.*or a CSV file of hour,load") as caught:
        week_of(name, real.profiles)
    assert ("Did you mean office-jp?" in str(caught.value)) is (name == "office")


# -- a user's own table


def test_a_day_is_repeated(put: Put) -> None:
    """24 loads from 10 to 240: shares of 240, seven times."""
    day = tuple(10 * (hour + 1) / 240 for hour in range(24))
    assert read_week(put(table([10 * (hour + 1) for hour in range(24)]))) == day * 7


def test_a_week_is_taken_as_it_is(put: Put) -> None:
    """168 loads; the busiest one, 336, is the last."""
    week = read_week(put(table([2 * (hour + 1) for hour in range(168)])))
    assert len(week) == 168
    assert (week[0], week[83], week[167]) == (2 / 336, 0.5, 1.0)


@ANY_FILE
@given(
    loads=st.lists(st.just(0.0) | st.floats(1e-9, 1e9), min_size=24, max_size=24).filter(any), unit=st.sampled_from([1e-3, 1.0, 7.0, 1e6])
)
def test_the_unit_does_not_matter(put: Put, loads: list[float], unit: float) -> None:
    week = read_week(put(table([repr(load) for load in loads])))
    assert max(week) == 1.0
    assert min(week) >= 0.0
    scaled = read_week(put(table([repr(load * unit) for load in loads])))
    assert scaled == pytest.approx(week, rel=1e-9, abs=1e-12)


DAY = [*range(23), 46]
READ = (*(hour / 46 for hour in range(23)), 1.0)


@pytest.mark.parametrize(
    "text",
    [
        table(DAY),
        table(DAY, end="\r\n"),
        "\ufeff" + table(DAY),
        table(DAY, header="Hour, Load"),
        table(DAY).replace("\n", "\n\n"),
        table(DAY) + ",\n \n",
        table(DAY).replace(",", " , "),
        table(DAY).rstrip("\n"),
        table([f'"{load}"' for load in DAY]),
        table([f"{load}e0" for load in DAY]),
    ],
    ids=["plain", "crlf", "bom", "header-case", "blank-lines", "empty-cells", "spaces", "no-last-newline", "quoted", "exponents"],
)
def test_spellings_of_the_same_day(put: Put, text: str) -> None:
    assert read_week(put(text)) == READ * 7


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the first line must be `hour,load`"),
        ("\n\n", "the first line must be `hour,load`"),
        (table(DAY, header="load,hour"), "the first line must be `hour,load`"),
        (table(DAY, header="hour,load,who"), "the first line must be `hour,load`"),
        (table(DAY).split("\n", 1)[1], "the first line must be `hour,load`"),
        (table(DAY, header="hour;load").replace(",", ";"), "the first line must be `hour,load`"),
        ("hour,load\n", "0 hours; a profile has 24 or 168, in order from 0"),
        (table(DAY[:23]), "23 hours; a profile has 24 or 168"),
        (table(DAY * 2), "48 hours; a profile has 24 or 168"),
        (table([1] * 169), "169 hours; a profile has 24 or 168"),
        (table([0] * 24), "no hour has any load"),
    ],
)
def test_tables_that_are_no_week(put: Put, text: str, told: str) -> None:
    path = put(text)
    assert refusal(path).startswith(f"{path}: {told}")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("6,7", "hour 6 stands where hour 5 is expected: every hour once, in order from 0"),
        ("4,7", "hour 4 stands where hour 5 is expected"),
        ("-5,7", "hour -5 stands where hour 5 is expected"),
        ("5", "'5' is not an hour and a load, such as `5,120`"),
        ("5,7,8", "'5,7,8' is not an hour and a load"),
        ("5,", "'5,' is not an hour and a load"),
        ("5,many", "'5,many' is not an hour and a load"),
        ("five,7", "'five,7' is not an hour and a load"),
        ("5.0,7", "'5.0,7' is not an hour and a load"),
        ("5,-7", "a load of -7 is no load; give a number from zero on"),
        ("5,nan", "a load of nan is no load"),
        ("5,inf", "a load of inf is no load"),
        ("5,1e999", "a load of 1e999 is no load"),
        (f"{'9' * 5000},7", f"'{'9' * 5000},7' is not an hour and a load"),
    ],
)
@pytest.mark.parametrize("blank", [0, 2])
def test_a_bad_line_is_named(put: Put, line: str, told: str, blank: int) -> None:
    """Hour 5 stands in line 7, below blank lines in line 9."""
    lines = table(DAY).splitlines()
    lines[6] = line
    path = put("\n".join([lines[0], *[""] * blank, *lines[1:]]))
    assert refusal(path).startswith(f"{path}:{7 + blank}: {told}")


def test_a_broken_quote_is_named(put: Put) -> None:
    path = put(table(DAY).replace("\n5,5", '\n5,"5"x'))
    assert refusal(path).startswith(f"{path}:7: ")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00hour,load", bytes(range(256)) * 40, "hour,load\n0,1\n".encode("utf-16")])
def test_a_binary_file(put: Put, content: bytes) -> None:
    assert "not UTF-8" in refusal(put(content))


def test_zeros_are_no_table(put: Put) -> None:
    assert "the first line must be" in refusal(put(b"\0" * 10_000))


def test_what_is_no_file(tmp_path: Path) -> None:
    """A name that leads nowhere, to a directory, to a pipe or to an endless device is refused at once."""
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "missing.csv", tmp_path, tmp_path / "pipe.csv", Path("/dev/zero")):
        assert refusal(path) == f"{path}: not a regular file; a profile is a CSV file of hour,load"
    assert "File name too long" in refusal(tmp_path / f"{'x' * 300}.csv")


def test_a_file_too_large_is_not_read(put: Put) -> None:
    path = put(b"")
    os.truncate(path, 2**26)
    assert "67,108,864 bytes" in refusal(path)


# -- of a layer

QUOTE = 'sources: {quote: {title: our quote, seen: "2026-11-02"}}'
HALF = f"[{', '.join(['0.5'] * 23)}, 1]"
LOW = HALF.replace(" 1]", " 0.9]")


def layered(folder: Path, text: str) -> Catalog:
    return frozen_catalog(write(folder, {"mine.yaml": text}) / "mine.yaml")


def test_a_layer_adds_a_profile(tmp_path: Path) -> None:
    catalog = layered(tmp_path, f"{QUOTE}\nprofiles: {{shop: {{workday: {HALF}, weekend: {HALF}, source: quote, note: ours}}}}")
    assert set(catalog.profiles) == {"24x7", "office-jp", "shop"}
    assert week_of("shop", catalog.profiles) == (*[0.5] * 23, 1.0) * 7
    assert (catalog.profiles["shop"].source, catalog.profiles["shop"].note) == (("quote",), "ours")
    assert check_catalog(catalog) == []


def test_a_layer_replaces_part_of_a_profile_and_hides_another(tmp_path: Path, frozen: Catalog) -> None:
    text = f"{QUOTE}\nprofiles: {{office-jp: {{workday: {HALF}, source: quote}}, 24x7: {{hide: true}}}}"
    catalog = layered(tmp_path, text)
    assert set(catalog.profiles) == {"office-jp"}
    changed, before = catalog.profiles["office-jp"], frozen.profiles["office-jp"]
    assert changed.workday == (*[0.5] * 23, 1.0)
    assert (changed.weekend, changed.note) == (before.weekend, before.note)
    assert changed.source == ("quote",)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (f"workday: {HALF}, weekend: {HALF}", "shop: source: Field required"),
        (f"workday: {HALF}, weekend: {HALF}, source: []", "shop: source: "),
        (f"workday: {HALF}, weekend: {HALF}, source: gossip", "shop: source: the source 'gossip' is not defined"),
        (f"workday: {HALF}, source: memory", "shop: weekend: Field required"),
        (f"workday: [1, 0.5], weekend: {HALF}, source: memory", "shop: workday: .*24"),
        (f"workday: {HALF.replace(' 1]', ' 1, 1]')}, weekend: {HALF}, source: memory", "shop: workday: .*24"),
        (f"workday: {HALF.replace(' 1]', ' 1.1]')}, weekend: {HALF}, source: memory", "shop: workday.23: .*less than or equal to 1"),
        (f"workday: {HALF.replace('[0.5', '[-0.5')}, weekend: {HALF}, source: memory", "shop: workday.0: .*greater than or equal to 0"),
        (f"workday: {HALF.replace('[0.5', '[.nan')}, weekend: {HALF}, source: memory", "shop: workday.0: "),
        (f"workday: busy, weekend: {HALF}, source: memory", "shop: workday: "),
        (f"workday: {HALF}, weekend: {HALF}, sunday: {HALF}, source: memory", "shop: sunday: Extra inputs"),
        (f"workday: {LOW}, weekend: {LOW}, source: memory", "shop: .*the busiest hour has the share 1"),
    ],
)
def test_a_layer_is_refused(tmp_path: Path, fields: str, told: str) -> None:
    with pytest.raises(CatalogError, match=rf"mine\.yaml: {told}"):
        layered(tmp_path, f"profiles: {{shop: {{{fields}}}}}").profiles  # noqa: B018
