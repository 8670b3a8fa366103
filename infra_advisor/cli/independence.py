"""Options about what an answer ties its buyer to."""

from infra_advisor.cli import quantities as to
from infra_advisor.cli.option import option as _option

INDEPENDENCE = (
    _option(
        "--portable",
        flag=True,
        help="Only what can be left: two independent engines load the weights, two providers or chip vendors offer what serves them.",
    ),
    _option("--exit-after", metavar="MONTHS", read=to.count_or_zero, help="Month after which leaving is priced; default 12."),
)
