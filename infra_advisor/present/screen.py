"""The terminal, pipe or file that an answer is written for."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

PIPE_COLUMNS = 100
NARROWEST = 20
WIDEST = 160


@dataclass(frozen=True)
class Screen:
    """What the output can show."""

    width: int = PIPE_COLUMNS
    color: bool = False
    unicode: bool = True


def screen_of(stream: TextIO, environment: Mapping[str, str] = os.environ) -> Screen:
    """Width from COLUMNS or the terminal, 100 for pipes; colour only on a terminal and never against NO_COLOR."""
    terminal = stream.isatty()
    columns = shutil.get_terminal_size((PIPE_COLUMNS, 24)).columns
    color = terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
    return Screen(width=min(max(columns, NARROWEST), WIDEST), color=color, unicode=can_write_unicode(stream))


def can_write_unicode(stream: TextIO) -> bool:
    """False where the locale's encoding lacks the signs that we draw with."""
    try:
        "─│█×–…".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
