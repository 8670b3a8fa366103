"""One replica: an engine that batches continuously, moved from event to event.

Between events the decode batch is constant, so any number of steps is one jump (see `laws`). Events: a request arrives, a pass begins or
ends, a sequence finishes, the cache is full. Each running sequence gains tokens at the same pace, so a clock that counts tokens tells who
finishes next. While a pass runs, decoding goes on at the share of its pace that the engine's interference leaves.
"""

import math
from collections import deque
from heapq import heappop, heappush

from infra_advisor.simulator.engine import Engine
from infra_advisor.simulator.kv_cache import KvCache
from infra_advisor.simulator.request import Request

NEVER = math.inf
LEAST_TOKENS = 1e-9
LEAST_BUDGET = 16.0
"""Prompt tokens a pass takes at least, however many sequences decode."""


class Replica:
    """State of one replica at time `now`. `due` is its next event, `inf` while it is idle."""

    __slots__ = (
        "admitted", "batch", "blocked", "blocked_s", "busy_s", "cache", "clock", "context", "due", "engine", "filling", "in_flight",
        "jump", "left", "now", "pass_end", "pass_now", "place", "preempted", "queue", "running", "running_s",
    )  # fmt: skip

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.cache = KvCache(engine)
        self.now = 0.0
        self.due = NEVER
        self.queue: deque[Request] = deque()
        self.running: list[tuple[float, int, Request]] = []
        """Heap by the reading of the token clock at which a sequence finishes; entries of preempted ones are stale."""
        self.batch = 0
        """Sequences that decode."""
        self.admitted = 0
        """Sequences that decode or are in prefill."""
        self.clock = 0.0
        """Tokens gained by a sequence that never left."""
        self.context = 0.0
        """Tokens attended to, summed over the batch."""
        self.pass_end = NEVER
        self.pass_now: list[Request] = []
        """Requests whose prompt is complete when the pass ends."""
        self.jump = 0.0
        """Tokens that a sequence gains until the event that is due; nan for the end of a pass."""
        self.filling = False
        """The event that is due is the cache being full."""
        self.blocked = False
        """The head of the queue waits for a place in the batch or for room in the cache."""
        self.place = 0
        self.preempted = 0
        self.in_flight = 0
        """Requests here: queued, in prefill, decoding."""
        self.left: list[Request] = []
        """Requests that have finished, been handed over or been refused since `collect` was last called."""
        self.busy_s = 0.0
        self.running_s = 0.0
        """Integral of the batch over time. [sequences x s]"""
        self.blocked_s = 0.0
        """Time in which the queue was blocked. [s]"""

    # -- from outside

    def submit(self, request: Request, at_s: float) -> None:
        """A request arrives, at or after `now` and before `due`. One that never fits into the cache is refused at once."""
        engine = self.engine
        request.factor = engine.ttft_factor
        request.outside_s += engine.handling_s + engine.handling_each_s * self.in_flight
        self.in_flight += 1
        request.todo, request.depth, request.held_bytes = request.input_tokens, 0, 0.0
        request.left = request.output_tokens - 1.0
        if not self.cache.ever_fits(request):
            request.rejected = True
            request.finish_s = at_s
            self._leave(request)
            return
        self.queue.append(request)
        if self.pass_end != NEVER:
            return
        if self.batch == 0:
            if self.admitted == 0:
                self.now = at_s
                self._next()
        elif len(self.queue) == 1:
            if self._admissible(request):
                self._begin_at_boundary(at_s)
            else:
                self.blocked = True
                self.blocked_s -= at_s - self.now  # from here on, not from the last event on

    def step(self) -> None:
        """Let the event that is due happen."""
        if self.due == self.pass_end:
            self._pass_ends()
        else:
            filling = self.filling
            self._advance(self.due, self.jump)
            if not self._finish() and filling and self.cache.full(self.batch):
                self._preempt()
        self._next()

    @property
    def used_bytes(self) -> float:
        """Of the cache, by requests; without blocks that only the prefix cache holds."""
        return self.cache.used_bytes

    def collect(self) -> list[Request]:
        """Requests that have left since the last call."""
        left, self.left = self.left, []
        return left

    # -- time

    def _advance(self, to_s: float, tokens: float) -> None:
        """Move the clock; every running sequence gains `tokens`."""
        elapsed = to_s - self.now
        batch = self.batch
        self.now = to_s
        self.busy_s += elapsed
        self.running_s += elapsed * batch
        if self.blocked:
            self.blocked_s += elapsed
        self.clock += tokens
        gained = tokens * batch
        self.context += gained
        self.cache.grow(gained)

    def _next(self) -> None:
        """Begin a pass if one can, and find out what happens next."""
        self.blocked = self.filling = False
        if self.pass_end == NEVER and self.queue:
            if self._admissible(self.queue[0]):
                self._begin_pass()
            else:
                self.blocked = True
        batch = self.batch
        if batch == 0:
            self.due = self.pass_end
            self.jump = math.nan
            if self.due == NEVER and not self.queue:
                self.context = 0.0
                self.cache.used_bytes = 0.0  # rounding errors end with the work
            return
        engine = self.engine
        running = self.running
        while running[0][2].place != running[0][1]:
            heappop(running)
        tokens = running[0][0] - self.clock
        growth = batch * self.cache.growth_bytes
        if growth > 0.0 and (room := self.cache.room_bytes() / growth) < tokens:
            tokens = room
            self.filling = True
        tokens = max(tokens, 0.0)
        pace = 1.0 if self.pass_end == NEVER else 1.0 - engine.stall_share
        if pace <= 0.0:
            self.due, self.jump = self.pass_end, math.nan
            return
        due = self.now + engine.decode.tokens_s(batch, self.context / batch, tokens) / pace
        if due < self.pass_end:
            self.due, self.jump = due, tokens
        else:
            self.due, self.jump = self.pass_end, math.nan

    def _begin_at_boundary(self, at_s: float) -> None:
        """Make the end of the running step the next event, where nobody finishes before. Steps count from the last event."""
        law, mean = self.engine.decode, self.context / self.batch
        whole = math.ceil(law.tokens_in(self.batch, mean, at_s - self.now) - LEAST_TOKENS)
        if whole < self.jump:
            self.due = max(self.now + law.tokens_s(self.batch, mean, whole), at_s) if whole > 0 else at_s
            self.jump = float(whole)
            self.filling = False

    # -- passes

    def _admissible(self, request: Request) -> bool:
        engine = self.engine
        if request.held_bytes > 0.0:  # its first part was admitted before
            return True
        if self.admitted >= engine.most_running or (not engine.continuous and self.batch > 0):
            return False
        self.cache.find_prefix(request)
        return self.admitted == 0 or self.cache.has_room_for(request)  # alone, what was not refused fits

    def _begin_pass(self) -> None:
        """Take prompts from the head of the queue until the budget is filled."""
        engine, queue = self.engine, self.queue
        budget = engine.tokens_per_pass if engine.continuous else math.inf
        if engine.chunked and engine.continuous:
            budget = max(budget - self.batch, LEAST_BUDGET)
        tokens = scores_s = longest = 0.0
        parts = 0
        complete = self.pass_now
        while queue:
            request = queue[0]
            if parts and (tokens >= budget or not self._admissible(request)):
                break
            todo = request.todo
            if parts == 0 and todo > budget:  # whole chunks of a long prompt are one event; the last one may be shared
                budget = math.ceil(todo / budget) * budget if engine.chunked else float(todo)
            if tokens + todo > budget:
                if not engine.chunked:
                    break
                todo = int(budget - tokens)
                if todo < 1:
                    break
            if request.held_bytes == 0.0:
                self.cache.admit(request)
                self.admitted += 1
            depth = request.depth
            scores_s += engine.prefill.attention_s(depth, depth + todo)
            request.depth = depth + todo
            request.todo -= todo
            tokens += todo
            longest = max(longest, todo)
            parts += 1
            if request.todo > 0:
                break
            complete.append(request)
            queue.popleft()
        whole_s = engine.prefill.duration_s(tokens, parts, longest, scores_s)
        occupied_s = whole_s / engine.stages
        self.pass_end = self.now + occupied_s
        outside_s = whole_s - occupied_s
        if engine.rank_wait_steps and self.batch:
            outside_s += engine.rank_wait_steps * engine.decode.step_s(self.batch, self.context / self.batch)
        if outside_s > 0.0:
            for request in complete:
                if request.first_token_s != request.first_token_s:  # not a number: it is still to come
                    request.outside_s += outside_s

    def _pass_ends(self) -> None:
        """Prompts of the pass are complete: their first token is out and they join the batch."""
        engine = self.engine
        if self.batch:
            decoding_s = (self.pass_end - self.now) * (1.0 - engine.stall_share)
            tokens = engine.decode.tokens_in(self.batch, self.context / self.batch, decoding_s) if decoding_s > 0.0 else 0.0
            self._advance(self.pass_end, tokens)
            self._finish()
        else:
            self._advance(self.pass_end, 0.0)
        self.pass_end = NEVER
        complete, self.pass_now = self.pass_now, []
        now = self.now
        for request in complete:
            if request.preemptions:
                request.left -= 1.0  # what was preempted computes its next token with its context
            elif request.first_token_s != request.first_token_s:  # else another replica has made it
                request.first_token_s = now
            if engine.block_tokens and request.blocks:
                self.cache.share(request)
            if request.left <= LEAST_TOKENS or engine.hands_over:
                self.cache.used_bytes -= request.held_bytes
                self._depart(request)
                continue
            self.place += 1
            request.place = self.place
            request.joined = self.clock
            request.context = request.depth + 1.0
            heappush(self.running, (self.clock + request.left, self.place, request))
            self.batch += 1
            self.context += request.context

    # -- ends

    def _finish(self) -> bool:
        """Let go of every sequence that has its last token."""
        running, reached = self.running, self.clock + LEAST_TOKENS
        any_left = False
        while running and running[0][0] <= reached:
            _, place, request = heappop(running)
            if request.place == place:
                self._release(request, request.left)
                self._depart(request)
                any_left = True
        return any_left

    def _release(self, request: Request, gained: float) -> None:
        """Take a sequence out of the batch and free what it holds."""
        request.place = -1
        self.batch -= 1
        self.context -= request.context + gained
        self.cache.free(request, gained)

    def _depart(self, request: Request) -> None:
        self.admitted -= 1
        request.finish_s = self.now
        self.cache.let_go(request)
        self._leave(request)

    def _leave(self, request: Request) -> None:
        self.in_flight -= 1
        self.left.append(request)

    # -- the cache is full

    def _preempt(self) -> None:
        """Throw out the newest sequence; it waits at the head of the queue and computes its whole context again.

        A prompt that is begun stays before it: it holds cache that only its completion frees.
        """
        newest = max((entry for entry in self.running if entry[2].place == entry[1]), key=lambda entry: entry[1])[2]
        gained = self.clock - newest.joined
        self._release(newest, gained)
        self.admitted -= 1
        self.cache.let_go(newest)
        newest.preemptions += 1
        self.preempted += 1
        newest.left -= gained
        newest.todo = round(newest.input_tokens + newest.output_tokens - newest.left)
        newest.depth = 0
        newest.held_bytes = 0.0
        self.queue.insert(1 if self.queue and self.queue[0].held_bytes > 0.0 else 0, newest)
