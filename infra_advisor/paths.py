"""Where the bundled catalog lies: beside the package in a checkout, inside it in an installed wheel."""

from pathlib import Path

from infra_advisor.errors import CatalogError

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
