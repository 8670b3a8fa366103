"""Amounts in the reader's currency. The records hold USD; this is the one place where they are converted, at one dated rate."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra_advisor.present import numbers

if TYPE_CHECKING:
    from infra_advisor.advice.parts import CurrencyPart

_WHOLE_FROM = 9.95
"""Least amount that is written without decimals in a currency that has none; below it two digits are kept."""
_WRITTEN = re.compile(r"(?<![\d.,])(\d[\d,]*(?:\.(\d+))?) USD\b")
_OF_THE_BILL = re.compile(r"_usd_per_gb(_month)?$")
"""Unit prices whose words stand in the texts of the page."""
_HALF_A_DIGIT_OF_A_PRICE = 0.5e-6
"""Bills hold unit prices in millionths of a dollar."""
_BUDGET = re.compile(r"--budget (\d+)/month")


@dataclass(frozen=True)
class Money:
    """Writes amounts given in USD in one currency. In USD itself everything is written as by `numbers`."""

    code: str = "USD"
    per_usd: float = 1.0
    decimals: int = 2
    """Of the currency: 2 for euro and cent, 0 for yen."""
    rate: "CurrencyPart | None" = None
    """Where `per_usd` was read, and when; None for USD."""

    def usd(self, value: float | None) -> str:
        """An amount [USD] without its unit: `4.41` -> `693` yen. Rounded as `numbers.usd`; yen as whole ones from ten on."""
        return self._coarse(value) if self.decimals == 0 else numbers.usd(self._converted(value))

    def hourly(self, value: float | None) -> str:
        """An amount per hour [USD/h]."""
        return self._coarse(value) if self.decimals == 0 else numbers.hourly(self._converted(value))

    def monthly(self, value: float | None) -> str:
        """An amount per month [USD/month]."""
        return self._coarse(value) if self.decimals == 0 else numbers.monthly(self._converted(value))

    def unit_price(self, usd: float) -> str:
        """The price of a unit on a bill, in the fewest digits that say the same: `0.08` -> `12.58` yen."""
        return numbers.plain(usd if self.rate is None else self._roundest(usd, _HALF_A_DIGIT_OF_A_PRICE) * self.per_usd)

    def amounts(self, usd: Sequence[float], *, finest: bool = False) -> tuple[list[str], str]:
        """Amounts of a bill, to the smallest coin, and their total, to which they add up as they are written.

        `finest`: amounts of a few coins, with four digits more.
        """
        digits = self.decimals + 4 * finest
        values = list(usd) if self.rate is None else numbers.that_add_up([value * self.per_usd for value in usd], digits)
        every = (*values, round(sum(values), digits))
        *texts, total = (numbers.plain(value) if finest else f"{value:,.{digits}f}" for value in every)
        return texts, total

    def by_name(self, name: str, value: float | str | bool | None) -> str:
        """As `numbers.by_name`, with money in this currency: `usd_per_h, 2.0` -> `315 JPY/h`."""
        if self.rate is None or isinstance(value, bool | str | None) or "usd" not in name or name.endswith("_per_kwh"):
            return numbers.by_name(name, value)
        if _OF_THE_BILL.search(name):
            return numbers.exact(self._converted(value))
        if "usd_per_mtok" in name:
            return f"{self.usd(value)} {self.code}/Mtok"
        if "usd_per_month" in name:
            return f"{self.monthly(value)} {self.code}/month"
        if "usd_per_h" in name:
            return f"{self.hourly(value)} {self.code}/h"
        if name.endswith("bytes_per_usd"):
            return f"{numbers.per_s(value / self.per_usd, 'B').removesuffix('/s')} per {self.code}"
        return f"{self.usd(value)} {self.code}" if name.endswith("_usd") else numbers.by_name(name, value)

    def stated(self, name: str, value: float | str | bool | None) -> str:
        """As `numbers.stated`, with money in this currency."""
        return self.by_name(name, value) if "usd" in name else numbers.stated(name, value)

    def sentence(self, text: str) -> str:
        """A sentence of a record with its USD amounts in this currency, in the fewest digits that say the same."""
        return text if self.rate is None else _WRITTEN.sub(lambda found: f"{self._written(found)} {self.code}", text)

    def stated_sentence(self, text: str) -> str:
        """As `sentence` where amounts are stated, not rounded: `300 USD` means 300.00, not 299.50 to 300.50."""
        return text if self.rate is None else _WRITTEN.sub(lambda found: f"{self._written(found, 2)} {self.code}", text)

    def option(self, text: str) -> str:
        """`--budget 900/month` [USD] in this currency, rounded up so that it still admits what it admitted."""
        if self.rate is None:
            return text
        return _BUDGET.sub(lambda found: f"--budget {math.ceil(float(found[1]) * self.per_usd)}{self.code}/month", text)

    def _converted(self, value: float | None) -> float | None:
        return None if value is None else value * self.per_usd

    def _coarse(self, value: float | None) -> str:
        amount = self._converted(value)
        if amount is None or not math.isfinite(amount):
            return numbers.UNKNOWN
        return f"{amount:,.0f}" if abs(amount) >= _WHOLE_FROM else numbers.significant(amount, 2)

    def _written(self, found: "re.Match[str]", least_decimals: int = 0) -> str:
        """The roundest amount that is the same as the written one to the last digit of that."""
        usd = float(found[1].replace(",", ""))
        half_a_digit = 0.5 * 10.0 ** -max(len(found[2] or ""), least_decimals)
        return self.usd(self._roundest(usd, half_a_digit))

    def _roundest(self, usd: float, within: float) -> float:
        """The amount [USD] that takes the fewest digits in this currency, of those that differ by no more than `within`."""
        rounder = (numbers.rounded(usd * self.per_usd, digits) / self.per_usd for digits in range(1, 17))
        return next((near for near in rounder if abs(near - usd) <= within), usd)


USD = Money()


def money_in(rate: "CurrencyPart | None") -> Money:
    """Money in the currency of a rate; USD without one. Babel, which knows the decimals of every currency, is loaded only here."""
    if rate is None:
        return USD
    from babel.numbers import get_currency_precision

    return Money(rate.code, rate.per_usd, get_currency_precision(rate.code), rate)


def options_in_usd(text: str) -> str:
    """`--budget 900/month` -> `--budget 900USD/month`: beside --currency a plain number would be in that currency."""
    return _BUDGET.sub(r"--budget \1USD/month", text)
