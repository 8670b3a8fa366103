"""Purchase prices, hosting figures and stated defaults: worked facts, the rule that picks a price, and planted errors."""

from decimal import Decimal

import pytest
from catalogs import BUNDLED, DAY, bundled_table

from infra_advisor.facts.fact import Source
from infra_advisor.facts.files import read_yaml
from infra_advisor.facts.market import ExchangeRate, rates_on
from infra_advisor.facts.market_checks import check_assumptions, check_hosting, check_purchases, check_sources
from infra_advisor.facts.purchases import (
    Assumption,
    HostingFigure,
    Purchase,
    PurchaseOption,
    TcoReference,
    default_figure,
    purchase_options,
)

TODAY = DAY.isoformat()


def sources(name: str) -> dict[str, Source]:
    return {key: Source.model_validate(raw) for key, raw in read_yaml(BUNDLED / "sources" / f"{name}.yaml", []).items()}


PURCHASES = bundled_table("purchase", Purchase)
HOSTING = bundled_table("hosting", HostingFigure)
RATES = bundled_table("exchange_rates", ExchangeRate)
TCO = bundled_table("tco_references", TcoReference)
ASSUMPTIONS = {name: Assumption.model_validate(raw) for name, raw in read_yaml(BUNDLED / "assumptions.yaml", []).items()}
CHIP_IDS = {path.stem for path in (BUNDLED / "chips").glob("*.yaml")}


def options(chip: str, chips: int = 1, country: str | None = None, day: str = TODAY) -> list[PurchaseOption]:
    return [option for option in purchase_options(PURCHASES, day, country) if option.chip == chip and option.chips == chips]


# -- which price is picked


def test_a_typical_price_beats_the_ends_of_its_range() -> None:
    """8x H100 server of 2026: 250,000 to 320,000, typical 285,000; the older estimate of 300,000 is superseded."""
    (server,) = [option for option in options("h100-sxm", 8) if option.includes_host]
    assert (server.low, server.price, server.high, server.currency) == (250_000, 285_000, 320_000, "USD")
    assert server.memory_gb == 8 * 80
    assert server.system_power_w == 10_200


def test_a_range_without_typical_figure_is_priced_in_the_middle() -> None:
    """H100 PCIe: 22,000 to 27,000."""
    (card,) = options("h100-pcie")
    assert (card.low, card.price, card.high) == (22_000, 24_500, 27_000)
    assert not card.includes_host


def test_a_configuration_of_the_table_wins_over_the_device_entry() -> None:
    """The device list knows one Mac Studio M3 Ultra with 512 GB at 11,699 (8 TB, as tested); the table prices 256 and 512 GB."""
    assert [(option.memory_gb, option.price) for option in options("m3-ultra-80c")] == [(256, 7_099), (512, 9_499)]
    assert {option.memory_gb: option.price for option in options("ryzen-ai-max-395")} == {64: 1_959, 128: 3_449}


def test_a_street_price_beats_the_launch_price() -> None:
    """RTX PRO 6000: launched at 8,600; list 13,250 and street 14,758 in September 2026."""
    (card,) = [option for option in options("rtx-pro-6000-ws") if not option.includes_host]
    assert (card.price, card.price_kind) == (14_758, "street")
    (before,) = [option for option in options("rtx-pro-6000-ws", day="2026-08-31") if not option.includes_host]
    assert (before.price, before.price_kind) == (8_600, "launch-list")


def test_the_market_of_the_buyer_decides_between_current_prices() -> None:
    """DGX Spark: list 4,699 anywhere, 4,240 on the street in Taiwan."""
    assert [option.price for option in options("gb10")] == [4_699]
    assert [option.price for option in options("gb10", country="TW")] == [4_240]


def test_yen_prices_stay_in_yen() -> None:
    """RTX 5090 in Japan: 500,000 to 700,000 JPY."""
    (card,) = options("rtx-5090", country="JP")
    assert (card.low, card.price, card.high, card.currency) == (500_000, 600_000, 700_000, "JPY")


def test_what_is_not_for_sale_makes_no_option() -> None:
    """TPU and Trainium appear as estimates of their maker's cost only; a lease is not a purchase."""
    priced = {option.chip for option in purchase_options(PURCHASES, TODAY)}
    assert not priced & {"tpu-v7", "trainium2", "trainium3", "vr200", "ascend-910c"}
    assert all(option.category not in ("server-lease", "capex-estimate") for option in purchase_options(PURCHASES, TODAY))


def test_one_option_per_configuration_whatever_the_order() -> None:
    forward, backward = purchase_options(PURCHASES, TODAY), purchase_options(list(reversed(PURCHASES)), TODAY)
    assert [(option.id, option.price) for option in forward] == [(option.id, option.price) for option in backward]
    assert len({option.id for option in forward}) == len(forward)


def test_nothing_is_priced_before_its_first_line() -> None:
    assert purchase_options(PURCHASES, "2020-01-01") == []


def test_a_machine_includes_its_host_and_a_card_does_not() -> None:
    by_id = {line.id: line for line in PURCHASES}
    assert by_id["nvidia-dgx-spark-128gb-4tb"].includes_host
    assert by_id["jetson-agx-orin-64gb-developer-kit"].includes_host
    assert not by_id["jetson-agx-orin-32gb-module"].includes_host
    assert not by_id["8x-b200-hgx-baseboard-low"].includes_host
    assert not any(line.includes_host for line in PURCHASES if line.category.endswith("-card"))


# -- hosting figures and defaults


