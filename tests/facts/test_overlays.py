"""A user's layers on top of the catalog: who wins, what is remembered of it, and what is refused."""

import datetime
import os
import time
from decimal import Decimal
from pathlib import Path

import pytest
from catalogs import FROZEN, frozen_catalog, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.recommend import recommend
from infra_advisor.errors import CatalogError, UsageError
from infra_advisor.facts import layers as layers_module
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.checks import READ, check_catalog
from infra_advisor.facts.market import price_on
from infra_advisor.search.calibration import read_parameters
from infra_advisor.search.workload import Workload

QUOTE = 'quote: {title: our quote, seen: "2026-11-02"}'
OFFER_COLUMNS = "id,node,provider,region,country,price_kind,currency,per_h,from,seen,source"


def overlaid(folder: Path, text: str, name: str = "mine.yaml") -> Catalog:
    """The mini catalog with one file on top, read in full."""
    write(folder, {name: text})
    catalog = frozen_catalog(folder / name)
    catalog.preload(READ)
    return catalog


def bandwidth(value: float, source: str = "memory") -> str:
    return f"{{is: {value:g} GB/s, source: {source}}}"


# -- who wins


def test_a_layer_replaces_one_fact_and_leaves_the_others(tmp_path: Path, frozen: Catalog) -> None:
    catalog = overlaid(tmp_path, f"sources: {{{QUOTE}}}\nchips: [{{id: l4, memory_bandwidth: {bandwidth(290, 'quote')}}}]")
    mine, theirs = catalog.chips["l4"], frozen.chips["l4"]
    assert mine.memory_bandwidth is not None
    assert (mine.memory_bandwidth.value, mine.memory_bandwidth.source) == (290e9, ("quote",))
    assert mine.model_copy(update={"memory_bandwidth": theirs.memory_bandwidth, "sources": {}}) == theirs
    assert {name: chip for name, chip in catalog.chips.items() if name != "l4"} == {
        name: chip for name, chip in frozen.chips.items() if name != "l4"
    }


def test_each_value_remembers_its_file(tmp_path: Path) -> None:
    """The first layer sets two values, the second one of them."""
    write(
        tmp_path,
        {
            "a.yaml": f"chips: [{{id: l4, memory_bandwidth: {bandwidth(290)}, compute: {{fp8: {{is: 240 TFLOP/s, source: memory}}}}}}]",
            "b.yaml": f"chips: {{l4: {{memory_bandwidth: {bandwidth(280)}}}}}",
        },
    )
    catalog = frozen_catalog(tmp_path / "a.yaml", tmp_path / "b.yaml")
    assert catalog.chips["l4"].bandwidth_bytes_per_s == 280e9
    entry = catalog.entry("chips", "l4")
    assert entry.file_of("memory_bandwidth") == str(tmp_path / "b.yaml")
    assert entry.file_of("compute.fp8") == str(tmp_path / "a.yaml")
    assert entry.file_of("compute.bf16") == entry.file_of("power") == str(FROZEN / "chips" / "l4.yaml")
    assert entry.file_of("of_no_such_thing") == str(tmp_path / "b.yaml")
    assert catalog.layers == (str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"))


def test_a_part_of_a_mapping_replaces_that_part(tmp_path: Path, frozen: Catalog) -> None:
    catalog = overlaid(tmp_path, "chips: [{id: l4, compute: {fp8: {is: 240 TFLOP/s, source: memory}}}]")
    assert {name: rate.value for name, rate in catalog.chips["l4"].compute.items()} == {
        **{name: rate.value for name, rate in frozen.chips["l4"].compute.items()},
        "fp8": 240e12,
    }


def test_null_makes_a_fact_unknown(tmp_path: Path) -> None:
    assert overlaid(tmp_path, "chips: [{id: l4, power: null}]").chips["l4"].power is None


FACTS = ("memory_bandwidth", "memory_capacity", "power")
UNITS = {"memory_bandwidth": "GB/s", "memory_capacity": "GB", "power": "W"}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(FACTS), st.integers(1, 500), min_size=1), max_size=4))
def test_the_last_layer_that_states_a_fact_wins(tmp_path: Path, frozen: Catalog, stated: list[dict[str, int]]) -> None:
    paths = []
    for number, facts in enumerate(stated):
        body = ", ".join(f"{name}: {{is: {value} {UNITS[name]}, source: memory}}" for name, value in facts.items())
        paths.append(tmp_path / f"{number}.yaml")
        paths[-1].write_text(f"chips: [{{id: l4, {body}}}]", encoding="utf-8")
    catalog = frozen_catalog(*paths)
    for name in FACTS:
        winners = [(facts[name], path) for facts, path in zip(stated, paths, strict=True) if name in facts]
        fact = getattr(catalog.chips["l4"], name)
        if winners:
            assert fact.printed == f"{winners[-1][0]} {UNITS[name]}"
            assert catalog.entry("chips", "l4").file_of(name) == str(winners[-1][1])
        else:
            assert fact == getattr(frozen.chips["l4"], name)


