"""Commercial use of the model as a limit: status x what was asked, terms with their source, and answers that stop at the licence."""

from pathlib import Path

import pytest
from catalogs import frozen_catalog, real_catalog, write

from infra_advisor.advice.answer import Recommendation
from infra_advisor.advice.check import check
from infra_advisor.advice.licence import licence_part, verdict_of
from infra_advisor.advice.licence_parts import amount
from infra_advisor.advice.limits import Commercial, Limits
from infra_advisor.advice.recommend import recommend
from infra_advisor.advice.saved import saved
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.checks import check_catalog
from infra_advisor.search.workload import Workload

TRUTH = [
    ("yes", "yes", "allowed"),
    ("yes", "conditional", "allowed"),
    ("conditional", "yes", "refused"),
    ("conditional", "conditional", "conditional"),
    ("no", "yes", "refused"),
    ("no", "conditional", "refused"),
    ("unverified", "yes", "unknown"),
    ("unverified", "conditional", "unknown"),
]
STRICTNESS = {"allowed": 0, "conditional": 0, "refused": 1, "unknown": 1}


@pytest.mark.parametrize(("commercial", "wanted", "verdict"), TRUTH)
def test_status_and_question(commercial: str, wanted: Commercial, verdict: str) -> None:
    assert verdict_of(commercial, wanted) == verdict


def test_the_stricter_question_never_admits_more() -> None:
    for status in ("yes", "conditional", "no", "unverified"):
        assert STRICTNESS[verdict_of(status, "yes")] >= STRICTNESS[verdict_of(status, "conditional")]


def asked(catalog: Catalog, model: str, commercial: Commercial | None) -> Recommendation:
    return recommend(catalog, Workload(model=model, users=5), Limits(commercial=commercial), top=2)


def with_licence(tmp_path: Path, licence: str) -> Catalog:
    """The frozen catalog with another licence of its 8B model."""
    text = f"sources: {{ours: {{title: our lawyer, seen: 2026-11-20}}}}\nmodels: [{{id: llama-3.1-8b-instruct, licence: {licence}}}]"
    return frozen_catalog(write(tmp_path, {"mine.yaml": text}))


def test_without_the_question_nothing_is_said() -> None:
    record = asked(frozen_catalog(), "8b", None)
    assert record.licence is None
    assert "licence" not in record.model_dump(mode="json")


def test_what_is_allowed_changes_nothing_but_is_said(tmp_path: Path) -> None:
    catalog = with_licence(tmp_path, '{name: apache-2.0, commercial: "yes"}')
    plain, allowed = asked(catalog, "8b", None), asked(catalog, "8b", "yes")
    assert [one.id for one in plain.ranked] == [one.id for one in allowed.ranked]
    assert allowed.licence is not None
    assert allowed.licence.verdict == "allowed"
    assert allowed.warnings == plain.warnings


def test_conditions_are_a_warning(tmp_path: Path) -> None:
    record = asked(frozen_catalog(), "70b", "conditional")
    assert record.ranked
    assert record.licence is not None
    assert record.licence.conditions[0] == "above 700 million monthly users: a licence of its own must be requested"
    assert record.licence.known_by == ("text",)
    assert "700 million monthly users" in record.warnings[0]
    assert "https://example.com/llama3.3" in record.warnings[0]


@pytest.mark.parametrize("wanted", ["yes", "conditional"])
def test_what_is_not_allowed_is_refused_and_nothing_else_searched(tmp_path: Path, wanted: Commercial) -> None:
    record = asked(with_licence(tmp_path, '{name: own, commercial: "no", note: research only}'), "8b", wanted)
    assert record.status == "nothing_fits"
    assert (record.ranked, record.unranked, record.near_misses, record.considered) == ((), (), (), {})
    assert record.licence is not None
    assert record.licence.reason == "the licence of Llama-3.1-8B-Instruct (own) does not allow commercial use (research only)"


