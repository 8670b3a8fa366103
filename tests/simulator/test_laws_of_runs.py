"""What holds of every run, whatever is drawn: nobody is lost, time moves on, and sums over the records are sums over time."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.runs import engine, random_cache, random_laws, served

from infra_advisor.simulator.engine import Engine
from infra_advisor.simulator.laws import CacheLaw, DecodeLaw, PrefillLaw
from infra_advisor.simulator.replica import Replica
from infra_advisor.simulator.request import Request
from infra_advisor.simulator.router import LeastLoaded, PrefixAffine, RoundRobin, Router

BLOCK = 8
ROUTERS: list[Callable[[], Router]] = [RoundRobin, LeastLoaded, PrefixAffine]
Row = tuple[float, int, int, tuple[int, ...] | None]
"""A request to be: arrival [s], prompt, output, blocks."""


@dataclass(frozen=True)
class Case:
    """Requests for some replicas."""

    engine: Engine
    rows: list[Row]
    replicas: int
    router: Callable[[], Router]


@dataclass
class Seen:
    """A run, and what it told while it went on."""

    requests: list[Request]
    replicas: list[Replica] = field(default_factory=list)
    told: list[tuple[float, Request | None]] = field(default_factory=list)
    """(time, who left), None for an arrival; in the order of the run."""


class Watched:
    """A router that shows the replicas while a run goes on."""

    def __init__(self, router: Router) -> None:
        self.router = router
        self.replicas: Sequence[Replica] = ()

    def choose(self, request: Request, replicas: Sequence[Replica]) -> int:
        self.replicas = replicas
        return self.router.choose(request, replicas)


def go(case: Case) -> Seen:
    seen = Seen([Request(*row) for row in case.rows])
    seen.replicas = served(
        case.engine, seen.requests, replicas=case.replicas, router=case.router(),
        finished=lambda request: seen.told.append((request.finish_s, request)), watch=lambda at_s: seen.told.append((at_s, None)),
    )  # fmt: skip
    return seen


def blocks_of(chance: random.Random, prompt: int) -> tuple[int, ...]:
    """One of four conversations, followed up to some depth, then blocks that nobody else has."""
    talk, depth = chance.randrange(4), chance.randrange(40)
    return tuple(1000 * talk + k if k < depth else chance.getrandbits(40) for k in range(prompt // BLOCK))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    chance = random.Random(draw(st.integers(0, 2**40)))
    gap_s = draw(st.sampled_from([0.0, 0.003, 0.1, 1.0]))
    with_blocks, rows, at_s = draw(st.booleans()), list[Row](), 0.0
    for prompt, output in draw(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 200)), min_size=1, max_size=30)):
        rows.append((at_s, prompt, output, blocks_of(chance, prompt) if with_blocks else None))
        at_s += gap_s * chance.expovariate(1.0)
    decode, prefill = random_laws(chance)
    rules = Engine(
        decode=decode,
        prefill=prefill,
        cache=random_cache(chance, [row[:3] for row in rows], draw(st.sampled_from([0.5, 1.0, 1.3, 2.0, 10.0]))),
        most_running=draw(st.sampled_from([1, 2, 4, 100])),
        tokens_per_pass=draw(st.sampled_from([1, 32, 512])),
        chunked=draw(st.booleans()),
        continuous=draw(st.sampled_from([True, True, False])),
        stall_share=draw(st.sampled_from([0.0, 0.5, 1.0])),
        stages=draw(st.sampled_from([1.0, 2.0])),
        rank_wait_steps=draw(st.sampled_from([0.0, 3.0])),
        reserve_output=draw(st.sampled_from([False, False, True])),
        block_tokens=BLOCK if with_blocks else 0,
        handling_s=draw(st.sampled_from([0.0, 0.02])),
        hands_over=draw(st.sampled_from([False, False, False, True])),
    )
    return Case(rules, rows, draw(st.sampled_from([1, 2, 5])), draw(st.sampled_from(ROUTERS)))


# -- any run


@settings(deadline=None, max_examples=250)
@given(cases())
def test_everybody_who_arrives_leaves_once(case: Case) -> None:
    """Every run ends: arrived = finished + refused. Refused is who does not fit into the cache alone. The replicas are empty again."""
    seen = go(case)
    left = [request for _, request in seen.told if request is not None]
    assert sorted(map(id, left)) == sorted(map(id, seen.requests))
    cache = case.engine.cache
    for request in seen.requests:
        answer = 0 if case.engine.hands_over else request.output_tokens - 1
        assert request.rejected == (cache.of_prompt(request.input_tokens) + answer * cache.growth_bytes > cache.pool_bytes)
        assert math.isfinite(request.finish_s)
        assert math.isnan(request.first_token_s) == request.rejected
    for replica in seen.replicas:
        assert (replica.in_flight, replica.batch, replica.admitted, len(replica.queue), replica.due) == (0, 0, 0, 0, math.inf)
        assert replica.used_bytes == replica.context == 0.0
        replica.cache.prefix.give_up(10**9)
        assert len(replica.cache.prefix) == 0, "nobody uses a block any more"


@settings(deadline=None, max_examples=150)
@given(cases())
def test_time_never_runs_backwards(case: Case) -> None:
    """Neither for the run, which tells everything in order, nor for a request: arrival <= first token <= last token."""
    seen = go(case)
    times = [at_s for at_s, _ in seen.told]
    assert times == sorted(times)
    for request in seen.requests:
        assert request.arrival_s <= request.finish_s
        if not request.rejected:
            assert request.arrival_s < request.first_token_s <= request.finish_s
            assert request.ttft_s >= request.first_token_s - request.arrival_s
            assert (request.first_token_s == request.finish_s) == (request.output_tokens == 1 or case.engine.hands_over)


@settings(deadline=None, max_examples=150)
@given(cases())
def test_requests_in_flight_over_time_are_times_in_flight(case: Case) -> None:
    """Little's law as an identity: the area under the number in flight, counted by the replicas, is the sum of all residence times."""
    requests = [Request(*row) for row in case.rows]
    area = last_s = 0.0
    inside = 0
    router = Watched(case.router())

    def until(at_s: float) -> None:
        nonlocal area, last_s
        area += inside * (at_s - last_s)
        last_s = at_s

    def watch(at_s: float) -> None:
        nonlocal inside
        until(at_s)
        assert inside == sum(replica.in_flight for replica in router.replicas)
        inside += 1

    def finished(request: Request) -> None:
        nonlocal inside
        until(request.finish_s)
        inside = sum(replica.in_flight for replica in router.replicas)

    served(case.engine, requests, replicas=case.replicas, router=router, finished=finished, watch=watch)
    assert area == pytest.approx(sum(request.finish_s - request.arrival_s for request in requests), rel=1e-9, abs=1e-9)


