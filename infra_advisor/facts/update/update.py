"""One update: ask the sources, judge what they say against the catalog with the layer so far, write the rest."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.fact import Source
from infra_advisor.facts.layers import bundled_and
from infra_advisor.facts.update.feed import Feed, Known, source_id
from infra_advisor.facts.update.gather import Fetch, Gathered, Tell, gather
from infra_advisor.facts.update.judge import Judged, judge
from infra_advisor.facts.update.known import known
from infra_advisor.facts.update.layer import checked_folder, visible, write_layer
from infra_advisor.facts.update.lock import locked
from infra_advisor.facts.update.sources import feed
from infra_advisor.paths import catalog_dir


@dataclass(frozen=True)
class Updated:
    """What an update found and wrote."""

    day: str
    gathered: Gathered
    judged: Judged
    written: tuple[Path, ...]


def update(names: Sequence[str], folder: Path, tell: Tell, *, dry_run: bool, today: datetime.date, fetch: Fetch | None = None) -> Updated:
    """Bring the layer in `folder` up to date from the named sources. Raises UsageError, CatalogError, OSError."""
    checked_folder(folder)
    if dry_run:
        return _update(names, folder, tell, today, fetch, write=False)
    with locked(folder, tell) as keep_lock:

        def tell_and_keep(key: str, values: Mapping[str, str]) -> None:
            keep_lock()
            tell(key, values)

        return _update(names, folder, tell_and_keep, today, fetch, write=True)


def _update(names: Sequence[str], folder: Path, tell: Tell, today: datetime.date, fetch: Fetch | None, write: bool) -> Updated:
    layers = [folder] if visible(folder) else []
    catalog = Catalog(bundled_and(layers, catalog_dir()), today)
    _check_clock(catalog)
    feeds = [feed(name) for name in names]
    held = known(catalog)
    gathered = gather(feeds, held, tell, **({"fetch": fetch} if fetch else {}))
    partial = {one.name for one in feeds if not one.silent_means_gone}
    judged = judge(catalog, {name: gathered.rows[name] for name in names if name in gathered.rows}, partial)
    written: list[Path] = []
    if write and any(judged.rows.values()):
        day = today.isoformat()
        read = [one for one in feeds if one.name in gathered.rows]
        sources = {source_id(one.name): Source(title=one.title, ref=_place(one, held), seen=day) for one in read}
        written = write_layer(folder, judged.rows, sources)
    return Updated(today.isoformat(), gathered, judged, tuple(written))


def _place(one: Feed, held: Known) -> str | None:
    """Where the first answer of a source is fetched."""
    return next((request.url for request in one.requests(held)), None)


def _check_clock(catalog: Catalog) -> None:
    """Prices dated before those in force would never be used, so a clock that is behind is refused."""
    today = catalog.as_of.isoformat()
    seen = max([catalog.version, *(offer.seen for offer in catalog.offers), *(line.seen for line in catalog.api_prices)])
    if seen > today:
        raise UsageError(f"this machine's clock says {today}, but the catalog holds prices read on {seen}: set the clock and try again")