@pytest.mark.parametrize(
    "files",
    [
        {"mine.yaml": f"chips:\n- {{id: l4, memory_bandwidth: {bandwidth(290)}}}"},
        {"mine.yaml": f"chips:\n  l4: {{memory_bandwidth: {bandwidth(290)}}}"},
        {"layer/chips/l4.yaml": f"id: l4\nmemory_bandwidth: {bandwidth(290)}"},
        {"layer/chips/several.yaml": f"- {{id: l4, memory_bandwidth: {bandwidth(290)}}}\n- {{id: mi300x, note: ours}}"},
        {"layer/chips/l4.yml": f"id: l4\nmemory_bandwidth: {bandwidth(290)}"},
        {"layer/chips.yaml": f"l4: {{memory_bandwidth: {bandwidth(290)}}}"},
        {"layer/notes.yaml": f"chips: {{id: l4, memory_bandwidth: {bandwidth(290)}}}"},
    ],
    ids=["file-list", "file-mapping", "folder", "folder-several", "yml", "folder-collection", "folder-loose-file"],
)
def test_a_layer_takes_several_forms(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, files)
    (root,) = tmp_path.iterdir()
    assert frozen_catalog(root).chips["l4"].bandwidth_bytes_per_s == 290e9


def test_the_order_of_files_in_a_layer_does_not_matter(tmp_path: Path) -> None:
    text = {"chips: [{id: l4, note: ours}]", "aliases: {small: {id: l4}}\nchips: [{id: mi300x, note: ours}]"}
    one, other = (
        write(tmp_path / name, dict(zip(names, sorted(text), strict=True)))
        for name, names in (("1", ("a.yaml", "b.yaml")), ("2", ("b.yaml", "a.yaml")))
    )
    first, second = frozen_catalog(one), frozen_catalog(other)
    assert first.chips == second.chips
    assert first.aliases == second.aliases


def test_an_id_stands_once_in_a_layer(tmp_path: Path) -> None:
    write(tmp_path, {"chips/a.yaml": "id: l4\nnote: one", "chips/b.yaml": "id: l4\nnote: two"})
    with pytest.raises(CatalogError) as caught:
        frozen_catalog(tmp_path).chips  # noqa: B018
    assert caught.value.problems == (f"{tmp_path / 'chips' / 'b.yaml'}: the id 'l4' is already taken by {tmp_path / 'chips' / 'a.yaml'}",)


def test_a_layer_shows_in_the_fingerprint_and_in_the_answer(tmp_path: Path, frozen: Catalog) -> None:
    catalog = overlaid(tmp_path, "chips: [{id: l4, note: ours}]")
    assert catalog.hash != frozen.hash
    answer = recommend(catalog, Workload(model="8b", users=5), Limits(), top=1)
    assert answer.catalog.layers == (str(tmp_path / "mine.yaml"),)
    assert answer.catalog.hash == catalog.hash


def test_a_layer_does_not_touch_what_lies_below(tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in FROZEN.rglob("*") if path.is_file()}
    overlaid(tmp_path, "chips: [{id: l4, hide: true}]")
    assert {path: path.read_bytes() for path in FROZEN.rglob("*") if path.is_file()} == before
    assert "l4" in frozen_catalog().chips


