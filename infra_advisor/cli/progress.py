"""Lines on stderr while something takes longer than a second."""

from collections.abc import Mapping

from infra_advisor.present.say import tell
from infra_advisor.present.words import words


def tell_progress(key: str, values: Mapping[str, str]) -> None:
    """Say what was just done."""
    tell(words()(key, **values))