@settings(deadline=None, max_examples=150)
@given(cases())
def test_a_replica_is_busy_while_it_has_requests(case: Case) -> None:
    """Its busy time is the union of their times there, no more and no less: nothing idles while somebody waits. And its batch over time
    sums up the time from first to last token of all, where nobody is preempted; a preempted one decodes less than that.
    """
    seen = go(case)
    for place, replica in enumerate(seen.replicas):
        here = [request for request in seen.requests if request.replica == place and not request.rejected]
        busy_s = reached = 0.0
        for request in sorted(here, key=lambda request: request.arrival_s):
            busy_s += max(request.finish_s - max(request.arrival_s, reached), 0.0)
            reached = max(reached, request.finish_s)
        assert replica.busy_s == pytest.approx(busy_s, rel=1e-9, abs=1e-12)
        decoding_s = sum(request.finish_s - request.first_token_s for request in here)
        if replica.preempted:
            assert replica.running_s <= decoding_s * (1 + 1e-9)
        else:
            assert replica.running_s == pytest.approx(decoding_s, rel=1e-9, abs=1e-12)
        assert 0.0 <= replica.blocked_s <= replica.busy_s * (1 + 1e-9)


@settings(deadline=None, max_examples=60)
@given(cases())
def test_the_same_requests_give_the_same_run(case: Case) -> None:
    once, again = ([(request.first_token_s, request.finish_s, request.replica) for request in go(case).requests] for _ in range(2))
    assert repr(once) == repr(again)


