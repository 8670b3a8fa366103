"""Figures out of JSON documents: finite and not negative, or None with a problem that names the place."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra_advisor.facts.evidence import LONGEST_CELL, checked_number

MILLISECONDS_PER_S = 1e3


@dataclass(frozen=True)
class Place:
    """One record of a result file: where it stands, and where its problems go."""

    where: str
    """File and line, or file and position."""
    problems: list[str]

    def problem(self, what: str) -> None:
        """Note one problem of this record."""
        self.problems.append(f"{self.where}: {what}")

    def figure(self, record: Mapping[str, Any], key: str, *, per: float = 1.0, positive: bool = False) -> float | None:
        """The number under `key` divided by `per`; None where it is missing or null, and with a problem where it is no quantity."""
        raw = record.get(key)
        if raw is None:
            return None
        shown = repr(raw)[:LONGEST_CELL]
        try:
            if isinstance(raw, bool) or not isinstance(raw, int | float | str):
                raise ValueError(f"{shown} is not a number")
            try:
                number = float(raw)
            except (ValueError, OverflowError):
                raise ValueError(f"{shown} is not a number") from None
            number = checked_number(key, number, shown) / per
            if positive and number == 0.0:
                raise ValueError("must be more than 0")
        except ValueError as error:
            self.problem(f"{key}: {error}")
            return None
        return number

    def milliseconds(self, record: Mapping[str, Any], key: str) -> float | None:
        """A time that the file gives in milliseconds. [s]"""
        return self.figure(record, key, per=MILLISECONDS_PER_S)

    def rate(self, record: Mapping[str, Any], key: str) -> float | None:
        """Requests per second; None also where the rate has no limit."""
        raw = record.get(key)
        if raw is None or (isinstance(raw, str) and raw.lower() in ("inf", "infinity", "trace")) or raw == math.inf:
            return None
        return self.figure(record, key, positive=True)


def text(record: Mapping[str, Any], *keys: str) -> str | None:
    """The first of these keys that holds words or a number."""
    for key in keys:
        value = record.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    return None


def inside(record: object, *path: str) -> Mapping[str, Any]:
    """The mapping at a path, empty where there is none."""
    for key in path:
        record = record.get(key) if isinstance(record, Mapping) else None
    return record if isinstance(record, Mapping) else {}


def steady_mode(concurrency: float | None, requests: float | None) -> tuple[str, str]:
    """(mode, what TTFT means) of a run that keeps `concurrency` requests in flight, or sends all of them at once where it is None."""
    if concurrency == 1.0:
        return "closed-loop", "no-load"
    if concurrency is None or (requests is not None and requests <= concurrency):
        return "offline", "burst"
    return "closed-loop", "closed-loop"
