"""Power at the plug and tokens per joule, worked by hand."""

import pytest

from infra_advisor.physics.energy import serving_power_w, tokens_per_joule


def test_power_of_a_server_of_eight() -> None:
    """8 x 700 W x 0.85 drawn = 4,760 W; half as much again for host, fans and network = 7,140 W."""
    assert serving_power_w(board_w=700.0, accelerators=8.0, draw_share=0.85, host_share=0.5) == pytest.approx(7140.0)


def test_no_host_adds_nothing() -> None:
    assert serving_power_w(board_w=300.0, accelerators=1.0, draw_share=1.0, host_share=0.0) == 300.0


def test_tokens_per_joule() -> None:
    """2,499 tokens/s from 7,140 W at a facility overhead of 1.4: 2,499 / 9,996 = 0.25 tokens/J, so 4 J per token."""
    assert tokens_per_joule(output_tokens_per_s=2499.0, power_w=7140.0, facility_overhead=1.4) == pytest.approx(0.25)