@settings(deadline=None, max_examples=150)
@given(cases())
def test_the_cache_is_never_overdrawn(case: Case) -> None:
    """What sequences hold and what blocks hold is within the pool, whenever somebody leaves; blocks count by what a token takes in an
    answer, so holdings that do not bend.
    """
    cache = case.engine.cache
    slope = cache.growth_bytes
    straight = replace(cache, held_bytes=[cache.held_bytes[0] + tokens * slope for tokens in cache.tokens])
    most = max(straight.of_prompt(prompt) + (output - 1) * slope for _, prompt, output, _ in case.rows)
    rules = replace(case.engine, cache=replace(straight, pool_bytes=most * 1.1))
    router = Watched(case.router())

    def finished(request: Request) -> None:
        for replica in router.replicas:
            held = replica.used_bytes + len(replica.cache.prefix) * rules.block_tokens * slope
            assert held <= rules.cache.pool_bytes * (1 + 1e-9)

    served(rules, [Request(*row) for row in case.rows], replicas=case.replicas, router=router, finished=finished)


# -- overload


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("reserve", [False, True])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("stall_share", [0.0, 1.0])
def test_a_run_ends_at_any_overload(router: Callable[[], Router], reserve: bool, chunked: bool, stall_share: float) -> None:
    """300 requests a second for 2 s where one takes a second: into a cache for one alone, for a few, for many."""
    chance = random.Random(5)
    for room in (1.0, 2.5, 20.0):
        rows: list[Row] = []
        for k in range(600):
            prompt = chance.randint(1, 300)
            rows.append((k / 300, prompt, chance.randint(1, 100), blocks_of(chance, prompt)))
        decode, prefill = random_laws(chance)
        rules = Engine(
            decode=decode, prefill=prefill, cache=CacheLaw(400.0 * room, (0.0, 1000.0), (0.0, 1000.0), 1.0), most_running=256,
            tokens_per_pass=64.0, chunked=chunked, stall_share=stall_share, reserve_output=reserve, block_tokens=BLOCK,
        )  # fmt: skip
        seen = go(Case(rules, rows, 2, router))
        assert all(math.isfinite(request.finish_s) and not request.rejected for request in seen.requests)


def test_what_never_fits_is_refused_and_holds_up_nobody() -> None:
    """A pool of 100 tokens: prompts of 60 with answers of 41 end with 60 + 40 in it and fit to the last byte; with 42 they are refused."""
    requests = [Request(0.001 * k, 60, 42 if k % 2 else 41) for k in range(20)]
    served(engine(cache=CacheLaw(100.0, (0.0, 1000.0), (0.0, 1000.0), 1.0)), requests)
    assert [request.rejected for request in requests] == [False, True] * 10
    assert [request.finish_s for request in requests[1::2]] == [request.arrival_s for request in requests[1::2]]
    assert [request.finish_s for request in requests[::2]] == sorted(request.finish_s for request in requests[::2])


# -- comparisons


def growing(chance: random.Random, *, work: float = 1.0) -> Engine:
    """A step takes a base, and reads what all sequences attend to; a pass takes a base and so much per token. Room for everybody."""
    base_s, each_s, token_s = work * chance.uniform(5e-3, 2e-2), work * 10 ** chance.uniform(-5, -3), work * 10 ** chance.uniform(-8, -5)
    pass_s, prompt_s = work * chance.uniform(5e-3, 3e-2), work * 10 ** chance.uniform(-5, -3.5)
    return Engine(
        decode=DecodeLaw((0.0, 1e4), lambda batch: [base_s + each_s * batch + token_s * batch * context for context in (0.0, 1e4)]),
        prefill=PrefillLaw((0.0, 1e4), (pass_s, pass_s + 1e4 * prompt_s), (0.0, 0.0), (0.0, work * 1e-3)),
        cache=CacheLaw(1e9, (0.0, 1000.0), (0.0, 1000.0), 1.0), most_running=chance.choice([4, 16, 64]),
        tokens_per_pass=chance.choice([64.0, 512.0]), chunked=chance.random() < 0.7, stall_share=chance.choice([0.0, 0.5, 1.0]),
    )  # fmt: skip


