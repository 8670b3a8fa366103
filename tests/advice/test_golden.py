"""Whole commands on the mini catalog, word for word: a person looks at every change of them."""

from collections.abc import Callable
from typing import Any

import pytest

GOLDEN = {
    "recommend.txt": ("recommend --model 70b --users 20 --ttft 600ms --top 6", 0),
    "recommend-explain.txt": ("recommend --model 70b --users 20 --ttft 600ms --where cloud --top 1 --explain", 0),
    "recommend.md": ("recommend --model 70b --users 20 --ttft 600ms --residency jp --format markdown", 0),
    "recommend.json": ("recommend --model 70b --rate 2/s --at p95 --tpot 60ms --where cloud --vendor amd --top 1 --format json", 0),
    "recommend-jpy.txt": ("recommend --model 70b --users 20 --ttft 600ms --top 4 --currency JPY --budget 1500000/month", 0),
    "recommend-jpy.md": ("recommend --model 70b --users 20 --ttft 600ms --residency jp --format markdown --currency JPY", 0),
    "nothing-fits.txt": ("recommend --model deepseek-r1 --concurrency 8 --ttft 50ms --where cloud,onprem", 4),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_command_says_what_it_said(name: str, advisor: Callable[[str], Any], golden: Callable[[str, str], None]) -> None:
    command, status = GOLDEN[name]
    ended = advisor(command)
    assert ended.status == status
    assert ended.err == ""
    golden(name, ended.out)