# -- what is added and hidden


NEW_CHIP = f"""
sources:
  lab: {{title: measured in our lab, seen: "2026-11-02"}}
chips:
- id: supercard
  name: Supercard
  vendor: acme
  kind: gpu
  market: workstation
  device_class: nvidia-card
  status: available
  acquire: [rent, buy]
  memory_capacity: {{is: 96 GB, source: lab}}
  memory_bandwidth: {bandwidth(2000, "lab")}
  compute: {{bf16: {{is: 500 TFLOP/s, source: lab}}, fp8: {{is: 1000 TFLOP/s, source: lab}}}}
engines:
- {{id: llama.cpp, runs_on: [{{chips: [supercard], status: supported, source: lab}}]}}
parameters:
  families: {{local-nvidia: {{selects: [{{engine_kind: local, vendors: [nvidia, acme], device_classes: [nvidia-card]}}]}}}}
aliases:
  super: {{id: supercard}}
providers:
  acme: {{name: Acme, kind: neocloud, home_country: JP, source: lab}}
"""
NEW_TABLES = {
    "nodes.csv": "id,provider,instance_type,chip,chips,source,seen\nacme-1,acme,one supercard,supercard,1,our-quote,2026-11-02\n",
    "offers.csv": f"{OFFER_COLUMNS}\nacme-1-jp,acme-1,acme,osaka,JP,on-demand,JPY,300,2026-11-02,2026-11-02,our-quote\n",
    "regions.csv": "id,provider,name,country,source,seen\nosaka,acme,Osaka,JP,our-quote,2026-11-02\n",
}


def test_a_new_card_at_a_new_provider_is_recommended(tmp_path: Path) -> None:
    """300 JPY at 157.25027 JPY per USD = 1.9078 USD an hour; 70B in 8 bits fits into 96 GB."""
    catalog = frozen_catalog(write(tmp_path, {"mine.yaml": NEW_CHIP, **NEW_TABLES}))
    assert catalog.chip("super").id == "supercard"
    assert catalog.entry("chips", "supercard").file_of("memory_bandwidth") == str(tmp_path / "mine.yaml")
    answer = recommend(catalog, Workload(model="70b", concurrency=1), Limits(residency="JP", provider=Choice(keep=("acme",))))
    (row,) = {(row.offer.id, row.hardware.accelerator, row.hardware.accelerators_total) for row in answer.ranked}
    assert row == ("acme-1-jp", "supercard", 1)
    assert answer.ranked[0].offer.usd_per_h == pytest.approx(300 / 157.25027)
    assert (answer.ranked[0].offer.source, answer.ranked[0].offer.price_date) == ("our-quote", "2026-11-02")


def test_the_check_accepts_a_sound_layer(tmp_path: Path) -> None:
    """Sources of its table rows need no definition: the row carries the day itself."""
    assert check_catalog(frozen_catalog(write(tmp_path, {"mine.yaml": NEW_CHIP, **NEW_TABLES}))) == []


def test_the_check_names_the_users_file(tmp_path: Path) -> None:
    write(tmp_path, {"mine.yaml": f"chips: [{{id: l4, memory_bandwidth: {bandwidth(100_000)}}}]", "offers.csv": NEW_TABLES["offers.csv"]})
    problems = check_catalog(frozen_catalog(tmp_path))
    assert (
        f"{tmp_path / 'mine.yaml'}: l4: memory_bandwidth 100000 GB/s is outside 200 GB/s to 40 TB/s, the band of class datacenter-gpu"
        in problems
    )
    assert any(problem.startswith(f"{tmp_path / 'offers.csv'}:2: offer acme-1-jp: unknown node acme-1") for problem in problems)
    assert all(problem.startswith(str(tmp_path)) for problem in problems)


