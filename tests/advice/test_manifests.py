"""Files that deploy an answer: what they say, that their programs accept them, and that nothing of a hostile answer gets through."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployed import ANSWERS, answer, check_compose, check_kubernetes, check_shell, check_skypilot, path_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra_advisor.advice.deployment import dns_name
from infra_advisor.advice.launch import MODEL, command, rounded_down
from infra_advisor.advice.manifest import manifest
from infra_advisor.advice.manifests import Manifest
from infra_advisor.advice.parts import SoftwarePart
from infra_advisor.advice.yaml_text import yaml_text
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog

LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
SECRETS = ("hf_", "sk-", "Bearer ey")
HOSTILE = [
    "x; rm -rf ~",
    "$(touch owned)",
    "`id`",
    "a\nkind: Secret",
    "'; echo \"",
    "--trust-remote-code",
    "${HF_TOKEN}",
    "../..",
    "é\u202e",
    "",
    "#{}",
    "*a &b !!c",
]


def made(catalog: Catalog, document: dict[str, Any], **asked: Any) -> Manifest:
    return manifest(catalog, "saved.json", text=json.dumps(document), **asked)


def texts(record: Manifest) -> dict[str, str]:
    return {file.kind: file.text for file in record.files}


def check_all(record: Manifest) -> None:
    """Every file is what its program reads."""
    found = texts(record)
    if "compose" in found:
        check_compose(found["compose"])
    if "kubernetes" in found:
        for document in check_kubernetes(found["kubernetes"]):
            assert LABEL.fullmatch(document["metadata"]["name"])
    if "skypilot" in found:
        check_shell(check_skypilot(found["skypilot"])["run"])
    if "dstack" in found:
        for line in yaml.safe_load(found["dstack"])["commands"]:
            check_shell(line)
    for kind in ("command", "smoke"):
        if kind in found:
            check_shell(found[kind])
    if "client" in found:
        compile(found["client"], "client.py", "exec")
    assert not any(secret in text for text in found.values() for secret in SECRETS)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_file_is_valid_and_says_what_it_said(real: Catalog, golden: Any, name: str) -> None:
    record = manifest(real, path_of(name))
    check_all(record)
    golden(f"manifest-{name}.txt", "\n".join(f"==== {file.name}\n{file.text}" for file in record.files))


def test_vllm_on_two_h100(real: Catalog) -> None:
    """tp 2; 1000 + 300 + 64 tokens; 291 requests over 4 replicas = 72.75, and 72 is a multiple of 8."""
    document = answer("h100-vllm-tp2", performance={"max_concurrency": 291.0})
    found = texts(made(real, document))
    (service, *_rest) = check_compose(found["compose"])["services"].values()
    assert shlex.join(service["entrypoint"] + service["command"]) == (
        "vllm serve meta-llama/Llama-3.3-70B-Instruct --tensor-parallel-size 2 --quantization fp8 --max-model-len 1364 --max-num-seqs 72 "
        "--host 0.0.0.0 --port 8000 --served-model-name llama-3-3-70b-instruct"
    )
    services = check_compose(found["compose"])["services"].values()
    assert [one["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"] for one in services] == [
        ["0", "1"], ["2", "3"], ["4", "5"], ["6", "7"]
    ]  # fmt: skip
    deployment, service = check_kubernetes(found["kubernetes"])
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert deployment["spec"]["replicas"] == 4
    assert container["resources"]["limits"] == {"nvidia.com/gpu": 2}
    assert {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")} == {"/health"}
    assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]
    assert container["env"][0]["valueFrom"] == {"secretKeyRef": {"name": "hf-token", "key": "token"}}
    task = check_skypilot(found["skypilot"])
    assert (task["num_nodes"], task["resources"]["accelerators"], task["resources"]["infra"]) == (1, "H100:8", "aws/us-east-1")
    assert task["secrets"] == {"HF_TOKEN": None}
    assert "ports" not in task["resources"]


@pytest.mark.parametrize(
    ("weights", "model", "quantisation"),
    [
        ("fp8", "meta-llama/Llama-3.3-70B-Instruct", "fp8"),
        ("bf16", "meta-llama/Llama-3.3-70B-Instruct", None),
        ("int4-awq-g128", None, None),
    ],
)
def test_quantization_is_passed_only_where_the_engine_makes_the_format(
    real: Catalog, weights: str, model: str | None, quantisation: str | None
) -> None:
    """bf16 is how it is published, fp8 is made from that while loading, AWQ is another checkpoint that no one names but the user."""
    record = made(real, answer("h100-vllm-tp2", software={"weights": weights}))
    words = shlex.split(texts(record)["command"].splitlines()[-1])
    assert words[3] == (model or "$MODEL_PATH")
    assert ("--quantization" in words) == (quantisation is not None)
    assert any(line.startswith("MODEL_PATH") for line in record.must_set) == (model is None)
    assert ("${MODEL_PATH:?" in texts(record)["compose"]) == (model is None)
    assert (check_skypilot(texts(record)["skypilot"]).get("envs") == {"MODEL_PATH": None}) == (model is None)


def test_a_checkpoint_that_is_fp8_already_is_loaded_as_it_is(real: Catalog) -> None:
    native = next(name for name in real.model_ids if name.startswith("deepseek-v3") and real.model(name).native_format == "fp8")
    document = answer("h100-vllm-tp2", workload={"model": native, "hf_id": "deepseek-ai/DeepSeek-V3"}, software={"weights": "fp8"})
    assert "--quantization" not in texts(made(real, document))["command"]


@pytest.mark.parametrize(
    ("engine", "layout", "expected"),
    [
        ("vllm", {"tp": 1, "ep": 8, "dp": 8}, "--tensor-parallel-size 1 --data-parallel-size 8 --enable-expert-parallel"),
        ("sglang", {"tp": 1, "ep": 8, "dp": 8}, "--tp-size 8 --dp-size 8 --enable-dp-attention --ep-size 8"),
        ("tensorrt-llm", {"tp": 4, "pp": 2}, "--tp_size 4 --pp_size 2"),
        ("vllm", {"tp": 4, "pp": 2, "kv": "fp8"}, "--tensor-parallel-size 4 --pipeline-parallel-size 2 --kv-cache-dtype fp8"),
        ("sglang", {"tp": 2, "kv": "fp8"}, "--tp-size 2 --kv-cache-dtype fp8_e4m3"),
    ],
)
def test_each_engine_spells_the_layout_in_its_own_way(real: Catalog, engine: str, layout: dict[str, Any], expected: str) -> None:
    """SGLang's tensor size counts the accelerators of all data-parallel ranks: 1 x 8."""
    software = SoftwarePart(**({"engine": engine, "weights": "bf16", "kv": "bf16"} | layout))
    found = command(real.engines[engine], software, model="a/b", context=4096, native="bf16")
    assert found is not None
    assert expected in shlex.join(found.words)


