"""The files that calibration writes: parameters.yaml, deviations.csv, accuracy.csv; and whether committed ones are what it makes."""

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from infra_advisor.search.calibrate import FittedFamily
from infra_advisor.search.conformal import Interval, band, combined, wider
from infra_advisor.search.crossvalidation import HeldOut
from infra_advisor.search.deployments import Column
from infra_advisor.search.observations import METRICS
from infra_advisor.search.priors import Priors
from infra_advisor.search.scores import Score, class_of, right_order, score, tau_within

SCHEME_OF = {"none": "point", "combination": "series", "chip": "chip", "model": "model"}
"""What was never measured -> how its band is calibrated."""
LEAST_LISTED = 8
"""Members with fewer rows are not listed by name."""
HEADER = """\
# Efficiencies of the performance model, fitted to the measurements in evidence/ from the start in priors.yaml: made by
# `advisor calibrate`, checked by `advisor calibrate --check`; do not edit. Deviations from these values stand in deviations.csv.
#   *_share       achieved / data-sheet rate; times in seconds; sharpness 1 = moving and computing never overlap, large = always
#   bands         90 % band as factors on the prediction, by what was never measured: none, the combination, the chip, the model, both
"""


@dataclass(frozen=True)
class Accuracy:
    """One line of the error table."""

    scheme: str
    device_class: str
    group: str
    """all, chip, model, engine or family."""
    member: str
    metric: str
    score: Score
    tau: float | None = None
    """Kendall tau inside models."""
    right_pairs: int | None = None
    pairs: int | None = None


def bands_of(priors: Priors, family: FittedFamily, results: Iterable[HeldOut]) -> dict[str, dict[str, Interval]]:
    """What was never measured -> metric -> band; each contains those of what is better known."""
    prior = priors.families[family.name]
    fallback = {"tpot": prior.unmeasured_bands.tpot, "ttft": prior.unmeasured_bands.ttft, "throughput": prior.unmeasured_bands.throughput}
    by_scheme = {result.scheme: result for result in results}
    found: dict[str, dict[str, Interval]] = {}
    for unseen, scheme in SCHEME_OF.items():
        found[unseen] = {}
        for metric in fallback:
            own = _band(family, by_scheme[scheme], metric) if scheme in by_scheme else None
            below = found["none"][metric] if unseen == "combination" else found["combination"][metric] if unseen != "none" else None
            chosen = own or (wider(fallback[metric], below) if below else fallback[metric])
            found[unseen][metric] = wider(chosen, below) if below else chosen
    found["both"] = {metric: combined(found["chip"][metric], found["model"][metric]) for metric in fallback}
    return found


def _band(family: FittedFamily, result: HeldOut, metric: str) -> Interval | None:
    reported = family.fit.observed.reported
    left = reported[metric] - result.logs[metric]
    if metric == "ttft":
        left = np.where(np.isnan(left), result.logs["prefill"] - reported["prefill"], left)
    return band(np.where(family.used, left, np.nan), result.group)


def parameters_text(priors: Priors, families: Mapping[str, FittedFamily], results: Sequence[HeldOut]) -> str:
    """parameters.yaml."""
    defaults = priors.defaults
    lines = [HEADER + "defaults:"]
    lines += [f"  {name}: {_scalar(value)}" for name, value in defaults.model_dump().items()]
    lines.append(f"most_sequences: {{{', '.join(f'{name}: {count}' for name, count in priors.most_sequences.items())}}}")
    lines.append(f"engine_order: {{{', '.join(f'{name}: {place}' for name, place in priors.engine_order.items())}}}")
    lines.append(f"length_shares: {{{', '.join(f'{name}: {share}' for name, share in priors.length_shares.items())}}}")
    lines.append("families:")
    for name, family in families.items():
        prior = priors.families[name]
        rules = ", ".join(
            "{" + ", ".join(f"{key}: {_flow(value)}" for key, value in rule.model_dump().items() if value) + "}" for rule in prior.selects
        )
        sources = sorted({row.source_id or "" for row, used in zip(family.fit.observed.rows, family.used, strict=True) if used})
        lines += [f"  {name}:", f"    selects: [{rules}]", f"    modes: [{', '.join(prior.modes)}]"]
        lines.append(f'    source: "{_told(prior.source, int(family.used.sum()), sources)}"')
        lines.append(f"    rows: {int(family.used.sum())}")
        values = family.values
        lines.append("    values:")
        lines += [f"      {key}: {_number(value)}" for key, value in values.items()]
        lines.append("    bands:")
        for unseen, bands in bands_of(priors, family, [one for one in results if one.family == name]).items():
            shown = ", ".join(f"{metric}: [{_number(low, 3)}, {_number(high, 3)}]" for metric, (low, high) in bands.items())
            lines.append(f"      {unseen}: {{{shown}}}")
    return "\n".join(lines) + "\n"


