"""Options of `advisor manifest`."""

from infra_advisor.cli import quantities as to
from infra_advisor.cli.option import option as _option

MANIFEST = (
    _option(
        "--kind",
        metavar="KIND",
        in_file=False,
        help="What to write: compose, kubernetes, skypilot, dstack, command or all; default all that are possible.",
    ),
    _option(
        "--rank-number",
        metavar="N",
        read=to.whole,
        in_file=False,
        help="Which answer of the ranking; default the first. Also SAVED.json#N.",
    ),
    _option("--from-file", "--from", metavar="FILE", in_file=False, help="The same as SAVED.json; - reads standard input."),
    _option("--output-dir", "-o", metavar="DIR", in_file=False, help="The directory to write the files to; made where it is missing."),
    _option("--force", flag=True, in_file=False, help="Replace files that are there."),
)