def test_hidden_entries_leave_the_answers(tmp_path: Path, frozen: Catalog) -> None:
    hidden = (
        "chips: [{id: h100-sxm, hide: true}]\nmodels: [{id: llama-3.1-8b-instruct, hide: true}]\nengines: [{id: llama.cpp, hide: true}]"
    )
    catalog = overlaid(tmp_path, hidden)
    assert set(frozen.chips) - set(catalog.chips) == {"h100-sxm"}
    assert set(frozen.model_ids) - set(catalog.model_ids) == {"llama-3.1-8b-instruct"}
    assert set(frozen.engines) - set(catalog.engines) == {"llama.cpp"}
    with pytest.raises(UsageError, match="unknown accelerator 'h100'"):
        catalog.chip("h100")
    with pytest.raises(UsageError, match="unknown model"):
        catalog.model("llama-3.1-8b-instruct")
    before, after = (
        recommend(which, Workload(model="70b", users=20), Limits(where=("cloud", "onprem")), top=0).ranked for which in (frozen, catalog)
    )
    assert {row.hardware.accelerator for row in before} - {row.hardware.accelerator for row in after} == {"h100-sxm"}
    assert catalog.entry("chips", "h100-sxm").hidden


def test_a_higher_layer_shows_again_what_a_lower_one_hid(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": "chips: [{id: l4, hide: true}]", "b.yaml": "chips: [{id: l4, hide: false}]"})
    assert "l4" not in frozen_catalog(tmp_path / "a.yaml").chips
    assert "l4" in frozen_catalog(tmp_path / "a.yaml", tmp_path / "b.yaml").chips


def test_a_new_model_can_be_asked_for(tmp_path: Path) -> None:
    """Two layers of width 64: 4 x 64 x 64 + 3 x 64 x 256 weights and two norms of 64 each, table and head of 1000 x 64, a last norm."""
    count = 2 * (4 * 64 * 64 + 3 * 64 * 256 + 2 * 64) + 2 * 1000 * 64 + 64
    text = f"""
models:
- id: tiny
  family: tiny
  developer: us
  licence: {{name: ours, commercial: "yes"}}
  parameters: {{total: {count}, source: [memory]}}
  hidden_size: 64
  vocab_size: 1000
  tied_embeddings: false
  native_format: bf16
  layers: [{{n: 2, mixer: {{kind: attn, q_heads: 4, kv_heads: 4, head_dim: 16}}, ffn: {{kind: dense, inter: 256}}}}]
  source: memory
"""
    catalog = overlaid(tmp_path, text)
    assert "tiny" in catalog.model_ids
    assert catalog.model("tiny").architecture.parameters == count
    assert check_catalog(catalog) == []
    assert recommend(catalog, Workload(model="tiny"), Limits()).status == "ok"


# -- prices


def test_a_price_line_is_appended(tmp_path: Path, frozen: Catalog) -> None:
    text = f"{OFFER_COLUMNS}\ncrusoe-mi300x-various,crusoe-mi300x,crusoe,various,,on-demand,USD,2.95,2026-11-10,2026-11-10,our-quote\n"
    catalog = overlaid(tmp_path, text, "offers.csv")
    lines = [offer for offer in catalog.offers if offer.id == "crusoe-mi300x-various"]
    assert [(line.from_, line.per_h) for line in lines] == [("2026-09-20", Decimal("3.45")), ("2026-11-10", Decimal("2.95"))]
    assert [getattr(price_on(lines, day), "per_h", None) for day in ("2026-09-19", "2026-09-20", "2026-11-22")] == [
        None,
        Decimal("3.45"),
        Decimal("2.95"),
    ]
    for day, usd_per_h in (("2026-10-01", 3.45), ("2026-11-22", 2.95)):
        at = frozen_catalog(tmp_path / "offers.csv", day=datetime.date.fromisoformat(day))
        answer = recommend(at, Workload(model="8b"), Limits(provider=Choice(keep=("crusoe",))), top=0)
        assert answer.ranked
        for row in answer.ranked:
            instances = next(line for line in row.cost.lines if line.name == "instances")
            assert instances.amount_usd == pytest.approx(usd_per_h * row.hardware.accelerators_billed * 730, abs=0.01)


def test_the_same_line_on_the_same_day_is_replaced(tmp_path: Path, frozen: Catalog) -> None:
    text = f"{OFFER_COLUMNS}\ncrusoe-mi300x-various,crusoe-mi300x,crusoe,various,,on-demand,USD,3.05,2026-09-20,2026-11-10,our-quote\n"
    catalog = overlaid(tmp_path, text, "offers.csv")
    assert len(catalog.offers) == len(frozen.offers)
    assert [offer.per_h for offer in catalog.offers if offer.id == "crusoe-mi300x-various"] == [Decimal("3.05")]


# -- assumptions, parameters, formats


def test_an_assumption_needs_its_own_source(tmp_path: Path) -> None:
    catalog = overlaid(tmp_path, f"sources: {{{QUOTE}}}\nassumptions: {{power_draw_share: {{value: 0.9, source: quote}}}}")
    assert (catalog.assumptions["power_draw_share"].value, catalog.assumptions["power_draw_share"].source) == (Decimal("0.9"), ("quote",))
    assert catalog.assumptions["power_draw_share"].unit == "share of the nameplate power"
    with pytest.raises(CatalogError, match=r"mine\.yaml: power_draw_share: state the `source` of the value"):
        overlaid(tmp_path, "assumptions: {power_draw_share: {value: 0.9}}")
    with pytest.raises(CatalogError, match=r"mine\.yaml: power_draw_share: source: the source 'gossip' is not defined"):
        overlaid(tmp_path, "assumptions: {power_draw_share: {value: 0.9, source: gossip}}")


def test_an_assumption_reaches_the_price(tmp_path: Path, frozen: Catalog) -> None:
    """The host of an owned card draws half as much: 80 W x (0.7 - 0.35) x 730 h = 20.44 kWh less a month, PUE 1, 0.161 USD/kWh."""
    catalog = overlaid(tmp_path, "assumptions: {power_draw_share: {value: 0.35, source: memory}}")
    question = Workload(model="8b", concurrency=1, weights="4bit"), Limits(owned="4090")
    before, after = ({row.id: row.cost.usd_per_month for row in recommend(which, *question).ranked} for which in (frozen, catalog))
    assert before.keys() == after.keys() != set()
    for name, usd in before.items():
        assert usd - after[name] == pytest.approx(20.44 * 0.161, abs=0.011)


def mi300x_tpot_s(catalog: Catalog) -> float:
    """Of one request on the fastest MI300X fleet."""
    limits = Limits(accelerator=Choice(keep=("mi300x",)), where=("cloud",))
    return min(row.performance.tpot_s.mean or 0 for row in recommend(catalog, Workload(model="70b", concurrency=1), limits, top=0).ranked)


def test_an_efficiency_reaches_the_prediction(tmp_path: Path, frozen: Catalog) -> None:
    """One value of a family, without repeating the others."""
    catalog = overlaid(tmp_path, "parameters: {families: {serving-amd: {values: {linear_memory_share: 0.425}}}}")
    changed, before = (read_parameters(which.parameters).families["serving-amd"] for which in (catalog, frozen))
    assert (before.values["linear_memory_share"], changed.values["linear_memory_share"]) == (0.85, 0.425)
    assert changed.model_copy(update={"values": {**changed.values, "linear_memory_share": 0.85}}) == before
    assert mi300x_tpot_s(catalog) > 1.5 * mi300x_tpot_s(frozen)


def test_a_deviation_reaches_the_prediction(tmp_path: Path, frozen: Catalog) -> None:
    """0.85 is 1.7346 on the scale of shares, 0.425 is -0.3023: a table with the difference, -2.0369, halves the rate of the weights."""
    table = "family,group,member,parameter,offset,rows\nserving-amd,engine,vllm,linear_memory_share,-2.0369,5\n"
    catalog = overlaid(tmp_path, table, "deviations.csv")
    parameters = read_parameters(catalog.parameters, catalog.deviations)
    found = parameters.efficiencies(
        [("serving-amd", {"engine": engine, "chip": "", "model": "", "combination": ""}) for engine in ("vllm", "sglang")]
    )
    assert found.linear_memory_share == pytest.approx([0.425, 0.85], rel=1e-4)
    assert len(catalog.deviations) == len(frozen.deviations) + 1
    assert mi300x_tpot_s(catalog) > 1.5 * mi300x_tpot_s(frozen)


def test_an_impossible_efficiency_is_refused(tmp_path: Path, frozen: Catalog) -> None:
    values = {**read_parameters(frozen.parameters).families["serving-amd"].values, "linear_memory_share": 1.2}
    catalog = overlaid(tmp_path, f"parameters: {{families: {{serving-amd: {{values: {values}}}}}}}")
    with pytest.raises(CatalogError, match=r"families\.serving-amd: values: linear_memory_share 1\.2 is outside its physical bounds"):
        recommend(catalog, Workload(model="70b"), Limits())


def test_a_bad_deviation_is_refused(tmp_path: Path) -> None:
    """With its file and line, and with every other problem of the layers."""
    header = "family,group,member,parameter,offset,rows\n"
    with pytest.raises(CatalogError) as caught:
        overlaid(tmp_path, f"{header}serving-amd,engine,vllm,layer_s,fast,5\n", "deviations.csv").deviations  # noqa: B018
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == [f"{tmp_path / 'deviations.csv'}:2"]
    unknown = overlaid(tmp_path, f"{header}serving-amd,engine,vllm,speed,0.1,5\n", "deviations.csv")
    with pytest.raises(CatalogError, match="deviations: speed is no efficiency"):
        recommend(unknown, Workload(model="70b"), Limits())


def test_a_format_can_be_corrected_and_added(tmp_path: Path, frozen: Catalog) -> None:
    text = f"""
sources: {{{QUOTE}}}
formats:
  weights:
    fp8: {{bits: 9, source: quote}}
    five: {{bits: 5, level: 5, family: int, spelled: [int5], source: quote}}
"""
    catalog = overlaid(tmp_path, text)
    assert (frozen.formats.weight("fp8").bits, catalog.formats.weight("fp8").bits) == (8.002, 9)
    assert catalog.formats.weight("int5").id == "five"
    assert set(catalog.formats.weights) - set(frozen.formats.weights) == {"five"}
    assert catalog.formats.kv == frozen.formats.kv
    question = Workload(model="70b", concurrency=1, weights="fp8"), Limits(accelerator=Choice(keep=("mi300x",)), where=("cloud",))
    wide, narrow = (
        min(row.performance.tpot_s.mean or 0 for row in recommend(which, *question, top=0).ranked) for which in (catalog, frozen)
    )
    assert wide > narrow


def test_a_format_needs_a_defined_source(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="fp8: source 'gossip' is not defined"):
        overlaid(tmp_path, "formats: {weights: {fp8: {bits: 9, source: gossip}}}")


# -- sources


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("chips: [{id: l4, power: {is: 70 W}}]", "l4: power: a fact needs `is` (the value with its unit) and `source`"),
        ("chips: [{id: l4, power: {is: 70 W, source: []}}]", "l4: power: a fact needs"),
        ("chips: [{id: l4, power: {is: 70 W, source: gossip}}]", "l4: power: the source 'gossip' is not defined; add it under `sources:`"),
        (
            "chips: [{id: l4, compute: {fp8: {is: 240 TFLOP/s, source: [rate, gossip]}}}]",
            "l4: compute.fp8: the source 'gossip' is not defined",
        ),
        ("chips: [{id: l4, sources: {lab: {title: lab}}, power: {is: 70 W, source: lab}}]", "l4: sources.lab.seen: Field required"),
        (
            'chips: [{id: l4, sources: {lab: {title: lab, seen: "soon"}}, power: {is: 70 W, source: lab}}]',
            "l4: sources.lab.seen: String should match",
        ),
        (
            "models: [{id: llama-3.1-8b-instruct, parameters: {total: 8030261248, source: [gossip]}}]",
            "parameters.source: the source 'gossip' is not defined",
        ),
        (
            "engines: [{id: vllm, memory: {reserve_per_device: {is: 2 GiB, source: gossip}}}]",
            "vllm: memory.reserve_per_device: the source 'gossip' is not defined",
        ),
        ("providers: {acme: {name: Acme, kind: neocloud, source: gossip}}", "acme: source: the source 'gossip' is not defined"),
        ("providers: {acme: {name: Acme, kind: neocloud}}", "acme: source: Field required"),
        ("sources: [lab]\nchips: [{id: l4, power: {is: 70 W, source: lab}}]", "sources must be a mapping of id to title and day seen"),
    ],
)
def test_a_fact_needs_a_source_with_a_day(tmp_path: Path, text: str, complaint: str) -> None:
    write(tmp_path, {"mine.yaml": text})
    catalog = frozen_catalog(tmp_path / "mine.yaml")

    def read() -> None:
        catalog.preload(READ)
        catalog.model("llama-3.1-8b-instruct")

    with pytest.raises(CatalogError) as caught:
        read()
    assert any(complaint in problem and problem.startswith(f"{tmp_path / 'mine.yaml'}: ") for problem in caught.value.problems), (
        caught.value.problems
    )


