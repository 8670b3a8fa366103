"""What an option is: its spelling, how its text is read, and its help."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from infra_advisor.cli import quantities as to


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option. `many`: repeatable, the values are collected; `flag`: takes no value."""

    spellings: tuple[str, ...]
    help: str
    metavar: str | None = None
    read: to.Reader = to.text
    many: bool = False
    flag: bool = False
    bare: str | None = None
    """The value where the option stands without one."""
    in_file: bool = True
    """May stand in a workload file, under the name of its first spelling."""

    @property
    def key(self) -> str:
        """Name without dashes in front: `tokens-per-day`."""
        return self.spellings[0].lstrip("-")

    @property
    def parameter(self) -> str:
        """Name of the Python parameter: `tokens_per_day`."""
        return self.key.replace("-", "_")

    @property
    def usage(self) -> str:
        """`-m, --model NAME`, as the help shows it."""
        return " ".join(filter(None, (", ".join(sorted(self.spellings, key=len)), self.metavar)))


def option(*spellings: str, **fields: Any) -> Option:
    """An option by its spellings, the long one first."""
    return Option(spellings=spellings, **fields)


def with_bare_values(words: Sequence[str], options: Iterable[Option]) -> list[str]:
    """The words of a command line, with its value behind each option that stands without one and may."""
    bare = {spelling: option.bare for option in options if option.bare for spelling in option.spellings}
    return [
        f"{word}={bare[word]}" if word in bare and (not after or after.startswith("-")) else word
        for word, after in zip(words, [*words[1:], ""], strict=False)
    ]
