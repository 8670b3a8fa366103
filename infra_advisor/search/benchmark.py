"""A fixed piece of search work, for benchmarks."""

from collections import Counter
from functools import cache

import numpy as np

from infra_advisor.facts.catalog import load
from infra_advisor.facts.formats import bundled_formats
from infra_advisor.search.calibration import read_parameters
from infra_advisor.search.candidates import Question, candidates, deployments
from infra_advisor.search.platforms import platform_of_node
from infra_advisor.search.points import Timing

MODEL = "llama-3.3-70b-instruct"
LOADS = tuple(2.0 ** (step / 2) for step in range(16))


@cache
def _timing() -> Timing:
    catalog = load()
    model = catalog.model(MODEL)
    parameters = read_parameters(catalog.parameters, catalog.deviations)
    whole = [node for node in catalog.nodes.values() if node.chip in catalog.chips and node.chips >= 1]
    platforms = {platform_of_node(node, catalog.chips[node.chip], int(node.chips)) for node in whole}
    question = Question(model, model.shape(), bundled_formats(), parameters, "auto", "auto")
    ordered = sorted(platforms, key=repr)
    found = candidates(ordered, catalog.chips, catalog.engines, question, Counter())
    columns = deployments(found, catalog.chips, parameters)
    return Timing(question.shape, columns, parameters.defaults, input_tokens=1000, output_tokens=300)


def benchmark_points() -> int:
    """Serve a 70B model on every rented platform at sixteen loads; returns how many operating points that was.

    The enumeration is done once, so repeated calls time the arithmetic.
    """
    timing = _timing()
    for in_flight in LOADS:
        timing.serve(np.full(len(timing.d), in_flight), open_arrivals=False)
    return len(LOADS) * len(timing.d)
