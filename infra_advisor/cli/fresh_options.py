"""Options about how fresh prices are: reading them anew, and listing the old ones."""

from pathlib import Path

from infra_advisor.cli import quantities as to
from infra_advisor.cli.option import option as _option

UPDATE = (
    _option(
        "--source",
        metavar="NAMES",
        read=to.names,
        many=True,
        in_file=False,
        help="Where to read: ecb, litellm, sakura, oci, aws, azure, gcp, vast, runpod, gpuhunt, skypilot or all; default all.",
    ),
    _option(
        "--into", metavar="DIR", read=Path, in_file=False, help="The layer to write; default infra-advisor/fresh-prices in ~/.local/share."
    ),
    _option("--dry-run", flag=True, in_file=False, help="Show what would change; write nothing."),
)
CHECK = (
    _option(
        "--older-than",
        metavar="AGE",
        in_file=False,
        help="Also list prices last read longer ago: 90d, or usual for 90 days of clouds, 30 of neoclouds and APIs, 1 of marketplaces.",
    ),
    _option("--strict", flag=True, in_file=False, help="Exit status 5 where there are such prices; alone it means --older-than usual."),
)
