"""The ranking against an oracle that shares neither its sizing nor its selection: every offer with every deployment, one at a time.

The oracle reads prices off the tables itself, tries every whole number of requests per replica, and keeps the best row of each decision.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from catalogs import DAY, frozen_catalog

from infra_advisor.advice.limits import Limits
from infra_advisor.advice.ownership import machines_of
from infra_advisor.advice.recommend import recommend
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.purchases import purchase_options
from infra_advisor.physics.serving import Served
from infra_advisor.physics.transformer import weight_bytes
from infra_advisor.search.busy import busy
from infra_advisor.search.calibration import read_parameters
from infra_advisor.search.candidates import Candidate, Question, candidates, deployments
from infra_advisor.search.platforms import Platform, platform_of_box, platform_of_node
from infra_advisor.search.points import Timing
from infra_advisor.search.solve import Targets, latency
from infra_advisor.search.traffic import Lengths, Traffic
from infra_advisor.search.workload import Workload

JPY_PER_USD = 157.25027
NEAR = 5e-3
"""Fleets of one platform are compared by machines per token; what power and traffic add to the bill does not decide between them."""
Decision = tuple[str, str, str | None, str, str, str]


@dataclass(frozen=True)
class Machine:
    """What one price buys."""

    class_: str
    seller: str
    region: str | None
    country: str | None
    family: str
    platform: Platform
    usd_per_h: float
    """Rent."""
    usd_per_month: float
    """Whatever runs, for each machine."""
    usd_per_site: float
    overhead: float
    """PUE, where the buyer pays for power."""
    usd_per_kwh: float
    egress_usd_per_gb: float

    def month(self, fleet: "Fleet") -> float:
        """730 hours; 300 bytes leave for each output token; a rented machine keeps the weights on a disk of 0.08 USD/GB; several share a
        load balancer of 20 USD."""
        hours, machines = 730, fleet.machines
        usd = machines * (self.usd_per_h * hours + self.usd_per_month) + self.usd_per_site
        if self.usd_per_kwh:
            usd += fleet.machines_w / 1000 * self.overhead * hours * self.usd_per_kwh
        if self.class_ == "cloud":
            usd += fleet.tokens_per_s * 3600 * hours * 300 / 1e9 * self.egress_usd_per_gb
            usd += machines * fleet.weights_gb * 0.08 + (20 if fleet.units > 1 else 0)
        return usd


@dataclass(frozen=True)
class Fleet:
    """One deployment, sized for the load."""

    candidate: Candidate
    machines: float
    units: float
    """Machines, or groups of them that run one replica."""
    weights_gb: float
    chips: float
    tokens_per_s: float
    ttft_s: float
    tpot_s: float
    machines_w: float
    """Of all machines, hosts included; infinite where the catalog has no power of the chip."""


def rented(catalog: Catalog) -> Iterator[Machine]:
    """On-demand and monthly prices of commercial offers in force, without tax, by hand."""
    newest = {}
    for line in sorted(catalog.offers, key=lambda line: line.from_):
        if line.from_ <= DAY.isoformat():
            newest[line.id] = line
    for line in newest.values():
        if line.use != "commercial-serving" or line.flag or line.per_h is None:
            continue
        node = catalog.nodes[line.node]
        usd = float(line.per_h) / {"USD": 1.0, "JPY": JPY_PER_USD}[line.currency] / (1.1 if line.tax_included else 1.0)
        for chips in node.sizes or (int(node.chips),):
            chip = catalog.chips[node.chip]
            family = node.instance_type.split(".")[0] if node.provider == "aws" else chip.id
            platform = platform_of_node(node, chip, chips)
            egress = 0.0 if node.provider == "sakura" else 0.09
            rent = usd * chips / node.chips
            yield Machine("cloud", node.provider, line.region, line.country, family, platform, rent, 0, 0, 0, 0, egress)


def bought(catalog: Catalog, country: str | None) -> Iterator[Machine]:
    for option in purchase_options(catalog.purchases, DAY.isoformat(), country):
        if option.price_kind == "launch-list":
            continue
        chip = catalog.chips[option.chip]
        price = option.price / {"USD": 1, "JPY": catalog.exchange_rates[-1].per_usd}[option.currency]
        for machine in machines_of(option, chip, price, catalog.assumptions):
            server = chip.market == "datacenter"
            usd = float(machine.price_usd + machine.host_usd)
            staffed = server or chip.market == "workstation"
            month = usd * (0.05 / (1 - 1.05**-3) + (0.08 if staffed else 0.0)) / 12  # annuity over three years at 5 %; upkeep 8 %
            assert chip.power
            rated_kw = (option.system_power_w or rated_w(chip, machine.chips, server=server)) / 1000
            per_kwh, per_kw = (24 / JPY_PER_USD, 300) if country == "JP" else (0.161, 217.3)
            if server:
                month += rated_kw * per_kw
            platform = platform_of_box(chip, machine.chips, board=option.category not in ("server", "rack"))
            class_, site = ("onprem", 300) if server else ("edge", 0)
            overhead = 1.4 if server else 1.0
            yield Machine(class_, "purchase", option.region, country, chip.id, platform, 0, month, site, overhead, per_kwh, 0)


def rated_w(chip: Chip, chips: int, *, server: bool) -> float:
    """Accelerators and the host around them: 575 W a chip on a baseboard; else 80 to 1,500 W for the whole host."""
    assert chip.power
    if chip.market == "edge" or chip.unified_memory:
        return chip.power.value * chips
    if server and chip.link is not None and not chip.link.bridge:
        return (chip.power.value + 575) * chips
    host = 80 if chip.market == "consumer" and chips == 1 else {1: 120, 2: 180, 4: 300, 8: 1500}[chips]
    return chip.power.value * chips + host


@cache
def catalog() -> Catalog:
    return frozen_catalog()


def fleets(platform: Platform, question: Question, workload: Workload, targets: Targets) -> Iterator[Fleet]:
    """Every deployment on the platform that fits and keeps the targets at a fixed number of requests in flight."""
    assert workload.concurrency is not None
    for candidate in candidates([platform], catalog().chips, catalog().engines, question, Counter()):
        one = Timing(
            question.shape,
            deployments([candidate], catalog().chips, question.parameters),
            question.parameters.defaults,
            input_tokens=workload.input_tokens,
            output_tokens=workload.output_tokens,
        )
        if not one.memory.fits[0]:
            continue
        each = np.arange(1, int(one.memory.most_running[0]) + 1)
        many = one.take(np.zeros(len(each), dtype=np.intp))
        ttft_s, tpot_s = latency(many, many.serve(each.astype(float), open_arrivals=False), targets.statistic)
        kept = np.ones(len(each), dtype=bool)
        if targets.ttft_s is not None:
            kept &= ttft_s <= targets.ttft_s
        if targets.tpot_s is not None:
            kept &= tpot_s <= targets.tpot_s
        if not kept[0]:
            continue
        most = int(each[np.cumprod(kept).sum() - 1])
        replicas = math.ceil(workload.concurrency / most)
        room = platform.chips // candidate.layout.chips
        if room > 1:  # a machine paid for is used whole, by no more replicas than there are requests
            replicas = max(replicas, min(math.ceil(replicas / room) * room, math.ceil(workload.concurrency)))
        served = one.serve(np.array([workload.concurrency / replicas]), open_arrivals=False)
        ttft_s, tpot_s = latency(one, served, targets.statistic)
        if (targets.ttft_s or math.inf) < ttft_s[0] or (targets.tpot_s or math.inf) < tpot_s[0]:
            continue
        chips = candidate.layout.chips
        if chips <= platform.chips:
            machines = math.ceil(replicas / (platform.chips // chips))
        else:
            machines = replicas * chips // platform.chips
        request_s = float(served.ttft_s[0]) + (workload.output_tokens - 1) * float(served.tpot_s[0])
        tokens_per_s = workload.concurrency * workload.output_tokens / request_s
        weights_gb = weight_bytes(question.shape, candidate.weights.format.by_part).total / 1e9
        units = machines / max(chips / platform.chips, 1)
        machines_w = power_w(one, served, platform, machines, chips * replicas)
        yield Fleet(candidate, machines, units, weights_gb, chips * replicas, tokens_per_s, float(ttft_s[0]), float(tpot_s[0]), machines_w)


def power_w(one: Timing, served: Served, platform: Platform, machines: float, working: float) -> float:
    """Accelerators at work on the curve, the others at 18 % of their rated power, hosts at 70 % of theirs."""
    rated_w = {"h100-sxm": 700.0, "mi300x": 750.0, "l4": 72.0, "rtx-4090": 450.0}.get(platform.chip)
    if rated_w is None:
        return math.inf
    host_w = {
        "h100-sxm": 0.82 * 700.0 * platform.chips,
        "mi300x": 0.82 * 750.0 * platform.chips,
        "l4": 1500.0 / 8 * platform.chips,
        "rtx-4090": {1: 80.0, 2: 180.0, 4: 300.0}.get(platform.chips, 1500.0),
    }[platform.chip]
    of, curve = busy(one, served, open_arrivals=False), catalog().power
    active = curve["serving_level"] + curve["kernel_gain"] * of.kernels[0] + curve["compute_gain"] * math.sqrt(of.computing[0])
    each_w = rated_w * (0.18 + of.serving[0] * (min(active, 1.0) - 0.18))
    unused = max(machines * platform.chips - working, 0.0)
    return float(working * each_w + unused * 0.18 * rated_w + machines * 0.7 * host_w)


def pue(machine: Machine) -> float:
    """Of the buyer's room, of a hall, or the provider's own."""
    return {"edge": 1.0, "onprem": 1.4, "cloud": {"aws": 1.15}.get(machine.seller, 1.4)}[machine.class_]


def grid(machine: Machine) -> float:
    """gCO2e/kWh of the region, else of the country; infinite where neither is known."""
    regions = {("aws", "ap-northeast-1"): 539.0, ("aws", "us-east-1"): 398.0, ("sakura", "is1a"): 465.0, ("sakura", "ishikari"): 465.0}
    return regions.get((machine.seller, machine.region or "")) or {"JP": 464.8}.get(machine.country or "", math.inf)


def figure(rank: str, machine: Machine, fleet: Fleet) -> float:
    cost = machine.month(fleet) / (fleet.tokens_per_s * 3600 * 730) * 1e6
    return {
        "cost": cost,
        "ttft": fleet.ttft_s,
        "speed": fleet.tpot_s,
        "throughput": -fleet.tokens_per_s,
        "energy": fleet.machines_w * pue(machine) / fleet.tokens_per_s,
        "carbon": fleet.machines_w * pue(machine) / fleet.tokens_per_s / 3.6 * grid(machine),
        "balanced": cost**0.5 * fleet.ttft_s**0.25 * fleet.tpot_s**0.25,
    }[rank]


def oracle(workload: Workload, limits: Limits, rank: str) -> dict[Decision, float]:
    """Best figure of each decision within the limits."""
    model = catalog().model({"70b": "llama-3.3-70b-instruct", "8b": "llama-3.1-8b-instruct"}.get(workload.model, workload.model))
    parameters = read_parameters(catalog().parameters, catalog().deviations)
    question = Question(model, model.shape(), catalog().formats, parameters, workload.weights, workload.kv)
    targets = Targets(limits.ttft_s, limits.tpot_s, None, limits.statistic)
    best: dict[Decision, float] = {}
    shelf: dict[Platform, list[Fleet]] = {}
    for machine in itertools.chain(rented(catalog()), bought(catalog(), limits.residency)):
        if machine.class_ not in limits.where or (limits.residency and machine.country != limits.residency):
            continue
        if machine.platform not in shelf:
            shelf[machine.platform] = list(fleets(machine.platform, question, workload, targets))
        for fleet in shelf[machine.platform]:
            if machine.month(fleet) > (limits.budget_usd_per_month or math.inf):
                continue
            software = fleet.candidate.engine.id, fleet.candidate.weights.format.id
            decision = (machine.class_, machine.seller, machine.region, machine.family, *software)
            best[decision] = min(best.get(decision, math.inf), figure(rank, machine, fleet))
    return best


HARDWARE = ("cloud", "onprem", "edge")
ALIKE = Traffic(lengths=Lengths("fixed"))
CASES = [
    (Workload(model="70b", concurrency=1), Limits(where=HARDWARE)),
    (Workload(model="70b", concurrency=40), Limits(where=HARDWARE, ttft_s=0.6, tpot_s=0.05)),
    (Workload(model="70b", concurrency=40, weights="4bit"), Limits(where=HARDWARE, ttft_s=0.6, tpot_s=0.05)),
    (Workload(model="70b", concurrency=64, weights="bf16", kv="fp8"), Limits(where=HARDWARE, tpot_s=0.04, statistic="p95")),
    (Workload(model="70b", concurrency=16), Limits(where=HARDWARE, residency="JP", ttft_s=1.0)),
    (Workload(model="70b", concurrency=24), Limits(where=HARDWARE, budget_usd_per_month=6000)),
    (Workload(model="70b", concurrency=48), Limits(where=HARDWARE, budget_usd_per_month=12_000, tpot_s=0.06)),
    (Workload(model="70b", concurrency=60, input_tokens=4000), Limits(where=HARDWARE, budget_usd_per_month=50_000, tpot_s=0.1)),
    (Workload(model="8b", concurrency=300, input_tokens=200, output_tokens=50), Limits(where=HARDWARE, ttft_s=0.3)),
    (Workload(model="8b", concurrency=3.5), Limits(where=("edge",))),
    (Workload(model="qwen3-30b-a3b-instruct-2507", concurrency=100), Limits(where=HARDWARE, tpot_s=0.03)),
    (Workload(model="deepseek-r1-0528", concurrency=50, input_tokens=4000, output_tokens=1000), Limits(where=HARDWARE, tpot_s=0.05)),
    (Workload(model="granite-4.0-h-tiny", concurrency=20), Limits(where=HARDWARE, ttft_s=0.5)),
]


@pytest.fixture(autouse=True)
def closed_form_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle knows the screening by closed form; what simulation then settles is tested by itself."""
    monkeypatch.setattr("infra_advisor.advice.finalists.MOST_FINALISTS", 0)


