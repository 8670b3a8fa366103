"""`advisor manifest`: from a saved recommendation to files on disk, and what it refuses."""

import io
import json
import os
import shlex
from pathlib import Path

import pytest
from deployed import answer, check_compose, check_kubernetes, path_of
from jsonschema import Draft202012Validator

from .conftest import Run

H100 = str(path_of("h100-vllm-tp2"))
FILES = {"NOTES.md", "compose.yaml", "kubernetes.yaml", "skypilot.yaml", "service.dstack.yml", "serve.sh", "smoke.sh"}


def test_one_text_holds_every_file(run: Run) -> None:
    done = run("manifest", H100)
    assert done.status == 0
    assert {line.strip("= ") for line in done.out.splitlines() if line.startswith("=====")} == FILES
    assert not done.err


def test_a_directory_of_files(run: Run, tmp_path: Path) -> None:
    """Each is there whole, scripts can be run, nothing else is left behind."""
    deploy = tmp_path / "deploy"
    done = run("manifest", H100, "-o", str(deploy))
    assert done.status == 0
    assert done.out == ""
    assert "wrote" in done.err
    assert {file.name for file in deploy.iterdir()} == FILES
    assert os.access(deploy / "serve.sh", os.X_OK)
    assert not os.access(deploy / "compose.yaml", os.X_OK)
    check_compose((deploy / "compose.yaml").read_text())
    check_kubernetes((deploy / "kubernetes.yaml").read_text())


def test_what_is_there_is_kept_without_force(run: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("mine")
    done = run("manifest", H100, "-o", str(tmp_path))
    assert done.status == 2
    assert "already holds compose.yaml; --force replaces" in done.err
    assert [file.name for file in tmp_path.iterdir()] == ["compose.yaml"]
    assert (tmp_path / "compose.yaml").read_text() == "mine"
    assert run("manifest", H100, "-o", str(tmp_path), "--force").status == 0
    check_compose((tmp_path / "compose.yaml").read_text())


def test_one_kind_comes_with_the_smoke_test(run: Run) -> None:
    done = run("manifest", H100, "--kind", "kubernetes", "--format", "json")
    assert [file["name"] for file in json.loads(done.out)["files"]] == ["kubernetes.yaml", "smoke.sh"]


def test_json_obeys_its_schema(run: Run) -> None:
    schema = json.loads(run("schema", "manifest").out)
    for name in ("h100-vllm-tp2", "api"):
        document = json.loads(run("manifest", str(path_of(name)), "--format", "json").out)
        Draft202012Validator(schema).validate(document)
        assert document["schema"] == "infra_advisor/manifest/1"


def test_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = run("manifest", H100, "--kind", "command").out
    for form in (("-",), ("--from", "-")):
        monkeypatch.setattr("sys.stdin", io.StringIO(Path(H100).read_text()))
        assert run("manifest", *form, "--kind", "command").out == expected


def test_another_answer_of_the_ranking(run: Run, tmp_path: Path) -> None:
    document = answer("h100-vllm-tp2")
    second = answer("h100-vllm-tp2", software={"engine": "sglang"})["ranked"][0] | {"rank": 2}
    saved = tmp_path / "two.json"
    saved.write_text(json.dumps(document | {"ranked": [document["ranked"][0], second]}))
    texts = [run("manifest", *given).out for given in ((f"{saved}#2",), (str(saved), "--rank-number", "2"))]
    assert texts[0] == texts[1]
    assert "sglang.launch_server" in texts[0]
    assert "vllm serve" in run("manifest", str(saved)).out
    done = run("manifest", f"{saved}#3")
    assert done.status == 2
    assert "there is no answer 3: it ranks 2" in done.err


def test_from_recommend_to_files(run: Run, tmp_path: Path) -> None:
    """What recommend writes is what manifest reads."""
    saved = tmp_path / "decision.json"
    assert run("recommend", "--model", "8b", "--where", "cloud", "--vendor", "nvidia", "-o", str(saved)).status == 0
    done = run("manifest", str(saved), "--kind", "command", "--format", "json")
    assert done.status == 0
    first = json.loads(saved.read_text())["ranked"][0]
    (serve, _smoke) = json.loads(done.out)["files"]
    assert json.loads(done.out)["answer"] == first["id"]
    assert str(first["software"]["tp"]) in shlex.split(serve["text"].splitlines()[-1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "which recommendation?"),
        (("missing.json",), "no such file"),
        ((H100, "--kind", "composer"), "accepted: compose, kubernetes, skypilot, dstack, command, all. Did you mean compose"),
        ((H100, "--format", "csv"), "table, json"),
        ((H100, "--format", "json", "-o", "deploy"), "give one of them"),
        ((H100, "--from", "other.json"), "two recommendations"),
        ((f"{H100}#1", "--rank-number", "2"), "two answers"),
        ((f"{H100}#0",), "no answer 0"),
        (
            (str(path_of("edge-llama-cpp")), "--kind", "skypilot"),
            "your own, not rented; possible for this answer: compose, kubernetes, command",
        ),
        ((H100, "-o", H100), "is no directory"),
        ((H100, "-o", "no/such/place"), "cannot make the directory"),
    ],
)
def test_refused(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("manifest", *arguments)
    assert done.status == 2
    assert message in done.err
    assert done.out == ""
    assert not any(tmp_path.iterdir())


def test_nothing_fitted(run: Run, tmp_path: Path) -> None:
    saved = tmp_path / "none.json"
    saved.write_text(json.dumps(answer("h100-vllm-tp2") | {"ranked": [], "status": "nothing_fits"}))
    done = run("manifest", str(saved))
    assert done.status == 2
    assert "nothing fitted" in done.err
