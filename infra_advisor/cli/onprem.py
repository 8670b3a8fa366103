"""Options about machines of one's own and the licence of the model."""

from infra_advisor.advice.limits import COMMERCIAL
from infra_advisor.cli import quantities as to
from infra_advisor.cli.option import option

LICENCE = (
    option(
        "--commercial",
        metavar="[yes|conditional]",
        read=to.one_of(COMMERCIAL),
        bare="conditional",
        help="The licence of the model must allow commercial use: yes = without conditions; conditional, and without a value, also under "
        "conditions, which are shown.",
    ),
)
CARRY_IN = (
    option(
        "--carry-in",
        flag=True,
        help="Of machines of your own: what must be brought to a site without a network, and whether the engine runs there.",
    ),
)