def test_what_no_option_says_is_named(real: Catalog) -> None:
    software = SoftwarePart(engine="tensorrt-llm", weights="bf16", kv="fp8", tp=1, dp=8, ep=8)
    found = command(real.engines["tensorrt-llm"], software, model="a/b", context=4096)
    assert found is not None
    assert "fp8" not in shlex.join(found.words)
    assert any("fp8 cache" in note for note in found.notes)
    assert any("data parallelism 8" in note for note in found.notes)


def test_a_neuron_chip_counts_as_its_cores(real: Catalog) -> None:
    """Four Inferentia2 of two NeuronCores are eight ranks, and still four devices for Kubernetes."""
    document = answer(
        "tpu",
        software={"engine": "nxd-inference", "tp": 4},
        hardware={"accelerator": "inferentia2", "vendor": "aws", "accelerators_per_replica": 4, "replicas": 3, "accelerators_total": 12},
    )
    record = made(real, document)
    check_all(record)
    assert "--tensor-parallel-size 8" in texts(record)["command"]
    container = check_kubernetes(texts(record)["kubernetes"])[0]["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["limits"] == {"aws.amazon.com/neuron": 4}
    services = list(check_compose(texts(record)["compose"])["services"].values())
    assert services[1]["devices"] == [f"/dev/neuron{number}:/dev/neuron{number}" for number in (4, 5, 6, 7)]
    assert services[0]["image"].startswith("${IMAGE:?")
    assert any(line.startswith("IMAGE") for line in record.must_set)


@pytest.mark.parametrize(
    ("chip", "engine", "resource"),
    [("mi300x", "vllm", "amd.com/gpu"), ("gaudi3", "vllm-gaudi", "habana.ai/gaudi"), ("tpu-v6e", "vllm-tpu", "google.com/tpu")],
)
def test_resources_by_vendor(real: Catalog, chip: str, engine: str, resource: str) -> None:
    hardware = {"accelerator": chip, "accelerators_per_replica": 8, "replicas": 1, "accelerators_total": 8, "instances": 1}
    record = made(real, answer("h100-vllm-tp2", software={"engine": engine, "tp": 8}, hardware=hardware))
    check_all(record)
    assert check_kubernetes(texts(record)["kubernetes"])[0]["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] == {
        resource: 8
    }


def test_llama_cpp_shares_its_context_among_the_slots(real: Catalog) -> None:
    """20 requests over 2 replicas: 10 slots of 1364 tokens = 13,640."""
    words = shlex.split(texts(made(real, answer("edge-llama-cpp", performance={"max_concurrency": 20.0})))["command"].splitlines()[-1])
    assert words[words.index("-np") + 1] == "10"
    assert words[words.index("-c") + 1] == "13640"


def test_ollama_is_set_by_variables_and_pulls_what_the_user_names(real: Catalog) -> None:
    record = made(real, answer("edge-llama-cpp", software={"engine": "ollama"}))
    check_all(record)
    (service, *_rest) = check_compose(texts(record)["compose"])["services"].values()
    assert service["environment"]["OLLAMA_CONTEXT_LENGTH"] == "1364"
    assert service["environment"]["OLLAMA_HOST"] == "0.0.0.0:11434"
    assert 'until ollama pull "$MODEL_PATH"' in texts(record)["command"]
    container = check_kubernetes(texts(record)["kubernetes"])[0]["spec"]["template"]["spec"]["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/api/version"


def test_a_mac_gets_a_command_and_no_container(real: Catalog) -> None:
    document = answer(
        "edge-llama-cpp", software={"engine": "mlx-lm", "weights": "mlx-4bit"}, hardware={"accelerator": "m4-max-40c", "replicas": 1}
    )
    record = made(real, document)
    assert {*texts(record)} == {"command", "smoke"}
    assert 'mlx_lm.server --model "$MODEL_PATH"' in texts(record)["command"]
    assert record.left_out["compose"] == "no container reaches this accelerator"


def test_a_replica_over_machines_gets_only_the_command(real: Catalog) -> None:
    hardware = {"accelerators_per_replica": 16, "replicas": 1, "accelerators_total": 16, "instances": 2}
    document = answer("h100-vllm-tp2", software={"tp": 8, "pp": 2}, hardware=hardware)
    assert {*texts(made(real, document))} == {"command", "smoke"}
    with pytest.raises(UsageError, match=r"spans machines of 8.*possible for this answer: command"):
        made(real, document, kind="kubernetes")


def test_an_api_is_called(real: Catalog) -> None:
    record = manifest(real, path_of("api"))
    assert {*texts(record)} == {"client", "smoke"}
    assert record.engine is None
    assert [line.split(":")[0] for line in record.must_set] == ["BASE_URL", "MODEL", "API_KEY"]
    with pytest.raises(UsageError, match="called, not deployed"):
        manifest(real, path_of("api"), kind="compose")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"software": {"engine": "vlm"}}, "no engine 'vlm'.*vllm"),
        ({"software": {"engine": "hailo"}}, "does not say how the server of HailoRT GenAI.* is started"),
        ({"software": {"tp": 0}}, "tp = 0; accepted: 1 to 4096"),
        ({"hardware": {"replicas": 10**9}}, "replicas = 1000000000"),
        ({"hardware": {"instances": 0}}, "instances = 0"),
        ({"software": {"tp": "two"}}, "tp"),
        ({"workload": {"input_tokens": 10**12, "model": "elsewhere.json"}}, "none a server takes"),
    ],
)
def test_figures_nothing_can_be_started_from(real: Catalog, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        made(real, answer("h100-vllm-tp2", **changes))


@pytest.mark.parametrize("evil", HOSTILE)
@pytest.mark.parametrize("name", ANSWERS)
def test_hostile_names_stay_names(real: Catalog, name: str, evil: str) -> None:
    """Whatever a name holds, no file gains a line, a key or a command by it."""
    harmless, hostile = (
        made(
            real,
            answer(
                name,
                workload={"model": word, "model_name": word, "hf_id": word},
                hardware={"accelerator_name": word},
                offer={"instance_type": word, "region": word},
            ),
        )
        for word in ("plain\x01", evil)
    )
    check_all(hostile)
    assert {*texts(hostile)} == {*texts(harmless)}
    for file, usual in zip(hostile.files, harmless.files, strict=True):
        assert len(file.text.splitlines()) == len(usual.text.splitlines())
        told = [line for line in file.text.splitlines() if not line.startswith("#")]
        assert not evil.strip() or evil in ("../..", "#{}") or not any(evil in line for line in told)


def test_the_smoke_test_sends_json_whatever_the_model_is_called(real: Catalog, tmp_path: Path) -> None:
    """A curl that only prints what it is given: the body is JSON, and the name arrives whole."""
    fake = tmp_path / "curl"
    fake.write_text('#!/bin/sh\nfor word; do last=$word; done\nprintf "%s\\n" "$last"\n')
    fake.chmod(0o755)
    script = texts(manifest(real, path_of("h100-vllm-tp2")))["smoke"]
    name = 'a"b\\c $(id) `id`'
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "MODEL": name}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environment, check=True)
    body = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert body["model"] == name
    assert body["messages"][0]["role"] == "user"


