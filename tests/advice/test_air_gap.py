"""What serves without a network, and what has to be carried in."""

import pytest
from catalogs import frozen_catalog, real_catalog

from infra_advisor.advice.air_gap import carry_in, online_needs, runs_cut_off
from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.recommend import recommend
from infra_advisor.facts.engines import Network
from infra_advisor.facts.model_names import resolve_model
from infra_advisor.search.workload import Workload

TRUTH = [
    (None, None, "unknown"),
    ("none", None, "unknown"),
    (None, "none", "unknown"),
    ("none", "none", "offline"),
    ("to-install", "none", "offline"),
    ("to-run", "none", "online"),
    ("to-run", None, "online"),
    ("none", "cloud", "online"),
    (None, "cloud", "online"),
]


@pytest.mark.parametrize(("licence_check", "control_plane", "expected"), TRUTH)
def test_what_an_engine_asks_of_the_network(licence_check: str | None, control_plane: str | None, expected: str) -> None:
    network = Network.model_validate({"licence_check": licence_check, "control_plane": control_plane, "source": "memory"})
    engine = frozen_catalog().engines["vllm"].model_copy(update={"network": network})
    assert online_needs(engine)[0] == expected


def test_silence_is_unknown() -> None:
    engine = frozen_catalog().engines["vllm"].model_copy(update={"network": None})
    verdict, why = online_needs(engine)
    assert verdict == "unknown"
    assert "does not say" in why


@pytest.mark.parametrize(
    ("class_", "engine", "expected"),
    [("api", "hosted", "online"), ("cloud", "vllm", "online"), ("onprem", "vllm", "offline"), ("edge", "llama.cpp", "offline"),
     ("onprem", "vllm-rbln", "unknown"), ("onprem", "sglang", "unknown")],
)  # fmt: skip
def test_options_of_the_real_catalog(class_: str, engine: str, expected: str) -> None:
    assert runs_cut_off(real_catalog(), class_, engine)[0] == expected


def test_every_engine_fact_has_a_source() -> None:
    catalog = real_catalog()
    known = [engine.network for engine in catalog.engines.values() if engine.network]
    assert known
    assert all(source in catalog.sources("engines") for network in known for source in network.source)


def test_the_list_of_an_answer() -> None:
    """8.03 billion parameters of 16 bits are 16.1 GB; whatever else is needed has no size in the catalog, which is said."""
    catalog = frozen_catalog()
    workload = Workload(model="8b", users=5, weights="bf16")
    limits = Limits(where=("edge",), accelerator=Choice(keep=("rtx-4090",)))
    (answer,) = recommend(catalog, workload, limits, top=1, carry_in=True).ranked
    carried = answer.carry_in
    assert carried is not None
    by_kind = {item.kind: item for item in carried.items}
    assert by_kind["weights"].bytes == pytest.approx(16.06e9, rel=0.01)
    assert carried.known_bytes == by_kind["weights"].bytes
    assert all(item.bytes is not None or item.bytes_reason for item in carried.items)
    assert {"tokenizer", "driver", "operating-system", "engine-licence", "model-licence"} <= by_kind.keys()
    assert ("container-image" in by_kind) != ("engine" in by_kind)


def test_rented_machines_need_no_list() -> None:
    catalog = frozen_catalog()
    (answer,) = recommend(catalog, Workload(model="8b", users=5), Limits(where=("cloud",)), top=1, carry_in=True).ranked
    assert answer.carry_in is None
    assert carry_in(catalog, answer, resolve_model("8b", catalog)) is None
