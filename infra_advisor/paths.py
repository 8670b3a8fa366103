"""Where files lie: the bundled catalog (beside the package in a checkout, inside it in an installed wheel), and what an update writes."""

import os
from pathlib import Path

from infra_advisor.errors import CatalogError, UsageError

_PACKAGE = Path(__file__).resolve().parent


def catalog_dir(package: Path = _PACKAGE) -> Path:
    """The folder of the bundled catalog.

    A checkout (a `pyproject.toml` beside the package) uses its own `catalog/` even where a copy lies in the package,
    because that copy is older than what the reader is editing. Raises CatalogError where there is neither.
    """
    beside, inside = package.parent / "catalog", package / "_catalog"
    is_checkout = (package.parent / "pyproject.toml").is_file()
    for folder in (beside, inside) if is_checkout else (inside,):
        if folder.is_dir():
            return folder
    raise CatalogError([f"{inside}: the bundled catalog is missing; install infra-advisor again, or run it from a complete checkout"])


def fresh_prices_dir() -> Path:
    """Where `catalog update` writes unless told otherwise: %LOCALAPPDATA% on Windows, else $XDG_DATA_HOME or ~/.local/share.

    Nothing reads it by itself. Raises UsageError where there is no home.
    """
    named = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_DATA_HOME", "")
    try:
        base = Path(named) if os.path.isabs(named) else Path.home() / ".local" / "share"
    except RuntimeError as error:
        raise UsageError("there is no home directory to write to; name a directory with --into DIR") from error
    return base / "infra-advisor" / "fresh-prices"
