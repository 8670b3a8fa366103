"""From deployments to the laws a run reads: step and pass times tabulated once, all deployments in one sweep of the physics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from infra_advisor.facts.chips import Chip
from infra_advisor.facts.engines import engine_has, engine_runs_on
from infra_advisor.search.candidates import Candidate
from infra_advisor.search.deployments import Column
from infra_advisor.search.points import Timing
from infra_advisor.search.terms import moved_bytes, total_s
from infra_advisor.simulator.engine import Engine
from infra_advisor.simulator.laws import CacheLaw, DecodeLaw, PrefillLaw

BATCH_RATIO = 1.15
CONTEXT_RATIO = 1.5
TOKEN_RATIO = 1.25
HELD_RATIO = 1.6
FIRST_CONTEXT = 32.0
EXACT_BATCHES = 8
LEAST_LONGEST_TOKENS = 4096.0


@dataclass(frozen=True)
class Scheduling:
    """What an engine does on a chip when requests compete."""

    chunked: bool
    continuous: bool
    prefix_cache: bool
    reserve_output: bool


def scheduling_of(candidate: Candidate, chip: Chip) -> Scheduling:
    """The rules of the candidate's engine on its chip."""
    engine = candidate.engine
    support = engine_runs_on(engine, chip)
    assert support is not None  # it is a candidate
    return Scheduling(
        chunked=engine_has(engine, "chunked_prefill", support),
        continuous=engine_has(engine, "continuous_batching", support),
        prefix_cache=engine_has(engine, "prefix_cache", support),
        reserve_output=engine.defaults.cache_full == "wait",
    )


def engines(
    timing: Timing, scheduling: Sequence[Scheduling], *, longest_tokens: float, shared_share: float = 0.0, block_tokens: int = 0
) -> list[Engine]:
    """One engine per deployment of `timing`, with tables up to requests of `longest_tokens`; `scheduling`: the rules of each."""
    longest = max(longest_tokens, LEAST_LONGEST_TOKENS)
    decode, prefill, cache = _decode_laws(timing, longest), _prefill_laws(timing, longest), _cache_laws(timing, longest)
    d, found = timing.d, []
    for place, rules in enumerate(scheduling):
        stall = float(d.stall_share[place]) if rules.chunked else 1.0  # no pass without chunks carries decode tokens
        found.append(
            Engine(
                decode=decode[place],
                prefill=prefill[place],
                cache=cache[place],
                most_running=int(d.most_sequences[place] * d.dp[place]),
                tokens_per_pass=float(d.tokens_per_pass[place] * d.dp[place]),
                chunked=rules.chunked,
                continuous=rules.continuous,
                stall_share=min(stall, 1.0),
                stages=float(d.pp[place]) if d.fill_pipeline[place] > 0 else 1.0,
                rank_wait_steps=float(d.rank_wait_steps[place] * np.log2(d.dp[place])),
                reserve_output=rules.reserve_output,
                shared_share=shared_share,
                block_tokens=block_tokens if rules.prefix_cache else 0,
                handling_s=float(d.frontend_s[place]),
                handling_each_s=float(d.frontend_sequence_s[place]),
                ttft_factor=float(d.ttft_factor[place]),
            )
        )
    return found


def _ladder(first: float, last: float, ratio: float) -> list[float]:
    """From `first` to `last`, each at most `ratio` times the one before."""
    count = max(int(np.ceil(np.log(last / first) / np.log(ratio))), 1)
    return [float(first * (last / first) ** (k / count)) for k in range(count + 1)]


