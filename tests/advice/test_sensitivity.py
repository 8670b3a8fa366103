"""Every value at which the winner is said to change is tried: the question is asked again on either side of it."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from catalogs import FROZEN, frozen_catalog, write

from infra_advisor.advice.limits import Choice, Limits
from infra_advisor.advice.payment import COMMITS, Payment
from infra_advisor.advice.recommend import recommend
from infra_advisor.advice.sensitivities import Contender, SensitivityAnswer, Swing, ToWin
from infra_advisor.advice.sensitivity import sensitivity
from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.search.workload import Workload

QUIET = Workload(model="70b")
"""No load: a server bought wins at half of what it carries."""
DAILY = Workload(model="70b", tokens_per_day=3e8)
"""A hosted API wins."""
MACHINES = Limits(where=("cloud", "onprem", "edge"))
STEP = 0.04
"""Five halvings of a step of a factor of two leave 2 %; longer steps up to 4 %."""


@pytest.fixture(autouse=True)
def closed_form_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What flips does not depend on what simulation settles."""
    monkeypatch.setattr("infra_advisor.advice.finalists.MOST_FINALISTS", 0)


@pytest.fixture(scope="module")
def quiet(frozen: Catalog) -> SensitivityAnswer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra_advisor.advice.finalists.MOST_FINALISTS", 0)
        return sensitivity(frozen, QUIET)


Decision = tuple[str, str, str]


def best(catalog: Catalog, workload: Workload, limits: Limits | None = None, payment: Payment | None = None) -> Decision:
    """Class, provider and accelerator of the first answer of `recommend`."""
    row = recommend(catalog, workload, limits or Limits(), payment=payment, top=1).ranked[0]
    return row.hardware.class_, row.offer.provider, row.hardware.accelerator


def decision(one: Contender | None) -> Decision:
    assert one is not None
    return one.class_, one.provider, one.accelerator


def swing(found: SensitivityAnswer, name: str) -> Swing:
    return next(one for one in found.inputs if one.input == name)


def around(one: Swing) -> tuple[float, float]:
    """A value on the near side of the turning point, and one on the far side."""
    assert isinstance(one.flips_at, float)
    assert isinstance(one.base, float)
    factor = 1.0 + STEP if one.flips_at > one.base else 1.0 - STEP
    return one.flips_at / factor, one.flips_at * factor


def with_cells(folder: Path, table: str, id_: str, **cells: object) -> Catalog:
    """The mini catalog with cells of one line changed by a layer."""
    rows = list(csv.DictReader(io.StringIO((FROZEN / table).read_text(encoding="utf-8"))))
    changed = [row | {name: str(value) for name, value in cells.items()} for row in rows if row["id"] == id_]
    assert changed
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(changed)
    return frozen_catalog(write(folder, {table: text.getvalue()}))


# -- the value at which another wins


@pytest.mark.parametrize("name", ["input_tokens", "output_tokens"])
def test_lengths_flip_where_they_are_said_to(frozen: Catalog, quiet: SensitivityAnswer, name: str) -> None:
    one, first = swing(quiet, name), best(frozen, QUIET)
    near, far = around(one)
    assert best(frozen, QUIET.with_changes(**{name: round(near)})) == first
    assert best(frozen, QUIET.with_changes(**{name: round(far)})) == decision(one.flips_to) != first
    assert one.flips_at == round(float(one.flips_at or 0))


@pytest.mark.parametrize(
    "name", ["electricity_usd_per_kwh", "cost_of_capital_per_year", "amortisation_datacenter_years", "utilisation_default"]
)
def test_assumptions_flip_where_they_are_said_to(frozen: Catalog, quiet: SensitivityAnswer, name: str) -> None:
    one, first = swing(quiet, name), best(frozen, QUIET)
    near, far = around(one)
    assert best(frozen, QUIET, payment=Payment(assume={name: near})) == first
    assert best(frozen, QUIET, payment=Payment(assume={name: far})) == decision(one.flips_to) != first


