"""Messages on stderr, and the exit status that goes with them."""

import sys

from infra_advisor.errors import AdvisorError, UsageError
from infra_advisor.present.say import discard, tell

MOST_PROBLEMS = 50


def complain(error: AdvisorError) -> int:
    """Say what is wrong; the exit status of the error."""
    lines = str(error).splitlines() or [type(error).__name__]
    shown = lines[:MOST_PROBLEMS]
    if len(lines) > len(shown):
        shown.append(f"... and {len(lines) - len(shown):,} more")
    tell("\n".join([f"error: {shown[0]}", *(f"       {line}" for line in shown[1:])]))
    return error.exit_status


def unwritable(error: OSError) -> int:
    """Standard output takes no more: a full disk. The exit status."""
    if sys.stdout is not None:
        discard(sys.stdout)
    return complain(UsageError(f"cannot write to standard output: {error.strerror or error}"))


def quietly() -> int:
    """A reader went away while something else than an answer was printed."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            discard(stream)
    return 0