@pytest.mark.parametrize(
    "files",
    [
        {"mine.yaml": f"sources: {{{QUOTE}}}\nchips: [{{id: l4, power: {{is: 70 W, source: quote}}}}]"},
        {"mine.yaml": f"chips: [{{id: l4, sources: {{{QUOTE}}}, power: {{is: 70 W, source: quote}}}}]"},
        {"sources/chips.yaml": QUOTE, "chips/l4.yaml": "id: l4\npower: {is: 70 W, source: quote}"},
        {"mine.yaml": "chips: [{id: l4, power: {is: 70 W, source: [rate, memory]}}]"},
        {"mine.yaml": f"sources: {{{QUOTE}}}\nengines: [{{id: vllm, memory: {{reserve_per_device: {{is: 2 GiB, source: quote}}}}}}]"},
        {"mine.yaml": f"sources: {{{QUOTE}}}\nproviders: {{acme: {{name: Acme, kind: neocloud, source: quote}}}}"},
    ],
    ids=["shared", "own", "folder", "bundled", "engine", "provider"],
)
def test_a_source_is_defined_in_one_of_three_places(tmp_path: Path, files: dict[str, str]) -> None:
    catalog = frozen_catalog(write(tmp_path, files))
    catalog.preload(READ)
    assert check_catalog(catalog) == []


