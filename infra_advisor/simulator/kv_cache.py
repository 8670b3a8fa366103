"""The KV cache of one replica: what requests hold of it, what the prefix cache keeps of it, and whether one more fits."""

import math

from infra_advisor.simulator.engine import Engine
from infra_advisor.simulator.prefix import PrefixCache
from infra_advisor.simulator.request import Request

WATERMARK_SHARE = 0.01
"""Of the cache, kept free when a request is admitted beside others, so that the next tokens have room."""
LEAST_TOKENS = 1e-9


class KvCache:
    """Bytes in use. What a request holds grows with each of its tokens, unless its whole answer was reserved at the start."""

    __slots__ = ("_block_bytes", "_engine", "_token_bytes", "growth_bytes", "pool_bytes", "prefix", "used_bytes")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.pool_bytes = engine.cache.pool_bytes
        self._token_bytes = engine.cache.growth_bytes
        self._block_bytes = engine.block_tokens * engine.cache.growth_bytes
        self.growth_bytes = 0.0 if engine.reserve_output else engine.cache.growth_bytes
        """By one token of a running sequence; none where the whole answer is reserved."""
        self.used_bytes = 0.0
        """By requests; without blocks that only the prefix cache holds."""
        self.prefix = PrefixCache()

    # -- admission

    def ever_fits(self, request: Request) -> bool:
        """True where it fits alone, with its whole answer. Also weighs its prompt."""
        request.prompt_bytes = self._engine.cache.of_prompt(request.input_tokens)
        return self._bytes_at_end(request) <= self.pool_bytes

    def has_room_for(self, request: Request) -> bool:
        """True where it fits beside the others, with some room to grow; blocks that nobody uses are given up for it."""
        needed = self._bytes_to_admit(request) + WATERMARK_SHARE * self.pool_bytes
        return self.room_bytes(needed, request) >= needed

    def find_prefix(self, request: Request) -> None:
        """Skip what the cache holds of the prompt; the last token is always computed."""
        engine = self._engine
        if engine.shared_share:
            found = int(engine.shared_share * request.input_tokens)
        elif engine.block_tokens and request.blocks and request.preemptions == 0:
            found = self.prefix.leading_hits(request.blocks) * engine.block_tokens
        else:
            return
        whole = request.todo + request.depth
        request.cached_tokens = request.depth = min(found, whole - 1)
        request.todo = whole - request.depth

    def admit(self, request: Request) -> None:
        """Give it what its prompt needs."""
        request.held_bytes = max(self._bytes_to_admit(request), 1.0)
        self.room_bytes(request.held_bytes, request)
        if self._block_bytes:
            self.prefix.hold(self._found(request))
        self.used_bytes += request.held_bytes

    # -- use

    def grow(self, tokens: float) -> None:
        """Running sequences gain so many tokens in sum."""
        self.used_bytes += tokens * self.growth_bytes

    def free(self, request: Request, gained: float) -> None:
        """A running request that gained so many tokens gives back what it holds."""
        self.used_bytes -= request.held_bytes + gained * self.growth_bytes

    def share(self, request: Request) -> None:
        """The blocks of a finished prompt now belong to the prefix cache; the request keeps only what is its own."""
        assert request.blocks is not None
        if request.preemptions:
            return
        added = self.prefix.hold(request.blocks[len(self._found(request)) :])
        whole = min(added * self._block_bytes, request.held_bytes - 1.0)
        request.held_bytes -= whole
        self.used_bytes -= whole

    def let_go(self, request: Request) -> None:
        """A request no longer uses the blocks of its prompt."""
        if self._block_bytes and request.blocks and request.preemptions == 0:
            self.prefix.release(request.blocks)

    # -- room

    def room_bytes(self, wanted: float = 0.0, request: Request | None = None) -> float:
        """Free, or made free by giving up blocks that only the prefix cache holds, but none that `request` is to use. [bytes]"""
        free = self.pool_bytes - self.used_bytes
        if self._block_bytes and len(self.prefix):
            free -= len(self.prefix) * self._block_bytes
            if free < wanted:
                kept = self._found(request) if request is not None else ()
                self.prefix.hold(kept)
                free += self.prefix.give_up(math.ceil((wanted - free) / self._block_bytes)) * self._block_bytes
                self.prefix.release(kept)
        return free

    def full(self, batch: int) -> bool:
        """No room for another token of each of so many sequences."""
        wanted = WATERMARK_SHARE * self.pool_bytes if self._block_bytes else 0.0
        return self.room_bytes(wanted) <= batch * self.growth_bytes * LEAST_TOKENS

    # -- sizes

    def _bytes_of_prompt(self, request: Request) -> float:
        """What it is still to compute: cached tokens are stored once, with whoever came first; an answer computed again is held as when
        it was made.
        """
        return request.prompt_bytes + (request.todo - request.input_tokens) * self._token_bytes

    def _bytes_at_end(self, request: Request) -> float:
        answer = 0.0 if self._engine.hands_over else request.left * self._token_bytes
        return self._bytes_of_prompt(request) + answer

    def _bytes_to_admit(self, request: Request) -> float:
        return self._bytes_at_end(request) if self._engine.reserve_output else self._bytes_of_prompt(request)

    def _found(self, request: Request) -> tuple[int, ...]:
        """The blocks of its prompt that `find_prefix` found."""
        size = self._engine.block_tokens
        if not size or not request.blocks or request.preemptions or self._engine.shared_share:
            return ()
        return request.blocks[: -(-request.cached_tokens // size)]
