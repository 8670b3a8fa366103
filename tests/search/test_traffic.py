"""Lengths and what a run needs to know beside its load."""

import math
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra_advisor.errors import UsageError
from infra_advisor.search.traffic import CHUNK, Draws, Lengths, Traffic

LOGNORMAL = Lengths("lognormal", sigma=0.8)
UNIFORM = Lengths("uniform", least_share=0.5, most_share=1.5)


def lengths(kind: Lengths, count: int, *, seed: int = 1, longest: float = 1e9, output: float = 300.0) -> tuple[np.ndarray, np.ndarray]:
    """Prompts of 1,000 tokens on average, and answers."""
    prompts, outputs = zip(*islice(Draws(seed, kind, 1000.0, output, longest).lengths(), count), strict=True)
    return np.array(prompts), np.array(outputs)


# -- distributions


def test_equal_lengths_are_the_stated_ones() -> None:
    prompts, outputs = lengths(Lengths(), 5000)
    assert set(prompts) == {1000}
    assert set(outputs) == {300}
    assert not Lengths().spread


@pytest.mark.parametrize("kind", [LOGNORMAL, UNIFORM, Lengths("lognormal", sigma=0.3)])
def test_the_mean_is_the_stated_one(kind: Lengths) -> None:
    """100,000 draws: of a lognormal with sigma 0.8 the spread is sqrt(exp(0.64) - 1) = 0.95 of the mean, so the mean is known to 0.3 %."""
    prompts, outputs = lengths(kind, 100_000)
    assert kind.mean_share == 1.0
    assert np.mean(prompts) == pytest.approx(1000, rel=0.012)
    assert np.mean(outputs) == pytest.approx(300, rel=0.012)


@pytest.mark.parametrize(("quantile", "normal"), [(0.5, 0.0), (0.9, 1.281552), (0.95, 1.644854), (0.05, -1.644854)])
def test_quantiles_of_a_lognormal(quantile: float, normal: float) -> None:
    """exp(sigma z - sigma^2 / 2) of the mean: the median of sigma 0.8 is exp(-0.32) = 0.726, its p95 exp(0.8 x 1.645 - 0.32) = 2.707."""
    expected = math.exp(0.8 * normal - 0.32)
    prompts, _ = lengths(LOGNORMAL, 100_000)
    assert LOGNORMAL.share_at(quantile) == pytest.approx(expected, rel=1e-5)
    assert np.quantile(prompts, quantile) == pytest.approx(1000 * expected, rel=0.02)
    assert LOGNORMAL.spread


def test_a_uniform_spread_keeps_its_bounds() -> None:
    prompts, outputs = lengths(UNIFORM, 50_000)
    assert (prompts.min(), prompts.max()) == (500, 1500)
    assert (outputs.min(), outputs.max()) == (150, 450)
    assert UNIFORM.share_at(0.25) == 0.75
    assert np.quantile(prompts, 0.25) == pytest.approx(750, rel=0.01)
    assert UNIFORM.spread
    narrow = Lengths("uniform", least_share=0.5, most_share=0.5)
    assert not narrow.spread
    assert set(lengths(narrow, 100)[0]) == {500}
    assert Lengths("uniform", least_share=0.5, most_share=1.0).mean_share == 0.75


def test_no_length_is_less_than_a_token() -> None:
    _, outputs = lengths(Lengths("lognormal", sigma=3.0), 20_000, output=1.0)
    assert outputs.min() == 1
    assert outputs.max() > 1


def test_prompts_and_answers_are_drawn_apart() -> None:
    """Their correlation over 50,000 draws is that of chance, 1 / sqrt(50,000) = 0.0045."""
    prompts, outputs = lengths(LOGNORMAL, 50_000)
    assert abs(np.corrcoef(np.log(prompts), np.log(outputs))[0, 1]) < 0.02


def test_the_seed_decides_and_streams_are_apart() -> None:
    one, same, other = (lengths(LOGNORMAL, 200, seed=seed)[0] for seed in (1, 1, 2))
    assert list(one) == list(same)
    assert list(one) != list(other)
    plain, after_gaps = Draws(1, LOGNORMAL, 1000, 300, 1e9), Draws(1, LOGNORMAL, 1000, 300, 1e9)
    list(islice(after_gaps.gaps(), 5000))
    list(islice(after_gaps.thinks(), 5000))
    assert list(islice(plain.lengths(), 100)) == list(islice(after_gaps.lengths(), 100))
    assert list(islice(plain.gaps(), 50)) != list(islice(plain.thinks(), 50))


# -- the model's context


