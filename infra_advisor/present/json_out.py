"""Answers as one JSON document: unrounded, base units, the keys of the records."""

import json
from typing import Any

from pydantic import BaseModel


def render(record: BaseModel | dict[str, Any] | list[Any], *, unicode: bool = True) -> str:
    """One document and a line end; `unicode=False` escapes everything beyond ASCII. NaN and infinity become null, which means unknown."""
    document = json.loads(record.model_dump_json(by_alias=True)) if isinstance(record, BaseModel) else record
    return json.dumps(document, ensure_ascii=not unicode, allow_nan=False, indent=2) + "\n"