def test_the_default_figure_is_the_country_or_the_world() -> None:
    """Japan plans with 24 JPY a kilowatt-hour, 1.6 in an own room and 300 USD a kilowatt-month in Tokyo."""
    electricity = default_figure(HOSTING, "electricity", "JP")
    assert electricity is not None
    assert (electricity.value, electricity.currency) == (24, "JPY")
    rate = rates_on(RATES, "2026-10-30")["JPY"]
    assert float(electricity.value / rate) == pytest.approx(0.15262, abs=1e-5)
    for country, metric, value in (("JP", "pue", "1.6"), ("JP", "colocation", "300"), ("ZZ", "colocation", "217.3"), (None, "pue", "1.58")):
        figure = default_figure(HOSTING, metric, country)  # type: ignore[arg-type]
        assert figure is not None
        assert figure.value == Decimal(value)
    assert default_figure(HOSTING, "grid-carbon", "ZZ") is None


def test_tariffs_keep_their_currency() -> None:
    by_id = {figure.id: figure for figure in HOSTING}
    assert (by_id["electricity-de"].value, by_id["electricity-de"].currency) == (Decimal("0.251"), "EUR")
    assert (by_id["electricity-gb"].value, by_id["electricity-gb"].currency) == (Decimal("0.2533"), "GBP")


def test_hosts_of_bare_cards_follow_from_the_table() -> None:
    """Each host is what a machine costs beyond its cards: see the notes of assumptions.yaml."""
    prices = {line.id: line.price for line in PURCHASES}
    rate = rates_on(RATES, "2026-10-30")["JPY"]
    card = (prices["rtx-pro-6000-blackwell-workstation-us-street-before-rise-low"] or 0) + (
        prices["rtx-pro-6000-blackwell-workstation-us-street-before-rise-high"] or 0
    )
    one = Decimal(2_300_000) / rate - card / 2
    two = Decimal(1_200_000) / rate - 2 * (prices["geforce-rtx-4090"] or 0)
    four = (prices["tenstorrent-tt-quietbox-blackhole-4-cards"] or 0) - 4 * (prices["tenstorrent-blackhole-p150"] or 0)
    eight = Decimal(135_000 + 155_000) / 2 - 8 * (prices["rtx-pro-6000-blackwell-workstation-nvidia-list-after-rise"] or 0)
    for cards, derived in (("1_card", one), ("2_cards", two), ("4_cards", four)):
        assert float(ASSUMPTIONS[f"workstation_host_{cards}_usd"].value) == pytest.approx(float(derived), rel=0.02)
    assert ASSUMPTIONS["server_host_8_cards_usd"].value == eight == 39_000
    assert ASSUMPTIONS["host_pc_usd"].value == prices["framework-desktop-ryzen-ai-max-385-32gb"]
    assert ASSUMPTIONS["hgx_host_power_w_per_chip"].value == Decimal(10_200 - 8 * 700) / 8


def test_judgement_is_said_to_be_judgement() -> None:
    assert ASSUMPTIONS["utilisation_default"].value == Decimal("0.5")
    assert ASSUMPTIONS["utilisation_default"].judged
    assert not ASSUMPTIONS["operations_per_year"].judged
    assert ASSUMPTIONS["hours_per_month"].value == Decimal(8_760) / 12


def test_tco_references_are_kept_apart() -> None:
    h100 = {reference.basis: reference.usd_per_chip_h for reference in TCO if reference.chip == "h100-sxm"}
    assert h100 == {"hyperscaler": Decimal("1.3"), "neocloud": Decimal("1.69"), "rent-3y": Decimal("1.3")}


# -- the whole tables and planted errors


def test_the_tables_pass_their_checks() -> None:
    assert check_purchases(PURCHASES, CHIP_IDS, RATES, TODAY) == []
    assert check_hosting(HOSTING, RATES, TODAY) == []
    assert check_assumptions(ASSUMPTIONS, sources("hosting")) == []
    assert check_sources("purchase", [*PURCHASES, *TCO], sources("purchase")) == []
    assert check_sources("hosting", [*HOSTING, *RATES], sources("hosting")) == []


SPARK = next(line for line in PURCHASES if line.id == "nvidia-dgx-spark-128gb-4tb")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"chip": "gb01"}, "unknown accelerator gb01. Did you mean gb10"),
        ({"price": Decimal(4_699_000)}, "4,699,000 USD is outside 300 to 30,000 for a desktop"),
        ({"currency": "XAU"}, "no exchange rate for XAU"),
        ({"system_power_w": 100.0}, "draws 100 W, less than its device with 140 W"),
        ({"seen": "2026-01-31"}, "seen 2026-01-31 before it starts"),
    ],
)
def test_check_purchases_catches(change: dict[str, object], complaint: str) -> None:
    problems = check_purchases([SPARK.model_copy(update=change)], CHIP_IDS, RATES, TODAY)
    assert any(complaint in problem for problem in problems), problems


def test_check_hosting_catches_absurd_and_competing_figures() -> None:
    japan = default_figure(HOSTING, "electricity", "JP")
    assert japan is not None
    absurd = japan.model_copy(update={"currency": "USD"})
    assert any("24 is outside" in problem for problem in check_hosting([absurd], RATES, TODAY))
    assert any(
        "default of electricity in JP" in problem for problem in check_hosting([japan, japan.model_copy(update={"id": "x"})], RATES, TODAY)
    )


def test_check_assumptions_catches_percent_for_share() -> None:
    wrong = {"utilisation_default": ASSUMPTIONS["utilisation_default"].model_copy(update={"value": Decimal(50)})}
    assert any("between 0 and 1" in problem for problem in check_assumptions(wrong, sources("hosting")))
