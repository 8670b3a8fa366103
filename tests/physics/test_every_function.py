"""Every public function of the serving physics is called on numbers that carry their dimension, and on arrays.

A function without an entry in the table fails. So does one that would accept bytes for bytes/s: each argument in turn is given an
alien unit, which must raise or show in the result.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from dimensions import BYTE, FLOP, REQUEST, TOKEN, USD, DimensionError, Quantity, S, W, amount
from infra_advisor.physics import collectives, cost, energy, memory, roofline, scaling, serving, speculation

MODULES = (roofline, collectives, memory, serving, speculation, scaling, energy, cost)

# Money is counted by the hour; seconds would need the constants that the functions contain.
H = Quantity(1.0, {"h": Fraction(1)})
G = Quantity(1.0, {"g": Fraction(1)})
ALIEN = Quantity(1.0, {"alien": Fraction(1)})
SCALES = (1.0, 0.5, 1.7)


@dataclass(frozen=True)
class Case:
    """Arguments with their units, and the unit of the result, or of each part of it."""

    call: Callable[..., Any]
    arguments: Mapping[str, Any]
    unit: Any
    """1 for a pure number; a mapping where the result is a record."""


def step(batch: Any) -> Any:
    """A decode step. [s]"""
    return 0.01 + 0.001 * batch


LINK = {"link_bytes_per_s": 2e11 * BYTE / S, "hop_s": 6e-6 * S}
STATE = {
    "tpot_s": 0.01 * S, "ttft_s": 0.5 * S, "running": 7.0, "step_s": 0.009 * S, "queue_s": 0.1 * S, "admission_s": 0.0 * S,
    "prefill_load": 0.4, "in_flight": 8.0 * REQUEST,
}  # fmt: skip
SERVED = serving.Served(**STATE)
CASES: dict[str, Case] = {
    "roofline.roofline_s": Case(
        roofline.roofline_s,
        {"moved_bytes": 3e9 * BYTE, "flop": 2e12 * FLOP, "bytes_per_s": 3e12 * BYTE / S, "flop_per_s": 9e14 * FLOP / S, "sharpness": 1.2},
        S,
    ),
    "roofline.compute_fill": Case(roofline.compute_fill, {"rows": 40 * TOKEN, "half_rows": 20 * TOKEN, "least": 0.05}, 1),
    "roofline.ridge_flop_per_byte": Case(
        roofline.ridge_flop_per_byte, {"flop_per_s": 9e14 * FLOP / S, "bytes_per_s": 3e12 * BYTE / S}, FLOP / BYTE
    ),
    "collectives.all_reduce_s": Case(collectives.all_reduce_s, {"message_bytes": 1e6 * BYTE, "ranks": 8.0, **LINK}, S),
    "collectives.remote_ranks": Case(collectives.remote_ranks, {"ranks": 8.0, "experts_per_token": 6.0}, 1),
    "collectives.all_to_all_s": Case(
        collectives.all_to_all_s,
        {"tokens_per_rank": 100 * TOKEN, "token_bytes": 8192 * BYTE / TOKEN, "ranks": 8.0, "experts_per_token": 6.0, **LINK},
        S,
    ),
    "collectives.pipeline_hops_s": Case(collectives.pipeline_hops_s, {"message_bytes": 1e6 * BYTE, "stages": 4.0, **LINK}, S),
    "memory.usable_bytes": Case(memory.usable_bytes, {"memory_bytes": 8e10 * BYTE, "reserve_bytes": 3e9 * BYTE, "engine_share": 0.9}, BYTE),
    "memory.activation_bytes": Case(
        memory.activation_bytes, {"tokens_per_pass": 2048 * TOKEN, "widest_row": 32768.0, "element_bytes": 2 * BYTE / TOKEN}, BYTE
    ),
    "memory.most_sequences": Case(memory.most_sequences, {"pool_bytes": 3e10 * BYTE, "sequence_bytes": 4e8 * BYTE}, 1),
    "memory.typical_tokens_held": Case(memory.typical_tokens_held, {"input_tokens": 1000 * TOKEN, "output_tokens": 300 * TOKEN}, TOKEN),
    "serving.serve": Case(
        serving.serve,
        {
            "in_flight": 8.0, "most_running": 6.0, "output_tokens": 300.0, "decode_step_s": lambda batch: step(batch) * S,
            "prompt_alone_s": 0.2 * S, "prompt_share_s": 0.15 * S, "prompt_stall_s": 0.1 * S, "frontend_s": 0.03 * S, "queue_weight": 0.5,
            "rank_wait_steps": 3.0, "never_met": 1.0,
        },
        {
            "tpot_s": S, "ttft_s": S, "running": 1, "step_s": S, "queue_s": S, "admission_s": S, "prefill_load": 1, "in_flight": 1,
        },
    ),
    "serving.Served.request_s": Case(lambda output_tokens: SERVED.request_s(output_tokens), {"output_tokens": 300.0}, S),
    "serving.Served.output_tokens_per_s": Case(
        lambda output_tokens: SERVED.output_tokens_per_s(output_tokens), {"output_tokens": 300.0}, REQUEST / S
    ),
    "serving.waiting_quantile_s": Case(serving.waiting_quantile_s, {"mean_wait_s": 4 * S, "busy_share": 0.8, "quantile": 0.95}, S),
    "speculation.tokens_per_step": Case(speculation.tokens_per_step, {"draft_tokens": 3.0, "acceptance": 0.7}, 1),
    "scaling.on_off": Case(
        scaling.on_off,
        {"requests_per_s": 0.002 / S, "idle_s": 900 * S, "start_s": 420 * S},
        {"on_share": 1, "late_share": 1, "starts_per_s": 1 / S},
    ),
    "energy.accelerator_draw_w": Case(
        energy.accelerator_draw_w,
        {
            "rated_w": 700 * W, "serving_share": 0.9, "kernel_share": 0.6, "compute_share": 0.1, "idle_level": 0.2, "serving_level": 0.3,
            "kernel_gain": 0.3, "compute_gain": 0.5,
        },
        W,
    ),
    "energy.serving_share": Case(energy.serving_share, {"in_flight": 2.0}, 1),
    "energy.wall_power_w": Case(energy.wall_power_w, {"accelerators_w": 4000 * W, "host_w": 2000 * W, "facility_overhead": 1.4}, W),
    "energy.tokens_per_joule": Case(
        energy.tokens_per_joule, {"output_tokens_per_s": 2000 * TOKEN / S, "power_w": 7000 * W}, TOKEN / (W * S)
    ),
    "energy.kwh_per_mtok": Case(energy.kwh_per_mtok, {"tokens_per_joule": 0.25 * TOKEN / (W * S)}, W * S / TOKEN),
    "energy.gco2e_per_mtok": Case(
        energy.gco2e_per_mtok, {"kwh_per_mtok": 1.1 * W * S / TOKEN, "gco2e_per_kwh": 450 * G / (W * S)}, G / TOKEN
    ),
    "cost.annuity_share": Case(cost.annuity_share, {"years": 3.0, "capital_rate": 0.05}, 1),
    "cost.write_off_usd_per_month": Case(cost.write_off_usd_per_month, {"price_usd": 3e5 * USD, "years": 3.0}, USD),
    "cost.capital_usd_per_month": Case(
        cost.capital_usd_per_month, {"price_usd": 3e5 * USD, "residual_usd": 6e4 * USD, "years": 3.0, "capital_rate": 0.05}, USD
    ),
    "cost.usd_per_mtok": Case(cost.usd_per_mtok, {"usd_per_h": 10 * USD / H, "tokens_per_s": 2000 * TOKEN / S}, USD / H / (TOKEN / S)),
}  # fmt: skip


def public_functions() -> list[str]:
    """Functions that the modules define, and methods of their classes."""
    found = []
    for module in MODULES:
        room = module.__name__.rsplit(".", 1)[-1]
        for name, thing in vars(module).items():
            if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
                continue
            if inspect.isclass(thing):
                methods = [method for method, value in vars(thing).items() if inspect.isfunction(value) and not method.startswith("_")]
                found += [f"{room}.{name}.{method}" for method in methods]
            elif inspect.isfunction(thing):
                found.append(f"{room}.{name}")
    return found


def parts(result: Any, unit: Any) -> dict[str, tuple[Any, Any]]:
    """(value, unit) by name; of a plain result under the empty name."""
    return {name: (getattr(result, name), each) for name, each in unit.items()} if isinstance(unit, Mapping) else {"": (result, unit)}


def plain(argument: Any) -> Any:
    """The argument without its unit."""
    if isinstance(argument, Quantity):
        return argument.value
    return step if callable(argument) else argument


def in_unit(case: Case, arguments: Mapping[str, Any]) -> dict[str, float]:
    """The result in its units; raises DimensionError where it is of other ones."""
    return {name: amount(value, unit) for name, (value, unit) in parts(case.call(**arguments), case.unit).items()}


def test_the_table_names_every_public_function() -> None:
    assert sorted(CASES) == sorted(public_functions())


@pytest.mark.parametrize("name", CASES)
def test_every_argument_is_given(name: str) -> None:
    assert list(inspect.signature(CASES[name].call).parameters) == list(CASES[name].arguments)


@pytest.mark.parametrize("name", CASES)
def test_result_has_its_unit_and_the_value_of_plain_floats(name: str) -> None:
    """`Served` itself is a record of what it was given, so its methods are compared on units alone."""
    case = CASES[name]
    found = in_unit(case, case.arguments)
    assert all(np.isfinite(value) for value in found.values())
    if ".Served." not in name:
        floats = case.call(**{key: plain(argument) for key, argument in case.arguments.items()})
        assert found == {key: pytest.approx(value) for key, (value, _) in parts(floats, case.unit).items()}


MISUSES = [(name, argument) for name, case in CASES.items() for argument in case.arguments]


@pytest.mark.parametrize(("name", "argument"), MISUSES, ids=[f"{name}-{argument}" for name, argument in MISUSES])
def test_a_wrong_unit_is_noticed(name: str, argument: str) -> None:
    case = CASES[name]
    given = case.arguments[argument]
    alien = (lambda batch: given(batch) * ALIEN) if callable(given) else given * ALIEN
    with pytest.raises(DimensionError):
        in_unit(case, {**case.arguments, argument: alien})


def test_bytes_do_not_add_to_bytes_per_second() -> None:
    """The mistake this file exists for: a rate where a size belongs."""
    with pytest.raises(DimensionError, match="byte"):
        memory.usable_bytes(memory_bytes=8e10 * BYTE, reserve_bytes=3e9 * BYTE / S, engine_share=0.9)
    with pytest.raises(DimensionError, match="s"):
        roofline.roofline_s(moved_bytes=3e9 * BYTE, flop=2e12 * FLOP, bytes_per_s=3e12 * BYTE, flop_per_s=9e14 * FLOP / S, sharpness=1.2)


@pytest.mark.parametrize("name", [name for name in CASES if ".Served." not in name])
def test_array_equals_scalars(name: str) -> None:
    """All numbers vary together and one by one; element k of the array result is the result of the k-th scalars."""
    case = CASES[name]
    floats = {key: plain(argument) for key, argument in case.arguments.items()}
    numbers = [key for key, argument in floats.items() if not callable(argument)]
    vectors = [{key: [floats[key] * scale for scale in SCALES] for key in numbers}]
    vectors += [{key: [floats[key] * (scale if key == one else 1.0) for scale in SCALES] for key in numbers} for one in numbers]
    for vector in vectors:
        together = parts(case.call(**{**floats, **{key: np.array(values) for key, values in vector.items()}}), case.unit)
        for place in range(len(SCALES)):
            alone = parts(case.call(**{**floats, **{key: values[place] for key, values in vector.items()}}), case.unit)
            for part, (value, _) in alone.items():
                assert isinstance(value, float)
                assert together[part][0][place] == pytest.approx(value, rel=1e-12, abs=1e-300), part


@pytest.mark.parametrize("method", ["request_s", "output_tokens_per_s"])
def test_array_equals_scalars_of_a_steady_state(method: str) -> None:
    state = {key: plain(value) for key, value in STATE.items()}
    together = getattr(serving.Served(**{key: np.array(SCALES) * value for key, value in state.items()}), method)(300.0)
    for place, scale in enumerate(SCALES):
        alone = getattr(serving.Served(**{key: scale * value for key, value in state.items()}), method)(300.0)
        assert together[place] == pytest.approx(alone, rel=1e-12)
