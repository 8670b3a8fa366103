"""Speculative decoding: a cheap draft proposes tokens, one pass of the model checks them all."""

from dataclasses import dataclass

from infra_advisor.physics.elementwise import Number


@dataclass(frozen=True)
class Speculation:
    """What is drafted and how much of it is kept; both are inputs: acceptance depends on the model, the draft and the text."""

    draft_tokens: int
    """Proposed before each step; at least 1."""
    acceptance: float
    """Probability that a proposed token is kept, given that those before it were; above 0, below 1. [1]"""

    @property
    def tokens_per_step(self) -> float:
        """Tokens a sequence gains by one step, on average. [1]"""
        return float(tokens_per_step(draft_tokens=self.draft_tokens, acceptance=self.acceptance))


def tokens_per_step(*, draft_tokens: Number, acceptance: Number) -> Number:
    """Kept drafts and the one token that the check itself yields: (1 - a^(n+1)) / (1 - a). [1]

    Assumes that acceptances are independent of each other.
    Source: Leviathan, Kalman and Matias, "Fast Inference from Transformers via Speculative Decoding", 2022, eq. 1.
    """
    return (1.0 - acceptance ** (draft_tokens + 1.0)) / (1.0 - acceptance)
