"""The errors a person can cause, and the exit status each one ends with.

    AdvisorError                anything else that escapes is a bug: exit 1 with a traceback
    ├── UsageError         2    unknown name, quantity without unit, contradictory limits
    └── CatalogError       3    the catalog or an overlay cannot be read; carries every problem found

"Nothing fits" (4), "a check found drift" (5) and "a source could not be read" (6) are answers, not exceptions.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

EXIT_OK = 0
EXIT_USAGE = 2
EXIT_CATALOG = 3
EXIT_NOTHING_FITS = 4
EXIT_CHECK_FAILED = 5
EXIT_SOURCE_UNREACHABLE = 6


class AdvisorError(Exception):
    """The message is shown to the user as it is: what was wrong, what is accepted, what to try next."""

    exit_status = 1


class UsageError(AdvisorError, ValueError):
    """The question cannot be answered as asked. Also a ValueError, so that pydantic reports it in place."""

    exit_status = EXIT_USAGE


class CatalogError(AdvisorError):
    """The facts cannot be used. `problems` holds one line per problem, over every file that was read."""

    exit_status = EXIT_CATALOG

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def near_names(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known names most like `name`, best first; names that contain it come before merely similar ones."""
    wanted = name.lower()
    if not wanted:
        return []
    names = sorted(set(known))
    inside = sorted((known_name for known_name in names if wanted in known_name), key=len)
    similar = [near for near in get_close_matches(wanted, names, n=count, cutoff=0.5) if near not in inside]
    return (inside + similar)[:count]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean ...?` with a leading blank, or the empty string where nothing is near."""
    near = near_names(name, known)
    return f" Did you mean {' or '.join(near)}?" if near else ""
