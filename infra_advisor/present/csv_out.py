"""Answers as CSV (RFC 4180): one row per option, unrounded, base units in the titles."""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from operator import attrgetter
from typing import TYPE_CHECKING

from infra_advisor.advice.answer import Answer, Comparison, EstimateAnswer, NearMiss, Recommendation, Violation
from infra_advisor.present import phrases
from infra_advisor.present.text import clean

if TYPE_CHECKING:
    from infra_advisor.advice.breakevens import BreakevenAnswer
    from infra_advisor.advice.capacities import CapacityAnswer
    from infra_advisor.advice.checks import CheckAnswer
    from infra_advisor.advice.place_parts import PlacesAnswer
    from infra_advisor.advice.sensitivities import SensitivityAnswer
    from infra_advisor.advice.simulated import SimulateAnswer
    from infra_advisor.advice.validation import Validation

Value = str | float | int | bool | None
Row = dict[str, Value]

_FORMULA = tuple("=+-@＝＋－＠")
_OFFER = (
    "provider",
    "instance_type",
    "region",
    "country",
    "price_kind",
    "currency",
    "price_date",
    "price_age_d",
    "price_age_limit_d",
    "price_confidence",
    "source",
    "source_id",
    "marks",
)
_HARDWARE = ("accelerator", "vendor", "accelerators_per_replica", "replicas", "accelerators_total", "instances", "accelerators_billed")
_SOFTWARE = ("engine", "weights", "kv", "tp", "pp", "ep", "dp")
_SPEED = (
    "concurrency",
    "request_rate_per_s",
    *(f"{name}.{figure}" for name in ("ttft_s", "tpot_s") for figure in ("mean", "p50", "p95", "p99", "low", "high")),
    "output_tokens_per_s",
    "replica_output_tokens_per_s",
    "output_tokens_per_s_per_user",
    "max_concurrency",
    "max_output_tokens_per_s",
    "tokens_per_joule",
    "saturated",
)
_COST = (
    "usd_per_h",
    "usd_per_month",
    "usd_per_mtok_output",
    "usd_per_mtok_total",
    "usd_per_mtok_output_low",
    "usd_per_mtok_output_high",
    "usd_per_mtok_output_at_limit",
    "usd_per_mtok_output_at_saturation",
    "utilisation",
)
_ENERGY = (
    "power_w",
    "kwh_per_mtok_output",
    "kwh_per_mtok_output_low",
    "kwh_per_mtok_output_high",
    "gco2e_per_mtok_output",
    "grid_gco2e_per_kwh",
    "pue",
)
_ANSWER: Mapping[str, str] = {
    **{name: name for name in ("rank", "id", "labels")},
    "class": "hardware.class_",
    "offer": "offer.id",
    **{name: f"offer.{name}" for name in _OFFER},
    "offer_usd_per_h": "offer.usd_per_h",
    **{name: f"hardware.{name}" for name in _HARDWARE},
    **{name: f"software.{name}" for name in _SOFTWARE},
    **{name.replace(".", "_"): f"performance.{name}" for name in _SPEED},
    "bound_prefill": "bound.prefill",
    "bound_decode": "bound.decode",
    **{name: f"cost.{name}" for name in _COST},
    **{name: f"energy.{name}" for name in _ENERGY},
    "grade": "grade",
    "reason": "reason",
}
"""Column -> where its value stands in an answer."""
_RUN = ("goodput_per_s", "good_share", "output_tokens_per_s", "utilisation", "mean_running", "saturated", "usd_per_mtok_output")
_SOFTWARE_PLACES = {name: f"software.{name}" for name in _SOFTWARE}
_MARGINS = {
    "margin_ttft": "ttft_s",
    "margin_tpot": "tpot_s",
    "margin_throughput": "throughput_tokens_per_s",
    "margin_budget": "budget_usd_per_month",
}
"""Column -> the limit whose margin it holds: above zero inside, below zero outside."""
_PREMIUMS = {f"{name}_more_share": name for name in ("another_vendor", "another_provider", "without_commitment")}
"""Column -> the way to be independent whose extra cost it holds, as a share."""
_ANSWER_TITLES = (*_ANSWER, *_MARGINS, "violations")


