"""Text on stdout and stderr, whatever the terminal, pipe or locale."""

import os
import sys
from typing import TextIO

from infra_advisor.errors import UsageError
from infra_advisor.present.screen import can_write_unicode
from infra_advisor.present.text import clean, to_ascii


def write(text: str) -> None:
    """Put text on stdout. A reader that has gone away (`| head`) has seen what it wanted: no error. Raises UsageError."""
    if sys.stdout is None:
        raise UsageError("standard output is closed; write to a file with -o FILE")
    try:
        sys.stdout.write(text if can_write_unicode(sys.stdout) else to_ascii(text))
        sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout)
    except OSError as error:
        discard(sys.stdout)
        raise UsageError(f"cannot write to standard output: {error.strerror or error}") from error


def tell(message: str) -> None:
    """A line for the person on stderr; lost without complaint where nobody listens."""
    if sys.stderr is None:
        return
    lines = [clean(line) for line in message.splitlines()]
    try:
        for line in lines:
            print(line if can_write_unicode(sys.stderr) else to_ascii(line), file=sys.stderr)
        sys.stderr.flush()
    except OSError:
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Let whatever is still written to a broken stream vanish, also at the interpreter's exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        return
