"""`advisor catalog update`: the only command that uses the network."""

import datetime

import typer

from infra_advisor.cli.asked import Asked
from infra_advisor.cli.fresh_options import UPDATE
from infra_advisor.cli.options import FILE, asks
from infra_advisor.errors import EXIT_OK, EXIT_SOURCE_UNREACHABLE, UsageError

OUTPUT = tuple(option for option in FILE if option.key != "output")


@asks(*UPDATE, *OUTPUT)
def update(asked: Asked) -> None:
    """Fetch fresh prices into a layer of your own; the only command that uses the network.

    Shows what is new, changed or gone. A price that jumps more than threefold or is beyond belief is shown with the reason, not written.
    Exit status 6: a source could not be read; it is named, and the others are written all the same.

    advisor catalog update --source oci --source ecb --dry-run
    """
    target = asked.target()
    from infra_advisor.cli.change_list import change_list
    from infra_advisor.cli.progress import tell_progress
    from infra_advisor.facts.update.sources import chosen
    from infra_advisor.facts.update.update import update as run
    from infra_advisor.paths import fresh_prices_dir
    from infra_advisor.present import show

    names = chosen(asked.get("source", ()))
    folder = asked.get("into") or fresh_prices_dir()
    tell_progress("update.asking", {"sources": ", ".join(names)})
    try:
        done = run(names, folder, tell_progress, dry_run=asked.get("dry-run", False), today=datetime.date.today())
    except KeyboardInterrupt:
        tell_progress("update.interrupted", {"folder": str(folder)})
        raise
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror or error}; every file there is as it was, or complete") from error
    for name in done.gathered.rows:
        skipped = done.judged.skipped[name]
        counts = {"source": name, "confirmed": f"{done.judged.confirmed[name]:,}", "skipped": f"{skipped.total():,}"}
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in skipped.most_common())
        tell_progress("update.counts", counts | {"reasons": f" ({reasons})" if reasons else ""})
    if done.gathered.rows:
        show(change_list(done.judged.changes), asked.format, target=target)
    if done.written:
        tell_progress("update.written", {"files": ", ".join(path.name for path in done.written), "folder": str(folder)})
    else:
        tell_progress("update.unwritten", {})
    if done.gathered.failed:
        tell_progress("update.incomplete", {"sources": ", ".join(name for name in names if name in done.gathered.failed)})
    raise typer.Exit(EXIT_SOURCE_UNREACHABLE if done.gathered.failed else EXIT_OK)
