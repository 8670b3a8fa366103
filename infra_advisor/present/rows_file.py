"""Requests of a run as CSV, written while the run goes on and put in place in one step when it ends."""

import csv
import os
from pathlib import Path
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
        self._beside = self._target.path.with_name(f".{self._target.path.name[:40]}.{os.getpid()}.rows")

    def __enter__(self) -> "RequestsFile":
        self._stream = self._opened(self._beside)
        self._writer = csv.writer(self._stream, lineterminator="\r\n")
        self._writer.writerow(TITLES)
        return self

    def _opened(self, path: Path):  # type: ignore[no-untyped-def]
        try:
            return path.open("x", encoding="utf-8", newline="")
        except OSError as error:
            raise UsageError(f"cannot write {self._target.asked}: {error.strerror or error}") from error

    def write(self, request: Request) -> None:
        """One request that has left; unrounded, seconds on the clock of the run."""
        done = not request.rejected
        several = done and request.output_tokens > 1
        self._writer.writerow(
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
            self._stream.close()
            if kind is None:
                os.replace(self._beside, self._target.path)
        except OSError as failure:
            raise UsageError(f"cannot write {self._target.asked}: {failure.strerror or failure}") from failure
        finally:
            self._beside.unlink(missing_ok=True)
