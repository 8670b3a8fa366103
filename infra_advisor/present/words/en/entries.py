"""Words of `catalog list`."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "entries.show": "As of {day}. `advisor catalog show ID` gives every fact with its source.",
    "entries.assume": "`--assume NAME=VALUE` puts another value in the place of one of these, for one question.",
    "entries.on_request": "by country, unless you assume it",
}
