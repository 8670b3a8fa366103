"""Every text is used, and every text that is used exists with its placeholders."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest
from present.samples import answer

from infra_advisor.present import phrases
from infra_advisor.present.words import LANGUAGES, words
from infra_advisor.present.words.en import PARTS, TEXTS

OPTION = {"hardware", "where", "run"}
"""Placeholders that `phrases.option` fills."""
PRESENT = Path(__file__).parents[2] / "infra_advisor" / "present"


def calls() -> list[tuple[str, str, set[str]]]:
    """(file, key, placeholders) of each call of `say("key", ...)` with a literal key."""
    found = []
    for path in PRESENT.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (
                isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
            ):
                continue
            if not (isinstance(node.func, ast.Name) and node.func.id == "say"):
                continue
            spread = [ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg is None]
            if all(text.startswith("phrases.option(") for text in spread):
                given = {keyword.arg for keyword in node.keywords if keyword.arg} | (OPTION if spread else set())
                found.append((path.name, node.args[0].value, given))
    return found


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_call_finds_its_text() -> None:
    found = calls()
    assert len(found) > 80
    for file, key, given in found:
        assert key in TEXTS, f"{file}: {key}"
        assert placeholders(TEXTS[key]) <= given | {"currency"}, f"{file}: {key}"


def test_the_named_option_fills_its_placeholders() -> None:
    assert set(phrases.option(words(), answer())) == OPTION


def test_no_key_stands_in_two_parts() -> None:
    assert sum(len(part) for part in PARTS) == len(TEXTS)


def test_every_text_is_used() -> None:
    places = [*PRESENT.glob("*.py"), *PRESENT.parent.glob("cli/*.py"), PRESENT.parent / "advice" / "calibration.py"]
    places += [PRESENT.parent / "facts" / "update" / name for name in ("gather.py", "lock.py")]
    source = "".join(path.read_text(encoding="utf-8") for path in places)
    dynamic = set(re.findall(r'f"([a-z_]+)\.', source)) | {
        "assume", "best", "binds", "bound", "class", "day", "engine", "label", "limit", "name", "price_kind", "rank", "statistic", "swing",
    }  # fmt: skip
    written = {key.removesuffix(".one").removesuffix(".many"): key for key in TEXTS if key.partition(".")[0] not in dynamic}
    unused = [key for short, key in written.items() if f'"{short}"' not in source and f'"{key}"' not in source]
    assert unused == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_have_the_same_keys_and_placeholders(language: str) -> None:
    say = words(language)
    for key, text in TEXTS.items():
        assert say(key, **dict.fromkeys(placeholders(text), "x")), key


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="xx"):
        words("xx")


def test_unknown_words_are_printed_as_they_are() -> None:
    assert words().name("bound", "memory_controller") == "memory controller"
