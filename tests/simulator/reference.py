"""One replica served token by token: slow and obvious, to hold the event-jump simulator against.

Its rules are those of `infra_advisor.simulator.replica`:

- First come, first served. A pass over prompts begins when none runs and the head of the queue is admissible: at an event (an arrival at
  an idle replica, the end of a pass, a finish, a preemption), and for an arrival while others decode at the end of the step in progress,
  steps being counted from the last event.
- A request is admissible when fewer than `most_running` decode or are in prefill and the cache has room for its prompt, with
  `reserve_output` for its answer too; beside others 1 % of the pool more. Alone it always is: what never fits is refused on arrival.
  A prompt begun is admissible until it is complete. Static batches: only when nobody decodes, and then without a token budget.
- Chunked: the budget of a pass is `tokens_per_pass` less one per running sequence, at least 16. A long prompt at the head takes as many
  whole budgets as it needs, in one pass; what the last one leaves is shared with the prompts behind it, and one that does not fit is begun
  and stays at the head. Not chunked: whole prompts while they fit into the budget, at least one.
- A pass takes `PrefillLaw.duration_s`, with the attention of every part; it keeps the engine for 1/`stages` of that. Meanwhile sequences
  decode at 1 - `stall_share` of their pace. At its end its complete prompts have one token more, and decode with the prompt + 1 in context.
- A decode step of `batch` sequences at mean context c takes `DecodeLaw.step_s(batch, c)` and adds a token to each. Events cut steps: a part
  f of a step from c on takes f times the line through the law's cell at c + (f - 1) / 2, so that parts add up to the whole. A step that
  crosses a node of the law is cut there, which is no event.
- Each token decoded takes `growth_bytes` of the cache, none where the answer is reserved. When the cache is full, the sequence that joined
  last is preempted: it goes to the head of the queue, behind a prompt that is begun. All it had is its prompt then, which gives its next
  token, and holds what it held before and one token more.
"""

import math
from dataclasses import dataclass

from infra_advisor.simulator.engine import Engine

TINY = 1e-9


@dataclass(eq=False)
class Job:
    """One request."""

    arrival_s: float
    prompt: int
    output: int
    made: float = 0.0
    """Tokens that are out."""
    depth: int = 0
    todo: int = 0
    begun: bool = False
    held_bytes: float = 0.0
    context: float = 0.0
    first_s: float = math.nan
    finish_s: float = math.nan
    rejected: bool = False
    preempted: int = 0


