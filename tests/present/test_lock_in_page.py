"""Lock-in on pages: one line beside the table, the whole of it with --explain and in memos, three columns in CSV."""

import csv
import io
from collections.abc import Iterator

import pytest
from catalogs import frozen_catalog
from rich.cells import cell_len

from infra_advisor.advice.answer import Answer, Recommendation
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.lock_in_parts import Alternative, Concentration, EngineChoice, Exit, LockIn
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.recommend import recommend
from infra_advisor.present import csv_out, lock_in, render
from infra_advisor.present.blocks import Bullets, Grid, Para, plain
from infra_advisor.present.screen import Screen
from infra_advisor.present.words import words
from infra_advisor.search.workload import Workload

SAY = words()
NONE = Alternative(option=None, reason="nothing else is within the same limits")
DEARER = Alternative(
    option="b/vllm", class_="cloud", provider="b", provider_name="Beta", vendor="amd", accelerator="mi300x",
    accelerator_name="Instinct MI300X", accelerators_total=2, usd_per_mtok_output=1.18, usd_per_month=1180.0,
    more_usd_per_mtok_output=0.18, more_usd_per_month=180.0, more_share=0.18,
)  # fmt: skip
TIED = LockIn(
    engines=(
        EngineChoice(
            id="ollama", name="Ollama", open_source=False, licence="proprietary", openai_compatible=False, container_image=None,
            status="experimental", compiled="a blob", wraps="llama.cpp",
        ),
    ),
    engines_independent=0, weights=None, commitment="for a term",
    exit=Exit(after_months=12, usd=2000.0, usd_at_start=6000.0, months_committed=18),
    another_vendor=DEARER, another_provider=NONE, without_commitment=NONE, vendors=(DEARER,), vendors_total=1, providers=(),
    providers_total=0, concentration=(Concentration(kind="ramping", subject="X1", note="early access"),),
)  # fmt: skip


@pytest.fixture(scope="module")
def found() -> Recommendation:
    return recommend(frozen_catalog(), Workload(model="70b", users=20), Limits(where=("onprem", "cloud")), payment=Payment(), top=12)


@pytest.fixture
def answer(found: Recommendation) -> Answer:
    return found.ranked[0].model_copy(update={"lock_in": TIED})


def sentences(answer: Answer) -> Iterator[str]:
    for block in lock_in.table(answer, SAY):
        if isinstance(block, Bullets):
            yield from map(plain, block.items)


def test_the_line_says_what_each_independence_costs(answer: Answer) -> None:
    """1.18 over 1.00 is 18 % more."""
    (line,) = lock_in.line(answer, SAY)
    assert isinstance(line, Para)
    assert [plain(part) for part in line.parts] == [
        "another chip vendor +18 % (2x Instinct MI300X, Beta); another provider: none (nothing else is within the same limits); "
        "without commitment: none (nothing else is within the same limits); leaving after 12 months costs 2,000 USD."
    ]


def test_the_table_holds_every_fact(answer: Answer) -> None:
    grid = next(block for block in lock_in.table(answer, SAY) if isinstance(block, Grid))
    assert [[plain(cell) for cell in row] for row in grid.rows] == [
        ["another chip vendor", "2x Instinct MI300X, Beta", "1.18", "0.18", "180", "+18 %", "b/vllm"]
    ]
    text = "\n".join(sentences(answer))
    for said in (
        "Ollama (proprietary, not open source, own API only, no image in the catalog, serves a blob, not the checkpoint, "
        "the same arithmetic as llama.cpp, experimental)",
        "not experimental: 0.",
        "the format behind the API is not published",
        "6,000 USD on the first day, 2,000 USD left when leaving after 12 months",
        "X1, whose supply is still ramping up: it comes by allocation (early access)",
    ):
        assert said in text


def test_what_was_not_worked_out_is_not_shown(found: Recommendation) -> None:
    bare = found.ranked[0].model_copy(update={"lock_in": None})
    assert (lock_in.line(bare, SAY), lock_in.table(bare, SAY)) == ([], [])


@pytest.mark.parametrize("kind", ["single-region", "single-supplier", "ramping", "announced", "rent-only", "end-of-life", "cancelled"])
def test_every_concentration_has_words(answer: Answer, kind: str) -> None:
    hung = TIED.model_copy(update={"concentration": (Concentration(kind=kind, subject="X1"),)})  # type: ignore[arg-type]
    assert any("X1" in text for text in sentences(answer.model_copy(update={"lock_in": hung})))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("explain", [False, True])
def test_pages_keep_their_width(found: Recommendation, width: int, *, explain: bool) -> None:
    text = render(found, "table", screen=Screen(width), explain=explain)
    assert ("Lock-in:" in text, "Independence:" in text) == (explain, not explain)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "## Lock-in:" in render(found, "markdown")


def test_csv_has_the_three_premiums(found: Recommendation) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_out.recommendation(found))))
    first, lock = rows[0], found.ranked[0].lock_in
    assert lock is not None
    for name in ("another_vendor", "another_provider", "without_commitment"):
        assert first[f"{name}_more_share"] == str(getattr(lock, name).more_share)
    assert rows[-1]["status"] != "ranked"
    assert rows[-1]["another_vendor_more_share"] == ""


def test_the_limit_is_repeated_and_its_misses_explained() -> None:
    record = recommend(frozen_catalog(), Workload(model="70b", users=20, weights="fp8"), Limits(portable=True))
    text = " ".join(render(record, "table", screen=Screen(100)).split())
    assert "portable: two engines, and two providers or chip vendors" in text
    assert "not portable: 1 engine (vLLM); 2 engines and 2 providers or vendors were asked" in text
    assert "With --portable left out this fits: 1x Instinct MI300X, Crusoe, vLLM fp8" in text
