"""The page on accuracy: what calibration wrote about itself, so that nothing is fitted to make the page."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog_pages import read
from markdown_text import NOTICE, cell, code, table

Line = Mapping[str, str]

METRICS = {"tpot": "TPOT", "ttft": "TTFT", "prefill": "prefill tokens/s", "throughput": "throughput"}
BANDS = {"tpot": "TPOT", "ttft": "TTFT", "throughput": "throughput"}
UNSEEN = {"none": "nothing", "combination": "the combination", "chip": "the chip", "model": "the model", "both": "chip and model"}

# Class, figure, metric, and the largest median errors we set ourselves: known setups (scheme series), chip and model held out.
TARGETS = (
    ("gpu-serving", "TPOT", "tpot", 9, 13, 15),
    ("gpu-serving", "TTFT", "ttft", 20, 28, 30),
    ("gpu-serving", "throughput", "throughput", 9, 13, 15),
    ("gpu-batch", "throughput", "throughput", 12, 20, 20),
    ("inference-chip", "TPOT", "tpot", 15, 25, 25),
    ("inference-chip", "throughput", "throughput", 15, 25, 25),
    ("inference-chip", "TTFT", "ttft", 30, 45, 45),
    ("edge", "decode (TPOT)", "tpot", 10, 15, 15),
    ("edge", "prefill tokens/s", "prefill", 20, 30, 30),
)
TARGET_SCHEMES = {"series": "known", "chip": "chip held out", "model": "model held out"}

MEMBERS = {"chip": "chip", "model": "model", "engine": "series"}
"""What is listed member by member -> under which scheme."""

MEANING = """\
An error is |predicted / measured - 1|. `median` is the error that half of the rows stay under, `p90` the one that nine tenths stay under,
`bias` the median of predicted / measured. `coverage` is the share of measurements inside their 90 % band, `width` the median of
sqrt(high / low): 1.5 means a band from 1/1.5 to 1.5 times its middle. Kendall tau compares the order of throughputs inside each model: 1 is
the same order, 0 none. Right pairs are pairs of different chips with the same model, lengths, load and format whose throughputs per chip
differ by more than 10 %, counted where the prediction puts them in the measured order.

## How they were made

Every row is predicted by a fit that did not see it. Rows are left out in groups, the family is fitted again without the group, and the
group is predicted:
"""
NESTED = """
The band that a row is scored with is nested: it comes from the residuals of other groups, each predicted without itself and without the
group that is scored, so neither the efficiencies nor the band of a row has seen it. The bands inside each refit come from single steps of
the solver with predictions extended along their derivatives; the refits themselves run the solver from the full fit for a few steps.
Corrections of whole times apply only where both the chip and the model are among the rows that were kept.

`advisor calibrate` makes these figures and writes them to `catalog/accuracy.csv`; `advisor validate --cv chip` prints one scheme.
`advisor validate` without `--cv` scores the shipped parameters on rows that they were fitted to, which is no measure of accuracy.

## What is left out

"""
NOT_SCORED = "Classes whose rows are not fitted (open arrivals, more requests than run at once) are not scored.\n"
TARGETS_MEANING = """\
The largest median error that we allow ourselves, then what was reached, judged before rounding. `known` leaves out the series. TPOT of one
stream is the inverse of its decode rate. The other classes have no target; rows in
`gpu-serving-gaps` count there and not in `gpu-serving`.

"""
ABLATION_MEANING = """\
Median errors of the fit without it, measured by `benchmarks/ablation.py` on the families `serving-nvidia` (gpu-serving) and `local` (edge)
alone; the tables above hold other families too. Corrections change nothing where chip or model is held out, since they apply only where
both were measured. The table is made by hand and may be older than the parameters.
"""
TTFT_RULES = """
From rows that stay, some first tokens are left out: those measured without warm-up or under saturation, bursts in which all requests were
sent at once, prompts of unknown length, and self-reported ones, which mix prompts that were cached before with new ones. Rows with split
prefill and decode pools, and rows whose chip, layers or format the catalog does not know, are not placed.