@pytest.mark.parametrize("rank", ["cost", "ttft", "speed", "throughput", "energy", "carbon", "balanced"])
@pytest.mark.parametrize(("workload", "limits"), CASES, ids=[f"{w.model}-{w.concurrency}-{number}" for number, (w, _) in enumerate(CASES)])
def test_ranked_equals_brute_force(workload: Workload, limits: Limits, rank: str) -> None:
    expected = oracle(workload, limits, rank)
    found: dict[Decision, float] = {}
    for row in recommend(catalog(), workload, limits, traffic=ALIKE, rank=rank, top=0).ranked:
        aws = row.offer.provider == "aws"
        family = row.offer.instance_type.split(".")[0] if aws else row.hardware.accelerator
        decision = (row.hardware.class_, row.offer.provider, row.offer.region, family, row.software.engine, row.software.weights)
        statistic = limits.statistic
        cost = row.cost.usd_per_mtok_output
        ttft_s, tpot_s = getattr(row.performance.ttft_s, statistic), getattr(row.performance.tpot_s, statistic)
        joule = row.performance.tokens_per_joule
        carbon = row.energy.gco2e_per_mtok_output
        assert decision not in found
        assert cost is not None
        assert row.performance.output_tokens_per_s is not None
        found[decision] = {
            "cost": cost,
            "ttft": ttft_s,
            "speed": tpot_s,
            "throughput": -row.performance.output_tokens_per_s,
            "energy": 1 / joule if joule else math.inf,
            "carbon": carbon or math.inf,
            "balanced": cost**0.5 * ttft_s**0.25 * tpot_s**0.25,
        }[rank]
    assert found.keys() == expected.keys()
    for decision, value in expected.items():
        assert found[decision] == pytest.approx(value, rel=1e-6 if rank not in ("cost", "balanced") else NEAR), decision
    assert list(found.values()) == sorted(found.values())


def test_the_cases_exercise_the_oracle() -> None:
    """Several classes, sellers and engines win somewhere; budgets and targets leave some out."""
    full = oracle(*CASES[0], "cost")
    assert {decision[0] for decision in full} == {"cloud", "onprem"}
    assert {decision[4] for decision in full} == {"vllm", "nxd-inference"}
    assert len(oracle(*CASES[1], "cost")) < len(full)
    assert 0 < len(oracle(*CASES[5], "cost")) < len(oracle(CASES[5][0], Limits(where=HARDWARE), "cost"))
    assert {decision[4] for decision in oracle(*CASES[9], "cost")} == {"vllm", "llama.cpp"}
