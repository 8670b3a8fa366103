"""Bills on a page, in dollars and in yen at 157.25 for one."""

from present import samples

from infra_advisor.advice.cost_parts import CostLine
from infra_advisor.advice.parts import CurrencyPart
from infra_advisor.present.output import render
from infra_advisor.present.screen import Screen

RATE = CurrencyPart(code="JPY", per_usd=157.25, day="2026-10-30", age_d=23, source="ECB reference rates", source_id="ecb-2026-10")
LINES = (
    CostLine(name="instances", quantity=730, unit="machine-hours", unit_price_usd=3.45, amount_usd=2518.5),
    CostLine(name="egress", quantity=100, unit="GB", unit_price_usd=0.09, amount_usd=9.0),
    CostLine(name="spare machines", quantity=0, unit="machine-hours", unit_price_usd=3.45, amount_usd=0.0, note="300 USD were not asked"),
    CostLine(name="support", quantity=2527.5, unit="USD of the bill", unit_price_usd=0.1, amount_usd=252.75),
    CostLine(
        name="minimum purchase", quantity=1, unit="top-up", unit_price_usd=219.75, amount_usd=219.75,
        note="the smallest purchase is 3,000.00 USD",
    ),
)  # fmt: skip


def page(currency: CurrencyPart | None) -> str:
    """The page of an estimate with that bill, a single space between words."""
    answer = samples.answer()
    cost = answer.cost.model_copy(update={"lines": LINES, "usd_three_years": 108_000.0})
    record = samples.estimate().model_copy(update={"answer": answer.model_copy(update={"cost": cost})})
    return " ".join(render(record, "table", screen=Screen(width=140), currency=currency).split())


def test_a_bill_in_dollars_stays_as_it_is() -> None:
    text = page(None)
    assert "line quantity unit USD/unit USD/month note" in text
    assert "instances 730 machine-hours 3.45 2,518.50" in text
    assert "support 2,527.50 USD of the bill 0.1 252.75" in text
    assert "minimum purchase 1 top-up 219.75 219.75 the smallest purchase is 3,000.00 USD" in text
    assert "total 3,000.00" in text
    assert "spare machines: 300 USD were not asked. Nothing to pay before the first token. Three years: 108,000 USD." in text


def test_a_bill_in_yen() -> None:
    """Each amount is 157.25 times the dollars; a tenth of the bill stays a tenth. Rounded alone, the first, 396,034.125, and the others,
    1,415.25, 39,744.94 and 34,555.69, make 471,750, which is 157.25 x 3,000."""
    text = page(RATE)
    assert "line quantity unit JPY/unit JPY/month note" in text
    assert "instances 730 machine-hours 542.5125 396,034" in text
    assert "egress 100 GB 14.1525 1,415" in text
    assert "support 397,449 JPY of the bill 0.1 39,745" in text
    assert "minimum purchase 1 top-up 34,555.6875 34,556 the smallest purchase is 471,750 JPY" in text
    assert "total 471,750" in text
    assert "spare machines: 47,175 JPY were not asked. Nothing to pay before the first token. Three years: 16,983,000 JPY." in text