def test_electricity_by_hand(frozen: Catalog, quiet: SensitivityAnswer) -> None:
    """The server's cost is a line in the price of power; at the turning point it has risen to the cost of the runner-up."""
    one, winner = swing(quiet, "electricity_usd_per_kwh"), quiet.winner
    assert winner is not None
    assert quiet.runner_up is not None
    bill = {line.name: line.amount_usd for line in winner.cost.lines}
    kwh_share = (bill["power"] + bill["cooling and losses"]) / sum(bill.values())
    cost = winner.cost.usd_per_mtok_output
    assert cost is not None
    expected = 0.161 * (1 + (quiet.runner_up.usd_per_mtok_output / cost - 1) / kwh_share)
    assert one.flips_at == pytest.approx(expected, rel=STEP)
    assert one.base == 0.161
    assert [one.low, one.high] == pytest.approx([0.161 / 2, 0.161 * 3])


@pytest.mark.parametrize("load", [{"tokens_per_day": 3e8}, {"users": 100.0}])
def test_loads_and_hours_flip_where_they_are_said_to(frozen: Catalog, load: dict[str, float]) -> None:
    workload = Workload(model="70b", **load)  # type: ignore[arg-type]
    found, first = sensitivity(frozen, workload), best(frozen, workload)
    (name,) = load
    one = swing(found, name)
    near, far = around(one)
    assert best(frozen, workload.with_changes(**{name: near})) == first
    assert best(frozen, workload.with_changes(**{name: far})) == decision(one.flips_to) != first


def test_hours_flip_where_they_are_said_to(frozen: Catalog, quiet: SensitivityAnswer) -> None:
    one, first = swing(quiet, "hours_per_month"), best(frozen, QUIET)
    near, far = around(one)
    assert best(frozen, QUIET, payment=Payment(hours_per_month=near)) == first
    assert best(frozen, QUIET, payment=Payment(hours_per_month=far)) == decision(one.flips_to) != first


def test_the_price_of_the_winner(quiet: SensitivityAnswer, tmp_path: Path) -> None:
    """A server of 285,000 USD loses to eight MI300X at 27.60 USD an hour where their costs meet."""
    one = swing(quiet, "price")
    assert one.base == 285_000
    assert isinstance(one.flips_at, float)
    for factor, wins in ((0.999, ("onprem", "h100-sxm")), (1.001, ("cloud", "mi300x"))):
        price = round(one.flips_at * factor)
        dearer = with_cells(tmp_path / str(price), "purchase.csv", "8x-h100-sxm-hgx-server-typical", price=price)
        assert best(dearer, QUIET)[::2] == wins


def test_the_exchange_rate(tmp_path: Path) -> None:
    """An H100 for 990 yen an hour, tax in it: 900 yen are 5.72 USD at 157.25 and 3.99 at 225.6, where the dollar price meets it."""
    limits = Limits(where=("cloud",), accelerator=Choice(keep=("h100-sxm",)), provider=Choice(keep=("sakura", "runpod")))
    catalog = with_cells(tmp_path, "offers.csv", "sakura-vrt-24core-240gb-h100x1-is1a", per_h=715)  # 650 yen: 4.13 USD
    workload = Workload(model="8b", concurrency=4)
    found = sensitivity(catalog, workload, limits)
    one = swing(found, "jpy_per_usd")
    assert (one.base, one.unit) == (157.25027, "JPY for a USD")
    near, far = around(one)
    first = best(catalog, workload, limits)
    assert first[1] == "runpod"
    assert best(catalog.at_rate("JPY", near), workload, limits) == first
    assert best(catalog.at_rate("JPY", far), workload, limits)[1] == "sakura"
    assert one.flips_at == pytest.approx(650 / 3.99, rel=STEP)


