"""The answer of `manifest`: one text with the files after one another, or a directory of them."""

import os
from pathlib import Path

from infra_advisor.advice.manifests import Manifest
from infra_advisor.errors import UsageError
from infra_advisor.present.files import target
from infra_advisor.present.say import tell, write
from infra_advisor.present.words import Words, words

NOTES = "NOTES.md"
_RUNNABLE = ("command", "smoke")


def notes(record: Manifest, say: Words) -> str:
    """What to know before using the files, in Markdown."""
    engine = say("manifest.engine", engine=record.engine, version=record.engine_version) if record.engine else say("manifest.api")
    lines = [f"# {record.model}: {record.hardware}", "", say("manifest.from", answer=record.answer, as_of=record.saved.as_of), engine]
    parts = {
        "manifest.warnings": record.warnings,
        "manifest.must_set": record.must_set,
        "manifest.notes": record.notes,
        "manifest.left_out": tuple(f"{kind}: {why}" for kind, why in record.left_out.items()),
    }
    for key, items in parts.items():
        if items:
            lines += ["", f"## {say(key)}", "", *(f"- {item}" for item in items)]
    return "\n".join(lines) + "\n"


def document(record: Manifest, say: Words) -> str:
    """Notes and files, each after a line with its name."""
    files = [(NOTES, notes(record, say)), *((file.name, file.text) for file in record.files)]
    return "\n".join(f"{f' {name} '.center(78, '=')}\n{text}" for name, text in files)


def show(record: Manifest, language: str = "en") -> None:
    """Print all files as one text."""
    write(document(record, words(language)))


def write_directory(record: Manifest, asked: str, *, force: bool = False, language: str = "en") -> None:
    """Write every file, each in one step, after all of them were found writable. Raises UsageError where one is there, without `force`."""
    say = words(language)
    directory = Path(asked)
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{asked} is no directory; name one with -o DIR")
    texts = {NOTES: notes(record, say)} | {file.name: file.text for file in record.files}
    there = [name for name in texts if os.path.lexists(directory / name)]
    if there and not force:
        raise UsageError(f"{asked} already holds {', '.join(there)}; --force replaces them")
    try:
        directory.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the directory {asked}: {error.strerror or error}") from error
    targets = {name: target(str(directory / name)) for name in texts}
    for name, text in texts.items():
        targets[name].write(text)
    for file in record.files:
        if file.kind in _RUNNABLE:
            os.chmod(directory / file.name, 0o755)
    tell(say("manifest.wrote", path=asked, files=", ".join(texts)))
