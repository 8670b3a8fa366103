"""Words of `catalog update` and `catalog diff`."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "update.asking": "asking {sources}",
    "update.reading": "{source}: {megabytes} MB so far",
    "update.read": "{source}: read, {kilobytes} kB",
    "update.failed": "{source}: nothing taken: {reason}",
    "update.counts": "{source}: {confirmed} prices confirmed, {skipped} records passed over{reasons}",
    "update.written": "wrote {files} in {folder}; to use them: --catalog {folder}, or INFRA_ADVISOR_CATALOG={folder}",
    "update.unwritten": "nothing was written",
    "update.stale": "took over {file}: no update has touched it for {hours} hours",
    "update.interrupted": "interrupted: every file in {folder} is as it was, or complete",
    "update.incomplete": "could not read: {sources}",
    "change.none": "No differences",
    "change.new": "{number} new",
    "change.changed": "{number} changed",
    "change.gone": "{number} gone",
    "change.quarantined": "{number} not believed and not written",
    "change.col.change": "change",
    "change.col.where": "in",
    "change.col.id": "id",
    "change.col.figure": "figure",
    "change.col.old": "old",
    "change.col.new": "new",
    "change.col.unit": "unit",
    "change.col.change_share": "by",
    "change.col.reason": "reason",
}
