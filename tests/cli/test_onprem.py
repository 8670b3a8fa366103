"""--commercial, --carry-in and the site on the command line."""

import json
from pathlib import Path

import pytest

from infra_advisor.cli.onprem import LICENCE
from infra_advisor.cli.option import with_bare_values

from .conftest import Run

QUESTION = ("recommend", "--users", "5", "--top", "1", "--where", "edge", "--accelerator", "rtx-4090")


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["--commercial"], ["--commercial=conditional"]),
        (["--commercial", "--top", "1"], ["--commercial=conditional", "--top", "1"]),
        (["--commercial", "yes"], ["--commercial", "yes"]),
        (["--commercial=yes", "-m", "8b"], ["--commercial=yes", "-m", "8b"]),
        (["-m", "8b"], ["-m", "8b"]),
        ([], []),
    ],
)
def test_a_value_behind_a_bare_option(words: list[str], given: list[str]) -> None:
    assert with_bare_values(words, LICENCE) == given


def test_a_licence_that_does_not_allow_it_is_status_4(run: Run) -> None:
    result = run(*QUESTION, "-m", "qwen2.5-3b-instruct", "--commercial")
    assert result.status == 4
    assert result.out.startswith("Nothing fits: the licence of Qwen2.5-3B-Instruct (qwen-research) does not allow commercial use")


def test_conditions_only_is_status_4_where_none_are_wanted(run: Run) -> None:
    assert run(*QUESTION, "-m", "llama-3.1-8b", "--commercial", "yes").status == 4
    allowed = run(*QUESTION, "-m", "llama-3.1-8b", "--commercial")
    words = " ".join(allowed.out.split())
    assert allowed.status == 0
    assert words.count("700 million monthly users") == 1
    assert "not legal advice" in words


def test_an_unverified_licence_is_listed(run: Run) -> None:
    result = run("recommend", "-m", "glm-5.3", "--commercial", "--top", "1", "--format", "json", "--users", "5")
    record = json.loads(result.out)
    assert (result.status, record["status"], record["licence"]["verdict"]) == (4, "nothing_fits", "unknown")
    assert record["unranked"][0]["reason"].startswith("licence unknown: read https://")


def test_a_workload_file_takes_both(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("model: llama-3.1-8b\nusers: 5\nwhere: edge\naccelerator: rtx-4090\ncommercial: conditional\ncarry-in: true\n")
    result = run("recommend", "-w", str(file), "--top", "1")
    assert result.status == 0
    assert "Licence: llama3.1" in result.out
    assert "What to carry in" in result.out
    file.write_text("model: llama-3.1-8b\ncommercial: yes\n")
    assert run("recommend", "-w", str(file)).status == 4
    file.write_text("model: llama-3.1-8b\ncommercial: true\n")
    assert run("recommend", "-w", str(file)).status == 2


def test_bad_values(run: Run) -> None:
    result = run(*QUESTION, "-m", "8b", "--commercial", "maybe")
    assert result.status == 2
    assert "yes" in result.err
    assert "conditional" in result.err


def test_the_site_is_in_json_and_on_the_explained_page_only(run: Run) -> None:
    plain, explained = run(*QUESTION, "-m", "8b"), run(*QUESTION, "-m", "8b", "--explain", "--residency", "jp")
    assert "Power, cooling" not in plain.out
    assert "Power, cooling" in explained.out
    assert "100 V 15 A (office outlet)" in explained.out
    assert "BTU/h" in explained.out
    needs = json.loads(run(*QUESTION, "-m", "8b", "--residency", "jp", "--format", "json").out)["ranked"][0]["site_needs"]
    assert needs["rated_power_w"] == 1080
    assert needs["one_office_circuit"] is True


def test_a_rented_winner_leaves_nothing_to_carry(run: Run) -> None:
    rented = run("recommend", "-m", "8b", "--users", "5", "--top", "1", "--where", "cloud", "--carry-in")
    assert rented.status == 0
    assert "nothing to carry in" in rented.err
    assert "What to carry in" not in rented.out
    owned = run(*QUESTION, "-m", "8b", "--carry-in")
    assert "nothing to carry in" not in owned.err
    assert "GB at least" in owned.out


@pytest.mark.parametrize("page", [(), ("--format", "markdown"), ("--format", "json"), ("--format", "csv")])
def test_every_format_takes_a_refused_licence(run: Run, page: tuple[str, ...]) -> None:
    result = run(*QUESTION, "-m", "qwen2.5-3b-instruct", "--commercial", "--mix", "--lengths", "lognormal", "--plan-benchmark", *page)
    assert result.status == 4
    assert page[1:] == ("csv",) or "does not allow commercial use" in " ".join(result.out.split())