def test_commitment(frozen: Catalog) -> None:
    """An L4 box of one's own is cheaper than AWS on demand, and dearer than three years of it."""
    limits = Limits(accelerator=Choice(keep=("l4",)))
    workload = Workload(model="8b", concurrency=4)
    found = sensitivity(frozen, workload, limits)
    one = swing(found, "commit")
    winners = {commit: best(frozen, workload, limits, Payment(commit=commit)) for commit in COMMITS}  # type: ignore[arg-type]
    first = winners["none"]
    expected = next((commit for commit in COMMITS if winners[commit] != first), None)
    assert (one.base, one.flips_at) == ("none", expected)
    assert decision(one.winner_at_low) == winners["none"]
    assert decision(one.winner_at_high) == winners["auto"]


@pytest.mark.parametrize("commit", COMMITS)
def test_commitment_starts_from_the_one_asked_for(frozen: Catalog, commit: Any) -> None:
    limits, workload = Limits(where=("cloud",), accelerator=Choice(keep=("l4", "inferentia2"))), Workload(model="8b", concurrency=4)
    found = sensitivity(frozen, workload, limits, payment=Payment(commit=commit))
    one = swing(found, "commit")
    assert one.base == commit
    for end, term in ((one.winner_at_low, "none"), (one.winner_at_high, "auto")):
        assert decision(end) == best(frozen, workload, limits, Payment(commit=term))  # type: ignore[arg-type]


def test_the_ends_are_the_cost_of_todays_winner(frozen: Catalog, quiet: SensitivityAnswer) -> None:
    """At a quarter and at four times the prompt, by `recommend` on the same hardware alone."""
    one = swing(quiet, "input_tokens")
    assert (one.low, one.base, one.high) == (250.0, 1000.0, 4000.0)
    alone = Limits(accelerator=Choice(keep=("h100-sxm",)), where=("onprem",))
    for tokens, cost in ((250, one.usd_per_mtok_at_low), (4000, one.usd_per_mtok_at_high)):
        row = recommend(frozen, QUIET.with_changes(input_tokens=tokens), alone, top=1).ranked[0]
        assert cost == pytest.approx(row.cost.usd_per_mtok_output, rel=1e-5)


def test_an_unstated_load_varies_the_utilisation(frozen: Catalog, quiet: SensitivityAnswer) -> None:
    assert swing(quiet, "utilisation_default").base == 0.5
    stated = {one.input for one in sensitivity(frozen, DAILY).inputs}
    assert "utilisation_default" not in stated
    assert "tokens_per_day" in stated


# -- what the others need


def test_a_price_a_hair_below_the_needed_one_wins(frozen: Catalog, quiet: SensitivityAnswer, tmp_path: Path) -> None:
    """Eight MI300X are the runner-up at 3.45 USD an hour each; the price is said for the machine of eight."""
    one = quiet.to_win[0]
    assert (one.option.accelerator, one.option.class_) == ("mi300x", "cloud")
    assert one.price is not None
    assert one.price_needed is not None
    assert one.price == pytest.approx(8 * 3.45)
    assert one.price_change == pytest.approx(one.price_needed / one.price - 1.0)
    first = best(frozen, QUIET)
    for factor, wins in ((1.001, first), (0.999, decision(one.option))):
        each = round(one.price_needed / 8 * factor, 5)
        cheaper = with_cells(tmp_path / f"{factor}", "offers.csv", "crusoe-mi300x-various", per_h=each)
        assert best(cheaper, QUIET) == wins


@pytest.mark.parametrize("spare", [0, 1])
def test_a_purchase_a_hair_below_the_needed_price_wins(frozen: Catalog, tmp_path: Path, spare: int) -> None:
    """In 500 hours a month the server has lost; write-off, capital and operations follow its price, the rest does not."""
    limits, payment = replace(MACHINES, spare=spare), Payment(hours_per_month=500.0)
    found = sensitivity(frozen, QUIET, limits, payment=payment)
    one = next(one for one in found.to_win if one.option.class_ == "onprem" and one.option.accelerator == "h100-sxm")
    assert one.price == 285_000
    assert one.price_needed is not None
    for factor, wins in ((1.001, False), (0.999, True)):
        price = round(one.price_needed * factor)
        cheaper = with_cells(tmp_path / f"{factor}", "purchase.csv", "8x-h100-sxm-hgx-server-typical", price=price)
        assert (best(cheaper, QUIET, limits, payment) == decision(one.option)) == wins


