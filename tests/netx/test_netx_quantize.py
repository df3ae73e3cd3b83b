"""From torch to the NetGraph: structure, scales, names, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch_nets
from hypothesis import given, settings
from torch import nn

import lava_mlsnn as ml
from lava_mlsnn import block
from lava_mlsnn.netx import Barrier, Readout, Relay, quantize
from lava_mlsnn.neuron import Barrier as BarrierNeuron
from lava_mlsnn.neuron import MultiLevel

torch.set_num_threads(1)


def conv(inputs: int, outputs: int, levels: int = 4, **options: object) -> block.Conv:
    return block.Conv(inputs, outputs, 3, 1, 1, neuron=MultiLevel(levels), **options)


@given(torch_nets.nets())
@settings(max_examples=8)
def test_graphs_survive_the_file(net: torch_nets.RandomNet) -> None:
    graph = quantize(net)
    with tempfile.TemporaryDirectory() as folder:
        ml.netx.save(graph, Path(folder) / "net.net")
        assert ml.netx.load(Path(folder) / "net.net") == graph


def test_scales_by_hand() -> None:
    """One weight followed through: w = 0.3 on pixels of 1/16, N = 4: w' = 4/16 * 0.3, times 2^10 is 76.8."""
    net = nn.Sequential(
        block.Input((1, 1, 1), 1 / 16, 5, 3), block.Conv(1, 1, 1, neuron=MultiLevel(4), norm=False), block.Readout(1, 2)
    )
    with torch.no_grad():
        net[1].synapse.weight.fill_(0.3)
        net[1].synapse.bias.fill_(0.1)
        net[2].synapse.weight.copy_(torch.tensor([[0.5], [-0.11]]))
        net[2].synapse.bias.copy_(torch.tensor([0.01, 0.0]))
    hidden, readout = quantize(net)
    assert hidden.synapse.weight.tolist() == [[[[77]]]]
    assert hidden.neuron.threshold.tolist() == [1024] if hidden.neuron.threshold.ndim else 1024
    assert hidden.bias.tolist() == [round(0.1 * 4 * 1024)]
    assert readout.synapse.weight.tolist() == [[64], [-14]], "one power of two, 2^7, for all classes"
    assert readout.bias.tolist() == [round(0.01 * 4 * 128), 0]
    assert readout.neuron == Readout(1 / 128 / 4)
    run = ml.sim.run(quantize(net), np.array([[[[16]]]]), engine="reference")
    with block.as_integers(net), torch.no_grad():
        logits = net(torch.ones(1, 1, 1, 1)).double().numpy()
    np.testing.assert_allclose(logits, run.output * readout.neuron.scale / 3, rtol=1e-6)


def test_a_trained_threshold_becomes_part_of_the_weights() -> None:
    net = nn.Sequential(
        block.Input((1, 1, 1), 1.0, 4), block.Conv(1, 1, 1, neuron=MultiLevel(2, 0.5), norm=False), block.Readout(1, 2)
    )
    with torch.no_grad():
        net[1].synapse.weight.fill_(0.25)
        net[1].synapse.bias.fill_(0.125)
    hidden = quantize(net)["1"]
    theta = int(hidden.neuron.threshold)
    assert hidden.synapse.weight.item() == theta and hidden.bias.item() == theta // 2, "w N / Vth = 1, b N / Vth = 1/2"


def test_average_before_the_readout_folds_into_its_weights() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        block.Input((1, 4, 4), 1.0, 4), conv(1, 3), block.Pool(2, mode="average"), block.Flatten(), block.Readout(12, 5)
    ).eval()
    graph = quantize(net)
    assert [layer.name for layer in graph] == ["1", "4"]
    weight = graph["4"].synapse.weight.reshape(5, 3, 4, 4)
    assert np.array_equal(weight[..., ::2, ::2], weight[..., 1::2, 1::2])
    assert graph["4"].neuron.scale * 4 * 4 == 2.0 ** round(np.log2(graph["4"].neuron.scale * 16))
    assert graph.latency == 2


