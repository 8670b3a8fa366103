"""Text from outside cannot act on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.present.text import clean, to_ascii


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("plain text", "plain text"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07name", "name"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("end\x1b", "end"),
        ("a\nb\r\nc\td", "a b c d"),
        ("a\u2028b", "a b"),
        ("ab\u202edc\u202c", "abdc"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("bell\x07 null\x00", "bell null"),
        ("さくら", "さくら"),
        ("עברית", "עברית"),
        ("family 👨‍👩‍👧", "family 👨‍👩‍👧"),
        ("lone \udcff", "lone \N{REPLACEMENT CHARACTER}"),
    ],
)
def test_clean(raw: str, safe: str) -> None:
    assert clean(raw) == safe


@given(st.text())
def test_clean_leaves_nothing_that_controls(raw: str) -> None:
    safe = clean(raw)
    assert not any(character < " " or "\x7f" <= character <= "\x9f" or "\u202a" <= character <= "\u202e" for character in safe)
    assert clean(safe) == safe
    safe.encode("utf-8")


def test_ascii_spells_our_signs_out() -> None:
    assert to_ascii("170–290 ms ≤ 2 ─ さ") == "170-290 ms <= 2 - ?"