def test_what_exceeds_the_context_is_cut_the_answer_first_and_counted() -> None:
    """Answers of 300 tokens, a context of 1,200: prompts over 900 lose answer, prompts from 1,199 on leave one token of it."""
    free, _ = lengths(LOGNORMAL, 10_000)
    drawn = Draws(1, Lengths("lognormal", sigma=0.8), 1000.0, 300.0, 1200.0)
    found = list(islice(drawn.lengths(), 10_000))
    prompts, outputs = (np.array(column) for column in zip(*found, strict=True))
    assert np.all(prompts + outputs <= 1200)
    assert np.all(outputs >= 1)
    assert list(prompts) == [min(prompt, 1199) for prompt in free]
    _, wanted = lengths(LOGNORMAL, 10_000)
    assert list(outputs) == [min(output, 1200 - prompt) for prompt, output in zip(prompts, wanted, strict=True)]
    assert drawn.clamped == np.sum(free + wanted > 1200)
    assert 0 < drawn.clamped < 10_000


def test_only_what_was_drawn_is_counted() -> None:
    """Numbers are made ahead in blocks; who takes three requests is told of three."""
    drawn = Draws(1, Lengths(), 1000.0, 300.0, 1200.0)
    assert list(islice(drawn.lengths(), 3)) == [(1000, 200)] * 3
    assert drawn.clamped == 3
    assert CHUNK > 3


def test_the_usual_lengths() -> None:
    """As stated, but where a fixed number is in flight spread by a fifth: equal ones would march in step."""
    assert Traffic().lengths_for(in_step=False) == Lengths()
    assert Traffic().lengths_for(in_step=True) == Lengths("uniform", least_share=0.8, most_share=1.2)
    for in_step in (False, True):
        assert Traffic(lengths=LOGNORMAL).lengths_for(in_step=in_step) == LOGNORMAL


# -- what is refused


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"kind": "lognorml"}, "'lognorml' is unknown; accepted: fixed, uniform, lognormal. Did you mean lognormal"),
        ({"kind": ""}, "accepted: fixed, uniform, lognormal"),
        ({"kind": "lognormal", "sigma": 0.0}, "lognormal:0: the spread of the logarithm lies above 0 and up to 3"),
        ({"kind": "lognormal", "sigma": -0.5}, "above 0"),
        ({"kind": "lognormal", "sigma": 3.01}, "up to 3"),
        ({"kind": "lognormal", "sigma": math.nan}, "above 0"),
        ({"kind": "uniform", "least_share": 1.2, "most_share": 0.8}, "uniform:1.2..0.8: two shares, the smaller first, such as 0.8..1.2"),
        ({"kind": "uniform", "least_share": 0.0}, "two shares"),
        ({"kind": "uniform", "least_share": -0.1}, "two shares"),
        ({"kind": "uniform", "most_share": 101.0}, "two shares"),
        ({"kind": "uniform", "most_share": math.nan}, "two shares"),
        ({"kind": "uniform", "least_share": math.inf, "most_share": math.inf}, "two shares"),
    ],
)
def test_lengths_that_mean_nothing(given: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        Lengths(**given)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"requests": 0}, "--requests 0: accepted: 1 to 100,000,000"),
        ({"requests": -5}, "--requests -5"),
        ({"requests": 100_000_001}, "--requests 100,000,001"),
        ({"burst": 0}, "--burst 0: accepted: 1 to 1,000,000 requests"),
        ({"burst": 1_000_001}, "--burst 1,000,001"),
        ({"prefix_share": -0.1}, "--prefix-share -0.1: a share from 0 to below 1"),
        ({"prefix_share": 1.0}, "--prefix-share 1"),
        ({"prefix_share": math.nan}, "--prefix-share nan"),
        ({"seed": -1}, "--seed -1: a whole number from 0"),
        ({"trace": Path("a.csv"), "burst": 5}, "--trace and --burst both say when requests come"),
        ({"trace": Path("a.csv"), "lengths": Lengths()}, "--trace says how long requests are: leave out --lengths"),
        ({"trace": Path("a.csv"), "requests": 50}, "--trace says how many requests come: leave out --requests"),
        ({"burst": 10, "requests": 50}, "--burst says how many requests come: leave out --requests"),
        ({"trace_speed": 2.0}, "--trace-speed says how fast a trace is replayed: give --trace FILE"),
    ],
)
def test_traffic_that_means_nothing(given: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        Traffic(**given)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("name", "ends"), [("requests", (1, 100_000_000)), ("burst", (1, 1_000_000)), ("seed", (0, 2**70)), ("prefix_share", (0.0, 0.999))]
)
def test_the_ends_of_what_is_accepted(name: str, ends: tuple[Any, Any]) -> None:
    assert tuple(getattr(Traffic(**{name: end}), name) for end in ends) == ends
