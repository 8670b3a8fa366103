"""What was asked: options and workload file merged, read into base units, and turned into a Workload and Limits."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra_advisor.cli.quantities import is_number
from infra_advisor.errors import AdvisorError, UsageError, did_you_mean

if TYPE_CHECKING:
    from infra_advisor.advice.limits import Choice, Limits
    from infra_advisor.advice.parts import CurrencyPart
    from infra_advisor.advice.payment import Payment
    from infra_advisor.cli.option import Option
    from infra_advisor.facts.catalog import Catalog
    from infra_advisor.present.files import Target
    from infra_advisor.search.traffic import Traffic
    from infra_advisor.search.workload import Workload

_LOADS = ("users", "concurrency", "rate", "tokens-per-day", "trace", "burst")
_ONE_OF = (_LOADS, ("tpot", "speed"))
"""Ways to state the same thing: one on the command line replaces any in the file."""
_WORKLOAD_FIELDS = {
    "model": "model", "weights": "weights", "kv": "kv", "users": "users", "think": "think_s", "concurrency": "concurrency",
    "draft-tokens": "draft_tokens", "acceptance": "acceptance",
    "rate": "request_rate_per_s", "tokens-per-day": "tokens_per_day", "input": "input_tokens", "output-tokens": "output_tokens",
}  # fmt: skip
_LIMIT_FIELDS = {
    "ttft": "ttft_s", "tpot": "tpot_s", "throughput": "throughput_tokens_per_s", "at": "statistic", "residency": "residency",
    "spare": "spare", "headroom": "headroom", "where": "where",
    "max-age": "max_price_age_d", "include": "include", "owned": "owned", "commercial": "commercial",
    "portable": "portable",
    "operator-home": "operator_home", "no-foreign-law": "no_foreign_law", "attestation": "attestation", "keys": "keys",
    "allow-unknown": "allow_unknown",
}  # fmt: skip
_PAYMENT_FIELDS = {"commit": "commit", "hours": "hours_per_month", "cached-share": "cached_share", "batch": "batch"}
_TRAFFIC_FIELDS = {
    "lengths": "lengths", "trace-speed": "trace_speed", "burst": "burst", "at-once": "at_once", "requests": "requests", "seed": "seed",
    "prefix-share": "prefix_share",
}  # fmt: skip
_SUFFIXES = {".md": "markdown", ".markdown": "markdown", ".json": "json", ".csv": "csv", ".svg": "svg"}


@dataclass(frozen=True)
class Asked:
    """Values by option name, in base units; what was not given is absent."""

    values: Mapping[str, Any]

    @classmethod
    def read(cls, given: Mapping[str, Any], options: Sequence["Option"]) -> "Asked":
        """Read the texts of the command line, over those of the workload file. Raises UsageError naming the option."""
        raw, files = _output(given)
        known = {option.key: option for option in options}
        values = {key: _value(known[key], value, known[key].spellings[0]) for key, value in raw.items()}
        if "workload" in values:
            from_file = read_workload_file(values["workload"], options)
            replaced = {key for group in _ONE_OF if any(key in values for key in group) for key in group}
            values = {key: value for key, value in from_file.items() if key not in replaced} | values
        if "tpot" in values and "speed" in values:
            raise UsageError("--tpot and --speed state the same target: give one of them")
        if len(loads := [f"--{key}" for key in _LOADS if key in values]) > 1:
            raise UsageError(f"{' and '.join(loads)} contradict each other: state the load in one way")
        if len(set(files)) > 1:
            raise UsageError(f"more than one output file: {', '.join(files)}")
        return cls(values | ({"file": files[0]} if files else {}))

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def get(self, key: str, default: Any = None) -> Any:
        """The value of an option, or the default where it was not given."""
        return self.values.get(key, default)

    def workload(self) -> "Workload":
        """The workload. Raises UsageError, among others where there is no model."""
        from infra_advisor.search.workload import DEFAULT_OUTPUT_TOKENS, Workload

        if "model" not in self.values:
            raise UsageError("which model? --model takes a size (70b), a name (llama-3.3-70b), or a config.json or .gguf file")
        fields = {field: self.values[key] for key, field in _WORKLOAD_FIELDS.items() if key in self.values}
        if thought := self.get("reasoning-tokens", 0):
            fields["output_tokens"] = fields.get("output_tokens", DEFAULT_OUTPUT_TOKENS) + thought
            fields["reasoning_tokens"] = thought
        return Workload(**fields)

    def traffic(self) -> "Traffic":
        """How requests come. Raises UsageError."""
        from infra_advisor.search.traffic import Traffic

        fields = {field: self.values[key] for key, field in _TRAFFIC_FIELDS.items() if key in self.values}
        if "trace" in self.values:
            fields["trace"] = Path(self.values["trace"])
        return Traffic(**fields)

    def payment(self) -> "Payment":
        """How one would pay. Raises UsageError."""
        from infra_advisor.advice.payment import Payment

        fields = {field: self.values[key] for key, field in _PAYMENT_FIELDS.items() if key in self.values}
        assumed: dict[str, float] = {}
        for one in self.get("assume", ()):
            if both := assumed.keys() & one.keys():
                raise UsageError(f"--assume: {', '.join(both)} is given twice")
            assumed |= one
        return Payment(**fields, assume=assumed)

    def limits(self) -> "Limits":
        """The limits. Raises UsageError."""
        from infra_advisor.advice.limits import Limits

        fields = {field: self.values[key] for key, field in _LIMIT_FIELDS.items() if key in self.values}
        if "speed" in self.values:
            fields["tpot_s"] = 1 / self.values["speed"]
        if self.get("spot"):
            fields["include"] = tuple(dict.fromkeys((*fields.get("include", ()), "spot")))
        if "budget" in self.values:
            per_month, code = self.values["budget"]
            rate = self._rate(code or self.get("currency"), "--budget")
            fields |= {"budget_usd_per_month": per_month / rate.per_usd if rate else per_month, "budget_rate": rate}
        for key in ("vendor", "provider", "accelerator"):
            if key in self.values:
                fields[key] = choice(self.values[key], f"--{key}")
        return Limits(**fields)

    def currency(self) -> "CurrencyPart | None":
        """The rate of the currency that pages are written in; None for USD. Raises UsageError."""
        return self._rate(self.get("currency"), "--currency")

    def _rate(self, code: str | None, option: str) -> "CurrencyPart | None":
        if code is None:
            return None
        from infra_advisor.advice.currency import rate_of

        return rate_of(self.catalog(), code, option)

    def catalog(self) -> "Catalog":
        """The catalog of the asked day, with the given layers, read once. Raises CatalogError."""
        return self._catalog

    @cached_property
    def _catalog(self) -> "Catalog":
        from infra_advisor.facts.catalog import load

        return load(self.get("as-of"), [Path(path) for path in self.get("catalog", ())])

    def target(self) -> "Target | None":
        """The file to write to, found writable, or None for stdout. Raises UsageError."""
        from infra_advisor.present.files import target

        return target(self.values["file"]) if self.get("file", "-") != "-" else None

    @property
    def format(self) -> str:
        """The format asked for, or the one that the file's name stands for."""
        by_name = _SUFFIXES.get(Path(self.get("file", "")).suffix.lower(), "table")
        return str(self.get("format", by_name))


