"""Requests of a run as CSV, written while the run goes on and put in place in one step when it ends."""

import csv
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType

from infra_advisor.errors import UsageError
from infra_advisor.present.files import target
from infra_advisor.simulator.request import Request

TITLES = (
    "arrival_s", "input_tokens", "output_tokens", "replica", "status", "ttft_s", "tpot_s", "e2e_s", "cached_tokens", "preemptions",
)  # fmt: skip


class RequestsFile:
    """A file of requests; nothing is left of it where the run fails. Raises UsageError where it cannot be written."""

    def __init__(self, asked: str) -> None:
        self._target = target(asked)
        path = self._target.path
        self._in_place = path.exists() and not path.is_file()
        """A device or a pipe cannot be replaced, only written to."""
        self._beside = path if self._in_place else path.with_name(f".{path.name[:40]}.{os.getpid()}.rows")

    def __enter__(self) -> "RequestsFile":
        with self._told():
            self._stream = self._beside.open("w" if self._in_place else "x", encoding="utf-8", newline="")
        self._writer = csv.writer(self._stream, lineterminator="\r\n")
        self._write(TITLES)
        return self

    def write(self, request: Request) -> None:
        """One request that has left; unrounded, seconds on the clock of the run."""
        done = not request.rejected
        several = done and request.output_tokens > 1
        self._write(
            (
                request.arrival_s,
                request.input_tokens,
                request.output_tokens,
                request.replica,
                "finished" if done else "rejected",
                request.ttft_s if done else "",
                request.tpot_s if several else "",
                request.e2e_s if done else "",
                request.cached_tokens,
                request.preemptions,
            )
        )

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            with self._told():
                self._stream.close()
                if kind is None and not self._in_place:
                    if self._target.path.exists():
                        os.chmod(self._beside, stat.S_IMODE(self._target.path.stat().st_mode))
                    os.replace(self._beside, self._target.path)
        finally:
            if not self._in_place:
                self._beside.unlink(missing_ok=True)

    def _write(self, cells: Sequence[object]) -> None:
        with self._told():
            self._writer.writerow(cells)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say which file it was that could not be written."""
        try:
            yield
        except OSError as error:
            raise UsageError(f"cannot write {self._target.asked}: {error.strerror or error}") from error
