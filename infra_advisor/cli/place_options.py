"""Options on place, operator, law, attestations and keys."""

from infra_advisor.advice.limits import KEYS
from infra_advisor.cli import quantities as to
from infra_advisor.cli.option import option as _option

PLACE = (
    _option(
        "--residency",
        metavar="WHERE[:LEVEL]",
        read=to.residency,
        help="Where the data must be processed, and as in jp:storage how much must happen there (any, storage, geo, processing, "
        "domestic-operator, on-prem, air-gapped): jp, eu.",
    ),
    _option("--operator-home", metavar="WHERE", read=to.places, many=True, help="Countries where the operator may be at home: jp, eu."),
    _option(
        "--no-foreign-law",
        metavar="LAWS",
        read=to.names,
        many=True,
        help="Laws that must not reach the operator, by country; us is the CLOUD Act.",
    ),
    _option(
        "--attestation",
        metavar="NAMES",
        read=to.names,
        many=True,
        help="What the operator must hold: ismap, iso27017, soc2.",
    ),
    _option("--keys", metavar="WHO", read=to.one_of(KEYS), help="Who alone can hold the keys of what is stored: customer."),
    _option(
        "--allow-unknown",
        flag=True,
        help="Also rank, with a mark, what these, or --commercial, cannot be decided for; else it is listed apart.",
    ),
)