def _decode_laws(timing: Timing, longest: float) -> list[DecodeLaw]:
    contexts = sorted({*_ladder(FIRST_CONTEXT, longest, CONTEXT_RATIO), *_kinks(timing, longest)})
    most = float(np.max(timing.d.most_sequences * timing.d.dp))
    most = max(most, EXACT_BATCHES + 1.0)
    exact = np.arange(1.0, EXACT_BATCHES + 1.0).tolist()
    batches = np.array(sorted({*exact, *_ladder(EXACT_BATCHES, most, BATCH_RATIO), *_full_batches(timing, most)}))
    count, shape = len(timing.d), (len(batches), len(contexts))
    batch = np.broadcast_to(batches[:, None], shape).ravel()
    context = np.broadcast_to(np.array(contexts)[None, :], shape).ravel()
    places = np.repeat(np.arange(count), batch.size)
    repeated = timing.take(places)
    batch, context = np.tile(batch, count), np.tile(context, count)
    terms = repeated.decode_terms(batch, context)
    per_step = timing.tokens_per_step
    step_s = total_s(terms) / per_step
    least_s = moved_bytes(terms) / repeated.d.peak_bytes_per_s / per_step
    table = np.maximum(step_s * repeated.d.tpot_factor, np.minimum(least_s, step_s)).reshape(count, *shape)
    return [DecodeLaw(contexts, _rows(batches, table[place])) for place in range(count)]


def _rows(batches: Column, table: Column) -> Callable[[int], Sequence[float]]:
    """Step times of any whole batch, linear between the tabulated ones."""

    def steps_s(batch: int) -> Sequence[float]:
        k = min(max(int(np.searchsorted(batches, batch, side="right")) - 1, 0), len(batches) - 2)
        share = (batch - batches[k]) / (batches[k + 1] - batches[k])
        found: list[float] = (table[k] + (table[k + 1] - table[k]) * share).tolist()
        return found

    return steps_s


def _full_batches(timing: Timing, most: float) -> set[float]:
    """Batches from which on every stage, or every attention-parallel rank of it, has a sequence of its own: there a step begins to grow."""
    stages = np.where(timing.d.fill_pipeline > 0, timing.d.pp, 1.0)
    return {float(batch) for batch in np.concatenate([stages, stages * timing.d.dp]) if EXACT_BATCHES < batch < most}


def _kinks(timing: Timing, longest: float) -> list[float]:
    """Contexts at which a window or a choice of positions stops a step from growing."""
    found = []
    for _, stream in timing.shape.streams:
        for limit, scale in ((stream.window, 1.0), (stream.selected, stream.per_token)):
            if limit is not None and FIRST_CONTEXT < (at := float(limit) / float(scale)) < longest:
                found.append(at)
    return found


def _prefill_laws(timing: Timing, longest: float) -> list[PrefillLaw]:
    d = timing.d
    most = max(longest, float(np.max(d.tokens_per_pass * d.dp)))
    budgets = {float(tokens) for tokens in d.tokens_per_pass if tokens < most}
    nodes = sorted({*_ladder(1.0, most, TOKEN_RATIO), *budgets, *_kinks(timing, most)})
    count = len(d)
    places = np.repeat(np.arange(count), len(nodes))
    one = timing.with_input(places, np.tile(np.array(nodes), count))
    ranks = one.d.dp
    alone, every = one.prefill_terms(np.ones(len(places))), one.prefill_terms(ranks)
    scores = alone["attention"].seconds if "attention" in alone else np.zeros(len(places))
    scores_all = every["attention"].seconds if "attention" in every else np.zeros(len(places))
    pass_s = (total_s(alone) - scores).reshape(count, -1)
    pass_all_s = (total_s(every) - scores_all).reshape(count, -1)
    mean_scores = (scores / one.input_tokens).reshape(count, -1)
    return [
        PrefillLaw(nodes, pass_s[k].tolist(), pass_all_s[k].tolist(), mean_scores[k].tolist(), ranks=int(d.dp[k])) for k in range(count)
    ]


def _cache_laws(timing: Timing, longest: float) -> list[CacheLaw]:
    """Pool and holdings per accelerator, times the attention-parallel ranks, among which sequences are dealt out evenly."""
    nodes = sorted({*_ladder(1.0, longest, HELD_RATIO), *_kinks(timing, longest)})
    memory, d = timing.memory, timing.d
    held = np.array([timing.sequence_bytes(tokens) for tokens in nodes])
    after = timing.sequence_bytes(timing.input_tokens + timing.output_tokens)
    growth = (after - timing.sequence_bytes(timing.input_tokens)) / timing.output_tokens
    return [
        CacheLaw(
            pool_bytes=float(memory.pool[k] * d.dp[k]),
            tokens=nodes,
            held_bytes=held[:, k].tolist(),
            growth_bytes=float(growth[k]),
        )
        for k in range(len(d))
    ]