These series are neither fitted nor scored:

"""


def accuracy_page(root: Path) -> str:
    """The page as text."""
    catalog, docs = root / "catalog", root / "docs"
    lines = rows_of(catalog / "accuracy.csv")
    whole = [line for line in lines if line["group"] == "all"]
    parts = [
        NOTICE + "# Accuracy\n\nHow far predictions lie from measurements that the fit did not see.\n\n## What the figures mean\n\n",
        MEANING + "\n" + schemes() + NESTED + left_out(read(catalog / "priors.yaml")["left_out"]),
        "\n## By class\n\n" + NOT_SCORED + by_class(whole),
        "\n## Against our targets\n\n" + TARGETS_MEANING,
        targets(whole),
        "\n## Order of hardware\n\n" + order(whole),
        *(f"\n## By {group}\n\n" + members(lines, group, scheme) for group, scheme in MEMBERS.items()),
        "\n## Bands\n\n" + bands(read(catalog / "parameters.yaml")["families"]),
        ablation(docs / "ablation.csv"),
        "\n## What limits it\n\n" + (docs / "accuracy_notes.md").read_text(encoding="utf-8").strip() + "\n",
    ]
    return "".join(parts)


def rows_of(path: Path) -> list[Line]:
    """The lines of a table; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def schemes() -> str:
    from infra_advisor.search.crossvalidation import SCHEMES

    return table(("scheme", "left out together"), [(code(name), cell(meaning)) for name, meaning in SCHEMES.items()])


def left_out(series: Mapping[str, str]) -> str:
    from infra_advisor.facts.evidence_use import UNUSABLE_FLAGS

    reasons = [
        "figures that contradict each other, or that their source doubts",
        "speculative decoding, or runs that do not rule it out",
        *UNUSABLE_FLAGS.values(),
        "hosted endpoints",
        "no figure, no accelerator or no layers stated",
    ]
    text = "Rows that no fit and no score uses:\n\n" + "".join(f"- {cell(reason)}\n" for reason in dict.fromkeys(reasons))
    return text + TTFT_RULES + table(("series begins with", "why"), [(code(name), cell(why)) for name, why in series.items()])


# --- tables -----------------------------------------------------------------------------------------------------------


def percent(share: str | float | None) -> str:
    """One decimal below 10 %, none above."""
    if share in ("", None):
        return ""
    value = float(share or 0.0) * 100.0
    return f"{value:.1f} %" if round(value, 1) < 10.0 else f"{value:,.0f} %"


def number(text: str, digits: int = 2) -> str:
    return f"{float(text):.{digits}f}" if text else ""


def by_class(lines: Sequence[Line]) -> str:
    """One table per class: scheme x metric."""
    from infra_advisor.search.scores import CLASSES

    text = ""
    for name, meaning in CLASSES.items():
        found = [line for line in lines if line["class"] == name]
        if not found:
            continue
        shown = sorted(found, key=lambda line: list(METRICS).index(line["metric"]))
        rows: list[tuple[str, ...]] = [
            (METRICS[line["metric"]], line["scheme"], *errors(line), percent(line["coverage"]), number(line["width"])) for line in shown
        ]
        text += f"\n### {name}: {meaning}\n\n"
        text += table(("figure", "scheme", "rows", "median", "p90", "bias", "coverage", "width"), rows)
    return text


def errors(line: Line) -> tuple[str, str, str, str]:
    return f"{int(line['rows']):,}", percent(line["median"]), percent(line["p90"]), number(line["bias"])