def test_what_is_unverified_is_listed_and_not_ranked(tmp_path: Path) -> None:
    catalog = with_licence(tmp_path, "{name: own, commercial: unverified}")
    plain, record = asked(catalog, "8b", None), asked(catalog, "8b", "conditional")
    assert record.status == "nothing_fits"
    assert record.ranked == ()
    assert record.ranked_total == 0
    assert [one.id for one in record.unranked[: len(plain.ranked)]] == [one.id for one in plain.ranked]
    assert all(one.rank is None and "licence unknown: read" in (one.reason or "") for one in record.unranked[: len(plain.ranked)])


def test_a_file_of_ones_own_is_unverified(tmp_path: Path) -> None:
    config = {
        "config.json": '{"model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, '
        '"num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256}'
    }
    record = asked(frozen_catalog(), str(write(tmp_path, config) / "config.json"), "conditional")
    assert record.licence is not None
    assert (record.licence.verdict, record.licence.read) == ("unknown", "the licence file that came with the weights")


def test_hosted_apis_have_terms_of_their_own() -> None:
    record = recommend(real_catalog(), Workload(model="llama-3.3-70b"), Limits(commercial="conditional", where=("api",)), top=1)
    assert record.ranked
    assert any("operator's terms" in said for said in record.warnings)


def test_terms_of_two_licences_hold_together_and_only_for_what_they_were_read() -> None:
    catalog = real_catalog()
    both = next(name for name in catalog.model_ids if "swallow-70b" in name)
    part = licence_part(catalog, catalog.model(both), "conditional")
    assert any(one.above == 700e6 for one in part.thresholds)
    kimi, other = (licence_part(catalog, catalog.model(name), "conditional") for name in ("kimi-k2.5", "minimax-m2.5"))
    assert kimi.name == other.name
    assert len(kimi.thresholds) == 2
    assert other.thresholds == ()


def test_every_threshold_has_a_source_and_a_day() -> None:
    catalog = real_catalog()
    sources = catalog.sources("models")
    for terms in catalog.licences.values():
        assert all("seen" in sources[source] for source in terms.source)
        assert terms.read == "hint" or terms.url


@pytest.mark.parametrize(
    ("counted", "above", "words"),
    [
        ("monthly-users", 7e8, "700 million monthly users"),
        ("monthly-revenue-usd", 2e7, "20 million USD of monthly revenue"),
        ("yearly-revenue-usd", 5e5, "500,000 USD of yearly revenue"),
    ],
)
def test_amounts(counted: str, above: float, words: str) -> None:
    assert amount(counted, above) == words  # type: ignore[arg-type]


def test_a_saved_question_keeps_it(tmp_path: Path) -> None:
    record = asked(frozen_catalog(), "70b", "conditional")
    assert saved(record).asked.limits.commercial == "conditional"
    assert check(frozen_catalog(), record).status == "stands"
    text = "sources: {ours: {title: our lawyer, seen: 2026-11-20}}\n"
    text += 'models: [{id: llama-3.3-70b-instruct, licence: {name: x, commercial: "no"}}]'
    assert check(frozen_catalog(write(tmp_path, {"mine.yaml": text})), record).status != "stands"


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'maybe' is unknown; accepted: yes, conditional"):
        Limits(commercial="maybe")  # type: ignore[arg-type]
    text = "licences: {own: {read: text, thresholds: [{counted: users, above: 5, then: pay}], source: nowhere}}"
    problems = "\n".join(check_catalog(frozen_catalog(write(tmp_path, {"mine.yaml": text}))))
    assert "thresholds.0.counted" in problems


def test_what_was_not_read_is_told() -> None:
    """The licence of Llama 4 was read, its use policy, which is said to exclude licensees in the EU, was not."""
    part = licence_part(real_catalog(), real_catalog().model("llama-4-scout-17b-16e-instruct"), "conditional")
    assert any("not read" in said and "EU" in said for said in part.conditions)
