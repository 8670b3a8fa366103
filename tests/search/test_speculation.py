"""Speculative decoding: an input, worked by hand; never on by itself."""

import numpy as np
import pytest
from catalogs import frozen_catalog, real_catalog
from deployments import LLAMA_8B, several, timing
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.advice.estimate import estimate
from infra_advisor.errors import UsageError
from infra_advisor.physics.speculation import Speculation, tokens_per_step
from infra_advisor.search.points import Timing
from infra_advisor.search.workload import Workload


def drafting(timed: Timing, drafts: Speculation) -> Timing:
    lengths = {"input_tokens": timed.input_tokens, "output_tokens": timed.output_tokens}
    return Timing(timed.shape, timed.d, timed.defaults, **lengths, speculation=drafts)


def test_tokens_of_a_step() -> None:
    """Three drafts, each kept with 0.7: 1 + 0.7 + 0.49 + 0.343 = 2.533 = (1 - 0.7^4) / 0.3."""
    assert tokens_per_step(draft_tokens=3, acceptance=0.7) == pytest.approx(1 + 0.7 + 0.49 + 0.343)
    assert Speculation(3, 0.7).tokens_per_step == pytest.approx(2.533)


@given(st.integers(1, 16), st.floats(0.01, 0.98))
def test_a_step_yields_at_least_one_token_and_at_most_all(drafts: int, acceptance: float) -> None:
    found = tokens_per_step(draft_tokens=drafts, acceptance=acceptance)
    assert 1.0 <= found <= drafts + 1.0
    assert tokens_per_step(draft_tokens=drafts, acceptance=acceptance + 0.01) > found


def test_one_stream_gains_almost_the_tokens_of_a_step() -> None:
    """One stream on 1 TB/s reads 15 GB of weights per step whatever is checked. With 32 layers three drafts cost 3/32 of a step, so
    the time per token falls to (1 + 3/32) / 2.533 = 0.432 of what it was; the few products more weigh little."""
    plain = timing(LLAMA_8B)
    drafted = drafting(plain, Speculation(3, 0.7))
    before, after = (timed.serve(several(timed, 1), open_arrivals=False).tpot_s[0] for timed in (plain, drafted))
    assert after / before == pytest.approx((1 + 3 / 32) / 2.533, rel=0.02)


def test_full_batches_gain_nothing() -> None:
    """At 256 streams the step is bound by products, and checking four tokens each costs four times as many."""
    plain = timing(LLAMA_8B, memory_bytes=1e12, linear_flop_per_s=2e13)
    drafted = drafting(plain, Speculation(3, 0.7))
    before, after = (timed.serve(several(timed, 256), open_arrivals=False).tpot_s[0] for timed in (plain, drafted))
    assert after > before


def test_it_is_never_on_by_itself_and_never_well_known() -> None:
    """Without the options nothing is drafted; with them the answer is of grade D, and says what was put in."""
    asked = {"model": "llama-3.1-8b-instruct", "concurrency": 1}
    plain = estimate(frozen_catalog(), "h100-sxm:1", Workload(**asked))
    drafted = estimate(frozen_catalog(), "h100-sxm:1", Workload(**asked, draft_tokens=3, acceptance=0.7))
    assert plain.workload.draft_tokens is None
    assert plain.answer is not None
    assert drafted.answer is not None
    assert not any(term.name == "drafted tokens" for term in plain.answer.terms)
    assert drafted.answer.grade == "D"
    assert drafted.answer.performance.tpot_s.mean < plain.answer.performance.tpot_s.mean
    assert any(one.name == "speculation" and "70%" in (one.note or "") for one in drafted.assumptions)
    decode = sum(term.seconds for term in drafted.answer.terms if term.phase == "decode")
    assert decode == pytest.approx(drafted.answer.performance.tpot_s.mean)


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ({"draft_tokens": 3}, "belong together"),
        ({"acceptance": 0.7}, "belong together"),
        ({"draft_tokens": 0, "acceptance": 0.7}, "1 to 32"),
        ({"draft_tokens": 3, "acceptance": 1.0}, "between 0 and 1"),
        ({"draft_tokens": 3, "acceptance": 70.0}, "between 0 and 1"),
    ],
)
def test_half_a_question_is_refused(given_: dict[str, float], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Workload(model="8b", **given_)  # type: ignore[arg-type]


def test_engines_without_it_are_left_out() -> None:
    """Every engine that answers can check drafts."""
    from infra_advisor.advice.limits import Limits
    from infra_advisor.advice.recommend import recommend

    catalog = real_catalog()
    found = recommend(catalog, Workload(model="8b", users=5, draft_tokens=2, acceptance=0.6), Limits())
    engines = {answer.software.engine for answer in found.ranked if answer.hardware.class_ != "api"}
    assert engines
    assert all(catalog.engines[name].features.speculative_decoding for name in engines)
    assert np.isfinite([answer.performance.tpot_s.mean for answer in found.ranked if answer.performance.tpot_s.mean]).all()
