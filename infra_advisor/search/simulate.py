"""Run requests through a deployment: bind its laws, a source and a router, and sum up what the requests saw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from infra_advisor.search.outcome import STATISTICS, Sample, Simulated, Statistics
from infra_advisor.search.quantiles import Times
from infra_advisor.search.solve import Targets
from infra_advisor.simulator.engine import Engine
from infra_advisor.simulator.laws import PrefillLaw
from infra_advisor.simulator.replica import Replica
from infra_advisor.simulator.request import Request
from infra_advisor.simulator.router import LeastLoaded, PrefixAffine, RoundRobin, Router
from infra_advisor.simulator.run import Pool, Source, run

ROUTERS: dict[str, Callable[[], Router]] = {"least-loaded": LeastLoaded, "round-robin": RoundRobin, "prefix-affine": PrefixAffine}
WARM_UP_SHARE = 0.1
"""Of the requests of a steady load that arrive before anything is counted."""
LEAST_SAMPLES, MOST_SAMPLES = 256, 512
"""Of a run that long; a run of unknown length begins with every request."""
GROWN = 2.0
"""A backlog this many times as long in the last quarter as in the second one grows."""
NOTABLE_BACKLOG = 5.0
"""Requests per replica that wait; fewer say nothing."""
FULL_SHARE = 0.5
"""Of the arrivals that find no place free, from which on a fixed number of senders is more than the replicas have places for."""
_NO_WORK = PrefillLaw((1.0, 2.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0))


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Replicas of one engine."""

    engine: Engine
    replicas: int = 1
    router: str = "least-loaded"
    prefill_replicas: int = 0
    """Replicas that only prefill; the others then only decode. 0 = each does both."""
    link_bytes_per_s: float = 0.0
    """Of one accelerator, by which its part of a prefilled cache moves to the replica that decodes; all move theirs at once."""
    link_s: float = 0.0
    """Latency of that."""


