"""The neuron that stands for those of other libraries: its kernels equal its reference, and that the equations."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from lava_mlsnn import netx, sim
from lava_mlsnn.graph.neurons.leak import rounded_leak
from lava_mlsnn.netx import Connection, CubaLIF, Identity, Input, Layer, NetGraph, Readout

VARIANTS = [
    {"strict": strict, "hard": hard, "reset": reset, "levels": levels}
    for strict, hard, reset, levels in product((False, True), (False, True), ("same", "next", "owed"), (1, 3, 1000))
    if not (hard and reset == "owed")
]


def population(neuron, bias=None, steps=12):
    layer = Layer("a", (Connection("input", Identity()),), (5, 2, 1), neuron, bias)
    return NetGraph(Input((5, 2, 1), bits=9, signed=True), (layer,), steps)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: "-".join(map(str, v.values())))
@pytest.mark.parametrize("seed", range(3))
def test_kernels_equal_the_reference(variant, seed):
    rng = np.random.default_rng(seed)
    du, du_bits = rounded_leak(rng.choice([[1.0] * 5, rng.random(5)]))
    dv, dv_bits = rounded_leak(rng.choice([[0.0] * 5, rng.random(5)]))
    floor = rng.choice([-(2**31), -40])
    neuron = CubaLIF(
        rng.integers(1, 300, 5), du, dv, du_bits, dv_bits, int(rng.integers(1, 5)), **variant,
        v_reset=rng.integers(-9, 9, 5), drive=rng.integers(-9, 9, 5), floor=np.array(floor), leaks_input=bool(seed % 2),
    )  # fmt: skip
    graph = population(neuron, rng.integers(-20, 20, 5))
    images = rng.integers(-200, 256, (6, 5, 2, 1, 12))
    fast, slow = (sim.run(graph, images, trace=True, engine=engine) for engine in ("fast", "reference"))
    np.testing.assert_array_equal(fast.trace["a"], slow.trace["a"])
    assert len(np.unique(slow.trace["a"])) > 1
    limits, state = netx.bounds(graph)["a"], neuron.initial_state((6, 5, 2, 1))
    for t in range(12):
        spikes, state = neuron.step(state, images[..., t], graph["a"].bias, t=t)
        np.testing.assert_array_equal(spikes, slow.trace["a"][..., t])
        for register in state.values():
            by_channel = np.moveaxis(register, 1, 0).reshape(5, -1)
            assert (by_channel.min(axis=1) >= limits.membrane.low).all()
            assert (by_channel.max(axis=1) <= limits.membrane.high).all()
        assert (spikes.max(axis=(0, 2, 3)) <= limits.message.high).all()


def test_next_and_owed_are_snntorchs_resets():
    """``reset_delay`` of snn.Leaky, step by step, with a leak and values that floats hold exactly."""
    torch, snn = pytest.importorskip("torch"), pytest.importorskip("snntorch")
    x = np.random.default_rng(0).integers(-8, 40, (4, 10, 1, 1, 9))
    for reset, delay in (("next", True), ("owed", False)):
        cell = snn.Leaky(beta=0.5, threshold=16.0, reset_mechanism="subtract", reset_delay=delay)
        mem, want = cell.reset_mem(), []
        for t in range(9):
            spikes, mem = cell(torch.tensor(x[..., t]).float(), mem)
            want.append(spikes.numpy())
        neuron = CubaLIF(16 << 10, dv=1, dv_bits=1, gain=1 << 10, strict=True, reset=reset)
        layer = Layer("a", (Connection("input", Identity()),), (10, 1, 1), neuron)
        graph = NetGraph(Input((10, 1, 1), bits=7, signed=True), (layer,), 9)
        found = sim.run(graph, x, trace=True).trace["a"]
        np.testing.assert_array_equal(found, np.stack(want, axis=-1))
        assert found.any() and not found.all()


@pytest.mark.parametrize("seed", range(3))
def test_a_leaky_readout_is_the_equation(seed):
    rng = np.random.default_rng(seed)
    leak = rng.choice([0.1, 0.2, 0.5], 5)
    dv, bits = rounded_leak(leak)
    graph = population(Readout(dv=dv, dv_bits=bits, shift=12), rng.integers(-5000, 5000, 5))
    images = rng.integers(-200, 256, (6, 5, 2, 1, 12))
    run = sim.run(graph, images, trace=True)
    v = np.zeros((6, 5, 2, 1))
    for t in range(12):
        v = v * (1 - leak.reshape(5, 1, 1)) + images[..., t] * 4096 + graph["a"].bias.reshape(5, 1, 1)
        assert np.abs(run.trace["a"][..., t] - v).max() < 6 + 1e-5 * np.abs(v).max()
    np.testing.assert_array_equal(run.output.ravel(), run.trace["a"][..., -1].ravel())
    reference = sim.run(graph, images, trace=True, engine="reference")
    np.testing.assert_array_equal(run.trace["a"], reference.trace["a"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CubaLIF(0), "cuba_lif threshold|threshold: expected integers >= 1"),
        (lambda: CubaLIF(5, dv=3, dv_bits=1), r"cuba_lif dv: expected at most 2\*\*1, got 3"),
        (lambda: CubaLIF(5, dv=-1), "cuba_lif dv: expected integers in 0 .. 8388607, got -1"),
        (lambda: CubaLIF(5, hard=True, reset="owed"), "a hard reset owes nothing"),
        (lambda: CubaLIF(5, reset="later"), "cuba_lif reset: expected one of"),
        (lambda: Readout(dv=3, dv_bits=1), r"readout dv: expected at most 2\*\*1"),
        (lambda: population(CubaLIF([5, 6])), "layer 'a': a cuba_lif neuron with threshold of 2 channels"),
    ],
)
def test_wrong_parameters_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
