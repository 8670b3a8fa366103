"""Hosted APIs, public quality scores and published speeds: worked facts, the cheap reader and planted errors."""

from decimal import Decimal
from pathlib import Path

import pytest
from catalogs import BUNDLED, DAY, bundled_table

from infra_advisor.facts.api_offers import ApiOffer, HostedSpeed, QualityScore, read_api_offers
from infra_advisor.facts.files import read_yaml
from infra_advisor.facts.market_checks import check_api_offers, check_sources
from infra_advisor.facts.places import Provider

TODAY = DAY.isoformat()
PRICES = BUNDLED / "api_prices.csv"


OFFERS = bundled_table("api_prices", ApiOffer)
PROVIDERS = {name: Provider.model_validate({"id": name, **raw}) for name, raw in read_yaml(BUNDLED / "providers.yaml", []).items()}
MODEL_IDS = {path.stem for path in (BUNDLED / "models").glob("*.yaml")}
BY_ID = {offer.id: offer for offer in OFFERS}


def of(model: str) -> list[ApiOffer]:
    problems: list[str] = []
    offers = read_api_offers(PRICES, model, problems)
    assert problems == []
    return offers


def test_llama_70b_is_sold_by_many_operators_under_many_names() -> None:
    offers = of("llama-3.3-70b-instruct")
    assert {"aws", "azure", "gcp", "oci", "cerebras", "together", "deepinfra", "scaleway"} <= {offer.operator for offer in offers}
    bedrock = next(offer for offer in offers if offer.api_model == "meta.llama3-3-70b-instruct-v1:0")
    assert (bedrock.operator, bedrock.input_per_mtok, bedrock.output_per_mtok) == ("aws", Decimal("0.72"), Decimal("0.72"))


def test_the_cheap_reader_agrees_with_the_full_one() -> None:
    for model in ("llama-3.3-70b-instruct", "gpt-oss-120b", "qwen3-32b"):
        assert [offer.id for offer in of(model)] == [offer.id for offer in OFFERS if offer.model == model]


def test_the_cheap_reader_reports_only_lines_of_the_model(tmp_path: Path) -> None:
    header = "id,provider,operator,api_model,model,input_per_mtok,from_,seen,source"
    rows = ["a,p,o,a,one,0,2026-01-01,2026-01-01,s", "b,p,o,b,two,0,2026-01-01,2026-01-01,s", "c,p,o,one,two,1,2026-01-01,2026-01-01,s"]
    path = tmp_path / "api_prices.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    problems: list[str] = []
    assert read_api_offers(path, "one", problems) == []
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:2: input_per_mtok")


@pytest.mark.parametrize(
    ("api_model", "model"),
    [
        ("bedrock/ap-northeast-1/deepseek.v3.2", "deepseek-v3.2"),
        ("qwen.qwen3-235b-a22b-2507-v1:0", "qwen3-235b-a22b-instruct-2507"),
        ("fireworks_ai/accounts/fireworks/models/llama-v3p3-70b-instruct", "llama-3.3-70b-instruct"),
        ("ovhcloud/Meta-Llama-3_1-70B-Instruct", "llama-3.1-70b-instruct"),
        ("openai.gpt-oss-120b-1:0", "gpt-oss-120b"),
        ("cerebras/gemma-4-31b", "gemma-4-31b-it"),
        ("deepinfra/deepseek-ai/DeepSeek-R1", None),
        ("baseten/deepseek-ai/DeepSeek-V4-Pro-0813", None),
        ("deepinfra/Qwen/Qwen3-235B-A22B-Thinking-2507", None),
        ("replicate/meta/llama-2-70b", None),
    ],
)
def test_names_match_models_only_beyond_doubt(api_model: str, model: str | None) -> None:
    """Another checkpoint date, a thinking or a base variant is another model."""
    assert {offer.model for offer in OFFERS if offer.api_model == api_model} == {model}


def test_tiers_and_precisions_are_kept_as_variant() -> None:
    turbo = next(offer for offer in of("llama-3.3-70b-instruct") if offer.api_model.endswith("Llama-3.3-70B-Instruct-Turbo"))
    assert turbo.variant == "turbo"
    assert {offer.variant for offer in of("qwen3-30b-a3b")} >= {None, "fp8"}


