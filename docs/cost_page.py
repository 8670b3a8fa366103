"""The page of worked costs: the same questions asked of the bundled catalog on its own day, so that the figures follow the facts."""

import csv
import datetime
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.breakeven import breakeven
from infra_advisor.advice.breakevens import BreakevenAnswer
from infra_advisor.advice.estimate import estimate
from infra_advisor.advice.limits import Limits
from infra_advisor.advice.option import Priced
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.priced import priced_options
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.layers import bundled_and
from infra_advisor.search.workload import Workload
from infra_advisor.units import HOURS_PER_MONTH
from markdown_text import NOTICE, cell, code, table

MODEL = "gpt-oss-120b"
LOADS = (5e6, 50e6, 500e6)
"""Prompt and output tokens a day."""
BOUGHT = "buy-8x-h200-sxm-hgx-server"
NODES = {
    "8x H200, owned, in colocation": BOUGHT,
    "8x H200, GMO, by the month": "gmo-dedicated-8x-h200-node-jp-fukuoka-monthly",
    "8x H100, Sakura PHY, by the month": "sakura-phy-8x-h100-ishikari-monthly",
    "8x H200, AWS p5en Tokyo, on demand": "aws-p5en.48xlarge-ap-northeast-1",
}
JAPAN = Limits(residency="JP", include=("stale",))
LEANER = {"amortisation_datacenter_years": 5.0, "operations_per_year": 0.03, "colocation_usd_per_kw_month": 130.0}
"""Terms nearer to those of a large operator."""


def cost_page(root: Path) -> str:
    """Worked cases on the day of the catalog."""
    layers = bundled_and((), root / "catalog")
    catalog = Catalog(layers, datetime.date.fromisoformat(Catalog(layers, datetime.date.min).version))
    cases = {load: breakeven(catalog, Workload(model=MODEL, tokens_per_day=load), JAPAN) for load in LOADS}
    nodes = {
        (name, load): answer
        for name, target in NODES.items()
        for load in LOADS
        if (answer := estimate(catalog, target, Workload(model=MODEL, tokens_per_day=load), JAPAN).answer)
    }
    return "".join(
        (
            NOTICE,
            "# Worked costs\n\n",
            f"As of {catalog.as_of}. What the differences mean stands in [What it costs](../costs.md).\n\n",
            f"## {MODEL} in Japan, 1,000 tokens in and 300 out\n\n",
            "USD a month, and USD per million prompt and output tokens. The nodes are fixed; below them is the cheapest of each way.\n\n",
            table(("", *(f"{load / 1e6:,.0f}M tokens/day" for load in LOADS)), [*_nodes(nodes), *_ways(cases)]),
            "\n## The bill of the owned node at 50M tokens a day\n\n",
            _bill(nodes["8x H200, owned, in colocation", 50e6]),
            "\n## Where one way becomes cheaper than another\n\n",
            table(("cheaper", "than", "from", "of what that fleet carries"), list(_crossings(cases[50e6]))),
            "\n## Owned accelerators beside an analyst's cost per hour\n\n",
            "USD per accelerator and hour, running all the time: ours with the catalog's assumptions, and with "
            + ", ".join(f"`{name}={value:g}`" for name, value in LEANER.items())
            + "; beside them the all-in figures of `catalog/tco_references.csv`.\n\n",
            table(("server", "ours, world", "ours, Japan", "ours, leaner", "hyperscaler", "neocloud"), list(_beside(catalog, root))),
        )
    )


def _figures(answer: Answer) -> str:
    cost = answer.cost
    return f"{cost.usd_per_month:,.0f} ({cost.usd_per_mtok_total:,.2f})"


def _nodes(nodes: dict[tuple[str, float], Answer]) -> Iterator[tuple[str, ...]]:
    for name, target in NODES.items():
        yield (f"{cell(name)} {code(target)}", *(_figures(nodes[name, load]) for load in LOADS))


def _ways(cases: dict[float, BreakevenAnswer]) -> Iterator[tuple[str, ...]]:
    names = {"rent": "cheapest to rent", "commit": "cheapest for a term", "buy": "cheapest to buy", "api": "cheapest hosted API"}
    for way, name in names.items():
        found = [next((one for one in cases[load].options if one.way == way), None) for load in LOADS]
        yield (name, *(f"{_figures(one.answer)} {code(one.answer.offer.id)}" if one else "none" for one in found))


def _bill(answer: Answer) -> str:
    rows = [
        (
            cell(line.name),
            f"{line.quantity:,.6g}",
            cell(line.unit),
            f"{line.unit_price_usd:,.6g}",
            f"{line.amount_usd:,.2f}",
            cell(line.note or ""),
        )
        for line in answer.cost.lines
    ]
    rows.append(("**total**", "", "", "", f"**{answer.cost.usd_per_month:,.2f}**", ""))
    return table(("line", "quantity", "unit", "USD/unit", "USD/month", "note"), rows)


def _crossings(answer: BreakevenAnswer) -> Iterator[tuple[str, ...]]:
    units = {"tokens_per_day": "tokens a day", "hours_per_month": "hours a month", "months": "months (cash)"}
    for one in answer.breakeven:
        number = "" if one.value is None else f"{one.value:,.0f}" if one.value >= 100 else f"{one.value:.1f}"
        value = one.reason if one.reason else f"{number} {units[one.axis]}"
        share = f"{one.utilisation:.0%}" if one.utilisation is not None and one.reason is None else ""
        yield (one.cheaper, one.than, cell(value), share)


def _beside(catalog: Catalog, root: Path) -> Iterator[tuple[str, ...]]:
    with (root / "catalog" / "tco_references.csv").open(newline="", encoding="utf-8") as stream:
        references = {(row["chip"], row["basis"]): row["usd_per_chip_h"] for row in csv.DictReader(stream)}
    everywhere = {
        name: {one.id: one for one in priced_options(facts, limits, Payment(), Counter()) if one.tariff and one.platform.chips == 8}
        for name, facts, limits in (
            ("world", catalog, Limits(where=("onprem",))),
            ("japan", catalog, Limits(where=("onprem",), residency="JP")),
            ("leaner", catalog.assuming(LEANER), Limits(where=("onprem",))),
        )
    }
    for name, option in sorted(everywhere["world"].items()):
        if (option.platform.chip, "neocloud") in references:
            ours = [f"{_per_hour(everywhere[where][name], catalog):.2f}" for where in ("world", "japan", "leaner")]
            theirs = [references[option.platform.chip, basis] for basis in ("hyperscaler", "neocloud")]
            yield (code(name), *ours, *theirs)


def _per_hour(option: Priced, catalog: Catalog) -> float:
    """One accelerator at work all the time, its power at the share of the rating that `power_draw_share` states."""
    tariff = option.tariff
    assert tariff is not None
    rated_kw = next(charge.each for charge in tariff.charges if charge.name == "space")
    share = float(catalog.assumptions["power_draw_share"].value)
    power = sum(charge.usd * charge.each for charge in tariff.charges if charge.driver == "kwh") * rated_kw * share
    site = sum(charge.usd for charge in tariff.charges if charge.driver == "sites") / HOURS_PER_MONTH
    return (tariff.standing_usd_per_h + power + site) / option.platform.chips
