"""What fits into one accelerator, worked by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.physics.memory import activation_bytes, most_sequences, typical_tokens_held, usable_bytes


def test_usable_memory() -> None:
    """80e9 bytes reported, of which the engine takes 0.9 = 72e9, less 3.5e9 for itself = 68.5e9."""
    assert usable_bytes(memory_bytes=80e9, reserve_bytes=3.5e9, engine_share=0.9) == pytest.approx(68.5e9)


@given(memory=st.floats(1e9, 1e12), reserve=st.floats(1e6, 5e9), share=st.floats(0.1, 0.99))
def test_never_all_memory_is_usable(memory: float, reserve: float, share: float) -> None:
    assert usable_bytes(memory_bytes=memory, reserve_bytes=reserve, engine_share=share) < memory


def test_activations_of_one_pass() -> None:
    """2,048 tokens x 4 x 8,192 wide x 2 bytes x 2 buffers = 268,435,456 bytes."""
    assert activation_bytes(tokens_per_pass=2048.0, widest_row=4 * 8192.0, element_bytes=2.0) == 268_435_456


def test_sequences_beside_the_weights_of_a_70b_model() -> None:
    """8 bit weights on two cards of 80 GB: 68.5e9 - 70.6e9 / 2 = 33.2e9 bytes left on each.

    A sequence of 1,225 tokens holds 327,680 / 2 bytes per token on each of two ranks = 200.7e6 bytes: 165.4 of them, so 165.
    """
    assert most_sequences(pool_bytes=68.5e9 - 35.3e9, sequence_bytes=1225 * 327_680 / 2) == 165


def test_part_of_a_sequence_is_none() -> None:
    assert most_sequences(pool_bytes=0.99e9, sequence_bytes=1e9) == 0
    assert most_sequences(pool_bytes=1e9, sequence_bytes=1e9) == 1
    assert most_sequences(pool_bytes=-5e9, sequence_bytes=1e9) == 0


def test_tokens_held_by_a_typical_sequence() -> None:
    """1,000 + 0.75 x 300 = 1,225; never more than the whole request."""
    assert typical_tokens_held(input_tokens=1000.0, output_tokens=300.0) == 1225
    assert typical_tokens_held(input_tokens=1000.0, output_tokens=0.0) == 1000
