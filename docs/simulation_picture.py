"""Draw how the simulator serves a handful of requests: run once by hand, the picture is committed.

python docs/simulation_picture.py      # writes docs/pictures/simulation.svg; needs matplotlib
"""

import sys
from pathlib import Path

import matplotlib

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent)]

from infra_advisor.simulator.engine import Engine  # noqa: E402
from infra_advisor.simulator.laws import CacheLaw, DecodeLaw, PrefillLaw  # noqa: E402
from infra_advisor.simulator.replica import Replica  # noqa: E402
from infra_advisor.simulator.request import Request  # noqa: E402

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"
REQUESTS = [(0.00, 1000, 30), (0.10, 600, 40), (0.35, 3000, 25), (0.42, 400, 20), (0.60, 500, 12)]
"""Arrival [s], prompt and output tokens."""
NODES = (1.0, 1e5)


def toy() -> Engine:
    """Steps of 20 ms and 1 ms a sequence, 0.1 ms a prompt token, three requests at once; those who decode feel 40 % of a pass."""
    return Engine(
        decode=DecodeLaw(NODES, lambda batch: [0.02 + 0.001 * batch] * 2),
        prefill=PrefillLaw(NODES, [1e-4 * tokens for tokens in NODES], [0.0, 0.0], [0.0, 0.0]),
        cache=CacheLaw(1e9, NODES, NODES, 1.0),
        most_running=3,
        tokens_per_pass=2048,
        stall_share=0.4,
    )


def served() -> list[tuple[Request, float]]:
    """The requests with the moment at which the prefill of each began."""
    replica = Replica(toy())
    requests = [Request(*one) for one in REQUESTS]
    began: dict[int, float] = {}
    waiting = list(requests)
    while waiting or replica.due < float("inf"):
        if waiting and waiting[0].arrival_s < replica.due:
            request = waiting.pop(0)
            replica.submit(request, request.arrival_s)
        else:
            replica.step()
        for number, request in enumerate(requests):
            if request.depth > 0:
                began.setdefault(number, replica.now)
    return [(request, began[number]) for number, request in enumerate(requests)]


def draw(path: Path) -> None:
    """One bar per request: waiting, prefill, decode."""
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "infra_advisor", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10})
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(8.0, 3.4), layout="constrained")
    for row, (request, began_s) in enumerate(served()):
        parts = (
            (request.arrival_s, began_s, GREY, "waits", ""),
            (began_s, request.first_token_s, ORANGE, "prefill", "//"),
            (request.first_token_s, request.finish_s, BLUE, "decode", ""),
        )
        for start_s, end_s, colour, name, hatch in parts:
            label = name if row == 0 or (name == "waits" and row == 1) else None
            axis.barh(row, end_s - start_s, left=start_s, color=colour, hatch=hatch, edgecolor="white", height=0.6, label=label)
        axis.text(request.finish_s + 0.01, row, f"TTFT {1e3 * request.ttft_s:.0f} ms", va="center", fontsize=9)
    axis.set_yticks(range(len(REQUESTS)), [f"{prompt:,} in, {output} out" for _, prompt, output in REQUESTS])
    axis.invert_yaxis()
    axis.set_xlabel("time [s]")
    axis.margins(x=0.12)
    axis.spines[["top", "right"]].set_visible(False)
    handles = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    axis.legend(handles.values(), handles.keys(), loc="lower left", frameon=False)
    figure.savefig(path, format="svg", metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    (DOCS / "pictures").mkdir(exist_ok=True)
    draw(DOCS / "pictures" / "simulation.svg")
