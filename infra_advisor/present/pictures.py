"""Pictures as SVG, drawn by matplotlib: an optional extra, imported only when a picture is asked for."""

from io import StringIO
from typing import Any

from infra_advisor.advice.capacities import CapacityAnswer
from infra_advisor.advice.parts import Part
from infra_advisor.errors import UsageError
from infra_advisor.present.simulate import fleet_words
from infra_advisor.present.text import clean
from infra_advisor.present.words import Words as Say

MILLISECONDS = 1e3
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#777777"
"""Told apart by people who do not see red or green, and readable on white and on black; the line styles differ too."""
SIZE_INCHES = (8.0, 6.0)
QUANTILES = (("p50", BLUE, "-", "o"), ("p95", ORANGE, "--", "s"))


def capacity_svg(record: Part, say: Say) -> str:
    """TTFT and TPOT by load, with the limits. Raises UsageError where matplotlib is missing or there is nothing to draw."""
    if not isinstance(record, CapacityAnswer):
        raise UsageError("only the curve of `advisor capacity` can be drawn: name a file that ends with .json, .md or .csv")
    if not record.curve or record.answer is None:
        raise UsageError("there is no curve to draw: the deployment does not fit")
    figure, axes = _panels(2)
    loads = [point.load for point in record.curve]
    for axis, name, limit in ((axes[0], "ttft", record.limits.ttft_s), (axes[1], "tpot", record.limits.tpot_s)):
        for statistic, colour, style, marker in QUANTILES:
            values = [getattr(getattr(point, f"{name}_s"), statistic) for point in record.curve]
            shown = [float("nan") if value is None else value * MILLISECONDS for value in values]
            axis.plot(loads, shown, style, color=colour, marker=marker, markersize=4, label=statistic)
        if limit is not None:
            axis.axhline(limit * MILLISECONDS, color=GREY, linestyle=":", linewidth=1.5, label=say("capacity.limit"))
        if record.limit is not None:
            axis.axvline(record.limit.load, color=GREY, linestyle="-.", linewidth=1)
        axis.set_ylabel(say(f"capacity.axis.{name}"))
        axis.set_ylim(bottom=0)
        axis.legend(loc="upper left", frameon=False)
    axes[1].set_xlabel(say(f"capacity.unit.{record.unit}"))
    fleet = fleet_words(record.answer, record.replicas, say, prefill=record.prefill_replicas)
    axes[0].set_title(clean(say("capacity.svg", fleet=fleet)), fontsize=10)
    return _svg(figure)


def _panels(count: int) -> tuple[Any, Any]:
    try:
        import matplotlib
    except ImportError as error:
        raise UsageError("pictures need matplotlib: pip install 'infra-advisor[pictures]'") from error
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "infra_advisor", "svg.fonttype": "path", "font.size": 11})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(count, 1, sharex=True, figsize=SIZE_INCHES, layout="constrained")
    for axis in axes:
        axis.grid(True, color=GREY, alpha=0.3, linewidth=0.5)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Any) -> str:
    """The same figures make the same bytes: no date, no random ids."""
    from matplotlib import pyplot

    out = StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None}, facecolor="white")
    pyplot.close(figure)
    return out.getvalue()