# -- what is refused


REFUSED = [
    (
        "",
        "expected collections at the top (chips, models, engines, providers, aliases, assumptions, parameters, profiles, formats, "
        "licences, circuits, sources)",
    ),
    ("- 1", "expected collections at the top"),
    ("chip: [{id: l4}]", "'chip' is no collection; known: chips, models"),
    ("chip: [{id: l4}]", "Did you mean chips"),
    ("offers: [{id: x}]", "'offers' is no collection"),
    ("chips: 5", "chips must be a list of entries or a mapping of id to entry"),
    ("chips: [5]", "an entry of chips is int; expected a mapping with an `id`"),
    ("chips: [{name: x}]", "an entry of chips needs an `id`"),
    ("chips: [{id: 5}]", "an entry of chips needs an `id`"),
    ("chips: [{id: ../x, name: x}]", "../x: id: String should match pattern"),
    ("chips: [{id: l4, memory_bandwidth: 300}]", "l4: memory_bandwidth: Input should be a valid dictionary"),
    ("chips: [{id: l4, memory_bandwidth: {is: 300, source: memory}}]", "l4: memory_bandwidth: 300 needs a number and a unit: MB/s, GB/s"),
    ("chips: [{id: l4, memory_bandwidth: {is: 300 GB, source: memory}}]", "l4: memory_bandwidth: '300 GB' needs a number and a unit"),
    ("chips: [{id: l4, memory_bandwidth: {is: -1 GB/s, source: memory}}]", "l4: memory_bandwidth: '-1 GB/s' is not a finite quantity"),
    (
        "chips: [{id: l4, memory_bandwidth: {is: 1e400 GB/s, source: memory}}]",
        "l4: memory_bandwidth: '1e400 GB/s' is not a finite quantity",
    ),
    ("chips: [{id: l4, colour: red}]", "l4: colour: Extra inputs are not permitted"),
    ("chips: [{id: l4, compute: {fp8_sparse: {is: 1 TFLOP/s, source: memory}}}]", "l4: compute.fp8_sparse"),
    ("chips: [{id: l4, id: l4}]", ":1: the key 'id' appears twice"),
    ("a: &a [1]\nchips: *a", ":2: aliases (*name) are not accepted"),
    ("chips: [{id: new}]", "new: name: Field required"),
    ("assumptions: {power_draw_share: high}", "power_draw_share: "),
    ("assumptions: 5", "assumptions must be a mapping"),
    ("aliases: {fast: h100-sxm}", "fast: "),
    ("formats: {weights: 5}", "formats.yaml"),
    ("parameters: []", "parameters must be a mapping"),
]