def table(titles: Iterable[str], rows: Iterable[Iterable[Value]]) -> str:
    """Rows as CSV; unknown is an empty cell, and no text can be taken for a formula."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_cell(title) for title in titles])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def recommendation(record: Recommendation) -> str:
    """All options, `status` telling ranked, unranked and near misses apart."""
    listed: list[tuple[str, Answer]] = [("ranked", answer) for answer in record.ranked]
    listed += [("near_miss", answer) for answer in record.near_misses] + [("unranked", answer) for answer in record.unranked]
    return _records(
        ("status", *_ANSWER_TITLES, *_PREMIUMS),
        ({"status": status, **_answer(answer), **_premiums(answer)} for status, answer in listed),
    )


def places(record: "PlacesAnswer") -> str:
    """One row per region, route or operator; the reasons of all axes stand in one cell."""
    own = ("kind", "provider", "provider_name", "region")
    judged = ("country", "routing", "scope", "operator_home", "us_cloud_act_exposed")
    titles = ("status", *own, *judged, "accelerators", "models", "why", "ask")
    rows = [
        (
            one.residency.status,
            *(getattr(one, name) for name in own),
            *(getattr(one.residency, name) for name in judged),
            " ".join(one.accelerators),
            one.models,
            "; ".join(f"{axis.axis} {axis.status}: {axis.why}" for axis in one.residency.axes),
            "; ".join(axis.ask for axis in one.residency.axes if axis.ask),
        )
        for one in record.places
    ]
    return table(titles, rows)


def estimate(record: EstimateAnswer) -> str:
    """The deployment as one row, or one row per point of the sweep."""
    if not record.sweep:
        row: Row = {**(_answer(record.answer) if record.answer else {}), "violations": _violations(record.violations)}
        return _records(("status", *_ANSWER_TITLES), [{**row, "status": record.status, "reason": record.reason}])
    over = record.sweep_over or "value"
    speeds = {name.replace(".", "_"): name for name in _SPEED}
    rows = (
        {
            **(_values(point.performance, speeds) if point.performance else {}),
            over: point.value,
            "fits": point.fits,
            "usd_per_mtok_output": point.usd_per_mtok_output,
        }
        for point in record.sweep
    )
    return _records(dict.fromkeys((over, "fits", *speeds, "usd_per_mtok_output")), rows)


def comparison(record: Comparison) -> str:
    """One row per chip: facts first, then the best deployment where there was a model."""
    facts = dict.fromkeys(name for column in record.columns for name in column.facts)
    rows = (
        {
            **(_answer(column.answer) if column.answer else {}),
            "chip": column.id,
            "name": column.name,
            "chip_vendor": column.vendor,
            **column.facts,
            "engines": " ".join(column.engines),
            "formats": " ".join(column.formats),
            "reason": column.reason,
            "violations": _violations(column.violations),
        }
        for column in record.columns
    )
    best = _ANSWER_TITLES if record.workload else ()
    return _records(dict.fromkeys(("chip", "name", "chip_vendor", *facts, "engines", "formats", *best)), rows)


def capacity(record: "CapacityAnswer") -> str:
    """One row per load of the curve."""
    times = ("mean", "p50", "p90", "p95", "p99")
    rows: list[Row] = [
        {
            record.unit: point.load,
            "request_rate_per_s": point.request_rate_per_s,
            "concurrency": point.concurrency,
            **{f"ttft_s_{name}": getattr(point.ttft_s, name) for name in times},
            **{f"tpot_s_{name}": getattr(point.tpot_s, name) for name in times},
            "output_tokens_per_s": point.output_tokens_per_s,
            "goodput_per_s": point.goodput_per_s,
            "holds": point.holds,
            "saturated": point.saturated,
        }
        for point in record.curve
    ]
    return _records(rows[0] if rows else (record.unit, "holds"), rows)


def breakeven(record: "BreakevenAnswer") -> str:
    """One row per way to pay and load of the curve."""
    rows: list[Row] = [
        {
            "tokens_per_day": point.tokens_per_day,
            "way": way,
            "offer": point.option[way],
            "usd_per_month": usd,
            "cheapest": way == point.cheapest,
        }
        for point in record.curve
        for way, usd in point.usd_per_month.items()
    ]
    return _records(("tokens_per_day", "way", "offer", "usd_per_month", "cheapest"), rows)


def check(record: "CheckAnswer") -> str:
    """One row per figure of the old first, then and now; where there was none, one that tells the verdict."""
    verdict: Row = {"status": record.status, "reason": record.reason, "behind": record.behind, "violations": _violations(record.violations)}
    titles = (*verdict, "figure", "then", "now", "change")
    rows = [{**verdict, "figure": one.name, "then": one.then, "now": one.now, "change": one.change} for one in record.moved]
    return _records(titles, rows or [verdict])


def sensitivity(record: "SensitivityAnswer") -> str:
    """One row per input."""
    rows: list[Row] = [
        {
            **one.model_dump(exclude={"winner_at_low", "winner_at_high", "flips_to"}),
            "winner_at_low": one.winner_at_low.id if one.winner_at_low else None,
            "winner_at_high": one.winner_at_high.id if one.winner_at_high else None,
            "flips_to": one.flips_to.id if one.flips_to else None,
        }
        for one in record.inputs
    ]
    return _records(rows[0] if rows else ("input", "flips_at"), rows)


def _cell(value: Value) -> Value:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return "" if value is None else value
    text = clean(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _records(titles: Iterable[str], rows: Iterable[Row]) -> str:
    titles = tuple(titles)
    return table(titles, ([row.get(title) for title in titles] for row in rows))


def _answer(answer: Answer) -> Row:
    rooms = {phrases.field(room.limit): room.margin for room in answer.headroom}
    broken = answer.violations if isinstance(answer, NearMiss) else ()
    return {
        **_values(answer, _ANSWER),
        **{title: rooms.get(limit) for title, limit in _MARGINS.items()},
        "violations": _violations(broken),
    }


def _premiums(answer: Answer) -> Row:
    tied = answer.lock_in
    return {title: getattr(tied, name).more_share for title, name in _PREMIUMS.items()} if tied else {}


def _values(record: object, places: Mapping[str, str]) -> Row:
    found = {title: attrgetter(place)(record) for title, place in places.items()}
    return {title: " ".join(value) if isinstance(value, tuple) else value for title, value in found.items()}


def _violations(broken: Iterable[Violation]) -> str:
    return "; ".join(f"{one.limit}: {one.predicted} (allowed {one.allowed})" for one in broken)


def validation(record: "Validation") -> str:
    """One row per group and figure."""
    from infra_advisor.advice.validation import Errors

    return table(tuple(Errors.model_fields), [tuple(line.model_dump().values()) for line in record.errors])


def simulation(record: "SimulateAnswer") -> str:
    """One row: the deployment, the counts and the times of the run."""
    times = {
        f"{name}_{statistic}": getattr(getattr(record, name), statistic)
        for name in ("ttft_s", "tpot_s", "e2e_s")
        for statistic in ("mean", "p50", "p90", "p95", "p99")
    }
    row: Row = {
        "status": record.status,
        **{name: getattr(record.fleet, name) for name in ("replicas", "prefill_replicas", "router", "accelerators", "seed")},
        **{f"requests_{name}": value for name, value in record.requests.model_dump().items()},
        **times,
        **{name: getattr(record, name) for name in _RUN},
        "violations": _violations(record.violations),
        "reason": record.reason,
    }
    if record.answer:
        row = {**row, **_values(record.answer, {"accelerator": "hardware.accelerator", "offer": "offer.id", **_SOFTWARE_PLACES})}
    return _records(row, [row])
