"""YAML for other programs: keys in the order written, no anchors, scripts as blocks, everything that could be misread quoted."""

from collections.abc import Sequence
from typing import Any

import yaml


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Plain.add_representer(str, _text)


def yaml_text(documents: Sequence[Any]) -> str:
    """One document, or several after one another."""
    several = len(documents) > 1
    return str(yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, width=1000, allow_unicode=False, explicit_start=several))
