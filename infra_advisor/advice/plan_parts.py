"""The runs that would settle a decision."""

from infra_advisor.advice.parts import Part


class Run(Part):
    """One deployment to measure."""

    answer: str
    """Id of the answer it measures."""
    serve: tuple[str, ...]
    """Commands that start it."""
    measure: tuple[str, ...]
    """Commands that load it and write result files; where there are several, the last is the load in question."""
    results: tuple[str, ...]
    """Files that `advisor validate` and `advisor calibrate --with` then read."""
    fold_in: tuple[str, ...]
    """Commands that make the result a layer of the catalog; they state what a result file does not hold."""
    passes: tuple[str, ...]
    """What must be measured for the answer to hold: `mean TTFT <= 500 ms`."""
    note: str | None = None


class Plan(Part):
    """What to measure before deciding."""

    runs: tuple[Run, ...]
