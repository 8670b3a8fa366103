"""Collectives: worked by hand, counted by enumeration, and nothing at all for one rank."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.physics.collectives import all_reduce_s, all_to_all_s, pipeline_hops_s, remote_ranks

RATES = {"link_bytes_per_s": 2e11, "hop_s": 5.7e-6}


def test_latency_of_the_all_reduces_of_a_70b_step() -> None:
    """Two for each of 80 layers over 8 ranks: 2 x 80 x log2(8) x 5.7 us = 160 x 3 x 5.7 us = 2.736 ms a token, whatever the link."""
    one_s = all_reduce_s(message_bytes=0.0, ranks=8.0, link_bytes_per_s=2e11, hop_s=5.7e-6)
    assert 2 * 80 * one_s == pytest.approx(2.736e-3)


def test_volume_of_a_ring() -> None:
    """1 GB over 4 ranks at 100 GB/s: 2 x 3/4 x 1e9 / 1e11 = 15 ms; with 2 hops of latency 1 ms each, 17 ms."""
    assert all_reduce_s(message_bytes=1e9, ranks=4.0, link_bytes_per_s=1e11, hop_s=0.0) == pytest.approx(15e-3)
    assert all_reduce_s(message_bytes=1e9, ranks=4.0, link_bytes_per_s=1e11, hop_s=1e-3) == pytest.approx(17e-3)


def test_bus_bandwidth_is_the_link_rate() -> None:
    """Published tables state 2 (g-1)/g x bytes / time; without latency that is the rate put in, for any number of ranks."""
    for ranks in (2.0, 4.0, 8.0, 16.0):
        seconds = all_reduce_s(message_bytes=3e9, ranks=ranks, link_bytes_per_s=3.66e11, hop_s=0.0)
        assert 2 * (ranks - 1) / ranks * 3e9 / seconds == pytest.approx(3.66e11)


def test_one_rank_waits_for_nobody() -> None:
    assert all_reduce_s(message_bytes=1e9, ranks=1.0, **RATES) == 0.0
    assert all_to_all_s(tokens_per_rank=100.0, token_bytes=8192.0, ranks=1.0, experts_per_token=8.0, **RATES) == 0.0
    assert pipeline_hops_s(message_bytes=1e9, stages=1.0, **RATES) == 0.0


@pytest.mark.parametrize(("ranks", "experts_per_token"), [(2, 1), (2, 3), (3, 2), (4, 3), (5, 4)])
def test_remote_ranks_counted_one_by_one(ranks: int, experts_per_token: int) -> None:
    """Every way k experts can fall on g ranks, all equally likely: mean number of distinct ranks that are not rank 0."""
    falls = list(itertools.product(range(ranks), repeat=experts_per_token))
    mean = sum(len(set(fall) - {0}) for fall in falls) / len(falls)
    assert remote_ranks(ranks=float(ranks), experts_per_token=float(experts_per_token)) == pytest.approx(mean)


def test_many_experts_per_token_reach_every_other_rank() -> None:
    assert remote_ranks(ranks=8.0, experts_per_token=1000.0) == pytest.approx(7.0)


def test_dispatch_and_combine() -> None:
    """2 ranks, 2 experts a token: 1 x (1 - (1/2)^2) = 0.75 remote ranks. 1000 tokens x 8000 bytes x 0.75 / 1e9 bytes/s = 6 ms.

    Each way log2(2) = 1 hop of 1 ms: 2 ms more.
    """
    seconds = all_to_all_s(tokens_per_rank=1000.0, token_bytes=8000.0, ranks=2.0, experts_per_token=2.0, link_bytes_per_s=1e9, hop_s=1e-3)
    assert seconds == pytest.approx(8e-3)


def test_a_pipeline_of_four_hands_over_three_times() -> None:
    """3 x (1 MB / 1 GB/s + 0.5 ms) = 3 x 1.5 ms."""
    assert pipeline_hops_s(message_bytes=1e6, stages=4.0, link_bytes_per_s=1e9, hop_s=0.5e-3) == pytest.approx(4.5e-3)


messages = st.floats(1, 1e10)
links = st.floats(1e8, 1e12)
hops = st.floats(0, 1e-3)


@given(message=messages, ranks=st.sampled_from([2.0, 4.0, 8.0, 64.0]), link=links, hop=hops, faster=st.floats(1, 100))
def test_faster_links_are_never_slower(message: float, ranks: float, link: float, hop: float, faster: float) -> None:
    for rate, latency in ((link * faster, hop), (link, hop / faster)):
        assert all_reduce_s(message_bytes=message, ranks=ranks, link_bytes_per_s=rate, hop_s=latency) <= all_reduce_s(
            message_bytes=message, ranks=ranks, link_bytes_per_s=link, hop_s=hop
        )
        routed = {"tokens_per_rank": message, "token_bytes": 8192.0, "ranks": ranks, "experts_per_token": 8.0}
        assert all_to_all_s(**routed, link_bytes_per_s=rate, hop_s=latency) <= all_to_all_s(**routed, link_bytes_per_s=link, hop_s=hop)
        assert pipeline_hops_s(message_bytes=message, stages=ranks, link_bytes_per_s=rate, hop_s=latency) <= pipeline_hops_s(
            message_bytes=message, stages=ranks, link_bytes_per_s=link, hop_s=hop
        )


@given(message=messages, link=links, hop=hops)
def test_more_ranks_take_no_less_time(message: float, link: float, hop: float) -> None:
    """Of the same message: latency and volume both grow."""
    waits = [all_reduce_s(message_bytes=message, ranks=float(ranks), link_bytes_per_s=link, hop_s=hop) for ranks in (1, 2, 4, 8, 16)]
    assert waits == sorted(waits)
