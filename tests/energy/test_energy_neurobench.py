"""NeuroBench's metrics: by hand, with and without traces, and as the harness itself counts them in torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from strategies import Options, cases

from lava_mlsnn import energy, sim
from lava_mlsnn.netx import INPUT, Connection, Conv, Dense, Input, Layer, MultiLevel, NetGraph, Readout

PLAIN = Options(kinds=("multilevel", "barrier"), recurrent=False, injection=False, large=False)


def chain(levels: int = 1, steps: int = 2, bits: int = 1) -> NetGraph:
    kernel = np.zeros((2, 1, 3, 3), int)
    kernel[0], kernel[1, 0, 1, 1] = 1, 2
    conv, dense = Conv(kernel, padding=1), Dense([[1, 0, 0, 0, 0, 0, 0, 300]])
    return NetGraph(
        Input((1, 2, 2), bits=bits),
        (
            Layer("conv", (Connection(INPUT, conv),), (2, 2, 2), MultiLevel(levels, 2), bias=np.array([0, -1])),
            Layer("read", (Connection("conv", dense),), (1, 1, 1), Readout()),
        ),
        timesteps=steps,
    )


def test_by_hand() -> None:
    graph, images = chain(), np.array([1, 0, 0, 1]).reshape(1, 1, 2, 2)
    run = sim.run(graph, images, trace=True)
    found = energy.neurobench(graph, run, images)
    # channel 0 gets 2 in every step: four spikes, membranes stay 0; channel 1 gets 1, -1, -1, 1 and fires at two sites
    # in the second step, whose membranes go from 1 to 0, the others' from -1 to -2
    assert run.activity.events["conv"].tolist() == [4, 6]
    assert found.activation_sparsity == 1 - 10 / 16 and found.connection_sparsity == (8 + 6) / (18 + 8)
    assert found.dense == 2 * (2 * 16 + 8)  # each of the four corners has four of nine taps on the map
    assert found.effective_macs == 0
    assert found.effective_acs == 2 * 2 * (4 + 1) + (1 + 1 + 1)  # the dense layer reads the last site once
    assert found.membrane_updates == 8 + 4
    assert found.footprint == (18 + 2) * 1 + 8 * 2  # 300 wants two bytes
    assert energy.neurobench(graph, run, images, parameter_bytes=4).footprint == 4 * 28
    assert found.exact and found.samples == 1


def test_graded_spikes_and_analog_inputs_are_macs() -> None:
    images = np.full((1, 1, 2, 2), 3)
    graph = chain(levels=4, steps=1, bits=2)
    found = energy.neurobench(graph, sim.run(graph, images, trace=True), images)
    assert found.effective_acs == 0 and found.effective_macs == 4 * 5 + 2


def test_without_traces_the_mean_fan_out_stands_for_the_sites() -> None:
    graph, images = chain(), np.array([1, 0, 0, 1]).reshape(1, 1, 2, 2)
    run = sim.run(graph, images)
    for given_ in (run, run.activity):
        found = energy.neurobench(graph, given_)
        assert not found.exact and found.membrane_updates is None
        assert found.effective_acs == 2 * 2 * 5 + 10 * 2 / 8
    exact = energy.neurobench(graph, sim.run(graph, images, trace=True), images)
    for name in ("footprint", "connection_sparsity", "activation_sparsity", "dense"):
        assert getattr(found, name) == getattr(exact, name)


def test_what_does_not_fit_is_refused() -> None:
    graph, images = chain(), np.zeros((1, 1, 2, 2), int)
    run = sim.run(graph, images, trace=True)
    with pytest.raises(ValueError, match=r"images: expected shape \(1, 1, 2, 2\) or .*, got \(2, 1, 2, 2\)"):
        energy.neurobench(graph, run, np.zeros((2, 1, 2, 2), int))
    with pytest.raises(ValueError, match=r"run: expected a run with .activity, or an Activity, got int"):
        energy.neurobench(graph, 3)
    with pytest.raises(ValueError, match="activity of another network"):
        energy.neurobench(PLAIN_OTHER, run)


PLAIN_OTHER = NetGraph(Input((1, 1, 1)), (Layer("x", (Connection(INPUT, Dense([[1]])),), (1, 1, 1), Readout()),), 2)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases(PLAIN))
def test_the_harness_counts_the_same_in_torch(case: tuple[NetGraph, np.ndarray]) -> None:
    pytest.importorskip("neurobench")
    graph, images = case
    weighted = [c for layer in graph for c in layer.connections if c.synapse.kind in ("conv", "dense")]
    assume(weighted)
    run = sim.run(graph, images, trace=[INPUT, *(layer.name for layer in graph)])
    assume(not run.overflows)
    found, (theirs, buffers) = energy.neurobench(graph, run, parameter_bytes=8), harness(graph, run)
    ours = found.to_dict()
    assert found.exact
    assert ours["SynapticOperations"] == theirs["SynapticOperations"]
    assert ours["MembraneUpdates"] == theirs["MembraneUpdates"]
    assert ours["ActivationSparsity"] == pytest.approx(theirs["ActivationSparsity"], rel=1e-12)
    assert round(ours["ConnectionSparsity"], 4) == pytest.approx(theirs["ConnectionSparsity"], abs=1.01e-4)
    assert ours["Footprint"] == theirs["Footprint"] - buffers


def harness(graph: NetGraph, run: sim.Run) -> tuple[dict[str, Any], int]:
    """NeuroBench's results of the same integers in torch, all samples in one batch; bytes of the neurons' buffers."""
    import torch
    from neurobench.benchmarks import Benchmark
    from neurobench.metrics.static import ConnectionSparsity, Footprint
    from neurobench.metrics.workload import ActivationSparsity, MembraneUpdates, SynapticOperations
    from neurobench.models import SNNTorchModel

    net, neurons = torch_twin(graph)
    frames = torch.from_numpy(np.moveaxis(run.trace[INPUT], -1, 1).astype(np.float64))
    data = torch.utils.data.TensorDataset(frames, torch.zeros(len(frames)))
    loader = torch.utils.data.DataLoader(data, batch_size=len(frames))
    metrics = [[Footprint, ConnectionSparsity], [ActivationSparsity, SynapticOperations, MembraneUpdates]]
    with torch.no_grad():
        results = Benchmark(SNNTorchModel(net), loader, [], [], metrics).run(quiet=True)
    assert net.sent == {name: [int(n) for n in run.activity.events[name]] for name in net.sent}  # the same network
    return results, sum(b.numel() * b.element_size() for neuron in neurons for b in neuron.buffers())


def torch_twin(graph: NetGraph) -> tuple[Any, list[Any]]:
    """A torch network that computes with the graph's integers, as the harness wants it; and its neurons."""
    import torch
    from snntorch import SpikingNeuron
    from torch import nn

    class SoftReset(SpikingNeuron):
        def __init__(self, layer: Layer) -> None:
            super().__init__(init_hidden=True)
            self.levels, theta = layer.neuron.levels, getattr(layer.neuron, "threshold", np.array(1))
            self.theta = torch.tensor(theta.astype(float)).reshape(-1, 1, 1)
            self.mem = torch.zeros(1)

        def forward(self, current: Any) -> Any:
            charged = self.mem + current
            spikes = torch.clamp(torch.floor(charged / self.theta), 0, self.levels)
            self.mem = charged - self.theta * spikes
            return spikes

    def weighted(synapse: Any) -> nn.Module | None:
        if synapse.kind == "conv":
            channels = synapse.weight.shape[1] * synapse.groups, len(synapse.weight)
            geometry = (synapse.stride, synapse.padding, synapse.dilation, synapse.groups)
            module: Any = nn.Conv2d(*channels, synapse.weight.shape[2:], *geometry, bias=False)
        elif synapse.kind == "dense":
            module = nn.Linear(*synapse.weight.shape[::-1], bias=False)
        else:
            return None
        module.weight = nn.Parameter(torch.tensor(synapse.weight.astype(float)))
        return module

    class Twin(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.sent: dict[str, list[int]] = {}
            self.synapses, self.neurons, self.biases = nn.ModuleDict(), nn.ModuleDict(), nn.ParameterDict()
            for layer in graph:
                modules = [weighted(c.synapse) for c in layer.connections]
                self.synapses.update({f"{layer.name}-{i}": m for i, m in enumerate(modules) if m is not None})
                if layer.neuron.spiking:
                    self.neurons[layer.name], self.sent[layer.name] = SoftReset(layer), []
                if layer.bias is not None and layer.bias.ndim == 1 and modules[0] is not None:
                    modules[0].bias = nn.Parameter(torch.tensor(layer.bias.astype(float)))
                elif layer.bias is not None:
                    bias = torch.tensor(layer.bias.astype(float))
                    self.biases[layer.name] = bias.reshape(-1, 1, 1) if bias.ndim == 1 else bias

        def reset(self) -> None:
            for neuron in self.neurons.values():
                neuron.mem = torch.zeros(1)

        def current(self, key: str, synapse: Any, read: Any) -> Any:
            if key in self.synapses:
                dense = synapse.kind == "dense"
                out = self.synapses[key](read.flatten(1) if dense else read)
                return out[..., None, None] if dense else out
            if synapse.kind == "pool":
                area = synapse.kernel[0] * synapse.kernel[1]
                return nn.functional.avg_pool2d(read, synapse.kernel, synapse.stride) * area
            return torch.from_numpy(synapse.accumulate(read.numpy().astype(np.int64)).astype(float))

        def forward(self, x: Any) -> tuple[Any, None]:
            spikes = {INPUT: x}
            for layer in graph:
                total = self.biases.get(layer.name, 0)
                for i, connection in enumerate(layer.connections):
                    read = sum(spikes[name] for name in connection.sources)
                    total = total + self.current(f"{layer.name}-{i}", connection.synapse, read)
                if layer.neuron.spiking:
                    total = self.neurons[layer.name](total)
                    self.sent[layer.name].append(int(torch.count_nonzero(total)))
                spikes[layer.name] = total
            return total, None

    net = Twin()
    return net, list(net.neurons.values())
