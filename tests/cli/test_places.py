"""`advisor places`: groups, formats, exit status, and what is said where nothing is kept."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def places(run: Callable[..., Any]) -> Callable[..., Any]:
    """On the bundled catalog, as of the day of its facts."""

    def call(*arguments: str) -> Any:
        return run("places", "--as-of", "2026-11-22", *arguments)

    return call


def test_three_groups_with_reasons(places: Callable[..., Any]) -> None:
    found = places("--residency", "jp", "--no-foreign-law", "us")
    assert found.status == 0
    kept, rest = found.out.split("Unknown, with what to ask")
    unknown, excluded = rest.split("Excluded:")
    assert "data processed in JP; operator not reached by the law of US" in kept
    assert "not legal advice" in kept
    assert "Sakura Internet" in kept
    assert "Amazon" not in kept
    assert "ask" in unknown
    assert "Amazon Web Services" in excluded


def entries(found: Any) -> dict[tuple[str, str | None], dict[str, Any]]:
    document = json.loads(found.out)
    assert document["schema"] == "infra_advisor/places/1"
    return {(one["provider"], one["region"]): one["residency"] for one in document["places"]}


def test_tokyo_of_a_us_operator(places: Callable[..., Any]) -> None:
    near = entries(places("--residency", "jp", "--format", "json"))
    assert near["aws", "ap-northeast-1"]["status"] == "kept"
    far = entries(places("--residency", "jp", "--no-foreign-law", "us", "--format", "json"))["aws", "ap-northeast-1"]
    assert far["status"] == "excluded"
    assert {axis["axis"]: axis["status"] for axis in far["axes"]} == {"residency": "kept", "law": "excluded"}


def test_profiles_of_one_operator(places: Callable[..., Any]) -> None:
    found = entries(places("--residency", "jp", "--provider", "aws", "--format", "json"))
    assert found["aws", "geo:JP"]["status"] == "kept"
    assert found["aws", "geo:APAC"]["status"] == "excluded"
    assert found["aws", "global"]["axes"][0]["why"] == "routed globally: requests may be processed in any country"


def test_csv_and_markdown(places: Callable[..., Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(places("--residency", "jp", "--provider", "sakura", "--format", "csv").out)))
    assert {row["status"] for row in rows} == {"kept"}
    assert all(row["why"].startswith("residency kept: processed in JP") for row in rows)
    assert "## Kept" in places("--residency", "jp", "--format", "markdown").out


def test_nothing_kept_names_what_to_drop(places: Callable[..., Any]) -> None:
    found = places("--residency", "jp", "--keys", "customer", "--attestation", "ismap")
    assert found.status == 4
    assert "Without --keys customer " in found.out
    assert places("--residency", "jp", "--keys", "customer", "--attestation", "ismap", "--allow-unknown").status == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--residency", "jpp"), "--residency: 'jpp' is not a country"),
        (("--residency", "jp:geo,de:storage"), "contradict each other"),
        (("--attestation", "iso99"), "--attestation: 'iso99' is unknown"),
        (("--no-foreign-law", "gdpr"), "accepted: a country such as us or cloudact"),
        (("--provider", "amazn"), "--provider: 'amazn' is unknown"),
    ],
)
def test_bad_input(places: Callable[..., Any], arguments: tuple[str, ...], message: str) -> None:
    found = places(*arguments)
    assert (found.status, found.out) == (2, "")
    assert message in found.err
