"""Every example that the help shows works: on the real catalog, ending as documented."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main
from own_runs import ONLINE, SLOW, own_layer, own_runs, own_trace

from infra_advisor.cli import quantities
from infra_advisor.cli.app import HELP, app
from infra_advisor.cli.option import Option
from infra_advisor.cli.options import SECTIONS

from .conftest import Run

ANSWERED, NOTHING_FITS = 0, 4


def helps() -> dict[str, str]:
    """Command -> what its help says before the options."""
    root: Any = typer.main.get_command(app)
    found = {"": HELP}
    for name in root.list_commands(None):
        command = root.get_command(None, name)
        found[name] = command.help or ""
        found |= {f"{name} {inner}": below.help or "" for inner, below in getattr(command, "commands", {}).items()}
    return found


EXAMPLES = [
    line
    for line in dict.fromkeys(line.strip() for text in helps().values() for line in text.splitlines())
    if line.startswith("advisor ") and not line.startswith((*SLOW, *ONLINE))
]


def test_the_main_commands_have_examples() -> None:
    shown = {name for name, text in helps().items() if re.search(r"^ *advisor ", text, re.MULTILINE)}
    assert {"", "recommend", "compare", "estimate", "catalog list", "catalog show"} <= shown


@pytest.mark.parametrize("line", EXAMPLES)
def test_examples_run(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_bench.json").write_text(own_runs(), encoding="utf-8")
    own_layer(tmp_path)
    (tmp_path / "requests.csv").write_text(own_trace(), encoding="utf-8")
    words = shlex.split(line)[1:]
    if words[0] in ("check", "manifest"):
        saved = words[1].partition("#")[0]
        assert run("recommend", "--model", "8b", "--where", "cloud", "--vendor", "nvidia", "-o", saved).status == ANSWERED
    result = run(*words)
    assert result.status == ANSWERED, result.err
    if "--rows" in words:
        assert Path(words[words.index("--rows") + 1]).is_file()
        result.err = ""
    if words[0] == "manifest" and "-o" in words:
        assert (Path(words[words.index("-o") + 1]) / "compose.yaml").is_file()
    elif "-o" in words:
        written = Path(words[words.index("-o") + 1]).read_text(encoding="utf-8")
        assert written.startswith("# Hardware for ")
        assert f"```sh\n{line}\n```" in written
        assert (result.out, result.err.split()[0]) == ("", "wrote")
    else:
        assert result.out
        assert result.err == ""
        if words[0] != "manifest":  # files as they are
            assert max(map(len, result.out.splitlines())) <= 100


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("recommend --model 70b --ttft 500ms --users 20", ANSWERED),
        ("recommend --model 70b --ttft 1ms --users 20", NOTHING_FITS),
        ("compare h100 l4 --model 8b --ttft 500ms", ANSWERED),
        ("compare h100 l4 --model 8b --ttft 1ms", NOTHING_FITS),
        ("estimate h100-sxm:2 --model 70b --concurrency 16", ANSWERED),
        ("estimate h100-sxm:2 --model 70b --concurrency 16 --ttft 1ms", NOTHING_FITS),
        ("estimate l4:1 --model 70b", NOTHING_FITS),
        ("catalog list chips nothing-like-this", ANSWERED),
        ("catalog path", ANSWERED),
        ("schema recommend", ANSWERED),
    ],
)
def test_the_status_tells_whether_something_fits(run: Run, line: str, status: int) -> None:
    result = run(*line.split())
    assert (result.status, result.err) == (status, "")
    assert result.out


@pytest.mark.parametrize(
    "answer", ["recommend --model 70b --ttft 500ms --users 20 --where cloud", "recommend --model 8b --where edge --users 1"]
)
def test_the_next_step_that_an_answer_proposes_works(run: Run, answer: str) -> None:
    """`advisor estimate OFFER` with the same flags."""
    arguments = answer.split()[1:]
    said = " ".join(run("recommend", *arguments).out.split())
    proposed = re.search(r"advisor estimate (\S+) with the same flags", said)
    assert proposed
    result = run("estimate", proposed[1], *arguments)
    assert result.err == ""
    assert result.status in (ANSWERED, NOTHING_FITS)  # one replica carries what a fleet did
    winner = said.split(", ")[0].partition("x ")[2]
    assert winner in " ".join(result.out.split("\n\n")[0].split())


READ = [option for options in SECTIONS.values() for option in options if option.read not in (quantities.text, quantities.names)]
PROMISED = [
    pytest.param(option, value, id=f"{option.spellings[0]} {value}")
    for option in READ
    if (shown := re.search(r": ([^:;]+)\.$", option.help))
    for value in re.split(r", (?=\d|[a-z_]+=)", re.sub(r" \([^)]*\)", "", shown[1]))
    if not value.startswith(("mean", "cost"))
]


def test_quantities_are_explained_by_example() -> None:
    assert {
        option.key for option in READ if option.key in ("ttft", "tpot", "rate", "tokens-per-day", "residency", "budget", "max-age", "sweep")
    } <= {
        parameter.values[0].key  # type: ignore[union-attr]
        for parameter in PROMISED
    }


@pytest.mark.parametrize(("option", "value"), PROMISED)
def test_values_that_an_option_gives_as_examples_are_accepted(option: Option, value: str) -> None:
    assert option.read(value)