def test_other_pools_are_relays() -> None:
    net = nn.Sequential(
        block.Input((1, 4, 4), 1.0, 4), conv(1, 3), block.Pool(2, mode="average"), conv(3, 3), block.Readout(12, 5)
    ).eval()
    graph = quantize(net)
    assert graph["2"].neuron == Relay() and graph["2"].shape == (3, 2, 2)
    summed = nn.Sequential(net[0], net[1], block.Pool(2), net[3], net[4])
    other = quantize(summed)
    assert np.array_equal(other["2"].synapse.kernel, graph["2"].synapse.kernel)
    ratio = graph["3"].neuron.threshold / other["3"].neuron.threshold
    assert np.all(ratio == 4), "an average is a sum with a threshold four times as high"


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "steps"), [(2, None, 0, 1), (3, 2, 1, 3), ((1, 3), (2, 1), (0, 1), 1)]
)
def test_max_pool_of_binary_spikes_is_the_same_everywhere(
    kernel: Any, stride: Any, padding: Any, steps: int, tmp_path: Path
) -> None:
    pool = block.Pool(kernel, stride, "max", padding)
    whole = (block.Pool(None, mode="max"), block.Flatten(), block.Readout(3, 2))
    net = nn.Sequential(block.Input((1, 7, 6), 1 / 16, 5, steps), conv(1, 3, 1), pool, conv(3, 3, 1), *whole).eval()
    with torch.no_grad():  # some windows hold no spike, some one, some several
        for layer in (net[1], net[3]):
            layer.synapse.weight.copy_(
                torch.linspace(-0.5, 0.75, layer.synapse.weight.numel()).view_as(layer.synapse.weight)
            )
    images = torch.randint(0, 32, (3, 1, 7, 6, steps), generator=torch.Generator().manual_seed(3))
    images[..., :3, :] = 0
    graph = quantize(net)
    ml.netx.save(graph, tmp_path / "max.net")
    assert [layer.neuron.kind for layer in graph] == ["multilevel", "lif", "multilevel", "lif", "readout"]
    assert graph.latency == 5 and ml.netx.problems(graph) == []
    spikes = {name: sent.numpy() for name, sent in block.trace(net, images).items()}
    assert set(np.unique(spikes["2"])) == {0, 1} == set(np.unique(spikes["4"]))
    runs = [ml.sim.run(graph, images.numpy(), trace=True, engine=name) for name in ("fast", "reference")]
    runs.append(ml.sim.run(ml.netx.load(tmp_path / "max.net"), images.numpy(), trace=True))
    for fused in (True, False)[: 2 if steps > 1 else 1]:
        runs.append(ml.proc.simulate(graph, images.numpy(), trace=True, fused=fused))
    for run in runs:
        assert all(np.array_equal(spikes[name], run.trace[name]) for name in run.trace)
        assert run.activity == block.activity(net, images)
    for kind in ("lemaire", "loihi1"):  # Horowitz's rule has pooling for nothing
        assert ml.energy.estimate(graph, run.activity, kind).to_frame().loc["2"]["total"] > 0
    with pytest.raises(ValueError, match=r"lower (takes|works)|T = 3"):
        ml.netx.lower(graph)


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([conv(1, 3)], "layer 'pool': max pooling of values up to 4 has no .* expected levels=1 in the one layer"),
        ([conv(1, 3, 1), block.Pool(2)], "max pooling of values up to 4"),
        ([], "max pooling of values up to 31"),
    ],
)
def test_max_pool_of_anything_else_is_refused(blocks: list[nn.Module], words: str) -> None:
    net = nn.Sequential(block.Input((1, 4, 4), bits=5), *blocks)
    net.add_module("pool", block.Pool(2, mode="max"))
    with pytest.raises(ValueError, match=words):
        quantize(net)


def test_max_pool_of_signed_messages_is_refused() -> None:
    net = nn.Sequential(block.Input((1, 4, 4), bits=1, signed=True), block.Pool(2, mode="max"), block.Readout(4, 2))
    with pytest.raises(ValueError, match="layer '1': max pooling of signed values has no integer layer"):
        quantize(net)