class Reference:
    """Serves jobs, which must be in order of arrival."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.growth_bytes = 0.0 if engine.reserve_output else engine.cache.growth_bytes
        self.now = 0.0
        self.waiting: list[Job] = []
        self.in_pass: list[Job] = []
        """Those whose prompt is complete when the pass ends."""
        self.pass_end: float | None = None
        self.decoding: list[Job] = []
        """In the order in which they joined."""
        self.step_done = 0.0
        """Part of the step in progress, counted from the last event."""

    def serve(self, jobs: list[Job]) -> None:
        """Fill in the times of all jobs."""
        coming = list(jobs)
        while coming or self.waiting or self.in_pass or self.decoding:
            if self.step_done == 0.0 and self.pass_end is None and self.waiting and self.admissible(self.waiting[0]):
                self.begin_pass()
            if self.pass_end is None and not self.decoding:
                assert not self.waiting, "stuck"
                self.now = coming[0].arrival_s
                self.arrive(coming.pop(0))
                continue
            if self.pace() > 0.0 and self.decoding and self.growth_bytes > 0.0 and self.room_in_tokens() <= TINY:
                self.preempt()
                continue
            self.move()
            while coming and coming[0].arrival_s <= self.now:
                self.arrive(coming.pop(0))

    def arrive(self, job: Job) -> None:
        job.todo = job.prompt
        if self.prompt_bytes(job) + self.answer_bytes(job) > self.engine.cache.pool_bytes:
            job.rejected = True
        else:
            self.skip_shared(job)
            self.waiting.append(job)

    def skip_shared(self, job: Job) -> None:
        """What all prompts have in common lies in the cache; the last token is always computed."""
        job.depth = min(int(self.engine.shared_share * job.prompt), job.todo - 1)
        job.todo -= job.depth

    # -- the cache

    def prompt_bytes(self, job: Job) -> float:
        cache = self.engine.cache
        return cache.of_prompt(job.prompt) + (job.todo - job.prompt) * cache.growth_bytes  # without what is there already

    def answer_bytes(self, job: Job) -> float:
        return (job.output - job.made - 1) * self.engine.cache.growth_bytes

    def bytes_to_admit(self, job: Job) -> float:
        return self.prompt_bytes(job) + (self.answer_bytes(job) if self.engine.reserve_output else 0.0)

    def admitted(self) -> list[Job]:
        return self.decoding + self.in_pass + [job for job in self.waiting if job.begun]

    def free_bytes(self) -> float:
        return self.engine.cache.pool_bytes - sum(job.held_bytes for job in self.admitted())

    def room_in_tokens(self) -> float:
        """By which every running sequence can grow."""
        return self.free_bytes() / (len(self.decoding) * self.growth_bytes)

    def preempt(self) -> None:
        job = self.decoding.pop()
        job.todo, job.depth, job.begun, job.held_bytes = round(job.prompt + job.made), 0, False, 0.0
        self.skip_shared(job)
        job.preempted += 1
        self.waiting.insert(1 if self.waiting and self.waiting[0].begun else 0, job)
        self.step_done = 0.0

    # -- prefill

    def admissible(self, job: Job) -> bool:
        if job.begun:
            return True
        others = self.admitted()
        if not others:
            return True
        if len(others) >= self.engine.most_running or (self.decoding and not self.engine.continuous):
            return False
        return self.free_bytes() >= self.bytes_to_admit(job) + 0.01 * self.engine.cache.pool_bytes

    def begin_pass(self) -> None:
        engine = self.engine
        budget = engine.tokens_per_pass
        if engine.chunked:
            budget = max(budget - len(self.decoding), 16)
        room = math.inf if not engine.continuous else budget
        parts: list[int] = []
        scores_s = 0.0
        while self.waiting and room > 0 and self.admissible(self.waiting[0]):
            job = self.waiting[0]
            while not parts and room < job.todo:
                room = room + budget if engine.chunked else job.todo
            if job.todo > room and not engine.chunked:
                break
            part = job.todo if job.todo <= room else math.floor(room)
            if part < 1:
                break
            if not job.begun:
                job.begun, job.held_bytes = True, self.bytes_to_admit(job)
            scores_s += engine.prefill.attention_s(job.depth, job.depth + part)
            job.depth += part
            job.todo -= part
            room -= part
            parts.append(part)
            if job.todo > 0:
                break
            self.in_pass.append(self.waiting.pop(0))
        self.pass_end = self.now + engine.prefill.duration_s(sum(parts), len(parts), max(parts), scores_s) / engine.stages

    def end_pass(self) -> None:
        for job in self.in_pass:
            job.made += 1.0
            if math.isnan(job.first_s):
                job.first_s = self.now
            if job.made > job.output - TINY:
                job.finish_s = self.now
            else:
                job.context = job.depth + 1
                self.decoding.append(job)
        self.in_pass, self.pass_end = [], None

    # -- decode

    def pace(self) -> float:
        return 1.0 if self.pass_end is None else 1.0 - self.engine.stall_share

    def seconds(self, part: float) -> float:
        """Of so much of a step from the present contexts on."""
        law, batch = self.engine.decode, len(self.decoding)
        context = sum(job.context for job in self.decoding) / batch
        cell = self.cell(context)
        low, high = law.contexts[cell], law.contexts[cell + 1]
        steps_s = law.steps_s(batch)
        share = (context + (part - 1.0) / 2.0 - low) / (high - low)
        return part * (steps_s[cell] + share * (steps_s[cell + 1] - steps_s[cell])) / self.pace()

    def cell(self, context: float) -> int:
        nodes = self.engine.decode.contexts
        return max([k for k in range(len(nodes) - 1) if nodes[k] <= context + TINY], default=0)

    def move(self) -> None:
        """To the end of the step, or to what comes before it: a node of the law, a finish, the cache being full, the end of the pass."""
        if not self.decoding or self.pace() <= 0.0:
            assert self.pass_end is not None
            self.now = self.pass_end
            self.end_pass()
            self.step_done = 0.0
            return
        nodes = self.engine.decode.contexts
        context = sum(job.context for job in self.decoding) / len(self.decoding)
        part = min(1.0 - self.step_done, *(job.output - job.made for job in self.decoding))
        if self.growth_bytes > 0.0:
            part = min(part, self.room_in_tokens())
        if self.cell(context) < len(nodes) - 2:
            part = min(part, nodes[self.cell(context) + 1] - context)
        ends = self.pass_end is not None and self.now + self.seconds(part) >= self.pass_end
        if ends and self.pass_end is not None:
            least, most = 0.0, part
            for _ in range(60):  # halving: the part of a step that takes until then
                part = (least + most) / 2.0
                least, most = (part, most) if self.now + self.seconds(part) < self.pass_end else (least, part)
        self.now = self.pass_end if ends and self.pass_end is not None else self.now + self.seconds(part)
        self.step_done += part
        for job in self.decoding:
            job.made += part
            job.context += part
            job.held_bytes += part * self.growth_bytes
        event = ends
        for job in [job for job in self.decoding if job.made > job.output - TINY]:
            self.decoding.remove(job)
            job.finish_s = self.now
            event = True
        if ends:
            self.end_pass()
        if event or self.step_done > 1.0 - TINY:
            self.step_done = 0.0
