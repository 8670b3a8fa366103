"""What people get wrong: each is a message with the next step, the documented status, no traceback, nothing half-written, no waiting.

Runs on the mini catalog, whose contents do not change; the same program reads the real one.
"""

import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from catalogs import DAY, FROZEN

from .conftest import Result, Run

ROOT = Path(__file__).parents[2]
CONFIG = {
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32, "num_key_value_heads": 8,
    "num_hidden_layers": 32, "vocab_size": 128256, "max_position_embeddings": 131072, "torch_dtype": "bfloat16",
}  # fmt: skip
SLOWEST_S = 2.0

Refused = Callable[..., Result]


@pytest.fixture
def advisor(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The command on the mini catalog, in an empty directory."""
    monkeypatch.setattr("infra_advisor.facts.catalog.catalog_dir", lambda: FROZEN)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Result:
        dated = arguments[0] in ("recommend", "compare", "estimate") and not any(word.startswith("--as-of") for word in arguments)
        return run(*arguments, *(("--as-of", DAY.isoformat()) if dated else ()))

    return call


@pytest.fixture
def refused(advisor: Run) -> Refused:
    """Run what must be refused: in time, with a message on stderr and nothing on stdout."""

    def call(*arguments: str, status: int = 2) -> Result:
        started = time.perf_counter()
        result = advisor(*arguments)
        assert time.perf_counter() - started < SLOWEST_S
        assert result.status == status, result.err
        assert result.out == ""
        assert result.err.strip()
        assert "Traceback" not in result.err
        return result

    return call


# -- names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("recommend --model nonsense", "unknown model 'nonsense'"),
        ("recommend --model llama-3.4-70b", "Did you mean llama-3.3-70b"),
        ("recommend --model llama", "'llama' may mean llama-3.1-8b-instruct, llama-3.3-70b-instruct; give one of them"),
        ("recommend --model -5b", "unknown model '-5b'"),
        ("recommend --model 9000b", "sizes from 0.05b to 4000b are accepted"),
        ("recommend --model 0b", "sizes from 0.05b to 4000b are accepted"),
        ("recommend --model ../../etc/passwd", "unknown model"),
        ("recommend --model /dev/zero", "unknown model"),
        ("recommend --model .", "a model is needed"),
        ("recommend --model 70b --weights foo", "unknown weight format 'foo'"),
        ("recommend --model 70b --kv int3", "unknown cache format 'int3'. Did you mean int8"),
        ("recommend --model 70b --vendor nvidea", "--vendor: 'nvidea' is unknown; accepted: amd, "),
        ("recommend --model 70b --vendor nvidea", "Did you mean nvidia?"),
        ("recommend --model 70b --provider aws2", "--provider: 'aws2' is unknown. Did you mean aws"),
        ("recommend --model 70b --provider amazon", "--provider: 'amazon' is unknown. Did you mean aws?"),
        ("recommend --model 70b --accelerator h1000", "unknown accelerator 'h1000'. Did you mean h100"),
        ("recommend --model 70b --accelerator m", "'m' may mean m4-max-40c, mi300x; give one of them"),
        ("recommend --model 70b --rank price", "--rank: 'price' is unknown; accepted: cost"),
        ("recommend --model 70b --include spott", "--include: 'spott' is unknown; accepted: spot"),
        ("recommend --model 70b --include spot,,stale", "empty name"),
        ("recommend --model 70b --where moon", "accepted: cloud, onprem, edge, api"),
        ("recommend --model 70b --residency zz", "'zz' is not a country"),
        ("recommend --model 70b --residency jp:local", "'local' is not a level of residency; accepted: any, storage, geo"),
        ("recommend --model 70b --residency jp:storage,de:geo", "storage and geo contradict each other"),
        (
            "recommend --model 70b --residency air-gapped --where cloud",
            "contradict each other: air-gapped admits own hardware",
        ),
        ("recommend --model 70b --operator-home japan", "--operator-home: 'japan' is not a country"),
        ("recommend --model 70b --no-foreign-law xx", "'xx' is neither a country nor a law that does; accepted: a country such as us"),
        ("recommend --model 70b --attestation ismapp", "--attestation: 'ismapp' is unknown; the catalog has"),
        ("recommend --model 70b --keys provider", "--keys: 'provider' is unknown; accepted: customer"),
        ("recommend --model 70b --owned foo", "unknown accelerator 'foo'"),
        ("recommend --model 70b --owned h100:0", "count from 1 to"),
        ("recommend --model 70b --engine vllm", "No such option: --engine"),
        ("compare foo", "unknown accelerator 'foo'"),
        ("compare h100 l4 mi300x 4090 inf2 m4-max h100 l4 l4", "compare takes 1 to 8"),
        ("compare h100 --ttft 500ms --users 3", "--users, --ttft: nothing to size without --model"),
        ("estimate foo --model 8b", "unknown accelerator 'foo'"),
        ("estimate p5.48xlargf --model 8b", "neither an offer, an instance type nor a chip. Did you mean p5.48xlarge"),
        ("estimate :2 --model 8b", "name an offer, an instance type or a chip"),
        ("estimate h100: --model 8b", "a count from 1 to 512"),
        ("estimate h100:many --model 8b", "a count from 1 to 512"),
        ("estimate h100 --model 8b --engine vlm", "unknown engine 'vlm'. Did you mean vllm"),
        ("estimate h100:3 --model 70b --tp 3", "64 query heads do not divide by 3"),
        ("estimate h100 --model 70b --ep 2", "the model has no routed experts"),
        ("estimate h100 --model 70b --pp 1000", "the model has 80 layers"),
        ("catalog list chip", "accepted: chips, nodes"),
        ("catalog show nonsense", "the catalog has no entry 'nonsense'"),
    ],
)
def test_names(refused: Refused, arguments: str, message: str) -> None:
    assert message in refused(*arguments.split()).err


@pytest.mark.parametrize("arguments", [("compare", ""), ("estimate", "", "--model", "8b"), ("catalog", "show", "")])
def test_an_empty_name_is_like_none(refused: Refused, arguments: tuple[str, ...]) -> None:
    assert "Did you mean" not in refused(*arguments).err


@pytest.mark.parametrize("name", ["x" * 5000, "\x1b[31mred", "日本", "a\x00b", "\udcff", "a/" * 400 + "b.json"])
def test_a_hostile_name_is_shown_harmless_and_short(refused: Refused, name: str) -> None:
    err = refused("recommend", "--model", name).err
    assert "\x1b" not in err
    assert "\x00" not in err
    assert len(err) < 1200


# -- quantities


@pytest.mark.parametrize("value", ["500", "-1s", "0", "0s", "nan", "nanms", "inf", "1e400ms", "1e-400ms", "500MB", "", "1 2ms", "５００ms"])
@pytest.mark.parametrize("option", ["--ttft", "--tpot"])
def test_times(refused: Refused, option: str, value: str) -> None:
    assert refused("recommend", "--model", "70b", f"{option}={value}").err.startswith(f"error: {option}: '{value}'")


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("--speed", ("0", "-1", "nan", "1e400", "1e-320", "30ms")),
        ("--users", ("0", "-1", "nan", "1e400", "1e300", "1e-300", "many")),
        ("--concurrency", ("0", "1e300")),
        ("--rate", ("1.9", "0/s", "1e300/s", "1e-300/s")),
        ("--tokens-per-day", ("0", "1e300")),
        ("--throughput", ("0", "1e300")),
        ("--think", ("5", "-1s", "1e300s")),
        ("--input", ("0", "1.5", "1e12")),
        ("--output-tokens", ("0", "-3")),
        ("--top", ("-1", "1.5", "x")),
        ("--budget", ("5000", "0/month", "-5/month", "nan/month", "1e400/month", "5000 XYZ/month", "¥5000/month")),
        ("--currency", ("XYZ", "", "¥", "dollars", "J1Y")),
        ("--max-age", ("90", "0d", "-1d")),
        ("--as-of", ("yesterday", "2026-13-01")),
    ],
)
def test_other_quantities(refused: Refused, option: str, values: tuple[str, ...]) -> None:
    users = ("--users", "1") if option == "--think" else ()
    for value in values:
        err = refused("recommend", "--model", "70b", *users, f"{option}={value}").err
        assert option.lstrip("-").replace("-tokens", "") in err, value


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--tpot 33ms --speed 30", "--tpot and --speed state the same target"),
        ("--users 20 --rate 1/s", "--users and --rate contradict each other"),
        ("--concurrency 1 --tokens-per-day 1M", "--concurrency and --tokens-per-day contradict each other"),
        ("--vendor amd,!amd", "amd is both wanted and left out"),
        ("--input 200000", "exceed the context of"),
    ],
)
def test_contradictions(refused: Refused, arguments: str, message: str) -> None:
    assert message in refused("recommend", "--model", "70b", *arguments.split()).err


@pytest.mark.parametrize(
    "arguments",
    [
        "--users 1e12",
        "--rate 1e-9/s",
        "--tokens-per-day 1",
        "--concurrency 1e-9",
        "--ttft 1e300s",
        "--as-of 1990-01-01",
        "--top 99999999999",
    ],
)
def test_extremes_are_answered(advisor: Run, arguments: str) -> None:
    """What is odd but possible gets an answer without a figure that overflowed or divided by nothing."""
    result = advisor("recommend", "--model", "8b", *arguments.split(), "--format", "csv")
    assert result.status in (0, 4)
    assert result.err == ""
    assert not {"nan", "inf", "-inf"} & set(result.out.replace("\r\n", ",").split(","))


def test_a_load_of_next_to_nothing_costs_the_whole_machine(advisor: Run) -> None:
    """13,000 tokens a day are 10 requests of 1,300: 10 x 300 output tokens for a whole day of the machine."""
    document = json.loads(advisor("recommend", "--model", "8b", "--tokens-per-day", "13000", "--format", "json").out)
    for answer in document["ranked"]:
        if answer["hardware"]["class"] != "api":
            assert answer["performance"]["output_tokens_per_s"] == pytest.approx(3000 / 86_400, rel=0.01)
            assert answer["cost"]["usd_per_mtok_output"] == pytest.approx(answer["cost"]["usd_per_h"] * 24 / 3000 * 1e6, rel=0.01)


# -- model files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps(CONFIG)[:100], "is the file complete?"),
        ("", "is the file complete?"),
        ("[1, 2]", "not the object of a config.json"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "nested too deeply"),
        (json.dumps({"tokenizer_class": "x"}), "has no model_type"),
        (json.dumps({**CONFIG, "model_type": "lama"}), "unknown architecture 'lama'. Did you mean llama"),
        (json.dumps({**CONFIG, "model_type": "\x1b[31mx"}), "unknown architecture"),
        (json.dumps({**CONFIG, "hidden_size": -1}), "hidden_size is '-1'; expected a whole number from 1"),
        (json.dumps({**CONFIG, "hidden_size": 10**18}), "expected a whole number"),
        (json.dumps({**CONFIG, "hidden_size": "big"}), "expected a whole number"),
        (json.dumps({**CONFIG, "hidden_size": float("nan")}), "expected a whole number"),
        (json.dumps({**CONFIG, "hidden_size": float("inf")}), "expected a whole number"),
        (json.dumps({**CONFIG, "num_hidden_layers": 10**9}), "expected a whole number from 1 to"),
        (json.dumps({**CONFIG, "num_key_value_heads": 7}), "32 query heads do not divide by 7 key-value heads"),
        (json.dumps({**CONFIG, "vocab_size": None}), "needs vocab_size"),
        (json.dumps(CONFIG).replace("4096", "9" * 5000), "not a usable config.json"),
        (json.dumps({**CONFIG, "torch_dtype": "float3"}), "dtype 'float3' is not known"),
        (json.dumps({**CONFIG, "quantization_config": {"quant_method": "foo"}}), "method 'foo'"),
    ],
)
def test_config_files(refused: Refused, text: str, message: str) -> None:
    Path("config.json").write_text(text, encoding="utf-8")
    err = refused("recommend", "--model", "config.json").err
    assert err.startswith("error: config.json:")
    assert message in err


def test_a_huge_config_file_is_not_read(refused: Refused) -> None:
    with Path("config.json").open("wb") as stream:
        stream.truncate(10 * 2**30)
    assert "a config.json holds at most" in refused("recommend", "--model", "config.json").err


def test_config_files_of_other_kinds(refused: Refused) -> None:
    Path("utf16.json").write_text(json.dumps(CONFIG), encoding="utf-16")
    assert "not UTF-8" in refused("recommend", "--model", "utf16.json").err
    os.mkfifo("pipe.json")
    Path("loop.json").symlink_to("loop.json")
    Path("folder.json").mkdir()
    for name in ("pipe.json", "loop.json", "folder.json", "missing.json", "missing/config.json"):
        assert "not a regular file; give the config.json" in refused("recommend", "--model", name).err


def _key(name: str, kind: int, raw: bytes) -> bytes:
    return struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", kind) + raw


def _gguf(tensors: int, keys: int, body: bytes = b"", version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys) + body


LLAMA = _key("general.architecture", 8, struct.pack("<Q", 5) + b"llama")


def _tensor(shape: tuple[int, ...]) -> bytes:
    name = b"token_embd.weight"
    sizes = b"".join(struct.pack("<Q", size) for size in shape)
    return struct.pack("<Q", len(name)) + name + struct.pack("<I", len(shape)) + sizes + struct.pack("<IQ", 0, 0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is the download complete?"),
        (b"GGML" + bytes(100), "does not begin with GGUF"),
        (_gguf(0, 0, version=99), "GGUF version 99 is not known"),
        (_gguf(2**60, 2**60, bytes(100)), "claims 1,152,921,504,606,846,976 tensors"),
        (_gguf(1, 1, struct.pack("<Q", 2**62) + bytes(100)), "bytes of a key"),
        (_gguf(0, 1, _key("a", 9, struct.pack("<IQ", 4, 2**50))), "items of a"),
        (_gguf(0, 1, _key("a", 9, struct.pack("<IQ", 9, 1) * 100_000)), "nests arrays too deeply"),
        (_gguf(0, 1, LLAMA), "holds no tensors"),
        (_gguf(1, 1, LLAMA + _tensor((2**40, 2**40)) + bytes(100)), "has the shape"),
        (_gguf(1, 1, LLAMA + _tensor((1,) * 200) + bytes(9000)), "200 dimensions"),
        (_gguf(1, 1, LLAMA + _tensor((64, 1000))), "m.gguf"),
    ],
)
def test_gguf_headers_that_lie(refused: Refused, data: bytes, message: str) -> None:
    Path("m.gguf").write_bytes(data)
    err = refused("recommend", "--model", "m.gguf").err
    assert err.startswith("error: m.gguf:")
    assert message in err


# -- layers of the catalog


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chips:\n  - id: h100-sxm\n    id: b\n", "mine.yaml:3: the key 'id' appears twice"),
        ("a: &a [x]\nb: [*a, *a]\n", "aliases (*name) are not accepted"),
        ("a: &a [" + "x," * 9 + "]\n" + "".join(f"{k}: &{k} [{'*a,' * 9}]\n" for k in "bcdefgh"), "aliases (*name) are not accepted"),
        ("chips: [{id: h100-sxm, memory_bandwidth: {is: 3.35 TB, source: x}}]", "memory_bandwidth: '3.35 TB' needs a number and a unit"),
        ("chips: [{id: h100-sxm, power: {is: 700, source: x}}]", "power: 700 needs a number and a unit"),
        ("chips: [{id: h100-sxm, power: {is: .nan, source: x}}]", "needs a number and a unit"),
        ("chips: [{id: h100-sxm, colour: red}]", "colour"),
        ("chips: !!python/object/apply:os.system [echo]", "tags are not accepted"),
        ("chipz: []", "'chipz' is no collection; known: chips"),
        ("- a", "expected collections at the top"),
        ("", "expected collections at the top"),
        ("[" * 100_000, "nested more than"),
        ("chips:\n\t- id: a\n", "mine.yaml:2"),
        ("chips:\x00", "mine.yaml"),
    ],
)
def test_layers(refused: Refused, text: str, message: str) -> None:
    Path("mine.yaml").write_text(text, encoding="utf-8")
    assert message in refused("recommend", "--model", "8b", "--catalog", "mine.yaml", status=3).err


def test_a_million_entries_are_refused_without_reading_all(refused: Refused) -> None:
    """The 400,000th event of the parser belongs to about the 100,000th entry, which has four."""
    with Path("mine.yaml").open("w", encoding="utf-8") as stream:
        stream.write("chips:\n")
        stream.writelines(f"  - id: c{number}\n" for number in range(1_000_000))
    err = refused("recommend", "--model", "8b", "--catalog", "mine.yaml", status=3).err
    assert err.startswith("error: mine.yaml:")
    assert 90_000 < int(err.split(":")[2]) < 110_000


def test_all_problems_of_a_layer_are_told_at_once(refused: Refused) -> None:
    Path("mine.yaml").write_text("chips: [{id: h100-sxm, power: {is: 7, source: x}, link: {bandwidth: {is: 9, source: x}}, colour: red}]")
    err = refused("recommend", "--model", "8b", "--catalog", "mine.yaml", status=3).err
    assert all(word in err for word in ("power", "link.bandwidth", "colour"))


def test_layers_of_other_kinds(refused: Refused) -> None:
    Path("utf16.yaml").write_text("chips: []", encoding="utf-16")
    assert "not UTF-8" in refused("recommend", "--model", "8b", "--catalog", "utf16.yaml", status=3).err
    os.mkfifo("pipe.yaml")
    Path("loop").symlink_to("loop")
    for name in ("pipe.yaml", "loop", "missing", "missing.yaml", "/dev/null", "/dev/zero"):
        assert "not a regular file or directory" in refused("recommend", "--model", "8b", "--catalog", name, status=3).err
    for name in ("empty", "other"):
        Path(name).mkdir()
    Path("other/readme.txt").write_text("hello")
    for name in ("empty", "other"):
        assert "holds no catalog files" in refused("recommend", "--model", "8b", "--catalog", name, status=3).err
    Path("mine.csv").write_text("id\n1\n")
    assert "no table of that name" in refused("recommend", "--model", "8b", "--catalog", "mine.csv", status=3).err
    Path("offers.csv").write_text("a,b\n1,2\n")
    assert "unknown columns a, b" in refused("recommend", "--model", "8b", "--catalog", "offers.csv", status=3).err


def test_a_table_of_a_million_rows_is_cut_short(refused: Refused) -> None:
    Path("hosting.csv").write_text("id\n" + "a\n" * 1_000_000)
    err = refused("recommend", "--model", "8b", "--catalog", "hosting.csv", status=3).err
    assert err.startswith("error: hosting.csv:2: ")
    assert len(err.splitlines()) <= 60


def test_the_variable_names_layers_too(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFRA_ADVISOR_CATALOG", "/nowhere/at/all")
    assert "/nowhere/at/all: not a regular file" in refused("recommend", "--model", "8b", status=3).err


# -- workload files


@pytest.mark.parametrize("name", ["missing.yaml", ".", "/dev/zero", "pipe.yaml"])
def test_workload_files(refused: Refused, name: str) -> None:
    os.mkfifo("pipe.yaml")
    assert "not a regular file" in refused("recommend", "-w", name).err


# -- where the answer goes


@pytest.mark.parametrize("name", [".", "folder", "missing/a.md", "", "x" * 300, "dangling.md", "/proc/a.md"])
def test_outputs_that_cannot_be_written(refused: Refused, name: str) -> None:
    Path("folder").mkdir()
    Path("dangling.md").symlink_to("missing/b.md")
    before = sorted(os.listdir())
    assert refused("recommend", "--model", "8b", "-o", name).err.startswith("error: ")
    assert sorted(os.listdir()) == before


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root may write everywhere")
def test_outputs_that_may_not_be_written(refused: Refused) -> None:
    Path("closed").mkdir(mode=0o555)
    Path("kept.md").write_text("old")
    Path("kept.md").chmod(0o444)
    assert "closed/a.md" in refused("recommend", "--model", "8b", "-o", "closed/a.md").err
    assert "kept.md is not writable" in refused("recommend", "--model", "8b", "-o", "kept.md").err
    assert Path("kept.md").read_text() == "old"


def test_a_refused_question_leaves_the_old_answer(refused: Refused) -> None:
    Path("memo.md").write_text("old")
    refused("recommend", "--model", "nonsense", "-o", "memo.md")
    assert Path("memo.md").read_text() == "old"
    assert os.listdir() == ["memo.md"]


def test_a_full_device_is_told(refused: Refused) -> None:
    assert "cannot write /dev/full: No space left on device" in refused("recommend", "--model", "8b", "-o", "/dev/full").err


# -- the shell around it


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A shell line in which `advisor` is this checkout, in an environment of its own."""
    program = f"{sys.executable} -m infra_advisor "
    return subprocess.run(
        ["bash", "-c", line.replace("advisor ", program)], cwd="/", env={"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=60, check=False,
    )  # fmt: skip


ASK = "advisor recommend --model 8b --ttft 500ms"


@pytest.mark.slow
@pytest.mark.parametrize("command", [f"{ASK} --top 20 --format json", f"{ASK} -o /dev/stdout"])
def test_a_reader_that_has_seen_enough(command: str) -> None:
    done = shell(f"set -o pipefail; {command} | head -n 1")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", [ASK, "advisor --help", "advisor recommend --help", "advisor --version", "advisor catalog"])
def test_a_full_disk_behind_stdout(command: str) -> None:
    done = shell(f"{command} >/dev/full")
    assert done.returncode == 2
    assert done.stderr == "error: cannot write to standard output: No space left on device\n"


@pytest.mark.slow
def test_closed_streams() -> None:
    done = shell(f"{ASK} >&-")
    assert (done.returncode, done.stderr) == (2, "error: standard output is closed; write to a file with -o FILE\n")
    assert shell(f"{ASK} <&-").returncode == 0
    for stderr in ("2>&-", "2>/dev/full"):
        assert shell(f"{ASK} --ttft 5 {stderr}").returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C"}, {"PYTHONIOENCODING": "latin-1"}])
def test_without_a_locale(locale: dict[str, str]) -> None:
    """Nothing of the environment is left: no HOME, no TERM, no LANG."""
    done = shell(ASK, PYTHONCOERCECLOCALE="0", PYTHONUTF8="0", **locale)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "most"), [("40", 40), ("1", 20), ("0", 100), ("-5", 100), ("wide", 100), ("100000", 160)])
def test_odd_screens(columns: str, most: int) -> None:
    done = shell(ASK, COLUMNS=columns, PYTHONUTF8="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= most


@pytest.mark.slow
def test_a_directory_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    done = shell(f"mkdir {gone} && cd {gone} && rmdir {gone} && {ASK} -o a.md", PATH=os.environ["PATH"])
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot write a.md")
