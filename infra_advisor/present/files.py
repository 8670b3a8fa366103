"""Results written to files: checked before the work, replaced in one step after it."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from infra_advisor.errors import UsageError


@dataclass(frozen=True)
class Target:
    """A file that can be written."""

    path: Path
    asked: str
    """As the user wrote it, for messages."""

    def write(self, text: str) -> None:
        """Replace the file in one step, so that no reader and no crash ever sees half of it. Raises UsageError."""
        data = text.encode("utf-8", "replace")
        try:
            if self.path.exists() and not self.path.is_file():  # a device or a pipe cannot be replaced, only written to
                self.path.write_bytes(data)
                return
            beside = _beside(self.path)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(data)
                if self.path.exists():
                    os.chmod(beside, stat.S_IMODE(self.path.stat().st_mode))
                os.replace(beside, self.path)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise UsageError(f"cannot write {self.asked}: {error.strerror or error}") from error


def target(asked: str) -> Target:
    """The file to write to, tried out without touching what is there. Raises UsageError."""
    if not asked.strip():
        raise UsageError("the output file needs a name")
    try:
        path = Path(os.path.realpath(asked))
        if not path.exists() and os.path.exists(asked):  # /dev/stdout leads to a pipe, which has no path of its own
            path = Path(asked)
        mode = path.stat().st_mode if path.exists() else None
        if mode is not None and stat.S_ISDIR(mode):
            raise UsageError(f"{asked} is a directory; name a file in it, such as {Path(asked, 'answer.md')}")
        if not path.parent.is_dir():
            raise UsageError(f"{asked}: the directory {path.parent} does not exist; create it first")
        if mode is not None and not os.access(path, os.W_OK):
            raise UsageError(f"{asked} is not writable")
        if mode is None or stat.S_ISREG(mode):
            beside = _beside(path)
            os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            beside.unlink()
    except (OSError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"cannot write {asked}: {getattr(error, 'strerror', None) or error}") from error
    return Target(path, asked)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name[:40]}.{os.getpid()}.part")
