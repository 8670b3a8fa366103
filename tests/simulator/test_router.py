"""Which replica gets a request."""

from simulator.runs import engine, served

from infra_advisor.simulator.replica import Replica
from infra_advisor.simulator.request import Request
from infra_advisor.simulator.router import LeastLoaded, PrefixAffine, RoundRobin


def replicas(*in_flight: int) -> list[Replica]:
    found = [Replica(engine(block_tokens=16)) for _ in in_flight]
    for replica, number in zip(found, in_flight, strict=True):
        for _ in range(number):
            replica.submit(Request(0.0, 100, 100), 0.0)
    return found


def test_each_in_turn() -> None:
    router, among = RoundRobin(), replicas(5, 0, 1)
    assert [router.choose(Request(0.0, 1, 1), among) for _ in range(5)] == [0, 1, 2, 0, 1]


def test_the_one_with_the_fewest_in_flight() -> None:
    """The first of several."""
    for in_flight, chosen in (((3, 1, 2), 1), ((2, 1, 1), 1), ((0, 0), 0), ((7,), 0)):
        assert LeastLoaded().choose(Request(0.0, 1, 1), replicas(*in_flight)) == chosen


def test_the_one_that_knows_most_of_the_prompt() -> None:
    """Blocks 1, 2 on the first, 1, 2, 3 on the second and third: the less loaded of those two, unless it has 9 more than the idle one."""
    asked = Request(0.0, 64, 1, (1, 2, 3, 4))
    for in_flight, chosen in (((0, 2, 1, 3), 2), ((0, 8, 9, 3), 1), ((0, 9, 10, 3), 0), ((3, 12, 13, 3), 0), ((3, 11, 12, 3), 1)):
        among = replicas(*in_flight)
        for replica, blocks in zip(among, [(1, 2), (1, 2, 3), (1, 2, 3), ()], strict=True):
            replica.cache.prefix.hold(blocks)
        assert PrefixAffine().choose(asked, among) == chosen


def test_without_a_known_prefix_the_least_loaded() -> None:
    among = replicas(2, 1)
    among[0].cache.prefix.hold((1, 2))
    for blocks in (None, (), (3, 1), (4,)):
        assert PrefixAffine().choose(Request(0.0, 64, 1, blocks), among) == 1


def test_talks_stay_where_they_began() -> None:
    """Two talks of three turns each, the second one begun while the first is served: each finds its own prompt of the turn before."""
    first = [Request(10.0 * turn, 64 * (turn + 1), 2, tuple(range(4 * (turn + 1)))) for turn in range(3)]
    second = [Request(10.0 * turn + 0.01, 64 * (turn + 1), 2, tuple(range(100, 100 + 4 * (turn + 1)))) for turn in range(3)]
    both = sorted([*first, *second], key=lambda request: request.arrival_s)
    served(engine(block_tokens=16), both, replicas=2, router=PrefixAffine())
    assert [request.replica for request in first] == [0, 0, 0]
    assert [request.replica for request in second] == [1, 1, 1]
    assert [request.cached_tokens for request in second] == [0, 64, 128]
