"""One set of validators: the same wrong values are refused, in the same words, wherever a number is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import lava_mlsnn as ml
from lava_mlsnn.data import integration, split
from lava_mlsnn.energy import horowitz, lemaire
from lava_mlsnn.helpers.check import choice, finite, flag, int_array, integer, positive_ints
from lava_mlsnn.neuron import functional
from lava_mlsnn.train.sweep import Sweep
from lava_mlsnn.train.sweep import run as sweep

NO_NUMBERS = (True, False, np.True_, "3", b"3", None, [3], [[1], [2, 3]], {}, 1j, object(), torch.ones(2))
NOT_FINITE = (float("nan"), float("inf"), -float("inf"), np.float32("nan"))


@pytest.mark.parametrize("value", [*NO_NUMBERS, *NOT_FINITE, 2.5, np.float64(0.5), 0, -1, 7, 7.0, 10**30, 1e300])
def test_what_is_no_integer(value: Any) -> None:
    expected = f"^{re.escape(f'batch: expected an integer in 1 .. 6, got {value!r}')}$"
    with pytest.raises(ValueError, match=expected):
        integer(value, "batch", 1, 6)


@pytest.mark.parametrize("value", [3, 3.0, np.int8(3), np.uint64(3), np.float32(3), np.array(3), torch.tensor(3)])
def test_what_is_an_integer(value: Any) -> None:
    found = integer(value, "batch", 1, 6)
    assert found == 3 and type(found) is int


def test_limits_of_integers() -> None:
    assert integer(-(10**30), "x") == -(10**30) and integer(10**30, "x", 0) == 10**30
    assert integer(np.uint64(2**64 - 1), "x") == 2**64 - 1 and integer(np.int64(-(2**63)), "x") == -(2**63)
    with pytest.raises(ValueError, match=r"^x: expected an integer >= 0, got -1$"):
        integer(-1, "x", 0)
    with pytest.raises(ValueError, match=r"^x: expected an integer, got 0\.5$"):
        integer(0.5, "x")


@pytest.mark.parametrize("value", [*NO_NUMBERS, *NOT_FINITE, 0, -0.0, -1e-9, 2])
def test_what_is_no_finite_number(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^scale: expected a finite number > 0 and <= 1, got "):
        finite(value, "scale", positive=True, high=1)


def test_limits_of_finite_numbers() -> None:
    assert finite(0, "x", low=0) == 0.0 and finite(1, "x", low=0, high=1) == 1.0 and finite(-3, "x") == -3.0
    assert all(type(finite(value, "x")) is float for value in (1, 0.5, np.float32(0.5), torch.tensor(0.5)))
    with pytest.raises(ValueError, match=r"^x: expected a finite number >= 0 and < 1, got 1$"):
        finite(1, "x", low=0, below=1)
    with pytest.raises(ValueError, match=r"^x: expected a finite number, got 'x'$"):
        finite("x", "x")


@pytest.mark.parametrize("value", ["yes", "", 2, -1, 0.0, 1.0, None, [True], np.ones(2, bool), float("nan")])
def test_what_is_no_flag(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^signed: expected True or False, got "):
        flag(value, "signed")


def test_flags() -> None:
    assert [flag(v, "x") for v in (True, np.False_, 1, np.int8(0))] == [True, False, True, False]


NO_PAIRS = (True, "3", None, {3: 3, 4: 4}, 2.5, [2, True], [2, "3"], [2, 2.5], [2, 0], [2], [1, 2, 3])


@pytest.mark.parametrize("value", [*NO_PAIRS, [[1, 2], [3, 4]], [[1], [2, 3]], np.array([True, False]), float("nan")])
def test_what_are_no_two_integers(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^stride: expected 2 integers >= 1, got "):
        positive_ints(value, "stride", 2)


def test_tuples_of_integers() -> None:
    assert positive_ints(2, "x", 2) == (2, 2) and positive_ints(np.array([1, 2]), "x", 2) == (1, 2)
    assert positive_ints([], "x") == () and positive_ints((1.0, np.int8(2), 3), "x") == (1, 2, 3)
    assert positive_ints(0, "x", 1, 0) == (0,)
    with pytest.raises(ValueError, match=r"^x: expected integers >= 1, got \(3, 0\)$"):
        positive_ints((3, 0), "x")
    with pytest.raises(ValueError, match=r"^x: expected an integer >= 1, got '3'$"):
        positive_ints("3", "x", 1)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([True, False], "weight: expected integers, got dtype bool"),
        (["3"], "weight: expected integers, got dtype <U1"),
        ([1, 2.5], "weight: expected integers, found 2.5"),
        ([1, float("nan")], "weight: expected integers, found a value that is not finite"),
        ([2**31], "weight: expected 32-bit integers, found 2147483648 .. 2147483648"),
        ([[1], [2, 3]], "weight: expected an array of integers, got [[1], [2, 3]]"),
        ([10**30], "weight: expected integers, got dtype object"),
        (3, "weight: expected 1 or 2 dimensions, got shape ()"),
    ],
)
def test_what_is_no_array_of_integers(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        int_array(value, "weight", (1, 2))


@pytest.mark.parametrize("value", ["Sum", "", None, 3, True, ["sum"], np.array(["sum", "max"])])
def test_what_is_no_choice(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^mode: expected one of sum, max, got "):
        choice(value, "mode", ("sum", "max"))


GRAPH = ml.netx.NetGraph(
    ml.netx.Input((2, 1, 1)),
    (ml.netx.Layer("out", (ml.netx.Connection("input", ml.netx.Dense(np.eye(2))),), (2, 1, 1), ml.netx.Readout()),),
)
IMAGES = np.zeros((1, 2, 1, 1), np.int64)
LAYER = {"kind": "dense", "in_shape": 4, "out_shape": 2, "events_in": 1}
RAMP = torch.linspace(0, 1, 5)

INTEGERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "model.create levels": ("levels", lambda v: ml.model.create("cnn", levels=v)),
    "model.create steps": ("steps", lambda v: ml.model.create("cnn", steps=v)),
    "model.create width": ("width", lambda v: ml.model.create("cnn", width=v)),
    "model.create blocks": ("blocks", lambda v: ml.model.create("sparse_resnet18", blocks=(1, v))),
    "neuron.MultiLevel": ("levels", lambda v: ml.neuron.MultiLevel(levels=v)),
    "neuron.Barrier": ("levels", lambda v: ml.neuron.Barrier(levels=v)),
    "neuron.ATIF": ("steps", lambda v: ml.neuron.ATIF(steps=v)),
    "functional.multilevel": ("levels", lambda v: functional.multilevel(RAMP, None, 1.0, v)),
    "block.Input": ("steps", lambda v: ml.block.Input((1, 8, 8), steps=v)),
    "block.Conv": ("kernel", lambda v: ml.block.Conv(1, 2, v)),
    "block.Dense": ("out_features", lambda v: ml.block.Dense(4, v)),
    "block.Window": ("window kernel", lambda v: ml.block.Window(1, 1, v, neuron=None)),
    "block.BNTT": ("steps", lambda v: ml.block.BNTT(2, v)),
    "block.Leaky": ("fraction", lambda v: ml.block.Leaky([ml.block.identity()], None, fraction=v)),
    "netx.quantize": ("weight_bits", lambda v: ml.netx.quantize(ml.model.create("mlp", in_shape=(1, 2, 2)), v)),
    "netx.MultiLevel": ("levels", lambda v: ml.netx.MultiLevel(v, 4)),
    "netx.Input": ("input bits", lambda v: ml.netx.Input((1, 8, 8), bits=v)),
    "netx.NetGraph": ("timesteps", lambda v: ml.netx.NetGraph(GRAPH.input, GRAPH.layers, v)),
    "sim.run": ("threads", lambda v: ml.sim.run(GRAPH, IMAGES, threads=v)),
    "sim.Stream": ("reset_interval", lambda v: ml.sim.Stream(GRAPH, reset_interval=v)),
    "energy.lemaire": ("steps", lambda v: lemaire.layer(**LAYER, steps=v)),
    "energy.lemaire bits": ("bits", lambda v: lemaire.layer(**LAYER, bits=v)),
    "energy.horowitz": ("steps", lambda v: horowitz.layer("dense", 4, 2, events_in=1, steps=v)),
    "loihi2.Chip": ("chip cores", lambda v: ml.loihi2.Chip(cores=v)),
    "train.Recipe epochs": ("epochs", lambda v: ml.train.Recipe(epochs=v)),
    "train.Recipe batch": ("batch", lambda v: ml.train.Recipe(batch=v)),
    "train.Machine": ("devices", lambda v: ml.train.Machine(devices=v)),
    "train.sweep": ("trials", lambda v: sweep(Sweep("cnn", {}, "digits", ml.train.Recipe()), v)),
    "data.events": ("steps", lambda v: integration.frames(integration.Events([0], [0], [0], [0]), v)),
    "analysis.lloyd_max": ("count", lambda v: ml.analysis.lloyd_max([1.0, 2.0], v)),
    "analysis.gaussian": ("count", lambda v: ml.analysis.gaussian(1.0, v)),
}
"""Public call -> (what its message names, the call with one wrong value)."""

NUMBERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "neuron.MultiLevel": ("threshold", lambda v: ml.neuron.MultiLevel(threshold=v)),
    "neuron.MultiLevel alpha": ("alpha", lambda v: ml.neuron.MultiLevel(alpha=v)),
    "neuron.ATIF": ("threshold", lambda v: ml.neuron.ATIF(threshold=v)),
    "functional.fire": ("threshold", lambda v: functional.fire(RAMP, None, v, 4)),
    "functional.fire alpha": ("alpha", lambda v: functional.fire(RAMP, None, 1.0, 4, alpha=v)),
    "neuron.Leak": ("leak", lambda v: ml.neuron.Leak(v)),
    "block.TdBN": ("threshold", lambda v: ml.block.TdBN(2, threshold=v)),
    "block.Input": ("input scale", lambda v: ml.block.Input((1, 8, 8), scale=v)),
    "netx.Readout": ("readout scale", lambda v: ml.netx.Readout(v)),
    "energy.lemaire": ("events_in", lambda v: lemaire.layer("dense", 4, 2, events_in=v)),
    "train.Optimizer": ("lr", lambda v: ml.train.Optimizer(lr=v)),
    "train.Recipe mixup": ("mixup", lambda v: ml.train.Recipe(mixup=v)),
    "train.Recipe clip": ("clip", lambda v: ml.train.Recipe(clip=v)),
    "data.split": ("split fraction", lambda v: split(np.zeros(10, np.int64), v, 0)),
    "analysis.sqnr": ("threshold", lambda v: ml.analysis.sqnr(ml.neuron.MultiLevel(), [0.5], threshold=v)),
}


@pytest.mark.parametrize("value", [True, 2.5, "3", float("nan"), [3, True]], ids=str)
@pytest.mark.parametrize("name", INTEGERS)
def test_public_calls_refuse_what_is_no_integer(name: str, value: Any) -> None:
    what, call = INTEGERS[name]
    with pytest.raises(ValueError, match=rf"{what}: expected (an integer|\d* ?integers)\b.*, got .*") as error:
        call(value)
    assert error.type is ValueError and repr(value) in str(error.value)


@pytest.mark.parametrize("value", [True, "3", float("nan"), float("inf"), -1, [0.5, 0.5]], ids=str)
@pytest.mark.parametrize("name", NUMBERS)
def test_public_calls_refuse_what_is_no_number(name: str, value: Any) -> None:
    what, call = NUMBERS[name]
    with pytest.raises(ValueError, match=rf"{what}: expected a finite number\b.*, got .*") as error:
        call(value)
    assert error.type is ValueError and repr(value) in str(error.value)
