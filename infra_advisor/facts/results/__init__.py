"""Result files of the usual load generators, read into measurements. The format is recognised by content, never by name."""

from infra_advisor.facts.results.read import FORMATS, read_results

__all__ = ["FORMATS", "read_results"]