def targets(lines: Iterable[Line]) -> str:
    """Each target beside what was reached, and how many are met."""
    median = {(line["class"], line["metric"], line["scheme"]): float(line["median"]) for line in lines}
    rows, met, known = [], 0, 0
    for name, label, metric, *largest in TARGETS:
        cells = []
        for scheme, most in zip(TARGET_SCHEMES, largest, strict=True):
            reached = median.get((name, metric, scheme))
            known += reached is not None
            met += reached is not None and reached * 100.0 <= most
            said = "not measured" if reached is None else f"{percent(reached)}, {'met' if reached * 100.0 <= most else '**missed**'}"
            cells.append(f"{most} %: {said}")
        rows.append((name, label, *cells))
    return table(("class", "figure", *(f"{label}, target: reached" for label in TARGET_SCHEMES.values())), rows) + (
        f"\n{met} of {known} targets are met, {known - met} are missed.\n"
    )


def order(lines: Iterable[Line]) -> str:
    rows: list[tuple[str, ...]] = [
        (line["class"], line["scheme"], number(line["tau"]), pairs(line), percent(int(line["right_pairs"]) / int(line["pairs"])))
        for line in lines
        if line["pairs"] and int(line["pairs"])
    ]
    return table(("class", "scheme", "Kendall tau", "right pairs", "share"), rows)


def pairs(line: Line) -> str:
    return f"{int(line['right_pairs']):,} of {int(line['pairs']):,}"


def members(lines: Iterable[Line], group: str, scheme: str) -> str:
    """One line per class and member: rows and median error of each figure."""
    found: dict[tuple[str, str], dict[str, Line]] = {}
    for line in lines:
        if line["group"] == group and line["scheme"] == scheme:
            found.setdefault((line["class"], line["member"]), {})[line["metric"]] = line
    text = f"Scheme `{scheme}`; median error and p90, number of rows in brackets. Members with fewer than eight rows are not listed.\n\n"
    rows = [(name, code(member), *(short(of.get(metric)) for metric in METRICS)) for (name, member), of in found.items()]
    return text + table(("class", group, *METRICS.values()), rows)


def short(line: Line | None) -> str:
    return f"{percent(line['median'])}, {percent(line['p90'])} ({int(line['rows']):,})" if line else ""


def bands(families: Mapping[str, Any]) -> str:
    """Factors on a prediction, by family and by what was never measured."""
    from infra_advisor.search.calibration import GRADES

    text = "Factors on a prediction between which 90 % of measurements lie, by what of the deployment was never measured.\n\n"
    rows: list[tuple[str, ...]] = [
        (code(name), f"{family['rows']:,}", UNSEEN[unseen], grade, *(interval(family["bands"][unseen][metric]) for metric in BANDS))
        for name, family in families.items()
        for unseen, grade in GRADES.items()
    ]
    return text + table(("family", "rows fitted", "never measured", "grade", *BANDS.values()), rows)


def interval(band: Sequence[float]) -> str:
    return " - ".join(f"{end:.2f}" if end < 10 else f"{end:.0f}" for end in map(float, band))


def ablation(path: Path) -> str:
    """Median errors of the fit without some of its terms; nothing where nobody has measured them."""
    lines = rows_of(path)
    if not lines:
        return ""
    text = "\n## What each group of terms is worth\n\n" + ABLATION_MEANING
    for name in distinct(lines, "class"):
        own = [line for line in lines if line["class"] == name]
        median = {(line["formulation"], line["scheme"], line["metric"]): line["median"] for line in own}
        schemes_and_metrics = {(line["scheme"], line["metric"]) for line in own}
        columns = [(scheme, metric) for scheme in distinct(own, "scheme") for metric in METRICS if (scheme, metric) in schemes_and_metrics]
        head = ("formulation", *(f"{scheme}, {METRICS[metric]}" for scheme, metric in columns))
        rows = [
            (cell(formulation), *(percent(median.get((formulation, *column))) for column in columns))
            for formulation in distinct(own, "formulation")
        ]
        text += f"\n### {name}\n\n" + table(head, rows)
    return text


def distinct(lines: Iterable[Line], column: str) -> list[str]:
    """Values of a column in the order in which they appear."""
    return list(dict.fromkeys(line[column] for line in lines))
