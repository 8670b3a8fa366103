"""What people type for a model, and which model that is."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra_advisor.errors import CatalogError, UsageError
from infra_advisor.facts.model_names import ResolvedModel, read_aliases, read_measured_names, resolve_model
from infra_advisor.facts.models import LanguageModel, read_model
from infra_advisor.facts.scaling import scaled
from infra_advisor.paths import catalog_dir
from infra_advisor.physics.transformer import tensor_parallel_problem


class Bundled:
    """The models of the bundled catalog, read one at a time."""

    path = catalog_dir()
    model_ids = tuple(sorted(file.stem for file in (catalog_dir() / "models").glob("*.yaml")))

    def model(self, name: str) -> LanguageModel:
        problems: list[str] = []
        model = read_model(self.path / "models" / f"{name}.yaml", problems)
        assert problems == []
        assert model is not None
        return model


CATALOG = Bundled()


def _resolve(text: str) -> ResolvedModel:
    return resolve_model(text, CATALOG)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1b", "llama-3.2-1b-instruct"),
        ("3b", "llama-3.2-3b-instruct"),
        ("4b", "qwen3-4b"),
        ("8B", "llama-3.1-8b-instruct"),
        ("14b", "qwen3-14b"),
        ("32b", "qwen3-32b"),
        ("70b", "llama-3.3-70b-instruct"),
        ("120b", "gpt-oss-120b"),
        ("235b", "qwen3-235b-a22b-instruct-2507"),
        ("405b", "llama-3.1-405b-instruct"),
        ("671b", "deepseek-r1-0528"),
        ("0.6b", "qwen3-0.6b"),
        ("1.5b", "qwen2.5-1.5b-instruct"),
        ("500m", "qwen2.5-0.5b-instruct"),
        ("1t", "kimi-k2.6"),
        ("33b", "qwen3-32b"),
    ],
)
def test_a_size_is_the_mainstream_model_and_said_so(typed: str, meant: str) -> None:
    found = _resolve(typed)
    assert found.model.id == meant
    assert found.stated == f"{typed} read as {found.model.name}"


@pytest.mark.parametrize(
    ("typed", "meant", "stated"),
    [
        ("llama-3.3-70b-instruct", "llama-3.3-70b-instruct", False),
        ("Llama-3.3-70B-Instruct", "llama-3.3-70b-instruct", False),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama-3.3-70b-instruct", False),
        ("META-LLAMA/LLAMA-3.3-70B-INSTRUCT", "llama-3.3-70b-instruct", False),
        ("nvidia/Llama-3_3-Nemotron-Super-49B-v1_5", "llama-3-3-nemotron-super-49b-v1-5", False),
        ("unsloth/Llama-3.3-70B-Instruct", "llama-3.3-70b-instruct", True),
        ("llama-3.3-70b", "llama-3.3-70b-instruct", True),
        ("llama3.1:8b", "llama-3.1-8b-instruct", True),
        ("mixtral", "mixtral-8x7b-instruct-v0.1", True),
        ("8x22b", "mixtral-8x22b-instruct-v0.1", True),
        ("deepseek-v3", "deepseek-v3-0324", True),
        ("DeepSeek R1", "deepseek-r1-0528", True),
        ("hunyuan", "hunyuan-a13b-instruct", True),
        ("deepseek-r1:7b", "deepseek-r1-distill-qwen-7b", True),
        ("TinyLlama/TinyLlama-1.1B-Chat-v1.0", "tinyllama-1.1b", False),
    ],
)
def test_names(typed: str, meant: str, stated: bool) -> None:
    found = _resolve(typed)
    assert found.model.id == meant
    assert (found.stated is not None) == stated


@pytest.mark.parametrize(
    ("typed", "meant", "weights"),
    [
        ("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "llama-3.3-70b-instruct", "fp8"),
        ("Qwen/Qwen3-8B-AWQ", "qwen3-8b", "int4-awq-g128"),
        ("nvidia/DeepSeek-R1-0528-NVFP4", "deepseek-r1-0528", "nvfp4"),
        ("gemma-4-12B-it-Q4_K_M", "gemma-4-12b-it", "gguf-q4_k_m"),
        ("unsloth/Qwen3-30B-A3B-Instruct-2507-GGUF", "qwen3-30b-a3b-instruct-2507", None),
    ],
)
def test_a_quantised_checkpoint_is_its_model_in_that_format(typed: str, meant: str, weights: str | None) -> None:
    found = _resolve(typed)
    assert (found.model.id, found.weights) == (meant, weights)
    assert found.stated is not None


def test_every_id_and_hugging_face_id_is_itself() -> None:
    for name in CATALOG.model_ids:
        model = CATALOG.model(name)
        assert _resolve(name) == ResolvedModel(model)
        assert model.hf_id is not None
        assert _resolve(model.hf_id).model.id == name


def test_every_alias_and_size_leads_to_a_model() -> None:
    aliases = read_aliases(CATALOG.path)
    targets = {*aliases.names.values(), *aliases.sizes.values()}
    assert targets <= set(CATALOG.model_ids)
    for size, name in aliases.sizes.items():
        billions = float(size[:-1]) * {"b": 1, "t": 1000}[size[-1]]
        assert CATALOG.model(name).parameters.total / 1e9 == pytest.approx(billions, rel=0.25), size


def test_measured_names_lead_to_models_or_are_known_to_be_unknown() -> None:
    names = read_measured_names(CATALOG.path)
    assert len(names) == 681
    assert {model for model, _ in names.values() if model} <= set(CATALOG.model_ids)
    assert Counter(model is None for model, _ in names.values()) == {False: 475, True: 206}
    assert all((how == "unknown") == (model is None) for model, how in names.values())
    found = _resolve("dealignai/Qwen3.6-27B-MXFP4-CRACK")
    assert found.model.id == "qwen3.6-27b"
    assert found.stated == "dealignai/Qwen3.6-27B-MXFP4-CRACK has the layers of Qwen3.6-27B (fine tune names base)"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("zzz", "unknown model 'zzz'"),
        ("lama-3.3-70b", "Did you mean llama-3.3-70b"),
        ("qwen3", "may mean .*qwen3-8b.* more; give one of them"),
        ("1bitLLM/bitnet_b1_58-3B", "appears in measurements, but its layers are not known"),
        ("9000b", "sizes from 0.05b to 4000b"),
        ("0b", "sizes from"),
        ("", "a model is needed"),
        ("/", "a model is needed"),
        ("x" * 5000, "at most 1024 characters; this one has 5,000"),
        ("nowhere/config.json", "not a regular file"),
        ("nowhere.gguf", "not a regular file"),
        ("\x00", "unknown model"),
    ],
)
def test_refused(typed: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        _resolve(typed)


def test_a_folder_with_a_configuration_is_a_model(tmp_path: Path) -> None:
    source = Path(__file__).parents[1] / "data" / "configs" / "llama-3.1-8b-instruct.json"
    (tmp_path / "config.json").write_bytes(source.read_bytes())
    found = _resolve(str(tmp_path))
    assert found.model.architecture.layers == CATALOG.model("llama-3.1-8b-instruct").architecture.layers
    assert found.stated == f"{tmp_path / 'config.json'}: 8.03 billion parameters by its layers"


def test_fifty_billion_is_scaled_from_seventy() -> None:
    """(50/70.55)^(1/3) = 0.89: 64 heads become 56, width 8192 x 56/64 = 7168; depth 80 x 0.7087/0.875^2 = 74."""
    found = _resolve("50b")
    assert found.stated is not None
    assert "no reference model near 50b: Llama-3.3-70B-Instruct scaled to 50" in found.stated
    assert "(74 layers, width 7,168)" in found.stated
    assert found.model.parameters.total == pytest.approx(50e9, rel=0.01)
    assert found.model.doubt == "guessed"


@pytest.mark.parametrize(
    "size", ["0.05b", "0.2b", "6b", "10b", "17b", "50b", "60b", "90b", "160b", "190b", "320b", "620b", "1200b", "1.3t", "2t", "3.5t"]
)
def test_scaled_sizes_match_and_stay_divisible(size: str) -> None:
    wanted = float(size[:-1]) * {"b": 1e9, "t": 1e12}[size[-1]]
    model = _resolve(size).model
    assert model.architecture.parameters == pytest.approx(wanted, rel=0.01)
    assert model.parameters.total == model.architecture.parameters
    reference = CATALOG.model(model.id.split("-scaled-")[0])
    for tp in (2, 4, 8):
        if tensor_parallel_problem(reference.architecture, tp) is None:
            assert tensor_parallel_problem(model.architecture, tp) is None


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_every_model_can_be_scaled(factor: float) -> None:
    off = {}
    for name in CATALOG.model_ids:
        wanted = CATALOG.model(name).architecture.parameters * factor
        got = scaled(CATALOG.model(name), wanted).architecture.parameters
        if abs(got / wanted - 1) > 0.02:
            off[name] = got / wanted
    assert off == {}


def test_a_broken_alias_file_says_everything(tmp_path: Path) -> None:
    (tmp_path / "model_aliases.yaml").write_text("sizes: {big: x, 7b: 3}\nnames: {a: [1]}\n", encoding="utf-8")
    with pytest.raises(CatalogError) as caught:
        read_aliases(tmp_path)
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("text", ["name,model\n", "name,model,how\na,b\n", 'name,model,how\n"a\n'])
def test_a_broken_name_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "model_names.csv").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError, match=r"model_names\.csv"):
        read_measured_names(tmp_path)


def test_overlay_models_are_found_too() -> None:
    class Overlaid(Bundled):
        model_ids = (*Bundled.model_ids, "ours")

        def model(self, name: str) -> LanguageModel:
            return super().model("qwen3-8b").model_copy(update={"id": "ours", "hf_id": None}) if name == "ours" else super().model(name)

    found: Mapping[str, ResolvedModel] = {text: resolve_model(text, Overlaid()) for text in ("ours", "OURS", "our")}
    assert {text: item.model.id for text, item in found.items()} == {"ours": "ours", "OURS": "ours", "our": "ours"}