def test_an_api_needs_the_price_of_the_winner(frozen: Catalog, quiet: SensitivityAnswer) -> None:
    api = next(one for one in quiet.to_win if one.option.class_ == "api")
    assert quiet.winner is not None
    assert (api.price, api.price_unit) == (api.option.usd_per_mtok_output, "USD/Mtok")
    assert api.price_needed == pytest.approx(quiet.winner.cost.usd_per_mtok_output)
    assert api.within_band is None


def test_the_throughput_needed_is_the_ratio_of_the_costs(quiet: SensitivityAnswer) -> None:
    assert quiet.winner is not None
    cost = quiet.winner.cost.usd_per_mtok_output
    assert cost is not None
    for one in quiet.to_win:
        assert one.throughput_factor == pytest.approx(one.option.usd_per_mtok_output / cost, rel=1e-4)
        assert one.throughput_factor >= 1.0
    behind = swing(quiet, "throughput")
    assert quiet.runner_up is not None
    assert behind.flips_at == pytest.approx(cost / quiet.runner_up.usd_per_mtok_output, rel=1e-4)


def test_no_price_is_low_enough_where_the_rest_costs_more(frozen: Catalog) -> None:
    """Four L4 of one's own use more power than two RTX 4090 cost in all."""
    found = sensitivity(frozen, Workload(model="8b"), option="l4")
    one = found.to_win[0]
    assert one.option.accelerator == "l4"
    assert (one.price_needed, one.price_change) == (None, None)


# -- who is in the running


def test_an_api_can_win(frozen: Catalog) -> None:
    found = sensitivity(frozen, DAILY)
    assert found.winner is not None
    assert found.winner.hardware.class_ == "api"
    price = swing(found, "price")
    assert price.unit == "USD/Mtok"
    assert found.runner_up is not None
    assert price.flips_at == pytest.approx(found.runner_up.usd_per_mtok_output)
    assert "throughput" not in {one.input for one in found.inputs}
    assert price.usd_per_mtok_at_low == pytest.approx(price.low)


def test_an_operator_is_one_contender(tmp_path: Path) -> None:
    """A second, dearer endpoint of the winner is no rival of it."""
    line = "twice,deepinfra,deepinfra,other,llama-3.3-70b-instruct,,,0.24,,,0.41,,,,,,,128000,,,,US,,2026-11-01,month,2026-11-01,,,litellm,"
    header = (FROZEN / "api_prices.csv").read_text(encoding="utf-8").partition("\n")[0]
    found = sensitivity(frozen_catalog(write(tmp_path, {"api_prices.csv": f"{header}\n{line}\n"})), DAILY, Limits(where=("api",)))
    assert found.winner is not None
    names = [found.winner.offer.provider, *(one.option.provider for one in found.to_win)]
    assert len(names) == len(set(names)) > 1


def test_a_single_contender(frozen: Catalog) -> None:
    found = sensitivity(frozen, Workload(model="8b", concurrency=4), Limits(owned="h100:8"))
    assert found.status == "ok"
    assert (found.runner_up, found.to_win) == (None, ())
    assert {one.flips_at for one in found.inputs} == {None}
    assert "price" not in {one.input for one in found.inputs}, "what is paid for has none"


def test_nothing_fits(frozen: Catalog) -> None:
    found = sensitivity(frozen, QUIET, Limits(ttft_s=1e-6))
    assert (found.status, found.winner, found.inputs, found.to_win) == ("nothing_fits", None, (), ())