def command_line() -> str:
    """The command as it was typed, to be typed again."""
    return shlex.join(["advisor", *sys.argv[1:]])


def choice(names: Sequence[str], option: str) -> "Choice":
    """`nvidia`, `!amd` and `-amd` -> what to keep and what to leave out. Raises UsageError for a name that is both."""
    from infra_advisor.advice.limits import Choice

    drop = tuple(name.lstrip("!-").strip() for name in names if name[0] in "!-")
    keep = tuple(name for name in names if name[0] not in "!-")
    if both := set(keep) & set(drop):
        raise UsageError(f"{option}: {', '.join(sorted(both))} is both wanted and left out")
    if not all(drop):
        raise UsageError(f"{option}: a name must follow ! or -")
    return Choice(keep=keep, drop=drop)


def _output(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """`--output` sorted out: numbers are output tokens, anything else is a file."""
    raw = {key: value for key, value in given.items() if key not in ("output", "output-file")}
    texts = given.get("output", ())
    files = [text for text in texts if not is_number(text)] + ([given["output-file"]] if "output-file" in given else [])
    tokens = {text for text in texts if is_number(text)} | ({raw["output-tokens"]} if "output-tokens" in raw else set())
    if len(tokens) > 1:
        raise UsageError(f"output tokens given more than once: {', '.join(sorted(tokens))} (a file with such a name: -o ./{min(tokens)})")
    return raw | ({"output-tokens": tokens.pop()} if tokens else {}), files


def _value(option: "Option", raw: Any, place: str) -> Any:
    """One value or a list of them through the reader of the option."""
    if option.flag:
        return bool(raw)
    try:
        if not option.many:
            return option.read(raw)
        found = [option.read(text) for text in ([raw] if isinstance(raw, str) else raw)]
        return tuple(part for one in found for part in (one if isinstance(one, tuple) else (one,)))
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from error


def read_workload_file(path: str, options: Sequence["Option"]) -> dict[str, Any]:
    """The values of a workload file. Raises UsageError with every problem of the file."""
    from infra_advisor.facts.files import read_yaml

    problems: list[str] = []
    document = read_yaml(Path(path), problems)
    if problems:
        raise UsageError("\n".join(problems))
    if not isinstance(document, Mapping) or not document:
        raise UsageError(f"{path}: needs lines such as `model: 70b` and `ttft: 500ms`")
    known = {option.key: option for option in options if option.in_file}
    known["output"] = known.get("output-tokens") or next(iter(known.values()))
    values: dict[str, Any] = {}
    for written, raw in document.items():
        key = str(written).replace("_", "-")
        try:
            if key not in known:
                raise UsageError(f"unknown key; accepted: {', '.join(sorted(known))}.{did_you_mean(key, known)}")
            option = known[key]
            if option.key in values:
                raise UsageError("given twice")
            values[option.key] = _value(option, _as_text(option, raw), f"{path}: {written}")
        except AdvisorError as error:
            message = str(error)
            problems.append(message if message.startswith(f"{path}: ") else f"{path}: {written}: {message}")
    if problems:
        raise UsageError("\n".join(problems))
    return values


def _as_text(option: "Option", raw: Any) -> Any:
    """A YAML value as the command line would have it. Raises UsageError for what YAML has turned into something else."""
    if option.flag:
        if isinstance(raw, bool):
            return raw
        raise UsageError("takes true or false")
    if isinstance(raw, list) and option.many:
        return [_as_text(option, item) for item in raw]
    if isinstance(raw, bool) or raw is None:
        raise UsageError(f"{raw!r} is not a value; put it in quotes if it is a name")
    if not isinstance(raw, (str, int, float)):
        raise UsageError("takes a single value" if not option.many else "takes a value or a list of values")
    return raw if isinstance(raw, str) else str(raw)
