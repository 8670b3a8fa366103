"""`advisor catalog diff`: two states of the facts side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra_advisor.cli.asked import Asked
from infra_advisor.cli.options import CATALOG, FILE, asks

if TYPE_CHECKING:
    from infra_advisor.facts.catalog import Catalog

OUTPUT = tuple(option for option in FILE if option.key != "output")
DAY = tuple(option for option in CATALOG if option.key == "as-of")
BUNDLED = "bundled"
SIDE = "A layer (directory or file), a whole catalog (a directory with catalog.yaml), or the word bundled."


@asks(*OUTPUT, *DAY)
def diff(
    asked: Asked,
    old: Annotated[str, typer.Argument(metavar="A", help=SIDE)],
    new: Annotated[str, typer.Argument(metavar="B", help="Likewise.")],
) -> None:
    """What changes in the facts from A to B: prices in force, then chips, models, engines and providers.

    A layer stands for the bundled catalog with that layer on top.

    advisor catalog diff bundled my-layer
    """
    target = asked.target()
    from infra_advisor.cli.change_list import change_list
    from infra_advisor.facts.differences import differences
    from infra_advisor.present import show

    show(change_list(differences(_side(old, asked), _side(new, asked))), asked.format, target=target)


def _side(name: str, asked: Asked) -> "Catalog":
    """The catalog that a word or path stands for. Raises CatalogError."""
    import datetime

    from infra_advisor.facts.catalog import Catalog
    from infra_advisor.facts.layers import Layer, bundled_and
    from infra_advisor.paths import catalog_dir

    day = datetime.date.fromisoformat(asked["as-of"]) if asked.get("as-of") else datetime.date.today()
    path = Path(name)
    if name != BUNDLED and (path / "catalog.yaml").is_file():
        return Catalog([Layer(path, bundled=True)], day)
    return Catalog(bundled_and([] if name == BUNDLED else [path], catalog_dir()), day)
