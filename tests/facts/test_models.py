"""Every model of the catalog: its layers explain the published counts, and its cache and weights come out as expected.

`data/model_counts.csv` holds the expected figures, computed independently of this program from the same layer lists.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from infra_advisor.facts.fact import Source
from infra_advisor.facts.files import explain, read_yaml
from infra_advisor.facts.formats import bundled_formats, parse_format
from infra_advisor.facts.models import LanguageModel, model_problems, read_model
from infra_advisor.paths import catalog_dir
from infra_advisor.physics.transformer import fixed_bytes_per_sequence, kv_bytes_per_token, weight_bytes

FOLDER = catalog_dir() / "models"
IDS = sorted(path.stem for path in FOLDER.glob("*.yaml"))
GUESSED = {"plamo-3-nict-2604-31b-base", "plamo-100b", "qwen3.8-flash-next"}
FORMATS = ("bf16", "fp8", "nvfp4", "int4-awq-g128", "gguf-q8_0", "gguf-q4_k_m", "gguf-q2_k")

SMALL: dict[str, object] = {
    "id": "small",
    "family": "small",
    "developer": "nobody",
    "licence": {"name": "mit", "commercial": "yes"},
    "parameters": {"total": 1000, "source": ["card"]},
    "hidden_size": 8,
    "vocab_size": 10,
    "tied_embeddings": False,
    "native_format": "bf16",
    "layers": [{"n": 1, "mixer": {"kind": "attn", "q_heads": 2, "kv_heads": 1, "head_dim": 4}, "ffn": {"kind": "dense", "inter": 16}}],
    "source": "card",
}


def _expected() -> Iterator[Mapping[str, str]]:
    with (Path(__file__).parents[1] / "data" / "model_counts.csv").open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


EXPECTED = {row["id"]: row for row in _expected()}


def _model(name: str) -> LanguageModel:
    problems: list[str] = []
    model = read_model(FOLDER / f"{name}.yaml", problems)
    assert problems == []
    assert model is not None
    return model


def test_every_model_has_expected_figures() -> None:
    assert sorted(EXPECTED) == IDS
    assert len(IDS) == 262


@pytest.mark.parametrize("name", IDS)
def test_model(name: str) -> None:
    """Published count within 1 %, counts and cache as expected, weights within 0.1 % in seven formats."""
    model = _model(name)
    expected = EXPECTED[name]
    assert model.id == name
    counted = model.architecture
    assert counted.parameters == pytest.approx(float(expected["parameters"]), rel=1e-4)
    assert counted.active_parameters == pytest.approx(float(expected["active_parameters"]), rel=1e-4)
    if name not in GUESSED:
        assert counted.parameters == pytest.approx(model.parameters.total, rel=0.01)
    assert (model.doubt == "guessed") == (name in GUESSED)
    assert kv_bytes_per_token(counted, 16) == float(expected["kv16_bytes_per_token"])
    assert kv_bytes_per_token(counted, 8) == float(expected["kv8_bytes_per_token"])
    assert fixed_bytes_per_sequence(counted, 16) / 1e6 == pytest.approx(float(expected["fixed16_mb_per_sequence"]), rel=1e-3, abs=6e-5)
    for form in FORMATS:
        assert weight_bytes(model.shape(), parse_format(form).by_part).total / 1e9 == pytest.approx(float(expected[f"{form}_gb"]), rel=1e-3)
    assert model.native_format in bundled_formats().weights


def test_sources_are_defined_and_layers_explain_the_count() -> None:
    problems: list[str] = []
    sources = {key: Source.model_validate(value) for key, value in read_yaml(catalog_dir() / "sources" / "models.yaml", problems).items()}
    for name in IDS:
        problems += model_problems(_model(name), sources)
    assert problems == []


def test_problems_name_an_undefined_source_and_an_unexplained_count() -> None:
    """d = 8: attention 8*8 + 2*8*4 + 8*8 = 192, feed-forward 3*8*16 = 384, norms 16 + 8, tables 2*80: 760, of 1000 published."""
    model = LanguageModel.model_validate(SMALL)
    assert model.architecture.parameters == 192 + 384 + 24 + 160
    assert list(model_problems(model, {})) == [
        "small: source 'card' is not defined",
        "small: the layers make 760 parameters, -24.0% off the published 1,000",
    ]


def test_what_the_layers_do_not_explain_lies_in_memory_but_is_not_computed_with() -> None:
    model = LanguageModel.model_validate(SMALL)
    assert model.shape().parameters == 1000
    assert model.shape().weights.extra == 240
    assert model.shape().active_parameters == model.architecture.active_parameters


def test_prefill_share_of_an_encoder_decoder() -> None:
    """DeepSeek-V4.1-Flash: 8 billion parameters per prompt token, 16 per generated one."""
    assert _model("deepseek-v4.1-flash").shape().prefill_share == 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 1}, "colour: Extra inputs are not permitted"),
        ({"layers": []}, "layers: a model needs at least one group"),
        ({"hidden_size": -8}, "hidden_size: Input should be greater than 0"),
        ({"vocab_size": 10**9}, "vocab_size: Input should be less than or equal to"),
        ({"parameters": {"total": 10, "active": 20, "source": ["card"]}}, "active is more than total"),
        ({"parameters": {"total": 10, "active": 5, "source": ["card"]}}, "active needs active_source"),
        ({"parameters": {"total": 10, "source": []}}, "at least 1 item"),
        ({"released": "May 2026"}, "released: String should match pattern"),
        ({"licence": {"name": "mit", "commercial": "maybe"}}, "licence.commercial: Input should be"),
    ],
)
def test_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LanguageModel.model_validate(SMALL | change)
    assert any(message in line for line in explain(caught.value))


@pytest.mark.parametrize(
    ("mixer", "ffn", "message"),
    [
        ({"kind": "magic"}, {"kind": "none"}, "expected tags"),
        ({"kind": "attn", "q_heads": 2, "kv_heads": 1, "head_dim": 4, "hat": 1}, {"kind": "none"}, "hat: Unexpected keyword argument"),
        ({"kind": "attn", "q_heads": 0, "kv_heads": 1, "head_dim": 4}, {"kind": "none"}, "q_heads: 0 is not between 1"),
        ({"kind": "attn", "q_heads": 2, "kv_heads": 4, "head_dim": 4}, {"kind": "none"}, "kv_heads: 4, more than 2 query heads"),
        ({"kind": "none"}, {"kind": "moe", "experts": 4, "top_k": 8, "inter": 16}, "top_k: 8 of 4 experts"),
        ({"kind": "none"}, {"kind": "dense", "inter": 2**30}, "inter: 1073741824 is not between 1"),
    ],
)
def test_refused_layer(mixer: dict[str, object], ffn: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LanguageModel.model_validate(SMALL | {"layers": [{"n": 1, "mixer": mixer, "ffn": ffn}]})
    assert any(message in line for line in explain(caught.value))
