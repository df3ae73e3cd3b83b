"""A run configuration without a tag gives the integers of the network, or an error: never other numbers."""

from __future__ import annotations

import numpy as np
import pytest
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg

from lava_mlsnn import netx, proc, sim
from lava_mlsnn.netx import LIF, Connection, Dense, Input, Layer, MultiLevel, NetGraph, Neuron, Readout

IMAGES = np.random.default_rng(0).integers(0, 32, (3, 4, 1, 1))


def net(neuron: Neuron) -> NetGraph:
    rng = np.random.default_rng(1)
    hidden = Layer("hidden", (Connection("input", Dense(rng.integers(-9, 9, (5, 4)))),), (5, 1, 1), neuron)
    out = Layer("out", (Connection("hidden", Dense(rng.integers(-9, 9, (3, 5)))),), (3, 1, 1), Readout())
    return netx.NetGraph(Input((4, 1, 1), bits=5), (hidden, out), timesteps=2)


@pytest.mark.parametrize("neuron", [MultiLevel(4, 8), LIF(vth=1)], ids=["own", "stock"])
def test_models_of_floats_are_refused(neuron: Neuron) -> None:
    graph = net(neuron)
    fused = proc.simulate(graph, IMAGES, fused=True, run_cfg=Loihi2SimCfg())
    assert (fused.output == sim.run(graph, IMAGES).output).all()
    with pytest.raises(ValueError, match=r"expected run_cfg=proc\.SimCfg\(\)"):
        proc.simulate(graph, IMAGES, fused=False, run_cfg=Loihi2SimCfg())
    layers = proc.simulate(graph, IMAGES, fused=False, run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    assert (layers.output == fused.output).all()


def test_a_network_that_is_run_by_itself_is_looked_at_too() -> None:
    network = proc.Network(net(MultiLevel(4, 8)), fused=False)
    with pytest.raises(ValueError, match=r"layer 'hidden': the run configuration chose .*floats"):
        network.run(condition=RunSteps(num_steps=1), run_cfg=Loihi2SimCfg())