def test_barriers_and_plain_sums() -> None:
    class Net(nn.Module):
        def __init__(self, neuron: nn.Module | None) -> None:
            super().__init__()
            self.input, self.one, self.two = block.Input((1, 4, 4)), conv(1, 3), conv(3, 3)
            self.add, self.readout = block.Add(neuron), block.Readout(48, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.one(self.input(x))
            return self.readout(self.add(self.two(x), x))

    barrier, plain = quantize(Net(BarrierNeuron(4))), quantize(Net(None))
    assert barrier["add"].neuron == Barrier(4) and barrier["add"].bias is None
    assert barrier["readout"].inputs == ("add",)
    assert plain["readout"].connections[0].sources == ("two", "one")


def test_the_last_layer_may_spike() -> None:
    net = nn.Sequential(block.Input((1, 4, 4)), conv(1, 3)).eval()
    assert [layer.neuron.kind for layer in quantize(net)] == ["multilevel"]


class Sum(nn.Module):
    def __init__(self, twice: bool) -> None:
        super().__init__()
        self.input, self.one, self.two, self.readout = (
            block.Input((1, 4, 4)),
            conv(1, 3),
            conv(1, 3),
            block.Readout(48, 2),
        )
        self.twice = twice

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.input(x)
        one, two = self.one(x), self.two(x)
        return self.readout(one + two + one) if self.twice else one + two


def test_sums_that_no_layer_reads_or_that_count_twice() -> None:
    with pytest.raises(ValueError, match="the network ends in 'add', which is no layer: expected a readout or a block"):
        quantize(Sum(twice=False))
    with pytest.raises(ValueError, match="layer 'add_1': a sum counts 'one' twice: expected different layers"):
        quantize(Sum(twice=True))


def test_nothing_reads_a_readout() -> None:
    net = nn.Sequential(block.Input((1, 4, 4)), block.Readout(16, 4), block.Readout(4, 2))
    with pytest.raises(ValueError, match="layer '2'"):
        quantize(net)


@pytest.mark.parametrize("bits", [0, False, 1, 9, "8"])
def test_bits_at_export_are_checked(bits: Any) -> None:
    net = nn.Sequential(block.Input((1, 4, 4)), block.Readout(16, 4))
    with pytest.raises(ValueError, match=rf"weight_bits: expected an integer in 2 \.\. 8, got {bits!r}"):
        quantize(net, bits)


def test_a_graph_is_no_network_to_quantize() -> None:
    with pytest.raises(ValueError, match=r"quantize: expected a torch.nn.Module, got str"):
        quantize("x.net")  # type: ignore[arg-type]


def test_a_membrane_that_does_not_fit() -> None:
    net = nn.Sequential(block.Input((1, 4, 4)), conv(1, 3, norm=False), block.Readout(48, 2))
    with torch.no_grad():
        net[1].synapse.bias[2] = 1e8
    with pytest.raises(ValueError, match=r"layer '1': channel 2: its membrane can reach .* expected at most 8388607"):
        quantize(net)
    with torch.no_grad():
        net[1].synapse.bias[2] = torch.nan
    with pytest.raises(ValueError, match=r"layer '1': its 0\.synapse\.bias is not finite"):
        quantize(net)


@pytest.mark.parametrize("value", [torch.inf, -torch.inf, torch.nan])
@pytest.mark.parametrize("what", ["0.synapse.weight", "0.norm.running_var", "0.norm.running_mean", "0.norm.weight"])
def test_what_is_not_finite_is_named(what: str, value: float) -> None:
    """An infinite variance makes weights of zero, which nothing later tells from others."""
    net = nn.Sequential(block.Input((1, 4, 4)), conv(1, 3, norm=True), block.Readout(48, 2))
    with torch.no_grad():
        net.state_dict()[f"1.connections.{what}"].view(-1)[0] = value
    with pytest.raises(ValueError, match=rf"layer '1': its {what} is not finite"):
        quantize(net)


def test_labels_are_checked() -> None:
    net = nn.Sequential(block.Input((1, 4, 4)), block.Readout(16, 2))
    assert quantize(net, labels=["cat", "dog"]).labels == ("cat", "dog")
    with pytest.raises(ValueError, match="3 labels for an output of shape"):
        quantize(net, labels=list("abc"))


def test_the_door_alone_sees_torch() -> None:
    code = (
        "import sys, lava_mlsnn.netx as n; n.NetGraph; n.load; assert 'torch' not in sys.modules\n"
        "n.quantize; assert 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
