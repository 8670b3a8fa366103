"""Search: facts bound to physics for every candidate deployment, whole arrays at a time."""


def benchmark_points() -> int:
    """Work of fixed size for the benchmarks; returns how many operating points were timed."""
    from infra_advisor.search import benchmark

    return benchmark.benchmark_points()
