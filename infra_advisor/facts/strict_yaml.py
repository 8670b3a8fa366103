"""Strict YAML, built straight from parser events: half the time of the usual constructor, and no way to make a file lie.

Plain scalars follow the core schema of YAML 1.2 (null, true, false, decimal integers and floats; everything else is text, dates and
`yes` included). Repeated keys, aliases, tags, several documents and non-text keys are refused.
"""

import re
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

DEEPEST = 40
MOST_VALUES = 400_000
"""Parser events of one file, a hundred times those of the largest bundled one. A file with more is not read to its end."""
_CONSTANTS: dict[str, bool | None] = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "Null": None,
    "~": None,
    "": None,
}
_NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9]\d*)|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d{1,3})?)", re.ASCII)
_INTEGER = re.compile(r"[-+]?\d+", re.ASCII)
_NUMBER_STARTS = frozenset("0123456789-+.")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str) -> Any:
    """The one document of a text; None for an empty one. Raises yaml.YAMLError with the place."""
    loader = _Loader(text)
    get = loader.get_event
    stack: list[tuple[Any, str | None]] = []
    container: Any = None
    key: str | None = None
    root: Any = None
    documents = values = 0
    try:
        while True:
            event = get()
            values += 1
            if values > MOST_VALUES:
                raise _refused(f"more than {MOST_VALUES:,} values in one file", event)
            kind = type(event)
            if kind is ScalarEvent:
                value: Any = event.value
                if event.tag is not None:
                    raise _refused("tags are not accepted", event)
                if event.implicit[0]:
                    value = _plain(value)
            elif kind is MappingStartEvent:
                value = {}
            elif kind is SequenceStartEvent:
                value = []
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                container, key = stack.pop()
                continue
            elif kind is StreamEndEvent:
                return root
            elif kind is AliasEvent:
                raise _refused("aliases (*name) are not accepted; write the value out", event)
            else:
                if kind is DocumentStartEvent:
                    documents += 1
                    if documents > 1:
                        raise _refused("one document per file is accepted", event)
                continue
            if container is None:
                root = value
            elif type(container) is list:
                container.append(value)
            elif key is None:
                if kind is not ScalarEvent:
                    raise _refused("a key must be text", event)
                key = event.value
                if key in container:
                    raise _refused(f"the key {key!r} appears twice", event)
                continue
            else:
                container[key] = value
                key = None
            if kind is not ScalarEvent:
                if event.tag is not None:
                    raise _refused("tags are not accepted", event)
                if len(stack) >= DEEPEST:
                    raise _refused(f"nested more than {DEEPEST} deep", event)
                stack.append((container, key))
                container, key = value, None
    finally:
        loader.dispose()


def _plain(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] in _NUMBER_STARTS and _NUMBER.fullmatch(text):
        return int(text) if _INTEGER.fullmatch(text) else float(text)
    return text


def _refused(what: str, event: Any) -> yaml.YAMLError:
    return yaml.MarkedYAMLError(problem=what, problem_mark=event.start_mark)
