"""Linear maps over sites: what they compute, and the two integer layers that each becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch_nets
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import lava_mlsnn as ml
from lava_mlsnn import block
from lava_mlsnn.neuron import ATIF, GradedNeuron, MultiLevel

torch.set_num_threads(1)


def network(channels: int, shape: tuple[int, int], steps: int, neuron: GradedNeuron, seed: int) -> Any:
    """A convolution, the map over sites, and a layer that reads the sum of both."""
    levels = neuron.levels

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.input = block.Input((2, *shape), 1 / 16, 5, steps)
            self.stem = block.Conv(2, channels, 3, 1, 1, neuron=MultiLevel(levels))
            self.mix = block.PatchMix(channels, shape, neuron=neuron)
            self.next = block.Conv(channels, 2, 3, 1, 1, neuron=MultiLevel(levels))
            self.readout = block.Readout(2 * shape[0] * shape[1], 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.stem(self.input(x))
            return self.readout(self.next(self.mix(x) + x))

    net = Net().eval()
    torch_nets.randomise(net, seed)
    return net


@st.composite
def cases(draw: Any) -> tuple[nn.Module, torch.Tensor]:
    shape, steps = (draw(st.integers(1, 4)), draw(st.integers(1, 5))), draw(st.integers(1, 3))
    kind, levels = draw(st.sampled_from(("multilevel", "uniform", "nonuniform"))), draw(st.sampled_from((1, 3, 4)))
    neuron = MultiLevel(levels, 0.5, trainable=True) if kind == "multilevel" else ATIF(kind, steps, levels)
    net = network(draw(st.integers(1, 4)), shape, steps, neuron, draw(st.integers(0, 2**16)))
    random = torch.Generator().manual_seed(draw(st.integers(0, 2**16)))
    return net, torch.randint(0, 32, (2, 2, *shape, steps), generator=random, dtype=torch.uint8)


@given(cases(), st.sampled_from((8, 4)), st.booleans())
@settings(max_examples=25, deadline=None)
def test_torch_engine_and_file_agree(
    tmp_path_factory: Any, case: tuple[nn.Module, torch.Tensor], bits: int, per_channel: bool
) -> None:
    net, images = case
    graph = ml.netx.quantize(net, bits, per_channel=per_channel)
    path = Path(tmp_path_factory.mktemp("mix")) / "mix.net"
    ml.netx.save(graph, path)
    spikes = block.trace(net, images, bits, per_channel=per_channel)
    counted = block.activity(net, images, bits, per_channel=per_channel)
    assert list(spikes) == ["input", "stem", "mix.sites", "mix", "next", "readout"]
    assert ml.netx.problems(graph) == []
    for g, engine in ((graph, "reference"), (graph, "fast"), (ml.netx.load(path), "fast")):
        run = ml.sim.run(g, images.numpy(), trace=True, engine=engine)
        assert all(np.array_equal(spikes[name].numpy(), trace) for name, trace in run.trace.items())
        assert counted == run.activity and not run.overflows


@pytest.mark.parametrize("steps", [1, 3])
def test_lava_computes_the_same(steps: int) -> None:
    net = network(3, (3, 4), steps, MultiLevel(3, 0.5), 2)
    images = np.random.default_rng(0).integers(0, 32, (3, 2, 3, 4, steps)).astype(np.uint8)
    graph = ml.netx.quantize(net)
    run = ml.sim.run(graph, images, trace=True)
    spikes = block.trace(net, torch.from_numpy(images))
    assert len(np.unique(run.trace["mix"])) > 2
    for fused in (True, False)[: 2 if steps > 1 else 1]:
        lava = ml.proc.simulate(graph, images, fused=fused, trace=True)
        assert np.array_equal(lava.output, run.output) and lava.activity == run.activity
        assert all(np.array_equal(trace, spikes[name].numpy()) for name, trace in lava.trace.items())


def test_it_is_the_map_of_its_sites() -> None:
    """Site by site, in floats; and every site of a channel is reached by all of it and by no other channel."""
    torch.manual_seed(0)
    mix = block.PatchMix(2, (2, 3), neuron=None).double().eval()
    torch_nets.randomise(mix, 3)
    x = torch.rand(4, 2, 2, 3, 2, dtype=torch.float64)
    gain = mix.norm.weight / (mix.norm.running_var + mix.norm.eps).sqrt()
    mixed = torch.einsum("oi,ncit->ncot", mix.synapse.weight, x.flatten(2, 3)) - mix.norm.running_mean[:, None, None]
    wanted = mixed * gain[:, None, None] + mix.norm.bias[:, None, None]
    torch.testing.assert_close(mix(x), wanted.unflatten(2, (2, 3)))
    (connection,) = mix.connections
    rows, bias = connection.folded()  # of the integer layers: the norm's gain is in the weights, its shift in the bias
    torch.testing.assert_close(connection.apply_weight(x, rows) + bias[:, None], mix(x).flatten(1, 3))
    same = x[..., :1].expand(*x.shape[:-1], 3)
    assert torch.equal(mix(same), mix(same.contiguous()))


def test_synaptic_operations_are_those_of_its_sites() -> None:
    graph = ml.netx.quantize(network(3, (3, 4), 1, MultiLevel(3), 2))
    mixing, placing = (graph[name].connections[0].synapse for name in ("mix.sites", "mix"))
    assert (mixing.fan_out((3, 3, 4)) == 12).all() and (placing.fan_out((36, 1, 1)) == 1).all()
    assert ml.netx.bounds(graph)["mix"].current_max == 3, "a relay carries one spike"
    assert graph.depth["mix"] == 3


def test_quantized_training_reaches_every_weight() -> None:
    net = network(2, (3, 3), 2, MultiLevel(4, 0.5, trainable=True), 1)
    block.quantized(net)
    net(torch.randint(0, 32, (16, 2, 3, 3), generator=torch.manual_seed(0))).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
    assert (net.mix.synapse.weight.grad != 0).all() and net.mix.neuron.vth.grad != 0


def test_other_maps_are_refused() -> None:
    net = network(2, (3, 3), 1, MultiLevel(4), 1)
    net.mix = block.PatchMix(2, (3, 4), neuron=MultiLevel(4))
    with pytest.raises(ValueError, match=r"layer 'mix': a map over the sites of \(2, 3, 4\): its input has .*2, 3, 3"):
        ml.netx.quantize(net)
    with pytest.raises(ValueError, match="shape: expected 2 integers >= 1"):
        block.PatchMix(2, (0, 3), neuron=None)


def test_maps_that_want_too_many_weights_are_refused_by_name() -> None:
    assert block.PatchMix(16, (32, 32), neuron=None).no_integer_layer == ""
    net = nn.Sequential(block.Input((17, 32, 32)), block.PatchMix(17, (32, 32), neuron=MultiLevel(4)))
    words = r"layer '1': a linear map over the sites of \(17, 32, 32\) has 17825792 weights .* at most 16777216"
    with pytest.raises(ValueError, match=words):
        ml.netx.quantize(net)


def test_unflatten_is_the_inverse_of_a_flatten() -> None:
    maps = np.arange(2 * 3 * 4).reshape(1, 2, 3, 4)
    for column in (maps.reshape(1, 24, 1, 1), maps.reshape(1, 4, 2, 3)):
        assert np.array_equal(ml.netx.Unflatten(3, 4).accumulate(column), maps)
    with pytest.raises(ValueError, match=r"unflatten to maps of 3 x 4: its input has the shape \(5, 1, 1\)"):
        ml.netx.Unflatten(3, 4).out_shape((5, 1, 1))
