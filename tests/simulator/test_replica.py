"""One replica on examples worked by hand. Unless said otherwise a step takes 10 ms, a pass 20 ms and 1 ms per token (see `runs.engine`)."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from simulator.runs import Listed, engine, pool, served

from infra_advisor.simulator.engine import Engine
from infra_advisor.simulator.laws import CacheLaw, DecodeLaw, PrefillLaw
from infra_advisor.simulator.prefix import PrefixCache
from infra_advisor.simulator.replica import Replica
from infra_advisor.simulator.request import Request
from infra_advisor.simulator.router import LeastLoaded
from infra_advisor.simulator.run import Pool, run


def times(rules: Engine, *requests: Request) -> list[tuple[float, float]]:
    """First and last token of each. [s]"""
    served(rules, requests)
    return [(request.first_token_s, request.finish_s) for request in requests]


def close(expected: Sequence[tuple[float, float]]) -> list[object]:
    return [pytest.approx(pair) for pair in expected]


# -- alone


def test_a_request_alone() -> None:
    """100 tokens: 20 + 100 = 120 ms. 10 tokens more: 100 ms; each 10 ms."""
    request = Request(1.0, 100, 11)
    served(engine(), [request])
    assert request.ttft_s == pytest.approx(0.12)
    assert request.tpot_s == pytest.approx(0.01)
    assert request.e2e_s == pytest.approx(0.22)
    assert request.finish_s == pytest.approx(1.22)


def test_steps_grow_with_the_context() -> None:
    """10 ms and 10 us per token attended to; after a prompt of 99: 10 x 3 + 0.01 x (100 + 101 + 102) = 33.03 ms."""
    rules = engine(decode=DecodeLaw((0.0, 1000.0), lambda batch: (0.01, 0.02)))
    assert times(rules, Request(0.0, 99, 4)) == close([(0.119, 0.119 + 0.03303)])


def test_an_answer_of_one_token_ends_with_the_pass() -> None:
    request = Request(0.0, 100, 1)
    assert times(engine(), request) == close([(0.12, 0.12)])
    assert request.tpot_s != request.tpot_s, "there is none"


def test_stages_of_a_pipeline_take_the_next_pass_before_the_first_has_passed() -> None:
    """Two stages: a pass of 120 ms keeps the engine for 60 ms; the second request is through at 120 ms, and sees 60 ms more outside."""
    first, second = Request(0.0, 100, 1), Request(0.0, 100, 1)
    served(engine(stages=2.0), [first, second])
    assert [first.ttft_s, second.ttft_s] == [pytest.approx(0.12), pytest.approx(0.18)]
    assert second.first_token_s == pytest.approx(0.12)


def test_ranks_read_prompts_side_by_side() -> None:
    """Two ranks, prompts of 100 and 60 in one pass: as long as 100 on both; alone 120 ms, both at work 150 ms. One of 100 alone: 120 ms."""
    law = PrefillLaw((0.0, 1000.0), (0.02, 1.02), (0.05, 1.05), (0.0, 0.0), ranks=2)
    one, longer, shorter = Request(0.0, 100, 1), Request(0.01, 100, 1), Request(0.02, 60, 1)
    assert times(engine(prefill=law), one, longer, shorter) == close([(0.12, 0.12), (0.27, 0.27), (0.27, 0.27)])


def test_handling_and_what_was_measured_are_outside_the_engine() -> None:
    """The second finds one in flight: 10 + 1 x 2 ms of handling; waits 110 ms for the pass before it, 120 ms for its own; all x 1.1."""
    rules = engine(handling_s=0.01, handling_each_s=0.002, ttft_factor=1.1)
    first, second = Request(0.0, 100, 1), Request(0.01, 100, 1)
    served(rules, [first, second])
    assert first.ttft_s == pytest.approx(1.1 * (0.01 + 0.12))
    assert second.ttft_s == pytest.approx(1.1 * (0.012 + 0.11 + 0.12))


# -- beside each other


@pytest.mark.parametrize(("stall_share", "gained"), [(1.0, 0), (0.5, 5), (0.0, 10)])
def test_a_pass_holds_up_what_decodes(stall_share: float, gained: int) -> None:
    """The first has its first token at 100 ms. The second comes at 195 ms, its pass begins with the step's end at 200 ms and ends at 300.

    Meanwhile the first gets 0, 5 or 10 tokens of the 90 it still needs.
    """
    rules = engine(stall_share=stall_share)
    assert times(rules, Request(0.0, 80, 101), Request(0.195, 80, 2)) == close([(0.1, 0.3 + (90 - gained) * 0.01), (0.3, 0.31)])


def test_steps_take_longer_together() -> None:
    """10 ms each. The first has 10 of 40 tokens when the second joins it at 300 ms; 20 tokens of both take 400 ms, its last 10 take 100."""
    rules = engine(decode=DecodeLaw((0.0, 1000.0), lambda batch: (0.01 * batch, 0.01 * batch)))
    assert times(rules, Request(0.0, 80, 41), Request(0.195, 80, 21)) == close([(0.1, 0.8), (0.3, 0.7)])


def test_who_comes_while_a_step_runs_waits_for_its_end() -> None:
    """Steps from 100 ms on: at 103 ms until 110, at 110.0 not at all; when the other ends at 120, from there."""
    for at_s, begins_s in ((0.103, 0.11), (0.11, 0.11), (0.115, 0.12), (0.119999, 0.12), (0.125, 0.125)):
        assert times(engine(), Request(0.0, 80, 3), Request(at_s, 80, 1))[1][0] == pytest.approx(begins_s + 0.1)


def test_who_comes_in_the_last_part_of_a_step_waits_for_its_end() -> None:
    """As above at half pace, with a pass of 101 ms: the first gets 5.05 tokens meanwhile and its other 84.95 until 301 + 849.5 = 1,150.5
    ms. One that comes at 1,145.5 ms is read from then on.
    """
    found = times(engine(stall_share=0.5), Request(0.0, 80, 101), Request(0.195, 81, 1), Request(1.1455, 80, 1))
    assert found == close([(0.1, 1.1505), (0.301, 0.301), (1.2505, 1.2505)])


def test_prompts_are_cut_at_the_token_budget() -> None:
    """100 tokens per pass, one for each that decodes. The first (30 tokens) is out at 50 ms. Then 99 are left: the second (250) takes
    three times 99, of which 47 go to the third (100): 297 tokens, 317 ms, until 367. Then its other 53: 73 ms, until 440.
    """
    rules = engine(chunked=True, tokens_per_pass=100.0)
    found = times(rules, Request(0.0, 30, 500), Request(0.01, 250, 1), Request(0.02, 100, 1))
    assert [first for first, _ in found] == [pytest.approx(at_s) for at_s in (0.05, 0.367, 0.44)]


def test_whole_prompts_share_a_pass_while_they_fit() -> None:
    """100 tokens per pass: 250 go alone (270 ms), then 60 + 40 together (120 ms), then 1 (21 ms)."""
    rules = engine(tokens_per_pass=100.0)
    found = times(rules, Request(0.0, 250, 1), Request(0.01, 60, 1), Request(0.02, 40, 1), Request(0.03, 1, 1))
    assert found == close([(0.27, 0.27), (0.39, 0.39), (0.39, 0.39), (0.411, 0.411)])


def test_a_static_batch_runs_to_its_end() -> None:
    """The first (80 tokens, 10 more) is alone from 0 to 200 ms. Both that came since then go together: 160 tokens, 180 ms, until 380."""
    rules = engine(continuous=False, tokens_per_pass=10.0, chunked=True)
    found = times(rules, Request(0.0, 80, 11), Request(0.05, 80, 21), Request(0.15, 80, 6))
    assert found == close([(0.1, 0.2), (0.38, 0.58), (0.38, 0.43)])


def test_no_more_run_than_there_are_places() -> None:
    """One place: the second waits from 220 ms - that is 100 ms - for the end of the first at 320, and only that time counts as blocked."""
    first, second = Request(0.0, 100, 21), Request(0.22, 80, 1)
    replica = served(engine(most_running=1), [first, second])[0]
    assert (second.first_token_s, second.finish_s) == (pytest.approx(0.42), pytest.approx(0.42))
    assert replica.blocked_s == pytest.approx(0.1)
    assert replica.busy_s == pytest.approx(0.42)
    assert replica.running_s == pytest.approx(0.2)


# -- the cache


TIGHT = 100.0
"""Tokens. Two prompts of 40 with answers of 31 end with 40 + 30 each: 140."""


def test_with_its_answer_reserved_the_second_waits() -> None:
    """The first reserves 70 of 100 until 60 + 300 = 360 ms; the second is read until 420 and ends at 720."""
    rules = engine(cache=pool(TIGHT), reserve_output=True)
    assert times(rules, Request(0.0, 40, 31), Request(0.0, 40, 31)) == close([(0.06, 0.36), (0.42, 0.72)])


def test_without_that_the_newest_is_preempted() -> None:
    """First tokens at 60 and 120 ms, 80 of 100 held, so both get 10 more until 220. The second then waits until the first has its other
    20 tokens, at 420. It reads 40 + 1 + 10 tokens: 71 ms, which give its next token, then its last 19: 491 + 190 = 681 ms.
    """
    first, second = Request(0.0, 40, 31), Request(0.0, 40, 31)
    replica = served(engine(cache=pool(TIGHT)), [first, second])[0]
    assert (first.first_token_s, first.finish_s) == (pytest.approx(0.06), pytest.approx(0.42))
    assert (second.first_token_s, second.finish_s) == (pytest.approx(0.12), pytest.approx(0.681))
    assert (first.preemptions, second.preemptions, replica.preempted) == (0, 1, 1)


def test_what_was_preempted_goes_on_from_its_whole_context() -> None:
    """As before, with steps of 10 us per token attended to. The second then has 40 + 12 tokens: its 19 steps take 0.01 x (52 + ... + 70) =
    11.59 ms.
    """
    rules = engine(cache=pool(TIGHT), decode=DecodeLaw((0.0, 1000.0), lambda batch: (0.0, 0.01)))
    first, second = Request(0.0, 40, 31), Request(0.0, 40, 31)
    served(rules, [first, second])
    assert second.preemptions == 1
    assert second.finish_s - first.finish_s == pytest.approx(0.071 + 0.01159)


def test_a_sequence_read_again_holds_what_it_held() -> None:
    """A prompt token holds 1 byte, one of an answer 0.1: 30 of 100 bytes at 70 ms, when both decode, 100 after 350 steps, at 3.57 s. The
    second then has 351 tokens and holds 20 + 35.1. It waits for the first, which has its other 149 at 5.06 s; reads 371 tokens, 391 ms;
    and has its other 348 at 8.931 s.
    """
    rules = engine(cache=CacheLaw(100.0, (0.0, 1000.0), (0.0, 1000.0), 0.1))
    assert times(rules, Request(0.0, 10, 500), Request(0.0, 20, 700)) == close([(0.03, 5.06), (0.07, 8.931)])


def test_the_second_reading_comes_after_the_first_token() -> None:
    """Two stages: the first pass of 60 ms keeps the engine for 30 and spends 30 outside, before the first token; the second reading is no
    part of the time to it.
    """
    requests = [Request(0.0, 40, 31), Request(0.0, 40, 31)]
    served(engine(cache=pool(TIGHT), stages=2.0), requests)
    assert requests[1].preemptions == 1
    assert requests[1].outside_s == pytest.approx(0.03)
    assert requests[1].ttft_s == pytest.approx(0.03 + 0.03 + 0.03)


def test_a_begun_prompt_is_finished_before_what_was_preempted() -> None:
    """A pool of 135, passes of 32 tokens less one, decoding at full pace. The first (30) is out at 50 ms. The pass then holds the second
    (40) and 22 tokens of the third (60): 82 ms. It leaves 5 tokens of room, so at 100 ms the first is preempted, and waits behind the
    third, which holds room and alone can free it: its other 38 tokens are read from 132 to 190 ms.
    """
    rules = engine(cache=pool(135.0), chunked=True, tokens_per_pass=32.0, stall_share=0.0)
    requests = [Request(0.0, 30, 100), Request(0.01, 40, 50), Request(0.02, 60, 50)]
    found = times(rules, *requests)
    assert [first for first, _ in found] == [pytest.approx(at_s) for at_s in (0.05, 0.132, 0.19)]
    assert requests[0].preemptions >= 1
    assert all(last == last for _, last in found), "all have ended"


def test_one_that_fills_the_cache_to_the_last_byte_follows_another() -> None:
    """Whatever rounding has left of the one before."""
    chance = random.Random(3)
    for _ in range(100):
        prompt, output, byte = chance.randint(1, 300), chance.randint(2, 300), chance.random()
        law = CacheLaw(0.0, (0.0, 1000.0), (0.0, 1000.0 * byte), byte)
        rules = engine(cache=replace(law, pool_bytes=law.of_prompt(prompt) + (output - 1.0) * byte), stall_share=chance.random())
        requests = [Request(0.0, prompt, chance.randint(1, output)) for _ in range(4)] + [Request(0.0, prompt, output) for _ in range(4)]
        assert all(last == last for _, last in times(rules, *requests))


# -- prefixes


BLOCKS = engine(block_tokens=16, cache=pool(100.0))


def test_a_known_prefix_shortens_the_pass() -> None:
    """64 of 80 tokens are known: 16 are read in 36 ms. Of 64 known tokens out of 64 the last one is read again: 21 ms."""
    first, longer, same = Request(0.0, 64, 1, (1, 2, 3, 4)), Request(1.0, 80, 1, (1, 2, 3, 4, 5)), Request(2.0, 64, 1, (1, 2, 3, 4))
    assert times(BLOCKS, first, longer, same) == close([(0.084, 0.084), (1.036, 1.036), (2.021, 2.021)])
    assert [first.cached_tokens, longer.cached_tokens, same.cached_tokens] == [0, 64, 63]


def test_a_prefix_all_have_in_common_is_read_by_nobody() -> None:
    """0.75 of 80: 20 tokens are read in 40 ms."""
    assert times(engine(shared_share=0.75), Request(0.0, 80, 1)) == close([(0.04, 0.04)])


def test_the_ends_of_old_prompts_are_given_up_first() -> None:
    """A pool of 100 holds the 64 tokens of the first prompt when another one needs 48: one block has to go, its last, and three remain."""
    first, other, again = Request(0.0, 64, 1, (1, 2, 3, 4)), Request(1.0, 48, 1, (11, 12, 13)), Request(2.0, 64, 1, (1, 2, 3, 4))
    served(BLOCKS, [first, other, again])
    assert again.cached_tokens == 48


def test_known_blocks_need_no_room_and_are_not_given_up_for_it() -> None:
    """A pool of 100: 64 known, 20 in use by one who decodes, 16 free. One of 72 tokens with all the known ones needs 8 and 1 % of the pool:
    it is admitted at once. Its pass begins at the end of the step and takes 28 ms.
    """
    known, running, asked = Request(0.0, 64, 1, (1, 2, 3, 4)), Request(1.0, 20, 5, ()), Request(1.045, 72, 1, (1, 2, 3, 4))
    assert times(BLOCKS, known, running, asked) == close([(0.084, 0.084), (1.04, 1.108), (1.078, 1.078)])
    assert asked.cached_tokens == 64


def test_a_prefix_cache_by_itself() -> None:
    """Blocks in use stay; of the others the least recently used go, the last of a prompt first."""
    cache = PrefixCache()
    assert cache.hold((1, 2, 3)) == 3
    assert cache.hold((1, 2, 4)) == 1
    assert cache.give_up(9) == 0
    cache.release((1, 2, 3))
    assert cache.give_up(9) == 1, "only the 3 is in nobody's use"
    assert [cache.leading_hits(blocks) for blocks in ((1, 2, 3), (1, 2, 4), (1, 5), (5, 1), ())] == [2, 3, 1, 0, 0]
    cache.release((1, 2, 4))
    assert cache.give_up(2) == 2
    assert (len(cache), cache.leading_hits((1, 2, 4))) == (1, 1)


# -- hand over


def test_prefill_alone_hands_over_with_the_first_token() -> None:
    """The first leaves at 120 ms, the second, of 80 tokens, 100 ms later. Answers take no room: prompts of 100 fit into 100."""
    rules = engine(hands_over=True, cache=pool(100.0))
    assert times(rules, Request(0.0, 100, 50), Request(0.0, 80, 50)) == close([(0.12, 0.12), (0.22, 0.22)])


def test_a_request_prefilled_here_decodes_there() -> None:
    """Read until 120 ms; 500 ms on its way; 10 tokens more until 720 ms. One that is answered with its first token stays where it is."""
    long, short = Request(0.0, 100, 11), Request(0.0, 100, 1)
    prefill = Pool([Replica(engine(hands_over=True, handling_s=0.01))], LeastLoaded())
    nothing = PrefillLaw((0.0, 1.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0))
    decode = Pool([Replica(engine(prefill=nothing, rank_wait_steps=3.0)) for _ in range(2)], LeastLoaded())
    left: list[Request] = []
    run(Listed([long, short]), prefill, left.append, decoders=decode, transfer_s=lambda request: 0.5)
    assert left == [short, long]
    assert (long.first_token_s, long.finish_s) == (pytest.approx(0.62), pytest.approx(0.72))
    assert (short.first_token_s, short.finish_s) == (pytest.approx(0.24), pytest.approx(0.24))
    assert (long.ttft_s, long.tpot_s) == (pytest.approx(0.63), pytest.approx(0.01))
    assert [replica.in_flight + replica.admitted for pool in (prefill, decode) for replica in pool.replicas] == [0, 0, 0]