@given(st.text())
def test_names_are_labels(text: str) -> None:
    assert LABEL.fullmatch(dns_name(text))


@given(st.floats(min_value=0.0, max_value=1e5))
def test_the_batch_is_rounded_down_and_never_to_nothing(most: float) -> None:
    found = rounded_down(most)
    assert 1 <= found <= max(most, 1.0)
    assert most - found < 9.0


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_yaml_comes_back_as_it_went(value: Any) -> None:
    """Texts that YAML cannot hold raw, such as control characters, are escaped by it."""
    assert yaml.safe_load(yaml_text([{"value": value}])) == {"value": value}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_answer_gives_valid_files_or_a_reason(real: Catalog, data: st.DataObject) -> None:
    """Random engines, chips, formats and layouts; each kind is written or left out, and what is written is valid."""
    chip = real.chips[data.draw(st.sampled_from(sorted(real.chips)))]
    tp, pp, dp, replicas = (data.draw(st.sampled_from(sizes)) for sizes in ((1, 2, 3, 8), (1, 2), (1, 4), (1, 2, 5)))
    instances = data.draw(st.sampled_from((1, 2)))
    document = answer(
        data.draw(st.sampled_from(ANSWERS[:3])),
        software={
            "engine": data.draw(st.sampled_from(sorted(name for name, one in real.engines.items() if one.launch))),
            "weights": data.draw(st.sampled_from(sorted(real.formats.weights))),
            "kv": data.draw(st.sampled_from(("bf16", "fp8", "q8_0", "nvfp4"))),
            "tp": tp, "pp": pp, "dp": dp, "ep": data.draw(st.sampled_from((1, dp))),
        },
        hardware={
            "accelerator": chip.id, "accelerator_name": chip.name, "vendor": chip.vendor, "accelerators_per_replica": tp * pp * dp,
            "replicas": replicas, "accelerators_total": tp * pp * dp * replicas, "instances": instances,
            "class": data.draw(st.sampled_from(("cloud", "edge", "onprem"))),
        },
        offer={"provider": data.draw(st.sampled_from(sorted(real.providers))), "region": data.draw(st.none() | st.text(max_size=9))},
        performance={"max_concurrency": data.draw(st.none() | st.floats(0, 1e12))},
        workload={"model_name": data.draw(st.text()), "hf_id": data.draw(st.none() | st.text())},
    )  # fmt: skip
    record = made(real, document)
    check_all(record)
    kinds = {*texts(record)} - {"smoke"}
    assert kinds.isdisjoint(record.left_out)
    assert kinds | {*record.left_out} == {"compose", "kubernetes", "skypilot", "dstack", "command"}
    assert not any(MODEL in text for text in texts(record).values())
