"""A workload file holds what the options say; options win over it."""

from pathlib import Path

import pytest

from infra_advisor.advice.payment import Payment
from infra_advisor.search.traffic import Traffic

from .conftest import Engine, Run


@pytest.fixture
def write(tmp_path: Path) -> object:
    def make(text: str) -> str:
        path = tmp_path / "chat.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return make


def test_all_kinds_of_keys(run: Run, engine: Engine, write: object) -> None:
    text = """
model: 70b
users: 20
think: 5s
input: 2000
output: 500
ttft: 500ms
speed: 30
residency: jp
where: [cloud, onprem]
vendor: "!amd"
budget: 5000/month
"""
    path = write(text)  # type: ignore[operator]
    assert run("recommend", "--workload", path).status == 0
    assert (engine.workload.model, engine.workload.users, engine.workload.think_s) == ("70b", 20.0, 5.0)
    assert (engine.workload.input_tokens, engine.workload.output_tokens) == (2000, 500)
    assert (engine.limits.ttft_s, engine.limits.tpot_s, engine.limits.residency) == (0.5, pytest.approx(1 / 30), "JP")
    assert (engine.limits.where, engine.limits.vendor.drop) == (("cloud", "onprem"), ("amd",))


def test_norway_is_a_country(run: Run, engine: Engine, write: object) -> None:
    run("recommend", "-w", write("model: 70b\nresidency: NO\n"))  # type: ignore[operator]
    assert engine.limits.residency == "NO"


def test_options_override_the_file(run: Run, engine: Engine, write: object) -> None:
    path = write("model: 70b\nusers: 20\nspeed: 30\nttft: 1s\ntop: 3\nrank: speed\nportable: true\nexit-after: 6\n")  # type: ignore[operator]
    assert (
        run("recommend", "-w", path, "--exit-after", "12", "--concurrency", "8", "--tpot", "50ms", "--ttft", "200ms", "--top", "1").status
        == 0
    )
    assert (engine.workload.users, engine.workload.concurrency) == (None, 8.0)
    assert (engine.limits.tpot_s, engine.limits.ttft_s) == (pytest.approx(0.05), 0.2)
    assert engine.limits.portable
    terms = {"traffic": Traffic(), "payment": Payment()}
    aside = {"plan": False, "mix": False, "site_needs": False, "carry_in": False, "exit_after_months": 12}
    assert engine.given == {"rank": "speed", "top": 1, "merge": "decision", **aside, **terms}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: 70b\nttft: 500\n", "ttft: '500' needs a number and a unit"),
        ("model: 70b\nttff: 500ms\n", "ttff: unknown key; accepted: "),
        ("model: 70b\nttff: 500ms\n", "Did you mean ttft"),
        ("model: true\n", "put it in quotes"),
        ("model: [a, b]\n", "takes a single value"),
        ("model: {a: b}\n", "takes a single value"),
        ("model:\n", "put it in quotes"),
        ("explain: 1\n", "takes true or false"),
        ("model: 70b\nmodel: 8b\n", "appears twice"),
        ("input: 10\nmodel: 70b\noutput: 5\noutput-tokens: 6\n", "given twice"),
        ("users: 1\nrate: 1/s\nmodel: 70b\n", "--users and --rate contradict"),
        ("tpot: 33ms\nspeed: 30\nmodel: 70b\n", "--tpot and --speed"),
        ("workload: other.yaml\n", "unknown key"),
        ("- a\n- b\n", "needs lines such as"),
        ("", "needs lines such as"),
        ("model: &a 70b\nkv: *a\n", "aliases"),
        ("model: 70b\n  bad: indent\n", "chat.yaml:2"),
        ("model: 70b\nttft: 1s\nttft: !!python/object:os.system x\n", "error: "),
    ],
)
def test_bad_files_are_refused(run: Run, engine: Engine, write: object, text: str, message: str) -> None:
    result = run("recommend", "--workload", write(text))  # type: ignore[operator]
    assert result.status == 2
    assert message in result.err
    assert engine.asked == []


def test_all_problems_of_a_file_are_told_at_once(run: Run, engine: Engine, write: object) -> None:
    err = run("recommend", "--workload", write("model: 70b\nttft: 500\nusers: none\nwhat: 1\n")).err  # type: ignore[operator]
    assert "ttft: '500'" in err
    assert "users: 'none'" in err
    assert "what: unknown key" in err


def test_missing_and_binary_files_are_refused(run: Run, engine: Engine, tmp_path: Path) -> None:
    binary = tmp_path / "x.yaml"
    binary.write_bytes(b"\xff\xfe\x00model")
    for path, message in ((tmp_path / "none.yaml", "not a regular file"), (tmp_path, "not a regular file"), (binary, "not UTF-8")):
        result = run("recommend", "--workload", str(path))
        assert result.status == 2
        assert message in result.err
