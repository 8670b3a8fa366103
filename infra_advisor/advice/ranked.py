"""The rows that are shown: fleets and hosted APIs in one order, with their labels."""

from itertools import islice

from infra_advisor.advice.answer import Answer
from infra_advisor.advice.build import answers
from infra_advisor.advice.question import Understood
from infra_advisor.advice.rows import ELECTRIC, Row
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.fleet import Fleets

LABELLED_FROM = 5
"""Shorter lists have no room for the best of each class beside the best of all."""


def ranked_answers(
    catalog: Catalog,
    understood: Understood,
    found: Fleets,
    distinct: list[Row],
    behind: dict[str, int],
    hosted: list[Answer],
    rank: str,
    top: int,
) -> list[Answer]:
    """The top rows in order, hosted APIs among them, with labels; the best of each class keeps its true rank."""
    entries: list[tuple[tuple[float, str, int, str], Row | Answer]] = [(row.key, row) for row in distinct]
    for answer in hosted:
        entries.append((api_key(answer, rank), answer))
    entries.sort(key=lambda entry: entry[0])
    labels: dict[int, list[str]] = {}
    _label(entries, found, labels)
    shown = list(range(len(entries))) if top == 0 else list(range(min(top, len(entries))))
    if LABELLED_FROM <= top < len(entries):
        best = [place for place, given in labels.items() if any(label.startswith("best ") for label in given)]
        others = (place for place in range(len(entries)) if place not in best)
        shown = sorted([*best, *islice(others, top - len(best))])
    hardware = [place for place in shown if isinstance(entries[place][1], Row)]
    built = answers(
        catalog,
        understood,
        found,
        [row for place in hardware if isinstance(row := entries[place][1], Row)],
        ranks=[place + 1 for place in hardware],
        labels=[tuple(labels.get(place, ())) for place in hardware],
        behind=behind,
    )
    by_place = dict(zip(hardware, built, strict=True))
    for place in shown:
        entry = entries[place][1]
        if isinstance(entry, Answer):
            reason = entry.energy.reason if rank in ELECTRIC else entry.reason
            by_place[place] = entry.model_copy(update={"rank": place + 1, "labels": tuple(labels.get(place, ())), "reason": reason})
    return [by_place[place] for place in shown]


def api_key(answer: Answer, rank: str) -> tuple[float, str, int, str]:
    """Place of a hosted API among rows: by its cost, and last under any other rule."""
    figure = answer.cost.usd_per_mtok_output if rank == "cost" and answer.cost.usd_per_mtok_output is not None else float("inf")
    return figure, "D", 0, answer.id


def _label(entries: list[tuple[tuple[float, str, int, str], Row | Answer]], found: Fleets, labels: dict[int, list[str]]) -> None:
    fleet_rows = [(place, row) for place, (_, row) in enumerate(entries) if isinstance(row, Row)]
    costs = [(_cost_of(row), place) for place, (_, row) in enumerate(entries)]
    if costs and min(costs)[0] < float("inf"):
        labels.setdefault(min(costs)[1], []).append("cheapest")
    if fleet_rows:
        quickest = min(fleet_rows, key=lambda item: (found.ttft_s[item[1].place], item[0]))[0]
        fastest = min(fleet_rows, key=lambda item: (found.tpot_s[item[1].place], item[0]))[0]
        labels.setdefault(quickest, []).append("quickest first token")
        labels.setdefault(fastest, []).append("fastest")
    seen: set[str] = set()
    for place, (_, row) in enumerate(entries):
        class_ = row.priced.class_ if isinstance(row, Row) else "api"
        if class_ not in seen:
            seen.add(class_)
            labels.setdefault(place, []).append(f"best {class_}")


def _cost_of(row: Row | Answer) -> float:
    cost = row.usd_per_mtok_output if isinstance(row, Row) else row.cost.usd_per_mtok_output
    return float("inf") if cost is None else cost
