"""The event-jump simulator against one that goes token by token, on small random cases of every rule; and the laws against plain sums."""

import random
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.reference import Job, Reference
from simulator.runs import Lengths, random_cache, random_laws, served

from infra_advisor.simulator.engine import Engine
from infra_advisor.simulator.laws import DecodeLaw
from infra_advisor.simulator.request import Request

SAME = 1e-6
"""Of the time since arrival. Both add up the same steps, the reference one by one: what differs is rounding."""


@dataclass(frozen=True)
class Case:
    """Requests for one replica."""

    engine: Engine
    requests: list[Lengths]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Rules drawn one by one, for shrinking; times and laws from a seed, so that no two things fall on one moment by chance."""
    chance = random.Random(draw(st.integers(0, 2**40)))
    gap_s = draw(st.sampled_from([0.0, 0.002, 0.03, 0.3, 2.0]))
    longest = draw(st.sampled_from([4, 40, 400]))
    lengths = draw(st.lists(st.tuples(st.integers(1, longest), st.integers(1, 400)), min_size=1, max_size=12))
    arrival_s, requests = chance.random(), []
    for prompt, output in lengths:
        requests.append((arrival_s, prompt, min(output, 1000 // len(lengths))))
        arrival_s += chance.choice([0.0, chance.expovariate(1.0)]) * gap_s
    decode, prefill = random_laws(chance)
    factor = draw(st.sampled_from([0.6, 1.0, 1.01, 1.2, 1.7, 3.0, 100.0]))
    engine = Engine(
        decode=decode,
        prefill=prefill,
        cache=random_cache(chance, requests, factor if factor == 1.0 else factor * chance.uniform(1.0, 1.01)),
        most_running=draw(st.sampled_from([1, 2, 3, 5, 100])),
        tokens_per_pass=draw(st.sampled_from([1, 16, 20, 50, 128, 2048])),
        chunked=draw(st.booleans()),
        continuous=draw(st.sampled_from([True, True, True, False])),
        stall_share=draw(st.sampled_from([0.0, 0.3, 0.66, 1.0])),
        stages=draw(st.sampled_from([1.0, 1.0, 2.5])),
        reserve_output=draw(st.sampled_from([False, False, True])),
        shared_share=draw(st.sampled_from([0.0, 0.0, 0.4])),
    )
    return Case(engine, requests)


@settings(deadline=None, max_examples=600)
@given(cases())
def test_every_request_is_served_as_token_by_token(case: Case) -> None:
    """Refusals, preemptions, first and last tokens of all requests."""
    requests, jobs = [Request(*one) for one in case.requests], [Job(*one) for one in case.requests]
    served(case.engine, requests)
    Reference(case.engine).serve(jobs)
    for request, job in zip(requests, jobs, strict=True):
        assert request.rejected == job.rejected
        assert request.preemptions == job.preempted
        if not job.rejected:
            assert request.first_token_s - request.arrival_s == pytest.approx(job.first_s - job.arrival_s, rel=SAME, abs=1e-9)
            assert request.finish_s - request.arrival_s == pytest.approx(job.finish_s - job.arrival_s, rel=SAME, abs=1e-9)


# -- the law of steps


laws = st.integers(0, 2**40).map(lambda seed: random_laws(random.Random(seed))[0])


@settings(deadline=None)
@given(law=laws, batch=st.integers(1, 50), context=st.floats(1.0, 1000.0), tokens=st.integers(1, 1000))
def test_many_steps_take_the_sum_of_single_ones(law: DecodeLaw, batch: int, context: float, tokens: int) -> None:
    """n steps from context c: step(c) + step(c + 1) + ... Where a step goes a part h of its token up to a node and 1 - h beyond, the law
    charges each part its own slope; a step of its own goes by the slope at its start: the difference is h (1 - h) / 2 <= 1/8 of the bend.
    """
    by_one = sum(law.step_s(batch, context + k) for k in range(tokens))
    slopes = law.cells(batch)[1]
    bends = sum(abs(after - before) for before, after in pairwise(slopes))
    assert law.tokens_s(batch, context, tokens) == pytest.approx(by_one, abs=bends / 8 + 1e-9 * by_one)


@settings(deadline=None)
@given(law=laws, batch=st.integers(1, 50), context=st.floats(1.0, 1000.0), parts=st.lists(st.floats(0.0, 300.0), min_size=1, max_size=5))
def test_steps_cut_into_parts_add_up(law: DecodeLaw, batch: int, context: float, parts: list[float]) -> None:
    """However a run is cut by events, also within a step."""
    reached, in_parts = context, 0.0
    for part in parts:
        in_parts += law.tokens_s(batch, reached, part)
        reached += part
    assert law.tokens_s(batch, context, sum(parts)) == pytest.approx(in_parts, rel=1e-9, abs=1e-12)


@settings(deadline=None)
@given(law=laws, batch=st.integers(1, 50), context=st.floats(1.0, 1000.0), tokens=st.floats(0.0, 2000.0))
def test_tokens_in_a_time_and_the_time_of_tokens_are_inverse(law: DecodeLaw, batch: int, context: float, tokens: float) -> None:
    seconds = law.tokens_s(batch, context, tokens)
    assert law.tokens_in(batch, context, seconds) == pytest.approx(tokens, rel=1e-9, abs=1e-9)


@settings(deadline=None)
@given(seed=st.integers(0, 2**40), ends=st.lists(st.integers(1, 900), min_size=1, max_size=5, unique=True))
def test_attention_of_chunks_adds_up_to_that_of_the_prompt(seed: int, ends: list[int]) -> None:
    law = random_laws(random.Random(seed))[1]
    ends.sort()
    in_parts = sum(law.attention_s(start, end) for start, end in zip([0, *ends], ends, strict=False))
    assert law.attention_s(0, ends[-1]) == pytest.approx(in_parts, rel=1e-9, abs=1e-15)
