"""Run commands in this process, with the engine replaced by one that records its question."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from present import samples

from infra_advisor.cli.app import main


@dataclass
class Result:
    """What a run of the command left behind."""

    status: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("INFRA_ADVISOR_CATALOG", raising=False)

    def call(*arguments: str) -> Result:
        monkeypatch.setattr("sys.argv", ["advisor", *arguments])
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        code = ended.value.code
        return Result(code if isinstance(code, int) else 0, captured.out, captured.err)

    return call


@dataclass
class Engine:
    """Stands in for the engine: gives the prepared answers, and keeps what it was asked."""

    answer: Any = field(default_factory=samples.recommendation)
    comparison: Any = field(default_factory=samples.comparison)
    estimated: Any = field(default_factory=samples.estimate)
    asked: list[tuple[tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)
    loaded: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def given(self) -> dict[str, Any]:
        """What was asked by name, but for who is told of the progress."""
        return {name: value for name, value in self.asked[-1][1].items() if name != "progress"}

    @property
    def workload(self) -> Any:
        return self.asked[-1][0][-2]

    @property
    def limits(self) -> Any:
        return self.asked[-1][0][-1]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()

    def answering(name: str) -> Callable[..., Any]:
        def answer(*arguments: Any, **named: Any) -> Any:
            made.asked.append((arguments, named))
            return getattr(made, name)

        return answer

    def load(*arguments: Any) -> object:
        made.loaded.append(arguments)
        return object()

    monkeypatch.setattr("infra_advisor.facts.catalog.load", load)
    monkeypatch.setattr("infra_advisor.advice.recommend.recommend", answering("answer"))
    monkeypatch.setattr("infra_advisor.advice.compare.compare", answering("comparison"))
    monkeypatch.setattr("infra_advisor.advice.estimate.estimate", answering("estimated"))
    return made