def simulate(
    fleet: Fleet,
    source: Source,
    targets: Targets,
    *,
    steady: bool,
    requests: int | None = None,
    closed: bool = False,
    give_up: bool = False,
    each: Callable[[Request], None] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Simulated:
    """Run all requests of the source. Targets count per request, whatever statistic they name.

    `steady`: leave out the warm-up of a load that goes on for ever (`requests`: how many will come). `closed`: senders wait for answers.
    `give_up`: end as soon as so many requests have missed a target that the statistic cannot keep it; the result then says so.
    `each`: told of every request that leaves. `progress`: told at times how many have arrived.
    """
    serving, decoding = _pools(fleet)
    everyone = [*serving.replicas, *(decoding.replicas if decoding else ())]
    stride = max((requests or 0) // LEAST_SAMPLES, 1)
    count = _Count(
        everyone, targets, int(WARM_UP_SHARE * requests) if steady and requests else 0, each, progress, closed=closed, stride=stride
    )

    def transfer_s(request: Request) -> float:
        return fleet.link_s + fleet.engine.cache.of_prompt(request.input_tokens) / fleet.link_bytes_per_s

    if give_up and requests and targets.statistic in STATISTICS:
        count.allowed = (1.0 - STATISTICS[targets.statistic]) * requests * (1.0 - WARM_UP_SHARE) + 1.0
    try:
        run(source, serving, count.finished, decoders=decoding, transfer_s=transfer_s if decoding else None, watch=count.arrives)
    except _Hopeless:
        return replace(count.result(), hopeless=True)
    return count.result()


class _Hopeless(Exception):
    """Too many requests have missed a target."""


def _pools(fleet: Fleet) -> tuple[Pool, Pool | None]:
    router = ROUTERS[fleet.router]
    if not fleet.prefill_replicas:
        return Pool([Replica(fleet.engine) for _ in range(fleet.replicas)], router()), None
    prefill = replace(fleet.engine, hands_over=True)
    decode = replace(fleet.engine, prefill=_NO_WORK, tokens_per_pass=float("inf"), handling_s=0.0, handling_each_s=0.0, block_tokens=0)
    return (
        Pool([Replica(prefill) for _ in range(fleet.prefill_replicas)], router()),
        Pool([Replica(replace(decode, shared_share=0.0)) for _ in range(fleet.replicas)], LeastLoaded()),
    )


def _is_full(replica: Replica) -> bool:
    """Some wait, and all would be more than there are places, or than the cache holds if each held as much as those that run."""
    here, admitted = replica.in_flight, replica.admitted
    if here <= admitted:
        return False
    return here > replica.engine.most_running or replica.used_bytes * here > replica.cache.pool_bytes * admitted


def _crowd(sample: Sample) -> tuple[int, int]:
    """Of two samples the fuller one is kept: what hurts is the peak."""
    return sample.waiting, sample.running


class _Count:
    """Counts while the run goes on."""

    def __init__(
        self,
        replicas: Sequence[Replica],
        targets: Targets,
        warm_up: int,
        each: Callable[[Request], None] | None,
        progress: Callable[[int], None] | None,
        *,
        closed: bool,
        stride: int,
    ) -> None:
        self._closed = closed
        self._replicas, self._warm_up, self._each, self._progress = replicas, warm_up, each, progress
        self._pool_bytes = sum(replica.engine.cache.pool_bytes for replica in replicas)
        self._ttft_most = targets.ttft_s if targets.ttft_s is not None else float("inf")
        self._tpot_most = targets.tpot_s if targets.tpot_s is not None else float("inf")
        self._ttft, self._tpot, self._e2e = Times(), Times(), Times()
        self._arrived = self._finished = self._rejected = 0
        self._good = 0
        self._late = self._slow = 0
        self.allowed = float("inf")
        """The run ends when more requests than that have missed one target."""
        self._first_s = self._last_s = self._end_s = 0.0
        self._done = self._tokens = self._done_by_last = self._tokens_by_last = 0
        """Requests and tokens since the warm-up, in all and until the last arrival."""
        self._prompt_tokens = self._cached_tokens = 0
        self._samples: list[Sample] = []
        self._full = 0.0
        """Arrivals at which the replicas were full, those of some replicas in part."""
        self._stride = self._next_sample = stride

    def arrives(self, at_s: float) -> None:
        self._arrived += 1
        self._last_s = at_s
        self._done_by_last, self._tokens_by_last = self._done, self._tokens
        if self._arrived == self._warm_up + 1:
            self._first_s = at_s
        if self._arrived >= self._next_sample:
            self._sample(at_s)

    def _sample(self, at_s: float) -> None:
        running = here = 0
        used = 0.0
        for replica in self._replicas:
            running += replica.batch
            here += replica.in_flight
            used += replica.used_bytes
        if self._closed:
            self._full += self._stride * sum(map(_is_full, self._replicas)) / len(self._replicas)
        self._samples.append(Sample(at_s, here - running, running, used / self._pool_bytes if self._pool_bytes else 0.0))
        if len(self._samples) >= MOST_SAMPLES:
            self._samples = [max(pair, key=_crowd) for pair in zip(self._samples[::2], self._samples[1::2], strict=True)]
            self._stride *= 2
        self._next_sample = self._arrived + self._stride
        if self._progress is not None:
            self._progress(self._arrived)

    def finished(self, request: Request) -> None:
        if self._each is not None:
            self._each(request)
        self._end_s = request.finish_s
        if request.rejected:
            self._rejected += 1
            return
        self._finished += 1
        if self._arrived > self._warm_up:
            self._done += 1
            self._tokens += request.output_tokens
        if request.arrival_s < self._first_s or self._arrived <= self._warm_up:
            return
        ttft_s = request.ttft_s
        self._ttft.add(ttft_s)
        self._e2e.add(request.e2e_s)
        good = True
        if ttft_s > self._ttft_most:
            good = False
            self._late += 1
        if request.output_tokens > 1:
            tpot_s = request.tpot_s
            self._tpot.add(tpot_s)
            if tpot_s > self._tpot_most:
                good = False
                self._slow += 1
        self._good += good
        if max(self._late, self._slow) > self.allowed:
            raise _Hopeless
        self._prompt_tokens += request.input_tokens
        self._cached_tokens += request.cached_tokens

    def result(self) -> Simulated:
        saturated = self._full > FULL_SHARE * self._arrived if self._closed else self._grows()
        window_s, done, tokens = self._last_s - self._first_s, self._done_by_last, self._tokens_by_last
        if saturated or self._end_s - self._last_s > window_s:  # not steady while they came: all until the last answer
            window_s, done, tokens = self._end_s - self._first_s, self._done, self._tokens
        rate_per_s = done / window_s if window_s > 0.0 else 0.0
        whole_s = max(self._end_s * len(self._replicas), 1e-12)
        busy_s = sum(replica.busy_s for replica in self._replicas)
        return Simulated(
            arrived=self._arrived,
            finished=self._finished,
            rejected=self._rejected,
            preempted=sum(replica.preempted for replica in self._replicas),
            counted=self._ttft.count,
            window_s=window_s,
            ttft_s=Statistics.of(self._ttft),
            tpot_s=Statistics.of(self._tpot),
            e2e_s=Statistics.of(self._e2e),
            good=self._good,
            goodput_per_s=rate_per_s * self._good / self._ttft.count if self._ttft.count else 0.0,
            output_tokens_per_s=tokens / window_s if window_s > 0 else 0.0,
            utilisation=min(busy_s / whole_s, 1.0),
            mean_running=sum(replica.running_s for replica in self._replicas) / busy_s if busy_s else 0.0,
            hit_share=self._cached_tokens / self._prompt_tokens if self._prompt_tokens else 0.0,
            saturated=saturated,
            samples=tuple(self._samples),
        )

    def _grows(self) -> bool:
        """The backlog of open arrivals grows over the run; what comes all at once only shrinks."""
        samples = self._samples
        if len(samples) < 8 or self._last_s <= self._first_s:
            return False
        quarter = len(samples) // 4
        second = sum(sample.waiting for sample in samples[quarter : 2 * quarter]) / quarter
        last = sum(sample.waiting for sample in samples[-quarter:]) / quarter
        return last > GROWN * second and last > NOTABLE_BACKLOG * len(self._replicas)