def test_two_at_the_same_price(tmp_path: Path) -> None:
    """Azure at the prices of DeepInfra: a factor of one, and the least rise of the price loses."""
    catalog = with_cells(tmp_path, "api_prices.csv", "azure-ai-llama-3.3-70b-instruct", input_per_mtok=0.23, output_per_mtok=0.4)
    found = sensitivity(catalog, DAILY, Limits(where=("api",)))
    assert found.runner_up is not None
    assert found.to_win[0].throughput_factor == pytest.approx(1.0)
    assert swing(found, "price").flips_at == pytest.approx(swing(found, "price").base)


def needs(found: SensitivityAnswer) -> ToWin:
    return found.to_win[0]


@pytest.mark.parametrize(
    ("name", "accelerator", "provider"),
    [
        ("h100", "h100-sxm", "runpod"),
        ("H100-SXM", "h100-sxm", "runpod"),
        ("aws", "h100-sxm", "aws"),
        ("aws-p5.48xlarge-us-east-1", "h100-sxm", "aws"),
        ("aws-p5.48xlarge-ap-northeast-1", "h100-sxm", "aws"),
        ("ovhcloud", "not published", "ovhcloud"),
    ],
)
def test_an_option_by_any_of_its_names_comes_first(frozen: Catalog, name: str, accelerator: str, provider: str) -> None:
    limits = Limits(where=("cloud", "api"))
    one = needs(sensitivity(frozen, QUIET, limits, option=name))
    assert (one.option.accelerator, one.option.provider) == (accelerator, provider)
    if name.startswith("aws-p5"):
        assert one.option.id == name


def test_the_winner_needs_nothing(frozen: Catalog, quiet: SensitivityAnswer) -> None:
    assert sensitivity(frozen, QUIET, option="buy-8x-h100-sxm-hgx-server").to_win == quiet.to_win


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("runpodd", "Did you mean runpod"),
        ("l4", "l4: nothing of that kind meets the limits at a known price; `advisor compare l4`"),
        ("no such thing", "nothing called 'no such thing' meets the limits"),
    ],
)
def test_an_option_out_of_the_running(frozen: Catalog, name: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        sensitivity(frozen, QUIET, Limits(accelerator=Choice(keep=("h100-sxm", "mi300x"))), option=name)
    assert message in str(error.value)


# -- the document


def test_inputs_are_sorted_by_their_swing(quiet: SensitivityAnswer) -> None:
    widths = [
        abs(one.usd_per_mtok_at_low - one.usd_per_mtok_at_high)
        for one in quiet.inputs
        if one.usd_per_mtok_at_low is not None and one.usd_per_mtok_at_high is not None
    ]
    assert widths == sorted(widths, reverse=True)
    names = {one.input for one in quiet.inputs}
    assert {"price", "utilisation_default", "input_tokens", "output_tokens", "electricity_usd_per_kwh", "commit"} <= names
    assert len(names) == len(quiet.inputs)


def test_json_has_no_infinity(frozen: Catalog) -> None:
    for workload in (QUIET, DAILY, Workload(model="8b", tokens_per_day=1.0), Workload(model="8b", tokens_per_day=1e14)):
        json.loads(sensitivity(frozen, workload).model_dump_json(by_alias=True), parse_constant=pytest.fail)


def test_progress_is_told(frozen: Catalog) -> None:
    told: list[tuple[int, int]] = []
    tell: Callable[[int, int], None] = lambda done, of: told.append((done, of))  # noqa: E731
    sensitivity(frozen, QUIET, MACHINES, progress=tell)
    assert told == [(done, len(told)) for done in range(len(told))]
    assert told


def test_a_reasoning_model_keeps_its_thinking(frozen: Catalog) -> None:
    """Answers cannot become shorter than what is thought: 2,000 of 2,300 tokens."""
    found = sensitivity(frozen, replace(QUIET, output_tokens=2300, reasoning_tokens=2000))
    one = swing(found, "output_tokens")
    assert (one.low, one.base) == (2001.0, 2300.0)
