"""Names in orchestrators: every one of the bundled file exists, and a wrong one is a problem."""

from pathlib import Path

import pytest

from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.deploy import check_deploy, read_deploy


def test_the_bundled_file_is_sound(real: Catalog) -> None:
    assert list(check_deploy(real.deploy, real.chips, real.providers)) == []


@pytest.mark.parametrize(
    ("chip", "resource"),
    [
        ("h100-sxm", "nvidia.com/gpu"), ("mi300x", "amd.com/gpu"), ("tpu-v6e", "google.com/tpu"),
        ("inferentia2", "aws.amazon.com/neuron"), ("gaudi3", "habana.ai/gaudi"), ("m4-max-40c", None),
    ],
)  # fmt: skip
def test_chips_are_reached(real: Catalog, chip: str, resource: str | None) -> None:
    found = real.deploy.reached(real.chips[chip])
    assert (found and found.kubernetes) == resource


def test_wrong_names_are_problems(real: Catalog) -> None:
    deploy = real.deploy
    skypilot = deploy.skypilot.model_copy(update={"clouds": {"awss": "aws"}, "accelerators": {"h100-sxmm": "H100"}, "source": ("nowhere",)})
    problems = list(check_deploy(deploy.model_copy(update={"skypilot": skypilot}), real.chips, real.providers))
    assert [problem.split(".")[1] for problem in problems] == [
        "yaml: unknown chip h100-sxmm", "yaml: unknown provider awss", "yaml: unknown source nowhere",
    ]  # fmt: skip


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "deploy.yaml"
    path.write_text("sources: {}\naccelerators: []\nnomad: {}\n")
    problems: list[str] = []
    assert read_deploy(path, problems) is None
    assert any("nomad" in problem for problem in problems)
