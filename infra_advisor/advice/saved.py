"""A saved recommendation, read back. The file may come from anybody: its size and every type in it are checked, nothing in it is run."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from infra_advisor.advice.answer import Answer, Recommendation
from infra_advisor.advice.asked import Asked
from infra_advisor.advice.checks import SavedStamp
from infra_advisor.advice.parts import WorkloadPart
from infra_advisor.errors import UsageError, near_names
from infra_advisor.facts.files import explain

LARGEST_FILE_BYTES = 64 * 2**20
"""Every answer of the whole catalog, --top 0, takes half of it."""
MOST_PROBLEMS = 10
SCHEMA = "infra_advisor/recommend/1"
SAVE = "save one with: advisor recommend ... -o saved.json"


@dataclass(frozen=True)
class Saved:
    """A recommendation as it was: the question, one of its answers (the first), and what they rested on."""

    stamp: SavedStamp
    asked: Asked
    winner: Answer | None
    workload: WorkloadPart | None = None


def saved(document: Path | str | Recommendation, number: int = 1) -> Saved:
    """The document of a file, or a recommendation at hand; `number`: which of the ranked answers. Raises UsageError."""
    if isinstance(document, Recommendation):
        return _checked(json.loads(document.model_dump_json()), None, number)
    path = Path(document)
    return _checked(_document(_text(path), path), str(path), number)


def saved_text(text: str, where: str, number: int = 1) -> Saved:
    """The same for text that came another way, such as standard input. Raises UsageError."""
    if len(text) > LARGEST_FILE_BYTES:
        raise UsageError(f"{where}: {len(text):,} characters; a saved recommendation holds at most {LARGEST_FILE_BYTES:,}")
    if not text.strip():
        raise UsageError(f"{where}: is empty; {SAVE}")
    return _checked(_document(text, Path(where)), where, number)


def _text(path: Path) -> str:
    try:
        if not path.exists():
            beside = [one.name for one in path.parent.glob("*.json")] if path.parent.is_dir() else []
            near = near_names(path.name, beside)
            raise UsageError(f"{path}: no such file" + (f". Did you mean {' or '.join(near)}?" if near else f"; {SAVE}"))
        if not path.is_file():
            raise UsageError(f"{path}: not a regular file")
        if (size := path.stat().st_size) > LARGEST_FILE_BYTES:
            raise UsageError(f"{path}: {size:,} bytes; a saved recommendation holds at most {LARGEST_FILE_BYTES:,}")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 (byte {error.start}); {SAVE}") from error
    except (OSError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if not text.strip():
        raise UsageError(f"{path}: is empty; {SAVE}")
    return text


def _document(text: str, path: Path) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except json.JSONDecodeError as error:
        cut = "; is the file cut off?" if text.lstrip()[0] == "{" else f"; {SAVE}"
        raise UsageError(f"{path}:{error.lineno}: not JSON: {error.msg} (column {error.colno}){cut}") from error
    except RecursionError as error:
        raise UsageError(f"{path}: nested too deeply for a recommendation") from error
    except ValueError as error:
        raise UsageError(f"{path}: not readable as JSON: {error}") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def _finite(text: str) -> float:
    return value if math.isfinite(value := float(text)) else _refuse(text)


def _checked(document: Any, file: str | None, number: int = 1) -> Saved:
    where = file or "the recommendation"
    if not isinstance(document, Mapping) or not isinstance(schema := document.get("schema"), str):
        raise UsageError(f"{where}: not an answer of advisor: it has no `schema`; {SAVE}")
    if schema != SCHEMA:
        raise UsageError(f"{where}: {_other(schema)}")
    if document.get("question") is None:
        raise UsageError(f"{where}: does not say what was asked (no `question`): it was saved by an older version; {SAVE}")
    try:
        # The question must be understood in full. The answer is only read: what a newer version adds to it changes nothing.
        asked = Asked.model_validate(document["question"])
        stamp = SavedStamp.model_validate(
            {"file": file, "version": asked.version, **{name: document.get(name) for name in ("as_of", "catalog", "status")}},
            extra="ignore",
        )
        ranked = listed if isinstance(listed := document.get("ranked"), list) else []
        if number != 1 and not 1 <= number <= len(ranked):
            raise UsageError(f"{where}: there is no answer {number}: it ranks {len(ranked)}; {SAVE} --top {max(number, 1)}")
        winner = Answer.model_validate(ranked[number - 1], extra="ignore") if ranked else None
        load = WorkloadPart.model_validate(document["workload"], extra="ignore") if document.get("workload") is not None else None
    except ValidationError as error:
        lines = [f"{where}: {line}" for line in explain(error)]
        more = [f"and {len(lines) - MOST_PROBLEMS:,} more"] if len(lines) > MOST_PROBLEMS else []
        raise UsageError("\n".join([*lines[:MOST_PROBLEMS], *more])) from error
    if (winner is None) != (stamp.status == "nothing_fits"):
        raise UsageError(f"{where}: its status is {stamp.status!r} and it ranks {len(ranked)} options: it was changed or cut; {SAVE}")
    if asked.traffic.trace is not None:
        raise UsageError(f"{where}: asks for the trace {asked.traffic.trace}; a recommendation takes none")
    return Saved(stamp, asked, winner, load)


def _other(schema: str) -> str:
    """What a document of another schema is."""
    kind, _, version = schema.removeprefix("infra_advisor/").partition("/")
    if kind == "recommend":
        return f"is written in version {version or '?'} of the format; this program reads version {SCHEMA.rpartition('/')[2]}; {SAVE}"
    if schema.startswith("infra_advisor/"):
        return f"is an answer of `advisor {kind}`, not of `advisor recommend`; {SAVE}"
    return f"its schema is {schema!r}; accepted: {SCHEMA}; {SAVE}"
