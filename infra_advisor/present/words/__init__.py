"""The sentences of the product, one package per language with one set of keys."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from infra_advisor.present.money import USD, Money

LANGUAGES = ("en",)


class Words:
    """Looks up the texts of one language and fills their placeholders."""

    def __init__(self, texts: Mapping[str, str], money: Money = USD) -> None:
        self._texts = texts
        self.money = money
        """Writes the amounts of the page; its code fills the placeholder {currency} of every text."""

    def __call__(self, key: str, /, **values: object) -> str:
        """The text of a key. A missing key or placeholder is a KeyError: a bug that tests find."""
        return self._texts[key].format(**{"currency": self.money.code, **values})

    def with_money(self, money: Money) -> "Words":
        """The same texts, with amounts in another currency."""
        return Words(self._texts, money)

    def name(self, group: str, word: str) -> str:
        """How to print a word of the records (`bound`, `memory`); one that the language does not know is printed as it is."""
        return self._texts.get(f"{group}.{word}") or word.replace("_", " ")

    def counted(self, key: str, number: float, **values: object) -> str:
        """`key.one` or `key.many`, with `number` filled in."""
        return self(f"{key}.{'one' if number == 1 else 'many'}", number=f"{number:,.0f}", **values)


@cache
def words(language: str = "en") -> Words:
    """The texts of a language; ValueError for one that does not exist."""
    if language not in LANGUAGES:
        raise ValueError(f"no texts in {language!r}; there are {', '.join(LANGUAGES)}")
    return Words(import_module(f"{__name__}.{language}").TEXTS)
