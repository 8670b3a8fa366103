"""Words of `check`."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "check.stands": "The decision stands: {hardware}, {where}, {run}, is still first.",
    "check.stands.near": "The decision stands: {hardware}, {where}, {run}, falls {behind} short of today's first by {rule}, within the "
    "tolerance of {tolerance}.",
    "check.stands.nothing": "Still nothing meets every limit.",
    "check.overtaken": "Overtaken: {hardware}, {where}, {run}, falls {behind} short of today's first by {rule}; the tolerance is "
    "{tolerance}.",
    "check.overtaken.unknown": "Overtaken: what {hardware}, {where}, {run}, comes to by {rule} is not known today.",
    "check.breaks_limit": "Breaks a limit: {hardware}, {where}, {run}: {why}.",
    "check.gone": "Gone: {hardware}, {where}, {run}: {why}.",
    "check.now_fits": "Nothing met every limit then; now something does.",
    "check.first": "First today: {hardware}, {where}, {run}, {cost} {currency}/Mtok, {monthly} {currency}/month.",
    "check.moved": "The old first, then and now",
    "check.col.then": "then",
    "check.col.now": "now",
    "check.col.change": "change",
    "check.ahead": "What ranks before it",
    "check.col.behind": "old first falls short by",
    "check.more": "and {count} more",
    "check.saved": "Saved as of {as_of} by version {version}: catalog {catalog} (hash {hash}).",
    "check.offer_usd_per_h": "price of one machine",
    "check.per_usd": "{currency} per USD",
    "check.usd_per_mtok_output": "cost per million output tokens",
    "check.usd_per_month": "cost per month",
    "check.ttft_s": "TTFT, {statistic}",
    "check.tpot_s": "TPOT, {statistic}",
    "check.output_tokens_per_s": "throughput",
    "check.max_concurrency": "most in flight within limits",
    "check.accelerators_total": "accelerators",
    "check.run": "run as",
    "check.grade": "grade",
    "check.price_date": "price seen",
}