def _told(source: str, rows: int, sources: Sequence[str]) -> str:
    if not rows:
        return f"judgement, no measurements: {source}"
    shown = ", ".join(sources[:6]) + (f" and {len(sources) - 6} more" if len(sources) > 6 else "")
    return f"fitted to {rows:,} points of {shown}; start: {source}".replace('"', "'")


def _flow(value: object) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, tuple | list) else str(value)


def _scalar(value: object) -> str:
    return str(value) if isinstance(value, int | float) else f'"{value}"'


def _number(value: float, digits: int = 4) -> str:
    """As few digits as say it; always with a point, which the reader needs before an exponent."""
    text = f"{value:.{digits}g}"
    if "e" in text and "." not in text:
        return text.replace("e", ".0e")
    return text


# -- the error table


def accuracy_of(families: Mapping[str, FittedFamily], results: Iterable[HeldOut]) -> list[Accuracy]:
    """Errors of held-out rows by class, and inside it by chip, model and engine."""
    table: list[Accuracy] = []
    by_scheme: dict[str, list[HeldOut]] = {}
    for result in results:
        by_scheme.setdefault(result.scheme, []).append(result)
    for scheme, found in by_scheme.items():
        columns = _Columns.of(families, found)
        for device_class in sorted(set(columns.device_class)):
            inside = np.array([name == device_class for name in columns.device_class])
            table += columns.lines(scheme, device_class, "all", "all", inside)
            for group in ("chip", "model", "engine"):
                names = np.array([columns.names[traits[group]] if group == "model" else traits[group] for traits in columns.traits])
                for member in sorted(set(names[inside])):
                    chosen = inside & (names == member)
                    if chosen.sum() >= LEAST_LISTED and (group == scheme or group == "engine"):
                        table += columns.lines(scheme, device_class, group, str(member), chosen)
    return table


