"""One update of a directory at a time: a lock file that only one run can create."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra_advisor.errors import UsageError
from infra_advisor.facts.update.gather import Tell

LOCK_FILE = ".update.lock"
STALE_S = 3_600.0
"""A run touches its lock whenever it says something; one that was silent for so long is dead."""


@contextmanager
def locked(folder: Path, tell: Tell) -> Iterator[Callable[[], None]]:
    """Hold the directory, which is created, and removed again where nothing was put into it; yields what keeps the lock fresh.

    Raises UsageError where another run holds it, OSError where nothing can be written there.
    """
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    lock = folder / LOCK_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mine = _take(lock, tell)
        try:
            yield lambda: _touch(lock)
        finally:
            if _held_by(lock) == mine:
                lock.unlink(missing_ok=True)
    finally:
        for one in made:
            with suppress(OSError):  # it is not empty
                one.rmdir()


def _take(lock: Path, tell: Tell) -> str:
    """Create the lock; what stands in it."""
    mine = f"{os.getpid()} {time.time_ns()}"
    for _ in range(2):
        try:
            descriptor = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            age_s = _age_s(lock)
            if age_s <= STALE_S:
                break
            tell("update.stale", {"file": str(lock), "hours": f"{age_s / 3600:,.1f}"})
            lock.unlink(missing_ok=True)
            continue
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(mine)
        return mine
    process = _held_by(lock).partition(" ")[0]
    raise UsageError(
        f"another update of {lock.parent} is running (process {process or 'unknown'}): wait until it has ended;"
        f" where there is none, remove {lock}"
    )


def _age_s(lock: Path) -> float:
    try:
        return time.time() - lock.lstat().st_mtime
    except FileNotFoundError:  # it ended just now
        return STALE_S + 1


def _held_by(lock: Path) -> str:
    try:
        return lock.read_text(encoding="utf-8")[:40]
    except (OSError, ValueError):
        return ""


def _touch(lock: Path) -> None:
    with suppress(OSError):
        os.utime(lock)