def alone(rules: Engine, row: Row) -> Request:
    request = Request(*row)
    served(rules, [request])
    return request


@settings(deadline=None, max_examples=60)
@given(case=cases(), seed=st.integers(0, 2**40))
def test_nobody_is_faster_than_alone(case: Case, seed: int) -> None:
    """Company only adds: first and last token come no earlier after arrival than for the same request by itself."""
    rules = growing(random.Random(seed))
    for request, row in zip(go(replace(case, engine=rules)).requests, case.rows, strict=True):
        lone = alone(rules, row)
        assert request.first_token_s - request.arrival_s >= (lone.first_token_s - lone.arrival_s) * (1 - 1e-9)
        assert request.finish_s - request.arrival_s >= (lone.finish_s - lone.arrival_s) * (1 - 1e-9)


@settings(deadline=None, max_examples=150)
@given(prompt=st.integers(1, 400), known=st.integers(0, 60), output=st.integers(1, 100), seed=st.integers(0, 2**40))
def test_a_prefix_in_the_cache_never_slows_a_lone_request(prompt: int, known: int, output: int, seed: int) -> None:
    """The same request long after one that shares its first blocks, and after none; what was found counts whole blocks, but not the last
    token of the prompt, which is always computed.
    """
    chance = random.Random(seed)
    decode, prefill = random_laws(chance)
    rules = replace(growing(chance), decode=decode, prefill=prefill, block_tokens=BLOCK)
    blocks = tuple(range(prompt // BLOCK))
    before = Request(0.0, max(known * BLOCK, 1), 1, tuple(range(known)))
    warm, cold = Request(1e4, prompt, output, blocks), Request(1e4, prompt, output, blocks)
    served(rules, [before, warm])
    served(rules, [cold])
    assert warm.cached_tokens == min(min(known, len(blocks)) * BLOCK, prompt - 1)
    assert cold.cached_tokens == 0
    assert warm.first_token_s <= cold.first_token_s * (1 + 1e-12)
    assert warm.finish_s <= cold.finish_s * (1 + 1e-12)


def p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]


def outcome(rules: Engine, rows: Sequence[Row], replicas: int) -> tuple[float, float]:
    """p95 of TTFT and of the whole request. [s]"""
    requests = [Request(*row) for row in rows]
    served(rules, requests, replicas=replicas)
    return p95([request.ttft_s for request in requests]), p95([request.e2e_s for request in requests])


def busy_rows(chance: random.Random, rules: Engine, load: float) -> list[Row]:
    """400 requests at random, at a share of what one replica gets done when they all come at once."""
    lengths = [(int(chance.lognormvariate(5.0, 0.8)) + 1, int(chance.lognormvariate(4.0, 0.7)) + 1) for _ in range(400)]
    burst = [Request(0.0, *one) for one in lengths]
    served(rules, burst)
    rate_per_s = load * len(burst) / max(request.finish_s for request in burst)
    at_s, rows = 0.0, list[Row]()
    for prompt, output in lengths:
        at_s += chance.expovariate(rate_per_s)
        rows.append((at_s, prompt, output, None))
    return rows


@pytest.mark.parametrize("load", [0.4, 0.8, 1.3])
@pytest.mark.parametrize("seed", range(6))
def test_more_or_faster_hardware_never_serves_worse(seed: int, load: float) -> None:
    """The same arrivals on two replicas instead of one, and on one that takes 0.7 of the time: p95 of TTFT and of the whole request."""
    rules = growing(random.Random(seed))
    rows = busy_rows(random.Random(seed), rules, load)
    before = outcome(rules, rows, 1)
    for after in (outcome(rules, rows, 2), outcome(growing(random.Random(seed), work=0.7), rows, 1)):
        assert after[0] <= before[0] * 1.02
        assert after[1] <= before[1] * 1.02
