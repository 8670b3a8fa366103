"""The prefix cache of one replica: blocks of prompts seen before, the least recently used given up first."""


class PrefixCache:
    """Blocks by id. A block in use by a running request is never given up."""

    def __init__(self) -> None:
        self._used_by: dict[int, int] = {}
        """Block -> running requests that use it, in order of last use."""

    def __len__(self) -> int:
        return len(self._used_by)

    def leading_hits(self, blocks: tuple[int, ...]) -> int:
        """How many blocks from the first on are here."""
        known = self._used_by
        for place, block in enumerate(blocks):
            if block not in known:
                return place
        return len(blocks)

    def hold(self, blocks: tuple[int, ...]) -> int:
        """Put the blocks in, in use; the number of those that were not here."""
        known, before = self._used_by, len(self._used_by)
        for block in blocks:
            known[block] = known.pop(block, 0) + 1
        return len(known) - before

    def release(self, blocks: tuple[int, ...]) -> None:
        """A request no longer uses them. Those further back in its prompt are given up first: without the ones before they are no use."""
        known = self._used_by
        for block in reversed(blocks):
            known[block] = known.pop(block) - 1

    def give_up(self, wanted: int) -> int:
        """Drop up to so many blocks that nobody uses, oldest first; how many were dropped."""
        found: list[int] = []
        for block, users in self._used_by.items():
            if len(found) >= wanted:
                break
            if users == 0:
                found.append(block)
        for block in found:
            del self._used_by[block]
        return len(found)