@pytest.mark.parametrize(("text", "complaint"), REFUSED, ids=[f"{text[:30]}: {complaint[:20]}" for text, complaint in REFUSED])
def test_a_bad_layer_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(CatalogError) as caught:
        overlaid(tmp_path, text)
    assert complaint in str(caught.value)
    assert str(tmp_path / "mine.yaml") in str(caught.value) or "formats" in text


def test_bytes_of_another_encoding_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes("chips: [{id: l4, note: 速い}]".encode("shift_jis"))
    with pytest.raises(CatalogError, match="not UTF-8"):
        frozen_catalog(path).chips  # noqa: B018


def test_every_bad_layer_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    write(
        tmp_path,
        {"ofers.csv": "id\n", "folder/prices.csv": "id\n", "folder/chips/offers.csv": "id\n", "copy/model_aliases.yaml": "sizes: {}\n"},
    )
    (tmp_path / "odd" / "offers.csv").mkdir(parents=True)
    names = ("missing", "pipe", "empty", "ofers.csv", "folder", "copy", "odd")
    with pytest.raises(CatalogError) as caught:
        frozen_catalog(*(tmp_path / name for name in names))
    kind = "not a regular file or directory; give a catalog directory, a .yaml file or a table such as offers.csv"
    table = "no table of that name here; known: offers, nodes,"
    expected = [
        ("missing", kind),
        ("pipe", kind),
        ("empty", "holds no catalog files"),
        ("ofers.csv", table),
        ("folder/chips/offers.csv", table),
        ("folder/prices.csv", table),
        ("copy/model_aliases.yaml", "only the bundled catalog has this file"),
        ("odd/offers.csv", "not a regular file"),
    ]
    assert len(caught.value.problems) == len(expected)
    for problem, (place, complaint) in zip(caught.value.problems, expected, strict=True):
        assert problem.startswith(f"{tmp_path / place}: {complaint}")


def test_problems_of_several_layers_are_reported_together(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": "chips: [{id: l4, colour: red}]", "b.yaml": "engines: [{id: vllm, kind: fast}]", "offers.csv": "id\n1\n"})
    catalog = frozen_catalog(*(tmp_path / name for name in ("a.yaml", "b.yaml", "offers.csv")))
    with pytest.raises(CatalogError) as caught:
        catalog.preload(READ)
    for name in ("a.yaml", "b.yaml", "offers.csv"):
        assert any(problem.startswith(str(tmp_path / name)) for problem in caught.value.problems), name


def test_a_million_entries_are_refused_quickly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers_module, "MOST_ENTRIES", 50_000)
    write(tmp_path, {"mine.yaml": "chips:\n" + "".join(f"- {{id: a{number}}}\n" for number in range(50_001))})
    started = time.perf_counter()
    with pytest.raises(CatalogError) as caught:
        frozen_catalog(tmp_path / "mine.yaml").chips  # noqa: B018
    assert caught.value.problems == (f"{tmp_path / 'mine.yaml'}: 50,001 entries of chips; at most 50,000 are read",)
    assert time.perf_counter() - started < 10.0