@dataclass(frozen=True)
class _Columns:
    """Rows of all families under one scheme, one after another."""

    device_class: Sequence[str]
    traits: Sequence[Mapping[str, str]]
    names: Mapping[str, str]
    """Layers of a model -> the id that most rows with such layers have."""
    alike: Sequence[str]
    chips: Column
    measured: Mapping[str, Column]
    logs: Mapping[str, Column]
    low: Mapping[str, Column]
    high: Mapping[str, Column]

    @classmethod
    def of(cls, families: Mapping[str, FittedFamily], results: Sequence[HeldOut]) -> "_Columns":
        kept = [(families[result.family], result, np.flatnonzero(families[result.family].used)) for result in results]
        pairs = [(family.fit.observed, int(k)) for family, _, index in kept for k in index]
        points = [observed.points[k] for observed, k in pairs]

        def joined(pick: str, metric: str) -> Column:
            return np.concatenate([getattr(result, pick)[metric][index] for _, result, index in kept])

        return cls(
            device_class=[class_of(observed.rows[k], observed.points[k]) for observed, k in pairs],
            traits=[observed.traits[k] for observed, k in pairs],
            names=_commonest((observed.traits[k]["model"], observed.points[k].subject.model.id) for observed, k in pairs),
            alike=[
                f"{p.subject.model.id}/{p.input_tokens:.0f}/{p.output_tokens:.0f}/{p.concurrency}/{p.mode}/{p.subject.weights.id}"
                for p in points
            ],
            chips=np.log([float(p.subject.chips_per_replica * p.subject.replicas) for p in points]),
            measured={m: np.concatenate([family.fit.observed.reported[m][index] for family, _, index in kept]) for m in METRICS},
            logs={m: joined("logs", m) for m in METRICS},
            low={m: joined("low", m) for m in METRICS},
            high={m: joined("high", m) for m in METRICS},
        )

    def lines(self, scheme: str, device_class: str, group: str, member: str, chosen: Column) -> list[Accuracy]:
        found = []
        for metric in METRICS:
            part = score(*(column[metric][chosen] for column in (self.logs, self.measured, self.low, self.high)))
            if part is None:
                continue
            tau = right = pairs = None
            if group == "all" and metric == "throughput":
                names = [traits["model"] for traits, here in zip(self.traits, chosen, strict=True) if here]
                tau = tau_within(names, self.logs[metric][chosen], self.measured[metric][chosen])
                right, pairs = right_order(
                    [alike for alike, here in zip(self.alike, chosen, strict=True) if here],
                    [traits["chip"] for traits, here in zip(self.traits, chosen, strict=True) if here],
                    (self.logs[metric] - self.chips)[chosen],
                    (self.measured[metric] - self.chips)[chosen],
                )
            found.append(Accuracy(scheme, device_class, group, member, metric, part, tau, right, pairs))
        return found


def _commonest(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Key -> its most frequent value; the first in the alphabet among equals."""
    counts: dict[str, Counter[str]] = {}
    for key, value in pairs:
        counts.setdefault(key, Counter())[value] += 1
    return {key: min(of, key=lambda value: (-of[value], value)) for key, of in counts.items()}


ACCURACY_COLUMNS = (
    "scheme", "class", "group", "member", "metric", "rows", "median", "p90", "bias", "coverage", "width", "tau", "right_pairs", "pairs",
)  # fmt: skip


def accuracy_text(table: Iterable[Accuracy]) -> str:
    """accuracy.csv."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(ACCURACY_COLUMNS)
    for one in table:
        figures = asdict(one.score)
        numbers = [figures.pop("rows"), *(None if value is None else round(value, 4) for value in figures.values())]
        tau = None if one.tau is None else round(one.tau, 4)
        writer.writerow([one.scheme, one.device_class, one.group, one.member, one.metric, *numbers, tau, one.right_pairs, one.pairs])
    return out.getvalue()


def differences(written: str, made: str, *, tolerance: float) -> list[str]:
    """Lines that differ: words must be equal, numbers within `tolerance` of each other, relative to the larger of 1 and their size."""
    old, new = written.splitlines(), made.splitlines()
    if len(old) != len(new):
        return [f"{len(old):,} lines are written, {len(new):,} are made"]
    return [
        f"line {number}: {was} -> {now}"
        for number, (was, now) in enumerate(zip(old, new, strict=True), 1)
        if not _near(was, now, tolerance)
    ]


def _near(was: str, now: str, tolerance: float) -> bool:
    if was == now:
        return True
    old, new = _tokens(was), _tokens(now)
    return len(old) == len(new) and all(_alike(a, b, tolerance) for a, b in zip(old, new, strict=True))


def _tokens(line: str) -> list[str]:
    return line.replace("[", " ").replace("]", " ").replace("{", " ").replace("}", " ").replace(",", " , ").split()


def _alike(was: str, now: str, tolerance: float) -> bool:
    if was == now:
        return True
    try:
        old, new = float(was), float(now)
    except ValueError:
        return False
    return math.isclose(old, new, rel_tol=tolerance, abs_tol=tolerance if abs(old) > tolerance else tolerance / 2)
