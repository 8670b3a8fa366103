"""What is to be served: model, lengths and load, as asked."""

from dataclasses import dataclass, fields, replace

from infra_advisor.errors import UsageError
from infra_advisor.physics.speculation import Speculation
from infra_advisor.units import SECONDS_PER_DAY

DEFAULT_INPUT_TOKENS = 1000
DEFAULT_OUTPUT_TOKENS = 300
DEFAULT_THINK_S = 20.0
LONGEST_REQUEST_TOKENS = 16_777_216
LEAST_LOAD, MOST_LOAD = 1e-9, 1e12
"""Users, requests in flight or requests per second that are taken for meant."""
MOST_TOKENS_PER_DAY = 1e18
LONGEST_THINK_S = 1e7
MOST_DRAFT_TOKENS = 32

_LOADS = {"users": "--users", "concurrency": "--concurrency", "request_rate_per_s": "--rate", "tokens_per_day": "--tokens-per-day"}


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A question about one model. At most one of the four loads is given; none means "as loaded as the targets allow"."""

    model: str
    """Size ("70b"), alias, Hugging Face id, or the path of a config.json or .gguf file."""
    input_tokens: int = DEFAULT_INPUT_TOKENS
    output_tokens: int = DEFAULT_OUTPUT_TOKENS
    reasoning_tokens: int = 0
    """Of the output tokens, those thought before the answer: written and paid for like the rest."""
    users: float | None = None
    """People who each wait for an answer, think, and ask again."""
    think_s: float = DEFAULT_THINK_S
    """Time between the last token of an answer and the next request of the same user [s]."""
    concurrency: float | None = None
    """Requests in flight, always [requests]."""
    request_rate_per_s: float | None = None
    tokens_per_day: float | None = None
    """Prompt and output tokens together, spread evenly over the day."""
    weights: str = "auto"
    kv: str = "auto"
    draft_tokens: int | None = None
    """Tokens that a draft proposes before each step (speculative decoding, multi-token prediction); none unless given."""
    acceptance: float | None = None
    """Probability that a drafted token is kept [1]. Depends on model, draft and text: measured by whoever asks, never assumed."""

    def __post_init__(self) -> None:
        if len(given := self.loads_given) > 1:
            raise UsageError(f"{' and '.join(_LOADS[name] for name in given)} contradict each other: state the load in one way")
        for name, least in (("input_tokens", 1), ("output_tokens", 1)):
            value = getattr(self, name)
            if not least <= value <= LONGEST_REQUEST_TOKENS:
                raise UsageError(f"{name.replace('_', ' ')} is {value}; accepted: {least} to {LONGEST_REQUEST_TOKENS:,}")
        if not 0 <= self.reasoning_tokens < self.output_tokens:
            raise UsageError(f"{self.reasoning_tokens} of {self.output_tokens} output tokens are thought: at least one must be answer")
        for name in _LOADS:
            value, most = getattr(self, name), MOST_TOKENS_PER_DAY if name == "tokens_per_day" else MOST_LOAD
            if value is not None and not LEAST_LOAD <= value <= most:
                raise UsageError(f"{_LOADS[name]} is {value:g}; accepted: {LEAST_LOAD:g} to {most:g}")
        if (self.draft_tokens is None) != (self.acceptance is None):
            raise UsageError("--draft-tokens and --acceptance belong together: how many tokens are drafted, and how many of them are kept")
        if self.draft_tokens is not None and not 1 <= self.draft_tokens <= MOST_DRAFT_TOKENS:
            raise UsageError(f"--draft-tokens {self.draft_tokens}: accepted: 1 to {MOST_DRAFT_TOKENS}")
        if self.acceptance is not None and not 0 < self.acceptance < 1:
            raise UsageError(f"--acceptance {self.acceptance:g}: a share between 0 and 1, such as 0.7")
        if not 0 <= self.think_s <= LONGEST_THINK_S:
            raise UsageError(f"--think is {self.think_s:g} s; accepted: 0 to {LONGEST_THINK_S:g} s")

    @property
    def loads_given(self) -> list[str]:
        """Names of the load fields that were set."""
        return [name for name in _LOADS if getattr(self, name) is not None]

    @property
    def rate_per_s(self) -> float | None:
        """Requests/s, where the load is stated as such or as tokens per day."""
        if self.tokens_per_day is not None:
            return self.tokens_per_day / self.tokens_per_request / SECONDS_PER_DAY
        return self.request_rate_per_s

    @property
    def speculation(self) -> Speculation | None:
        """The drafts, where there are any."""
        if self.draft_tokens is None or self.acceptance is None:
            return None
        return Speculation(self.draft_tokens, self.acceptance)

    @property
    def tokens_per_request(self) -> int:
        """Prompt and output of one request [tokens]."""
        return self.input_tokens + self.output_tokens

    def with_changes(self, **changes: object) -> "Workload":
        """A copy with some fields replaced."""
        unknown = set(changes) - {field.name for field in fields(self)}
        if unknown:
            raise UsageError(f"unknown workload field {', '.join(sorted(unknown))}")
        return replace(self, **changes)  # type: ignore[arg-type]
