"""Offers, nodes and money of the bundled catalog: worked facts by hand, invariants, and checks that catch planted errors."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from catalogs import BUNDLED, DAY, bundled_table
from pydantic import ValidationError

from infra_advisor.facts.fact import Source
from infra_advisor.facts.files import read_yaml
from infra_advisor.facts.market import ExchangeRate, Node, Offer, before_tax, price_on, rates_on, usd_per_h
from infra_advisor.facts.market_checks import check_nodes, check_offers, check_sources
from infra_advisor.facts.places import Region

TODAY = DAY.isoformat()
OFFERS = bundled_table("offers", Offer)
NODES = {node.id: node for node in bundled_table("nodes", Node)}
REGIONS = bundled_table("regions", Region)
RATES = bundled_table("exchange_rates", ExchangeRate)
CHIP_IDS = {path.stem for path in (BUNDLED / "chips").glob("*.yaml")}
PROVIDER_IDS = set(read_yaml(BUNDLED / "providers.yaml", []))


def lines(offer_id: str) -> list[Offer]:
    found = [offer for offer in OFFERS if offer.id == offer_id]
    assert found, f"no offer {offer_id}"
    return found


def line(offer_id: str, start: str) -> Offer:
    return next(offer for offer in lines(offer_id) if offer.from_ == start)


# -- worked facts


def test_p5_in_tokyo_is_eight_gpus_at_8_60() -> None:
    """8 GPUs x 8.60 USD = 68.80 USD an hour, the price of p5.4xlarge with one GPU times eight."""
    eight, one = lines("aws-p5.48xlarge-ap-northeast-1")[0], lines("aws-p5.4xlarge-ap-northeast-1")[0]
    assert (eight.price_kind, eight.currency, eight.country, eight.use) == ("on-demand", "USD", "JP", "commercial-serving")
    assert eight.per_h == Decimal("68.8") == one.per_h * 8
    node = NODES[eight.node]
    assert (node.chip, node.chips, node.fabric, node.scale_up_chips) == ("h100-sxm", 8, "nvlink-switch", 8)
    assert (node.nic_gbit_per_s, node.nic_kind, node.scalable, node.max_chips) == (3200, "EFA", True, None)


def test_abci_is_restricted_and_priced_in_points() -> None:
    """1.5 points an hour at 220 JPY a point, tax included, at least 1,000 points."""
    offer = line("abci-rt-hg-abci-kashiwa-points", "2025-04-01")
    assert (offer.price_kind, offer.use, offer.currency, offer.minimum) == ("points", "restricted", "JPY", "1,000 points")
    assert offer.per_h == Decimal("1.5") * 220
    assert offer.tax_included is True
    assert offer.date_precision == "month"


@pytest.mark.parametrize("provider", ["abci", "tsubame4", "mdx", "riken-rccs"])
def test_research_machines_do_not_serve_commercially(provider: str) -> None:
    assert {offer.use for offer in OFFERS if offer.provider == provider} == {"restricted"}


def test_sakura_containers_are_batch_only() -> None:
    """0.83 JPY a second x 3,600 = 2,988 JPY an hour for eight GPUs, tax included."""
    offer = line("sakura-dok-h100-8gpu-80gb-ishikari-serverless", "2026-09-24")
    assert (offer.use, offer.price_kind) == ("batch-only", "serverless")
    assert offer.per_h == Decimal("0.83") * 3600
    assert NODES[offer.node].chips == 8


def test_yen_prices_keep_currency_and_tax() -> None:
    """GMO: 3,800,000 JPY a month before tax over 730 h = 5,205.48. Sakura: 3,046,120 JPY a month, tax included, = 4,172.77."""
    gmo = line("gmo-dedicated-8x-h200-node-jp-fukuoka-monthly", "2026-03-10")
    assert (gmo.currency, gmo.tax_included, gmo.minimum) == ("JPY", False, "1 month")
    assert float(gmo.per_h or 0) == pytest.approx(3_800_000 / 730, abs=0.05)
    sakura = line("sakura-phy-8x-h100-ishikari-monthly", "2026-03-01")
    assert (sakura.currency, sakura.tax_included, sakura.minimum) == ("JPY", True, "2 months")
    assert float(sakura.per_h or 0) == pytest.approx(3_046_120 / 730, abs=0.05)
    assert float(sakura.reserved_3y_per_h or 0) == pytest.approx(2_436_896 / 730, abs=0.05)


def test_other_currencies_stay_original() -> None:
    """Yotta lists 473 INR a GPU-hour, Scaleway 0.79 EUR."""
    yotta, scaleway = lines("yotta-shakti-b200-sxm-in-any")[0], lines("scaleway-l4-1-24g-fr-par")[0]
    assert (yotta.currency, yotta.per_h) == ("INR", Decimal(473))
    assert (scaleway.currency, scaleway.per_h) == ("EUR", Decimal("0.79"))


@pytest.mark.parametrize(("size", "share"), [("large", 0.125), ("xlarge", 0.125), ("2xlarge", 0.25), ("4xlarge", 0.5)])
def test_g6f_shares_one_card(size: str, share: float) -> None:
    node = NODES[f"aws-g6f.{size}"]
    assert (node.chip, node.chips, node.rentable_chips) == ("l4", share, (share,))


def test_tpu_chips_come_in_slices() -> None:
    """v5e and v6e slices end at 256 chips (16 x 16); sizes beyond one host are powers of two."""
    for name in ("gcp-tpu-v5e", "gcp-tpu-v6e"):
        node = NODES[name]
        assert node.rentable_chips == (1, 4, 8, 16, 32, 64, 128, 256)
        assert (node.fabric, node.scalable, node.max_chips) == ("ici", True, 256)


def test_nvl72_instances_join_up_to_the_rack() -> None:
    node = NODES["azure-standard-nd128isr-ndr-gb200-v6"]
    assert (node.chips, node.scale_up_chips, node.max_chips, node.scalable) == (4, 72, 72, True)
    assert node.rentable_chips[-1] == 72
    assert node.nic_gbit_per_s == 4 * 400


def test_cards_without_a_fast_link_stay_in_one_instance() -> None:
    node = NODES["aws-g6.48xlarge"]
    assert (node.fabric, node.scale_up_chips, node.scalable, node.max_chips) == ("pcie", 1, False, 8)


def test_sizes_that_are_not_sold_on_demand_are_marked() -> None:
    """a3-highgpu with 1, 2 and 4 GPUs is sold as Spot or Flex-start only."""
    small = [offer for offer in OFFERS if offer.node in {f"gcp-a3-highgpu-{count}g" for count in (1, 2, 4)}]
    assert small
    assert {offer.flag for offer in small} == {"unverified"}


def test_capacity_block_only_types_have_no_on_demand_price() -> None:
    offers = [offer for offer in OFFERS if offer.node in ("aws-p5e.48xlarge", "aws-trn2.48xlarge") and offer.price_kind != "capacity-block"]
    assert offers
    assert all(offer.per_h is None and offer.price_kind == "spot-only" for offer in offers)


# -- money and days


def test_price_on_picks_the_line_in_force() -> None:
    gb200 = lines("azure-standard-nd128isr-ndr-gb200-v6-eastus2")
    assert price_on(gb200, "2026-06-17") is None
    assert price_on(gb200, "2026-06-18") is line("azure-standard-nd128isr-ndr-gb200-v6-eastus2", "2026-06-18")
    assert price_on(gb200, "2026-09-18") is line("azure-standard-nd128isr-ndr-gb200-v6-eastus2", "2026-06-18")
    in_force = price_on(list(reversed(gb200)), "2026-09-19")
    assert in_force is not None
    assert in_force.per_h == Decimal("114.048")


def test_rates_take_the_newest_not_after_the_day() -> None:
    assert "JPY" not in rates_on(RATES, "2026-02-17")
    assert rates_on(RATES, "2026-05-07")["JPY"] == Decimal("153.64")
    assert rates_on(list(reversed(RATES)), "2026-05-08")["JPY"] == Decimal("156.76388")
    assert rates_on([], TODAY) == {"USD": Decimal(1)}


def test_a_yen_price_becomes_dollars_without_tax() -> None:
    """990 JPY with 10 % tax = 900 JPY; at 157.25027 JPY a dollar that is 5.72336 USD. 473 INR at 94.95525 = 4.98129 USD."""
    rates = rates_on(RATES, "2026-10-30")
    yen = before_tax(Decimal(990), True, Decimal("0.1"))
    assert yen == 900
    assert float(usd_per_h(yen, "JPY", rates)) == pytest.approx(5.72336, abs=1e-5)
    assert float(usd_per_h(Decimal(473), "INR", rates)) == pytest.approx(4.98129, abs=1e-5)
    assert before_tax(Decimal(990), None, Decimal("0.1")) == before_tax(Decimal(990), False, Decimal("0.1")) == 990


# -- the whole tables


def test_the_tables_pass_their_checks() -> None:
    assert check_nodes(list(NODES.values()), CHIP_IDS, PROVIDER_IDS) == []
    assert check_offers(OFFERS, NODES.values(), REGIONS, PROVIDER_IDS, RATES, TODAY) == []


def test_every_source_is_defined_with_a_day() -> None:
    for kind, records in (("offers", OFFERS), ("nodes", NODES.values())):
        sources = {name: Source.model_validate(raw) for name, raw in read_yaml(BUNDLED / "sources" / f"{kind}.yaml", []).items()}
        assert check_sources(kind, records, sources) == []


def test_rows_are_sorted_and_plentiful() -> None:
    order = [(offer.id, offer.from_) for offer in OFFERS]
    assert order == sorted(order)
    assert list(NODES) == sorted(NODES)
    assert len({offer.id for offer in OFFERS}) >= 2_200
    assert len({offer.provider for offer in OFFERS}) >= 40


def test_marketplaces_are_told_from_price_lists() -> None:
    hosts = [
        offer for offer in OFFERS if offer.provider in ("vast", "tensordock", "akash", "openrelay") or offer.region == "community-host"
    ]
    assert hosts
    assert {offer.price_kind for offer in hosts} <= {"marketplace", "average"}


def test_a_place_that_the_list_does_not_name_is_unknown() -> None:
    nowhere = [offer for offer in OFFERS if offer.region in ("any", "various", "marketplace", "community-host", "japan-or-vietnam-site")]
    assert nowhere
    assert {offer.country for offer in nowhere} == {None}


# -- planted errors

P5 = lines("aws-p5.48xlarge-ap-northeast-1")[0]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"node": "aws-p5.48xlarg"}, "unknown node aws-p5.48xlarg. Did you mean aws-p5.48xlarge"),
        ({"provider": "azure"}, "belongs to aws"),
        ({"region": "ap-northeast-9"}, "aws has no region ap-northeast-9"),
        ({"country": "US"}, "is in JP"),
        ({"currency": "XAU"}, "no exchange rate for XAU"),
        ({"per_h": Decimal(700)}, "87.500 USD per accelerator-hour is outside"),
        ({"per_h": Decimal("0.05")}, "0.006 USD per accelerator-hour is outside"),
        ({"spot_per_h": Decimal(73)}, "spot 73 is above on-demand"),
        ({"reserved_1y_per_h": Decimal(69)}, "reserved for 1 year 69 is above on-demand"),
        ({"seen": "2026-11-23"}, "seen 2026-11-23 is after"),
        ({"per_h": None, "spot_per_h": None}, "no price at all"),
    ],
)
def test_check_offers_catches(change: dict[str, object], complaint: str) -> None:
    problems = check_offers([P5.model_copy(update=change)], NODES.values(), REGIONS, PROVIDER_IDS, RATES, TODAY)
    assert any(complaint in problem for problem in problems), problems


def test_check_offers_lets_outliers_and_near_equal_spot_through() -> None:
    dear = P5.model_copy(update={"per_h": Decimal(700), "flag": "outlier"})
    level = P5.model_copy(update={"spot_per_h": Decimal(70)})
    for offer in (dear, level):
        assert check_offers([offer], NODES.values(), REGIONS, PROVIDER_IDS, RATES, TODAY) == []


def test_check_offers_catches_a_repeated_line() -> None:
    assert any("appears 2 times" in problem for problem in check_offers([P5, P5], NODES.values(), REGIONS, PROVIDER_IDS, RATES, TODAY))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"chip": "h100-sxn"}, "unknown accelerator h100-sxn. Did you mean h100-sxm"),
        ({"chips": 2.5}, "neither a whole number nor a share"),
        ({"sizes": (16, 8)}, "must ascend"),
        ({"sizes": (4, 8)}, "multiples of 8"),
        ({"nic_gbit_per_s": None}, "scalable needs a documented network"),
        ({"scalable": False, "scale_up_chips": 72}, "at most 8 can be rented together"),
    ],
)
def test_check_nodes_catches(change: dict[str, object], complaint: str) -> None:
    problems = check_nodes([NODES["aws-p5.48xlarge"].model_copy(update=change)], CHIP_IDS, PROVIDER_IDS)
    assert any(complaint in problem for problem in problems), problems


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw | {"per_h": "-1"},
        lambda raw: raw | {"per_h": "nan"},
        lambda raw: raw | {"per_h": "0"},
        lambda raw: raw | {"price_kind": "ondemand"},
        lambda raw: raw | {"country": "jp"},
        lambda raw: raw | {"from": "2026-13"},
        lambda raw: raw | {"price": "1"},
    ],
)
def test_bad_lines_are_refused(spoil: Callable[[dict[str, str]], dict[str, str]]) -> None:
    raw = {
        "id": "x",
        "node": "n",
        "provider": "p",
        "region": "r",
        "price_kind": "on-demand",
        "currency": "USD",
        "per_h": "1",
        "from": TODAY,
    }
    raw |= {"seen": TODAY, "source": "s"}
    Offer.model_validate(raw)
    with pytest.raises(ValidationError):
        Offer.model_validate(spoil(raw))
