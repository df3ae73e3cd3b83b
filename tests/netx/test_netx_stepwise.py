"""Neurons with a batch norm per timestep: what they accept, what cannot carry them, and their equations by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lava_mlsnn import energy, loihi2, netx, proc, sim
from lava_mlsnn.netx import Connection, Dense, Input, Layer, NetGraph, Rescale, SoftLIF, problems


def graph(neuron, steps=2, weight=1):
    dense = Connection("input", Dense(np.full((1, 1), weight)))
    return NetGraph(Input((1, 1, 1)), (Layer("a", (dense,), (1, 1, 1), neuron),), steps)


def neuron(**changes):
    return SoftLIF(**{"scale": [[3, 5]], "shift": [1], "offset": [[0, -4]], "threshold": 10, "dv": 1024} | changes)


def test_by_hand():
    """a = 6: x is 9 then 15 - 4 = 11; H is 9, then 9 * 3072 / 4096 = 6.75 -> 6 and 6 + 11 = 17, which fires."""
    run = sim.run(graph(neuron(amplitude=7)), np.full((1, 1, 1, 1), 6), trace=True)
    assert run.trace["a"].ravel().tolist() == [0, 7]
    small = Rescale([[3, 5]], [2], [[0, -4]], limit=4)
    run = sim.run(graph(small), np.full((1, 1, 1, 1), 6), trace=True)
    assert run.trace["a"].ravel().tolist() == [4, 4], "18 / 4 = 4.5 rounds up and is clipped; 30 / 4 - 4 = 4 (3.5 up)"


def test_the_comparison_is_strict_and_the_decay_rounds_to_zero():
    steady = neuron(scale=[[1]], shift=[0], offset=[[0]])
    run = sim.run(graph(steady), np.array([10, 11]).reshape(2, 1, 1, 1), trace=True)
    assert run.trace["a"][:, 0, 0, 0, 0].tolist() == [0, 1]
    falling = neuron(scale=[[1]], shift=[0], offset=[[-5]])
    state = {"v": np.full((1, 1, 1), -3, np.int32)}
    _, after = sim.reference.step(falling, state, np.zeros((1, 1, 1), np.int32))
    assert after["v"].item() == -2 - 5


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"scale": [[2**15]]}, "soft_lif scale: expected -32767"),
        ({"shift": [32]}, "soft_lif shift"),
        ({"shift": [1, 2]}, "expected scale"),
        ({"dv": 4097}, "soft_lif dv"),
        ({"amplitude": 0}, "soft_lif amplitude"),
        ({"threshold": 0}, "threshold"),
    ],
)
def test_refused(change, what):
    with pytest.raises(ValueError, match=what):
        neuron(**change)


def test_parameters_have_to_fit_the_layer():
    with pytest.raises(ValueError, match="layer 'a': soft_lif scale of 2 steps: expected 1 or T = 3"):
        graph(neuron(), steps=3)
    with pytest.raises(ValueError, match="layer 'a': a soft_lif neuron with parameters of 2 channels, expected 1"):
        graph(neuron(scale=[[1], [2]], shift=[0, 0], offset=[[0], [0]]))
    layer = graph(neuron()).layers[0]
    with pytest.raises(ValueError, match="a soft_lif neuron has no bias"):
        Layer("a", layer.connections, layer.shape, layer.neuron, np.array([1]))


def test_equal_columns_have_one_form():
    same = neuron(scale=[[3, 3]], offset=[[1, 1]])
    assert same.scale.shape == same.offset.shape == (1, 1) and same == neuron(scale=[[3]], offset=[[1]])


def test_bounds_contain_and_meet_what_happens():
    strong = graph(neuron(scale=[[127]], shift=[0], offset=[[5]], threshold=100), steps=9, weight=3)
    largest, v = 0, 0
    for _ in range(9):
        h = (v * 3072 >> 12) + 127 * 3 * 255 + 5
        largest, v = max(largest, h), h - 100
    limits = netx.bounds(strong)["a"]
    assert largest <= limits.membrane.high[0] <= largest + 9
    assert problems(strong) == []
    assert "membrane can reach" in problems(graph(neuron(scale=[[32767]], shift=[0], offset=[[0]])))[0]


def test_what_cannot_carry_them_says_so(tmp_path):
    pytest.importorskip("nir")
    with pytest.raises(ValueError, match="soft_lif"):
        netx.lower(graph(neuron(scale=[[1]], offset=[[0]]), steps=1))
    with pytest.raises(ValueError, match="soft_lif"):
        netx.to_nir(graph(neuron()), tmp_path / "x.nir")


def test_leak_costs_energy_and_tables_take_memory():
    images = np.full((2, 1, 1, 1), 9)
    leaky, still = graph(neuron()), graph(neuron(dv=0))
    costs = [energy.estimate(g, sim.run(g, images).activity).total for g in (leaky, still)]
    assert costs[0] > costs[1]
    words = [loihi2.fit(g).layers[0].part.state_words for g in (leaky, graph(neuron(scale=[[3]], offset=[[0]])))]
    assert words[0] - words[1] == 2, "one more column of a mantissa and an offset"


def test_a_process_of_its_own_counts_steps_from_its_resets():
    lif = proc.SoftLIF(shape=(1,), neuron=neuron(), period=2, reset_interval=4)
    assert lif.v.shape == (1,) and lif.dv.init.tolist() == [1024]
    with pytest.raises(ValueError, match="expected 1 or T = 3"):
        proc.SoftLIF(shape=(1,), neuron=neuron(), period=3)
    with pytest.raises(ValueError, match="expected 5"):
        proc.Rescale(shape=(5,), neuron=Rescale([[1]], [0], [[0]]), period=1)
