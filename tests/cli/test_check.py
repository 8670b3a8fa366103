"""`advisor check` on files: those that recommend wrote, in every format of the answer, and those that are broken or meant to break it."""

import datetime
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from infra_advisor.advice.answer import json_schema
from infra_advisor.advice.checks import CheckAnswer
from infra_advisor.advice.saved import LARGEST_FILE_BYTES

Advisor = Callable[[str], Any]
ASKED = "recommend --model 70b --users 20 --where cloud"
DAY = "--as-of 2026-11-22"


@pytest.fixture
def saved(advisor: Advisor, tmp_path: Path) -> Path:
    path = tmp_path / "decision.json"
    assert advisor(f"{ASKED} -o {path}").status == 0
    return path


def changed(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    return path


def test_a_decision_that_stands_exits_with_0(advisor: Advisor, saved: Path) -> None:
    ended = advisor(f"check {saved} {DAY}")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("The decision stands: 1x Instinct MI300X, Crusoe, vLLM fp8, is still first.")


def test_one_that_was_overtaken_exits_with_5_and_says_by_what(advisor: Advisor, saved: Path, tmp_path: Path) -> None:
    """Three times the price: 10.35 USD/h for 3.45."""
    layer = tmp_path / "layer"
    (layer / "sources").mkdir(parents=True)
    (layer / "sources" / "offers.yaml").write_text("us: {title: our quote, seen: 2026-11-01}", encoding="utf-8")
    (layer / "offers.csv").write_text(
        "id,node,provider,region,country,price_kind,currency,per_h,from,seen,source\n"
        "crusoe-mi300x-various,crusoe-mi300x,crusoe,various,,on-demand,USD,10.35,2026-11-01,2026-11-01,us\n",
        encoding="utf-8",
    )
    command = f"check {saved} {DAY} --catalog {layer}"
    ended = advisor(command)
    assert ended.status == 5
    assert ended.out.startswith("Overtaken: 1x Instinct MI300X, Crusoe, vLLM fp8,")
    assert "First today: 2x H100 SXM5 80GB, Runpod" in ended.out
    assert "+200 %" in ended.out
    assert advisor(f"{command} --tolerance 100%").status == 0


def test_the_answer_in_every_format(advisor: Advisor, saved: Path) -> None:
    document = json.loads(advisor(f"check {saved} {DAY} --format json").out)
    jsonschema.validate(document, json_schema(CheckAnswer))
    assert (document["schema"], document["status"], document["saved"]["file"]) == ("infra_advisor/check/1", "stands", str(saved))
    lines = advisor(f"check {saved} {DAY} --format csv").out.splitlines()
    assert lines[0] == "status,reason,behind,violations,figure,then,now,change"
    assert len(lines) == 1 + len(document["moved"])
    assert "| quantity |" in advisor(f"check {saved} {DAY} --format markdown").out


def test_a_budget_in_another_currency_is_asked_again_as_it_was(advisor: Advisor, tmp_path: Path) -> None:
    """800,000 JPY at 157.25027 for a dollar are 5,087 USD, whatever the rate is by now."""
    path = tmp_path / "yen.json"
    assert advisor(f"{ASKED} --budget 800000JPY/month --currency JPY -o {path}").status == 0
    assert json.loads(path.read_text(encoding="utf-8"))["question"]["limits"]["budget_rate"]["code"] == "JPY"
    in_usd, in_yen = (advisor(f"check {path} {DAY} {option}") for option in ("", "--currency JPY"))
    assert (in_usd.status, in_yen.status) == (0, 0)
    assert "monthly cost ≤ 5,087 USD/month (given as 800,000 JPY/month" in in_usd.out
    assert "monthly cost ≤ 800,000 JPY/month" in in_yen.out
    assert "JPY/Mtok" in in_yen.out
    assert "USD/" not in in_yen.out


def test_the_terms_of_payment_are_told(advisor: Advisor, tmp_path: Path) -> None:
    path = tmp_path / "terms.json"
    assert advisor(f"{ASKED} --hours 300 --commit auto -o {path}").status == 0
    ended = advisor(f"check {path} {DAY}")
    assert ended.status == 0
    assert "Paid: rented machines on demand or committed, whichever is cheaper; 300 h of service a month" in " ".join(ended.out.split())


def test_nothing_fits_can_be_checked(advisor: Advisor, tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    assert advisor(f"{ASKED} --budget 10/month -o {path}").status == 4
    ended = advisor(f"check {path} {DAY}")
    assert (ended.status, ended.out.splitlines()[0]) == (0, "Still nothing meets every limit.")
    assert advisor(f"check {path} {DAY} --format csv").out.splitlines()[1].startswith("stands,")


def test_the_day_is_today_unless_given(advisor: Advisor, saved: Path) -> None:
    before = datetime.date.today()
    document = json.loads(advisor(f"check {saved} --format json").out)
    assert document["as_of"] in (before.isoformat(), datetime.date.today().isoformat())
    assert document["saved"]["as_of"] == "2026-11-22"


def test_a_model_file_is_read_again_and_missed_when_gone(advisor: Advisor, tmp_path: Path) -> None:
    model, path = tmp_path / "config.json", tmp_path / "own.json"
    shutil.copy(Path(__file__).parents[1] / "data" / "configs" / "llama-3.1-8b-instruct.json", model)
    assert advisor(f"recommend --model {model} --where cloud -o {path}").status == 0
    assert advisor(f"check {path} {DAY}").status == 0
    model.unlink()
    ended = advisor(f"check {path} {DAY}")
    assert ended.status == 2
    assert f"the model file {model}, which is not there" in ended.err


# -- files that are not saved recommendations


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("1x H100, Lambda, is the cheapest option", "not JSON"),
        ('{"schema": "infra_advisor/recommend/1", "as_of"', "is the file cut off?"),
        ("[1, 2]", "not an answer of advisor"),
        ("{}", "not an answer of advisor"),
        ('{"schema": 7}', "not an answer of advisor"),
        ('{"schema": "infra_advisor/compare/1"}', "is an answer of `advisor compare`, not of `advisor recommend`"),
        ('{"schema": "infra_advisor/recommend/2"}', "is written in version 2 of the format; this program reads version 1"),
        ('{"schema": "somebody/else"}', "its schema is 'somebody/else'"),
        ('{"schema": "infra_advisor/recommend/1"}', "no `question`"),
        ('{"schema": "infra_advisor/recommend/1", "question": 3}', "valid dictionary"),
        ('{"schema": "infra_advisor/recommend/1", "question": {}}', "workload: Field required"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a":' * 200_000, "nested too deeply"),
        ('{"schema": NaN}', "NaN is not a number"),
        ('{"schema": 1e999}', "1e999 is not a number"),
        ('{"schema": ' + "9" * 5000 + "}", "not readable as JSON"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text: str, says: str, advisor: Advisor, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text, encoding="utf-8")
    ended = advisor(f"check {path} {DAY}")
    assert (ended.status, ended.out) == (2, "")
    assert says in ended.err
    assert ended.err.startswith(f"error: {path}")


def test_a_cut_document_is_said_to_be_cut(advisor: Advisor, saved: Path) -> None:
    text = saved.read_text(encoding="utf-8")
    saved.write_text(text[: len(text) // 2], encoding="utf-8")
    ended = advisor(f"check {saved} {DAY}")
    assert ended.status == 2
    assert "is the file cut off?" in ended.err


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ranked": []}, "its status is 'ok' and it ranks 0 options"),
        ({"ranked": "all of them"}, "ranks 0 options"),
        ({"ranked": [{"id": "x"}]}, "Field required"),
        ({"ranked": [7]}, "valid dictionary"),
        ({"status": "fine"}, "status: Input should be 'ok' or 'nothing_fits'"),
        ({"as_of": 7}, "as_of: Input should be a valid string"),
        ({"catalog": None}, "catalog"),
    ],
)
def test_a_changed_document_is_refused(changes: dict[str, Any], says: str, advisor: Advisor, saved: Path) -> None:
    ended = advisor(f"check {changed(saved, **changes)} {DAY}")
    assert ended.status == 2
    assert says in ended.err


@pytest.mark.parametrize(
    ("part", "changes", "says"),
    [
        ("workload", {"users": "many"}, "workload.users: Input should be a valid number"),
        ("workload", {"users": 1e300}, "workload: --users is 1e+300"),
        ("workload", {"concurrency": 4}, "contradict each other"),
        ("workload", {"colour": "red"}, "workload.colour: Unexpected keyword argument"),
        ("workload", {"input_tokens": 10**400}, "workload: input tokens is 1000"),
        ("workload", {"model": ["70b"]}, "workload.model: Input should be a valid string"),
        ("workload", {"model": "/nowhere/config.json"}, "the model file /nowhere/config.json, which is not there"),
        ("workload", {"model": "no-such-model"}, "the saved question cannot be asked of this catalog"),
        ("limits", {"where": ["moon"]}, "limits: --where: 'moon' is unknown"),
        ("limits", {"vendor": {"keep": "nvidia"}}, "limits.vendor.keep: Input should be a valid tuple"),
        ("limits", {"accelerator": {"keep": ["h900"], "drop": []}}, "the saved question cannot be asked of this catalog"),
        ("payment", {"commit": "2y"}, "payment.commit: Input should be 'none', '1y', '3y' or 'auto'"),
        ("payment", {"assume": {"no_such_thing": 1.0}}, "the saved question cannot be asked of this catalog"),
        ("traffic", {"trace": "/etc/passwd"}, "a recommendation takes none"),
        ("traffic", {"lengths": {"kind": "odd"}}, "traffic.lengths: 'odd' is unknown"),
    ],
)
def test_a_question_that_cannot_be_one_is_refused(part: str, changes: dict[str, Any], says: str, advisor: Advisor, saved: Path) -> None:
    question = json.loads(saved.read_text(encoding="utf-8"))["question"]
    ended = advisor(f"check {changed(saved, question=question | {part: question[part] | changes})} {DAY}")
    assert (ended.status, ended.out) == (2, "")
    assert says in ended.err


@pytest.mark.parametrize(("name", "value"), [("top", -1), ("rank", "price"), ("merge", "all"), ("colour", {}), ("version", None)])
def test_how_it_was_asked_is_checked_too(name: str, value: Any, advisor: Advisor, saved: Path) -> None:
    question = json.loads(saved.read_text(encoding="utf-8"))["question"]
    ended = advisor(f"check {changed(saved, question=question | {name: value})} {DAY}")
    assert ended.status == 2
    assert name in ended.err


def test_what_a_newer_version_adds_to_an_answer_is_not_read(advisor: Advisor, saved: Path) -> None:
    document = json.loads(saved.read_text(encoding="utf-8"))
    first = document["ranked"][0]
    first |= {"colour": "red", "offer": first["offer"] | {"mood": "good"}}
    stamp = document["catalog"] | {"moon": "full"}
    assert advisor(f"check {changed(saved, ranked=document['ranked'], news=[1], catalog=stamp)} {DAY}").status == 0


def test_a_version_that_answered_otherwise_is_told(advisor: Advisor, saved: Path) -> None:
    question = json.loads(saved.read_text(encoding="utf-8"))["question"]
    assert "Predicted by version 0.0.1 then" in advisor(f"check {changed(saved, question=question | {'version': '0.0.1'})} {DAY}").out


def test_escapes_in_a_document_do_not_reach_the_screen(advisor: Advisor, saved: Path) -> None:
    ranked = json.loads(saved.read_text(encoding="utf-8"))["ranked"]
    ranked[0]["offer"] |= {"id": "gone", "provider_name": "\x1b[31mred\x07"}
    ended = advisor(f"check {changed(saved, ranked=ranked)} {DAY}")
    assert ended.status == 5
    assert "\x1b" not in ended.out
    assert "\x07" not in ended.out


def test_files_that_cannot_be_read(advisor: Advisor, saved: Path, tmp_path: Path) -> None:
    missing = advisor(f"check {saved.with_name('decison.json')} {DAY}")
    assert missing.status == 2
    assert "no such file. Did you mean decision.json?" in missing.err
    assert "not a regular file" in advisor(f"check {tmp_path} {DAY}").err
    (tmp_path / "latin.json").write_bytes(b'{"a": "\xe9"}')
    assert "not UTF-8" in advisor(f"check {tmp_path / 'latin.json'} {DAY}").err
    with (tmp_path / "large.json").open("wb") as stream:
        stream.truncate(LARGEST_FILE_BYTES + 1)
    assert "holds at most" in advisor(f"check {tmp_path / 'large.json'} {DAY}").err
    assert advisor(f"check 'a\0b.json' {DAY}").status == 2
    assert advisor(f"check {'x' * 5000}.json {DAY}").status == 2


def test_a_wrong_tolerance_is_refused(advisor: Advisor, saved: Path) -> None:
    for wrong in ("much", "-1%", "2000%", "nan"):
        ended = advisor(f"check {saved} {DAY} --tolerance={wrong}")
        assert (ended.status, ended.out) == (2, "")
