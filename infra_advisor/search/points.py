"""The binder of facts and physics: many deployments of one model, timed at once.

`Deployments` holds one column per deployment, in base units; `Timing` is what physics says of them at a load. All arrays have one length.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, reduce

import numpy as np
from numpy.typing import NDArray

from infra_advisor.physics.collectives import all_reduce_s, all_to_all_s, pipeline_hops_s
from infra_advisor.physics.elementwise import Number, maximum
from infra_advisor.physics.memory import activation_bytes, most_sequences, typical_tokens_held, usable_bytes
from infra_advisor.physics.roofline import compute_fill
from infra_advisor.physics.serving import Served, serve
from infra_advisor.physics.speculation import Speculation
from infra_advisor.physics.stacked import Shape, StackedShape
from infra_advisor.physics.work import Work, decode_work, kv_bytes, prefill_work
from infra_advisor.search.defaults import Defaults
from infra_advisor.search.deployments import Column, Deployments
from infra_advisor.search.terms import Memory, Part, moved_bytes, roofline_part, total_s

ACTIVATION_BYTES = 2.0
DISPATCH_AND_COMBINE_BYTES = 4.0
WIDEST_ROW_PER_HIDDEN = 4.0
LEAST_PROFILED_TOKENS = 512.0


class Timing:
    """Physics of one model and one pair of lengths over many deployments."""

    def __init__(
        self,
        shape: Shape,
        deployments: Deployments,
        defaults: Defaults,
        *,
        input_tokens: float | Column,
        output_tokens: float | Column,
        speculation: Speculation | None = None,
        tails: Mapping[str, float] | None = None,
    ) -> None:
        """`tails`: quantile -> prompt tokens at it, where requests differ in length; empty where they do not."""
        self.shape = shape
        self.d = deployments
        self.defaults = defaults
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens
        self.speculation = speculation
        self.tails = dict(tails or {})
        self._longer_s: dict[str, Column] = {}

    def take(self, index: NDArray[np.intp]) -> "Timing":
        """The same model and lengths over some of the deployments."""
        shape = self.shape.take(index) if isinstance(self.shape, StackedShape) else self.shape
        lengths = [one[index] if isinstance(one, np.ndarray) else one for one in (self.input_tokens, self.output_tokens)]
        return Timing(
            shape,
            self.d.take(index),
            self.defaults,
            input_tokens=lengths[0],
            output_tokens=lengths[1],
            speculation=self.speculation,
            tails=self.tails,
        )

    def with_input(self, index: NDArray[np.intp], input_tokens: Column) -> "Timing":
        """Some of the deployments with other prompts, one length for each position of the index."""
        taken = self.take(index)
        return Timing(
            taken.shape,
            taken.d,
            self.defaults,
            input_tokens=input_tokens,
            output_tokens=taken.output_tokens,
            speculation=self.speculation,
        )

    @property
    def tokens_per_step(self) -> float:
        """Tokens a sequence gains by one decode step; 1 without speculation."""
        return self.speculation.tokens_per_step if self.speculation else 1.0

    # -- memory

    @cached_property
    def memory(self) -> Memory:
        """What fits."""
        d, shape = self.d, self.shape
        w = shape.weights
        stage = d.pp
        tables = (w.embedding * d.embedding_bits + w.head * d.head_bits) / 8.0
        weights = (
            (w.linear + w.extra) * d.linear_bits / 8.0 / d.tp / stage
            + tables / d.tp
            + w.experts * d.expert_bits / 8.0 / d.expert_ranks / stage
        )
        usable = usable_bytes(memory_bytes=d.memory_bytes, reserve_bytes=d.reserve_bytes, engine_share=d.engine_share)
        pass_tokens = np.minimum(d.tokens_per_pass, np.maximum(self.input_tokens, LEAST_PROFILED_TOKENS))
        activations = activation_bytes(
            tokens_per_pass=pass_tokens, widest_row=WIDEST_ROW_PER_HIDDEN * shape.hidden, element_bytes=ACTIVATION_BYTES
        )
        pool = usable - weights - activations
        held = typical_tokens_held(input_tokens=self.input_tokens, output_tokens=self.output_tokens)
        per_sequence = self.sequence_bytes(held)
        whole = self.sequence_bytes(self.input_tokens + self.output_tokens)
        rank_sequences = most_sequences(pool_bytes=np.maximum(pool, 0.0), sequence_bytes=per_sequence)
        fits = pool >= whole
        most = np.minimum(np.maximum(rank_sequences, 1.0), d.most_sequences) * d.dp
        return Memory(usable, weights, activations, pool, per_sequence, fits, most)

    def sequence_bytes(self, tokens: Number) -> Column:
        """Cache and state of one sequence of so many tokens, on one accelerator. [bytes]"""
        d = self.d
        held: Column = kv_bytes(self.shape, context=tokens * np.ones(len(d)), kv_bits=d.kv_bits, tp=d.tp)
        return held / d.pp

    # -- one decode step

    def decode_terms(self, batch: Column, context: Number) -> dict[str, Part]:
        """Named parts of one decode step of `batch` running sequences at a context; the step is their sum. [s]"""
        d, shape = self.d, self.shape
        micro = np.maximum(np.where(d.fill_pipeline > 0, batch / d.pp, batch), 1.0)
        ranked = np.maximum(micro / d.dp, 1.0)
        checked = 1.0 + (self.speculation.draft_tokens if self.speculation else 0.0)
        work = decode_work(shape, batch=ranked * checked, context=context * np.ones(len(d)), tp=d.tp, expert_tokens=micro * checked)
        if self.speculation:  # tokens checked together read the cache of their sequence once
            work = replace(work, kv_elements_read=work.kv_elements_read / checked, index_bytes=work.index_bytes / checked)
        terms = self._pass_terms(work, rows=ranked * checked, expert_rows=micro * checked, expert_scale=np.maximum(micro / ranked, 1.0))
        if self.speculation:
            terms["drafts"] = Part(self.speculation.draft_tokens * total_s(terms) / shape.layer_count, "host")
        terms["launches"] = Part(d.layer_s * shape.layer_count + d.moe_layer_s * shape.moe_layer_count, "host")
        terms["engine"] = Part(d.step_s + d.sequence_s * micro, "host")
        return terms

    def decode_step_s(self, batch: Column, context: Number) -> Column:
        """Time of one decode step. [s]"""
        return total_s(self.decode_terms(batch, context))

    # -- one prefill pass

    def prefill_terms(self, prompts: Column, cached: Number = 0.0) -> dict[str, Part]:
        """Named parts of the prefill of `prompts` whole prompts at once, on the ranks that share them, behind `cached` tokens each. [s]"""
        d, shape = self.d, self.shape
        per_rank = np.maximum(prompts / d.dp, 1.0)
        work = prefill_work(shape, tokens=self.input_tokens * np.ones(len(d)), cached=cached * np.ones(len(d)), prompts=per_rank, tp=d.tp)
        all_tokens = np.maximum(prompts, 1.0) * self.input_tokens
        terms = self._pass_terms(work, rows=work.tokens, expert_rows=all_tokens, expert_scale=np.maximum(prompts / per_rank, 1.0))
        passes = np.maximum(per_rank * self.input_tokens / d.tokens_per_pass, 1.0)
        terms["dispatch"] = Part(d.prefill_layer_s * shape.layer_count * passes, "host")
        return terms

    def decode_alone_s(self, batch: Column, context: Number) -> Column:
        """TPOT of a batch that nothing interrupts, after what measurements of the chip and model add or take. [s]

        Never below moving the bytes at the data-sheet rate.
        """
        terms = self.decode_terms(batch, context)
        step_s = total_s(terms)
        least_s = moved_bytes(terms) / self.d.peak_bytes_per_s
        return np.maximum(step_s * self.d.tpot_factor, np.minimum(least_s, step_s))

    @cached_property
    def prompt_alone_s(self) -> Column:
        """Prefill of one prompt on an idle replica. [s]"""
        return total_s(self.prefill_terms(np.ones(len(self.d))))

    def longer_s(self, statistic: str) -> Column | None:
        """What the prompt at a quantile takes beyond one of mean length, alone; None where all prompts are alike. [s]"""
        if statistic not in self.tails:
            return None
        if statistic not in self._longer_s:
            longer = self.with_input(np.arange(len(self.d)), np.full(len(self.d), self.tails[statistic]))
            self._longer_s[statistic] = np.maximum(longer.prompt_alone_s - self.prompt_alone_s, 0.0) * self.d.ttft_factor
        return self._longer_s[statistic]

    def prompt_share_s(self, in_flight: Column) -> tuple[Column, Column]:
        """(time per prompt, time by which one prompt delays sequences that run) where prompts share passes. [s]

        As many share a pass as the token budget and the load allow. Ranks and stages work at once: what queues behind them sees all of
        them; what runs sees as many as the load fills, since steps wait for the slowest.
        """
        d = self.d
        together = np.maximum(np.minimum(d.tokens_per_pass / self.input_tokens * d.dp, in_flight / 4.0), d.dp)
        few = np.clip(in_flight / 4.0, 1.0, together)
        pass_s = total_s(self.prefill_terms(together))
        few_s = pass_s if np.array_equal(few, together) else total_s(self.prefill_terms(few))
        stages = np.where(d.fill_pipeline > 0, d.pp, 1.0)
        return pass_s / together / stages, few_s / few / np.clip(in_flight / 2.0, 1.0, stages)

    # -- a replica at a load

    def serve(self, in_flight: Column, *, open_arrivals: bool) -> Served:
        """Steady state of one replica of every deployment with so many requests in flight."""
        d, defaults = self.d, self.defaults
        context = self.input_tokens + self.output_tokens / 2.0
        queue = defaults.queue_weight_open if open_arrivals else d.queue_weight
        least_s = np.zeros(len(d))

        def step(batch: Column) -> Column:  # per token that a sequence gains
            nonlocal least_s
            terms = self.decode_terms(batch, context)
            least_s = moved_bytes(terms) / d.peak_bytes_per_s / self.tokens_per_step
            return total_s(terms) / self.tokens_per_step

        share_s, stall_s = self.prompt_share_s(in_flight)
        served = serve(
            in_flight=in_flight,
            most_running=self.memory.most_running,
            output_tokens=self.output_tokens,
            decode_step_s=step,
            prompt_alone_s=self.prompt_alone_s,
            prompt_share_s=share_s,
            prompt_stall_s=d.stall_share * stall_s,
            frontend_s=d.frontend_s + d.frontend_sequence_s * np.maximum(in_flight - 1.0, 0.0),
            queue_weight=queue,
            rank_wait_steps=d.rank_wait_steps * np.log2(d.dp),
            never_met=0.0 if open_arrivals else 1.0,
        )
        tpot_s = np.maximum(served.tpot_s * d.tpot_factor, np.minimum(least_s, served.tpot_s))
        first = {name: getattr(served, name) * d.ttft_factor for name in ("ttft_s", "queue_s", "admission_s")}
        return replace(served, tpot_s=tpot_s, **first)

    # -- parts of a pass

    def _pass_terms(self, work: Work, *, rows: Column, expert_rows: Column, expert_scale: Column) -> dict[str, Part]:
        d, shape, k = self.d, self.shape, self.defaults
        head_bits = np.where(shape.tied, d.embedding_bits, d.head_bits)
        weights = (
            (work.linear_elements * d.linear_bits + work.head_elements * head_bits + work.embedding_elements * d.embedding_bits)
            / 8.0
            / d.tp
        )
        flop = (work.linear_flop + work.head_flop + work.state_flop) / d.tp
        fill = compute_fill(rows=rows, half_rows=d.fill_half_rows, least=k.fill_least)
        terms = {"weights": roofline_part(weights + work.state_bytes, flop, d.linear_bytes_per_s, d.linear_flop_per_s * fill, d.sharpness)}
        if shape.routed_experts:
            imbalance = 1.0 + d.imbalance_per_doubling * np.log2(d.ep)
            most = reduce(maximum, (routed.experts / routed.top_k for _, routed in shape.routed_experts))
            expert_fill = compute_fill(rows=expert_rows / most, half_rows=d.expert_fill_half_rows, least=k.expert_fill_least)
            moved = work.expert_elements * d.expert_bits / 8.0 / d.expert_ranks * imbalance
            expert_flop = work.expert_flop * expert_scale / d.expert_ranks * imbalance
            terms["experts"] = roofline_part(moved, expert_flop, d.expert_bytes_per_s, d.expert_flop_per_s * expert_fill, d.sharpness)
        if shape.streams:
            kv = (work.kv_elements_read + work.kv_elements_written) * d.kv_bits / 8.0 + work.index_bytes
            terms["attention"] = roofline_part(kv, work.score_flop / d.tp, d.kv_bytes_per_s, d.score_flop_per_s, d.sharpness)
        message = work.tokens * shape.hidden * ACTIVATION_BYTES
        reduce_s = shape.block_count * all_reduce_s(message_bytes=message, ranks=d.tp, link_bytes_per_s=d.link_bytes_per_s, hop_s=d.hop_s)
        if shape.routed_experts:
            top_k = reduce(maximum, (routed.top_k for _, routed in shape.routed_experts))
            exchange = all_to_all_s(
                tokens_per_rank=work.tokens,
                token_bytes=shape.hidden * DISPATCH_AND_COMBINE_BYTES,
                ranks=d.ep,
                experts_per_token=top_k,
                link_bytes_per_s=d.link_bytes_per_s,
                hop_s=d.hop_s,
            )
            reduce_s = reduce_s + np.where(d.dp > 1, shape.moe_layer_count * exchange, 0.0)
        terms["collectives"] = Part(reduce_s, "interconnect")
        hops = pipeline_hops_s(message_bytes=message, stages=d.pp, link_bytes_per_s=d.stage_link_bytes_per_s, hop_s=d.stage_hop_s)
        terms["pipeline"] = Part(hops, "interconnect")
        return terms