def test_yen_prices_stay_in_yen() -> None:
    """PLaMo Prime: 60 and 250 JPY a million tokens."""
    (plamo,) = [offer for offer in OFFERS if offer.operator == "preferred-networks"]
    assert (plamo.currency, plamo.input_per_mtok, plamo.output_per_mtok) == ("JPY", 60, 250)


def test_a_japanese_operator_processes_at_home() -> None:
    offers = [offer for offer in of("gpt-oss-120b") if offer.operator == "aiand"]
    assert [(offer.hosting_country, offer.residency_class) for offer in offers] == [("JP", "in-country")]


def test_what_is_not_a_price_of_a_model_is_flagged() -> None:
    assert BY_ID["together-ai-together-ai-41.1b-80b"].flag == "tier"
    assert BY_ID["mistral-mistral-large-latest"].flag == "alias"
    assert all(offer.model is None for offer in OFFERS if offer.flag == "tier")
    assert {offer.chip for offer in OFFERS if offer.chip} == {"sn40l", "groq-lpu-v1"}


def test_a_zero_price_is_unknown() -> None:
    router = [offer for offer in OFFERS if offer.api_model == "azure_ai/model-router"]
    assert router
    assert all(offer.output_per_mtok is None for offer in router)


def test_withdrawn_models_are_known_by_day() -> None:
    cerebras = BY_ID["cerebras-llama-3.3-70b"]
    assert not cerebras.retired_on("2026-02-15")
    assert cerebras.retired_on("2026-02-16")
    assert not BY_ID["deepinfra-meta-llama-llama-3.3-70b-instruct"].retired_on("2030-01-01")


# -- the whole tables


def test_the_tables_pass_their_checks() -> None:
    assert check_api_offers(OFFERS, PROVIDERS, MODEL_IDS, TODAY) == []
    assert check_sources("API price", OFFERS, read_yaml(BUNDLED / "sources" / "api_prices.yaml", [])) == []
    assert len({offer.operator for offer in OFFERS}) >= 45
    assert sum(offer.model is not None for offer in OFFERS) >= 900


def test_check_api_offers_catches() -> None:
    one = BY_ID["deepinfra-meta-llama-llama-3.3-70b-instruct"]
    spoilt = [
        (one.model_copy(update={"operator": "aws"}), "deepinfra is no price list of aws"),
        (
            one.model_copy(update={"model": "llama-3.3-70b-instrukt"}),
            "unknown model llama-3.3-70b-instrukt. Did you mean llama-3.3-70b-instruct",
        ),
        (one.model_copy(update={"cached_input_per_mtok": Decimal(9)}), "cached_input_per_mtok 9 is above the list price"),
        (one.model_copy(update={"seen": "2027-01-01"}), "is after"),
    ]
    for offer, complaint in spoilt:
        problems = check_api_offers([offer], PROVIDERS, MODEL_IDS, TODAY)
        assert any(complaint in problem for problem in problems), problems
    assert any("appears 2 times" in problem for problem in check_api_offers([one, one], PROVIDERS, MODEL_IDS, TODAY))


def test_quality_scores_name_their_benchmark_and_model() -> None:
    """LLMs of the catalog are named by id, others keep the hub's name; arena scores of two dates are two benchmarks."""
    scores = bundled_table("quality", QualityScore)
    assert len({score.id for score in scores}) == len(scores) >= 800
    assert {score.model for score in scores if score.model} <= MODEL_IDS
    assert {score.benchmark for score in scores if score.metric == "lmarena_text"} == {"2026-10", "2026-04"}
    assert all(score.value <= 1 for score in scores if score.scale == "0-1")
    assert check_sources("score", scores, read_yaml(BUNDLED / "sources" / "quality.yaml", [])) == []


def test_hosted_speeds_say_who_claims_them() -> None:
    speeds = {speed.id: speed for speed in bundled_table("hosted_speeds", HostedSpeed)}
    assert speeds["cerebras-wse3-gpt-oss-120b"].basis == "third-party"
    assert speeds["cerebras-wse3-gpt-oss-120b"].tokens_per_s_per_user == 2059
    assert speeds["dmatrix-corsair-meta-llama-3-70b"].basis == "projection"
    assert check_sources("speed", speeds.values(), read_yaml(BUNDLED / "sources" / "hosted_speeds.yaml", [])) == []
